//! The vault against a real keyring, on a bus of its own: present, locked, slow, killed, late, replaced and absent. And,
//! because it takes the same kind of bus, what the system announces about itself.

// The exemption of tests covers their functions, not their helpers.
#![allow(clippy::unwrap_used)]

#[path = "vault/bench.rs"]
mod bench;
#[path = "vault/desk.rs"]
mod desk;
#[path = "vault/fakes.rs"]
mod fakes;
#[path = "vault/hints.rs"]
mod hints;
#[path = "logind/mod.rs"]
mod logind;
#[path = "vault/missing.rs"]
mod missing;
#[path = "vault/moving.rs"]
mod moving;
#[path = "networks/mod.rs"]
mod networks;
#[path = "vault/passphrase.rs"]
mod passphrase;
#[path = "private_bus/mod.rs"]
mod private_bus;
#[path = "vault/rungs.rs"]
mod rungs;

use std::env;
use std::fs;
use std::os::unix::net::UnixListener;
use std::time::{Duration, Instant};

use api::VaultKind;
use keeper::adapters::vault::{News, Vault, VaultTrouble};
use session::event::Asker;

use bench::{ANSWER, Bench, KEY, forget, load, save, save_this, stored, stored_as};
use desk::{on_a_desk, with_the_bus_at};
use fakes::{Questions, hang, misunderstand};

#[test]
fn what_is_saved_is_loaded_until_it_is_forgotten() {
    on_a_desk("what_is_saved_is_loaded_until_it_is_forgotten", |desk| {
        let _keyring = desk.start_keyring();
        let bench = Bench::new("saved");
        assert_eq!(bench.vault.kind(), VaultKind::Keyring);
        let profiles = ["work", "žluť 火 \u{1f56f}", "a/b", &"x".repeat(300)];
        bench.begin();
        for profile in profiles {
            assert_eq!(load(&bench.vault, profile), Ok(None), "{profile}");
            assert_eq!(save(&bench.vault, profile, "rt-1"), Ok(()));
            assert_eq!(save(&bench.vault, profile, "rt-2"), Ok(()));
            assert_eq!(load(&bench.vault, profile), Ok(Some(stored("rt-2"))));
        }
        let again = bench.again();
        for profile in profiles {
            assert_eq!(load(&again.vault, profile), Ok(Some(stored("rt-2"))), "{profile}, another process");
            assert_eq!(forget(&again.vault, profile), Ok(()));
            assert_eq!(load(&again.vault, profile), Ok(None));
            assert_eq!(forget(&again.vault, profile), Ok(()), "nothing to forget is no failure");
        }
        assert_eq!(again.vault.trouble(), None);
    });
}

#[test]
fn what_was_written_and_has_no_name_yet_is_found_by_the_next_process() {
    on_a_desk("what_was_written_and_has_no_name_yet_is_found_by_the_next_process", |desk| {
        let _keyring = desk.start_keyring();
        let bench = Bench::new("unnamed");
        bench.begin();
        let versions = [1, 2].map(|generation| {
            assert_eq!(save_this(&bench.vault, "work", stored_as("rt", generation)), Ok(()));
            fs::read(&bench.files()[0]).unwrap()
        });
        // It takes room for the next one, and is done with the disk.
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(bench.vault.make_room("work"));
        let (named, beside) = (bench.files()[0].clone(), bench.files()[0].with_extension("next"));
        drop(bench.vault);
        let found = |old: Option<&[u8]>, next: &[u8]| {
            drop(fs::remove_file(&named));
            if let Some(old) = old {
                fs::write(&named, old).unwrap();
            }
            fs::write(&beside, next).unwrap();
            let next = Bench::new("unnamed");
            next.until(|| load(&next.vault, "work").is_ok());
            load(&next.vault, "work").unwrap().map(|stored| stored.generation)
        };
        let [old, new] = &versions;
        assert_eq!(found(Some(old), new), Some(2));
        assert_eq!(fs::read(&named).unwrap(), *new);
        assert_eq!(found(None, new), Some(2));
        assert_eq!(found(Some(new), old), Some(2), "an older one is only room");
        let torn = [&new[..2048], &vec![0; new.len() - 2048]].concat();
        assert_eq!(found(Some(old), &torn), Some(1));
        assert_eq!(found(None, &torn), None);
    });
}

