use std::io;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use rustix::fs::Mode;
use rustix::process::{DumpableBehavior, Resource, Rlimit, getrlimit, setrlimit, umask};

/// Keeps core dumps and debuggers of the same user away from the secrets here. Debug builds stay debuggable.
pub fn keep_memory_private() -> io::Result<()> {
    forbid_core_dumps()?;
    if !cfg!(debug_assertions) {
        rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    }
    Ok(())
}

/// For a process whose own parts look at each other, as those of a web view do.
pub fn forbid_core_dumps() -> io::Result<()> {
    setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })?;
    Ok(())
}

/// Files and connections that may be open at once; `None` where there is no limit.
pub fn descriptors() -> Option<u64> {
    getrlimit(Resource::Nofile).current
}

/// The default limit is low, and a burst of requests needs a connection each. Fewer do as well.
pub fn take_descriptors() -> io::Result<()> {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let wanted = maximum.unwrap_or(MOST).min(MOST);
    if current.is_some_and(|current| current < wanted) {
        setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum })?;
    }
    Ok(())
}

/// The name of the program that another process of this user runs, as far as the system keeps it.
pub fn name_of(pid: u32) -> Option<String> {
    let name = std::fs::read_to_string(format!("/proc/{pid}/comm")).ok()?;
    Some(name.trim_end().to_owned())
}

/// A Ctrl-C in the terminal that it was started from does not reach it.
pub fn detach(command: &mut Command) -> &mut Command {
    command.process_group(0).current_dir("/")
}

/// What `make` creates is this user's alone from the beginning.
pub fn privately<T>(make: impl FnOnce() -> T) -> T {
    let before = umask(Mode::from_raw_mode(0o177));
    let made = make();
    umask(before);
    made
}

/// With more connections the memory would end first.
const MOST: u64 = 65_536;
