//! Moments of the past that outlive a process, and with it the clock that they were taken by.

use core::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::limits;
use crate::time::{Timestamp, millis};

/// It was so old at that time. Written, it is its age then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Moment {
    at: Timestamp,
    age: Duration,
}

impl Moment {
    pub(super) fn at(now: Timestamp) -> Self {
        Self { at: now, age: Duration::ZERO }
    }

    pub(super) fn age(self, now: Timestamp) -> Duration {
        self.age.saturating_add(now.since(self.at))
    }

    pub(super) fn is_of_this_process(self) -> bool {
        self.age.is_zero()
    }

    /// What has passed before this process counts as having passed when it began.
    pub(super) fn after(self, time: Duration) -> Timestamp {
        self.at + time.saturating_sub(self.age)
    }

    pub(super) fn as_of(self, now: Timestamp) -> Self {
        Self { at: now, age: self.age(now) }
    }

    /// As it was read, after a time in which no clock of ours ran. What is older than anything we remember has lost its
    /// date: it is likelier that the wall clock was wrong.
    pub(super) fn resumed(self, now: Timestamp, away: Duration) -> Option<Self> {
        let age = self.age.saturating_add(away);
        (age <= limits::REMEMBERED).then_some(Self { at: now, age })
    }
}

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        millis(self.age).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let age = Duration::from_millis(u64::deserialize(deserializer)?);
        Ok(Self { at: Timestamp::default(), age })
    }
}
