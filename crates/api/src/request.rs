//! What can be asked of the keeper.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::secret::Password;
use crate::{Asker, OauthDraft, Way};

/// A request with the number that its answer will carry.
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
    /// Adds a profile to the configuration file. Answered with [`Reply::Status`] of it.
    Add(Box<Draft>),
    /// The faults of a sandbox profile. Answered with [`Reply::Bench`].
    Bench { profile: String },
    /// Gives up the sign-in that somebody is at. Answered with [`Reply::Done`], also when there is none.
    CancelSignIn { profile: String },
    /// What an OAuth provider says about itself; saves nothing. Answered with [`Reply::Discovered`].
    Discover {
        issuer: String,
        #[serde(default)]
        allow_http: bool,
        #[serde(default)]
        ca_file: Option<String>,
    },
    /// Sends a request to the profile's API with its access token. Answered with [`Reply::Fetched`].
    Fetch(Fetch),
    /// Waits for the end of the sign-in that somebody is at. Answered with [`Reply::Status`], or with what the sign-in
    /// failed with; at once when it has ended already.
    FinishSignIn {
        profile: String,
        /// How long the caller is ready to wait; until the end of the sign-in when absent.
        #[serde(default)]
        timeout_ms: Option<u64>,
    },
    /// Says who is asking and learns who answers. Answered with [`Reply::Hello`].
    Hello { version: String },
    /// Newest first. Answered with [`Reply::Log`].
    Log {
        #[serde(default)]
        profile: Option<String>,
        /// Only entries older than this id, to page backwards.
        #[serde(default)]
        before: Option<i64>,
        /// At most 1000; 100 when absent.
        #[serde(default)]
        limit: Option<u32>,
    },
    /// Signs in with what a person has typed. Answered with [`Reply::Status`] once it is done. Where the way is
    /// [`Way::ClientSecret`], the secret is the password and there is no user name.
    Login { profile: String, username: String, password: Password },
    /// Forgets the session here at once, then tells the provider. Answered with [`Reply::Done`].
    Logout {
        profile: String,
        /// Ends the session in the browser as well: answered with [`Reply::Open`] where the provider has a page for it.
        #[serde(default)]
        browser: bool,
    },
    /// Refreshes now, and waits for what comes of it. Answered with [`Reply::Status`].
    Refresh {
        profile: String,
        #[serde(default)]
        by: Asker,
    },
    /// Signs out and takes the profile out of the configuration file. Answered with [`Reply::Done`].
    Remove { profile: String },
    /// Sets or clears a fault of a sandbox profile. Answered with [`Reply::Bench`].
    SetBench { profile: String, change: BenchChange },
    /// Begins a sign-in that a person finishes at a browser, here or on another device, in place of one that is under
    /// way. Answered with [`Reply::SignIn`] as soon as there is something to show; [`Request::FinishSignIn`] waits for
    /// the rest.
    SignIn {
        profile: String,
        /// [`Way::Browser`] or [`Way::Device`]; the profile's own when absent.
        #[serde(default)]
        way: Option<Way>,
    },
    /// Answered with [`Reply::Status`].
    Status {
        #[serde(default)]
        profile: Option<String>,
    },
    /// Finishes what is in flight, saves what is not saved, and ends the keeper. Answered with [`Reply::Done`] just
    /// before the end, or refused with [`Code::NotSaved`] or [`Code::StillBusy`] when that would lose a session: then
    /// the keeper stays.
    Stop {
        /// Ends it all the same.
        #[serde(default)]
        force: bool,
    },
    /// An access token with at least `min_valid_ms` left. Answered with [`Reply::Token`], or refused where no such token
    /// can be had, now ([`Code::DeadlinePassed`]) or ever ([`Code::TokenTooShort`]).
    Token {
        profile: String,
        #[serde(default)]
        min_valid_ms: u64,
        /// Rather a good token with less life left than none.
        #[serde(default)]
        best_effort: bool,
        /// How long the caller is ready to wait; 30 s when absent.
        #[serde(default)]
        timeout_ms: Option<u64>,
    },
    /// From now on this connection also gets notices. Answered with [`Reply::Status`] of every session.
    Watch,
}

/// A profile to be made.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Draft {
    pub profile: String,
    /// One of [`Overview::presets`]; empty for an OAuth provider.
    #[serde(default)]
    pub preset: String,
    /// The base of the API: what paths are appended to. Of an OAuth provider it may be empty: then it is the issuer's
    /// origin.
    #[serde(default)]
    pub url: String,
    /// An OAuth provider.
    #[serde(default)]
    pub oauth: Option<OauthDraft>,
    /// Paths that the window and the command line offer under *Data*; the preset's own when empty.
    #[serde(default)]
    pub resources: Vec<String>,
    #[serde(default)]
    pub allow_http: bool,
    /// More certificates to trust: the path of a PEM file.
    #[serde(default)]
    pub ca_file: Option<String>,
    /// The provider is a sandbox, with fault switches.
    #[serde(default)]
    pub sandbox: bool,
    /// Seconds between heartbeats; 300 when absent.
    #[serde(default)]
    pub heartbeat_s: Option<u64>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fetch {
    pub profile: String,
    /// Below the profile's URL, or a full URL of the same origin.
    pub path: String,
    /// GET when absent.
    #[serde(default)]
    pub method: Option<String>,
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    #[serde(default)]
    pub body: Option<String>,
    /// How long the caller is ready to wait, replays included; 30 s when absent.
    #[serde(default)]
    pub timeout_ms: Option<u64>,
    #[serde(default)]
    pub by: Asker,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(tag = "set", rename_all = "snake_case")]
pub enum BenchChange {
    /// Every fault off.
    Clear,
    Fault {
        name: String,
        on: bool,
        /// How many requests it shall meet; absent: until it is switched off.
        #[serde(default)]
        times: Option<u32>,
    },
    /// The provider forgets the access tokens it gave out.
    RevokeAccess,
    /// The provider ends the session: only a new sign-in helps.
    RevokeAll,
}
