//! A session that lives with a keyring: a keeper, a strict provider, and what their person sees.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::keyring::Keyring;
use super::provider::Provider;
use super::stage::{Process, Stage, until};

pub(crate) struct Life<K> {
    keeper: Option<Process>,
    provider: Provider,
    pub(crate) keyring: K,
}

impl<K: Keyring> Life<K> {
    /// Nothing is running yet.
    pub(crate) fn new() -> Self {
        Self::of(K::on(Stage::new()))
    }

    pub(crate) fn of(keyring: K) -> Self {
        Self { keeper: None, provider: Provider::start(), keyring }
    }

    /// Signed in, and kept for good.
    pub(crate) fn begun() -> Self {
        let mut life = Self::new();
        life.keyring.begin();
        life.first();
        life
    }

    /// The first sign-in, in a keyring in which there is nothing.
    fn first(&mut self) {
        self.start_keeper();
        self.keyring.written(|| self.first_sign_in());
    }

    pub(crate) fn first_sign_in(&self) {
        let signed_in = self.sign_in();
        assert_eq!(signed_in.code, Some(0), "{signed_in:?}");
        self.keyring.open_for_the_first();
        self.until_saved();
    }

    pub(crate) fn start_keeper(&mut self) {
        let config = format!("vault = \"keyring\"\n\n{}", self.provider.profile(PROFILE));
        self.keeper = Some(self.keyring.stage().start_keeper(&config));
    }

    pub(crate) fn kill_keeper(&mut self) {
        self.keeper.take().unwrap().kill();
    }

    pub(crate) fn end_keeper(&mut self) {
        self.keeper.take().unwrap().end();
    }

    pub(crate) fn sign_in(&self) -> Told {
        self.tell(&["login", PROFILE, "--user", "alice"], "wonderland\n")
    }

    /// It goes well, and the person is told that it is not kept.
    pub(crate) fn sign_in_unkept(&self) {
        let told = self.sign_in();
        assert_eq!((told.code, &self.session()["saved"]), (Some(0), &false.into()), "{told:?}");
        assert!(told.words.contains("only in memory"), "{told:?}");
    }

    /// A person wants what is stored, and does not sign in.
    pub(crate) fn ask(&self) {
        let told = self.tell(&["login", PROFILE, "--user", "alice", "--json"], "guess\n");
        assert_eq!(told.code, Some(3), "{told:?}");
    }

    /// Has the refresh token exchanged for the next.
    pub(crate) fn rotate(&self) {
        let before = self.provider.rotations();
        let told = self.tell(&["refresh", PROFILE, "--json"], "");
        assert_eq!((told.code, self.provider.rotations()), (Some(0), before + 1), "{told:?}");
    }

    /// What a script is told that needs a token, which does not wait for anybody.
    pub(crate) fn token(&self) -> Told {
        let began = Instant::now();
        let told = self.tell(&["token", PROFILE, "--json"], "");
        assert!(began.elapsed() < AT_ONCE, "{:?} until {told:?}", began.elapsed());
        told
    }

    /// The session that was there before, with nobody signing in and no token spent twice.
    pub(crate) fn goes_on(&self) {
        let sign_ins = self.provider.sign_ins();
        until("the session goes on", || (self.session()["phase"]["name"] == "Fresh").then_some(()));
        self.rotate();
        assert_eq!((self.token().code, self.provider.sign_ins()), (Some(0), sign_ins));
        assert_eq!(self.provider.reused(), 0);
        self.until_saved();
    }

    pub(crate) fn until_saved(&self) {
        until("the session is saved", || (self.session()["saved"] == true).then_some(()));
    }

    pub(crate) fn session(&self) -> Value {
        self.status()["sessions"][0].clone()
    }

    /// What is said of the keyring.
    pub(crate) fn trouble(&self) -> Value {
        self.status()["vault"]["trouble"].clone()
    }

    pub(crate) fn has_noted(&self, kind: &str) -> bool {
        self.notes().iter().any(|note| note["kind"] == kind)
    }

    /// What stands in the journal, oldest first.
    pub(crate) fn notes(&self) -> Vec<Value> {
        let told = self.run(&["log", "--json"], "");
        told.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["note"].clone()).collect()
    }

    #[track_caller]
    pub(crate) fn shows_no_dialog(&self) {
        for dialog in K::DIALOGS {
            assert!(!self.keyring.stage().screen().shows(dialog), "{dialog}");
        }
    }

    fn status(&self) -> Value {
        serde_json::from_str(&self.run(&["status", "--json"], "")).unwrap()
    }

    fn run(&self, arguments: &[&str], typed: &str) -> String {
        String::from_utf8(self.keyring.stage().pilotlight(arguments, typed).stdout).unwrap()
    }

    fn tell(&self, arguments: &[&str], typed: &str) -> Told {
        let ran = self.keyring.stage().pilotlight(arguments, typed);
        let last = String::from_utf8(ran.stdout).unwrap().lines().last().unwrap_or_default().to_owned();
        let value: Value = serde_json::from_str(&last).unwrap_or_default();
        let error = value["error"]["code"].as_str().unwrap_or_default().to_owned();
        Told { code: ran.status.code(), error, words: String::from_utf8(ran.stderr).unwrap() }
    }
}

/// What came of a command; nothing of what it gave.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) code: Option<i32>,
    pub(crate) error: String,
    /// For people.
    pub(crate) words: String,
}

impl Told {
    pub(crate) fn failed(code: i32, error: &str) -> Self {
        Self { code: Some(code), error: error.to_owned(), words: String::new() }
    }
}

impl std::fmt::Display for Told {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "`{}`, exit code {}", self.error, self.code.unwrap())
    }
}

const PROFILE: &str = "work";

const AT_ONCE: Duration = Duration::from_secs(2);
