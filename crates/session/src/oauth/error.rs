//! What providers say when they say no, and what that means.

use alloc::string::{String, ToString};

use serde_json::Value;

use super::challenge::{self, Meaning};
use crate::reason::{Lost, Trouble};
use crate::recipe::Answer;
use crate::recipe::answer::Body;
use crate::recipe::reading;
use core::time::Duration;

/// An error in the provider's own words (RFC 6749, sections 4.1.2.1 and 5.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderError {
    pub code: String,
    /// For people, when it is short and plain.
    pub description: Option<String>,
    /// What some providers add to a code that is too coarse for them (`suberror`, `error_subtype`).
    pub detail: Option<String>,
}

/// What an error code is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The code, the refresh token, the device code or the password.
    Grant,
    /// The person, or somebody in charge, said no.
    Denied,
    /// The device code has run out.
    Expired,
    /// Somebody has to be at a browser.
    Interaction(Need),
    /// What we send is wrong, and will be wrong the next time.
    Misconfigured,
    /// The proof of possession lacks the provider's nonce (RFC 9449, section 8).
    Nonce,
    /// Nobody has entered the user code yet.
    Pending,
    SlowDown,
    /// The provider has a problem of its own.
    Unavailable,
    Unknown,
}

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

/// Why an exchange brought nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Send it once more, with the nonce of this answer's `DPoP-Nonce`.
    UseNonce,
    /// The provider said so.
    Provider { status: u16, error: ProviderError },
    /// The question was not answered.
    Trouble {
        trouble: Trouble,
        status: Option<u16>,
        /// What the provider asked for, capped.
        retry_after: Option<Duration>,
    },
}

impl ProviderError {
    /// Out of a JSON answer, whatever its status: some providers put their errors into a 200.
    pub(super) fn of(json: &Value) -> Option<Self> {
        let text = |name: &str| json.get(name).and_then(Value::as_str);
        let detail = text("suberror").or_else(|| text("error_subtype")).filter(|detail| is_code(detail));
        Some(Self {
            detail: detail.map(str::to_string),
            ..Self::new(text("error")?, text("error_description"))
        })
    }

    pub(super) fn new(code: &str, description: Option<&str>) -> Self {
        let code = if is_code(code) { code } else { UNRECOGNISED };
        let description = description.map(str::trim).filter(|text| !text.is_empty());
        Self { code: code.to_string(), description: description.and_then(reading::plain), detail: None }
    }

    pub fn kind(&self) -> Kind {
        Kind::of(&self.code)
    }
}

impl Kind {
    pub fn of(code: &str) -> Self {
        match code {
            "invalid_grant" => Self::Grant,
            "access_denied" | "authorization_declined" => Self::Denied,
            "expired_token" => Self::Expired,
            "account_selection_required" => Self::Interaction(Need::AccountSelection),
            "consent_required" => Self::Interaction(Need::Consent),
            "login_required" => Self::Interaction(Need::Login),
            "interaction_required" => Self::Interaction(Need::Other),
            "insufficient_scope" => Self::Interaction(Need::Scope),
            "insufficient_user_authentication" | "unmet_authentication_requirements" => {
                Self::Interaction(Need::StepUp)
            }
            "invalid_client"
            | "invalid_dpop_proof"
            | "invalid_request"
            | "invalid_request_object"
            | "invalid_request_uri"
            | "invalid_scope"
            | "invalid_target"
            | "registration_not_supported"
            | "request_not_supported"
            | "request_uri_not_supported"
            | "unauthorized_client"
            | "unsupported_grant_type"
            | "unsupported_response_type"
            | "unsupported_token_type" => Self::Misconfigured,
            "use_dpop_nonce" => Self::Nonce,
            "authorization_pending" => Self::Pending,
            "slow_down" => Self::SlowDown,
            "server_error" | "temporarily_unavailable" => Self::Unavailable,
            _ => Self::Unknown,
        }
    }

    pub(super) fn need(self) -> Option<Need> {
        if let Self::Interaction(need) = self { Some(need) } else { None }
    }
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

impl Refusal {
    /// Why an answer without what was asked for has none.
    pub(super) fn of(answer: &Answer<'_>, body: &Body) -> Self {
        let error = body.json().and_then(ProviderError::of);
        match error {
            Some(error) if error.kind() == Kind::Nonce => Self::UseNonce,
            Some(error) if answer.status < 500 && answer.status != 429 => {
                Self::Provider { status: answer.status, error }
            }
            _ => {
                let misconfigured = reading::is_misconfigured(answer, body);
                let trouble =
                    if misconfigured { Trouble::Misconfigured } else { reading::trouble(answer, body) };
                let retry_after = answer.pause();
                Self::Trouble { trouble, status: Some(answer.status), retry_after }
            }
        }
    }
}

/// Whether the answer of an endpoint or of a resource, with these challenges, asks for a proof with a nonce in it (RFC
/// 9449, sections 8 and 9).
pub fn wants_nonce(answer: &Answer<'_>, challenges: &str) -> bool {
    let said = || {
        let body = answer.read();
        body.json().and_then(ProviderError::of).is_some_and(|error| error.kind() == Kind::Nonce)
    };
    let challenged = || challenge::meaning(answer.status, &challenge::parse(challenges)) == Meaning::UseNonce;
    matches!(answer.status, 400 | 401) && (challenged() || said())
}

/// Whether the answer refuses the proof itself (RFC 9449, sections 5 and 7.1), for whatever reason.
pub fn refuses_proof(answer: &Answer<'_>, challenges: &str) -> bool {
    let is_it = |code: &str| code == "invalid_dpop_proof";
    let said = || answer.read().json().and_then(ProviderError::of).is_some_and(|error| is_it(&error.code));
    let challenged = || {
        let challenges = challenge::parse(challenges);
        challenges.iter().filter_map(|challenge| challenge.get("error")).any(is_it)
    };
    matches!(answer.status, 400 | 401) && (challenged() || said())
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

/// Codes are words. What is none could be anything, and is not passed on.
fn is_code(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= LONGEST_CODE
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.: ".contains(&byte))
}

const LONGEST_CODE: usize = 64;

const LONGEST_LIST: usize = 1024;

const UNRECOGNISED: &str = "unrecognised";

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
