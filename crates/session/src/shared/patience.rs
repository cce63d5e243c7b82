//! How long something is waited for, in time that this process was awake. After a freeze all timers are over, while the
//! answer may lie in the socket. So a nap that took much too long does not count, and leaves time for another look.

use core::time::Duration;

use crate::limits::{GLANCE, LATE, NAP_SHORTEST, SECOND_LOOK};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Patience {
    left: Duration,
    nap: Duration,
}

impl Patience {
    pub fn new(whole: Duration) -> Self {
        // A short wait has short naps, so that a freeze shows in it too.
        Self { left: whole, nap: (whole / 8).clamp(NAP_SHORTEST, GLANCE) }
    }

    /// `None` once the time is used up.
    pub fn nap(&self) -> Option<Duration> {
        (!self.left.is_zero()).then(|| self.nap.min(self.left))
    }

    /// `took` is by the clock that goes on during a freeze.
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
