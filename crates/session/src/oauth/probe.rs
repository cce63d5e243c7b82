use serde::Deserialize;

use super::Provider;
use super::challenge::{self, Meaning};
use super::endings::{Activity, read_introspection, read_userinfo};
use crate::interaction::Interaction;
use crate::verdict::Beat;
use crate::wire::answer::Answer;
use crate::wire::matching::Match;
use crate::wire::meaning::silence;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Probe {
    /// RFC 7662.
    Introspection,
    /// It only looks at the clock.
    None,
    Resource,
    /// OpenID Connect Core, section 5.3.
    Userinfo,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Opinion {
    Demands(Interaction),
    Fine,
    Rejected,
}

impl Provider {
    pub fn best_probe(&self, may_introspect: bool) -> Probe {
        if self.metadata.introspection_endpoint.is_some() && may_introspect {
            Probe::Introspection
        } else if self.opens_userinfo() {
            Probe::Userinfo
        } else {
            Probe::Resource
        }
    }
}

pub fn introspected(answer: &Answer<'_>) -> Beat {
    match read_introspection(answer) {
        Activity::Active => Beat::Good,
        Activity::Inactive => Beat::SaysNo,
        Activity::Unknown => silence(answer.status),
    }
}

/// Most public clients may not introspect; the next heartbeat asks something else. 408, 425 and 429 mean later.
pub fn forbids_introspection(answer: &Answer<'_>) -> bool {
    matches!(answer.status, 400..500)
        && !matches!(answer.status, 408 | 425 | 429)
        && read_introspection(answer) == Activity::Unknown
}

pub fn shown(answer: &Answer<'_>, opinion: &Opinion, subject: Option<&str>) -> Beat {
    beat(answer, opinion, read_userinfo(answer, subject).is_some())
}

pub fn opened(answer: &Answer<'_>, opinion: &Opinion) -> Beat {
    beat(answer, opinion, answer.status < 400)
}

fn beat(answer: &Answer<'_>, opinion: &Opinion, is_good: bool) -> Beat {
    match opinion {
        Opinion::Rejected => Beat::SaysNo,
        Opinion::Fine if is_good => Beat::Good,
        Opinion::Demands(_) | Opinion::Fine => silence(answer.status),
    }
}

pub fn opinion(answer: &Answer<'_>, challenges: &str, rejects: &[Match]) -> Opinion {
    match challenge::meaning(answer.status, &challenge::parse(challenges)) {
        Meaning::NeedsInteraction(interaction) => Opinion::Demands(interaction),
        Meaning::Refresh | Meaning::UseNonce => Opinion::Rejected,
        Meaning::Nothing if rejects.iter().any(|rule| rule.holds(answer)) => Opinion::Rejected,
        Meaning::Nothing => Opinion::Fine,
    }
}
