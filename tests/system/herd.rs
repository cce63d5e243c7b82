//! Many at once on a token that is not good any more.

use std::time::Duration;

use api::Note;
use pilotlight_sandbox::{Dialect, Endpoint, Fault, What};

use crate::harness::{
    Bench, Keeper, Witness, at_once, fetch, fetched, given, meet, post, profile, token, until,
};

/// Row B1, and the order in which they go on (ARCHITECTURE.md, a fetch): one that may change something goes alone, and
/// reads overtake nothing but each other.
#[test]
fn fifty_requests_on_a_dead_token_cost_one_refresh_and_go_on_in_order_once_each() {
    let bench = Bench::strict(Duration::from_secs(60));
    let witness = Witness::before(bench.origin());
    let changes = |n: usize| n % 5 == 2;
    for round in 0..3 {
        let keeper = Keeper::start(&profile("nestjs", Dialect::NestJs, witness.origin(), ""));
        keeper.login("nestjs");
        let refreshing = witness.keep_answers("/nestjs/refresh");
        revoke_access(&bench, Dialect::NestJs);
        let before = bench.counted(Dialect::NestJs);
        witness.forget();

        let mut wire = keeper.wire();
        for n in 0..50 {
            wire.send(match changes(n) {
                true => post("nestjs", &format!("/notes?n={n}"), "{}".to_owned()),
                false => fetch("nestjs", &format!("/aaa?n={n}")),
            });
        }
        // Those that were refused are back as well.
        until("all of them wait", || (keeper.session("nestjs").requests.held == 50).then_some(()));
        let refused = numbered(&witness).len();
        drop(refreshing);
        for (n, answer) in wire.answers(50).into_iter().enumerate() {
            let fetched = fetched(answer).unwrap();
            let status = if changes(n) { 201 } else { 200 };
            assert_eq!((fetched.status, fetched.replayed), (status, true), "{n} {}", fetched.body);
        }
        let after = bench.counted(Dialect::NestJs);
        assert_eq!(after.refreshes_received - before.refreshes_received, 1);
        assert_eq!(after.unauthorized - before.unauthorized, refused as u64);
        assert_eq!(after.side_effects - before.side_effects, 10);
        let seen = numbered(&witness);
        let mut went_on = seen[refused..].to_vec();
        // They are on connections of their own, so which of two reads arrives first is not the keeper's to say.
        went_on.split_mut(|&n| changes(n)).for_each(<[usize]>::sort_unstable);
        assert_eq!(went_on, (0..50).collect::<Vec<_>>(), "round {round}: {seen:?}");
    }
}

/// Row B1, for callers that are processes of their own, and for whoever sends the token himself.
#[test]
fn fifty_connections_share_one_refresh() {
    let bench = Bench::strict(Duration::from_secs(60));
    let keeper = Keeper::start(&Dialect::JSON.map(|dialect| bench.profile(dialect, "")).concat());
    for (dialect, path) in RESOURCES {
        let name = dialect.name();
        keeper.login(name);
        bench.slow_refreshes(Duration::from_millis(150));
        revoke_access(&bench, dialect);
        let before = bench.counted(dialect).refreshes_received;
        let answers = at_once((0..50).collect(), |n| keeper.fetch(name, &format!("{path}?n={n}")));
        for answer in answers {
            assert_eq!(answer.unwrap().status, 200, "{name}");
        }
        assert_eq!(bench.counted(dialect).refreshes_received - before, 1, "{name}");
    }
}

/// Row B17.
#[test]
fn tokens_asked_for_during_a_refresh_wait_for_the_new_one() {
    let bench = Bench::strict(Duration::from_secs(60));
    let keeper = Keeper::start(&bench.profile(Dialect::NestJs, ""));
    keeper.login("nestjs");
    let old = given(keeper.ask(token("nestjs", Duration::ZERO))).unwrap().access_token;
    bench.slow_refreshes(Duration::from_millis(400));
    revoke_access(&bench, Dialect::NestJs);

    std::thread::scope(|scope| {
        let rejected = scope.spawn(|| keeper.fetch("nestjs", "/aaa"));
        until("a refresh is on its way", || {
            (bench.counted(Dialect::NestJs).refreshes_received == 1).then_some(())
        });
        let tokens = at_once((0..20).collect(), |_| given(keeper.ask(token("nestjs", Duration::ZERO))));
        let tokens: std::collections::BTreeSet<_> =
            tokens.into_iter().map(|token| token.unwrap().access_token).collect();
        assert!(tokens.len() == 1 && !tokens.contains(&old));
        assert_eq!(rejected.join().unwrap().unwrap().status, 200);
    });
    assert_eq!(bench.counted(Dialect::NestJs).refreshes_received, 1);
}

