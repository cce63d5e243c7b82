//! The judgements of an answer that do not depend on a recipe.

use alloc::format;
use alloc::string::{String, ToString};
use serde_json::Value;

use super::answer::{Answer, Body};
use crate::bounds;
use crate::reason::Trouble;
use crate::tokens::RefreshToken;
use crate::verdict::{Beat, Verdict};

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

/// Of an answer that is no refusal, because the profile says so.
pub(crate) fn later(status: u16) -> Trouble {
    if status == 429 { Trouble::RateLimited } else { Trouble::Status }
}

pub(crate) fn transient(answer: &Answer<'_>, trouble: Trouble) -> Verdict {
    let status = answer.broken.is_none().then_some(answer.status);
    Verdict::Transient { trouble, status, retry_after: answer.pause() }
}

/// The status shows that the provider did answer, and is in order.
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

/// As it came, blanks included. Some servers make it a number, and zero is none.
pub(crate) fn refresh_token(value: &Value) -> Option<RefreshToken> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) if number.as_f64().is_some_and(|number| number > 0.0) => number.to_string(),
        Value::Array(_) | Value::Bool(_) | Value::Null | Value::Number(_) | Value::Object(_) => return None,
    };
    (!text.trim().is_empty()).then(|| RefreshToken::new(text))
}

pub(crate) fn is_misconfigured(answer: &Answer<'_>, body: &Body) -> bool {
    matches!(answer.status, 404 | 405 | 406 | 410 | 411 | 413 | 414 | 415 | 431)
        || is_about_the_request(answer, body)
}

pub(crate) fn is_about_the_request(answer: &Answer<'_>, body: &Body) -> bool {
    matches!(answer.status, 400 | 401 | 403)
        && error_code(body).is_some_and(|code| {
            matches!(
                code,
                "invalid_client" | "unauthorized_client" | "invalid_scope" | "unsupported_grant_type"
            )
        })
}

/// 419, 440 and 498 are what some frameworks send instead of 401. A 403 with a page comes from a gateway, and any other
/// page may come from a network in between.
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

/// It came over a channel that nothing can intercept, or is the provider's own JSON.
pub(crate) fn is_of_the_provider(answer: &Answer<'_>, body: &Body) -> bool {
    match body {
        Body::Json(_) => true,
        Body::Empty | Body::Garbled | Body::Text => answer.authentic,
        Body::CutShort | Body::Html => false,
    }
}

pub(crate) fn error_code(body: &Body) -> Option<&str> {
    body.json()?.get("error")?.as_str()
}

/// FNV-1a over status, type and body, which is no defence against an attacker.
fn signature(answer: &Answer<'_>) -> u64 {
    let status = answer.status.to_be_bytes();
    let kind = answer.essence().unwrap_or_default();
    let parts = status.iter().chain(kind.as_bytes()).chain(&[0]).chain(answer.body);
    parts.fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

pub(crate) fn words(json: &Value) -> Option<String> {
    let said = WORDS.iter().find_map(|name| sentence(json.get(name)?))?;
    plain(said)
}

/// What the provider says of its refusal, in its own words.
pub fn said(answer: &Answer<'_>) -> Option<String> {
    answer.read().json().and_then(words)
}

/// Short and visible, and nothing in it is long enough to be a token, whatever quotes it stands in: all of it, or the
/// sentences before what cannot be shown. Some add the number of the request, or what they were sent.
pub(crate) fn plain(said: &str) -> Option<String> {
    let shown = &said[..shown(said)];
    if shown.len() == said.len() {
        return Some(said.to_string());
    }
    let sentences = shown.char_indices().rev().find_map(|(at, c)| {
        let rest = &shown[at + c.len_utf8()..];
        let ends = c == '。' || (c == '.' && (rest.is_empty() || rest.starts_with(char::is_whitespace)));
        ends.then(|| &shown[..shown.len() - rest.len()])
    });
    let words = shown.rfind(char::is_whitespace).map(|end| shown[..end].trim_end());
    let kept = [sentences, words].into_iter().flatten().find(|kept| kept.chars().count() >= SENSIBLE)?;
    Some(format!("{kept}…"))
}

/// How much of it can be shown, in bytes.
fn shown(said: &str) -> usize {
    let mut run = None;
    for (count, (at, c)) in said.char_indices().enumerate() {
        let begun = *run.get_or_insert(at);
        if is_invisible(c) {
            return at;
        }
        // What is a secret as a whole is known as a whole.
        if count == bounds::WORDS {
            return begun;
        }
        if !c.is_ascii_graphic() {
            run = None;
        } else if at - begun == bounds::WORD {
            return begun;
        }
    }
    said.len()
}

/// Frameworks also send `{"message": …}`, or a list of texts.
fn sentence(value: &Value) -> Option<&str> {
    match value {
        Value::String(text) => Some(text.trim()).filter(|text| !text.is_empty()),
        Value::Array(list) => list.first().and_then(sentence),
        Value::Object(object) => object.get("message").and_then(sentence),
        Value::Bool(_) | Value::Null | Value::Number(_) => None,
    }
}

/// Control characters, and those that reverse the direction of a text.
pub(crate) fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// With less, nobody knows more, in characters.
const SENSIBLE: usize = 16;

const WORDS: [&str; 8] =
    ["detail", "message", "error_description", "msg", "error", "errors", "non_field_errors", "title"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_is_a_sentence_of_the_answer_or_nothing() {
        let said = |body: &str| said(&Answer::new(400, "", body));
        assert_eq!(
            said(r#"{"error":"x","error_description":"It is over."}"#).as_deref(),
            Some("It is over.")
        );
        assert_eq!(said(r#"{"message":["a is short","b"]}"#).as_deref(), Some("a is short"));
        assert_eq!((said("{}"), said("It is over."), said("<p>x</p>")), (None, None, None));
    }

    #[test]
    fn a_heartbeat_that_is_not_answered_says_why_by_its_status() {
        for (status, trouble) in [
            (200, Trouble::NotJson),
            (204, Trouble::NotJson),
            (302, Trouble::Redirected),
            (404, Trouble::Misconfigured),
            (429, Trouble::RateLimited),
            (503, Trouble::Status),
        ] {
            assert_eq!(silence(status), Beat::Silent { trouble, status: Some(status) });
        }
    }
}
