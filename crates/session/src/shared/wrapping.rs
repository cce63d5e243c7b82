//! What to do about the wrapping key, which opens the sealed files and lives in the keyring, or in a file that a
//! passphrase or a credential opens. A key that cannot be had now is never made anew for that reason: keyrings come late,
//! are locked, and are taken for one another.

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::event::Asker;
use crate::limits;
use crate::reason::VaultTrouble;
use crate::time::Timestamp;

/// Tells one wrapping key from another, and nothing of what it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Fingerprint(pub [u8; 8]);

/// What a look at the keyring has found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    Open(Contents),
    /// A person can open it.
    Locked,
    /// It is open, but a person has to allow us to read.
    NotAllowed,
    /// A person can open what is no keyring.
    Shut(VaultTrouble),
    /// It cannot be looked into, and no person can change that by opening it.
    Trouble(VaultTrouble),
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contents {
    /// The keys of this home that are in it.
    pub keys: Vec<Fingerprint>,
    /// The keys whose item is there with nothing readable in it.
    pub spoilt: Vec<Fingerprint>,
    /// The keys whose item is there, and which a person has not allowed us to read.
    pub forbidden: Vec<Fingerprint>,
    /// It has a place for a new item. Some have none until a person makes it.
    pub takes_items: bool,
    /// There is no collection at all, open or locked: it has only begun, or its person has closed everything.
    pub has_no_collection: bool,
    /// A collection is locked, and nobody can look into that one.
    pub others_are_locked: bool,
    /// Whether our newest key was put into this very keyring; `None` if it was never put anywhere.
    pub is_the_same: Option<bool>,
    /// It is no keyring but a file of our own, so that what is missing has other names.
    pub is_a_file: bool,
}

/// What is known apart from the keyring.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Known {
    /// The keys in memory, the one that seals first.
    pub held: Vec<Fingerprint>,
    /// The keys that the sealed files name, that of the newest file first.
    pub named: Vec<Fingerprint>,
    /// Somebody needs a key to seal with: a profile was added, or a sign-in has begun.
    pub wanted: Option<Asker>,
    /// A person wants what is there to be opened, and may be asked for that.
    pub opening: bool,
    /// Where the key that seals is kept.
    pub keeping: Keeping,
    /// The very keyring that had the key that seals does not have it now.
    pub loss: Option<Loss>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Keeping {
    /// Only in memory.
    #[default]
    Nowhere,
    /// Only where the setting does not want it any more.
    Former,
    Here,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// It is too early to tell. A deletion is announced after it was done, and some services announce one of each item
    /// before they say that they are being locked.
    New,
    /// Nobody has said that it was deleted.
    Silent,
    Deleted,
}

/// Since when a key is missing where it was.
#[derive(Clone, Copy, Debug, Default)]
pub struct Missing {
    since: Option<Timestamp>,
    /// When there is to be another look.
    pub again: Option<Timestamp>,
}

