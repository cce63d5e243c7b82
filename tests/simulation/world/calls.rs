//! Programs and people who want something of a session.

use std::time::Duration;

use session::callers::{Denial, Ended, Served, Wanting};
use session::event::{Asker, Event};
use session::lane::Held;
use session::time::Timestamp;
use session::view::{Phase, Prospect};

use super::{Happening, Outcome, Seat, World};
use crate::counter::Order;
use crate::law::{Law, Verified, broken};
use crate::saboteur::Bug;
use crate::scenario::beside_a_limit;

impl World {
    /// A caller takes a token, or asks for something that is behind one.
    pub(super) fn call(&mut self, seat: usize) -> Verified {
        match self.dice.between(0, 4) {
            0 | 1 => self.want_token(seat),
            2 | 3 => self.request(seat, true),
            _ => self.request(seat, false),
        }
    }

    /// Many at once, as scripts do.
    pub(super) fn crowd(&mut self, seat: usize) -> Verified {
        let (life, many) = (self.seats[seat].life, self.dice.magnitude(10, 3_000));
        self.remark(format!("{many} callers at once"));
        for _ in 0..many {
            if self.seats[seat].life == life {
                self.call(seat)?;
            }
        }
        Ok(())
    }

    pub(super) fn ask(&mut self, seat: usize) -> Verified {
        let by = if self.dice.one_in(4) { Asker::Machine } else { Asker::Person };
        // Whoever asks for a refresh waits for its end, however long that takes.
        let id = self.seats[seat].counter.await_end();
        self.seats[seat].callers.await_refresh(id);
        self.tell(seat, Event::Asked { by })
    }

    fn deadline(&mut self) -> u64 {
        let patience = match self.dice.between(0, 3) {
            0 => beside_a_limit(&mut self.dice),
            1 => self.dice.magnitude(50, 600_000),
            _ => 30_000,
        };
        self.now + patience
    }

    fn request(&mut self, seat: usize, safe: bool) -> Verified {
        let by = if self.dice.one_in(5) { Asker::Person } else { Asker::Machine };
        let deadline = self.deadline();
        self.serial += 1;
        let order = self.serial;
        let place = &mut self.seats[seat];
        let time = place.referee.time();
        let id = place.counter.arrive(deadline);
        let held = Held::new(order, safe, by, time, Timestamp::from_millis(deadline), id);
        if self.bug == Some(Bug::SendsPastTheLane)
            && let Prospect::Ready { token, generation } = place.sut.session().prospect(time, Duration::ZERO)
        {
            let served = Served::Send { held, token: token.clone(), generation };
            return self.served(seat, served);
        }
        match place.callers.admit(held, place.sut.session(), time) {
            Some(served) => self.served(seat, served),
            None => {
                place.counter.hold(&Order { id, order });
                self.tell(seat, Event::Wanted { min_valid: Duration::ZERO, by })
            }
        }
    }

    fn want_token(&mut self, seat: usize) -> Verified {
        let asked = self.dice.pick(&self.scenario.seats[seat].min_valid.clone());
        let deadline = self.deadline();
        let best_effort = self.dice.one_in(4);
        let place = &mut self.seats[seat];
        let time = place.referee.time();
        let id = place.counter.arrive(deadline);
        let min_valid = Duration::from_millis(asked);
        let ready = matches!(place.sut.session().prospect(time, min_valid), Prospect::Ready { .. });
        if !ready {
            let life = place.life;
            let by = if self.dice.one_in(5) { Asker::Person } else { Asker::Machine };
            self.tell(seat, Event::Wanted { min_valid, by })?;
            if self.seats[seat].life != life {
                return Ok(());
            }
        }
        let place = &mut self.seats[seat];
        let min_valid = if self.bug == Some(Bug::IgnoresWishes) { Duration::ZERO } else { min_valid };
        let deadline = Timestamp::from_millis(deadline);
        place.counter.wish(id, asked, best_effort);
        let wanting = Wanting { min_valid, best_effort, deadline, caller: id };
        match place.callers.want(wanting, place.sut.session(), time) {
            Some(served) => self.served(seat, served),
            None => {
                place.counter.wait(id);
                self.settle(seat)
            }
        }
    }

