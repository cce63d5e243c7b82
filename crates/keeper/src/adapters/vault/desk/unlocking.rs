//! A person wants what is stored to be opened, and waits: for a dialog, or for what becomes of a passphrase.

use api::secret::Password;
use session::event::Asker;

use super::{Desk, Given, VaultTrouble};

impl Desk {
    pub(super) fn unlock(&mut self, passphrase: Option<Password>) {
        self.opening = true;
        let taken = passphrase.is_some_and(|passphrase| self.give(passphrase));
        if taken {
            self.giving += 1;
        } else {
            self.look();
        }
    }

    fn give(&self, passphrase: Password) -> bool {
        self.warden.give(passphrase.clone())
            || self.former.as_ref().is_some_and(|former| former.give(passphrase))
    }

    pub(super) fn given(&mut self, given: Given) {
        self.giving = self.giving.saturating_sub(1);
        match given {
            // Whoever chooses one says to go on without what it cannot open.
            Given::Chosen => self.wanted = Some(Asker::Person),
            Given::Refused(trouble) => self.answer_unlocking(Err(trouble)),
            Given::Right => {}
        }
    }

    pub(super) fn dismissed(&mut self) {
        self.wanted = None;
        self.opening = false;
    }

    pub(super) fn opened(&mut self) {
        if self.giving == 0 {
            self.answer_unlocking(self.trouble.map_or(Ok(()), Err));
        }
    }

    fn answer_unlocking(&mut self, opened: Result<(), VaultTrouble>) {
        self.opening = false;
        for answer in self.unlocking.drain(..) {
            answer(opened);
        }
    }

    /// Why the key has not been heard of.
    pub(super) fn silence(&self) -> VaultTrouble {
        let unheard = self.former.as_ref().filter(|former| !former.is_heard());
        unheard.map_or_else(|| self.warden.silence(), |former| former.silence())
    }
}
