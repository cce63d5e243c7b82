//! `--demo`: a sandbox that lives as long as the window, and sessions in it to try everything with.
//!
//! The demo has a home of its own, so that it never touches the sessions that somebody really uses.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::thread::{self, JoinHandle};

use keeper::api::{Draft, Failure, OauthDraft, Overview, Reply, Request};
use keeper::client::{Client, program};
use keeper::limits;
use keeper::paths::Home;
use keeper::secret::Password;
use serde::Deserialize;

use crate::commands::{internal, unexpected};

/// Where the demo keeps its things, unless the environment names a place.
pub(crate) fn home() -> Result<Home, Failure> {
    let home = Home::from_env()?;
    if home.root().is_some() {
        return Ok(home);
    }
    let journal = home.journal();
    let state = journal.parent().ok_or_else(|| internal("no directory for the demo"))?;
    Home::at(state.join("demo"))
}

/// A demo that is being prepared, or is running, while the window is open.
pub(crate) struct Demo {
    home: Home,
    sandbox: JoinHandle<Option<Sandbox>>,
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
            if overview(&mut client).is_ok_and(|there| there.sessions.iter().all(|session| session.sandbox)) {
                drop(client.ask(Request::Stop { force: true }));
            }
        }
        drop(self.sandbox.join());
    }
}

fn prepare(home: &Home) -> Result<Sandbox, Failure> {
    let sandbox = Sandbox::start()?;
    sandbox.fill(home)?;
    Ok(sandbox)
}

/// A running sandbox. It ends with its standard input, and so with this program, however that ends.
struct Sandbox {
    process: Child,
    url: String,
}

impl Sandbox {
    fn start() -> Result<Self, Failure> {
        let mut process = Command::new(program()?)
            .args(["sandbox", "--port", "0", "--access-ttl", "30s", "--announce", "--until-parent-exits"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| internal(&format!("the sandbox: {error}")))?;
        let mut line = String::new();
        if let Some(stdout) = process.stdout.take() {
            drop(BufReader::new(stdout).read_line(&mut line));
        }
        match serde_json::from_str(&line) {
            Ok(Announced { url }) => Ok(Self { process, url }),
            Err(_) => {
                drop(process.kill());
                drop(process.wait());
                Err(internal(&format!("the sandbox did not start: {}", line.trim_end())))
            }
        }
    }

    /// Makes the demo's profiles point here, and signs in to those that are not left for the person.
    fn fill(&self, home: &Home) -> Result<(), Failure> {
        let mut client = Client::connect_current(home, || {})?;
        let there = overview(&mut client)?;
        for Profile { name, dialect, signed_in } in PROFILES {
            let url = format!("{}/{dialect}", self.url);
            let old = there.sessions.iter().find(|session| session.profile == name);
            if old.is_none_or(|old| old.url != url) {
                // What is not a sandbox's is somebody's own, and stays: adding then fails, and says so.
                if old.is_some_and(|old| old.sandbox) {
                    client.ask(Request::Remove { profile: name.to_owned() })?;
                }
                client.ask(Request::Add(Box::new(draft(name, dialect, url))))?;
            }
            if signed_in {
                client.ask(sign_in(name))?;
            }
        }
        Ok(())
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

fn overview(client: &mut Client) -> Result<Overview, Failure> {
    let Reply::Status(overview) = client.ask(Request::Status { profile: None })? else {
        return Err(unexpected());
    };
    Ok(overview)
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

fn sign_in(profile: &str) -> Request {
    Request::Login {
        profile: profile.to_owned(),
        username: "alice".to_owned(),
        password: Password::new("wonderland".to_owned()),
    }
}

#[derive(Deserialize)]
struct Announced {
    url: String,
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
