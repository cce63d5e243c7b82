//! The thread that seals and opens. It waits for the disk, never for the keyring: what it cannot do without a key is
//! answered with the reason, and told to be tried again when the key comes.

mod moving;
mod unlocking;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use session::event::Asker;
use session::limits;
use session::note::Note;
use session::time::Timestamp;
use session::wrapping::{self, Duty, Fingerprint, Known, Seen};

use super::files::{Files, Place};
use super::former::Former;
use super::key::Key;
use super::orders::{Given, Item, Look, Order, Warden};
use super::seal;
use super::{Answer, News, Stored, VaultTrouble, on_disk};
use crate::adapters::clock;

#[derive(Default)]
pub(super) struct Health {
    pub(super) trouble: Option<VaultTrouble>,
    pub(super) busy_since: Option<Timestamp>,
}

pub(super) struct Desk {
    files: Files,
    warden: Box<dyn Warden>,
    former: Option<Former>,
    health: Arc<Mutex<Health>>,
    tell: Box<dyn Fn(News) + Send>,
    keys: BTreeMap<Fingerprint, Key>,
    /// The key that seals.
    sealing: Option<Fingerprint>,
    /// It is where it is kept, and not only in memory.
    is_kept: bool,
    is_returning: bool,
    is_being_written: bool,
    /// It is kept, but only where the setting does not want it any more.
    is_kept_by_former: bool,
    wanted: Option<Asker>,
    /// A person waits for what is stored to be opened.
    opening: bool,
    /// A person is being asked, and is not asked twice.
    asking: bool,
    /// Passphrases that nothing has been said of yet.
    giving: u32,
    trouble: Option<VaultTrouble>,
    /// Until then the first look may take.
    first_look: Option<Timestamp>,
    /// Orders that wait for the first look.
    early: Vec<Order>,
    unlocking: Vec<Answer<()>>,
    moved: Moved,
    /// Where the newest key was put.
    place: Option<Place>,
}

/// What became of the items of older versions.
enum Moved {
    Unknown,
    All,
    /// These cannot be read.
    AllBut(BTreeSet<String>),
}

impl Moved {
    fn is_all_but(&self, left: &BTreeSet<String>) -> bool {
        matches!(self, Self::AllBut(known) if known == left)
    }
}

