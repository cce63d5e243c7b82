//! What is sealed, a file a session.

use std::collections::BTreeSet;
use std::io;

use session::limits;
use session::time::Timestamp;
use session::wrapping::Keeping;

use super::items::Moved;
use super::{Answer, Desk, Stored, VaultTrouble, on_disk, seal};
use crate::adapters::clock;

/// A token that is saved once its key is kept, which is under way.
pub(super) struct Pending {
    profile: String,
    /// `None` if it has been sealed already.
    stored: Option<Box<Stored>>,
    answer: Answer<()>,
    until: Timestamp,
}

impl Desk {
    pub(super) fn load(&self, profile: &str) -> Result<Option<Stored>, VaultTrouble> {
        self.finish(profile).map_err(|error| on_disk(&error))?;
        let file = self.files.read(profile).map_err(|error| on_disk(&error))?;
        match (file, &self.moved) {
            (Some(file), _) => self.open(profile, &file).map(Some),
            (None, Moved::All) => Ok(None),
            (None, Moved::AllBut(left)) if left.contains(profile) => Err(VaultTrouble::Failed),
            (None, Moved::AllBut(_)) => Ok(None),
            (None, Moved::Unknown) => Err(self.why()),
        }
    }

    /// A process that was killed may have written a whole token, and not given it its name.
    fn finish(&self, profile: &str) -> io::Result<()> {
        let Some(next) = self.files.read_next(profile)? else { return Ok(()) };
        let Ok(label) = seal::label(&next) else { return Ok(()) };
        let is_newer = match self.files.read(profile)? {
            None => true,
            Some(file) => seal::label(&file).is_ok_and(|there| label.age.is_after(there.age)),
        };
        let opens = self.keys.get(&label.key).is_some_and(|key| seal::open(key, profile, &next).is_ok());
        if is_newer && opens { self.files.name_next(profile) } else { Ok(()) }
    }

    pub(super) fn open(&self, profile: &str, file: &[u8]) -> Result<Stored, VaultTrouble> {
        let opened = seal::label(file).and_then(|label| match self.keys.get(&label.key) {
            None => Ok(Err(self.trouble.unwrap_or(VaultTrouble::Gone))),
            Some(key) => seal::open(key, profile, file).map(Ok),
        });
        opened.unwrap_or_else(|error| {
            tracing::warn!(profile, %error, "a sealed file is left alone");
            Err(VaultTrouble::Damaged)
        })
    }

    /// Without a place for the key, what is sealed could not be opened again; it is sealed all the same, and not called
    /// saved. While the key is on its way to that place, the answer waits for it.
    pub(super) fn save(&mut self, profile: String, stored: Box<Stored>, answer: Answer<()>) {
        // What waits is older, and must not be sealed over this one.
        self.give_up(&profile);
        if self.sealing.is_none() && self.trouble.is_none() {
            return self.wait_with(profile, Some(stored), answer);
        }
        match self.seal(&profile, &stored, clock::wall_ms()) {
            Ok(()) if self.keeping != Keeping::Nowhere => answer(Ok(())),
            Ok(()) if self.writing.is_some() => self.wait_with(profile, None, answer),
            Ok(()) => answer(Err(self.why())),
            Err(trouble) => answer(Err(trouble)),
        }
    }

    fn wait_with(&mut self, profile: String, stored: Option<Box<Stored>>, answer: Answer<()>) {
        let until = clock::now() + limits::VAULT_LOOK;
        self.pending.push(Pending { profile, stored, answer, until });
    }

    fn give_up(&mut self, profile: &str) {
        for pending in self.pending.extract_if(.., |pending| pending.profile == profile) {
            (pending.answer)(Err(VaultTrouble::Gone));
        }
    }

    /// Until then something is waited for.
    pub(super) fn pending_until(&self) -> Option<Timestamp> {
        self.pending.first().map(|pending| pending.until)
    }

    /// The key is kept, or it is not going to be for now.
    pub(super) fn settle(&mut self) {
        let mut made = BTreeSet::new();
        for Pending { profile, stored, answer, .. } in std::mem::take(&mut self.pending) {
            let sealed = stored.map_or(Ok(()), |stored| self.seal(&profile, &stored, clock::wall_ms()));
            let is_kept = self.keeping != Keeping::Nowhere;
            answer(sealed.and_then(|()| if is_kept { Ok(()) } else { Err(self.why()) }));
            made.insert(profile);
        }
        made.iter().for_each(|profile| self.make_room(profile));
    }

    pub(super) fn seal(&self, profile: &str, stored: &Stored, saved_at: i64) -> Result<(), VaultTrouble> {
        let Some(key) = self.sealing.and_then(|key| self.keys.get(&key)) else { return Err(self.why()) };
        let sealed = seal::seal(key, profile, stored, saved_at).map_err(|error| {
            tracing::warn!(profile, %error, "a session cannot be sealed");
            VaultTrouble::Failed
        })?;
        self.files.write(profile, &sealed).map_err(|error| on_disk(&error))
    }

    pub(super) fn forget(&mut self, profile: &str) -> Result<(), VaultTrouble> {
        self.give_up(profile);
        self.files.remove(profile).map_err(|error| on_disk(&error))?;
        match &self.moved {
            Moved::All => {}
            Moved::AllBut(_) => self.warden.remove_item(profile.to_owned()),
            // What an older version left there would come back.
            Moved::Unknown => return Err(self.why()),
        }
        Ok(())
    }

    pub(super) fn make_room(&self, profile: &str) {
        if let Err(error) = self.files.make_room(profile) {
            tracing::warn!(profile, %error, "no room is kept for the next token");
        }
    }

    fn why(&self) -> VaultTrouble {
        self.trouble.unwrap_or(VaultTrouble::Slow)
    }
}
