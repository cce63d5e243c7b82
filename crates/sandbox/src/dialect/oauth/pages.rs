//! Plain forms, no script. Each carries a ticket that is good only with the cookie of the browser it was shown to, so
//! whoever sends it from another site has none.

use axum::http::{HeaderName, HeaderValue, StatusCode, header};

use super::form::Form;
use super::refusal::with_text;
use crate::broken::Broken;
use crate::exchange::Exchange;
use crate::ledger::{Page, Request};
use crate::people::USERS;
use crate::reply::Reply;

pub(super) fn open(
    exchange: &mut Exchange<'_>,
    request: Option<Request>,
    page: impl FnOnce(&str) -> Reply,
) -> Result<Reply, Broken> {
    let (ticket, now) = (exchange.mint.opaque()?, exchange.now_ms());
    // Another page may be open in the same browser, so its cookie stays.
    let cookie = match cookie(exchange) {
        Some(cookie) => cookie,
        None => exchange.mint.opaque()?,
    };
    let set = format!("{COOKIE}={cookie}; Path=/oauth; HttpOnly; SameSite=Lax");
    exchange.ledger.pages.put(ticket.clone(), Page { cookie, request }, now + OPEN_MS, now);
    Ok(with_text(page(&ticket), header::SET_COOKIE, Some(set)))
}

pub(super) fn returned(exchange: &Exchange<'_>, form: &Form) -> Option<(String, Page)> {
    let ticket = form.get("ticket")?;
    let page = exchange.ledger.pages.see(ticket, exchange.now_ms())?;
    (cookie(exchange)? == page.cookie).then(|| (ticket.to_owned(), page.clone()))
}

pub(super) fn sign_in(ticket: &str, username: &str, error: Option<&str>) -> Reply {
    let form = format!(
        "<h1>Sign in</h1>\n<form method=\"post\" action=\"/oauth/sign_in\">\n{}{}{}\
         <button name=\"answer\" value=\"sign_in\">Sign in</button>\n\
         <button name=\"answer\" value=\"cancel\" formnovalidate>Cancel</button>\n</form>\n{}",
        ticket_field(ticket),
        alert(error),
        credentials(username),
        known_people()
    );
    bare(StatusCode::OK, &form)
}

pub(super) fn device(ticket: &str, user_code: &str, username: &str, error: Option<&str>) -> Reply {
    let form = format!(
        "<h1>Connect a device</h1>\n<p>Is this the code that your device shows?</p>\n\
         <form method=\"post\" action=\"/oauth/device\">\n{}{}\
         <p><label>Code <input name=\"user_code\" value=\"{}\" autocomplete=\"off\" required></label></p>\n{}\
         <button name=\"answer\" value=\"approve\">Connect it</button>\n\
         <button name=\"answer\" value=\"deny\">No, it is not mine</button>\n</form>\n{}",
        ticket_field(ticket),
        alert(error),
        escaped(user_code),
        credentials(username),
        known_people()
    );
    bare(StatusCode::OK, &form)
}

pub(super) fn done(words: &str) -> Reply {
    bare(StatusCode::OK, &format!("<p>{}</p>\n", escaped(words)))
}

pub(super) fn wrong(words: &str) -> Reply {
    bare(
        StatusCode::BAD_REQUEST,
        &format!("<h1>This does not work</h1>\n<p role=\"alert\">{}</p>\n", escaped(words)),
    )
}

pub(super) fn bare(status: StatusCode, body: &str) -> Reply {
    let page = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>Pilotlight sandbox</title>\n\
         <style>body {{ font: 1rem sans-serif; max-width: 24rem; margin: 3rem auto; color-scheme: light dark }}\n\
         input {{ display: block; width: 100%; font: inherit }} [role=alert] {{ color: crimson }}</style>\n\
         </head>\n<body>\n{body}</body>\n</html>\n"
    );
    HEADERS.into_iter().fold(Reply::html(status, page), |reply, (name, value)| {
        reply.with(name, HeaderValue::from_static(value))
    })
}

fn cookie(exchange: &Exchange<'_>) -> Option<String> {
    let cookies = exchange.asked.head.headers.get_all(header::COOKIE);
    let mut pairs = cookies.iter().filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(';'));
    pairs.find_map(|pair| pair.trim().strip_prefix(COOKIE)?.strip_prefix('=').map(str::to_owned)).filter(
        |value| {
            // It is sent back in a header, so it must be one of ours in form at least.
            !value.is_empty()
                && value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
        },
    )
}

fn ticket_field(ticket: &str) -> String {
    format!("<input type=\"hidden\" name=\"ticket\" value=\"{}\">\n", escaped(ticket))
}

fn alert(error: Option<&str>) -> String {
    error.map(|error| format!("<p role=\"alert\">{}</p>\n", escaped(error))).unwrap_or_default()
}

fn credentials(username: &str) -> String {
    format!(
        "<p><label>User name <input name=\"username\" value=\"{}\" autocomplete=\"username\" autofocus></label></p>\n\
         <p><label>Password <input name=\"password\" type=\"password\" autocomplete=\"current-password\"></label></p>\n",
        escaped(username)
    )
}

fn known_people() -> String {
    let people = USERS.map(|(username, password)| format!("{username} / {password}")).join(", ");
    format!("<p><small>People here: {people}</small></p>\n")
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;")
}

pub(super) const WRONG_PASSWORD: &str = "That user name and password do not go together.";
pub(super) const NOT_HERE: &str = "This page is too old, or was not opened here. Start again from the app.";
const COOKIE: &str = "pilotlight_sandbox";
const OPEN_MS: u64 = 10 * 60 * 1_000;
const HEADERS: [(HeaderName, &str); 4] = [
    (header::CACHE_CONTROL, "no-store"),
    (header::REFERRER_POLICY, "no-referrer"),
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
];
