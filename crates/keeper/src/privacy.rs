//! Keeping the memory of a process to itself.

use std::io;

use rustix::process::{DumpableBehavior, Resource, Rlimit};

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

/// The half of it that a process can do whose parts look at each other through `/proc`, as those of a web view do.
///
/// # Errors
///
/// As above.
pub fn forbid_core_dumps() -> io::Result<()> {
    rustix::process::setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })?;
    Ok(())
}
