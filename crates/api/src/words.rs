//! Looks up sentences in the catalogues, for the command line. `{name}` stands for a value, and a part in `[square
//! brackets]` is left out if one of its values is missing.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::env;

use serde::Serialize;

use crate::problem::{PROBLEM, WORDS};
use crate::{AccessView, Cause, Ends, Failure, Note, PhaseView, Source, Trouble, Unused};

mod note;
mod says;

pub use note::{Tone, tone};
pub use says::{EntryView, FailureView, OverviewView, Says};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    Chinese,
    English,
}

impl Language {
    pub fn of_locale() -> Self {
        let set = ["LC_ALL", "LC_MESSAGES", "LANG"].into_iter().find_map(|name| {
            env::var_os(name)
                .filter(|value| !value.is_empty())
                .map(|value| value.to_string_lossy().into_owned())
        });
        Self::named(&set.unwrap_or_default())
    }

    /// RFC 9110, section 12.5.4.
    pub fn accepted(header: &str) -> Self {
        let mut wanted = header.split(',').map(|part| part.split(';').next().unwrap_or_default().trim());
        let known = wanted.find(|tag| {
            ["zh", "en"]
                .iter()
                .any(|known| tag.split('-').next().is_some_and(|it| it.eq_ignore_ascii_case(known)))
        });
        Self::named(known.unwrap_or_default())
    }

    /// Every kind of Chinese is read as Simplified Chinese.
    fn named(locale: &str) -> Self {
        let language = locale.split(['_', '-', '.', '@']).next().unwrap_or_default();
        if language.eq_ignore_ascii_case("zh") { Self::Chinese } else { Self::English }
    }

    fn catalogue(self) -> &'static str {
        match self {
            Self::Chinese => include_str!("../locales/zh-CN.json"),
            Self::English => include_str!("../locales/en.json"),
        }
    }
}

pub struct Words {
    language: Language,
    texts: HashMap<Cow<'static, str>, Cow<'static, str>>,
}

impl Words {
    pub fn for_locale() -> Self {
        Self::of(Language::of_locale())
    }

    pub fn of(language: Language) -> Self {
        // A test reads both catalogues, so this cannot fail.
        let texts = serde_json::from_str(language.catalogue()).unwrap_or_default();
        Self { language, texts }
    }

    pub fn language(&self) -> Language {
        self.language
    }

    /// Returns the key itself if the catalogue does not contain it.
    pub fn fill(&self, key: &str, values: &[(&str, &str)]) -> String {
        self.known(key, values).unwrap_or_else(|| key.to_owned())
    }

    pub fn known(&self, key: &str, values: &[(&str, &str)]) -> Option<String> {
        let value = |name: &str| values.iter().find(|(named, _)| *named == name).map(|(_, value)| *value);
        self.texts.get(key).map(|text| complete(text, &value))
    }

    pub fn say(&self, failure: &Failure) -> (String, String) {
        let code = word(&failure.code);
        let details = self.spoken(&failure.details);
        let mut values = pairs(&details);
        if let Some(profile) = &failure.profile {
            values.push(("profile", profile));
        }
        let say = self.known(&format!("error.{code}.say"), &values).unwrap_or_else(|| code.clone());
        let next = self.known(&format!("error.{code}.next"), &values).unwrap_or_default();
        (say, next)
    }

    pub fn problem(&self, details: &BTreeMap<String, String>) -> String {
        self.spoken(details).remove(PROBLEM).unwrap_or_default()
    }

    /// Unknown words come from another version, and stay as they are.
    fn spoken(&self, details: &BTreeMap<String, String>) -> BTreeMap<String, String> {
        let mut spoken = details.clone();
        for (name, group) in WORDS {
            let Some(word) = details.get(name) else { continue };
            if let Some(words) = self.known(&format!("{group}.{word}"), &pairs(&spoken)) {
                spoken.insert(name.to_owned(), words);
            }
        }
        spoken
    }

    pub fn note(&self, note: &Note) -> String {
        note::sentence(self, note)
    }

    pub fn phase(&self, phase: &PhaseView) -> String {
        match phase {
            PhaseView::Waiting { why, status, retry_in_ms: 0, .. } => self.trouble(*why, *status),
            PhaseView::Waiting { why, status, retry_in_ms, .. } => self.fill(
                "phase.Waiting.until",
                &[("trouble", &self.trouble(*why, *status)), ("retry_in", &self.duration(*retry_in_ms))],
            ),
            PhaseView::NeedsLogin { .. } => self.fill("phase.NeedsLogin", &[]),
            PhaseView::Fresh => self.fill("phase.Fresh", &[]),
            PhaseView::Refreshing { .. } => self.fill("phase.Refreshing", &[]),
            PhaseView::SigningIn => self.fill("phase.SigningIn", &[]),
        }
    }

