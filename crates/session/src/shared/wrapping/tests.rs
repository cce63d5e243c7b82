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

/// Row E4.
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

/// Row E14.
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
        Contents { keys: keys.to_vec(), spoilt, takes_items: true, is_a_file: true, ..Contents::default() }
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

/// Row E9.
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
    for (named, wanted) in [(&[][..], None), (&[], MACHINE), (&[A], None), (&[A], MACHINE), (&[A], PERSON)] {
        let duty = duty(&Seen::Open(none()), &sealed(named, wanted));
        assert_eq!(duty, Duty::Wait(VaultTrouble::NoPlace), "{named:?} {wanted:?}");
    }
    assert_eq!(duty(&Seen::Open(none()), &sealed(&[], PERSON)), Duty::MakePlace);
    for wanted in [None, MACHINE, PERSON] {
        let kept = Known { keeping: Keeping::Here, wanted, ..holding(&[A]) };
        assert_eq!(duty(&Seen::Open(none()), &kept), Duty::Rest, "{wanted:?}");
    }
    assert_eq!(duty(&Seen::Open(none()), &Known { wanted: PERSON, ..holding(&[A]) }), Duty::MakePlace);
}

#[test]
fn a_key_in_memory_is_not_put_beside_a_collection_that_may_have_it() {
    let seen = Seen::Open(Contents { others_are_locked: true, ..open(&[]) });
    assert_eq!(duty(&seen, &Known { keeping: Keeping::Here, ..holding(&[A]) }), Duty::Rest);
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
    let after = |loss| Known { loss: Some(loss), keeping: Keeping::Here, ..holding(&[A]) };
    assert_eq!(duty(&lost, &after(Loss::New)), Duty::LookAgain);
    assert_eq!(duty(&lost, &after(Loss::Silent)), Duty::Write(A));
    assert_eq!(duty(&lost, &after(Loss::Deleted)), Duty::End);
    assert_eq!(duty(&Seen::Locked, &after(Loss::Deleted)), Duty::Rest);
    assert_eq!(duty(&Seen::Open(open(&[A])), &after(Loss::Deleted)), Duty::Rest);
}

#[test]
fn what_is_missing_is_believed_after_a_while_and_only_if_it_has_been_missing_all_that_while() {
    let start = Timestamp::from_millis(5_000);
    let mut missing = Missing::default();
    assert_eq!(missing.judge(None, start), None);
    for is_deleted in [true, false] {
        let believed = if is_deleted { Loss::Deleted } else { Loss::Silent };
        // It was there until just now, and nobody had said anything yet.
        assert_eq!(missing.judge(Some(false), start), Some(Loss::New));
        assert_eq!(missing.again, Some(start + limits::DELETED));
        let soon = start + limits::DELETED / 2;
        assert_eq!(missing.judge(Some(is_deleted), soon), Some(Loss::New));
        assert_eq!(missing.again, Some(start + limits::DELETED));
        assert_eq!(missing.judge(Some(is_deleted), start + limits::DELETED), Some(believed));
        assert_eq!(missing.again, None);
        // It is there, or nobody can see.
        assert_eq!(missing.judge(None, start + limits::DELETED), None);
    }
    assert_eq!(missing.judge(Some(true), start), Some(Loss::New));
    assert_eq!(missing.judge(None, start), None);
    assert_eq!(missing.again, None);
    assert_eq!(missing.judge(Some(true), start + limits::DELETED), Some(Loss::New), "a second time");
}

#[test]
fn a_key_that_is_not_where_it_is_wanted_is_a_trouble_with_a_name() {
    let full = Seen::Open(Contents { takes_items: false, ..open(&[]) });
    let no_place = Some(VaultTrouble::NoPlace);
    for (seen, sealing, before, trouble) in [
        (&Seen::Locked, Some(Keeping::Here), None, None),
        (&Seen::Locked, Some(Keeping::Former), None, Some(VaultTrouble::Locked)),
        (&Seen::Locked, Some(Keeping::Nowhere), None, Some(VaultTrouble::Locked)),
        (&Seen::Open(open(&[])), Some(Keeping::Former), None, None),
        (&Seen::Open(open(&[])), Some(Keeping::Nowhere), None, no_place),
        (&Seen::Locked, None, None, Some(VaultTrouble::Locked)),
        (&full, None, no_place, no_place),
        (&full, None, Some(VaultTrouble::Slow), None),
        (&Seen::Open(open(&[])), None, no_place, None),
    ] {
        assert_eq!(trouble_at_rest(seen, sealing, before), trouble, "{seen:?} {sealing:?} {before:?}");
    }
}

#[test]
fn of_two_files_the_newer_has_the_later_generation_and_is_not_the_elder_by_the_clock() {
    let age = |generation, saved_at| Age { generation, saved_at };
    assert!(age(2, 10).is_after(age(1, 10)) && age(2, 11).is_after(age(1, 10)));
    assert!(!age(2, 9).is_after(age(1, 10)), "the generations have begun anew");
    assert!(!age(1, 11).is_after(age(1, 10)) && !age(1, 11).is_after(age(2, 10)));
}

/// Of two keys in one keyring a person may have allowed one.
#[test]
fn a_key_that_may_not_be_read_is_not_missing() {
    let seen = Seen::Open(Contents { forbidden: vec![A], ..open(&[B]) });
    for wanted in [None, MACHINE, PERSON] {
        for keeping in [Keeping::Nowhere, Keeping::Former, Keeping::Here] {
            assert_eq!(duty(&seen, &Known { wanted, keeping, ..holding(&[A]) }), Duty::Rest);
        }
        let duty = duty(&seen, &sealed(&[A], wanted));
        assert_eq!(duty, if wanted == PERSON { Duty::Ask } else { Duty::Wait(VaultTrouble::NotAllowed) });
    }
    assert_eq!(duty(&seen, &sealed(&[A, B], MACHINE)), Duty::Take(B), "what can be had opens its part");
}

/// Row E13.
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
