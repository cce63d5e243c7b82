//! Staying signed in while nothing goes wrong but time.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use api::{Cause, Code, Lost, Note, PhaseView, Request, Source};
use pilotlight_sandbox::{Dialect, Endpoint, Fault, Settings, What};
use rustix::process::Signal;
use serde_json::json;

use crate::harness::{
    Bench, Keeper, Keyring, Wire, Witness, at_once, best_effort, fetch, fetched, given, meet, profile, token,
    until,
};

#[test]
fn sessions_live_through_many_expiries_with_requests_in_flight() {
    let bench = Bench::strict(Duration::from_secs(1));
    let profiles: String = Dialect::JSON.map(|dialect| bench.profile(dialect, "")).concat();
    let keeper = Keeper::start(&profiles);
    for dialect in Dialect::JSON {
        keeper.login(dialect.name());
    }
    let over = AtomicBool::new(false);
    let (busy_with, over_now) = (&keeper, &over);
    thread::scope(|scope| {
        let busy: Vec<_> = Dialect::JSON
            .into_iter()
            .flat_map(|dialect| [dialect, dialect])
            .map(|dialect| scope.spawn(move || work(busy_with, dialect, over_now)))
            .collect();
        until("every session has been refreshed five times", || {
            Dialect::JSON
                .into_iter()
                .all(|dialect| bench.counted(dialect).refreshes_granted > 5)
                .then_some(())
        });
        over.store(true, Ordering::Relaxed);
        for busy in busy {
            busy.join().unwrap();
        }
    });
    for dialect in Dialect::JSON {
        let counted = bench.counted(dialect);
        assert_eq!((counted.logins, counted.refreshes_refused), (1, 0), "{dialect:?}");
        assert_eq!(counted.max_refreshes_in_flight, 1, "{dialect:?}");
        let name = dialect.name();
        let caused = |wanted: Cause| {
            let refreshed = |note: &Note| matches!(note, Note::Refreshed { cause, .. } if *cause == wanted);
            keeper.notes(name).iter().filter(|note| refreshed(note)).count()
        };
        // They are refreshed behind the requests, not by them.
        assert!(caused(Cause::BeforeExpiry) >= 4, "{dialect:?}: {:?}", keeper.notes(name));
    }
}

/// Row F4.
#[test]
fn a_token_that_is_given_out_lives_as_long_as_was_asked() {
    let bench = Bench::strict(Duration::from_secs(2));
    let keeper = Keeper::start(&bench.profile(Dialect::Heartbeat, ""));
    keeper.login("heartbeat");
    let asked = Duration::from_millis(900);
    let end = Instant::now() + Duration::from_secs(3);
    while Instant::now() < end {
        let given = given(keeper.ask(token("heartbeat", asked))).unwrap();
        assert!(given.remaining_ms >= 900, "{given:?}");
        assert!(!given.shorter_than_asked);
        assert_eq!((given.scheme.as_str(), given.lifetime_ms), ("Bearer", 2000));
        thread::sleep(Duration::from_millis(7));
    }
    let counted = bench.counted(Dialect::Heartbeat);
    assert!(counted.refreshes_granted <= 5, "{counted:?}");
}

