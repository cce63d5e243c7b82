//! Whether what a session has done is what the laws allow.

use std::time::Duration;

use session::event::{Asker, Attempt, Effect};
use session::limits;
use session::note::Note;
use session::reason::{Lost, Source, Trouble};
use session::tokens::{RefreshToken, Tokens};
use session::view::Phase;

use super::Referee;
use crate::law::{Law, Standing, Verified, broken};
use crate::provider::Habits;
use crate::saboteur::Sut;

impl Referee {
    /// Judges what it did about it.
    pub(crate) fn judge(&mut self, standing: &Standing, effects: &[Effect], sut: &Sut) -> Verified {
        let late = effects.iter().any(|effect| matches!(effect, Effect::Note(Note::LateAnswer { .. })));
        match standing {
            Standing::Awaited if late => {
                return broken(Law::NoAnswerIsTooLate, "an awaited answer was dropped");
            }
            Standing::OfAPerson if !effects.iter().any(|effect| matches!(effect, Effect::Refresh { .. })) => {
                return broken(Law::APersonIsNotAStorm, "a person is kept waiting");
            }
            Standing::Awaited | Standing::Demand(_) | Standing::OfAPerson | Standing::Stale => {}
            Standing::OfTheLiving if effects.iter().any(|effect| matches!(effect, Effect::Revoke { .. })) => {
                return broken(Law::NothingNewIsEnded, "what is revoked may take the new tokens along");
            }
            Standing::OfTheLiving => {}
            Standing::Foreign(tokens) => self.check_revoked(tokens, effects)?,
        }
        let out = sut.session().access_token(self.time(), Duration::ZERO);
        if let Standing::Demand(before) = standing
            && out != before.as_ref()
        {
            return broken(Law::ADemandEndsNothing, "a demand has cost a good token");
        }
        for effect in effects {
            self.check_effect(effect, standing)?;
        }
        self.check_phase(sut.session().phase())?;
        self.foresight.check(effects, sut.session(), &self.habits, self.now)?;
        self.check_deadline(sut)?;
        self.check_unknown(sut)?;
        if out.is_some_and(|token| self.orphans.contains(token.expose())) {
            return broken(Law::NoForeignTokens, "a foreign access token is out");
        }
        Ok(())
    }

    /// What was done before the process was killed; whether it was right is judged elsewhere. A wish that was not noted
    /// was not answered either.
    pub(crate) fn take_down(&mut self, effects: &[Effect]) {
        for effect in effects {
            match effect {
                Effect::Refresh { attempt, .. } => self.send(*attempt),
                Effect::Remember(memory) => (self.ended, self.noted) = (memory.lost, memory.overruled),
                _ => {}
            }
        }
    }

    /// Whether an access token may go out, to a provider or to a caller.
    pub(crate) fn check_use(&self, generation: u32) -> Verified {
        if self.access != Some(generation) {
            return broken(Law::ADeadTokenStaysHere, "it is not the one that is out");
        }
        if self.is_refused {
            return broken(Law::ADeadTokenStaysHere, "it was refused");
        }
        if self.over.is_some_and(|over| self.now > over) {
            return broken(Law::ADeadTokenStaysHere, "it is over");
        }
        Ok(())
    }

    /// A token that was not refused, bought after that one.
    pub(crate) fn has_newer_than(&self, generation: u32) -> bool {
        let over = self.over.is_some_and(|over| self.now >= over);
        self.access.is_some_and(|access| access > generation) && !self.is_refused && !over
    }

    /// That one has run out, or another has taken its place.
    pub(crate) fn has_outlived(&self, generation: u32) -> bool {
        let over = self.over.is_some_and(|over| self.now >= over);
        self.access.is_some_and(|access| access > generation || (access == generation && over))
    }

    pub(crate) fn check_wish(&self, wish: Option<u64>) -> Verified {
        match (wish, self.over) {
            (Some(wish), Some(over)) if over < self.now + wish => {
                broken(Law::AWishForLifeIsKept, &format!("{} ms are left of {wish}", over - self.now))
            }
            _ => Ok(()),
        }
    }

