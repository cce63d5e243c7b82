//! The "double token" of many tutorials: `Authorization` without a scheme, and a refresh by GET, token in the query.

use axum::extract::Query;
use axum::http::StatusCode;
use serde::Deserialize;

use super::grammar::{Grammar, get, post};
use crate::book::Refused;
use crate::broken::Broken;
use crate::exchange::Exchange;
use crate::mint::Claim;
use crate::name::Endpoint;
use crate::people::{Person, Stranger};
use crate::reply::{Fields, Reply};
use crate::settings::TokenFormat;
use crate::speech::{Names, Speech, TokenKind};

pub(super) const GRAMMAR: Grammar = Grammar {
    routes: &[
        post("/login", Endpoint::Login, login),
        get("/refresh", Endpoint::Refresh, refresh),
        get("/aaa", Endpoint::Resource, |it| text(it, "aaa")),
        get("/bbb", Endpoint::Resource, |it| text(it, "bbb")),
        post("/notes", Endpoint::Resource, take_note),
    ],
    speech: Speech {
        names: Names { access: "accessToken", refresh: "refreshToken", lifetime: "" },
        refresh_format: TokenFormat::Jwt,
        claims,
    },
    refuse: |_| exception(StatusCode::UNAUTHORIZED, GONE),
    by_body: None,
    not_found: |method, path| exception(StatusCode::NOT_FOUND, &format!("Cannot {method} {path}")),
    throttled: |_| {
        let body = Fields::default()
            .with("statusCode", 429)
            .with("message", "ThrottlerException: Too Many Requests");
        json(StatusCode::TOO_MANY_REQUESTS, &body)
    },
};

fn login(exchange: &mut Exchange<'_>) -> Result<Reply, Broken> {
    let granted = match exchange.sign_in(true)? {
        Ok(granted) => granted,
        Err(Stranger::NoSuchUser) => return Ok(exception(StatusCode::BAD_REQUEST, "用户不存在")),
        Err(Stranger::WrongPassword) => return Ok(exception(StatusCode::BAD_REQUEST, "密码错误")),
    };
    let person = granted.person;
    let user_info = Fields::default().with("username", person.username()).with("email", person.email());
    let tokens = Fields::default()
        .with("userInfo", user_info)
        .with_some("accessToken", granted.access)
        .with("refreshToken", granted.refresh);
    Ok(json(StatusCode::CREATED, &exchange.tokens(tokens)))
}

fn refresh(exchange: &mut Exchange<'_>) -> Result<Reply, Broken> {
    #[derive(Deserialize)]
    struct Token {
        token: String,
    }
    let token = Query::<Token>::try_from_uri(&exchange.asked.head.uri).ok().map(|Query(query)| query.token);
    let Ok(granted) = exchange.refresh(token.as_deref())? else {
        return Ok(exception(StatusCode::UNAUTHORIZED, GONE));
    };
    let tokens =
        Fields::default().with_some("accessToken", granted.access).with("refreshToken", granted.refresh);
    Ok(json(StatusCode::OK, &exchange.tokens(tokens)))
}

fn text(exchange: &mut Exchange<'_>, text: &str) -> Result<Reply, Broken> {
    Ok(match admit(exchange) {
        Ok(_) => Reply::html(StatusCode::OK, text),
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
    let token = exchange.authorization().filter(|token| !token.is_empty()).map(str::to_owned);
    exchange.admit(token.as_deref()).map_err(|refused| match refused {
        Refused::Missing => exception(StatusCode::UNAUTHORIZED, "用户未登录"),
        Refused::Expired
        | Refused::Reused { .. }
        | Refused::Revoked
        | Refused::Unknown
        | Refused::WrongKind => exception(StatusCode::UNAUTHORIZED, GONE),
    })
}

fn claims(kind: TokenKind, person: Person, claim: &Claim) -> Fields {
    let who = Fields::default().with("username", person.username());
    let what = match kind {
        TokenKind::Access => who.with("email", person.email()),
        TokenKind::Refresh => who.with("kind", "refresh"),
    };
    what.with("jti", claim.jti.as_str()).with("iat", claim.iat).with("exp", claim.exp.clone())
}

fn exception(status: StatusCode, message: &str) -> Reply {
    let body = Fields::default()
        .with("message", message)
        .with("error", status.canonical_reason().unwrap_or_default())
        .with("statusCode", status.as_u16());
    json(status, &body)
}

fn json(status: StatusCode, body: &Fields) -> Reply {
    Reply::json(status, "application/json; charset=utf-8", body)
}

const GONE: &str = "token 失效，请重新登录";
