//! The vault against a real keyring, on a bus of its own: present, locked, slow, killed and absent. And, because it
//! takes the same kind of bus, what the system announces about itself.

// The exemption of tests covers their functions, not their helpers.
#![allow(clippy::unwrap_used)]

#[path = "vault/desk.rs"]
mod desk;
#[path = "vault/fakes.rs"]
mod fakes;
#[path = "vault/hints.rs"]
mod hints;

use std::env;
use std::os::unix::net::UnixListener;
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use api::VaultKind;
use keeper::adapters::vault::{Stored, Vault, VaultTrouble};
use session::binding::Bound;
use session::tokens::{Account, RefreshToken};

use desk::{on_a_desk, with_the_bus_at};
use fakes::{Questions, hang};

#[test]
fn what_is_saved_is_loaded_until_it_is_forgotten() {
    on_a_desk("what_is_saved_is_loaded_until_it_is_forgotten", |desk| {
        let _keyring = desk.start_keyring();
        let vault = Vault::open(VaultKind::Keyring, "");
        assert_eq!((vault.kind(), vault.trouble()), (VaultKind::Keyring, None));

        for profile in ["work", "žluť 火 \u{1f56f}", "a/b", "x".repeat(200).as_str()] {
            assert_eq!(load(&vault, profile), Ok(None), "{profile}");
            assert_eq!(save(&vault, profile, "rt-1"), Ok(()));
            assert_eq!(save(&vault, profile, "rt-2"), Ok(()));
            assert_eq!(load(&vault, profile), Ok(Some(stored("rt-2"))));
            assert_eq!(forget(&vault, profile), Ok(()));
            assert_eq!(load(&vault, profile), Ok(None));
            assert_eq!(forget(&vault, profile), Ok(()), "nothing to forget is no failure");
        }
        assert_eq!(vault.trouble(), None);
    });
}

#[test]
fn a_token_of_64_kib_fits() {
    on_a_desk("a_token_of_64_kib_fits", |desk| {
        let _keyring = desk.start_keyring();
        let vault = Vault::keyring("");
        let long: String = ('!'..='~').cycle().take(64 * 1024).collect();
        assert_eq!(save(&vault, "work", &long), Ok(()));
        assert_eq!(load(&vault, "work"), Ok(Some(stored(&long))));
    });
}

#[test]
fn an_item_is_one_labelled_line_and_its_home_s_own() {
    on_a_desk("an_item_is_one_labelled_line_and_its_home_s_own", |desk| {
        let _keyring = desk.start_keyring();
        let (vault, elsewhere) = (Vault::keyring(""), Vault::keyring("39aff565700eaeb7"));
        assert_eq!(save(&vault, "work", "rt-one\nof two lines"), Ok(()));
        assert_eq!(load(&elsewhere, "work"), Ok(None));
        assert_eq!(save(&elsewhere, "work", "rt-other"), Ok(()));
        assert_eq!(load(&vault, "work"), Ok(Some(stored("rt-one\nof two lines"))));

        let items = desk.items("pilotlight", "work");
        let [(label, secret)] = items.as_slice() else { panic!("{} items", items.len()) };
        assert_eq!(label, "Pilotlight – work");
        assert!(secret.starts_with("1.") && secret.bytes().all(|byte| byte.is_ascii_graphic()));
        let items = desk.items("pilotlight", "39aff565700eaeb7/work");
        assert_eq!(items.len(), 1);
        assert_eq!(items[0].0, "Pilotlight – work (39aff565700eaeb7)");
    });
}

