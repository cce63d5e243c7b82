//! The desktop's keyring. An open one is waited for without limit, on a detached thread, so that the process can end.

use std::collections::HashMap;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use keyring::{Entry, Error};
use keyring_core::CredentialStore;
use session::limits;
use session::time::Timestamp;
use zbus_secret_service_keyring_store::Store;
use zeroize::Zeroizing;

use super::bus::{self, Door};
use super::record::{self, Unreadable};
use super::{Stored, VaultTrouble};
use crate::adapters::clock;

#[derive(Clone)]
pub(super) struct Keyring {
    requests: Sender<Request>,
    health: Arc<Mutex<Health>>,
}

pub(super) type Answer<T> = Box<dyn FnOnce(Result<T, VaultTrouble>) + Send>;

struct Request {
    profile: String,
    what: What,
}

enum What {
    AskAgain,
    Forget(Answer<()>),
    Load(Answer<Option<Stored>>),
    Save(Box<Stored>, Answer<()>),
}

#[derive(Default)]
struct Health {
    trouble: Option<VaultTrouble>,
    busy_since: Option<Timestamp>,
}

impl Keyring {
    pub(super) fn start(home: &str) -> Self {
        let (requests, received) = mpsc::channel();
        let health = Arc::<Mutex<Health>>::default();
        let keeper = Doorkeeper { home: home.to_owned(), store: None, opened_before: false, question: None };
        let shared = Arc::clone(&health);
        let started =
            thread::Builder::new().name("keyring".into()).spawn(move || serve(keeper, &received, &shared));
        if let Err(error) = started {
            tracing::error!(%error, "no thread for the keyring");
        }
        Self { requests, health }
    }

    #[cfg(test)]
    pub(super) fn dropping() -> Self {
        let (requests, received) = mpsc::channel();
        thread::spawn(move || received.into_iter().for_each(drop::<Request>));
        Self { requests, health: Arc::default() }
    }

    pub(super) fn trouble(&self) -> Option<VaultTrouble> {
        let health = lock(&self.health);
        match health.busy_since {
            Some(since) if since + limits::VAULT_LOOK < clock::now() => Some(VaultTrouble::Slow),
            _ => health.trouble,
        }
    }

    pub(super) fn load(&self, profile: &str, answer: Answer<Option<Stored>>) {
        self.send(profile, What::Load(answer));
    }

    pub(super) fn save(&self, profile: &str, stored: Stored, answer: Answer<()>) {
        self.send(profile, What::Save(Box::new(stored), answer));
    }

    pub(super) fn forget(&self, profile: &str, answer: Answer<()>) {
        self.send(profile, What::Forget(answer));
    }

    pub(super) fn ask_again(&self) {
        self.send("", What::AskAgain);
    }

    fn send(&self, profile: &str, what: What) {
        // A thread that could not be started has dropped the receiver.
        if let Err(returned) = self.requests.send(Request { profile: profile.to_owned(), what }) {
            match returned.0.what {
                What::AskAgain => {}
                What::Forget(answer) | What::Save(_, answer) => answer(Err(VaultTrouble::Failed)),
                What::Load(answer) => answer(Err(VaultTrouble::Failed)),
            }
        }
    }
}

fn serve(mut keeper: Doorkeeper, requests: &Receiver<Request>, health: &Mutex<Health>) {
    while let Ok(Request { profile, what }) = requests.recv() {
        lock(health).busy_since = Some(clock::now());
        let done = |trouble| *lock(health) = Health { trouble, busy_since: None };
        match what {
            What::AskAgain => {
                keeper.question.take_if(|question| question.is_finished());
                lock(health).busy_since = None;
            }
            What::Forget(answer) => {
                let forgotten = keeper.try_to(&profile, forget);
                done(forgotten.as_ref().err().copied());
                answer(forgotten);
            }
            What::Load(answer) => {
                let loaded = keeper.try_to(&profile, load);
                done(loaded.as_ref().err().copied());
                answer(loaded);
            }
            What::Save(stored, answer) => {
                let text = record::write(&stored, clock::wall_ms());
                let saved = keeper.try_to(&profile, |entry| save(entry, text.as_bytes()));
                done(saved.as_ref().err().copied());
                answer(saved);
            }
        }
    }
}

struct Doorkeeper {
    home: String,
    store: Option<Arc<CredentialStore>>,
    opened_before: bool,
    /// None is asked again until it is answered and the keyring was seen open: nobody bears it every half minute.
    question: Option<JoinHandle<()>>,
}

impl Doorkeeper {
    fn try_to<T>(
        &mut self,
        profile: &str,
        act: impl Fn(&Entry) -> Result<T, Problem>,
    ) -> Result<T, VaultTrouble> {
        // The library has assertions, and without this thread no session could save.
        catch_unwind(AssertUnwindSafe(|| self.pass(profile, act))).unwrap_or_else(|_| {
            self.store = None;
            Err(VaultTrouble::Failed)
        })
    }

