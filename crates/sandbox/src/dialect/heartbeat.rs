//! `/heartbeat`: camelCase, opaque tokens, and an endpoint that does nothing but say whether the session lives.

use axum::http::StatusCode;
use serde_json::json;

use super::grammar::{Grammar, get, post};
use super::pages::too_many_page;
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
        post("/api/auth/login", Endpoint::Login, login),
        post("/api/auth/refresh", Endpoint::Refresh, refresh),
        post("/api/auth/logout", Endpoint::Logout, logout),
        get("/api/heartbeat", Endpoint::Heartbeat, beat),
        get("/api/profile", Endpoint::Resource, profile),
        get("/api/orders", Endpoint::Resource, orders),
        post("/api/notes", Endpoint::Resource, take_note),
    ],
    speech: Speech {
        names: Names { access: "accessToken", refresh: "refreshToken", lifetime: "expiresIn" },
        refresh_format: TokenFormat::Opaque,
        claims,
    },
    refuse,
    by_body: None,
    not_found: |_, _| json(StatusCode::NOT_FOUND, &json!({"error": "not_found"})),
    throttled: |_| too_many_page(),
};

fn login(exchange: &mut Exchange<'_>) -> Result<Reply, Broken> {
    let Ok(granted) = exchange.sign_in(true)? else {
        return Ok(json(StatusCode::UNAUTHORIZED, &json!({"error": "invalid_credentials"})));
    };
    let tokens = Fields::default()
        .with_some("accessToken", granted.access)
        .with("refreshToken", granted.refresh)
        .with("expiresIn", exchange.lifetime());
    Ok(json(StatusCode::OK, &exchange.tokens(tokens)))
}

fn refresh(exchange: &mut Exchange<'_>) -> Result<Reply, Broken> {
    let token = exchange.field("refreshToken");
    let Ok(granted) = exchange.refresh(token.as_deref())? else { return Ok(refuse(Endpoint::Refresh)) };
    let tokens = Fields::default()
        .with_some("accessToken", granted.access)
        .with_some("refreshToken", granted.rotated.then_some(granted.refresh));
    Ok(json(StatusCode::OK, &exchange.tokens(tokens)))
}

fn logout(exchange: &mut Exchange<'_>) -> Result<Reply, Broken> {
    let token = exchange.field("refreshToken");
    Ok(match exchange.sign_out(token.as_deref(), true) {
        Ok(()) => json(StatusCode::OK, &json!({"ok": true})),
        Err(_) => refuse(Endpoint::Refresh),
    })
}

fn beat(exchange: &mut Exchange<'_>) -> Result<Reply, Broken> {
    Ok(match admit(exchange, Endpoint::Heartbeat) {
        Ok(person) => {
            let beat = Fields::default()
                .with("ok", true)
                .with("user", person.username())
                .with("serverTime", exchange.asked.now.unix_s.saturating_mul(1_000));
            json(StatusCode::OK, &beat)
        }
        Err(refusal) => refusal,
    })
}

fn profile(exchange: &mut Exchange<'_>) -> Result<Reply, Broken> {
    Ok(match admit(exchange, Endpoint::Resource) {
        Ok(person) => json(StatusCode::OK, &person.profile()),
        Err(refusal) => refusal,
    })
}

fn orders(exchange: &mut Exchange<'_>) -> Result<Reply, Broken> {
    Ok(match admit(exchange, Endpoint::Resource) {
        Ok(person) => json(StatusCode::OK, &Orders { orders: person.orders() }),
        Err(refusal) => refusal,
    })
}

fn take_note(exchange: &mut Exchange<'_>) -> Result<Reply, Broken> {
    Ok(match admit(exchange, Endpoint::Resource) {
        Ok(_) => {
            let note = Fields::default().with("id", exchange.side_effect()).with("note", exchange.json());
            json(StatusCode::CREATED, &note)
        }
        Err(refusal) => refusal,
    })
}

fn admit(exchange: &mut Exchange<'_>, endpoint: Endpoint) -> Result<Person, Reply> {
    let token = exchange.bearer();
    exchange.admit(token.as_deref()).map_err(|_| refuse(endpoint))
}

fn refuse(endpoint: Endpoint) -> Reply {
    match endpoint {
        Endpoint::Heartbeat => json(StatusCode::UNAUTHORIZED, &json!({"ok": false})),
        Endpoint::Resource => json(StatusCode::UNAUTHORIZED, &json!({"error": "unauthorized"})),
        Endpoint::Discovery
        | Endpoint::Authorize
        | Endpoint::Consent
        | Endpoint::Login
        | Endpoint::Poll
        | Endpoint::Refresh
        | Endpoint::Logout
        | Endpoint::Other => json(StatusCode::UNAUTHORIZED, &json!({"error": "invalid_refresh_token"})),
    }
}

/// Used only when a setting asks for JWTs.
fn claims(_kind: TokenKind, person: Person, claim: &Claim) -> Fields {
    Fields::default()
        .with("sub", person.username())
        .with("iat", claim.iat)
        .with("exp", claim.exp.clone())
        .with("jti", claim.jti.as_str())
}

fn json(status: StatusCode, body: &impl serde::Serialize) -> Reply {
    Reply::json(status, "application/json", body)
}
