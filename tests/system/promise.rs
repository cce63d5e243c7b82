//! A session ends by the provider or by the person, and people are in nobody's way: seen from outside.

use std::time::{Duration, Instant};

use api::{Asker, Code, Fetch, Lost, PhaseView, Reply, Request, Source, Way};
use pilotlight_sandbox::{Dialect, Endpoint, Fault, What};

use crate::harness::{Bench, Keeper, Keyring, fetched, meet, until};

/// Row D6: the server is back. Machines wait until it is their turn, a person who presses the button does not.
#[test]
fn a_person_passes_the_breaker_and_every_pause_and_a_machine_waits() {
    let bench = Bench::strict(Duration::from_secs(60));
    let profiles = ["one", "two"].map(|name| bench.profile_named(name, Dialect::NestJs, ""));
    let keeper = Keeper::start(&profiles.concat());
    ["one", "two"].into_iter().for_each(|name| keeper.login(name));
    bench.fault(Fault::Status, meet(Endpoint::Refresh).on());
    let refresh = |name: &str, by| keeper.ask(Request::Refresh { profile: name.to_owned(), by });
    until("the breaker is open", || {
        drop(refresh("one", Asker::Person));
        keeper
            .entries(None)
            .iter()
            .any(|entry| crate::harness::kind(&entry.note) == "breaker_opened")
            .then_some(())
    });
    bench.control.clear_faults();
    let refused = refresh("two", Asker::Machine).unwrap_err();
    assert_eq!(refused.code, Code::BreakerOpen);
    assert!(refused.retry_in_ms.is_some_and(|wait| wait > 0), "{refused:?}");
    refresh("one", Asker::Person).unwrap();
    // What the person found out holds for everybody; only the pause of the session itself is left, and it is short.
    until("a machine is served as well", || refresh("two", Asker::Machine).ok());
    assert_eq!(bench.counted(Dialect::NestJs).refreshes_refused, 0);
}

/// Row D6: somebody at the window fetches, and there is no good token: their request is what sets off the next try.
#[test]
fn what_a_person_fetches_does_not_wait_for_a_backoff() {
    let bench = Bench::strict(Duration::from_secs(3600));
    let keeper = Keeper::start(&bench.profile(Dialect::SimpleJwt, ""));
    keeper.login("simplejwt");
    bench.fault(Fault::Status, meet(Endpoint::Refresh).on());
    bench.control.revoke(What::Access, None, None).unwrap();
    until("it waits for long", || {
        drop(keeper.fetch("simplejwt", "/api/protected/"));
        let phase = keeper.phase("simplejwt");
        matches!(phase, PhaseView::Waiting { retry_in_ms, .. } if retry_in_ms > 5_000).then_some(())
    });
    bench.control.clear_faults();
    let asked = |by| {
        let (profile, path) = ("simplejwt".to_owned(), "/api/protected/".to_owned());
        fetched(keeper.ask(Request::Fetch(Fetch {
            profile,
            path,
            by,
            timeout_ms: Some(2_000),
            ..Fetch::default()
        })))
    };
    assert!(asked(Asker::Machine).is_err(), "a machine waits for its turn");
    assert_eq!(asked(Asker::Person).unwrap().status, 200);
}

/// Row D6: an answer is an answer. A heartbeat at a wrong path says nothing about the host.
#[test]
fn a_heartbeat_that_finds_nothing_shuts_nobody_out() {
    let bench = Bench::strict(Duration::from_secs(60));
    let wrong = "heartbeat = \"1s\"\nrecipe.heartbeat = { path = \"/nothing/here\" }";
    let profiles = [
        bench.profile_named("wrong", Dialect::SimpleJwt, wrong),
        bench.profile_named("right", Dialect::SimpleJwt, ""),
    ];
    let keeper = Keeper::start(&profiles.concat());
    ["wrong", "right"].into_iter().for_each(|name| keeper.login(name));
    until("it has found nothing often enough", || {
        (keeper.noted("wrong", "heartbeat_unanswered") >= 7).then_some(())
    });
    for name in ["wrong", "right"] {
        keeper.ask(Request::Refresh { profile: name.to_owned(), by: Asker::Machine }).unwrap();
        assert_eq!(keeper.phase(name), PhaseView::Fresh);
    }
    let opened = keeper
        .entries(None)
        .iter()
        .filter(|entry| crate::harness::kind(&entry.note) == "breaker_opened")
        .count();
    assert_eq!(opened, 0);
}

/// Row D15.
/// Why a session ended, and whose it was.
#[test]
fn the_reason_and_the_name_are_known_after_a_restart() {
    let bench = Bench::strict(Duration::from_secs(60));
    let keyring = Keyring::start();
    let mut keeper = Keeper::with_keyring(&bench.profile(Dialect::NestJs, ""), &keyring);
    keeper.login("nestjs");
    bench.control.revoke(What::All, None, None).unwrap();
    drop(keeper.refresh("nestjs"));
    let refused = PhaseView::NeedsLogin { why: Lost::Refused };
    keeper.until_phase("nestjs", refused);
    for _ in 0..2 {
        keeper.restart();
        keeper.until_phase("nestjs", refused);
        assert_eq!(keeper.session("nestjs").user.as_deref(), Some("alice"));
    }
    keeper.login("nestjs");
    keeper.restart();
    keeper.until_fresh("nestjs");
}

/// Row A11: what a provider said of lifetimes when somebody signed in is not an hour after a restart.
#[test]
fn a_learned_lifetime_is_known_after_a_restart() {
    let bench = Bench::strict(Duration::from_secs(30));
    let keyring = Keyring::start();
    let mut keeper = Keeper::with_keyring(&bench.profile(Dialect::Heartbeat, ""), &keyring);
    keeper.login("heartbeat");
    keeper.until_fresh("heartbeat");
    let before = keeper.session("heartbeat").access.unwrap();
    keeper.restart();
    keeper.until_fresh("heartbeat");
    let access = keeper.session("heartbeat").access.unwrap();
    assert_eq!(access.lifetime_ms, before.lifetime_ms);
    assert!(access.lifetime_ms <= 30_000 && access.source != Source::Assumed, "{access:?}");
}

/// G: a refresh is about the tokens that there are, whoever is at a sign-in meanwhile.
#[test]
fn a_refresh_is_answered_while_somebody_is_at_a_sign_in() {
    let bench = Bench::start(pilotlight_sandbox::Settings::default());
    let keeper = Keeper::start(&bench.oauth("work", "", ""));
    let refresh = || {
        let began = Instant::now();
        let answer = keeper.ask(Request::Refresh { profile: "work".to_owned(), by: Asker::Person });
        assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
        answer
    };
    drop(keeper.begin_sign_in("work", Way::Browser));
    let refused = refresh().unwrap_err();
    assert_eq!((refused.code, refused.details["why"].as_str()), (Code::SignInNeeded, "never"));
    assert!(matches!(keeper.ask(Request::CancelSignIn { profile: "work".to_owned() }), Ok(Reply::Done)));
    keeper.sign_in("work");
    drop(keeper.begin_sign_in("work", Way::Browser));
    assert_eq!(keeper.phase("work"), PhaseView::SigningIn);
    refresh().unwrap();
    assert_eq!(keeper.phase("work"), PhaseView::SigningIn, "and the sign-in goes on");
}
