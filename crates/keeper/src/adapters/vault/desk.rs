//! The thread that seals and opens. It waits for the disk, never for the keyring: what it cannot do without a key is
//! answered with the reason, and told to be tried again when the key comes.

mod asking;
mod items;
mod moving;
mod sessions;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use session::event::Asker;
use session::limits;
use session::note::Note;
use session::time::Timestamp;
use session::wrapping::{self, Duty, Fingerprint, Keeping, Known, Loss, Missing, Seen};

use self::asking::Waiting;
use self::items::Moved;
use self::sessions::Pending;

use super::files::{Files, Place};
use super::former::Former;
use super::key::Key;
use super::orders::{Given, Item, Look, Lost, Order};
use super::seal::{self, Label};
use super::warden::Warden;
use super::{Answer, News, Stored, VaultTrouble, on_disk};
use crate::adapters::clock;

#[derive(Default)]
pub(super) struct Health {
    pub(super) trouble: Option<VaultTrouble>,
    pub(super) busy_since: Option<Timestamp>,
}

pub(super) struct Desk {
    files: Files,
    warden: Warden,
    former: Option<Former>,
    health: Arc<Mutex<Health>>,
    tell: Box<dyn Fn(News) + Send>,
    keys: BTreeMap<Fingerprint, Key>,
    /// The key that seals.
    sealing: Option<Fingerprint>,
    keeping: Keeping,
    missing: Missing,
    writing: Option<Writing>,
    waiting: Waiting,
    trouble: Option<VaultTrouble>,
    /// Until then the first look may take.
    first_look: Option<Timestamp>,
    /// Orders that wait for the first look.
    early: Vec<Order>,
    pending: Vec<Pending>,
    moved: Moved,
    /// The profiles whose items are sealed here.
    removed: BTreeSet<String>,
    /// Where the newest key was put.
    place: Option<Place>,
}

struct Writing {
    /// It had been kept in a keyring, which does not have it any more.
    returns: bool,
}

impl Desk {
    pub(super) fn new(
        files: Files,
        warden: Warden,
        former: Option<Former>,
        health: Arc<Mutex<Health>>,
        tell: Box<dyn Fn(News) + Send>,
    ) -> Self {
        Self {
            files,
            warden,
            former,
            health,
            tell,
            keys: BTreeMap::new(),
            sealing: None,
            keeping: Keeping::Nowhere,
            missing: Missing::default(),
            writing: None,
            waiting: Waiting::default(),
            trouble: None,
            first_look: None,
            early: Vec::new(),
            pending: Vec::new(),
            moved: Moved::Unknown,
            removed: BTreeSet::new(),
            place: None,
        }
    }

    pub(super) fn serve(mut self, orders: &Receiver<Order>) {
        if !self.warden.has_items() || self.files.has_moved().unwrap_or(false) {
            self.moved = Moved::All;
        }
        self.place = self.files.place();
        self.first_look = Some(clock::now() + limits::VAULT_LOOK);
        self.look();
        self.look_at_former();
        loop {
            let order = match self.until() {
                None => orders.recv().map_err(|_| RecvTimeoutError::Disconnected),
                Some(until) => orders.recv_timeout(clock::now().until(until)),
            };
            match order {
                Ok(Order::End) => return,
                Ok(order) => {
                    self.busy(true);
                    self.take(order);
                    self.busy(false);
                }
                Err(RecvTimeoutError::Timeout) => self.on_time(clock::now()),
                Err(RecvTimeoutError::Disconnected) => return,
            }
            if self.first_look.is_none() {
                for order in std::mem::take(&mut self.early) {
                    self.take(order);
                }
            }
        }
    }

    /// The first moment at which something is due although nothing was ordered.
    fn until(&self) -> Option<Timestamp> {
        let former = self.former.as_ref().and_then(|former| former.missing.again);
        [self.first_look, self.missing.again, former, self.pending_until()].into_iter().flatten().min()
    }

    fn on_time(&mut self, now: Timestamp) {
        let is_due = |at: &mut Timestamp| *at <= now;
        if self.first_look.is_some_and(|at| at <= now) {
            self.say(Some(self.silence()));
        }
        if self.missing.again.take_if(is_due).is_some() {
            self.look();
        }
        if self.former.as_mut().is_some_and(|former| former.missing.again.take_if(is_due).is_some()) {
            self.look_at_former();
        }
        if self.pending_until().is_some_and(|at| at <= now) {
            self.settle();
        }
    }

