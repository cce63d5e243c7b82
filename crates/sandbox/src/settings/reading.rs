use std::time::Duration;

use serde::{Deserialize, Serializer};
use serde_json::Value;

use crate::invalid::Invalid;

pub(crate) fn ms(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

pub(super) fn as_ms<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(ms(*duration))
}

/// A token that is dead on arrival would show nothing but a loop, so a lifetime is at least a millisecond.
pub(super) fn lifetime(field: &str, value: &Value) -> Result<Duration, Invalid> {
    milliseconds(field, value, 1)
}

pub(super) fn milliseconds(field: &str, value: &Value, least: u64) -> Result<Duration, Invalid> {
    match value.as_u64() {
        Some(ms) if (least..=TEN_YEARS_MS).contains(&ms) => Ok(Duration::from_millis(ms)),
        _ => Err(Invalid::field(field, value, format!("whole milliseconds, {least} to {TEN_YEARS_MS}"))),
    }
}

pub(super) fn one_of<T: for<'de> Deserialize<'de>>(
    field: &str,
    value: &Value,
    choices: &str,
) -> Result<T, Invalid> {
    T::deserialize(value).map_err(|_| Invalid::field(field, value, choices))
}

const TEN_YEARS_MS: u64 = 10 * 365 * 24 * 60 * 60 * 1000;
