//! Buying a new access token: when, what the answer means, and letting the new one out.

use alloc::vec::Vec;
use core::time::Duration;

use crate::event::{Asker, Attempt, Effect};
use crate::limits;
use crate::note::Note;
use crate::policy::{backoff, slow_retry, spacing};
use crate::reason::{Cause, Lost, Trouble, VaultTrouble};
use crate::session::{Access, Done, Grant, Hold, Session, Source};
use crate::time::{Timestamp, millis};
use crate::tokens::Tokens;
use crate::verdict::Verdict;

/// A refresh in flight.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Exchange {
    pub(crate) attempt: Attempt,
    /// Of the refresh token that was sent.
    pub(crate) generation: u32,
    pub(crate) cause: Cause,
    /// Whom it was begun for.
    pub(crate) by: Asker,
    /// A person waits for it, be it begun for one or not.
    pub(crate) awaited: bool,
    pub(crate) began: Timestamp,
    /// A worker that has not reported by then is called off.
    pub(crate) deadline: Timestamp,
}

/// A new access token on its way out, once its refresh token is safe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unpublished {
    pub(crate) access: Access,
    pub(crate) publish_by: Timestamp,
    pub(crate) rotated: bool,
    /// Absent for the access token of a sign-in, which is told by its own note.
    pub(crate) took: Option<Duration>,
}

/// Failures since the last good answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Streak {
    pub(crate) failures: u32,
    /// What the first of them was for; a retry is for the same.
    pub(crate) cause: Option<Cause>,
    /// How many of them, in a row and up to now, said that our request is wrong.
    pub(crate) misconfigured: u32,
    /// The prompt retry after a lost answer has been made.
    pub(crate) prompted: bool,
}

/// The same unrecognisable refusal, again and again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Suspicion {
    signature: u64,
    count: u32,
    first: Timestamp,
}

impl Session {
    /// A person passes whatever was put off by us, but neither a time that the provider named nor what only another
    /// sign-in can mend. A machine passes nothing.
    pub(crate) fn on_asked(&mut self, by: Asker, now: Timestamp, out: &mut Vec<Effect>) {
        if by == Asker::Machine {
            if self.hold.is_none() {
                self.begin_refresh(Cause::Asked, by, now, out);
            }
            return;
        }
        self.dismiss_demand();
        if self.hold.as_ref().is_some_and(|hold| now < hold.named) {
            return;
        }
        // A token that is still there was kept aside by whatever stopped the session.
        if self.grant.is_some() && self.lost.take().is_some() {
            self.suspicion = None;
        }
        if self.hold.take().is_some() {
            self.streak.prompted = false;
        }
        self.begin_refresh(Cause::Asked, by, now, out);
    }

