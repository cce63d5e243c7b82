//! What older versions have left in the keyring: an item a session. Each is sealed, opened again for a look, and only then
//! removed from the keyring. That none is left is written down once a look has found none.

use std::collections::BTreeSet;

use session::event::Asker;
use session::note::Note;
use session::wrapping::{Contents, Keeping};

use super::{Desk, Item, News, Stored, VaultTrouble, on_disk};

/// What became of them.
pub(super) enum Moved {
    Unknown,
    All,
    /// These cannot be read.
    AllBut(BTreeSet<String>),
}

impl Moved {
    pub(super) fn is_all(&self) -> bool {
        matches!(self, Self::All)
    }

    fn is_all_but(&self, left: &BTreeSet<String>) -> bool {
        matches!(self, Self::AllBut(known) if known == left)
    }
}

impl Desk {
    /// `items` are those that `seen` has.
    pub(super) fn move_items(&mut self, items: Vec<Item>, seen: &Contents) {
        let is_all = !seen.has_no_collection && !seen.others_are_locked;
        if self.moved.is_all() || !is_all && items.is_empty() {
            return;
        }
        let has_a_key = self.sealing.is_some() && self.keeping != Keeping::Nowhere;
        if !items.is_empty() && !has_a_key {
            // Once: each look at what has no key leads here.
            if self.waiting.wanted.is_none() {
                self.begin(Asker::Machine);
            }
            return;
        }
        let (mut left, mut moved) = (BTreeSet::new(), 0_u32);
        let were_none = items.is_empty();
        for Item { profile, stored } in items {
            match stored.map(|stored| self.move_item(&profile, stored)) {
                Some(Ok(())) => {
                    // A keyring that does not let go of it shows it at each look.
                    moved += u32::from(self.removed.insert(profile.clone()));
                    self.warden.remove_item(profile);
                }
                // All of them are looked at again by and by.
                Some(Err(trouble)) => return self.trouble = Some(trouble),
                None => drop(left.insert(profile)),
            }
        }
        if moved > 0 {
            (self.tell)(News::Note(Note::Moved { count: moved }));
            self.look();
        }
        let news = moved > 0 || (is_all && !self.moved.is_all_but(&left));
        if is_all && were_none {
            self.moved = Moved::All;
            // Where it cannot be written, the next start looks once more.
            drop(self.files.set_moved());
        } else if is_all {
            self.moved = Moved::AllBut(left);
        }
        // A session that reads in vain has the keyring looked at, which leads here again.
        if news {
            (self.tell)(News::Ready);
        }
    }

    fn move_item(&self, profile: &str, (stored, saved_at): (Stored, i64)) -> Result<(), VaultTrouble> {
        let there = self.files.read(profile).map_err(|error| on_disk(&error))?;
        if let Some(file) = there {
            // It was moved before, and may have gone on since.
            return self.open(profile, &file).map(drop);
        }
        self.seal(profile, &stored, saved_at)?;
        let file = self.files.read(profile).map_err(|error| on_disk(&error))?.ok_or(VaultTrouble::Disk)?;
        if self.open(profile, &file)? == stored { Ok(()) } else { Err(VaultTrouble::Disk) }
    }
}
