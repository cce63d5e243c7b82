//! A disk that fails: reading, writing or syncing a file of the home ends with an I/O error (EIO). Sessions go on, it is
//! said for as long as it is so, and nothing is missing afterwards.
//!
//! The means is a small library in C with which the keeper is started.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use api::{Code, Draft, Failure, Lost, PhaseView, Request};
use pilotlight_sandbox::Dialect;
use rusqlite::Connection;

use crate::harness::{Bench, Keeper, Keyring, Scratch, library, until};

/// Row H13.
#[test]
fn a_journal_whose_disk_fails_costs_no_session_and_no_entry() {
    let (bench, disk) = (Bench::strict(LIFETIME), Disk::new());
    let mut keeper = disk.keeper(&bench);
    keeper.spawn();
    keeper.login("nestjs");
    let mut refreshed = 0;
    for acts in [&["read"], &["write"], &["sync"], ACTS.as_slice()] {
        acts.iter().for_each(|act| disk.fails(act, "journal.db"));
        if acts == ["read"] {
            // Of what somebody else has written to, nothing that was read before is used any more.
            let other = Connection::open(keeper.home().journal()).unwrap();
            other.execute_batch("UPDATE entries SET at_ms = at_ms + 1").unwrap();
        }
        for _ in 0..3 {
            keeper.refresh("nestjs").unwrap();
            assert_eq!(keeper.fetch("nestjs", "/aaa").unwrap().status, 200, "{acts:?}");
        }
        refreshed += 3;
        until("the disk has failed", || disk.has_failed(acts[0]).then_some(()));
        // Only the mark of an exchange is synced, and an exchange goes on without it.
        if acts != ["sync"] {
            let told = until("it is said", || problem(&keeper));
            assert_eq!(told.code, Code::JournalFailed, "{acts:?}");
            until("it is said what it is", || {
                let problem = problem(&keeper)?.details.remove("said")?;
                (problem == "disk I/O error").then_some(())
            });
            assert!(
                keeper.noted("nestjs", "refreshed") >= 3,
                "{acts:?}: what waits is read as if it were written"
            );
        }
        disk.is_well();
        until("it is not said any more", || problem(&keeper).is_none().then_some(()));
        assert_eq!(keeper.noted("nestjs", "refreshed"), refreshed, "{acts:?}");
    }
    keeper.restart();
    assert_eq!(keeper.noted("nestjs", "refreshed"), refreshed);
    assert!(!names(&keeper).iter().any(|name| name.contains("corrupt")), "it was not damaged");
}

#[test]
fn a_keeper_that_starts_while_the_disk_fails_has_everything_back_afterwards() {
    let (bench, disk) = (Bench::strict(LIFETIME), Disk::new());
    let keyring = Keyring::start();
    let mut keeper = Keeper::with_keyring(&bench.profile(Dialect::NestJs, ""), &keyring);
    disk.carries(&mut keeper);
    keeper.login("nestjs");
    assert!(keeper.session("nestjs").saved);
    keeper.stop();
    disk.fails("read", "journal.db");
    keeper.spawn();
    keeper.until_fresh("nestjs");
    assert_eq!(keeper.fetch("nestjs", "/aaa").unwrap().status, 200);
    let told = until("it is said", || problem(&keeper));
    assert_eq!((told.code, told.details["said"].as_str()), (Code::JournalFailed, "disk I/O error"));
    disk.is_well();
    until("it is not said any more", || problem(&keeper).is_none().then_some(()));
    assert_eq!(keeper.noted("nestjs", "signed_in"), 1, "what was there before");
    assert_eq!(keeper.noted("nestjs", "refreshed"), 1, "what waited");

    keeper.stop();
    disk.fails("read", "config.toml");
    keeper.spawn();
    let told = until("it is said", || problem(&keeper));
    assert_eq!((told.code, told.details["said"].as_str()), (Code::ConfigUnreadable, EIO));
    let refused = keeper.fetch("nestjs", "/aaa").unwrap_err();
    assert_eq!(refused.code, Code::ConfigUnreadable, "nobody can say whether there is such a profile");
    disk.is_well();
    keeper.until_fresh("nestjs");
    assert_eq!(keeper.fetch("nestjs", "/aaa").unwrap().status, 200);
    assert_eq!(problem(&keeper), None);
    assert_eq!(bench.counted(Dialect::NestJs).logins, 1);
    assert!(!names(&keeper).iter().any(|name| name.contains("corrupt")), "it was not damaged");
}

