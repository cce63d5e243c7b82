//! Moving the key to where the setting puts it now. Whoever kept it before keeps it until the new one has given it back,
//! so that at every step it is in one place at least.

use alloc::vec::Vec;

use crate::event::Asker;
use crate::wrapping::{self, Contents, Duty, Fingerprint, Known, Seen};

/// What to do while no key is in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Find {
    /// As if there had been no other place.
    Here(Duty),
    /// What was found in the place from before.
    TakeFormer(Fingerprint),
    /// Ask the person who waits to open the place from before.
    AskFormer,
    /// The place from before has not been looked at yet.
    HearFormer,
}

/// `duty` is what there would be to do without the place from before, and `former` what a look there has found.
pub fn find(duty: Duty, former: Option<&Seen>, known: &Known) -> Find {
    if matches!(duty, Duty::Take(_)) {
        return Find::Here(duty);
    }
    let Some(former) = former else { return Find::HearFormer };
    let theirs = wrapping::duty(former, &Known { wanted: None, opening: false, ..known.clone() });
    let goes_on = matches!(duty, Duty::Make | Duty::MakePlace);
    match theirs {
        Duty::Take(key) => Find::TakeFormer(key),
        Duty::Wait(_) if duty == Duty::Ask => Find::Here(duty),
        Duty::Wait(_) if known.a_person_waits() && is_for_a_person_to_open(former) => Find::AskFormer,
        // It may never come back, and whoever signs in is not kept waiting for it.
        Duty::Wait(_) if goes_on && known.wanted == Some(Asker::Person) => Find::Here(duty),
        // The new place has it, or may have it.
        Duty::Wait(_) if matches!(duty, Duty::Wait(trouble) if trouble.lost().is_none()) => Find::Here(duty),
        Duty::Wait(trouble) => Find::Here(Duty::Wait(trouble)),
        // It is open, and nothing is sealed that its key would be needed for.
        Duty::Ask
        | Duty::End
        | Duty::LookAgain
        | Duty::Make
        | Duty::MakePlace
        | Duty::Rest
        | Duty::Write(_) => Find::Here(duty),
    }
}

/// What to do about the place from before, once a key is in memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Leave {
    /// Nothing yet.
    Stay,
    /// Put this key of it into the new place as well.
    Write(Fingerprint),
    /// The new place has given back all of it: these may go.
    Retire(Vec<Fingerprint>),
}

pub fn leave(now: &Seen, former: Option<&Seen>) -> Leave {
    let Seen::Open(contents) = now else { return Leave::Stay };
    let theirs: &[Fingerprint] = match former {
        Some(Seen::Open(Contents { keys, .. })) => keys,
        Some(Seen::Locked | Seen::NotAllowed | Seen::Shut(_) | Seen::Trouble(_)) | None => &[],
    };
    match theirs.iter().find(|key| !contents.keys.contains(key)) {
        Some(key) if contents.takes_items => Leave::Write(*key),
        Some(_) => Leave::Stay,
        None if contents.keys.is_empty() => Leave::Stay,
        None => Leave::Retire(contents.keys.clone()),
    }
}

/// Nothing of ours is left there, as far as all of it can be seen.
pub fn is_left(former: &Seen) -> bool {
    let Seen::Open(contents) = former else { return false };
    let is_all = !contents.has_no_collection && !contents.others_are_locked;
    is_all && contents.keys.is_empty() && contents.spoilt.is_empty()
}

