//! The only thread that touches the journal's file. It may wait for a disk without limit.

use std::path::Path;
use std::sync::{Arc, mpsc};

use api::{Entry, Problem};
use session::limits;

use super::desk::{Desk, Order, Page};
use super::store::{self, Store};
use super::{JournalError, Place};
use crate::adapters::clock;

pub(super) struct Clerk {
    desk: Arc<Desk>,
    place: Place,
    store: Option<Store>,
    owed: Vec<Order>,
    since_trimmed: u32,
    changed: Box<dyn Fn() + Send>,
}

impl Clerk {
    pub(super) fn new(desk: Arc<Desk>, place: Place, changed: Box<dyn Fn() + Send>) -> Self {
        Self { desk, place, store: None, owed: Vec::new(), since_trimmed: 0, changed }
    }

    pub(super) fn run(mut self, opened: &mpsc::Sender<()>) {
        self.open();
        opened.send(()).ok();
        while let Some(orders) = self.desk.wait(self.is_behind().then_some(limits::DISK_AGAIN)) {
            self.open();
            self.write_what_waits();
            for order in orders {
                self.owed.retain(|earlier| !order.overrules(earlier));
                self.carry_out(order);
            }
        }
    }

    fn is_behind(&self) -> bool {
        self.store.is_none() || self.desk.waits() || !self.owed.is_empty()
    }

    fn open(&mut self) {
        if self.store.as_ref().is_some_and(Store::stands) {
            return;
        }
        if self.store.take().is_some() {
            tracing::warn!("the journal's file was taken away; another is begun");
        }
        match self.place.open() {
            Ok((store, moved, last_id)) => {
                self.desk.follow(last_id);
                self.store = Some(store);
                if let Some(problem) = moved {
                    tracing::warn!(?problem, "there is another journal");
                    self.desk.write(None, &problem.note(None));
                }
                self.trim();
            }
            Err(error) => self.fail(&error),
        }
    }

    fn write_what_waits(&mut self) {
        let Some(store) = &self.store else { return };
        while let Some(entry) = self.desk.oldest() {
            if let Err(error) = store.insert(&entry) {
                return self.fail(&error);
            }
            self.desk.written(entry.id);
            self.since_trimmed += 1;
        }
        for order in std::mem::take(&mut self.owed) {
            self.carry_out(order);
        }
        if !self.is_behind() {
            self.desk.tell_dropped();
            if self.desk.set_trouble(None) {
                (self.changed)();
            }
        }
        if self.since_trimmed >= TRIM_EVERY {
            self.since_trimmed = 0;
            self.trim();
        }
    }

    fn carry_out(&mut self, order: Order) {
        // What must be forgotten first would take a newer change with it.
        let comes_first = |earlier: &Order| matches!(earlier, Order::Forget { .. }) && earlier.is_of(&order);
        let store = self.store.as_ref().filter(|_| !self.owed.iter().any(comes_first));
        let Some(store) = store else { return self.decline(order) };
        let done = match &order {
            Order::Clear { profile } => store.unmark(profile),
            Order::Forget { profile, until } => store.forget(profile, *until),
            Order::Remember { profile, text } => store.remember(profile, text),
            Order::Mark { profile, token, .. } => store.mark(profile, token.expose(), clock::wall_ms()),
            Order::Close { .. } => store.fold(),
            Order::InFlight { .. } | Order::Read { .. } | Order::Recall { .. } => Ok(()),
        };
        if let Err(error) = done {
            tracing::warn!(%error, "something was not written to the journal");
            self.decline(order);
            // The failure of an order that is not tried again is not shown to people.
            if !self.owed.is_empty() {
                self.fail(&error);
            }
            return;
        }
        match order {
            Order::Clear { .. } | Order::Forget { .. } | Order::Remember { .. } => {}
            Order::Close { answer } | Order::Mark { answer, .. } => {
                answer.send(()).ok();
            }
            Order::InFlight { profile, answer } => drop(answer.send(told(store.marked(&profile)))),
            Order::Read { page, answer } => drop(answer.send(self.read(page))),
            Order::Recall { profile, answer } => drop(answer.send(told(store.recall(&profile)))),
        }
    }

    /// Changes are tried again, but a mark is useless later.
    fn decline(&mut self, order: Order) {
        match order {
            Order::Clear { .. } | Order::Forget { .. } | Order::Remember { .. } => self.owed.push(order),
            Order::Read { page, answer } => drop(answer.send(Ok(self.desk.waiting(&page)))),
            // Dropping the answer says that there is none.
            Order::Close { .. } | Order::InFlight { .. } | Order::Mark { .. } | Order::Recall { .. } => {}
        }
    }

