//! What a person is told when the provider says no to a sign-in.

use session::oauth::client::Client;
use session::oauth::error::{Kind, ProviderError, Refusal};
use session::reason::Trouble;
use session::time::millis;

use crate::api::{Code, Failure};

/// What a person is told of a refusal that ended a sign-in.
pub(super) fn refused(refusal: &Refusal, host: &str, client: &Client) -> Failure {
    match refusal {
        Refusal::Provider { status, error } => provider_said(error, Some(*status), host, client),
        Refusal::Trouble { trouble, status, retry_after } => {
            let failure = Failure::provider(*trouble, *status, host);
            match retry_after {
                Some(wait) => failure.retry_in(millis(*wait)),
                None => failure,
            }
        }
        Refusal::UseNonce => Failure::provider(Trouble::Status, None, host)
            .with("message", "the provider keeps asking for another nonce"),
    }
}

/// RFC 6749, sections 4.1.2.1 and 5.2; RFC 8628, section 3.5.
pub(super) fn provider_said(
    said: &ProviderError,
    status: Option<u16>,
    host: &str,
    client: &Client,
) -> Failure {
    let code = match said.kind() {
        Kind::Grant => Code::SignInRefused,
        Kind::Denied => Code::SignInDenied,
        Kind::Expired => Code::SignInExpired,
        Kind::Interaction(_) => Code::SignInDenied,
        Kind::Unavailable | Kind::SlowDown | Kind::Pending | Kind::Nonce => Code::ServerError,
        Kind::Misconfigured | Kind::Unknown => match said.code.as_str() {
            "invalid_client" | "unauthorized_client" => Code::ClientRefused,
            "invalid_scope" => Code::ScopeRefused,
            "unsupported_grant_type" | "unsupported_response_type" => Code::WayUnsupported,
            _ => Code::Misconfigured,
        },
    };
    let failure = Failure::new(code).with("host", host).with("error", &said.code);
    let description = said.description.as_deref();
    let failure = match (code, description) {
        // The provider's own word for it is better than none.
        (Code::SignInDenied, None) => failure.with("message", &said.code),
        (_, Some(description)) => failure.with("message", description),
        (_, None) => failure,
    };
    if code == Code::ClientRefused {
        failure.with("client", &client.id)
    } else if code == Code::ScopeRefused {
        failure.with("scope", client.scopes.join(" "))
    } else if code == Code::WayUnsupported {
        failure.with("problem", &said.code)
    } else if code == Code::Misconfigured {
        let problem = description.map_or_else(|| said.code.clone(), |text| format!("{}: {text}", said.code));
        let failure = failure.with("problem", problem);
        status.into_iter().fold(failure, |failure, status| failure.with("status", status))
    } else {
        failure
    }
}
