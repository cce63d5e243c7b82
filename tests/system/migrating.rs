//! Killed while what is stored moves: out of the items of older versions, and to where a changed setting keeps the key.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use pilotlight_sandbox::Dialect;
use serde_json::{Value, json};

use crate::harness::{Bench, Keeper, Keyring, sealed, until};

/// Row C10.
/// Each round begins with all sessions in the keyring, as older versions kept them.
#[test]
fn no_session_is_lost_at_whatever_moment_of_a_migration_the_keeper_is_killed() {
    let (bench, keyring) = (bench(), Keyring::start());
    let mut keeper = Keeper::with_keyring(&profiles(&bench), &keyring);
    sign_in(&keeper);
    keeper.stop();
    put_back(&keeper, &keyring);
    let since = Instant::now();
    keeper.spawn();
    until("all has moved", || keyring.items().is_empty().then_some(()));
    let whole = since.elapsed();
    let mut stages = Vec::new();
    for step in 0..MOMENTS {
        keeper.stop();
        put_back(&keeper, &keyring);
        // The last of them when all should be over.
        keeper.spawn_and_kill_after(whole * 2 / MOMENTS * step);
        keyring.rise();
        stages.push((keyring.items().len(), sealed_files(&keeper)));
        keeper.spawn();
        NAMES.iter().for_each(|name| keeper.until_fresh(name));
        until("all has moved", || keyring.items().is_empty().then_some(()));
    }
    assert!(stages.contains(&(NAMES.len(), 0)), "none was killed before: {stages:?}");
    assert!(stages.contains(&(0, NAMES.len())), "none was killed after: {stages:?}");
    let half = |(items, files): &(usize, usize)| *files > 0 && *items > 0;
    assert!(stages.iter().any(half), "none was killed in between: {stages:?}");
    nobody_signed_in_again(&bench);
}

/// Row C10.
/// From the keyring to a credential, to a passphrase, and back into the keyring.
#[test]
fn no_session_is_lost_at_whatever_moment_of_a_change_of_setting_the_keeper_is_killed() {
    let (bench, keyring) = (bench(), Keyring::start());
    let mut keeper = Keeper::with_keyring(&profiles(&bench), &keyring);
    let secrets = keeper.home().root().unwrap().join("secrets");
    fs::create_dir(&secrets).unwrap();
    private(&secrets.join("pilotlight-key"), &[7; 32]);
    private(&secrets.join("passphrase"), b"correct horse battery staple");
    keeper.set_env("CREDENTIALS_DIRECTORY", secrets.to_str().unwrap());
    let passphrase = secrets.join("passphrase");
    sign_in(&keeper);
    for step in 0..MOMENTS / 3 {
        for vault in ["credential", "passphrase", "keyring"] {
            keeper.stop();
            let lines = format!("vault = {vault:?}\npassphrase_file = {passphrase:?}");
            keeper.write_config(&format!("{lines}\n\n{}", profiles(&bench)));
            keeper.spawn_and_kill_after(Duration::from_millis(25) * step);
            keyring.rise();
            keeper.spawn();
            NAMES.iter().for_each(|name| keeper.until_fresh(name));
            until("the key has moved", || is_only_in(&keeper, &keyring, vault).then_some(()));
        }
    }
    nobody_signed_in_again(&bench);
}

/// What a refresh that is cut off loses is looked at elsewhere.
fn bench() -> Bench {
    Bench::with_grace(Duration::from_secs(60), Duration::from_secs(60))
}

fn profiles(bench: &Bench) -> String {
    NAMES.map(|name| bench.profile_named(name, Dialect::NestJs, "")).join("\n")
}

fn sign_in(keeper: &Keeper) {
    for name in NAMES {
        keeper.login(name);
        assert!(keeper.session(name).saved, "{name}");
    }
}

fn put_back(keeper: &Keeper, keyring: &Keyring) {
    let stored = NAMES.map(|name| sealed(keeper, name, keyring).unwrap());
    fs::remove_dir_all(keeper.home().vault()).unwrap();
    fs::remove_file(keeper.home().journal()).unwrap();
    for (name, stored) in NAMES.iter().zip(stored) {
        keyring.put(&keeper.home().id(), name, &as_an_older_version(&stored));
    }
}

fn as_an_older_version(stored: &Value) -> String {
    let origin = &stored["origin"];
    let record = json!({ "v": 1, "refresh": stored["refresh"], "origin": origin, "user": stored["user"], "saved_at": 7 });
    format!("1.{}", URL_SAFE_NO_PAD.encode(record.to_string()))
}

fn sealed_files(keeper: &Keeper) -> usize {
    let entries = fs::read_dir(keeper.home().vault()).map(|entries| entries.flatten().collect::<Vec<_>>());
    let is_sealed = |path: &Path| path.extension().is_some_and(|extension| extension == "sealed");
    entries.unwrap_or_default().iter().filter(|entry| is_sealed(&entry.path())).count()
}

fn is_only_in(keeper: &Keeper, keyring: &Keyring, vault: &str) -> bool {
    let dir = keeper.home().vault();
    let there = [
        ("keyring", keyring.has_key()),
        ("credential", dir.join("key.credential").exists()),
        ("passphrase", dir.join("key.passphrase").exists()),
    ];
    there.iter().all(|(kind, is_there)| (vault == *kind) == *is_there)
}

fn private(path: &Path, text: &[u8]) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

fn nobody_signed_in_again(bench: &Bench) {
    let counted = bench.counted(Dialect::NestJs);
    let logins = u64::try_from(NAMES.len()).unwrap();
    assert_eq!((counted.logins, counted.reuse_detected, counted.refreshes_refused), (logins, 0, 0));
}

const NAMES: [&str; 4] = ["a", "b", "c", "d"];

const MOMENTS: u32 = 24;
