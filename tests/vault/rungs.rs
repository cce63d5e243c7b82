//! The setting is changed: the key moves from the keyring to a passphrase, to a credential, and back. At whatever step
//! that is interrupted, the next process finds everything, and finishes it.

use std::fs;
use std::path::PathBuf;

use api::VaultKind;
use keeper::adapters::vault::{News, VaultTrouble};
use keeper::config::{Passphrase, VaultSetting};
use session::event::Asker;
use session::note::Note;

use crate::bench::{ANSWER, Bench, KEY, by, by_passphrase, forget, load, save, stored};
use crate::desk::{Desk, on_a_desk, with_the_bus_at};
use crate::fakes::Questions;

const PASSPHRASE: &str = "correct horse";

fn by_keyring() -> VaultSetting {
    VaultSetting::default()
}

fn by_credential() -> VaultSetting {
    by(VaultKind::Credential, Passphrase::Asked)
}

fn in_memory() -> VaultSetting {
    by(VaultKind::Memory, Passphrase::Asked)
}

#[test]
fn from_the_keyring_to_a_passphrase_nothing_waits_and_nothing_is_lost() {
    on_a_desk("rungs::from_the_keyring_to_a_passphrase_nothing_waits_and_nothing_is_lost", |desk| {
        let _keyring = desk.start_keyring();
        let bench = Bench::new("to-passphrase");
        bench.begin();
        assert_eq!(save(&bench.vault, "work", "rt-1"), Ok(()));
        let (item, sealed) = (desk.items(&KEY), bench.contents());

        let next = bench.again_as(&by_passphrase());
        assert_eq!(load(&next.vault, "work"), Ok(Some(stored("rt-1"))), "until a passphrase is chosen");
        assert_eq!(save(&next.vault, "work", "rt-2"), Ok(()));
        next.until(|| next.vault.trouble() == Some(VaultTrouble::PassphraseUnset));
        assert_eq!(desk.items(&KEY), item, "and the key stays where it is");
        assert_eq!(next.unlock_with(PASSPHRASE), Ok(()));
        next.expect(News::Note(Note::KeyMoved));
        assert_eq!(desk.items(&KEY), []);
        assert!(next.has("key.passphrase") && !next.has("place.json"));
        assert_eq!((next.vault.trouble(), save(&next.vault, "work", "rt-3")), (None, Ok(())));
        assert_eq!(key_of(&bench), key_in(sealed.values().next().unwrap()), "nothing was sealed anew");
        opens_with_the_passphrase(&bench, "rt-3");

        // Killed once the key was in its file, and before it had gone from the keyring.
        let place =
            r#"{"service":"gnome-keyring-d","collection":"/org/freedesktop/secrets/collection/login"}"#;
        let put_back = || fs::write(bench.dir.join("place.json"), place).unwrap();
        put_back();
        let attributes = [("application", "pilotlight"), ("home", "default"), ("key", &*key_of(&bench))];
        desk.add_item(&attributes, &item[0].1);
        let next = bench.again_as(&by_passphrase());
        assert_eq!(load(&next.vault, "work"), Ok(Some(stored("rt-3"))));
        next.until(|| next.vault.trouble() == Some(VaultTrouble::PassphraseNeeded));
        assert_eq!(desk.items(&KEY).len(), 1, "its file has not been opened yet");
        assert_eq!(next.unlock_with("wrong"), Err(VaultTrouble::PassphraseWrong));
        assert_eq!(next.unlock_with(PASSPHRASE), Ok(()));
        next.expect(News::Note(Note::KeyMoved));
        assert_eq!(desk.items(&KEY), []);

        // Killed once it had gone from there, and before that was written down.
        put_back();
        opens_with_the_passphrase(&bench, "rt-3");
        bench.until(|| !bench.has("place.json"));
    });
}

#[test]
fn from_a_passphrase_to_the_keyring_and_back_from_every_step() {
    on_a_desk("rungs::from_a_passphrase_to_the_keyring_and_back_from_every_step", |desk| {
        let _keyring = desk.start_keyring();
        let first = at(&by_passphrase(), "from-passphrase");
        assert_eq!(first.unlock_with(PASSPHRASE), Ok(()));
        assert_eq!(save(&first.vault, "work", "rt-1"), Ok(()));
        let file = first.dir.join("key.passphrase");
        let key = fs::read(&file).unwrap();

        let next = first.again_as(&by_keyring());
        next.vault.begin(Asker::Machine);
        assert_eq!(load(&next.vault, "work"), Err(VaultTrouble::PassphraseNeeded));
        assert_eq!(next.unlock().recv_timeout(ANSWER).unwrap(), Err(VaultTrouble::PassphraseNeeded));
        assert_eq!(desk.items(&KEY), [], "no key is made anew");
        assert_eq!(next.unlock_with("wrong"), Err(VaultTrouble::PassphraseWrong));
        assert_eq!(next.unlock_with(PASSPHRASE), Ok(()));
        next.expect(News::Note(Note::KeyMoved));
        assert_eq!((desk.items(&KEY).len(), file.exists()), (1, false));
        assert_eq!(load(&next.again().vault, "work"), Ok(Some(stored("rt-1"))));

        // Killed once it was in the keyring, and before its file went: that takes no passphrase.
        fs::write(&file, &key).unwrap();
        let next = first.again_as(&by_keyring());
        assert_eq!(load(&next.vault, "work"), Ok(Some(stored("rt-1"))));
        next.expect(News::Note(Note::KeyMoved));
        assert!(!file.exists());

        // A file with a key that is nowhere else stays.
        desk.delete_items(&KEY);
        next.expect(News::Deleted);
        fs::write(&file, &key).unwrap();
        let next = first.again_as(&by_keyring());
        next.vault.begin(Asker::Machine);
        assert_eq!(load(&next.vault, "work"), Err(VaultTrouble::PassphraseNeeded));
        assert!(file.exists());
    });
}

