use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;

use api::paths::Home;
use api::{Code, Failure, Problem};
use serde::Deserialize;
use session::limits;

use crate::programs::Program;

/// Returns when this keeper, or another one that was quicker, listens.
pub(super) fn start(home: &Home) -> Result<(), Failure> {
    let program = Program::Keeper.find()?;
    home.prepare()?;
    let log = home.log();
    // For what the keeper says before it has a log, and for its last words. It starts without that as well.
    let stderr = os::files::append(&log).map_or_else(|_| Stdio::null(), Stdio::from);
    let mut command = Command::new(&program);
    os::process::detach(&mut command).arg("run").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(stderr);
    if let Some(root) = home.root() {
        command.env("PILOTLIGHT_HOME", root);
    }
    let child = command.spawn().map_err(|error| unreachable(Problem::said(error), &log))?;
    match first_line(child).recv_timeout(limits::START) {
        Ok(line) => understand(&line, &log),
        Err(_) => Err(unreachable(Problem::NotReady, &log)),
    }
}

/// On a thread, because a pipe has no deadline. The thread then reaps the keeper, a zombie otherwise.
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
        other => Err(serde_json::from_str(other)
            .map_or_else(|_| unreachable(Problem::said(other), log), |Refusal { error }| error)),
    }
}

fn unreachable(problem: Problem, log: &Path) -> Failure {
    Failure::new(Code::KeeperUnreachable).because(problem).with("log", log.display())
}
