//! A session ends by the provider or by the person. What had broken that, one story each.

use std::time::Duration;

use session::binding::Destination;
use session::event::{Asker, Attempt, Effect, Event, Found};
use session::limits;
use session::note::Note;
use session::policy::Policy;
use session::reason::Source;
use session::reason::{Lost, Oddity, Trouble, VaultTrouble};
use session::time::Timestamp;
use session::tokens::Tokens;
use session::verdict::Verdict;
use session::view::{Phase, Prospect};

use crate::bench::{ASKED, Bench, dead, fresh, limited, minutes, offline, seconds, tokens, unanswered};

/// Row B4: the answer comes after all, long after anybody's patience, and its tokens are the only good ones.
#[test]
fn b4_an_exchange_ends_with_its_report_and_no_answer_is_too_late() {
    let mut bench = Bench::signed_in(seconds(60)).told(ASKED);
    let attempt = bench.in_flight.expect("a refresh is in flight");
    let began = bench.now;
    for _ in 0..10 {
        bench.now = bench.session.deadline().expect("somebody is told to report");
        bench.tell(Event::Tick);
    }
    assert!(bench.now.since(began) > minutes(4) && bench.called_off.iter().all(|called| *called == attempt));
    assert_eq!(bench.sent.len(), 1, "nothing takes the place of a worker that lives");
    let verdict = Verdict::Fresh(tokens("a2", Some("r2"), Some(seconds(60))));
    bench.tell(Event::Refreshed { attempt, verdict });
    assert_eq!((bench.session.phase(), bench.vault.as_deref()), (Phase::Fresh, Some("r2")));
}

#[test]
fn b4_nobody_is_called_off_before_the_budget_of_the_profile_is_used_up() {
    for timeout in [Duration::from_millis(100), seconds(30), seconds(600)] {
        let policy = Policy { exchange: limits::exchange(timeout), ..Policy::default() };
        let mut bench = Bench::started(policy, Timestamp::default()).sign_in(seconds(86_400)).told(ASKED);
        let began = bench.now;
        while bench.called_off.is_empty() {
            bench.now = bench.session.deadline().expect("it waits for something");
            bench.tell(Event::Tick);
        }
        assert!(bench.now.since(began) > limits::exchange(timeout), "{timeout:?}");
    }
}

/// What a person has done at the provider's page is worth more than our patience.
#[test]
fn g_a_sign_in_that_took_longer_than_planned_counts() {
    let mut bench = Bench::started(Policy::default(), Timestamp::default());
    bench.tell(Event::SignIn { patience: seconds(60) });
    let attempt = bench.session.signing_in().expect("a sign-in is under way");
    bench.now = bench.now + minutes(30);
    bench.tell(Event::Tick);
    assert_eq!(bench.called_off, [attempt]);
    let tokens = tokens("a1", Some("r1"), Some(seconds(60)));
    bench.tell(Event::SignedIn { attempt, tokens, account: session::tokens::Account::default() });
    assert_eq!((bench.session.phase(), bench.revoked.len()), (Phase::Fresh, 0));
}

/// Row C6 and its kin: the refresh token came, whatever is wrong beside it.
#[test]
fn c6_a_refresh_token_beside_an_unusable_access_token_is_kept() {
    let mut bench = Bench::signed_in(seconds(60)).told(ASKED);
    let came = Tokens { access: None, ..tokens("x", Some("r2"), None) };
    bench = bench.answered(&Verdict::Fresh(came));
    assert_eq!(bench.vault.as_deref(), Some("r2"));
    assert!(matches!(bench.session.phase(), Phase::Waiting { why: Trouble::Unusable, .. }));
    bench.run(seconds(60), |_| fresh(60));
    assert_eq!(bench.sent[1], "r2");
}

