//! Heartbeats: what to ask about an access token, and what the answer says of it.

use serde::Deserialize;

use super::Provider;
use super::challenge::{self, Meaning};
use super::endings::{Activity, read_introspection, read_userinfo};
use crate::interaction::Interaction;
use crate::verdict::Beat;
use crate::wire::answer::Answer;
use crate::wire::matching::Match;
use crate::wire::meaning::silence;

/// What a heartbeat asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Probe {
    /// RFC 7662.
    Introspection,
    /// Nothing: it only looks at the clock.
    None,
    /// The first of the profile's resources that can be read.
    Resource,
    /// OpenID Connect Core, section 5.3.
    Userinfo,
}

/// What the answer of a protected resource says about the token that was shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Opinion {
    /// A person has to be at the provider's page.
    Demands(Interaction),
    /// Nothing bad.
    Fine,
    /// It is not good.
    Rejected,
}

impl Provider {
    /// Introspection tells of every token; the userinfo endpoint only of those that are not for somebody else.
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

/// What an introspection says of the token.
pub fn introspected(answer: &Answer<'_>) -> Beat {
    match read_introspection(answer) {
        Activity::Active => Beat::Good,
        Activity::Inactive => Beat::SaysNo,
        Activity::Unknown => silence(answer.status),
    }
}

/// Most public clients may not ask; the next heartbeat asks something else. Whoever is asked to come later may come.
pub fn forbids_introspection(answer: &Answer<'_>) -> bool {
    matches!(answer.status, 400..500)
        && !matches!(answer.status, 408 | 425 | 429)
        && read_introspection(answer) == Activity::Unknown
}

/// What the userinfo endpoint says of the token, of that person.
pub fn shown(answer: &Answer<'_>, opinion: &Opinion, subject: Option<&str>) -> Beat {
    beat(answer, opinion, read_userinfo(answer, subject).is_some())
}

/// What a resource says of the token.
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

/// What a resource's answer says about the token: its challenges first, then the rules of the profile.
pub fn opinion(answer: &Answer<'_>, challenges: &str, rejects: &[Match]) -> Opinion {
    match challenge::meaning(answer.status, &challenge::parse(challenges)) {
        Meaning::NeedsInteraction(interaction) => Opinion::Demands(interaction),
        Meaning::Refresh | Meaning::UseNonce => Opinion::Rejected,
        Meaning::Nothing if rejects.iter().any(|rule| rule.holds(answer)) => Opinion::Rejected,
        Meaning::Nothing => Opinion::Fine,
    }
}
