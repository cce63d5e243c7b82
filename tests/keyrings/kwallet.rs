//! KWallet, which is opened by the login or by its own dialog.
//!
//! It writes its file five seconds after the last change, and what it is killed before is lost. After a login its
//! wallet is open, but says that it is locked until an application unlocks it, for which nobody is asked.

use std::fs;
use std::io::Write as _;
use std::num::NonZeroU32;
use std::os::fd::OwnedFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::SystemTime;

use aws_lc_rs::pbkdf2::{self, PBKDF2_HMAC_SHA512};

use super::keyring::{Keyring, PASSWORD, version_of};
use super::stage::{Process, Stage, needs, until};

pub(crate) struct KWallet {
    daemon: Option<Process>,
    stage: Stage,
}

impl KWallet {
    /// Starts it as its PAM module does, which is the only way to make a wallet without a dialog.
    fn log_in(&mut self) {
        fs::create_dir_all(self.files()).unwrap();
        fs::write(self.files().join("kdewallet.salt"), SALT).unwrap();
        let socket = self.stage.path("run/kwallet.socket");
        drop(fs::remove_file(&socket));
        let listener = UnixListener::bind(&socket).unwrap();
        let mut command = self.stage.command("sh");
        // The shell puts the two into places that are nothing else to the program.
        command.args(["-c", "exec \"$0\" --pam-login 3 4 3<&0 4<&1 </dev/null >&2", installed()]);
        command.env("PAM_KWALLET5_LOGIN", &socket).stdin(Stdio::piped()).stdout(OwnedFd::from(listener));
        let mut daemon = Process::spawn(&mut command);
        daemon.tell(&key());
        let environment = self.stage.env().into_iter().map(|(name, value)| format!("{name}={value}\n"));
        let mut session = UnixStream::connect(&socket).unwrap();
        session.write_all(environment.collect::<String>().as_bytes()).unwrap();
        self.daemon = Some(daemon);
    }

    /// As the login does that comes after the start.
    pub(crate) fn open_by_the_login(&self) {
        self.service().call_kwallet("pamOpen", &("kdewallet", key().as_slice(), 0));
    }

    fn wallet(&self) -> PathBuf {
        self.files().join("kdewallet.kwl")
    }

    fn changed(&self) -> Option<SystemTime> {
        fs::metadata(self.wallet()).and_then(|data| data.modified()).ok()
    }
}

impl Keyring for KWallet {
    const NAME: &str = "KWallet";
    const DIALOG: &str = "KDE Wallet Service";

    fn on(stage: Stage) -> Self {
        fs::write(stage.path("config/kwalletrc"), SETTINGS).unwrap();
        Self { daemon: None, stage }
    }

    fn stage(&self) -> &Stage {
        &self.stage
    }

    fn version(&self) -> String {
        version_of(&self.stage, installed())
    }

    fn written<T>(&self, change: impl FnOnce() -> T) -> T {
        let before = self.changed();
        let outcome = change();
        until("the wallet is written", || (self.changed() != before).then_some(()));
        outcome
    }

    fn start(&mut self) {
        if !self.wallet().exists() {
            self.log_in();
            until("a wallet is made", || {
                fs::metadata(self.wallet()).is_ok_and(|data| data.len() > 0).then_some(())
            });
            // In the life that made it, it is not the default one.
            self.end();
        }
        self.log_in();
        let service = self.service();
        until("the wallet is there", || service.collection());
    }

    fn start_locked(&mut self) {
        self.daemon = Some(Process::spawn(&mut self.stage.command(installed())));
        let service = self.service();
        until("the wallet is there", || service.collection());
        assert!(!service.is_open());
    }

    fn process(&mut self) -> &mut Option<Process> {
        &mut self.daemon
    }

    fn files(&self) -> PathBuf {
        self.stage.path("data/kwalletd")
    }
}

/// What the login makes of the password.
fn key() -> [u8; 56] {
    let mut key = [0; 56];
    let rounds = NonZeroU32::new(50_000).unwrap();
    pbkdf2::derive(PBKDF2_HMAC_SHA512, rounds, &SALT, PASSWORD.as_bytes(), &mut key);
    key
}

/// The name that it has here; of several, the newest.
fn installed() -> &'static str {
    let path = std::env::var_os("PATH").unwrap();
    let has = |name: &&str| std::env::split_paths(&path).any(|dir: PathBuf| Path::exists(&dir.join(name)));
    PROGRAMS.into_iter().find(has).unwrap_or_else(|| panic!("there is no KWallet. {}", needs("kwalletd5")))
}

const PROGRAMS: [&str; 3] = ["ksecretd", "kwalletd6", "kwalletd5"];

const SALT: [u8; 56] = [7; 56];

const SETTINGS: &str = "[Wallet]
First Use=false
Enabled=true
Prompt on Open=false
Leave Open=true
Close When Idle=false
Default Wallet=kdewallet

[org.freedesktop.secrets]
apiEnabled=true
";