/// Rows C3, C4: the mark that tells the next process of an exchange goes only when what it brought is on the disk.
#[test]
fn c4_the_mark_stays_until_the_new_token_is_saved() {
    let rotated = Verdict::Fresh(tokens("a2", Some("r2"), Some(seconds(60))));
    let mut bench = Bench::signed_in(seconds(60)).with_a_hanging_vault().told(ASKED).answered(&rotated);
    bench.run(seconds(4), |_| fresh(60));
    assert_eq!(bench.session.phase(), Phase::Fresh, "it is out already");
    assert!(bench.marked.contains("r1") && bench.session.would_be_lost());
    bench.let_the_vault_answer();
    assert!(bench.marked.is_empty() && !bench.session.would_be_lost());
}

/// An answer that was lost keeps the mark, whatever comes after it, until one is seen.
#[test]
fn c4_a_lost_answer_stays_in_doubt() {
    let mut bench = Bench::signed_in(seconds(3600)).told(ASKED).answered(&unanswered());
    bench.run_until_sent(&offline());
    assert!(!bench.marked.is_empty(), "a failure that is none of the token's settles nothing");
    let refused = bench.clone().told(ASKED).answered(&dead());
    assert_eq!(refused.session.phase(), Phase::NeedsLogin { why: Lost::Interrupted });
    bench = bench.told(ASKED).answered(&fresh(3600));
    assert!(bench.marked.is_empty());
    let refused = bench.told(ASKED).answered(&dead());
    assert_eq!(refused.session.phase(), Phase::NeedsLogin { why: Lost::Refused });
}

#[test]
fn c4_a_kill_in_mid_exchange_is_named_as_the_reason() {
    let bench = Bench::signed_in(seconds(3600)).told(ASKED).restarted().answered(&dead());
    assert_eq!(bench.session.phase(), Phase::NeedsLogin { why: Lost::Interrupted });
    assert!(bench.notes.contains(&Note::Interrupted));
}

/// The vault could not be told of a sign-out before the process ended.
#[test]
fn e_a_sign_out_holds_for_the_next_process() {
    let mut bench = Bench::signed_in(seconds(60)).with_a_hanging_vault().told(Event::SignOut);
    bench.vault = Some("r1".to_owned());
    let mut bench = bench.restarted();
    bench.let_the_vault_answer();
    assert_eq!(bench.session.phase(), Phase::NeedsLogin { why: Lost::SignedOut });
    assert_eq!((bench.sent.len(), bench.vault.as_deref()), (0, None));
    // Who has signed in since then is not taken for who has signed out.
    let bench = Bench::signed_in(seconds(60)).told(Event::SignOut).sign_in(seconds(60)).restarted();
    assert_eq!(bench.sent.len(), 1);
}

/// With some providers one revocation ends everything that they gave this person.
#[test]
fn h8_what_comes_late_is_given_back_only_where_that_ends_nothing_new() {
    let named = |name: &str| session::tokens::Account::named(name);
    let new = |n: u32| tokens(&format!("a{n}"), Some(&format!("r{n}")), Some(seconds(60)));
    let mia = || Bench::started(Policy::default(), Timestamp::default()).sign_in_as(named("mia"), new(1));
    for (then, by, revoked) in [
        ("a sign-out", None, true),
        ("the same person", Some("mia"), false),
        ("somebody else", Some("leo"), true),
    ] {
        let asked = mia().told(ASKED);
        let attempt = asked.in_flight.expect("a refresh is in flight");
        let after = match by {
            None => asked.told(Event::SignOut),
            Some(name) => asked.sign_in_as(named(name), new(9)),
        };
        let before = after.revoked.len();
        let late = after.told(Event::Refreshed { attempt, verdict: Verdict::Fresh(new(2)) });
        assert_eq!(late.revoked.len() > before, revoked, "{then}");
        assert!(late.notes.contains(&Note::LateAnswer { revoked }), "{then}");
    }
}

