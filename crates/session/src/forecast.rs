//! When a sign-in will end, and how that is known. Nothing ends because of it: only the provider's refusal does.

use serde::{Deserialize, Serialize};

/// Durations are milliseconds from when it was said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct Forecast {
    /// However often it is refreshed.
    pub ends: Option<Ends>,
    pub unused: Option<Unused>,
    /// It ends so soon that a person may want to sign in again.
    pub is_near: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct Ends {
    pub in_ms: u64,
    /// From sign-in to end.
    pub lasts_ms: u64,
    pub ground: Ground,
    /// How many sign-ins ended at about this age.
    pub times: u32,
}

/// After so long without a refresh it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct Unused {
    pub after_ms: u64,
    pub ground: Ground,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Ground {
    /// Sign-ins ended like that before.
    Seen,
    /// The profile says so.
    Set,
    Told,
}