#[test]
fn what_another_version_wrote_is_left_alone() {
    on_a_desk("what_another_version_wrote_is_left_alone", |desk| {
        let _keyring = desk.start_keyring();
        let vault = Vault::keyring("");
        for theirs in ["2.from-the-future", "by hand"] {
            desk.add_item("pilotlight", "work", theirs);
            assert_eq!(load(&vault, "work"), Err(VaultTrouble::Failed));
            assert_eq!(vault.trouble(), Some(VaultTrouble::Failed));
            assert_eq!(save(&vault, "work", "rt-1"), Err(VaultTrouble::Failed));
            assert_eq!(desk.items("pilotlight", "work")[0].1, theirs);

            assert_eq!(forget(&vault, "work"), Ok(()), "whoever signs out wants it gone");
            assert_eq!(save(&vault, "work", "rt-1"), Ok(()));
            assert_eq!(forget(&vault, "work"), Ok(()));
        }
    });
}

#[test]
fn twins_are_kept_alike() {
    on_a_desk("twins_are_kept_alike", |desk| {
        let _keyring = desk.start_keyring();
        let vault = Vault::keyring("");
        assert_eq!(save(&vault, "work", "newer"), Ok(()));
        // {"v":1,"refresh":"rt-1","origin":"https://a.example","user":"mia","saved_at":7}
        let older = "1.eyJ2IjoxLCJyZWZyZXNoIjoicnQtMSIsIm9yaWdpbiI6Imh0dHBzOi8vYS5leGFtcGxlIiwidXNlciI6Im1pYSIsInNhdmVkX2F0Ijo3fQ";
        desk.add_item("pilotlight", "work", older);
        assert_eq!(desk.items("pilotlight", "work").len(), 2);

        assert_eq!(load(&vault, "work"), Ok(Some(stored("newer"))));
        assert_eq!(save(&vault, "work", "newest"), Ok(()));
        let items = desk.items("pilotlight", "work");
        assert!(items.len() == 2 && items[0].1 == items[1].1);
        assert_eq!(load(&vault, "work"), Ok(Some(stored("newest"))));
        assert_eq!(forget(&vault, "work"), Ok(()));
        assert_eq!(desk.items("pilotlight", "work").len(), 0);
    });
}

#[test]
fn a_locked_keyring_is_said_to_be_so_and_waited_for() {
    on_a_desk("a_locked_keyring_is_said_to_be_so_and_waited_for", |desk| {
        let _keyring = desk.start_keyring();
        let vault = Vault::keyring("");
        assert_eq!(save(&vault, "work", "rt-1"), Ok(()));
        let questions = Questions::of(desk);
        desk.lock();

        for _ in 0..3 {
            let since = Instant::now();
            assert_eq!(load(&vault, "work"), Err(VaultTrouble::Locked));
            assert_eq!(save(&vault, "work", "rt-2"), Err(VaultTrouble::Locked));
            assert_eq!(save(&vault, "new", "rt-2"), Err(VaultTrouble::Locked));
            assert_eq!(forget(&vault, "work"), Err(VaultTrouble::Locked));
            assert_eq!(vault.trouble(), Some(VaultTrouble::Locked));
            assert!(since.elapsed() < Duration::from_secs(2), "{:?}", since.elapsed());
        }
        questions.come_to(1);
        assert_eq!(Vault::open(VaultKind::Keyring, "").kind(), VaultKind::Keyring, "locked is not absent");

        desk.unlock();
        assert_eq!(load(&vault, "work"), Ok(Some(stored("rt-1"))));
        assert_eq!(vault.trouble(), None);
        assert_eq!(load(&vault, "new"), Ok(None));
        assert_eq!(save(&vault, "work", "rt-2"), Ok(()));
    });
}

#[test]
fn nobody_is_asked_twice_for_one_locking() {
    on_a_desk("nobody_is_asked_twice_for_one_locking", |desk| {
        let _keyring = desk.start_keyring();
        let vault = Vault::keyring("");
        let questions = Questions::of(desk);
        let find_locked = || assert_eq!(load(&vault, "work"), Err(VaultTrouble::Locked));

        desk.lock();
        find_locked();
        questions.come_to(1);
        desk.unlock();
        assert_eq!(load(&vault, "work"), Ok(None), "another way than the one that was asked for");
        desk.lock();
        find_locked();
        questions.come_to(1);

        questions.cancel(desk);
        find_locked();
        questions.come_to(1);

        desk.unlock();
        assert_eq!(load(&vault, "work"), Ok(None));
        desk.lock();
        find_locked();
        questions.come_to(2);
    });
}

