//! How far the clocks of providers are from ours. They refuse a proof of possession with a wrong date (RFC 9449,
//! section 11.1), and we refuse an ID token from the future.

use alloc::collections::BTreeMap;
use alloc::string::String;

use super::address::Address;

/// Learned from the `Date` of every answer. All times are seconds since 1970.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Clocks {
    /// Theirs minus ours, by origin: a resource need not have the clock of the token endpoint.
    ahead: BTreeMap<String, i64>,
    latest: i64,
}

impl Clocks {
    pub fn heard(&mut self, url: &str, theirs: i64, ours: i64) {
        let Some(address) = Address::read(url) else { return };
        self.latest = theirs.saturating_sub(ours);
        if self.ahead.len() >= MOST_ORIGINS {
            self.ahead.clear();
        }
        self.ahead.insert(address.origin(), self.latest);
    }

    pub fn at(&self, url: &str, ours: i64) -> i64 {
        let ahead = Address::read(url).and_then(|address| self.ahead.get(&address.origin()).copied());
        ours.saturating_add(ahead.unwrap_or(self.latest))
    }
}

/// Whether a proof may have been refused for its date, and is worth making once more.
pub fn explains_refusal(dated: i64, theirs: i64) -> bool {
    theirs.abs_diff(dated) > CLOSE
}

/// Seconds that every server has to allow for, because a message takes time.
const CLOSE: u64 = 4;

const MOST_ORIGINS: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;

    #[test]
    fn each_origin_has_a_clock_of_its_own() {
        let mut clocks = Clocks::default();
        assert_eq!(clocks.at("https://id.example/token", 1000), 1000, "nobody has answered");
        clocks.heard("https://id.example/.well-known/openid-configuration", 1600, 1000);
        assert_eq!(clocks.at("https://id.example/token", 1010), 1610);
        assert_eq!(clocks.at("https://api.example/notes", 1010), 1610, "likelier than ours");
        clocks.heard("https://api.example/notes", 990, 1020);
        assert_eq!(clocks.at("https://api.example/notes", 1030), 1000);
        assert_eq!(clocks.at("https://id.example/token", 1030), 1630);
        clocks.heard("nonsense", 0, 1000);
        assert_eq!(clocks.at("https://id.example/token", 1030), 1630);
    }

    #[test]
    fn absurd_clocks_saturate_and_a_thousand_of_them_do_not_pile_up() {
        let mut clocks = Clocks::default();
        clocks.heard("https://id.example", i64::MAX, i64::MIN);
        assert_eq!(clocks.at("https://id.example", 1), i64::MAX);
        for n in 0..1000 {
            clocks.heard(&format!("https://{n}.example"), 5, 0);
        }
        assert!(clocks.ahead.len() <= MOST_ORIGINS);
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
