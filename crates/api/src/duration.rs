//! Durations as people write them: `5m`, `30s`, `250ms`, `1h30m`, `7d`.

use std::fmt;
use std::time::Duration;

/// Its `Display` is for command-line options.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoDuration;

impl fmt::Display for NoDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(r#"write it as "30s", "5m" or "1h30m""#)
    }
}

impl std::error::Error for NoDuration {}

/// Units are in descending order and not repeated, because `5m1h` is probably a mistake.
pub fn parse(text: &str) -> Result<Duration, NoDuration> {
    let mut rest = text.trim();
    if rest.is_empty() {
        return Err(NoDuration);
    }
    let (mut total, mut last) = (Duration::ZERO, u64::MAX);
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let (number, after) = rest.split_at(digits);
        let letters = after.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(after.len());
        let (unit, after) = after.split_at(letters);
        let millis = UNITS.iter().find(|(name, _)| *name == unit).map(|(_, millis)| *millis);
        let (Ok(number), Some(millis)) = (number.parse::<u64>(), millis) else {
            return Err(NoDuration);
        };
        if millis >= last {
            return Err(NoDuration);
        }
        last = millis;
        total = total.saturating_add(Duration::from_millis(number.saturating_mul(millis)));
        rest = after.trim_start();
    }
    Ok(total)
}

pub fn format(duration: Duration) -> String {
    let mut rest = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    let mut text = String::new();
    for (unit, millis) in UNITS {
        if rest >= millis {
            text.push_str(&format!("{}{unit}", rest / millis));
            rest %= millis;
        }
    }
    if text.is_empty() { "0s".to_owned() } else { text }
}

const UNITS: [(&str, u64); 5] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_and_written() {
        for (text, millis) in
            [("5m", 300_000), ("30s", 30_000), ("250ms", 250), ("1h30m", 5_400_000), ("7d", 604_800_000)]
        {
            let duration = Duration::from_millis(millis);
            assert_eq!(parse(text), Ok(duration), "{text}");
            assert_eq!(format(duration), text);
        }
        assert_eq!(parse(" 1h 30m "), Ok(Duration::from_secs(5400)));
        assert_eq!(parse("99999999999999d"), Ok(Duration::from_millis(u64::MAX)));
        assert_eq!(format(Duration::ZERO), "0s");
    }

    #[test]
    fn what_is_no_duration_is_refused() {
        for text in
            ["", " ", "5", "m", "5 m", "-5m", "1.5h", "5min", "5m1h", "5m5m", "5M", "99999999999999999999s"]
        {
            assert_eq!(parse(text), Err(NoDuration), "{text}");
        }
    }
}