/// Row F4: nothing is better than a token that ends in the middle of what it was wanted for.
#[test]
fn asking_for_more_than_tokens_live_brings_nothing_unless_that_is_wanted() {
    let bench = Bench::strict(Duration::from_secs(30));
    let keeper = Keeper::start(&bench.profile(Dialect::NestJs, ""));
    keeper.login("nestjs");
    let hour = Duration::from_secs(3600);
    let refused = given(keeper.ask(token("nestjs", hour))).unwrap_err();
    assert_eq!((refused.code, refused.retry_in_ms), (Code::TokenTooShort, None));
    let most = Request::Token {
        profile: "nestjs".to_owned(),
        min_valid_ms: 29_999,
        best_effort: false,
        timeout_ms: Some(100),
    };
    until("some of its life is over", || {
        (keeper.session("nestjs").access.unwrap().remaining_ms < 29_999).then_some(())
    });
    let later = given(keeper.ask(most)).unwrap_err();
    assert_eq!(later.code, Code::DeadlinePassed);
    assert!(later.retry_in_ms.is_some_and(|wait| wait <= 15_000), "{later:?}");
    let given = given(keeper.ask(best_effort("nestjs", hour))).unwrap();
    assert!(given.shorter_than_asked && given.remaining_ms > 10_000, "{given:?}");
    assert_eq!(given.scheme, "");
    assert_eq!(bench.counted(Dialect::NestJs).refreshes_received, 0);
}

/// Row F4, as scripts meet it: what cannot be had is no output and an exit code.
#[test]
fn a_script_that_asks_for_too_much_gets_no_token_unless_it_wants_the_best_there_is() {
    let bench = Bench::strict(Duration::from_secs(30));
    let keeper = Keeper::start(&bench.profile(Dialect::NestJs, ""));
    keeper.login("nestjs");
    let ran = keeper.run(&["token", "nestjs", "--min-valid", "1h"]);
    assert_eq!((ran.code, &*ran.out), (Some(1), ""), "{ran:?}");
    assert!(ran.err.contains("they live for 30s"), "{ran:?}");

    // As long as a new one lives, which this one is no more; and another would be too soon.
    until("the token is not new any more", || {
        keeper.session("nestjs").access.filter(|access| access.remaining_ms < 29_000)
    });
    let ran = keeper.run(&["token", "nestjs", "--min-valid", "29s", "--timeout", "100ms"]);
    assert_eq!((ran.code, &*ran.out), (Some(4), ""), "{ran:?}");
    assert!(ran.err.contains("It is tried again by itself in "), "{ran:?}");

    for min_valid in ["1h", "29s"] {
        let asked = ["token", "nestjs", "--min-valid", min_valid, "--best-effort", "--timeout", "100ms"];
        let ran = keeper.run(&asked).went_well();
        assert!(!ran.out.is_empty() && ran.err.starts_with("This token is good for "), "{ran:?}");
    }
    assert_eq!(bench.counted(Dialect::NestJs).refreshes_received, 0);
}

/// Row A8: a caller in a loop whose wish no token can fulfil.
#[test]
fn two_hundred_callers_who_want_too_much_cost_two_refreshes_a_lifetime() {
    let bench = Bench::strict(Duration::from_secs(3));
    let keeper = Keeper::start(&bench.profile(Dialect::SimpleJwt, "refresh_before = \"300s\""));
    keeper.login("simplejwt");
    let before = bench.counted(Dialect::SimpleJwt).refreshes_received;
    let began = Instant::now();
    let mut wire = keeper.wire();
    for _ in 0..200 {
        given(wire.ask(best_effort("simplejwt", Duration::from_millis(2900)))).unwrap();
        thread::sleep(Duration::from_millis(15));
    }
    let lifetimes = began.elapsed().as_secs() / 3 + 1;
    let refreshes = bench.counted(Dialect::SimpleJwt).refreshes_received - before;
    assert!(refreshes <= 2 * lifetimes, "{refreshes} in {lifetimes} lifetimes");
}

#[test]
fn a_heartbeat_that_says_no_sets_off_a_refresh() {
    let bench = Bench::strict(Duration::from_secs(60));
    let keeper = Keeper::start(&bench.profile(Dialect::Heartbeat, "heartbeat = \"1s\""));
    keeper.login("heartbeat");
    bench.fault(Fault::HeartbeatNo, meet(Endpoint::Heartbeat).times(1).on());
    until("the heartbeat has set off a refresh", || {
        let said = |note: &Note| matches!(note, Note::Refreshed { cause: Cause::HeartbeatSaidNo, .. });
        keeper.notes("heartbeat").iter().any(said).then_some(())
    });
    until("the next heartbeat is good", || {
        keeper.session("heartbeat").heartbeat.last.filter(|last| last.good).map(|_| ())
    });
    assert_eq!(bench.counted(Dialect::Heartbeat).refreshes_received, 1);
    assert_eq!(keeper.fetch("heartbeat", "/api/profile").unwrap().status, 200);
}

