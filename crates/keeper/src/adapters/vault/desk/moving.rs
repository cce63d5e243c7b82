//! The key moves when a person has changed the setting. Whoever kept it before gives it, and lets go of it when the new
//! place has given it back. Killed anywhere in between, the next process finds it in one place or in both.

use session::moving::{self, Find, Leave};
use session::note::Note;
use session::wrapping::{Duty, Fingerprint, Known, Seen};

use super::super::former::Former;
use super::super::wardens::Rung;
use super::{Desk, Look, News, Order};

impl Desk {
    pub(super) fn look_at_former(&self) {
        if let Some(former) = &self.former {
            former.warden.look(false);
        }
    }

    pub(super) fn hear_former(&mut self, order: Order) {
        match order {
            Order::Asked(look) => {
                self.asking = false;
                self.see_former(look);
            }
            Order::Given(given) => self.given(given),
            Order::Seen(look) => self.see_former(look),
            Order::Begin(_)
            | Order::End
            | Order::Forget(..)
            | Order::Former(_)
            | Order::Load(..)
            | Order::HomeMade
            | Order::Placed(_)
            | Order::Room(..)
            | Order::Save(..)
            | Order::Unlock(..)
            | Order::Wrote(..) => {}
        }
    }

    fn see_former(&mut self, look: Look) {
        let Look { mut seen, keys, place, deleted, dismissed, items: _ } = look;
        if let Seen::Open(contents) = &mut seen {
            contents.is_the_same = self.place.as_ref().zip(place).map(|(known, place)| *known == place);
        }
        let Some(former) = &mut self.former else { return };
        tracing::debug!(?seen, rung = ?former.rung, "the key before");
        let is_news = former.seen.as_ref() != Some(&seen);
        former.keys = keys;
        former.seen = Some(seen);
        let lost = self.is_kept_by_former && former.holds(self.sealing) == Some(false);
        if lost && self.sealing.is_some_and(|key| deleted.contains(&key)) {
            self.end();
        } else if lost {
            (self.is_kept, self.is_kept_by_former) = (false, false);
        }
        if dismissed {
            self.dismissed();
        }
        if is_news || dismissed {
            self.look();
        }
    }

    /// What to do here, if anything.
    pub(super) fn find(&mut self, duty: Duty, known: &Known) -> Option<Duty> {
        let Some(former) = self.former.as_ref().filter(|_| known.held.is_empty()) else { return Some(duty) };
        match moving::find(duty, former.seen.as_ref(), known) {
            Find::Here(duty) => return Some(duty),
            Find::TakeFormer(key) => self.take_former(key),
            Find::AskFormer => {
                if !std::mem::replace(&mut self.asking, true) {
                    former.warden.ask();
                }
                let trouble = former.seen.as_ref().and_then(Seen::trouble);
                self.say(trouble);
            }
            Find::HearFormer => {}
        }
        None
    }

    fn take_former(&mut self, key: Fingerprint) {
        let keys = self.former.iter().flat_map(|former| former.keys.iter().cloned());
        self.keys.extend(keys.map(|key| (key.fingerprint, key)));
        self.sealing = Some(key);
        (self.is_kept, self.is_kept_by_former) = (true, true);
        (self.tell)(News::Ready);
        self.look();
    }

    pub(super) fn leave_former(&mut self, seen: &Seen) {
        if self.sealing.is_none() || self.is_being_written {
            return;
        }
        let Some(former) = &mut self.former else { return };
        match moving::leave(seen, former.seen.as_ref()) {
            Leave::Stay => {}
            Leave::Write(key) => {
                let keys = former.keys.iter().cloned().map(|key| (key.fingerprint, key));
                self.keys.extend(keys);
                self.write(key);
            }
            Leave::Retire(_) if former.seen.as_ref().is_some_and(moving::is_left) => self.let_go(),
            Leave::Retire(keys) => {
                former.has_moved = true;
                former.warden.retire(keys);
            }
        }
    }

    /// There may have been one before that one.
    fn let_go(&mut self) {
        let Some(Former { rung, wardens, has_moved, .. }) = self.former.take() else { return };
        if rung == Rung::Keyring {
            self.place = None;
            if let Err(error) = self.files.forget_place() {
                return tracing::warn!(%error, "the next process looks into the keyring once more");
            }
        }
        if has_moved {
            (self.tell)(News::Note(Note::KeyMoved));
        }
        self.former = Former::find(wardens);
        self.look_at_former();
    }
}
