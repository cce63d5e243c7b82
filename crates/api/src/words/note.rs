use super::{Words, word};
use crate::problem::PROBLEM;
use crate::{Cause, Ground, Note, Source};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    Good,
    /// Something is late, or went wrong and is being mended.
    Late,
    /// Only a person can mend it.
    Person,
    Plain,
}

pub fn tone(note: &Note) -> Tone {
    match note {
        Note::Refreshed { .. } | Note::Restored | Note::Saved | Note::SignedIn { .. } => Tone::Good,
        Note::BreakerOpened { .. }
        | Note::ConfigProblem { .. }
        | Note::EndedInFlight
        | Note::EndedUnsaved
        | Note::EndsSoon { .. }
        | Note::EntriesLost { .. }
        | Note::Heartbeat { good: false, .. }
        | Note::HeartbeatUnanswered { .. }
        | Note::Interrupted
        | Note::Kept { .. }
        | Note::LateAnswer { .. }
        | Note::Odd { .. }
        | Note::OtherPerson { .. }
        | Note::Rejected { .. }
        | Note::Revocation { trouble: Some(_), .. }
        | Note::Said { .. }
        | Note::Unsaved { .. }
        | Note::VaultWaiting { .. } => Tone::Late,
        Note::Elsewhere { .. } | Note::NeedsLogin { .. } | Note::SignInFailed { .. } => Tone::Person,
        Note::Foreseen { .. }
        | Note::Heartbeat { good: true, .. }
        | Note::KeeperStarted { .. }
        | Note::KeeperStopped
        | Note::KeyMoved
        | Note::KeyReturned
        | Note::LeftSealed { .. }
        | Note::Moved { .. }
        | Note::Replayed { .. }
        | Note::RevocationUnsupported
        | Note::Revocation { trouble: None, .. }
        | Note::SignedOut
        | Note::Thawed { .. }
        | Note::Woke { .. } => Tone::Plain,
    }
}

