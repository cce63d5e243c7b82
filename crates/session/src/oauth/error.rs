//! What providers say when they say no, and what that means.

use alloc::string::{String, ToString};

use serde_json::Value;

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
    /// For people, when it is short and plain.
    pub description: Option<String>,
    /// What some providers add to a code that is too coarse for them (`suberror`, `error_subtype`).
    pub detail: Option<String>,
}

/// What an error code is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
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
    /// Why an answer without what was asked for has none.
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

/// Codes are words. What is none could be anything, and is not passed on.
fn is_code(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= LONGEST_CODE
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.: ".contains(&byte))
}

const LONGEST_CODE: usize = 64;

const UNRECOGNISED: &str = "unrecognised";