    fn read(&self, page: Page) -> Result<Vec<Entry>, JournalError> {
        let mut found = self.desk.waiting(&page);
        if let Some(store) = &self.store {
            found.extend(store.read(page.profile.as_deref(), page.before, page.limit - found.len())?);
        }
        Ok(found)
    }

    fn trim(&self) {
        let trimmed = self.store.as_ref().map(|store| store.trim(clock::wall_ms()));
        if let Some(Err(error)) = trimmed {
            tracing::warn!(%error, "the journal was not trimmed");
        }
    }

    fn fail(&mut self, error: &JournalError) {
        if error.is_passing() {
            return;
        }
        if matches!(error, JournalError::Damaged(_)) && self.store.take().is_some() {
            // A failing disk also looks like damage. Opening the file again shows which it is.
            tracing::warn!(%error, "the journal is looked at more closely");
            return;
        }
        if self.desk.set_trouble(Some(self.place.failure(error))) {
            tracing::warn!(%error, "the journal cannot be written; entries wait in memory");
            (self.changed)();
        }
    }
}

fn told<T>(found: Result<Option<T>, JournalError>) -> Option<T> {
    found.unwrap_or_else(|error| {
        tracing::warn!(%error, "the journal was not read");
        None
    })
}

impl Place {
    fn open(&self) -> Result<(Store, Option<Problem>, i64), JournalError> {
        let (store, moved) = match self {
            Self::Memory => (Store::memory()?, None),
            Self::File(path) => match Store::open(path) {
                Ok(store) => (store, None),
                Err(problem) => replace(path, problem)?,
            },
        };
        let last_id = store.last_id()?;
        Ok((store, moved, last_id))
    }
}

fn replace(path: &Path, error: JournalError) -> Result<(Store, Option<Problem>), JournalError> {
    let aside = || store::move_aside(path).map(|aside| aside.display().to_string());
    let moved = match error {
        JournalError::Damaged(said) => Problem::JournalDamagedMoved { aside: aside()?, said },
        JournalError::Newer => Problem::JournalNewerMoved { aside: aside()? },
        JournalError::NotAFile => Problem::JournalNotAFileMoved { aside: aside()? },
        JournalError::Io(_) | JournalError::Slow | JournalError::Sql(_) => return Err(error),
    };
    Ok((Store::open(path)?, Some(moved)))
}

