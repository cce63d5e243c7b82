//! Talking to providers. Sends what it is given, brings back what came, judges nothing.
//!
//! Messages about tokens have a client of their own, so that a refresh never waits behind the requests that wait for
//! it. That client follows no redirect (a portal's page is not a token) and keeps no idle connection: on one that the
//! provider has just closed, nobody could say whether the refresh token was spent.

use std::collections::{BTreeMap, HashMap};
use std::error::Error as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Client, ClientBuilder, Method, RequestBuilder, Response};
use session::reason::Trouble;
use session::recipe::{Answer, Clock, JwtTimes, Message};
use session::tokens::Secret;
use url::Url;

use crate::api::Code;
use crate::config::is_loopback;
use crate::failure::Problem;

/// The HTTP clients of a keeper, made when first needed and shared by the profiles that need the same. Cloning gives
/// another handle to the same.
#[derive(Clone, Default)]
pub(crate) struct Http {
    clients: Arc<Mutex<HashMap<Key, Client>>>,
}

/// What makes two profiles need different clients.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Key {
    about_tokens: bool,
    /// Reached without the system's proxy.
    loopback: bool,
    ca_file: Option<PathBuf>,
}

/// A whole answer. It may hold tokens, and cannot be printed.
pub(crate) struct Received {
    pub(crate) status: u16,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
    /// The `Date` header, in seconds since 1970.
    date: Option<i64>,
    retry_after: Option<Duration>,
    authentic: bool,
}

impl Http {
    /// For exchanges with that address.
    pub(crate) fn about_tokens(&self, url: &Url, ca_file: Option<&Path>) -> Result<Client, Problem> {
        self.client(url, ca_file, true)
    }

    /// For requests to a protected resource there.
    pub(crate) fn about_resources(&self, url: &Url, ca_file: Option<&Path>) -> Result<Client, Problem> {
        self.client(url, ca_file, false)
    }

    fn client(&self, url: &Url, ca_file: Option<&Path>, about_tokens: bool) -> Result<Client, Problem> {
        let key = Key { about_tokens, loopback: is_loopback(url), ca_file: ca_file.map(Path::to_owned) };
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = clients.get(&key) {
            return Ok(client.clone());
        }
        let client = build(&key)?;
        clients.insert(key, client.clone());
        Ok(client)
    }
}

impl Received {
    pub(crate) fn answer(&self) -> Answer<'_> {
        Answer {
            status: self.status,
            content_type: self.headers.get("content-type").map(String::as_str),
            retry_after: self.retry_after,
            body: &self.body,
            authentic: self.authentic,
        }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    /// What the provider's clock showed, in seconds since 1970.
    pub(crate) fn date(&self) -> Option<i64> {
        self.date
    }

    pub(crate) fn clock(&self) -> Clock<'_> {
        Clock { date: self.date, jwt: &jwt_times }
    }
}

/// Sends a message to that address and reads its answer whole. `more` are headers beside the message's own.
pub(crate) async fn exchange(
    client: &Client,
    url: &Url,
    message: &Message,
    more: &[(String, Secret)],
    timeout: Duration,
) -> Result<Received, Trouble> {
    let method = Method::from_bytes(message.method.as_bytes()).map_err(|_| Trouble::Misconfigured)?;
    let mut request = client.request(method, url.clone()).timeout(timeout);
    if !message.query.is_empty() {
        let pairs: Vec<_> = message.query.iter().map(|(name, value)| (name, value.expose())).collect();
        request = request.query(&pairs);
    }
    for (name, value) in message.headers.iter().chain(more) {
        request = header(request, name, value);
    }
    if let Some(content_type) = message.content_type {
        request = request.header(reqwest::header::CONTENT_TYPE, content_type);
    }
    if let Some(body) = &message.body {
        request = request.body(body.expose().to_owned());
    }
    receive(request, is_authentic(url), LARGEST_TOKEN_ANSWER).await
}

