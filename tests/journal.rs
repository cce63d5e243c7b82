//! The journal through a real file: what of it survives, and what is never in it.

// The exemption of tests covers their functions, not their helpers.
#![allow(clippy::unwrap_used)]

use std::env;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use api::words::{Language, Words};
use api::{Code, Note, Source};
use keeper::adapters::journal::Journal;
use session::reason::Cause;
use session::tokens::RefreshToken;

#[test]
fn entries_are_read_back_newest_first_by_the_next_process() {
    let path = scratch("reopened");
    {
        let journal = open(&path);
        journal.write(None, &Note::KeeperStarted { version: "1".into(), vault: "memory".into() });
        journal.write(Some("work"), &refreshed());
        journal.write(Some("home"), &Note::Restored);
        now(journal.close());
    }
    let journal = open(&path);
    let last = journal.write(Some("work"), &Note::SignedOut);
    assert_eq!(last.id, 4);

    let all = now(journal.read(None, None, 100)).unwrap();
    assert_eq!(all.iter().map(|entry| entry.id).collect::<Vec<_>>(), [4, 3, 2, 1]);
    assert_eq!(all[0], last);
    assert_eq!((all[2].profile.as_deref(), &all[2].note), (Some("work"), &refreshed()));
    assert_eq!(all[3].profile, None);
    let of_work = now(journal.read(Some("work"), Some(4), 100)).unwrap();
    assert_eq!(of_work.iter().map(|entry| entry.id).collect::<Vec<_>>(), [2, 1], "its own and the keeper's");
}

#[test]
fn what_a_killed_process_wrote_is_there() {
    let path = scratch("killed");
    let mut writer = Command::new(env::current_exe().unwrap())
        .args(["--exact", "writer"])
        .env(WRITE, &path)
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let since = Instant::now();
    while !path.with_extension("written").exists() {
        assert!(since.elapsed() < Duration::from_secs(10), "the writer does not write");
        sleep(Duration::from_millis(5));
    }
    writer.kill().unwrap();
    writer.wait().unwrap();

    let journal = open(&path);
    assert_eq!(now(journal.read(None, None, 1000)).unwrap().len(), 100);
    let mark = now(journal.in_flight("work")).unwrap();
    assert!(mark.is_of(&RefreshToken::new("rt-sent")) && !mark.is_of(&RefreshToken::new("rt-newer")));
    assert!(now(journal.in_flight("work")).is_some() && now(journal.in_flight("home")).is_none());

    now(journal.mark_in_flight("work", &RefreshToken::new("rt-newer")));
    let both = now(journal.in_flight("work")).unwrap();
    assert!(both.is_of(&RefreshToken::new("rt-newer")) && both.is_of(&RefreshToken::new("rt-sent")));
    journal.clear_in_flight("work");
    // Nobody is told when it is on the disk; what the next process reads is what the last one has closed.
    now(journal.close());
    assert!(now(open(&path).in_flight("work")).is_none());
}

/// Not a test of its own: the process that [`what_a_killed_process_wrote_is_there`] kills.
#[test]
fn writer() {
    let Some(path) = env::var_os(WRITE).map(PathBuf::from) else { return };
    let journal = open(&path);
    now(journal.mark_in_flight("home", &RefreshToken::new("rt-answered")));
    journal.clear_in_flight("home");
    for _ in 0..100 {
        journal.write(Some("work"), &refreshed());
    }
    now(journal.mark_in_flight("work", &RefreshToken::new("rt-sent")));
    fs::write(path.with_extension("written"), "").unwrap();
    sleep(Duration::from_secs(60));
}

#[test]
fn a_damaged_file_is_moved_aside_and_kept() {
    let garbled = |mut bytes: Vec<u8>| {
        bytes[..32].fill(b'x');
        bytes
    };
    let cut = |bytes: Vec<u8>| bytes[..bytes.len() / 2].to_vec();
    // Far from all that is looked at when it is opened.
    let spoilt_inside = |mut bytes: Vec<u8>| {
        let middle = bytes.len() / 2;
        bytes[middle..middle + 4096].fill(0xff);
        bytes
    };
    moves_aside("garbled", garbled);
    moves_aside("cut", cut);
    moves_aside("spoilt inside", spoilt_inside);
}

