//! What the vault keeps, and what it refuses to keep or give.

use session::Session;
use session::event::{Asker, Effect, Event, Found, Memory};
use session::limits;
use session::note::Note;
use session::policy::Policy;
use session::reason::{Lost, Trouble, VaultTrouble};
use session::time::Timestamp;
use session::tokens::{Account, RefreshToken};
use session::verdict::Verdict;
use session::view::Phase;

use crate::bench::{ASKED, Bench, fresh, minutes, seconds, tokens};

/// What was seen of earlier sign-ins is not lost, nor is a number given twice: an older token is known by it.
#[test]
fn whoever_signs_out_before_anything_is_recalled_counts_on() {
    let mut bench = Bench::started(Policy::default(), Timestamp::default()).recalling_late();
    let effects = bench.tell(Event::SignOut);
    assert!(effects.contains(&Effect::Load) && !effects.contains(&Effect::Forget), "{effects:?}");
    bench.tell(Event::Recalled(Memory { generation: 7, ..Memory::default() }));
    assert_eq!(bench.session.phase(), Phase::NeedsLogin { why: Lost::SignedOut });
    assert_eq!(bench.memory.generation, 7);
    bench.let_the_vault_answer();
    let bench = bench.sign_in(minutes(60));
    assert_eq!(bench.generation, 8);
}

/// Nor by whoever signs in then, whatever is on its way by the time.
#[test]
fn whoever_signs_in_before_anything_is_recalled_counts_on() {
    let bench = Bench::started(Policy::default(), Timestamp::default()).recalling_late();
    let mut bench = bench.told(Event::Tick).sign_in(seconds(60));
    bench.now = bench.now + limits::SAVE;
    bench.tell(Event::Tick);
    bench.tell_and_answer(ASKED, &Verdict::Fresh(tokens("a2", Some("r2"), Some(seconds(60)))));
    bench.now = bench.now + limits::SAVE;
    bench.tell(Event::Tick);
    bench.tell(ASKED);
    assert_eq!((bench.sent.last().map(String::as_str), bench.in_flight.is_some()), (Some("r2"), true));
    assert_eq!(bench.memory, Memory::default(), "what is on the disk is not written over unseen");
    for _ in 0..2 {
        bench.tell(Event::Recalled(Memory { generation: 7, ..Memory::default() }));
    }
    bench.let_the_vault_answer();
    assert_eq!((bench.vault.as_deref(), bench.generation, bench.memory.generation), (Some("r2"), 9, 9));
    let ended = bench.clone().answered(&Verdict::Dead);
    assert_eq!(
        ended.session.phase(),
        Phase::NeedsLogin { why: Lost::Refused },
        "it is of the token that was sent"
    );
    let bench = bench.answered(&Verdict::Fresh(tokens("a3", Some("r3"), Some(minutes(60)))));
    assert_eq!((bench.generation, bench.marked.is_empty()), (10, true));
}

/// Nor is the number of a token that was never saved: it may lie in a copy of the vault all the same.
#[test]
fn a_number_is_given_once_also_if_its_token_was_not_saved() {
    let mut bench = Bench::signed_in(minutes(60));
    bench.failing_saves = 1;
    bench.tell_and_answer(ASKED, &Verdict::Fresh(tokens("a2", Some("r2"), Some(minutes(60)))));
    assert_eq!((bench.generation, bench.memory.generation), (1, 1), "r2 is in memory only");
    let mut bench = bench.with_a_hanging_vault().restarted().sign_in(minutes(60));
    bench.let_the_vault_answer();
    assert_eq!(bench.generation, 3);
}

/// Row C2.
#[test]
fn c1_a_vault_that_fails_costs_neither_the_token_nor_a_reuse() {
    let mut bench = Bench::signed_in(seconds(60));
    bench.failing_saves = 9;
    let rotate = |tries: usize| Verdict::Fresh(tokens("a", Some(&format!("n{tries}")), Some(seconds(60))));
    bench.run(minutes(10), rotate);
    let expected: Vec<String> = (1..bench.sent.len()).map(|tries| format!("n{tries}")).collect();
    assert_eq!(bench.sent[0], "r1");
    assert_eq!(bench.sent[1..], expected, "never an older token");
    assert_eq!(bench.vault, Some(format!("n{}", bench.sent.len())));
    assert!(bench.session.view(bench.now).saved);
}

