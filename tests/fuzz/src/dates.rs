//! `Retry-After`, `Date` and `Age`, a line each.

use std::time::{Duration, UNIX_EPOCH};

use session::limits;
use session::wire::answer::Answer;

use crate::input::line;

use keeper::{date, http_date, retry_after};

#[path = "../../../crates/keeper/src/adapters/http/dates.rs"]
mod keeper;

pub fn hold(input: &[u8]) {
    let (wait, rest) = line(input);
    let (then, rest) = line(rest);
    let (age, _) = line(rest);
    let now = date(Some(&then), Some(&age));
    assert_eq!(now.is_some(), http_date(&then).is_some(), "an age says nothing of a date");
    let wait_for = retry_after(&wait, now);
    if let Some(now) = now {
        let written = http_date(&then).unwrap_or_default();
        assert!((0..=i64::from(u32::MAX)).contains(&(now - written)), "a cache makes nothing younger");
        read_as_written(written);
    }
    match (wait.trim().parse::<u64>(), http_date(&wait), now) {
        (Ok(seconds), ..) if !wait.contains('+') => assert_eq!(wait_for, Some(Duration::from_secs(seconds))),
        (Err(_), Some(until), Some(now)) if until >= now => {
            assert_eq!(wait_for.map(|wait| wait.as_secs()), u64::try_from(until - now).ok());
        }
        (Err(_), Some(_), _) => assert_eq!(wait_for, None, "what is over, or by no clock, is no pause"),
        _ => {}
    }
    let answer = Answer { retry_after: wait_for, ..Answer::new(429, "", "") };
    assert!(answer.pause().is_none_or(|pause| pause <= limits::RETRY_AFTER), "{wait}");
}

fn read_as_written(seconds: i64) {
    let Ok(seconds) = u64::try_from(seconds) else { panic!("{seconds} is before 1970") };
    let written = httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(seconds));
    assert_eq!(http_date(&written), i64::try_from(seconds).ok(), "{written}");
}
