use serde_json::Value;

use crate::mint::Claim;
use crate::people::Person;
use crate::reply::Fields;
use crate::settings::TokenFormat;

pub(crate) struct Speech {
    pub(crate) names: Names,
    pub(crate) refresh_format: TokenFormat,
    pub(crate) claims: fn(TokenKind, Person, &Claim) -> Fields,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TokenKind {
    Access,
    Refresh,
}

pub(crate) struct Names {
    pub(crate) access: &'static str,
    pub(crate) refresh: &'static str,
    pub(crate) lifetime: &'static str,
}

impl Names {
    /// Takes fields out of an answer. `access`, `refresh` and `lifetime` stand for the dialect's own names, and
    /// `name:null` leaves the field there without a value.
    pub(crate) fn omit(&self, omitted: &[String], mut fields: Fields) -> Fields {
        for omitted in omitted {
            let (name, is_null) = match omitted.strip_suffix(":null") {
                Some(name) => (name, true),
                None => (omitted.as_str(), false),
            };
            let name = self.own(name);
            if is_null {
                fields.0.iter_mut().filter(|(field, _)| *field == name).for_each(|(_, value)| {
                    *value = Value::Null.into();
                });
            } else {
                fields.0.retain(|(field, _)| *field != name);
            }
        }
        fields
    }

    fn own<'a>(&self, name: &'a str) -> &'a str {
        match name {
            "access" => self.access,
            "refresh" => self.refresh,
            "lifetime" => self.lifetime,
            other => other,
        }
    }
}
