use axum::http::StatusCode;

use super::dpop::{self, Role};
use super::form::Form;
use super::refusal::{DPOP_NONCE, Refusal, Stop, json, with_text};
use super::words::DEVICE_CODE;
use super::{clients, tokens};
use crate::book::Fresh;
use crate::broken::Broken;
use crate::exchange::Exchange;
use crate::ledger::{Approved, Client, Lent, NotNow, Scopes, Terms};
use crate::name::Endpoint;
use crate::people::Person;
use crate::reply::{Fields, Reply};
use crate::settings::{Dpop, ms};

pub(super) fn token(exchange: &mut Exchange<'_>) -> Result<Reply, Broken> {
    let judged =
        |exchange: &Exchange<'_>| exchange.counters.refreshes_granted + exchange.counters.refreshes_refused;
    let before = judged(exchange);
    let outcome = granted(exchange);
    let is_refresh = asked_for(&exchange.asked.body) == Endpoint::Refresh;
    if is_refresh && judged(exchange) == before {
        // Refused before the token itself was looked at.
        exchange.counters.refreshes_refused += 1;
    }
    let reply = Stop::said(outcome)?;
    if exchange.settings.oauth.dpop_nonce && !reply.headers.iter().any(|(name, _)| *name == DPOP_NONCE) {
        return Stop::said(
            dpop::nonce(exchange, Role::Server).map(|nonce| with_text(reply, DPOP_NONCE, Some(nonce))),
        );
    }
    Ok(reply)
}

pub(super) fn asked_for(body: &[u8]) -> Endpoint {
    match Form::parse(body).get("grant_type") {
        Some("refresh_token") => Endpoint::Refresh,
        Some(DEVICE_CODE) => Endpoint::Poll,
        _ => Endpoint::Login,
    }
}

