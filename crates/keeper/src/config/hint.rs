//! Telling people where a mistake is and what they may have meant.

/// What is wrong, and what to do about it.
pub(super) type Told = (String, Option<String>);

/// The line of a byte, counted from 1.
pub(super) fn line(text: &str, at: usize) -> u32 {
    let before = text.as_bytes().iter().take(at).filter(|byte| **byte == b'\n').count();
    u32::try_from(before).unwrap_or(u32::MAX).saturating_add(1)
}

/// A word that is none of those that are known.
pub(super) fn unknown(what: &str, word: &str, known: &[&str]) -> Told {
    let hint = match nearest(word, known) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => {
            let known: Vec<_> = known.iter().map(|known| format!("`{known}`")).collect();
            format!("known: {}", known.join(", "))
        }
    };
    (format!("unknown {what} `{word}`"), Some(hint))
}

/// Makes a hint of what serde says, which quotes the wrong word first and then those that it knows.
pub(super) fn of_serde(message: &str) -> Told {
    let message = message.trim();
    let quoted: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
    match quoted.split_first() {
        Some((word, known)) if message.starts_with("unknown field") => unknown("key", word, known),
        Some((word, known)) if message.starts_with("unknown variant") => unknown("value", word, known),
        Some((word, [])) if message.starts_with("missing field") => (format!("`{word}` is missing"), None),
        _ => (message.replace('\n', ", "), None),
    }
}

/// The known word that is a slip of the hand away.
pub(crate) fn nearest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    let word = word.to_lowercase().replace('-', "_");
    let near =
        known.iter().map(|known| (distance(&word, known), *known)).min_by_key(|(distance, _)| *distance)?;
    (near.0 <= word.chars().count().max(3) / 3).then_some(near.1)
}

/// How many letters to add, drop, change, or swap with a neighbour (optimal string alignment).
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
        let told = of_serde("unknown field `pth`, expected one of `method`, `path`, `format`");
        assert_eq!(told, ("unknown key `pth`".into(), Some("did you mean `path`?".into())));
        assert_eq!(of_serde("missing field `path`"), ("`path` is missing".into(), None));
        assert_eq!(of_serde("invalid type: integer `7`, expected a string").1, None);
    }

    #[test]
    fn lines_are_counted_from_one() {
        assert_eq!([line("a\nb\n", 0), line("a\nb\n", 2), line("a\nb\n", 9)], [1, 2, 3]);
    }
}
