use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::inotify::{self, CreateFlags, WatchFlags};
use rustix::time::Timespec;

/// Tells when some folders lose a file, or are moved or deleted, but not when a parent is.
#[derive(Debug)]
pub struct Losses(OwnedFd);

impl Losses {
    /// Fails when a folder is missing, or the system has no more watches.
    pub fn of<'a>(folders: impl IntoIterator<Item = &'a Path>) -> io::Result<Self> {
        let changes = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?;
        let events =
            WatchFlags::DELETE | WatchFlags::DELETE_SELF | WatchFlags::MOVED_FROM | WatchFlags::MOVE_SELF;
        for folder in folders {
            inotify::add_watch(&changes, folder, events | WatchFlags::ONLYDIR)?;
        }
        Ok(Self(changes))
    }

    /// Blocks for `patience` at most; returns whether there was a loss.
    pub fn wait(&self, patience: Duration) -> bool {
        let patience = Timespec::try_from(patience).unwrap_or_default();
        let mut all = [PollFd::new(&self.0, PollFlags::IN)];
        poll(&mut all, Some(&patience)).is_ok_and(|count| count > 0)
    }
}
