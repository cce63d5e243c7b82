//! What OAuth providers, browsers and strangers get wrong, and what becomes of it: a clear code, soon, with a sentence
//! in both languages; the session that was there before is still there; and nothing secret in what was said.
//!
//! Each row of a table is a provider and a profile of its own, and the rows of a table go on at the same time, all
//! with one keeper.

use std::collections::BTreeSet;
use std::fs;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use api::{Failure, Note, PhaseView, Reply, Request, Way};

use crate::harness::{Issuer, Keeper, Keyring, Wire, can_be_read, given, token};

mod browser;
mod device;
mod discovery;
mod id_token;
mod landing;
mod redirect;
mod refresh;
mod sandbox;
mod service;
mod sign_out;
mod tls;
mod tokens;

use browser::Visit;

/// A keeper whose every word is kept, to be searched in the end.
struct Stage {
    keeper: Keeper,
    watching: Mutex<Wire>,
    said: Mutex<Vec<(String, String)>>,
    secrets: Mutex<BTreeSet<String>>,
}

impl Stage {
    fn with(profiles: &str) -> Self {
        Self::of(Keeper::idle(&format!("vault = \"memory\"\n\n{profiles}")))
    }

    /// Its sessions outlive it.
    fn with_keyring(profiles: &str, keyring: &Keyring) -> Self {
        let mut keeper = Keeper::idle(&format!("vault = \"keyring\"\n\n{profiles}"));
        for (name, value) in keyring.env() {
            keeper.set_env(&name, &value);
        }
        Self::of(keeper)
    }

    fn of(mut keeper: Keeper) -> Self {
        // What the libraries would tell is not wanted at any level.
        keeper.set_env("PILOTLIGHT_LOG", "trace");
        keeper.spawn();
        let mut watching = keeper.wire();
        watching.send(Request::Watch);
        Self { keeper, watching: Mutex::new(watching), said: Mutex::default(), secrets: Mutex::default() }
    }

    fn ask(&self, request: Request) -> Result<Reply, Failure> {
        let what = format!("the answer to {request:?}");
        let mut wire = self.keeper.wire();
        wire.send(request);
        let text = wire.text();
        let answer: serde_json::Value = serde_json::from_str(&text).unwrap();
        self.said.lock().unwrap().push((what, text));
        match answer.get("error") {
            Some(error) => Err(serde_json::from_value(error.clone()).unwrap()),
            None => Ok(serde_json::from_value(answer).unwrap()),
        }
    }

    /// Begins a sign-in at a browser, which is for the test to finish.
    fn begin(&self, profile: &str) -> Result<Visit, Failure> {
        self.begin_url(profile).map(|url| self.visit(&url))
    }

    /// What would be opened in the browser.
    fn begin_url(&self, profile: &str) -> Result<String, Failure> {
        // Its answer holds the state and the nonce, as it must, so it is not among what is searched.
        let request = Request::SignIn { profile: profile.to_owned(), way: Some(Way::Browser) };
        let Reply::SignIn { url: Some(url), .. } = self.keeper.ask(request)? else { panic!("no address") };
        Ok(url)
    }

    fn visit(&self, url: &str) -> Visit {
        let visit = Visit::to(url);
        self.secrets.lock().unwrap().extend([visit.state.clone(), visit.nonce.clone()]);
        visit
    }

    fn finish(&self, profile: &str) -> Result<(), Failure> {
        let timeout_ms = Some(SOON.as_millis().try_into().unwrap());
        self.ask(Request::FinishSignIn { profile: profile.to_owned(), timeout_ms }).map(|_| ())
    }

    /// The good way, from the wish to the page that says so.
    fn sign_in(&self, profile: &str, issuer: &Issuer) {
        let visit = self.begin(profile).unwrap();
        let back = visit.comes_back(issuer);
        assert_eq!((back.status, back.header("location").as_str()), (303, "/done"), "{back:?}");
        let done = visit.calls("/done");
        assert!(done.status == 200 && done.body.contains("You are signed in"), "{done:?}");
        self.finish(profile).unwrap();
        visit.until_closed();
        self.keeper.until_fresh(profile);
    }

