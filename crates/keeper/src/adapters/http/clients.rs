use std::collections::HashMap;
use std::error::Error;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use api::{Failure, Problem};
use reqwest::redirect::Policy;
use reqwest::{Client, ClientBuilder};
use session::limits;
use session::patience::Patience;
use session::reason::Trouble;
use url::Url;

use super::connect::Connecting;
use super::fault;
use super::places::{Place, Places};
use crate::adapters::patience::within;
use crate::config::is_loopback;

#[derive(Clone, Default)]
pub(crate) struct Http {
    clients: Arc<Mutex<HashMap<Key, Made>>>,
    places: Arc<Places>,
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
    ca_file: Option<Stamp>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    device: u64,
    inode: u64,
    length: u64,
    modified: Option<SystemTime>,
}

impl Http {
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
        let known = self.lock().get(&key).cloned();
        let Some(path) = ca_file else {
            return known.map_or_else(|| self.make(key, None), |known| Ok(known.client));
        };
        let seen = known.as_ref().and_then(|known| known.ca_file);
        match (read_anew(path, seen, patience).await, known) {
            (Ok(None), Some(known)) => Ok(known.client),
            (Ok(read), _) => self.make(key, read),
            // For half a file, or a disk that hangs, what was good until now stays in use.
            (Err(wrong), Some(known)) => {
                tracing::warn!(?wrong, "the certificates stay as they were");
                Ok(known.client)
            }
            (Err(wrong), None) => Err(wrong),
        }
    }

    fn make(&self, key: Key, read: Option<(Stamp, Vec<reqwest::Certificate>)>) -> Result<Client, NoClient> {
        let (stamp, certificates) = read.unzip();
        let built = build(&key, certificates.unwrap_or_default());
        let client = built.map_err(|error| NoClient::of(&error, key.ca_file.as_deref()))?;
        self.lock().insert(key, Made { client: client.clone(), ca_file: stamp });
        Ok(client)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Key, Made>> {
        self.clients.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl NoClient {
    fn of(error: &(dyn Error + 'static), ca_file: Option<&Path>) -> Self {
        let problem = error.downcast_ref::<Unfit>().map(Unfit::problem);
        let problem = problem.unwrap_or_else(|| Problem::said(fault::cause(error)));
        Self { trouble: fault::in_making(error), ca_file: ca_file.map(Path::to_owned), problem }
    }

    pub(crate) fn trouble(&self) -> Trouble {
        self.trouble
    }

    pub(crate) fn failure(self, host: &str) -> Failure {
        let failure = Failure::provider(self.trouble, None, host).because(self.problem);
        match self.ca_file {
            Some(path) => failure.with("path", path.display()),
            None => failure,
        }
    }
}

impl From<NoClient> for Trouble {
    fn from(none: NoClient) -> Self {
        none.trouble
    }
}

fn build(key: &Key, certificates: Vec<reqwest::Certificate>) -> reqwest::Result<Client> {
    let mut builder = ClientBuilder::new()
        .user_agent(concat!("pilotlight/", env!("CARGO_PKG_VERSION")))
        .connector_layer(Connecting { limit: limits::CONNECT })
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
            .http1_max_headers(MOST_HEADERS)
            .http1_allow_obsolete_multiline_headers_in_responses(true)
            .http1_allow_spaces_after_header_name_in_responses(true)
            .http1_ignore_invalid_headers_in_responses(true)
    } else {
        builder.pool_max_idle_per_host(MOST_IDLE).redirect(Policy::custom(|attempt| {
            let same =
                attempt.previous().first().is_some_and(|first| first.origin() == attempt.url().origin());
            match attempt.previous().len() {
                ..=MOST_REDIRECTS if same => attempt.follow(),
                // The answer is returned as it is: a token never follows a redirect to another origin.
                _ => attempt.stop(),
            }
        }))
    };
    if key.ca_file.is_some() {
        builder = builder.tls_certs_merge(certificates);
    }
    builder.build()
}

/// `None` if the file is the one that was seen. A disk may hang, so nothing else waits for it.
async fn read_anew(
    path: &Path,
    seen: Option<Stamp>,
    patience: &mut Patience,
) -> Result<Option<(Stamp, Vec<reqwest::Certificate>)>, NoClient> {
    let file = path.to_owned();
    let reading = tokio::task::spawn_blocking(move || {
        let found = stamp(&file)?;
        if Some(found) == seen {
            return Ok(None);
        }
        certificates(&file).map(|certificates| Some((found, certificates)))
    });
    let read = within(patience, within(&mut Patience::new(limits::FILE), reading)).await.flatten();
    let read = read.map_or_else(|| Err(Unfit::Slow.into()), |ended| ended?);
    read.map_err(|error: Unread| NoClient::of(&*error, Some(path)))
}

fn stamp(path: &Path) -> Result<Stamp, Unread> {
    let metadata = std::fs::metadata(path)?;
    // Anything else may have no end.
    if !metadata.is_file() {
        return Err(Unfit::NotAFile.into());
    }
    Ok(Stamp {
        device: metadata.dev(),
        inode: metadata.ino(),
        length: metadata.len(),
        modified: metadata.modified().ok(),
    })
}

fn certificates(path: &Path) -> Result<Vec<reqwest::Certificate>, Unread> {
    let certificates = reqwest::Certificate::from_pem_bundle(&std::fs::read(path)?)?;
    if certificates.is_empty() {
        return Err(Unfit::Empty.into());
    }
    Ok(certificates)
}

fn tell(wrong: &NoClient) {
    tracing::warn!(?wrong, "no HTTP client");
}

type Unread = Box<dyn Error + Send + Sync>;

#[derive(Debug, thiserror::Error)]
enum Unfit {
    #[error("there is no certificate in it")]
    Empty,
    #[error("it is no file")]
    NotAFile,
    #[error("it cannot be read in time")]
    Slow,
}

impl Unfit {
    fn problem(&self) -> Problem {
        match self {
            Self::Empty => Problem::NoCertificate,
            Self::NotAFile => Problem::NotAFile,
            Self::Slow => Problem::FileSlow,
        }
    }
}

const MOST_REDIRECTS: usize = 5;

const MOST_HEADERS: usize = 4096;

/// Each costs a descriptor.
const MOST_IDLE: usize = 8;

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

    /// Row G5.
    #[tokio::test]
    async fn a_file_is_read_again_when_it_is_another_one() {
        let scratch = Scratch::new("ca");
        let (path, next) = (scratch.0.join("ca.pem"), scratch.0.join("next.pem"));
        std::fs::write(&path, CERTIFICATE).unwrap();
        let (first, certificates) = read_anew(&path, None, &mut patience()).await.unwrap().unwrap();
        assert_eq!(certificates.len(), 1);
        assert!(read_anew(&path, Some(first), &mut patience()).await.unwrap().is_none(), "it is the same");
        std::fs::write(&path, format!("{CERTIFICATE}\n{CERTIFICATE}")).unwrap();
        let (longer, certificates) = read_anew(&path, Some(first), &mut patience()).await.unwrap().unwrap();
        assert_eq!(certificates.len(), 2);
        std::fs::write(&next, format!("{CERTIFICATE}\n{CERTIFICATE}")).unwrap();
        std::fs::rename(&next, &path).unwrap();
        assert!(
            read_anew(&path, Some(longer), &mut patience()).await.unwrap().is_some(),
            "another of the same length"
        );
        assert!(read_anew(&scratch.0, None, &mut patience()).await.is_err(), "a directory");
    }

    #[tokio::test]
    async fn half_a_file_does_not_take_the_place_of_a_whole_one() {
        let scratch = Scratch::new("half-ca");
        let path = scratch.0.join("ca.pem");
        std::fs::write(&path, CERTIFICATE).unwrap();
        let url = Url::parse("https://127.0.0.1:9").unwrap();
        let http = Http::default();
        assert!(http.about_tokens(&url, Some(&path), &mut patience()).await.is_ok());
        std::fs::write(&path, &CERTIFICATE[..100]).unwrap();
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
        std::fs::write(&path, CERTIFICATE).unwrap();
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

    const CERTIFICATE: &str = "\
-----BEGIN CERTIFICATE-----\n\
MIIBcjCCARmgAwIBAgIUPAW2OewDXalQi2k5gAf1gFYheg0wCgYIKoZIzj0EAwIw\n\
DjEMMAoGA1UEAwwDb25lMCAXDTI2MTEyNzIxMDYwM1oYDzIxMjYxMTAzMjEwNjAz\n\
WjAOMQwwCgYDVQQDDANvbmUwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAARPC34I\n\
b6TYnincxbeco6xPwBzdcWTdXU3VacY1s2bQNCKyp7eDrn0rJGIYrEJ6HebQJsFU\n\
jJq0+7Yf0WJc3UAPo1MwUTAdBgNVHQ4EFgQUTX7Ac5fH2QJabXcc7r7yXo3rxz0w\n\
HwYDVR0jBBgwFoAUTX7Ac5fH2QJabXcc7r7yXo3rxz0wDwYDVR0TAQH/BAUwAwEB\n\
/zAKBggqhkjOPQQDAgNHADBEAiBUsTNMWZnHp9bVUvwU1wm6bMMtoAuvB9oSzlVy\n\
k69m5AIgJ7lAB52FjdkQgV+Kh3cI4ce1MpNUmLw4Ne5tj+mFDvc=\n\
-----END CERTIFICATE-----";
}
