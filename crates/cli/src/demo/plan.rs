use std::collections::VecDeque;
use std::time::Duration;

use api::Fetch;
use serde_json::json;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Deed {
    /// The provider forgets all access tokens, and many requests go out at once.
    Revoke,
    Unavailable,
    /// The refresh is done, but its answer is lost.
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

    pub(crate) fn wish(self, url: &str, profile: &str) -> Fetch {
        let (method, path, body) = match self {
            Self::LoseAnswer => {
                ("PUT", "faults/lost_answer", json!({ "on": ["refresh"], "dialect": DIALECT, "left": 1 }))
            }
            Self::Revoke => ("POST", "revoke", json!({ "what": "access", "dialect": DIALECT })),
            Self::Unavailable => (
                "PUT",
                "faults/status",
                json!({ "value": 503, "on": ["refresh"], "dialect": DIALECT, "left": 1 }),
            ),
        };
        Fetch {
            profile: profile.to_owned(),
            path: format!("{url}/control/{path}"),
            method: Some(method.to_owned()),
            body: Some(body.to_string()),
            ..Fetch::default()
        }
    }

    pub(crate) fn burst(self) -> u32 {
        if self == Self::Revoke { BURST } else { 0 }
    }
}

pub(crate) const DIALECT: &str = "nestjs";

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
