//! The two clocks that nobody sets.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// Time since the start of the machine, its sleep included.
pub fn with_sleep() -> Duration {
    read(ClockId::Boottime)
}

/// Time since the start of the machine in which it was awake: what timers go by.
pub fn awake() -> Duration {
    read(ClockId::Monotonic)
}

fn read(clock: ClockId) -> Duration {
    Duration::try_from(clock_gettime(clock)).unwrap_or_default()
}
