use axum::http::{HeaderValue, StatusCode, header};
use serde_json::json;
use url::Url;

use super::form::Form;
use super::refusal::{Refusal, Stop, json};
use super::tokens::{session, subject};
use super::{clients, pages};
use crate::broken::Broken;
use crate::exchange::Exchange;
use crate::jose::Signed;
use crate::ledger::Client;
use crate::reply::{Fields, Reply};

/// `POST /revoke`: a refresh token takes its access tokens along, an access token only itself.
pub(super) fn revoke(exchange: &mut Exchange<'_>) -> Result<Reply, Broken> {
    Stop::said(revoked(exchange))
}

fn revoked(exchange: &mut Exchange<'_>) -> Result<Reply, Stop> {
    let form = Form::of_body(exchange.asked)?;
    let client = clients::authenticated(&exchange.asked.head.headers, &form)?;
    let (token, now) = (form.need("token")?, exchange.now_ms());
    // Whatever is not good, or not this client's, is as gone as it was asked to be.
    if let Some(standing) = exchange.book.standing(token, now)
        && exchange.ledger.agreed(standing.family).is_some_and(|terms| terms.client == client)
    {
        if standing.is_access {
            exchange.book.end_access(token);
        } else {
            exchange.book.end_family(standing.family);
        }
    }
    let no_store = HeaderValue::from_static("no-store");
    Ok(Reply::empty(StatusCode::OK).with(header::CACHE_CONTROL, no_store))
}

pub(super) fn introspect(exchange: &mut Exchange<'_>) -> Result<Reply, Broken> {
    Stop::said(introspected(exchange))
}

fn introspected(exchange: &mut Exchange<'_>) -> Result<Reply, Stop> {
    let form = Form::of_body(exchange.asked)?;
    if clients::authenticated(&exchange.asked.head.headers, &form)? != Client::Service {
        let refusal = Refusal::new(StatusCode::UNAUTHORIZED, "invalid_client", "only with a secret");
        return Err(refusal.challenging("Basic realm=\"sandbox\"").into());
    }
    let (token, now) = (form.need("token")?, exchange.now_ms());
    let Some(standing) = exchange.book.standing(token, now) else { return Ok(inactive()) };
    let Some(terms) = exchange.ledger.agreed(standing.family) else { return Ok(inactive()) };
    let lent = exchange.ledger.lent.see(token, now);
    let (scopes, jkt) = lent.map_or((&terms.scopes, &terms.jkt), |lent| (&lent.scopes, &lent.jkt));
    let kind = match (standing.is_access, jkt) {
        (false, _) => "refresh_token",
        (true, None) => "Bearer",
        (true, Some(_)) => "DPoP",
    };
    let left_s = i64::try_from(standing.left_ms / 1_000).unwrap_or(i64::MAX);
    let fields = Fields::default()
        .with("active", true)
        .with("scope", scopes.to_string())
        .with("client_id", terms.client.id())
        .with("username", standing.person.username())
        .with("token_type", kind)
        .with("exp", exchange.asked.now.unix_s.saturating_add(left_s))
        .with("sub", subject(standing.person))
        .with("iss", exchange.issuer())
        .with_some("cnf", jkt.as_ref().map(|jkt| json!({"jkt": jkt})));
    Ok(json(StatusCode::OK, &fields))
}

fn inactive() -> Reply {
    json(StatusCode::OK, &json!({"active": false}))
}

pub(super) fn end_session(exchange: &mut Exchange<'_>) -> Result<Reply, Broken> {
    let form = match exchange.asked.head.method {
        axum::http::Method::POST => Form::parse(&exchange.asked.body),
        _ => Form::of_query(exchange.asked),
    };
    let signed = form.get("id_token_hint").and_then(Signed::read);
    let signed = signed.filter(|signed| signed.is_signed_by(&exchange.mint.signer.public()));
    let Some(claims) = signed.map(|signed| signed.claims).filter(|it| it["iss"] == exchange.issuer()) else {
        return Ok(pages::wrong("The app did not say whose session is to end."));
    };
    let family = claims["sid"].as_str().and_then(|sid| sid.rsplit_once('-')?.1.parse::<u64>().ok());
    let Some(family) = family.filter(|family| claims["sid"] == session(*family)) else {
        return Ok(pages::wrong("The app did not say which session is to end."));
    };
    exchange.book.end_family(family);
    let client = claims["aud"].as_str().and_then(Client::named);
    let there = form.get("post_logout_redirect_uri");
    let Some(there) = there else { return Ok(pages::done("You are signed out.")) };
    let is_known =
        client.is_some_and(|it| it.redirects_to(there, exchange.settings.oauth.localhost_redirect));
    let Some(mut url) = Url::parse(there).ok().filter(|_| is_known) else {
        return Ok(pages::wrong(
            "You are signed out, but the app wants you sent to a place that is not its own.",
        ));
    };
    if let Some(state) = form.get("state") {
        url.query_pairs_mut().append_pair("state", state);
    }
    let reply = pages::bare(StatusCode::SEE_OTHER, "<p>You are signed out.</p>");
    Ok(match HeaderValue::try_from(url.as_str()) {
        Ok(there) => reply.with(header::LOCATION, there),
        Err(_) => reply,
    })
}
