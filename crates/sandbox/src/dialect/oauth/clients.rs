use axum::http::{HeaderMap, StatusCode, header};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use super::form::Form;
use super::refusal::Refusal;
use crate::ledger::{Client, Scopes};

pub(super) fn authenticated(headers: &HeaderMap, form: &Form) -> Result<Client, Refusal> {
    let (id, secret) = match headers.get(header::AUTHORIZATION) {
        Some(value) => {
            let (id, secret) = basic(value.as_bytes()).ok_or_else(stranger)?;
            if form.get("client_secret").is_some() || form.get("client_id").is_some_and(|it| it != id) {
                return Err(Refusal::invalid_request("the client is named in two ways"));
            }
            (id, Some(secret))
        }
        None => {
            let id = form.get("client_id").ok_or_else(stranger)?;
            (id.to_owned(), form.get("client_secret").map(str::to_owned))
        }
    };
    let client = Client::named(&id).ok_or_else(stranger)?;
    if secret.as_deref() == client.secret() { Ok(client) } else { Err(stranger()) }
}

pub(super) fn scopes(form: &Form) -> Result<Scopes, Refusal> {
    let scopes = Scopes::parse(form.get("scope").unwrap_or("api"));
    scopes.ok_or_else(|| Refusal::bad("invalid_scope", "there is no such scope"))
}

fn basic(value: &[u8]) -> Option<(String, String)> {
    let (scheme, coded) = std::str::from_utf8(value).ok()?.split_once(' ')?;
    let decoded =
        BASE64_STANDARD.decode(coded.trim()).ok().filter(|_| scheme.eq_ignore_ascii_case("basic"))?;
    let decoded = String::from_utf8(decoded).ok()?;
    let (id, secret) = decoded.split_once(':')?;
    // Both halves are written as in a form (RFC 6749, 2.3.1).
    let plain = |half: &str| {
        let pair = format!("={half}");
        url::form_urlencoded::parse(pair.as_bytes()).next().map(|(_, value)| value.into_owned())
    };
    Some((plain(id)?, plain(secret)?))
}

fn stranger() -> Refusal {
    Refusal::new(StatusCode::UNAUTHORIZED, "invalid_client", "client authentication failed")
        .challenging("Basic realm=\"sandbox\"")
}
