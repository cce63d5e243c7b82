//! The key in a file beside the sealed ones, which a passphrase or a credential opens.

use std::io;
use std::path::{Path, PathBuf};

use api::secret::Password;
use session::limits;
use session::wrapping::{Contents, Fingerprint, Seen};

use super::envelope::{self, Label, Opener, Unopened, Way};
use super::files::{Files, Place};
use super::key::Key;
use super::orders::{Given, Look};
use super::secret::{self, Secret};
use super::warden::Holder;
use super::{VaultTrouble, on_disk};
use crate::config::Passphrase;

/// What opens the file.
#[derive(Clone, Debug)]
pub(super) enum Lock {
    Credential,
    Passphrase(Passphrase),
}

pub(super) struct Lockbox {
    files: Files,
    dir: PathBuf,
    lock: Lock,
    opener: Option<Opener>,
    /// Why the command or the file gave no passphrase. It is tried again only for a person.
    tried: Option<VaultTrouble>,
    was_asked: bool,
}

/// The file as it is now.
enum Stands {
    Absent,
    Damaged,
    Whole(Label, Vec<u8>),
}

impl Lock {
    /// The name of the file in the vault's directory.
    pub(super) fn file(&self) -> &'static str {
        match self {
            Self::Credential => "key.credential",
            Self::Passphrase(_) => "key.passphrase",
        }
    }
}

impl Holder for Lockbox {
    fn ask(&mut self, _items: bool) {
        self.tried = None;
        self.was_asked = true;
    }

    fn look(&mut self, _items: bool) -> Look {
        let mut keys = Vec::new();
        let seen = match self.stands() {
            Err(trouble) => Seen::Trouble(trouble),
            Ok(stands) => match self.find_opener(&stands) {
                Err(trouble) => self.shut(&stands, trouble),
                Ok(()) => self.contents(&stands, &mut keys),
            },
        };
        let dismissed =
            std::mem::take(&mut self.was_asked) && !matches!(&seen, Seen::Open(open) if open.takes_items);
        Look { seen, keys, place: None, lost: Vec::new(), items: None, dismissed }
    }

    /// Only a person who chooses a passphrase can.
    fn make_place(&mut self) -> Result<(), VaultTrouble> {
        Err(VaultTrouble::PassphraseUnset)
    }

    /// Beside the keys that are in it.
    fn write(&mut self, key: &Key) -> Result<Option<Place>, VaultTrouble> {
        let stands = self.stands()?;
        self.find_opener(&stands)?;
        let opener = self.opener.as_ref().ok_or(VaultTrouble::PassphraseNeeded)?;
        let mut keys = match &stands {
            Stands::Whole(_, file) => opener.open(file).unwrap_or_default(),
            Stands::Absent | Stands::Damaged => Vec::new(),
        };
        let name = self.lock.file();
        let is_damaged = keys.is_empty() && !matches!(stands, Stands::Absent);
        if is_damaged {
            self.files.set_aside(name).map_err(|error| on_disk(&error))?;
        }
        if keys.iter().all(|there| there.fingerprint != key.fingerprint) {
            keys.push(key.clone());
        }
        let sealed = opener.seal(&keys).ok_or(VaultTrouble::Failed)?;
        let written = self.files.set_key_file(name, &sealed).and_then(|()| self.files.key_file(name));
        let file = written.map_err(|error| on_disk(&error))?.ok_or(VaultTrouble::Disk)?;
        let back = opener.open(&file).unwrap_or_default();
        let is_there = back.iter().any(|there| there.fingerprint == key.fingerprint);
        if is_there { Ok(None) } else { Err(VaultTrouble::Disk) }
    }

    /// A file that has others as well stays.
    fn retire(&mut self, keys: &[Fingerprint]) {
        let gone = match self.stands() {
            Ok(Stands::Whole(label, _)) if label.keys.iter().all(|key| keys.contains(key)) => {
                self.files.remove_key_file(self.lock.file())
            }
            Ok(Stands::Whole(..) | Stands::Absent | Stands::Damaged) | Err(_) => return,
        };
        gone.unwrap_or_else(|error: io::Error| {
            tracing::warn!(%error, "the key's file from before stays");
        });
    }

    fn take(&mut self, passphrase: &Password) -> Given {
        let opener = self.stands().and_then(|stands| {
            let opener = self.opener_of(&stands, passphrase.expose().as_bytes())?;
            Ok((opener, matches!(stands, Stands::Whole(..))))
        });
        match opener {
            Ok((opener, there_was_one)) => {
                self.opener = Some(opener);
                self.tried = None;
                if there_was_one { Given::Right } else { Given::Chosen }
            }
            Err(trouble) => Given::Refused(trouble),
        }
    }
}

