//! A keeper in a process and a home of its own.

use std::fs::{self, OpenOptions};
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::OpenOptionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use api::paths::Home;
use api::secret::Password;
use api::{Entry, Failure, Fetched, Note, Overview, PhaseView, Reply, Request, SessionView};
use client::Client;

use rustix::process::{Pid, Signal, kill_process};

use super::say::is_in_words;
use super::{Keyring, PATIENCE, Scratch, Wire, fetch, fetched, kind, until};

pub(crate) struct Keeper {
    home: Scratch,
    env: Vec<(String, String)>,
    /// How many descriptors it has, as `ulimit` takes it, where that is not the system's to say.
    descriptors: Option<&'static str>,
    /// What starts it, if not the test itself.
    starter: Vec<String>,
    running: Option<Child>,
}

impl Keeper {
    /// Its vault is in memory.
    pub(crate) fn start(profiles: &str) -> Self {
        let mut keeper = Self::idle(&format!("vault = \"memory\"\n\n{profiles}"));
        keeper.spawn();
        keeper
    }

    /// Its vault is a real keyring.
    pub(crate) fn with_keyring(profiles: &str, keyring: &Keyring) -> Self {
        let mut keeper = Self::idle(&format!("vault = \"keyring\"\n\n{profiles}"));
        keeper.env = keyring.env();
        keeper.spawn();
        keeper
    }

    /// Not started yet.
    pub(crate) fn idle(config: &str) -> Self {
        let keeper = Self {
            home: Scratch::new(),
            env: Vec::new(),
            descriptors: None,
            starter: Vec::new(),
            running: None,
        };
        keeper.write_config(config);
        keeper
    }

    pub(crate) fn home(&self) -> Home {
        Home::at(self.home.path()).unwrap()
    }

    pub(crate) fn write_config(&self, text: &str) {
        fs::write(self.home.path().join("config.toml"), text).unwrap();
    }

    /// For the lives that come.
    pub(crate) fn set_env(&mut self, name: &str, value: &str) {
        self.env.push((name.to_owned(), value.to_owned()));
    }

    /// For the lives that come: `-n 96` for good, `-Sn 96` for whoever is content with it.
    pub(crate) fn limit_descriptors(&mut self, limit: &'static str) {
        self.descriptors = Some(limit);
    }

    /// For the lives that come: a command that becomes the keeper.
    pub(crate) fn started_by(&mut self, command: &[&str]) {
        self.starter = command.iter().map(|&word| word.to_owned()).collect();
    }

    pub(crate) fn pid(&self) -> u32 {
        self.running.as_ref().unwrap().id()
    }

    /// Starts it, as a face does, and waits until it is ready.
    pub(crate) fn spawn(&mut self) {
        let (child, line) = self.spawn_and_read();
        assert_eq!(line, "ready\n", "{}", self.log());
        self.running = Some(child);
    }

    /// A process of this home and its first line.
    pub(crate) fn spawn_and_read(&self) -> (Child, String) {
        let mut child = self.command().spawn().unwrap();
        let (sender, first) = mpsc::channel();
        let stdout = child.stdout.take().unwrap();
        thread::spawn(move || {
            let mut line = String::new();
            drop(BufReader::new(stdout).read_line(&mut line));
            drop(sender.send(line));
        });
        match first.recv_timeout(PATIENCE) {
            Ok(line) => (child, line),
            Err(_) => {
                drop(child.kill());
                panic!("it did not get ready: {}", self.log());
            }
        }
    }

