//! What time it is for providers. They refuse a proof of possession with a wrong date (RFC 9449, section 11.1), and we
//! refuse an ID token from the future.

use alloc::collections::BTreeMap;
use alloc::string::String;

use super::address::Address;
use crate::bounds;
use crate::time::Timestamp;

/// Learned from the `Date` of every answer, in seconds since 1970. Our wall clock, which may be set at any time, has no
/// part in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Clocks {
    /// Their date at zero of our clock, by origin: a resource need not have the clock of the token endpoint.
    began: BTreeMap<String, i64>,
    latest: Option<i64>,
}

impl Clocks {
    pub fn heard(&mut self, url: &str, theirs: i64, now: Timestamp) {
        let Some(address) = Address::read(url) else { return };
        let began = theirs.saturating_sub(seconds(now));
        self.latest = Some(began);
        if self.began.len() >= bounds::ORIGINS {
            self.began.clear();
        }
        self.began.insert(address.origin(), began);
    }

    /// `None` while nobody has answered.
    pub fn at(&self, url: &str, now: Timestamp) -> Option<i64> {
        let began = Address::read(url).and_then(|address| self.began.get(&address.origin()).copied());
        Some(began.or(self.latest)?.saturating_add(seconds(now)))
    }
}

fn seconds(now: Timestamp) -> i64 {
    i64::try_from(now.as_millis() / 1000).unwrap_or(i64::MAX)
}

/// Whether a proof may have been refused for its date, and is worth making once more.
pub fn explains_refusal(dated: i64, theirs: i64) -> bool {
    theirs.abs_diff(dated) > CLOSE
}

/// Seconds that every server has to allow for, because a message takes time.
const CLOSE: u64 = 4;

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;

    #[test]
    fn each_origin_has_a_clock_of_its_own() {
        let mut clocks = Clocks::default();
        assert_eq!(clocks.at("https://id.example/token", at(1000)), None, "nobody has answered");
        clocks.heard("https://id.example/.well-known/openid-configuration", 1600, at(1000));
        assert_eq!(clocks.at("https://id.example/token", at(1010)), Some(1610));
        assert_eq!(clocks.at("https://api.example/notes", at(1010)), Some(1610), "likelier than ours");
        clocks.heard("https://api.example/notes", 990, at(1020));
        assert_eq!(clocks.at("https://api.example/notes", at(1030)), Some(1000));
        assert_eq!(clocks.at("https://id.example/token", at(1030)), Some(1630));
        clocks.heard("nonsense", 0, at(1000));
        assert_eq!(clocks.at("https://id.example/token", at(1030)), Some(1630));
    }

    #[test]
    fn absurd_clocks_saturate_and_a_thousand_of_them_do_not_pile_up() {
        let mut clocks = Clocks::default();
        clocks.heard("https://id.example", i64::MAX, at(0));
        assert_eq!(clocks.at("https://id.example", at(1)), Some(i64::MAX));
        clocks.heard("https://id.example", i64::MIN, Timestamp::MAX);
        assert_eq!(clocks.at("https://id.example", at(0)), Some(i64::MIN));
        for n in 0..1000 {
            clocks.heard(&format!("https://{n}.example"), 5, at(0));
        }
        assert!(clocks.began.len() <= bounds::ORIGINS);
    }

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_millis(seconds * 1000)
    }

    #[test]
    fn a_few_seconds_explain_no_refusal() {
        for (dated, theirs, explains) in
            [(100, 100, false), (100, 104, false), (100, 96, false), (100, 105, true), (100, -500, true)]
        {
            assert_eq!(explains_refusal(dated, theirs), explains, "{dated} {theirs}");
        }
        assert!(explains_refusal(i64::MIN, i64::MAX));
    }
}