/// Trimming looks at every entry, which takes as long as writing a few.
pub(super) const TRIM_EVERY: u32 = 256;

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};

    use session::note::Note;
    use session::tokens::RefreshToken;
    use tokio::sync::oneshot;

    use api::Code;

    #[test]
    fn what_cannot_be_written_waits_and_is_not_lost_and_it_is_said() {
        let (mut clerk, changes) = clerk();
        clerk.desk.write(Some("work"), &Note::Saved);
        clerk.write_what_waits();
        store(&clerk).fill_up().unwrap();
        for _ in 0..3 {
            clerk.desk.write(Some("work"), &long());
        }
        clerk.desk.write(None, &Note::KeeperStopped);
        clerk.desk.write(Some("other"), &Note::Saved);
        clerk.write_what_waits();
        assert_eq!(
            ids(&clerk, None),
            [6, 5, 4, 3, 2, 1],
            "the waiting ones are read as if they were written"
        );
        assert_eq!(
            ids(&clerk, Some("work")),
            [5, 4, 3, 2, 1],
            "what concerns the keeper concerns every session"
        );
        let told = clerk.desk.trouble(|| panic!("nothing hangs"));
        assert_eq!(told.map(|failure| failure.code), Some(Code::DiskFull));
        clerk.write_what_waits();
        assert_eq!(changes.load(Ordering::Relaxed), 1, "it is told once");
        assert!(clerk.is_behind(), "or it would not try again by itself");

        store(&clerk).make_room().unwrap();
        clerk.write_what_waits();
        assert!(!clerk.desk.waits() && !clerk.is_behind());
        assert_eq!(ids(&clerk, None), [6, 5, 4, 3, 2, 1]);
        assert_eq!(clerk.desk.trouble(|| panic!("nothing hangs")), None);
        assert_eq!(changes.load(Ordering::Relaxed), 2);
    }

    #[test]
    fn what_was_to_be_changed_on_a_full_disk_is_changed_later() {
        let (mut clerk, _) = clerk();
        for profile in ["home", "work"] {
            clerk.carry_out(mark(profile));
            clerk.desk.write(Some(profile), &Note::Saved);
        }
        clerk.write_what_waits();
        store(&clerk).fill_up().unwrap();
        clerk.carry_out(Order::Remember { profile: "work".to_owned(), text: "x".repeat(40_000) });
        clerk.carry_out(Order::Remember { profile: "work".to_owned(), text: "y".repeat(40_000) });
        assert!(clerk.is_behind());
        store(&clerk).make_room().unwrap();
        clerk.write_what_waits();
        assert!(store(&clerk).recall("work").unwrap().unwrap().starts_with('y'));
        assert!(!clerk.is_behind());
    }

    #[test]
    fn what_is_learnt_after_something_was_to_be_forgotten_is_not_forgotten_with_it() {
        let (mut clerk, _) = clerk();
        let remember = |text: &str| Order::Remember { profile: "work".to_owned(), text: text.repeat(40_000) };
        clerk.carry_out(remember("x"));
        store(&clerk).fill_up().unwrap();
        clerk.owed.push(Order::Forget { profile: "work".to_owned(), until: 0 });
        clerk.carry_out(remember("y"));
        store(&clerk).make_room().unwrap();
        clerk.write_what_waits();
        assert!(store(&clerk).recall("work").unwrap().unwrap().starts_with('y'));
        assert!(!clerk.is_behind());
    }

    #[test]
    fn without_any_disk_there_is_still_a_journal() {
        let (mut clerk, _) = clerk();
        clerk.store = None;
        clerk.desk.write(Some("work"), &Note::Saved);
        clerk.carry_out(mark("work"));
        clerk.write_what_waits();
        assert_eq!(ids(&clerk, Some("work")), [1]);
        let (answer, mut answered) = oneshot::channel();
        clerk.carry_out(Order::InFlight { profile: "work".to_owned(), answer });
        assert!(answered.try_recv().is_err(), "nobody is kept waiting");
    }

    #[test]
    fn what_looks_damaged_is_looked_at_before_that_is_said() {
        let (mut clerk, changes) = clerk();
        clerk.fail(&JournalError::Damaged("database disk image is malformed".to_owned()));
        assert_eq!(clerk.desk.trouble(|| panic!("nothing hangs")), None);
        assert_eq!(changes.load(Ordering::Relaxed), 0);
        assert!(clerk.is_behind(), "or nobody would look");
        clerk.open();
        assert!(!clerk.is_behind());
    }

    #[test]
    fn writing_trims_now_and_then() {
        let (mut clerk, _) = clerk();
        clerk.desk.write(None, &Note::Saved);
        clerk.write_what_waits();
        clerk.desk.follow(store::MOST_ENTRIES + 1);
        for _ in 0..TRIM_EVERY - 2 {
            clerk.desk.write(None, &Note::Saved);
        }
        clerk.write_what_waits();
        assert_eq!(*ids(&clerk, None).last().unwrap(), 1);
        clerk.desk.write(None, &Note::Saved);
        clerk.write_what_waits();
        assert_ne!(*ids(&clerk, None).last().unwrap(), 1);
    }

    #[test]
    fn reading_pages_backwards_through_both() {
        let (mut clerk, _) = clerk();
        for id in 1..=10 {
            clerk.desk.write(None, &Note::Saved);
            if id == 6 {
                clerk.write_what_waits();
            }
        }
        let page = |before| {
            let page = Page { profile: None, before, limit: 3 };
            clerk.read(page).unwrap().iter().map(|entry| entry.id).collect::<Vec<_>>()
        };
        assert_eq!(page(i64::MAX), [10, 9, 8]);
        assert_eq!(page(8), [7, 6, 5]);
        assert_eq!(page(2), [1]);
        assert_eq!(page(1), [0_i64; 0]);
    }

    fn clerk() -> (Clerk, Arc<AtomicU32>) {
        let changes = Arc::new(AtomicU32::new(0));
        let counted = Arc::clone(&changes);
        let changed = Box::new(move || {
            counted.fetch_add(1, Ordering::Relaxed);
        });
        let mut clerk = Clerk::new(Arc::default(), Place::Memory, changed);
        clerk.open();
        (clerk, changes)
    }

    fn store(clerk: &Clerk) -> &Store {
        clerk.store.as_ref().unwrap()
    }

    fn ids(clerk: &Clerk, profile: Option<&str>) -> Vec<i64> {
        let page = Page { profile: profile.map(str::to_owned), before: i64::MAX, limit: 1000 };
        clerk.read(page).unwrap().iter().map(|entry| entry.id).collect()
    }

    fn mark(profile: &str) -> Order {
        let (profile, token) = (profile.to_owned(), RefreshToken::new("rt"));
        Order::Mark { profile, token, answer: oneshot::channel().0 }
    }

    fn long() -> Note {
        Problem::said("/x".repeat(4000)).note(None)
    }
}
