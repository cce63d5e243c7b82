use session::oauth::client::ClientRegistration;
use session::oauth::error::{ErrorKind, ProviderError, Refusal};
use session::reason::Trouble;
use session::tokens::Secret;
use session::wire::message::Message;
use url::form_urlencoded;
use zeroize::Zeroizing;

use api::{Code, Failure, Problem};

pub(super) fn refused(refusal: &Refusal, sent: &Message, host: &str, client: &ClientRegistration) -> Failure {
    match refusal {
        Refusal::Provider { status, error } => {
            provider_said(&unquoted(error, sent, client), Some(*status), host, client)
        }
        Refusal::Trouble { trouble, status, retry_after } => {
            Failure::sign_in(*trouble, *status, *retry_after, host)
        }
        Refusal::UseNonce => Failure::provider(Trouble::Status, None, host).because(Problem::NonceAgain),
    }
}

/// Some servers quote the request, so secrets are removed.
fn unquoted(said: &ProviderError, sent: &Message, client: &ClientRegistration) -> ProviderError {
    let body = sent.body.as_ref().map(Secret::expose).unwrap_or_default();
    let secrets: Vec<_> = form_urlencoded::parse(body.as_bytes())
        .filter(|(name, value)| SECRET_PARAMETERS.contains(&name.as_ref()) && !value.is_empty())
        .map(|(_, value)| Zeroizing::new(value.into_owned()))
        .collect();
    let own = client.secret.as_ref().map(Secret::expose).filter(|own| !own.is_empty());
    let quotes =
        |text: &str| secrets.iter().map(|secret| secret.as_str()).chain(own).any(|it| text.contains(it));
    let mut said = said.clone();
    said.description.take_if(|description| quotes(description));
    // A standard code is kept, even if a password contains it.
    if said.kind() == ErrorKind::Unknown && quotes(&said.code) {
        "unrecognised".clone_into(&mut said.code);
    }
    said
}

/// RFC 6749, sections 4.1.2.1 and 5.2; RFC 8628, section 3.5.
pub(super) fn provider_said(
    said: &ProviderError,
    status: Option<u16>,
    host: &str,
    client: &ClientRegistration,
) -> Failure {
    let code = match said.kind() {
        ErrorKind::Grant => Code::SignInRefused,
        ErrorKind::Denied => Code::SignInDenied,
        ErrorKind::Expired => Code::SignInExpired,
        ErrorKind::Interaction(_) => Code::SignInDenied,
        ErrorKind::Unavailable | ErrorKind::SlowDown | ErrorKind::Pending | ErrorKind::Nonce => {
            Code::ServerError
        }
        ErrorKind::Misconfigured | ErrorKind::Unknown => match said.code.as_str() {
            "invalid_client" | "unauthorized_client" => Code::ClientRefused,
            "invalid_scope" => Code::ScopeRefused,
            "unsupported_grant_type" | "unsupported_response_type" => Code::WayUnsupported,
            _ => Code::Misconfigured,
        },
    };
    let failure = Failure::new(code).with("host", host).with("error", &said.code);
    let description = said.description.as_deref();
    let failure = match (code, description) {
        (Code::SignInDenied, None) => failure.with("message", &said.code),
        (_, Some(description)) => failure.with("message", description),
        (_, None) => failure,
    };
    if code == Code::ClientRefused {
        failure.with("client", &client.id)
    } else if code == Code::ScopeRefused {
        failure.with("scope", client.scopes.join(" "))
    } else if code == Code::WayUnsupported {
        failure.because(Problem::said(&said.code))
    } else if code == Code::Misconfigured {
        let words = description.map_or_else(|| said.code.clone(), |text| format!("{}: {text}", said.code));
        let failure = failure.because(Problem::said(words));
        status.into_iter().fold(failure, |failure, status| failure.with("status", status))
    } else {
        failure
    }
}

const SECRET_PARAMETERS: [&str; 6] =
    ["client_secret", "code", "code_verifier", "device_code", "password", "refresh_token"];
