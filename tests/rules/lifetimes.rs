//! How long tokens live, and how long machines sleep.

use std::time::Duration;

use session::event::{Asker, Event};
use session::limits;
use session::policy::Policy;
use session::reason::{Lost, Trouble};
use session::time::Timestamp;
use session::verdict::Verdict;
use session::view::Phase;

use crate::bench::{ASKED, Bench, fresh, limited, minutes, offline, seconds, tokens, unanswered};

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

/// Twenty times in a night the machine is awake for some seconds, without a network.
#[test]
fn a3_a_machine_that_wakes_without_a_network_begins_nothing_and_has_failed_at_nothing() {
    let mut bench = Bench::signed_in(seconds(3600));
    for _ in 0..20 {
        bench.now = bench.now + minutes(60);
        bench.tell(Event::Woke { slept: minutes(60) });
        let settled = bench.session.deadline().expect("it is due");
        bench.now = settled;
        bench.tell(Event::Tick);
        let attempt = bench.in_flight.take().expect("a refresh is due");
        bench.tell(Event::Withheld { attempt, wait: limits::NETWORK, trouble: Trouble::NoNetwork });
        let Phase::Waiting { failures, why, .. } = bench.session.phase() else {
            panic!("{:?}", bench.session.phase())
        };
        assert_eq!((failures, why), (0, Trouble::NoNetwork));
        for event in [Event::AboutToSleep, Event::Awake] {
            bench.tell(event);
            assert!(bench.in_flight.is_none());
        }
    }
    bench.tell(Event::NetworkUp);
    let sent = bench.sent.len();
    bench.run(seconds(10), |_| fresh(3600));
    assert_eq!((bench.session.phase(), bench.sent.len() - sent), (Phase::Fresh, 1));
}

/// A whole office has it back in one moment. Whoever is waited for is quick; the others take some seconds each.
#[test]
fn a3_what_waited_for_the_network_comes_back_over_some_seconds() {
    let after = |seed: u64, lifetime: Duration| {
        let mut bench = Bench::seeded(seed).sign_in(seconds(3600));
        bench.now = bench.now + lifetime;
        bench.tell(Event::Tick);
        let attempt = bench.in_flight.take().expect("a refresh is due");
        bench.tell(Event::Withheld { attempt, wait: limits::NETWORK, trouble: Trouble::NoNetwork });
        bench.tell(Event::NetworkUp);
        bench.session.deadline().expect("it is due").since(bench.now)
    };
    for (lifetime, latest) in [(minutes(50), limits::SETTLE), (minutes(60), limits::SETTLE / 4)] {
        let all: Vec<Duration> = (0..200).map(|seed| after(seed, lifetime)).collect();
        for part in 0..4 {
            let within = latest / 4 * part..=latest / 4 * (part + 1);
            let count = all.iter().filter(|after| within.contains(after)).count();
            assert!((20..80).contains(&count), "{lifetime:?}, {within:?}: {count} of 200");
        }
    }
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

/// Row A7.
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
    let tried_before_the_end = |bench: &Bench| {
        let view = bench.session.view(bench.now);
        let end = view.access.map(|access| bench.now + access.remaining);
        view.refresh_at.zip(end).is_some_and(|(at, end)| at < end)
    };
    let mut bench = Bench::signed_in(seconds(3600));
    bench.run(minutes(50), |_| Verdict::Fresh(tokens("a1", None, Some(seconds(3600)))));
    assert!(tried_before_the_end(&bench), "{:?}", bench.session.view(bench.now));
}

/// A provider that gives the same token once more says what is left of it. That is no lifetime of the next one, or each
/// refresh would come twice as soon as the one before.
#[test]
fn a9_what_is_left_of_a_token_is_no_lifetime() {
    let mut bench = Bench::signed_in(minutes(60));
    let left = |bench: &mut Bench, left| {
        bench.tell_and_answer(ASKED, &Verdict::Fresh(tokens("a1", None, left)));
        bench.now = bench.now + minutes(1);
        bench.session.view(bench.now).access.expect("the token is out")
    };
    for minutes in [10, 1] {
        let access = left(&mut bench, Some(seconds(60 * minutes)));
        assert!(access.remaining <= seconds(60 * minutes), "it is as old as it is: {access:?}");
        assert_eq!(access.lifetime, seconds(3600));
    }
    assert_eq!(bench.memory.lifetime_ms, Some(3_600_000));
    let sent = bench.sent.len();
    bench.run(minutes(60), |_| Verdict::Fresh(tokens("a1", None, None)));
    assert!(bench.sent.len() - sent < 20, "{} refreshes in an hour", bench.sent.len() - sent);
}

/// Whoever wants as much life as a token has at first gets the next one early, and whoever wants more gets none.
#[test]
fn a8_a_wish_for_a_whole_life_brings_the_next_token_at_half_of_it() {
    for (wish, early) in [(seconds(3600), true), (seconds(3601), false)] {
        let mut bench = Bench::signed_in(seconds(3600));
        bench.now = bench.now + minutes(1);
        bench.tell(Event::Wanted { min_valid: wish, by: Asker::Machine });
        let refresh_at = bench.session.view(bench.now).refresh_at.expect("it will be refreshed");
        assert_eq!(refresh_at.since(Timestamp::default()) <= minutes(30), early, "{refresh_at:?}");
    }
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
fn a_token_that_nothing_replaces_is_the_end_of_the_session_with_its_own() {
    let mut bench = Bench::started(Policy::default(), Timestamp::default());
    bench = bench.sign_in_with(tokens("a1", None, Some(minutes(60))));
    assert!(!bench.session.view(bench.now).renewable);
    bench.run(minutes(59), |_| fresh(60));
    assert_eq!(bench.session.phase(), Phase::Fresh);
    bench.run(minutes(1), |_| fresh(60));
    assert_eq!(bench.session.phase(), Phase::NeedsLogin { why: Lost::Expired });
}