/// Row C4, with a locked keyring: many rotations later the vault still holds the first token, and that is what was spent.
#[test]
fn c4_the_mark_is_of_what_the_vault_holds_however_many_tokens_came_after_it() {
    let rotate = |n: u32| Verdict::Fresh(tokens(&format!("a{n}"), Some(&format!("r{n}")), Some(seconds(60))));
    let mut bench = Bench::signed_in(seconds(60));
    bench.failing_saves = u32::MAX;
    for n in 2..6 {
        bench = bench.told(ASKED).answered(&rotate(n));
    }
    assert_eq!(bench.vault.as_deref(), Some("r1"));
    assert_eq!(
        bench.marked.iter().collect::<Vec<_>>(),
        ["r1", "r2", "r3", "r4"],
        "whichever is saved is known"
    );
    let killed = bench.clone().restarted().answered(&dead());
    assert_eq!(killed.session.phase(), Phase::NeedsLogin { why: Lost::Interrupted });

    // A save that takes its time brings what has been overtaken meanwhile.
    bench.failing_saves = 0;
    let mut slow = bench.with_a_hanging_vault().told(ASKED).answered(&rotate(6));
    slow.run(seconds(3), |_| fresh(60));
    slow = slow.told(ASKED).answered(&rotate(7));
    slow.let_the_vault_answer();
    assert_eq!(slow.vault.as_deref(), Some("r7"));
    assert!(slow.marked.is_empty(), "and what is newest is saved in the end");
}

/// Why a session ended, and whose it was, is known after a restart.
#[test]
fn e_the_reason_and_the_name_survive_a_restart() {
    let account = session::tokens::Account::named("mia");
    let bench = Bench::started(Policy::default(), Timestamp::default())
        .sign_in_as(account, tokens("a1", Some("r1"), Some(seconds(60))))
        .told(ASKED)
        .answered(&dead())
        .restarted();
    assert_eq!(bench.session.phase(), Phase::NeedsLogin { why: Lost::Refused });
    assert_eq!(bench.session.view(bench.now).user.as_deref(), Some("mia"));
    let signed_out = Bench::signed_in(seconds(60)).told(Event::SignOut).restarted();
    assert_eq!(signed_out.session.phase(), Phase::NeedsLogin { why: Lost::SignedOut });
}

/// What a provider says of lifetimes at the sign-in only holds after a restart as well.
#[test]
fn a11_a_learned_lifetime_survives_a_restart() {
    let untold = Verdict::Fresh(tokens("a2", Some("r2"), None));
    let bench = Bench::signed_in(seconds(30)).restarted().answered(&untold);
    let access = bench.session.view(bench.now).access.expect("a token is out");
    assert_eq!((access.lifetime, access.source), (seconds(30), Source::Learned));
}

/// Nobody said how long it lives: an assumption dates the next refresh and ends nothing.
#[test]
fn a11_a_token_of_unknown_lifetime_is_good_until_it_is_refused() {
    let mut bench = Bench::started(Policy::default(), Timestamp::default());
    bench = bench.sign_in_with(tokens("a1", None, None));
    assert_eq!(bench.session.view(bench.now).access.map(|access| access.source), Some(Source::Assumed));
    bench.run(minutes(24 * 60), |_| fresh(60));
    assert_eq!(bench.session.phase(), Phase::Fresh);
    assert!(bench.session.access_token(bench.now, Duration::ZERO).is_some());
    bench.tell(Event::Rejected { by: Asker::Machine, generation: 1 });
    assert_eq!(bench.session.phase(), Phase::NeedsLogin { why: Lost::Expired });
}

/// A person who asks for what a machine has asked for before is not left behind a guard that is meant for machines.
#[test]
fn whoever_asks_while_the_machine_is_about_to_sleep_is_a_person_afterwards_too() {
    for asks in [[Asker::Person, Asker::Machine], [Asker::Machine, Asker::Person]] {
        let mut bench = Bench::signed_in(minutes(60)).told(Event::AboutToSleep);
        let view = bench.session.view(bench.now);
        assert_eq!((view.refresh_at, view.renewable), (None, true), "nothing is due, and nothing is missing");
        bench.now = bench.now + minutes(40);
        for by in asks {
            bench.tell(Event::Wanted { by, min_valid: minutes(30) });
        }
        let effects = bench.tell(Event::Awake);
        let for_a_person =
            |effect: &Effect| matches!(effect, Effect::Refresh { by, .. } if *by == Asker::Person);
        assert!(effects.iter().any(for_a_person), "{asks:?}: {effects:?}");
    }
}

