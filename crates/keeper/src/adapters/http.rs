//! Messages about tokens have a client of their own: no refresh waits behind other requests, no redirect leads to a
//! portal's page, and no idle connection is kept: if just closed, it is unknown whether the refresh token was spent.

mod certificates;
mod clients;
mod connect;
mod fault;
mod places;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use reqwest::{Method, RequestBuilder, Response};
use session::bounds;
use session::patience::Patience;
use session::reason::Trouble;
use session::tokens::Secret;
use session::wire::answer::{Answer, Clock, JwtTimes};
use session::wire::message::Message;
use url::Url;

use crate::adapters::patience::within;
use crate::config::is_loopback;
use crate::room::Taken;

pub(crate) use clients::{Client, Http, NoClient};

use connect::Standing;

/// It may contain tokens, so it has no `Debug`.
pub(crate) struct Received {
    pub(crate) status: u16,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
    /// Why the rest of the body did not come.
    broken: Option<Trouble>,
    /// The server's clock at the receipt, in seconds since 1970.
    date: Option<i64>,
    retry_after: Option<Duration>,
    authentic: bool,
    room: Option<Taken>,
}

impl Received {
    pub(crate) fn answer(&self) -> Answer<'_> {
        Answer {
            status: self.status,
            content_type: self.headers.get("content-type").map(String::as_str),
            retry_after: self.retry_after,
            body: &self.body,
            broken: self.broken,
            authentic: self.authentic,
        }
    }

    pub(crate) fn whole(self) -> Result<Self, Trouble> {
        self.broken.map_or(Ok(self), Err)
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    pub(crate) fn date(&self) -> Option<i64> {
        self.date
    }

    pub(crate) fn clock(&self) -> Clock<'_> {
        Clock { date: self.date, jwt: &jwt_times }
    }
}

/// An incomplete answer is returned as it is: a new refresh token may be in it. `more` are further headers.
pub(crate) async fn exchange(
    client: &Client,
    url: &Url,
    message: &Message,
    more: &[(String, Secret)],
    patience: &mut Patience,
) -> Result<Received, Trouble> {
    let method = Method::from_bytes(message.method.as_bytes()).map_err(|_| Trouble::Misconfigured)?;
    let mut request = client.request(method, url.clone());
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
    let (arrived, standing) = (Arrived::within(bounds::TOKEN_ANSWER), Standing::default());
    let outcome = {
        let (arrived, standing, authentic) = (arrived.clone(), standing.clone(), is_authentic(url));
        let answer = async move { standing.noted(arrive(request, authentic, None, &arrived)).await };
        within(patience, client.run(answer)).await
    };
    let outcome = outcome
        .unwrap_or_else(|| Err(if standing.is_reached() { Trouble::TimedOut } else { Trouble::Offline }));
    match (outcome, arrived.take()) {
        (Ok(()), Some(received)) => Ok(received),
        (Err(trouble), Some(received)) if !received.body.is_empty() => {
            Ok(Received { broken: Some(trouble), ..received })
        }
        (outcome, _) => Err(outcome.err().unwrap_or(Trouble::Unanswered)),
    }
}

/// The caller limits the time: the client's own timeout would discard what arrives while the process stands still.
pub(crate) async fn receive(
    client: &Client,
    request: RequestBuilder,
    authentic: bool,
    limit: usize,
) -> Result<Received, Trouble> {
    let (arrived, room) = (Arrived::within(limit), client.room());
    let filled = arrived.clone();
    client.run(async move { arrive(request, authentic, Some(room), &filled).await }).await?;
    arrived.take().ok_or(Trouble::Unanswered)
}

/// What came so far, also if the rest is not waited for.
#[derive(Clone)]
struct Arrived {
    received: Arc<Mutex<Option<Received>>>,
    limit: usize,
}

impl Arrived {
    fn within(limit: usize) -> Self {
        Self { received: Arc::default(), limit }
    }

    fn begin(&self, received: Received) {
        *self.lock() = Some(received);
    }

