use alloc::vec::Vec;
use core::time::Duration;

use super::event::{Asker, Attempt, Effect};
use super::facts::{Exchange, Grant, Hold, Session};
use super::note::Note;
use super::policy::spacing;
use crate::limits;
use crate::reason::{Cause, Lost, Trouble};
use crate::time::{Timestamp, millis};

impl Session {
    /// A person passes our own pauses, but neither a time that the provider named nor what only a sign-in can mend.
    pub(super) fn on_asked(&mut self, by: Asker, now: Timestamp, out: &mut Vec<Effect>) {
        if by == Asker::Machine {
            if self.hold.is_none() {
                self.begin_refresh(Cause::Asked, by, now, out);
            }
            return;
        }
        self.vault.read_now(now);
        self.dismiss_demand();
        if self.hold.as_ref().is_some_and(|hold| now < hold.named) {
            return;
        }
        if let Some(grant) = &self.grant
            && let Some(why) = self.lost.take()
        {
            self.suspicion = None;
            if why == Lost::OlderCopy {
                // From now on it is the newest, also for the next process.
                self.take_grant(grant.token.clone());
                self.outlook.leave();
            }
        }
        if self.hold.take().is_some() {
            self.streak.prompted = false;
        }
        self.begin_refresh(Cause::Asked, by, now, out);
    }

    /// What is in progress or put off is not begun again. Only a person without a good token passes a pause of ours.
    pub(super) fn on_wanted(
        &mut self,
        min_valid: Duration,
        by: Asker,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        if let Some(access) = self.access.as_mut().filter(|access| access.is_good(now, Duration::ZERO)) {
            // More than half of a token's life can be had at most twice in a lifetime, whatever callers ask for.
            let half = access.received + access.lifetime / 2;
            if access.is_good(now, min_valid) || min_valid > access.lifetime {
                return;
            }
            if now < half || access.is_new(now) {
                access.refresh_at =
                    access.refresh_at.min(half.max(access.received + spacing(access.lifetime)));
                return;
            }
        } else if by == Asker::Person && self.hold.as_ref().is_some_and(|hold| hold.named <= now) {
            self.hold = None;
        }
        if self.hold.is_none() {
            self.begin_refresh(Cause::Needed, by, now, out);
        }
    }

    pub(super) fn on_withheld(
        &mut self,
        attempt: Attempt,
        wait: Duration,
        trouble: Trouble,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        let Some(exchange) = self.exchange.take_if(|exchange| exchange.attempt == attempt) else { return };
        self.streak.cause.get_or_insert(exchange.cause);
        // A person who joined the refresh of a machine is not held back with it.
        if exchange.awaited && exchange.by == Asker::Machine {
            return self.begin_refresh(exchange.cause, Asker::Person, now, out);
        }
        self.hold = Some(Hold { until: now + wait, trouble, status: None, named: Timestamp::default() });
        out.push(Effect::Note(Note::Kept {
            cause: exchange.cause,
            trouble,
            status: None,
            failures: self.streak.failures,
            retry_in_ms: millis(wait),
        }));
    }

    pub(super) fn refuse(
        &mut self,
        generation: u32,
        cause: Cause,
        by: Asker,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        let Some(access) = &mut self.access else { return };
        if access.generation != generation || access.is_beyond_suspicion(now) {
            return;
        }
        // Further refusals of a token begin no further refresh, except for a person.
        if access.rejected && by == Asker::Machine {
            return;
        }
        access.rejected = true;
        // The pause was chosen while the token was good. Now callers wait, so it is shortened.
        let soon = now + self.backoff(now).for_;
        match &mut self.hold {
            Some(hold) if by == Asker::Person && hold.named <= now => {
                self.hold = None;
                self.begin_refresh(cause, by, now, out);
            }
            // What the provider says of the refresh is no better for a refused access token.
            Some(hold) if self.streak.misconfigured > 0 || hold.trouble == Trouble::Suspect => {}
            Some(hold) => hold.shorten(soon),
            None => self.begin_refresh(cause, by, now, out),
        }
    }

    /// Nothing new begins: the process is about to end, or the machine to sleep.
    pub(super) fn rests(&self) -> bool {
        self.ending || self.dozing
    }

    /// With what was asked for meanwhile.
    pub(super) fn go_on(&mut self, now: Timestamp, out: &mut Vec<Effect>) {
        if !self.rests()
            && let Some((cause, by)) = self.postponed.take()
        {
            self.begin_refresh(cause, by, now, out);
        }
    }

    pub(super) fn refreshing(&self) -> Option<Cause> {
        let exchange = self.exchange.as_ref().map(|exchange| exchange.cause);
        exchange.or_else(|| self.unpublished.as_ref().map(|unpublished| unpublished.access.cause))
    }

    pub(super) fn refresh_due(&self) -> Option<Timestamp> {
        if self.grant.is_none() || self.lost.is_some() || self.rests() || self.refreshing().is_some() {
            return None;
        }
        let at = match (&self.hold, &self.access) {
            (Some(hold), _) => hold.until,
            (None, Some(access)) if !access.rejected => access.refresh_at.min(self.rest_ends_at(access)),
            (None, _) => Timestamp::default(),
        };
        Some(at.max(self.settle))
    }

    pub(super) fn refresh_now_due(&mut self, now: Timestamp, out: &mut Vec<Effect>) {
        let cause = match &self.access {
            _ if self.streak.cause.is_some() => self.streak.cause,
            Some(access) if !access.rejected && now < access.refresh_at => Some(Cause::KeptAlive),
            Some(access) if !access.rejected => Some(Cause::BeforeExpiry),
            Some(_) => Some(Cause::Rejected),
            None => None,
        };
        self.begin_refresh(cause.unwrap_or(Cause::Start), Asker::Machine, now, out);
    }

    fn begin_refresh(&mut self, cause: Cause, by: Asker, now: Timestamp, out: &mut Vec<Effect>) {
        if let Some(exchange) = &mut self.exchange {
            exchange.awaited |= by == Asker::Person;
        }
        if self.refreshing().is_some() || self.lost.is_some() {
            return;
        }
        if self.rests() {
            let postponed = self.postponed.get_or_insert((cause, by));
            if by == Asker::Person {
                postponed.1 = by;
            }
            return;
        }
        let Some(Grant { token, generation }) = self.grant.clone() else { return };
        let attempt = self.next_attempt();
        self.hold = None;
        let deadline = now + self.policy.exchange + limits::REPORT;
        self.exchange = Some(Exchange {
            attempt,
            generation,
            cause,
            by,
            awaited: by == Asker::Person,
            began: now,
            deadline,
        });
        // Whichever of those that were sent the vault has when the process dies, the next one finds it marked.
        if self.marked.replace(generation) != Some(generation) {
            out.push(Effect::Mark { token: token.clone() });
        }
        let again = core::mem::take(&mut self.answer_lost);
        out.push(Effect::Refresh { attempt, token, cause, by, again });
    }
}
