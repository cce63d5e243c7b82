//! Against servers that nobody here wrote: the same life in front of each of them.
//!
//! The longest test of all stands first in the order of names, so that the others fill its pauses.
//!
//! What each of them is like stands in its fixture. None is left out where it is not installed: the test fails and
//! says what to run.

use std::collections::BTreeSet;
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use api::{Code, Lost, Note, PhaseView, Reply, Request};

use crate::harness::{Keeper, Keyring, Server, fetch, fetched, given, token, turn, until};

/// A server and what is peculiar about it.
struct Kind {
    name: &'static str,
    env: &'static [(&'static str, &'static str)],
    /// The lines of the profile after its `url`.
    profile: &'static str,
    path: &'static str,
    rotates: bool,
    /// Its words for a wrong password.
    wrong: &'static str,
    /// It can be told that a session is over.
    signs_out: bool,
}

/// All at once: each of them spends its time waiting for tokens to expire.
#[test]
fn the_same_life_in_front_of_every_server() {
    let _turn = turn();
    thread::scope(|scope| {
        for kind in KINDS {
            let name = format!("{} {:?}", kind.name, kind.env);
            thread::Builder::new().name(name).spawn_scoped(scope, || live(kind)).unwrap();
        }
    });
}

/// A 401 that no new token mends: it is the caller's, and costs the provider one request.
#[test]
fn flask_jwt_extended_asks_for_a_fresh_login_and_nothing_is_refreshed() {
    let server = Server::start("flask", &[("AT_TTL", "60")]);
    let keeper = Keeper::start(&profile(&server, "preset = \"flask\""));
    keeper.login(NAME);
    let before = (server.counted("protected"), server.counted("refreshes"));
    let answer = keeper.fetch(NAME, "/fresh").unwrap();
    assert_eq!((answer.status, answer.replayed), (401, false), "{answer:?}");
    assert_eq!((server.counted("protected"), server.counted("refreshes")), (before.0 + 1, before.1));
    assert_eq!(keeper.phase(NAME), PhaseView::Fresh);
}

/// Row D5, with Django's own throttle.
#[test]
fn simplejwt_that_throttles_is_left_alone_for_as_long_as_it_asks() {
    let server = Server::start("simplejwt", &[("AT_TTL", "60"), ("THROTTLE", "2/min")]);
    let keeper = Keeper::start(&profile(&server, "preset = \"simplejwt\""));
    keeper.login(NAME);
    keeper.refresh(NAME).unwrap();
    for _ in 0..5 {
        let failure = keeper.refresh(NAME).unwrap_err();
        assert_eq!(failure.code, Code::RateLimited);
        assert!(failure.retry_in_ms.is_some_and(|wait| wait > 30_000), "{failure:?}");
    }
    assert_eq!(server.counted("refreshes"), 2);
    assert_eq!(keeper.fetch(NAME, "/api/protected/").unwrap().status, 200);
}

fn live(kind: &Kind) {
    let server = Server::start(kind.name, &[kind.env, &[("REFRESH_DELAY", "0.2")]].concat());
    let keyring = Keyring::start();
    // Refreshed only when it is over by our clock; the server's seconds end a little earlier.
    let lines = format!("{}\n", kind.profile.replacen('\n', "\nrefresh_before = \"0s\"\n", 1));
    let lines = if kind.profile.contains('\n') { lines } else { format!("{lines}refresh_before = \"0s\"\n") };
    let mut keeper = Keeper::with_keyring(&profile(&server, &lines), &keyring);

    let failure = keeper.login_as(NAME, "alice", "guess").unwrap_err();
    assert_eq!(
        (failure.code, failure.details.get("message")),
        (Code::SignInRefused, Some(&kind.wrong.to_owned()))
    );
    keeper.login(NAME);
    let seconds: u64 = kind.env[0].1.parse().unwrap();
    // In whole seconds; simplejwt counts the end from the moment of the refresh token and the beginning from that of
    // the access token, and a new second may have begun between the two.
    let lifetime = keeper.session(NAME).access.unwrap().lifetime_ms;
    assert!([seconds * 1000, (seconds - 1) * 1000].contains(&lifetime), "{lifetime} of {seconds} s");

    live_through_expiries(kind, &server, &keeper);
    meet_on_a_dead_token(kind, &server, &keeper);
    come_back_from_the_keyring(kind, &server, &mut keeper);
    notice_a_revocation(kind, &server, &keeper);
    sign_out(kind, &server, &mut keeper);
}

