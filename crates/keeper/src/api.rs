//! The one vocabulary of all faces: what can be asked of the keeper, what it answers, what it tells unasked.
//!
//! On the socket each message is one line of JSON. A face sends a [`Call`], `{"id":1,"do":"token","profile":"work"}`;
//! the keeper answers with a [`Line`], `{"id":1,"ok":"token",…}` or `{"id":1,"error":{…}}`, and on a connection that
//! asked to `watch` it also sends `{"notice":…}` lines. Unknown fields are ignored both ways.
//!
//! All durations are milliseconds and all points in time are distances from now, computed by the keeper: a face
//! needs no clock. The one exception is the journal, whose entries carry a wall-clock time for people.
//!
//! No request returns a refresh token.

mod failure;
mod oauth;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use session::binding::Destination;
pub use session::event::Asker;
pub use session::note::Note;
pub use session::reason::Source;
pub use session::reason::{Cause, Lost, Oddity, Trouble, VaultTrouble};

use crate::secret::Password;

pub use failure::{Code, Failure};
pub use oauth::{Demand, Discovery, Grant, OauthDraft, Pending, Way};

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

/// What comes back on the socket: an answer, or a notice.
#[derive(Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Line {
    Answer {
        id: u64,
        #[serde(flatten)]
        reply: Reply,
    },
    Refusal {
        id: u64,
        error: Failure,
    },
    Notice {
        notice: Notice,
    },
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "ok", rename_all = "snake_case")]
pub enum Reply {
    Bench(Bench),
    Discovered(Discovery),
    Done,
    Fetched(Fetched),
    Hello {
        version: String,
        pid: u32,
    },
    Log {
        entries: Vec<Entry>,
    },
    /// An address to be opened in the browser.
    Open {
        url: String,
    },
    SignIn {
        pending: Pending,
        /// What to open in the browser, where the way is [`Way::Browser`]. It is good once, and for this sign-in.
        url: Option<String>,
    },
    Status(Overview),
    Token(Token),
}

/// Told unasked to those who watch.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "about", rename_all = "snake_case")]
pub enum Notice {
    /// One more line in the journal.
    Entry(Entry),
    /// Something that a face shows has changed; it may ask for the status again.
    Changed { profile: String },
}

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
    pub phase: Phase,
    pub access: Option<AccessView>,
    pub refresh_in_ms: Option<u64>,
    pub heartbeat: HeartbeatView,
    pub last_refresh: Option<LastRefresh>,
    /// False while the newest refresh token is only in memory though a keyring is in use.
    pub saved: bool,
    pub requests: RequestsView,
    /// What *Data* offers.
    pub resources: Vec<Resource>,
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
pub enum Phase {
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
pub struct Resource {
    pub method: String,
    pub path: String,
}

/// The answer of a protected resource, whatever its status.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Fetched {
    pub status: u16,
    pub headers: BTreeMap<String, String>,
    /// The text of the body; when it is not UTF-8, base64 of it and `base64` set.
    pub body: String,
    #[serde(default)]
    pub base64: bool,
    /// It was held or refused once, and sent with a newer token.
    pub replayed: bool,
    /// The generation of the access token that it was answered for.
    pub generation: u32,
    pub took_ms: u64,
}

/// An access token for the caller to use.
#[derive(Serialize, Deserialize)]
pub struct Token {
    pub access_token: String,
    /// The scheme for the `Authorization` header; empty where the provider wants the bare token.
    pub scheme: String,
    pub remaining_ms: u64,
    pub lifetime_ms: u64,
    #[serde(default)]
    pub source: Source,
    /// It has less life left than was asked for, and was given all the same.
    pub shorter_than_asked: bool,
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Token").field("remaining_ms", &self.remaining_ms).finish_non_exhaustive()
    }
}

/// One line of the journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Entry {
    pub id: i64,
    /// Milliseconds since 1970, by the wall clock of that moment; for people, not for arithmetic.
    pub at_ms: i64,
    /// Absent for what concerns the keeper itself.
    pub profile: Option<String>,
    pub note: Note,
}

/// The fault switches of a sandbox.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Bench {
    pub faults: Vec<Fault>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Fault {
    pub name: String,
    pub on: bool,
    /// How many more requests it will meet; absent when it stays until it is switched off.
    pub left: Option<u32>,
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

#[cfg(test)]
mod tests {
    use super::*;
    use ts_rs::{Config, TS};

    /// The page's types are generated from these. To accept a change: `UPDATE=1 cargo test -p pilotlight-keeper types`.
    #[test]
    fn types_of_the_page_are_these() {
        let config = Config::default().with_large_int("number");
        let mut text =
            String::from("// Generated from crates/keeper/src/api.rs by its own test; change it there.\n\n");
        macro_rules! declare {
            ($($type:ty),* $(,)?) => { $(
                text.push_str("export ");
                text.push_str(&<$type as TS>::decl(&config));
                text.push_str("\n\n");
            )* };
        }
        declare!(
            AccessView,
            Bench,
            BenchChange,
            Cause,
            Code,
            Demand,
            Discovery,
            Draft,
            Entry,
            Failure,
            Fault,
            Fetched,
            Grant,
            HeartbeatView,
            LastHeartbeat,
            LastRefresh,
            Lost,
            Note,
            OauthDraft,
            Oddity,
            Overview,
            Pending,
            Phase,
            Destination,
            RequestsView,
            Resource,
            SessionView,
            Source,
            Trouble,
            VaultKind,
            VaultTrouble,
            VaultView,
            Way,
        );
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../ui/src/api.ts");
        if std::env::var_os("UPDATE").is_some() {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, &text).unwrap();
        }
        let there = std::fs::read_to_string(&path).unwrap_or_default();
        assert_eq!(there, text, "ui/src/api.ts is not what api.rs says; run this test with UPDATE=1");
    }
}