    /// A refresh goes out that no person has asked for.
    pub(crate) fn check_storm(&mut self) -> Verified {
        self.storm.push_back((self.now, Asker::Machine));
        while self.storm.front().is_some_and(|(at, _)| at + TEN_MINUTES < self.now) {
            self.storm.pop_front();
        }
        let sent = self.storm.iter().filter(|(_, by)| *by == Asker::Machine).count() as u64;
        let reasons = self.storm.len() as u64 - sent;
        let lives = TEN_MINUTES / self.shortest() + 1;
        let floor = (self.shortest() / 20)
            .clamp(limits::BACKOFF_SHORTEST.as_millis() as u64, limits::BACKOFF_LONGEST.as_millis() as u64);
        // Two in each life and what is tried before its end; then pauses that double up to sixteen times the first.
        let allowed = 12 * lives + TEN_MINUTES / (8 * floor) + 20 + 2 * reasons;
        if sent > allowed {
            return broken(Law::AStormIsBounded, &format!("{sent} in ten minutes, {allowed} would do"));
        }
        Ok(())
    }

    pub(crate) fn check_economy(&self, awake: u64) -> Verified {
        if self.habits.same_access || !self.habits.tells_lifetime {
            return Ok(());
        }
        let lifetimes = awake / self.shortest() + 1;
        let (made, allowed) = (self.refreshes, 2 * lifetimes + self.excused);
        if made <= allowed {
            return Ok(());
        }
        broken(
            Law::RefreshesAreFew,
            &format!("{made} refreshes in {lifetimes} lifetimes, {allowed} would do"),
        )
    }

    fn shortest(&self) -> u64 {
        let Habits { lifetime, uneven, idle, absolute, .. } = self.habits;
        let least = if uneven { lifetime - lifetime / 3 } else { lifetime };
        // What may not rest for longer is refreshed after half of that.
        idle.into_iter().chain(absolute).map(|rest| rest / 2).chain([least]).min().unwrap_or(least).max(1)
    }

    fn check_effect(&mut self, effect: &Effect, standing: &Standing) -> Verified {
        let goes = matches!(effect, Effect::Forget | Effect::Refresh { .. } | Effect::Save { .. });
        if self.elsewhere && goes {
            return broken(Law::NothingGoesElsewhere, "what is another server's is touched");
        }
        if matches!(effect, Effect::Refresh { .. } | Effect::Heartbeat { .. }) && self.rests() {
            let law = if self.ending { Law::NothingNewBeforeTheEnd } else { Law::NothingNewBeforeSleep };
            return broken(law, "something is begun");
        }
        match effect {
            Effect::Refresh { attempt, token, cause, .. } => {
                self.cause = Some(*cause);
                self.check_refresh(*attempt, token)
            }
            Effect::Save { token, account, .. } => {
                if self.orphans.contains(token.expose()) {
                    return broken(Law::NoForeignTokens, "a foreign refresh token is saved");
                }
                if self.newest.as_ref() != Some(token) {
                    let law = standing.law().unwrap_or(Law::TheNewestTokenIsSent);
                    return broken(law, "what is saved is not the newest refresh token");
                }
                if *account != self.account {
                    return broken(Law::TokensKeepTheirOwner, "a token is saved as somebody else's");
                }
                self.save_asked = true;
                self.begin_vault()
            }
            Effect::Load => self.begin_vault(),
            Effect::Forget if self.newest.is_some() && self.died.is_some() => {
                broken(Law::AnInteractionKeepsTheToken, "it is taken out of the vault")
            }
            Effect::Forget if self.newest.is_some() => broken(
                standing.law().unwrap_or(Law::NothingIsForgottenUnasked),
                "a refresh token that may be good is taken out of the vault",
            ),
            Effect::Forget => self.begin_vault(),
            Effect::Publish { generation } => match standing.law() {
                Some(law) => broken(law, "an answer that nobody waits for was used"),
                None => {
                    self.access = Some(*generation);
                    (self.over, self.bought_for) = (self.comes, self.cause);
                    (self.out_since, self.is_refused) = (self.now, false);
                    self.out.clone_from(&self.coming);
                    self.check_publish()
                }
            },
            Effect::SignIn { attempt } => {
                self.signing_in = Some((*attempt, self.sending()));
                Ok(())
            }
            Effect::Note(note @ (Note::Kept { .. } | Note::NeedsLogin { .. })) => {
                match (standing.law(), note) {
                    (Some(law), _) => broken(law, "an answer that nobody waits for was believed"),
                    (None, Note::NeedsLogin { why }) if self.called_for.replace(*why) == Some(*why) => {
                        broken(Law::APersonIsAskedOnce, &format!("{why:?} is said again"))
                    }
                    (None, _) => Ok(()),
                }
            }
            Effect::Unmark if self.in_flight.is_some() || self.doubt => {
                broken(Law::TheMarkStaysWhileInDoubt, "nobody knows yet what became of it")
            }
            Effect::Unmark if self.unsaved => {
                broken(Law::TheMarkStaysWhileInDoubt, "what came of it is only in memory")
            }
            Effect::Remember(memory) => {
                (self.ended, self.noted) = (memory.lost, memory.overruled);
                Ok(())
            }
            Effect::CallOff { attempt } => self.check_patience(*attempt),
            Effect::Heartbeat { generation, .. } => self.check_use(*generation),
            Effect::Mark { .. } | Effect::Note(_) | Effect::Revoke { .. } | Effect::Unmark => Ok(()),
        }
    }

