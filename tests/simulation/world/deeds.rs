//! What the world does about an effect: requests on their way, answers that come back.

use session::admission::Hindrance;
use session::breaker::Outcome as Heard;
use session::event::{Asker, Attempt, Effect, Event};
use session::limits;
use session::reason::Trouble;
use session::time::{Timestamp, millis};
use session::tokens::{AccessToken, Account, RefreshToken};
use session::verdict::{Beat, Verdict};

use super::{Happening, Lost, VaultWork, World};
use crate::law::{Law, Verified, broken};
use crate::saboteur::Bug;
use crate::scenario::beside_a_limit;
use crate::weather::{Fate, Weather};
use crate::wire::Truth;

impl World {
    pub(super) fn perform(&mut self, seat: usize, effect: Effect) -> Verified {
        match effect {
            Effect::Forget => self.begin_vault(seat, VaultWork::Forget, 0),
            Effect::Heartbeat { attempt, token, .. } => return self.heartbeat(seat, attempt, &token),
            Effect::Load => {
                let recalled = Event::Recalled(self.recall(seat));
                let after = if self.dice.one_in(16) { self.dice.magnitude(1, 300_000) } else { 0 };
                self.come(seat, after, recalled, Truth::Other);
                self.begin_vault(seat, VaultWork::Load, after);
            }
            Effect::CallOff { attempt } => self.call_off(seat, attempt),
            Effect::Note(_) | Effect::Publish { .. } | Effect::Revoke { .. } => {}
            Effect::Refresh { attempt, token, by, again, .. } => {
                let host = self.seats[seat].host;
                return match self.admit(host, by, again)? {
                    Ok(()) => self.send(seat, attempt, token, by),
                    Err(hindrance) => self.withhold(seat, attempt, by, hindrance),
                };
            }
            Effect::Remember(memory) => {
                let written = memory.write(Timestamp::from_millis(self.now), self.wall_ms());
                self.seats[seat].memory = Some((written, self.wall));
            }
            Effect::Save { generation, token, account } => {
                self.begin_vault(seat, VaultWork::Save(generation, token, account), 0);
            }
            Effect::SignIn { attempt } => self.sign_in(seat, attempt),
            Effect::Mark { token } => {
                let marked = &mut self.seats[seat].marked;
                if self.bug == Some(Bug::MarksOnlyTheNewest) {
                    marked.clear();
                }
                marked.insert(token.expose().to_owned());
            }
            Effect::Unmark => self.seats[seat].marked.clear(),
        }
        Ok(())
    }

    /// A worker that is called off reports at once, and says nothing after that. One that has tokens in hand, or a
    /// person at its page, may go on all the same.
    fn call_off(&mut self, seat: usize, attempt: Attempt) {
        let signing_in = self.seats[seat].sut.session().signing_in() == Some(attempt);
        if signing_in && self.dice.one_in(2) {
            return;
        }
        let event = if signing_in {
            Event::SignInFailed { attempt }
        } else {
            Event::Refreshed { attempt, verdict: timed_out() }
        };
        self.seats[seat].called_off.insert(attempt);
        let after = self.dice.between(1, 50);
        self.come(seat, after, event, Truth::Other);
    }

    /// What a worker would say that has been called off.
    fn is_silenced(&self, seat: usize, event: &Event) -> bool {
        let called_off = &self.seats[seat].called_off;
        match event {
            Event::Refreshed { attempt, verdict } => called_off.contains(attempt) && *verdict != timed_out(),
            Event::SignedIn { attempt, .. } => called_off.contains(attempt),
            _ => false,
        }
    }

    fn come(&mut self, seat: usize, after: u64, event: Event, truth: Truth) {
        let life = self.seats[seat].life;
        self.later(after, Happening::Answer { seat, life, event, truth });
    }

    pub(super) fn answer(&mut self, seat: usize, life: u32, event: Event, truth: &Truth) -> Verified {
        // The host's breaker hears of it also when the session that asked has made room for another.
        let is_over = life != self.seats[seat].life || self.is_silenced(seat, &event);
        if is_over && !matches!(event, Event::Beaten { .. }) {
            return Ok(());
        }
        match &event {
            Event::Refreshed { attempt, verdict } => {
                check_reading(verdict, truth)?;
                // What is told twice was reported once.
                if let Some(by) = self.seats[seat].workers.remove(attempt) {
                    self.report(self.seats[seat].host, Heard::from(verdict), by)?;
                }
            }
            // What was held back has met no host.
            Event::Beaten {
                beat: Beat::Silent { trouble: Trouble::BreakerOpen | Trouble::NoNetwork, .. },
                ..
            } => {}
            Event::Beaten { beat, .. } => {
                self.report(self.seats[seat].host, Heard::from(*beat), Asker::Machine)?;
            }
            Event::SignedIn { attempt, tokens, .. } => {
                let place = &mut self.seats[seat];
                let refresh = tokens.refresh.as_ref().map_or("", RefreshToken::expose);
                if let Some((number, _)) = self.hosts[place.host].provider.sign_in_of(refresh) {
                    place.signed_in.insert(number, self.now);
                }
                place.workers.remove(attempt);
                if place.sut.session().signing_in() == Some(*attempt) {
                    let id = place.counter.await_end();
                    place.callers.await_sign_in([id]);
                }
            }
            Event::SignInFailed { attempt } => {
                self.seats[seat].workers.remove(attempt);
            }
            _ => {}
        }
        if is_over { Ok(()) } else { self.tell(seat, event) }
    }

