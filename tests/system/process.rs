//! One keeper for a home: started, stopped, started again.

use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use api::paths::Home;
use api::{Code, Lost, PhaseView, Reply, Request, VaultKind};
use client::Client;
use pilotlight_sandbox::{Dialect, Fault, Switch};
use rustix::process::Signal;

use crate::harness::{Bench, Keeper, Keyring, at_once, fetch, fetched, until, within};

/// Rows A14, C7: the rotated token of the last refresh is the one that is found again.
#[test]
fn a_session_in_a_keyring_comes_back_without_a_sign_in() {
    let bench = Bench::strict(Duration::from_secs(60));
    let keyring = Keyring::start();
    let profiles = Dialect::JSON.map(|dialect| bench.profile(dialect, "")).concat();
    let mut keeper = Keeper::with_keyring(&profiles, &keyring);
    Dialect::JSON.into_iter().for_each(|dialect| keeper.login(dialect.name()));
    for round in 1..=4 {
        Dialect::JSON.into_iter().for_each(|dialect| keeper.refresh(dialect.name()).unwrap());
        keeper.restart();
        for dialect in Dialect::JSON {
            keeper.until_fresh(dialect.name());
            assert_eq!(keeper.session(dialect.name()).user.as_deref(), Some("alice"));
            assert_eq!(keeper.noted(dialect.name(), "restored"), round, "{dialect:?}");
        }
    }
    assert_eq!(keeper.overview().vault.kind, VaultKind::Keyring);
    assert!(keeper.overview().sessions.iter().all(|session| session.saved));
    for dialect in Dialect::JSON {
        assert_eq!(bench.counted(dialect).logins, 1);
        assert_eq!(keeper.noted(dialect.name(), "interrupted"), 0, "it was stopped in good order");
    }
}

/// Row E7.
#[test]
fn a_session_in_memory_ends_with_the_process_and_says_so() {
    let bench = Bench::strict(Duration::from_secs(60));
    let mut keeper = Keeper::start(&bench.profile(Dialect::NestJs, ""));
    keeper.login("nestjs");
    assert_eq!(keeper.overview().vault.kind, VaultKind::Memory);
    keeper.restart();
    keeper.until_phase("nestjs", PhaseView::NeedsLogin { why: Lost::Never });
    assert_eq!(keeper.fetch("nestjs", "/aaa").unwrap_err().code, Code::SignInNeeded);
    keeper.login("nestjs");
    assert_eq!(keeper.fetch("nestjs", "/aaa").unwrap().status, 200);
}

/// Row B6: five are started in the same moment; one is the keeper, and the others say that it is ready.
#[test]
fn five_keepers_started_at_once_are_one() {
    let bench = Bench::strict(Duration::from_secs(1));
    let keyring = Keyring::start();
    let config = format!("vault = \"keyring\"\n\n{}", bench.profile(Dialect::NestJs, ""));
    let mut keeper = Keeper::with_keyring(&config.replace("vault = \"keyring\"\n", ""), &keyring);
    keeper.login("nestjs");
    keeper.stop();

    let started = at_once((0..5).collect(), |_: i32| keeper.spawn_and_read());
    let mut children = Vec::new();
    for (child, line) in started {
        assert_eq!(line, "ready\n", "{}", keeper.log());
        children.push(child);
    }
    // Meanwhile whoever asks, asks the same one.
    let mut pids = std::collections::BTreeSet::new();
    for n in 0..20 {
        assert_eq!(keeper.fetch("nestjs", &format!("/aaa?n={n}")).unwrap().status, 200);
        let hello = Request::Hello { version: "0".to_owned() };
        let Ok(Reply::Hello { pid, .. }) = keeper.ask(hello) else { panic!("no hello") };
        pids.insert(pid);
        thread::sleep(Duration::from_millis(100));
    }
    until("only one is left", || {
        children.retain_mut(|child| child.try_wait().unwrap().is_none());
        (children.len() <= 1).then_some(())
    });
    let alive = children;
    let alive_pids: Vec<u32> = alive.iter().map(std::process::Child::id).collect();
    assert!(matches!(keeper.ask(Request::Stop { force: false }), Ok(Reply::Done)));
    for mut child in alive {
        until("it ends", || child.try_wait().unwrap());
    }
    assert_eq!(alive_pids, pids.into_iter().collect::<Vec<_>>());
    assert_eq!(bench.counted(Dialect::NestJs).max_refreshes_in_flight, 1);
}