    fn check_refresh(&mut self, attempt: Attempt, token: &RefreshToken) -> Verified {
        if self.in_flight.is_some() {
            return broken(
                Law::OneRefreshInFlight,
                "a second refresh is sent while the first one's worker lives",
            );
        }
        if self.overruled && self.newest.is_none() {
            return broken(Law::ASignOutHolds, "what a person has ended is sent");
        }
        if self.newest.as_ref() != Some(token) {
            let newest = self.newest.as_ref().map_or("none", RefreshToken::expose);
            return broken(
                Law::TheNewestTokenIsSent,
                &format!("{} is sent, the newest is {newest}", token.expose()),
            );
        }
        if let Some(why) = self.died {
            return broken(Law::OnlyAPersonGoesOn, &format!("a refresh is sent after {why:?}"));
        }
        if self.now < self.not_before {
            return broken(Law::RetryAfterIsKept, &format!("asked for rest until {}", self.not_before));
        }
        if self.now < self.pause_until {
            return broken(Law::AFailureIsFollowedByAPause, "the next try comes at once");
        }
        self.sent.insert(attempt, self.sending());
        self.send(attempt);
        Ok(())
    }

    fn send(&mut self, attempt: Attempt) {
        self.in_flight = Some(attempt);
        self.is_made_again = std::mem::take(&mut self.next_is_made_again);
        self.refreshes += 1;
    }

    fn check_publish(&self) -> Verified {
        let Some(since) = self.unsaved_since else { return Ok(()) };
        if self.now < since + 2_000 {
            return broken(Law::SaveComesBeforePublish, "a token is let out before the vault has answered");
        }
        if !self.save_asked && !self.vault_busy {
            return broken(Law::SaveComesBeforePublish, "a token is let out, and the vault was never asked");
        }
        Ok(())
    }

    fn check_revoked(&self, tokens: &Tokens, effects: &[Effect]) -> Verified {
        let (access, refresh) = (&tokens.access, &tokens.refresh);
        let revoked = effects.iter().any(|effect| {
            matches!(effect, Effect::Revoke { refresh: r, access: a } if r == refresh && a == access)
        });
        let used =
            effects.iter().any(|effect| matches!(effect, Effect::Save { .. } | Effect::Publish { .. }));
        if revoked || used {
            Ok(())
        } else {
            broken(Law::OrphansAreRevoked, "tokens that nobody owns live on")
        }
    }

