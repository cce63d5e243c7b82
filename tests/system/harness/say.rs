//! What a provider can be told to answer, and how the keeper has to say what is wrong.

use api::Failure;
use api::words::{Language, Words};
use serde_json::{Value, json};

use super::signer::Forged;

/// An answer.
#[derive(Clone, Debug)]
pub(crate) enum Say {
    /// Status, content type, and what stands in the body.
    Body(u16, &'static str, Vec<u8>),
    /// 401, with that in `WWW-Authenticate`.
    Challenge(&'static str),
    /// Promises more than it brings.
    CutShort(Value),
    /// As long as the issuer lives.
    Hang,
    HangUp,
    /// Good tokens in an answer that is not.
    Mangled(Mangled),
    /// A redirect to there.
    Redirect(String),
    Tokens(Box<Given>),
    /// 429, with so many seconds.
    TooMany(u64),
}

/// What is wrong around good tokens.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Mangled {
    /// Header lines, each with its end.
    pub(crate) head: &'static str,
    pub(crate) before: &'static [u8],
    pub(crate) after: &'static [u8],
    /// So many bytes are promised and never come.
    pub(crate) missing: usize,
}

/// Tokens, with changes: a field that is `null` is left out.
#[derive(Clone, Debug, Default)]
pub(crate) struct Given {
    pub(crate) fields: Value,
    pub(crate) claims: Value,
    pub(crate) header: Value,
    pub(crate) forged: Forged,
}

impl Say {
    pub(crate) fn json(status: u16, body: &Value) -> Self {
        Self::Body(status, "application/json", body.to_string().into_bytes())
    }

    /// RFC 6749, section 5.2.
    pub(crate) fn error(status: u16, code: &str) -> Self {
        Self::json(status, &json!({"error": code}))
    }

    pub(crate) fn page(status: u16) -> Self {
        Self::Body(status, "text/html", b"<!doctype html><title>Welcome to the hotel</title>".to_vec())
    }

    pub(crate) fn tokens(fields: Value) -> Self {
        Self::Tokens(Box::new(Given { fields, ..Given::default() }))
    }

    pub(crate) fn claims(claims: Value) -> Self {
        Self::Tokens(Box::new(Given { claims, ..Given::default() }))
    }

    pub(crate) fn header(header: Value) -> Self {
        Self::Tokens(Box::new(Given { header, ..Given::default() }))
    }

    pub(crate) fn forged(forged: Forged) -> Self {
        Self::Tokens(Box::new(Given { forged, ..Given::default() }))
    }
}

/// What exactly is wrong, and what to do, are words that both languages have sentences for.
pub(crate) fn is_in_words(failure: &Failure) {
    for group in ["problem", "hint"] {
        let Some(word) = failure.details.get(group) else { continue };
        for language in [Language::English, Language::Chinese] {
            assert!(Words::of(language).known(&format!("{group}.{word}"), &[]).is_some(), "{failure:?}");
        }
    }
}

/// The sentence and the next step are there in both languages, and have no holes.
pub(crate) fn can_be_read(failure: &Failure) {
    for language in [Language::English, Language::Chinese] {
        let (say, next) = Words::of(language).say(failure);
        for text in [&say, &next] {
            let code = failure.code.key();
            assert!(!text.is_empty() && *text != code, "{code} has no words");
            let hole =
                ["{", "}", "()", "（）", "  ", ": .", "：。"].into_iter().find(|hole| text.contains(hole));
            assert_eq!(hole, None, "{text}");
            assert!(!text.chars().any(char::is_control), "{text:?}");
        }
    }
}
