//! As Django's: every path ends in a slash, every refusal is a 401, also of a refresh, and only the body says why.

use axum::http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use serde_json::json;

use super::grammar::{Grammar, get, post};
use super::pages::not_found_page;
use crate::book::Refused;
use crate::broken::Broken;
use crate::exchange::Exchange;
use crate::mint::Claim;
use crate::name::Endpoint;
use crate::people::{Order, Person};
use crate::reply::{Fields, Reply};
use crate::settings::TokenFormat;
use crate::speech::{Names, Speech, TokenKind};

pub(super) const GRAMMAR: Grammar = Grammar {
    routes: &[
        post("/api/token/", Endpoint::Login, login),
        post("/api/token/refresh/", Endpoint::Refresh, refresh),
        post("/api/token/blacklist/", Endpoint::Logout, logout),
        get("/api/protected/", Endpoint::Resource, protected),
        get("/api/orders/", Endpoint::Resource, orders),
        post("/api/notes/", Endpoint::Resource, take_note),
    ],
    speech: Speech {
        names: Names { access: "access", refresh: "refresh", lifetime: "" },
        refresh_format: TokenFormat::Jwt,
        claims,
    },
    refuse: |endpoint| {
        if endpoint.is_protected() { invalid("Token is invalid") } else { not_valid("Token is blacklisted") }
    },
    by_body: None,
    not_found: |_, _| not_found_page(),
    throttled,
};

fn login(exchange: &mut Exchange<'_>) -> Result<Reply, Broken> {
    let body = exchange.json();
    let missing: Vec<_> =
        ["username", "password"].into_iter().filter(|name| body.get(name).is_none()).collect();
    if !missing.is_empty() {
        return Ok(required(&missing));
    }
    let Ok(granted) = exchange.sign_in(true)? else {
        let words = json!({"detail": "No active account found with the given credentials"});
        return Ok(unauthorized(&words));
    };
    let tokens = Fields::default().with("refresh", granted.refresh).with_some("access", granted.access);
    Ok(json(StatusCode::OK, &exchange.tokens(tokens)))
}

fn refresh(exchange: &mut Exchange<'_>) -> Result<Reply, Broken> {
    let token = exchange.field("refresh");
    Ok(match exchange.refresh(token.as_deref())? {
        Ok(granted) => {
            let tokens = Fields::default()
                .with_some("access", granted.access)
                .with_some("refresh", granted.rotated.then_some(granted.refresh));
            json(StatusCode::OK, &exchange.tokens(tokens))
        }
        Err(refused) => refuse(refused),
    })
}

fn logout(exchange: &mut Exchange<'_>) -> Result<Reply, Broken> {
    let token = exchange.field("refresh");
    Ok(match exchange.sign_out(token.as_deref(), false) {
        Ok(()) => json(StatusCode::OK, &json!({})),
        Err(refused) => refuse(refused),
    })
}

fn protected(exchange: &mut Exchange<'_>) -> Result<Reply, Broken> {
    Ok(match admit(exchange) {
        Ok(person) => json(StatusCode::OK, &json!({"message": format!("hello {}", person.username())})),
        Err(refusal) => refusal,
    })
}

fn orders(exchange: &mut Exchange<'_>) -> Result<Reply, Broken> {
    Ok(match admit(exchange) {
        Ok(person) => {
            let results = person.orders();
            json(StatusCode::OK, &Page { count: results.len(), next: None, previous: None, results })
        }
        Err(refusal) => refusal,
    })
}

#[derive(Serialize)]
struct Page {
    count: usize,
    next: Option<&'static str>,
    previous: Option<&'static str>,
    results: &'static [Order],
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
    let token = exchange.bearer();
    exchange.admit(token.as_deref()).map_err(|refused| match refused {
        Refused::Missing => unauthorized(&json!({"detail": "Authentication credentials were not provided."})),
        Refused::Expired => invalid("Token is expired"),
        Refused::WrongKind => invalid("Token has wrong type"),
        Refused::Reused { .. } | Refused::Revoked | Refused::Unknown => invalid("Token is invalid"),
    })
}

fn refuse(refused: Refused) -> Reply {
    match refused {
        Refused::Missing => required(&["refresh"]),
        Refused::Expired => not_valid("Token is expired"),
        Refused::Reused { .. } | Refused::Revoked => not_valid("Token is blacklisted"),
        Refused::Unknown => not_valid("Token is invalid"),
        Refused::WrongKind => not_valid("Token has wrong type"),
    }
}

fn claims(kind: TokenKind, person: Person, claim: &Claim) -> Fields {
    let kind = match kind {
        TokenKind::Access => "access",
        TokenKind::Refresh => "refresh",
    };
    Fields::default()
        .with("token_type", kind)
        .with("exp", claim.exp.clone())
        .with("iat", claim.iat)
        .with("jti", claim.jti.as_str())
        .with("user_id", person.number().to_string())
}

fn throttled(wait_s: Option<u64>) -> Reply {
    let expected = wait_s.map(|wait| format!(" Expected available in {wait} seconds.")).unwrap_or_default();
    let words = json!({"detail": format!("Request was throttled.{expected}")});
    json(StatusCode::TOO_MANY_REQUESTS, &words)
}

fn required(names: &[&'static str]) -> Reply {
    let fields = names
        .iter()
        .fold(Fields::default(), |fields, name| fields.with(name, json!(["This field is required."])));
    json(StatusCode::BAD_REQUEST, &fields)
}

fn not_valid(detail: &str) -> Reply {
    unauthorized(&Fields::default().with("detail", detail).with("code", "token_not_valid"))
}

/// An access token that is not good. Only the inner message tells why.
fn invalid(message: &str) -> Reply {
    #[derive(Serialize)]
    struct Body<'a> {
        detail: &'a str,
        code: &'a str,
        messages: [Message<'a>; 1],
    }
    #[derive(Serialize)]
    struct Message<'a> {
        token_class: &'a str,
        token_type: &'a str,
        message: &'a str,
    }
    unauthorized(&Body {
        detail: "Given token not valid for any token type",
        code: "token_not_valid",
        messages: [Message { token_class: "AccessToken", token_type: "access", message }],
    })
}

fn unauthorized(body: &impl Serialize) -> Reply {
    let challenge = HeaderValue::from_static("Bearer realm=\"api\"");
    json(StatusCode::UNAUTHORIZED, body).with(header::WWW_AUTHENTICATE, challenge)
}

fn json(status: StatusCode, body: &impl Serialize) -> Reply {
    Reply::json(status, "application/json", body)
}
