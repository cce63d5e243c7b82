//! A key that a passphrase opens, given by a person, a program or a file. No bus is needed for any of it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{env, fs, process};

use api::VaultKind;
use keeper::adapters::vault::{News, VaultTrouble};
use keeper::config::{Passphrase, VaultSetting};
use session::event::Asker;
use session::note::Note;

use crate::bench::{ANSWER, Bench, by, by_passphrase, load, save, stored};

const PASSPHRASE: &str = "correct horse 火 canary";

#[test]
fn a_passphrase_is_chosen_once_and_needed_by_every_process_after_that() {
    let bench = scratch("chosen", &by_passphrase());
    assert_eq!(load(&bench.vault, "work"), Ok(None), "that nothing is stored is known without it");
    for by in [Asker::Machine, Asker::Person, Asker::Machine] {
        bench.vault.begin(by);
        bench.vault.look_again();
        assert_eq!(save(&bench.vault, "work", "rt-1"), Err(VaultTrouble::PassphraseUnset));
        assert_eq!(bench.vault.trouble(), Some(VaultTrouble::PassphraseUnset));
    }
    assert_eq!(bench.unlock().recv_timeout(ANSWER).unwrap(), Err(VaultTrouble::PassphraseUnset));
    bench.expect_no_more();
    assert_eq!(bench.unlock_with(PASSPHRASE), Ok(()));
    bench.expect(News::Ready);
    assert_eq!(bench.vault.trouble(), None);
    assert_eq!(save(&bench.vault, "work", "rt-canary"), Ok(()));

    let later = bench.again();
    later.vault.begin(Asker::Machine);
    assert_eq!(load(&later.vault, "work"), Err(VaultTrouble::PassphraseNeeded));
    assert_eq!(load(&later.vault, "new"), Ok(None));
    assert_eq!(later.vault.trouble(), Some(VaultTrouble::PassphraseNeeded));
    assert_eq!(later.unlock().recv_timeout(ANSWER).unwrap(), Err(VaultTrouble::PassphraseNeeded));
    later.expect_no_more();
    assert_eq!(later.unlock_with(PASSPHRASE), Ok(()));
    later.expect(News::Ready);
    assert_eq!(load(&later.vault, "work"), Ok(Some(stored("rt-canary"))));
    assert_eq!(later.unlock().recv_timeout(ANSWER).unwrap(), Ok(()), "it is open");
    for secret in ["canary", "correct horse"] {
        later.nothing_shows(secret);
    }
}

#[test]
fn a_wrong_passphrase_changes_nothing_and_locks_nobody_out() {
    let bench = scratch("wrong", &by_passphrase());
    assert_eq!(bench.unlock_with(PASSPHRASE), Ok(()));
    assert_eq!(save(&bench.vault, "work", "rt-1"), Ok(()));
    assert_eq!(bench.unlock_with("wrong"), Err(VaultTrouble::PassphraseWrong), "although it is open");
    assert_eq!(load(&bench.vault, "work"), Ok(Some(stored("rt-1"))));

    let later = bench.again();
    assert_eq!(load(&later.vault, "work"), Err(VaultTrouble::PassphraseNeeded));
    let before = all(&later.dir);
    for wrong in ["wrong", " ", "correct horse", "correct horse 火 canary "] {
        assert_eq!(later.unlock_with(wrong), Err(VaultTrouble::PassphraseWrong), "{wrong}");
        assert_eq!(later.vault.trouble(), Some(VaultTrouble::PassphraseNeeded), "{wrong}");
    }
    assert_eq!(all(&later.dir), before);
    assert_eq!(later.unlock_with(PASSPHRASE), Ok(()));
    assert_eq!(load(&later.vault, "work"), Ok(Some(stored("rt-1"))));
}

#[test]
fn a_program_or_a_file_that_knows_it_needs_nobody() {
    for (name, setting) in ["program", "file"].map(|name| (name, known_to(name))) {
        let bench = scratch(name, &setting);
        bench.vault.begin(Asker::Machine);
        assert_eq!(save(&bench.vault, "work", "rt-1"), Ok(()), "{name}");
        assert_eq!(load(&bench.again().vault, "work"), Ok(Some(stored("rt-1"))), "{name}");
        let asked = bench.again_as(&by_passphrase());
        assert_eq!(load(&asked.vault, "work"), Err(VaultTrouble::PassphraseNeeded), "{name}");
        assert_eq!(asked.unlock_with(PASSPHRASE), Ok(()), "{name}: it is the same passphrase");
    }
}

#[test]
fn a_program_that_fails_is_run_again_for_a_person_alone() {
    let good = scratch("runs", &by_passphrase());
    assert_eq!(good.unlock_with(PASSPHRASE), Ok(()));
    assert_eq!(save(&good.vault, "work", "rt-1"), Ok(()));
    // In the vault's own folder, which begins anew for each test.
    let (runs, fails) = (good.dir.join("runs"), good.dir.join("fails"));
    fs::write(&fails, "").unwrap();
    let script = r#"echo run >> "$1"; if test -e "$2"; then exit 1; fi; echo "$3""#;
    let words = ["sh", "-c", script, "sh", &text(&runs), &text(&fails), PASSPHRASE].map(str::to_owned);
    let later = good.again_as(&by(VaultKind::Passphrase, Passphrase::Command(words.to_vec())));
    let count = || fs::read_to_string(&runs).unwrap_or_default().lines().count();
    for _ in 0..3 {
        later.vault.begin(Asker::Machine);
        assert_eq!(load(&later.vault, "work"), Err(VaultTrouble::CommandFailed));
    }
    assert_eq!((count(), later.vault.trouble()), (1, Some(VaultTrouble::CommandFailed)));
    assert_eq!(later.unlock().recv_timeout(ANSWER).unwrap(), Err(VaultTrouble::CommandFailed));
    assert_eq!(count(), 2);
    fs::remove_file(fails).unwrap();
    assert_eq!(later.unlock().recv_timeout(ANSWER).unwrap(), Ok(()));
    assert_eq!(load(&later.vault, "work"), Ok(Some(stored("rt-1"))));

    let other = ["echo", "another"].map(str::to_owned).to_vec();
    let later = good.again_as(&by(VaultKind::Passphrase, Passphrase::Command(other)));
    assert_eq!(load(&later.vault, "work"), Err(VaultTrouble::PassphraseWrong));
    assert_eq!(later.unlock_with(PASSPHRASE), Ok(()), "a person who knows better is believed");
    assert_eq!(load(&later.vault, "work"), Ok(Some(stored("rt-1"))));
}

