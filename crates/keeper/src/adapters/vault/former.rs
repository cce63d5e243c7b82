//! Who kept the key before the setting was changed, and what is known of it.

use api::secret::Password;
use session::wrapping::{Fingerprint, Missing, Seen};

use super::VaultTrouble;
use super::key::Key;
use super::warden::{Rung, Warden};
use super::wardens::Wardens;

/// Where the key was kept before the setting was changed.
pub(super) struct Former {
    pub(super) rung: Rung,
    pub(super) warden: Warden,
    pub(super) wardens: Wardens,
    pub(super) seen: Option<Seen>,
    pub(super) keys: Vec<Key>,
    pub(super) missing: Missing,
    /// Something was there that has gone since.
    pub(super) has_moved: bool,
}

impl Former {
    /// `None` if the key has only ever been where it is to be.
    pub(super) fn find(wardens: Wardens) -> Option<Self> {
        let rung = wardens.former()?;
        let warden = wardens.start_former(rung);
        Some(Self {
            rung,
            warden,
            wardens,
            seen: None,
            keys: Vec::new(),
            missing: Missing::default(),
            has_moved: false,
        })
    }

    pub(super) fn give(&self, passphrase: Password) -> bool {
        self.warden.give(passphrase)
    }

    pub(super) fn is_heard(&self) -> bool {
        self.seen.is_some()
    }

    pub(super) fn silence(&self) -> VaultTrouble {
        self.warden.silence()
    }

    /// `None` if that cannot be seen.
    pub(super) fn holds(&self, key: Option<Fingerprint>) -> Option<bool> {
        match &self.seen {
            Some(Seen::Open(contents)) => Some(key.is_some_and(|key| contents.keys.contains(&key))),
            Some(Seen::Locked | Seen::NotAllowed | Seen::Shut(_) | Seen::Trouble(_)) | None => None,
        }
    }
}
