//! A client sends a person here, who signs in and goes back with a code. Until the client and its address are known to
//! belong together, the person is told what is wrong; from then on, the client.

use axum::http::{HeaderValue, StatusCode, header};
use url::Url;

use super::form::Form;
use super::refusal::{Refusal, Stop, json};
use super::words::{FOREIGN_ISSUER, STEPPED_UP};
use super::{clients, dpop, pages};
use crate::broken::Broken;
use crate::exchange::Exchange;
use crate::ledger::{Client, Page, Request};
use crate::people::Person;
use crate::reply::{Fields, Reply};
use crate::settings::ms;
use crate::tweaks::Amiss;

pub(super) fn page(exchange: &mut Exchange<'_>) -> Result<Reply, Broken> {
    let form = Form::of_query(exchange.asked);
    if let Some(name) = form.repeated() {
        return Ok(pages::wrong(&format!("The app's request names {name} twice.")));
    }
    let request = match form.get("request_uri") {
        Some(uri) => {
            let pushed = exchange.ledger.pushed.take(uri, exchange.asked.now.since_start_ms);
            match pushed.filter(|pushed| form.get("client_id") == Some(pushed.client.id())) {
                Some(pushed) => pushed,
                None => return Ok(pages::wrong("The app's request is too old, or was used already.")),
            }
        }
        None => match asked(exchange, &form) {
            Ok(request) => request,
            Err(reply) => return Ok(reply),
        },
    };
    let hint = request.login_hint.clone().unwrap_or_default();
    pages::open(exchange, Some(request), |ticket| pages::sign_in(ticket, &hint, None))
}

pub(super) fn sign_in(exchange: &mut Exchange<'_>) -> Result<Reply, Broken> {
    Stop::said(signed_in(exchange))
}

fn signed_in(exchange: &mut Exchange<'_>) -> Result<Reply, Stop> {
    let form = Form::of_body(exchange.asked)?;
    let Some((ticket, Page { request: Some(request), .. })) = pages::returned(exchange, &form) else {
        return Ok(pages::wrong(pages::NOT_HERE));
    };
    let username = form.get("username").unwrap_or_default();
    if form.get("answer") == Some("cancel") {
        exchange.ledger.pages.take(&ticket, exchange.now_ms());
        let refusal = Refusal::bad("access_denied", "the person said no");
        return Ok(back(exchange, &request.redirect, request.state.as_deref(), Err(&refusal)));
    }
    let Ok(person) = Person::sign_in(username, form.get("password").unwrap_or_default()) else {
        return Ok(pages::sign_in(&ticket, username, Some(pages::WRONG_PASSWORD)));
    };
    let (now, code) = (exchange.now_ms(), exchange.mint.opaque()?);
    exchange.ledger.pages.take(&ticket, now);
    exchange.counters.codes_issued += 1;
    let reply = back(exchange, &request.redirect, request.state.as_deref(), Ok(&code));
    let term = (now, ms(exchange.settings.oauth.code_ttl));
    exchange.ledger.codes.issue(code, request, person, exchange.asked.now.unix_s, term);
    Ok(reply)
}

/// `POST /par`: the request comes from the client itself, and the person only brings its name.
pub(super) fn push(exchange: &mut Exchange<'_>) -> Result<Reply, Broken> {
    Stop::said(pushed(exchange))
}

fn pushed(exchange: &mut Exchange<'_>) -> Result<Reply, Stop> {
    let form = Form::of_body(exchange.asked)?;
    let client = clients::authenticated(&exchange.asked.head.headers, &form)?;
    let shown = dpop::shown(exchange, dpop::Role::Server, None)?;
    if form.get("request_uri").is_some() {
        return Err(Refusal::invalid_request("`request_uri` has no place in a pushed request").into());
    }
    if !client.redirects_to(form.need("redirect_uri")?, exchange.settings.oauth.localhost_redirect) {
        return Err(Refusal::invalid_request("`redirect_uri` is not registered").into());
    }
    let mut request = read(client, &form)?;
    if shown.is_some() && request.jkt.is_some() && shown != request.jkt {
        return Err(Refusal::bad("invalid_dpop_proof", "`dpop_jkt` is another key").into());
    }
    request.jkt = request.jkt.or(shown);
    let (uri, now) = (format!("{REQUEST_URI}{}", exchange.mint.opaque()?), exchange.now_ms());
    exchange.ledger.pushed.put(uri.clone(), request, now + PUSHED_S * 1_000, now);
    let body = Fields::default().with("request_uri", uri).with("expires_in", PUSHED_S);
    Ok(json(StatusCode::CREATED, &body))
}