/// Row D11: where nobody asks for anything, the heartbeat finds out.
#[test]
fn a_revocation_is_noticed_by_the_heartbeat_alone() {
    let bench = Bench::strict(Duration::from_secs(60));
    let keeper = Keeper::start(&bench.profile(Dialect::Heartbeat, "heartbeat = \"1s\""));
    keeper.login("heartbeat");
    bench.control.revoke(What::All, Some(Dialect::Heartbeat), None).unwrap();
    keeper.until_phase("heartbeat", PhaseView::NeedsLogin { why: Lost::Refused });
    let counted = bench.counted(Dialect::Heartbeat);
    assert_eq!((counted.refreshes_received, counted.resource_requests), (1, 0));
}

/// Rows A1, A2, B8: a process that stood still through an expiry judges by what time it is now.
#[test]
fn a_keeper_that_stood_still_through_an_expiry_refreshes_once_and_goes_on() {
    let bench = Bench::strict(Duration::from_secs(1));
    let keeper = Keeper::start(&bench.profile(Dialect::NestJs, ""));
    keeper.login("nestjs");
    keeper.signal(Signal::STOP);
    // Over, and by more than any slack.
    thread::sleep(Duration::from_millis(1500));
    let before = bench.counted(Dialect::NestJs).refreshes_received;
    bench.control.change_settings(|settings| settings.access_ttl = Duration::from_secs(60));
    let mut wire = keeper.wire();
    for n in 0..50 {
        wire.send(fetch("nestjs", &format!("/aaa?n={n}")));
    }
    keeper.signal(Signal::CONT);
    for _ in 0..50 {
        assert!(wire.text().contains("\"status\":200"));
    }
    let counted = bench.counted(Dialect::NestJs);
    assert_eq!((counted.refreshes_received - before, counted.unauthorized), (1, 0));
}

/// Row A5: frozen after the server rotated and before the answer was read; it waits where the keeper finds it.
#[test]
fn a_keeper_that_froze_before_an_answer_reads_it_afterwards() {
    let bench = Bench::strict(Duration::from_secs(60));
    let witness = Witness::before(bench.origin());
    let keeper = Keeper::start(&profile("nestjs", Dialect::NestJs, witness.origin(), ""));
    keeper.login("nestjs");
    witness.hold_answers("/nestjs/refresh", Duration::from_millis(300));
    let mut wire = keeper.wire();
    wire.send(Request::Refresh { profile: "nestjs".to_owned(), by: api::Asker::Person });
    until("the server has rotated", || (bench.counted(Dialect::NestJs).refreshes_granted == 1).then_some(()));
    keeper.signal(Signal::STOP);
    thread::sleep(Duration::from_millis(900));
    keeper.signal(Signal::CONT);
    assert!(wire.text().contains("\"ok\""));
    keeper.refresh("nestjs").unwrap();
    assert_eq!(bench.counted(Dialect::NestJs).refreshes_received, 2);
}

/// Row D2: a gateway's page says nothing about a token.
#[test]
fn a_heartbeat_that_meets_a_gateway_changes_nothing() {
    let bench = Bench::strict(Duration::from_secs(60));
    let keeper = Keeper::start(&bench.profile(Dialect::Heartbeat, "heartbeat = \"1s\""));
    keeper.login("heartbeat");
    bench.fault(Fault::Status, meet(Endpoint::Heartbeat).on());
    until("a heartbeat has not been answered", || {
        (keeper.noted("heartbeat", "heartbeat_unanswered") > 0).then_some(())
    });
    bench.control.clear_faults();
    assert_eq!(keeper.fetch("heartbeat", "/api/profile").unwrap().status, 200);
    assert_eq!(bench.counted(Dialect::Heartbeat).refreshes_received, 0);
}

