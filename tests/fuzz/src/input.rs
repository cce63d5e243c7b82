//! How the bytes of an input become what a parser is given: some lines first, so that people can read and write a corpus.

use std::borrow::Cow;
use std::fmt::Debug;

use session::reason::Trouble;
use session::wire::answer::{Answer, Clock};
use session::wire::jwt;

use crate::CANARY;

pub(crate) fn text(input: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(input)
}

/// The first line, and what follows.
pub(crate) fn line(input: &[u8]) -> (Cow<'_, str>, &[u8]) {
    let end = input.iter().position(|byte| *byte == b'\n').unwrap_or(input.len());
    (text(&input[..end]), input.get(end + 1..).unwrap_or_default())
}

/// An answer as its first line has it, such as `200 application/json broken authentic`, and its body.
pub(crate) struct Written<'a> {
    pub(crate) status: u16,
    pub(crate) kind: Option<String>,
    pub(crate) is_broken: bool,
    pub(crate) is_authentic: bool,
    pub(crate) body: &'a [u8],
}

impl<'a> Written<'a> {
    pub(crate) fn read(input: &'a [u8]) -> Self {
        let (first, body) = line(input);
        let mut words = first.split(' ');
        let status = words.next().and_then(|status| status.parse().ok());
        let kind = words.next().filter(|kind| !kind.is_empty()).map(str::to_owned);
        let words: Vec<_> = words.collect();
        Self {
            status: status.filter(|status| (100..1000).contains(status)).unwrap_or(200),
            kind,
            is_broken: words.contains(&"broken"),
            is_authentic: words.contains(&"authentic"),
            body,
        }
    }

    pub(crate) fn answer(&self) -> Answer<'_> {
        Answer {
            broken: self.is_broken.then_some(Trouble::CutShort),
            authentic: self.is_authentic,
            ..Answer::new(self.status, self.kind.as_deref().unwrap_or_default(), self.body)
        }
    }

    pub(crate) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    pub(crate) fn json(&self) -> Option<serde_json::Value> {
        let body = self.body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(self.body);
        serde_json::from_slice(body).ok().filter(|_| !self.is_broken)
    }

    /// A portal's page, from which nothing is taken.
    pub(crate) fn may_be_a_page(&self) -> bool {
        let labelled = self.kind.as_ref().is_some_and(|kind| kind.to_lowercase().contains("html"));
        let body = self.body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(self.body);
        labelled || body.trim_ascii_start().starts_with(b"<")
    }
}

pub(crate) fn clock() -> Clock<'static> {
    Clock { date: Some(NOW), jwt: &jwt::times }
}

pub(crate) const NOW: i64 = 1_795_224_656;

/// In nothing that could be logged or shown is a secret.
pub(crate) fn assert_silent(said: &impl Debug) {
    let said = format!("{said:?}");
    assert!(!said.contains(CANARY), "a secret is told: {said}");
}

/// What a person is shown has nothing in it that turns a text around or hides: `Bidi_Control` of Unicode, and controls.
pub(crate) fn assert_showable(text: &str) {
    let turns = |c: char| matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    assert!(!text.chars().any(|c| turns(c) || c.is_control()), "{text:?} is shown");
}