    fn report(&mut self, host: usize, heard: Heard, by: Asker) -> Verified {
        let seats = self.seats.iter().filter(|seat| seat.host == host).count();
        self.reach.report(host, heard, self.now, self.bug);
        let host = &mut self.hosts[host];
        match heard {
            Heard::Answered => host.in_vain.clear(),
            Heard::Failed if by == Asker::Machine => host.in_vain.push_back(self.now),
            Heard::Failed | Heard::Unknown => {}
        }
        while host.in_vain.front().is_some_and(|at| *at + FIVE_MINUTES < self.now) {
            host.in_vain.pop_front();
        }
        // Five are allowed; what was on its way meanwhile; and one after each pause, of which each is twice as long.
        if host.in_vain.len() > 5 + 2 * seats + 8 {
            return broken(Law::AFailingHostIsLeftAlone, &format!("{} in five minutes", host.in_vain.len()));
        }
        Ok(())
    }

    fn withhold(&mut self, seat: usize, attempt: Attempt, by: Asker, hindrance: Hindrance) -> Verified {
        let Hindrance { trouble, wait } = hindrance;
        if by == Asker::Person {
            return broken(Law::APersonIsNotAStorm, &format!("a person waits: {trouble:?}"));
        }
        if self.seats[seat].referee.is_made_again {
            return broken(Law::ALostAnswerIsAskedForAgain, &format!("not now: {trouble:?}"));
        }
        self.come(seat, 1, Event::Withheld { attempt, trouble, wait }, Truth::Other);
        Ok(())
    }

    fn send(&mut self, seat: usize, attempt: Attempt, token: RefreshToken, by: Asker) -> Verified {
        let host = self.seats[seat].host;
        self.seats[seat].workers.insert(attempt, by);
        if by == Asker::Machine {
            self.seats[seat].referee.check_storm()?;
        }
        let there = self.dice.between(5, 400);
        let lost = match self.fate(seat) {
            Fate::Answered => Lost::No,
            Fate::AnswerLost => Lost::Reported,
            Fate::AnswerLate => Lost::Late,
            Fate::Doubled => Lost::Doubled,
            Fate::Instead(reply) => {
                let verdict = self.read(host, &reply);
                self.come(seat, there, Event::Refreshed { attempt, verdict }, reply.truth);
                return Ok(());
            }
            Fate::Failed(verdict) => {
                self.come(seat, there, Event::Refreshed { attempt, verdict }, Truth::Other);
                return Ok(());
            }
            Fate::Vanished => {
                // Nobody calls off who works for a session that is over, and so the worker's own time is.
                let budget = limits::exchange(limits::MESSAGE) + limits::REPORT;
                let after = millis(budget) + self.dice.between(1_000, 60_000);
                self.come(seat, after, Event::Refreshed { attempt, verdict: timed_out() }, Truth::Other);
                return Ok(());
            }
        };
        let life = self.seats[seat].life;
        self.later(there, Happening::Arrives { seat, life, attempt, token, lost });
        Ok(())
    }

    fn read(&self, host: usize, reply: &crate::wire::Reply) -> Verdict {
        let mut reply = reply.clone();
        if self.bug == Some(Bug::DatesByItsOwnClock) {
            reply.date = Some(1_893_456_000 + self.now as i64 / 1_000);
        }
        match self.hosts[host].provider.habits.dialect.read(&reply) {
            Verdict::Transient { trouble: Trouble::NotJson, .. }
                if self.bug == Some(Bug::TakesPortalsForNo) =>
            {
                Verdict::Dead
            }
            verdict => verdict,
        }
    }

    /// In a gentle scenario the network is good but for single lost answers, or the grace could not help.
    fn fate(&mut self, seat: usize) -> Fate {
        let seat = &mut self.seats[seat];
        if !self.reach.is_there() {
            return Weather::Offline.fate(&mut self.dice);
        }
        if !self.scenario.gentle {
            return self.hosts[seat.host].weather.fate(&mut self.dice);
        }
        seat.lost_one = !seat.lost_one && self.dice.one_in(4);
        if seat.lost_one { Fate::AnswerLost } else { Fate::Answered }
    }

