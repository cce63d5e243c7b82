//! The rules of a session, one short story each. The codes are rows of the failure catalogue: what was lost, and by
//! whom, before the rule was there.
//!
//! A6 and A7 (a wall clock that is wrong or set back) need no story of their own: no event and no function of the core
//! takes a wall clock, and only differences of its one clock count, which [`a6_only_differences_of_the_clock_count`]
//! shows. Interleavings are the simulation's business, and single steps the transition table's.

#[path = "rules/bench.rs"]
mod bench;
#[path = "rules/demands.rs"]
mod demands;
#[path = "rules/heartbeats.rs"]
mod heartbeats;
#[path = "rules/oddities.rs"]
mod oddities;
#[path = "rules/promise.rs"]
mod promise;

use std::time::Duration;

use bench::{
    ASKED, Bench, PATIENCE, dead, fresh, limited, minutes, offline, seconds, suspect, tokens, unanswered,
};
use session::Session;
use session::event::{Asker, Effect, Event, Found, Memory};
use session::policy::Policy;
use session::reason::{Lost, Trouble, VaultTrouble};
use session::time::Timestamp;
use session::tokens::{Account, RefreshToken};
use session::verdict::Verdict;
use session::view::{Phase, Prospect};

#[test]
fn a2_waking_past_the_end_of_a_token_is_a_refresh_and_not_a_logout() {
    let mut bench = Bench::signed_in(seconds(3600));
    bench.now = bench.now + minutes(600);
    bench.tell(Event::Woke { slept: minutes(600) });
    bench.run(seconds(10), |_| fresh(3600));
    assert_eq!((bench.session.phase(), bench.sent.len()), (Phase::Fresh, 1));
}

/// Somebody who waits is not kept waiting for that.
#[test]
fn a3_after_a_sleep_the_network_is_given_a_moment_to_come_back() {
    let mut bench = Bench::signed_in(seconds(3600));
    bench.now = bench.now + minutes(600);
    bench.tell(Event::Woke { slept: minutes(600) });
    let wait = bench.session.deadline().map(|at| at.since(bench.now));
    assert!(
        bench.sent.is_empty() && wait.is_some_and(|wait| wait >= seconds(1) && wait <= seconds(4)),
        "{wait:?}"
    );
    bench.tell(Event::Wanted { min_valid: Duration::ZERO, by: Asker::Machine });
    assert_eq!(bench.sent.len(), 1);
}

#[test]
fn a4_two_hundred_failures_and_then_a_good_answer() {
    for failure in [offline(), unanswered(), limited(None)] {
        let mut bench = Bench::signed_in(seconds(3600));
        bench.run(minutes(24 * 60), |tries| if tries <= 200 { failure.clone() } else { fresh(3600) });
        assert_eq!(bench.session.phase(), Phase::Fresh, "{failure:?}");
        assert!(bench.sent.len() > 200, "{failure:?}: only {} tries in a day", bench.sent.len());
    }
}

#[test]
fn a6_only_differences_of_the_clock_count() {
    let refreshes = |start: u64| {
        let mut bench = Bench::started(Policy::default(), Timestamp::from_millis(start)).sign_in(seconds(60));
        bench.run(minutes(30), |_| fresh(60));
        bench.sent_at.iter().map(|at| at.as_millis() - start).collect::<Vec<_>>()
    };
    let ten_years = 10 * 365 * 86_400_000;
    assert_eq!(refreshes(0), refreshes(ten_years));
}

/// However many callers, and however much they ask for.
#[test]
fn a8_at_most_two_refreshes_in_a_lifetime() {
    for lifetime in [5, 30, 60, 80, 300, 3600, 86_400, 30 * 86_400] {
        for before in [None, Some(5), Some(300), Some(1 << 40)] {
            let policy =
                Policy { refresh_before: before.map(seconds), slot: 0x5eed_1234_5678, ..Policy::default() };
            let mut bench =
                Bench::started(policy, Timestamp::from_millis(77_000_000)).sign_in(seconds(lifetime));
            for _ in 0..500 {
                bench.run(seconds(lifetime) / 50, |_| fresh(lifetime));
                let min_valid = seconds(lifetime);
                if bench.session.access_token(bench.now, min_valid).is_none() {
                    bench.tell_and_answer(Event::Wanted { min_valid, by: Asker::Machine }, &fresh(lifetime));
                }
            }
            let made = bench.sent.len();
            assert!((10..=21).contains(&made), "{lifetime} s, {before:?}: {made} refreshes in ten lifetimes");
        }
    }
}

#[test]
fn a9_the_same_access_token_again_and_again() {
    let mut bench = Bench::signed_in(seconds(3600));
    bench.run(minutes(59), |_| Verdict::Fresh(tokens("a1", None, Some(seconds(3600)))));
    let gaps = bench.sent_at.windows(2).map(|pair| pair[1].since(pair[0]));
    assert!(gaps.min().is_none_or(|gap| gap >= seconds(10)), "{:?}", bench.sent_at);
    assert!(bench.sent.len() < 12, "{} refreshes", bench.sent.len());
    let access = bench.session.view(bench.now).access.expect("the token is out");
    assert!(access.remaining <= minutes(1), "it did not get younger: {access:?}");
}

