//! What every stage has: directories and a bus of its own, a screen for dialogs, and the programs that are tested.
//!
//! Nothing on the bus starts by being asked for, so that what is there is what the test has put there.

use std::fs::{self, DirBuilder, File};
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::private_bus::Bus;
use crate::programs::program;

use super::screen::Screen;

/// Its processes end before its directory goes away.
pub(crate) struct Stage {
    screen: Screen,
    bus: Bus,
    dir: Scratch,
}

impl Stage {
    pub(crate) fn new() -> Self {
        let dir = Scratch::new();
        let bus = Bus::start(&dir.0, &format!("unix:path={}", dir.0.join("bus").display()), dir.log());
        let screen = Screen::new(dir.log());
        Self { screen, bus, dir }
    }

    pub(crate) fn screen(&self) -> &Screen {
        &self.screen
    }

    /// Where the session bus is.
    pub(crate) fn address(&self) -> &str {
        self.bus.address()
    }

    pub(crate) fn path(&self, inside: &str) -> PathBuf {
        self.dir.0.join(inside)
    }

    /// What every program here is told.
    pub(crate) fn env(&self) -> Vec<(&'static str, String)> {
        let path = |inside| self.path(inside).display().to_string();
        vec![
            ("PATH", std::env::var("PATH").unwrap()),
            ("HOME", path("")),
            ("XDG_RUNTIME_DIR", path("run")),
            ("XDG_DATA_HOME", path("data")),
            ("XDG_CONFIG_HOME", path("config")),
            ("XDG_CACHE_HOME", path("cache")),
            ("DBUS_SESSION_BUS_ADDRESS", self.bus.address().to_owned()),
            ("DBUS_SYSTEM_BUS_ADDRESS", self.bus.address().to_owned()),
            ("DISPLAY", self.screen.display().to_owned()),
            // Dialogs are found by their titles.
            ("LC_ALL", "C.UTF-8".to_owned()),
            ("PILOTLIGHT_HOME", path("home")),
            ("PILOTLIGHT_KEEPER", KEEPER.to_owned()),
            ("PILOTLIGHT_LOG", "debug".to_owned()),
        ]
    }

    /// With nothing to read, and what it says in the log.
    pub(crate) fn command(&self, program: impl AsRef<Path>) -> Command {
        let mut command = Command::new(program.as_ref());
        command.env_clear().envs(self.env());
        command.stdin(Stdio::null()).stdout(self.dir.log()).stderr(self.dir.log());
        command
    }

    /// The real one, once it is ready.
    pub(crate) fn start_keeper(&self, config: &str) -> Process {
        fs::write(self.path("home/config.toml"), config).unwrap();
        let mut keeper = Process::spawn(self.command(KEEPER).arg("run").stdout(Stdio::piped()));
        assert_eq!(keeper.first_line(), "ready");
        keeper
    }

    /// The command, as a script runs it. Without a keeper it would start one that outlives the stage.
    pub(crate) fn pilotlight(&self, arguments: &[&str], typed: &str) -> Output {
        let mut command = self.command(program("pilotlight"));
        output(command.args(arguments), typed)
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        if thread::panicking() {
            let read = |log| fs::read_to_string(self.path(log)).unwrap_or_default();
            let log = read("log") + &read("home/keeper.log");
            let tail: Vec<_> = log.lines().rev().take(40).collect();
            eprintln!("last words on the stage:");
            tail.into_iter().rev().for_each(|line| eprintln!("  {line}"));
        }
    }
}

/// Ends with the test, also when it panics.
pub(crate) struct Process(Child);

impl Process {
    pub(crate) fn spawn(command: &mut Command) -> Self {
        Self(command.spawn().unwrap_or_else(|error| not_installed(command, &error)))
    }

    /// What it is to read, and the end of it.
    pub(crate) fn tell(&mut self, text: &[u8]) {
        self.0.stdin.take().unwrap().write_all(text).unwrap();
    }

    pub(crate) fn first_line(&mut self) -> String {
        let mut line = String::new();
        BufReader::new(self.0.stdout.take().unwrap()).read_line(&mut line).unwrap();
        line.trim().to_owned()
    }

    pub(crate) fn kill(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }

    /// In good order.
    pub(crate) fn end(&mut self) {
        kill_process(Pid::from_child(&self.0), Signal::TERM).unwrap();
        until("it ends", || self.0.try_wait().unwrap());
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Runs it to its end.
pub(crate) fn output(command: &mut Command, typed: &str) -> Output {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap_or_else(|error| not_installed(command, &error));
    // One that asks for nothing has perhaps ended already.
    drop(child.stdin.take().unwrap().write_all(typed.as_bytes()));
    child.wait_with_output().unwrap()
}

/// Waits until `look` finds something, and fails the test when it does not in time.
pub(crate) fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < deadline, "in vain: {what}");
        thread::sleep(Duration::from_millis(10));
    }
}

fn not_installed(command: &Command, error: &std::io::Error) -> ! {
    let program = command.get_program().display();
    panic!("{program}: {error}. {}", needs(&program.to_string()))
}

/// What to do when the program is not there.
pub(crate) fn needs(program: &str) -> String {
    let found = PACKAGES.iter().find(|(name, _)| program == *name);
    let package = found.map_or(program, |(_, package)| package);
    format!(
        "This test needs it: apt-get install {package} (or all that tests need: tests/setup.sh packages-test)"
    )
}

struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let dir = std::env::temp_dir().join(format!("pilotlight-keyrings-{}-{number}", std::process::id()));
        drop(fs::remove_dir_all(&dir));
        for part in ["run", "data", "config", "cache", "home"] {
            DirBuilder::new().recursive(true).mode(0o700).create(dir.join(part)).unwrap();
        }
        Self(dir)
    }

    fn log(&self) -> File {
        File::options().append(true).create(true).open(self.0.join("log")).unwrap()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

/// Where a program is not called as its package is.
const PACKAGES: [(&str, &str); 6] = [
    ("Xvfb", "xvfb"),
    ("dbus-daemon", "dbus"),
    ("gnome-keyring-daemon", "gnome-keyring"),
    ("/usr/libexec/gcr-prompter", "gcr"),
    ("keepassxc-cli", "keepassxc"),
    ("kwalletd5", "libkf5wallet-bin libqca-qt5-2-plugins"),
];

const KEEPER: &str = env!("CARGO_BIN_EXE_pilotlight-keeper");

/// Longer than anything takes on a busy machine with two cores.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);
