//! The face that is a command: data on standard output, sentences for people on standard error.

use std::cell::OnceCell;
use std::env;
use std::io::{self, IsTerminal as _, Write as _};

use api::paths::Home;
use api::words::{Words, word};
use api::{Code, Failure, Overview, SessionView};
use client::Client;
use serde::Serialize;
use serde_json::json;

use crate::ended::Ended;
use crate::table::harmless;

pub(crate) struct Face {
    pub(crate) json: bool,
    home: Result<Home, Failure>,
    /// Loaded when first needed: `token` is called in loops and says nothing.
    words: OnceCell<Words>,
}

impl Face {
    pub(crate) fn new(json: bool) -> Self {
        Self { json, home: Home::from_env(), words: OnceCell::new() }
    }

    pub(crate) fn home(&self) -> Result<&Home, Failure> {
        self.home.as_ref().map_err(Clone::clone)
    }

    pub(crate) fn words(&self) -> &Words {
        self.words.get_or_init(Words::for_locale)
    }

    pub(crate) fn connect(&self) -> Result<Client, Failure> {
        Ok(Client::connect(self.home()?)?.on_wait(self.says("cli.wait.stopping")))
    }

    pub(crate) fn connect_current(&self) -> Result<Client, Failure> {
        Client::connect_current(self.home()?, self.says("cli.wait.stopping"))
    }

    pub(crate) fn says(&self, key: &'static str) -> impl FnMut() + Send + use<> {
        let json = self.json;
        move || {
            if !json {
                say(&Words::for_locale().fill(key, &[]));
            }
        }
    }

    pub(crate) fn overview(&self, profile: Option<&str>) -> Result<Overview, Ended> {
        Ok(self.connect()?.status(profile)?)
    }

    pub(crate) fn print(&self, text: impl AsRef<[u8]>) -> Result<(), Ended> {
        let mut stdout = io::stdout().lock();
        stdout.write_all(text.as_ref())?;
        Ok(stdout.flush()?)
    }

    pub(crate) fn print_json(&self, value: &impl Serialize) -> Result<(), Ended> {
        let mut line = serde_json::to_string(value).map_err(|error| Ended::Output(error.into()))?;
        line.push('\n');
        self.print(line)
    }

    /// A script that asked for JSON has its answer already.
    pub(crate) fn tell(&self, key: &str, values: &[(&str, &str)]) {
        if self.json {
            return;
        }
        let values: Vec<_> = values.iter().map(|(name, value)| (*name, harmless(value))).collect();
        let values: Vec<_> = values.iter().map(|(name, value)| (*name, value.as_str())).collect();
        say(&self.words().fill(key, &values));
    }

    pub(crate) fn explain(&self, ended: &Ended) {
        match ended {
            Ended::Failed(failure) if self.json => drop(self.print_json(&json!({ "error": failure }))),
            Ended::Failed(failure) => {
                let (what, next) = self.sentences(failure);
                say(&format!("pilotlight: {what}\n  → {next} [{}]", word(&failure.code)));
            }
            Ended::Usage(problem) if self.json => {
                let failure = Failure::new(Code::BadRequest).because(problem.clone());
                drop(self.print_json(&json!({ "error": failure })));
            }
            Ended::Usage(problem) => {
                let problem = self.words().problem(&problem.details());
                say(&format!("pilotlight: {}", self.words().fill("cli.usage", &[("problem", &problem)])));
            }
            Ended::Output(error) => {
                let sentence = self.words().fill("cli.output", &[("said", &error.to_string())]);
                say(&format!("pilotlight: {sentence}"));
            }
            Ended::PipeClosed | Ended::Stopped(_) => {}
        }
    }

    /// The next step names commands, where that of the failure names the window.
    pub(crate) fn sentences(&self, failure: &Failure) -> (String, String) {
        let words = self.words();
        let profile = failure.profile.as_deref().unwrap_or_default();
        let here = words.known(&format!("cli.error.{}.next", word(&failure.code)), &[("profile", profile)]);
        let (what, anywhere) = words.say(failure);
        let (what, next) = (harmless(&what), harmless(&here.unwrap_or(anywhere)));
        match failure.retry_in_ms {
            Some(ms) => {
                (what, format!("{next} {}", words.fill("cli.retry", &[("time", &words.duration(ms))])))
            }
            None => (what, next),
        }
    }
}

pub(crate) fn session<'a>(overview: &'a Overview, name: &str) -> Result<&'a SessionView, Ended> {
    let unknown = || Failure::new(Code::UnknownProfile).of(name);
    Ok(overview.sessions.iter().find(|session| session.profile == name).ok_or_else(unknown)?)
}

/// Standard error may be closed.
pub(crate) fn say(text: &str) {
    drop(writeln!(io::stderr(), "{text}"));
}

pub(crate) fn has_colour() -> bool {
    io::stdout().is_terminal()
        && env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
        && env::var_os("TERM").is_none_or(|term| term != "dumb")
}
