//! What is done to the session, and when.

use std::collections::VecDeque;
use std::time::Duration;

use pilotlight_sandbox::{Control, Dialect, Endpoint, Fault, Switch, What};

/// Something that goes wrong on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Deed {
    /// The provider forgets the access tokens it gave out, and many requests go out at that moment.
    Revoke,
    /// The next refresh is answered with a 503.
    Unavailable,
    /// The next refresh is done, and its answer lost on the way.
    LoseAnswer,
}

impl Deed {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::LoseAnswer => "lost_answer",
            Self::Revoke => "revoked_access_token",
            Self::Unavailable => "status_503",
        }
    }

    /// Does it, and says how many requests shall go out at once.
    pub(crate) fn inflict(self, control: &Control) -> u32 {
        let once = |fault, value: Option<u16>| {
            let switch = Switch {
                value: value.map(Into::into),
                on: vec![Endpoint::Refresh],
                dialect: Some(Dialect::NestJs),
                left: Some(1),
            };
            // The catalogue is compiled in; a switch that does not fit it would fail every test of the demo.
            drop(control.set_fault(fault, switch));
        };
        match self {
            Self::LoseAnswer => once(Fault::LostAnswer, None),
            Self::Revoke => drop(control.revoke(What::Access, Some(Dialect::NestJs), None)),
            Self::Unavailable => once(Fault::Status, Some(503)),
        }
        if self == Self::Revoke { BURST } else { 0 }
    }
}

/// Deeds and their times, spread over the first four fifths: the last lifetime belongs to recovery.
pub(crate) struct Plan(VecDeque<(Duration, Deed)>);

impl Plan {
    pub(crate) fn new(duration: Duration, lifetime: Duration) -> Self {
        let deeds = [Deed::Revoke, Deed::Unavailable, Deed::LoseAnswer];
        let last = duration.saturating_sub(lifetime * 2);
        let rounds = u32::try_from(duration.as_secs() / 60).unwrap_or(u32::MAX).clamp(1, 1000);
        let count = rounds * 3;
        let times = (1..=count).map(|n| last * n / count);
        Self(times.zip(deeds.into_iter().cycle()).collect())
    }

    pub(crate) fn next_at(&self) -> Option<Duration> {
        self.0.front().map(|(at, _)| *at)
    }

    pub(crate) fn take(&mut self) -> Option<Deed> {
        self.0.pop_front().map(|(_, deed)| deed)
    }
}

const BURST: u32 = 8;