    /// As if the machine had lost its power.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.running.take() {
            drop(child.kill());
            child.wait().unwrap();
        }
    }

    /// A process of this home that lives for so long, from its very start.
    pub(crate) fn spawn_and_kill_after(&self, life: Duration) {
        let mut child = self.command().spawn().unwrap();
        thread::sleep(life);
        drop(child.kill());
        child.wait().unwrap();
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(self.running.as_ref().unwrap()), signal).unwrap();
    }

    /// In good order.
    pub(crate) fn stop(&mut self) {
        assert!(matches!(self.ask(Request::Stop { force: false }), Ok(Reply::Done)));
        let mut child = self.running.take().unwrap();
        let status = until("the keeper ends", || child.try_wait().unwrap());
        assert!(status.success(), "{status}");
    }

    pub(crate) fn restart(&mut self) {
        self.stop();
        self.spawn();
    }

    /// How it ended, once it has.
    pub(crate) fn ended(&mut self) -> Option<std::process::ExitStatus> {
        self.running.as_mut()?.try_wait().unwrap()
    }

    pub(crate) fn has_ended(&mut self) -> bool {
        self.running.as_mut().is_none_or(|child| child.try_wait().unwrap().is_some())
    }

    pub(crate) fn wire(&self) -> Wire {
        Wire::to(self.home().socket())
    }

    pub(crate) fn ask(&self, request: Request) -> Result<Reply, Failure> {
        let reply = self.wire().ask(request);
        match &reply {
            Ok(Reply::Status(overview)) => overview.problems.iter().for_each(is_in_words),
            Ok(_) => {}
            Err(failure) => is_in_words(failure),
        }
        reply
    }

    pub(crate) fn login_as(&self, profile: &str, user: &str, password: &str) -> Result<(), Failure> {
        self.ask(sign_in(profile, user, password)).map(|reply| assert!(matches!(reply, Reply::Status(_))))
    }

    /// Signs in as alice, and waits until there is an access token.
    pub(crate) fn login(&self, profile: &str) {
        self.login_as(profile, "alice", "wonderland").unwrap();
        self.until_fresh(profile);
    }

    pub(crate) fn fetch(&self, profile: &str, path: &str) -> Result<Fetched, Failure> {
        fetched(self.ask(fetch(profile, path)))
    }

    pub(crate) fn refresh(&self, profile: &str) -> Result<(), Failure> {
        self.ask(Request::Refresh { profile: profile.to_owned(), by: api::Asker::Person }).map(|_| ())
    }

    pub(crate) fn overview(&self) -> Overview {
        match self.ask(Request::Status { profile: None }) {
            Ok(Reply::Status(overview)) => overview,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn session(&self, profile: &str) -> SessionView {
        let found = self.overview().sessions.into_iter().find(|session| session.profile == profile);
        found.unwrap_or_else(|| panic!("no session {profile}"))
    }

    pub(crate) fn phase(&self, profile: &str) -> PhaseView {
        self.session(profile).phase
    }

    pub(crate) fn until_fresh(&self, profile: &str) {
        until("the session is fresh", || {
            let session = self.session(profile);
            let good = session.access.is_some_and(|access| !access.rejected);
            (good && session.phase == PhaseView::Fresh).then_some(())
        });
    }

    pub(crate) fn until_phase(&self, profile: &str, wanted: PhaseView) {
        until("the session is in that phase", || (self.phase(profile) == wanted).then_some(()));
    }

    /// What the journal says of the profile, oldest first.
    pub(crate) fn notes(&self, profile: &str) -> Vec<Note> {
        let mut notes: Vec<Note> = self.entries(Some(profile)).into_iter().map(|entry| entry.note).collect();
        notes.reverse();
        notes
    }

    /// Newest first.
    pub(crate) fn entries(&self, profile: Option<&str>) -> Vec<Entry> {
        let request = Request::Log { profile: profile.map(str::to_owned), before: None, limit: Some(1000) };
        match self.ask(request) {
            Ok(Reply::Log { entries }) => entries,
            other => panic!("{other:?}"),
        }
    }

    /// How many notes of that kind the journal has of the profile.
    pub(crate) fn noted(&self, profile: &str, wanted: &str) -> usize {
        self.notes(profile).iter().filter(|note| kind(note) == wanted).count()
    }

    /// The most memory that it has had since then.
    pub(crate) fn peak_kib(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }

    pub(crate) fn forget_peak(&self) {
        fs::write(format!("/proc/{}/clear_refs", self.pid()), "5").unwrap();
    }

    /// What it said, from all its lives.
    pub(crate) fn log(&self) -> String {
        let older = self.log_path().with_extension("log.1");
        let files = [older, self.log_path()].into_iter().filter(|path| path.is_file());
        files.map(|path| fs::read_to_string(path).unwrap_or_default()).collect()
    }

    /// As somebody starts it in a terminal. Waits until it answers.
    pub(crate) fn spawn_for_a_person(&mut self, command: &mut Command) {
        self.running = Some(command.spawn().unwrap());
        until("it answers", || Client::running(&self.home()).ok().flatten().map(|_| ()));
    }

    pub(crate) fn command(&self) -> Command {
        let program = match (self.descriptors, &self.starter[..]) {
            (None, []) => Command::new(PROGRAM),
            (None, [starter, words @ ..]) => {
                let mut command = Command::new(starter);
                command.args(words).arg(PROGRAM);
                command
            }
            (Some(limit), _) => {
                let mut command = Command::new("sh");
                command.args(["-c", &format!("ulimit {limit} && exec \"$0\" \"$@\""), PROGRAM]);
                command
            }
        };
        self.command_of(program, "run")
    }

    /// The program may be started by another one, such as a shell.
    pub(crate) fn command_of(&self, mut command: Command, word: &str) -> Command {
        command
            .arg(word)
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(self.stderr())
            // The keyring and the proxies of whoever runs the tests are none of the tests' business.
            .env_remove("DBUS_SESSION_BUS_ADDRESS")
            .envs(PROXIES.map(|name| (name, "")))
            .env("XDG_RUNTIME_DIR", self.home.path())
            .env("PILOTLIGHT_LOG", "debug")
            .env("PILOTLIGHT_HOME", self.home.path());
        command.envs(self.env.iter().map(|(name, value)| (name, value)));
        command
    }

    fn stderr(&self) -> Stdio {
        if fs::metadata(self.log_path()).is_ok_and(|data| !data.is_file()) {
            return Stdio::null();
        }
        OpenOptions::new().append(true).create(true).mode(0o600).open(self.log_path()).unwrap().into()
    }

    fn log_path(&self) -> PathBuf {
        self.home.path().join("keeper.log")
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        if thread::panicking() {
            let log = self.log();
            let tail: Vec<_> = log.lines().rev().take(40).collect();
            eprintln!("the keeper's last words:");
            tail.into_iter().rev().for_each(|line| eprintln!("  {line}"));
        }
        if let Some(mut child) = self.running.take() {
            // It may have lost its socket, or hang: then it is killed.
            // One that stands still hears of nothing.
            for signal in [Signal::CONT, Signal::TERM] {
                kill_process(Pid::from_child(&child), signal).ok();
            }
            for _ in 0..100 {
                if !matches!(child.try_wait(), Ok(None)) {
                    return;
                }
                thread::sleep(Duration::from_millis(10));
            }
            drop(child.kill());
            drop(child.wait());
        }
    }
}

/// An empty one is none.
const PROXIES: [&str; 8] = [
    "ALL_PROXY",
    "all_proxy",
    "HTTP_PROXY",
    "http_proxy",
    "HTTPS_PROXY",
    "https_proxy",
    "NO_PROXY",
    "no_proxy",
];

/// The keeper's.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_pilotlight-keeper");

pub(crate) fn sign_in(profile: &str, user: &str, password: &str) -> Request {
    Request::Login {
        profile: profile.to_owned(),
        username: user.to_owned(),
        password: Password::new(password.to_owned()),
    }
}