    pub(super) fn settle(&mut self, seat: usize) -> Verified {
        let place = &mut self.seats[seat];
        let time = place.referee.time();
        let (served, ended) = place.callers.settle(place.sut.session(), time);
        for served in served {
            self.served(seat, served)?;
        }
        let place = &mut self.seats[seat];
        for Ended { caller, tokens } in ended {
            if matches!(tokens, Some(Phase::Refreshing { .. } | Phase::SigningIn)) {
                return broken(Law::TheReasonIsTrue, "a refresh is told as over that goes on");
            }
            place.counter.done(caller)?;
        }
        if place.callers.deadline(place.sut.session()).is_some_and(|at| at <= time) {
            return broken(Law::EveryDeadlineIsReported, "a caller is left due");
        }
        place.counter.check(self.now)?;
        self.check_nobody_waits_in_vain(seat)
    }

    /// Whoever can be served has been, and whoever cannot be served in time has been told.
    fn check_nobody_waits_in_vain(&self, seat: usize) -> Verified {
        let Seat { sut, counter, referee, .. } = &self.seats[seat];
        let (session, time) = (sut.session(), referee.time());
        let first = counter.first_deadline();
        let in_vain = match session.prospect(time, Duration::ZERO) {
            Prospect::Ready { .. } => counter.lane_stands_still(),
            Prospect::NeedsLogin(_) => first.is_some(),
            Prospect::Held { .. } if session.is_shut_out() => first.is_some(),
            Prospect::Held { until, .. } => first.is_some_and(|first| first <= until.as_millis()),
            Prospect::Coming | Prospect::Later { .. } | Prospect::TooShort { .. } => false,
        };
        if in_vain {
            return broken(Law::NobodyWaitsInVain, "a caller could be served, or told");
        }
        let prospect =
            |wish: Option<u64>| wish.map(|wish| session.prospect(time, Duration::from_millis(wish)));
        if matches!(prospect(counter.smallest_wish()), Some(Prospect::Ready { .. })) {
            return broken(Law::NobodyWaitsInVain, "there is the token that somebody wants");
        }
        let (wish, deadline) = counter.largest_wish().unzip();
        match (prospect(wish), deadline) {
            (Some(Prospect::TooShort { .. }), _) => {
                return broken(Law::NobodyWaitsInVain, "there will be no such token");
            }
            (Some(Prospect::Later { until }), Some(deadline)) if deadline <= until.as_millis() => {
                return broken(Law::NobodyWaitsInVain, "there will be no such token in time");
            }
            _ => {}
        }
        let tokens = session.standing();
        let rests =
            matches!(tokens, Phase::Fresh | Phase::NeedsLogin { .. } | Phase::Waiting { failures: 1.., .. });
        if rests && session.signing_in().is_none() && counter.somebody_waits_for_an_end() {
            return broken(Law::NobodyWaitsInVain, "what somebody waits for is over");
        }
        Ok(())
    }

