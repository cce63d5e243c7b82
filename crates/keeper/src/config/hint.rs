use api::{Advice, Kind, Problem};
use session::bounds;
use session::wire::flaw::Flaw;

pub(super) type Told = (Problem, Option<Advice>);

/// Where each line of a text ends. A file may have as many mistakes as lines.
pub(super) fn ends(text: &str) -> Vec<usize> {
    text.match_indices('\n').map(|(at, _)| at).collect()
}

pub(super) fn line(ends: &[usize], at: usize) -> u32 {
    let before = ends.partition_point(|end| *end < at);
    u32::try_from(before).unwrap_or(u32::MAX).saturating_add(1)
}

pub(super) fn unknown_key(written: &str, known: &[&str]) -> Told {
    (Problem::UnknownKey { written: written.to_owned() }, Some(of_known(written, known)))
}

pub(super) fn of_known(word: &str, known: &[&str]) -> Advice {
    match nearest(word, known) {
        Some(meant) => Advice::DidYouMean { meant: meant.to_owned() },
        None => Advice::Known { known: listed(known) },
    }
}

pub(super) fn listed(words: &[&str]) -> String {
    let words: Vec<_> = words.iter().map(|word| format!("`{word}`")).collect();
    words.join(", ")
}

pub(super) fn write(example: impl Into<String>) -> Option<Advice> {
    Some(Advice::Write { example: example.into() })
}

/// serde quotes the wrong word first and then the known ones, and passes on messages of our own types.
pub(super) fn of_serde(message: &str, field: &str) -> Told {
    let message = message.trim();
    if let Some(flaw) = Flaw::of_message(message) {
        return (flaw.into(), None);
    }
    let quoted: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
    let key = field.rsplit('.').next().unwrap_or(field);
    match quoted.split_first() {
        Some((word, known)) if message.starts_with("unknown field") => unknown_key(word, known),
        Some((word, known)) if message.starts_with("unknown variant") => {
            (Problem::UnknownValue { written: (*word).to_owned() }, Some(of_known(word, known)))
        }
        Some((word, [])) if message.starts_with("missing field") => {
            (Problem::Missing { key: (*word).to_owned() }, None)
        }
        _ => {
            of_wrong_kind(message, key).unwrap_or_else(|| (Problem::said(message.replace('\n', ", ")), None))
        }
    }
}

fn of_wrong_kind(message: &str, key: &str) -> Option<Told> {
    let key = Some(key).filter(|key| !key.is_empty())?.to_owned();
    let (what, found) = message.split_once(": ")?;
    let (found, wanted) = found.rsplit_once(", expected ")?;
    let hint = kind(wanted).map(|wanted| Advice::Wanted { wanted });
    match what {
        "invalid type" => Some((Problem::WrongKind { key, kind: kind(found)? }, hint)),
        "invalid value" => {
            let written = found.split('`').nth(1)?.to_owned();
            Some((Problem::WrongValue { key, written }, hint))
        }
        _ => None,
    }
}

fn kind(called: &str) -> Option<Kind> {
    let name = called.strip_prefix("a ").unwrap_or(called);
    let name = name.split([' ', ',']).next().unwrap_or_default();
    Some(match name {
        "sequence" => Kind::Array,
        "boolean" => Kind::Boolean,
        "datetime" => Kind::Datetime,
        "floating" => Kind::Float,
        "integer" | "i64" => Kind::Integer,
        "condition" => Kind::Condition,
        "lifetime" => Kind::Lifetime,
        "place" => Kind::Place,
        "u16" => Kind::Port,
        "status" => Kind::Status,
        "string" => Kind::String,
        "map" | "struct" => Kind::Table,
        _ => return None,
    })
}

pub(crate) fn nearest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    if word.len() > bounds::SLIP {
        return None;
    }
    let word = word.to_lowercase().replace('-', "_");
    let near =
        known.iter().map(|known| (distance(&word, known), *known)).min_by_key(|(distance, _)| *distance)?;
    (near.0 <= word.chars().count().max(3) / 3).then_some(near.1)
}

/// Optimal string alignment: insertions, deletions, substitutions and swaps of neighbours.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows: Vec<Vec<usize>> = vec![(0..=b.len()).collect()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let change = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut best = change.min(rows[i - 1][j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            row.push(best);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_of_the_hand_are_recognised() {
        let keys = ["preset", "url", "heartbeat", "refresh_before", "timeout"];
        for (word, meant) in [
            ("prest", Some("preset")),
            ("uri", Some("url")),
            ("hearbteat", Some("heartbeat")),
            ("refresh-before", Some("refresh_before")),
            ("Timeout", Some("timeout")),
            ("colour", None),
            ("x", None),
        ] {
            assert_eq!(nearest(word, &keys), meant, "{word}");
        }
    }

    #[test]
    fn serde_is_translated() {
        let told = |message| of_serde(message, "recipe.refresh.path");
        let key = || "path".to_owned();
        assert_eq!(
            told("unknown field `pth`, expected one of `method`, `path`, `format`"),
            (Problem::UnknownKey { written: "pth".into() }, Some(Advice::DidYouMean { meant: key() }))
        );
        assert_eq!(told("missing field `path`"), (Problem::Missing { key: key() }, None));
        assert_eq!(
            told("invalid type: integer `7`, expected a string"),
            (
                Problem::WrongKind { key: key(), kind: Kind::Integer },
                Some(Advice::Wanted { wanted: Kind::String })
            )
        );
        assert_eq!(
            told("invalid value: integer `70000`, expected u16"),
            (
                Problem::WrongValue { key: key(), written: "70000".into() },
                Some(Advice::Wanted { wanted: Kind::Port })
            )
        );
        assert_eq!(told("something else"), (Problem::said("something else"), None));
    }

    #[test]
    fn lines_are_counted_from_one() {
        let ends = ends("a\nb\n");
        assert_eq!([0, 1, 2, 3, 4, 9].map(|at| line(&ends, at)), [1, 1, 2, 2, 3, 3]);
    }
}
