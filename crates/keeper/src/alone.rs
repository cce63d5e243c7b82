//! For tests of what belongs to a whole process: its limits, its end.

use std::env;
use std::process::Command;

pub(crate) fn alone(module: &str, test: &str) -> Command {
    let module = module.split_once("::").unwrap().1;
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["--exact", "--test-threads=1", "--nocapture", &format!("{module}::{test}")]);
    command
}

/// Fails also if there is no such test.
pub(crate) fn passes(command: &mut Command) {
    let output = command.output().unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && told.contains("1 passed"),
        "{told}{}",
        String::from_utf8_lossy(&output.stderr)
    );
}
