//! Where refresh tokens live while no keeper runs: the desktop's keyring, or, where there is none, nowhere.
//!
//! A keyring may take its time: locked, it waits for a person, and that may be hours. So a [`Vault`] is only a way to
//! send requests to a thread of its own, and every answer comes back through a closure that is called there. Nobody
//! ever waits in here, a late answer is as good as any, and the thread holds up no end of the process.
//!
//! Nothing is written after a failed read of the same item, and what another version wrote is never overwritten.

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

/// What is kept for one profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    pub refresh: RefreshToken,
    /// Where it may go; it goes nowhere else, whatever a configuration says one day.
    pub bound: Bound,
    /// Whose it is; the ID token is not kept.
    pub account: Account,
}

/// A handle; cloning it is cheap and gives another one to the same vault.
#[derive(Clone)]
pub struct Vault(Place);

#[derive(Clone)]
enum Place {
    Keyring(Keyring),
    Memory { items: Memory, trouble: Option<VaultTrouble> },
}

impl Vault {
    /// The vault that is preferred, or memory where there is no keyring to prefer; then [`Vault::trouble`] says
    /// [`VaultTrouble::Absent`] for as long as the process lives.
    ///
    /// It stays with memory even if a keyring turns up later. Sessions have begun by then for which memory said
    /// "nothing is stored", and people have signed in again; the keyring may hold other tokens for the same profiles,
    /// and which of the two is to be kept is not for a program to decide behind somebody's back. A restart decides
    /// it: the keyring is read before anything is written to it. A keyring that is there and locked, or slow, is not
    /// absent; it is waited for. So is one that cannot be reached for want of a descriptor.
    ///
    /// `home` tells this home's items from another's; it is empty for the default one. Takes two seconds at most, and
    /// so long only where a bus does not answer.
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

    /// The desktop's keyring, whatever state it is in.
    pub fn keyring(home: &str) -> Self {
        Self(Place::Keyring(Keyring::start(home)))
    }

    /// A keyring whose thread drops what it is asked.
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

    /// What is wrong at this moment: of the last request, or of one that has been under way for too long.
    pub fn trouble(&self) -> Option<VaultTrouble> {
        match &self.0 {
            Place::Keyring(keyring) => keyring.trouble(),
            Place::Memory { trouble, .. } => *trouble,
        }
    }

    /// Somebody may answer the keyring's question now who has put it away before: it is asked anew where it is locked.
    pub fn ask_again(&self) {
        if let Place::Keyring(keyring) = &self.0 {
            keyring.ask_again();
        }
    }

    /// What is stored for the profile, if anything is. Like the other two this returns at once.
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

    /// Stores this for the profile, in place of what was stored.
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

    /// Forgets what is stored for the profile; nothing to forget is a success too.
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
