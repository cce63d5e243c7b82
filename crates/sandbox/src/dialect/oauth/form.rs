use std::borrow::Cow;

use axum::http::header;
use url::form_urlencoded;

use super::refusal::Refusal;
use crate::exchange::Asked;

pub(super) struct Form(Vec<(String, String)>);

impl Form {
    pub(super) fn of_query(asked: &Asked) -> Self {
        Self::parse(asked.head.uri.query().unwrap_or_default().as_bytes())
    }

    /// Parameters that come twice, or in another coating, are refused as the standard has it.
    pub(super) fn of_body(asked: &Asked) -> Result<Self, Refusal> {
        let content_type = asked.head.headers.get(header::CONTENT_TYPE).map(|value| value.as_bytes());
        if !content_type.is_some_and(|value| value.starts_with(b"application/x-www-form-urlencoded")) {
            return Err(Refusal::invalid_request("only application/x-www-form-urlencoded is understood"));
        }
        let form = Self::parse(&asked.body);
        match form.repeated() {
            Some(name) => Err(Refusal::invalid_request(format!("`{name}` comes twice"))),
            None => Ok(form),
        }
    }

    pub(super) fn parse(text: &[u8]) -> Self {
        let owned = |(name, value): (Cow<'_, str>, Cow<'_, str>)| (name.into_owned(), value.into_owned());
        Self(form_urlencoded::parse(text).map(owned).collect())
    }

    /// A parameter without a value is treated as if it were not there.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(it, value)| it == name && !value.is_empty()).map(|(_, value)| value.as_str())
    }

    pub(super) fn need(&self, name: &str) -> Result<&str, Refusal> {
        self.get(name).ok_or_else(|| Refusal::invalid_request(format!("`{name}` is missing")))
    }

    pub(super) fn repeated(&self) -> Option<&str> {
        let mut names: Vec<_> = self.0.iter().map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        names.windows(2).find(|pair| pair[0] == pair[1]).map(|pair| pair[0])
    }
}
