//! One breaker per host, for all its sessions. An answer shows that the host is there; a local fault says nothing.

use core::time::Duration;

use crate::core::event::Asker;
use crate::limits;
use crate::reason::Trouble;
use crate::time::Timestamp;
use crate::verdict::{Beat, Verdict};

#[derive(Clone, Debug, Default)]
pub struct Breaker {
    failures: u32,
    opened: u32,
    open_until: Option<Timestamp>,
    /// An exchange is finding out whether the host is back. Every exchange reports, so this ends.
    probing: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Answered,
    /// It was not reached, did not answer, or asked for a pause.
    Failed,
    Unknown,
}

impl Outcome {
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
            // A page or a redirect mostly comes from a network in between.
            | Trouble::NotJson
            | Trouble::Redirected
            // These may come from a network in between, or from a wrong date on this machine.
            | Trouble::CertificateDate
            | Trouble::CertificateName
            | Trouble::CertificateUnfit
            | Trouble::CertificateUnknown
            | Trouble::Proxy
            | Trouble::Tls
            | Trouble::Vault => Self::Unknown,
        }
    }
}

impl From<&Verdict> for Outcome {
    fn from(verdict: &Verdict) -> Self {
        match verdict {
            Verdict::Misconfigured { trouble, .. }
            | Verdict::Transient { trouble, .. }
            | Verdict::Unsent { trouble, .. } => Self::of(*trouble),
            Verdict::Dead | Verdict::Fresh(_) | Verdict::Interaction(_) | Verdict::Suspect { .. } => {
                Self::Answered
            }
        }
    }
}

impl From<Beat> for Outcome {
    fn from(beat: Beat) -> Self {
        match beat {
            Beat::Good | Beat::SaysNo => Self::Answered,
            Beat::Silent { trouble, .. } => Self::of(trouble),
        }
    }
}

impl Breaker {
    /// An exchange that is let through must report with [`Self::heard`]. Fails with the time to wait.
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

    /// Returns for how long the host is left alone, if this failure was one too many.
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

    pub fn on_network_up(&mut self, now: Timestamp) {
        self.open_until = self.open_until.map(|until| until.min(now));
    }
}

const FAILURES_ALLOWED: u32 = 5;

#[cfg(test)]
mod tests {
    use super::*;

    /// Row D6: the number of requests over an hour of outage is bounded, however many sessions ask.
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

    #[test]
    fn what_answers_is_there_and_a_fault_of_this_machine_is_not_the_hosts() {
        for trouble in [
            Trouble::BreakerOpen,
            Trouble::CertificateDate,
            Trouble::CertificateName,
            Trouble::CertificateUnfit,
            Trouble::CertificateUnknown,
            Trouble::Certificates,
            Trouble::Descriptors,
            Trouble::Disk,
            Trouble::Memory,
            Trouble::Misconfigured,
            Trouble::NoNetwork,
            Trouble::NotJson,
            Trouble::Proxy,
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
