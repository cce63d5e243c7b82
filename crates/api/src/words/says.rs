//! Sentences in every language, so that a page can change its language without a request.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Serialize;

use super::{Language, Words};
use crate::{Code, Entry, Failure, Note, Overview, SessionView, VaultView};

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Says {
    pub en: String,
    #[serde(rename = "zh-CN")]
    pub zh: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct EntryView {
    pub id: i64,
    /// Milliseconds since 1970, by a clock that may have been changed since.
    pub at_ms: i64,
    pub profile: Option<String>,
    pub note: Note,
    pub says: Says,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct FailureView {
    pub code: Code,
    pub profile: Option<String>,
    pub details: BTreeMap<String, String>,
    pub retry_in_ms: Option<u64>,
    pub says: Says,
    pub next: Says,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct OverviewView {
    pub version: String,
    pub vault: VaultView,
    pub sessions: Vec<SessionView>,
    pub problems: Vec<FailureView>,
    pub presets: Vec<String>,
}

impl Says {
    fn of(say: impl Fn(&Words) -> String) -> Self {
        let [en, zh] = &*BOTH;
        Self { en: say(en), zh: say(zh) }
    }
}

impl From<Entry> for EntryView {
    fn from(Entry { id, at_ms, profile, note }: Entry) -> Self {
        let says = Says::of(|words| words.note(&note));
        Self { id, at_ms, profile, note, says }
    }
}

impl From<Failure> for FailureView {
    fn from(failure: Failure) -> Self {
        let says = Says::of(|words| words.say(&failure).0);
        let next = Says::of(|words| words.say(&failure).1);
        let Failure { code, profile, details, retry_in_ms } = failure;
        Self { code, profile, details, retry_in_ms, says, next }
    }
}

impl From<Overview> for OverviewView {
    fn from(Overview { version, vault, sessions, problems, presets }: Overview) -> Self {
        let problems = problems.into_iter().map(FailureView::from).collect();
        Self { version, vault, sessions, problems, presets }
    }
}

static BOTH: LazyLock<[Words; 2]> = LazyLock::new(|| [Language::English, Language::Chinese].map(Words::of));
