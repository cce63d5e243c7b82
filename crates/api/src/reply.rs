use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Discovery, Failure, Note, Overview, Pending, Source};

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
    Open {
        url: String,
    },
    SignIn {
        pending: Pending,
        /// Set for [`Way::Browser`], and usable once.
        url: Option<String>,
    },
    Status(Overview),
    Token(Token),
}

/// Sent on connections that asked to `watch`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "about", rename_all = "snake_case")]
pub enum Notice {
    Entry(Entry),
    /// The status should be requested again.
    Changed {
        profile: String,
    },
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Fetched {
    pub status: u16,
    pub headers: BTreeMap<String, String>,
    /// Base64 if `base64` is set, because it is not UTF-8, or full of control characters.
    pub body: String,
    #[serde(default)]
    pub base64: bool,
    /// Sent again with a newer token.
    pub replayed: bool,
    /// Of the access token that was sent.
    pub generation: u32,
    pub took_ms: u64,
}

#[derive(Serialize, Deserialize)]
pub struct Token {
    pub access_token: String,
    /// Empty if the provider expects the bare token.
    pub scheme: String,
    pub remaining_ms: u64,
    pub lifetime_ms: u64,
    #[serde(default)]
    pub source: Source,
    pub shorter_than_asked: bool,
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token").field("remaining_ms", &self.remaining_ms).finish_non_exhaustive()
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Entry {
    pub id: i64,
    /// Milliseconds since 1970, by a clock that may have been changed since.
    pub at_ms: i64,
    /// Absent for the keeper itself.
    pub profile: Option<String>,
    pub note: Note,
}

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
    /// Absent if it stays until it is switched off.
    pub left: Option<u32>,
}
