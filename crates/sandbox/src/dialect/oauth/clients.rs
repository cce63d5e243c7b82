//! Who may ask for tokens, how a client shows which one it is, and what it may ask for.

use std::fmt;

use axum::http::{HeaderMap, StatusCode, header};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use url::{Host, Url};

use super::form::Form;
use super::refusal::Refusal;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Client {
    /// A native app: public, with nothing to keep secret in.
    Pilotlight,
    /// A server: confidential, and asks for itself.
    Service,
}

/// In the order in which they were asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Scopes(Vec<&'static str>);

impl Client {
    pub(super) fn id(self) -> &'static str {
        match self {
            Self::Pilotlight => "pilotlight",
            Self::Service => "pilotlight-service",
        }
    }

    pub(super) fn named(id: &str) -> Option<Self> {
        [Self::Pilotlight, Self::Service].into_iter().find(|client| client.id() == id)
    }

    /// Finds out who asks, by HTTP Basic or by the form.
    pub(super) fn authenticated(headers: &HeaderMap, form: &Form) -> Result<Self, Refusal> {
        let (id, secret) = match headers.get(header::AUTHORIZATION) {
            Some(value) => {
                let (id, secret) = basic(value.as_bytes()).ok_or_else(stranger)?;
                if form.get("client_secret").is_some() || form.get("client_id").is_some_and(|it| it != id) {
                    return Err(Refusal::invalid_request("the client is named in two ways"));
                }
                (id, Some(secret))
            }
            None => {
                let id = form.get("client_id").ok_or_else(stranger)?;
                (id.to_owned(), form.get("client_secret").map(str::to_owned))
            }
        };
        let client = Self::named(&id).ok_or_else(stranger)?;
        if secret.as_deref() == client.secret() { Ok(client) } else { Err(stranger()) }
    }

    /// Whether the client registered that address: a loopback one, with any port (RFC 8252), at `/callback` or
    /// below it.
    pub(super) fn redirects_to(self, uri: &str, localhost_too: bool) -> bool {
        let Ok(url) = Url::parse(uri) else { return false };
        let is_here = match url.host() {
            Some(Host::Ipv4(ip)) => ip == std::net::Ipv4Addr::LOCALHOST,
            Some(Host::Ipv6(ip)) => ip == std::net::Ipv6Addr::LOCALHOST,
            Some(Host::Domain(name)) => localhost_too && name == "localhost",
            None => false,
        };
        let is_plain = url.scheme() == "http"
            && url.username().is_empty()
            && url.password().is_none()
            && url.query().is_none()
            && url.fragment().is_none();
        let path = url.path();
        self == Self::Pilotlight
            && is_here
            && is_plain
            && (path == "/callback" || path.starts_with("/callback/"))
    }

    fn secret(self) -> Option<&'static str> {
        match self {
            Self::Pilotlight => None,
            Self::Service => Some("sandbox-secret"),
        }
    }
}

impl Scopes {
    pub(super) const KNOWN: [&'static str; 6] =
        ["openid", "profile", "email", "offline_access", "api", "reports"];

    pub(super) fn parse(asked: &str) -> Option<Self> {
        let mut scopes = Vec::new();
        for name in asked.split(' ').filter(|name| !name.is_empty()) {
            let known = Self::KNOWN.into_iter().find(|known| *known == name)?;
            if !scopes.contains(&known) {
                scopes.push(known);
            }
        }
        Some(Self(scopes))
    }

    /// What a form asks for, and what it gets if it says nothing.
    pub(super) fn asked(form: &Form) -> Result<Self, Refusal> {
        let scopes = Self::parse(form.get("scope").unwrap_or("api"));
        scopes.ok_or_else(|| Refusal::bad("invalid_scope", "there is no such scope"))
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.0.contains(&name)
    }

    pub(super) fn covers(&self, other: &Self) -> bool {
        other.0.iter().all(|name| self.has(name))
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0.join(" "))
    }
}

fn basic(value: &[u8]) -> Option<(String, String)> {
    let (scheme, coded) = std::str::from_utf8(value).ok()?.split_once(' ')?;
    let decoded =
        BASE64_STANDARD.decode(coded.trim()).ok().filter(|_| scheme.eq_ignore_ascii_case("basic"))?;
    let decoded = String::from_utf8(decoded).ok()?;
    let (id, secret) = decoded.split_once(':')?;
    // Both halves are written as in a form (RFC 6749, 2.3.1).
    let plain = |half: &str| {
        let pair = format!("={half}");
        url::form_urlencoded::parse(pair.as_bytes()).next().map(|(_, value)| value.into_owned())
    };
    Some((plain(id)?, plain(secret)?))
}

fn stranger() -> Refusal {
    Refusal::new(StatusCode::UNAUTHORIZED, "invalid_client", "client authentication failed")
        .challenging("Basic realm=\"sandbox\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redirects_go_to_loopback_only() {
        let goes = |uri: &str, localhost| Client::Pilotlight.redirects_to(uri, localhost);
        for good in
            ["http://127.0.0.1:5/callback", "http://[::1]:65000/callback", "http://127.0.0.1/callback/x9"]
        {
            assert!(goes(good, false), "{good}");
        }
        let bad = [
            "http://localhost:5/callback",
            "http://127.0.0.1:5/other",
            "http://127.0.0.1:5/callbacks",
            "http://127.0.0.2:5/callback",
            "https://127.0.0.1:5/callback",
            "http://127.0.0.1.evil.test/callback",
            "http://127.0.0.1:5@evil.test/callback",
            "http://evil@127.0.0.1:5/callback",
            "http://127.0.0.1:5/callback?x=1",
            "http://127.0.0.1:5/callback#x",
            "app:/callback",
            "",
        ];
        for bad in bad {
            assert!(!goes(bad, false), "{bad}");
        }
        assert!(goes("http://localhost:5/callback", true) && !goes("http://localhosts:5/callback", true));
        assert!(!Client::Service.redirects_to("http://127.0.0.1:5/callback", true));
    }

    #[test]
    fn scopes_are_known_or_refused() {
        let scopes = Scopes::parse("openid api openid").unwrap();
        assert_eq!(scopes.to_string(), "openid api");
        assert_eq!(Scopes::parse("openid everything"), None);
        assert!(scopes.covers(&Scopes::parse("api").unwrap()) && !scopes.has("reports"));
        assert!(!Scopes::parse("api").unwrap().covers(&scopes));
    }
}
