//! What others lose at the same instants, with the same provider.

use std::env;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};

use crate::dice::Dice;
use crate::disk::Plain;
use crate::harness::Scratch;
use crate::lane::signed;
use crate::provider::Provider;
use crate::trap::sleep_until;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Peer {
    Script,
    Msal,
    Pizauth,
    OidcAgent,
}

/// When it was killed, in microseconds after the last byte of the answer, and whether the session was lost.
pub(crate) type Fall = (i64, bool);

impl Peer {
    pub(crate) const ALL: [Self; 4] = [Self::Script, Self::Msal, Self::Pizauth, Self::OidcAgent];

    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Script => "a script of thirty lines (Python: a temporary file, `fsync`, `rename`)",
            Self::Msal => "MSAL for Python, the file cache of msal-extensions",
            Self::Pizauth => "pizauth, which dumps each change into a file (`token_event_cmd`)",
            Self::OidcAgent => "oidc-agent",
        }
    }

    /// How often it is killed beside a thousand of the keeper's.
    pub(crate) fn kills(self) -> u32 {
        match self {
            Self::Script | Self::Msal | Self::Pizauth => 250,
            // It derives a key from the password whenever it reads or writes, which takes seconds.
            Self::OidcAgent => 60,
        }
    }

    /// The command that runs it, where it is installed.
    pub(crate) fn command(self) -> Option<Command> {
        let (script, program) = match self {
            Self::Script => ("script.py", None),
            Self::Msal => ("msal_cache.py", None),
            Self::Pizauth => ("pizauth.py", Some("pizauth")),
            Self::OidcAgent => ("oidc_agent.py", Some("oidc-agent")),
        };
        let python = if self == Self::Msal { installed().join("python") } else { found("python3")? };
        let is_there = program.is_none_or(|program| found(program).is_some());
        let mut command = Command::new(&python);
        command
            .arg(root().join("tests/crash/peers").join(script))
            .env("PATH", env::join_paths(places()).unwrap());
        (is_there && python.exists()).then_some(command)
    }

    pub(crate) fn run(self, kills: u32, mut dice: Dice, plain: &Plain) -> Vec<Fall> {
        let (provider, scratch) = (Provider::start(Duration::ZERO), Scratch::new());
        let (mut falls, mut killed) = (Vec::new(), None);
        for round in 0..=kills {
            let mut life = Life::begin(self.command().unwrap(), &provider, scratch.path());
            // The first look after a kill tells what became of the token.
            let goes_on = round > 0 && life.refresh("refresh") == "saved";
            falls.extend(killed.take().map(|after| (after, !goes_on)));
            if !goes_on {
                assert_eq!(life.refresh(&format!("begin {}", provider.sign_in())), "saved", "{self:?}");
            }
            killed = Some(life.fall(&provider, plain.instant(&mut dice)));
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
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .process_group(0)
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

    fn fall(mut self, provider: &Provider, offset: i64) -> i64 {
        let sprung = provider.trap.arm();
        self.order("refresh");
        sleep_until(sprung.due(offset));
        let killed = Instant::now();
        drop(self);
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
    /// With all that it has started, which has ended when nobody can write a line any more.
    fn drop(&mut self) {
        kill_process_group(Pid::from_child(&self.process), Signal::KILL).ok();
        drop(self.process.wait());
        drop(self.says.read_to_end(&mut Vec::new()));
    }
}

fn found(program: &str) -> Option<PathBuf> {
    places().into_iter().map(|place| place.join(program)).find(|path| path.is_file())
}

fn places() -> Vec<PathBuf> {
    let rest = env::var_os("PATH").unwrap_or_default();
    [installed()].into_iter().chain(env::split_paths(&rest)).collect()
}

/// Where `tests/setup.sh peers` puts what Debian does not have.
fn installed() -> PathBuf {
    root().join("tests/.tools/peers/bin")
}

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}