/// Row E1.
#[test]
fn a_token_of_64_kib_fits() {
    on_a_desk("a_token_of_64_kib_fits", |desk| {
        let _keyring = desk.start_keyring();
        let bench = Bench::new("long");
        bench.begin();
        let long: String = ('!'..='~').cycle().take(64 * 1024).collect();
        assert_eq!(save(&bench.vault, "work", &long), Ok(()));
        assert_eq!(load(&bench.again().vault, "work"), Ok(Some(stored(&long))));
    });
}

/// Rows C11, E9.
#[test]
fn the_keyring_has_one_labelled_key_a_home_and_nothing_of_a_token() {
    on_a_desk("the_keyring_has_one_labelled_key_a_home_and_nothing_of_a_token", |desk| {
        let _keyring = desk.start_keyring();
        let (bench, other) = (Bench::new("one"), Bench::of("39aff565700eaeb7", "other"));
        assert_eq!(desk.items(&KEY), [], "none is made before it is needed");
        for bench in [&bench, &other] {
            bench.begin();
            for profile in ["work", "home"] {
                assert_eq!(save(&bench.vault, profile, "rt-canary"), Ok(()));
            }
        }
        let items = desk.items(&KEY);
        assert_eq!(items.len(), 2);
        for (label, secret) in &items {
            assert!(label.starts_with("Pilotlight – key of the stored sign-ins"), "{label}");
            assert!(
                secret.starts_with("pilotlight-key-1.") && secret.bytes().all(|byte| byte.is_ascii_graphic())
            );
        }
        assert_eq!(desk.items(&[("application", "pilotlight"), ("home", "39aff565700eaeb7")]).len(), 1);
        let before = desk.items(&KEY);
        for turn in 0..20 {
            assert_eq!(save(&bench.vault, "work", &format!("rt-canary-{turn}")), Ok(()));
        }
        assert_eq!(desk.items(&KEY), before, "it is never written again");
        bench.nothing_shows("rt-canary");
        bench.nothing_shows(&before[0].1);
    });
}

/// Row B18.
#[test]
fn two_dozen_tokens_of_one_key_are_each_their_own_profile_s() {
    on_a_desk("two_dozen_tokens_of_one_key_are_each_their_own_profile_s", |desk| {
        let _keyring = desk.start_keyring();
        let bench = Bench::new("own");
        bench.begin();
        for number in 0..24 {
            assert_eq!(save(&bench.vault, &format!("p{number}"), &format!("rt-{number}")), Ok(()));
        }
        let files = bench.files();
        assert_eq!(files.len(), 24);
        fs::copy(&files[0], &files[1]).unwrap();
        let again = bench.again();
        let loaded: Vec<_> = (0..24).map(|number| load(&again.vault, &format!("p{number}"))).collect();
        assert_eq!(loaded.iter().filter(|loaded| **loaded == Err(VaultTrouble::Damaged)).count(), 1);
        let kept = |(number, loaded): (usize, _)| loaded == Ok(Some(stored(&format!("rt-{number}"))));
        assert_eq!(loaded.into_iter().enumerate().filter(|each| kept(each.clone())).count(), 23);
    });
}

