//! What happens at once: callers, sign-ins, sign-outs and late answers.

use std::time::Duration;

use session::Session;
use session::callers::Callers;
use session::event::{Asker, Effect, Event, Found};
use session::limits;
use session::policy::Policy;
use session::reason::Lost;
use session::time::Timestamp;
use session::tokens::{Account, RefreshToken};
use session::verdict::Verdict;
use session::view::Phase;

use crate::bench::{ASKED, Bench, PATIENCE, fresh, minutes, offline, seconds, tokens, unanswered};

/// A keyring that hangs is asked while they wait, and they are told so, whether they wait for a refresh or a sign-in.
#[test]
fn nobody_waits_for_a_keyring_that_does_not_answer_its_first_question() {
    let now = Timestamp::from_millis(1_000);
    let (session, _) = Session::new(Policy::default(), 7, now).step(Event::Tick, now);
    for for_a_sign_in in [false, true] {
        let mut callers: Callers<u8, u8, u8> = Callers::default();
        if for_a_sign_in {
            callers.await_sign_in([1])
        } else {
            callers.await_refresh(1)
        }
        assert_eq!(callers.deadline(&session), Some(now + limits::VAULT_LOOK));
        let soon = now + limits::VAULT_LOOK / 2;
        let told = |callers: &mut Callers<u8, u8, u8>, now| callers.settle(&session, now).1.len();
        assert_eq!(told(&mut callers, soon), 0);
        assert_eq!(told(&mut callers, now + limits::VAULT_LOOK), 1);
        assert_eq!(callers.deadline(&session), None);
    }
}

/// What was asked for while the machine was about to sleep comes as soon as it does not, so it is waited for.
#[test]
fn a_refresh_that_is_put_off_is_on_its_way() {
    let mut bench = Bench::signed_in(minutes(60)).told(Event::AboutToSleep);
    bench.now = bench.now + minutes(1);
    let whole = |bench: &Bench| format!("{:?}", bench.session.prospect(bench.now, minutes(60)));
    assert!(whole(&bench).starts_with("Later"), "{}", whole(&bench));
    bench.tell(ASKED);
    assert_eq!((whole(&bench), bench.sent.len()), ("Coming".to_owned(), 0));
    bench.tell_and_answer(Event::Awake, &fresh(3600));
    assert!(whole(&bench).starts_with("Ready"), "{}", whole(&bench));
}

/// Row C4. A provider that repeats an answer does so for seconds. What is held back for longer, for a network that is said
/// to be missing or a host that fails, is refused as a token that was used before.
#[test]
fn a_lost_answer_is_asked_for_again_whatever_the_guards_say() {
    let again = |effects: &[Effect]| {
        effects
            .iter()
            .find_map(|effect| if let Effect::Refresh { again, .. } = effect { Some(*again) } else { None })
    };
    let mut bench = Bench::signed_in(minutes(60));
    assert_eq!(again(&bench.tell(ASKED)), Some(false));
    let mut next = |verdict: &Verdict| {
        bench = bench.clone().answered(verdict);
        loop {
            bench.now = bench.session.deadline().expect("it is tried again");
            if let Some(again) = again(&bench.tell(Event::Tick)) {
                return again;
            }
        }
    };
    assert!(next(&unanswered()));
    assert!(!next(&unanswered()), "once");
    assert!(!next(&offline()));
    for interrupted in [true, false] {
        let mut bench = Bench::started(Policy::default(), Timestamp::default()).with_a_hanging_vault();
        bench.tell(Event::Tick);
        let (refresh, account) = (RefreshToken::new("r1"), Account::default());
        let found = Found::Token { refresh, account, generation: 1 };
        assert_eq!(again(&bench.tell(Event::Loaded { found, interrupted })), Some(interrupted));
    }
}

#[test]
fn b1_ten_thousand_callers_are_one_refresh() {
    let mut bench = Bench::signed_in(seconds(3600));
    bench.now = bench.now + minutes(61);
    for _ in 0..10_000 {
        bench.tell(Event::Wanted { min_valid: Duration::ZERO, by: Asker::Machine });
    }
    assert_eq!(bench.sent.len(), 1);
}