fn moves_aside(name: &str, damage: impl Fn(Vec<u8>) -> Vec<u8>) {
    let path = scratch(name);
    {
        let journal = open(&path);
        for _ in 0..1000 {
            journal.write(Some("work"), &refreshed());
        }
        now(journal.close());
    }
    let bytes = damage(fs::read(&path).unwrap());
    fs::write(&path, &bytes).unwrap();

    let journal = open(&path);
    let aside = path.with_extension("db.corrupt-1");
    assert!(fs::read(&aside).unwrap() == bytes, "{name}");
    assert!(said(&journal).ends_with(&format!("moved to {}", aside.display())), "{name}");
    assert_eq!(journal.write(None, &Note::KeeperStopped).id, 2);
    now(journal.close());
    drop(journal);
    assert_eq!(now(open(&path).read(None, None, 10)).unwrap().len(), 2);

    fs::write(&path, &bytes).unwrap();
    drop(open(&path));
    assert!(path.with_extension("db.corrupt-2").exists(), "an older one is not overwritten");
}

#[test]
fn another_programs_database_and_a_later_versions_are_left_whole() {
    for (name, statement) in
        [("other", "CREATE TABLE recipes (soup TEXT)"), ("later", "PRAGMA user_version = 9")]
    {
        let path = scratch(name);
        rusqlite::Connection::open(&path).unwrap().execute_batch(statement).unwrap();
        let before = fs::read(&path).unwrap();
        let journal = open(&path);
        assert!(said(&journal).contains("moved to"), "{name}");
        assert!(fs::read(path.with_extension("db.corrupt-1")).unwrap() == before, "{name}");
    }
}

#[test]
fn where_no_file_can_be_had_there_is_a_journal_all_the_same_and_it_is_said() {
    let dir = scratch("nowhere").with_file_name("not yet");
    let path = dir.join("journal.db");
    let journal = open(&path);
    journal.write(None, &Note::Saved);
    now(journal.mark_in_flight("work", &RefreshToken::new("rt")));
    assert!(now(journal.in_flight("work")).is_none());
    assert_eq!(now(journal.read(None, None, 10)).unwrap().len(), 1);
    assert_eq!(journal.problem().map(|problem| problem.code), Some(Code::JournalFailed));

    fs::create_dir(&dir).unwrap();
    until("it is written after all", || {
        journal.write(None, &Note::Saved);
        journal.problem().is_none()
    });
    now(journal.close());
    let written = now(journal.read(None, None, 1000)).unwrap();
    drop(journal);
    assert_eq!(now(open(&path).read(None, None, 1000)).unwrap(), written);
}

/// The entries of this life follow those of the one before, which could not be read when it began.
#[test]
fn entries_from_before_the_file_could_be_opened_follow_those_in_it() {
    let path = scratch("kept-for-later");
    {
        let journal = open(&path);
        (0..3).for_each(|_| drop(journal.write(Some("work"), &Note::Restored)));
        now(journal.close());
    }
    let dir = path.parent().unwrap();
    let elsewhere = dir.with_extension("elsewhere");
    drop(fs::remove_dir_all(&elsewhere));
    fs::rename(dir, &elsewhere).unwrap();
    let journal = open(&path);
    (0..2).for_each(|_| drop(journal.write(Some("work"), &Note::SignedOut)));
    fs::rename(&elsewhere, dir).unwrap();
    until("it is written after all", || {
        journal.remember("work", String::new());
        journal.problem().is_none()
    });
    let all = now(journal.read(None, None, 10)).unwrap();
    let all: Vec<_> = all.iter().map(|entry| (entry.id, &entry.note)).collect();
    assert_eq!(all[..2], [(5, &Note::SignedOut), (4, &Note::SignedOut)]);
    assert_eq!(all[2..4], [(3, &Note::Restored), (2, &Note::Restored)]);
}

#[test]
fn a_file_that_is_taken_away_is_begun_again_and_nothing_that_comes_is_lost() {
    let path = scratch("away");
    let journal = open(&path);
    journal.write(None, &Note::Saved);
    let dir = path.parent().unwrap();
    until("it is written", || now(journal.read(None, None, 10)).unwrap().len() == 1);
    fs::remove_dir_all(dir).unwrap();
    journal.write(None, &Note::Restored);
    until("it is noticed", || journal.problem().is_some());
    fs::create_dir(dir).unwrap();
    until("it is written again", || {
        journal.remember("work", String::new());
        journal.problem().is_none()
    });
    now(journal.close());
    drop(journal);
    let there = now(open(&path).read(None, None, 10)).unwrap();
    assert_eq!(there.iter().map(|entry| &entry.note).collect::<Vec<_>>(), [&Note::Restored]);
}

