//! The keeper as a service of the real systemd, which gives it the credential that its key is sealed with. The unit and
//! the commands are those of `docs/keys.md`, word for word.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::Duration;

use api::{Call, Line, Overview, PhaseView, Reply, Request, VaultKind};
use pilotlight_sandbox::Dialect;

use crate::harness::{Bench, PROGRAM, Systemd, sign_in, until};
use crate::programs::program;

const DOCUMENT: &str = include_str!("../../docs/keys.md");

#[test]
fn the_unit_of_the_document_keeps_a_session_under_the_real_systemd() {
    let Some(mut machine) = Machine::on() else { return };
    let encrypt = block("sh", "systemd-creds encrypt");
    // An older one knows the credentials of the system's services only, and makes no other difference.
    let has_user = machine.systemd.run("systemd-creds --help").contains("--user");
    machine.systemd.run(&if has_user { encrypt.to_owned() } else { encrypt.replace(" --user", "") });
    machine.keeps_a_session(block("ini", "LoadCredentialEncrypted="), "key.cred");
}

#[test]
fn a_plain_file_does_as_well() {
    let Some(mut machine) = Machine::on() else { return };
    machine.systemd.run("head -c 32 /dev/urandom >~/.config/pilotlight/key");
    let unit = block("ini", "LoadCredentialEncrypted=");
    let plain = unit.replace("LoadCredentialEncrypted=", "LoadCredential=").replace("key.cred", "key");
    machine.keeps_a_session(&plain, "key");
}

/// What stands between the fences of that language and has these words in it.
fn block(language: &str, words: &str) -> &'static str {
    let blocks = DOCUMENT.split("```").skip(1).step_by(2);
    let mut texts = blocks.filter_map(|block| block.strip_prefix(language)?.strip_prefix('\n'));
    texts.find(|text| text.contains(words)).unwrap_or_else(|| panic!("no {words} in docs/keys.md")).trim_end()
}

impl Drop for Machine {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = self.systemd.home().join(".local/state/pilotlight/keeper.log");
            eprintln!("{}", fs::read_to_string(log).unwrap_or_default());
            eprintln!("{}", self.systemd.log());
        }
    }
}

struct Machine {
    bench: Bench,
    systemd: Systemd,
}

impl Machine {
    /// A machine may not let itself be divided, as some containers do not; then nothing here can be shown on it.
    fn on() -> Option<Self> {
        let bench = Bench::strict(Duration::from_secs(60));
        let mut systemd = Systemd::new();
        for dir in [".config/pilotlight", ".config/systemd/user", ".local/bin"] {
            fs::create_dir_all(systemd.home().join(dir)).unwrap();
        }
        for from in [program("pilotlight"), PathBuf::from(PROGRAM)] {
            symlink(&from, systemd.home().join(".local/bin").join(from.file_name().unwrap())).unwrap();
        }
        let config = format!("vault = \"credential\"\n\n{}", bench.profile(Dialect::NestJs, ""));
        fs::write(systemd.home().join(".config/pilotlight/config.toml"), config).unwrap();
        if let Err(why) = systemd.boot() {
            let note = format!(
                "note: no systemd can be started on this machine, so none gave a credential: {why}\n"
            );
            // Past what holds back the words of a test that passes.
            std::io::stderr().write_all(note.as_bytes()).unwrap();
            return None;
        }
        Some(Self { bench, systemd })
    }

    fn keeps_a_session(&mut self, unit: &str, key: &str) {
        let path = unit.lines().next().unwrap().strip_prefix("# ~/").expect("the unit says where it belongs");
        fs::write(self.systemd.home().join(path), unit).unwrap();
        self.systemd.run("systemctl --user daemon-reload");
        self.systemd.run(block("sh", "enable --now"));
        until("the keeper answers", || self.overview());
        self.ask(sign_in("nestjs", "alice", "wonderland")).unwrap();
        self.is_fresh("after the sign-in");
        until("it is saved", || self.overview()?.sessions.first()?.saved.then_some(()));

        self.systemd.run("systemctl --user restart pilotlight");
        self.is_fresh("after a restart");
        let before = self.pid();
        self.systemd.run(&format!("kill -KILL {before}"));
        until("another process is there", || (!["0", &before].contains(&self.pid().as_str())).then_some(()));
        self.is_fresh("after a kill");
        self.systemd.run("systemctl --user stop pilotlight");
        assert!(self.overview().is_none(), "nobody is there");
        self.systemd.run("systemctl --user start pilotlight");
        self.is_fresh("after a stop");

        // Killed without a word to systemd, and everything with it; whoever logs in again has it again.
        self.systemd.cut();
        self.systemd.boot().unwrap();
        self.is_fresh("after a power cut");

        // Without its credential it is not even started, and finds everything afterwards.
        self.systemd.run("systemctl --user stop pilotlight");
        let place = self.systemd.home().join(".config/pilotlight");
        fs::rename(place.join(key), place.join("elsewhere")).unwrap();
        self.systemd.run("systemctl --user start pilotlight");
        let state = "systemctl --user show --property=ActiveState --value pilotlight";
        until("systemd gives up", || self.systemd.run(state).starts_with("failed").then_some(()));
        fs::rename(place.join("elsewhere"), place.join(key)).unwrap();
        self.systemd.run("systemctl --user reset-failed pilotlight; systemctl --user start pilotlight");
        self.is_fresh("once its credential is back");
    }

    /// With nobody having signed in more than once.
    fn is_fresh(&mut self, when: &str) {
        let overview = until(&format!("the session is fresh {when}"), || {
            let overview = self.overview()?;
            let session = overview.sessions.first()?;
            let is_fresh = session.access.is_some() && session.phase == PhaseView::Fresh;
            (is_fresh && overview.vault.trouble.is_none()).then_some(overview)
        });
        assert_eq!(self.bench.counted(Dialect::NestJs).logins, 1, "{when}");
        assert_eq!((overview.vault.kind, overview.problems), (VaultKind::Credential, vec![]), "{when}");
    }

    fn pid(&mut self) -> String {
        self.systemd.run("systemctl --user show --property=MainPID --value pilotlight").trim().to_owned()
    }

    fn overview(&self) -> Option<Overview> {
        let Reply::Status(overview) = self.ask(Request::Status { profile: None })? else { return None };
        Some(overview)
    }

    /// Nothing while nobody is there, or who is there just ends.
    fn ask(&self, request: Request) -> Option<Reply> {
        let mut stream = UnixStream::connect(self.systemd.runtime().join("pilotlight/agent.sock")).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(40))).unwrap();
        let mut line = serde_json::to_vec(&Call { id: 1, request }).unwrap();
        line.push(b'\n');
        stream.write_all(&line).ok()?;
        let mut answer = String::new();
        BufReader::new(stream).read_line(&mut answer).ok()?;
        match serde_json::from_str(&answer).ok()? {
            Line::Answer { reply, .. } => Some(reply),
            Line::Refusal { error, .. } => panic!("{error:?}"),
            Line::Notice { .. } => None,
        }
    }
}