/// Row E4.
#[test]
fn a_locked_keyring_is_said_to_be_so_and_asks_nobody_for_a_machine() {
    on_a_desk("a_locked_keyring_is_said_to_be_so_and_asks_nobody_for_a_machine", |desk| {
        let _keyring = desk.start_keyring();
        let bench = Bench::new("locked");
        bench.begin();
        assert_eq!(save(&bench.vault, "work", "rt-1"), Ok(()));
        let questions = Questions::of(desk);
        desk.lock();
        assert_eq!(save(&bench.vault, "work", "rt-2"), Ok(()), "the key is in memory");

        let later = bench.again();
        later.vault.begin(Asker::Machine);
        for _ in 0..3 {
            let since = Instant::now();
            assert_eq!(load(&later.vault, "work"), Err(VaultTrouble::Locked));
            assert_eq!(load(&later.vault, "new"), Ok(None), "nothing is stored, locked or not");
            assert_eq!(save(&later.vault, "new", "rt-1"), Err(VaultTrouble::Locked));
            assert_eq!(later.vault.trouble(), Some(VaultTrouble::Locked));
            assert!(since.elapsed() < Duration::from_secs(2), "{:?}", since.elapsed());
        }
        questions.come_to(0);

        later.expect_no_more();
        desk.unlock();
        later.expect(News::Ready);
        assert_eq!(load(&later.vault, "work"), Ok(Some(stored("rt-2"))));
        assert_eq!(save(&later.vault, "new", "rt-1"), Ok(()));
        assert_eq!(later.vault.trouble(), None);
        questions.come_to(0);
    });
}

/// Rows E6, E13.
#[test]
fn a_person_is_asked_once_and_not_again_after_a_no() {
    on_a_desk("a_person_is_asked_once_and_not_again_after_a_no", |desk| {
        let _keyring = desk.start_keyring();
        let bench = Bench::new("asked");
        bench.begin();
        assert_eq!(save(&bench.vault, "work", "rt-1"), Ok(()));
        desk.lock();
        let questions = Questions::of(desk);
        let later = bench.again();
        assert_eq!(load(&later.vault, "work"), Err(VaultTrouble::Locked));
        questions.come_to(0);

        later.vault.begin(Asker::Person);
        questions.come_to(1);
        for _ in 0..3 {
            later.vault.begin(Asker::Person);
            assert_eq!(load(&later.vault, "work"), Err(VaultTrouble::Locked));
        }
        questions.come_to(1);
        questions.cancel(desk);
        for _ in 0..3 {
            later.vault.begin(Asker::Machine);
            assert_eq!(load(&later.vault, "work"), Err(VaultTrouble::Locked));
        }
        questions.come_to(1);

        let answer = later.unlock();
        questions.come_to(2);
        assert!(answer.try_recv().is_err(), "it waits for the person");
        questions.cancel(desk);
        assert_eq!(answer.recv_timeout(ANSWER).unwrap(), Err(VaultTrouble::Locked));

        let answer = later.unlock();
        questions.come_to(3);
        desk.unlock();
        assert_eq!(
            answer.recv_timeout(ANSWER).unwrap(),
            Ok(()),
            "another way than the one that was asked for"
        );
        assert_eq!(load(&later.vault, "work"), Ok(Some(stored("rt-1"))));
    });
}

/// Whoever says no to a dialog is not to be shown another one, because somebody looked in the same moment.
#[test]
fn looks_that_are_on_their_way_open_no_second_dialog() {
    on_a_desk("looks_that_are_on_their_way_open_no_second_dialog", |desk| {
        let _keyring = desk.start_keyring();
        let bench = Bench::new("twice");
        bench.begin();
        assert_eq!(save(&bench.vault, "work", "rt-1"), Ok(()));
        desk.lock();
        let questions = Questions::of(desk);
        for dialogs in 1..=3 {
            let later = bench.again();
            later.vault.load("work", drop);
            let answer = later.unlock();
            later.vault.load("work", drop);
            questions.come_to(dialogs);
            questions.cancel(desk);
            assert_eq!(answer.recv_timeout(ANSWER).unwrap(), Err(VaultTrouble::Locked));
            questions.come_to(dialogs);
        }
    });
}