    fn served(&mut self, seat: usize, served: Served<u32, u32>) -> Verified {
        let now = self.now;
        let place = &mut self.seats[seat];
        let early = |id, why| why == Denial::DeadlinePassed && place.counter.is_early(id, now);
        let session = place.sut.session();
        let asked = session.lost().is_some() && session.signing_in().is_some();
        if let Served::Refuse { why, .. } | Served::Deny { why, .. } = &served
            && *why == Denial::DeadlinePassed
            && asked
        {
            return broken(Law::TheReasonIsTrue, "somebody is at the sign-in that it takes");
        }
        match served {
            Served::Refuse { held, why } => {
                if early(held.request, why) {
                    return broken(Law::ACallersTimeIsKept, "a request is given up before its time");
                }
                place.counter.leave_lane(held.order);
                place.counter.done(held.request)
            }
            Served::Deny { wanting, why } => {
                if early(wanting.caller, why) {
                    return broken(Law::ACallersTimeIsKept, "a caller is given up before its time");
                }
                let any = session.access_token(place.referee.time(), Duration::ZERO).is_some();
                if any && place.counter.takes_anything(wanting.caller) {
                    return broken(Law::AWishForLifeIsKept, "whoever takes any token gets none");
                }
                place.counter.done(wanting.caller)
            }
            Served::Give { wanting, min_valid } => {
                let time = place.referee.time();
                if session.access_token(time, min_valid).is_none() {
                    return broken(Law::AWishForLifeIsKept, "there is no such token");
                }
                let generation = session.view(time).access.map_or(0, |access| access.generation);
                place.referee.check_use(generation)?;
                let wish = place.counter.wish_of(wanting.caller);
                place.referee.check_wish(wish)?;
                place.counter.done(wanting.caller)
            }
            Served::Send { held, token, generation } => {
                place.referee.check_use(generation)?;
                place.counter.send(&held, generation)?;
                let (id, life, host) = (held.request, place.life, &self.hosts[place.host]);
                place.out.insert(id, held);
                let reached = self.scenario.gentle || self.reach.is_there() && host.weather.lets_through();
                let outcome = match reached {
                    true if host.provider.accepts(&token, now) => Outcome::Accepted,
                    true => Outcome::Refused,
                    false => Outcome::Unreached,
                };
                let after = match self.dice.one_in(8) {
                    true => beside_a_limit(&mut self.dice),
                    false => self.dice.between(5, 2_000),
                };
                self.later(after, Happening::Fetched { seat, life, id, generation, outcome });
                Ok(())
            }
        }
    }

    pub(super) fn fetched(
        &mut self,
        seat: usize,
        life: u32,
        id: u32,
        generation: u32,
        outcome: Outcome,
    ) -> Verified {
        let place = &mut self.seats[seat];
        if life != place.life {
            // The caller of a session that made room for another still gets the answer.
            place.out.remove(&id);
            return if place.counter.knows(id) { place.counter.done(id) } else { Ok(()) };
        }
        let Some(mut held) = place.out.remove(&id) else { return Ok(()) };
        place.counter.answered(&held);
        place.callers.answered(&mut held);
        match outcome {
            Outcome::Refused => return self.refused(seat, held, generation),
            Outcome::Accepted if self.scenario.hosts[place.host].demands && self.dice.one_in(12) => {
                place.counter.done(id)?;
                let interaction = self.scenario.interaction(&mut self.dice);
                return self.tell(seat, Event::Demanded { generation, interaction });
            }
            Outcome::Accepted | Outcome::Unreached => place.counter.done(id)?,
        }
        self.settle(seat)
    }

    fn refused(&mut self, seat: usize, mut held: Held<u32>, generation: u32) -> Verified {
        let life = self.seats[seat].life;
        self.tell(seat, Event::Rejected { by: held.by, generation })?;
        let place = &mut self.seats[seat];
        if place.life != life {
            return Ok(());
        }
        if self.bug == Some(Bug::ReplaysForEver) {
            held.refusals = 0;
        }
        let order = Order::from(&held);
        match place.callers.refused(held, place.sut.session(), generation, place.referee.time()) {
            Some(held) => {
                let newer = place.referee.has_newer_than(generation);
                if newer && place.counter.was_sent_once(held.request) {
                    return broken(Law::ARefusalIsReplayed, "there is a newer token, and it is not tried");
                }
                place.counter.done(held.request)?;
            }
            None => {
                if !place.counter.was_sent_once(order.id) && !place.referee.has_outlived(generation) {
                    return broken(
                        Law::OneTokenIsTriedOnce,
                        "what it was refused with is good by all that is known",
                    );
                }
                place.counter.hold(&order);
                if self.bug == Some(Bug::AnswersAndHolds) {
                    place.counter.done(order.id)?;
                }
            }
        }
        self.settle(seat)
    }
}