    fn take(&mut self, order: Order) {
        match order {
            Order::Asked(look) => {
                self.waiting.asked();
                self.see(look);
            }
            Order::Begin(asker) => self.begin(asker),
            Order::End => {}
            Order::Load(..) | Order::Save(..) | Order::Forget(..) if self.first_look.is_some() => {
                self.early.push(order);
            }
            Order::Forget(profile, answer) => {
                answer(self.forget(&profile));
                if self.trouble.is_some() {
                    // It may have been about what has just gone.
                    self.look();
                }
            }
            Order::Former(order) => self.hear_former(*order),
            Order::Given(given) => self.given(given),
            Order::HomeMade => self.on_home_made(),
            Order::Load(profile, answer) => {
                let loaded = self.load(&profile);
                if loaded.is_ok() {
                    answer(loaded);
                    self.make_room(&profile);
                } else {
                    // Not every service says when it has been opened.
                    self.look();
                    answer(loaded);
                }
            }
            Order::Placed(placed) => self.placed(placed),
            Order::Room(profile, done) => {
                self.make_room(&profile);
                // Whoever waited may have given up.
                done.send(()).ok();
            }
            Order::Save(profile, stored, answer) => {
                self.save(profile.clone(), stored, answer);
                // There is something to keep, and nothing to keep it with.
                self.begin(Asker::Machine);
                self.make_room(&profile);
            }
            Order::Seen(look) => self.see(look),
            Order::Unlock(passphrase, answer) => self.unlock(passphrase, answer),
            Order::Wrote(key, wrote) => self.wrote(key, wrote),
        }
    }

    /// What is known of the keyring went with the home, and is known here.
    fn on_home_made(&mut self) {
        let written = self.place.as_ref().map_or(Ok(()), |place| self.files.set_place(place));
        let has_moved = self.moved.is_all() && self.warden.has_items();
        let written = written.and_then(|()| if has_moved { self.files.set_moved() } else { Ok(()) });
        written.unwrap_or_else(|error| tracing::warn!(%error, "a home that was made again"));
        self.look();
    }

    fn look(&self) {
        self.warden.look(!self.moved.is_all());
    }

    fn begin(&mut self, asker: Asker) {
        if self.sealing.is_some() && self.keeping != Keeping::Nowhere {
            return;
        }
        self.waiting.want(asker);
        self.look();
    }

    fn see(&mut self, look: Look) {
        let Look { mut seen, keys, place, lost, items, dismissed } = look;
        let labels = match self.files.labels() {
            Ok(labels) => labels,
            Err(error) => {
                tracing::warn!(%error, "the sealed files cannot be listed");
                return self.say(Some(VaultTrouble::Disk));
            }
        };
        if dismissed {
            self.waiting.dismissed();
        }
        if let Seen::Open(contents) = &mut seen {
            contents.is_the_same = self.is_the_same(place);
        }
        if self.sealing.is_some_and(|key| seen.shows(key)) && self.keeping == Keeping::Nowhere {
            self.kept();
        }
        let is_deleted = lost_in(&seen, &lost, self.sealing);
        let loss = self.missing.judge(is_deleted, clock::now());
        let known = self.known(&labels, loss);
        let duty = wrapping::duty(&seen, &known);
        tracing::debug!(?seen, ?duty, "the key");
        let Some(duty) = self.find(duty, &known) else { return };
        self.act(duty, &seen, keys);
        if let Seen::Open(contents) = &seen {
            if let Some(items) = items {
                self.move_items(items, contents);
            }
            self.leave_former(&seen);
        }
        // A dialog is open, or an item is being made: both end with another order.
        let goes_on = matches!(duty, Duty::Ask | Duty::MakePlace | Duty::Make | Duty::Write(_));
        self.say(self.trouble);
        if !goes_on {
            self.opened();
            self.settle();
        }
    }

    fn known(&self, labels: &[Label], loss: Option<Loss>) -> Known {
        let mut held: Vec<Fingerprint> = self.sealing.into_iter().collect();
        held.extend(self.keys.keys().filter(|key| Some(**key) != self.sealing));
        let mut named: Vec<Fingerprint> = labels.iter().map(|label| label.key).collect();
        named.dedup();
        let (wanted, opening) = self.waiting.for_what();
        Known { held, named, wanted, opening, keeping: self.keeping, loss }
    }

    fn is_the_same(&self, place: Option<Place>) -> Option<bool> {
        self.place.as_ref().zip(place).map(|(known, place)| *known == place)
    }

