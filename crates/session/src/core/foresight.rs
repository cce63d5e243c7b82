//! What a session does about the end of its sign-in: it refreshes before it has rested for too long, tells a person of
//! an end that cannot be put off, and says of a refusal that it was to be expected.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use serde::{Deserialize, Serialize};

use super::event::{Effect, Memory};
use super::facts::{Access, Exchange, Session};
use super::note::Note;
use super::outlook::Ending;
use super::policy::spacing;
use crate::forecast::{Ends, Forecast, Unused};
use crate::limits;
use crate::reason::Lost;
use crate::time::{Timestamp, millis};

impl Session {
    /// `None` where nothing is known, or the sign-in has ended.
    pub fn forecast(&self, now: Timestamp) -> Option<Forecast> {
        if !self.is_alive() {
            return None;
        }
        let ending = self.outlook.ending(&self.policy).filter(|ending| now < ending.at);
        let unused = self.outlook.unused(&self.policy);
        let forecast = Forecast {
            ends: ending.map(|ending| ends(ending, now)),
            unused: unused.map(|(after, ground)| Unused { after_ms: millis(after), ground }),
            is_near: ending.is_some_and(|ending| told_at(ending) <= now),
        };
        (forecast.ends.is_some() || forecast.unused.is_some()).then_some(forecast)
    }

    pub(super) fn rest_ends_at(&self, access: &Access) -> Timestamp {
        let at = self.outlook.rest_ends_at(&self.policy).unwrap_or(Timestamp::MAX);
        at.max(access.received + spacing(access.lifetime))
    }

    /// Also tells what the profile or earlier ends had let expect.
    pub(super) fn end_seen(&mut self, exchange: &Exchange, now: Timestamp) -> Lost {
        let why = self.outlook.explains(&self.policy, now);
        let due = match &self.access {
            Some(access) => access.refresh_at.min(self.rest_ends_at(access)),
            // What the last process had is not known, but that it would not have been refreshed in its first half.
            None => {
                let half = self.policy.believe(self.told_lifetime) / 2;
                let rest_ends = self.outlook.rest_ends_at(&self.policy).unwrap_or(Timestamp::MAX);
                self.outlook.rests_for(half).min(rest_ends)
            }
        };
        let was_due = exchange.began >= due;
        self.outlook.learn_of_an_end(was_due, now);
        why.unwrap_or(Lost::Refused)
    }

    pub(super) fn warning_due(&self) -> Option<Timestamp> {
        if self.outlook.is_warned || !self.is_alive() {
            return None;
        }
        self.outlook.ending(&self.policy).map(told_at)
    }

    /// Once. Not of an end that should have come already: the next refresh shows whether it has.
    pub(super) fn warn(&mut self, now: Timestamp, out: &mut Vec<Effect>) {
        self.outlook.is_warned = true;
        if let Some(ending) = self.outlook.ending(&self.policy).filter(|ending| now < ending.at) {
            let Ends { in_ms, ground, times, .. } = ends(ending, now);
            out.push(Effect::Note(Note::EndsSoon { in_ms, ground, times }));
        }
    }

    pub(super) fn tend_outlook(&mut self, now: Timestamp, out: &mut Vec<Effect>) {
        // What a person was told of did not come, and another end is still far away.
        if self.outlook.is_warned
            && self.outlook.ending(&self.policy).is_none_or(|ending| now < told_at(ending))
        {
            self.outlook.is_warned = false;
        }
        let kind = self.outlook.kind(&self.policy).filter(|_| self.is_alive());
        if kind.is_none() || kind == self.outlook.noted {
            return;
        }
        if let Some(Forecast { ends, unused, .. }) = self.forecast(now) {
            self.outlook.noted = kind;
            out.push(Effect::Note(Note::Foreseen { ends, unused }));
        }
    }

    fn is_alive(&self) -> bool {
        self.grant.is_some() && self.lost.is_none()
    }
}

impl Memory {
    /// For a disk. The wall clock tells the next process how long there was none.
    pub fn write(&self, now: Timestamp, wall_ms: i64) -> String {
        let memory = Self { outlook: Box::new(self.outlook.as_of(now)), ..self.clone() };
        // Texts and numbers are always JSON.
        serde_json::to_string(&Written { memory, written_ms: Some(wall_ms) }).unwrap_or_default()
    }

    /// What cannot be read is as if nothing had been written. A wall clock that was set back says nothing.
    pub fn read(text: &str, now: Timestamp, wall_ms: i64) -> Self {
        let Ok(Written { memory, written_ms }) = serde_json::from_str(text) else { return Self::default() };
        let away = wall_ms.saturating_sub(written_ms.unwrap_or(wall_ms));
        let away = Duration::from_millis(u64::try_from(away).unwrap_or_default());
        Self { outlook: Box::new(memory.outlook.resumed(now, away)), ..memory }
    }
}

#[derive(Serialize, Deserialize)]
struct Written {
    #[serde(flatten)]
    memory: Memory,
    #[serde(default)]
    written_ms: Option<i64>,
}

fn ends(ending: Ending, now: Timestamp) -> Ends {
    let Ending { at, lasts, ground, times } = ending;
    Ends { in_ms: millis(now.until(at)), lasts_ms: millis(lasts), ground, times }
}

/// A day before, or a tenth of what it lasts.
fn told_at(ending: Ending) -> Timestamp {
    ending.at.before((ending.lasts / 10).min(limits::WARNING))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_older_versions_remembered_is_read() {
        let text = r#"{"user":"mia","lost":"refused","lifetime_ms":300000,"overruled":false,"generation":4}"#;
        let memory = Memory::read(text, Timestamp::from_millis(9), 77);
        let (user, lost) = (Some(String::from("mia")), Some(Lost::Refused));
        let read = Memory { user, lost, lifetime_ms: Some(300_000), generation: 4, ..Memory::default() };
        assert_eq!(memory, read);
        assert_eq!(Memory::read(&read.write(Timestamp::MAX, i64::MAX), Timestamp::default(), i64::MIN), read);
        assert_eq!(Memory::read("nothing", Timestamp::default(), 0), Memory::default());
    }
}
