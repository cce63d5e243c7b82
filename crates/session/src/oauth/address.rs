//! Addresses that tokens and passwords are sent to. What two parsers could read differently is refused.

use alloc::format;
use alloc::string::String;
use core::net::{Ipv4Addr, Ipv6Addr};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Address<'a> {
    pub(super) https: bool,
    /// Without the port; an IPv6 address keeps its brackets.
    pub(super) host: &'a str,
    pub(super) port: Option<u16>,
    pub(super) rest: &'a str,
}

impl<'a> Address<'a> {
    pub(super) fn read(url: &'a str) -> Option<Self> {
        if !url.bytes().all(|byte| byte.is_ascii_graphic() && !b"\\\"<>`".contains(&byte)) {
            return None;
        }
        let (scheme, after) = url.split_once("://")?;
        let https = scheme.eq_ignore_ascii_case("https");
        if !https && !scheme.eq_ignore_ascii_case("http") {
            return None;
        }
        let (authority, rest) = after.split_at(after.find(['/', '?', '#']).unwrap_or(after.len()));
        let host_end = match authority.strip_prefix('[') {
            Some(inside) => inside.find(']')? + 2,
            None => authority.find(':').unwrap_or(authority.len()),
        };
        let (host, port) = authority.split_at(host_end);
        let port = match port.strip_prefix(':') {
            None if port.is_empty() => None,
            Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => Some(digits.parse().ok()?),
            _ => return None,
        };
        is_host(host).then_some(Self { https, host, port, rest })
    }

    pub(super) fn is_safe(&self, allow_http: bool) -> bool {
        self.https || allow_http || self.is_loopback()
    }

    pub(super) fn is_loopback(&self) -> bool {
        if let Some(inside) = self.host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
            return inside.parse::<Ipv6Addr>().is_ok_and(|address| address.is_loopback());
        }
        self.host.eq_ignore_ascii_case("localhost")
            || self.host.parse::<Ipv4Addr>().is_ok_and(|address| address.is_loopback())
    }

    /// Scheme, host in small letters and port, without the default port.
    pub(super) fn origin(&self) -> String {
        let (scheme, default) = if self.https { ("https", 443) } else { ("http", 80) };
        let host = self.host.to_ascii_lowercase();
        match self.port {
            Some(port) if port != default => format!("{scheme}://{host}:{port}"),
            _ => format!("{scheme}://{host}"),
        }
    }

    pub(super) fn path(&self) -> &'a str {
        self.rest.split(['?', '#']).next().unwrap_or_default()
    }

    pub(super) fn has_query(&self) -> bool {
        self.rest.split('#').next().is_some_and(|rest| rest.contains('?'))
    }

    pub(super) fn has_fragment(&self) -> bool {
        self.rest.contains('#')
    }
}

/// Neither a user name nor percent signs belong into the address of an endpoint.
fn is_host(host: &str) -> bool {
    if let Some(inside) = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        return inside.parse::<Ipv6Addr>().is_ok();
    }
    let is_name = host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte));
    !host.is_empty() && is_name && (!ends_in_number(host) || host.parse::<Ipv4Addr>().is_ok())
}

/// Browsers and libraries take `127.1` and `0x7f.1` for addresses, and others for names (URL Standard, section 3.5).
fn ends_in_number(host: &str) -> bool {
    let last = host.trim_end_matches('.').rsplit('.').next().unwrap_or_default();
    let is_hex = last.get(..2).is_some_and(|start| start.eq_ignore_ascii_case("0x"));
    is_hex || (!last.is_empty() && last.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_strictly() {
        let table = [
            ("https://id.example", Some("https://id.example")),
            ("HTTPS://ID.example:443/a", Some("https://id.example")),
            ("http://id.example:443", Some("http://id.example:443")),
            ("http://127.0.0.1:3100/token?x=1#y", Some("http://127.0.0.1:3100")),
            ("http://[::1]:80/", Some("http://[::1]")),
            ("https://a_b.example", Some("https://a_b.example")),
            ("https:id.example", None),
            ("https:/id.example", None),
            ("https://", None),
            ("https:///token", None),
            ("https://user@id.example", None),
            ("https://127.0.0.1:x@evil.example", None),
            ("https://id.example\\@evil.example", None),
            ("https://id.example:", None),
            ("https://id.example:99999", None),
            ("https://id.example:+1", None),
            ("https://id.example /", None),
            ("https://id.example\n", None),
            ("https://éxample.org", None),
            ("https://id%2eexample", None),
            ("https://[::1", None),
            ("https://[id]", None),
            ("https://[::1]x", None),
            ("https://10.0.0.1", Some("https://10.0.0.1")),
            ("https://1.id.example", Some("https://1.id.example")),
            ("https://127.1", None),
            ("https://127.0.0.1.", None),
            ("https://0x7f.1", None),
            ("https://127.0.0.0X1", None),
            ("https://2130706433", None),
            ("https://127.0.0.01", None),
            ("https://1.2.3.4.5", None),
            ("ftp://id.example", None),
            ("javascript:alert(1)", None),
            ("file:///etc/passwd", None),
            ("/token", None),
            ("", None),
        ];
        for (url, origin) in table {
            let read = Address::read(url).map(|address| address.origin());
            assert_eq!(read.as_deref(), origin, "{url}");
        }
    }

    #[test]
    fn loopback_is_this_machine_and_nothing_that_looks_like_it() {
        for url in ["http://127.0.0.1", "http://127.9.9.9:1/x", "http://[::1]:9/", "http://LocalHost/"] {
            assert!(Address::read(url).unwrap().is_safe(false), "{url}");
        }
        for url in [
            "http://127.0.0.1.evil.example",
            "http://localhost.evil.example",
            "http://0.0.0.0",
            "http://10.0.0.1",
            "http://[::2]",
            "http://id.example",
        ] {
            let address = Address::read(url).unwrap();
            assert!(!address.is_safe(false) && address.is_safe(true), "{url}");
        }
    }

    #[test]
    fn the_path_ends_where_the_query_begins() {
        let address = Address::read("https://id.example/o/token?a=/b#c").unwrap();
        assert_eq!((address.path(), address.has_query(), address.has_fragment()), ("/o/token", true, true));
        let address = Address::read("https://id.example#a?b").unwrap();
        assert_eq!((address.path(), address.has_query(), address.has_fragment()), ("", false, true));
    }
}
