//! What a process may do and have, and its independence of who started it.

use std::io;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use rustix::fs::Mode;
use rustix::process::{DumpableBehavior, Resource, Rlimit, getrlimit, setrlimit, umask};

/// No core dump, and no debugger of the same user, gets at the tokens and passwords that pass through this process.
/// A developer's own build stays debuggable.
///
/// # Errors
///
/// What did not work; the process is none the less useful, and somebody may want to know.
pub fn keep_memory_private() -> io::Result<()> {
    forbid_core_dumps()?;
    if !cfg!(debug_assertions) {
        rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    }
    Ok(())
}

/// The half of it that a process can do whose parts look at each other, as those of a web view do.
///
/// # Errors
///
/// As above.
pub fn forbid_core_dumps() -> io::Result<()> {
    setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })?;
    Ok(())
}

/// How many files and connections this process may have open at once; `None` where there is no limit.
pub fn descriptors() -> Option<u64> {
    getrlimit(Resource::Nofile).current
}

/// Takes as many as the system allows, as far as there is a use for them: what a process is given at first is what
/// programs of another age could count, and a burst of requests wants a connection each.
///
/// # Errors
///
/// What did not work; fewer will do.
pub fn take_descriptors() -> io::Result<()> {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let wanted = maximum.unwrap_or(MOST).min(MOST);
    if current.is_some_and(|current| current < wanted) {
        setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum })?;
    }
    Ok(())
}

/// A program that outlives the terminal and the folder that it is started from: a Ctrl-C there is not meant for it.
pub fn detach(command: &mut Command) -> &mut Command {
    command.process_group(0).current_dir("/")
}

/// Makes something in the file system that is this user's alone from the beginning.
pub fn privately<T>(make: impl FnOnce() -> T) -> T {
    let before = umask(Mode::from_raw_mode(0o177));
    let made = make();
    umask(before);
    made
}

/// Beyond that the memory for what they are open for ends first.
const MOST: u64 = 65_536;