/// Row H13.
#[test]
fn a_configuration_whose_disk_fails_stays_as_it_was() {
    let (bench, disk) = (Bench::strict(LIFETIME), Disk::new());
    let mut keeper = disk.keeper(&bench);
    keeper.spawn();
    keeper.login("nestjs");
    let path = keeper.home().config();
    let before = fs::read_to_string(&path).unwrap();
    for (act, code) in
        ACTS.into_iter().zip([Code::ConfigUnreadable, Code::ConfigUnwritable, Code::ConfigUnwritable])
    {
        disk.fails(act, "config.toml");
        let refused = keeper.ask(add(act)).unwrap_err();
        assert_eq!((refused.code, refused.details["said"].as_str()), (code, EIO), "{act}");
        assert!(disk.has_failed(act));
        assert_eq!(fs::read_to_string(&path).unwrap(), before, "{act}");
        let names = names(&keeper);
        assert!(!names.iter().any(|name| name.ends_with(".new")), "{act}: {names:?}");
        keeper.refresh("nestjs").unwrap();
        disk.is_well();
    }
    // What it said when it could be read holds, and what it says is heard as soon as it can be read again.
    disk.fails("read", "config.toml");
    keeper.write_config(&format!("{before}{}", bench.profile(Dialect::SimpleJwt, "")));
    let told = until("it is said", || problem(&keeper));
    assert_eq!((told.code, told.details["said"].as_str()), (Code::ConfigUnreadable, EIO));
    keeper.refresh("nestjs").unwrap();
    assert_eq!(keeper.fetch("nestjs", "/aaa").unwrap().status, 200);
    disk.is_well();
    until("the edit is taken", || (keeper.overview().sessions.len() == 2).then_some(()));
    assert_eq!(problem(&keeper), None);
    assert_eq!(keeper.phase("nestjs"), PhaseView::Fresh);
    keeper.until_phase("simplejwt", PhaseView::NeedsLogin { why: Lost::Never });
    keeper.ask(add("work")).unwrap();
}

/// Row H13.
#[test]
fn a_log_whose_disk_fails_costs_only_lines_and_says_how_many() {
    let (bench, disk) = (Bench::strict(LIFETIME), Disk::new());
    let mut keeper = disk.keeper(&bench);
    // What is standard error besides is nobody's file.
    keeper.spawn_for_a_person(keeper.command().stdout(Stdio::null()).stderr(Stdio::null()));
    keeper.login("nestjs");
    until("it says something", || keeper.log().contains("SignedIn").then_some(()));
    ACTS.iter().for_each(|act| disk.fails(act, "keeper.log"));
    keeper.refresh("nestjs").unwrap();
    until("a line is lost", || disk.has_failed("write").then_some(()));
    assert_eq!(keeper.fetch("nestjs", "/aaa").unwrap().status, 200);
    disk.is_well();
    keeper.refresh("nestjs").unwrap();
    until("what comes next is there", || keeper.log().contains("generation: 3").then_some(()));
    assert!(keeper.log().contains("(1 lines could not be written here)"), "{}", keeper.log());
    assert!(!keeper.log().contains("generation: 2"), "that line was lost");
    assert_eq!(keeper.noted("nestjs", "refreshed"), 2);
}

/// A disk that fails when it is told to, for the keepers that are started on it.
struct Disk {
    dir: Scratch,
    library: PathBuf,
}

impl Disk {
    fn new() -> Self {
        let dir = Scratch::new();
        let library = library("io_errors", dir.path());
        Self { dir, library }
    }

    /// Not started yet.
    fn keeper(&self, bench: &Bench) -> Keeper {
        let profile = bench.profile(Dialect::NestJs, "");
        let mut keeper = Keeper::idle(&format!("vault = \"memory\"\n\n{profile}"));
        self.carries(&mut keeper);
        keeper
    }

    /// In the lives that come.
    fn carries(&self, keeper: &mut Keeper) {
        keeper.set_env("LD_PRELOAD", self.library.to_str().unwrap());
        keeper.set_env("PILOTLIGHT_TEST_EIO", self.dir.path().to_str().unwrap());
    }

    /// At that, with the file and what is kept beside it.
    fn fails(&self, act: &str, file: &str) {
        symlink(file, self.dir.path().join(act)).unwrap();
    }

    fn is_well(&self) {
        for act in ACTS {
            drop(fs::remove_file(self.dir.path().join(act)));
            drop(fs::remove_dir(self.met(act)));
        }
    }

    /// Since it was well.
    fn has_failed(&self, act: &str) -> bool {
        self.met(act).is_dir()
    }

    fn met(&self, act: &str) -> PathBuf {
        self.dir.path().join(format!("{act}.met"))
    }
}

fn problem(keeper: &Keeper) -> Option<Failure> {
    keeper.overview().problems.into_iter().next()
}

fn names(keeper: &Keeper) -> Vec<String> {
    let all = fs::read_dir(keeper.home().root().unwrap()).unwrap().flatten();
    all.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

fn add(profile: &str) -> Request {
    Request::Add(Box::new(Draft {
        profile: profile.to_owned(),
        preset: "nestjs".to_owned(),
        url: "https://api.example".to_owned(),
        ..Draft::default()
    }))
}

const ACTS: [&str; 3] = ["read", "write", "sync"];

const EIO: &str = "Input/output error (os error 5)";

const LIFETIME: Duration = Duration::from_secs(60);
