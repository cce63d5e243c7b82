use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::secret::Password;
use crate::{Asker, OauthDraft, Way};

#[derive(Debug, Serialize, Deserialize)]
pub struct Call {
    #[serde(default)]
    pub id: u64,
    #[serde(flatten)]
    pub request: Request,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum Request {
    /// Answered with [`Reply::Status`] of the profile.
    Add(Box<Draft>),
    /// Answered with [`Reply::Bench`].
    Bench { profile: String },
    /// Answered with [`Reply::Done`], also when there is none.
    CancelSignIn { profile: String },
    /// Saves nothing. Answered with [`Reply::Discovered`].
    Discover {
        issuer: String,
        #[serde(default)]
        allow_http: bool,
        #[serde(default)]
        ca_file: Option<String>,
    },
    /// Answered with [`Reply::Fetched`].
    Fetch(Fetch),
    /// Answered with [`Reply::Status`], or the failure of the sign-in.
    FinishSignIn {
        profile: String,
        /// When absent, until the end of the sign-in.
        #[serde(default)]
        timeout_ms: Option<u64>,
    },
    /// Answered with [`Reply::Hello`].
    Hello { version: String },
    /// The address at which the browser of a sign-in has ended, where it could not come here by itself. Answered with
    /// [`Reply::Done`] or refused with [`Code::WrongAddress`](crate::Code::WrongAddress); what becomes of it is told by
    /// [`Request::FinishSignIn`].
    LandSignIn { profile: String, address: Password },
    /// Newest first. Answered with [`Reply::Log`].
    Log {
        #[serde(default)]
        profile: Option<String>,
        /// Only entries older than this id.
        #[serde(default)]
        before: Option<i64>,
        /// At most 1000; 100 when absent.
        #[serde(default)]
        limit: Option<u32>,
    },
    /// Answered with [`Reply::Status`]. For [`Way::ClientSecret`] the password is the secret.
    Login { profile: String, username: String, password: Password },
    /// Forgets the session before the provider is told. Answered with [`Reply::Done`].
    Logout {
        profile: String,
        /// Answered with [`Reply::Open`] if the provider has a page for it.
        #[serde(default)]
        browser: bool,
    },
    /// Answered with [`Reply::Status`] after the refresh.
    Refresh {
        profile: String,
        #[serde(default)]
        by: Asker,
    },
    /// Signs out first. Answered with [`Reply::Done`].
    Remove { profile: String },
    /// Answered with [`Reply::Bench`].
    SetBench { profile: String, change: BenchChange },
    /// Replaces a pending sign-in. Answered with [`Reply::SignIn`]; [`Request::FinishSignIn`] waits for the end.
    SignIn {
        profile: String,
        /// When absent, the profile's own.
        #[serde(default)]
        way: Option<Way>,
    },
    /// Answered with [`Reply::Status`].
    Status {
        #[serde(default)]
        profile: Option<String>,
    },
    /// Answered with [`Reply::Done`], or refused with [`Code::NotSaved`] or [`Code::StillBusy`].
    Stop {
        /// Stops even if a session is lost.
        #[serde(default)]
        force: bool,
    },
    /// Answered with [`Reply::Token`], or refused with [`Code::DeadlinePassed`] or [`Code::TokenTooShort`].
    Token {
        profile: String,
        #[serde(default)]
        min_valid_ms: u64,
        /// Accepts a token with less life left.
        #[serde(default)]
        best_effort: bool,
        /// 30 s when absent.
        #[serde(default)]
        timeout_ms: Option<u64>,
    },
    /// Opens what is stored, for a person who waits. Answered with [`Reply::Status`], or the failure that keeps it
    /// closed. A passphrase is chosen where there is none yet.
    Unlock {
        #[serde(default)]
        passphrase: Option<Password>,
    },
    /// From now on this connection also gets notices. Answered with [`Reply::Status`] of every session.
    Watch,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Draft {
    pub profile: String,
    /// One of [`Overview::presets`], or empty for OAuth.
    #[serde(default)]
    pub preset: String,
    /// Paths are appended to it. For OAuth an empty one means the issuer's origin.
    #[serde(default)]
    pub url: String,
    #[serde(default)]
    pub oauth: Option<OauthDraft>,
    /// When empty, those of the preset.
    #[serde(default)]
    pub resources: Vec<String>,
    #[serde(default)]
    pub allow_http: bool,
    /// The path of a PEM file.
    #[serde(default)]
    pub ca_file: Option<String>,
    #[serde(default)]
    pub sandbox: bool,
    /// 300 when absent.
    #[serde(default)]
    pub heartbeat_s: Option<u64>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fetch {
    pub profile: String,
    /// Relative to the profile's URL, or a full URL of the same origin.
    pub path: String,
    #[serde(default)]
    pub method: Option<String>,
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    #[serde(default)]
    pub body: Option<String>,
    /// Includes replays; 30 s when absent.
    #[serde(default)]
    pub timeout_ms: Option<u64>,
    #[serde(default)]
    pub by: Asker,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(tag = "set", rename_all = "snake_case")]
pub enum BenchChange {
    Clear,
    Fault {
        name: String,
        on: bool,
        /// In requests; when absent, until it is switched off.
        #[serde(default)]
        times: Option<u32>,
    },
    RevokeAccess,
    /// Only a new sign-in helps.
    RevokeAll,
}
