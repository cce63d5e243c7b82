//! Requests that wait for a good token, in order of arrival. Reads overlap; one that may change something goes alone.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use crate::core::event::Asker;
use crate::time::Timestamp;

#[derive(Debug)]
pub struct Lane<T> {
    held: BTreeMap<u64, Held<T>>,
    deadlines: BTreeSet<(Timestamp, u64)>,
    reads_out: u32,
    write_out: bool,
}

/// A request on its way: it waits, is sent, and perhaps waits and is sent again.
#[derive(Debug)]
pub struct Held<T> {
    pub order: u64,
    /// Sending it twice, or in another order, makes no difference (RFC 9110, section 9.2.1).
    pub safe: bool,
    pub by: Asker,
    pub arrived: Timestamp,
    pub deadline: Timestamp,
    /// How often it was refused, and waited for another token.
    pub refusals: u8,
    /// The lane counts it until it is answered.
    pub in_lane: bool,
    pub waited: bool,
    pub request: T,
}

impl<T> Held<T> {
    pub fn new(
        order: u64,
        safe: bool,
        by: Asker,
        arrived: Timestamp,
        deadline: Timestamp,
        request: T,
    ) -> Self {
        Self { order, safe, by, arrived, deadline, refusals: 0, in_lane: false, waited: false, request }
    }
}

impl<T> Lane<T> {
    pub fn hold(&mut self, held: Held<T>) {
        self.deadlines.insert((held.deadline, held.order));
        self.held.insert(held.order, held);
    }

    pub fn len(&self) -> usize {
        self.held.len()
    }

    pub fn is_clear(&self) -> bool {
        self.held.is_empty() && !self.write_out && self.reads_out == 0
    }

    pub fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    /// Call it until it returns `None`, and again after each [`Self::answered`].
    pub fn release(&mut self) -> Option<Held<T>> {
        let first = self.held.first_entry()?;
        let alone = !first.get().safe;
        if self.write_out || (alone && self.reads_out > 0) {
            return None;
        }
        if alone {
            self.write_out = true;
        } else {
            self.reads_out += 1;
        }
        let held = first.remove();
        self.deadlines.remove(&(held.deadline, held.order));
        Some(held)
    }

    pub fn answered(&mut self, safe: bool) {
        if safe {
            self.reads_out = self.reads_out.saturating_sub(1);
        } else {
            self.write_out = false;
        }
    }

    /// Takes out the requests whose callers stop waiting at `limit` or earlier.
    pub fn take_until(&mut self, limit: Timestamp) -> Vec<Held<T>> {
        let later = self.deadlines.split_off(&(limit, u64::MAX));
        let over = core::mem::replace(&mut self.deadlines, later);
        let mut over: Vec<Held<T>> =
            over.into_iter().filter_map(|(_, order)| self.held.remove(&order)).collect();
        over.sort_unstable_by_key(|held| held.order);
        over
    }

    pub fn deadline(&self) -> Option<Timestamp> {
        self.deadlines.first().map(|(deadline, _)| *deadline)
    }
}

impl<T> Default for Lane<T> {
    fn default() -> Self {
        Self { held: BTreeMap::new(), deadlines: BTreeSet::new(), reads_out: 0, write_out: false }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_go_on_in_order_of_arrival_whatever_order_they_came_back_in() {
        let mut lane = Lane::default();
        for order in [3, 1, 2] {
            lane.hold(held(order, true));
        }
        assert_eq!(drain(&mut lane), [1, 2, 3]);
    }

    #[test]
    fn a_write_goes_alone() {
        let mut lane = Lane::default();
        for (order, safe) in [(1, true), (2, false), (3, true), (4, true)] {
            lane.hold(held(order, safe));
        }
        assert_eq!(drain(&mut lane), [1]);
        lane.answered(true);
        assert_eq!(drain(&mut lane), [2]);
        assert!(lane.release().is_none(), "nothing overtakes a write");
        lane.answered(false);
        assert_eq!(drain(&mut lane), [3, 4]);
        assert!(!lane.is_clear());
        lane.answered(true);
        lane.answered(true);
        assert!(lane.is_clear());
    }

    #[test]
    fn only_callers_whose_time_is_over_are_taken_out() {
        let mut lane = Lane::default();
        lane.hold(Held { deadline: Timestamp::from_millis(5), ..held(1, true) });
        lane.hold(Held { deadline: Timestamp::from_millis(9), ..held(2, true) });
        assert_eq!(lane.deadline(), Some(Timestamp::from_millis(5)));
        assert_eq!(lane.take_until(Timestamp::from_millis(8)).len(), 1);
        assert_eq!(drain(&mut lane), [2]);
    }

    fn held(order: u64, safe: bool) -> Held<()> {
        Held::new(order, safe, Asker::Machine, Timestamp::default(), Timestamp::MAX, ())
    }

    fn drain(lane: &mut Lane<()>) -> Vec<u64> {
        core::iter::from_fn(|| lane.release()).map(|held| held.order).collect()
    }
}
