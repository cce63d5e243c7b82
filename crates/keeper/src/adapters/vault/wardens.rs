//! Who keeps the key, and who did before the setting was changed.

use std::path::{Path, PathBuf};

use super::files::Files;
use super::keyring::Keyring;
use super::lockbox::{Lock, Lockbox};
use super::orders::Orders;
use super::warden::{Rung, Warden};
use crate::config::Passphrase;

#[derive(Clone)]
pub(super) struct Wardens {
    pub(super) now: Rung,
    pub(super) home: String,
    pub(super) dir: PathBuf,
    pub(super) passphrase: Passphrase,
    pub(super) orders: Orders,
}

impl Wardens {
    pub(super) fn start(&self) -> Warden {
        let has_moved = Files::at(&self.dir).has_moved().unwrap_or(false);
        self.start_one(self.now, !has_moved, self.orders.clone())
    }

    pub(super) fn start_former(&self, rung: Rung) -> Warden {
        self.start_one(rung, false, self.orders.of_former())
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

    fn start_one(&self, rung: Rung, items: bool, orders: Orders) -> Warden {
        let lockbox = |lock| Warden::start(rung, false, orders.clone(), |_| Lockbox::new(lock, &self.dir));
        match rung {
            Rung::Credential => lockbox(Lock::Credential),
            Rung::Keyring => Warden::start(rung, items, orders, |due| Keyring::new(&self.home, due)),
            Rung::Passphrase => lockbox(Lock::Passphrase(self.passphrase.clone())),
        }
    }
}

fn exists(path: &Path) -> bool {
    path.try_exists().unwrap_or(true)
}
