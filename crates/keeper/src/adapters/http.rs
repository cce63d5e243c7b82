//! Messages about tokens have a client of their own: no refresh waits behind other requests, no redirect leads to a
//! portal's page, and no idle connection is kept: if just closed, it is unknown whether the refresh token was spent.

mod certificates;
mod clients;
mod connect;
mod dates;
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
use session::wire::answer::{Answer, Clock};
use session::wire::jwt;
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
            headers: &self.headers,
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
        Clock { date: self.date, jwt: &jwt::times }
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
    let said = |name| headers.get(name).map(String::as_str);
    let date = dates::date(said("date"), said("age"));
    let retry_after = said("retry-after").and_then(|text| dates::retry_after(text, date));
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

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

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

    #[tokio::test]
    async fn an_answer_is_as_long_as_its_bound_and_no_longer() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url: Url = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                // Chunked, so that nobody is told how long it will be.
                let said = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n";
                let body = "6\r\n123456\r\n4\r\n7890\r\n0\r\n\r\n";
                drop(stream.read(&mut [0; 4096]).await);
                drop(stream.write_all(format!("{said}{body}").as_bytes()).await);
            }
        });
        let mut patience = Patience::new(Duration::from_secs(10));
        let client = Http::default().about_resources(&url, None, &mut patience).await.unwrap();
        let asked = || client.request(Method::GET, url.clone());
        let whole = receive(&client, asked(), true, 10).await.unwrap();
        assert_eq!(whole.body, b"1234567890");
        assert_eq!(receive(&client, asked(), true, 9).await.err(), Some(Trouble::TooLarge));
    }
}
