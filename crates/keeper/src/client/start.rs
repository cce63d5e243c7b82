//! Starting the keeper from a face: which program, detached from the terminal, and known to be ready.

use std::env;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf, absolute};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;

use serde::Deserialize;
use session::limits;

use crate::api::{Code, Failure};
use crate::files;
use crate::paths::Home;

/// The keeper's program: what `PILOTLIGHT_KEEPER` names, else the one beside this program, else the first in `PATH`.
pub fn program() -> Result<PathBuf, Failure> {
    if let Some(named) = env::var_os("PILOTLIGHT_KEEPER").filter(|named| !named.is_empty()) {
        return absolute(&named)
            .ok()
            .filter(|path| is_program(path))
            .ok_or_else(|| not_found(Path::new(&named)));
    }
    let beside = env::current_exe().ok().and_then(|exe| Some(exe.parent()?.join(NAME)));
    let path = env::var_os("PATH").unwrap_or_default();
    let in_path = env::split_paths(&path).filter(|dir| dir.is_absolute()).map(|dir| dir.join(NAME));
    beside.into_iter().chain(in_path).find(|path| is_program(path)).ok_or_else(|| not_found(Path::new(NAME)))
}

/// Starts a keeper for this home and returns when it, or another one that was quicker, listens.
pub(super) fn start(home: &Home) -> Result<(), Failure> {
    let program = program()?;
    home.prepare()?;
    let log = home.log();
    // Only for what it says before it writes its log itself, or as its last words: it starts without that as well.
    let stderr = files::append(&log).map_or_else(|_| Stdio::null(), Stdio::from);
    let mut command = Command::new(&program);
    command
        .arg("run")
        // Ctrl-C in the terminal of the face that came first is not meant for the keeper.
        .process_group(0)
        // It outlives whatever is mounted here.
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(stderr);
    if let Some(root) = home.root() {
        command.env("PILOTLIGHT_HOME", root);
    }
    let child = command.spawn().map_err(|error| unreachable(&error.to_string(), &log))?;
    match first_line(child).recv_timeout(limits::START) {
        Ok(line) => understand(&line, &log),
        Err(_) => Err(unreachable("it did not get ready in time", &log)),
    }
}

/// Reads on a thread, because a pipe has no deadline, and stays to bury the keeper: in a window that lives longer
/// than it, it would be a zombie.
fn first_line(mut child: Child) -> mpsc::Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut line = String::new();
        if let Some(stdout) = child.stdout.take() {
            drop(BufReader::new(stdout).read_line(&mut line));
        }
        if !line.is_empty() {
            drop(sender.send(line));
            drop(child.wait());
        } else if let Ok(status) = child.wait() {
            drop(sender.send(status.to_string()));
        }
    });
    receiver
}

fn understand(line: &str, log: &Path) -> Result<(), Failure> {
    #[derive(Deserialize)]
    struct Refusal {
        error: Failure,
    }
    match line.trim_end() {
        "ready" => Ok(()),
        other => {
            Err(serde_json::from_str(other)
                .map_or_else(|_| unreachable(other, log), |Refusal { error }| error))
        }
    }
}

fn is_program(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
}

fn not_found(path: &Path) -> Failure {
    Failure::new(Code::KeeperNotFound).with("path", path.display())
}

fn unreachable(problem: &str, log: &Path) -> Failure {
    Failure::new(Code::KeeperUnreachable).with("problem", format_args!("{problem}; see {}", log.display()))
}

const NAME: &str = "pilotlight-keeper";
