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

use keeper::api::Note;
use keeper::journal::{Journal, JournalError};
use session::reason::Cause;
use session::tokens::RefreshToken;

#[test]
fn entries_are_read_back_newest_first_by_the_next_process() {
    let path = scratch("reopened");
    {
        let journal = Journal::open(&path).unwrap();
        journal.write(None, &Note::KeeperStarted { version: "1".into(), vault: "memory".into() });
        journal.write(Some("work"), &refreshed());
        journal.write(Some("home"), &Note::Restored);
        journal.close();
    }
    let journal = Journal::open(&path).unwrap();
    let last = journal.write(Some("work"), &Note::SignedOut);
    assert_eq!(last.id, 4);

    let all = journal.read(None, None, 100).unwrap();
    assert_eq!(all.iter().map(|entry| entry.id).collect::<Vec<_>>(), [4, 3, 2, 1]);
    assert_eq!(all[0], last);
    assert_eq!((all[2].profile.as_deref(), &all[2].note), (Some("work"), &refreshed()));
    assert_eq!(all[3].profile, None);
    let of_work = journal.read(Some("work"), Some(4), 100).unwrap();
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

    let journal = Journal::open(&path).unwrap();
    assert_eq!(journal.read(None, None, 1000).unwrap().len(), 100);
    let mark = journal.in_flight("work").unwrap();
    assert!(mark.is_of(&RefreshToken::new("rt-sent")) && !mark.is_of(&RefreshToken::new("rt-newer")));
    assert!(journal.in_flight("work").is_some() && journal.in_flight("home").is_none());

    journal.mark_in_flight("work", "rt-newer");
    assert!(journal.in_flight("work").unwrap().is_of(&RefreshToken::new("rt-newer")));
    journal.clear_in_flight("work");
    assert!(Journal::open(&path).unwrap().in_flight("work").is_none());
}

/// Not a test of its own: the process that [`what_a_killed_process_wrote_is_there`] kills.
#[test]
fn writer() {
    let Some(path) = env::var_os(WRITE).map(PathBuf::from) else { return };
    let journal = Journal::open(&path).unwrap();
    journal.mark_in_flight("home", "rt-answered");
    journal.clear_in_flight("home");
    for _ in 0..100 {
        journal.write(Some("work"), &refreshed());
    }
    journal.mark_in_flight("work", "rt-sent");
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
        let journal = Journal::open(&path).unwrap();
        for _ in 0..1000 {
            journal.write(Some("work"), &refreshed());
        }
        journal.close();
    }
    let bytes = damage(fs::read(&path).unwrap());
    fs::write(&path, &bytes).unwrap();
    assert!(matches!(Journal::open(&path), Err(JournalError::Damaged(_))), "{name}");

    let (journal, said) = Journal::open_or_replace(&path);
    let aside = path.with_extension("db.corrupt-1");
    assert!(fs::read(&aside).unwrap() == bytes, "{name}");
    assert!(said.unwrap().ends_with(&format!("moved to {}", aside.display())));
    assert_eq!(journal.write(None, &Note::KeeperStopped).id, 1);
    drop(journal);
    assert_eq!(Journal::open(&path).unwrap().read(None, None, 10).unwrap().len(), 1);

    fs::write(&path, &bytes).unwrap();
    drop(Journal::open_or_replace(&path));
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
        let (journal, said) = Journal::open_or_replace(&path);
        journal.write(None, &Note::Saved);
        assert!(said.is_some());
        assert!(fs::read(path.with_extension("db.corrupt-1")).unwrap() == before, "{name}");
    }
}

#[test]
fn where_no_file_can_be_had_there_is_a_journal_all_the_same() {
    let path = scratch("nowhere").join("no/such/journal.db");
    let (journal, said) = Journal::open_or_replace(&path);
    assert!(said.unwrap().contains("in memory only"));
    journal.write(None, &Note::Saved);
    journal.mark_in_flight("work", "rt");
    assert!(journal.in_flight("work").is_some());
    assert_eq!(journal.read(None, None, 10).unwrap().len(), 1);
}

#[test]
fn somebody_who_holds_the_file_delays_entries_and_loses_none() {
    let path = scratch("busy");
    let journal = Journal::open(&path).unwrap();
    let other = rusqlite::Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let since = Instant::now();
    journal.write(Some("work"), &Note::Saved);
    assert!(since.elapsed() < Duration::from_millis(500), "{:?}", since.elapsed());
    assert_eq!(journal.read(None, None, 10).unwrap().len(), 1);

    other.execute_batch("COMMIT").unwrap();
    journal.write(Some("work"), &Note::SignedOut);
    drop(journal);
    assert_eq!(Journal::open(&path).unwrap().read(None, None, 10).unwrap().len(), 2);
}

#[test]
fn nobody_else_may_read_it() {
    let path = scratch("private");
    fs::write(&path, "").unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
    let journal = Journal::open(&path).unwrap();
    journal.write(None, &Note::Saved);
    for entry in fs::read_dir(path.parent().unwrap()).unwrap() {
        let entry = entry.unwrap();
        assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{entry:?}");
    }
}

#[test]
fn the_token_in_flight_is_nowhere_in_the_files() {
    let path = scratch("canary");
    let journal = Journal::open(&path).unwrap();
    for _ in 0..50 {
        journal.mark_in_flight("work", CANARY);
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
    journal.close();
    look("after it was closed");
}

#[test]
fn years_of_entries_stay_small() {
    let path = scratch("years");
    let journal = Journal::open(&path).unwrap();
    for _ in 0..25_000 {
        journal.write(Some("work"), &refreshed());
    }
    let written = journal.read(None, Some(5_001 - 256), 1).unwrap();
    assert!(written.is_empty(), "{written:?}");
    assert_eq!(journal.read(None, Some(5_002), 1).unwrap().len(), 1);
    journal.close();
    let size = fs::metadata(&path).unwrap().len();
    assert!(size < 8 << 20, "{size}");
}

fn refreshed() -> Note {
    Note::Refreshed {
        cause: Cause::BeforeExpiry,
        generation: 7,
        lifetime_ms: 300_000,
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