    pub(super) fn arrive(
        &mut self,
        seat: usize,
        life: u32,
        attempt: Attempt,
        token: &RefreshToken,
        lost: Lost,
    ) {
        let host = self.seats[seat].host;
        let mut reply = self.hosts[host].provider.refresh(token.expose(), self.now, &mut self.dice);
        if lost == Lost::Doubled {
            reply = self.hosts[host].provider.refresh(token.expose(), self.now + 1, &mut self.dice);
        }
        let verdict = self.read(host, &reply);
        let unanswered = Verdict::Transient { trouble: Trouble::Unanswered, status: None, retry_after: None };
        let back = match !self.scenario.gentle && self.dice.one_in(10) {
            true => beside_a_limit(&mut self.dice),
            false => self.dice.between(5, 400),
        };
        let late = self.dice.between(20_000, 200_000);
        let (after, verdict, truth) = match lost {
            Lost::No | Lost::Doubled => (back, verdict, reply.truth),
            Lost::Reported => (back, unanswered, Truth::Other),
            Lost::Late => (late, verdict, reply.truth),
        };
        if life != self.seats[seat].life {
            return;
        }
        let event = Event::Refreshed { attempt, verdict };
        let answer = Happening::Answer { seat, life, event, truth };
        // Whatever is told twice, or belongs to what is long over, must change nothing.
        if !self.scenario.gentle && self.dice.one_in(12) {
            let again = after + self.dice.between(1_000, 200_000);
            self.later(again, answer.clone());
        }
        self.later(after, answer);
    }

    fn heartbeat(&mut self, seat: usize, attempt: Attempt, token: &AccessToken) -> Verified {
        let host = self.seats[seat].host;
        let silent = |trouble| Beat::Silent { trouble, status: None };
        let reached = self.reach.is_there() && self.hosts[host].weather.lets_through();
        let beat = if let Err(Hindrance { trouble, .. }) = self.admit(host, Asker::Machine, false)? {
            silent(trouble)
        } else if !self.scenario.gentle && !reached {
            silent(if self.hosts[host].weather.is_an_outage() { Trouble::TimedOut } else { Trouble::Offline })
        } else if self.hosts[host].provider.accepts(token, self.now) {
            Beat::Good
        } else {
            Beat::SaysNo
        };
        let after = match !self.scenario.gentle && self.dice.one_in(8) {
            true => beside_a_limit(&mut self.dice),
            false => self.dice.between(5, 1_000),
        };
        self.come(seat, after, Event::Beaten { attempt, beat }, Truth::Other);
        Ok(())
    }

    fn sign_in(&mut self, seat: usize, attempt: Attempt) {
        self.seats[seat].workers.insert(attempt, Asker::Person);
        let after = self.dice.magnitude(500, 400_000);
        let event = if self.dice.one_in(4) {
            Event::SignInFailed { attempt }
        } else {
            let host = self.seats[seat].host;
            let tokens = self.hosts[host].provider.sign_in(self.now + after, &mut self.dice);
            // The same person as a rule, now and then another one.
            let user = if self.dice.one_in(3) { self.serial } else { 0 };
            Event::SignedIn { attempt, tokens, account: Account::named(&format!("u{user}")) }
        };
        self.come(seat, after, event, Truth::Other);
    }
}

fn check_reading(verdict: &Verdict, truth: &Truth) -> Verified {
    match (verdict, truth) {
        (Verdict::Dead, truth) if *truth != Truth::Refused => {
            broken(Law::OnlyARefusalIsARefusal, "nobody has refused it")
        }
        (verdict, Truth::Granted { refresh, access, lifetime }) if *verdict != timed_out() => {
            let Verdict::Fresh(tokens) = verdict else {
                return broken(Law::NothingGrantedIsMisread, "what came is taken for nothing");
            };
            let read = tokens.refresh.as_ref().map(RefreshToken::expose);
            if read != refresh.as_deref() {
                return broken(Law::NothingGrantedIsMisread, "a refresh token is lost on the way");
            }
            let (Some(_), Some(told), Some(_)) = (&tokens.access, lifetime, access) else { return Ok(()) };
            let read = tokens.lifetime.map_or(0, millis);
            // Whole seconds are what most providers count in.
            if *told > 1_000 && read.abs_diff(*told) > 1_001 {
                return broken(Law::ALifetimeIsTheProviders, &format!("{told} ms are read as {read}"));
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

fn timed_out() -> Verdict {
    Verdict::Transient { trouble: Trouble::TimedOut, status: None, retry_after: None }
}

const FIVE_MINUTES: u64 = 300_000;
