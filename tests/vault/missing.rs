//! A key that is not where it was, or not there yet: keyrings and buses that come late, were replaced, or lost it.

use std::env;
use std::fs;

use keeper::adapters::vault::{News, VaultTrouble};
use session::event::Asker;
use session::note::Note;

use super::bench::{ANSWER, Bench, KEY, load, save, stored};
use super::desk::{on_a_desk, with_the_bus_at};
use super::fakes::misunderstand;

/// Row E12.
#[test]
fn a_keyring_that_comes_late_is_found_when_it_comes() {
    on_a_desk("missing::a_keyring_that_comes_late_is_found_when_it_comes", |desk| {
        let keyring = desk.start_keyring();
        let bench = Bench::new("late");
        bench.begin();
        assert_eq!(save(&bench.vault, "work", "rt-1"), Ok(()));
        keyring.kill();

        let later = bench.again();
        assert_eq!(load(&later.vault, "work"), Err(VaultTrouble::Absent));
        assert_eq!(later.vault.trouble(), Some(VaultTrouble::Absent));
        later.vault.begin(Asker::Person);
        assert_eq!(save(&later.vault, "home", "rt-9"), Err(VaultTrouble::Absent));
        later.expect_no_more();
        let _keyring = desk.start_keyring();
        later.expect(News::Ready);
        assert_eq!(load(&later.vault, "work"), Ok(Some(stored("rt-1"))));
        assert_eq!(save(&later.vault, "home", "rt-9"), Ok(()));
        assert_eq!(desk.items(&KEY).len(), 1, "no second key was made meanwhile");
    });
}

/// Row E12.
#[test]
fn a_bus_that_comes_late_is_found_when_it_comes() {
    let test = "missing::a_bus_that_comes_late_is_found_when_it_comes";
    let dir = env::temp_dir().join(format!("pilotlight-late-bus-{}", std::process::id()));
    fs::create_dir_all(&dir).unwrap();
    let address = format!("unix:path={}", dir.join("bus").display());
    with_the_bus_at(&address, test, |desk| {
        let bench = Bench::new("late-bus");
        bench.begin();
        assert_eq!(load(&bench.vault, "work"), Err(VaultTrouble::Absent));
        let _bus = desk.start_bus_at(&env::var("DBUS_SESSION_BUS_ADDRESS").unwrap());
        let _keyring = desk.start_keyring();
        bench.expect(News::Ready);
        assert_eq!(load(&bench.vault, "work"), Ok(None));
        assert_eq!(save(&bench.vault, "work", "rt-1"), Ok(()));
    });
    fs::remove_dir_all(dir).unwrap();
}

/// Row E16.
#[test]
fn a_keyring_that_was_replaced_gets_the_key_and_a_person_s_deletion_ends_what_it_opens() {
    let test = "missing::a_keyring_that_was_replaced_gets_the_key_and_a_person_s_deletion_ends_what_it_opens";
    on_a_desk(test, |desk| {
        let keyring = desk.start_keyring();
        let bench = Bench::new("replaced");
        bench.begin();
        assert_eq!(save(&bench.vault, "work", "rt-1"), Ok(()));
        let key = desk.items(&KEY);
        keyring.kill();
        fs::remove_dir_all(desk.keyring_files()).unwrap();
        let _keyring = desk.start_keyring();
        bench.expect(News::Note(Note::KeyReturned));
        assert_eq!(desk.items(&KEY), key);
        assert_eq!(load(&bench.again().vault, "work"), Ok(Some(stored("rt-1"))));

        desk.spoil_items(&KEY, "");
        desk.lock();
        desk.unlock();
        bench.expect(News::Note(Note::KeyReturned));
        assert_eq!(desk.items(&KEY), key);

        desk.delete_items(&KEY);
        bench.expect(News::Deleted);
        assert_eq!(desk.items(&KEY), []);
        assert_eq!(load(&bench.vault, "work"), Err(VaultTrouble::Gone), "what is sealed is left alone");
        bench.begin();
        assert_eq!(save(&bench.vault, "work", "rt-2"), Ok(()), "a new sign-in");
        assert_ne!(desk.items(&KEY), key);
    });
}