pub(super) fn sentence(words: &Words, note: &Note) -> String {
    let trouble = |trouble: &Option<_>, status| {
        trouble.map(|trouble| words.trouble(trouble, status)).unwrap_or_default()
    };
    let number = |n: &dyn ToString| n.to_string();
    match note {
        Note::BreakerOpened { host, for_ms } => {
            words.fill("note.breaker_opened", &[("host", host), ("for", &words.measured(*for_ms))])
        }
        Note::ConfigProblem { line, problem, details } => {
            let line = line.map(|line| line.to_string()).unwrap_or_default();
            let mut details = details.clone();
            details.insert(PROBLEM.to_owned(), problem.clone());
            words.fill("note.config_problem", &[("line", &line), ("problem", &words.problem(&details))])
        }
        Note::Elsewhere { places } => {
            let places: Vec<String> = places.iter().map(|place| words.reason("place", place)).collect();
            words.fill("note.elsewhere", &[("places", &places.join(", "))])
        }
        Note::EndedInFlight => words.fill("note.ended_in_flight", &[]),
        Note::EndedUnsaved => words.fill("note.ended_unsaved", &[]),
        Note::EndsSoon { in_ms, ground, times } => {
            let key = if *ground == Ground::Seen { "note.ends_soon.seen" } else { "note.ends_soon" };
            words.fill(key, &[("in", &words.duration(*in_ms)), ("times", &number(times))])
        }
        Note::EntriesLost { count } => words.fill("note.entries_lost", &[("count", &number(count))]),
        Note::Foreseen { ends, unused } => {
            words.fill("note.foreseen", &[("what", &words.forecast(ends.as_ref(), unused.as_ref()))])
        }
        Note::Heartbeat { good: true, .. } => words.fill("note.heartbeat.good", &[]),
        Note::Heartbeat { good: false, .. } => words.fill("note.heartbeat.bad", &[]),
        Note::HeartbeatUnanswered { trouble, status } => {
            words.fill("note.heartbeat_unanswered", &[("trouble", &words.trouble(*trouble, *status))])
        }
        Note::Interrupted => words.fill("note.interrupted", &[]),
        Note::KeeperStarted { version, vault } => {
            let vault = words.known(&format!("vault.kind.{vault}"), &[]).unwrap_or_else(|| vault.clone());
            words.fill("note.keeper_started", &[("version", version), ("vault", &vault)])
        }
        Note::KeeperStopped => words.fill("note.keeper_stopped", &[]),
        Note::KeyMoved => words.fill("note.key_moved", &[]),
        Note::KeyReturned => words.fill("note.key_returned", &[]),
        Note::LateAnswer { revoked: true } => words.fill("note.late_answer.revoked", &[]),
        Note::LateAnswer { revoked: false } => words.fill("note.late_answer.dropped", &[]),
        Note::Odd { what } => words.fill("note.odd", &[("what", &words.reason("odd", what))]),
        Note::OtherPerson { before } => {
            words.fill("note.other_person", &[("before", before.as_deref().unwrap_or_default())])
        }
        Note::Kept { trouble, status, failures, retry_in_ms, .. } => words.fill(
            if *failures > 1 { "note.kept.again" } else { "note.kept" },
            &[
                ("trouble", &words.trouble(*trouble, *status)),
                ("failures", &number(failures)),
                ("retry_in", &words.measured(*retry_in_ms)),
            ],
        ),
        Note::LeftSealed { count } => words.fill("note.left_sealed", &[("count", &number(count))]),
        Note::Moved { count } => words.fill("note.moved", &[("count", &number(count))]),
        Note::NeedsLogin { why } => words.fill("note.needs_login", &[("why", &words.reason("why", why))]),
        Note::Refreshed { cause, generation, source, tries, .. } => {
            let key = match (cause, source) {
                (Cause::BeforeExpiry, Source::Assumed) => "note.refreshed.before_expiry.assumed".to_owned(),
                _ => format!("note.refreshed.{}", word(cause)),
            };
            let sentence = words.fill(&key, &[("generation", &number(generation))]);
            match tries {
                0 | 1 => sentence,
                _ => {
                    words.fill("note.refreshed.tries", &[("sentence", &sentence), ("tries", &number(tries))])
                }
            }
        }
        Note::Rejected { path, status, generation } => words.fill(
            "note.rejected",
            &[("path", path), ("status", &number(status)), ("generation", &number(generation))],
        ),
        Note::Replayed { count, waited_ms } => words.fill(
            if *count == 1 { "note.replayed.one" } else { "note.replayed.many" },
            &[("count", &number(count)), ("waited", &words.measured(*waited_ms))],
        ),
        Note::Restored => words.fill("note.restored", &[]),
        Note::Said { said } => words.fill("note.said", &[("said", said)]),
        Note::Saved => words.fill("note.saved", &[]),
        Note::SignInFailed { code, .. } => {
            let reason = words.known(&format!("error.{code}.say"), &[]).unwrap_or_else(|| code.clone());
            words.fill("note.sign_in_failed", &[("reason", &reason)])
        }
        Note::SignedIn { user, .. } => {
            words.fill("note.signed_in", &[("user", user.as_deref().unwrap_or_default())])
        }
        Note::SignedOut => words.fill("note.signed_out", &[]),
        Note::RevocationUnsupported => words.fill("note.revocation_unsupported", &[]),
        Note::Revocation { trouble: None, .. } => words.fill("note.revocation.good", &[]),
        Note::Revocation { trouble: why @ Some(_), status } => {
            words.fill("note.revocation.bad", &[("trouble", &trouble(why, *status))])
        }
        Note::Thawed { stood_still_ms } => {
            words.fill("note.thawed", &[("stood_still", &words.duration(*stood_still_ms))])
        }
        Note::Unsaved { trouble } => {
            words.fill("note.unsaved", &[("trouble", &words.reason("vault", trouble))])
        }
        Note::VaultWaiting { trouble } => {
            words.fill("note.vault_waiting", &[("trouble", &words.reason("vault", trouble))])
        }
        Note::Woke { slept_ms } => words.fill("note.woke", &[("slept", &words.duration(*slept_ms))]),
    }
}
