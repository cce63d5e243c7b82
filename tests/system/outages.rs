//! Providers that are in trouble, and callers who lose their patience.

use std::net::TcpListener;
use std::thread;
use std::time::{Duration, Instant};

use api::{Asker, Code, Note, PhaseView, Request, Trouble, Way};
use pilotlight_sandbox::{Dialect, Endpoint, Fault, LogEntry, What};
use serde_json::Value;

use crate::harness::{Bench, Keeper, Keyring, SECRET, at_once, fetch, fetched, given, meet, token, until};

/// Row D5: neither callers, nor a person's impatience, nor the schedule asks before the provider said to.
#[test]
fn a_provider_that_asks_for_time_gets_it() {
    let bench = Bench::strict(Duration::from_secs(60));
    let keeper = Keeper::start(&bench.profile(Dialect::NestJs, ""));
    keeper.login("nestjs");
    bench.fault(Fault::RateLimit, meet(Endpoint::Refresh).times(1).value(2.into()));
    bench.control.revoke(What::Access, Some(Dialect::NestJs), None).unwrap();
    let mut patient = keeper.wire();
    patient.send(fetch("nestjs", "/aaa"));
    until("the provider has asked for time", || {
        let limited = |phase| matches!(phase, PhaseView::Waiting { why: Trouble::RateLimited, .. });
        limited(keeper.phase("nestjs")).then_some(())
    });
    let began = Instant::now();
    while began.elapsed() < Duration::from_millis(1500) {
        let impatient = keeper.refresh("nestjs").unwrap_err();
        assert_eq!(impatient.code, Code::RateLimited);
        assert!(impatient.retry_in_ms.is_some_and(|wait| wait <= 2000));
        let mut hurried = keeper.wire();
        let answer = hurried.ask(Request::Token {
            profile: "nestjs".to_owned(),
            min_valid_ms: 0,
            best_effort: false,
            timeout_ms: Some(20),
        });
        let code = answer.unwrap_err().code;
        assert!(matches!(code, Code::RateLimited | Code::DeadlinePassed), "{code:?}");
    }
    assert_eq!(bench.counted(Dialect::NestJs).refreshes_received, 1);
    // Whoever has the patience is served.
    assert!(patient.text().contains("\"status\":200"));
    let refreshes = arrivals(&bench, Endpoint::Refresh);
    assert_eq!(refreshes.len(), 2);
    assert!(refreshes[1] - refreshes[0] >= 2000, "{refreshes:?}");
}

/// Rows B2, B4, D6: an outage with many callers costs a few requests, and each caller is told at once.
#[test]
fn a_storm_of_callers_in_an_outage_costs_few_requests() {
    let bench = Bench::strict(Duration::from_secs(4));
    let keeper = Keeper::start(&bench.profile(Dialect::NestJs, ""));
    keeper.login("nestjs");
    bench.fault(Fault::Status, meet(Endpoint::Refresh).on());
    bench.control.revoke(What::Access, Some(Dialect::NestJs), None).unwrap();
    // The first of them finds out that the token is not good any more.
    let mut first = keeper.wire();
    first.send(fetch("nestjs", "/aaa"));
    until("the token is known to be dead", || (keeper.noted("nestjs", "rejected") > 0).then_some(()));
    let began = Instant::now();
    let asked = at_once((0..8).collect(), |_: i32| {
        let mut wire = keeper.wire();
        let mut asked = 0;
        while began.elapsed() < Duration::from_millis(2500) {
            let request = Request::Token {
                profile: "nestjs".to_owned(),
                min_valid_ms: 0,
                best_effort: false,
                timeout_ms: Some(100),
            };
            let before = Instant::now();
            let failure = given(wire.ask(request)).unwrap_err();
            assert!(before.elapsed() < Duration::from_millis(600), "{:?}", before.elapsed());
            assert!(
                matches!(failure.code, Code::ServerError | Code::BreakerOpen | Code::DeadlinePassed),
                "{failure:?}"
            );
            asked += 1;
            thread::sleep(Duration::from_millis(5));
        }
        asked
    });
    let asked: u32 = asked.into_iter().sum();
    let sent = bench.counted(Dialect::NestJs).refreshes_received;
    assert!(asked > 100 && sent <= 7, "{sent} requests for {asked} callers");
    bench.control.clear_faults();
    until("the session recovers", || (keeper.refresh("nestjs").is_ok()).then_some(()));
    assert_eq!(keeper.fetch("nestjs", "/aaa").unwrap().status, 200);
}

