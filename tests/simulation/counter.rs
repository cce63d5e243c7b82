//! What callers have asked and what they have got, counted from outside.

use std::collections::{BTreeMap, BTreeSet};

use session::bounds;
use session::lane::Held;

use crate::law::{Law, Verified, broken};

#[derive(Default)]
pub(crate) struct Counter {
    callers: BTreeMap<u32, Caller>,
    /// Those who wait inside, by the time until which they want to.
    patience: BTreeSet<(u64, u32)>,
    /// Those of them who want a token, by the milliseconds of life that it is to have.
    wishes: BTreeSet<(u64, u32)>,
    /// Those who wait for the end of a refresh or a sign-in.
    ends: BTreeSet<u32>,
    /// The requests that wait, by the order in which they came.
    lane: BTreeSet<u64>,
    reads_out: u32,
    write_out: bool,
    arrived: u32,
}

struct Caller {
    deadline: u64,
    sent: u32,
    /// The generation of the token that its request was sent with.
    with: u32,
    out: bool,
    wish: u64,
    best_effort: bool,
}

impl Counter {
    pub(crate) fn arrive(&mut self, deadline: u64) -> u32 {
        self.arrived += 1;
        let caller = Caller { deadline, sent: 0, with: 0, out: false, wish: 0, best_effort: false };
        self.callers.insert(self.arrived, caller);
        self.arrived
    }

    /// Who waits for a refresh or a sign-in does so for as long as it takes.
    pub(crate) fn await_end(&mut self) -> u32 {
        let id = self.arrive(u64::MAX);
        self.ends.insert(id);
        id
    }

    /// How many milliseconds of life the token is to have, or is to have at best.
    pub(crate) fn wish(&mut self, id: u32, wish: u64, best_effort: bool) {
        if let Some(caller) = self.callers.get_mut(&id) {
            (caller.wish, caller.best_effort) = (wish, best_effort);
        }
    }

    /// A caller that wants a token waits for it.
    pub(crate) fn wait(&mut self, id: u32) {
        if let Some(caller) = self.callers.get(&id) {
            self.patience.insert((caller.deadline, id));
            self.wishes.insert((caller.wish, id));
        }
    }

    /// Of who insists on it.
    pub(crate) fn wish_of(&self, id: u32) -> Option<u64> {
        self.callers.get(&id).filter(|caller| !caller.best_effort).map(|caller| caller.wish)
    }

    pub(crate) fn hold(&mut self, held: &Order) {
        self.lane.insert(held.order);
        if let Some(caller) = self.callers.get_mut(&held.id) {
            caller.out = false;
            self.patience.insert((caller.deadline, held.id));
        }
    }

    pub(crate) fn send(&mut self, held: &Held<u32>, generation: u32) -> Verified {
        let Some(caller) = self.callers.get_mut(&held.request) else {
            return broken(Law::ACallerIsServedOnce, "a request is sent whose caller has an answer");
        };
        if std::mem::replace(&mut caller.out, true) {
            return broken(Law::ACallerIsServedOnce, "a request is sent that is on its way");
        }
        caller.sent += 1;
        if caller.sent > 1 + u32::from(bounds::REPLAYS) {
            return broken(Law::OneTokenIsTriedOnce, "it is sent for ever");
        }
        if caller.sent > 1 && caller.with == generation {
            return broken(Law::OneTokenIsTriedOnce, "it is sent again with the token that was refused");
        }
        caller.with = generation;
        self.patience.remove(&(caller.deadline, held.request));
        self.lane.remove(&held.order);
        if !held.in_lane {
            let clear = self.lane.is_empty() && self.reads_out == 0 && !self.write_out;
            return if clear { Ok(()) } else { broken(Law::OrderIsKept, "it overtakes those who wait") };
        }
        if self.lane.first().is_some_and(|first| *first < held.order) {
            return broken(Law::OrderIsKept, "an older one waits");
        }
        if self.write_out || (!held.safe && self.reads_out > 0) {
            return broken(Law::OrderIsKept, "what may change something does not go alone");
        }
        if held.safe {
            self.reads_out += 1;
        } else {
            self.write_out = true;
        }
        Ok(())
    }

    /// An answer has come to a request.
    pub(crate) fn answered(&mut self, held: &Held<u32>) {
        if held.in_lane && held.safe {
            self.reads_out -= 1;
        } else if held.in_lane {
            self.write_out = false;
        }
    }

    pub(crate) fn done(&mut self, id: u32) -> Verified {
        let Some(caller) = self.callers.remove(&id) else {
            return broken(Law::ACallerIsServedOnce, "a second answer");
        };
        self.patience.remove(&(caller.deadline, id));
        self.wishes.remove(&(caller.wish, id));
        self.ends.remove(&id);
        Ok(())
    }

    pub(crate) fn leave_lane(&mut self, order: u64) {
        self.lane.remove(&order);
    }

    pub(crate) fn is_early(&self, id: u32, now: u64) -> bool {
        self.callers.get(&id).is_some_and(|caller| now < caller.deadline)
    }

    /// A request that may be sent once more.
    pub(crate) fn was_sent_once(&self, id: u32) -> bool {
        self.callers.get(&id).is_some_and(|caller| caller.sent == 1)
    }

    pub(crate) fn takes_anything(&self, id: u32) -> bool {
        self.callers.get(&id).is_some_and(|caller| caller.best_effort)
    }

    /// The first who gives up.
    pub(crate) fn first_deadline(&self) -> Option<u64> {
        self.patience.first().map(|(deadline, _)| *deadline)
    }

    pub(crate) fn smallest_wish(&self) -> Option<u64> {
        self.wishes.first().map(|(wish, _)| *wish)
    }

    /// And until when it is waited for.
    pub(crate) fn largest_wish(&self) -> Option<(u64, u64)> {
        let (wish, id) = self.wishes.last()?;
        Some((*wish, self.callers.get(id)?.deadline))
    }

    /// Requests wait, and none is on its way that they would have to wait for.
    pub(crate) fn lane_stands_still(&self) -> bool {
        !self.lane.is_empty() && self.reads_out == 0 && !self.write_out
    }

    pub(crate) fn somebody_waits_for_an_end(&self) -> bool {
        !self.ends.is_empty()
    }

    pub(crate) fn check(&self, now: u64) -> Verified {
        if self.patience.first().is_some_and(|(deadline, _)| *deadline <= now) {
            return broken(Law::ACallersTimeIsKept, "somebody waits for longer than that");
        }
        Ok(())
    }

    pub(crate) fn knows(&self, id: u32) -> bool {
        self.callers.contains_key(&id)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.callers.is_empty()
    }

    /// The process is gone, and with it whoever waited for its answers.
    pub(crate) fn forget(&mut self) {
        *self = Self { arrived: self.arrived, ..Self::default() };
    }

    /// The session has made room for another: what is on its way comes back to nobody's lane.
    pub(crate) fn change_lanes(&mut self) {
        (self.reads_out, self.write_out) = (0, false);
        // It counts its tokens anew.
        self.callers.values_mut().for_each(|caller| caller.with = 0);
    }
}

/// What is needed of a request once it is in the lane.
pub(crate) struct Order {
    pub(crate) id: u32,
    pub(crate) order: u64,
}

impl From<&Held<u32>> for Order {
    fn from(held: &Held<u32>) -> Self {
        Self { id: held.request, order: held.order }
    }
}