fn live_through_expiries(kind: &Kind, server: &Server, keeper: &Keeper) {
    let refreshed = server.counted("refreshed");
    let mut wires = [keeper.wire(), keeper.wire()];
    let mut n = 0;
    // However busy the machine is: fewer requests would say little.
    while server.counted("refreshed") < refreshed + 5 || n <= 100 {
        for wire in &mut wires {
            n += 1;
            wire.send(fetch(NAME, &format!("{}?n=life{n}", kind.path)));
        }
        for wire in &mut wires {
            let answer = wire.text();
            assert!(answer.contains("\"status\":200"), "{}: {answer}", kind.name);
        }
        thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(server.counted("max_refreshes_in_flight"), 1);
    assert_eq!(server.counted("refreshed"), server.counted("refreshes"), "a refresh was refused");
    let rotated = keeper.notes(NAME).iter().any(|note| matches!(note, Note::Refreshed { rotated: true, .. }));
    assert_eq!(rotated, kind.rotates);
}

/// B1
fn meet_on_a_dead_token(kind: &Kind, server: &Server, keeper: &Keeper) {
    // Issued near the end of a second, it is over for the server most of a second before it is over for us.
    wait_for_millis_of_the_second(850);
    keeper.refresh(NAME).unwrap();
    let given = given(keeper.ask(token(NAME, Duration::ZERO))).unwrap();
    let generation = keeper.session(NAME).access.unwrap().generation;
    // From here on, because the keeper may have begun the one refresh by itself when the token is over.
    let refreshes = server.counted("refreshes");
    until("the token is over for the server", || {
        let authorization = format!("{} {}", given.scheme, given.access_token);
        (server.status_of(kind.path, authorization.trim_start()) != 200).then_some(())
    });
    let unauthorized = server.counted("unauthorized");
    let asked = (0..50).map(|n| fetch(NAME, &format!("{}?n={n}", kind.path))).collect();
    for answer in keeper.wire().ask_all(asked) {
        let answer = fetched(answer).unwrap();
        assert_eq!((answer.status, answer.replayed, answer.generation), (200, true, generation + 1));
    }
    assert_eq!(server.counted("refreshes"), refreshes + 1, "{}", kind.name);
    // Each was sent at most twice, the second time with success.
    let sent: Vec<_> = server.log().into_iter().filter(|(n, _)| n.parse::<u32>().is_ok()).collect();
    let good: Vec<_> =
        sent.iter().filter(|(_, status)| *status == Some(200)).map(|(n, _)| n.clone()).collect();
    assert_eq!(good.len(), 50, "{sent:?}");
    assert_eq!(sent.len() as u64 - 50, server.counted("unauthorized") - unauthorized);
    // Reads are sent in order on several connections, and one of these may be quicker than another.
    let each: BTreeSet<String> = (0..50).map(|n| n.to_string()).collect();
    assert_eq!(good.into_iter().collect::<BTreeSet<_>>(), each);
}

fn come_back_from_the_keyring(kind: &Kind, server: &Server, keeper: &mut Keeper) {
    let logins = server.counted("logins");
    keeper.restart();
    assert_eq!(keeper.fetch(NAME, kind.path).unwrap().status, 200);
    keeper.kill();
    keeper.spawn();
    assert_eq!(keeper.fetch(NAME, kind.path).unwrap().status, 200);
    assert_eq!(server.counted("logins"), logins);
    assert_eq!(keeper.session(NAME).user.as_deref(), Some("alice"));
}

/// D11
fn notice_a_revocation(kind: &Kind, server: &Server, keeper: &Keeper) {
    server.revoke();
    let failure = keeper.fetch(NAME, kind.path).unwrap_err();
    assert_eq!(
        (failure.code, failure.details["why"].as_str()),
        (Code::SignInNeeded, "refused"),
        "{}",
        kind.name
    );
    assert_eq!(keeper.phase(NAME), PhaseView::NeedsLogin { why: Lost::Refused });
    let refreshes = server.counted("refreshes");
    for _ in 0..20 {
        assert_eq!(keeper.fetch(NAME, kind.path).unwrap_err().code, Code::SignInNeeded);
    }
    assert_eq!(server.counted("refreshes"), refreshes);
    server.restore();
    keeper.login(NAME);
    assert_eq!(keeper.fetch(NAME, kind.path).unwrap().status, 200);
}

fn sign_out(kind: &Kind, server: &Server, keeper: &mut Keeper) {
    assert!(matches!(
        keeper.ask(Request::Logout { profile: NAME.to_owned(), browser: false }),
        Ok(Reply::Done)
    ));
    assert_eq!(keeper.phase(NAME), PhaseView::NeedsLogin { why: Lost::SignedOut });
    if kind.signs_out {
        until("the server has been told", || {
            let told = |note: &Note| matches!(note, Note::Revocation { trouble: None, .. });
            keeper.notes(NAME).iter().any(told).then_some(())
        });
    }
    keeper.restart();
    keeper.until_phase(NAME, PhaseView::NeedsLogin { why: Lost::SignedOut });

    let refreshes = server.counted("refreshes");
    assert_eq!(keeper.fetch(NAME, kind.path).unwrap_err().code, Code::SignInNeeded);
    assert_eq!(server.counted("refreshes"), refreshes);
}

fn profile(server: &Server, lines: &str) -> String {
    format!("[profile.{NAME}]\nurl = \"{}\"\n{lines}\n", server.origin())
}

fn wait_for_millis_of_the_second(wanted: u32) {
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(2) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().subsec_millis();
        if (wanted..wanted + 40).contains(&now) {
            return;
        }
        thread::sleep(Duration::from_millis(5));
    }
}

