//! What a person may see of the keeper and its sessions. Nothing of it is secret.

use serde::{Deserialize, Serialize};

use crate::{Cause, Demand, Failure, Lost, Pending, Source, Trouble, VaultTrouble, Way};

/// Every session, and the keeper itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Overview {
    pub version: String,
    pub vault: VaultView,
    pub sessions: Vec<SessionView>,
    /// What is wrong with the configuration file, profile by profile, and with the files of the home; all else goes on.
    pub problems: Vec<Failure>,
    /// What a new profile may be made from.
    pub presets: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct VaultView {
    /// Where refresh tokens are kept: after a restart, `memory` means signing in again.
    pub kind: VaultKind,
    /// Set while it does not do what it is asked.
    pub trouble: Option<VaultTrouble>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum VaultKind {
    Keyring,
    Memory,
}

/// One session as a person may see it. Holds no secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct SessionView {
    pub profile: String,
    pub preset: String,
    pub url: String,
    /// Host and, where it is not the scheme's own, port.
    pub host: String,
    /// Who signed in, when the keeper was told.
    pub user: Option<String>,
    pub phase: PhaseView,
    pub access: Option<AccessView>,
    pub refresh_in_ms: Option<u64>,
    pub heartbeat: HeartbeatView,
    pub last_refresh: Option<LastRefresh>,
    /// False while the newest refresh token is only in memory though a keyring is in use.
    pub saved: bool,
    pub requests: RequestsView,
    /// What *Data* offers.
    pub resources: Vec<ResourceView>,
    /// The provider has fault switches.
    pub sandbox: bool,
    /// How a person can sign in, the first one first.
    #[serde(default)]
    pub ways: Vec<Way>,
    /// The sign-in that somebody is at.
    #[serde(default)]
    pub pending: Option<Pending>,
    /// What a resource or the provider demands besides, when that is why a person is needed.
    #[serde(default)]
    pub demand: Option<Demand>,
    /// The provider has a page on which to end the session in the browser as well.
    #[serde(default)]
    pub browser_logout: bool,
}

/// What a session waits for, or who must act.
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
    /// A transient failure; the access token may still be good.
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
    /// Counts the access tokens of this session since the keeper started.
    pub generation: u32,
    pub jwt: bool,
    /// Of a JWT: the `alg` of its header.
    pub algorithm: Option<String>,
    pub lifetime_ms: u64,
    /// Where the lifetime is known from. One that is assumed ends nothing: such a token is good until it is refused.
    #[serde(default)]
    pub source: Source,
    /// Zero once it has run out, or once what was assumed of it is over.
    pub remaining_ms: u64,
    /// The provider has refused it; it is not used any more.
    pub rejected: bool,
    /// It is good only together with a proof of possession (RFC 9449).
    #[serde(default)]
    pub dpop: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct HeartbeatView {
    pub every_ms: u64,
    pub next_in_ms: Option<u64>,
    /// Whether the last one was good, and how long ago it was.
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
    /// Held until there is a good token.
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
