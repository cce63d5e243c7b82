//! Who waits for the key. A person who wants what is stored to be opened waits for a dialog, or for what becomes of a
//! passphrase; a sign-in needs a key to seal with.

use api::secret::Password;
use session::event::Asker;

use super::{Answer, Desk, Given, VaultTrouble};

#[derive(Default)]
pub(super) struct Waiting {
    /// For a key to seal with.
    pub(super) wanted: Option<Asker>,
    /// A person waits for what is stored to be opened.
    pub(super) opening: bool,
    /// A person is being asked, and is not asked twice.
    is_asked: bool,
    /// Passphrases that nothing has been said of yet.
    giving: u32,
    unlocking: Vec<Answer<()>>,
}

impl Waiting {
    /// For a key to seal with, and for what is stored to be opened. Nobody is asked for what is being given.
    pub(super) fn for_what(&self) -> (Option<Asker>, bool) {
        if self.giving > 0 { (None, false) } else { (self.wanted, self.opening) }
    }

    pub(super) fn want(&mut self, asker: Asker) {
        if self.wanted != Some(Asker::Person) {
            self.wanted = Some(asker);
        }
    }

    /// The person is told why not, and is not there any more when that ends.
    pub(super) fn go_on_alone(&mut self) {
        self.wanted = self.wanted.and(Some(Asker::Machine));
    }

    pub(super) fn dismissed(&mut self) {
        self.wanted = None;
        self.opening = false;
    }

    /// Whether nobody is being asked yet.
    pub(super) fn ask(&mut self) -> bool {
        !std::mem::replace(&mut self.is_asked, true)
    }

    pub(super) fn asked(&mut self) {
        self.is_asked = false;
    }
}

impl Desk {
    pub(super) fn unlock(&mut self, passphrase: Option<Password>, answer: Answer<()>) {
        self.waiting.unlocking.push(answer);
        self.waiting.opening = true;
        let taken = passphrase.is_some_and(|passphrase| self.give(passphrase));
        if taken {
            self.waiting.giving += 1;
        } else {
            self.look();
        }
    }

    fn give(&self, passphrase: Password) -> bool {
        self.warden.give(passphrase.clone())
            || self.former.as_ref().is_some_and(|former| former.give(passphrase))
    }

    pub(super) fn given(&mut self, given: Given) {
        self.waiting.giving = self.waiting.giving.saturating_sub(1);
        match given {
            // Whoever chooses one says to go on without what it cannot open.
            Given::Chosen => self.waiting.wanted = Some(Asker::Person),
            Given::Refused(trouble) => self.answer_unlocking(Err(trouble)),
            Given::Right => {}
        }
    }

    pub(super) fn opened(&mut self) {
        if self.waiting.giving == 0 {
            self.answer_unlocking(self.trouble.map_or(Ok(()), Err));
        }
    }

    fn answer_unlocking(&mut self, opened: Result<(), VaultTrouble>) {
        self.waiting.opening = false;
        for answer in self.waiting.unlocking.drain(..) {
            answer(opened);
        }
    }

    /// Why the key has not been heard of.
    pub(super) fn silence(&self) -> VaultTrouble {
        let unheard = self.former.as_ref().filter(|former| !former.is_heard());
        unheard.map_or_else(|| self.warden.silence(), |former| former.silence())
    }
}