/// Row C11.
#[test]
fn with_the_key_in_memory_nothing_that_befalls_the_keyring_matters() {
    on_a_desk("with_the_key_in_memory_nothing_that_befalls_the_keyring_matters", |desk| {
        let keyring = desk.start_keyring();
        let bench = Bench::new("memory");
        bench.begin();
        assert_eq!(save(&bench.vault, "work", "rt-0"), Ok(()));
        let mut turn = 0;
        let mut goes_on = |what: &str| {
            turn += 1;
            let since = Instant::now();
            assert_eq!(save(&bench.vault, "work", &format!("rt-{turn}")), Ok(()), "{what}");
            assert_eq!(load(&bench.vault, "work"), Ok(Some(stored(&format!("rt-{turn}")))), "{what}");
            assert_eq!(bench.vault.trouble(), None, "{what}");
            assert!(since.elapsed() < Duration::from_millis(500), "{what}: {:?}", since.elapsed());
        };
        goes_on("open");
        desk.lock();
        goes_on("locked");
        keyring.pause();
        goes_on("frozen");
        keyring.go_on();
        keyring.kill();
        goes_on("killed");
        let _keyring = desk.start_keyring();
        goes_on("started again");
        assert_eq!(desk.items(&KEY).len(), 1);
        assert_eq!(load(&bench.again().vault, "work"), Ok(Some(stored("rt-5"))));
    });
}

#[test]
fn a_keyring_without_a_collection_is_told_and_a_person_can_make_one() {
    on_a_desk("a_keyring_without_a_collection_is_told_and_a_person_can_make_one", |desk| {
        let _keyring = desk.start_empty_keyring();
        let questions = Questions::of(desk);
        let bench = Bench::new("nowhere");
        bench.vault.begin(Asker::Machine);
        assert_eq!(save(&bench.vault, "work", "rt-1"), Err(VaultTrouble::NoPlace));
        questions.come_to(0);
        bench.vault.begin(Asker::Person);
        questions.come_to(1);
        questions.cancel(desk);
        bench.until(|| bench.vault.trouble() == Some(VaultTrouble::NoPlace));
        assert_eq!(save(&bench.vault, "work", "rt-1"), Err(VaultTrouble::NoPlace));
    });
}

/// Row E2.
#[test]
fn a_file_that_is_damaged_is_told_and_left_alone() {
    on_a_desk("a_file_that_is_damaged_is_told_and_left_alone", |desk| {
        let _keyring = desk.start_keyring();
        let bench = Bench::new("damaged");
        bench.begin();
        assert_eq!(save(&bench.vault, "work", "rt-1"), Ok(()));
        let [file] = bench.files().try_into().unwrap();
        let sealed = fs::read(&file).unwrap();
        for damage in [Vec::new(), sealed[..sealed.len() / 2].to_vec(), vec![0; sealed.len()]] {
            fs::write(&file, &damage).unwrap();
            assert_eq!(load(&bench.vault, "work"), Err(VaultTrouble::Damaged));
            assert_eq!(load(&bench.again().vault, "work"), Err(VaultTrouble::Damaged));
            assert_eq!(fs::read(&file).unwrap(), damage);
        }
        fs::remove_file(&file).unwrap();
        fs::create_dir(&file).unwrap();
        assert_eq!(load(&bench.vault, "work"), Err(VaultTrouble::Disk));
        fs::remove_dir(&file).unwrap();
        assert_eq!(save(&bench.vault, "work", "rt-2"), Ok(()), "a new sign-in takes its place");
    });
}

#[test]
fn a_generation_is_kept_with_its_token() {
    on_a_desk("a_generation_is_kept_with_its_token", |desk| {
        let _keyring = desk.start_keyring();
        let bench = Bench::new("generation");
        bench.begin();
        let seventh = stored_as("rt-7", 7);
        assert_eq!(bench::save_this(&bench.vault, "work", seventh.clone()), Ok(()));
        assert_eq!(load(&bench.again().vault, "work"), Ok(Some(seventh)));
    });
}

