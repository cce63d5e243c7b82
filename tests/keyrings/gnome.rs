//! gnome-keyring, and the dialog of GNOME that asks for its password.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use super::keyring::{Keyring, PASSWORD, version_of};
use super::service::Service;
use super::stage::{Process, Stage, until};

pub(crate) struct Gnome {
    daemon: Option<Process>,
    _prompter: Process,
    stage: Stage,
}

impl Keyring for Gnome {
    const NAME: &str = "gnome-keyring";
    const DIALOG: &str = "Unlock Login Keyring";

    fn on(stage: Stage) -> Self {
        let program = PROMPTERS.into_iter().find(|path| Path::new(path).exists()).unwrap_or(PROMPTERS[0]);
        let mut command = stage.command(program);
        // It would otherwise end when nobody has needed it for a while.
        let prompter = Process::spawn(command.env("GCR_PERSIST", "1").env("NO_AT_BRIDGE", "1"));
        let service = Service::of(&stage);
        until("dialogs can come", || service.sees("org.gnome.keyring.SystemPrompter").then_some(()));
        Self { daemon: None, _prompter: prompter, stage }
    }

    fn stage(&self) -> &Stage {
        &self.stage
    }

    fn version(&self) -> String {
        version_of(&self.stage, PROGRAM)
    }

    fn start(&mut self) {
        let mut command = self.stage.command(PROGRAM);
        command.args(["--foreground", "--components=secrets", "--unlock"]).stdin(Stdio::piped());
        let mut daemon = Process::spawn(&mut command);
        daemon.tell(PASSWORD.as_bytes());
        self.daemon = Some(daemon);
        let service = self.service();
        until("the keyring is open", || service.is_open().then_some(()));
    }

    fn start_locked(&mut self) {
        let mut command = self.stage.command(PROGRAM);
        command.args(["--foreground", "--components=secrets"]);
        self.daemon = Some(Process::spawn(&mut command));
        let service = self.service();
        until("the keyring is there", || service.collection());
        assert!(!service.is_open());
    }

    fn process(&mut self) -> &mut Option<Process> {
        &mut self.daemon
    }

    fn files(&self) -> PathBuf {
        self.stage.path("data/keyrings")
    }
}

const PROGRAM: &str = "gnome-keyring-daemon";

/// No program for people, so it is not on the path.
const PROMPTERS: [&str; 2] = ["/usr/libexec/gcr-prompter", "/usr/libexec/gcr4-prompter"];