#[test]
fn every_key_that_something_is_sealed_with_moves() {
    on_a_desk("rungs::every_key_that_something_is_sealed_with_moves", |desk| {
        let _keyring = desk.start_keyring();
        let bench = Bench::new("two-keys");
        bench.begin();
        assert_eq!(save(&bench.vault, "work", "rt-1"), Ok(()));
        let (first, fingerprint) = (desk.items(&KEY)[0].1.clone(), key_of(&bench));
        desk.delete_items(&KEY);
        bench.expect(News::Deleted);
        bench.begin();
        assert_eq!(save(&bench.vault, "home", "rt-2"), Ok(()));
        desk.add_item(&[("application", "pilotlight"), ("home", "default"), ("key", &*fingerprint)], &first);

        let next = bench.again_as(&by_passphrase());
        next.until(|| load(&next.vault, "work") == Ok(Some(stored("rt-1"))));
        assert_eq!(next.unlock_with(PASSPHRASE), Ok(()));
        next.expect(News::Note(Note::KeyMoved));
        assert_eq!(desk.items(&KEY), []);
        let later = bench.again_as(&by_passphrase());
        assert_eq!(later.unlock_with(PASSPHRASE), Ok(()));
        for (profile, refresh) in [("work", "rt-1"), ("home", "rt-2")] {
            assert_eq!(load(&later.vault, profile), Ok(Some(stored(refresh))), "{profile}");
        }
    });
}

#[test]
fn a_keyring_that_is_locked_is_opened_for_whoever_moves_the_key() {
    on_a_desk("rungs::a_keyring_that_is_locked_is_opened_for_whoever_moves_the_key", |desk| {
        let _keyring = desk.start_keyring();
        let bench = Bench::new("locked-move");
        bench.begin();
        assert_eq!(save(&bench.vault, "work", "rt-1"), Ok(()));
        desk.lock();
        let questions = Questions::of(desk);
        let next = bench.again_as(&by_passphrase());
        next.vault.begin(Asker::Machine);
        assert_eq!(load(&next.vault, "work"), Err(VaultTrouble::Locked));
        questions.come_to(0);
        let answer = next.unlock();
        questions.come_to(1);
        questions.cancel(desk);
        assert_eq!(answer.recv_timeout(ANSWER).unwrap(), Err(VaultTrouble::Locked));
        desk.unlock();
        next.expect(News::Ready);
        assert_eq!(load(&next.vault, "work"), Ok(Some(stored("rt-1"))));
        assert_eq!(next.unlock_with(PASSPHRASE), Ok(()));
        next.expect(News::Note(Note::KeyMoved));
        assert_eq!(desk.items(&KEY), []);
    });
}

#[test]
fn a_credential_needs_nobody_and_takes_over_what_was_sealed() {
    on_a_desk("rungs::a_credential_needs_nobody_and_takes_over_what_was_sealed", |desk| {
        let _keyring = desk.start_keyring();
        let bench = Bench::new("credential");
        bench.begin();
        assert_eq!(save(&bench.vault, "work", "rt-1"), Ok(()));
        let next = bench.again_as(&by_credential());
        assert_eq!(load(&next.vault, "work"), Ok(Some(stored("rt-1"))), "from the keyring");
        next.until(|| next.vault.trouble() == Some(VaultTrouble::CredentialAbsent));
        assert_eq!(desk.items(&KEY).len(), 1);

        credential(&[7; 32]);
        let next = bench.again_as(&by_credential());
        next.expect(News::Note(Note::KeyMoved));
        assert_eq!(desk.items(&KEY), []);
        assert_eq!(load(&next.vault, "work"), Ok(Some(stored("rt-1"))));
        assert_eq!(load(&next.again().vault, "work"), Ok(Some(stored("rt-1"))), "from the credential");

        // By way of a passphrase back into the keyring.
        let next = bench.again_as(&by_passphrase());
        assert_eq!(load(&next.vault, "work"), Ok(Some(stored("rt-1"))));
        assert_eq!(next.unlock_with(PASSPHRASE), Ok(()));
        next.expect(News::Note(Note::KeyMoved));
        assert!(!next.has("key.credential"));
        let next = bench.again_as(&by_keyring());
        assert_eq!(next.unlock_with(PASSPHRASE), Ok(()));
        next.expect(News::Note(Note::KeyMoved));
        assert_eq!(load(&bench.again_as(&by_keyring()).vault, "work"), Ok(Some(stored("rt-1"))));
    });
}