/// Row C2: a session that was not saved says so, though it goes on; and what was not read is not written over.
#[test]
fn c2_a_save_that_failed_and_a_read_that_failed_are_two_things() {
    let rotated = Verdict::Fresh(tokens("a2", Some("r2"), Some(seconds(3600))));
    let mut bench = Bench::signed_in(seconds(3600));
    bench.failing_saves = 1;
    bench.tell(ASKED);
    let attempt = bench.in_flight.take().expect("a refresh is in flight");
    let effects = bench.tell(Event::Refreshed { attempt, verdict: rotated });
    assert!(!effects.contains(&Effect::Load), "what it holds is in memory: {effects:?}");
    assert_eq!(bench.vault.as_deref(), Some("r1"));
    assert!(!bench.session.view(bench.now).saved && !bench.marked.is_empty(), "it is said, and remembered");
    assert!(bench.notes.contains(&Note::Unsaved { trouble: VaultTrouble::Failed }), "{:?}", bench.notes);
    bench.run(seconds(60), |_| fresh(3600));
    assert!(bench.vault.as_deref() == Some("r2") && bench.marked.is_empty());
    assert!(bench.session.view(bench.now).saved);

    let mut bench = Bench::unread("r1");
    bench.tell(Event::NotLoaded(VaultTrouble::Failed));
    assert!(matches!(bench.session.phase(), Phase::Waiting { why: Trouble::Vault, .. }));
    assert!(!bench.notes.iter().any(|note| matches!(note, Note::Unsaved { .. })), "{:?}", bench.notes);
    bench.now = bench.session.deadline().expect("it reads again");
    assert_eq!(bench.tell(Event::Tick)[..1], [Effect::Load]);
    assert_eq!(bench.vault.as_deref(), Some("r1"), "nothing was written over it");
}

#[test]
fn whose_a_session_is_stands_beside_the_token_or_else_in_what_was_remembered() {
    let memory = Memory { user: Some("mia".to_owned()), generation: 1, ..Memory::default() };
    let mut bench = Bench::signed_in(minutes(60)).recalling(memory).restarted();
    assert_eq!(bench.session.view(bench.now).user.as_deref(), Some("mia"));
    bench.owner = Account::named("leo");
    let bench = bench.restarted();
    assert_eq!(bench.session.view(bench.now).user.as_deref(), Some("leo"));
}

/// Whoever ends a process or edits a profile asks the first, and a caller who may wait the second.
#[test]
fn room_is_made_where_nothing_is_lost_and_who_is_shut_out_waits_for_nothing() {
    let of = |bench: &Bench| (bench.session.can_make_room(), bench.session.is_shut_out());
    assert_eq!(of(&Bench::signed_in(minutes(60))), (true, false));
    let unread = |trouble| of(&Bench::unread("r1").told(Event::NotLoaded(trouble)));
    assert_eq!(unread(VaultTrouble::Failed), (true, false));
    assert_eq!(unread(VaultTrouble::Locked), (true, true));
    let unsaved = |trouble| {
        let mut bench = Bench::signed_in(minutes(60));
        bench.failing_saves = 1;
        bench.tell_and_answer(ASKED, &Verdict::Fresh(tokens("a2", Some("r2"), Some(minutes(60)))));
        assert_eq!(bench.session.vault_trouble(), Some(VaultTrouble::Failed));
        bench.now = bench.session.deadline().expect("it is saved again");
        bench = bench.with_a_hanging_vault();
        bench.tell(Event::Tick);
        bench.tell(Event::NotSaved { generation: 2, trouble });
        of(&bench)
    };
    assert_eq!(unsaved(VaultTrouble::Failed), (false, false));
    assert_eq!(unsaved(VaultTrouble::Locked), (false, false), "what it holds is in memory, too");
}

