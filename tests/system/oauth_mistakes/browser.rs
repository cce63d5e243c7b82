//! The browser, as far as the keeper meets it: it knows an address, and calls another one some time later.

use std::io::{self, Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use url::Url;

use crate::harness::{Issuer, until};

/// A sign-in in a browser.
#[derive(Debug)]
pub(super) struct Visit {
    pub(super) state: String,
    pub(super) nonce: String,
    pub(super) redirect: Url,
}

#[derive(Debug)]
pub(super) struct Page {
    pub(super) status: u16,
    pub(super) head: String,
    pub(super) body: String,
}

impl Visit {
    /// To the address that the keeper would have opened.
    pub(super) fn to(url: &str) -> Self {
        let url = Url::parse(url).unwrap();
        let said = |name: &str| {
            let found = url.query_pairs().find(|(it, _)| it == name);
            found.map(|(_, value)| value.into_owned()).unwrap_or_default()
        };
        let redirect = Url::parse(&said("redirect_uri")).unwrap();
        assert!(said("state").len() >= 43 && said("code_challenge").len() == 43, "{url}");
        Self { state: said("state"), nonce: said("nonce"), redirect }
    }

    /// Where the provider has sent the browser; the rest is between the provider and the keeper.
    pub(super) fn at(redirect: &Url) -> Self {
        Self { state: String::new(), nonce: String::new(), redirect: redirect.clone() }
    }

    pub(super) fn port(&self) -> u16 {
        self.redirect.port().unwrap()
    }

    /// The query with which the provider would send the browser back.
    pub(super) fn query(&self, issuer: &Issuer) -> String {
        let code = issuer.code(&self.nonce);
        query(&[("code", &code), ("state", &self.state), ("iss", issuer.url())])
    }

    /// With that besides the state, by the provider that was asked.
    pub(super) fn comes_back_with(&self, issuer: &Issuer, pairs: &[(&str, &str)]) -> Page {
        let own = [("state", self.state.as_str()), ("iss", issuer.url())];
        self.lands(&query(&[&own, pairs].concat()))
    }

    pub(super) fn comes_back(&self, issuer: &Issuer) -> Page {
        self.lands(&self.query(issuer))
    }

    /// Calls the address to come back to with that query.
    pub(super) fn lands(&self, query: &str) -> Page {
        self.calls(&format!("{}?{query}", self.redirect.path()))
    }

    pub(super) fn calls(&self, target: &str) -> Page {
        self.calls_with(target, "")
    }

    /// With more lines in the head.
    pub(super) fn calls_with(&self, target: &str, more: &str) -> Page {
        let host = self.redirect.host_str().unwrap();
        self.says(&format!("GET {target} HTTP/1.1\r\nHost: {host}:{}\r\n{more}\r\n", self.port()))
    }

    /// Sends just that.
    pub(super) fn says(&self, text: &str) -> Page {
        self.tries(text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }

    pub(super) fn tries(&self, text: &str) -> io::Result<Page> {
        let mut stream = self.connects()?;
        stream.write_all(text.as_bytes())?;
        read(&mut stream)
    }

    pub(super) fn connects(&self) -> io::Result<TcpStream> {
        let stream = TcpStream::connect(("127.0.0.1", self.port()))?;
        stream.set_read_timeout(Some(Duration::from_secs(20)))?;
        Ok(stream)
    }

    /// Nobody listens there any more.
    pub(super) fn until_closed(&self) {
        until("the port is closed", || self.connects().is_err().then_some(()));
    }
}

impl Page {
    /// Empty when it is not there.
    pub(super) fn header(&self, name: &str) -> String {
        let found = self.head.lines().filter_map(|line| line.split_once(": "));
        let mut found = found.filter(|(it, _)| it.eq_ignore_ascii_case(name));
        found.next().map(|(_, value)| value.to_owned()).unwrap_or_default()
    }
}

pub(super) fn query(pairs: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

pub(super) fn read(stream: &mut TcpStream) -> io::Result<Page> {
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    let (head, body) = text.split_once("\r\n\r\n").ok_or(io::ErrorKind::UnexpectedEof)?;
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    let status = status.ok_or(io::ErrorKind::InvalidData)?;
    Ok(Page { status, head: head.to_owned(), body: body.to_owned() })
}