/// The provider's own word beats our guess.
#[test]
fn a11_a_token_of_unknown_lifetime_is_good_while_the_provider_hands_it_out() {
    let mut bench = Bench::started(Policy::default(), Timestamp::default());
    bench = bench.sign_in_with(tokens("a1", Some("r1"), None));
    for _ in 0..48 {
        bench.run(minutes(30), |_| Verdict::Fresh(tokens("a1", None, None)));
        assert!(bench.session.access_token(bench.now, Duration::ZERO).is_some(), "at {:?}", bench.now);
    }
    assert!(bench.sent.len() < 60, "{} refreshes in a day", bench.sent.len());
}

#[test]
fn a10_absurd_lifetimes_neither_spin_nor_last_for_ever() {
    for told in [Duration::ZERO, Duration::from_millis(1), seconds(1_000_000_000_000), Duration::MAX] {
        let mut bench = Bench::signed_in(seconds(60));
        bench.tell_and_answer(ASKED, &Verdict::Fresh(tokens("a2", None, Some(told))));
        let refresh_at =
            bench.session.view(bench.now).refresh_at.expect("a good token is refreshed some day");
        let wait = refresh_at.since(bench.now);
        assert!(wait >= Duration::from_millis(250) && wait <= minutes(30 * 24 * 60), "{told:?}: {wait:?}");
    }
}

#[test]
fn a14_a_start_with_nothing_but_a_refresh_token_is_one_refresh() {
    let mut bench = Bench::restored("r1");
    bench.run(seconds(30), |_| fresh(3600));
    assert_eq!((bench.session.phase(), bench.sent.as_slice()), (Phase::Fresh, &["r1".to_owned()][..]));
}

#[test]
fn a16_a_refusal_at_half_life_is_one_refresh_and_the_next_refusal_surfaces() {
    let mut bench = Bench::signed_in(seconds(3600));
    bench.run(minutes(10), |_| fresh(3600));
    bench.tell_and_answer(Event::Rejected { by: Asker::Machine, generation: 1 }, &fresh(3600));
    let again = bench.tell(Event::Rejected { by: Asker::Machine, generation: 2 });
    assert!(again.is_empty() && bench.sent.len() == 1, "{again:?}");
}

