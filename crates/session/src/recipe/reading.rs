//! What answers mean.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use serde_json::Value;

use super::answer::{Answer, Body, Clock, SignInRefusal};
use super::{Pointer, Recipe, Take, lifetime};
use crate::event::Beat;
use crate::reason::Trouble;
use crate::tokens::{AccessToken, RefreshToken, Tokens};
use crate::verdict::Verdict;

pub(super) fn refresh(recipe: &Recipe, answer: &Answer<'_>, clock: Clock<'_>) -> Verdict {
    let body = answer.read();
    let came = came(recipe, answer, &body, clock).unwrap_or_default();
    if came.access.is_some() {
        return Verdict::Fresh(came);
    }
    let refused = recipe.refresh.refused.iter().any(|rule| {
        rule.holds_of(answer, &body) && (rule.looks_inside() || is_of_the_provider(answer, &body))
    });
    // What names our request is not about the token, however wide a recipe's rule is. A bare 404 may be about it.
    if !is_about_the_request(answer, &body) && (refused || is_invalid_grant(answer, &body)) {
        return Verdict::Dead;
    }
    // The one that was sent is spent by now, so the new one is kept whatever stands beside it.
    if came.refresh.is_some() {
        return Verdict::Fresh(came);
    }
    neither_fresh_nor_dead(answer, &body)
}

/// What is left to be judged when an answer brings no tokens and no refusal that names the token.
pub(crate) fn neither_fresh_nor_dead(answer: &Answer<'_>, body: &Body) -> Verdict {
    if is_misconfigured(answer, body) {
        return Verdict::Misconfigured { trouble: Trouble::Misconfigured, status: Some(answer.status) };
    }
    if is_suspect(answer, body) {
        return suspect(answer, body);
    }
    transient(answer, trouble(answer, body))
}

pub(crate) fn suspect(answer: &Answer<'_>, body: &Body) -> Verdict {
    let authentic = answer.authentic || body.json().is_some_and(Value::is_object);
    Verdict::Suspect { status: answer.status, signature: signature(answer), authentic }
}

pub(crate) fn transient(answer: &Answer<'_>, trouble: Trouble) -> Verdict {
    let status = answer.broken.is_none().then_some(answer.status);
    Verdict::Transient { trouble, status, retry_after: answer.pause() }
}

pub(super) fn sign_in(
    recipe: &Recipe,
    answer: &Answer<'_>,
    clock: Clock<'_>,
) -> Result<Tokens, SignInRefusal> {
    let body = answer.read();
    let login = recipe.login.as_ref();
    if answer.is_success()
        && let (Some(json), Some(login)) = (body.json(), login)
    {
        let tokens = tokens(recipe, &login.take, json, clock);
        if tokens.access.is_some() || tokens.refresh.is_some() {
            return Ok(tokens);
        }
    }
    let message = body.json().and_then(words);
    let status = answer.status;
    let by_rule = login.is_some_and(|login| login.refused.iter().any(|rule| rule.holds_of(answer, &body)));
    // A portal's page never answers the question. Anyone else's 401 to a password does, even without a word.
    let by_status = match (status, &body) {
        (_, Body::Html) => status == 401 && answer.authentic,
        (400 | 401 | 403 | 422, Body::Json(_)) => true,
        (400 | 401 | 403 | 422, _) => answer.authentic,
        _ => false,
    };
    if by_rule || by_status {
        return Err(SignInRefusal::Refused { status, message });
    }
    let trouble =
        if is_misconfigured(answer, &body) { Trouble::Misconfigured } else { trouble(answer, &body) };
    Err(SignInRefusal::Trouble { trouble, status: Some(status), retry_after: answer.pause(), message })
}

/// A provider's "no" counts, a network's page does not.
pub(super) fn heartbeat(recipe: &Recipe, answer: &Answer<'_>) -> Option<bool> {
    let probe = recipe.heartbeat.as_ref()?;
    let body = answer.read();
    if body == Body::CutShort {
        return None;
    }
    // A page is good news only from a resource that serves pages, over a connection that no portal can sit on.
    if body == Body::Html {
        return (probe.page && answer.authentic && answer.is_success()).then_some(true);
    }
    let holds = |rule: &super::Match| rule.holds_of(answer, &body);
    if probe.bad.iter().any(holds) || recipe.rejects.iter().any(holds) {
        return Some(false);
    }
    if !is_of_the_provider(answer, &body) {
        return None;
    }
    match answer.status {
        200..300 => Some(true),
        // The question is wrong, or comes at a bad time; that says nothing about the token.
        404 | 405 | 407 | 408 | 410 | 425 | 429 | 451 => None,
        400..500 => body.json().map(|_| false),
        _ => None,
    }
}

