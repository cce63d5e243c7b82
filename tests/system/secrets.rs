//! Where secrets must not be.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use api::Request;
use pilotlight_sandbox::{Dialect, Endpoint, Fault, What};

use crate::harness::{Bench, Keeper, Witness, fetch, given, meet, profile, sign_in, token, until};

/// Rows E8, F6, F8: a life with everything in it that makes programs talk too much, and then a search through all it said.
#[test]
fn no_secret_is_anywhere_but_where_it_belongs() {
    let bench = Bench::with_grace(Duration::from_secs(30), Duration::from_secs(30));
    let witness = Witness::before(bench.origin());
    let mut keeper = Keeper::idle(&format!(
        "vault = \"memory\"\n\n{}{}",
        profile("nestjs", Dialect::NestJs, witness.origin(), "timeout = \"400ms\""),
        // Its refresh token stands in a URL that nobody answers.
        "[profile.away]\npreset = \"nestjs\"\nurl = \"http://127.0.0.1:9\"\n",
    ));
    // What the libraries would tell is not wanted at any level.
    keeper.set_env("PILOTLIGHT_LOG", "trace");
    keeper.spawn();
    let mut said = Said::default();
    let mut watching = keeper.wire();
    watching.send(Request::Watch);
    said.hear(watching.text());

    said.ask(&keeper, sign_in("away", "alice", "canary-password-1"));
    said.ask(&keeper, sign_in("nestjs", "canary-user-is-no-secret", "canary-password-2"));
    said.ask(&keeper, sign_in("nestjs", "alice", "wonderland"));
    keeper.until_fresh("nestjs");
    let mut secrets: BTreeSet<String> =
        ["canary-password-1", "canary-password-2", "wonderland"].map(str::to_owned).into();
    for fault in [
        Fault::Hang,
        Fault::Reset,
        Fault::Status,
        Fault::BareStatus,
        Fault::CaptivePortal,
        Fault::Redirect,
        Fault::NotJson,
        Fault::Huge,
        Fault::LostAnswer,
        Fault::Truncated,
        Fault::Omit,
    ] {
        secrets.insert(given(keeper.ask(token("nestjs", Duration::ZERO))).unwrap().access_token);
        bench.fault(fault, meet(Endpoint::Refresh).times(1).on());
        said.ask(&keeper, Request::Refresh { profile: "nestjs".to_owned(), by: api::Asker::Person });
        bench.control.clear_faults();
        until("the session is fresh again", || keeper.refresh("nestjs").ok());
    }
    bench.control.revoke(What::Access, None, None).unwrap();
    said.ask(&keeper, fetch("nestjs", "/aaa"));
    bench.fault(Fault::Reset, meet(Endpoint::Resource).times(1).on());
    said.ask(&keeper, fetch("nestjs", "/aaa"));
    secrets.insert(given(keeper.ask(token("nestjs", Duration::ZERO))).unwrap().access_token);
    said.ask(&keeper, Request::Status { profile: None });
    said.ask(&keeper, Request::Log { profile: None, before: None, limit: Some(1000) });
    said.ask(&keeper, Request::Logout { profile: "nestjs".to_owned(), browser: false });
    said.look_at_the_process(&keeper);
    keeper.stop();
    loop {
        match watching.text() {
            line if line.is_empty() => break,
            line => said.hear(line),
        }
    }

    // The refresh tokens themselves, as they went over the wire.
    let refreshes = witness.seen("/nestjs/refresh");
    secrets.extend(refreshes.iter().filter_map(|target| target.split("token=").nth(1)).map(str::to_owned));
    assert!(secrets.len() > 15, "the test knows too few secrets to mean anything: {}", secrets.len());
    said.assert_nothing_of(&secrets, &keeper);
}