#[test]
fn somebody_who_holds_the_file_delays_entries_and_loses_none() {
    let path = scratch("busy");
    let journal = open(&path);
    let other = rusqlite::Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let since = Instant::now();
    journal.write(Some("work"), &Note::Saved);
    assert!(since.elapsed() < Duration::from_millis(50), "{:?}", since.elapsed());
    assert_eq!(now(journal.read(None, None, 10)).unwrap().len(), 1);

    other.execute_batch("COMMIT").unwrap();
    journal.write(Some("work"), &Note::SignedOut);
    now(journal.close());
    drop(journal);
    assert_eq!(now(open(&path).read(None, None, 10)).unwrap().len(), 2);
}

/// What is no file at all holds up nobody and makes room.
#[test]
fn what_is_no_file_is_moved_aside() {
    let socket = |path: &Path| drop(std::os::unix::net::UnixListener::bind(path).unwrap());
    let fifo = |path: &Path| {
        let mode = rustix::fs::Mode::from_raw_mode(0o600);
        rustix::fs::mknodat(rustix::fs::CWD, path, rustix::fs::FileType::Fifo, mode, 0).unwrap();
    };
    let device = |path: &Path| std::os::unix::fs::symlink("/dev/null", path).unwrap();
    let directory = |path: &Path| fs::create_dir(path).unwrap();
    type Make<'a> = &'a dyn Fn(&Path);
    let kinds: [(&str, Make<'_>); 4] =
        [("socket", &socket), ("fifo", &fifo), ("device", &device), ("directory", &directory)];
    for (name, make) in kinds {
        for ending in ["", "-wal"] {
            let path = scratch(&format!("{name}{ending}"));
            make(&path.with_file_name(format!("journal.db{ending}")));
            let since = Instant::now();
            let journal = open(&path);
            assert!(since.elapsed() < Duration::from_secs(1), "{name}{ending}");
            assert!(said(&journal).contains("moved to"), "{name}{ending}");
            now(journal.close());
            assert_eq!(journal.problem(), None, "{name}{ending}");
            assert!(path.is_file());
        }
    }
}

#[test]
fn a_profile_is_remembered_by_the_next_process_until_it_is_forgotten() {
    let path = scratch("memory");
    {
        let journal = open(&path);
        journal.remember("work", "{\"first\":1}".to_owned());
        journal.remember("work", "{\"second\":2}".to_owned());
        journal.remember("home", "{}".to_owned());
        now(journal.close());
    }
    let journal = open(&path);
    assert_eq!(now(journal.recall("work")).as_deref(), Some("{\"second\":2}"));
    assert_eq!(now(journal.recall("nobody")), None);
    journal.write(
        Some("work"),
        &Note::SignedIn {
            user: Some("canary-user".to_owned()),
            generation: None,
            lifetime_ms: None,
            source: Source::Told,
            took_ms: 1,
        },
    );
    journal.write(Some("home"), &Note::Restored);
    now(journal.mark_in_flight("work", &RefreshToken::new("rt")));
    journal.forget("work");
    assert_eq!(now(journal.recall("work")), None);
    assert!(now(journal.in_flight("work")).is_none());
    let left = now(journal.read(None, None, 10)).unwrap();
    assert_eq!(left.iter().map(|entry| entry.profile.as_deref()).collect::<Vec<_>>(), [Some("home")]);
    assert_eq!(now(journal.recall("home")).as_deref(), Some("{}"));
    for entry in fs::read_dir(path.parent().unwrap()).unwrap() {
        let bytes = fs::read(entry.unwrap().path()).unwrap();
        assert!(!contains(&bytes, b"canary-user") && !contains(&bytes, b"second"), "it is still in the file");
    }

    // Somebody makes a profile of the same name again.
    journal.write(Some("work"), &Note::Restored);
    now(journal.close());
    assert_eq!(now(journal.read(Some("work"), None, 10)).unwrap().len(), 1);
}

/// A file from before there was anything to remember.
#[test]
fn an_older_file_learns_to_remember() {
    let path = scratch("older");
    {
        let journal = open(&path);
        journal.write(None, &Note::Restored);
        now(journal.close());
    }
    rusqlite::Connection::open(&path).unwrap().execute_batch("DROP TABLE memory").unwrap();
    let journal = open(&path);
    journal.remember("work", "{}".to_owned());
    assert_eq!(now(journal.recall("work")).as_deref(), Some("{}"));
    assert_eq!(now(journal.read(None, None, 10)).unwrap().len(), 1);
}

#[test]
fn nobody_else_may_read_it() {
    let path = scratch("private");
    fs::write(&path, "").unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
    let journal = open(&path);
    journal.write(None, &Note::Saved);
    assert_eq!(now(journal.read(None, None, 10)).unwrap().len(), 1);
    for entry in fs::read_dir(path.parent().unwrap()).unwrap() {
        let entry = entry.unwrap();
        assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{entry:?}");
    }
}

#[test]
fn the_token_in_flight_is_nowhere_in_the_files() {
    let path = scratch("canary");
    let journal = open(&path);
    for _ in 0..50 {
        now(journal.mark_in_flight("work", &RefreshToken::new(CANARY)));
        journal.write(Some("work"), &refreshed());
    }
    let look = |when: &str| {
        let mut seen = 0;
        for entry in fs::read_dir(path.parent().unwrap()).unwrap() {
            let bytes = fs::read(entry.unwrap().path()).unwrap();
            assert!(!contains(&bytes, CANARY.as_bytes()), "{when}");
            assert!(!contains(&bytes, &CANARY.as_bytes()[..12]), "not even the beginning of it, {when}");
            seen += usize::from(contains(&bytes, b"refreshed"));
        }
        assert!(seen > 0, "this looks into the right files");
    };
    look("while it is open");
    now(journal.close());
    look("after it was closed");
}

#[test]
fn years_of_entries_stay_small() {
    let path = scratch("years");
    let journal = open(&path);
    for _ in 0..50 {
        for _ in 0..500 {
            journal.write(Some("work"), &refreshed());
        }
        // Years do not pass faster than a disk writes.
        assert_eq!(now(journal.read(None, None, 1)).unwrap().len(), 1);
    }
    let written = now(journal.read(None, Some(5_001 - 256), 1)).unwrap();
    assert!(written.is_empty(), "{written:?}");
    assert_eq!(now(journal.read(None, Some(5_002), 1)).unwrap().len(), 1);
    now(journal.close());
    let size = fs::metadata(&path).unwrap().len();
    assert!(size < 8 << 20, "{size}");
}

/// Entries outlive the version that wrote them.
#[test]
fn an_entry_without_the_source_of_its_lifetime_is_read_as_told() {
    let mut older = serde_json::to_value(refreshed()).unwrap();
    older.as_object_mut().unwrap().remove("source");
    let Note::Refreshed { source, .. } = serde_json::from_value(older).unwrap() else { panic!() };
    assert_eq!(source, Source::Told);
}

fn open(path: &Path) -> Journal {
    Journal::open(path, || {})
}

fn now<T>(what: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(what)
}

/// What it says in its newest entry.
fn said(journal: &Journal) -> String {
    let newest = now(journal.read(None, None, 1)).unwrap().remove(0).note;
    assert!(matches!(newest, Note::ConfigProblem { .. }), "{newest:?}");
    Words::of(Language::English).note(&newest)
}

fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let since = Instant::now();
    while !holds() {
        assert!(since.elapsed() < Duration::from_secs(10), "in vain: {what}");
        sleep(Duration::from_millis(5));
    }
}

fn refreshed() -> Note {
    Note::Refreshed {
        cause: Cause::BeforeExpiry,
        generation: 7,
        lifetime_ms: 300_000,
        source: Source::Assumed,
        took_ms: 42,
        rotated: true,
        tries: 1,
    }
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

fn scratch(name: &str) -> PathBuf {
    let dir = env::temp_dir().join(format!("pilotlight-journal-{}-{name}", std::process::id()));
    drop(fs::remove_dir_all(&dir));
    fs::create_dir_all::<&Path>(&dir).unwrap();
    dir.join("journal.db")
}

const WRITE: &str = "PILOTLIGHT_TEST_WRITE";

const CANARY: &str = "rt-canary-5b1f0c9e7d3a";
