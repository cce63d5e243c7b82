//! The key moves when a person has changed the setting. Whoever kept it before gives it, and lets go of it when the new
//! place has given it back. Killed anywhere in between, the next process finds it in one place or in both.

use session::moving::{self, Find, Leave};
use session::note::Note;
use session::wrapping::{Duty, Fingerprint, Keeping, Known, Loss, Seen};

use super::super::former::Former;
use super::super::warden::Rung;
use super::{Desk, Look, News, Order, lost_in};
use crate::adapters::clock;

impl Desk {
    pub(super) fn look_at_former(&self) {
        if let Some(former) = &self.former {
            former.warden.look(false);
        }
    }

    pub(super) fn hear_former(&mut self, order: Order) {
        match order {
            Order::Asked(look) => {
                self.waiting.asked();
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
        let Look { mut seen, keys, place, lost, dismissed, items: _ } = look;
        if let Seen::Open(contents) = &mut seen {
            contents.is_the_same = self.is_the_same(place);
        }
        let Some(former) = &mut self.former else { return };
        tracing::debug!(?seen, rung = ?former.rung, "the key before");
        let is_news = former.seen.as_ref() != Some(&seen);
        let loss = former.missing.judge(lost_in(&seen, &lost, self.sealing), clock::now());
        former.keys = keys;
        former.seen = Some(seen);
        let is_gone = former.holds(self.sealing) == Some(false) && loss != Some(Loss::New);
        let is_gone = is_gone && self.keeping == Keeping::Former;
        if is_gone && loss == Some(Loss::Deleted) {
            self.end();
        } else if is_gone {
            self.keeping = Keeping::Nowhere;
        }
        if dismissed {
            self.waiting.dismissed();
        }
        if is_news || is_gone || dismissed {
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
                if self.waiting.ask() {
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
        self.keeping = Keeping::Former;
        (self.tell)(News::Ready);
        self.look();
    }

    pub(super) fn leave_former(&mut self, seen: &Seen) {
        if self.sealing.is_none() || self.writing.is_some() {
            return;
        }
        let Some(former) = &mut self.former else { return };
        match moving::leave(seen, former.seen.as_ref()) {
            Leave::Stay => {}
            Leave::Write(key) => {
                let keys = former.keys.iter().cloned().map(|key| (key.fingerprint, key));
                self.keys.extend(keys);
                self.write(key, false);
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
