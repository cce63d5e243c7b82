//! Telling a provider that a session is over: how often it is tried, and when that has had its time.
//!
//! A sign-out is done here at once. The provider hears of it as soon as it can be reached: whoever signs out on a train
//! expects the tokens to be dead by the evening.

use crate::core::note::Note;
use crate::limits;
use crate::reason::Trouble;
use crate::time::Timestamp;

/// One sign-out that a provider has not heard of yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Farewell {
    until: Timestamp,
    next: Timestamp,
    failures: u32,
}

/// What came of telling the provider once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// The provider knows, or knew already.
    Heard,
    /// It does not accept what it was told; it would not the next time either.
    Refused { status: u16 },
    /// It was not reached, or not able to listen.
    Trouble { trouble: Trouble, status: Option<u16> },
    /// There is no way to tell it.
    Unsupported,
}

/// Whether it is told again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    Again(Timestamp),
    Over,
}

impl Farewell {
    /// Due at once.
    pub fn new(now: Timestamp) -> Self {
        Self { until: now + limits::REVOKE, next: now, failures: 0 }
    }

    /// When it is to be told next.
    pub fn due(&self) -> Timestamp {
        self.next
    }

    /// Nobody has been told yet what became of it.
    pub fn is_first(&self) -> bool {
        self.failures == 0
    }

    pub fn on_told(&mut self, told: Told, now: Timestamp) -> Next {
        match told {
            Told::Heard | Told::Refused { .. } | Told::Unsupported => Next::Over,
            Told::Trouble { .. } if now >= self.until => Next::Over,
            Told::Trouble { .. } => {
                let pause = limits::REVOKE_AGAIN
                    .saturating_mul(1 << self.failures.min(16))
                    .min(limits::REVOKE_LONGEST);
                self.failures = self.failures.saturating_add(1);
                self.next = now + pause;
                Next::Again(self.next)
            }
        }
    }

    /// What is being tried is the last try.
    pub fn give_up(&mut self, now: Timestamp) {
        self.until = now;
    }

    /// The network is back, as far as anybody can tell.
    pub fn on_network_up(&mut self, now: Timestamp) {
        self.next = self.next.min(now);
    }
}

impl Told {
    /// What is to be said of two messages about the same sign-out: whatever is left undone is said.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (trouble @ Self::Trouble { .. }, _) | (_, trouble @ Self::Trouble { .. }) => trouble,
            (refused @ Self::Refused { .. }, _) | (_, refused @ Self::Refused { .. }) => refused,
            // A provider that knows the one kind of token only has heard enough.
            (Self::Heard, _) | (_, Self::Heard) => Self::Heard,
            (Self::Unsupported, Self::Unsupported) => Self::Unsupported,
        }
    }

    /// What the journal says of it.
    pub fn note(self) -> Note {
        match self {
            Self::Heard => Note::SignOutTold { trouble: None, status: None },
            Self::Refused { status } => {
                Note::SignOutTold { trouble: Some(Trouble::Suspect), status: Some(status) }
            }
            Self::Trouble { trouble, status } => Note::SignOutTold { trouble: Some(trouble), status },
            Self::Unsupported => Note::SignOutNotTold,
        }
    }

    /// Of a bare status, where the answer says nothing more.
    pub fn of_status(status: u16) -> Self {
        match status {
            429 => Self::Trouble { trouble: Trouble::RateLimited, status: Some(status) },
            // Too slow, or too early: nothing is wrong with what was said.
            408 | 425 => Self::Trouble { trouble: Trouble::Status, status: Some(status) },
            0..400 => Self::Heard,
            400..500 => Self::Refused { status },
            _ => Self::Trouble { trouble: Trouble::Status, status: Some(status) },
        }
    }
}

#[cfg(test)]
mod tests {
    use core::time::Duration;

    use super::*;

    const OFFLINE: Told = Told::Trouble { trouble: Trouble::Offline, status: None };

    /// FAILURES D13: a day, and not in anybody's way.
    #[test]
    fn a_provider_is_told_again_for_a_day_and_ever_less_often() {
        let mut now = Timestamp::from_millis(5_000);
        let mut farewell = Farewell::new(now);
        assert!(farewell.due() == now && farewell.is_first());
        let mut tries = 0;
        let mut last = Duration::ZERO;
        while let Next::Again(at) = farewell.on_told(OFFLINE, now) {
            assert!(now.until(at) >= last && now.until(at) <= limits::REVOKE_LONGEST);
            last = now.until(at);
            now = at;
            tries += 1;
        }
        assert!((250..400).contains(&tries), "{tries}");
        assert!(now.since(Timestamp::from_millis(5_000)) >= limits::REVOKE);
    }

    #[test]
    fn a_network_that_comes_back_is_used_at_once() {
        let now = Timestamp::from_millis(5_000);
        let mut farewell = Farewell::new(now);
        for _ in 0..10 {
            farewell.on_told(OFFLINE, now);
        }
        assert!(farewell.due() > now + Duration::from_secs(60) && !farewell.is_first());
        farewell.on_network_up(now);
        assert_eq!(farewell.due(), now);
    }

    /// Somebody has signed in again meanwhile.
    #[test]
    fn what_is_given_up_is_not_told_again() {
        let now = Timestamp::from_millis(5_000);
        let mut farewell = Farewell::new(now);
        assert!(matches!(farewell.on_told(OFFLINE, now), Next::Again(_)));
        farewell.give_up(now);
        assert_eq!(farewell.on_told(OFFLINE, now), Next::Over);
    }

    #[test]
    fn of_two_tokens_the_one_that_lives_on_is_spoken_of() {
        let refused = Told::Refused { status: 403 };
        for (one, other, both) in [
            (refused, Told::Heard, refused),
            (Told::Heard, refused, refused),
            (refused, OFFLINE, OFFLINE),
            (Told::Heard, Told::Unsupported, Told::Heard),
            (Told::Unsupported, Told::Heard, Told::Heard),
            (Told::Unsupported, Told::Unsupported, Told::Unsupported),
        ] {
            assert_eq!(one.and(other), both, "{one:?} {other:?}");
        }
    }

    #[test]
    fn an_answer_is_an_answer() {
        let now = Timestamp::from_millis(5_000);
        for told in [Told::of_status(200), Told::of_status(204), Told::of_status(400), Told::of_status(404)] {
            assert_eq!(Farewell::new(now).on_told(told, now), Next::Over, "{told:?}");
        }
        let later = [408, 425, 429, 500, 503].map(Told::of_status);
        for told in later.into_iter().chain([OFFLINE]) {
            assert!(matches!(Farewell::new(now).on_told(told, now), Next::Again(_)), "{told:?}");
        }
    }
}
