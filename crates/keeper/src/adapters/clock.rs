//! The only place that reads a clock. Most clocks, and all timers of tokio, stand still while the machine sleeps, and
//! a token would look good long after its end. [`now`] goes on, and comparing both kinds shows that the machine slept.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use session::limits;
use session::time::Timestamp;

pub fn now() -> Timestamp {
    Timestamp::from_millis(session::time::millis(with_sleep()))
}

/// Milliseconds since 1970, for people. It decides nothing about a session.
pub fn wall_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

#[derive(Debug)]
pub struct Watch {
    /// How far the clock that stops in a sleep was behind the one that goes on.
    behind: Duration,
    last: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gap {
    Slept(Duration),
    /// SIGSTOP, a container's pause, or no processor time.
    StoodStill(Duration),
}

impl Gap {
    pub fn length(self) -> Duration {
        let (Self::Slept(length) | Self::StoodStill(length)) = self;
        length
    }
}

impl Watch {
    pub fn new() -> Self {
        let (boot, mono) = both();
        Self { behind: boot.saturating_sub(mono), last: boot }
    }

    /// The caller has waited since the last call, for `pause` at most.
    pub fn gap(&mut self, pause: Duration) -> Option<Gap> {
        let (boot, mono) = both();
        self.sample(boot, mono, pause)
    }

    fn sample(&mut self, boot: Duration, mono: Duration, pause: Duration) -> Option<Gap> {
        let passed = boot.saturating_sub(std::mem::replace(&mut self.last, boot));
        let behind = boot.saturating_sub(mono);
        let slept = behind.saturating_sub(self.behind);
        if slept > limits::LATE {
            self.behind = behind;
            return Some(Gap::Slept(slept));
        }
        // A sleep that is too short to be told is not taken over, so that many of them add up.
        let stood_still = passed.saturating_sub(pause).saturating_sub(slept);
        (stood_still > limits::LATE).then_some(Gap::StoodStill(stood_still))
    }
}

impl Default for Watch {
    fn default() -> Self {
        Self::new()
    }
}

fn both() -> (Duration, Duration) {
    (with_sleep(), os::clock::awake())
}

fn with_sleep() -> Duration {
    static STEADY: Mutex<Steady> = Mutex::new(Steady { latest: Duration::ZERO, lost: Duration::ZERO });
    STEADY.lock().unwrap_or_else(PoisonError::into_inner).at(os::clock::with_sleep)
}

/// No clock of a running system goes back, but a process can be put into another one: it is moved with its machine, or
/// goes on from a picture of it. All dates of sessions would be years ahead then, and nothing due any more.
struct Steady {
    latest: Duration,
    /// How far it has gone back so far.
    lost: Duration,
}

impl Steady {
    fn at(&mut self, read: impl FnOnce() -> Duration) -> Duration {
        let now = read().saturating_add(self.lost);
        self.lost = self.lost.saturating_add(self.latest.saturating_sub(now));
        self.latest = self.latest.max(now);
        self.latest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn now_goes_forward() {
        let before = now();
        std::thread::sleep(Duration::from_millis(15));
        let passed = now().since(before);
        assert!((14..1000).contains(&passed.as_millis()), "{passed:?}");
    }

    /// Row A7.
    #[test]
    fn a_clock_that_is_set_back_goes_on_from_where_it_was() {
        let mut steady = Steady { latest: s(0), lost: s(0) };
        for (reads, is) in [(100, 100), (160, 160), (60, 160), (70, 170), (0, 170), (5, 175), (500, 670)] {
            assert_eq!(steady.at(|| s(reads)), s(is), "{reads}");
        }
    }

    #[test]
    fn the_wall_clock_is_in_this_century() {
        assert!((1_700_000_000_000..4_100_000_000_000).contains(&wall_ms()), "{}", wall_ms());
    }

    /// Row A1.
    #[test]
    fn a_sleep_is_what_one_clock_went_on_without_the_other() {
        let mut watch = Watch { behind: s(100), last: s(1000) };
        assert_eq!(watch.sample(s(1100), s(1000), s(100)), None, "nothing happened");
        assert_eq!(watch.sample(s(9100), s(9000), s(8000)), None, "time passed on both");
        assert_eq!(watch.sample(s(41_500), s(9000), s(30)), Some(Gap::Slept(s(32_400))), "nine hours");
        assert_eq!(watch.sample(s(41_510), s(9010), s(30)), None, "it is told once");
    }

    #[test]
    fn short_naps_add_up() {
        let mut watch = Watch { behind: s(0), last: s(0) };
        assert_eq!(watch.sample(s(11), s(10), s(30)), None);
        assert_eq!(watch.sample(s(22), s(20), s(30)), None);
        assert_eq!(watch.sample(s(33), s(30), s(30)), Some(Gap::Slept(s(3))));
    }

    #[test]
    fn clocks_that_disagree_the_other_way_are_no_sleep() {
        let mut watch = Watch { behind: s(5), last: s(0) };
        assert_eq!(watch.sample(s(10), s(20), s(30)), None);
        assert_eq!(watch.sample(s(30), s(25), s(30)), None);
    }

    #[test]
    fn a_freeze_is_how_late_a_pause_ends() {
        let mut watch = Watch { behind: s(5), last: s(1000) };
        assert_eq!(watch.sample(s(1031), s(1026), s(30)), None, "a busy machine");
        assert_eq!(watch.sample(s(1156), s(1151), s(5)), Some(Gap::StoodStill(s(120))));
        assert_eq!(watch.sample(s(1160), s(1155), s(5)), None, "it is told once");
    }

    fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }
}
