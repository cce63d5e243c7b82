use alloc::string::{String, ToString};

use serde_json::Value;

use crate::bounds;
use crate::interaction::Need;
use crate::reason::Trouble;
use crate::wire::answer::Answer;
use crate::wire::answer::Body;
use crate::wire::meaning;
use core::time::Duration;

/// An error in the provider's own words (RFC 6749, sections 4.1.2.1 and 5.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderError {
    pub code: String,
    pub description: Option<String>,
    /// `suberror` or `error_subtype`, which some providers add to a coarse code.
    pub detail: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The code, the refresh token, the device code or the password.
    Grant,
    Denied,
    Expired,
    Interaction(Need),
    Misconfigured,
    /// The proof of possession lacks the provider's nonce (RFC 9449, section 8).
    Nonce,
    Pending,
    SlowDown,
    Unavailable,
    Unknown,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Send it once more, with the nonce of this answer's `DPoP-Nonce`.
    UseNonce,
    Provider {
        status: u16,
        error: ProviderError,
    },
    Trouble {
        trouble: Trouble,
        status: Option<u16>,
        /// What the provider asked for, capped.
        retry_after: Option<Duration>,
    },
}

impl Refusal {
    /// It is of what was asked for, and not of the way in which it was: an authorization request is refused for it as well.
    pub fn would_be_said_at_the_page(&self) -> bool {
        let Self::Provider { error, .. } = self else { return false };
        matches!(
            error.code.as_str(),
            "invalid_redirect_uri" | "invalid_request" | "invalid_scope" | "invalid_target"
        )
    }
}

impl ProviderError {
    /// Out of a JSON answer of any status, because some providers put their errors into a 200.
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
        Self { code: code.to_string(), description: description.and_then(meaning::plain), detail: None }
    }

    pub fn kind(&self) -> ErrorKind {
        ErrorKind::of(&self.code)
    }
}

impl ErrorKind {
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

impl Refusal {
    pub(super) fn of(answer: &Answer<'_>, body: &Body) -> Self {
        let error = body.json().and_then(ProviderError::of);
        match error {
            Some(error) if error.kind() == ErrorKind::Nonce => Self::UseNonce,
            Some(error) if answer.status < 500 && answer.status != 429 => {
                Self::Provider { status: answer.status, error }
            }
            _ => {
                let misconfigured = meaning::is_misconfigured(answer, body);
                let trouble =
                    if misconfigured { Trouble::Misconfigured } else { meaning::trouble(answer, body) };
                let retry_after = answer.pause();
                Self::Trouble { trouble, status: Some(answer.status), retry_after }
            }
        }
    }
}

/// A text that is no word could be anything, so it is not passed on.
fn is_code(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= bounds::CODE
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.: ".contains(&byte))
}

const UNRECOGNISED: &str = "unrecognised";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_of_a_pushed_request_would_be_said_of_another() {
        let refused = |code| Refusal::Provider { status: 400, error: ProviderError::new(code, None) };
        for code in ["invalid_redirect_uri", "invalid_request", "invalid_scope", "invalid_target"] {
            assert!(refused(code).would_be_said_at_the_page(), "{code}");
        }
        for code in ["invalid_client", "unauthorized_client", "server_error", "of_its_own"] {
            assert!(!refused(code).would_be_said_at_the_page(), "{code}");
        }
        let away = Refusal::Trouble { trouble: Trouble::Offline, status: None, retry_after: None };
        assert!(!away.would_be_said_at_the_page() && !Refusal::UseNonce.would_be_said_at_the_page());
    }
}
