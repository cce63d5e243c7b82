//! Telling a provider of a sign-out: how often, and for how long. A sign-out takes effect here at once.

use crate::core::note::Note;
use crate::limits;
use crate::reason::Trouble;
use crate::time::Timestamp;
use crate::verdict::RevocationAnswer;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revocation {
    until: Timestamp,
    next: Timestamp,
    failures: u32,
}

impl Revocation {
    pub fn new(now: Timestamp) -> Self {
        Self { until: now + limits::REVOKE, next: now, failures: 0 }
    }

    pub fn due(&self) -> Timestamp {
        self.next
    }

    /// No outcome has been reported yet.
    pub fn is_first(&self) -> bool {
        self.failures == 0
    }

    /// When it is tried again; `None` when it is over.
    pub fn on_answer(&mut self, answer: RevocationAnswer, now: Timestamp) -> Option<Timestamp> {
        match answer {
            RevocationAnswer::Done | RevocationAnswer::Refused { .. } | RevocationAnswer::Unsupported => None,
            RevocationAnswer::Trouble { .. } if now >= self.until => None,
            RevocationAnswer::Trouble { .. } => {
                let pause = limits::REVOKE_AGAIN
                    .saturating_mul(1 << self.failures.min(16))
                    .min(limits::REVOKE_LONGEST);
                self.failures = self.failures.saturating_add(1);
                self.next = now + pause;
                Some(self.next)
            }
        }
    }

    /// The try that is under way is the last one.
    pub fn give_up(&mut self, now: Timestamp) {
        self.until = now;
    }

    pub fn on_network_up(&mut self, now: Timestamp) {
        self.next = self.next.min(now);
    }
}

pub fn note(answer: RevocationAnswer) -> Note {
    match answer {
        RevocationAnswer::Done => Note::Revocation { trouble: None, status: None },
        RevocationAnswer::Refused { status } => {
            Note::Revocation { trouble: Some(Trouble::Suspect), status: Some(status) }
        }
        RevocationAnswer::Trouble { trouble, status } => Note::Revocation { trouble: Some(trouble), status },
        RevocationAnswer::Unsupported => Note::RevocationUnsupported,
    }
}

#[cfg(test)]
mod tests {
    use core::time::Duration;

    use super::*;

    const OFFLINE: RevocationAnswer = RevocationAnswer::Trouble { trouble: Trouble::Offline, status: None };

    /// Row D13.
    #[test]
    fn a_provider_is_told_again_for_a_day_and_ever_less_often() {
        let mut now = Timestamp::from_millis(5_000);
        let mut revocation = Revocation::new(now);
        assert!(revocation.due() == now && revocation.is_first());
        let mut tries = 0;
        let mut last = Duration::ZERO;
        while let Some(at) = revocation.on_answer(OFFLINE, now) {
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
        let mut revocation = Revocation::new(now);
        for _ in 0..10 {
            revocation.on_answer(OFFLINE, now);
        }
        assert!(revocation.due() > now + Duration::from_secs(60) && !revocation.is_first());
        revocation.on_network_up(now);
        assert_eq!(revocation.due(), now);
    }

    #[test]
    fn what_is_given_up_is_not_told_again() {
        let now = Timestamp::from_millis(5_000);
        let mut revocation = Revocation::new(now);
        assert!(revocation.on_answer(OFFLINE, now).is_some());
        revocation.give_up(now);
        assert_eq!(revocation.on_answer(OFFLINE, now), None);
    }

    #[test]
    fn an_answer_is_an_answer() {
        let now = Timestamp::from_millis(5_000);
        for told in [
            RevocationAnswer::of_status(200),
            RevocationAnswer::of_status(204),
            RevocationAnswer::of_status(400),
            RevocationAnswer::of_status(404),
        ] {
            assert_eq!(Revocation::new(now).on_answer(told, now), None, "{told:?}");
        }
        let later = [408, 425, 429, 500, 503].map(RevocationAnswer::of_status);
        for told in later.into_iter().chain([OFFLINE]) {
            assert!(Revocation::new(now).on_answer(told, now).is_some(), "{told:?}");
        }
    }
}
