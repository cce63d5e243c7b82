//! `--demo`: a sandbox that lives as long as the window, and sessions in it to try everything with.
//!
//! The demo has a home of its own, so that it never touches the sessions that somebody really uses.

use std::thread::{self, JoinHandle};

use api::paths::Home;
use api::secret::Password;
use api::{Draft, Failure, OauthDraft, Problem};
use client::Client;
use client::sandbox::SandboxProcess;
use session::limits;

use crate::trouble::internal;

/// Where the demo keeps its things, unless the environment names a place.
pub(crate) fn home() -> Result<Home, Failure> {
    let home = Home::from_env()?;
    if home.root().is_some() {
        return Ok(home);
    }
    let journal = home.journal();
    let state = journal.parent().ok_or_else(|| internal(Problem::NoDemoFolder))?;
    Home::at(state.join("demo"))
}

/// A demo that is being prepared, or is running, while the window is open.
pub(crate) struct Demo {
    home: Home,
    sandbox: JoinHandle<Option<SandboxProcess>>,
}

impl Demo {
    pub(crate) fn start(home: Home) -> Self {
        let there = home.clone();
        let sandbox = thread::spawn(move || {
            prepare(&there).map_err(|failure| eprintln!("pilotlight: the demo: {failure:?}")).ok()
        });
        Self { home, sandbox }
    }

    /// Its keeper has nothing left to keep when the sandbox goes, unless somebody added a session of their own.
    pub(crate) fn end(self) {
        if let Ok(Some(mut client)) = Client::running(&self.home) {
            client.set_patience(limits::DEMO_END);
            if client.status(None).is_ok_and(|there| there.sessions.iter().all(|session| session.sandbox)) {
                drop(client.stop(true));
            }
        }
        drop(self.sandbox.join());
    }
}

fn prepare(home: &Home) -> Result<SandboxProcess, Failure> {
    let sandbox = SandboxProcess::start(&["--access-ttl", "30s"])?;
    fill(home, sandbox.url())?;
    Ok(sandbox)
}

/// Makes the demo's profiles point there, and signs in to those that are not left for the person.
fn fill(home: &Home, sandbox: &str) -> Result<(), Failure> {
    let mut client = Client::connect_current(home, || {})?;
    let there = client.status(None)?;
    for Profile { name, dialect, signed_in } in PROFILES {
        let url = format!("{sandbox}/{dialect}");
        let old = there.sessions.iter().find(|session| session.profile == name);
        if old.is_none_or(|old| old.url != url) {
            // What is not a sandbox's is somebody's own, and stays: adding then fails, and says so.
            if old.is_some_and(|old| old.sandbox) {
                client.remove(name)?;
            }
            client.add(draft(name, dialect, url))?;
        }
        if signed_in {
            client.login(name, "alice", Password::new("wonderland".to_owned()))?;
        }
    }
    Ok(())
}

fn draft(profile: &str, dialect: &str, url: String) -> Draft {
    let common =
        Draft { profile: profile.to_owned(), sandbox: true, heartbeat_s: Some(5), ..Draft::default() };
    if dialect != OAUTH {
        return Draft { preset: dialect.to_owned(), url, ..common };
    }
    let owned = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect();
    let oauth = OauthDraft {
        issuer: url.clone(),
        client_id: "pilotlight".to_owned(),
        scopes: Some(owned(&["openid", "profile", "offline_access", "api"])),
        ..OauthDraft::default()
    };
    Draft { url, oauth: Some(oauth), resources: owned(&["/api/profile", "/api/orders"]), ..common }
}

struct Profile {
    name: &'static str,
    /// Of the sandbox: one of the presets, or [`OAUTH`].
    dialect: &'static str,
    signed_in: bool,
}

const OAUTH: &str = "oauth";

const PROFILES: [Profile; 4] = [
    Profile { name: "Sandbox", dialect: "heartbeat", signed_in: true },
    Profile { name: "Orders API", dialect: "nestjs", signed_in: true },
    Profile { name: "Partner portal", dialect: "simplejwt", signed_in: false },
    // Its person sees the provider's own page, in their own browser.
    Profile { name: "Work account", dialect: OAUTH, signed_in: false },
];