/// Row D6: a breaker, a backoff, a storm of machines: none of it is in a person's way.
/// A refresh that was begun for a machine and not let through is begun again for the person who has joined it, once.
#[test]
fn d6_a_person_who_joins_a_machine_is_not_turned_away_with_it() {
    let by_machine =
        Bench::signed_in(seconds(3600)).told(Event::Rejected { by: Asker::Machine, generation: 1 });
    for (who, join) in [
        ("wants a token", Event::Wanted { min_valid: minutes(59), by: Asker::Person }),
        ("asks for a refresh", ASKED),
        ("was refused", Event::Rejected { by: Asker::Person, generation: 1 }),
    ] {
        let mut bench = by_machine.clone().told(join);
        let attempt = bench.in_flight.expect("a refresh is in flight");
        let wait = minutes(5);
        let effects = bench.tell(left_alone(attempt, wait));
        let begun = |effect: &Effect| matches!(effect, Effect::Refresh { by: Asker::Person, .. });
        assert_eq!(effects.iter().filter(|effect| begun(effect)).count(), 1, "who {who}");
        let attempt = bench.in_flight.expect("a refresh is in flight");
        assert!(!bench.tell(left_alone(attempt, wait)).iter().any(begun), "who {who}, again");
    }
    let attempt = by_machine.in_flight.expect("a refresh is in flight");
    let alone = by_machine.told(left_alone(attempt, minutes(5)));
    assert_eq!(alone.sent.len(), 1, "nobody has joined");
    let refused = alone.told(Event::Rejected { by: Asker::Person, generation: 1 });
    assert_eq!(refused.sent.len(), 2, "the pause was ours");
}

#[test]
fn d6_a_person_passes_every_pause_of_ours() {
    let withheld = |bench: Bench| {
        let attempt = bench.in_flight.expect("a refresh is in flight");
        bench.told(left_alone(attempt, minutes(5)))
    };
    let asked = || Bench::signed_in(seconds(3600)).told(ASKED);
    for (why, bench) in [
        ("a backoff", asked().answered(&offline())),
        ("a breaker", withheld(asked())),
        ("a pause of the provider that it named no time for", asked().answered(&limited(None))),
    ] {
        let sent = bench.sent.len();
        let machine = bench.clone().told(Event::Asked { by: Asker::Machine });
        assert_eq!(machine.sent.len(), sent, "{why}: a machine waits");
        assert_eq!(bench.told(ASKED).sent.len(), sent + 1, "{why}");
    }
    let named = asked().answered(&limited(Some(seconds(60)))).told(ASKED);
    assert_eq!(named.sent.len(), 1, "a time that the provider named is kept, and told");
    let Phase::Waiting { until, .. } = named.session.phase() else { panic!("{:?}", named.session.phase()) };
    assert!(until.since(named.now) >= seconds(60));
}

/// Somebody at the window who fetches has nothing to work with, and does not wait for our next try.
#[test]
fn d6_what_a_person_waits_for_does_not_wait_for_a_backoff() {
    let mut bench = Bench::restored("r1").answered(&offline()).told(Event::Tick);
    let sent = bench.sent.len();
    bench.tell(Event::Wanted { min_valid: Duration::ZERO, by: Asker::Machine });
    assert_eq!(bench.sent.len(), sent);
    bench.tell(Event::Wanted { min_valid: Duration::ZERO, by: Asker::Person });
    assert_eq!(bench.sent.len(), sent + 1);
    bench.tell(Event::Wanted { min_valid: Duration::ZERO, by: Asker::Person });
    assert_eq!(bench.sent.len(), sent + 1, "never a second one beside the one in flight");
}