fn granted(exchange: &mut Exchange<'_>) -> Result<Reply, Stop> {
    let form = Form::of_body(exchange.asked)?;
    let client = clients::authenticated(&exchange.asked.head.headers, &form)?;
    let grant = form.need("grant_type")?;
    let (answer, may): (fn(&mut Exchange<'_>, &Form, Asking) -> _, _) = match grant {
        "authorization_code" => (code, Client::Pilotlight),
        "refresh_token" => (refresh, Client::Pilotlight),
        DEVICE_CODE => (device, Client::Pilotlight),
        "password" if exchange.settings.oauth.password_grant => (password, Client::Pilotlight),
        "client_credentials" => (client_credentials, Client::Service),
        _ => return Err(Refusal::bad("unsupported_grant_type", "there is no such grant here").into()),
    };
    if client != may {
        return Err(Refusal::bad("unauthorized_client", "this grant is not for this client").into());
    }
    let jkt = dpop::shown(exchange, Role::Server, None)?;
    if jkt.is_none() && exchange.settings.oauth.dpop == Dpop::Required {
        return Err(unproven().into());
    }
    answer(exchange, &form, Asking { client, jkt })
}

struct Asking {
    client: Client,
    jkt: Option<String>,
}

fn code(exchange: &mut Exchange<'_>, form: &Form, asking: Asking) -> Result<Reply, Stop> {
    let (code, now) = (form.need("code")?, exchange.now_ms());
    let (redirect, verifier) = (form.need("redirect_uri")?, form.need("code_verifier")?);
    let mut terms = match exchange.ledger.codes.redeem(code, asking.client, redirect, verifier, now) {
        Ok(terms) => terms,
        Err(bad) => {
            if let Some(family) = bad.family {
                let ended = exchange.book.end_family(family);
                exchange.counters.families_revoked += u64::from(ended.access + ended.refresh > 0);
            }
            return Err(Refusal::invalid_grant().into());
        }
    };
    if terms.jkt.is_some() && terms.jkt != asking.jkt {
        return Err(unproven().into());
    }
    terms.jkt = asking.jkt;
    let (reply, family) = first(exchange, terms)?;
    exchange.ledger.codes.spend(code, family);
    Ok(reply)
}

fn refresh(exchange: &mut Exchange<'_>, form: &Form, asking: Asking) -> Result<Reply, Stop> {
    let token = form.need("refresh_token")?;
    if exchange.tweaks.oauth.interaction_required {
        return Err(Refusal::bad("interaction_required", "a person has to sign in again").into());
    }
    let family = exchange.book.family(token);
    let terms = family.and_then(|family| exchange.ledger.agreed(family)).cloned();
    let Some(terms) = terms else {
        return Err(Refusal::invalid_grant().into());
    };
    if terms.jkt.is_some() && terms.jkt != asking.jkt {
        return Err(unproven().into());
    }
    let scopes = match form.get("scope") {
        None => terms.scopes.clone(),
        Some(_) => clients::scopes(form)?,
    };
    if !terms.scopes.covers(&scopes) {
        return Err(Refusal::bad("invalid_scope", "that is more than was granted").into());
    }
    let lent = Lent { scopes, jkt: asking.jkt };
    let fresh =
        Fresh { access: Some(tokens::access(exchange, &terms, &lent)?), refresh: exchange.mint.opaque()? };
    let Ok(granted) = exchange.renew(token, fresh) else { return Err(Refusal::invalid_grant().into()) };
    let access = granted.access.unwrap_or_default();
    let refresh = granted.rotated.then_some(granted.refresh);
    Ok(given(exchange, granted.family, &terms, lent, access, refresh)?)
}

fn device(exchange: &mut Exchange<'_>, form: &Form, asking: Asking) -> Result<Reply, Stop> {
    let (code, now) = (form.need("device_code")?, exchange.now_ms());
    let slow_down_ms = ms(exchange.settings.oauth.slow_down);
    let polled = exchange.ledger.devices.poll(code, asking.client, slow_down_ms, now);
    let Approved { person, scopes, at_s } = polled.map_err(no_tokens)?;
    let terms = Terms {
        client: asking.client,
        person,
        scopes,
        jkt: asking.jkt,
        nonce: None,
        stepped_up: false,
        signed_in_s: at_s,
    };
    Ok(first(exchange, terms)?.0)
}

fn no_tokens(not_now: NotNow) -> Refusal {
    match not_now {
        NotNow::Pending => Refusal::bad("authorization_pending", "nobody has entered the code yet"),
        NotNow::SlowDown => Refusal::bad("slow_down", "that was too early"),
        NotNow::Denied => Refusal::bad("access_denied", "the person said no"),
        NotNow::Expired => Refusal::bad("expired_token", "nobody entered the code in time"),
        NotNow::Unknown => Refusal::invalid_grant(),
    }
}

fn password(exchange: &mut Exchange<'_>, form: &Form, asking: Asking) -> Result<Reply, Stop> {
    let Ok(person) = Person::sign_in(form.need("username")?, form.need("password")?) else {
        return Err(Refusal::invalid_grant().into());
    };
    Ok(first(exchange, plain(exchange, asking, person, clients::scopes(form)?))?.0)
}

fn client_credentials(exchange: &mut Exchange<'_>, form: &Form, asking: Asking) -> Result<Reply, Stop> {
    let scopes = clients::scopes(form)?;
    if scopes.has("openid") || scopes.has("offline_access") {
        return Err(Refusal::bad("invalid_scope", "nobody signs in here").into());
    }
    let terms = plain(exchange, asking, Person::Service, scopes);
    Ok(lent(exchange, terms)?.0)
}

fn plain(exchange: &Exchange<'_>, asking: Asking, person: Person, scopes: Scopes) -> Terms {
    Terms {
        client: asking.client,
        person,
        scopes,
        jkt: asking.jkt,
        nonce: None,
        stepped_up: false,
        signed_in_s: exchange.asked.now.unix_s,
    }
}

fn first(exchange: &mut Exchange<'_>, terms: Terms) -> Result<(Reply, u64), Broken> {
    if exchange.settings.oauth.offline_access_only && !terms.scopes.has("offline_access") {
        return lent(exchange, terms);
    }
    let lent = Lent { scopes: terms.scopes.clone(), jkt: terms.jkt.clone() };
    let fresh =
        Fresh { access: Some(tokens::access(exchange, &terms, &lent)?), refresh: exchange.mint.opaque()? };
    let granted = exchange.begin(terms.person, fresh);
    exchange.ledger.agree(granted.family, terms.clone());
    let access = granted.access.unwrap_or_default();
    let reply = given(exchange, granted.family, &terms, lent, access, Some(granted.refresh))?;
    Ok((reply, granted.family))
}

fn lent(exchange: &mut Exchange<'_>, terms: Terms) -> Result<(Reply, u64), Broken> {
    let lent = Lent { scopes: terms.scopes.clone(), jkt: terms.jkt.clone() };
    let access = tokens::access(exchange, &terms, &lent)?;
    let family = exchange.lend(terms.person, access.clone());
    exchange.ledger.agree(family, terms.clone());
    Ok((given(exchange, family, &terms, lent, access, None)?, family))
}

fn given(
    exchange: &mut Exchange<'_>,
    family: u64,
    terms: &Terms,
    lent: Lent,
    access: String,
    refresh: Option<String>,
) -> Result<Reply, Broken> {
    let now = exchange.now_ms();
    let id_token = match lent.scopes.has("openid") {
        true => Some(tokens::id_token(exchange, family, terms, &access)?),
        false => None,
    };
    let told = exchange.settings.oauth.tells_refresh_ttl.then(|| exchange.book.refresh_left(family, now));
    let told = told.flatten().map(|left| left / 1000);
    // An access token that was given before stays what it was.
    let lent = exchange.ledger.lent.see(&access, now).cloned().unwrap_or(lent);
    let fields = Fields::default()
        .with("access_token", access.as_str())
        .with("token_type", if lent.jkt.is_some() { "DPoP" } else { "Bearer" })
        .with("expires_in", exchange.lifetime())
        .with_some("refresh_token", refresh)
        .with_some("refresh_expires_in", told)
        .with("scope", lent.scopes.to_string())
        .with_some("id_token", id_token);
    let until = now.saturating_add(ms(exchange.settings.access_ttl));
    exchange.ledger.lent.put(access, lent, until, now);
    Ok(json(StatusCode::OK, &exchange.tokens(fields)))
}

/// The key that belongs to it was not shown. This says nothing about the grant, which lives on.
fn unproven() -> Refusal {
    Refusal::bad("invalid_dpop_proof", "a proof of possession of the right key is missing")
}