    pub fn trouble(&self, why: Trouble, status: Option<u16>) -> String {
        let status = status.map(|status| status.to_string()).unwrap_or_default();
        self.fill(&format!("trouble.{}", word(&why)), &[("status", &status)])
    }

    /// The group is `why`, `cause` or `vault`.
    pub fn reason(&self, group: &str, reason: &impl Serialize) -> String {
        self.fill(&format!("{group}.{}", word(reason)), &[])
    }

    pub fn left(&self, access: &AccessView) -> String {
        match access.source {
            Source::Assumed => self.fill("left.assumed", &[]),
            Source::Learned | Source::Told => self.duration(access.remaining_ms),
        }
    }

    /// How long the sign-in goes on, as the end of a sentence about it.
    pub fn ends(&self, ends: &Ends) -> String {
        let values = [
            ("in", &*self.duration(ends.in_ms)),
            ("lasts", &*self.duration(ends.lasts_ms)),
            ("times", &*ends.times.to_string()),
        ];
        self.fill(&format!("forecast.ends.{}", word(&ends.ground)), &values)
    }

    pub fn forecast(&self, ends: Option<&Ends>, unused: Option<&Unused>) -> String {
        match (ends.map(|ends| self.ends(ends)), unused.map(|unused| self.unused(unused))) {
            (Some(ends), Some(unused)) => self.fill("forecast.both", &[("ends", &ends), ("unused", &unused)]),
            (ends, unused) => ends.or(unused).unwrap_or_default(),
        }
    }

    fn unused(&self, unused: &Unused) -> String {
        let after = self.duration(unused.after_ms);
        self.fill(&format!("forecast.unused.{}", word(&unused.ground)), &[("after", &after)])
    }

    pub fn cause(&self, cause: Cause, source: Source) -> String {
        match (cause, source) {
            (Cause::BeforeExpiry, Source::Assumed) => self.fill("cause.before_expiry.assumed", &[]),
            _ => self.reason("cause", &cause),
        }
    }

    /// Such as "38 ms", "1.4 s", "12 s".
    pub fn measured(&self, ms: u64) -> String {
        if ms < 1000 {
            self.fill("unit.ms", &[("n", &ms.to_string())])
        } else if ms < 9950 {
            let tenths = (ms + 50) / 100;
            let seconds = match tenths % 10 {
                0 => format!("{}", tenths / 10),
                rest => format!("{}.{rest}", tenths / 10),
            };
            self.fill("unit.s", &[("n", &seconds)])
        } else {
            self.duration(ms)
        }
    }

    /// Such as "4 s", "1 min 20 s", "6 h 12 min".
    pub fn duration(&self, ms: u64) -> String {
        let unit = |key: &str, n: u64| self.fill(key, &[("n", &n.to_string())]);
        let seconds = ms.saturating_add(500) / 1000;
        let (minutes, hours) = (seconds / 60, seconds / 3600);
        match (seconds % 60, minutes % 60) {
            _ if seconds < 60 => unit("unit.s", seconds),
            (rest, _) if minutes < 10 && rest > 0 => {
                self.fill("unit.min_s", &[("min", &minutes.to_string()), ("s", &rest.to_string())])
            }
            _ if minutes < 60 => unit("unit.min", minutes),
            (_, rest) if hours < 48 && rest > 0 => {
                self.fill("unit.h_min", &[("h", &hours.to_string()), ("min", &rest.to_string())])
            }
            _ if hours < 48 => unit("unit.h", hours),
            _ => unit("unit.days", hours / 24),
        }
    }
}

fn pairs(values: &BTreeMap<String, String>) -> Vec<(&str, &str)> {
    values.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}

/// The word of a code or reason on the wire and in the catalogues.
pub fn word(reason: &impl Serialize) -> String {
    match serde_json::to_value(reason) {
        Ok(serde_json::Value::String(word)) => word,
        Ok(_) | Err(_) => String::new(),
    }
}

fn complete<'a>(text: &str, value: &impl Fn(&str) -> Option<&'a str>) -> String {
    let mut filled = String::with_capacity(text.len() + 32);
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('[') {
        filled.push_str(&insert(before, value).0);
        let (part, after) = after.split_once(']').unwrap_or((after, ""));
        if let (part, true) = insert(part, value) {
            filled.push_str(&part);
        }
        rest = after;
    }
    filled.push_str(&insert(rest, value).0);
    filled.trim().to_owned()
}

/// Also returns whether all values were there.
fn insert<'a>(text: &str, value: &impl Fn(&str) -> Option<&'a str>) -> (String, bool) {
    let (mut filled, mut rest, mut complete) = (String::new(), text, true);
    while let Some((before, after)) = rest.split_once('{') {
        let (name, after) = after.split_once('}').unwrap_or((after, ""));
        let value = value(name).unwrap_or_default();
        filled.push_str(before);
        filled.push_str(value);
        complete &= !value.is_empty();
        rest = after;
    }
    filled.push_str(rest);
    (filled, complete)
}

#[cfg(test)]
mod tests;
