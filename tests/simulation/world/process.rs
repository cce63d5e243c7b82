//! What happens to the whole process: it sleeps, freezes, is killed, ends, and its configuration is edited.

use std::time::Duration;

use session::Session;
use session::callers::Callers;
use session::event::{Asker, Event};
use session::reason::Trouble;
use session::verdict::Verdict;

use super::{Happening, World};
use crate::law::{Law, Verified, broken};
use crate::saboteur::{Bug, Sut};
use crate::wire::Truth;

impl World {
    /// The machine sleeps: the sessions are told of it before anything that happened meanwhile. What was on its way may
    /// be lost with the connections.
    pub(super) fn suspend(&mut self) -> Verified {
        let slept = self.dice.magnitude(1_000, 12 * 3_600_000);
        self.remark(format!("the machine sleeps for {slept} ms"));
        if !self.scenario.gentle && self.dice.one_in(3) {
            self.lose_answers(slept);
        }
        self.stand_still(slept)
    }

    /// The process does not run, and the world goes on: what it was sent lies in its sockets.
    pub(super) fn freeze(&mut self) -> Verified {
        let stood = self.dice.magnitude(2_000, 3_600_000);
        self.remark(format!("the process stands still for {stood} ms"));
        self.stand_still(stood)
    }

    /// Each time for a few seconds, in which there is no network.
    pub(super) fn dark_wake(&mut self, left: u64) -> Verified {
        let left = if left == 0 { self.dice.between(1, 12) + 1 } else { left };
        if left == 1 {
            self.set_reach(true);
            self.reach.on_awake(self.now);
            return self.for_everybody(|_| Some(Event::Awake));
        }
        self.for_everybody(|_| Some(Event::AboutToSleep))?;
        self.set_reach(false);
        let slept = self.dice.magnitude(60_000, 3_600_000);
        self.remark(format!("a dark wake after {slept} ms"));
        self.stand_still(slept)?;
        self.reach.on_awake(self.now);
        self.for_everybody(|_| Some(Event::Awake))?;
        let after = self.dice.between(500, 15_000);
        self.later(after, Happening::DarkWake(left - 1));
        Ok(())
    }

    pub(super) fn doze(&mut self) -> Verified {
        if self.dice.one_in(2) {
            let after = self.dice.between(1, 5_000);
            self.later(after, Happening::Suspend);
        }
        let after = self.dice.between(5_000, 30_000);
        self.later(after, Happening::Awake);
        self.for_everybody(|_| Some(Event::AboutToSleep))
    }

    /// The providers are awake, so what is on its way to them arrives.
    fn stand_still(&mut self, slept: u64) -> Verified {
        let wakes = self.now + slept;
        loop {
            let arrival = self
                .queue
                .iter()
                .find(|((at, _), happening)| *at <= wakes && matches!(happening, Happening::Arrives { .. }));
            let Some(&(at, serial)) = arrival.map(|(key, _)| key) else { break };
            self.set_clock(at.max(self.now));
            if let Some(Happening::Arrives { seat, life, attempt, token, lost }) =
                self.queue.remove(&(at, serial))
            {
                self.arrive(seat, life, attempt, &token, lost);
            }
        }
        self.set_clock(wakes);
        for seat in &mut self.seats {
            seat.referee.slept += slept;
        }
        self.reach.on_awake(self.now);
        self.for_everybody(|_| Some(Event::Woke { slept: Duration::from_millis(slept) }))
    }

    fn lose_answers(&mut self, within: u64) {
        let until = self.now + within;
        for ((at, _), happening) in &mut self.queue {
            if let Happening::Answer { event: Event::Refreshed { verdict, .. }, truth, .. } = happening
                && *at <= until
            {
                *verdict =
                    Verdict::Transient { trouble: Trouble::Unanswered, status: None, retry_after: None };
                *truth = Truth::Other;
            }
        }
    }

    /// The process dies. What the vault was at may or may not have been done.
    pub(super) fn crash(&mut self) -> Verified {
        self.remark("the process dies, and a new one starts".to_owned());
        for seat in 0..self.seats.len() {
            let place = &self.seats[seat];
            if let Some((token, _, _)) = &place.vault
                && !place.moved
                && place.referee.may_be_spent(token)
                && !place.marked.contains(token.expose())
            {
                return broken(
                    Law::TheMarkStaysWhileInDoubt,
                    "the next process will not know that it was sent",
                );
            }
            let works: Vec<_> = self
                .queue
                .values()
                .filter_map(|happening| match happening {
                    Happening::VaultDone { seat: at, life, work } if *at == seat && *life == place.life => {
                        Some(work.clone())
                    }
                    _ => None,
                })
                .collect();
            for work in works {
                if self.dice.one_in(2) {
                    self.write(seat, work);
                }
            }
            let restored = self.dice.one_in(12);
            let moves = self.dice.one_in(8);
            let place = &mut self.seats[seat];
            if place.vault.is_some() && place.backup.is_some() && restored {
                place.vault = place.backup.take();
                place.mislead();
            }
            place.moved |= moves;
            place.callers = Callers::default();
            place.counter.forget();
            place.out.clear();
        }
        self.begin_process()
    }

