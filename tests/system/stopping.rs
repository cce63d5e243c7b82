//! The end of a keeper whose newest refresh token is only in memory: somebody has signed in while the keyring was locked.

use std::process::ExitStatus;
use std::time::Duration;

use api::{Code, Line, PhaseView, Request, VaultTrouble, Way};
use pilotlight_sandbox::{Dialect, Endpoint, Fault, What};
use rustix::process::Signal;

use crate::harness::{Bench, Browser, Keeper, Keyring, Person, fetch, meet, post, sign_in, until, within};

/// Row C1.
#[test]
fn a_keeper_that_would_lose_a_session_stays_until_the_keyring_is_unlocked() {
    let bench = Bench::strict(LIFETIME);
    let keyring = Keyring::start();
    let mut keeper = with_the_newest_token_in_memory_only(&bench, &keyring);
    let stop = keeper.begin(&["stop"]);
    until("the keeper is stopping", || {
        let asked = keeper.ask(Request::Status { profile: None });
        asked.err().filter(|failure| failure.code == Code::KeeperStopping)
    });
    let token = keeper.begin(&["token", "nestjs"]);
    let stopped = stop.end_within(LONG);
    assert_eq!((stopped.code, &*stopped.out), (Some(5), ""), "{stopped:?}");
    assert!(stopped.err.starts_with("Waiting for the keyring…\n"), "{}", stopped.err);
    assert!(stopped.err.contains("the newest sign-in of nestjs is only in memory"), "{}", stopped.err);
    // Who came meanwhile is served after all.
    let token = token.end().went_well();
    assert!(!token.out.is_empty() && token.err.starts_with("Waiting for the keeper"), "{}", token.err);
    assert!(!keeper.has_ended());

    keyring.unlock();
    let stopped = keeper.run(&["stop"]).went_well();
    assert!(stopped.err.ends_with("The keeper has stopped.\n"), "{}", stopped.err);
    assert!(end_of(&mut keeper).success());
    keeper.spawn();
    keeper.until_fresh("nestjs");
    keeper.refresh("nestjs").unwrap();
    let counted = bench.counted(Dialect::NestJs);
    assert_eq!((counted.logins, counted.refreshes_refused), (1, 0));
}

#[test]
fn a_keeper_that_is_forced_to_stop_does_and_says_what_that_cost() {
    let bench = Bench::strict(LIFETIME);
    let keyring = Keyring::start();
    let mut keeper = with_the_newest_token_in_memory_only(&bench, &keyring);
    assert_eq!(keeper.run(&["stop", "--force"]).code, Some(0));
    ended_unsaved(&mut keeper, &keyring);
}

/// The end of a desktop session does not ask, and does not wait for ever.
#[test]
fn a_keeper_that_is_terminated_waits_for_the_keyring_and_then_says_what_it_lost() {
    let bench = Bench::strict(LIFETIME);
    let keyring = Keyring::start();
    let mut keeper = with_the_newest_token_in_memory_only(&bench, &keyring);
    keeper.signal(Signal::TERM);
    ended_unsaved(&mut keeper, &keyring);
}

/// What was written while nobody followed the file is followed afterwards.
#[test]
fn an_edit_while_a_keeper_tries_to_stop_is_taken_when_it_stays() {
    let bench = Bench::strict(LIFETIME);
    let keyring = Keyring::start();
    let keeper = with_the_newest_token_in_memory_only(&bench, &keyring);
    let stop = keeper.begin(&["stop"]);
    until("the keeper is stopping", || {
        let asked = keeper.ask(Request::Status { profile: None });
        asked.err().filter(|failure| failure.code == Code::KeeperStopping)
    });
    keeper
        .write_config(&[bench.profile(Dialect::NestJs, ""), bench.profile(Dialect::SimpleJwt, "")].concat());
    assert_eq!(stop.end_within(LONG).code, Some(5));
    until("the edit is taken", || (keeper.overview().sessions.len() == 2).then_some(()));
}

/// An end that does not come sends nobody away from a sign-in page, and one that comes does not wait there.
#[test]
fn a_person_at_a_page_is_sent_away_only_by_an_end_that_comes() {
    let bench = Bench::strict(LIFETIME);
    let keyring = Keyring::start();
    let profiles = [bench.profile(Dialect::NestJs, ""), bench.oauth("web", "", "")].concat();
    let mut keeper = with_the_newest_token_of(&profiles, &keyring);
    let (_, url) = keeper.begin_sign_in("web", Way::Browser);
    assert_eq!(keeper.begin(&["stop"]).end_within(LONG).code, Some(5));
    assert_eq!(keeper.phase("web"), PhaseView::SigningIn);
    Browser::new().follow(&url.unwrap(), Person::ALICE);
    keeper.finish_sign_in("web").unwrap();

    keyring.unlock();
    keeper.begin_sign_in("web", Way::Browser);
    keeper.run(&["stop"]).went_well();
    assert!(end_of(&mut keeper).success());
}

/// What an end is waited for is counted in the time that the process was awake.
#[test]
fn a_freeze_takes_no_time_from_an_end() {
    let bench = Bench::strict(LIFETIME);
    let keyring = Keyring::start();
    let mut keeper = with_the_newest_token_in_memory_only(&bench, &keyring);
    keeper.signal(Signal::TERM);
    until("the keeper is stopping", || {
        let asked = keeper.ask(Request::Status { profile: None });
        asked.err().filter(|failure| failure.code == Code::KeeperStopping)
    });
    keeper.signal(Signal::STOP);
    // Longer than an end is waited for.
    std::thread::sleep(Duration::from_secs(22));
    keyring.unlock();
    keeper.signal(Signal::CONT);
    assert!(end_of(&mut keeper).success());
    keeper.spawn();
    keeper.until_fresh("nestjs");
    assert_eq!(keeper.noted("nestjs", "ended_unsaved"), 0);
}