    fn extend(&self, chunk: &[u8]) -> Result<(), Trouble> {
        let mut arrived = self.lock();
        // Nobody waits any more.
        let Some(received) = arrived.as_mut() else { return Err(Trouble::CutShort) };
        let length = received.body.len() + chunk.len();
        if length > self.limit || !received.room.as_mut().is_none_or(|room| room.grow(length)) {
            return Err(Trouble::TooLarge);
        }
        received.body.extend_from_slice(chunk);
        Ok(())
    }

    fn take(&self) -> Option<Received> {
        self.lock().take()
    }

    fn lock(&self) -> MutexGuard<'_, Option<Received>> {
        self.received.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn arrive(
    request: RequestBuilder,
    authentic: bool,
    room: Option<Taken>,
    arrived: &Arrived,
) -> Result<(), Trouble> {
    let mut response = request.send().await.map_err(|error| fault::in_sending(&error))?;
    let status = response.status().as_u16();
    let headers = headers(&response);
    let date = headers.get("date").and_then(|text| http_date(text)).map(|date| date + age(&headers));
    let retry_after = headers.get("retry-after").and_then(|text| retry_after(text, date));
    let body = Vec::new();
    arrived.begin(Received { status, headers, body, broken: None, date, retry_after, authentic, room });
    while let Some(chunk) = response.chunk().await.map_err(|error| fault::in_body(&error))? {
        arrived.extend(&chunk)?;
    }
    Ok(())
}

pub(crate) fn header(request: RequestBuilder, name: &str, value: &Secret) -> RequestBuilder {
    match reqwest::header::HeaderValue::from_str(value.expose()) {
        Ok(mut value) => {
            value.set_sensitive(true);
            request.header(name, value)
        }
        // The builder keeps the error, and `send` returns it.
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

/// Seconds in a cache, by which the `Date` is older (RFC 9111, section 5.1).
fn age(headers: &BTreeMap<String, String>) -> i64 {
    let age = headers.get("age").and_then(|age| age.trim().parse::<u32>().ok());
    age.map_or(0, i64::from)
}

/// RFC 9110, section 10.2.3. A date is compared with the server's own `Date`. A number that is too large saturates.
fn retry_after(text: &str, date: Option<i64>) -> Option<Duration> {
    let number = text.trim();
    if !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(Duration::from_secs(number.parse().unwrap_or(u64::MAX)));
    }
    let seconds = http_date(text)?.saturating_sub(date?);
    u64::try_from(seconds).ok().map(Duration::from_secs)
}

/// Unverified, which is enough to know when to ask for another.
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

pub(crate) fn jwt_algorithm(token: &str) -> Option<String> {
    claims::<serde::de::IgnoredAny>(token)?;
    jsonwebtoken::decode_header(token).ok().map(|header| format!("{:?}", header.alg))
}

fn claims<T: serde::de::DeserializeOwned + Clone>(token: &str) -> Option<T> {
    jsonwebtoken::dangerous::insecure_decode::<T>(token).ok().map(|data| data.claims)
}

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
        assert_eq!(retry_after("", date), None);
        let beyond = Some(Duration::from_secs(u64::MAX));
        assert_eq!(retry_after("18446744073709551616", None), beyond);
        assert_eq!(retry_after(&"9".repeat(500), None), beyond);
    }

    #[test]
    fn an_answer_that_lay_in_a_cache_has_an_older_date() {
        let with = |value: &str| age(&BTreeMap::from([("age".to_owned(), value.to_owned())]));
        assert_eq!([with("3600"), with(" 7 "), with("-1"), with("soon")], [3600, 7, 0, 0]);
        assert_eq!(age(&BTreeMap::new()), 0);
    }

    /// Row A12.
    #[test]
    fn opaque_tokens_have_no_times() {
        assert_eq!(jwt_times("opaque"), None);
        assert_eq!(jwt_algorithm("a.b.c"), None);
    }
}
