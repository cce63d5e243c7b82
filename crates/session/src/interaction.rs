//! What a person is needed for at a browser, and what the authorization request contains then.

use alloc::string::{String, ToString};

use crate::bounds;
use crate::reason::Lost;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    AccountSelection,
    Consent,
    Login,
    Other,
    Scope,
    /// A stronger or a more recent sign-in (RFC 9470).
    StepUp,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interaction {
    pub need: Need,
    pub acr_values: Option<String>,
    pub max_age: Option<u64>,
    pub scope: Option<String>,
    /// The claims parameter (OpenID Connect Core, section 5.5), as the provider wrote it.
    pub claims: Option<String>,
}

impl Need {
    pub fn lost(self) -> Lost {
        match self {
            Self::Consent => Lost::ConsentRequired,
            Self::Login => Lost::LoginRequired,
            Self::AccountSelection | Self::Other => Lost::InteractionRequired,
            Self::Scope => Lost::InsufficientScope,
            Self::StepUp => Lost::InsufficientUserAuthentication,
        }
    }
}

impl Interaction {
    pub fn of(need: Need) -> Self {
        Self { need, acr_values: None, max_age: None, scope: None, claims: None }
    }

    /// Joins two demands, or two resources would take turns for ever. `self` wins where only one can.
    #[must_use]
    pub fn and(self, other: &Self) -> Self {
        Self {
            need: self.need,
            acr_values: joined(self.acr_values, other.acr_values.as_deref()),
            max_age: self.max_age.into_iter().chain(other.max_age).min(),
            scope: joined(self.scope, other.scope.as_deref()),
            claims: self.claims.or_else(|| other.claims.clone()),
        }
    }
}

/// The words of both, each once, up to a length that a server accepts.
fn joined(ours: Option<String>, theirs: Option<&str>) -> Option<String> {
    let Some(mut all) = ours else { return theirs.map(str::to_string) };
    for word in theirs.unwrap_or_default().split_whitespace() {
        if all.len() + word.len() < bounds::DEMAND && all.split_whitespace().all(|ours| ours != word) {
            all.push(' ');
            all.push_str(word);
        }
    }
    Some(all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;

    #[test]
    fn what_is_joined_is_no_longer_than_a_demand_may_be() {
        let ours = "o".repeat(bounds::DEMAND - 5);
        let joined = |word: &str| joined(Some(ours.clone()), Some(word)).unwrap().len();
        assert_eq!((joined("four"), joined("fives")), (bounds::DEMAND, ours.len()));
    }

    fn demand(acr_values: &str, max_age: Option<u64>, scope: &str, claims: &str) -> Interaction {
        let some = |text: &str| Some(text.to_string()).filter(|text| !text.is_empty());
        Interaction {
            need: Need::Scope,
            acr_values: some(acr_values),
            max_age,
            scope: some(scope),
            claims: some(claims),
        }
    }

    #[test]
    fn demands_are_joined_and_joining_them_again_adds_nothing() {
        let one = demand("gold silver", Some(300), "read", "");
        let other = Interaction { need: Need::StepUp, ..demand("silver", Some(60), "write read", "{1}") };
        let third = demand("", None, "", "{2}");
        let both = demand("gold silver", Some(60), "read write", "{1}");
        assert_eq!(one.clone().and(&other), both);
        assert_eq!(other.clone().and(&one).need, Need::StepUp);
        assert_eq!(other.and(&one).max_age, Some(60));
        for part in [&both, &one, &third] {
            assert_eq!(both.clone().and(part), both, "{part:?}");
        }
        assert_eq!(third.and(&one), demand("gold silver", Some(300), "read", "{2}"));
    }

    #[test]
    fn a_list_that_grows_without_end_is_cut() {
        let mut all = demand("", None, "a", "");
        for n in 0..10_000 {
            all = all.and(&demand("", None, &format!("scope-{n}"), ""));
        }
        let scope = all.scope.unwrap_or_default();
        assert!(
            scope.starts_with("a scope-0 ") && (900..=bounds::DEMAND).contains(&scope.len()),
            "{}",
            scope.len()
        );
    }
}