    /// Signs in over a living session and fails, which costs that session nothing. Returns what was told.
    fn fails(&self, profile: &str, issuer: &Issuer, go_wrong: impl FnOnce(&Visit)) -> Failure {
        self.sign_in(profile, issuer);
        let (before, refresh_token) = (self.token(profile), issuer.refresh_tokens().pop().unwrap());
        let visit = self.begin(profile).unwrap();
        go_wrong(&visit);
        let began = Instant::now();
        let failure = self.finish(profile).expect_err(profile);
        assert!(began.elapsed() < SOON, "{profile} took {:?}", began.elapsed());
        visit.until_closed();
        self.is_told(profile, &failure);

        issuer.behaves();
        assert_eq!(self.token(profile), before, "{profile}: the session before is another now");
        assert_eq!(self.keeper.phase(profile), PhaseView::Fresh, "{profile}");
        assert!(
            self.ask(Request::Refresh { profile: profile.to_owned(), by: api::Asker::Person }).is_ok(),
            "{profile}"
        );
        let refreshes = issuer.asked("/token refresh_token");
        assert_eq!(refreshes.len(), 1, "{profile}");
        assert_eq!(refreshes[0].form["refresh_token"], refresh_token, "{profile}");
        failure
    }

    /// A person can read what went wrong, also in the journal.
    fn is_told(&self, profile: &str, failure: &Failure) {
        can_be_read(failure);
        assert_eq!(failure.profile.as_deref(), Some(profile));
        let code = failure.code.key();
        let noted = |note: &Note| matches!(note, Note::SignInFailed { code: noted, .. } if *noted == code);
        assert!(self.keeper.notes(profile).iter().any(noted), "{profile}: {code} is not in the journal");
    }

    fn token(&self, profile: &str) -> String {
        // Its answer is a token, and so is not among what is searched.
        given(self.keeper.ask(token(profile, Duration::ZERO))).unwrap().access_token
    }

    /// Ends the keeper, and looks for secrets in all that it said.
    fn ends_discreetly(mut self, issuers: &[&Issuer]) {
        for request in [
            Request::Status { profile: None },
            Request::Log { profile: None, before: None, limit: Some(1000) },
        ] {
            drop(self.ask(request));
        }
        self.keeper.stop();
        let mut said = self.said.into_inner().unwrap();
        let mut watching = self.watching.into_inner().unwrap();
        loop {
            match watching.text() {
                line if line.is_empty() => break,
                line => said.push(("a notice".to_owned(), line)),
            }
        }
        for entry in fs::read_dir(self.keeper.home().root().unwrap()).unwrap().flatten() {
            let bytes = fs::read(entry.path()).unwrap_or_default();
            said.push((entry.path().display().to_string(), String::from_utf8_lossy(&bytes).into_owned()));
        }
        let mut secrets = self.secrets.into_inner().unwrap();
        secrets.extend(issuers.iter().flat_map(|issuer| issuer.secrets()));
        // Most are canaries, which can be looked for all at once.
        secrets.retain(|secret| !secret.contains("canary"));
        secrets.insert("canary".to_owned());
        for file in ["keeper.log", "journal.db"] {
            assert!(said.iter().any(|(place, text)| place.ends_with(file) && !text.is_empty()), "{file}");
        }
        for (place, text) in &said {
            for secret in &secrets {
                assert!(!text.contains(secret.as_str()), "{secret} is in {place}");
            }
        }
    }
}

/// The profiles of as many providers, named in their order, each with `more` lines about OAuth.
fn profiles(issuers: &[Issuer], more: &str) -> String {
    issuers.iter().enumerate().map(|(n, issuer)| issuer.profile(&format!("p{n}"), more)).collect()
}

/// A provider for each row.
fn issuers<T>(rows: &[T]) -> Vec<Issuer> {
    rows.iter().map(|_| Issuer::start()).collect()
}

fn all(issuers: &[Issuer]) -> Vec<&Issuer> {
    issuers.iter().collect()
}

/// Runs a table: each row with its profile and its provider, all at once.
fn each<T: Sync>(rows: &[T], issuers: &[Issuer], run: impl Fn(&T, &str, &Issuer) + Sync) {
    let numbered = rows.iter().zip(issuers).enumerate().collect();
    crate::harness::at_once(numbered, |(n, (row, issuer))| run(row, &format!("p{n}"), issuer));
}

/// Longer than a provider is waited for, and nowhere near the five minutes that a person has.
const SOON: Duration = Duration::from_secs(15);