/// Row A6: what the wall clock of either side says changes nothing.
#[test]
fn a_servers_clock_that_is_years_off_changes_nothing() {
    for skew in [-86_400, 3_600, 10 * 365 * 86_400_i64] {
        let bench = Bench::strict(Duration::from_secs(2));
        bench.fault(
            Fault::ClockSkew,
            pilotlight_sandbox::Switch { value: Some(skew.into()), ..pilotlight_sandbox::Switch::default() },
        );
        let profiles = [Dialect::NestJs, Dialect::Heartbeat, Dialect::Flask]
            .map(|dialect| bench.profile(dialect, ""))
            .concat();
        let keeper = Keeper::start(&profiles);
        for (dialect, path) in
            [(Dialect::NestJs, "/aaa"), (Dialect::Heartbeat, "/api/profile"), (Dialect::Flask, "/protected")]
        {
            keeper.login(dialect.name());
            let lifetime = keeper.session(dialect.name()).access.unwrap().lifetime_ms;
            assert_eq!(lifetime, 2000, "{skew} {dialect:?}");
            assert_eq!(keeper.fetch(dialect.name(), path).unwrap().status, 200);
            let first = u64::from(dialect == Dialect::Flask);
            assert_eq!(bench.counted(dialect).refreshes_received, first, "{skew} {dialect:?}");
        }
    }
}

/// Row A9.
#[test]
fn a_provider_that_returns_the_same_token_is_not_hammered() {
    let bench = Bench::start(Settings { access_ttl: Duration::from_secs(4), ..Settings::default() });
    let keeper = Keeper::start(&bench.profile(Dialect::Heartbeat, ""));
    keeper.login("heartbeat");
    bench.fault(Fault::SameToken, meet(Endpoint::Refresh).on());
    for _ in 0..20 {
        drop(keeper.refresh("heartbeat"));
    }
    let asked = bench.counted(Dialect::Heartbeat).refreshes_received;
    let end = Instant::now() + Duration::from_millis(3500);
    while Instant::now() < end {
        drop(given(keeper.ask(token("heartbeat", Duration::from_secs(3)))));
        thread::sleep(Duration::from_millis(20));
    }
    let of_its_own = bench.counted(Dialect::Heartbeat).refreshes_received - asked;
    assert!(of_its_own <= 9, "{of_its_own}");
    bench.control.clear_faults();
    until("a new token", || {
        (keeper.fetch("heartbeat", "/api/profile").unwrap().status == 200
            && keeper.session("heartbeat").access.unwrap().remaining_ms > 1500)
            .then_some(())
    });
}

/// Row A11: the assumption about a token only dates the next refresh, and nobody is told that it is a fact.
#[test]
fn a_token_of_which_nobody_said_how_long_it_lives_is_good_until_it_is_refused() {
    let bench = Bench::strict(Duration::from_secs(60));
    let keeper = Keeper::start(&bench.profile(Dialect::Heartbeat, "assume_lifetime = \"2s\""));
    bench.fault(Fault::Omit, meet(Endpoint::Login).value(json!(["lifetime"])));
    bench.fault(Fault::Status, meet(Endpoint::Refresh).on());
    keeper.login_as("heartbeat", "alice", "wonderland").unwrap();
    let named = |note: &Note| matches!(note, Note::SignedIn { source: Source::Assumed, .. });
    assert!(keeper.notes("heartbeat").iter().any(named));
    until("what is assumed is over", || {
        keeper.session("heartbeat").access.filter(|access| access.remaining_ms == 0)
    });
    assert_eq!(keeper.fetch("heartbeat", "/api/profile").unwrap().status, 200);
    let token = keeper.run(&["token", "heartbeat", "--json"]).went_well().json();
    assert_eq!((&token["source"], &token["remaining_ms"]), (&json!("assumed"), &json!(0)));
    assert!(keeper.run(&["status"]).went_well().out.contains("until refused"));
    let ran = keeper.run(&["token", "heartbeat", "--min-valid", "1m"]);
    assert_eq!((ran.code, &*ran.out), (Some(1), ""), "{ran:?}");
    assert!(ran.err.contains("nobody said how long they live, and 2s is assumed"), "{ran:?}");
    bench.control.clear_faults();
    // One that was on its way already may still be refused.
    until("it is refreshed", || keeper.refresh("heartbeat").ok());
    let named = |note: &Note| matches!(note, Note::Refreshed { source: Source::Assumed, .. });
    assert!(keeper.notes("heartbeat").iter().any(named));
}