fn is_for_a_person_to_open(former: &Seen) -> bool {
    matches!(former, Seen::Locked | Seen::NotAllowed | Seen::Shut(_))
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;
    use crate::reason::VaultTrouble;

    const A: Fingerprint = Fingerprint([1; 8]);
    const B: Fingerprint = Fingerprint([2; 8]);

    fn with(keys: &[Fingerprint]) -> Seen {
        Seen::Open(Contents { keys: keys.to_vec(), takes_items: true, ..Contents::default() })
    }

    fn find_with(now: &Seen, former: Option<&Seen>, known: &Known) -> Find {
        find(wrapping::duty(now, known), former, known)
    }

    fn sealed(wanted: Option<Asker>) -> Known {
        Known { named: vec![A], wanted, ..Known::default() }
    }

    #[test]
    fn a_key_is_taken_from_wherever_it_is() {
        for wanted in [None, Some(Asker::Machine), Some(Asker::Person)] {
            let known = sealed(wanted);
            for now in [with(&[]), Seen::Locked, Seen::Shut(VaultTrouble::PassphraseNeeded)] {
                assert_eq!(find_with(&now, Some(&with(&[A])), &known), Find::TakeFormer(A), "{now:?}");
                assert_eq!(find_with(&now, None, &known), Find::HearFormer, "{now:?}");
            }
            for former in [None, Some(&with(&[A])), Some(&Seen::Locked)] {
                assert_eq!(find_with(&with(&[A]), former, &known), Find::Here(Duty::Take(A)));
            }
        }
    }

    /// Or it would be made anew only because it has not been found yet.
    #[test]
    fn none_is_made_before_the_place_from_before_was_looked_into() {
        for wanted in [None, Some(Asker::Machine), Some(Asker::Person)] {
            let known = Known { wanted, ..Known::default() };
            assert_eq!(find_with(&with(&[]), None, &known), Find::HearFormer);
            let locked = find_with(&with(&[]), Some(&Seen::Locked), &known);
            let person = wanted == Some(Asker::Person);
            let wait = Find::Here(Duty::Wait(VaultTrouble::Locked));
            assert_eq!(locked, if person { Find::AskFormer } else { wait });
        }
    }

    #[test]
    fn what_keeps_it_away_is_that_of_the_place_from_before() {
        let gone = with(&[]);
        for (former, trouble) in [
            (&gone, VaultTrouble::Gone),
            (&Seen::Locked, VaultTrouble::Locked),
            (&Seen::Trouble(VaultTrouble::Absent), VaultTrouble::Absent),
            (&Seen::Shut(VaultTrouble::PassphraseNeeded), VaultTrouble::PassphraseNeeded),
        ] {
            let waits = find_with(&with(&[]), Some(former), &sealed(None));
            assert_eq!(waits, Find::Here(Duty::Wait(trouble)), "{former:?}");
        }
    }

    /// As after a kill between the last two steps.
    #[test]
    fn a_place_that_only_has_to_be_opened_is_what_is_waited_for() {
        let shut = Seen::Shut(VaultTrouble::PassphraseNeeded);
        for former in [with(&[]), Seen::Locked, Seen::Trouble(VaultTrouble::Absent)] {
            let waits = find_with(&shut, Some(&former), &sealed(None));
            assert_eq!(waits, Find::Here(Duty::Wait(VaultTrouble::PassphraseNeeded)), "{former:?}");
            let opening = Known { opening: true, ..sealed(None) };
            assert_eq!(find_with(&shut, Some(&former), &opening), Find::Here(Duty::Ask), "{former:?}");
        }
    }

    #[test]
    fn whoever_signs_in_is_asked_or_goes_on_without_what_may_never_come_back() {
        let person = sealed(Some(Asker::Person));
        for former in [Seen::Locked, Seen::NotAllowed, Seen::Shut(VaultTrouble::PassphraseNeeded)] {
            assert_eq!(find_with(&with(&[]), Some(&former), &person), Find::AskFormer, "{former:?}");
        }
        for former in [with(&[]), Seen::Trouble(VaultTrouble::Absent)] {
            assert_eq!(find_with(&with(&[]), Some(&former), &person), Find::Here(Duty::Make), "{former:?}");
        }
        let opening = Known { opening: true, ..sealed(None) };
        assert_eq!(find_with(&with(&[]), Some(&Seen::Locked), &opening), Find::AskFormer);
        let absent = Seen::Trouble(VaultTrouble::Absent);
        let waits = find_with(&with(&[]), Some(&absent), &opening);
        assert_eq!(waits, Find::Here(Duty::Wait(VaultTrouble::Absent)));
    }

    #[test]
    fn nothing_goes_before_the_new_place_has_given_it_back() {
        assert_eq!(leave(&with(&[]), Some(&with(&[A]))), Leave::Write(A));
        assert_eq!(leave(&with(&[A]), Some(&with(&[A, B]))), Leave::Write(B));
        assert_eq!(leave(&with(&[A, B]), Some(&with(&[A]))), Leave::Retire(vec![A, B]));
        assert_eq!(
            leave(&with(&[A]), Some(&Seen::Locked)),
            Leave::Retire(vec![A]),
            "if it can be seen to be A"
        );
        assert_eq!(leave(&with(&[]), Some(&Seen::Locked)), Leave::Stay);
        assert_eq!(leave(&Seen::Locked, Some(&with(&[A]))), Leave::Stay);
        let full = Seen::Open(Contents::default());
        assert_eq!(leave(&full, Some(&with(&[A]))), Leave::Stay);
        assert!(is_left(&with(&[])) && !is_left(&with(&[A])) && !is_left(&Seen::Locked));
        assert!(!is_left(&Seen::Open(Contents { spoilt: vec![A], ..Contents::default() })));
        for unseen in [
            Contents { others_are_locked: true, ..Contents::default() },
            Contents { has_no_collection: true, ..Contents::default() },
        ] {
            assert!(!is_left(&Seen::Open(unseen)), "not all of it can be seen");
        }
        assert!(with(&[A]).shows(A) && !with(&[A]).shows(B) && !Seen::Locked.shows(A));
    }
}
