use std::collections::HashMap;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use api::{Failure, Problem};
use reqwest::redirect::Policy;
use reqwest::{Method, RequestBuilder};
use session::bounds;
use session::limits;
use session::patience::Patience;
use session::reason::Trouble;
use tokio::runtime::Handle;
use tokio::task::JoinSet;
use url::Url;

use super::certificates::{self, Certificates, Trusted};
use super::connect::connecting_within;
use super::fault;
use super::places::{Place, Places};
use crate::config::is_loopback;
use crate::room::{Room, Taken};

#[derive(Clone, Default)]
pub(crate) struct Http {
    certificates: Arc<Certificates>,
    clients: Arc<Mutex<HashMap<Key, Made>>>,
    places: Arc<Places>,
    room: Room,
    /// `None` for those of whoever asks.
    threads: Option<Handle>,
}

/// Its connections are on threads of their own. A server can send faster than the library reads, which then leaves no time
/// to anybody else on the thread, and would stop the clock by which its own time is measured.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    client: reqwest::Client,
    threads: Handle,
    room: Room,
}

/// Nothing has been sent then.
#[derive(Clone, Debug)]
pub(crate) struct NoClient {
    trouble: Trouble,
    ca_file: Option<PathBuf>,
    problem: Problem,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Key {
    about_tokens: bool,
    /// Reached without the system's proxy.
    loopback: bool,
    ca_file: Option<PathBuf>,
}

#[derive(Clone)]
struct Made {
    client: Client,
    trusts: Arc<Trusted>,
}

impl Client {
    pub(crate) fn request(&self, method: Method, url: Url) -> RequestBuilder {
        self.client.request(method, url)
    }

    /// For the answer of a resource.
    pub(super) fn room(&self) -> Taken {
        self.room.nothing_yet()
    }

    /// Ends with whoever waits for it, and panics as the work does.
    pub(super) async fn run<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> T {
        let mut running = JoinSet::new();
        running.spawn_on(work, &self.threads);
        match running.join_next().await {
            Some(Ok(done)) => done,
            Some(Err(error)) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            // The process is ending.
            Some(Err(_)) | None => std::future::pending().await,
        }
    }
}

impl Http {
    pub(crate) fn on(threads: Handle) -> Self {
        Self { threads: Some(threads), ..Self::default() }
    }

    pub(crate) async fn about_tokens(
        &self,
        url: &Url,
        ca_file: Option<&Path>,
        patience: &mut Patience,
    ) -> Result<Client, NoClient> {
        self.client(url, ca_file, true, patience).await.inspect_err(tell)
    }

    pub(crate) async fn about_resources(
        &self,
        url: &Url,
        ca_file: Option<&Path>,
        patience: &mut Patience,
    ) -> Result<Client, NoClient> {
        self.client(url, ca_file, false, patience).await.inspect_err(tell)
    }

    /// Why the file cannot be read, also where what was in it before is still in use.
    pub(crate) async fn wrong_with(&self, ca_file: &Path, patience: &mut Patience) -> Option<Problem> {
        let newest = self.certificates.newest(Some(ca_file), patience).await;
        newest.err().map(|wrong| certificates::problem(&*wrong))
    }

    pub(crate) fn room(&self) -> Room {
        self.room.clone()
    }

    pub(crate) async fn place(&self, url: &Url) -> Place {
        self.places.take(&url.origin().ascii_serialization()).await
    }

    async fn client(
        &self,
        url: &Url,
        ca_file: Option<&Path>,
        about_tokens: bool,
        patience: &mut Patience,
    ) -> Result<Client, NoClient> {
        let key = Key { about_tokens, loopback: is_loopback(url), ca_file: ca_file.map(Path::to_owned) };
        let trusted = match self.certificates.newest(ca_file, patience).await {
            Ok(newest) => newest,
            Err(wrong) => {
                // For half a file, or a disk that hangs, what was good until now stays in use.
                let good = self.certificates.last_good(ca_file);
                let good = good.ok_or_else(|| NoClient::of(&*wrong, ca_file))?;
                tracing::warn!(%wrong, "the certificates stay as they were");
                good
            }
        };
        let known = self.lock().get(&key).cloned();
        match known {
            Some(known) if Arc::ptr_eq(&known.trusts, &trusted) => Ok(known.client),
            known => self.make(key, trusted).or_else(|wrong| {
                tracing::warn!(?wrong, "the client stays as it was");
                known.map(|known| known.client).ok_or(wrong)
            }),
        }
    }