impl Missing {
    /// `is_deleted` is what the keyring that had the key has said of it, or `None` unless the key is missing there.
    pub fn judge(&mut self, is_deleted: Option<bool>, now: Timestamp) -> Option<Loss> {
        let Some(is_deleted) = is_deleted else {
            *self = Self::default();
            return None;
        };
        let until = *self.since.get_or_insert(now) + limits::DELETED;
        self.again = (now < until).then_some(until);
        Some(match is_deleted {
            _ if now < until => Loss::New,
            true => Loss::Deleted,
            false => Loss::Silent,
        })
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Duty {
    /// Nothing is to be done: what is needed is in memory, or nothing is needed yet.
    Rest,
    /// Use what was found, and seal with this one.
    Take(Fingerprint),
    Make,
    /// Put the key that seals into the keyring again: another one stands there, or its item was spoilt.
    Write(Fingerprint),
    /// Ask the person who waits to open the keyring.
    Ask,
    /// A person waits, and the keyring has no place for an item.
    MakePlace,
    /// What was seen may not last.
    LookAgain,
    /// The person has deleted the key, which ends what it opens.
    End,
    Wait(VaultTrouble),
}

/// One step at a time: after each, there is another look.
pub fn duty(seen: &Seen, known: &Known) -> Duty {
    match (seen, known.held.first()) {
        (Seen::Open(contents), Some(held)) => keep(contents, *held, known),
        (_, Some(_)) => Duty::Rest,
        (Seen::Open(contents), None) => find(contents, known),
        (Seen::Locked, None) => ask_or(VaultTrouble::Locked, known),
        (Seen::NotAllowed, None) => ask_or(VaultTrouble::NotAllowed, known),
        (Seen::Shut(trouble), None) => ask_or(*trouble, known),
        (Seen::Trouble(trouble), None) => Duty::Wait(*trouble),
    }
}

fn keep(contents: &Contents, held: Fingerprint, known: &Known) -> Duty {
    if contents.keys.contains(&held) {
        // Files may name a key that this keyring has and the one before had not.
        let other =
            known.named.iter().find(|named| !known.held.contains(named) && contents.keys.contains(named));
        return if other.is_some() { Duty::Take(held) } else { Duty::Rest };
    }
    if contents.forbidden.contains(&held) {
        // It is there, and to write it again would ask a person.
        return Duty::Rest;
    }
    let is_kept = known.keeping == Keeping::Here;
    match (known.loss, contents.takes_items) {
        (Some(Loss::New), _) => Duty::LookAgain,
        (Some(Loss::Deleted), _) => Duty::End,
        // It may be where nobody can look.
        (Some(Loss::Silent) | None, true) if is_kept && contents.others_are_locked => Duty::Rest,
        (Some(Loss::Silent) | None, true) => Duty::Write(held),
        // What it was put into comes back when its person opens that.
        (Some(Loss::Silent) | None, false) if is_kept && contents.has_no_collection => Duty::Rest,
        (Some(Loss::Silent) | None, false) if known.a_person_waits() => Duty::MakePlace,
        (Some(Loss::Silent) | None, false) => Duty::Rest,
    }
}

/// Why a token is not as safe as it could be while nothing is to be done about the key `sealing`, if there is one.
/// `before` is what was the trouble until now.
pub fn trouble_at_rest(
    seen: &Seen,
    sealing: Option<Keeping>,
    before: Option<VaultTrouble>,
) -> Option<VaultTrouble> {
    match sealing {
        Some(Keeping::Here) => None,
        Some(Keeping::Former) => seen.takes_none(),
        Some(Keeping::Nowhere) => seen.takes_none().or(Some(VaultTrouble::NoPlace)),
        // What waits in memory waits on.
        None => seen.trouble().or(before.filter(|trouble| seen.takes_none() == Some(*trouble))),
    }
}

/// What a sealed file says of itself that tells which of two of one profile is the newer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Age {
    pub generation: u32,
    /// In milliseconds since 1970.
    pub saved_at: i64,
}

impl Age {
    /// By its generation and by the clock: either alone may have begun anew.
    pub fn is_after(self, other: Self) -> bool {
        self.generation > other.generation && self.saved_at >= other.saved_at
    }
}

fn find(contents: &Contents, known: &Known) -> Duty {
    let is_closed = contents.has_no_collection && !known.named.is_empty();
    if is_closed || contents.has_no_collection && known.wanted != Some(Asker::Person) {
        return Duty::Wait(VaultTrouble::NoPlace);
    }
    let named = known.named.iter().find(|named| contents.keys.contains(named));
    if let Some(key) = named.or(contents.keys.first().filter(|_| known.named.is_empty())) {
        return Duty::Take(*key);
    }
    if known.named.iter().any(|named| contents.forbidden.contains(named)) {
        return ask_or(VaultTrouble::NotAllowed, known);
    }
    let missing = missing(contents, known);
    if missing.is_some() && contents.others_are_locked {
        return ask_or(VaultTrouble::Locked, known);
    }
    match (known.wanted, missing) {
        // Only a sign-in of a person goes on without what is sealed, and it changes no file but its own.
        (Some(Asker::Machine) | None, Some(trouble)) => Duty::Wait(trouble),
        (None, None) if !known.opening => Duty::Rest,
        (Some(_) | None, _) if contents.takes_items => Duty::Make,
        (Some(_) | None, _) if known.a_person_waits() => Duty::MakePlace,
        (Some(_) | None, _) => Duty::Wait(contents.no_place()),
    }
}

/// Why what is sealed cannot be opened with what is in this keyring, if anything is sealed.
fn missing(contents: &Contents, known: &Known) -> Option<VaultTrouble> {
    if known.named.is_empty() {
        return None;
    }
    if contents.is_a_file {
        return Some(match (contents.spoilt.is_empty(), contents.keys.is_empty()) {
            (false, _) => VaultTrouble::KeyFileDamaged,
            (true, true) => VaultTrouble::KeyFileGone,
            (true, false) => VaultTrouble::KeyFileOther,
        });
    }
    Some(match contents.is_the_same {
        _ if known.named.iter().any(|named| contents.spoilt.contains(named)) => VaultTrouble::Garbled,
        Some(false) => VaultTrouble::OtherKeyring,
        _ if !contents.keys.is_empty() => VaultTrouble::OlderKeyring,
        Some(true) | None => VaultTrouble::Gone,
    })
}

fn ask_or(trouble: VaultTrouble, known: &Known) -> Duty {
    if known.a_person_waits() { Duty::Ask } else { Duty::Wait(trouble) }
}

impl Seen {
    pub fn shows(&self, key: Fingerprint) -> bool {
        matches!(self, Self::Open(contents) if contents.keys.contains(&key))
    }

    pub fn trouble(&self) -> Option<VaultTrouble> {
        match self {
            Self::Open(_) => None,
            Self::Locked => Some(VaultTrouble::Locked),
            Self::NotAllowed => Some(VaultTrouble::NotAllowed),
            Self::Shut(trouble) | Self::Trouble(trouble) => Some(*trouble),
        }
    }

    /// It takes no key of ours now, for this reason.
    pub fn takes_none(&self) -> Option<VaultTrouble> {
        match self {
            Self::Open(contents) => (!contents.takes_items).then(|| contents.no_place()),
            Self::Locked | Self::NotAllowed | Self::Shut(_) | Self::Trouble(_) => self.trouble(),
        }
    }
}

impl Contents {
    /// Why it takes no key.
    pub fn no_place(&self) -> VaultTrouble {
        if self.is_a_file { VaultTrouble::PassphraseUnset } else { VaultTrouble::NoPlace }
    }
}

impl Known {
    pub(crate) fn a_person_waits(&self) -> bool {
        self.opening || self.wanted == Some(Asker::Person)
    }
}

#[cfg(test)]
mod tests;
