//! What may be sent twice, and what must not.

use std::collections::BTreeMap;
use std::time::Duration;

use api::{Code, Fetch, Request};
use pilotlight_sandbox::{Dialect, Endpoint, Fault, What};

use crate::harness::{Bench, Keeper, fetched, meet, post};

/// Row F2.
#[test]
fn a_post_that_was_refused_for_its_token_has_its_effect_once() {
    let bench = Bench::strict(Duration::from_secs(60));
    let keeper = Keeper::start(&Dialect::JSON.map(|dialect| bench.profile(dialect, "")).concat());
    for (dialect, path) in NOTES {
        keeper.login(dialect.name());
        bench.control.revoke(What::Access, Some(dialect), None).unwrap();
        let before = bench.counted(dialect);
        let answer =
            fetched(keeper.ask(post(dialect.name(), path, r#"{"text":"once"}"#.to_owned()))).unwrap();
        assert_eq!((answer.status, answer.replayed), (201, true), "{dialect:?}");
        let after = bench.counted(dialect);
        assert_eq!((after.side_effects, after.refreshes_received - before.refreshes_received), (1, 1));
        assert_eq!(after.resource_requests - before.resource_requests, 2);
    }
}

/// Row F2: its answer was lost, and nobody knows whether it had its effect.
#[test]
fn a_post_whose_answer_was_lost_is_not_sent_again() {
    let bench = Bench::strict(Duration::from_secs(60));
    let keeper = Keeper::start(&bench.profile(Dialect::NestJs, ""));
    keeper.login("nestjs");
    for (fault, code) in [
        (Fault::LostAnswer, Code::Unanswered),
        (Fault::Truncated, Code::AnswerCutShort),
        (Fault::Reset, Code::Unanswered),
    ] {
        let before = bench.counted(Dialect::NestJs).resource_requests;
        bench.fault(fault, meet(Endpoint::Resource).times(1).on());
        let failure = fetched(keeper.ask(post("nestjs", "/notes", "{}".to_owned()))).unwrap_err();
        assert_eq!(failure.code, code, "{fault:?}");
        assert_eq!(bench.counted(Dialect::NestJs).resource_requests, before + 1, "{fault:?}");
    }
    assert_eq!(bench.counted(Dialect::NestJs).side_effects, 2);
}

/// Row F1.
#[test]
fn a_body_of_a_megabyte_is_sent_again_whole() {
    let bench = Bench::strict(Duration::from_secs(60));
    let keeper = Keeper::start(&bench.profile(Dialect::NestJs, ""));
    keeper.login("nestjs");
    bench.control.revoke(What::Access, Some(Dialect::NestJs), None).unwrap();
    let frame = r#"{"text":""}"#;
    let text: String = ('a'..='z').cycle().take((1 << 20) - frame.len()).collect();
    let body = format!(r#"{{"text":"{text}"}}"#);
    let answer = fetched(keeper.ask(post("nestjs", "/notes", body))).unwrap();
    assert_eq!((answer.status, answer.replayed), (201, true));
    let note: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
    assert!(note["note"]["text"] == text.as_str(), "another body came");
    assert_eq!(bench.counted(Dialect::NestJs).side_effects, 1);
}

/// Row F1: the caller's own headers go with it, but the token is the keeper's, and so is the connection.
#[test]
fn what_the_keeper_itself_must_say_no_caller_can_say_for_it() {
    let bench = Bench::strict(Duration::from_secs(60));
    let keeper = Keeper::start(&bench.profile(Dialect::NestJs, ""));
    keeper.login("nestjs");
    for (name, value) in [
        ("Authorization", "of the caller"),
        ("Content-Length", "3"),
        ("Transfer-Encoding", "chunked"),
        ("Connection", "close, authorization"),
        ("Host", "somebody.else.test"),
        ("Idempotency-Key", "7"),
    ] {
        let fetch = Fetch {
            profile: "nestjs".to_owned(),
            path: "/notes".to_owned(),
            method: Some("POST".to_owned()),
            headers: BTreeMap::from([(name.to_owned(), value.to_owned())]),
            body: Some(format!(r#"{{"with":"{name}"}}"#)),
            ..Fetch::default()
        };
        let answer = fetched(keeper.ask(Request::Fetch(fetch)))
            .unwrap_or_else(|failure| panic!("{name}: {failure:?}"));
        assert_eq!((answer.status, answer.replayed), (201, false), "{name}: {answer:?}");
        let note: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
        assert_eq!(note["note"]["with"], name);
    }
    assert_eq!(bench.counted(Dialect::NestJs).refreshes_received, 0);
}

/// Row F3.
#[test]
fn a_resource_that_always_refuses_is_asked_twice_and_no_more() {
    let bench = Bench::strict(Duration::from_secs(60));
    let keeper = Keeper::start(&Dialect::JSON.map(|dialect| bench.profile(dialect, "")).concat());
    for (dialect, path) in RESOURCES {
        let name = dialect.name();
        keeper.login(name);
        let before = bench.counted(dialect);
        bench.fault(Fault::Refuse, meet(Endpoint::Resource).of(dialect).on());
        let answer = keeper.fetch(name, path).unwrap();
        assert_eq!(answer.status, 401, "{name}");
        let after = bench.counted(dialect);
        assert_eq!(after.resource_requests - before.resource_requests, 2, "{name}");
        assert_eq!(after.refreshes_received - before.refreshes_received, 1, "{name}");

        // Whoever asks again at once learns the same, and the provider is not bothered for it.
        for _ in 0..10 {
            assert_eq!(keeper.fetch(name, path).unwrap().status, 401, "{name}");
        }
        let again = bench.counted(dialect);
        assert!(again.refreshes_received - after.refreshes_received <= 1, "{name}");
        bench.control.clear_faults();
        assert_eq!(keeper.fetch(name, path).unwrap().status, 200, "{name}");
    }
}

/// Row F3, when each answer takes longer than the product waits between refreshes.
#[test]
fn a_slow_resource_that_always_refuses_is_asked_twice_too() {
    let bench = Bench::strict(Duration::from_secs(2));
    let keeper = Keeper::start(&bench.profile(Dialect::Heartbeat, ""));
    keeper.login("heartbeat");
    bench.fault(Fault::Refuse, meet(Endpoint::Resource).on());
    bench.fault(Fault::Latency, meet(Endpoint::Resource).value(400.into()));
    assert_eq!(keeper.fetch("heartbeat", "/api/profile").unwrap().status, 401);
    assert_eq!(bench.counted(Dialect::Heartbeat).resource_requests, 2);
}

/// Row B5: what refreshes a token is no request with a token, and its 401 sets off nothing that waits for itself.
#[test]
fn b5_a_refresh_that_is_refused_with_401_sets_off_no_other() {
    let bench = Bench::strict(Duration::from_secs(60));
    let keeper = Keeper::start(&Dialect::JSON.map(|dialect| bench.profile(dialect, "")).concat());
    for (dialect, path) in RESOURCES {
        keeper.login(dialect.name());
        bench.control.revoke(What::Access, Some(dialect), None).unwrap();
        bench.fault(Fault::BareStatus, meet(Endpoint::Refresh).of(dialect).times(1).value(401.into()));
        let before = bench.counted(dialect);
        let answer = keeper.fetch(dialect.name(), path).unwrap();
        assert_eq!((answer.status, answer.replayed), (200, true), "{dialect:?}");
        let after = bench.counted(dialect);
        assert_eq!(after.max_refreshes_in_flight, 1, "{dialect:?}");
        assert_eq!(
            after.refreshes_received - before.refreshes_received,
            2,
            "{dialect:?}: one, and after a pause one more"
        );
        assert_eq!(after.resource_requests - before.resource_requests, 2, "{dialect:?}");
        let log = bench.control.log(0).into_iter();
        let mut refreshes =
            log.filter(|entry| (entry.endpoint, entry.dialect) == (Endpoint::Refresh, dialect)).rev();
        let (last, first) = (refreshes.next().unwrap(), refreshes.next().unwrap());
        assert!(last.at_ms - first.at_ms >= 400, "{dialect:?}: {first:?} {last:?}");
    }
}

/// Row D12: a refusal that no refresh mends is nobody's fault but the request's.
#[test]
fn statuses_that_are_not_about_the_token_are_the_callers() {
    let bench = Bench::strict(Duration::from_secs(60));
    let keeper = Keeper::start(&bench.profile(Dialect::NestJs, ""));
    keeper.login("nestjs");
    for status in [400, 403, 404, 409, 418, 422, 429, 500, 503] {
        bench.fault(Fault::Status, meet(Endpoint::Resource).times(1).value(status.into()));
        let answer = keeper.fetch("nestjs", "/aaa").unwrap();
        assert_eq!((answer.status, answer.replayed), (status, false));
    }
    let counted = bench.counted(Dialect::NestJs);
    assert_eq!((counted.refreshes_received, counted.resource_requests), (0, 9));
}

#[test]
fn a_token_never_follows_a_redirect_or_a_path_to_somebody_else() {
    let bench = Bench::strict(Duration::from_secs(60));
    let stranger = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    stranger.set_nonblocking(true).unwrap();
    let keeper = Keeper::start(&bench.profile(Dialect::NestJs, ""));
    keeper.login("nestjs");
    let elsewhere = format!("http://{}/aaa", stranger.local_addr().unwrap());
    for path in [elsewhere.as_str(), "//example.test/aaa", "aaa", "file:///etc/passwd"] {
        match keeper.fetch("nestjs", path) {
            Err(failure) => assert_eq!(failure.code, Code::BadPath, "{path}"),
            // A path that begins with two slashes is still a path of the provider.
            Ok(answer) => assert_eq!(answer.status, 404, "{path}"),
        }
    }
    assert!(stranger.accept().is_err(), "somebody else was asked");
}

const NOTES: [(Dialect, &str); 4] = [
    (Dialect::Flask, "/notes"),
    (Dialect::Heartbeat, "/api/notes"),
    (Dialect::NestJs, "/notes"),
    (Dialect::SimpleJwt, "/api/notes/"),
];

const RESOURCES: [(Dialect, &str); 4] = [
    (Dialect::Flask, "/protected"),
    (Dialect::Heartbeat, "/api/profile"),
    (Dialect::NestJs, "/aaa"),
    (Dialect::SimpleJwt, "/api/protected/"),
];
