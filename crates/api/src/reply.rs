//! What the keeper answers, and what it tells unasked.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Discovery, Failure, Note, Overview, Pending, Source};

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

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
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
    pub faults: Vec<FaultSwitch>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct FaultSwitch {
    pub name: String,
    pub on: bool,
    /// How many more requests it will meet; absent when it stays until it is switched off.
    pub left: Option<u32>,
}