    fn begin_process(&mut self) -> Verified {
        self.process += 1;
        self.ending = false;
        // What the workers of the last one would have said.
        self.queue.retain(|_, happening| !matches!(happening, Happening::Answer { .. }));
        self.reach.begin_process(self.now);
        let after = self.dice.between(0, 3_000);
        self.later(after, Happening::Words);
        for host in &mut self.hosts {
            host.in_vain.clear();
        }
        for seat in 0..self.seats.len() {
            self.begin_session(seat);
        }
        self.for_everybody(|_| Some(Event::Tick))
    }

    fn begin_session(&mut self, seat: usize) {
        let draw = self.dice.next();
        let place = &mut self.seats[seat];
        place.life += 1;
        place.called_off.clear();
        place.workers.clear();
        place.vault_works = 0;
        place.edited = false;
        place.referee.restart();
        let session = Session::new(place.policy.clone(), draw, place.referee.time());
        place.sut = Sut::new(session, self.bug);
    }

    /// Once nothing is on its way and everything is saved, the process that was asked to end does. Otherwise it stays.
    pub(super) fn stay_or_end(&mut self) -> Verified {
        if !std::mem::take(&mut self.ending) {
            return self.for_everybody(|_| Some(Event::Stays));
        }
        if !(0..self.seats.len()).all(|seat| self.is_safe_in_the_vault(seat)) {
            return self.for_everybody(|_| Some(Event::Stays));
        }
        self.remark("the process ends, and another begins".to_owned());
        for seat in 0..self.seats.len() {
            self.check_nothing_is_lost(seat)?;
            let place = &mut self.seats[seat];
            place.callers = Callers::default();
            place.counter.forget();
            place.out.clear();
        }
        self.begin_process()
    }

    /// A session whose profile was edited makes room for another once nothing is on its way.
    pub(super) fn make_room_for_edits(&mut self) -> Verified {
        for seat in 0..self.seats.len() {
            let waits = self.bug != Some(Bug::EditsTooEarly) && !self.is_safe_in_the_vault(seat);
            if !self.seats[seat].edited || self.ending || waits {
                continue;
            }
            self.remark(format!("profile {seat} is edited"));
            self.check_nothing_is_lost(seat)?;
            let heartbeat = Duration::from_secs(self.dice.between(5, 600));
            let place = &mut self.seats[seat];
            place.policy.heartbeat = heartbeat;
            let mut before = std::mem::take(&mut place.callers);
            let dozing = place.referee.is_dozing();
            self.begin_session(seat);
            let place = &mut self.seats[seat];
            place.counter.change_lanes();
            let forgets = self.bug == Some(Bug::ForgetsCallersAtAnEdit);
            let somebody = !forgets && place.callers.take_over(&mut before);
            // The edit is none of the places where tokens go, so all of them go on waiting.
            if !forgets && !before.take_all().is_empty() {
                return broken(Law::ACallerIsServedOnce, "somebody is turned away over an edit");
            }
            self.tell(seat, if dozing { Event::AboutToSleep } else { Event::Tick })?;
            if somebody {
                self.tell(seat, Event::Wanted { min_valid: Duration::ZERO, by: Asker::Machine })?;
            }
        }
        Ok(())
    }

    fn is_safe_in_the_vault(&self, seat: usize) -> bool {
        let seat = &self.seats[seat];
        let idle = seat.workers.is_empty() && seat.vault_works == 0;
        idle && seat.sut.session().can_make_room()
    }

    fn check_nothing_is_lost(&self, seat: usize) -> Verified {
        let seat = &self.seats[seat];
        let kept = seat.vault.as_ref().map(|(token, account, _)| (token, account));
        match seat.referee.treasure() {
            Some(treasure) if kept != Some(treasure) && !seat.moved => {
                broken(Law::NothingIsLostInGoodOrder, "the newest refresh token is not in the vault")
            }
            _ => Ok(()),
        }
    }
}
