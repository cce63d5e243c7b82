use std::time::Duration;

use nix::time::{ClockId, clock_gettime};

/// Since the start of the machine, its sleep included.
pub fn with_sleep() -> Duration {
    read(ClockId::CLOCK_BOOTTIME)
}

/// Since the start of the machine, without its sleep. Timers go by this one.
pub fn awake() -> Duration {
    read(ClockId::CLOCK_MONOTONIC)
}

/// By way of the C library, where a test can stand in between.
fn read(clock: ClockId) -> Duration {
    let read = clock_gettime(clock).ok();
    let parts = read.and_then(|at| Some((at.tv_sec().try_into().ok()?, at.tv_nsec().try_into().ok()?)));
    parts.map(|(seconds, nanos)| Duration::new(seconds, nanos)).unwrap_or_default()
}