/// A password has been sent, and the tokens that come for it are nowhere else.
#[test]
fn a_sign_in_on_its_way_keeps_the_keeper() {
    let bench = Bench::strict(LIFETIME);
    let keeper = Keeper::start(&bench.profile(Dialect::NestJs, "timeout = '60s'"));
    bench.fault(Fault::Latency, meet(Endpoint::Login).times(1).value(23_000.into()));
    let mut wire = keeper.wire();
    wire.send(sign_in("nestjs", "alice", "wonderland"));
    until("it is on its way", || {
        bench
            .control
            .faults()
            .iter()
            .any(|fault| fault.name == Fault::Latency && fault.met == 1)
            .then_some(())
    });
    let stopped = keeper.begin(&["stop"]).end_within(LONG);
    assert_eq!(stopped.code, Some(4), "{stopped:?}");
    assert!(stopped.err.contains("a refresh or a sign-in of nestjs is still on its way"), "{}", stopped.err);
    assert!(matches!(wire.receive(), Line::Answer { .. }));
    keeper.until_fresh("nestjs");
}

/// Row F2: what has been sent may have been done. Only what has not been is there for the next keeper.
#[test]
fn a_keeper_that_ends_sends_on_what_was_held_and_not_what_was_sent() {
    let (silent, ill) = (Bench::strict(LIFETIME), Bench::strict(LIFETIME));
    let profiles = [silent.profile(Dialect::NestJs, ""), ill.profile(Dialect::SimpleJwt, "")].concat();
    let keeper = Keeper::start(&profiles);
    keeper.login("nestjs");
    keeper.login("simplejwt");
    silent.fault(Fault::Hang, meet(Endpoint::Resource).on());
    let mut sent = keeper.wire();
    sent.send(post("nestjs", "/notes", "{}".to_owned()));
    until("it is sent", || (keeper.session("nestjs").requests.in_flight == 1).then_some(()));
    ill.fault(Fault::Status, meet(Endpoint::Refresh).on());
    ill.control.revoke(What::Access, None, None).unwrap();
    let mut held = keeper.wire();
    held.send(fetch("simplejwt", "/api/protected/"));
    until("it is held", || (keeper.session("simplejwt").requests.held == 1).then_some(()));
    assert_eq!(keeper.run(&["stop", "--force"]).code, Some(0));
    let Line::Refusal { error, .. } = held.receive() else { panic!("it was answered") };
    assert_eq!(error.code, Code::KeeperStopping);
    let said = sent.text();
    assert!(!said.contains("keeper_stopping"), "it may be sent twice: {said}");
}

fn with_the_newest_token_in_memory_only(bench: &Bench, keyring: &Keyring) -> Keeper {
    with_the_newest_token_of(&bench.profile(Dialect::NestJs, ""), keyring)
}

fn with_the_newest_token_of(profiles: &str, keyring: &Keyring) -> Keeper {
    keyring.lock();
    let keeper = Keeper::with_keyring(profiles, keyring);
    keeper.login("nestjs");
    keeper.refresh("nestjs").unwrap();
    until("the keyring is seen to be locked", || {
        (keeper.overview().vault.trouble == Some(VaultTrouble::Locked)).then_some(())
    });
    assert!(!keeper.session("nestjs").saved);
    keeper
}

fn ended_unsaved(keeper: &mut Keeper, keyring: &Keyring) {
    assert_eq!(end_of(keeper).code(), Some(5));
    keyring.unlock();
    keeper.spawn();
    assert_eq!(keeper.noted("nestjs", "ended_unsaved"), 1);
}

fn end_of(keeper: &mut Keeper) -> ExitStatus {
    within(LONG, "the keeper ends", || keeper.ended())
}

const LIFETIME: Duration = Duration::from_secs(300);

/// Longer than a keeper waits for a keyring before it ends or stays.
const LONG: Duration = Duration::from_secs(40);

/// Row C4: killed after many rotations while the keyring is locked, and started while it still is.
#[test]
fn a_kill_while_the_keyring_is_locked_costs_nothing() {
    let bench = Bench::strict(Duration::from_secs(60));
    let keyring = Keyring::start();
    let mut keeper = Keeper::with_keyring(&bench.profile(Dialect::NestJs, ""), &keyring);
    keeper.login("nestjs");
    assert!(keeper.session("nestjs").saved);
    keyring.lock();
    for _ in 0..4 {
        keeper.refresh("nestjs").unwrap();
    }
    keeper.kill();
    keeper.spawn();
    let told = keeper.run(&["token", "nestjs"]);
    assert_eq!(told.code, Some(5), "{told:?}");
    assert!(told.err.contains("The keyring is locked."), "{}", told.err);
    keyring.unlock();
    keeper.until_fresh("nestjs");
    keeper.refresh("nestjs").unwrap();
    let counted = bench.counted(Dialect::NestJs);
    assert_eq!((counted.logins, counted.reuse_detected, counted.refreshes_refused), (1, 0, 0));
}
