//! A home that is deleted under a running keeper.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use api::paths::Home;
use api::{Code, Lost, PhaseView, Reply, Request};
use client::Client;
use pilotlight_sandbox::Dialect;

use crate::harness::{Bench, Keeper, Keyring, sealed, until};

/// Row H1.
/// Everything of it: the lock, the socket, the journal and the configuration.
#[test]
fn a_home_that_is_deleted_is_made_again_and_nothing_is_lost() {
    let bench = Bench::strict(Duration::from_secs(60));
    let mut keeper = Keeper::idle(&format!("vault = \"memory\"\n\n{}", bench.profile(Dialect::NestJs, "")));
    keeper.spawn();
    keeper.login("nestjs");
    let mut old = keeper.wire();
    for _ in 0..2 {
        delete(&keeper);
        until("it answers again", || Client::running(&keeper.home()).ok().flatten().map(|_| ()));
        assert_eq!(pid(&keeper), keeper.pid());
        assert_eq!(keeper.phase("nestjs"), PhaseView::Fresh);
        assert_eq!(keeper.fetch("nestjs", "/aaa").unwrap().status, 200);
        keeper.refresh("nestjs").unwrap();
        assert!(matches!(old.ask(Request::Status { profile: None }), Ok(Reply::Status(_))));
        until("all is as it should be", || keeper.overview().problems.is_empty().then_some(()));
        assert_eq!(fs::metadata(keeper.home().root().unwrap()).unwrap().permissions().mode() & 0o777, 0o700);
    }
    assert_eq!(bench.counted(Dialect::NestJs).logins, 1);
    let (mut second, line) = keeper.spawn_and_read();
    assert_eq!(line, "ready\n");
    assert!(second.wait().unwrap().success(), "there is one already");
    assert_eq!(pid(&keeper), keeper.pid());
    keeper.restart();
    assert!(keeper.overview().sessions.iter().any(|session| session.profile == "nestjs"));
}

/// Rows B6, E17: a home that is put back in the middle of an exchange, by hand, has the keeper that it had.
#[test]
fn a_home_that_is_replaced_in_mid_exchange_keeps_its_keeper() {
    let bench = Bench::strict(Duration::from_secs(60));
    let keyring = Keyring::start();
    let keeper = Keeper::with_keyring(&bench.profile(Dialect::NestJs, ""), &keyring);
    keeper.login("nestjs");
    assert!(keeper.session("nestjs").saved);
    bench.slow_refreshes(Duration::from_secs(3));
    let mut wire = keeper.wire();
    wire.send(Request::Refresh { profile: "nestjs".to_owned(), by: api::Asker::Person });
    until("it is on its way", || (bench.counted(Dialect::NestJs).refreshes_received == 1).then_some(()));
    let config = fs::read(keeper.home().config()).unwrap();
    delete(&keeper);
    drop(fs::create_dir(keeper.home().root().unwrap()));
    fs::set_permissions(keeper.home().root().unwrap(), fs::Permissions::from_mode(0o700)).unwrap();
    fs::write(keeper.home().config(), config).unwrap();
    keeper.run(&["status"]).went_well();
    assert_eq!(pid(&keeper), keeper.pid());
    drop(wire.text());
    keeper.refresh("nestjs").unwrap();
    until("it is saved again", || sealed(&keeper, "nestjs", &keyring));
    let counted = bench.counted(Dialect::NestJs);
    assert_eq!((counted.logins, counted.reuse_detected, counted.refreshes_refused), (1, 0, 0));
}

/// Rows B6, B8: a keeper that stands still while its home goes is waited for, and what has the lock then is not fought
/// with.
#[test]
fn a_keeper_whose_home_another_one_took_ends() {
    let bench = Bench::strict(Duration::from_secs(60));
    let keyring = Keyring::start();
    let mut keeper = Keeper::with_keyring(&bench.profile(Dialect::NestJs, ""), &keyring);
    keeper.login("nestjs");
    assert!(keeper.session("nestjs").saved);
    let config = fs::read(keeper.home().config()).unwrap();
    keeper.signal(rustix::process::Signal::STOP);
    delete(&keeper);
    fs::create_dir(keeper.home().root().unwrap()).unwrap();
    fs::set_permissions(keeper.home().root().unwrap(), fs::Permissions::from_mode(0o700)).unwrap();
    fs::write(keeper.home().config(), config).unwrap();
    let (mut second, line) = keeper.spawn_and_read();
    assert!(line.contains("keeper_unreachable"), "{line}");
    assert!(!second.wait().unwrap().success());

    let lock = keeper::door::lock::acquire(&keeper.home().lock()).unwrap();
    keeper.signal(rustix::process::Signal::CONT);
    until("it ends", || keeper.has_ended().then_some(()));
    drop(lock);
    keeper.spawn();
    // What was stored went with the home.
    keeper.until_phase("nestjs", PhaseView::NeedsLogin { why: Lost::Never });
    let counted = bench.counted(Dialect::NestJs);
    assert_eq!((counted.logins, counted.reuse_detected), (1, 0));
}

#[test]
fn a_socket_that_is_deleted_is_bound_again() {
    let bench = Bench::strict(Duration::from_secs(60));
    let mut keeper = Keeper::idle(&format!("vault = \"memory\"\n\n{}", bench.profile(Dialect::NestJs, "")));
    keeper.spawn();
    keeper.login("nestjs");
    fs::remove_file(keeper.home().socket()).unwrap();
    until("it answers again", || Client::running(&keeper.home()).ok().flatten().map(|_| ()));
    assert_eq!(keeper.fetch("nestjs", "/aaa").unwrap().status, 200);
    assert_eq!(pid(&keeper), keeper.pid());
}

/// A profile is removed by taking it out of the file, or by deleting the file, but not by deleting the home.
#[test]
fn a_configuration_that_is_deleted_by_itself_is_empty() {
    let bench = Bench::strict(Duration::from_secs(60));
    let mut keeper = Keeper::idle(&format!("vault = \"memory\"\n\n{}", bench.profile(Dialect::NestJs, "")));
    keeper.spawn();
    keeper.login("nestjs");
    fs::remove_file(keeper.home().config()).unwrap();
    let gone = until("it is noticed", || keeper.fetch("nestjs", "/aaa").err());
    assert_eq!(gone.code, Code::UnknownProfile);
}

fn delete(keeper: &Keeper) {
    let home: Home = keeper.home();
    // The keeper may begin to make it again before the last of it is gone.
    until("it is gone", || fs::remove_dir_all(home.root().unwrap()).ok());
}

fn pid(keeper: &Keeper) -> u32 {
    match keeper.ask(Request::Hello { version: "0".to_owned() }) {
        Ok(Reply::Hello { pid, .. }) => pid,
        other => panic!("{other:?}"),
    }
}
