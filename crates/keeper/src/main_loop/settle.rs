//! After each step: the callers that can be answered now.

use std::time::Duration;

use api::{Code, Failure, Reply, Token};
use session::event::{Asker, Event};
use session::note::Note;
use session::reason::Source;
use session::reason::{Trouble, VaultTrouble};
use session::time::{Timestamp, millis};
use session::view::{Phase, Prospect};

use super::answer::{refusal_of, refuse};
use super::keeper::Keeper;
use super::kept::{Kept, Wanting, unread_for_now};
use super::mail::{Id, Parked};

impl Keeper {
    pub(crate) fn settle(&mut self, id: Id, now: Timestamp) {
        self.settle_wanting(id, now);
        self.settle_lane(id, now);
        self.settle_sign_in(id, now);
        self.settle_ends(id, now);
        let Some(kept) = self.kept.get_mut(&id) else { return };
        let next = kept.next_date();
        if kept.due != next {
            if let Some(old) = kept.due.take() {
                self.due.remove(&(old, id));
            }
            kept.due = next;
            self.due.extend(next.map(|at| (at, id)));
        }
        self.let_go(id, now);
    }

    fn settle_wanting(&mut self, id: Id, now: Timestamp) {
        let Some(kept) = self.kept.get_mut(&id) else { return };
        let news = kept.has_news(now);
        for wanting in if news { kept.wanting.take() } else { kept.wanting.take_until(now) } {
            kept.answer_wanting(wanting, now);
        }
    }

    fn settle_ends(&mut self, id: Id, now: Timestamp) {
        let Some(kept) = self.kept.get_mut(&id) else { return };
        let Some((phase, tokens)) = kept.session().map(|session| (session.phase(), session.standing()))
        else {
            return;
        };
        // A refresh goes on in spite of a demand, and may be there to dismiss it.
        let refreshed =
            if is_settled(&tokens, now) { std::mem::take(&mut kept.refreshing) } else { Vec::new() };
        let signed_in =
            if is_settled(&phase, now) { std::mem::take(&mut kept.signing_in) } else { Vec::new() };
        if refreshed.is_empty() && signed_in.is_empty() {
            return;
        }
        let refusal = refusal_of(tokens, &kept.profile.name, &kept.profile.host());
        let overview = self.overview_of(id);
        for answer in refreshed {
            let reply = refusal.clone().map_or_else(|| Ok(Reply::Status(overview.clone())), Err);
            drop(answer.send(reply));
        }
        for answer in signed_in {
            drop(answer.send(Ok(Reply::Status(overview.clone()))));
        }
    }

    fn settle_lane(&mut self, id: Id, now: Timestamp) {
        let Some(kept) = self.kept.get_mut(&id) else { return };
        if kept.lane.is_empty() {
            return;
        }
        let too_late = kept.too_late();
        for parked in kept.overdue(now) {
            parked.fail(too_late.clone());
        }
        let (limit, failure) = match kept.prospect(now, Duration::ZERO) {
            Prospect::Ready { token, generation } => {
                let token = token.clone();
                return self.release(id, &token, generation, now);
            }
            // Without a wish for remaining life, neither `Later` nor `TooShort` occurs.
            Prospect::Coming | Prospect::Later { .. } | Prospect::TooShort { .. } => return,
            Prospect::Held { until, trouble, status } => {
                let limit = if kept.is_shut_out() { Timestamp::MAX } else { until };
                (limit, held(kept, until, trouble, status, now))
            }
            Prospect::NeedsLogin(why) => (Timestamp::MAX, Failure::needs_login(why)),
        };
        let failure = failure.of(&kept.profile.name);
        for parked in kept.overdue(limit) {
            parked.fail(failure.clone());
        }
    }

    pub(crate) fn tell_burst(&mut self, id: Id, now: Timestamp) {
        let Some(kept) = self.kept.get_mut(&id).filter(|kept| kept.lane.is_clear()) else { return };
        let burst = std::mem::take(&mut kept.burst);
        if let Some(since) = burst.since {
            let name = kept.profile.name.clone();
            self.note(
                Some(&name),
                Note::Replayed { count: burst.count, waited_ms: millis(now.since(since)) },
            );
        }
    }

    pub(crate) fn want(&mut self, id: Id, by: Asker) {
        self.step(id, Event::Wanted { min_valid: Duration::ZERO, by });
    }
}

impl Kept {
    fn overdue(&mut self, limit: Timestamp) -> Vec<Parked> {
        self.lane.take_until(limit).into_iter().map(|held| held.request).collect()
    }