    fn make(&self, key: Key, trusts: Arc<Trusted>) -> Result<Client, NoClient> {
        let threads = self.threads.clone().unwrap_or_else(Handle::current);
        let client =
            build(&key, &trusts.own).map_err(|error| NoClient::of(&error, key.ca_file.as_deref()))?;
        let client = Client { client, threads, room: self.room.clone() };
        let mut clients = self.lock();
        // They can all be made again.
        if clients.len() >= MOST_CLIENTS {
            clients.clear();
        }
        clients.insert(key, Made { client: client.clone(), trusts });
        Ok(client)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Key, Made>> {
        self.clients.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl NoClient {
    fn of(error: &(dyn Error + 'static), ca_file: Option<&Path>) -> Self {
        let problem = certificates::problem(error);
        Self { trouble: fault::in_making(error), ca_file: ca_file.map(Path::to_owned), problem }
    }

    pub(crate) fn trouble(&self) -> Trouble {
        self.trouble
    }

    pub(crate) fn failure(self, host: &str) -> Failure {
        let failure = Failure::provider(self.trouble, None, host).because(self.problem);
        match self.ca_file {
            Some(path) => failure.with("file", path.display()),
            None => failure,
        }
    }
}

impl From<NoClient> for Trouble {
    fn from(none: NoClient) -> Self {
        none.trouble
    }
}

fn build(key: &Key, certificates: &[reqwest::Certificate]) -> reqwest::Result<reqwest::Client> {
    let mut builder = connecting_within(limits::CONNECT)
        .user_agent(concat!("pilotlight/", env!("CARGO_PKG_VERSION")))
        .referer(false)
        .retry(reqwest::retry::never());
    if key.loopback {
        builder = builder.no_proxy();
    }
    builder = if key.about_tokens {
        // A header that cannot be read must not cost the token in the body.
        builder
            .redirect(Policy::none())
            .pool_max_idle_per_host(0)
            .http1_only()
            .http1_max_headers(bounds::HEADERS)
            .http1_allow_obsolete_multiline_headers_in_responses(true)
            .http1_allow_spaces_after_header_name_in_responses(true)
            .http1_ignore_invalid_headers_in_responses(true)
    } else {
        builder
            .http2_keep_alive_interval(limits::ALIVE)
            .http2_keep_alive_timeout(limits::DEAD)
            .http2_keep_alive_while_idle(true)
            .pool_max_idle_per_host(bounds::IDLE)
            .redirect(Policy::custom(|attempt| {
                let same =
                    attempt.previous().first().is_some_and(|first| first.origin() == attempt.url().origin());
                match attempt.previous().len() {
                    ..=bounds::REDIRECTS if same => attempt.follow(),
                    // The answer is returned as it is: a token never follows a redirect to another origin.
                    _ => attempt.stop(),
                }
            }))
    };
    if key.ca_file.is_some() {
        builder = builder.tls_certs_merge(certificates.iter().cloned());
    }
    builder.build()
}

fn tell(wrong: &NoClient) {
    tracing::warn!(?wrong, "no HTTP client");
}

const MOST_CLIENTS: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    struct Scratch(PathBuf);

    impl Scratch {
        fn new(name: &str) -> Self {
            let dir = std::env::temp_dir().join(format!("pilotlight-{name}-{}", std::process::id()));
            std::fs::create_dir_all(&dir).unwrap();
            Self(dir)
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            drop(std::fs::remove_dir_all(&self.0));
        }
    }

    #[tokio::test]
    async fn half_a_file_does_not_take_the_place_of_a_whole_one() {
        let scratch = Scratch::new("half-ca");
        let path = scratch.0.join("ca.pem");
        let certificate = certificate();
        std::fs::write(&path, &certificate).unwrap();
        let url = Url::parse("https://127.0.0.1:9").unwrap();
        let http = Http::default();
        assert!(http.about_tokens(&url, Some(&path), &mut patience()).await.is_ok());
        std::fs::write(&path, &certificate[..100]).unwrap();
        assert!(http.about_tokens(&url, Some(&path), &mut patience()).await.is_ok(), "what was good is used");
        assert!(
            Http::default().about_tokens(&url, Some(&path), &mut patience()).await.is_err(),
            "nothing was"
        );
        std::fs::remove_file(&path).unwrap();
        assert!(http.about_tokens(&url, Some(&path), &mut patience()).await.is_ok());
    }

    #[tokio::test]
    async fn a_file_is_waited_for_no_longer_than_whoever_asks_has() {
        let scratch = Scratch::new("late-ca");
        let path = scratch.0.join("ca.pem");
        let certificate = certificate();
        std::fs::write(&path, &certificate).unwrap();
        let url = Url::parse("https://127.0.0.1:9").unwrap();
        let (http, mut spent) = (Http::default(), Patience::new(std::time::Duration::ZERO));
        let late = http.about_tokens(&url, Some(&path), &mut spent).await;
        assert_eq!(late.unwrap_err().trouble(), Trouble::Certificates);
        assert!(http.about_tokens(&url, Some(&path), &mut patience()).await.is_ok());
        assert!(http.about_tokens(&url, Some(&path), &mut spent).await.is_ok(), "what is known will do");
    }

    fn patience() -> Patience {
        Patience::new(limits::MESSAGE)
    }

    fn certificate() -> String {
        rcgen::generate_simple_self_signed(vec!["one".to_owned()]).unwrap().cert.pem()
    }
}
