//! What the journal's thread has to do. Nothing here waits for a disk.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use api::{Entry, Failure};
use session::limits;
use session::note::Note;
use session::time::Timestamp;
use session::tokens::RefreshToken;
use tokio::sync::oneshot;

use super::{InFlight, JournalError};
use crate::adapters::clock;

#[derive(Default)]
pub(super) struct Desk {
    state: Mutex<State>,
    arrived: Condvar,
}

#[derive(Default)]
struct State {
    /// They are not on the disk yet, oldest first, and are newer than all that is.
    waiting: VecDeque<Entry>,
    orders: VecDeque<Order>,
    last_id: i64,
    /// Entries without room, since this was last noted.
    dropped: u32,
    untried: bool,
    trouble: Option<Failure>,
    busy_since: Option<Timestamp>,
    over: bool,
}

pub(super) enum Order {
    Clear { profile: String },
    Close { answer: oneshot::Sender<()> },
    Forget { profile: String, until: i64 },
    InFlight { profile: String, answer: oneshot::Sender<Option<InFlight>> },
    Mark { profile: String, token: RefreshToken, answer: oneshot::Sender<()> },
    Read { page: Page, answer: oneshot::Sender<Result<Vec<Entry>, JournalError>> },
    Recall { profile: String, answer: oneshot::Sender<Option<String>> },
    Remember { profile: String, text: String },
}

#[derive(Clone)]
pub(super) struct Page {
    pub(super) profile: Option<String>,
    pub(super) before: i64,
    pub(super) limit: usize,
}

impl Desk {
    pub(super) fn write(&self, profile: Option<&str>, note: &Note) -> Entry {
        let mut state = self.state();
        let entry = state.write(profile, note);
        self.arrived.notify_one();
        entry
    }

    pub(super) fn order(&self, order: Order) {
        let mut state = self.state();
        state.orders.retain(|earlier| !order.overrules(earlier) && !earlier.is_given_up());
        state.orders.push_back(order);
        self.arrived.notify_one();
    }

    /// What waits is forgotten at once, the rest when the thread gets to it.
    pub(super) fn forget(&self, profile: &str) {
        let mut state = self.state();
        state.waiting.retain(|entry| entry.profile.as_deref() != Some(profile));
        let until = state.last_id;
        drop(state);
        self.order(Order::Forget { profile: profile.to_owned(), until });
    }

    pub(super) fn close(&self) {
        self.state().over = true;
        self.arrived.notify_one();
    }

    /// The trouble of the last order, or `slow` if one takes too long.
    pub(super) fn trouble(&self, slow: impl FnOnce() -> Failure) -> Option<Failure> {
        let state = self.state();
        let busy = state.busy_since.map(|since| clock::now().since(since));
        if busy.is_some_and(|busy| busy > limits::DISK_SLOW) { Some(slow()) } else { state.trouble.clone() }
    }

    /// Waits for something to do, or for `again` to pass. `None` at the end.
    pub(super) fn wait(&self, again: Option<Duration>) -> Option<VecDeque<Order>> {
        let mut state = self.state();
        state.busy_since = None;
        let idle = |state: &mut State| !state.untried && state.orders.is_empty() && !state.over;
        let mut state = match again {
            Some(pause) => {
                let waited = self.arrived.wait_timeout_while(state, pause, idle);
                waited.unwrap_or_else(PoisonError::into_inner).0
            }
            None => self.arrived.wait_while(state, idle).unwrap_or_else(PoisonError::into_inner),
        };
        if state.over && !state.untried && state.orders.is_empty() {
            return None;
        }
        state.untried = false;
        state.busy_since = Some(clock::now());
        Some(std::mem::take(&mut state.orders))
    }

    pub(super) fn oldest(&self) -> Option<Entry> {
        self.state().waiting.front().cloned()
    }

    /// It may have been dropped here meanwhile for lack of room.
    pub(super) fn written(&self, id: i64) {
        let mut state = self.state();
        if state.waiting.front().is_some_and(|entry| entry.id == id) {
            state.waiting.pop_front();
        }
    }

    pub(super) fn waits(&self) -> bool {
        !self.state().waiting.is_empty()
    }

    pub(super) fn waiting(&self, page: &Page) -> Vec<Entry> {
        let state = self.state();
        let found = state.waiting.iter().rev().filter(|entry| page.has(entry));
        found.take(page.limit).cloned().collect()
    }

    /// A disk that could not be read so far may have entries, and what waits is numbered after them.
    pub(super) fn follow(&self, last_id: i64) {
        let mut state = self.state();
        let first = state.waiting.front().map_or(state.last_id + 1, |entry| entry.id);
        let shift = (last_id + 1 - first).max(0);
        state.last_id += shift;
        state.waiting.iter_mut().for_each(|entry| entry.id += shift);
    }

    pub(super) fn tell_dropped(&self) {
        let mut state = self.state();
        let count = std::mem::take(&mut state.dropped);
        if count > 0 {
            state.write(None, &Note::EntriesLost { count });
        }
    }

    pub(super) fn set_trouble(&self, trouble: Option<Failure>) -> bool {
        let mut state = self.state();
        let is_news = state.trouble != trouble;
        state.trouble = trouble;
        is_news
    }

    /// A thread that panicked leaves at most one entry half done.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn write(&mut self, profile: Option<&str>, note: &Note) -> Entry {
        self.last_id += 1;
        let profile = profile.map(str::to_owned);
        let entry = Entry { id: self.last_id, at_ms: clock::wall_ms(), profile, note: note.clone() };
        self.waiting.push_back(entry.clone());
        if self.waiting.len() > MOST_WAITING {
            self.waiting.pop_front();
            self.dropped += 1;
        }
        self.untried = true;
        entry
    }
}