    fn check_phase(&self, phase: Phase) -> Verified {
        if let (Phase::Fresh | Phase::Refreshing { .. } | Phase::Waiting { .. }, Some(why)) =
            (phase, self.demanded)
        {
            return broken(Law::ADemandIsShown, &format!("{phase:?}, and {why:?} is demanded"));
        }
        let Phase::NeedsLogin { why } = phase else { return Ok(()) };
        let suspected =
            self.suspicion.is_some_and(|(_, count, first)| count >= 3 && self.now >= first + 120_000);
        let is_true = [self.died, self.demanded].contains(&Some(why)) || (why == Lost::Unsure && suspected)
            // A refusal that was to be expected.
            || (self.died == Some(Lost::Refused) && self.foresight.explains(why, &self.habits));
        if !is_true {
            return broken(Law::TheReasonIsTrue, &format!("{why:?} is not so"));
        }
        if why == Lost::Refused && self.foresight.was_foretold(&self.habits) {
            return broken(Law::AnEndIsForetold, "it ended as it had to, and nobody says so");
        }
        Ok(())
    }

    fn check_deadline(&self, sut: &Sut) -> Verified {
        let at = sut.deadline();
        if at.is_some_and(|at| at <= self.time()) {
            return broken(Law::EveryDeadlineIsReported, "something is left due");
        }
        if self.rests() {
            // Nothing is begun, so nothing is due; that it goes on is told.
            return Ok(());
        }
        let session = sut.session();
        if session.phase() == Phase::Fresh
            && let Some(latest) = self.foresight.rests_until(&self.habits).filter(|latest| *latest > self.now)
            && at.is_none_or(|at| at.as_millis() > latest)
        {
            return broken(Law::NoSignInIdlesOut, &format!("{at:?}, and {latest} is the latest"));
        }
        let promised = match session.phase() {
            Phase::Fresh => session.view(self.time()).refresh_at.or(at),
            // What is shown hides what goes on behind it.
            Phase::NeedsLogin { why } if self.is_demand(why) => session.view(self.time()).refresh_at.or(at),
            Phase::NeedsLogin { .. } => return Ok(()),
            Phase::Refreshing { .. } => {
                let patience = limits::exchange(limits::MESSAGE) + limits::REPORT;
                Some(self.time() + patience + Duration::from_millis(self.slept))
            }
            Phase::SigningIn => {
                Some(self.time() + limits::REPORT + Duration::from_millis(self.patience + self.slept))
            }
            Phase::Waiting { why: Trouble::Vault, .. } if self.vault_busy => return Ok(()),
            Phase::Waiting { until, .. } => Some(until.max(self.time() + Duration::from_secs(4))),
        };
        match (at, promised) {
            (Some(at), Some(promised)) if at <= promised => Ok(()),
            _ => broken(Law::EveryDeadlineIsReported, &format!("{at:?}, promised {promised:?}")),
        }
    }

    /// A token that nobody has refused, and of which nobody said how long it lives, is there for whoever asks.
    fn check_unknown(&self, sut: &Sut) -> Verified {
        let session = sut.session();
        let Some(access) = session.view(self.time()).access else { return Ok(()) };
        let there = session.access_token(self.time(), Duration::ZERO).is_some();
        let refused = access.rejected && !self.refused.contains(&access.generation);
        if access.source == Source::Assumed && (!there && !access.rejected || refused) {
            return broken(Law::AnUnknownLifetimeEndsNothing, "it is taken for over");
        }
        Ok(())
    }

    fn check_patience(&self, attempt: Attempt) -> Verified {
        let patience = limits::exchange(limits::MESSAGE) + limits::REPORT;
        let waited = match (&self.signing_in, self.sent.get(&attempt)) {
            (Some((signing_in, sent)), _) if *signing_in == attempt => (sent, self.patience),
            (_, Some(sent)) => (sent, patience.as_millis() as u64),
            _ => return broken(Law::PatienceSleepsToo, "somebody is called off who is not at work"),
        };
        let (sent, patience) = waited;
        if self.now - sent.at < patience + (self.slept - sent.slept) {
            return broken(Law::PatienceSleepsToo, "somebody is called off before their time");
        }
        Ok(())
    }

    fn begin_vault(&mut self) -> Verified {
        if std::mem::replace(&mut self.vault_busy, true) {
            return broken(Law::OneVaultOperationAtATime, "the vault is still busy");
        }
        Ok(())
    }
}

const TEN_MINUTES: u64 = 600_000;