#[test]
fn a_killed_keyring_is_found_again() {
    on_a_desk("a_killed_keyring_is_found_again", |desk| {
        let keyring = desk.start_keyring();
        let vault = Vault::keyring("");
        assert_eq!(save(&vault, "work", "rt-1"), Ok(()));

        keyring.kill();
        let keyring = desk.start_keyring();
        assert_eq!(load(&vault, "work"), Ok(Some(stored("rt-1"))), "the old connection's session is gone");

        keyring.kill();
        assert_eq!(load(&vault, "work"), Err(VaultTrouble::Absent));
        assert_eq!(save(&vault, "work", "rt-2"), Err(VaultTrouble::Absent));
        assert_eq!(vault.trouble(), Some(VaultTrouble::Absent));

        let _keyring = desk.start_keyring();
        assert_eq!(save(&vault, "work", "rt-3"), Ok(()));
        assert_eq!(load(&vault, "work"), Ok(Some(stored("rt-3"))));
        assert_eq!(vault.trouble(), None);
    });
}

#[test]
fn a_keyring_that_comes_late_is_used() {
    on_a_desk("a_keyring_that_comes_late_is_used", |desk| {
        let vault = Vault::keyring("");
        assert_eq!(load(&vault, "work"), Err(VaultTrouble::Absent));
        let _keyring = desk.start_keyring();
        assert_eq!(load(&vault, "work"), Ok(None));
        assert_eq!(save(&vault, "work", "rt-1"), Ok(()));
    });
}

#[test]
fn a_keyring_that_does_not_answer_is_slow() {
    on_a_desk("a_keyring_that_does_not_answer_is_slow", |desk| {
        let keyring = desk.start_keyring();
        let vault = Vault::keyring("");
        assert_eq!(save(&vault, "work", "rt-1"), Ok(()));

        keyring.pause();
        let since = Instant::now();
        assert_eq!(load(&vault, "work"), Err(VaultTrouble::Slow));
        assert_eq!(vault.trouble(), Some(VaultTrouble::Slow));
        assert_eq!(Vault::open(VaultKind::Keyring, "").kind(), VaultKind::Keyring, "slow is not absent");
        assert!(since.elapsed() < Duration::from_secs(6), "{:?}", since.elapsed());

        keyring.go_on();
        assert_eq!(load(&vault, "work"), Ok(Some(stored("rt-1"))));
        assert_eq!(vault.trouble(), None);
    });
}

#[test]
fn a_request_that_hangs_holds_up_nobody_and_comes_back() {
    on_a_desk("a_request_that_hangs_holds_up_nobody_and_comes_back", |desk| {
        let hanging = desk.ask(async |bus| {
            hang(&bus).await?;
            Ok(bus)
        });
        let vault = Vault::keyring("");
        let since = Instant::now();
        let (first, second) = (begin_to_load(&vault, "work"), begin_to_load(&vault, "home"));
        assert!(since.elapsed() < Duration::from_millis(50), "asking takes no time");
        assert!(first.recv_timeout(Duration::from_secs(3)).is_err(), "it hangs");
        assert_eq!(vault.trouble(), Some(VaultTrouble::Slow));

        desk.ask(async |_| hanging.close().await);
        assert_eq!(first.recv_timeout(ANSWER).unwrap(), Err(VaultTrouble::Failed));
        assert_eq!(second.recv_timeout(ANSWER).unwrap(), Err(VaultTrouble::Absent));
        let _keyring = desk.start_keyring();
        assert_eq!(load(&vault, "work"), Ok(None));
    });
}

