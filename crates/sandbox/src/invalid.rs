//! What is wrong with a control request, in words for the developer who wrote it.

use serde::Serialize;
use serde_json::{Map, Value};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{message} ({hint})")]
pub struct Invalid {
    pub code: &'static str,
    pub message: String,
    pub hint: String,
}

impl Invalid {
    pub(crate) fn new(code: &'static str, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { code, message: message.into(), hint: hint.into() }
    }

    pub(crate) fn field(name: &str, got: &Value, hint: impl Into<String>) -> Self {
        Self::new("invalid_field", format!("`{name}` cannot be {got}"), hint)
    }

    pub(crate) fn unknown_field(name: &str, known: &[&str]) -> Self {
        let hint = format!("the fields here are {}", known.join(", "));
        Self::new("unknown_field", format!("there is no field `{name}`"), hint)
    }
}

/// The fields of a JSON object. An unknown one is an error, or a typing error would pass for a default.
pub(crate) fn fields<'a>(
    value: &'a Value,
    called: &str,
    known: &[&str],
) -> Result<&'a Map<String, Value>, Invalid> {
    let hint = || format!("a JSON object with {}", known.join(", "));
    let Value::Object(map) = value else { return Err(Invalid::field(called, value, hint())) };
    match map.keys().find(|key| !known.contains(&key.as_str())) {
        Some(stranger) => Err(Invalid::unknown_field(stranger, known)),
        None => Ok(map),
    }
}
