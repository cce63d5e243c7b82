//! What others lose at the same instants, with the same provider.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use crate::dice::Dice;
use crate::harness::Scratch;
use crate::lane::{EARLIEST_US, SPAN_US, signed};
use crate::provider::Provider;
use crate::trap::sleep_until;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Peer {
    Script,
    Msal,
}

/// When it was killed, in microseconds after the last byte of the answer, and whether the session was lost.
pub(crate) type Fall = (i64, bool);

impl Peer {
    pub(crate) const ALL: [Self; 2] = [Self::Script, Self::Msal];

    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Script => "a script of thirty lines (Python: a temporary file, `fsync`, `rename`)",
            Self::Msal => "MSAL for Python, the file cache of msal-extensions",
        }
    }

    /// The command that runs it, where it is installed.
    pub(crate) fn command(self) -> Option<Command> {
        let (python, script) = match self {
            Self::Script => (PathBuf::from("python3"), "script.py"),
            Self::Msal => (root().join("tests/.tools/peers/bin/python"), "msal_cache.py"),
        };
        let runs = Command::new(&python).args(["-c", "pass"]).status().is_ok_and(|status| status.success());
        let mut command = Command::new(python);
        command.arg(root().join("tests/crash/peers").join(script));
        runs.then_some(command)
    }

    pub(crate) fn run(self, kills: u32, mut dice: Dice) -> Vec<Fall> {
        let (provider, scratch) = (Provider::start(Duration::ZERO), Scratch::new());
        let (mut falls, mut killed) = (Vec::new(), None);
        for round in 0..=kills {
            let mut life = Life::begin(self.command().unwrap(), &provider, scratch.path());
            // The first look after a kill tells what became of the token.
            let goes_on = round > 0 && life.refresh("refresh") == "saved";
            falls.extend(killed.take().map(|after| (after, !goes_on)));
            if !goes_on {
                assert_eq!(life.refresh(&format!("begin {}", provider.sign_in())), "saved");
            }
            let offset = i64::try_from(dice.below(SPAN_US)).unwrap() - EARLIEST_US;
            killed = Some(life.fall(&provider, offset));
        }
        falls
    }
}

struct Life {
    process: Child,
    says: BufReader<ChildStdout>,
}

impl Life {
    fn begin(mut command: Command, provider: &Provider, state: &Path) -> Self {
        let mut process = command
            .args([provider.url(), &state.join("tokens").display().to_string()])
            .env_remove("HTTP_PROXY")
            .env_remove("http_proxy")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let says = BufReader::new(process.stdout.take().unwrap());
        let mut life = Self { process, says };
        assert_eq!(life.line(), "ready");
        life
    }

    fn refresh(&mut self, order: &str) -> String {
        self.order(order);
        self.line()
    }

    fn fall(&mut self, provider: &Provider, offset: i64) -> i64 {
        let sprung = provider.trap.arm();
        self.order("refresh");
        let due = sprung.due();
        let by = Duration::from_micros(offset.unsigned_abs());
        sleep_until(if offset < 0 { due - by } else { due + by });
        let killed = Instant::now();
        self.process.kill().unwrap();
        signed(sprung.last_byte(), killed)
    }

    fn order(&mut self, order: &str) {
        writeln!(self.process.stdin.as_mut().unwrap(), "{order}").unwrap();
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.says.read_line(&mut line).unwrap();
        line.trim().to_owned()
    }
}

impl Drop for Life {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}