/// Sends a request and reads its answer whole, up to `limit` bytes.
pub(crate) async fn receive(
    request: RequestBuilder,
    authentic: bool,
    limit: usize,
) -> Result<Received, Trouble> {
    let mut response = request.send().await.map_err(|error| trouble(&error))?;
    let status = response.status().as_u16();
    let headers = headers(&response);
    let date = headers.get("date").and_then(|text| http_date(text));
    let retry_after = headers.get("retry-after").and_then(|text| retry_after(text, date));
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| trouble_in_body(&error))? {
        if body.len() + chunk.len() > limit {
            return Err(Trouble::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Received { status, headers, body, date, retry_after, authentic })
}

/// Adds a header whose value does not show up in anything that is printed.
pub(crate) fn header(request: RequestBuilder, name: &str, value: &Secret) -> RequestBuilder {
    match reqwest::header::HeaderValue::from_str(value.expose()) {
        Ok(mut value) => {
            value.set_sensitive(true);
            request.header(name, value)
        }
        // The builder keeps the error and `send` returns it.
        Err(_) => request.header(name, "\0"),
    }
}

/// `path` below the profile's URL, or a full URL of the same origin.
pub(crate) fn join(base: &Url, path: &str) -> Result<Url, ()> {
    if let Ok(url) = Url::parse(path) {
        return if url.origin() == base.origin() { Ok(url) } else { Err(()) };
    }
    if !path.starts_with('/') {
        return Err(());
    }
    Url::parse(&format!("{}{path}", base.as_str().trim_end_matches('/'))).map_err(|_| ())
}

/// Nobody on the way can have written an answer from there.
pub(crate) fn is_authentic(url: &Url) -> bool {
    url.scheme() == "https" || is_loopback(url)
}

fn build(key: &Key) -> Result<Client, Problem> {
    let mut builder = ClientBuilder::new()
        .user_agent(concat!("pilotlight/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(CONNECT_TIMEOUT)
        .referer(false)
        .retry(reqwest::retry::never());
    if key.loopback {
        builder = builder.no_proxy();
    }
    builder = if key.about_tokens {
        builder.redirect(Policy::none()).pool_max_idle_per_host(0).http1_only()
    } else {
        builder.redirect(Policy::custom(|attempt| {
            let same =
                attempt.previous().first().is_some_and(|first| first.origin() == attempt.url().origin());
            match attempt.previous().len() {
                ..=MOST_REDIRECTS if same => attempt.follow(),
                // The answer goes back as it is: a token never follows a redirect to somebody else.
                _ => attempt.stop(),
            }
        }))
    };
    if let Some(path) = &key.ca_file {
        builder = builder.tls_certs_merge(certificates(path)?);
    }
    builder.build().map_err(|error| Problem::new(Code::Internal).with("problem", error.without_url()))
}

fn certificates(path: &Path) -> Result<Vec<reqwest::Certificate>, Problem> {
    let wrong = |problem: String| {
        Problem::new(Code::BadProfile)
            .with("field", "ca_file")
            .with("path", path.display())
            .with("problem", problem)
    };
    let pem = std::fs::read(path).map_err(|error| wrong(error.to_string()))?;
    let certificates =
        reqwest::Certificate::from_pem_bundle(&pem).map_err(|error| wrong(error.to_string()))?;
    if certificates.is_empty() {
        return Err(wrong("there is no certificate in it".to_owned()));
    }
    Ok(certificates)
}

fn headers(response: &Response) -> BTreeMap<String, String> {
    let mut headers = BTreeMap::<String, String>::new();
    for (name, value) in response.headers() {
        let value = String::from_utf8_lossy(value.as_bytes());
        headers
            .entry(name.as_str().to_owned())
            .and_modify(|all| {
                all.push_str(", ");
                all.push_str(&value);
            })
            .or_insert_with(|| value.to_string());
    }
    headers
}

fn http_date(text: &str) -> Option<i64> {
    let time = httpdate::parse_http_date(text).ok()?;
    let seconds = time.duration_since(std::time::UNIX_EPOCH).ok()?.as_secs();
    i64::try_from(seconds).ok()
}

/// Both forms of RFC 9110, section 10.2.3. A date is read against the server's own `Date`, not our clock.
fn retry_after(text: &str, date: Option<i64>) -> Option<Duration> {
    if let Ok(seconds) = text.trim().parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let seconds = http_date(text)?.saturating_sub(date?);
    u64::try_from(seconds).ok().map(Duration::from_secs)
}

fn trouble(error: &reqwest::Error) -> Trouble {
    if error.is_connect() || error.is_dns() {
        return if mentions_tls(error) { Trouble::Tls } else { Trouble::Offline };
    }
    if error.is_timeout() {
        return Trouble::TimedOut;
    }
    if error.is_builder() {
        return Trouble::Misconfigured;
    }
    if error.is_redirect() {
        return Trouble::Redirected;
    }
    Trouble::Unanswered
}

fn trouble_in_body(error: &reqwest::Error) -> Trouble {
    if error.is_timeout() { Trouble::TimedOut } else { Trouble::CutShort }
}

/// reqwest does not tell a failed handshake from a refused connection; the causes do.
fn mentions_tls(error: &reqwest::Error) -> bool {
    let mut cause = error.source();
    while let Some(inner) = cause {
        let text = inner.to_string();
        if text.contains("certificate")
            || text.contains("handshake")
            || text.contains("tls")
            || text.contains("TLS")
        {
            return true;
        }
        cause = inner.source();
    }
    false
}

/// The times of a JWT, unverified: they are the provider's word to the resource servers, and good enough to know
/// when to ask for another.
fn jwt_times(token: &str) -> Option<JwtTimes> {
    #[derive(Clone, serde::Deserialize)]
    struct Times {
        exp: Option<f64>,
        iat: Option<f64>,
    }
    let times: Times = claims(token)?;
    // A NumericDate may have a fraction (RFC 7519, section 2).
    #[expect(
        clippy::cast_possible_truncation,
        reason = "float to int casts saturate, which is what is wanted"
    )]
    let whole = |seconds: f64| seconds as i64;
    Some(JwtTimes { exp: times.exp.map(whole), iat: times.iat.map(whole) })
}

/// The `alg` of a token that is a JWT, and `None` for any other.
pub(crate) fn jwt_algorithm(token: &str) -> Option<String> {
    claims::<serde::de::IgnoredAny>(token)?;
    jsonwebtoken::decode_header(token).ok().map(|header| format!("{:?}", header.alg))
}

fn claims<T: serde::de::DeserializeOwned + Clone>(token: &str) -> Option<T> {
    jsonwebtoken::dangerous::insecure_decode::<T>(token).ok().map(|data| data.claims)
}

/// No network, no answer to the knock.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// No token answer is anywhere near that; a page or a wrong path can be.
const LARGEST_TOKEN_ANSWER: usize = 1 << 20;

const MOST_REDIRECTS: usize = 5;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_stay_below_the_profile_and_urls_at_its_origin() {
        let base = Url::parse("http://127.0.0.1:9/nestjs").unwrap();
        assert_eq!(join(&base, "/aaa?n=1").unwrap().as_str(), "http://127.0.0.1:9/nestjs/aaa?n=1");
        assert_eq!(join(&base, "http://127.0.0.1:9/x").unwrap().as_str(), "http://127.0.0.1:9/x");
        for elsewhere in ["http://127.0.0.1:8/x", "https://127.0.0.1:9/x", "http://evil.example/", "aaa", ""]
        {
            assert!(join(&base, elsewhere).is_err(), "{elsewhere}");
        }
    }

    #[test]
    fn retry_after_comes_in_two_forms() {
        assert_eq!(retry_after("120", None), Some(Duration::from_secs(120)));
        let date = http_date("Sat, 21 Nov 2026 08:00:00 GMT");
        assert_eq!(retry_after("Sat, 21 Nov 2026 08:00:07 GMT", date), Some(Duration::from_secs(7)));
        assert_eq!(retry_after("Sat, 21 Nov 2026 07:00:00 GMT", date), None);
        assert_eq!(retry_after("soon", date), None);
    }

    #[test]
    fn opaque_tokens_have_no_times() {
        assert_eq!(jwt_times("opaque"), None);
        assert_eq!(jwt_algorithm("a.b.c"), None);
    }
}