/// A pause that was chosen while the token was good.
#[test]
fn a16_a_refusal_cuts_a_long_pause_short_but_not_one_that_the_provider_asked_for() {
    for (answer, longest) in [(offline(), seconds(3)), (limited(Some(seconds(600))), seconds(600))] {
        let mut bench = Bench::signed_in(seconds(30 * 86_400));
        bench.tell_and_answer(ASKED, &answer);
        bench.tell(Event::Rejected { by: Asker::Machine, generation: 1 });
        let Phase::Waiting { until, .. } = bench.session.phase() else {
            panic!("{:?}", bench.session.phase())
        };
        let wait = until.since(bench.now);
        assert!(wait <= longest && (longest == seconds(3) || wait >= longest), "{answer:?}: {wait:?}");
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

#[test]
fn c6_an_answer_without_a_refresh_token_keeps_the_old_one() {
    let mut bench = Bench::signed_in(seconds(60));
    bench.run(minutes(10), |_| fresh(60));
    assert!(bench.sent.len() > 5 && bench.sent.iter().all(|token| token == "r1"));
    assert_eq!(bench.vault.as_deref(), Some("r1"));
}

#[test]
fn d5_too_many_requests_is_a_pause_and_good_tokens_are_served_through_it() {
    let mut bench = Bench::signed_in(seconds(3600)).told(ASKED).answered(&limited(Some(seconds(60))));
    for event in
        [ASKED, Event::Wanted { min_valid: minutes(59), by: Asker::Machine }, Event::NetworkUp, Event::Tick]
    {
        bench.tell(event);
    }
    bench.run(seconds(59), |_| fresh(3600));
    assert_eq!(bench.sent.len(), 1, "nothing before the time that the provider named");
    assert!(bench.session.access_token(bench.now, minutes(20)).is_some());
    bench.now = bench.now + seconds(1);
    bench.tell_and_answer(ASKED, &limited(None));
    assert_eq!(bench.sent.len(), 2, "and a person is held back no longer than that");
    bench.now = bench.now + minutes(120);
    bench.tell_and_answer(Event::Tick, &limited(None));
    assert!(matches!(bench.session.phase(), Phase::Waiting { why: Trouble::RateLimited, .. }));
}

#[test]
fn d7_a_refusal_before_the_end_leaves_the_access_token_its_time() {
    let mut bench = Bench::signed_in(seconds(3600)).told(ASKED).answered(&dead());
    assert_eq!(bench.session.phase(), Phase::NeedsLogin { why: Lost::Refused });
    assert!(matches!(bench.session.prospect(bench.now, seconds(60)), Prospect::Ready { .. }));
    bench.run(minutes(61), |_| fresh(3600));
    assert_eq!(bench.session.prospect(bench.now, seconds(60)), Prospect::NeedsLogin(Lost::Refused));
}

#[test]
fn d9_callers_never_open_a_sign_in() {
    let mut bench = Bench::signed_in(seconds(3600)).told(Event::SignOut);
    for _ in 0..1000 {
        let effects = bench.tell(Event::Wanted { min_valid: Duration::ZERO, by: Asker::Machine });
        assert!(!effects.iter().any(|effect| matches!(effect, Effect::SignIn { .. })));
        let prospect = bench.session.prospect(bench.now, Duration::ZERO);
        assert_eq!(prospect, Prospect::NeedsLogin(Lost::SignedOut), "and are told so at once");
    }
}

#[test]
fn d10_a_refusal_that_nobody_recognises_counts_when_it_repeats_and_the_token_is_kept() {
    let mut bench = Bench::restored("r1");
    bench.run(minutes(10), |_| suspect(true));
    assert_eq!(bench.session.phase(), Phase::NeedsLogin { why: Lost::Unsure });
    let span = bench.sent_at[bench.sent_at.len() - 1].since(bench.sent_at[0]);
    assert!(bench.sent.len() >= 3 && span >= seconds(120), "{} tries in {span:?}", bench.sent.len());
    assert_eq!(bench.vault.as_deref(), Some("r1"));
    bench.tell_and_answer(ASKED, &suspect(true));
    assert!(
        matches!(bench.session.phase(), Phase::Waiting { .. }),
        "one more says no more than the first did"
    );
    bench.tell_and_answer(ASKED, &fresh(3600));
    assert_eq!(bench.session.phase(), Phase::Fresh, "and trying again revives it");
}

#[test]
fn d10_a_gateway_may_refuse_for_hours() {
    let mut bench = Bench::restored("r1");
    bench.run(minutes(300), |_| suspect(false));
    assert!(matches!(bench.session.phase(), Phase::Waiting { why: Trouble::Suspect, .. }));
}

#[test]
fn d11_a_dead_token_is_never_sent_again() {
    let mut bench = Bench::signed_in(seconds(3600)).told(ASKED).answered(&dead());
    for _ in 0..100 {
        for event in
            [ASKED, Event::NetworkUp, Event::Wanted { min_valid: Duration::ZERO, by: Asker::Machine }]
        {
            bench.tell(event);
        }
        bench.tell(Event::Rejected { by: Asker::Machine, generation: 1 });
        bench.run(minutes(10), |_| fresh(3600));
    }
    assert_eq!((bench.sent.len(), bench.vault), (1, None));
}

#[test]
fn d13_a_sign_out_clears_this_machine_first() {
    let mut bench = Bench::signed_in(seconds(3600));
    let effects = bench.tell(Event::SignOut);
    let place = |wanted: fn(&Effect) -> bool| effects.iter().position(wanted);
    let forget = place(|effect| matches!(effect, Effect::Forget));
    assert!(
        forget.is_some() && forget < place(|effect| matches!(effect, Effect::Revoke { .. })),
        "{effects:?}"
    );
    assert_eq!((bench.vault, bench.revoked), (None, vec!["r1".to_owned()]));
}

#[test]
fn d15_one_wrong_path_after_an_outage_is_not_an_hour_of_rest() {
    let misconfigured = Verdict::Misconfigured { trouble: Trouble::Misconfigured, status: Some(404) };
    let mut bench = Bench::restored("r1");
    bench.run(minutes(30), |_| offline());
    bench.run_until_sent(&misconfigured);
    let Phase::Waiting { until, .. } = bench.session.phase() else { panic!("{:?}", bench.session.phase()) };
    assert_eq!(until.since(bench.now), seconds(300));
}

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
    let loaded = Event::Loaded { found, memory: Memory::default(), interrupted: false };
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
    bench.tell_and_answer(
        Event::Loaded { found, memory: Memory::default(), interrupted: false },
        &fresh(3600),
    );
    assert_eq!(bench.session.phase(), Phase::Fresh);
    assert_eq!(bench.memory.generation, 4);
}

#[test]
fn e15_a_token_out_of_a_backup_is_sent_only_if_a_person_says_so() {
    let restored = || {
        let found =
            Found::Token { refresh: RefreshToken::new("r4"), account: Account::default(), generation: 4 };
        let memory = Memory { generation: 7, ..Memory::default() };
        let mut bench = Bench::started(Policy::default(), Timestamp::default()).with_a_hanging_vault();
        bench.tell(Event::Tick);
        bench.tell(Event::Loaded { found, memory, interrupted: false });
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