impl Desk {
    pub(super) fn new(
        files: Files,
        warden: Box<dyn Warden>,
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
            is_kept: false,
            is_returning: false,
            is_being_written: false,
            is_kept_by_former: false,
            wanted: None,
            opening: false,
            asking: false,
            giving: 0,
            trouble: None,
            first_look: None,
            early: Vec::new(),
            unlocking: Vec::new(),
            moved: Moved::Unknown,
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
            let order = match self.first_look {
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
                Err(RecvTimeoutError::Timeout) => self.say(Some(self.silence())),
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    fn take(&mut self, order: Order) {
        match order {
            Order::Asked(look) => {
                self.asking = false;
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
                answer(self.save(&profile, &stored));
                // There is something to keep, and nothing to keep it with.
                self.begin(Asker::Machine);
                self.make_room(&profile);
            }
            Order::Seen(look) => self.see(look),
            Order::Unlock(passphrase, answer) => {
                self.unlocking.push(answer);
                self.unlock(passphrase);
            }
            Order::Wrote(key, wrote) => self.wrote(key, wrote),
        }
    }

    /// What is known of the keyring went with the home, and is known here.
    fn on_home_made(&mut self) {
        let written = self.place.as_ref().map_or(Ok(()), |place| self.files.set_place(place));
        let written = written.and_then(|()| match self.moved {
            Moved::All if self.warden.has_items() => self.files.set_moved(),
            Moved::All | Moved::AllBut(_) | Moved::Unknown => Ok(()),
        });
        written.unwrap_or_else(|error| tracing::warn!(%error, "a home that was made again"));
        self.look();
    }

    fn look(&self) {
        self.warden.look(!matches!(self.moved, Moved::All));
    }

    fn begin(&mut self, asker: Asker) {
        if self.sealing.is_some() && self.is_kept {
            return;
        }
        if self.wanted != Some(Asker::Person) {
            self.wanted = Some(asker);
        }
        self.look();
    }

    fn see(&mut self, look: Look) {
        let Look { mut seen, keys, place, deleted, items, dismissed } = look;
        let labels = match self.files.labels() {
            Ok(labels) => labels,
            Err(error) => {
                tracing::warn!(%error, "the sealed files cannot be listed");
                return self.say(Some(VaultTrouble::Disk));
            }
        };
        if dismissed {
            self.dismissed();
        }
        if let Seen::Open(contents) = &mut seen {
            contents.is_the_same = self.place.as_ref().zip(place).map(|(known, place)| *known == place);
        }
        let mut held: Vec<Fingerprint> = self.sealing.into_iter().collect();
        held.extend(self.keys.keys().filter(|key| Some(**key) != self.sealing));
        let mut named: Vec<Fingerprint> = labels.iter().map(|label| label.key).collect();
        named.dedup();
        let is_there = |key| matches!(&seen, Seen::Open(contents) if contents.keys.contains(&key));
        if self.sealing.is_some_and(is_there) && !self.is_kept {
            self.kept();
        }
        let deleted = self.sealing.is_some_and(|key| deleted.contains(&key));
        // Nobody is asked for what is being given.
        let (wanted, opening) = if self.giving > 0 { (None, false) } else { (self.wanted, self.opening) };
        let kept = self.is_kept && !self.is_kept_by_former;
        let known = Known { held, named, wanted, opening, deleted, kept };
        let duty = wrapping::duty(&seen, &known);
        tracing::debug!(?seen, ?duty, "the key");
        let Some(duty) = self.find(duty, &known) else { return };
        match duty {
            Duty::Rest => self.rest(&seen),
            Duty::Take(key) => self.hold(keys, key),
            Duty::Make => self.make(),
            // This look may be from before that began.
            Duty::Write(_) if self.is_being_written => {}
            Duty::Write(key) => {
                self.is_returning = self.is_kept && !self.is_kept_by_former;
                self.write(key);
            }
            Duty::Ask => {
                self.trouble = seen.trouble();
                if !std::mem::replace(&mut self.asking, true) {
                    self.warden.ask();
                }
            }
            Duty::MakePlace if std::mem::replace(&mut self.asking, true) => {}
            Duty::MakePlace => self.warden.make_place(),
            Duty::End => self.end(),
            Duty::Wait(trouble) => {
                self.trouble = Some(trouble);
                // The person is told so, and is not there any more when that ends.
                self.wanted = self.wanted.and(Some(Asker::Machine));
            }
        }
        if let Seen::Open(contents) = &seen {
            let is_all = !contents.has_no_collection && !contents.others_are_locked;
            if is_all || !items.is_empty() {
                self.move_items(items, is_all);
            }
            self.leave_former(&seen);
        }
        // A dialog is open, or an item is being made: both end with another order.
        let goes_on = matches!(duty, Duty::Ask | Duty::MakePlace | Duty::Make | Duty::Write(_));
        self.say(self.trouble);
        if !goes_on {
            self.opened();
        }
    }

    fn rest(&mut self, seen: &Seen) {
        let is_here =
            self.sealing.is_some_and(|key| matches!(seen, Seen::Open(open) if open.keys.contains(&key)));
        self.is_kept |= is_here;
        self.is_kept_by_former &= !is_here;
        self.trouble = match (self.sealing, self.is_kept) {
            (Some(_), true) if self.is_kept_by_former => seen.takes_none(),
            (Some(_), true) => None,
            (Some(_), false) => seen.takes_none().or(Some(VaultTrouble::NoPlace)),
            // What waits in memory waits on.
            (None, _) => {
                seen.trouble().or(self.trouble.filter(|trouble| seen.takes_none() == Some(*trouble)))
            }
        };
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
        self.write(fingerprint);
    }

    fn write(&mut self, key: Fingerprint) {
        let Some(text) = self.keys.get(&key) else { return };
        self.is_being_written = true;
        self.warden.write(text.clone());
        if self.sealing == Some(key) && !self.is_kept_by_former {
            self.is_kept = false;
            self.trouble = Some(VaultTrouble::Slow);
        }
    }

    fn wrote(&mut self, key: Fingerprint, wrote: Result<Option<Place>, VaultTrouble>) {
        self.is_being_written = false;
        match wrote {
            Ok(place) => {
                // Without it another keyring is told as one that lost the key, and nothing else is different.
                let known = place.as_ref().map_or(Ok(()), |place| self.files.set_place(place));
                self.place = place.or(self.place.take());
                known
                    .unwrap_or_else(|error| tracing::warn!(%error, "the keyring's name is not written down"));
                if self.sealing == Some(key) {
                    if std::mem::take(&mut self.is_returning) {
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
    }

    fn placed(&mut self, placed: Result<(), VaultTrouble>) {
        self.asking = false;
        match placed {
            Ok(()) => self.look(),
            Err(trouble) => {
                self.dismissed();
                self.trouble = Some(trouble);
                self.say(self.trouble);
                self.opened();
            }
        }
    }

    fn kept(&mut self) {
        self.is_kept = true;
        self.is_kept_by_former = false;
        self.trouble = None;
        self.wanted = None;
        if !matches!(self.moved, Moved::All) {
            self.look();
        }
        (self.tell)(News::Ready);
    }

    fn end(&mut self) {
        self.keys.clear();
        self.sealing = None;
        (self.is_kept, self.is_kept_by_former) = (false, false);
        self.trouble = None;
        (self.tell)(News::Deleted);
    }

    /// Each is sealed, opened again for a look, and only then removed from the keyring.
    fn move_items(&mut self, items: Vec<Item>, is_all: bool) {
        if matches!(self.moved, Moved::All) {
            return;
        }
        let has_a_key = self.sealing.is_some() && self.is_kept;
        if !items.is_empty() && !has_a_key {
            // Once: each look at what has no key leads here.
            if self.wanted.is_none() {
                self.begin(Asker::Machine);
            }
            return;
        }
        let (mut left, mut moved) = (BTreeSet::new(), 0_u32);
        for Item { profile, stored } in items {
            match stored.map(|stored| self.move_item(&profile, stored)) {
                Some(Ok(())) => {
                    moved += 1;
                    self.warden.remove_item(profile);
                }
                // All of them are looked at again by and by.
                Some(Err(trouble)) => return self.trouble = Some(trouble),
                None => drop(left.insert(profile)),
            }
        }
        if moved > 0 {
            (self.tell)(News::Note(Note::Moved { count: moved }));
        }
        let news = moved > 0 || (is_all && !self.moved.is_all_but(&left));
        if is_all {
            self.moved = if left.is_empty() { Moved::All } else { Moved::AllBut(left) };
        }
        if matches!(self.moved, Moved::All) {
            // Where it cannot be written, the next start looks once more.
            drop(self.files.set_moved());
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

    fn load(&self, profile: &str) -> Result<Option<Stored>, VaultTrouble> {
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
            Some(file) => seal::label(&file).is_ok_and(|there| label.is_after(&there)),
        };
        let opens = self.keys.get(&label.key).is_some_and(|key| seal::open(key, profile, &next).is_ok());
        if is_newer && opens { self.files.name_next(profile) } else { Ok(()) }
    }

    fn open(&self, profile: &str, file: &[u8]) -> Result<Stored, VaultTrouble> {
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
    /// saved.
    fn save(&self, profile: &str, stored: &Stored) -> Result<(), VaultTrouble> {
        self.seal(profile, stored, clock::wall_ms())?;
        if self.is_kept { Ok(()) } else { Err(self.why()) }
    }

    fn seal(&self, profile: &str, stored: &Stored, saved_at: i64) -> Result<(), VaultTrouble> {
        let Some(key) = self.sealing.and_then(|key| self.keys.get(&key)) else { return Err(self.why()) };
        let sealed = seal::seal(key, profile, stored, saved_at).map_err(|error| {
            tracing::warn!(profile, %error, "a session cannot be sealed");
            VaultTrouble::Failed
        })?;
        self.files.write(profile, &sealed).map_err(|error| on_disk(&error))
    }

    fn forget(&self, profile: &str) -> Result<(), VaultTrouble> {
        self.files.remove(profile).map_err(|error| on_disk(&error))?;
        match &self.moved {
            Moved::All => {}
            Moved::AllBut(_) => self.warden.remove_item(profile.to_owned()),
            // What an older version left there would come back.
            Moved::Unknown => return Err(self.why()),
        }
        Ok(())
    }

    fn make_room(&self, profile: &str) {
        if let Err(error) = self.files.make_room(profile) {
            tracing::warn!(profile, %error, "no room is kept for the next token");
        }
    }

    fn why(&self) -> VaultTrouble {
        self.trouble.unwrap_or(VaultTrouble::Slow)
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
        if self.first_look.take().is_some() {
            for order in std::mem::take(&mut self.early) {
                self.take(order);
            }
        }
    }

    fn busy(&self, busy: bool) {
        lock(&self.health).busy_since = busy.then(clock::now);
    }
}

pub(super) fn lock(health: &Mutex<Health>) -> MutexGuard<'_, Health> {
    health.lock().unwrap_or_else(PoisonError::into_inner)
}
