//! An authorization server by the book, OpenID Connect included. It is strict (PKCE always, a code once, redirects to
//! loopback only), so that a sloppy client learns it here. What it remembers is in [`crate::ledger`].

mod authorize;
mod clients;
mod device;
mod dpop;
mod ending;
mod form;
mod metadata;
mod pages;
mod refusal;
mod resources;
mod token;
mod tokens;
mod words;

use axum::http::StatusCode;

use self::refusal::{Refusal, json};
use super::grammar::{Grammar, get, post};
use crate::name::Endpoint;
use crate::reply::Fields;
use crate::settings::TokenFormat;
use crate::speech::{Names, Speech};

pub(super) const GRAMMAR: Grammar = Grammar {
    routes: &[
        get("/.well-known/openid-configuration", Endpoint::Discovery, metadata::metadata),
        get("/.well-known/oauth-authorization-server/oauth", Endpoint::Discovery, metadata::metadata),
        get("/jwks", Endpoint::Discovery, metadata::keys),
        get("/authorize", Endpoint::Authorize, authorize::page),
        post("/sign_in", Endpoint::Consent, authorize::sign_in),
        post("/par", Endpoint::Authorize, authorize::push),
        post("/device_authorization", Endpoint::Authorize, device::begin),
        get("/device", Endpoint::Authorize, device::page),
        post("/device", Endpoint::Consent, device::answer),
        post(TOKEN, Endpoint::Login, token::token),
        post("/revoke", Endpoint::Logout, ending::revoke),
        post("/introspect", Endpoint::Other, ending::introspect),
        get("/end_session", Endpoint::Logout, ending::end_session),
        post("/end_session", Endpoint::Logout, ending::end_session),
        get("/userinfo", Endpoint::Heartbeat, resources::userinfo),
        post("/userinfo", Endpoint::Heartbeat, resources::userinfo),
        get("/api/profile", Endpoint::Resource, resources::profile),
        get("/api/orders", Endpoint::Resource, resources::orders),
        post("/api/notes", Endpoint::Resource, resources::take_note),
        get("/api/reports", Endpoint::Resource, resources::reports),
        get("/api/safe", Endpoint::Resource, resources::safe),
    ],
    speech: Speech {
        names: Names { access: "access_token", refresh: "refresh_token", lifetime: "expires_in" },
        refresh_format: TokenFormat::Opaque,
        // What its tokens say depends on more than who it is for: see `tokens`.
        claims: |_, _, _| Fields::default(),
    },
    refuse: |endpoint| {
        if endpoint.is_protected() { resources::refused() } else { Refusal::invalid_grant().reply() }
    },
    not_found: |_, _| Refusal::new(StatusCode::NOT_FOUND, "not_found", "there is nothing here").reply(),
    by_body: Some(|path, body| (path == TOKEN).then(|| token::asked_for(body))),
    throttled: |_| {
        let body = Fields::default()
            .with("error", "temporarily_unavailable")
            .with("error_description", "too many requests");
        json(StatusCode::TOO_MANY_REQUESTS, &body)
    },
};

const TOKEN: &str = "/token";
