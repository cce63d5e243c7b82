//! One breaker per host, shared by everything that asks it.
//!
//! Each session backs off by itself; the breaker is for the host that a dozen sessions share. What counts against a
//! host is decided here, on typed outcomes: whatever answers is there, and what went wrong on this machine says nothing
//! about another. A person is no storm, and passes.

use core::time::Duration;

use crate::core::event::Asker;
use crate::limits;
use crate::reason::Trouble;
use crate::time::Timestamp;

/// Counts failures in a row, and after five leaves the host alone.
#[derive(Clone, Debug, Default)]
pub struct Breaker {
    failures: u32,
    /// How often it opened since the last answer.
    opened: u32,
    open_until: Option<Timestamp>,
    /// Somebody is on the way to find out whether the host is back. Every exchange reports, so this ends.
    probing: bool,
}

/// What an exchange says about the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It answered, whatever it said.
    Answered,
    /// It was not reached, did not answer, or wants to be left alone.
    Failed,
    /// Nothing: the fault was this machine's, or somebody's in between.
    Unknown,
}

impl Outcome {
    /// Of an exchange that brought nothing.
    pub fn of(trouble: Trouble) -> Self {
        match trouble {
            Trouble::CutShort
            | Trouble::Offline
            | Trouble::RateLimited
            | Trouble::Status
            | Trouble::TimedOut
            | Trouble::Unanswered => Self::Failed,
            Trouble::Discovery
            | Trouble::Garbled
            | Trouble::Identity
            | Trouble::Misconfigured
            | Trouble::Suspect
            | Trouble::TooLarge
            | Trouble::Unreadable
            | Trouble::Unusable => Self::Answered,
            Trouble::BreakerOpen
            | Trouble::Certificates
            | Trouble::Descriptors
            | Trouble::Disk
            | Trouble::Memory
            | Trouble::NoNetwork
            // A page, or a way to one, is mostly a network's own.
            | Trouble::NotJson
            | Trouble::Redirected
            // Whoever cannot be believed may be somebody in between, or this machine's date is wrong. A person can mend
            // that, and has to hear of it.
            | Trouble::Tls
            | Trouble::Vault => Self::Unknown,
        }
    }
}

impl Breaker {
    /// Whether an exchange may go out now; if not, how long to wait. Whoever is let through has to report.
    ///
    /// # Errors
    ///
    /// The time until a machine may ask again.
    pub fn admit(&mut self, by: Asker, now: Timestamp) -> Result<(), Duration> {
        let Some(until) = self.open_until else { return Ok(()) };
        if by == Asker::Machine {
            if now < until {
                return Err(now.until(until));
            }
            if self.probing {
                return Err(limits::BREAKER);
            }
        }
        self.probing = true;
        Ok(())
    }

    /// Takes in what an exchange says about the host. Returns for how long the host is left alone when this failure is
    /// one too many.
    pub fn heard(&mut self, outcome: Outcome, now: Timestamp) -> Option<Duration> {
        let probing = core::mem::take(&mut self.probing);
        match outcome {
            Outcome::Answered => {
                *self = Self::default();
                None
            }
            Outcome::Unknown => None,
            Outcome::Failed => {
                self.failures = self.failures.saturating_add(1);
                if self.failures < FAILURES_ALLOWED || (self.open_until.is_some() && !probing) {
                    return None;
                }
                let pause =
                    limits::BREAKER.saturating_mul(1 << self.opened.min(6)).min(limits::BREAKER_LONGEST);
                self.opened += 1;
                self.open_until = Some(now + pause);
                Some(pause)
            }
        }
    }

    /// The network is back, as far as anybody can tell: the next one may find out what the host says to that.
    pub fn on_network_up(&mut self, now: Timestamp) {
        self.open_until = self.open_until.map(|until| until.min(now));
    }
}

const FAILURES_ALLOWED: u32 = 5;

#[cfg(test)]
mod tests {
    use super::*;

    /// FAILURES D6: the number of requests over an hour of outage is bounded, however many sessions ask each second.
    #[test]
    fn an_hour_of_outage_costs_few_requests() {
        let mut breaker = Breaker::default();
        let mut sent = 0;
        for second in 0..3600 {
            let now = Timestamp::from_millis(second * 1000);
            for _ in 0..50 {
                if breaker.admit(Asker::Machine, now).is_ok() {
                    sent += 1;
                    breaker.heard(Outcome::Failed, now);
                }
            }
        }
        assert!((15..30).contains(&sent), "{sent} requests");
    }

    #[test]
    fn one_probe_at_a_time_and_an_answer_closes_it() {
        let (mut breaker, now) = open();
        assert!(breaker.admit(Asker::Machine, now).is_err());
        let later = now + limits::BREAKER;
        assert!(breaker.admit(Asker::Machine, later).is_ok());
        assert!(breaker.admit(Asker::Machine, later).is_err(), "the probe is on its way");
        breaker.heard(Outcome::Answered, later);
        assert!(breaker.admit(Asker::Machine, later).is_ok());
    }

    #[test]
    fn a_person_passes_and_what_they_find_counts() {
        let (mut breaker, now) = open();
        for _ in 0..3 {
            assert!(breaker.admit(Asker::Person, now).is_ok());
        }
        breaker.heard(Outcome::Answered, now);
        assert!(breaker.admit(Asker::Machine, now).is_ok(), "the host is back");
    }

    #[test]
    fn a_network_that_comes_back_lets_one_through() {
        let (mut breaker, now) = open();
        breaker.on_network_up(now);
        assert!(breaker.admit(Asker::Machine, now).is_ok());
        assert!(breaker.admit(Asker::Machine, now).is_err());
        assert!(breaker.heard(Outcome::Failed, now).is_some_and(|pause| pause > limits::BREAKER));
        assert!(breaker.admit(Asker::Machine, now).is_err());
    }

    /// A machine without descriptors, a wrong path for the heartbeat, our own refusals: none is the host's.
    #[test]
    fn what_answers_is_there_and_a_fault_of_this_machine_is_not_the_hosts() {
        for trouble in [
            Trouble::BreakerOpen,
            Trouble::Certificates,
            Trouble::Descriptors,
            Trouble::Disk,
            Trouble::Memory,
            Trouble::Misconfigured,
            Trouble::NoNetwork,
            Trouble::NotJson,
            Trouble::Suspect,
            Trouble::Tls,
            Trouble::Unusable,
        ] {
            let mut breaker = Breaker::default();
            for _ in 0..100 {
                let now = Timestamp::default();
                assert!(breaker.admit(Asker::Machine, now).is_ok(), "{trouble:?}");
                assert_eq!(breaker.heard(Outcome::of(trouble), now), None, "{trouble:?}");
            }
        }
    }

    /// A probe that learned nothing leaves the way to the next one.
    #[test]
    fn a_probe_that_failed_here_is_followed_by_another() {
        let (mut breaker, now) = open();
        let later = now + limits::BREAKER;
        assert!(breaker.admit(Asker::Machine, later).is_ok());
        assert_eq!(breaker.heard(Outcome::of(Trouble::Descriptors), later), None);
        assert!(breaker.admit(Asker::Machine, later).is_ok());
    }

    fn open() -> (Breaker, Timestamp) {
        let (mut breaker, now) = (Breaker::default(), Timestamp::from_millis(1));
        for _ in 0..FAILURES_ALLOWED {
            assert!(breaker.admit(Asker::Machine, now).is_ok());
            breaker.heard(Outcome::Failed, now);
        }
        (breaker, now)
    }
}