    fn act(&mut self, duty: Duty, seen: &Seen, keys: Vec<Key>) {
        match duty {
            Duty::Rest | Duty::LookAgain => {
                if self.sealing.is_some_and(|key| seen.shows(key)) {
                    self.keeping = Keeping::Here;
                }
                let sealing = self.sealing.map(|_| self.keeping);
                self.trouble = wrapping::trouble_at_rest(seen, sealing, self.trouble);
            }
            Duty::Take(key) => self.hold(keys, key),
            Duty::Make => self.make(),
            // This look may be from before that began.
            Duty::Write(_) if self.writing.is_some() => {}
            Duty::Write(key) => self.write(key, self.keeping == Keeping::Here),
            Duty::Ask => {
                self.trouble = seen.trouble();
                if self.waiting.ask() {
                    self.warden.ask();
                }
            }
            Duty::MakePlace => {
                if self.waiting.ask() {
                    self.warden.make_place();
                }
            }
            Duty::End => self.end(),
            Duty::Wait(trouble) => {
                self.trouble = Some(trouble);
                self.waiting.go_on_alone();
            }
        }
    }

    fn hold(&mut self, keys: Vec<Key>, sealing: Fingerprint) {
        self.keys.extend(keys.into_iter().map(|key| (key.fingerprint, key)));
        self.sealing = Some(sealing);
        self.kept();
    }

    fn make(&mut self) {
        let Some(key) = Key::make() else {
            self.trouble = Some(VaultTrouble::Failed);
            return;
        };
        let fingerprint = key.fingerprint;
        self.keys.insert(fingerprint, key);
        self.sealing = Some(fingerprint);
        self.write(fingerprint, false);
    }

    fn write(&mut self, key: Fingerprint, returns: bool) {
        let Some(text) = self.keys.get(&key) else { return };
        self.writing = Some(Writing { returns });
        self.warden.write(text.clone());
        if self.sealing == Some(key) && self.keeping != Keeping::Former {
            self.keeping = Keeping::Nowhere;
            self.trouble = Some(VaultTrouble::Slow);
        }
    }

    fn wrote(&mut self, key: Fingerprint, wrote: Result<Option<Place>, VaultTrouble>) {
        let returned = self.writing.take().is_some_and(|writing| writing.returns);
        match wrote {
            Ok(place) => {
                // Without it another keyring is told as one that lost the key, and nothing else is different.
                let known = place.as_ref().map_or(Ok(()), |place| self.files.set_place(place));
                self.place = place.or(self.place.take());
                known
                    .unwrap_or_else(|error| tracing::warn!(%error, "the keyring's name is not written down"));
                if self.sealing == Some(key) {
                    if returned {
                        (self.tell)(News::Note(Note::KeyReturned));
                    }
                    self.kept();
                }
                if self.former.is_some() {
                    self.look();
                }
            }
            Err(trouble) => self.trouble = Some(trouble),
        }
        self.say(self.trouble);
        self.opened();
        self.settle();
    }

    fn placed(&mut self, placed: Result<(), VaultTrouble>) {
        self.waiting.asked();
        match placed {
            Ok(()) => self.look(),
            Err(trouble) => {
                self.waiting.dismissed();
                self.trouble = Some(trouble);
                self.say(self.trouble);
                self.opened();
                self.settle();
            }
        }
    }

    fn kept(&mut self) {
        self.keeping = Keeping::Here;
        self.missing = Missing::default();
        self.trouble = None;
        self.waiting.wanted = None;
        if !self.moved.is_all() {
            self.look();
        }
        (self.tell)(News::Ready);
    }

    fn end(&mut self) {
        self.keys.clear();
        self.sealing = None;
        self.keeping = Keeping::Nowhere;
        self.trouble = None;
        (self.tell)(News::Deleted);
    }

    /// The first answer of the keyring, or that there is none, is what early orders have waited for.
    fn say(&mut self, trouble: Option<VaultTrouble>) {
        self.trouble = trouble;
        let mut health = lock(&self.health);
        let changed = health.trouble != trouble;
        health.trouble = trouble;
        drop(health);
        if changed {
            (self.tell)(News::Changed);
        }
        self.first_look = None;
    }

    fn busy(&self, busy: bool) {
        lock(&self.health).busy_since = busy.then(clock::now);
    }
}

/// Whether the keyring that had the key said that it was deleted; `None` unless the key is missing there.
fn lost_in(seen: &Seen, lost: &[Lost], key: Option<Fingerprint>) -> Option<bool> {
    let lost = lost.iter().find(|lost| Some(lost.key) == key);
    lost.filter(|_| matches!(seen, Seen::Open(_))).map(|lost| lost.is_deleted)
}

pub(super) fn lock(health: &Mutex<Health>) -> MutexGuard<'_, Health> {
    health.lock().unwrap_or_else(PoisonError::into_inner)
}
