//! How long something is waited for, counted in time that this process was awake.
//!
//! A process that stood still (a machine that slept, a frozen container) finds all its timers over at once, and the
//! answer that it waited for in the socket. Whoever gave up then would throw away what has arrived, and of an exchange
//! that spends a refresh token that is the session. So waiting is done in naps: one that took much longer than it
//! should does not count, and something is always left after it to look once more.

use core::time::Duration;

use crate::limits::{GLANCE, LATE, NAP_SHORTEST, SECOND_LOOK};

/// What is left of the time that something may take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Patience {
    left: Duration,
    nap: Duration,
}

impl Patience {
    pub fn new(whole: Duration) -> Self {
        // Of a short time too, a freeze shows in the nap that it fell into.
        Self { left: whole, nap: (whole / 8).clamp(NAP_SHORTEST, GLANCE) }
    }

    /// How long to wait before the clock is looked at again; `None` once the time is used up.
    pub fn nap(&self) -> Option<Duration> {
        (!self.left.is_zero()).then(|| self.nap.min(self.left))
    }

    /// Somebody meant to wait for `nap` at most, and `took` passed on the clock that runs on.
    pub fn waited(&mut self, nap: Duration, took: Duration) {
        if took > nap + LATE {
            self.left = self.left.max(SECOND_LOOK);
        } else {
            self.left = self.left.saturating_sub(took);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    /// Naps until it is over, each as long as it should be.
    fn spend(patience: &mut Patience) -> Duration {
        let mut spent = Duration::ZERO;
        while let Some(nap) = patience.nap() {
            patience.waited(nap, nap);
            spent += nap;
        }
        spent
    }

    #[test]
    fn time_that_passes_as_it_should_is_counted() {
        for whole in [Duration::from_millis(100), seconds(1), seconds(30), seconds(600)] {
            assert_eq!(spend(&mut Patience::new(whole)), whole);
        }
        assert_eq!(Patience::new(Duration::ZERO).nap(), None);
    }

    #[test]
    fn a_freeze_is_not_counted_and_leaves_time_for_a_second_look() {
        for whole in [Duration::from_millis(100), seconds(1), seconds(30)] {
            let mut patience = Patience::new(whole);
            let nap = patience.nap().unwrap_or_default();
            patience.waited(nap, nap + seconds(3));
            assert_eq!(spend(&mut patience), whole.max(SECOND_LOOK), "{whole:?}");
        }
        let mut patience = Patience::new(seconds(30));
        patience.waited(GLANCE, seconds(9 * 3600));
        assert_eq!(spend(&mut patience), seconds(30), "nothing is gained by it either");
    }

    #[test]
    fn a_machine_that_is_out_of_breath_is_not_frozen() {
        let mut patience = Patience::new(seconds(4));
        patience.waited(GLANCE, GLANCE + LATE);
        assert_eq!(spend(&mut patience), seconds(4) - GLANCE - LATE);
    }
}