/// Row E8: whatever the vault is set to, there is no plain file for what it cannot keep.
#[test]
fn e8_what_no_keyring_takes_is_written_nowhere() {
    let bench = Bench::strict(Duration::from_secs(60));
    let witness = Witness::before(bench.origin());
    let nestjs = profile("nestjs", Dialect::NestJs, witness.origin(), "");
    for setting in ["", "vault = \"keyring\"", "vault = \"credential\"", "vault = \"passphrase\""] {
        let mut keeper = Keeper::idle(&format!("{setting}\n\n{nestjs}"));
        keeper.set_env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere/bus");
        keeper.set_env("CREDENTIALS_DIRECTORY", "/nowhere");
        keeper.set_env("PILOTLIGHT_LOG", "trace");
        keeper.spawn();
        keeper.login("nestjs");
        let mut secrets: BTreeSet<String> = ["wonderland".to_owned()].into();
        let mut texts = Vec::new();
        // A refresh token is known once it has been sent.
        for _ in 0..3 {
            let files = files_below(keeper.home().root().unwrap()).into_iter();
            texts.extend(files.map(|path| (fs::read(&path).unwrap_or_default(), path)));
            keeper.refresh("nestjs").unwrap();
            secrets.insert(given(keeper.ask(token("nestjs", Duration::ZERO))).unwrap().access_token);
        }
        assert!(!keeper.session("nestjs").saved, "{setting}: it is in memory only, and said to be");
        keeper.ask(Request::Stop { force: true }).unwrap();
        until("it has ended", || keeper.ended());
        let sent = witness.seen("/nestjs/refresh");
        secrets.extend(sent.iter().filter_map(|target| target.split("token=").nth(1)).map(str::to_owned));
        assert!(secrets.len() >= 7, "{setting}: the test knows too few secrets to mean anything");
        for (bytes, path) in texts {
            let text = String::from_utf8_lossy(&bytes);
            let found =
                secrets.iter().find(|secret| text.contains(secret.rsplit('.').next().unwrap_or(secret)));
            assert_eq!(found, None, "{setting}: {}", path.display());
        }
    }
}

/// Everything that was said, and where.
#[derive(Default)]
pub(crate) struct Said(Vec<(String, String)>);

impl Said {
    pub(crate) fn hear(&mut self, text: String) {
        self.0.push(("something said".to_owned(), text));
    }

    /// Asks, and keeps the answer as it came over the wire.
    pub(crate) fn ask(&mut self, keeper: &Keeper, request: Request) {
        let place = Path::new("the answer to").join(format!("{request:?}")).display().to_string();
        let mut wire = keeper.wire();
        wire.send(request);
        self.0.push((place, wire.text()));
    }

    /// What the system tells anybody of the process.
    pub(crate) fn look_at_the_process(&mut self, keeper: &Keeper) {
        for file in ["cmdline", "environ"] {
            self.hear(fs::read_to_string(format!("/proc/{}/{file}", keeper.pid())).unwrap());
        }
    }

    /// Neither in what was said nor in any file of the keeper's home.
    pub(crate) fn assert_nothing_of(mut self, secrets: &BTreeSet<String>, keeper: &Keeper) {
        // Of a token that is a JWT, the signature is enough to be missed.
        let parts: Vec<&str> =
            secrets.iter().map(|secret| secret.rsplit('.').next().unwrap_or(secret)).collect();
        for path in files_below(keeper.home().root().unwrap()) {
            let bytes = fs::read(&path).unwrap_or_default();
            self.0.push((path.display().to_string(), String::from_utf8_lossy(&bytes).into_owned()));
        }
        assert!(self.0.iter().any(|(place, text)| place.ends_with("journal.db") && text.contains("kept")));
        assert!(self.0.iter().any(|(place, text)| place.ends_with("keeper.log") && text.len() > 1000));
        for (place, text) in &self.0 {
            for secret in &parts {
                assert!(!text.contains(secret), "{secret} is in {place}");
            }
        }
    }
}

fn files_below(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).unwrap().flatten().map(|entry| entry.path());
    let (dirs, mut files): (Vec<PathBuf>, Vec<PathBuf>) = entries.partition(|path| path.is_dir());
    files.extend(dirs.iter().flat_map(|dir| files_below(dir)));
    files
}
