//! What the headers of an answer say of time, in seconds since 1970.

use std::time::{Duration, UNIX_EPOCH};

pub(super) fn http_date(text: &str) -> Option<i64> {
    let time = httpdate::parse_http_date(text).ok()?;
    i64::try_from(time.duration_since(UNIX_EPOCH).ok()?.as_secs()).ok()
}

/// `Date` at the receipt: of an answer from a cache it is older by its `Age` (RFC 9111, section 5.1).
pub(super) fn date(date: Option<&str>, age: Option<&str>) -> Option<i64> {
    let age = age.and_then(|age| age.trim().parse::<u32>().ok()).map_or(0, i64::from);
    Some(http_date(date?)? + age)
}

/// RFC 9110, section 10.2.3. A date is compared with the server's own `Date`. A number that is too large saturates.
pub(super) fn retry_after(text: &str, date: Option<i64>) -> Option<Duration> {
    let number = text.trim();
    if !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(Duration::from_secs(number.parse().unwrap_or(u64::MAX)));
    }
    let seconds = http_date(text)?.saturating_sub(date?);
    u64::try_from(seconds).ok().map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_comes_in_two_forms() {
        assert_eq!(retry_after("120", None), Some(Duration::from_secs(120)));
        let date = http_date("Sat, 21 Nov 2026 08:00:00 GMT");
        assert_eq!(retry_after("Sat, 21 Nov 2026 08:00:07 GMT", date), Some(Duration::from_secs(7)));
        assert_eq!(retry_after("Sat, 21 Nov 2026 07:00:00 GMT", date), None);
        assert_eq!(retry_after("soon", date), None);
        assert_eq!(retry_after("", date), None);
        let beyond = Some(Duration::from_secs(u64::MAX));
        assert_eq!(retry_after("18446744073709551616", None), beyond);
        assert_eq!(retry_after(&"9".repeat(500), None), beyond);
    }

    #[test]
    fn an_answer_that_lay_in_a_cache_has_an_older_date() {
        let then = "Sat, 21 Nov 2026 08:00:00 GMT";
        let with = |age| date(Some(then), age).zip(http_date(then)).map(|(date, then)| date - then);
        let ages = [Some("3600"), Some(" 7 "), Some("-1"), Some("soon"), None];
        assert_eq!(ages.map(with), [3600, 7, 0, 0, 0].map(Some));
        assert_eq!((date(None, Some("7")), date(Some("yesterday"), None)), (None, None));
    }
}