impl Order {
    /// Whether the earlier order is needless now. So orders do not pile up while a disk hangs.
    pub(super) fn overrules(&self, earlier: &Self) -> bool {
        self.is_of(earlier)
            && match self {
                Self::Forget { .. } => true,
                Self::Clear { .. } => matches!(earlier, Self::Clear { .. } | Self::Mark { .. }),
                // Others that were sent are in doubt as well.
                Self::Mark { token, .. } => {
                    matches!(earlier, Self::Mark { token: other, .. } if other == token)
                }
                Self::Remember { .. } => matches!(earlier, Self::Remember { .. }),
                Self::Close { .. } | Self::InFlight { .. } | Self::Read { .. } | Self::Recall { .. } => false,
            }
    }

    fn is_given_up(&self) -> bool {
        match self {
            Self::InFlight { answer, .. } => answer.is_closed(),
            Self::Read { answer, .. } => answer.is_closed(),
            Self::Recall { answer, .. } => answer.is_closed(),
            Self::Clear { .. }
            | Self::Close { .. }
            | Self::Forget { .. }
            | Self::Mark { .. }
            | Self::Remember { .. } => false,
        }
    }

    pub(super) fn is_of(&self, other: &Self) -> bool {
        self.changes().is_some_and(|profile| other.changes() == Some(profile))
    }

    fn changes(&self) -> Option<&str> {
        match self {
            Self::Clear { profile }
            | Self::Forget { profile, .. }
            | Self::Mark { profile, .. }
            | Self::Remember { profile, .. } => Some(profile),
            Self::Close { .. } | Self::InFlight { .. } | Self::Read { .. } | Self::Recall { .. } => None,
        }
    }
}

impl Page {
    fn has(&self, entry: &Entry) -> bool {
        let profile = self.profile.as_deref();
        let concerns = profile.is_none() || entry.profile.is_none() || entry.profile.as_deref() == profile;
        entry.id < self.before && concerns
    }
}

pub(super) const MOST_WAITING: usize = 1000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_that_stays_full_costs_the_oldest_of_what_waits_and_they_are_counted() {
        let desk = Desk::default();
        for _ in 0..MOST_WAITING + 10 {
            desk.write(None, &Note::Saved);
        }
        let all = desk.waiting(&Page { profile: None, before: i64::MAX, limit: usize::MAX });
        assert_eq!(all.len(), MOST_WAITING);
        assert_eq!(all.last().unwrap().id, 11);
        desk.tell_dropped();
        let newest = desk.waiting(&Page { profile: None, before: i64::MAX, limit: 1 });
        assert_eq!(newest[0].note, Note::EntriesLost { count: 10 });
    }

    #[test]
    fn entries_from_before_the_disk_was_there_follow_what_is_on_it() {
        let desk = Desk::default();
        desk.write(None, &Note::Saved);
        desk.write(None, &Note::Saved);
        desk.follow(40);
        assert_eq!(desk.oldest().unwrap().id, 41);
        assert_eq!(desk.write(None, &Note::Saved).id, 43);
        desk.follow(7);
        assert_eq!(desk.oldest().unwrap().id, 41, "a new disk with fewer entries changes nothing");
    }

    #[test]
    fn what_waits_for_a_disk_that_hangs_does_not_grow() {
        let desk = Desk::default();
        for _ in 0..100 {
            for profile in ["home", "work"] {
                let (answer, _) = oneshot::channel();
                let (profile, token) = (profile.to_owned(), RefreshToken::new("rt"));
                desk.order(Order::Remember { profile: profile.clone(), text: String::new() });
                desk.order(Order::Mark { profile: profile.clone(), token, answer });
                desk.order(Order::Clear { profile });
            }
        }
        desk.forget("home");
        let left = desk.wait(None).unwrap();
        let left: Vec<_> = left.iter().filter_map(Order::changes).collect();
        assert_eq!(left, ["work", "work", "home"]);
    }

    #[test]
    fn questions_that_nobody_waits_for_do_not_pile_up() {
        let desk = Desk::default();
        let page = || Page { profile: None, before: i64::MAX, limit: 10 };
        let (answer, _waiting) = oneshot::channel();
        desk.order(Order::Read { page: page(), answer });
        let (profile, token) = ("home".to_owned(), RefreshToken::new("rt"));
        desk.order(Order::Mark { profile, token, answer: oneshot::channel().0 });
        for _ in 0..500 {
            let profile = "home".to_owned();
            desk.order(Order::Read { page: page(), answer: oneshot::channel().0 });
            desk.order(Order::InFlight { profile: profile.clone(), answer: oneshot::channel().0 });
            desk.order(Order::Recall { profile, answer: oneshot::channel().0 });
        }
        let left = desk.wait(None).unwrap();
        assert_eq!(left.len(), 3, "one that is waited for, the mark, and the last one");
        assert!(matches!((&left[0], &left[1]), (Order::Read { .. }, Order::Mark { .. })));
    }

    #[test]
    fn what_is_forgotten_does_not_wait_to_be_written() {
        let desk = Desk::default();
        desk.write(Some("home"), &Note::Saved);
        desk.write(Some("work"), &Note::Saved);
        desk.forget("home");
        let page = Page { profile: None, before: i64::MAX, limit: 10 };
        assert_eq!(desk.waiting(&page).len(), 1);
    }
}
