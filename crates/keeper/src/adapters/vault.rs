//! Refresh tokens are sealed, a file a session, under a key that the desktop's keyring keeps, or that a passphrase or a
//! credential of the system opens; or, where a person wants it so, they are only in memory. That is needed once a process:
//! from then on the key is in memory, and each new token costs one file. What is sealed is never overwritten or removed
//! because its key cannot be had.

mod cipher;
mod desk;
mod envelope;
mod files;
mod former;
mod key;
mod keyring;
mod lockbox;
mod memory;
mod orders;
mod record;
mod seal;
mod secret;
mod warden;
mod wardens;

use std::io;
use std::path::Path;
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex};
use std::thread;

use api::VaultKind;
use api::secret::Password;
use session::binding::Bound;
use session::event::Asker;
use session::limits;
use session::note::Note;
use session::tokens::{Account, RefreshToken};
use tokio::sync::oneshot;

pub use session::reason::VaultTrouble;

use self::desk::{Desk, Health, lock};
use self::files::Files;
use self::former::Former;
use self::memory::Memory;
use self::orders::Order;
use self::warden::Rung;
use self::wardens::Wardens;
use crate::adapters::clock;
use crate::config::VaultSetting;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    pub refresh: RefreshToken,
    /// It is sent nowhere else, whatever the configuration says later.
    pub bound: Bound,
    /// The ID token is not kept.
    pub account: Account,
    /// Counts the refresh tokens of a profile. Zero for those that older versions kept.
    pub generation: u32,
}

/// What the vault says by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// Its trouble is another one.
    Changed,
    /// A person has deleted the key.
    Deleted,
    Note(Note),
    /// What could not be done before may work now.
    Ready,
}

type Answer<T> = Box<dyn FnOnce(Result<T, VaultTrouble>) + Send>;

#[derive(Clone)]
pub struct Vault(Place);

#[derive(Clone)]
enum Place {
    Memory(Memory),
    Sealed { kind: VaultKind, orders: Arc<Orders>, health: Arc<Mutex<Health>> },
}

/// What it serves ends with the last vault that gives it orders.
struct Orders(Sender<Order>);

impl Vault {
    /// Returns at once. `home` is the home's id, empty for the default one, and `dir` where its sealed files are.
    pub fn open(
        setting: &VaultSetting,
        home: &str,
        dir: &Path,
        tell: impl Fn(News) + Send + 'static,
    ) -> Self {
        let now = match setting.kind {
            VaultKind::Credential => Rung::Credential,
            VaultKind::Keyring => Rung::Keyring,
            VaultKind::Memory => return Self(Place::Memory(Memory::beside(dir, tell))),
            VaultKind::Passphrase => Rung::Passphrase,
        };
        let (orders, taken) = mpsc::channel();
        let health = Arc::<Mutex<Health>>::default();
        let wardens = Wardens {
            now,
            home: home.to_owned(),
            dir: dir.to_owned(),
            passphrase: setting.passphrase.clone(),
            orders: orders::Orders::to(orders.clone()),
        };
        let (files, warden) = (Files::at(dir), wardens.start());
        let former = Former::find(wardens);
        let desk = Desk::new(files, warden, former, Arc::clone(&health), Box::new(tell));
        let started = thread::Builder::new().name("vault".into()).spawn(move || desk.serve(&taken));
        if let Err(error) = started {
            tracing::error!(%error, "no thread for the vault");
        }
        Self(Place::Sealed { kind: setting.kind, orders: Arc::new(Orders(orders)), health })
    }

    pub fn memory() -> Self {
        Self(Place::Memory(Memory::default()))
    }

    /// It drops every question.
    #[cfg(test)]
    pub(crate) fn dropping() -> Self {
        let orders = Arc::new(Orders(mpsc::channel().0));
        Self(Place::Sealed { kind: VaultKind::Keyring, orders, health: Arc::default() })
    }

    pub fn kind(&self) -> VaultKind {
        match &self.0 {
            Place::Memory(_) => VaultKind::Memory,
            Place::Sealed { kind, .. } => *kind,
        }
    }

    pub fn trouble(&self) -> Option<VaultTrouble> {
        let Place::Sealed { health, .. } = &self.0 else { return None };
        let Health { trouble, busy_since } = *lock(health);
        let hangs = busy_since.is_some_and(|since| clock::now() > since + limits::DISK_SLOW);
        if hangs { Some(VaultTrouble::Disk) } else { trouble }
    }

    /// A sign-in begins, or a profile was added: soon there will be something to keep. For a person the keyring may ask
    /// to be opened.
    pub fn begin(&self, by: Asker) {
        self.order(Order::Begin(by));
    }

    /// For a person who waits. Answered when what is stored is open, or stays closed for now.
    pub fn unlock(
        &self,
        passphrase: Option<Password>,
        answer: impl FnOnce(Result<(), VaultTrouble>) + Send + 'static,
    ) {
        match &self.0 {
            Place::Memory(_) => answer(Ok(())),
            Place::Sealed { .. } => self.order(Order::Unlock(passphrase, Box::new(answer))),
        }
    }

    /// Ends when the disk has room for the next token of the profile, or when that cannot be had, or after two seconds.
    pub fn make_room(&self, profile: &str) -> impl Future<Output = ()> + Send + 'static + use<> {
        let (done, made) = oneshot::channel();
        self.order(Order::Room(profile.to_owned(), done));
        async move {
            drop(tokio::time::timeout(limits::DISK, made).await);
        }
    }

    /// The home was deleted and made again.
    pub fn look_again(&self) {
        self.order(Order::HomeMade);
    }

    /// Returns at once, as the next two do.
    pub fn load(
        &self,
        profile: &str,
        answer: impl FnOnce(Result<Option<Stored>, VaultTrouble>) + Send + 'static,
    ) {
        match &self.0 {
            Place::Memory(items) => answer(Ok(items.load(profile))),
            Place::Sealed { .. } => self.order(Order::Load(profile.to_owned(), Box::new(answer))),
        }
    }

    /// When it is answered with a success, it is on the disk.
    pub fn save(
        &self,
        profile: &str,
        stored: Stored,
        answer: impl FnOnce(Result<(), VaultTrouble>) + Send + 'static,
    ) {
        match &self.0 {
            Place::Memory(items) => {
                items.save(profile, stored);
                answer(Ok(()));
            }
            Place::Sealed { .. } => {
                self.order(Order::Save(profile.to_owned(), Box::new(stored), Box::new(answer)));
            }
        }
    }

    /// Nothing to forget is a success too.
    pub fn forget(&self, profile: &str, answer: impl FnOnce(Result<(), VaultTrouble>) + Send + 'static) {
        match &self.0 {
            Place::Memory(items) => items.forget(profile, answer),
            Place::Sealed { .. } => self.order(Order::Forget(profile.to_owned(), Box::new(answer))),
        }
    }

    fn order(&self, order: Order) {
        if let Place::Sealed { orders, .. } = &self.0 {
            // Without its thread the answer is dropped, and whoever waits for it is told so.
            drop(orders.0.send(order));
        }
    }
}

impl Drop for Orders {
    fn drop(&mut self) {
        drop(self.0.send(Order::End));
    }
}

fn on_disk(error: &io::Error) -> VaultTrouble {
    tracing::warn!(%error, "a file of the vault");
    VaultTrouble::Disk
}
