//! What is told of an event, in every language at once: who shows it may change the language without asking again.

use std::sync::LazyLock;

use serde::Serialize;

use super::{Language, Words};
use crate::{Entry, Note};

/// A sentence in each language.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Says {
    pub en: String,
    #[serde(rename = "zh-CN")]
    pub zh: String,
}

/// One line of the journal as a page shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct EntryView {
    pub id: i64,
    /// Milliseconds since 1970, by the wall clock of that moment; for people, not for arithmetic.
    pub at_ms: i64,
    /// Absent for what concerns the keeper itself.
    pub profile: Option<String>,
    pub note: Note,
    pub says: Says,
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

static BOTH: LazyLock<[Words; 2]> = LazyLock::new(|| [Language::English, Language::Chinese].map(Words::of));
