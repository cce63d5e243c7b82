//! The journal, oldest first, so that the newest entry is above the prompt.

use api::words::{Tone, tone};
use api::{Entry, Note, Notice};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::args::Log;
use crate::ended::Ended;
use crate::face::{Face, has_colour};
use crate::table::{Cell, Colour, harmless, lines};

pub(crate) fn log(face: &Face, log: &Log) -> Result<u8, Ended> {
    // Watched first, so that what happens in between is told twice rather than never.
    let notices = if log.follow { Some(face.connect()?.watch()?.1) } else { None };
    let mut entries = face.connect()?.log(log.name.as_deref(), None, log.limit)?;
    entries.reverse();
    let page = Page { face, zone: TimeZone::system(), colour: has_colour() };
    page.print(&entries)?;
    let Some(notices) = notices else {
        if entries.is_empty() {
            face.tell("cli.log.empty", &[]);
        }
        return Ok(0);
    };
    let newest = entries.last().map_or(i64::MIN, |entry| entry.id);
    for notice in notices {
        match notice? {
            Notice::Entry(entry) if entry.id > newest && log.name.is_none_or_is(&entry.profile) => {
                page.print(&[entry])?;
            }
            Notice::Entry(_) | Notice::Changed { .. } => {}
        }
    }
    Ok(0)
}

trait Asked {
    fn is_none_or_is(&self, profile: &Option<String>) -> bool;
}

impl Asked for Option<String> {
    fn is_none_or_is(&self, profile: &Option<String>) -> bool {
        self.is_none() || self == profile
    }
}

struct Page<'a> {
    face: &'a Face,
    zone: TimeZone,
    colour: bool,
}

impl Page<'_> {
    fn print(&self, entries: &[Entry]) -> Result<(), Ended> {
        if self.face.json {
            return entries.iter().try_for_each(|entry| self.face.print_json(entry));
        }
        let rows: Vec<_> = entries.iter().map(|entry| self.row(entry)).collect();
        lines(&rows, self.colour).into_iter().try_for_each(|line| self.face.print(line + "\n"))
    }

    fn row(&self, entry: &Entry) -> Vec<Cell> {
        let words = self.face.words();
        let took = took(&entry.note).map(|ms| format!(" · {}", words.measured(ms))).unwrap_or_default();
        vec![
            Cell::in_colour(moment(entry.at_ms, &self.zone), Colour::Faint),
            entry.profile.clone().unwrap_or_else(|| "–".to_owned()).into(),
            Cell { text: harmless(&words.note(&entry.note)) + &took, colour: colour(&entry.note) },
        ]
    }
}

fn moment(at_ms: i64, zone: &TimeZone) -> String {
    Timestamp::from_millisecond(at_ms)
        .map_or_else(|_| at_ms.to_string(), |at| at.to_zoned(zone.clone()).strftime("%F %T").to_string())
}

fn took(note: &Note) -> Option<u64> {
    match note {
        Note::Heartbeat { took_ms, .. }
        | Note::Refreshed { took_ms, .. }
        | Note::SignInFailed { took_ms, .. }
        | Note::SignedIn { took_ms, .. } => Some(*took_ms),
        Note::BreakerOpened { .. }
        | Note::ConfigProblem { .. }
        | Note::Elsewhere { .. }
        | Note::EndedInFlight
        | Note::EndedUnsaved
        | Note::EndsSoon { .. }
        | Note::EntriesLost { .. }
        | Note::Foreseen { .. }
        | Note::HeartbeatUnanswered { .. }
        | Note::Interrupted
        | Note::KeeperStarted { .. }
        | Note::KeeperStopped
        | Note::KeyMoved
        | Note::KeyReturned
        | Note::LeftSealed { .. }
        | Note::Kept { .. }
        | Note::LateAnswer { .. }
        | Note::Moved { .. }
        | Note::Odd { .. }
        | Note::OtherPerson { .. }
        | Note::NeedsLogin { .. }
        | Note::Rejected { .. }
        | Note::Replayed { .. }
        | Note::Restored
        | Note::Said { .. }
        | Note::Saved
        | Note::RevocationUnsupported
        | Note::Revocation { .. }
        | Note::SignedOut
        | Note::Thawed { .. }
        | Note::Unsaved { .. }
        | Note::VaultWaiting { .. }
        | Note::Woke { .. } => None,
    }
}

fn colour(note: &Note) -> Option<Colour> {
    match tone(note) {
        Tone::Good => Some(Colour::Green),
        Tone::Late => Some(Colour::Amber),
        Tone::Person => Some(Colour::Red),
        Tone::Plain => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_that_of_the_wall_clock_here() {
        let china = TimeZone::fixed(jiff::tz::offset(8));
        assert_eq!(moment(0, &china), "1970-01-01 08:00:00");
        assert_eq!(moment(1_795_248_000_000, &TimeZone::UTC), "2026-11-21 08:00:00");
        assert_eq!(moment(i64::MAX, &TimeZone::UTC), i64::MAX.to_string());
    }
}