/// Rows D9, D14, F9.
/// What a program asks that nobody has signed in yet.
#[test]
fn without_a_sign_in_every_caller_is_told_at_once() {
    let bench = Bench::strict(Duration::from_secs(60));
    let keeper = Keeper::start(&bench.profile(Dialect::NestJs, ""));
    let began = Instant::now();
    let refused = at_once((0..20).collect(), |_| given(keeper.ask(token("nestjs", Duration::ZERO))));
    for refused in refused {
        let failure = refused.unwrap_err();
        assert_eq!((failure.code, failure.details["why"].as_str()), (Code::SignInNeeded, "never"));
    }
    assert!(began.elapsed() < Duration::from_secs(2));
}

/// Row D14: a request without its token is another request, and gets an answer that nobody has asked for.
#[test]
fn d14_without_a_token_nothing_is_sent_and_the_caller_is_told_why() {
    let bench = Bench::strict(Duration::from_secs(60));
    let keyring = Keyring::start();
    let mut keeper = Keeper::with_keyring(&bench.profile(Dialect::NestJs, ""), &keyring);
    let told = |keeper: &Keeper| {
        let failure = keeper.fetch("nestjs", "/aaa").unwrap_err();
        (failure.code, failure.details.get("why").cloned().unwrap_or_default())
    };
    assert_eq!(told(&keeper), (Code::SignInNeeded, "never".to_owned()));
    keeper.login("nestjs");
    assert!(keeper.session("nestjs").saved);
    keyring.lock();
    keeper.restart();
    until("it waits for the keyring", || {
        matches!(keeper.phase("nestjs"), PhaseView::Waiting { .. }).then_some(())
    });
    assert_eq!(told(&keeper).0, Code::KeyringLocked);
    keyring.unlock();
    keeper.until_fresh("nestjs");
    keeper.ask(Request::Logout { profile: "nestjs".to_owned(), browser: false }).unwrap();
    assert_eq!(told(&keeper), (Code::SignInNeeded, "signed_out".to_owned()));
    assert_eq!(bench.counted(Dialect::NestJs).resource_requests, 0);
}

/// Asks for protected things until told to stop, and expects every one of them.
fn work(keeper: &Keeper, dialect: Dialect, over: &AtomicBool) {
    let path = match dialect {
        Dialect::Flask => "/protected",
        Dialect::Heartbeat => "/api/profile",
        Dialect::NestJs => "/aaa",
        Dialect::SimpleJwt => "/api/protected/",
        Dialect::OAuth => "/api/profile",
    };
    let mut wire: Wire = keeper.wire();
    let mut answered = 0;
    // However busy the machine is: fewer would say little.
    while !over.load(Ordering::Relaxed) || answered <= 50 {
        let fetched = fetched(wire.ask(fetch(dialect.name(), path)));
        assert_eq!(fetched.as_ref().map(|fetched| fetched.status), Ok(200), "{dialect:?}: {fetched:?}");
        answered += 1;
        thread::sleep(Duration::from_millis(15));
    }
}