    fn pass<T>(
        &mut self,
        profile: &str,
        act: impl Fn(&Entry) -> Result<T, Problem>,
    ) -> Result<T, VaultTrouble> {
        let user = self.user(profile);
        match bus::look(&HashMap::from([("service", SERVICE), ("username", &user)]))? {
            Door::Open => {
                self.question.take_if(|question| question.is_finished());
            }
            Door::Locked(what) => {
                if self.question.is_none() {
                    self.question = bus::ask_to_unlock(what)
                        .inspect_err(|error| tracing::warn!(%error, "nobody was asked to unlock the keyring"))
                        .ok();
                }
                return Err(VaultTrouble::Locked);
            }
        }
        let tried = match self.entry(profile, &user).and_then(|entry| act(&entry)) {
            // The keyring may have been restarted, which ends our connection to it.
            Err(Problem::Keyring(Error::PlatformFailure(error))) => {
                tracing::info!(%error, "connecting to the keyring anew");
                self.close();
                self.entry(profile, &user).and_then(|entry| act(&entry))
            }
            tried => tried,
        };
        tried.map_err(|problem| {
            // Not with `Debug`: some errors of the library contain the item.
            tracing::warn!(profile, %problem, "the keyring");
            problem.trouble()
        })
    }

    fn entry(&mut self, profile: &str, user: &str) -> Result<Entry, Problem> {
        let label = if self.home.is_empty() {
            format!("Pilotlight – {profile}")
        } else {
            format!("Pilotlight – {profile} ({})", self.home)
        };
        let inner = self.open()?.build(SERVICE, user, Some(&HashMap::from([("label", label.as_str())])))?;
        Ok(Entry { inner })
    }

    fn user(&self, profile: &str) -> String {
        if self.home.is_empty() { profile.to_owned() } else { format!("{}/{profile}", self.home) }
    }

    /// `keyring` makes its store once in a process, even if that fails, so later ones are made here.
    fn open(&mut self) -> Result<Arc<CredentialStore>, Error> {
        if let Some(store) = &self.store {
            return Ok(Arc::clone(store));
        }
        let first = !std::mem::replace(&mut self.opened_before, true) && Entry::store_status().is_ok();
        let store = match first.then(keyring_core::get_default_store).flatten() {
            Some(store) => store,
            None => Store::new()?,
        };
        self.store = Some(Arc::clone(&store));
        Ok(store)
    }

    fn close(&mut self) {
        self.store = None;
        drop(keyring_core::unset_default_store());
    }
}

fn load(entry: &Entry) -> Result<Option<Stored>, Problem> {
    let newest = find(entry)?.into_iter().max_by_key(|found| found.saved_at);
    Ok(newest.map(|found| found.stored))
}

fn save(entry: &Entry, text: &[u8]) -> Result<(), Problem> {
    let found = find(entry)?;
    if found.is_empty() {
        return Ok(entry.set_secret(text)?);
    }
    Ok(found.iter().try_for_each(|found| found.item.set_secret(text))?)
}

/// Also what cannot be read.
fn forget(entry: &Entry) -> Result<(), Problem> {
    match entry.delete_credential() {
        Err(Error::Ambiguous(twins)) => {
            Ok(twins.iter().try_for_each(keyring_core::Entry::delete_credential)?)
        }
        Err(Error::NoEntry) => Ok(()),
        done => Ok(done?),
    }
}

/// Other programs make twins when they copy a collection.
fn find(entry: &Entry) -> Result<Vec<Found>, Problem> {
    match entry.get_secret() {
        Ok(item) => Ok(vec![Found::of(entry.inner.get_credential()?, item)?]),
        Err(Error::NoEntry) => Ok(Vec::new()),
        Err(Error::Ambiguous(twins)) => twins
            .into_iter()
            .map(|twin| {
                let item = twin.get_secret()?;
                Found::of(twin, item)
            })
            .collect(),
        Err(error) => Err(error.into()),
    }
}

struct Found {
    item: keyring_core::Entry,
    stored: Stored,
    saved_at: i64,
}

impl Found {
    fn of(item: keyring_core::Entry, secret: Vec<u8>) -> Result<Self, Problem> {
        let (stored, saved_at) = record::read(&Zeroizing::new(secret))?;
        Ok(Self { item, stored, saved_at })
    }
}

enum Problem {
    Item(Unreadable),
    Keyring(Error),
}

impl Problem {
    fn trouble(&self) -> VaultTrouble {
        match self {
            // It was locked after the look, or the person dismissed the keyring's own question.
            Self::Keyring(Error::NoStorageAccess(_)) => VaultTrouble::Locked,
            Self::Item(_) | Self::Keyring(_) => VaultTrouble::Failed,
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Item(problem) => write!(f, "the item is left alone: {problem}"),
            Self::Keyring(problem) => write!(f, "{problem}"),
        }
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        Self::Keyring(error)
    }
}

impl From<Unreadable> for Problem {
    fn from(problem: Unreadable) -> Self {
        Self::Item(problem)
    }
}

fn lock(health: &Mutex<Health>) -> MutexGuard<'_, Health> {
    health.lock().unwrap_or_else(PoisonError::into_inner)
}

const SERVICE: &str = "pilotlight";
