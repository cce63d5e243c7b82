use axum::http::StatusCode;

use super::form::Form;
use super::refusal::{Refusal, Stop, json};
use super::{clients, pages};
use crate::broken::Broken;
use crate::exchange::Exchange;
use crate::ledger::{Answer, Client, Device};
use crate::people::Person;
use crate::reply::{Fields, Reply};
use crate::settings::ms;

pub(super) fn begin(exchange: &mut Exchange<'_>) -> Result<Reply, Broken> {
    Stop::said(begun(exchange))
}

fn begun(exchange: &mut Exchange<'_>) -> Result<Reply, Stop> {
    let form = Form::of_body(exchange.asked)?;
    let client = clients::authenticated(&exchange.asked.head.headers, &form)?;
    if client != Client::Pilotlight {
        return Err(Refusal::bad("unauthorized_client", "not for this client").into());
    }
    let scopes = clients::scopes(&form)?;
    let (device_code, user_code) = (exchange.mint.opaque()?, exchange.mint.user_code()?);
    let (settings, now) = (&exchange.settings.oauth, exchange.now_ms());
    let (ttl_ms, interval_ms) = (ms(settings.device_ttl), ms(settings.device_interval));
    let page = format!("{}/device", exchange.issuer());
    let body = Fields::default()
        .with("device_code", device_code.as_str())
        .with("user_code", user_code.as_str())
        .with("verification_uri_complete", format!("{page}?user_code={user_code}"))
        .with("verification_uri", page)
        .with("expires_in", (ttl_ms / 1_000).max(1))
        .with("interval", (interval_ms / 1_000).max(1));
    let until = now.saturating_add(ttl_ms);
    let device = Device { user_code, client, scopes, until, interval_ms, polled: None, answer: Answer::None };
    exchange.ledger.devices.begin(device_code, device, now);
    Ok(json(StatusCode::OK, &body))
}

pub(super) fn page(exchange: &mut Exchange<'_>) -> Result<Reply, Broken> {
    let form = Form::of_query(exchange.asked);
    let user_code = form.get("user_code").unwrap_or_default();
    pages::open(exchange, None, |ticket| pages::device(ticket, user_code, "", None))
}

pub(super) fn answer(exchange: &mut Exchange<'_>) -> Result<Reply, Broken> {
    Stop::said(answered(exchange))
}

fn answered(exchange: &mut Exchange<'_>) -> Result<Reply, Stop> {
    let form = Form::of_body(exchange.asked)?;
    let Some((ticket, page)) = pages::returned(exchange, &form).filter(|(_, page)| page.request.is_none())
    else {
        return Ok(pages::wrong(pages::NOT_HERE));
    };
    drop(page);
    let text = |name: &str| form.get(name).unwrap_or_default();
    let (user_code, username) = (text("user_code"), text("username"));
    let Ok(person) = Person::sign_in(username, text("password")) else {
        return Ok(pages::device(&ticket, user_code, username, Some(pages::WRONG_PASSWORD)));
    };
    let (answer, words) = match text("answer") {
        "deny" => (Answer::Denied, "The device was turned away."),
        _ => {
            let at_s = exchange.asked.now.unix_s;
            (Answer::Approved { person, at_s }, "The device is connected. This page can be closed.")
        }
    };
    let now = exchange.now_ms();
    if exchange.ledger.devices.answer(user_code, answer, now).is_none() {
        return Ok(pages::device(&ticket, user_code, username, Some("No device waits with that code.")));
    }
    exchange.ledger.pages.take(&ticket, now);
    Ok(pages::done(words))
}