/// Row C2.
#[test]
fn e4_a_locked_vault_is_asked_again_and_never_written_to() {
    let mut bench = Bench::started(Policy::default(), Timestamp::default()).with_a_hanging_vault();
    let mut asked = 0;
    while bench.now < Timestamp::default() + minutes(8 * 60) {
        let effects = bench.tell(Event::Tick);
        assert!(!effects.iter().any(|effect| matches!(effect, Effect::Save { .. } | Effect::Forget)));
        asked += effects.len();
        bench.tell(Event::NotLoaded(VaultTrouble::Locked));
        bench.now = bench.session.deadline().expect("it will ask again");
    }
    assert!(asked > 900, "asked {asked} times");
    bench.tell(Event::Tick);
    let found = Found::Token { refresh: RefreshToken::new("r1"), account: Account::default(), generation: 1 };
    let loaded = Event::Loaded { found, interrupted: false };
    bench.tell_and_answer(loaded, &fresh(3600));
    assert_eq!(bench.session.phase(), Phase::Fresh);
}

/// What is sealed stays where it is, and goes on when its key is found again.
#[test]
fn e14_a_key_that_is_missing_wants_a_person_and_is_looked_for_all_the_same() {
    let mut bench = Bench::started(Policy::default(), Timestamp::default()).with_a_hanging_vault();
    bench.tell(Event::Tick);
    bench.tell(Event::NotLoaded(VaultTrouble::Locked));
    assert!(matches!(bench.session.phase(), Phase::Waiting { why: Trouble::Vault, .. }));
    for (trouble, why) in [
        (VaultTrouble::Gone, Lost::KeyMissing),
        (VaultTrouble::OtherKeyring, Lost::KeyMissing),
        (VaultTrouble::Damaged, Lost::Damaged),
    ] {
        bench.now = bench.session.deadline().expect("it looks again");
        assert_eq!(bench.tell(Event::Tick)[..1], [Effect::Load]);
        bench.tell(Event::NotLoaded(trouble));
        assert_eq!(bench.session.phase(), Phase::NeedsLogin { why });
        assert_eq!(bench.session.vault_trouble(), Some(trouble));
    }
    assert_eq!(bench.tell(Event::VaultReady)[..1], [Effect::Load], "at once");
    let found = Found::Token { refresh: RefreshToken::new("r1"), account: Account::default(), generation: 4 };
    bench.tell_and_answer(Event::Loaded { found, interrupted: false }, &fresh(3600));
    assert_eq!(bench.session.phase(), Phase::Fresh);
    assert_eq!(bench.memory.generation, 4);
}

#[test]
fn a_keyring_that_is_slow_for_once_takes_back_nothing_that_is_known() {
    let mut bench = Bench::started(Policy::default(), Timestamp::default()).with_a_hanging_vault();
    let mut calls = 0;
    for trouble in [VaultTrouble::Gone, VaultTrouble::Slow, VaultTrouble::Gone, VaultTrouble::Failed] {
        bench.tell(Event::Tick);
        let effects = bench.tell(Event::NotLoaded(trouble));
        let call = |effect: &&Effect| matches!(effect, Effect::Note(Note::NeedsLogin { .. }));
        calls += effects.iter().filter(call).count();
        assert_eq!(bench.session.phase(), Phase::NeedsLogin { why: Lost::KeyMissing }, "{trouble:?}");
        bench.now = bench.session.deadline().expect("it looks again");
    }
    assert_eq!(calls, 1, "a person is called once");
}

