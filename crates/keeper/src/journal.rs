//! The flight recorder: every decision with its reason, and no secret, still readable after the keeper has died.
//!
//! [`Journal`] is a small SQLite database. It serves the keeper and never the other way round: a full disk or a
//! damaged file costs entries, not sessions. What cannot be written waits in memory until it can, and a file that is
//! no journal is moved aside.
//!
//! It also remembers, across the death of the process, which refresh token was on its way to the provider: such a
//! token may have been spent without anybody having seen the answer.

mod store;

use std::collections::VecDeque;
use std::io;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use session::note::Note;
use thiserror::Error;

use crate::api::Entry;
use crate::clock;

pub use store::InFlight;
use store::Store;

/// Can be written to from everywhere; nothing waits in here for longer than a disk takes.
pub struct Journal(Mutex<Inner>);

struct Inner {
    /// Absent where not even memory can be had for it.
    store: Option<Store>,
    /// What could not be written yet, oldest first. All of it is newer than what is in the store.
    waiting: VecDeque<Entry>,
    last_id: i64,
    since_trimmed: u32,
    said_failing: bool,
}

#[derive(Debug, Error)]
pub enum JournalError {
    #[error("damaged, or not a journal: {0}")]
    Damaged(String),
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("written by a newer version")]
    Newer,
    #[error("{0}")]
    Sql(rusqlite::Error),
}

impl Journal {
    /// Opens the journal at `path`, or begins it there.
    pub fn open(path: &Path) -> Result<Self, JournalError> {
        let store = Store::open(path)?;
        store.trim(clock::wall_ms())?;
        Ok(Self::of(store.last_id()?, Some(store)))
    }

    /// Opens the journal at `path` whatever is there: what is no journal of ours is moved aside, and where none can
    /// be had the entries stay in memory. Says what was wrong and what was done about it.
    pub fn open_or_replace(path: &Path) -> (Self, Option<String>) {
        let problem = match Self::open(path) {
            Ok(journal) => return (journal, None),
            Err(problem) => problem,
        };
        let at = path.display();
        match replace(path, &problem) {
            Ok((journal, aside)) => (journal, Some(format!("{at}: {problem}; moved to {aside}"))),
            Err(last) => (Self::memory(), Some(format!("{at}: {last}; the journal is kept in memory only"))),
        }
    }

    /// One that ends with the process.
    pub fn memory() -> Self {
        Self::of(0, Store::memory().ok())
    }

    /// Adds an entry. Whatever the disk says, it is in the journal from now on.
    pub fn write(&self, profile: Option<&str>, note: &Note) -> Entry {
        let mut inner = self.inner();
        inner.last_id += 1;
        let entry = Entry {
            id: inner.last_id,
            at_ms: clock::wall_ms(),
            profile: profile.map(str::to_owned),
            note: note.clone(),
        };
        inner.waiting.push_back(entry.clone());
        inner.write_what_waits();
        entry
    }

