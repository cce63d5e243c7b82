//! What the answer to a refresh means for the session, and when the new token is published.

use alloc::vec::Vec;
use core::time::Duration;

use super::event::{Attempt, Effect};
use super::facts::{Access, Done, Exchange, Grant, Hold, Session, Streak, Suspicion, Unpublished};
use super::note::Note;
use super::policy::{backoff, slow_retry, spacing, suspect_retry};
use crate::limits;
use crate::reason::{Cause, Lost, Oddity, Source, Trouble, VaultTrouble};
use crate::time::{Timestamp, millis};
use crate::tokens::{AccessToken, RefreshToken, Tokens};
use crate::verdict::Verdict;

impl Session {
    pub(super) fn on_refreshed(
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

    /// Nothing replaces the worker before it reports: it may have spent the token, or received the only good one.
    pub(super) fn call_off(&mut self, now: Timestamp, out: &mut Vec<Effect>) {
        let Some(exchange) = &mut self.exchange else { return };
        exchange.deadline = now + limits::REPORT;
        out.push(Effect::CallOff { attempt: exchange.attempt });
    }

    fn judge(&mut self, exchange: Exchange, verdict: Verdict, now: Timestamp, out: &mut Vec<Effect>) {
        let prompt = verdict.is_ambiguous();
        self.doubt |= prompt;
        match verdict {
            Verdict::Dead => self.condemn(&exchange, now, out),
            Verdict::Fresh(tokens) => self.accept(&exchange, tokens, now, out),
            Verdict::Interaction(interaction) => self.stop_for_person(interaction, out),
            Verdict::Misconfigured { trouble, status } => {
                // Counted apart: one 404 after a dozen 503s is a deployment, not a wrong profile.
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
                let times = self.suspicion.as_ref().map_or(0, |suspicion| suspicion.count);
                let least = if authentic { suspect_retry(&mut self.dice, times) } else { Duration::ZERO };
                let pause = Pause::ours(pause.for_.max(least));
                self.keep(&exchange, Trouble::Suspect, Some(status), pause, now, out);
            }
            Verdict::Transient { trouble, status, retry_after }
            | Verdict::Unsent { trouble, status, retry_after } => {
                let pause = if prompt && !self.streak.prompted {
                    (self.streak.prompted, self.answer_lost) = (true, true);
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

    /// The only place that ends a refresh token without a person: the provider refused this very one.
    fn condemn(&mut self, exchange: &Exchange, now: Timestamp, out: &mut Vec<Effect>) {
        if self.grant.as_ref().is_some_and(|grant| grant.generation == exchange.generation) {
            self.grant = None;
            let why = if core::mem::take(&mut self.doubt) {
                Lost::Interrupted
            } else {
                self.end_seen(exchange, now)
            };
            self.outlook.leave();
            self.lose(why, out);
        }
    }

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

    pub(super) fn backoff(&mut self, now: Timestamp) -> Pause {
        let lifetime = self.access.as_ref().map_or(self.policy.assume_lifetime, |access| access.lifetime);
        let remaining = self
            .access
            .as_ref()
            .filter(|access| !access.rejected)
            .map_or(Duration::ZERO, |access| now.until(access.expires));
        let remaining =
            self.outlook.left_unused(&self.policy, now).map_or(remaining, |left| remaining.min(left));
        let for_ = backoff(&mut self.dice, self.streak.failures + 1, lifetime, remaining);
        Pause::ours(for_)
    }

    /// Whether the same refusal came often enough to be believed.
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
        // Whoever gives a token has not refused one, whatever else is missing.
        self.suspicion = None;
        // Who told of the lifetime before is believed on.
        let is_known = self.told_lifetime.is_some();
        self.tell_oddity(tokens.odd.filter(|what| *what != Oddity::LifetimeUnread || !is_known), out);
        let rotated = match (&self.grant, tokens.refresh) {
            (Some(grant), Some(refresh)) if grant.token != refresh => {
                self.take_grant(refresh);
                true
            }
            _ => false,
        };
        // What an answer tells holds from when it was given, and it may have been on its way for long.
        self.outlook.renew(tokens.refresh_life, self.grant_count, exchange.began);
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

    /// Once, although each answer may be so.
    pub(super) fn tell_oddity(&mut self, odd: Option<Oddity>, out: &mut Vec<Effect>) {
        let before = core::mem::replace(&mut self.odd, odd);
        if let Some(what) = odd.filter(|_| odd != before) {
            out.push(Effect::Note(Note::Odd { what }));
        }
    }

    pub(super) fn take_grant(&mut self, token: RefreshToken) {
        self.grant_count = self.grant_count.saturating_add(1);
        self.grant = Some(Grant { token, generation: self.grant_count });
        self.vault.hurry();
    }

    pub(super) fn receive(
        &mut self,
        token: AccessToken,
        told: Option<Duration>,
        cause: Cause,
        now: Timestamp,
    ) -> Access {
        // Some providers say it at the sign-in only. It holds until they say something else.
        let told = told.filter(|told| !told.is_zero());
        // Of the same token once more, what is told is what is left.
        let again = self.access.as_ref().is_some_and(|old| old.token == token);
        self.told_lifetime = if again { self.told_lifetime.or(told) } else { told.or(self.told_lifetime) };
        let source = match (told, self.told_lifetime) {
            (Some(_), _) => Source::Told,
            (None, Some(_)) => Source::Learned,
            (None, None) => Source::Assumed,
        };
        let lifetime = self.policy.believe(self.told_lifetime);
        let mut expires = now + told.map_or(lifetime, |told| self.policy.believe(Some(told)));
        let mut refresh_at = self.policy.refresh_at(now, lifetime);
        // A token that replaces a living one is not refreshed before half its life. Otherwise callers who want more
        // life than the lead leaves, or a provider whose lifetimes vary, would cause up to three refreshes.
        if self.access.as_ref().is_some_and(|old| now < old.expires) {
            refresh_at = refresh_at.max(now + lifetime / 2);
        }
        // Some providers return the same access token until it is nearly over. It is no younger then, and keeps its
        // dates; but where its end was assumed, or has passed, the provider has just vouched for it.
        let same = |old: &&Access| old.token == token && now < old.expires;
        if self.told_lifetime.is_some()
            && let Some(old) = self.access.as_ref().filter(same)
        {
            expires = expires.min(old.expires);
            refresh_at = now + (now.until(expires) / 2).max(spacing(lifetime));
        }
        self.access_count += 1;
        Access {
            token,
            generation: self.access_count,
            received: now,
            lifetime,
            source,
            expires,
            refresh_at,
            cause,
            rejected: false,
        }
    }

    pub(super) fn publish_unsaved(&mut self, now: Timestamp, out: &mut Vec<Effect>) {
        self.say_unsaved(VaultTrouble::Slow, out);
        self.publish(now, out);
    }

    pub(super) fn publish(&mut self, now: Timestamp, out: &mut Vec<Effect>) {
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

pub(super) struct Pause {
    pub(super) for_: Duration,
    named: Duration,
}

impl Pause {
    fn ours(for_: Duration) -> Self {
        Self { for_, named: Duration::ZERO }
    }
}

/// Three equal refusals over two minutes: a gateway that restarts has another answer by then.
const SUSPECT_COUNT: u32 = 3;