#[test]
fn b3_late_refusals_of_a_replaced_token_start_nothing() {
    let mut bench = Bench::signed_in(seconds(3600));
    bench.tell_and_answer(Event::Rejected { by: Asker::Machine, generation: 1 }, &fresh(3600));
    for _ in 0..100 {
        bench.now = bench.now + seconds(1);
        assert!(bench.tell(Event::Rejected { by: Asker::Machine, generation: 1 }).is_empty());
    }
    assert_eq!(bench.sent.len(), 1);
}

#[test]
fn b4_callers_in_an_outage_share_its_few_tries() {
    for seed in 0..200 {
        for failure in [offline(), unanswered()] {
            let mut bench = Bench::seeded(seed).sign_in(seconds(3600));
            bench.now = bench.now + minutes(61);
            for _ in 0..1980 {
                bench.tell_and_answer(
                    Event::Wanted { min_valid: Duration::ZERO, by: Asker::Machine },
                    &failure,
                );
                bench.run(seconds(10) / 1980, |_| failure.clone());
            }
            let made = bench.sent.len();
            assert!((2..=4).contains(&made), "seed {seed}, {failure:?}: {made} exchanges in ten seconds");
        }
    }
}

/// Whatever is awaited: the refresh, the vault, the sign-in, the first reading of the vault.
#[test]
fn b14_after_a_sign_out_nothing_comes_back() {
    let refreshing = Bench::signed_in(seconds(3600)).told(ASKED);
    let rotated = Verdict::Fresh(tokens("a2", Some("r2"), None));
    let saving = refreshing.clone().with_a_hanging_vault().answered(&rotated);
    let signing_in =
        Bench::started(Policy::default(), Timestamp::default()).told(Event::SignIn { patience: PATIENCE });
    let reading = Bench::unread("r1");
    for mut bench in [refreshing, saving, signing_in, reading] {
        bench.tell(Event::SignOut);
        bench.late_answers(&tokens("late-a", Some("late-r"), None));
        bench.let_the_vault_answer();
        bench.run(minutes(60), |_| fresh(3600));
        assert_eq!(bench.session.phase(), Phase::NeedsLogin { why: Lost::SignedOut });
        assert_eq!(bench.vault, None);
        assert!(bench.session.access_token(bench.now, Duration::ZERO).is_none());
        assert_eq!(bench.revoked.contains(&"late-r".to_owned()), bench.was_late, "{:?}", bench.revoked);
    }
}

/// Row B7.
#[test]
fn b15_an_answer_from_before_a_sign_in_is_not_used() {
    let mut bench = Bench::signed_in(seconds(3600)).told(ASKED);
    let attempt = bench.in_flight.expect("a refresh is in flight");
    bench = bench.sign_in_with(tokens("b1", Some("rb1"), Some(seconds(3600))));
    let verdict = Verdict::Fresh(tokens("late-a", Some("late-r"), None));
    bench.tell(Event::Refreshed { attempt, verdict });
    let token = bench.session.access_token(bench.now, Duration::ZERO);
    assert_eq!(token.map(session::tokens::AccessToken::expose), Some("b1"));
    assert_eq!(bench.vault.as_deref(), Some("rb1"));
}

/// Row B7: who lost a race must not take away what the winner has saved.
#[test]
fn b7_a_refusal_ends_only_the_token_that_was_refused() {
    let mut bench = Bench::signed_in(seconds(3600)).told(ASKED);
    let attempt = bench.in_flight.expect("a refresh is in flight");
    bench = bench.sign_in_with(tokens("b1", Some("rb1"), Some(seconds(3600))));
    bench.tell(Event::Refreshed { attempt, verdict: Verdict::Dead });
    assert_eq!((bench.session.phase(), bench.vault.as_deref()), (Phase::Fresh, Some("rb1")));
    bench.tell_and_answer(ASKED, &Verdict::Fresh(tokens("b2", Some("rb2"), Some(seconds(3600)))));
    assert_eq!((bench.sent.last().map(String::as_str), bench.vault.as_deref()), (Some("rb1"), Some("rb2")));

    bench.tell_and_answer(ASKED, &Verdict::Dead);
    assert_eq!((bench.session.phase(), bench.vault), (Phase::NeedsLogin { why: Lost::Refused }, None));
}
