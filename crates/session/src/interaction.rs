//! Somebody is needed at a browser: what for, and what belongs into the authorization request then.

use alloc::string::{String, ToString};

use crate::reason::Lost;

/// What somebody at a browser is needed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    AccountSelection,
    Consent,
    Login,
    /// Something the provider will say at its own page.
    Other,
    /// More scopes than were granted.
    Scope,
    /// A stronger or a more recent sign-in (RFC 9470).
    StepUp,
}

/// Somebody has to be at a browser, and this belongs into the authorization request then.
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
    /// The word for it among the reasons why a session needs a person.
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

    /// What satisfies both, as far as one request can: two resources that each want something of their own must not
    /// take turns for ever. What cannot be joined stays as it is here, and the other asks for it again.
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

/// The words of both, each once, as long as that is a list that anybody would send.
fn joined(ours: Option<String>, theirs: Option<&str>) -> Option<String> {
    let Some(mut all) = ours else { return theirs.map(str::to_string) };
    for word in theirs.unwrap_or_default().split_whitespace() {
        if all.len() + word.len() < LONGEST_LIST && all.split_whitespace().all(|ours| ours != word) {
            all.push(' ');
            all.push_str(word);
        }
    }
    Some(all)
}

const LONGEST_LIST: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;

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

    /// A resource that demands something else each time does not fill the memory, or an address.
    #[test]
    fn a_list_that_grows_without_end_is_cut() {
        let mut all = demand("", None, "a", "");
        for n in 0..10_000 {
            all = all.and(&demand("", None, &format!("scope-{n}"), ""));
        }
        let scope = all.scope.unwrap_or_default();
        assert!(
            scope.starts_with("a scope-0 ") && (900..=LONGEST_LIST).contains(&scope.len()),
            "{}",
            scope.len()
        );
    }
}
