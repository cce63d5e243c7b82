//! A disk that is full, read-only or broken, and things in a home that are no files. Sessions go on.
//!
//! The means is the limit of a process for its files: every write fails, also for root, and it can be lifted again.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use api::{Code, Draft, Failure, Request};
use pilotlight_sandbox::Dialect;
use rustix::fs::{CWD, FileType, Mode, mknodat};
use rustix::process::{Pid, Resource, Rlimit, prlimit};

use crate::harness::{Bench, Keeper, Keyring, PROGRAM, until};

/// Row H2.
#[test]
fn a_disk_that_takes_nothing_costs_no_session_and_no_entry() {
    let bench = Bench::strict(Duration::from_secs(60));
    let keyring = Keyring::start();
    let mut keeper = Keeper::with_keyring(&bench.profile(Dialect::NestJs, ""), &keyring);
    keeper.login("nestjs");
    fill_the_disk(&keeper, true);
    for _ in 0..3 {
        keeper.refresh("nestjs").unwrap();
        assert_eq!(keeper.fetch("nestjs", "/aaa").unwrap().status, 200);
    }
    assert_eq!(keeper.noted("nestjs", "refreshed"), 3, "what waits in memory is read as if it were written");
    let told = until("it is said", || problem(&keeper));
    assert_eq!(told.code, Code::JournalFailed);
    assert!(told.details["path"].ends_with("journal.db"), "{told:?}");

    fill_the_disk(&keeper, false);
    until("it is not said any more", || problem(&keeper).is_none().then_some(()));
    keeper.restart();
    keeper.until_fresh("nestjs");
    assert_eq!(keeper.noted("nestjs", "refreshed"), 3 + 1, "the three of before, and one after the start");
    assert_eq!(keeper.noted("nestjs", "interrupted"), 0);
    assert_eq!(bench.counted(Dialect::NestJs).logins, 1);
}

#[test]
fn a_keeper_starts_on_a_disk_that_takes_nothing() {
    let bench = Bench::strict(Duration::from_secs(60));
    let mut keeper = Keeper::idle(&format!("vault = \"memory\"\n\n{}", bench.profile(Dialect::NestJs, "")));
    let mut shell = Command::new("sh");
    shell.args(["-c", "ulimit -f 0; exec \"$0\" \"$@\"", PROGRAM]);
    keeper.spawn_for_a_person(&mut keeper.command_of(shell, "run"));
    keeper.login("nestjs");
    assert_eq!(keeper.fetch("nestjs", "/aaa").unwrap().status, 200);
    assert_eq!(problem(&keeper).map(|problem| problem.code), Some(Code::JournalFailed));
    assert_eq!(keeper.noted("nestjs", "signed_in"), 1);
    keeper.stop();
}

/// Row C8.
#[test]
fn a_configuration_that_cannot_be_written_stays_as_it_was() {
    let keeper = Keeper::start("# Mine.\n");
    let path = keeper.home().config();
    let before = fs::read(&path).unwrap();
    fill_the_disk(&keeper, true);
    let refused = keeper.ask(add("work")).unwrap_err();
    assert_eq!(refused.code, Code::ConfigUnwritable);
    assert!(refused.details["said"].contains("File too large"), "{refused:?}");
    assert!(fs::read(&path).unwrap() == before);
    let drafts = fs::read_dir(path.parent().unwrap()).unwrap().flatten();
    assert_eq!(drafts.filter(|entry| entry.file_name().to_string_lossy().ends_with(".new")).count(), 0);
    assert!(keeper.overview().sessions.is_empty());

    fill_the_disk(&keeper, false);
    keeper.ask(add("work")).unwrap();
    assert!(fs::read_to_string(&path).unwrap().contains("# Mine."));
}

/// Nobody reads what a daemon's standard error is, and its log is its own.
#[test]
fn a_daemon_writes_its_own_log_for_this_user_alone() {
    let mut keeper = Keeper::idle("vault = \"memory\"\n");
    keeper.spawn_for_a_person(keeper.command().stdout(Stdio::null()).stderr(Stdio::null()));
    let log = until("it says something", || fs::metadata(keeper.home().log()).ok());
    assert_eq!(log.permissions().mode() & 0o777, 0o600);
    until("what it says is there", || keeper.log().contains("KeeperStarted").then_some(()));
}

/// Row H6.
/// None of them holds up the start. What nobody can do without is told; the rest is told by the keeper.
#[test]
fn what_is_no_file_in_a_home_is_told() {
    for make in [fifo, device, directory] {
        for name in ["journal.db", "keeper.log", "config.toml"] {
            let mut keeper = Keeper::idle("vault = \"memory\"\n");
            let path = keeper.home().root().unwrap().join(name);
            drop(fs::remove_file(&path));
            make(&path).unwrap();
            let began = Instant::now();
            keeper.spawn_for_a_person(keeper.command().stdout(Stdio::null()));
            assert!(began.elapsed() < Duration::from_secs(5), "{name}");
            let problems: Vec<_> = keeper.overview().problems.iter().map(|problem| problem.code).collect();
            let expected: &[Code] = match name {
                "journal.db" => &[],
                "keeper.log" => &[Code::NotAFile],
                _ => &[Code::ConfigUnreadable],
            };
            assert_eq!(problems, expected, "{name}");
            if name == "journal.db" {
                let moved = path.with_extension("db.corrupt-1");
                assert!(moved.symlink_metadata().is_ok() && path.is_file());
            }
        }
        let keeper = Keeper::idle("vault = \"memory\"\n");
        make(&keeper.home().lock()).unwrap();
        let (mut child, line) = keeper.spawn_and_read();
        child.wait().unwrap();
        assert!(line.contains("not_a_file") && line.contains("keeper.lock"), "{line}");
    }
}

fn problem(keeper: &Keeper) -> Option<Failure> {
    keeper.overview().problems.into_iter().next()
}

fn fill_the_disk(keeper: &Keeper, full: bool) {
    let limit = Rlimit { current: full.then_some(0), maximum: None };
    prlimit(Pid::from_raw(i32::try_from(keeper.pid()).unwrap()), Resource::Fsize, limit).unwrap();
}

fn add(profile: &str) -> Request {
    Request::Add(Box::new(Draft {
        profile: profile.to_owned(),
        preset: "nestjs".to_owned(),
        url: "https://api.example".to_owned(),
        ..Draft::default()
    }))
}

fn fifo(path: &Path) -> io::Result<()> {
    Ok(mknodat(CWD, path, FileType::Fifo, Mode::from_raw_mode(0o600), 0)?)
}

fn device(path: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink("/dev/zero", path)
}

fn directory(path: &Path) -> io::Result<()> {
    fs::create_dir(path)
}
