//! Refresh tokens are in the desktop's keyring, or else only in memory. A locked keyring may wait for hours, so answers
//! come on another thread. What could not be read, or was written by another version, is never overwritten.

mod bus;
mod keyring;
mod memory;
mod record;

use session::binding::Bound;
use session::tokens::{Account, RefreshToken};

use api::VaultKind;

pub use session::reason::VaultTrouble;

use self::keyring::Keyring;
use self::memory::Memory;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    pub refresh: RefreshToken,
    pub bound: Bound,
    pub account: Account,
}

#[derive(Clone)]
pub struct Vault(Place);

#[derive(Clone)]
enum Place {
    Keyring(Keyring),
    Memory { items: Memory, trouble: Option<VaultTrouble> },
}

impl Vault {
    /// Where there is no keyring at all, this is memory with [`VaultTrouble::Absent`], and stays so: one that turns up
    /// later may hold other tokens. `home` is empty for the default one. Takes little more than two seconds at most.
    pub fn open(preferred: VaultKind, home: &str) -> Self {
        match preferred {
            VaultKind::Memory => Self::memory(),
            VaultKind::Keyring if bus::is_absent() => {
                tracing::warn!("no keyring: refresh tokens are kept in memory only");
                Self(Place::Memory { items: Memory::default(), trouble: Some(VaultTrouble::Absent) })
            }
            VaultKind::Keyring => Self::keyring(home),
        }
    }

    pub fn keyring(home: &str) -> Self {
        Self(Place::Keyring(Keyring::start(home)))
    }

    #[cfg(test)]
    pub(crate) fn dropping() -> Self {
        Self(Place::Keyring(Keyring::dropping()))
    }

    pub fn memory() -> Self {
        Self(Place::Memory { items: Memory::default(), trouble: None })
    }

    pub fn kind(&self) -> VaultKind {
        match &self.0 {
            Place::Keyring(_) => VaultKind::Keyring,
            Place::Memory { .. } => VaultKind::Memory,
        }
    }

    pub fn trouble(&self) -> Option<VaultTrouble> {
        match &self.0 {
            Place::Keyring(keyring) => keyring.trouble(),
            Place::Memory { trouble, .. } => *trouble,
        }
    }

    /// A locked keyring asks once more, because a person may answer now.
    pub fn ask_again(&self) {
        if let Place::Keyring(keyring) = &self.0 {
            keyring.ask_again();
        }
    }

    /// Returns at once, as the next two do.
    pub fn load(
        &self,
        profile: &str,
        answer: impl FnOnce(Result<Option<Stored>, VaultTrouble>) + Send + 'static,
    ) {
        match &self.0 {
            Place::Keyring(keyring) => keyring.load(profile, Box::new(answer)),
            Place::Memory { items, .. } => answer(Ok(items.load(profile))),
        }
    }

    pub fn save(
        &self,
        profile: &str,
        stored: Stored,
        answer: impl FnOnce(Result<(), VaultTrouble>) + Send + 'static,
    ) {
        match &self.0 {
            Place::Keyring(keyring) => keyring.save(profile, stored, Box::new(answer)),
            Place::Memory { items, .. } => {
                items.save(profile, stored);
                answer(Ok(()));
            }
        }
    }

    /// Nothing to forget is a success too.
    pub fn forget(&self, profile: &str, answer: impl FnOnce(Result<(), VaultTrouble>) + Send + 'static) {
        match &self.0 {
            Place::Keyring(keyring) => keyring.forget(profile, Box::new(answer)),
            Place::Memory { items, .. } => {
                items.forget(profile);
                answer(Ok(()));
            }
        }
    }
}