/// A heartbeat was answered, and the answer says nothing of the token. Its status is there, which sets it apart from no
/// answer at all: whoever answers is not out of order.
pub fn silence(status: u16) -> Beat {
    let trouble = match status {
        429 => Trouble::RateLimited,
        200..300 => Trouble::NotJson,
        300..400 => Trouble::Redirected,
        400..500 => Trouble::Misconfigured,
        _ => Trouble::Status,
    };
    Beat::Silent { trouble, status: Some(status) }
}

/// What a refresh brings, though its answer can be read only in part.
fn came(recipe: &Recipe, answer: &Answer<'_>, body: &Body, clock: Clock<'_>) -> Option<Tokens> {
    let take = &recipe.refresh.take;
    if let Some(json) = body.json() {
        return answer.is_success().then(|| tokens(recipe, take, json, clock));
    }
    let places =
        [take.access_token.as_ref(), take.refresh_token.as_ref(), take.lifetime.as_ref().map(|l| &l.at)];
    let places: Vec<&Pointer> = places.into_iter().flatten().collect();
    let left = answer.salvage(take.refresh_token.as_ref()?, &places)?;
    Some(tokens(recipe, take, &left, clock))
}

/// As it came, blanks included: it goes back to who has made it.
pub(crate) fn refresh_token(value: &Value) -> Option<RefreshToken> {
    value.as_str().filter(|text| !text.trim().is_empty()).map(RefreshToken::new)
}

fn tokens(recipe: &Recipe, take: &Take, json: &Value, clock: Clock<'_>) -> Tokens {
    let text = |pointer: &Option<super::Pointer>| {
        let text = pointer.as_ref()?.find(json)?.as_str()?.trim();
        (!text.is_empty()).then_some(text)
    };
    let access = text(&take.access_token)
        .map(|token| without_scheme(&recipe.authorization.scheme, token))
        .filter(|token| token.bytes().all(|byte| byte.is_ascii_graphic()));
    Tokens {
        access: access.map(AccessToken::new),
        lifetime: access.and_then(|token| lifetime::of(take.lifetime.as_ref(), json, token, clock)),
        refresh: take.refresh_token.as_ref().and_then(|at| at.find(json)).and_then(refresh_token),
        odd: None,
    }
}

/// Some servers hand out the header's whole value, scheme and all.
fn without_scheme<'a>(scheme: &str, token: &'a str) -> &'a str {
    match token.split_once(' ') {
        Some((word, rest)) if !scheme.is_empty() && word.eq_ignore_ascii_case(scheme) => rest.trim_start(),
        _ => token,
    }
}

/// The one refusal that has a standard (RFC 6749, section 5.2) means the same wherever it is said.
fn is_invalid_grant(answer: &Answer<'_>, body: &Body) -> bool {
    matches!(answer.status, 400 | 401) && error_code(body) == Some("invalid_grant")
}

/// It is our request that is wrong, not the token.
pub(crate) fn is_misconfigured(answer: &Answer<'_>, body: &Body) -> bool {
    matches!(answer.status, 404 | 405 | 406 | 410 | 411 | 413 | 414 | 415 | 431)
        || is_about_the_request(answer, body)
}

/// It says so in the words of the standard.
fn is_about_the_request(answer: &Answer<'_>, body: &Body) -> bool {
    matches!(answer.status, 400 | 401 | 403)
        && error_code(body).is_some_and(|code| {
            matches!(
                code,
                "invalid_client" | "unauthorized_client" | "invalid_scope" | "unsupported_grant_type"
            )
        })
}

/// A refusal in which nothing is recognisable. 419, 440 and 498 are what some frameworks have instead of 401.
///
/// A 403 with a page is a gateway's and says nothing of the token; neither does any page from a network in between.
fn is_suspect(answer: &Answer<'_>, body: &Body) -> bool {
    match answer.status {
        403 => *body != Body::Html,
        400 | 401 | 419 | 422 | 440 | 498 => *body != Body::Html || answer.authentic,
        _ => false,
    }
}