    /// Only requests that the next keeper can carry out without doing anything twice.
    pub(crate) fn turn_away(&mut self, failure: &Failure) {
        for parked in self.overdue(Timestamp::MAX) {
            parked.fail(failure.clone());
        }
        let wanting = self.wanting.take().into_iter().map(|wanting| wanting.answer);
        let settling = self.refreshing.drain(..).chain(self.signing_in.drain(..));
        for answer in wanting.chain(settling).chain(self.finishing.take()) {
            refuse(answer, failure.clone());
        }
    }

    /// What is stored cannot be read until somebody does something about it, which is no use waiting for.
    fn is_shut_out(&self) -> bool {
        self.session().is_some_and(|session| {
            let unread = matches!(session.standing(), Phase::Waiting { why: Trouble::Vault, .. });
            unread && session.vault_trouble().is_some_and(|trouble| !trouble.is_passing())
        })
    }

    /// While a person is at the sign-in that it takes, that is the answer.
    fn too_late(&self) -> Failure {
        let lost = self.session().filter(|session| session.signing_in().is_some());
        match lost.and_then(session::Session::lost) {
            Some(why) => Failure::needs_login(why),
            None => Failure::new(Code::DeadlinePassed),
        }
    }

    pub(crate) fn answer_wanting(&mut self, wanting: Wanting, now: Timestamp) {
        let given = match self.refusal(&wanting, now) {
            None => self.token(&wanting, wanting.min_valid, now),
            Some(Verdict::Wait) => return self.wanting.push(wanting.deadline, wanting),
            Some(Verdict::Refuse(failure)) => {
                let instead =
                    wanting.best_effort.then(|| self.token(&wanting, Duration::ZERO, now)).flatten();
                instead.or_else(|| Some(Err(failure.of(&self.profile.name))))
            }
        };
        let gone = || Err(Failure::new(Code::DeadlinePassed).of(&self.profile.name));
        drop(wanting.answer.send(given.unwrap_or_else(gone)));
    }

    fn refusal(&self, wanting: &Wanting, now: Timestamp) -> Option<Verdict> {
        Some(match self.prospect(now, wanting.min_valid) {
            Prospect::Ready { .. } => return None,
            Prospect::NeedsLogin(why) => Verdict::Refuse(Failure::needs_login(why)),
            Prospect::TooShort { lifetime } => {
                let access = self.session().and_then(|session| session.view(now).access);
                let assumed = access.is_some_and(|access| access.source == Source::Assumed);
                let known_from = if assumed { "assumed" } else { "lifetime" };
                let failure = Failure::new(Code::TokenTooShort);
                Verdict::Refuse(failure.with(known_from, api::duration::format(lifetime)))
            }
            Prospect::Coming | Prospect::Held { .. } | Prospect::Later { .. } if now >= wanting.deadline => {
                Verdict::Refuse(self.too_late())
            }
            Prospect::Coming => Verdict::Wait,
            Prospect::Held { until, trouble, status } if self.is_shut_out() => {
                Verdict::Refuse(held(self, until, trouble, status, now))
            }
            Prospect::Held { until, .. } | Prospect::Later { until } if until < wanting.deadline => {
                Verdict::Wait
            }
            Prospect::Held { until, trouble, status } => {
                Verdict::Refuse(held(self, until, trouble, status, now))
            }
            Prospect::Later { until } => {
                let failure = Failure::new(Code::DeadlinePassed);
                Verdict::Refuse(failure.retry_in(millis(now.until(until))))
            }
        })
    }

    fn token(
        &self,
        wanting: &Wanting,
        min_valid: Duration,
        now: Timestamp,
    ) -> Option<Result<Reply, Failure>> {
        let session = self.session()?;
        let token = session.access_token(now, min_valid)?;
        let access = session.view(now).access?;
        Some(Ok(Reply::Token(Token {
            access_token: token.expose().to_owned(),
            scheme: self.provider.authorization(Some(token)).1,
            remaining_ms: millis(access.remaining),
            lifetime_ms: millis(access.lifetime),
            source: access.source,
            shorter_than_asked: access.remaining < wanting.min_valid,
        })))
    }
}

enum Verdict {
    Refuse(Failure),
    Wait,
}

fn is_settled(phase: &Phase, now: Timestamp) -> bool {
    match phase {
        Phase::Waiting { .. } if unread_for_now(phase).is_some_and(|until| now < until) => false,
        Phase::Fresh | Phase::NeedsLogin { .. } | Phase::Waiting { .. } => true,
        Phase::Refreshing { .. } | Phase::SigningIn => false,
    }
}

fn held(kept: &Kept, until: Timestamp, trouble: Trouble, status: Option<u16>, now: Timestamp) -> Failure {
    if trouble == Trouble::Vault {
        let why = kept.session().and_then(session::Session::vault_trouble);
        return Failure::vault(why.unwrap_or(VaultTrouble::Slow)).retry_in(millis(now.until(until)));
    }
    Failure::provider(trouble, status, &kept.profile.host()).retry_in(millis(now.until(until)))
}
