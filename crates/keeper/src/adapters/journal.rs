//! The journal: every decision with its reason and without a secret, in SQLite on a thread of its own. A bad disk costs
//! entries, never sessions. It also has a text for each profile, and which refresh token is in flight and may be spent.

mod clerk;
mod desk;
mod store;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;

use rusqlite::ErrorCode;
use session::limits;
use session::note::Note;
use session::tokens::RefreshToken;
use thiserror::Error;
use tokio::sync::oneshot;
use tokio::time::timeout;

use api::{Code, Entry, Failure, Problem};

use clerk::Clerk;
use desk::{Desk, Order, Page};
pub use store::InFlight;

/// Cloning is cheap. No question waits for a disk longer than [`limits::DISK`].
#[derive(Clone)]
pub struct Journal(Arc<Opened>);

struct Opened {
    desk: Arc<Desk>,
    place: Place,
}

#[derive(Clone)]
enum Place {
    File(PathBuf),
    Memory,
}

#[derive(Debug, Error)]
pub enum JournalError {
    #[error("damaged, or not a journal: {0}")]
    Damaged(String),
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("written by a newer version")]
    Newer,
    #[error("not a file")]
    NotAFile,
    #[error("the disk does not answer")]
    Slow,
    #[error("{0}")]
    Sql(rusqlite::Error),
}

impl Journal {
    /// A file that is no journal is moved aside; while none can be opened, entries wait in memory. `changed` is
    /// called, on another thread, when [`Journal::problem`] changes.
    pub fn open(path: &Path, changed: impl Fn() + Send + 'static) -> Self {
        Self::at(Place::File(path.to_owned()), Box::new(changed))
    }

    pub fn memory() -> Self {
        Self::at(Place::Memory, Box::new(|| {}))
    }

    fn at(place: Place, changed: Box<dyn Fn() + Send>) -> Self {
        let desk = Arc::new(Desk::default());
        let clerk = Clerk::new(Arc::clone(&desk), place.clone(), changed);
        let (tell, opened) = std::sync::mpsc::channel();
        match thread::Builder::new().name("journal".into()).spawn(move || clerk.run(&tell)) {
            // The first entries continue the numbers on the disk, if these can be read in time.
            Ok(_) => drop(opened.recv_timeout(limits::DISK)),
            Err(error) => tracing::warn!(%error, "no thread for the journal; it is kept in memory only"),
        }
        Self(Arc::new(Opened { desk, place }))
    }

    pub fn write(&self, profile: Option<&str>, note: &Note) -> Entry {
        self.0.desk.write(profile, note)
    }

    /// The newest `limit` entries with smaller ids than `before`, newest first: of one profile and the keeper, or all.
    pub fn read(
        &self,
        profile: Option<&str>,
        before: Option<i64>,
        limit: u32,
    ) -> impl Future<Output = Result<Vec<Entry>, JournalError>> + Send + use<> {
        let profile = profile.map(str::to_owned);
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let page = Page { profile, before: before.unwrap_or(i64::MAX), limit };
        let answer = self.ask(|answer| Order::Read { page, answer });
        async move { answer.await.unwrap_or(Err(JournalError::Slow)) }
    }

    /// When it ends, the mark is on the disk and survives a power cut, or it took too long, which is logged.
    pub fn mark_in_flight(
        &self,
        profile: &str,
        token: &RefreshToken,
    ) -> impl Future<Output = ()> + Send + use<> {
        let (profile, token) = (profile.to_owned(), token.clone());
        let marked = self.ask(|answer| Order::Mark { profile, token, answer });
        async move {
            if marked.await.is_none() {
                tracing::warn!("an exchange goes on without a mark that it is under way");
            }
        }
    }

    pub fn clear_in_flight(&self, profile: &str) {
        self.0.desk.order(Order::Clear { profile: profile.to_owned() });
    }

    pub fn in_flight(&self, profile: &str) -> impl Future<Output = Option<InFlight>> + Send + use<> {
        let profile = profile.to_owned();
        let marked = self.ask(|answer| Order::InFlight { profile, answer });
        async move { marked.await.flatten() }
    }

    /// Replaces the earlier text. No secret belongs into it.
    pub fn remember(&self, profile: &str, text: String) {
        self.0.desk.order(Order::Remember { profile: profile.to_owned(), text });
    }