pub(crate) fn trouble(answer: &Answer<'_>, body: &Body) -> Trouble {
    match answer.status {
        429 => Trouble::RateLimited,
        _ if answer.is_redirect() => Trouble::Redirected,
        511 => Trouble::NotJson,
        500.. => Trouble::Status,
        _ => match body {
            Body::CutShort => answer.broken.unwrap_or(Trouble::CutShort),
            Body::Garbled if answer.is_success() => Trouble::Garbled,
            Body::Html => Trouble::NotJson,
            Body::Text if answer.is_success() => Trouble::NotJson,
            Body::Empty | Body::Json(_) if answer.is_success() => Trouble::Unreadable,
            Body::Empty | Body::Garbled | Body::Json(_) | Body::Text => Trouble::Status,
        },
    }
}

/// Nothing in between could have made this up: it came over a channel of its own, or it is the provider's own JSON.
fn is_of_the_provider(answer: &Answer<'_>, body: &Body) -> bool {
    match body {
        Body::Json(_) => true,
        Body::Empty | Body::Garbled | Body::Text => answer.authentic,
        Body::CutShort | Body::Html => false,
    }
}

fn error_code(body: &Body) -> Option<&str> {
    body.json()?.get("error")?.as_str()
}

/// Equal for equal answers: FNV-1a over status, type and body. It is no defence against anyone, and need not be.
fn signature(answer: &Answer<'_>) -> u64 {
    let status = answer.status.to_be_bytes();
    let kind = answer.essence().unwrap_or_default();
    let parts = status.iter().chain(kind.as_bytes()).chain(&[0]).chain(answer.body);
    parts.fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// The provider's own words for people, when they are short and plain. What could be a token is not passed on.
fn words(json: &Value) -> Option<String> {
    let said = WORDS.iter().find_map(|name| sentence(json.get(name)?))?;
    plain(said)
}

/// Short, visible, and without anything that could be a token.
pub(crate) fn plain(said: &str) -> Option<String> {
    let plain = said.chars().count() <= LONGEST_WORDS
        && !said.chars().any(is_invisible)
        && said
            .split_whitespace()
            .all(|word| word.is_ascii() && word.len() <= LONGEST_WORD || !word.is_ascii());
    plain.then(|| said.to_string())
}

/// A text, the first text of a list, or the text of `{"message": …}`, which is how frameworks say it.
fn sentence(value: &Value) -> Option<&str> {
    match value {
        Value::String(text) => Some(text.trim()).filter(|text| !text.is_empty()),
        Value::Array(list) => list.first().and_then(sentence),
        Value::Object(object) => object.get("message").and_then(sentence),
        Value::Bool(_) | Value::Null | Value::Number(_) => None,
    }
}

/// Control characters, and those that turn the direction of a text around.
pub(crate) fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

const WORDS: [&str; 8] =
    ["detail", "message", "error_description", "msg", "error", "errors", "non_field_errors", "title"];

const LONGEST_WORDS: usize = 200;

const LONGEST_WORD: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;
    use core::time::Duration;

    fn read(status: u16, kind: &str, body: &str, retry_after: Option<Duration>) -> Verdict {
        let body = body.as_bytes();
        let answer =
            Answer { status, content_type: Some(kind), retry_after, body, broken: None, authentic: false };
        let recipe = Recipe::preset("simplejwt").unwrap();
        recipe.read_refresh(&answer, Clock { date: None, jwt: &|_| None })
    }

    #[test]
    fn the_same_refusal_has_the_same_signature() {
        let signature = |status, kind, body| {
            let verdict = read(status, kind, body, None);
            let Verdict::Suspect { signature, authentic, .. } = verdict else { panic!("{verdict:?}") };
            (signature, authentic)
        };
        const JSON: &str = "application/json";
        assert_eq!(signature(401, JSON, "{}"), signature(401, "Application/JSON; charset=utf-8", "{}"));
        assert_ne!(signature(401, JSON, "{}"), signature(400, JSON, "{}"));
        assert_ne!(signature(401, JSON, "{}"), signature(401, "text/plain", "{}"));
        assert_ne!(signature(401, JSON, "{}"), signature(401, JSON, r#"{"a":1}"#));
        assert!(signature(401, JSON, "{}").1, "the provider's own JSON");
        assert!(!signature(401, JSON, "").1, "anybody on the way can send nothing");
    }

    /// FAILURES D5.
    #[test]
    fn retry_after_is_honoured_up_to_an_hour() {
        for (asked, honoured) in [(60, 60), (3600, 3600), (u64::MAX, 3600)] {
            let verdict = read(503, "text/html", "", Some(Duration::from_secs(asked)));
            let Verdict::Transient { retry_after, .. } = verdict else { panic!("{verdict:?}") };
            assert_eq!(retry_after, Some(Duration::from_secs(honoured)));
        }
    }
}