    /// Somebody waits for a token. What is already being done, or put off, is not done twice for it; only a person who
    /// has nothing to work with does not wait for a pause of ours to end.
    pub(crate) fn on_wanted(
        &mut self,
        min_valid: Duration,
        by: Asker,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        if let Some(access) = self.access.as_mut().filter(|access| access.is_good(now, Duration::ZERO)) {
            // More life than half of what a token has can be had at most twice in a lifetime, whatever callers ask.
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

    /// It was not sent, so nothing was learned: neither of the provider nor of the token.
    pub(crate) fn on_withheld(
        &mut self,
        attempt: Attempt,
        wait: Duration,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        let Some(exchange) = self.exchange.take_if(|exchange| exchange.attempt == attempt) else { return };
        self.streak.cause.get_or_insert(exchange.cause);
        // Who came after it had been begun for a machine is not turned away with it.
        if exchange.awaited && exchange.by == Asker::Machine {
            return self.begin_refresh(exchange.cause, Asker::Person, now, out);
        }
        let trouble = Trouble::BreakerOpen;
        self.hold = Some(Hold { until: now + wait, trouble, status: None, named: Timestamp::default() });
        out.push(Effect::Note(Note::Kept {
            cause: exchange.cause,
            trouble,
            status: None,
            failures: self.streak.failures,
            retry_in_ms: millis(wait),
        }));
    }

    /// The provider has refused the access token of that generation.
    pub(crate) fn refuse(
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
        // Everybody who comes after the first finds out what he has; only a person may have more.
        if access.rejected && by == Asker::Machine {
            return;
        }
        access.rejected = true;
        // While the token was good there was time for a long pause. Now people wait.
        let soon = now + self.backoff(now).for_;
        match &mut self.hold {
            Some(hold) if by == Asker::Person && hold.named <= now => {
                self.hold = None;
                self.begin_refresh(cause, by, now, out);
            }
            Some(_) if self.streak.misconfigured > 0 => {}
            Some(hold) => hold.shorten(soon),
            None => self.begin_refresh(cause, by, now, out),
        }
    }

    pub(crate) fn refreshing(&self) -> Option<Cause> {
        let exchange = self.exchange.as_ref().map(|exchange| exchange.cause);
        exchange.or_else(|| self.unpublished.as_ref().map(|unpublished| unpublished.access.cause))
    }

    pub(crate) fn refresh_due(&self) -> Option<Timestamp> {
        if self.grant.is_none() || self.lost.is_some() || self.ending || self.refreshing().is_some() {
            return None;
        }
        let at = match (&self.hold, &self.access) {
            (Some(hold), _) => hold.until,
            (None, Some(access)) if !access.rejected => access.refresh_at,
            (None, _) => Timestamp::default(),
        };
        Some(at.max(self.settle))
    }

    pub(crate) fn refresh_now_due(&mut self, now: Timestamp, out: &mut Vec<Effect>) {
        let cause = match &self.access {
            _ if self.streak.cause.is_some() => self.streak.cause,
            Some(access) if !access.rejected => Some(Cause::BeforeExpiry),
            Some(_) => Some(Cause::Rejected),
            None => None,
        };
        self.begin_refresh(cause.unwrap_or(Cause::Start), Asker::Machine, now, out);
    }

    /// Never a second one beside the one in flight, whoever asks.
    fn begin_refresh(&mut self, cause: Cause, by: Asker, now: Timestamp, out: &mut Vec<Effect>) {
        if let Some(exchange) = &mut self.exchange {
            exchange.awaited |= by == Asker::Person;
        }
        if self.refreshing().is_some() || self.lost.is_some() || self.ending {
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
        if !self.marked {
            self.mark(token.clone(), out);
        }
        out.push(Effect::Refresh { attempt, token, cause, by });
    }

    pub(crate) fn on_refreshed(
        &mut self,
        attempt: Attempt,
        verdict: Verdict,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        match self.exchange.take() {
            Some(exchange) if exchange.attempt == attempt => self.judge(exchange, verdict, now, out),
            other => {
                self.exchange = other;
                self.late(attempt, verdict, out);
            }
        }
    }

    /// An answer to no exchange of this epoch.
    fn late(&self, attempt: Attempt, verdict: Verdict, out: &mut Vec<Effect>) {
        match verdict {
            Verdict::Fresh(tokens) if attempt.epoch != self.epoch => {
                Self::give_back(tokens, self.grant.is_none() || self.succeeds_another, out);
            }
            Verdict::Dead
            | Verdict::Fresh(_)
            | Verdict::Interaction(_)
            | Verdict::Misconfigured { .. }
            | Verdict::Suspect { .. }
            | Verdict::Transient { .. }
            | Verdict::Unsent { .. } => out.push(Effect::Note(Note::LateAnswer { revoked: false })),
        }
    }

    /// The worker has had its time and more. It is told to report, and until it has, nothing takes its place: what it
    /// sent may have spent the token, and what it received may be the only good one.
    pub(crate) fn call_off(&mut self, now: Timestamp, out: &mut Vec<Effect>) {
        let Some(exchange) = &mut self.exchange else { return };
        exchange.deadline = now + limits::REPORT;
        out.push(Effect::CallOff { attempt: exchange.attempt });
    }

    fn judge(&mut self, exchange: Exchange, verdict: Verdict, now: Timestamp, out: &mut Vec<Effect>) {
        let prompt = verdict.is_ambiguous();
        self.doubt |= prompt;
        match verdict {
            Verdict::Dead => self.condemn(&exchange, out),
            Verdict::Fresh(tokens) => self.accept(&exchange, tokens, now, out),
            Verdict::Interaction(interaction) => self.stop_for_person(interaction, out),
            Verdict::Misconfigured { trouble, status } => {
                // Counted by themselves: one 404 after a dozen 503s is a deployment, not a wrong profile.
                let in_a_row = self.streak.misconfigured + 1;
                let pause = Pause::ours(slow_retry(in_a_row));
                self.keep(&exchange, trouble, status, pause, now, out);
                self.streak.misconfigured = in_a_row;
            }
            Verdict::Suspect { status, signature, authentic } => {
                if self.suspect(signature, authentic, now) {
                    return self.lose(Lost::Unsure, out);
                }
                let pause = self.backoff(now);
                self.keep(&exchange, Trouble::Suspect, Some(status), pause, now, out);
            }
            Verdict::Transient { trouble, status, retry_after }
            | Verdict::Unsent { trouble, status, retry_after } => {
                let pause = if prompt && !self.streak.prompted {
                    self.streak.prompted = true;
                    Pause::ours(self.dice.between(limits::PROMPT / 2, limits::PROMPT))
                } else {
                    self.backoff(now)
                };
                let named = retry_after.unwrap_or_default();
                let pause = Pause { for_: pause.for_.max(named), named };
                self.keep(&exchange, trouble, status, pause, now, out);
            }
        }
    }

    /// The one path on which a refresh token is condemned without a person: the provider said so, of this very one.
    /// The access token goes on until it ends or is refused.
    fn condemn(&mut self, exchange: &Exchange, out: &mut Vec<Effect>) {
        if self.grant.as_ref().is_some_and(|grant| grant.generation == exchange.generation) {
            self.grant = None;
            let why = if core::mem::take(&mut self.doubt) { Lost::Interrupted } else { Lost::Refused };
            self.lose(why, out);
        }
    }

    /// The session goes on; the next try is later.
    fn keep(
        &mut self,
        exchange: &Exchange,
        trouble: Trouble,
        status: Option<u16>,
        pause: Pause,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        self.streak.failures = self.streak.failures.saturating_add(1);
        self.streak.misconfigured = 0;
        self.streak.cause.get_or_insert(exchange.cause);
        let until = now + pause.for_;
        self.hold = Some(Hold { until, trouble, status, named: now + pause.named });
        out.push(Effect::Note(Note::Kept {
            cause: exchange.cause,
            trouble,
            status,
            failures: self.streak.failures,
            retry_in_ms: millis(pause.for_),
        }));
    }

    fn backoff(&mut self, now: Timestamp) -> Pause {
        let lifetime = self.access.as_ref().map_or(self.policy.assume_lifetime, |access| access.lifetime);
        let remaining = self
            .access
            .as_ref()
            .filter(|access| !access.rejected)
            .map_or(Duration::ZERO, |access| now.until(access.expires));
        let for_ = backoff(&mut self.dice, self.streak.failures + 1, lifetime, remaining);
        Pause::ours(for_)
    }

    /// Whether this refusal is one too many.
    fn suspect(&mut self, signature: u64, authentic: bool, now: Timestamp) -> bool {
        if !authentic {
            return false;
        }
        match &mut self.suspicion {
            Some(suspicion) if suspicion.signature == signature => {
                suspicion.count += 1;
                suspicion.count >= SUSPECT_COUNT && now.since(suspicion.first) >= limits::SUSPECT
            }
            _ => {
                self.suspicion = Some(Suspicion { signature, count: 1, first: now });
                false
            }
        }
    }

    fn accept(&mut self, exchange: &Exchange, tokens: Tokens, now: Timestamp, out: &mut Vec<Effect>) {
        self.doubt = false;
        if let Some(what) = tokens.odd {
            out.push(Effect::Note(Note::Odd { what }));
        }
        let rotated = match (&self.grant, tokens.refresh) {
            (Some(grant), Some(refresh)) if grant.token != refresh => {
                self.take_grant(refresh);
                true
            }
            _ => false,
        };
        let Some(token) = tokens.access else {
            let pause = self.backoff(now);
            return self.keep(exchange, Trouble::Unusable, None, pause, now, out);
        };
        let access = self.receive(token, tokens.lifetime, exchange.cause, now);
        let took = Some(now.since(exchange.began));
        self.unpublished = Some(Unpublished { access, publish_by: now + limits::SAVE, rotated, took });
        if !rotated {
            self.publish(now, out);
        }
    }

    pub(crate) fn take_grant(&mut self, token: crate::tokens::RefreshToken) {
        self.grants += 1;
        self.grant = Some(Grant { token, generation: self.grants });
        self.vault.hurry();
    }

    pub(crate) fn receive(
        &mut self,
        token: crate::tokens::AccessToken,
        told: Option<Duration>,
        cause: Cause,
        now: Timestamp,
    ) -> Access {
        // Some providers say it at the sign-in only; what they said then holds until they say something else.
        let told = told.filter(|told| !told.is_zero());
        self.told_lifetime = told.or(self.told_lifetime);
        let source = match (told, self.told_lifetime) {
            (Some(_), _) => Source::Told,
            (None, Some(_)) => Source::Learned,
            (None, None) => Source::Assumed,
        };
        let lifetime = self.policy.believe(self.told_lifetime);
        let mut expires = now + lifetime;
        let mut refresh_at = self.policy.refresh_at(now, lifetime);
        // The way into the slot may be a short one, and is gone once: after a start, a sign-in, a long sleep. A token
        // that replaces a living one is not asked about again before half its life. Otherwise callers who want more
        // than the lead leaves, or a provider whose lifetimes vary (each its own period, each its own slot), would
        // have us refresh three times in a lifetime.
        if self.access.as_ref().is_some_and(|old| now < old.expires) {
            refresh_at = refresh_at.max(now + lifetime / 2);
        }
        // Some providers return the same access token until it is nearly over: it did not get younger by that, and
        // asking again at once would bring the same. But where its end was only our guess, or is over by what we
        // believed, the provider has just vouched for it: to insist would leave the session without a token for as
        // long as that goes on.
        let same = |old: &&Access| old.token == token && now < old.expires;
        if self.told_lifetime.is_some()
            && let Some(old) = self.access.as_ref().filter(same)
        {
            expires = expires.min(old.expires);
            refresh_at = now + (now.until(expires) / 2).max(spacing(lifetime));
        }
        self.accesses += 1;
        Access {
            token,
            generation: self.accesses,
            received: now,
            lifetime,
            source,
            expires,
            refresh_at,
            cause,
            rejected: false,
        }
    }

    /// Nothing more is waited for: the new token is let out although its refresh token is only in memory.
    pub(crate) fn publish_unsaved(&mut self, now: Timestamp, out: &mut Vec<Effect>) {
        self.say_unsaved(VaultTrouble::Slow, out);
        self.publish(now, out);
    }

    pub(crate) fn publish(&mut self, now: Timestamp, out: &mut Vec<Effect>) {
        let Some(Unpublished { access, rotated, took, .. }) = self.unpublished.take() else { return };
        let generation = access.generation;
        if let Some(took) = took {
            out.push(Effect::Note(Note::Refreshed {
                cause: access.cause,
                generation,
                lifetime_ms: access.lifetime_ms(),
                source: access.source,
                took_ms: millis(took),
                rotated,
                tries: self.streak.failures + 1,
            }));
            self.last_refresh = Some(Done { cause: access.cause, at: now, took });
        }
        self.access = Some(access);
        self.streak = Streak::default();
        self.suspicion = None;
        out.push(Effect::Publish { generation });
    }
}

struct Pause {
    for_: Duration,
    /// How much of it the provider asked for.
    named: Duration,
}

impl Pause {
    fn ours(for_: Duration) -> Self {
        Self { for_, named: Duration::ZERO }
    }
}

/// Three times the same over two minutes: a gateway that restarts has another answer by then.
const SUSPECT_COUNT: u32 = 3;
