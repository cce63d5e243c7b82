//! The only place that reads a clock: the monotonic one for lifetimes, the wall clock for what answers tell.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

#[derive(Clone, Copy)]
pub(crate) struct Clock {
    started: Instant,
}

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
    pub(crate) fn skewed(self, skew_s: i64) -> Self {
        Self { unix_s: self.unix_s.saturating_add(skew_s), ..self }
    }
}