fn asked(exchange: &Exchange<'_>, form: &Form) -> Result<Request, Reply> {
    let settings = &exchange.settings.oauth;
    let Some(client) = form.get("client_id").and_then(Client::named) else {
        return Err(pages::wrong("This app is not known here."));
    };
    let redirect = form.get("redirect_uri").unwrap_or_default();
    if !client.redirects_to(redirect, settings.localhost_redirect) {
        return Err(pages::wrong("This app is not known under the address that it wants to be answered at."));
    }
    let to_client = |refusal: &Refusal| back(exchange, redirect, form.get("state"), Err(refusal));
    if settings.require_pushed {
        return Err(to_client(&Refusal::invalid_request("requests must be pushed")));
    }
    let request = read(client, form).map_err(|refusal| to_client(&refusal))?;
    if form.get("prompt").is_some_and(|prompt| prompt.split(' ').any(|word| word == "none")) {
        return Err(to_client(&Refusal::bad("login_required", "nobody stays signed in here")));
    }
    Ok(request)
}

fn read(client: Client, form: &Form) -> Result<Request, Refusal> {
    if form.need("response_type")? != "code" {
        return Err(Refusal::bad("unsupported_response_type", "only `code`"));
    }
    if form.get("response_mode").is_some_and(|mode| mode != "query") {
        return Err(Refusal::invalid_request("only the response mode `query`"));
    }
    if form.get("request").is_some() {
        return Err(Refusal::bad("request_not_supported", "no request objects"));
    }
    let challenge = form.need("code_challenge")?;
    let is_hash = challenge.len() == 43
        && challenge.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    if form.get("code_challenge_method") != Some("S256") || !is_hash {
        return Err(Refusal::invalid_request("PKCE with S256 is required"));
    }
    let own = |name: &str| form.get(name).map(str::to_owned);
    Ok(Request {
        client,
        redirect: form.need("redirect_uri")?.to_owned(),
        scopes: clients::scopes(form)?,
        state: own("state"),
        nonce: own("nonce"),
        challenge: challenge.to_owned(),
        jkt: own("dpop_jkt"),
        stepped_up: form.get("acr_values").is_some_and(|values| values.split(' ').any(|it| it == STEPPED_UP)),
        login_hint: own("login_hint"),
    })
}

fn back(
    exchange: &Exchange<'_>,
    redirect: &str,
    state: Option<&str>,
    outcome: Result<&str, &Refusal>,
) -> Reply {
    // It was read before, when it was found to be the client's.
    let Ok(mut url) = Url::parse(redirect) else { return pages::wrong(pages::NOT_HERE) };
    let tweaks = &exchange.tweaks.oauth;
    {
        let mut query = url.query_pairs_mut();
        match outcome {
            Ok(code) => query.append_pair("code", code),
            Err(refusal) => query
                .append_pair("error", refusal.error)
                .append_pair("error_description", &refusal.description),
        };
        let state = amiss(tweaks.state, state, "the-state-of-another");
        state.map(|state| query.append_pair("state", state));
        let issuer = exchange.issuer();
        let iss = amiss(tweaks.iss, Some(&issuer), FOREIGN_ISSUER);
        iss.map(|iss| query.append_pair("iss", iss));
    }
    let reply = pages::bare(StatusCode::SEE_OTHER, "<p>Back to the app.</p>");
    match HeaderValue::try_from(url.as_str()) {
        Ok(there) => reply.with(header::LOCATION, there),
        Err(_) => pages::wrong(pages::NOT_HERE),
    }
}

fn amiss<'a>(fault: Option<Amiss>, right: Option<&'a str>, other: &'a str) -> Option<&'a str> {
    match fault {
        None => right,
        Some(Amiss::Missing) => None,
        Some(Amiss::Other) => Some(other),
    }
}

const REQUEST_URI: &str = "urn:ietf:params:oauth:request_uri:";
const PUSHED_S: u64 = 60;