    pub fn recall(&self, profile: &str) -> impl Future<Output = Option<String>> + Send + use<> {
        let profile = profile.to_owned();
        let kept = self.ask(|answer| Order::Recall { profile, answer });
        async move { kept.await.flatten() }
    }

    pub fn forget(&self, profile: &str) {
        self.0.desk.forget(profile);
    }

    pub fn problem(&self) -> Option<Failure> {
        self.0.desk.trouble(|| self.0.place.failure(&JournalError::Slow))
    }

    /// Writes what waits, and folds all into one file. A journal that is not closed loses nothing.
    pub fn close(&self) -> impl Future<Output = ()> + Send + use<> {
        let closed = self.ask(|answer| Order::Close { answer });
        async move {
            if closed.await.is_none() {
                tracing::warn!("the journal was not closed");
            }
        }
    }

    fn ask<T: Send, F: FnOnce(oneshot::Sender<T>) -> Order>(
        &self,
        order: F,
    ) -> impl Future<Output = Option<T>> + Send + use<T, F> {
        let (answer, answered) = oneshot::channel();
        self.0.desk.order(order(answer));
        async move { timeout(limits::DISK, answered).await.ok()?.ok() }
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        self.desk.close();
    }
}

impl Place {
    fn failure(&self, error: &JournalError) -> Failure {
        let path = match self {
            Self::File(path) => path.as_path(),
            Self::Memory => Path::new(""),
        };
        let failure = if error.is_of_a_full_disk(path) {
            Failure::new(Code::DiskFull)
        } else {
            Failure::new(Code::JournalFailed).because(error.problem())
        };
        failure.with("path", path.display())
    }
}

impl JournalError {
    pub fn problem(&self) -> Problem {
        match self {
            Self::Damaged(said) => Problem::JournalDamaged { said: said.clone() },
            Self::Io(error) => Problem::said(error),
            Self::Newer => Problem::JournalNewer,
            Self::NotAFile => Problem::NotAFile,
            Self::Slow => Problem::DiskSlow,
            Self::Sql(error) => Problem::said(error),
        }
    }

    /// Somebody else has the file for a moment.
    fn is_passing(&self) -> bool {
        let Self::Sql(error) = self else { return false };
        matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
    }

    /// SQLite reports a full disk only for what it writes, not for what it maps.
    fn is_of_a_full_disk(&self, path: &Path) -> bool {
        let has_no_room = || {
            let room = path.parent().and_then(os::disk::room);
            room.is_some_and(|room| room < SMALLEST_ROOM)
        };
        match self {
            Self::Io(error) => {
                matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
            }
            Self::Sql(error) => {
                let code = error.sqlite_error_code();
                let is_of_the_disk = matches!(code, Some(ErrorCode::SystemIoFailure | ErrorCode::CannotOpen));
                code == Some(ErrorCode::DiskFull) || (is_of_the_disk && has_no_room())
            }
            Self::Damaged(_) | Self::Newer | Self::NotAFile | Self::Slow => false,
        }
    }
}

/// SQLite wants that much beside a database before it reads it.
const SMALLEST_ROOM: u64 = 64 << 10;

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    /// Row H2.
    #[test]
    fn a_disk_that_hangs_holds_up_nobody_for_long() {
        let journal = Journal(Arc::new(Opened { desk: Arc::default(), place: Place::Memory }));
        let began = Instant::now();
        let ids: Vec<i64> = (0..100).map(|_| journal.write(Some("work"), &Note::Saved).id).collect();
        journal.clear_in_flight("work");
        journal.remember("work", "{}".to_owned());
        assert!(began.elapsed() < limits::DISK / 4, "{:?}", began.elapsed());
        assert_eq!(ids.last(), Some(&100));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let token = RefreshToken::new("rt");
            let (marked, found, read, ()) = tokio::join!(
                journal.mark_in_flight("work", &token),
                journal.in_flight("work"),
                journal.read(None, None, 10),
                journal.close(),
            );
            assert_eq!((marked, found), ((), None));
            assert!(matches!(read, Err(JournalError::Slow)));
        });
        let took = began.elapsed();
        assert!(took >= limits::DISK && took < limits::DISK * 2, "{took:?}");
    }
}
