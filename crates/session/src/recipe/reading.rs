use alloc::string::String;
use serde_json::Value;

use super::Recipe;
use core::time::Duration;

use crate::reason::Trouble;
use crate::tokens::{AccessToken, Tokens};
use crate::verdict::Verdict;
use crate::wire::answer::{Answer, Body, Clock};
use crate::wire::matching::{one_holds, refuses};
use crate::wire::meaning::{
    error_code, is_about_the_request, is_misconfigured, is_of_the_provider, later, neither_fresh_nor_dead,
    refresh_token, transient, trouble, words,
};
use crate::wire::pointer::Pointer;
use crate::wire::take::{Lives, Take};

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignInRefusal {
    Refused { status: u16, message: Option<String> },
    Trouble { trouble: Trouble, status: Option<u16>, retry_after: Option<Duration>, message: Option<String> },
}

pub(super) fn refresh(recipe: &Recipe, answer: &Answer<'_>, clock: Clock<'_>) -> Verdict {
    let body = answer.read();
    let came = came(recipe, answer, &body, clock).unwrap_or_default();
    if came.access.is_some() {
        return Verdict::Fresh(came);
    }
    let is_later = one_holds(&recipe.refresh.retry, answer, &body);
    let refused = refuses(&recipe.refresh.refused, answer, &body);
    // An error that names our request is not about the token, however wide a recipe's rule is. A bare 404 may be.
    if !is_later && !is_about_the_request(answer, &body) && (refused || is_invalid_grant(answer, &body)) {
        return Verdict::Dead;
    }
    // The token that was sent is spent by now, so the new one is kept whatever stands beside it.
    if came.refresh.is_some() {
        return Verdict::Fresh(came);
    }
    if is_later {
        return transient(answer, later(answer.status));
    }
    neither_fresh_nor_dead(answer, &body)
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
    let is_later = login.is_some_and(|login| one_holds(&login.retry, answer, &body));
    let by_rule = login.is_some_and(|login| refuses(&login.refused, answer, &body));
    // A portal's page is no answer to the question. Any other 401 is, even without a word.
    let by_status = match (status, &body) {
        (_, Body::Html) => status == 401 && answer.authentic,
        (400 | 401 | 403 | 422, Body::Json(_)) => true,
        (400 | 401 | 403 | 422, _) => answer.authentic,
        _ => false,
    };
    if !is_later && (by_rule || by_status) {
        return Err(SignInRefusal::Refused { status, message });
    }
    let trouble = match is_misconfigured(answer, &body) {
        _ if is_later => later(status),
        true => Trouble::Misconfigured,
        false => trouble(answer, &body),
    };
    Err(SignInRefusal::Trouble { trouble, status: Some(status), retry_after: answer.pause(), message })
}

pub(super) fn heartbeat(recipe: &Recipe, answer: &Answer<'_>) -> Option<bool> {
    let probe = recipe.heartbeat.as_ref()?;
    let body = answer.read();
    if body == Body::CutShort {
        return None;
    }
    // A page is good news only from a resource that serves pages, over a connection that no portal can intercept.
    if body == Body::Html {
        return (probe.page && answer.authentic && answer.is_success()).then_some(true);
    }
    if one_holds(&probe.bad, answer, &body) || one_holds(&recipe.rejects, answer, &body) {
        return Some(false);
    }
    if !is_of_the_provider(answer, &body) {
        return None;
    }
    match answer.status {
        200..300 => Some(true),
        // The question is wrong or comes at a bad time, which says nothing about the token.
        404 | 405 | 407 | 408 | 410 | 425 | 429 | 451 => None,
        400..500 => body.json().map(|_| false),
        _ => None,
    }
}

fn came(recipe: &Recipe, answer: &Answer<'_>, body: &Body, clock: Clock<'_>) -> Option<Tokens> {
    let take = &recipe.refresh.take;
    if let Some(json) = body.json() {
        return answer.is_success().then(|| tokens(recipe, take, json, clock));
    }
    let left = answer.salvage(take.refresh_token.as_ref()?, &take.places())?;
    Some(tokens(recipe, take, &left, clock))
}

fn tokens(recipe: &Recipe, take: &Take, json: &Value, clock: Clock<'_>) -> Tokens {
    let text = |pointer: &Option<Pointer>| {
        let text = pointer.as_ref()?.find(json)?.as_str()?.trim();
        (!text.is_empty()).then_some(text)
    };
    let access = text(&take.access_token)
        .map(|token| without_scheme(&recipe.authorization.scheme, token))
        .filter(|token| token.bytes().all(|byte| byte.is_ascii_graphic()));
    let refresh = take.refresh_token.as_ref().and_then(|at| at.find(json)).and_then(refresh_token);
    let Lives { lifetime, refresh_life, odd } = take.lives(json, access, refresh.as_ref(), clock);
    Tokens { access: access.map(AccessToken::new), lifetime, refresh_life, refresh, odd }
}

/// Some servers hand out the whole value of the header.
fn without_scheme<'a>(scheme: &str, token: &'a str) -> &'a str {
    match token.split_once(' ') {
        Some((word, rest)) if !scheme.is_empty() && word.eq_ignore_ascii_case(scheme) => rest.trim_start(),
        _ => token,
    }
}

/// This refusal has a standard (RFC 6749, section 5.2), so it needs no rule.
fn is_invalid_grant(answer: &Answer<'_>, body: &Body) -> bool {
    matches!(answer.status, 400 | 401) && error_code(body) == Some("invalid_grant")
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::time::Duration;

    fn read(status: u16, kind: &str, body: &str, retry_after: Option<Duration>) -> Verdict {
        let answer = Answer { retry_after, authentic: false, ..Answer::new(status, kind, body) };
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

    /// Row D5.
    #[test]
    fn retry_after_is_honoured_up_to_an_hour() {
        for (asked, honoured) in [(60, 60), (3600, 3600), (u64::MAX, 3600)] {
            let verdict = read(503, "text/html", "", Some(Duration::from_secs(asked)));
            let Verdict::Transient { retry_after, .. } = verdict else { panic!("{verdict:?}") };
            assert_eq!(retry_after, Some(Duration::from_secs(honoured)));
        }
    }
}
