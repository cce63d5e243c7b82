use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// Since the start of the machine, its sleep included.
pub fn with_sleep() -> Duration {
    read(ClockId::Boottime)
}

/// Since the start of the machine, without its sleep. Timers go by this one.
pub fn awake() -> Duration {
    read(ClockId::Monotonic)
}

fn read(clock: ClockId) -> Duration {
    Duration::try_from(clock_gettime(clock)).unwrap_or_default()
}