/// Rows E14, H16.
#[test]
fn a_key_that_is_missing_is_told_by_its_kind_and_nothing_sealed_is_touched() {
    on_a_desk("missing::a_key_that_is_missing_is_told_by_its_kind_and_nothing_sealed_is_touched", |desk| {
        let keyring = desk.start_keyring();
        let mut bench = Bench::new("missing");
        bench.begin();
        assert_eq!(save(&bench.vault, "work", "rt-1"), Ok(()));
        assert_eq!(save(&bench.vault, "home", "rt-1"), Ok(()));
        // It would write the key again.
        bench.close();
        let sealed = bench.contents();
        let key = desk.items(&KEY)[0].1.clone();
        let find = |trouble| {
            let later = bench.again();
            later.vault.begin(Asker::Machine);
            assert_eq!(load(&later.vault, "work"), Err(trouble));
            assert_eq!(save(&later.vault, "new", "rt-1"), Err(trouble));
            assert_eq!(later.vault.trouble(), Some(trouble));
            assert_eq!(bench.contents(), sealed, "{trouble:?}");
            later
        };
        for spoilt in ["", "pilotlight-key-1.AAAA", "nonsense"] {
            desk.spoil_items(&KEY, spoilt);
            drop(find(VaultTrouble::Garbled));
        }
        desk.spoil_items(&KEY, &key);
        let living = bench.again();
        assert_eq!(load(&living.vault, "work"), Ok(Some(stored("rt-1"))));

        desk.delete_items(&KEY);
        living.expect(News::Deleted);
        drop(living);
        let later = find(VaultTrouble::Gone);
        later.vault.begin(Asker::Person);
        later.expect(News::Ready);
        assert_eq!(save(&later.vault, "new", "rt-1"), Ok(()), "a person who signs in goes on");
        assert_eq!(load(&later.vault, "work"), Err(VaultTrouble::Gone));
        drop(later);
        fs::remove_file(bench.files().into_iter().find(|file| !sealed.contains_key(file)).unwrap()).unwrap();
        drop(find(VaultTrouble::OlderKeyring));

        keyring.kill();
        fs::remove_dir_all(desk.keyring_files()).unwrap();
        let other = r#"{"service":"another","collection":"/org/freedesktop/secrets/collection/login"}"#;
        fs::write(bench.dir.join("place.json"), other).unwrap();
        let _keyring = desk.start_keyring();
        drop(find(VaultTrouble::OtherKeyring));
    });
}

/// Row H16: some keyrings are on their bus before they have read what they hold.
#[test]
fn h16_a_key_that_comes_a_moment_after_its_keyring_is_taken() {
    on_a_desk("missing::h16_a_key_that_comes_a_moment_after_its_keyring_is_taken", |desk| {
        let _keyring = desk.start_keyring();
        let mut bench = Bench::new("moment");
        bench.begin();
        assert_eq!(save(&bench.vault, "work", "rt-1"), Ok(()));
        bench.close();
        let (sealed, key) = (bench.contents(), desk.items(&KEY)[0].1.clone());
        let attributes = desk.attributes(&KEY);
        desk.delete_items(&KEY);

        let later = bench.again();
        later.vault.begin(Asker::Machine);
        assert_eq!(load(&later.vault, "work"), Err(VaultTrouble::Gone), "somebody has signed in");
        assert_eq!((bench.contents(), desk.items(&KEY)), (sealed, Vec::new()), "no other key is made");
        let attributes: Vec<_> = attributes.iter().map(|(name, value)| (&**name, &**value)).collect();
        desk.add_item(&attributes, &key);
        later.expect(News::Ready);
        assert_eq!(load(&later.vault, "work"), Ok(Some(stored("rt-1"))));
        assert_eq!(save(&later.vault, "work", "rt-2"), Ok(()));
        assert_eq!(desk.items(&KEY).len(), 1);
    });
}

/// The keyring says that an item was deleted after it has done it, and somebody may look in between.
#[test]
fn a_key_that_is_missing_is_written_again_unless_it_is_said_to_be_deleted() {
    on_a_desk("missing::a_key_that_is_missing_is_written_again_unless_it_is_said_to_be_deleted", |desk| {
        let shelf = desk.ask_apart(async |bus| misunderstand(&bus).await);
        let bench = Bench::new("between");
        bench.begin();
        assert_eq!(save(&bench.vault, "work", "rt-1"), Ok(()));
        let look = || assert_eq!(bench.unlock().recv_timeout(ANSWER).unwrap(), Ok(()));
        let returned = News::Note(Note::KeyReturned);

        shelf.delete();
        look();
        assert!(shelf.is_empty(), "it may be about to be said");
        bench.expect(returned.clone());
        assert!(!shelf.is_empty());

        shelf.delete();
        look();
        assert!(shelf.is_empty());
        shelf.announce(desk);
        bench.expect_without(&News::Deleted, &returned);
        assert!(shelf.is_empty());
    });
}
