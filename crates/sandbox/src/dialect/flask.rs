//! Signing in returns only an opaque refresh token. What is no token gets 422, not 401, as from flask-jwt-extended.

use axum::http::{HeaderValue, StatusCode, header};
use serde_json::json;

use super::grammar::{Grammar, get, post};
use super::pages::{not_found_page, too_many_page};
use crate::book::Refused;
use crate::broken::Broken;
use crate::exchange::Exchange;
use crate::mint::Claim;
use crate::name::Endpoint;
use crate::people::{Orders, Person};
use crate::reply::{Fields, Reply};
use crate::settings::TokenFormat;
use crate::speech::{Names, Speech, TokenKind};

pub(super) const GRAMMAR: Grammar = Grammar {
    routes: &[
        post("/login", Endpoint::Login, login),
        post("/access_token", Endpoint::Refresh, refresh),
        post("/logout", Endpoint::Logout, logout),
        get("/protected", Endpoint::Resource, protected),
        get("/orders", Endpoint::Resource, orders),
        post("/notes", Endpoint::Resource, take_note),
    ],
    speech: Speech {
        names: Names { access: "access_token", refresh: "refresh_token", lifetime: "" },
        refresh_format: TokenFormat::Opaque,
        claims,
    },
    refuse,
    by_body: None,
    not_found: |_, _| not_found_page(),
    throttled: |_| too_many_page(),
};

fn login(exchange: &mut Exchange<'_>) -> Result<Reply, Broken> {
    Ok(match exchange.sign_in(false)? {
        Ok(granted) => {
            json(StatusCode::OK, &exchange.tokens(Fields::default().with("refresh_token", granted.refresh)))
        }
        Err(_) => json(StatusCode::BAD_REQUEST, &json!({"error": "bad credentials"})),
    })
}

fn refresh(exchange: &mut Exchange<'_>) -> Result<Reply, Broken> {
    let token = exchange.field("refresh_token");
    let Ok(granted) = exchange.refresh(token.as_deref())? else { return Ok(refuse(Endpoint::Refresh)) };
    let tokens = Fields::default()
        .with_some("access_token", granted.access)
        .with_some("refresh_token", granted.rotated.then_some(granted.refresh));
    Ok(json(StatusCode::OK, &exchange.tokens(tokens)))
}

/// Says yes to any token: whoever signs out wants it gone, and it is.
fn logout(exchange: &mut Exchange<'_>) -> Result<Reply, Broken> {
    let token = exchange.field("refresh_token");
    let _was_good = exchange.sign_out(token.as_deref(), false);
    let html = HeaderValue::from_static("text/html; charset=utf-8");
    Ok(Reply::empty(StatusCode::NO_CONTENT).with(header::CONTENT_TYPE, html))
}

fn protected(exchange: &mut Exchange<'_>) -> Result<Reply, Broken> {
    Ok(match admit(exchange) {
        Ok(person) => json(StatusCode::OK, &json!({"logged_in_as": person.username()})),
        Err(refusal) => refusal,
    })
}

fn orders(exchange: &mut Exchange<'_>) -> Result<Reply, Broken> {
    Ok(match admit(exchange) {
        Ok(person) => json(StatusCode::OK, &Orders { orders: person.orders() }),
        Err(refusal) => refusal,
    })
}

fn take_note(exchange: &mut Exchange<'_>) -> Result<Reply, Broken> {
    Ok(match admit(exchange) {
        Ok(_) => {
            let note = Fields::default().with("id", exchange.side_effect()).with("note", exchange.json());
            json(StatusCode::CREATED, &note)
        }
        Err(refusal) => refusal,
    })
}

fn admit(exchange: &mut Exchange<'_>) -> Result<Person, Reply> {
    let has_header = exchange.authorization().is_some();
    let token = exchange.bearer();
    exchange.admit(token.as_deref()).map_err(|refused| match refused {
        Refused::Missing if !has_header => msg(StatusCode::UNAUTHORIZED, "Missing Authorization Header"),
        Refused::Missing => msg(StatusCode::UNAUTHORIZED, NOT_BEARER),
        Refused::Expired => msg(StatusCode::UNAUTHORIZED, "Token has expired"),
        Refused::Revoked | Refused::Reused { .. } => msg(StatusCode::UNAUTHORIZED, "Token has been revoked"),
        Refused::Unknown | Refused::WrongKind => {
            let is_jwt = token.is_some_and(|token| token.split('.').count() == 3);
            let words = if is_jwt { "Signature verification failed" } else { "Not enough segments" };
            msg(StatusCode::UNPROCESSABLE_ENTITY, words)
        }
    })
}

fn refuse(endpoint: Endpoint) -> Reply {
    if endpoint.is_protected() {
        return msg(StatusCode::UNAUTHORIZED, "Token has expired");
    }
    json(StatusCode::BAD_REQUEST, &json!({"error": "invalid refresh_token"}))
}

fn claims(kind: TokenKind, person: Person, claim: &Claim) -> Fields {
    let kind = match kind {
        TokenKind::Access => "access",
        TokenKind::Refresh => "refresh",
    };
    Fields::default()
        .with("fresh", false)
        .with("iat", claim.iat)
        .with("jti", claim.jti.as_str())
        .with("type", kind)
        .with("sub", person.username())
        .with("nbf", claim.iat)
        .with("exp", claim.exp.clone())
}

fn msg(status: StatusCode, words: &str) -> Reply {
    json(status, &json!({"msg": words}))
}

/// Flask ends every JSON body with a line feed.
fn json(status: StatusCode, body: &impl serde::Serialize) -> Reply {
    let mut reply = Reply::json(status, "application/json", body);
    reply.body.push(b'\n');
    reply
}

const NOT_BEARER: &str =
    "Missing 'Bearer' type in 'Authorization' header. Expected 'Authorization: Bearer <JWT>'";
