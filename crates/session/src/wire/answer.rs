use alloc::collections::BTreeMap;
use alloc::string::String;
use core::time::Duration;

use crate::limits;
use serde_json::Value;

use super::pointer::Pointer;
use super::salvage::salvage;
use crate::reason::Trouble;

/// What came back for a [`Message`](super::message::Message), as far as it came.
#[derive(Clone, Copy, Debug)]
pub struct Answer<'a> {
    pub status: u16,
    pub content_type: Option<&'a str>,
    /// By their names in small letters.
    pub headers: &'a BTreeMap<String, String>,
    /// As the provider asks, without a limit: see [`Answer::pause`].
    pub retry_after: Option<Duration>,
    pub body: &'a [u8],
    /// Why there is no more of it.
    pub broken: Option<Trouble>,
    /// It came over TLS or from loopback, so nothing in between wrote it.
    pub authentic: bool,
}

/// What the provider says of the time, in seconds since 1970.
#[derive(Clone, Copy)]
pub struct Clock<'a> {
    pub date: Option<i64>,
    /// `None` for what is no JWT: [`jwt::times`](super::jwt::times).
    pub jwt: &'a dyn Fn(&str) -> Option<JwtTimes>,
}

/// In seconds since 1970 (RFC 7519, section 4.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct JwtTimes {
    pub exp: Option<i64>,
    pub iat: Option<i64>,
}

/// Judged by its content: some servers label JSON as HTML, and portals label HTML as anything.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Body {
    Empty,
    CutShort,
    Garbled,
    Html,
    Json(Value),
    Text,
}

static NO_HEADERS: BTreeMap<String, String> = BTreeMap::new();

impl<'a> Answer<'a> {
    /// Whole and authentic, without headers. An empty `content_type` is none.
    pub fn new(status: u16, content_type: &'a str, body: &'a (impl AsRef<[u8]> + ?Sized)) -> Self {
        Self {
            status,
            content_type: Some(content_type).filter(|kind| !kind.is_empty()),
            headers: &NO_HEADERS,
            retry_after: None,
            body: body.as_ref(),
            broken: None,
            authentic: true,
        }
    }
}

impl Answer<'_> {
    pub(crate) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    pub fn pause(&self) -> Option<Duration> {
        self.retry_after.map(|wait| wait.min(limits::RETRY_AFTER))
    }

    pub(crate) fn is_redirect(&self) -> bool {
        (300..400).contains(&self.status)
    }

    pub(crate) fn read(&self) -> Body {
        if self.broken.is_some() {
            return Body::CutShort;
        }
        let body = without_mark(self.body);
        if body.iter().all(u8::is_ascii_whitespace) {
            return Body::Empty;
        }
        match serde_json::from_slice(body) {
            Ok(json) => Body::Json(json),
            Err(_) if body.trim_ascii_start().starts_with(b"<") => Body::Html,
            Err(error) if error.is_eof() => Body::CutShort,
            Err(_) if self.essence().is_some_and(|kind| kind.contains("html")) => Body::Html,
            Err(_) if self.is_meant_as_json(body) => Body::Garbled,
            Err(_) => Body::Text,
        }
    }

    /// What can be found in an unreadable answer, if the new refresh token is among it.
    pub(crate) fn salvage(&self, refresh: &Pointer, places: &[&Pointer]) -> Option<Value> {
        let readable = matches!(self.read(), Body::Json(_) | Body::Empty);
        if readable || !self.is_success() || (self.read() == Body::Html && !self.authentic) {
            return None;
        }
        let left = salvage(self.body, places);
        refresh.find(&left).is_some().then_some(left)
    }

    fn is_meant_as_json(&self, body: &[u8]) -> bool {
        let labelled = self.essence().is_some_and(|kind| kind.ends_with("/json") || kind.ends_with("+json"));
        labelled || matches!(body.trim_ascii_start().first(), Some(b'{' | b'['))
    }

    pub(crate) fn essence(&self) -> Option<String> {
        let kind = self.content_type?.split(';').next()?.trim();
        Some(kind.to_ascii_lowercase())
    }
}

impl Body {
    pub(crate) fn json(&self) -> Option<&Value> {
        if let Self::Json(json) = self { Some(json) } else { None }
    }
}

/// Some servers send a byte order mark before their JSON.
fn without_mark(body: &[u8]) -> &[u8] {
    body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body)
}
