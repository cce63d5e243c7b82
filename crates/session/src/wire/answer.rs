//! What comes back from a provider, as the adapter hands it over.

use alloc::string::String;
use core::time::Duration;

use crate::limits;
use serde_json::Value;

use super::pointer::Pointer;
use super::salvage::salvage;
use crate::reason::Trouble;

/// An answer, unjudged.
#[derive(Clone, Copy, Debug)]
pub struct Answer<'a> {
    pub status: u16,
    pub content_type: Option<&'a str>,
    /// `Retry-After`, in whichever of its two forms it came.
    pub retry_after: Option<Duration>,
    pub body: &'a [u8],
    /// Why the body ends where it does, if it is not its end.
    pub broken: Option<Trouble>,
    /// Nobody between the provider and us can have written it: it came over TLS, or from loopback.
    pub authentic: bool,
}

/// What is known about time at the receipt of an answer. All of it was said by the provider.
#[derive(Clone, Copy)]
pub struct Clock<'a> {
    /// The `Date` header, in seconds since 1970.
    pub date: Option<i64>,
    /// Reads the times of a JWT; `None` for whatever is none. The core parses no JWT.
    pub jwt: &'a dyn Fn(&str) -> Option<JwtTimes>,
}

/// The times that a JWT says of itself, in seconds since 1970 (RFC 7519, section 4.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct JwtTimes {
    pub exp: Option<i64>,
    pub iat: Option<i64>,
}

/// What a body is, whatever its label says: some servers label JSON as HTML, and portals label HTML as anything.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Body {
    Empty,
    /// JSON that stops in the middle.
    CutShort,
    /// Meant to be JSON, and broken.
    Garbled,
    Html,
    Json(Value),
    /// Neither JSON nor a page.
    Text,
}

impl Answer<'_> {
    pub(crate) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// How long the provider wants to be left alone, as far as that is believed.
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

    /// What a provider has sent under these names where it cannot be read as a whole, if the new refresh token is among
    /// it. A page says nothing, unless nobody else can have written it.
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

    /// The media type in small letters, without its parameters.
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

/// Without the byte order mark that some servers send before their JSON.
fn without_mark(body: &[u8]) -> &[u8] {
    body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body)
}