#[test]
fn a_credential_that_is_missing_short_or_another_is_told() {
    let test = "rungs::a_credential_that_is_missing_short_or_another_is_told";
    with_the_bus_at("unix:path=/nowhere", test, |_: &Desk| {
        let absent = at(&by_credential(), "absent");
        absent.vault.begin(Asker::Machine);
        assert_eq!(save(&absent.vault, "work", "rt-1"), Err(VaultTrouble::CredentialAbsent));
        credential(&[7; 32]);
        let bench = at(&by_credential(), "server");
        bench.vault.begin(Asker::Machine);
        assert_eq!(save(&bench.vault, "work", "rt-1"), Ok(()));
        let find = |trouble| {
            let later = bench.again();
            later.vault.begin(Asker::Machine);
            assert_eq!(load(&later.vault, "work"), Err(trouble));
            assert_eq!(later.vault.trouble(), Some(trouble));
            assert_eq!(later.unlock_with("no passphrase"), Err(trouble));
        };
        credential(&[7; 31]);
        find(VaultTrouble::CredentialShort);
        credential(&[8; 32]);
        find(VaultTrouble::CredentialOther);
        fs::remove_file(credentials().join("pilotlight-key")).unwrap();
        find(VaultTrouble::CredentialAbsent);
        credential(&[7; 32]);
        assert_eq!(load(&bench.again().vault, "work"), Ok(Some(stored("rt-1"))));
    });
}

/// What is sealed is not read, so it is not used up either, and is as good as before afterwards.
#[test]
fn in_memory_what_is_sealed_is_left_alone_until_a_sign_out_or_the_way_back() {
    on_a_desk("rungs::in_memory_what_is_sealed_is_left_alone_until_a_sign_out_or_the_way_back", |desk| {
        let _keyring = desk.start_keyring();
        let bench = Bench::new("to-memory");
        bench.begin();
        for profile in ["work", "home"] {
            assert_eq!(save(&bench.vault, profile, "rt-1"), Ok(()));
        }
        let (item, sealed) = (desk.items(&KEY), bench.contents());
        let next = bench.again_as(&in_memory());
        next.expect(News::Note(Note::LeftSealed { count: 2 }));
        assert_eq!(next.unlock().recv_timeout(ANSWER).unwrap(), Ok(()));
        assert_eq!(load(&next.vault, "work"), Ok(None));
        assert_eq!(save(&next.vault, "work", "rt-9"), Ok(()));
        assert_eq!((bench.contents(), desk.items(&KEY)), (sealed, item));

        assert_eq!(forget(&next.vault, "home"), Ok(()));
        assert_eq!(bench.files().len(), 1, "a sign-out is one");
        let back = bench.again_as(&by_keyring());
        assert_eq!(load(&back.vault, "work"), Ok(Some(stored("rt-1"))));
        assert_eq!(load(&back.vault, "home"), Ok(None));
    });
}

fn opens_with_the_passphrase(bench: &Bench, refresh: &str) {
    let next = bench.again_as(&by_passphrase());
    assert_eq!(load(&next.vault, "work"), Err(VaultTrouble::PassphraseNeeded));
    assert_eq!(next.unlock_with(PASSPHRASE), Ok(()));
    assert_eq!(load(&next.vault, "work"), Ok(Some(stored(refresh))));
}

fn at(setting: &VaultSetting, name: &str) -> Bench {
    let dir = PathBuf::from(std::env::var_os("HOME").unwrap()).join("state").join(name);
    Bench::at(setting, String::new(), dir)
}

fn credentials() -> PathBuf {
    PathBuf::from(std::env::var_os("CREDENTIALS_DIRECTORY").unwrap())
}

fn credential(bytes: &[u8]) {
    fs::create_dir_all(credentials()).unwrap();
    fs::write(credentials().join("pilotlight-key"), bytes).unwrap();
}

/// The fingerprint of the key that sealed it.
fn key_in(sealed: &[u8]) -> String {
    let line = sealed.split(|byte| *byte == b'\n').next().unwrap();
    let label: serde_json::Value = serde_json::from_slice(line).unwrap();
    label["key"].as_str().unwrap().to_owned()
}

fn key_of(bench: &Bench) -> String {
    key_in(bench.contents().values().next().unwrap())
}
