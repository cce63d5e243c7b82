//! What to do about the wrapping key, which opens the sealed files and lives in the keyring, or in a file that a
//! passphrase or a credential opens. A key that cannot be had now is never made anew for that reason: keyrings come late,
//! are locked, and are taken for one another.

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::event::Asker;
use crate::reason::VaultTrouble;

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
    /// The item was deleted in a keyring that lives and is open.
    pub deleted: bool,
    /// The key that seals has been put into a keyring.
    pub kept: bool,
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
    match (known.deleted, contents.takes_items) {
        (true, _) => Duty::End,
        // It may be where nobody can look.
        (false, true) if known.kept && contents.others_are_locked => Duty::Rest,
        (false, true) => Duty::Write(held),
        // What it was put into comes back when its person opens that.
        (false, false) if known.kept && contents.has_no_collection => Duty::Rest,
        (false, false) if known.a_person_waits() => Duty::MakePlace,
        (false, false) => Duty::Rest,
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
mod tests {
    use alloc::vec;

    use super::*;

    const A: Fingerprint = Fingerprint([1; 8]);
    const B: Fingerprint = Fingerprint([2; 8]);

    fn open(keys: &[Fingerprint]) -> Contents {
        Contents { keys: keys.to_vec(), takes_items: true, is_the_same: Some(true), ..Contents::default() }
    }

    fn sealed(named: &[Fingerprint], wanted: Option<Asker>) -> Known {
        Known { named: named.to_vec(), wanted, ..Known::default() }
    }

    fn holding(held: &[Fingerprint]) -> Known {
        Known { held: held.to_vec(), named: held.to_vec(), ..Known::default() }
    }

    const PERSON: Option<Asker> = Some(Asker::Person);
    const MACHINE: Option<Asker> = Some(Asker::Machine);

    #[test]
    fn a_key_is_made_only_where_nothing_is_sealed_or_a_person_signs_in() {
        for wanted in [None, MACHINE, PERSON] {
            let none = duty(&Seen::Open(open(&[])), &sealed(&[], wanted));
            assert_eq!(none, if wanted.is_some() { Duty::Make } else { Duty::Rest });
            let gone = duty(&Seen::Open(open(&[])), &sealed(&[A], wanted));
            assert_eq!(gone, if wanted == PERSON { Duty::Make } else { Duty::Wait(VaultTrouble::Gone) });
            for seen in [
                Seen::Locked,
                Seen::NotAllowed,
                Seen::Trouble(VaultTrouble::Absent),
                Seen::Trouble(VaultTrouble::Slow),
            ] {
                for named in [&[][..], &[A]] {
                    let duty = duty(&seen, &sealed(named, wanted));
                    assert!(matches!(duty, Duty::Wait(_) | Duty::Ask), "{seen:?} {wanted:?}: {duty:?}");
                }
            }
        }
    }

    #[test]
    fn whatever_keeps_a_key_away_has_its_own_name() {
        let other = Contents { is_the_same: Some(false), ..open(&[]) };
        let other_with_a_key = Contents { is_the_same: Some(false), ..open(&[B]) };
        let spoilt = Contents { spoilt: vec![A], ..open(&[]) };
        for (contents, trouble) in [
            (open(&[]), VaultTrouble::Gone),
            (Contents { is_the_same: None, ..open(&[]) }, VaultTrouble::Gone),
            (open(&[B]), VaultTrouble::OlderKeyring),
            (other, VaultTrouble::OtherKeyring),
            (other_with_a_key, VaultTrouble::OtherKeyring),
            (spoilt, VaultTrouble::Garbled),
            (Contents { spoilt: vec![B], ..open(&[]) }, VaultTrouble::Gone),
        ] {
            let seen = Seen::Open(contents);
            assert_eq!(duty(&seen, &sealed(&[A], None)), Duty::Wait(trouble), "{seen:?}");
            assert_eq!(duty(&seen, &sealed(&[A], PERSON)), Duty::Make, "{seen:?}");
        }
        for (seen, trouble) in [
            (Seen::Locked, VaultTrouble::Locked),
            (Seen::NotAllowed, VaultTrouble::NotAllowed),
            (Seen::Trouble(VaultTrouble::Absent), VaultTrouble::Absent),
        ] {
            assert_eq!(duty(&seen, &sealed(&[A], MACHINE)), Duty::Wait(trouble));
        }
    }

    #[test]
    fn what_is_missing_from_a_file_has_names_of_its_own() {
        let file = |keys: &[Fingerprint], spoilt: &[Fingerprint]| {
            let spoilt = spoilt.to_vec();
            Contents {
                keys: keys.to_vec(),
                spoilt,
                takes_items: true,
                is_a_file: true,
                ..Contents::default()
            }
        };
        for (contents, trouble) in [
            (file(&[], &[]), VaultTrouble::KeyFileGone),
            (file(&[], &[B]), VaultTrouble::KeyFileDamaged),
            (file(&[B], &[]), VaultTrouble::KeyFileOther),
        ] {
            let seen = Seen::Open(contents);
            assert_eq!(duty(&seen, &sealed(&[A], None)), Duty::Wait(trouble), "{seen:?}");
            assert_eq!(duty(&seen, &sealed(&[A], PERSON)), Duty::Make, "{seen:?}");
        }
        let unset = Seen::Open(Contents { takes_items: false, ..file(&[], &[]) });
        assert_eq!(duty(&unset, &sealed(&[], None)), Duty::Rest);
        assert_eq!(duty(&unset, &sealed(&[], MACHINE)), Duty::Wait(VaultTrouble::PassphraseUnset));
        assert_eq!(duty(&unset, &sealed(&[], PERSON)), Duty::MakePlace);
    }

    /// Whoever only opens what is there has not said to go on without it.
    #[test]
    fn an_unlock_makes_no_key_where_one_is_missing() {
        let opening = |named: &[Fingerprint]| Known { opening: true, ..sealed(named, None) };
        assert_eq!(duty(&Seen::Open(open(&[])), &opening(&[A])), Duty::Wait(VaultTrouble::Gone));
        assert_eq!(duty(&Seen::Open(open(&[])), &opening(&[])), Duty::Make);
        assert_eq!(duty(&Seen::Locked, &opening(&[A])), Duty::Ask);
        assert_eq!(duty(&Seen::NotAllowed, &opening(&[A])), Duty::Ask);
        let nowhere = Seen::Open(Contents { takes_items: false, ..open(&[]) });
        assert_eq!(duty(&nowhere, &opening(&[])), Duty::MakePlace);
    }

    #[test]
    fn a_key_may_be_in_a_collection_that_is_locked() {
        let contents = Contents { others_are_locked: true, ..open(&[B]) };
        let seen = Seen::Open(contents);
        assert_eq!(duty(&seen, &sealed(&[A], None)), Duty::Wait(VaultTrouble::Locked));
        assert_eq!(duty(&seen, &sealed(&[A], PERSON)), Duty::Ask);
        assert_eq!(duty(&seen, &sealed(&[B], PERSON)), Duty::Take(B));
        assert_eq!(duty(&seen, &sealed(&[], PERSON)), Duty::Take(B));
    }

    #[test]
    fn a_keyring_without_any_collection_has_lost_nothing() {
        let none = || Contents { takes_items: false, has_no_collection: true, ..open(&[]) };
        for (named, wanted) in
            [(&[][..], None), (&[], MACHINE), (&[A], None), (&[A], MACHINE), (&[A], PERSON)]
        {
            let duty = duty(&Seen::Open(none()), &sealed(named, wanted));
            assert_eq!(duty, Duty::Wait(VaultTrouble::NoPlace), "{named:?} {wanted:?}");
        }
        assert_eq!(duty(&Seen::Open(none()), &sealed(&[], PERSON)), Duty::MakePlace);
        for wanted in [None, MACHINE, PERSON] {
            let kept = Known { kept: true, wanted, ..holding(&[A]) };
            assert_eq!(duty(&Seen::Open(none()), &kept), Duty::Rest, "{wanted:?}");
        }
        assert_eq!(duty(&Seen::Open(none()), &Known { wanted: PERSON, ..holding(&[A]) }), Duty::MakePlace);
    }

    #[test]
    fn a_key_in_memory_is_not_put_beside_a_collection_that_may_have_it() {
        let seen = Seen::Open(Contents { others_are_locked: true, ..open(&[]) });
        assert_eq!(duty(&seen, &Known { kept: true, ..holding(&[A]) }), Duty::Rest);
        assert_eq!(duty(&seen, &holding(&[A])), Duty::Write(A));
    }

    #[test]
    fn of_several_keys_that_of_the_newest_file_is_taken() {
        assert_eq!(duty(&Seen::Open(open(&[A, B])), &sealed(&[B, A], None)), Duty::Take(B));
        assert_eq!(duty(&Seen::Open(open(&[A])), &sealed(&[B, A], None)), Duty::Take(A));
        assert_eq!(duty(&Seen::Open(open(&[A, B])), &sealed(&[], None)), Duty::Take(A));
        let one_more = Known { named: vec![A, B], ..holding(&[A]) };
        assert_eq!(duty(&Seen::Open(open(&[A, B])), &one_more), Duty::Take(A));
        assert_eq!(duty(&Seen::Open(open(&[A])), &one_more), Duty::Rest);
    }

    #[test]
    fn a_key_in_memory_is_enough_whatever_becomes_of_the_keyring() {
        for seen in [
            Seen::Locked,
            Seen::NotAllowed,
            Seen::Trouble(VaultTrouble::Absent),
            Seen::Trouble(VaultTrouble::Failed),
            Seen::Open(open(&[A])),
            Seen::Open(open(&[B, A])),
        ] {
            for wanted in [None, MACHINE, PERSON] {
                assert_eq!(duty(&seen, &Known { wanted, ..holding(&[A]) }), Duty::Rest, "{seen:?}");
            }
        }
    }

    #[test]
    fn a_keyring_that_lost_the_key_gets_it_again_unless_a_person_deleted_it() {
        let lost = Seen::Open(open(&[]));
        let spoilt = Seen::Open(Contents { spoilt: vec![A], ..open(&[]) });
        let other = Seen::Open(Contents { is_the_same: Some(false), ..open(&[B]) });
        for seen in [&lost, &spoilt, &other] {
            assert_eq!(duty(seen, &holding(&[A])), Duty::Write(A), "{seen:?}");
        }
        assert_eq!(duty(&lost, &Known { deleted: true, ..holding(&[A]) }), Duty::End);
        assert_eq!(duty(&Seen::Locked, &Known { deleted: true, ..holding(&[A]) }), Duty::Rest);
    }

    #[test]
    fn nobody_is_asked_for_a_machine() {
        for seen in [Seen::Locked, Seen::NotAllowed] {
            assert_eq!(duty(&seen, &sealed(&[A], PERSON)), Duty::Ask);
            assert_eq!(duty(&seen, &sealed(&[], PERSON)), Duty::Ask);
            assert!(matches!(duty(&seen, &sealed(&[A], MACHINE)), Duty::Wait(_)));
            assert!(matches!(duty(&seen, &sealed(&[A], None)), Duty::Wait(_)));
        }
        let nowhere = Seen::Open(Contents { takes_items: false, ..open(&[]) });
        assert_eq!(duty(&nowhere, &sealed(&[], PERSON)), Duty::MakePlace);
        assert_eq!(duty(&nowhere, &sealed(&[], MACHINE)), Duty::Wait(VaultTrouble::NoPlace));
        assert_eq!(duty(&nowhere, &holding(&[A])), Duty::Rest);
    }
}
