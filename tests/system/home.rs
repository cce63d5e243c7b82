//! A home that is deleted under a running keeper.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use keeper::api::{Code, Phase, Reply, Request};
use keeper::client::Client;
use keeper::paths::Home;
use pilotlight_sandbox::Dialect;

use crate::harness::{Bench, Keeper, Keyring, until};

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
        assert_eq!(keeper.phase("nestjs"), Phase::Fresh);
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

/// B6: two owners of one refresh token, for no longer than it takes to see it.
#[test]
fn a_keeper_whose_home_another_one_took_ends() {
    let bench = Bench::strict(Duration::from_secs(60));
    let keyring = Keyring::start();
    let mut keeper = Keeper::with_keyring(&bench.profile(Dialect::NestJs, ""), &keyring);
    keeper.login("nestjs");
    let config = fs::read(keeper.home().config()).unwrap();
    // It does not see that until the other one is there.
    keeper.signal(rustix::process::Signal::STOP);
    delete(&keeper);
    fs::create_dir(keeper.home().root().unwrap()).unwrap();
    fs::set_permissions(keeper.home().root().unwrap(), fs::Permissions::from_mode(0o700)).unwrap();
    fs::write(keeper.home().config(), config).unwrap();
    let (mut second, line) = keeper.spawn_and_read();
    assert_eq!(line, "ready\n");
    keeper.signal(rustix::process::Signal::CONT);
    until("the first one ends", || keeper.has_ended().then_some(()));
    assert_eq!(pid(&keeper), second.id(), "the other one is still reached");
    keeper.until_fresh("nestjs");
    assert!(matches!(keeper.ask(Request::Stop { force: false }), Ok(Reply::Done)));
    assert!(until("the second one ends", || second.try_wait().unwrap()).success());
    assert_eq!(bench.counted(Dialect::NestJs).logins, 1);
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
