//! The real systemd, as the one of somebody who has logged in, in namespaces of its own.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use super::Scratch;

/// A machine that can be switched off and on.
pub(crate) struct Systemd {
    stage: Scratch,
    running: Option<(Child, ChildStdin, BufReader<ChildStdout>)>,
}

impl Systemd {
    /// Not on yet.
    pub(crate) fn new() -> Self {
        let machine = Self { stage: Scratch::new(), running: None };
        for (dir, mode) in [("home", 0o700), ("run", 0o700), ("secrets", 0o755)] {
            super::make_dir(&machine.stage.path().join(dir), mode);
        }
        machine
    }

    pub(crate) fn home(&self) -> PathBuf {
        self.stage.path().join("home")
    }

    /// `XDG_RUNTIME_DIR` of whoever is logged in.
    pub(crate) fn runtime(&self) -> PathBuf {
        self.stage.path().join("run")
    }

    /// Why it cannot be had on this machine, if it cannot.
    pub(crate) fn boot(&mut self) -> Result<(), String> {
        drop(fs::remove_dir_all(self.runtime()));
        super::make_dir(&self.runtime(), 0o700);
        let said = self.stage.path().join("boot.log");
        let mut child = Command::new("unshare")
            .args(["--mount", "--pid", "--cgroup", "--ipc", "--fork", "--mount-proc", "--kill-child"])
            .args(["sh", "-c", include_str!("systemd.sh")])
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("LC_ALL", "C.UTF-8")
            .env("STAGE", self.stage.path())
            .env("HOME", self.home())
            .env("XDG_RUNTIME_DIR", self.runtime())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(fs::File::create(&said).unwrap())
            .spawn()
            .map_err(|error| format!("unshare: {error}"))?;
        let mut answers = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        answers.read_line(&mut line).unwrap();
        if line != "ready\n" {
            drop(child.kill());
            child.wait().unwrap();
            return Err(fs::read_to_string(&said).unwrap());
        }
        let orders = child.stdin.take().unwrap();
        self.running = Some((child, orders, answers));
        Ok(())
    }

    /// Runs a line of a shell there; brings what it said, or panics with that.
    pub(crate) fn run(&mut self, line: &str) -> String {
        let (_, orders, answers) = self.running.as_mut().unwrap();
        orders.write_all(format!("{line}\n").as_bytes()).unwrap();
        let mut code = String::new();
        answers.read_line(&mut code).unwrap();
        let said = read(&self.stage.path().join("said"));
        assert_eq!(code, "0\n", "{line}: {said}{}", self.log());
        said
    }

    /// What it says itself.
    pub(crate) fn log(&self) -> String {
        read(&self.stage.path().join("systemd.log"))
    }

    /// As if it had lost its power.
    pub(crate) fn cut(&mut self) {
        if let Some((mut child, ..)) = self.running.take() {
            drop(child.kill());
            child.wait().unwrap();
        }
    }
}

impl Drop for Systemd {
    fn drop(&mut self) {
        self.cut();
    }
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_default()
}
