use url::{Host, Url};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Client {
    /// A native app: public, with nothing to keep secret in.
    Pilotlight,
    /// A server: confidential, and asks for itself.
    Service,
}

impl Client {
    pub(crate) fn id(self) -> &'static str {
        match self {
            Self::Pilotlight => "pilotlight",
            Self::Service => "pilotlight-service",
        }
    }

    pub(crate) fn named(id: &str) -> Option<Self> {
        [Self::Pilotlight, Self::Service].into_iter().find(|client| client.id() == id)
    }

    /// Whether the address is a loopback one (RFC 8252), with any port, at `/callback` or below it.
    pub(crate) fn redirects_to(self, uri: &str, localhost_too: bool) -> bool {
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

    pub(crate) fn secret(self) -> Option<&'static str> {
        match self {
            Self::Pilotlight => None,
            Self::Service => Some("sandbox-secret"),
        }
    }
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
}