impl Lockbox {
    pub(super) fn new(lock: Lock, dir: &Path) -> Self {
        let (files, dir) = (Files::at(dir), dir.to_owned());
        Self { files, dir, lock, opener: None, tried: None, was_asked: false }
    }

    fn stands(&self) -> Result<Stands, VaultTrouble> {
        let file = self.files.key_file(self.lock.file()).map_err(|error| on_disk(&error))?;
        Ok(match file.map(|file| (envelope::label(&file), file)) {
            None => Stands::Absent,
            Some((None, _)) => Stands::Damaged,
            Some((Some(label), file)) => Stands::Whole(label, file),
        })
    }

    fn contents(&self, stands: &Stands, keys: &mut Vec<Key>) -> Seen {
        let open = Contents { takes_items: true, is_a_file: true, ..Contents::default() };
        let opened = match (stands, &self.opener) {
            (Stands::Whole(_, file), Some(opener)) => opener.open(file),
            (Stands::Whole(..) | Stands::Damaged, _) => Err(Unopened::Damaged),
            (Stands::Absent, _) => Ok(Vec::new()),
        };
        Seen::Open(match opened {
            Ok(opened) => {
                *keys = opened;
                Contents { keys: keys.iter().map(|key| key.fingerprint).collect(), ..open }
            }
            Err(Unopened::Damaged | Unopened::Wrong) => Contents { spoilt: vec![NOBODY], ..open },
        })
    }

    /// Nothing opens it. Where nothing has to be opened, it only takes nothing.
    fn shut(&self, stands: &Stands, trouble: VaultTrouble) -> Seen {
        let spoilt = match (stands, trouble) {
            (Stands::Absent, VaultTrouble::PassphraseNeeded) => Vec::new(),
            (Stands::Damaged, VaultTrouble::PassphraseNeeded) => vec![NOBODY],
            _ if matches!(self.lock, Lock::Credential) => return Seen::Trouble(trouble),
            _ => return Seen::Shut(trouble),
        };
        Seen::Open(Contents { spoilt, is_a_file: true, ..Contents::default() })
    }

    /// Afterwards there is an opener that suits the file.
    fn find_opener(&mut self, stands: &Stands) -> Result<(), VaultTrouble> {
        let suits = match (stands, &self.opener) {
            (Stands::Whole(label, _), Some(opener)) => label.is_for(opener),
            (Stands::Absent | Stands::Damaged, Some(_)) => true,
            (_, None) => false,
        };
        if suits {
            return Ok(());
        }
        if let Some(tried) = self.tried {
            return Err(tried);
        }
        let opener = self.secret().and_then(|secret| self.opener_of(stands, &secret));
        // A credential costs nothing to look at again.
        self.tried = opener.as_ref().err().copied().filter(|_| !matches!(self.lock, Lock::Credential));
        self.opener = Some(opener?);
        Ok(())
    }

    fn secret(&self) -> Result<Secret, VaultTrouble> {
        match &self.lock {
            Lock::Credential => secret::of_credential(),
            Lock::Passphrase(Passphrase::Asked) => Err(VaultTrouble::PassphraseNeeded),
            Lock::Passphrase(Passphrase::Command(words)) => {
                secret::of_command(words, limits::PASSPHRASE_COMMAND)
            }
            Lock::Passphrase(Passphrase::File(path)) => secret::of_file(path, &self.dir),
        }
    }

    fn opener_of(&self, stands: &Stands, secret: &[u8]) -> Result<Opener, VaultTrouble> {
        let fresh = || match self.lock {
            Lock::Credential => Way::hkdf(),
            Lock::Passphrase(_) => Way::argon2id(),
        };
        let way = match stands {
            Stands::Whole(label, _) => label.way.clone(),
            Stands::Absent | Stands::Damaged => fresh().ok_or(VaultTrouble::Failed)?,
        };
        let opener = way.derive(secret);
        match (stands, opener) {
            (Stands::Whole(label, _), Some(opener)) if !label.is_for(&opener) => Err(self.wrong()),
            (_, Some(opener)) => Ok(opener),
            (Stands::Whole(..), None) => Err(VaultTrouble::KeyFileDamaged),
            (_, None) => Err(VaultTrouble::Failed),
        }
    }

    fn wrong(&self) -> VaultTrouble {
        match self.lock {
            Lock::Credential => VaultTrouble::CredentialOther,
            Lock::Passphrase(_) => VaultTrouble::PassphraseWrong,
        }
    }
}

/// Whose key is in what cannot be read is not known.
const NOBODY: Fingerprint = Fingerprint([0; 8]);