/// Row D6: the breaker is for what the keeper does of its own accord. A person can always sign in.
#[test]
fn an_outage_of_the_refresh_does_not_lock_the_sign_in() {
    let bench = Bench::strict(Duration::from_secs(60));
    let keeper = Keeper::start(&bench.profile(Dialect::NestJs, ""));
    keeper.login("nestjs");
    bench.fault(Fault::Status, meet(Endpoint::Refresh).on());
    until("the breaker is open", || {
        drop(keeper.refresh("nestjs"));
        (keeper.entries(None).iter().any(|entry| crate::harness::kind(&entry.note) == "breaker_opened"))
            .then_some(())
    });
    keeper.login_as("nestjs", "bob", "builder").unwrap();
    assert_eq!(keeper.fetch("nestjs", "/aaa").unwrap().status, 200);
    assert_eq!(keeper.session("nestjs").user.as_deref(), Some("bob"));
}

/// Row B11.
#[test]
fn a_provider_that_hangs_holds_up_nobody_elses_tokens() {
    let good = Bench::strict(Duration::from_secs(60));
    let bad = Bench::strict(Duration::from_secs(60));
    let profiles = [
        good.profile_named("good", Dialect::NestJs, ""),
        good.profile_named("also", Dialect::SimpleJwt, ""),
        bad.profile_named("bad", Dialect::NestJs, "timeout = \"5s\""),
    ];
    let keeper = Keeper::start(&profiles.concat());
    ["good", "also", "bad"].into_iter().for_each(|profile| keeper.login(profile));
    bad.fault(Fault::Hang, meet(Endpoint::Refresh).on());
    bad.control.revoke(What::Access, None, None).unwrap();
    let mut hanging = keeper.wire();
    for n in 0..50 {
        hanging.send(fetch("bad", &format!("/aaa?n={n}")));
    }
    until("the refresh hangs", || (bad.counted(Dialect::NestJs).refreshes_received == 1).then_some(()));

    let mut wire = keeper.wire();
    let mut took = Vec::new();
    for n in 0..200 {
        let profile = if n % 2 == 0 { "good" } else { "also" };
        let began = Instant::now();
        given(wire.ask(token(profile, Duration::ZERO))).unwrap();
        took.push(began.elapsed());
    }
    took.sort();
    assert!(took[197] < Duration::from_millis(100), "p99 {:?}", took[197]);
    // A refresh of somebody else is not held up either.
    let began = Instant::now();
    keeper.refresh("good").unwrap();
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    assert!(matches!(keeper.phase("bad"), PhaseView::Refreshing { .. }));
}

/// Row B11: the other half of it. Somebody at a sign-in page may take minutes.
#[test]
fn b11_a_person_who_takes_their_time_holds_up_nobody() {
    let bench = Bench::strict(Duration::from_secs(60));
    let profiles =
        [bench.oauth("work", "", ""), bench.oauth("home", "", ""), bench.profile(Dialect::NestJs, "")];
    let keeper = Keeper::start(&profiles.concat());
    keeper.sign_in("work");
    keeper.login("nestjs");
    let waiting = ["work", "home"].map(|name| {
        keeper.begin_sign_in(name, Way::Browser);
        let mut wire = keeper.wire();
        wire.send(Request::FinishSignIn { profile: name.to_owned(), timeout_ms: None });
        wire
    });
    let began = Instant::now();
    for (name, path) in [("work", "/api/profile"), ("nestjs", "/aaa")] {
        for _ in 0..20 {
            assert_eq!(keeper.fetch(name, path).unwrap().status, 200, "{name}");
        }
        keeper.refresh(name).unwrap();
    }
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    assert!(
        ["work", "home"].iter().all(|name| keeper.session(name).pending.is_some()),
        "they are waited for"
    );
    drop(waiting);
}

