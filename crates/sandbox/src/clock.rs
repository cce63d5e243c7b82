//! The only place that reads a clock.
//!
//! Lifetimes are kept on the monotonic clock, so that a wall clock that is set while a test runs changes nothing;
//! the wall clock is only for what is written into answers (`Date`, `iat`, `exp`).

use std::time::{Instant, SystemTime, UNIX_EPOCH};

#[derive(Clone, Copy)]
pub(crate) struct Clock {
    started: Instant,
}

/// One reading, taken once per request so that everything in an answer agrees.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    pub(crate) since_start_ms: u64,
    pub(crate) unix_s: i64,
}

impl Clock {
    pub(crate) fn start() -> Self {
        Self { started: Instant::now() }
    }

    pub(crate) fn now(&self) -> Moment {
        let unix = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Moment {
            since_start_ms: u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX),
            unix_s: i64::try_from(unix.as_secs()).unwrap_or(i64::MAX),
        }
    }
}

impl Moment {
    /// What a server whose wall clock is wrong by `skew_s` would read.
    pub(crate) fn skewed(self, skew_s: i64) -> Self {
        Self { unix_s: self.unix_s.saturating_add(skew_s), ..self }
    }
}