#[test]
fn e15_a_token_out_of_a_backup_is_sent_only_if_a_person_says_so() {
    let restored = || {
        let found =
            Found::Token { refresh: RefreshToken::new("r4"), account: Account::default(), generation: 4 };
        let memory = Memory { generation: 7, ..Memory::default() };
        let bench = Bench::started(Policy::default(), Timestamp::default()).with_a_hanging_vault();
        let mut bench = bench.recalling(memory).told(Event::Tick);
        bench.tell(Event::Loaded { found, interrupted: false });
        bench.let_the_vault_answer();
        assert_eq!(bench.session.phase(), Phase::NeedsLogin { why: Lost::OlderCopy });
        bench
    };
    let mut bench = restored();
    bench.tell(Event::Wanted { min_valid: minutes(0), by: Asker::Machine });
    bench.tell(Event::Asked { by: Asker::Machine });
    bench.tell(Event::NetworkUp);
    assert_eq!(bench.sent, Vec::<String>::new());
    assert_eq!(bench.vault, None, "nothing is written or taken away");

    bench.tell_and_answer(Event::Asked { by: Asker::Person }, &fresh(3600));
    assert_eq!((bench.sent.as_slice(), bench.session.phase()), (&["r4".to_owned()][..], Phase::Fresh));
    assert_eq!((bench.vault.as_deref(), bench.generation), (Some("r4"), 8), "from now on it is the newest");
    let bench = bench.restarted();
    assert_ne!(bench.session.phase(), Phase::NeedsLogin { why: Lost::OlderCopy });

    let mut bench = restored();
    bench.tell_and_answer(Event::Asked { by: Asker::Person }, &Verdict::Dead);
    assert_eq!(bench.session.phase(), Phase::NeedsLogin { why: Lost::Refused });
}

#[test]
fn e16_whoever_deletes_the_key_has_signed_out() {
    let mut bench = Bench::signed_in(seconds(3600));
    bench.tell(Event::KeyDeleted);
    assert_eq!(bench.session.phase(), Phase::NeedsLogin { why: Lost::KeyDeleted });
    assert_eq!((bench.vault.as_deref(), bench.revoked.len()), (None, 1));
    assert_eq!(bench.clone().restarted().session.phase(), Phase::NeedsLogin { why: Lost::KeyDeleted });
    bench.tell(Event::KeyDeleted);
    assert_eq!(bench.revoked.len(), 1);
}

#[test]
fn e17_what_went_with_the_home_is_saved_again() {
    let mut bench = Bench::signed_in(seconds(3600));
    let held = bench.vault.take();
    let effects = bench.tell(Event::VaultEmptied);
    assert!(effects.iter().any(|effect| matches!(effect, Effect::Save { .. })), "{effects:?}");
    assert_eq!(bench.vault, held);
}

/// A profile was removed while its keyring was locked, and added again.
#[test]
fn e4_what_a_person_has_given_up_is_forgotten_and_not_taken_up_again() {
    let given_up = || {
        let mut bench = Bench::started(Policy::default(), Timestamp::default()).with_a_hanging_vault();
        bench.session = Session::overruling(Policy::default(), 7, bench.now);
        bench
    };
    let mut bench = given_up();
    for round in 0..100 {
        assert_eq!(bench.tell(Event::Tick)[..1], [Effect::Forget], "round {round}");
        assert_eq!(bench.session.phase(), Phase::NeedsLogin { why: Lost::Never });
        assert!(!bench.session.view(bench.now).saved, "it is not safe to let it go");
        bench.tell(Event::NotForgotten(VaultTrouble::Locked));
        bench.now = bench.session.deadline().expect("it will ask again");
    }
    bench.tell(Event::Tick);
    bench.tell(Event::Forgotten);
    assert!(bench.session.view(bench.now).saved);

    let bench = given_up().told(Event::Tick).told(Event::NotForgotten(VaultTrouble::Locked));
    let mut bench = bench.sign_in(seconds(3600));
    bench.let_the_vault_answer();
    assert_eq!(
        (bench.vault.as_deref(), bench.session.phase()),
        (Some("r1"), Phase::Fresh),
        "the new one is kept"
    );
    assert_eq!(bench.memory.lifetime_ms, Some(3_600_000), "and written down");
}

#[test]
fn e6_a_vault_that_answers_late_has_answered() {
    let mut bench = Bench::signed_in(seconds(3600)).with_a_hanging_vault().told(ASKED);
    bench = bench.answered(&Verdict::Fresh(tokens("a2", Some("r2"), Some(seconds(3600)))));
    bench.run(seconds(45), |_| fresh(3600));
    assert_eq!(bench.session.phase(), Phase::Fresh, "nobody waited for it longer than two seconds");
    assert!(!bench.session.view(bench.now).saved);
    bench.let_the_vault_answer();
    assert!(bench.session.view(bench.now).saved);
    assert_eq!(bench.vault.as_deref(), Some("r2"));
}
