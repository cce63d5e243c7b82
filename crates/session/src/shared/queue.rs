//! Waiting callers, ordered by deadline, so that joining and leaving need no search.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use crate::time::Timestamp;

#[derive(Debug)]
pub struct Queue<T> {
    waiting: BTreeMap<(Timestamp, u64), T>,
    arrivals: u64,
}

impl<T> Queue<T> {
    pub fn push(&mut self, deadline: Timestamp, caller: T) {
        self.arrivals += 1;
        self.waiting.insert((deadline, self.arrivals), caller);
    }

    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    pub fn deadline(&self) -> Option<Timestamp> {
        self.waiting.first_key_value().map(|((deadline, _), _)| *deadline)
    }

    /// Takes out the callers whose deadline is `limit` or earlier.
    pub fn take_until(&mut self, limit: Timestamp) -> Vec<T> {
        let later = self.waiting.split_off(&(limit, u64::MAX));
        core::mem::replace(&mut self.waiting, later).into_values().collect()
    }

    pub fn take(&mut self) -> Vec<T> {
        core::mem::take(&mut self.waiting).into_values().collect()
    }

    pub fn append(&mut self, other: &mut Self) {
        for ((deadline, _), caller) in core::mem::take(&mut other.waiting) {
            self.push(deadline, caller);
        }
    }
}

impl<T> Default for Queue<T> {
    fn default() -> Self {
        Self { waiting: BTreeMap::new(), arrivals: 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    #[test]
    fn the_first_to_give_up_is_known_and_taken_out_alone() {
        let mut queue = Queue::default();
        for (deadline, caller) in [(9, 'c'), (5, 'a'), (5, 'b'), (u64::MAX, 'd')] {
            queue.push(at(deadline), caller);
        }
        assert_eq!(queue.deadline(), Some(at(5)));
        assert_eq!(queue.take_until(at(4)), []);
        assert_eq!(queue.take_until(at(5)), ['a', 'b']);
        let mut other = Queue::default();
        other.append(&mut queue);
        assert!(queue.is_empty());
        assert_eq!(other.take(), ['c', 'd']);
        assert_eq!(other.deadline(), None);
    }
}
