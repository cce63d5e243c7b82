//! `--demo`: a sandbox for as long as the window is open. Its home is not that of the sessions in real use.

use std::thread::{self, JoinHandle};

use api::paths::Home;
use api::secret::Password;
use api::{Draft, Failure, OauthDraft, Problem};
use client::Client;
use client::sandbox::SandboxProcess;
use session::limits;

use crate::trouble::internal;

pub(crate) fn home() -> Result<Home, Failure> {
    let home = Home::from_env()?;
    if home.root().is_some() {
        return Ok(home);
    }
    let journal = home.journal();
    let state = journal.parent().ok_or_else(|| internal(Problem::NoDemoFolder))?;
    Home::at(state.join("demo"))
}

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

    /// Without the sandbox its sessions are useless, but a person may have added another one.
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

fn fill(home: &Home, sandbox: &str) -> Result<(), Failure> {
    let mut client = Client::connect_current(home, || {})?;
    let there = client.status(None)?;
    for Profile { name, dialect, signed_in } in PROFILES {
        let url = format!("{sandbox}/{dialect}");
        let old = there.sessions.iter().find(|session| session.profile == name);
        if old.is_none_or(|old| old.url != url) {
            // A session of that name that is not a sandbox's is a person's own: it stays, and adding fails.
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
    dialect: &'static str,
    signed_in: bool,
}

const OAUTH: &str = "oauth";

const PROFILES: [Profile; 4] = [
    Profile { name: "Sandbox", dialect: "heartbeat", signed_in: true },
    Profile { name: "Orders API", dialect: "nestjs", signed_in: true },
    Profile { name: "Partner portal", dialect: "simplejwt", signed_in: false },
    Profile { name: "Work account", dialect: OAUTH, signed_in: false },
];
