//! Who can keep the key: the keyring, or a file that a passphrase or a credential opens.

use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread;

use super::files::Files;
use super::keyring::Keyring;
use super::lockbox::{Lock, Lockbox};
use super::orders::{Order, Orders, Warden};
use crate::config::Passphrase;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rung {
    Credential,
    Keyring,
    Passphrase,
}

#[derive(Clone)]
pub(super) struct Wardens {
    pub(super) now: Rung,
    pub(super) home: String,
    pub(super) dir: PathBuf,
    pub(super) passphrase: Passphrase,
    pub(super) orders: Orders,
}

impl Wardens {
    pub(super) fn start(&self) -> Box<dyn Warden> {
        self.start_one(self.now, self.orders.clone())
    }

    /// Its orders are told from those of the one that the setting names.
    pub(super) fn start_former(&self, rung: Rung) -> Box<dyn Warden> {
        let (sender, theirs) = mpsc::channel();
        let orders = self.orders.clone();
        let started = thread::Builder::new().name("former-key".into()).spawn(move || {
            while let Ok(order) = theirs.recv()
                && orders.send(Order::Former(Box::new(order))).is_ok()
            {}
        });
        if let Err(error) = started {
            tracing::error!(%error, "no thread for where the key was before");
        }
        self.start_one(rung, sender)
    }

    /// By what has been left there. A file is sooner at hand than a keyring.
    pub(super) fn former(&self) -> Option<Rung> {
        let files = Files::at(&self.dir);
        let has_file = |lock: Lock| exists(&self.dir.join(lock.file()));
        let is_there = |rung: &Rung| match rung {
            Rung::Credential => has_file(Lock::Credential),
            Rung::Keyring => files.place().is_some(),
            Rung::Passphrase => has_file(Lock::Passphrase(Passphrase::Asked)),
        };
        [Rung::Credential, Rung::Passphrase, Rung::Keyring]
            .into_iter()
            .find(|rung| *rung != self.now && is_there(rung))
    }

    fn start_one(&self, rung: Rung, orders: Orders) -> Box<dyn Warden> {
        let lockbox = |lock| Lockbox::start(lock, &self.dir, orders.clone());
        match rung {
            Rung::Credential => Box::new(lockbox(Lock::Credential)),
            Rung::Keyring => Box::new(Keyring::start(&self.home, orders)),
            Rung::Passphrase => Box::new(lockbox(Lock::Passphrase(self.passphrase.clone()))),
        }
    }
}

fn exists(path: &Path) -> bool {
    path.try_exists().unwrap_or(true)
}