/// Row E5.
#[test]
fn a_keyring_that_does_not_answer_is_slow_and_heard_when_it_does() {
    on_a_desk("a_keyring_that_does_not_answer_is_slow_and_heard_when_it_does", |desk| {
        let keyring = desk.start_keyring();
        let bench = Bench::new("slow");
        bench.begin();
        assert_eq!(save(&bench.vault, "work", "rt-1"), Ok(()));
        keyring.pause();
        let since = Instant::now();
        let later = bench.again();
        assert_eq!(load(&later.vault, "work"), Err(VaultTrouble::Slow));
        assert_eq!(later.vault.trouble(), Some(VaultTrouble::Slow));
        assert!(since.elapsed() < Duration::from_secs(4), "{:?}", since.elapsed());
        keyring.go_on();
        later.expect(News::Ready);
        assert_eq!(load(&later.vault, "work"), Ok(Some(stored("rt-1"))));
    });
}

/// Row E5.
#[test]
fn a_service_that_hangs_is_left_when_it_goes() {
    on_a_desk("a_service_that_hangs_is_left_when_it_goes", |desk| {
        let hanging = desk.ask_apart(async |bus| {
            hang(&bus).await?;
            Ok(bus)
        });
        let bench = Bench::new("hangs");
        bench.begin();
        assert_eq!(save(&bench.vault, "work", "rt-1"), Err(VaultTrouble::Slow));
        desk.ask(async |_| hanging.close().await);
        bench.until(|| bench.vault.trouble() == Some(VaultTrouble::Absent));
        let _keyring = desk.start_keyring();
        bench.expect(News::Ready);
        assert_eq!(save(&bench.vault, "work", "rt-1"), Ok(()));
    });
}

#[test]
fn a_service_that_is_misunderstood_is_talked_to_anew() {
    on_a_desk("a_service_that_is_misunderstood_is_talked_to_anew", |desk| {
        let _service = desk.ask_apart(async |bus| {
            misunderstand(&bus).await?;
            Ok(bus)
        });
        let bench = Bench::new("misunderstood");
        bench.begin();
        assert_eq!(save(&bench.vault, "work", "rt-1"), Ok(()));
        assert_eq!(load(&bench.again().vault, "work"), Ok(Some(stored("rt-1"))));
    });
}

/// Or a kill in that moment would lose the session of somebody who has been told that it is kept.
#[test]
fn a_token_is_saved_once_its_key_is_in_the_keyring() {
    on_a_desk("a_token_is_saved_once_its_key_is_in_the_keyring", |desk| {
        let _keyring = desk.start_keyring();
        for (count, begins) in [(1, false), (2, true)] {
            let home = format!("home-{count}");
            let bench = Bench::of(&home, &home);
            if begins {
                bench.begin();
            }
            assert_eq!(save(&bench.vault, "work", "rt-1"), Ok(()));
            assert_eq!(desk.items(&[("application", "pilotlight"), ("home", &*home)]).len(), 1);
            assert_eq!(load(&bench.again().vault, "work"), Ok(Some(stored("rt-1"))));
        }
    });
}

/// Row E5.
#[test]
fn a_bus_that_says_nothing_is_slow_and_not_absent() {
    let test = "a_bus_that_says_nothing_is_slow_and_not_absent";
    let path = env::temp_dir().join(format!("pilotlight-mute-{}", std::process::id()));
    let mute = UnixListener::bind(&path).unwrap();
    with_the_bus_at(&format!("unix:path={}", path.display()), test, |_| {
        let since = Instant::now();
        let bench = Bench::new("mute");
        assert!(since.elapsed() < Duration::from_millis(500), "{:?}", since.elapsed());
        assert_eq!(load(&bench.vault, "work"), Err(VaultTrouble::Slow));
    });
    drop(mute);
    fs::remove_file(path).unwrap();
}

#[test]
fn memory_is_no_trouble_to_those_who_chose_it() {
    let vault = Vault::memory();
    assert_eq!((vault.kind(), vault.trouble()), (VaultKind::Memory, None));
    assert_eq!(save(&vault, "work", "rt-1"), Ok(()));
    assert_eq!(load(&vault.clone(), "work"), Ok(Some(stored("rt-1"))));
    assert_eq!(forget(&vault, "work"), Ok(()));
    assert_eq!(load(&vault, "work"), Ok(None));
}
