//! One breaker per host, shared by everything that asks it of its own accord.
//!
//! Each session backs off by itself; the breaker is for the host that a dozen sessions share. It has no say over
//! what a person does: signing in and fetching go past it, so that an outage never locks anybody out.

use core::time::Duration;

use crate::time::Timestamp;

/// Counts failures in a row, and after five leaves the host alone.
#[derive(Clone, Debug, Default)]
pub struct Breaker {
    failures: u32,
    /// How often it opened since the last success.
    opened: u32,
    open_until: Option<Timestamp>,
    /// The one exchange that may find out whether the host is back, and until when it is waited for.
    probe: Option<Timestamp>,
}

impl Breaker {
    /// Whether an exchange may go out now; if not, how long to wait.
    pub fn admit(&mut self, now: Timestamp) -> Result<(), Duration> {
        let Some(until) = self.open_until else { return Ok(()) };
        if now < until {
            return Err(now.until(until));
        }
        match self.probe {
            Some(patience) if now < patience => Err(now.until(patience)),
            _ => {
                self.probe = Some(now + PROBE_PATIENCE);
                Ok(())
            }
        }
    }

    pub fn succeeded(&mut self) {
        *self = Self::default();
    }

    /// Returns for how long the host is left alone when this failure is one too many.
    pub fn failed(&mut self, now: Timestamp) -> Option<Duration> {
        self.failures = self.failures.saturating_add(1);
        let probing = self.probe.take().is_some();
        if self.failures < FAILURES_ALLOWED || (self.open_until.is_some() && !probing) {
            return None;
        }
        let pause = FIRST_PAUSE.saturating_mul(1 << self.opened.min(6)).min(LONGEST_PAUSE);
        self.opened += 1;
        self.open_until = Some(now + pause);
        Some(pause)
    }
}

const FAILURES_ALLOWED: u32 = 5;

/// Short at first: five failures in a row are often one gateway restarting.
const FIRST_PAUSE: Duration = Duration::from_secs(5);

const LONGEST_PAUSE: Duration = Duration::from_secs(300);

/// A probe whose answer never comes must not keep the host closed for ever.
const PROBE_PATIENCE: Duration = Duration::from_secs(45);

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
                if breaker.admit(now).is_ok() {
                    sent += 1;
                    breaker.failed(now);
                }
            }
        }
        assert!((15..30).contains(&sent), "{sent} requests");
    }

    #[test]
    fn one_probe_at_a_time_and_a_success_closes_it() {
        let mut breaker = Breaker::default();
        let now = Timestamp::from_millis(0);
        for _ in 0..5 {
            assert!(breaker.admit(now).is_ok());
            breaker.failed(now);
        }
        assert!(breaker.admit(now).is_err());
        let later = now + FIRST_PAUSE;
        assert!(breaker.admit(later).is_ok());
        assert!(breaker.admit(later).is_err(), "the probe is on its way");
        breaker.succeeded();
        assert!(breaker.admit(later).is_ok());
    }
}