/// Row B3: the provider refuses, late, a token that has been replaced meanwhile.
#[test]
fn a_late_refusal_of_a_replaced_token_starts_no_refresh() {
    // Whatever the new token was got for: a refusal of the old one, or a person's wish.
    at_once(vec![true, false], |refused| {
        let bench = Bench::strict(Duration::from_secs(60));
        let keeper = Keeper::start(&bench.profile(Dialect::NestJs, ""));
        keeper.login("nestjs");
        // Twenty set out with the first token and are judged only after it has been replaced.
        bench.fault(Fault::Latency, meet(Endpoint::Resource).times(20).value(700.into()));
        let mut wire = keeper.wire();
        for n in 0..20 {
            wire.send(fetch("nestjs", &format!("/aaa?n={n}")));
        }
        until("they are on their way", || {
            (bench.counted(Dialect::NestJs).resource_requests == 20).then_some(())
        });
        revoke_access(&bench, Dialect::NestJs);
        if refused {
            assert_eq!(keeper.fetch("nestjs", "/bbb").unwrap().status, 200);
        } else {
            keeper.refresh("nestjs").unwrap();
        }
        assert_eq!(bench.counted(Dialect::NestJs).refreshes_received, 1);
        for _ in 0..20 {
            let answer = wire.text();
            assert!(answer.contains("\"status\":200") && answer.contains("\"replayed\":true"), "{answer}");
        }
        let counted = bench.counted(Dialect::NestJs);
        assert_eq!((counted.refreshes_received, counted.unauthorized), (1, 20 + u64::from(refused)));
    });
}

/// Order matters where something changes: each write goes alone, reads between them stay between them.
#[test]
fn writes_on_a_dead_token_happen_once_each_and_in_order() {
    let bench = Bench::strict(Duration::from_secs(60));
    let keeper = Keeper::start(&bench.profile(Dialect::Heartbeat, ""));
    keeper.login("heartbeat");
    bench.slow_refreshes(Duration::from_millis(150));
    revoke_access(&bench, Dialect::Heartbeat);
    let asked = (1..=30).map(|n| post("heartbeat", "/api/notes", format!("{{\"n\":{n}}}"))).collect();
    for (n, answer) in (1..).zip(keeper.wire().ask_all(asked)) {
        let fetched = fetched(answer).unwrap();
        let note: serde_json::Value = serde_json::from_str(&fetched.body).unwrap();
        assert_eq!((fetched.status, &note["id"], &note["note"]["n"]), (201, &n.into(), &n.into()));
    }
    let counted = bench.counted(Dialect::Heartbeat);
    assert_eq!((counted.side_effects, counted.refreshes_received), (30, 1));
}

/// Row B1.
/// A thousand requests on a dead token cost one refresh.
#[test]
fn a_thousand_requests_on_a_dead_token_cost_one_refresh() {
    let bench = Bench::strict(Duration::from_secs(60));
    let keeper = Keeper::start(&bench.profile(Dialect::NestJs, ""));
    keeper.login("nestjs");
    bench.slow_refreshes(Duration::from_millis(100));
    revoke_access(&bench, Dialect::NestJs);
    let asked = (0..1000).map(|n| fetch("nestjs", &format!("/aaa?n={n}"))).collect();
    let good = keeper
        .wire()
        .ask_all(asked)
        .into_iter()
        .filter(|answer| matches!(answer, Ok(api::Reply::Fetched(fetched)) if fetched.status == 200));
    assert_eq!(good.count(), 1000);
    assert_eq!(bench.counted(Dialect::NestJs).refreshes_received, 1);
    let replayed = |note: &Note| matches!(note, Note::Replayed { .. });
    assert!(keeper.notes("nestjs").iter().any(replayed));
}

/// Row B2: when the refresh fails, everyone who waits for it is told, and told why.
#[test]
fn the_end_of_a_session_reaches_all_who_wait() {
    let bench = Bench::strict(Duration::from_secs(60));
    let keeper = Keeper::start(&bench.profile(Dialect::NestJs, ""));
    keeper.login("nestjs");
    bench.slow_refreshes(Duration::from_millis(200));
    bench.control.revoke(What::All, Some(Dialect::NestJs), None).unwrap();
    let asked = (0..50).map(|n| fetch("nestjs", &format!("/aaa?n={n}"))).collect();
    for answer in keeper.wire().ask_all(asked) {
        let failure = fetched(answer).unwrap_err();
        assert_eq!(failure.code, api::Code::SignInNeeded);
        assert_eq!(failure.details["why"], "refused");
    }
    assert_eq!(bench.counted(Dialect::NestJs).refreshes_received, 1);
}

/// The numbers of the requests, in the order in which they came.
fn numbered(witness: &Witness) -> Vec<usize> {
    let seen = witness.seen_in_all();
    seen.iter().filter_map(|target| target.split_once("?n=")?.1.parse().ok()).collect()
}

fn revoke_access(bench: &Bench, dialect: Dialect) {
    bench.control.revoke(What::Access, Some(dialect), None).unwrap();
}

const RESOURCES: [(Dialect, &str); 4] = [
    (Dialect::Flask, "/protected"),
    (Dialect::Heartbeat, "/api/profile"),
    (Dialect::NestJs, "/aaa"),
    (Dialect::SimpleJwt, "/api/protected/"),
];