    /// The newest `limit` entries older than `before`, newest first: of one profile and the keeper
    /// itself, or of all.
    pub fn read(
        &self,
        profile: Option<&str>,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<Entry>, JournalError> {
        let inner = self.inner();
        let before = before.unwrap_or(i64::MAX);
        let concerns = |entry: &&Entry| {
            profile.is_none() || entry.profile.is_none() || entry.profile.as_deref() == profile
        };
        let matches = |entry: &&Entry| entry.id < before && concerns(entry);
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let mut found: Vec<Entry> = inner.waiting.iter().rev().filter(matches).take(limit).cloned().collect();
        if let Some(store) = &inner.store {
            found.extend(store.read(profile, before, limit - found.len())?);
        }
        Ok(found)
    }

    /// Remembers that this refresh token is about to be sent: on the disk before this returns, so that it is true of
    /// a machine that loses its power a moment later.
    pub fn mark_in_flight(&self, profile: &str, token: &str) {
        self.with_store("an in-flight mark was not written", |store| {
            store.mark(profile, token, clock::wall_ms())
        });
    }

    pub fn clear_in_flight(&self, profile: &str) {
        self.with_store("an in-flight mark was not cleared", |store| store.unmark(profile));
    }

    /// The refresh whose end nobody has seen, if there is one.
    pub fn in_flight(&self, profile: &str) -> Option<InFlight> {
        self.with_store("the in-flight marks were not read", |store| store.marked(profile)).flatten()
    }

    /// Keeps a text of a session for the next process. It must hold no secret.
    pub fn remember(&self, profile: &str, text: &str) {
        self.with_store("what is known of a session was not kept", |store| store.remember(profile, text));
    }

    /// What was kept of a session last.
    pub fn recall(&self, profile: &str) -> Option<String> {
        self.with_store("what is known of a session was not read", |store| store.recall(profile)).flatten()
    }

    /// Folds everything into the one file. Only tidiness: a journal that is never closed loses nothing.
    pub fn close(&self) {
        self.inner().write_what_waits();
        self.with_store("the journal was not closed", Store::fold);
    }

    fn of(last_id: i64, store: Option<Store>) -> Self {
        let waiting = VecDeque::new();
        Self(Mutex::new(Inner { store, waiting, last_id, since_trimmed: 0, said_failing: false }))
    }

    fn with_store<T>(&self, failing: &str, act: impl FnOnce(&Store) -> Result<T, JournalError>) -> Option<T> {
        match act(self.inner().store.as_ref()?) {
            Ok(done) => Some(done),
            Err(error) => {
                tracing::warn!(%error, "{failing}");
                None
            }
        }
    }

    /// What a panicking thread left half-done in here is at worst one entry.
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn write_what_waits(&mut self) {
        while let Some(store) = &self.store
            && let Some(entry) = self.waiting.front()
        {
            if let Err(error) = store.insert(entry) {
                if !std::mem::replace(&mut self.said_failing, true) {
                    tracing::warn!(%error, "the journal cannot be written; entries wait in memory");
                }
                break;
            }
            self.waiting.pop_front();
            self.said_failing = false;
            self.since_trimmed += 1;
        }
        while self.waiting.len() > MOST_WAITING {
            self.waiting.pop_front();
        }
        if self.since_trimmed >= TRIM_EVERY
            && let Some(store) = &self.store
        {
            self.since_trimmed = 0;
            if let Err(error) = store.trim(clock::wall_ms()) {
                tracing::warn!(%error, "the journal was not trimmed");
            }
        }
    }
}

fn replace(path: &Path, problem: &JournalError) -> Result<(Journal, String), JournalError> {
    match problem {
        JournalError::Damaged(_) | JournalError::Newer => {
            let aside = store::move_aside(path)?;
            Ok((Journal::open(path)?, aside.display().to_string()))
        }
        JournalError::Io(error) => Err(io::Error::new(error.kind(), error.to_string()).into()),
        JournalError::Sql(error) => Err(io::Error::other(error.to_string()).into()),
    }
}

/// Trimming looks at every entry, which takes about as long as writing a few.
const TRIM_EVERY: u32 = 256;

/// A day of a busy keeper; it is only memory that is spent on them.
const MOST_WAITING: usize = 1000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_written_waits_and_is_not_lost() {
        let journal = Journal::memory();
        journal.write(Some("work"), &Note::Saved);
        store_of(&journal, Store::fill_up);
        let ids: Vec<i64> = (0..3).map(|_| journal.write(Some("work"), &long()).id).collect();
        journal.write(None, &Note::KeeperStopped);
        journal.write(Some("other"), &Note::Saved);

        assert_eq!(ids, [2, 3, 4]);
        assert_eq!(
            read(&journal, None),
            [6, 5, 4, 3, 2, 1],
            "the waiting ones are read as if they were written"
        );
        assert_eq!(
            read(&journal, Some("work")),
            [5, 4, 3, 2, 1],
            "what concerns the keeper concerns every session"
        );
        assert_eq!(journal.inner().waiting.len(), 5);

        store_of(&journal, Store::make_room);
        journal.write(Some("work"), &Note::Saved);
        assert_eq!(journal.inner().waiting.len(), 0, "written as soon as that worked again");
        assert_eq!(read(&journal, None), [7, 6, 5, 4, 3, 2, 1]);
    }

    #[test]
    fn a_disk_that_stays_full_costs_the_oldest_of_what_waits() {
        let journal = Journal::memory();
        store_of(&journal, Store::fill_up);
        for _ in 0..MOST_WAITING + 10 {
            journal.write(None, &long());
        }
        assert_eq!(journal.inner().waiting.len(), MOST_WAITING);
        assert_eq!(journal.read(None, None, 1).unwrap()[0].id, i64::try_from(MOST_WAITING).unwrap() + 10);
    }

    #[test]
    fn without_any_store_there_is_still_a_journal() {
        let journal = Journal::of(0, None);
        journal.write(Some("work"), &Note::Saved);
        journal.mark_in_flight("work", "token");
        assert_eq!(read(&journal, Some("work")), [1]);
        assert!(journal.in_flight("work").is_none());
        journal.close();
    }

    #[test]
    fn reading_pages_backwards_through_both() {
        let journal = Journal::memory();
        for _ in 0..5 {
            journal.write(None, &Note::Saved);
        }
        store_of(&journal, Store::fill_up);
        for _ in 0..5 {
            journal.write(None, &long());
        }
        let page = |before| {
            let page = journal.read(None, before, 3).unwrap();
            page.iter().map(|entry| entry.id).collect::<Vec<_>>()
        };
        assert_eq!(page(None), [10, 9, 8]);
        assert_eq!(page(Some(8)), [7, 6, 5]);
        assert_eq!(page(Some(2)), [1]);
        assert_eq!(page(Some(1)), [0_i64; 0]);
    }

    #[test]
    fn writing_trims_now_and_then() {
        let journal = Journal::memory();
        journal.inner().last_id = store::MOST_ENTRIES;
        store_of(&journal, |store| {
            store.insert(&Entry { id: 1, at_ms: clock::wall_ms(), profile: None, note: Note::Saved })
        });
        for _ in 0..TRIM_EVERY - 1 {
            journal.write(None, &Note::Saved);
        }
        assert!(journal.read(None, Some(2), 1).unwrap().len() == 1);
        journal.write(None, &Note::Saved);
        assert!(journal.read(None, Some(2), 1).unwrap().is_empty());
    }

    fn store_of(journal: &Journal, act: impl FnOnce(&Store) -> Result<(), JournalError>) {
        act(journal.inner().store.as_ref().unwrap()).unwrap();
    }

    fn read(journal: &Journal, profile: Option<&str>) -> Vec<i64> {
        journal.read(profile, None, 100).unwrap().iter().map(|entry| entry.id).collect()
    }

    /// Too long for the room that is left in a page.
    fn long() -> Note {
        Note::ConfigProblem { line: None, problem: "/x".repeat(4000) }
    }
}
