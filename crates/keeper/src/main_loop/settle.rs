//! After each step: whoever can be served now is.

use std::time::Duration;

use api::{Code, Failure, Problem, Reply, Token};
use session::callers::{Burst, Denial, Ended, Served as By, Wanting};
use session::event::{Asker, Event};
use session::note::Note;
use session::reason::{Source, Trouble, VaultTrouble};
use session::time::{Timestamp, millis};
use session::view::Phase;

use super::answer::{Answer, refuse};
use super::keeper::Keeper;
use super::kept::{Kept, Served};
use super::mail::Id;

impl Keeper {
    pub(crate) fn settle(&mut self, id: Id, now: Timestamp) {
        let waiting = self.kept.get_mut(&id).and_then(Kept::waiting);
        let Some((callers, session)) = waiting else { return };
        let (served, ended) = callers.settle(session, now);
        for served in served {
            self.serve(id, served, now);
        }
        self.settle_sign_in(id, now);
        self.tell_ends(id, ended, now);
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

    pub(crate) fn serve(&mut self, id: Id, served: Served, now: Timestamp) {
        let Some(kept) = self.kept.get_mut(&id) else { return };
        let name = kept.profile.name.clone();
        match served {
            By::Deny { wanting, why } => refuse(wanting.caller, kept.failure(why, now).of(&name)),
            By::Give { wanting, min_valid } => kept.give(wanting, min_valid, now),
            By::Refuse { held, why } => held.request.fail(kept.failure(why, now).of(&name)),
            By::Send { held, token, generation } => {
                kept.replayed += u32::from(held.in_lane);
                self.send(id, held, &token, generation, now);
            }
        }
    }

    fn tell_ends(&self, id: Id, ended: Vec<Ended<Answer>>, now: Timestamp) {
        let Some(kept) = self.kept.get(&id).filter(|_| !ended.is_empty()) else { return };
        let overview = self.overview_of(id);
        for Ended { caller, tokens } in ended {
            let refusal = tokens.and_then(|tokens| kept.refusal(tokens, now));
            drop(caller.send(refusal.map_or_else(|| Ok(Reply::Status(overview.clone())), Err)));
        }
    }

    pub(crate) fn tell_burst(&mut self, id: Id, now: Timestamp) {
        let Some(kept) = self.kept.get_mut(&id) else { return };
        if let Some(Burst { count, since: Some(since) }) = kept.callers.take_burst() {
            let name = kept.profile.name.clone();
            self.note(Some(&name), Note::Replayed { count, waited_ms: millis(now.since(since)) });
        }
    }

    pub(crate) fn want(&mut self, id: Id, by: Asker) {
        self.step(id, Event::Wanted { min_valid: Duration::ZERO, by });
    }
}

impl Kept {
    fn refusal(&self, phase: Phase, now: Timestamp) -> Option<Failure> {
        let failure = match phase {
            Phase::Fresh | Phase::Refreshing { .. } | Phase::SigningIn => return None,
            Phase::NeedsLogin { why } => Failure::needs_login(why),
            Phase::Waiting { until, why, status, .. } => {
                Failure::provider(why, status, &self.profile.host()).retry_in(millis(now.until(until)))
            }
        };
        Some(self.in_its_words(failure).of(&self.profile.name))
    }

    fn in_its_words(&self, failure: Failure) -> Failure {
        match &self.said {
            Some(said) if matches!(failure.code, Code::RefreshRefused | Code::SignInNeeded) => {
                failure.with("message", said)
            }
            Some(said) => failure.because(Problem::said(said)),
            None => failure,
        }
    }

    fn failure(&self, why: Denial, now: Timestamp) -> Failure {
        let distance = |until: Timestamp| millis(now.until(until));
        match why {
            Denial::DeadlinePassed => Failure::new(Code::DeadlinePassed),
            Denial::Held { until, trouble: Trouble::Vault, .. } => {
                let why = self.session().and_then(session::Session::vault_trouble);
                Failure::vault(why.unwrap_or(VaultTrouble::Slow)).retry_in(distance(until))
            }
            Denial::Held { until, trouble, status } => {
                let failure = Failure::provider(trouble, status, &self.profile.host());
                self.in_its_words(failure.retry_in(distance(until)))
            }
            Denial::Later { until } => Failure::new(Code::DeadlinePassed).retry_in(distance(until)),
            Denial::NeedsLogin(why) => self.in_its_words(Failure::needs_login(why)),
            Denial::TooShort { lifetime, source } => {
                let known_from = if source == Source::Assumed { "assumed" } else { "lifetime" };
                Failure::new(Code::TokenTooShort).with(known_from, api::duration::format(lifetime))
            }
        }
    }

    fn give(&self, wanting: Wanting<Answer>, min_valid: Duration, now: Timestamp) {
        let token = self.token(wanting.min_valid, min_valid, now);
        let gone = || Failure::new(Code::DeadlinePassed).of(&self.profile.name);
        drop(wanting.caller.send(token.map(Reply::Token).ok_or_else(gone)));
    }

    fn token(&self, asked: Duration, min_valid: Duration, now: Timestamp) -> Option<Token> {
        let session = self.session()?;
        let token = session.access_token(now, min_valid)?;
        let access = session.view(now).access?;
        Some(Token {
            access_token: token.expose().to_owned(),
            scheme: self.provider.authorization(Some(token)).1,
            remaining_ms: millis(access.remaining),
            lifetime_ms: millis(access.lifetime),
            source: access.source,
            shorter_than_asked: access.remaining < asked,
        })
    }
}