/// Row A3.
/// What was not sent has not failed.
#[test]
fn d6_a_refresh_that_was_withheld_is_no_failure_and_ends_with_the_network() {
    let mut bench = Bench::restored("r1");
    for _ in 0..20 {
        let attempt = bench.in_flight.take().expect("it tries again when the wait is over");
        bench.tell(left_alone(attempt, minutes(5)));
        let Phase::Waiting { failures, why, until, .. } = bench.session.phase() else {
            panic!("{:?}", bench.session.phase())
        };
        assert_eq!((failures, why), (0, Trouble::BreakerOpen));
        bench.now = until;
        bench.tell(Event::Tick);
    }
    let attempt = bench.in_flight.expect("a refresh is in flight");
    bench.tell(left_alone(attempt, minutes(5)));
    bench.tell(Event::NetworkUp);
    let soon = bench.session.deadline().map(|at| at.since(bench.now));
    assert!(soon.is_some_and(|soon| soon <= seconds(1)), "{soon:?}");
}

/// The profile was edited: what is stored goes nowhere, and is not touched.
#[test]
fn d_a_token_of_another_server_is_left_alone_until_somebody_signs_in() {
    let mut bench = Bench::started(Policy::default(), Timestamp::default()).with_a_hanging_vault();
    bench.tell(Event::Tick);
    let found = Found::Elsewhere(vec![Destination::Token]);
    let effects = bench.tell(Event::Loaded { found, interrupted: false });
    assert!(effects.contains(&Effect::Note(Note::Elsewhere { places: vec![Destination::Token] })));
    for event in [ASKED, Event::Wanted { min_valid: Duration::ZERO, by: Asker::Person }, Event::NetworkUp] {
        let effects = bench.tell(event);
        assert!(effects.is_empty(), "{effects:?}");
    }
    bench.run(minutes(60), |_| fresh(60));
    assert_eq!(bench.session.phase(), Phase::NeedsLogin { why: Lost::Elsewhere });
    let mut bench = bench.sign_in(seconds(60));
    bench.let_the_vault_answer();
    assert_eq!((bench.session.phase(), bench.vault.as_deref()), (Phase::Fresh, Some("r1")));
}

/// Before the end: nothing new, and what is not saved is saved at once, not when the next try is due.
#[test]
fn c1_the_end_is_a_reason_to_save_now() {
    let rotated = Verdict::Fresh(tokens("a2", Some("r2"), Some(seconds(60))));
    let mut bench = Bench::signed_in(seconds(60));
    bench.failing_saves = 4;
    bench = bench.told(ASKED).answered(&rotated);
    bench.run(seconds(6), |_| fresh(60));
    bench.failing_saves = 0;
    let effects = bench.tell(Event::Ending);
    assert!(effects.iter().any(|effect| matches!(effect, Effect::Save { .. })), "{effects:?}");
    assert!(!bench.session.would_be_lost());
    let sent = bench.sent.len();
    for event in [ASKED, Event::Wanted { min_valid: Duration::ZERO, by: Asker::Person }, Event::Tick] {
        bench.now = bench.now + minutes(2);
        bench.tell(event);
    }
    assert_eq!(bench.sent.len(), sent);
    bench.tell(Event::Stays);
    bench.run(minutes(2), |_| fresh(60));
    assert!(bench.sent.len() > sent, "and it goes on when it stays");
}

#[test]
fn a8_a_caller_who_wants_more_life_is_told_when_it_can_be_had() {
    let mut bench = Bench::signed_in(seconds(600));
    bench.now = bench.now + seconds(120);
    let (most, never) = (seconds(540), seconds(3600));
    bench.tell(Event::Wanted { min_valid: most, by: Asker::Machine });
    assert!(bench.sent.is_empty(), "half of its life is not over");
    let Prospect::Later { until } = bench.session.prospect(bench.now, most) else {
        panic!("{:?}", bench.session.prospect(bench.now, most))
    };
    assert_eq!(until.since(bench.now), seconds(180));
    assert_eq!(bench.session.prospect(bench.now, never), Prospect::TooShort { lifetime: seconds(600) });
    bench.now = until;
    bench.tell_and_answer(Event::Tick, &fresh(600));
    assert!(matches!(bench.session.prospect(bench.now, most), Prospect::Ready { .. }));
}