#[test]
fn without_a_bus_memory_is_fallen_back_on_and_shown() {
    with_the_bus_at("unix:path=/nowhere", "without_a_bus_memory_is_fallen_back_on_and_shown", |_| {
        assert_falls_back();
    });
}

#[test]
fn without_a_keyring_memory_is_fallen_back_on_and_shown() {
    on_a_desk("without_a_keyring_memory_is_fallen_back_on_and_shown", |_| assert_falls_back());
}

#[test]
fn a_bus_that_says_nothing_is_slow_and_not_absent() {
    let test = "a_bus_that_says_nothing_is_slow_and_not_absent";
    let path = env::temp_dir().join(format!("pilotlight-mute-{}", std::process::id()));
    let mute = UnixListener::bind(&path).unwrap();
    with_the_bus_at(&format!("unix:path={}", path.display()), test, |_| {
        let since = Instant::now();
        let vault = Vault::open(VaultKind::Keyring, "");
        assert!(since.elapsed() < Duration::from_millis(2500), "{:?}", since.elapsed());
        assert_eq!(vault.kind(), VaultKind::Keyring);
        assert_eq!(load(&vault, "work"), Err(VaultTrouble::Slow));
    });
    drop(mute);
    std::fs::remove_file(path).unwrap();
}

#[test]
fn memory_is_no_trouble_to_those_who_chose_it() {
    let vault = Vault::open(VaultKind::Memory, "");
    assert_eq!((vault.kind(), vault.trouble()), (VaultKind::Memory, None));
    assert_eq!(save(&vault, "work", "rt-1"), Ok(()));
    assert_eq!(load(&vault.clone(), "work"), Ok(Some(stored("rt-1"))));
    assert_eq!(forget(&vault, "work"), Ok(()));
    assert_eq!(load(&vault, "work"), Ok(None));
}

fn assert_falls_back() {
    let since = Instant::now();
    // From inside a runtime, as the keeper does it.
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let vault = runtime.block_on(async { Vault::open(VaultKind::Keyring, "") });
    assert_eq!((vault.kind(), vault.trouble()), (VaultKind::Memory, Some(VaultTrouble::Absent)));
    assert_eq!(save(&vault, "work", "rt-1"), Ok(()));
    assert_eq!(load(&vault, "work"), Ok(Some(stored("rt-1"))));
    assert_eq!(load(&Vault::keyring(""), "work"), Err(VaultTrouble::Absent));
    assert!(since.elapsed() < Duration::from_millis(2500), "{:?}", since.elapsed());
}

fn stored(refresh: &str) -> Stored {
    Stored {
        refresh: RefreshToken::new(refresh),
        bound: Bound { origin: "https://a.example".to_owned(), binding: None },
        account: Account::named("mia"),
    }
}

fn load(vault: &Vault, profile: &str) -> Result<Option<Stored>, VaultTrouble> {
    begin_to_load(vault, profile).recv_timeout(ANSWER).unwrap()
}

fn begin_to_load(vault: &Vault, profile: &str) -> Receiver<Result<Option<Stored>, VaultTrouble>> {
    let (tell, told) = mpsc::channel();
    vault.load(profile, move |loaded| tell.send(loaded).unwrap_or_default());
    told
}

fn save(vault: &Vault, profile: &str, refresh: &str) -> Result<(), VaultTrouble> {
    let (tell, told) = mpsc::channel();
    vault.save(profile, stored(refresh), move |saved| tell.send(saved).unwrap());
    told.recv_timeout(ANSWER).unwrap()
}

fn forget(vault: &Vault, profile: &str) -> Result<(), VaultTrouble> {
    let (tell, told) = mpsc::channel();
    vault.forget(profile, move |forgotten| tell.send(forgotten).unwrap());
    told.recv_timeout(ANSWER).unwrap()
}

const ANSWER: Duration = Duration::from_secs(10);
