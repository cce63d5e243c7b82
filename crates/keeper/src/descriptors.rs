//! How many files and connections a process may have open at once.

use std::io;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Takes as many as the system allows, as far as there is a use for them: what a process is given at first is what
/// programs of another age could count, and a burst of requests wants a connection each.
///
/// # Errors
///
/// What did not work; fewer will do.
pub fn take_all() -> io::Result<()> {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let wanted = maximum.unwrap_or(MOST).min(MOST);
    if current.is_some_and(|current| current < wanted) {
        setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum })?;
    }
    Ok(())
}

/// Beyond that the memory for what they are open for ends first.
const MOST: u64 = 65_536;