/// Row B12: the caller is gone, the refresh goes on, and the rotated token is kept.
#[test]
fn callers_who_give_up_cancel_nothing() {
    let bench = Bench::strict(Duration::from_secs(60));
    let keyring = Keyring::start();
    let mut keeper = Keeper::with_keyring(&bench.profile(Dialect::NestJs, ""), &keyring);
    keeper.login("nestjs");
    bench.slow_refreshes(Duration::from_millis(400));
    for (wait, how) in [(0, "fetch"), (0, "refresh"), (100, "refresh"), (300, "refresh")] {
        let before = bench.counted(Dialect::NestJs).refreshes_granted;
        let mut wire = keeper.wire();
        if how == "fetch" {
            bench.control.revoke(What::Access, Some(Dialect::NestJs), None).unwrap();
            wire.send(fetch("nestjs", "/aaa"));
        } else {
            wire.send(Request::Refresh { profile: "nestjs".to_owned(), by: api::Asker::Person });
        }
        until("the refresh is on its way", || {
            (bench.counted(Dialect::NestJs).refreshes_received > before).then_some(())
        });
        thread::sleep(Duration::from_millis(wait));
        drop(wire);
        until("it was granted", || (bench.counted(Dialect::NestJs).refreshes_granted > before).then_some(()));
        keeper.until_fresh("nestjs");
    }
    assert!(keeper.session("nestjs").saved);
    bench.control.clear_faults();
    keeper.restart();
    keeper.until_fresh("nestjs");
    assert_eq!(keeper.fetch("nestjs", "/aaa").unwrap().status, 200);
}

/// Row F9: nobody waits longer than he said, whatever hangs.
#[test]
fn nobody_waits_longer_than_he_said() {
    let bench = Bench::strict(Duration::from_secs(60));
    let keeper = Keeper::start(&bench.profile(Dialect::NestJs, ""));
    keeper.login("nestjs");
    bench.fault(Fault::Hang, meet(Endpoint::Refresh).on());
    bench.control.revoke(What::Access, Some(Dialect::NestJs), None).unwrap();
    let hurried = api::Fetch {
        profile: "nestjs".to_owned(),
        path: "/aaa".to_owned(),
        timeout_ms: Some(300),
        ..api::Fetch::default()
    };
    let began = Instant::now();
    let failure = fetched(keeper.ask(Request::Fetch(hurried.clone()))).unwrap_err();
    assert_eq!(failure.code, Code::DeadlinePassed);
    assert!((280..1500).contains(&began.elapsed().as_millis()), "{:?}", began.elapsed());

    bench.control.clear_faults();
    bench.fault(Fault::Hang, meet(Endpoint::Resource).on());
    keeper.login("nestjs");
    let began = Instant::now();
    let failure = fetched(keeper.ask(Request::Fetch(hurried))).unwrap_err();
    assert!(matches!(failure.code, Code::TimedOut | Code::DeadlinePassed), "{failure:?}");
    assert!(began.elapsed() < Duration::from_millis(1500), "{:?}", began.elapsed());
}

/// Rows C4, C5: one prompt retry within the grace, and then patience.
#[test]
fn a_lost_answer_is_asked_for_again_promptly() {
    let bench = Bench::with_grace(Duration::from_secs(60), Duration::from_secs(10));
    let keeper = Keeper::start(&bench.profile(Dialect::NestJs, ""));
    keeper.login("nestjs");
    bench.fault(Fault::LostAnswer, meet(Endpoint::Refresh).times(1).on());
    bench.control.revoke(What::Access, Some(Dialect::NestJs), None).unwrap();
    let began = Instant::now();
    assert_eq!(keeper.fetch("nestjs", "/aaa").unwrap().status, 200);
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    assert_eq!(bench.counted(Dialect::NestJs).refreshes_received, 2);
}

