//! How states and effects read in the table.

use session::Session;
use session::event::{Asker, Effect};
use session::note::Note;
use session::time::Timestamp;
use session::view::Phase;

pub(crate) fn state(session: &Session, now: Timestamp) -> String {
    let phase = match session.phase() {
        Phase::Fresh => String::from("Fresh"),
        Phase::NeedsLogin { why } => format!("NeedsLogin {}", word(&why)),
        Phase::Refreshing { cause, attempt } => format!("Refreshing {} try {attempt}", word(&cause)),
        Phase::SigningIn => String::from("SigningIn"),
        Phase::Waiting { failures, why, status, .. } => {
            let status = status.map(|status| format!(" {status}")).unwrap_or_default();
            format!("Waiting {}{status} after {failures}", word(&why))
        }
    };
    match session.deadline() {
        Some(at) => format!("{phase}, in {}", seconds(at.since(now).as_millis())),
        None => phase,
    }
}

pub(crate) fn effect(effect: Effect) -> String {
    let name = |text: &str| text.trim_start_matches("secret-").to_owned();
    match effect {
        Effect::CallOff { attempt } => format!("CallOff #{}", attempt.number),
        Effect::Forget => String::from("Forget"),
        Effect::Heartbeat { attempt, token, .. } => {
            format!("Heartbeat #{} {}", attempt.number, name(token.expose()))
        }
        Effect::Load => String::from("Load"),
        Effect::Mark { token } => format!("Mark {}", name(token.expose())),
        Effect::Note(note) => self::note(&note),
        Effect::Publish { generation } => format!("Publish g{generation}"),
        Effect::Refresh { attempt, token, cause, by, again } => {
            let by = if by == Asker::Person { " for a person" } else { "" };
            let again = if again { ", again" } else { "" };
            format!("Refresh #{} {} {}{by}{again}", attempt.number, name(token.expose()), word(&cause))
        }
        Effect::Remember(memory) => {
            let lost = memory.lost.map_or(String::from("nothing lost"), |lost| word(&lost));
            let lifetime = memory.lifetime_ms.map(|lifetime| format!(", {}", seconds(lifetime.into())));
            format!("Remember {lost}{}", lifetime.unwrap_or_default())
        }
        Effect::Revoke { refresh, access } => {
            let refresh = refresh.map(|token| format!(" {}", name(token.expose())));
            let access = access.map(|token| format!(" {}", name(token.expose())));
            format!("Revoke{}{}", refresh.unwrap_or_default(), access.unwrap_or_default())
        }
        Effect::Save { token, .. } => format!("Save {}", name(token.expose())),
        Effect::SignIn { attempt } => format!("SignIn #{}", attempt.number),
        Effect::Unmark => String::from("Unmark"),
    }
}

/// The note's kind and what it says, without what the line says anyway.
fn note(note: &Note) -> String {
    let mut fields = serde_json::to_value(note).expect("a note is JSON");
    let fields = fields.as_object_mut().expect("a note is an object");
    let kind = fields.remove("kind").map_or(String::new(), |kind| word(&kind));
    let said: Vec<String> = fields
        .iter()
        .filter(|(name, value)| !value.is_null() && !["cause", "status", "failures"].contains(&name.as_str()))
        .map(|(name, value)| match name.strip_suffix("_ms") {
            Some(name) => format!("{name} {}", seconds(value.as_u64().unwrap_or_default().into())),
            None => format!("{name} {}", word(value)),
        })
        .collect();
    format!("note {kind}({})", said.join(", ")).replace("()", "")
}

fn word(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).expect("words are JSON").trim_matches('"').to_owned()
}

fn seconds(millis: u128) -> String {
    format!("{}.{:03}", millis / 1000, millis % 1000).trim_end_matches('0').trim_end_matches('.').to_owned()
        + " s"
}
