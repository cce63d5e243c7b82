//! The command in front of a keeper of the tests, as somebody at a terminal or a script runs it.

use std::fmt;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

use serde_json::Value;

use crate::programs::program;

use super::process::PROGRAM;
use super::{Keeper, PATIENCE, within};

/// What came of a command.
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// A command that has more to say.
pub(crate) struct Running {
    child: Child,
    /// Of one that is typed to meanwhile.
    stdin: Option<ChildStdin>,
    lines: Receiver<String>,
    said: Vec<String>,
}

impl Keeper {
    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        self.begin_with(arguments, "").end()
    }

    /// What is typed goes to standard input, where there is no terminal.
    pub(crate) fn run_typing(&self, arguments: &[&str], typed: &str) -> Ran {
        self.begin_with(arguments, typed).end()
    }

    pub(crate) fn begin(&self, arguments: &[&str]) -> Running {
        self.begin_with(arguments, "")
    }

    /// For [`Running::types`].
    pub(crate) fn begin_to_type(&self, arguments: &[&str]) -> Running {
        self.spawn_command(arguments)
    }

    fn begin_with(&self, arguments: &[&str], typed: &str) -> Running {
        let mut running = self.spawn_command(arguments);
        // A command that asks for nothing has perhaps ended already.
        drop(running.stdin.take().unwrap().write_all(typed.as_bytes()));
        running
    }

    fn spawn_command(&self, arguments: &[&str]) -> Running {
        let mut child = Command::new(program("pilotlight"))
            .args(arguments)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("PILOTLIGHT_HOME", self.home().root().unwrap())
            .env("PILOTLIGHT_KEEPER", PROGRAM)
            .env("LC_ALL", "C.UTF-8")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stdin = child.stdin.take();
        let stdout = child.stdout.take().unwrap();
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                sender.send(line).ok();
            }
        });
        Running { child, stdin, lines, said: Vec::new() }
    }
}

impl Running {
    /// The next line of standard output, which is there although the command goes on.
    pub(crate) fn line(&mut self) -> Value {
        let Ok(line) = self.lines.recv_timeout(PATIENCE) else {
            drop(self.child.kill());
            let mut err = String::new();
            drop(self.child.stderr.take().unwrap().read_to_string(&mut err));
            panic!("it says nothing: {err}");
        };
        let value =
            serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: a line of {}", line.len()));
        self.said.push(line);
        value
    }

    pub(crate) fn types(&mut self, text: &str) {
        self.stdin.as_mut().unwrap().write_all(text.as_bytes()).unwrap();
    }

    /// Ends it, as somebody does who does not want to wait.
    pub(crate) fn abandon(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Waits for the end.
    pub(crate) fn end(self) -> Ran {
        self.end_within(PATIENCE)
    }

    pub(crate) fn end_within(mut self, patience: Duration) -> Ran {
        let status = within(patience, "the command ends", || self.child.try_wait().unwrap());
        let mut err = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
        // Until the reader has met the end of the output.
        self.said.extend(self.lines.iter());
        Ran { code: status.code(), out: self.said.join("\n"), err }
    }
}

impl Ran {
    /// The last line, which with `--json` is what came of it.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        let last = self.out.lines().last().unwrap_or_default();
        serde_json::from_str(last).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    #[track_caller]
    pub(crate) fn went_well(self) -> Self {
        assert_eq!(self.code, Some(0), "{self:?}");
        self
    }

    /// Its exit code, and the code of the failure.
    #[track_caller]
    pub(crate) fn failed_with(&self) -> (Option<i32>, String) {
        let code = self.json()["error"]["code"].as_str().unwrap_or_else(|| panic!("{self:?}")).to_owned();
        (self.code, code)
    }
}

/// The output of a command may be a token, so only what is a failure is shown.
impl fmt::Debug for Ran {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let failure = self.out.lines().last().filter(|line| line.starts_with("{\"error\""));
        let shown = failure.map_or_else(|| format!("{} bytes", self.out.len()), str::to_owned);
        f.debug_struct("Ran").field("code", &self.code).field("out", &shown).field("err", &self.err).finish()
    }
}