/// Row D7: while the access token is good, an outage of the token endpoint is no caller's business.
#[test]
fn a_good_token_serves_through_an_outage_of_the_refresh() {
    let bench = Bench::strict(Duration::from_secs(4));
    let keeper = Keeper::start(&bench.profile(Dialect::NestJs, ""));
    keeper.login("nestjs");
    bench.fault(Fault::Status, meet(Endpoint::Refresh).value(Value::from(502)));
    until("the refresh has failed", || {
        matches!(keeper.phase("nestjs"), PhaseView::Waiting { .. }).then_some(())
    });
    let remaining = keeper.session("nestjs").access.unwrap().remaining_ms;
    assert!(remaining > 300, "the test came too late");
    for _ in 0..5 {
        let answer = keeper.fetch("nestjs", "/aaa").unwrap();
        assert_eq!((answer.status, answer.replayed), (200, false));
    }
}

fn arrivals(bench: &Bench, endpoint: Endpoint) -> Vec<u64> {
    let log: Vec<LogEntry> = bench.control.log(0);
    log.into_iter().filter(|entry| entry.endpoint == endpoint).map(|entry| entry.at_ms).collect()
}

/// Row D6: what fails is counted against whoever was asked. An issuer that is well goes on refreshing for everybody.
#[test]
fn an_api_that_is_down_does_not_lock_the_way_to_its_issuer() {
    let bench = Bench::strict(Duration::from_secs(60));
    let api = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let keeper = asking_an_api(&bench, &format!("http://{api}"));
    let host = until("a host is left alone", || left_alone(&keeper));
    assert_eq!(host, api.to_string());
    for name in ASKING {
        let request = Request::Refresh { profile: name.to_owned(), by: Asker::Machine };
        keeper.ask(request).unwrap();
    }
}

/// Row A3.
/// A machine without a network has no host to leave alone, and a person hears what there is to be mended.
#[test]
fn a_network_that_leads_nowhere_is_held_against_nobody() {
    let bench = Bench::strict(Duration::from_secs(60));
    // Nothing can be connected to what is everybody's address.
    let keeper = asking_an_api(&bench, "http://127.255.255.255:9");
    let unanswered = || -> Vec<Note> {
        let notes = keeper.entries(None).into_iter().map(|entry| entry.note);
        notes.filter(|note| matches!(note, Note::HeartbeatUnanswered { .. })).collect()
    };
    until("they have asked often enough", || (unanswered().len() > 6).then_some(()));
    let of_the_network = Note::HeartbeatUnanswered { trouble: Trouble::NoNetwork, status: None };
    assert!(unanswered().iter().all(|note| *note == of_the_network), "{:?}", unanswered());
    assert_eq!(left_alone(&keeper), None);
}

/// Sessions whose issuer is well and whose heartbeats go to an API somewhere else.
fn asking_an_api(bench: &Bench, api: &str) -> Keeper {
    let of_oauth = format!("client_secret = \"{SECRET}\"\nprobe = \"resource\"");
    let profiles = ASKING.map(|name| {
        let profile = bench.service(name, "heartbeat = \"1s\"\nresources = [\"/x\"]", &of_oauth);
        profile.replacen(&format!("url = \"{}\"", bench.issuer()), &format!("url = \"{api}\""), 1)
    });
    let keeper = Keeper::start(&profiles.concat());
    ASKING.into_iter().for_each(|name| keeper.login_as(name, "", "").unwrap());
    keeper
}

fn left_alone(keeper: &Keeper) -> Option<String> {
    keeper.entries(None).into_iter().find_map(|entry| {
        let Note::BreakerOpened { host, .. } = entry.note else { return None };
        Some(host)
    })
}

const ASKING: [&str; 3] = ["one", "two", "three"];