/// Row B6, the way the faces go: nobody starts a keeper, everybody wants one.
#[test]
fn faces_that_want_a_keeper_at_once_get_the_same() {
    let bench = Bench::strict(Duration::from_secs(60));
    let keeper = Keeper::idle(&format!("vault = \"memory\"\n\n{}", bench.profile(Dialect::NestJs, "")));
    let pids = at_once((0..5).collect(), |_: i32| {
        let me = std::env::current_exe().unwrap();
        let output = Command::new(me)
            .args(["--exact", "process::a_face_in_a_process_of_its_own", "--nocapture"])
            .env("PILOTLIGHT_KEEPER", env!("CARGO_BIN_EXE_pilotlight-keeper"))
            .env("PILOTLIGHT_HOME", keeper.home().root().unwrap())
            .env("PILOTLIGHT_TEST_FACE", "1")
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let pid = text.lines().find_map(|line| line.split("the keeper is ").nth(1)).map(str::to_owned);
        pid.unwrap_or_else(|| panic!("{text}\n{}", String::from_utf8_lossy(&output.stderr)))
    });
    drop(keeper.ask(Request::Stop { force: false }));
    assert!(pids.iter().all(|pid| *pid == pids[0]), "{pids:?}");
    until("the keeper has ended", || Client::running(&keeper.home()).unwrap().is_none().then_some(()));
}

/// Not a test by itself: what [`faces_that_want_a_keeper_at_once_get_the_same`] starts.
#[test]
fn a_face_in_a_process_of_its_own() {
    if std::env::var_os("PILOTLIGHT_TEST_FACE").is_none() {
        return;
    }
    let mut client = Client::connect(&Home::from_env().unwrap()).unwrap();
    let Ok(Reply::Hello { pid, .. }) = client.ask(Request::Hello { version: "0".to_owned() }) else {
        panic!("no hello")
    };
    println!("the keeper is {pid}");
}

/// Row B13.
#[test]
fn a_keeper_that_is_stopped_finishes_the_refresh_that_is_on_its_way() {
    let bench = Bench::strict(Duration::from_secs(60));
    let keyring = Keyring::start();
    let mut keeper = Keeper::with_keyring(&bench.profile(Dialect::NestJs, ""), &keyring);
    keeper.login("nestjs");
    bench.slow_refreshes(Duration::from_millis(800));
    let mut wire = keeper.wire();
    wire.send(Request::Refresh { profile: "nestjs".to_owned(), by: api::Asker::Person });
    until("the refresh is on its way", || {
        (bench.counted(Dialect::NestJs).refreshes_received == 1).then_some(())
    });
    keeper.stop();
    assert_eq!(bench.counted(Dialect::NestJs).refreshes_granted, 1);
    bench.control.clear_faults();
    keeper.spawn();
    keeper.until_fresh("nestjs");
    assert_eq!(keeper.fetch("nestjs", "/aaa").unwrap().status, 200);
    assert_eq!(keeper.noted("nestjs", "interrupted"), 0);
}

/// Rows B13, C3: what would cost a session is not cut off because somebody asked to stop; but a provider that hangs does not
/// keep a person from logging out of the desktop, and then it is known that something was cut off.
#[test]
fn a_keeper_that_is_stopped_in_mid_exchange_stays_and_one_that_must_end_does() {
    let bench = Bench::strict(Duration::from_secs(60));
    let mut keeper = Keeper::start(&bench.profile(Dialect::NestJs, "timeout = \"120s\""));
    keeper.login("nestjs");
    bench.fault(Fault::Hang, Switch::default());
    let mut wire = keeper.wire();
    wire.send(Request::Refresh { profile: "nestjs".to_owned(), by: api::Asker::Person });
    until("the refresh is on its way", || {
        (bench.counted(Dialect::NestJs).refreshes_received == 1).then_some(())
    });
    let refused = keeper.ask(Request::Stop { force: false }).unwrap_err();
    assert_eq!((refused.code, refused.details["profiles"].as_str()), (Code::StillBusy, "nestjs"));
    assert!(matches!(keeper.phase("nestjs"), PhaseView::Refreshing { .. }), "it goes on");
    keeper.signal(Signal::TERM);
    let began = Instant::now();
    let status = within(Duration::from_secs(40), "the keeper ends", || keeper.ended());
    assert_eq!(status.code(), Some(5));
    assert!(began.elapsed() < Duration::from_secs(25), "{:?}", began.elapsed());
    keeper.spawn();
    assert_eq!(keeper.noted("nestjs", "ended_in_flight"), 1);
}

