//! A key that a passphrase opens, with the command in front of a real keeper.

use std::fs;
use std::path::Path;
use std::time::Duration;

use api::{Code, PhaseView, VaultKind, VaultTrouble};
use pilotlight_sandbox::Dialect;

use crate::harness::{Bench, Keeper, until};

const PASSPHRASE: &str = "canary horse 火";

#[test]
fn a_passphrase_opens_what_is_stored_and_is_nowhere_itself() {
    let bench = Bench::strict(Duration::from_secs(60));
    let config = format!("vault = \"passphrase\"\n\n{}", bench.profile(Dialect::NestJs, ""));
    let mut keeper = Keeper::idle(&config);
    keeper.set_env("PILOTLIGHT_LOG", "trace");
    keeper.spawn();
    keeper.login("nestjs");
    let overview = keeper.overview();
    assert_eq!(overview.vault.kind, VaultKind::Passphrase);
    assert_eq!(overview.vault.trouble, Some(VaultTrouble::PassphraseUnset));
    assert!(!keeper.session("nestjs").saved, "there is nothing yet to seal it with");
    let ran = keeper.run_typing(&["unlock"], &format!("{PASSPHRASE}\n"));
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), "Unlocked: the stored sign-ins are open.\n"));
    until("the sign-in is saved", || keeper.session("nestjs").saved.then_some(()));
    keeper.refresh("nestjs").unwrap();
    keeper.restart();

    let waits = |phase: PhaseView| matches!(phase, PhaseView::Waiting { .. });
    until("it waits for the passphrase", || waits(keeper.session("nestjs").phase).then_some(()));
    let ran = keeper.run(&["token", "nestjs"]);
    assert_eq!(ran.code, Some(5), "{}", ran.err);
    assert!(ran.err.contains("pilotlight unlock"), "{}", ran.err);
    let ran = keeper.run_typing(&["unlock"], "wrong canary\n");
    assert_eq!(ran.code, Some(5), "{}", ran.err);
    assert!(waits(keeper.session("nestjs").phase));
    let ran = keeper.run_typing(&["unlock"], &format!("{PASSPHRASE}\n"));
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    keeper.until_fresh("nestjs");
    assert_eq!(bench.counted(Dialect::NestJs).logins, 1);
    for file in ["cmdline", "environ"] {
        nothing_shows(Path::new(&format!("/proc/{}/{file}", keeper.pid())));
    }
    keeper.stop();
    nothing_shows(keeper.home().root().unwrap());
}

/// The vault is opened once a process: what is in memory has no other place to go meanwhile.
#[test]
fn a_setting_that_is_changed_under_a_running_keeper_is_told_and_used_by_the_next() {
    let bench = Bench::strict(Duration::from_secs(60));
    let mut keeper = Keeper::start(&bench.profile(Dialect::NestJs, ""));
    assert_eq!(keeper.overview().problems, []);
    let later = format!("vault = \"passphrase\"\n\n{}", bench.profile(Dialect::NestJs, ""));
    keeper.write_config(&later);
    until("it is told", || {
        keeper.overview().problems.iter().any(|problem| problem.code == Code::VaultSettingLater).then_some(())
    });
    assert_eq!(keeper.overview().vault.kind, VaultKind::Memory);
    keeper.restart();
    assert_eq!((keeper.overview().vault.kind, keeper.overview().problems), (VaultKind::Passphrase, vec![]));
}

fn nothing_shows(path: &Path) {
    if path.is_dir() {
        return fs::read_dir(path).unwrap().flatten().for_each(|entry| nothing_shows(&entry.path()));
    }
    let bytes = fs::read(path).unwrap_or_default();
    let shows = bytes.windows(6).any(|part| part == b"canary");
    assert!(!shows, "in {}", path.display());
}
