use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::fault::Fault;
use crate::invalid::{Invalid, fields};
use crate::name::{Dialect, Endpoint};
use crate::tweaks::{Amiss, Confusion, Flaw, StrangeExpiry};

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Switch {
    /// What it needs to know, as its [`about`](Fault::about) says; its default when `None`.
    pub value: Option<Value>,
    /// The endpoints that it meets; the usual ones when empty.
    pub on: Vec<Endpoint>,
    pub dialect: Option<Dialect>,
    /// How many requests it will meet; all, until it is switched off, when `None`.
    pub left: Option<u32>,
}

/// A [`Switch`] with its gaps filled.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Switched {
    pub value: Value,
    pub on: Vec<Endpoint>,
    pub dialect: Option<Dialect>,
    pub left: Option<u32>,
}

impl Switch {
    pub(crate) fn parse(body: &Value) -> Result<Self, Invalid> {
        let body = fields(body, "the body", &["value", "on", "dialect", "left"])?;
        let on = match body.get("on") {
            None | Some(Value::Null) => Vec::new(),
            Some(on) => Vec::deserialize(on).map_err(|_| {
                let names = Endpoint::ALL.map(Endpoint::name).join(", ");
                Invalid::field("on", on, format!("a list of {names}"))
            })?,
        };
        let dialect = match body.get("dialect") {
            None | Some(Value::Null) => None,
            Some(dialect) => Some(Dialect::parse("dialect", dialect)?),
        };
        let left = match body.get("left") {
            None | Some(Value::Null) => None,
            Some(left) => Some(
                left.as_u64()
                    .and_then(|left| u32::try_from(left).ok())
                    .ok_or_else(|| Invalid::field("left", left, LEFT))?,
            ),
        };
        Ok(Self { value: body.get("value").cloned(), on, dialect, left })
    }

    pub(super) fn filled(self, fault: Fault) -> Result<Switched, Invalid> {
        let sheet = fault.sheet();
        let value = match self.value {
            // Null means something only here: no header.
            Some(value) if !value.is_null() || fault == Fault::RateLimit => value,
            _ => sheet.default,
        };
        check(fault, &value)?;
        if self.left == Some(0) {
            return Err(Invalid::field("left", &json!(0), LEFT));
        }
        if let Some(senseless) = self.on.iter().find(|endpoint| !sheet.applies_to.contains(endpoint)) {
            let sensible: Vec<_> = sheet.applies_to.iter().map(|endpoint| endpoint.name()).collect();
            return Err(Invalid::field("on", &json!([senseless]), format!("any of {}", sensible.join(", "))));
        }
        let on = if self.on.is_empty() { sheet.default_on.to_vec() } else { self.on };
        let dialect = self.dialect.or(sheet.only);
        if let (Some(dialect), Some(only)) = (dialect, sheet.only)
            && dialect != only
        {
            return Err(Invalid::field("dialect", &json!(dialect), only.name()));
        }
        Ok(Switched { value, on, dialect, left: self.left })
    }
}

fn check(fault: Fault, value: &Value) -> Result<(), Invalid> {
    let (is_good, hint) = match fault {
        Fault::Latency => (within(value, 0, 600_000), "milliseconds, at most 600000"),
        Fault::Status | Fault::BareStatus => (within(value, 400, 599), "a status from 400 to 599"),
        Fault::RateLimit => {
            let is_header =
                value.as_str().is_some_and(|text| text.bytes().all(|byte| (32..127).contains(&byte)));
            (value.is_null() || value.is_u64() || is_header, "whole seconds, an HTTP date or null")
        }
        Fault::Huge => (within(value, 16, 1 << 30), "a number of bytes from 16 to 1073741824"),
        Fault::ClockSkew => (within(value, -A_CENTURY_S, A_CENTURY_S), "whole seconds, at most a century"),
        Fault::Omit => {
            let names = Vec::<String>::deserialize(value).is_ok_and(|names| !names.is_empty());
            (names, "a list of names of fields")
        }
        Fault::StrangeExpiry => {
            (StrangeExpiry::deserialize(value).is_ok(), "string, milliseconds, negative, huge or zero")
        }
        Fault::WrongIss | Fault::WrongState => (Amiss::deserialize(value).is_ok(), "other or missing"),
        Fault::AlgConfusion => (Confusion::deserialize(value).is_ok(), "hs256 or none"),
        Fault::WrongIdToken => {
            (Flaw::deserialize(value).is_ok(), "nonce, aud, sub, iss, exp, at_hash, kid or signature")
        }
        Fault::Hang
        | Fault::Reset
        | Fault::CaptivePortal
        | Fault::Redirect
        | Fault::NotJson
        | Fault::Refuse
        | Fault::SameToken
        | Fault::HeartbeatNo
        | Fault::ForeignMetadata
        | Fault::HttpEndpoints
        | Fault::InteractionRequired
        | Fault::LostAnswer
        | Fault::Truncated => (value.is_null(), "nothing: this fault takes no value"),
    };
    if is_good { Ok(()) } else { Err(Invalid::field("value", value, hint)) }
}

fn within(value: &Value, least: i64, most: i64) -> bool {
    value.as_i64().is_some_and(|number| (least..=most).contains(&number))
}

const LEFT: &str = "a number of requests from 1, or null for all";
const A_CENTURY_S: i64 = 100 * 365 * 24 * 60 * 60;
