//! After every step: who can be answered now?

use session::event::Event;
use session::note::Note;
use session::session::{Phase, Prospect};
use session::time::{Timestamp, millis};

use super::ask::refusal_of;
use super::kept::{Kept, Wanting};
use super::requests::Parked;
use super::{Id, Keeper};
use crate::api::{Code, Failure, Reply, Token};

impl Keeper {
    pub(super) fn settle(&mut self, id: Id, now: Timestamp) {
        self.settle_wanting(id, now);
        self.settle_lane(id, now);
        self.settle_sign_in(id, now);
        let overview =
            self.kept.get(&id).is_some_and(|kept| !kept.settling.is_empty()).then(|| self.overview());
        let Some(kept) = self.kept.get_mut(&id) else { return };
        if let Some(overview) = overview
            && let Some(phase) = kept.phase().filter(is_settled)
        {
            let host = kept.profile.host();
            for settling in kept.settling.drain(..) {
                let refusal = refusal_of(phase, &kept.profile.name, &host).filter(|_| settling.must_be_fresh);
                let reply = refusal.map_or_else(|| Ok(Reply::Status(overview.clone())), Err);
                drop(settling.answer.send(reply));
            }
        }
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

    /// Answers the callers who want a token for themselves. Returns whether nobody waits any more.
    pub(super) fn settle_wanting(&mut self, id: Id, now: Timestamp) -> bool {
        let Some(kept) = self.kept.get_mut(&id) else { return true };
        let mut waiting = Vec::new();
        for wanting in std::mem::take(&mut kept.wanting) {
            match kept.token(&wanting, now) {
                Some(reply) => drop(wanting.answer.send(reply)),
                None => waiting.push(wanting),
            }
        }
        kept.wanting = waiting;
        kept.wanting.is_empty()
    }

    /// Sends what was held if there is a good token, and tells those who cannot be served in time.
    fn settle_lane(&mut self, id: Id, now: Timestamp) {
        let Some(kept) = self.kept.get_mut(&id) else { return };
        if kept.lane.is_empty() {
            return;
        }
        let too_late = kept.too_late();
        for parked in kept.overdue(now) {
            parked.fail(too_late.clone());
        }
        let (limit, failure) = match kept.prospect(now, std::time::Duration::ZERO) {
            Prospect::Ready { token, generation } => {
                let token = token.clone();
                return self.release(id, &token, generation, now);
            }
            Prospect::Coming => return,
            Prospect::Held { until, trouble, status } => (until, held(kept, until, trouble, status, now)),
            Prospect::NeedsLogin(why) => (Timestamp::MAX, Failure::needs_login(why)),
        };
        let failure = failure.of(&kept.profile.name);
        for parked in kept.overdue(limit) {
            parked.fail(failure.clone());
        }
    }

    /// What went through the lane is told once, when the lane is clear again.
    pub(super) fn tell_burst(&mut self, id: Id, now: Timestamp) {
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

    /// A session without a good token and without anything under way that would bring one is asked for it.
    pub(super) fn want(&mut self, id: Id) {
        self.step(id, Event::Wanted { min_valid: std::time::Duration::ZERO });
    }
}

impl Kept {
    /// Takes out the held requests whose callers stop waiting at or before `limit`.
    fn overdue(&mut self, limit: Timestamp) -> Vec<Parked> {
        self.lane.take_until(limit).into_iter().map(|held| held.request).collect()
    }

    /// What somebody is told who has waited long enough: while a person is at the sign-in that it takes, just that.
    fn too_late(&self) -> Failure {
        let lost = self.session().filter(|session| session.signing_in().is_some());
        match lost.and_then(session::Session::lost) {
            Some(why) => Failure::needs_login(why),
            None => Failure::new(Code::DeadlinePassed),
        }
    }

    /// The reply to a caller who wants a token, once there is one to give or a reason to stop waiting.
    fn token(&self, wanting: &Wanting, now: Timestamp) -> Option<Result<Reply, Failure>> {
        let failure = match self.prospect(now, wanting.min_valid) {
            Prospect::Ready { token, .. } => {
                let access = self.session()?.view(now).access?;
                return Some(Ok(Reply::Token(Token {
                    access_token: token.expose().to_owned(),
                    scheme: self.provider.authorization(Some(token)).1,
                    remaining_ms: millis(access.remaining),
                    lifetime_ms: millis(access.lifetime),
                    shorter_than_asked: access.remaining < wanting.min_valid,
                })));
            }
            Prospect::Coming | Prospect::Held { .. } if now >= wanting.deadline => self.too_late(),
            Prospect::Coming => return None,
            Prospect::Held { until, .. } if until < wanting.deadline => return None,
            Prospect::Held { until, trouble, status } => held(self, until, trouble, status, now),
            Prospect::NeedsLogin(why) => Failure::needs_login(why),
        };
        Some(Err(failure.of(&self.profile.name)))
    }
}

fn is_settled(phase: &Phase) -> bool {
    match phase {
        Phase::Fresh | Phase::NeedsLogin { .. } | Phase::Waiting { .. } => true,
        Phase::Refreshing { .. } | Phase::SigningIn => false,
    }
}

fn held(
    kept: &Kept,
    until: Timestamp,
    trouble: session::reason::Trouble,
    status: Option<u16>,
    now: Timestamp,
) -> Failure {
    Failure::provider(trouble, status, &kept.profile.host()).retry_in(millis(now.until(until)))
}
