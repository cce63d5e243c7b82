//! What faces show of the keeper and its sessions. Nothing in it is secret.

use serde::{Deserialize, Serialize};

use crate::{Cause, Demand, Failure, Forecast, Lost, Pending, Source, Trouble, VaultTrouble, Way};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Overview {
    pub version: String,
    pub vault: VaultView,
    pub sessions: Vec<SessionView>,
    /// Of the configuration file and of the files of the home.
    pub problems: Vec<Failure>,
    pub presets: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct VaultView {
    /// With `memory`, a restart needs a new sign-in.
    pub kind: VaultKind,
    pub trouble: Option<VaultTrouble>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum VaultKind {
    /// Of the system's service manager.
    Credential,
    Keyring,
    Memory,
    Passphrase,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct SessionView {
    pub profile: String,
    pub preset: String,
    pub url: String,
    /// Includes the port if it is not the scheme's default.
    pub host: String,
    pub user: Option<String>,
    pub phase: PhaseView,
    pub access: Option<AccessView>,
    pub refresh_in_ms: Option<u64>,
    /// Without a refresh token the session ends with its access token.
    #[serde(default = "yes")]
    pub renewable: bool,
    pub heartbeat: HeartbeatView,
    pub last_refresh: Option<LastRefresh>,
    /// False while the newest refresh token is only in memory although it could be kept.
    pub saved: bool,
    /// Of the sign-in, where anything is known of its end.
    #[serde(default)]
    pub forecast: Option<Forecast>,
    pub requests: RequestsView,
    pub resources: Vec<ResourceView>,
    pub sandbox: bool,
    /// In order of preference.
    #[serde(default)]
    pub ways: Vec<Way>,
    #[serde(default)]
    pub pending: Option<Pending>,
    #[serde(default)]
    pub demand: Option<Demand>,
    /// What the provider said of the refusal that is waited out, or that ended the sign-in.
    #[serde(default)]
    pub said: Option<String>,
    /// The provider has a page that ends the browser's session.
    #[serde(default)]
    pub browser_logout: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(tag = "name")]
pub enum PhaseView {
    Fresh,
    NeedsLogin {
        why: Lost,
    },
    Refreshing {
        cause: Cause,
        attempt: u32,
    },
    SigningIn,
    /// The access token may still be good.
    Waiting {
        why: Trouble,
        status: Option<u16>,
        failures: u32,
        retry_in_ms: u64,
    },
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct AccessView {
    /// Counts since the keeper started.
    pub generation: u32,
    pub jwt: bool,
    pub algorithm: Option<String>,
    pub lifetime_ms: u64,
    /// An assumed lifetime ends nothing: the token is used until it is refused.
    #[serde(default)]
    pub source: Source,
    /// Zero after its lifetime, also an assumed one.
    pub remaining_ms: u64,
    /// Refused by the provider, and no longer used.
    pub rejected: bool,
    #[serde(default)]
    pub dpop: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct HeartbeatView {
    pub every_ms: u64,
    pub next_in_ms: Option<u64>,
    pub last: Option<LastHeartbeat>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct LastHeartbeat {
    pub good: bool,
    pub ago_ms: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct LastRefresh {
    pub cause: Cause,
    pub ago_ms: u64,
    pub took_ms: u64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct RequestsView {
    pub in_flight: u32,
    /// Waiting for a good token.
    pub held: u32,
    /// Since the keeper started.
    pub replayed: u32,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct ResourceView {
    pub method: String,
    pub path: String,
}

/// Of keepers from before it was told.
fn yes() -> bool {
    true
}