const KINDS: &[Kind] = &[
    Kind {
        name: "simplejwt",
        env: &[("AT_TTL", "2"), ("ROTATE", "1"), ("BLACKLIST", "1")],
        profile: "preset = \"simplejwt\"",
        path: "/api/protected/",
        rotates: true,
        wrong: "No active account found with the given credentials",
        signs_out: true,
    },
    Kind {
        name: "simplejwt",
        env: &[("AT_TTL", "2"), ("ROTATE", "0")],
        profile: "preset = \"simplejwt\"",
        path: "/api/protected/",
        rotates: false,
        wrong: "No active account found with the given credentials",
        signs_out: true,
    },
    Kind {
        name: "nestjs",
        env: &[("AT_TTL", "2"), ("ROTATE", "once")],
        profile: "preset = \"nestjs\"",
        path: "/aaa",
        rotates: true,
        wrong: "密码错误",
        signs_out: false,
    },
    Kind {
        name: "flask",
        env: &[("AT_TTL", "2")],
        profile: "preset = \"flask\"",
        path: "/protected",
        rotates: false,
        wrong: "bad credentials",
        signs_out: true,
    },
    Kind {
        name: "flask",
        env: &[("AT_TTL", "2"), ("ROTATE", "1")],
        profile: "preset = \"flask\"",
        path: "/protected",
        rotates: true,
        wrong: "bad credentials",
        signs_out: true,
    },
    // No preset: what anybody would write for it after reading its documentation.
    Kind {
        name: "appbuilder",
        // Slow enough that fifty answers at once can outlast a token of two seconds.
        env: &[("AT_TTL", "3")],
        profile: APPBUILDER,
        path: "/api/v1/menu/",
        rotates: false,
        wrong: "Not authorized",
        signs_out: false,
    },
];

const NAME: &str = "real";

const APPBUILDER: &str = r#"heartbeat = "5m"
resources = ["/api/v1/menu/"]

[profile.real.recipe]
rejects = [{ status = [401, 422], body = { at = "/msg", is = "string" } }]

[profile.real.recipe.login]
path = "/api/v1/security/login"
send = { username = "/username", password = "/password" }
body = { provider = "db", refresh = true }
take = { access_token = "/access_token", refresh_token = "/refresh_token" }

[profile.real.recipe.refresh]
path = "/api/v1/security/refresh"
send = { refresh_token = { header = "Authorization", scheme = "Bearer" } }
take = { access_token = "/access_token" }
refused = [{ status = [401, 422], body = { at = "/msg", is = "string" } }]
"#;