/// What is odd about good tokens is told and costs nothing; a demand that the sign-in did not meet stays.
#[test]
fn g_an_oddity_is_told_and_ends_nothing() {
    let odd = |what| Tokens { odd: Some(what), ..tokens("a2", Some("r2"), Some(seconds(60))) };
    let refreshed = Verdict::Fresh(odd(Oddity::IdTokenUnverified));
    let bench = Bench::signed_in(seconds(60)).told(ASKED).answered(&refreshed);
    assert_eq!((bench.session.phase(), bench.vault.as_deref()), (Phase::Fresh, Some("r2")));
    assert!(bench.notes.contains(&Note::Odd { what: Oddity::IdTokenUnverified }));
    let interaction = session::interaction::Interaction::of(session::interaction::Need::StepUp);
    let demanded = bench.told(Event::Demanded { generation: 2, interaction });
    let weak = demanded.clone().sign_in_with(odd(Oddity::StepUpUnmet));
    assert_eq!(weak.session.phase(), Phase::NeedsLogin { why: Lost::InsufficientUserAuthentication });
    assert_eq!(demanded.sign_in(seconds(60)).session.phase(), Phase::Fresh);
}

/// Heartbeats that ask nobody have no answer to show.
#[test]
fn a12_nobody_said_no_where_nobody_was_asked() {
    let policy = Policy { heartbeat: seconds(10), ..Policy::default() };
    let mut bench = Bench::started(policy, Timestamp::default()).sign_in(seconds(60));
    bench.run(minutes(5), |_| offline());
    assert_eq!(bench.session.view(bench.now).last_heartbeat, None);
}

/// A refresh that is asked for while somebody is at a sign-in is about the tokens that there are.
#[test]
fn g_what_goes_on_with_the_tokens_is_told_during_a_sign_in_too() {
    let signing_in = Event::SignIn { patience: minutes(5) };
    let bench = Bench::signed_in(seconds(60)).told(signing_in.clone()).told(ASKED).answered(&fresh(60));
    assert_eq!((bench.session.phase(), bench.session.standing()), (Phase::SigningIn, Phase::Fresh));
    let never = Bench::started(Policy::default(), Timestamp::default()).told(Event::Tick).told(signing_in);
    assert_eq!(never.session.standing(), Phase::NeedsLogin { why: Lost::Never });
}

/// A vault that is locked says so to whoever is about to stop.
#[test]
fn c1_what_would_be_lost_is_known() {
    let rotated = Verdict::Fresh(tokens("a2", Some("r2"), Some(seconds(60))));
    let mut bench = Bench::signed_in(seconds(60));
    assert!(!bench.session.would_be_lost());
    bench.failing_saves = u32::MAX;
    bench = bench.told(ASKED).answered(&rotated);
    assert!(bench.session.would_be_lost());
    assert!(bench.notes.contains(&Note::Unsaved { trouble: VaultTrouble::Failed }));
    assert!(!bench.told(Event::SignOut).session.would_be_lost());
}

/// Row C5.
/// The token was sent and somebody answered that all went well, in a way that nobody can use: it may be spent.
#[test]
fn an_answer_that_is_no_use_is_as_bad_as_a_lost_one() {
    let useless = [
        (Trouble::CutShort, Some(200)),
        (Trouble::Garbled, Some(200)),
        (Trouble::Memory, None),
        (Trouble::TooLarge, None),
        (Trouble::Unreadable, Some(200)),
    ];
    for (trouble, status) in useless {
        let verdict = Verdict::Transient { trouble, status, retry_after: None };
        let mut bench = Bench::signed_in(seconds(3600)).told(ASKED).answered(&verdict);
        assert!(!bench.marked.is_empty(), "{trouble:?}: the next process would know nothing of it");
        bench.run_until_sent(&dead());
        let after = bench.sent_at[1].since(bench.sent_at[0]);
        assert!(
            after <= limits::PROMPT,
            "{trouble:?}: a provider that repeats its answer does so for a moment"
        );
        assert_eq!(bench.session.standing(), Phase::NeedsLogin { why: Lost::Interrupted }, "{trouble:?}");
    }
}

fn left_alone(attempt: Attempt, wait: Duration) -> Event {
    Event::Withheld { attempt, wait, trouble: Trouble::BreakerOpen }
}