/// Whoever still waits when the keeper ends is told so, and nothing new is begun.
#[test]
fn callers_of_a_keeper_that_stops_get_an_answer() {
    let bench = Bench::strict(Duration::from_secs(60));
    let mut keeper = Keeper::start(&bench.profile(Dialect::NestJs, ""));
    keeper.login("nestjs");
    bench.slow_refreshes(Duration::from_millis(600));
    let mut waiting = keeper.wire();
    waiting.send(Request::Refresh { profile: "nestjs".to_owned(), by: api::Asker::Person });
    until("the refresh is on its way", || {
        (bench.counted(Dialect::NestJs).refreshes_received == 1).then_some(())
    });
    let mut late = keeper.wire();
    let mut stopping = keeper.wire();
    stopping.send(Request::Stop { force: false });
    until("the keeper is stopping", || {
        let answer = fetched(late.ask(fetch("nestjs", "/aaa")));
        answer.err().filter(|failure| failure.code == Code::KeeperStopping)
    });
    let end = stopping.text();
    assert!(end.contains("\"done\""), "{end:?}");
    assert!(waiting.text().contains("\"ok\""), "the refresh was granted, and its caller not told");
    until("the keeper has ended", || keeper.has_ended().then_some(()));
}

#[test]
fn a_terminated_keeper_ends_in_good_order() {
    let bench = Bench::strict(Duration::from_secs(60));
    let mut keeper = Keeper::start(&bench.profile(Dialect::NestJs, ""));
    keeper.login("nestjs");
    keeper.signal(rustix::process::Signal::TERM);
    until("the keeper has ended", || keeper.has_ended().then_some(()));
    keeper.spawn();
    let kinds: Vec<_> = keeper.entries(None).iter().map(|entry| crate::harness::kind(&entry.note)).collect();
    assert!(kinds.iter().any(|kind| kind == "keeper_stopped"), "{kinds:?}");
}

/// Row B9: the lock goes with its holder, and a socket file that was left behind is in nobody's way.
#[test]
fn a_killed_keeper_leaves_nothing_that_stops_the_next_one() {
    let bench = Bench::strict(Duration::from_secs(60));
    let mut keeper = Keeper::start(&bench.profile(Dialect::NestJs, ""));
    keeper.kill();
    assert!(keeper.home().socket().exists(), "the test means a socket that was left behind");
    let began = Instant::now();
    keeper.spawn();
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    keeper.login("nestjs");
}

/// The journal is readable after any end, and goes on in the next life.
#[test]
fn the_journal_survives_a_kill() {
    let bench = Bench::strict(Duration::from_secs(60));
    let mut keeper = Keeper::start(&bench.profile(Dialect::NestJs, ""));
    keeper.login("nestjs");
    keeper.kill();
    keeper.spawn();
    assert_eq!(keeper.noted("nestjs", "signed_in"), 1);
    let ids: Vec<i64> = keeper.entries(None).iter().map(|entry| entry.id).collect();
    assert!(ids.windows(2).all(|pair| pair[0] > pair[1]), "{ids:?}");
}

/// Row T7: no core dump gets at the tokens.
#[test]
fn a_keeper_leaves_no_core() {
    let keeper = Keeper::start("");
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", keeper.pid())).unwrap();
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    let words: Vec<_> = core.split_whitespace().collect();
    assert_eq!(words[4..6], ["0", "0"], "{core}");
}