#[test]
fn a_key_file_that_is_missing_or_damaged_is_told_and_nothing_sealed_is_touched() {
    let bench = scratch("missing", &by_passphrase());
    assert_eq!(bench.unlock_with(PASSPHRASE), Ok(()));
    assert_eq!(save(&bench.vault, "work", "rt-1"), Ok(()));
    let (file, sealed) = (bench.dir.join("key.passphrase"), bench.contents());
    let key = fs::read(&file).unwrap();
    let find = |trouble| {
        let later = bench.again();
        later.vault.begin(Asker::Machine);
        assert_eq!(load(&later.vault, "work"), Err(trouble));
        assert_eq!(save(&later.vault, "new", "rt-1"), Err(trouble));
        assert_eq!(later.vault.trouble(), Some(trouble));
        assert_eq!(later.unlock().recv_timeout(ANSWER).unwrap(), Err(trouble));
        assert_eq!(bench.contents(), sealed, "{trouble:?}");
        later
    };
    fs::remove_file(&file).unwrap();
    drop(find(VaultTrouble::KeyFileGone));
    fs::write(&file, "nonsense").unwrap();
    let later = find(VaultTrouble::KeyFileDamaged);
    assert_eq!(later.unlock_with("another"), Ok(()), "whoever chooses one anew goes on");
    assert_eq!(save(&later.vault, "new", "rt-9"), Ok(()));
    assert_eq!(load(&later.vault, "work"), Err(VaultTrouble::Gone));
    assert_eq!(fs::read(bench.dir.join("key.passphrase.damaged")).unwrap(), b"nonsense");
    assert_eq!(later.unlock().recv_timeout(ANSWER).unwrap(), Ok(()), "it has looked at all it wants to");
    drop(later);

    fs::write(&file, key).unwrap();
    let back = bench.again();
    assert_eq!(back.unlock_with(PASSPHRASE), Ok(()));
    assert_eq!(load(&back.vault, "work"), Ok(Some(stored("rt-1"))));
}

#[test]
fn a_key_file_that_another_passphrase_has_sealed_is_another_key() {
    let (bench, other) = (scratch("one", &by_passphrase()), scratch("other", &by_passphrase()));
    for bench in [&bench, &other] {
        assert_eq!(bench.unlock_with(PASSPHRASE), Ok(()));
        assert_eq!(save(&bench.vault, "work", "rt-1"), Ok(()));
    }
    fs::copy(other.dir.join("key.passphrase"), bench.dir.join("key.passphrase")).unwrap();
    let later = bench.again();
    assert_eq!(later.unlock_with(PASSPHRASE), Err(VaultTrouble::KeyFileOther));
    assert_eq!(load(&later.vault, "work"), Err(VaultTrouble::KeyFileOther));
    later.expect_no_more();
    later.vault.begin(Asker::Person);
    later.expect(News::Ready);
    assert_eq!(save(&later.vault, "new", "rt-9"), Ok(()), "a person who signs in goes on");
    let again = bench.again();
    assert_eq!(again.unlock_with(PASSPHRASE), Ok(()));
    assert_eq!(load(&again.vault, "new"), Ok(Some(stored("rt-9"))), "beside the key that was there");
}

#[test]
fn a_key_file_that_goes_under_a_running_keeper_is_written_again() {
    let bench = scratch("again", &by_passphrase());
    assert_eq!(bench.unlock_with(PASSPHRASE), Ok(()));
    assert_eq!(save(&bench.vault, "work", "rt-1"), Ok(()));
    // It may just be making room for the next token.
    bench.until(|| fs::remove_dir_all(&bench.dir).is_ok());
    bench.vault.look_again();
    bench.expect(News::Note(Note::KeyReturned));
    assert_eq!(save(&bench.vault, "work", "rt-2"), Ok(()));
    let later = bench.again();
    assert_eq!(later.unlock_with(PASSPHRASE), Ok(()));
    assert_eq!(load(&later.vault, "work"), Ok(Some(stored("rt-2"))));
}

fn known_to(who: &str) -> VaultSetting {
    let passphrase = match who {
        "program" => Passphrase::Command(["echo", PASSPHRASE].map(str::to_owned).to_vec()),
        _ => {
            let file = env::temp_dir().join(format!("pilotlight-its-passphrase-{}", process::id()));
            fs::write(&file, format!("{PASSPHRASE}\n")).unwrap();
            os::files::make_private(&file).unwrap();
            Passphrase::File(file)
        }
    };
    by(VaultKind::Passphrase, passphrase)
}

fn scratch(name: &str, setting: &VaultSetting) -> Bench {
    let dir = env::temp_dir().join(format!("pilotlight-passphrase-{}-{name}", process::id()));
    drop(fs::remove_dir_all(&dir));
    Bench::at(setting, String::new(), dir)
}

fn all(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let paths = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    paths.map(|path| (path.clone(), fs::read(path).unwrap())).collect()
}

fn text(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}
