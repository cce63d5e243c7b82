//! What must hold at every step, judged from outside: from what the session was really told and what it did.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use session::Session;
use session::event::{Asker, Attempt, Effect, Event, Found};
use session::limits;
use session::note::Note;
use session::reason::Source;
use session::reason::{Lost, Trouble};
use session::time::Timestamp;
use session::tokens::{Account, RefreshToken, Tokens};
use session::verdict::Verdict;
use session::view::Phase;

use crate::law::{Law, Standing, Verified, broken};
use crate::saboteur::Sut;

#[derive(Default)]
pub(crate) struct Referee {
    pub(crate) now: u64,
    /// Milliseconds slept through in this life of the process.
    pub(crate) slept: u64,
    /// Raised by every sign-in that succeeds and every sign-out.
    epoch: u32,
    sent: BTreeMap<Attempt, Sent>,
    in_flight: Option<Attempt>,
    /// What was sent last may have been spent without anybody having seen the answer.
    doubt: bool,
    /// The refresh tokens of this epoch.
    tokens: BTreeSet<String>,
    /// The newest refresh token is not known to be saved.
    unsaved: bool,
    ending: bool,
    /// What is in the vault is another server's, until somebody signs in.
    elsewhere: bool,
    /// A person has overruled what the vault holds, and nobody has seen it go.
    overruled: bool,
    signing_in: Option<(Attempt, Sent)>,
    /// Milliseconds that the sign-in may take.
    patience: u64,
    /// Who signed in.
    account: Account,
    pub(crate) newest: Option<RefreshToken>,
    /// When it came, while nobody has said that it is saved, or that it cannot be.
    /// Whoever was signed in before is somebody else.
    succeeds_another: bool,
    unsaved_since: Option<u64>,
    save_asked: bool,
    vault_busy: bool,
    orphans: BTreeSet<String>,
    not_before: u64,
    /// After a failure: the least pause of all.
    pause_until: u64,
    /// The same refusal: its signature, how often, since when.
    suspicion: Option<(u64, u32, u64)>,
    died: Option<Lost>,
    /// What the next process is told of that.
    ended: Option<Lost>,
    /// The access tokens that were refused.
    refused: BTreeSet<u32>,
    /// The generation of the access token that is out.
    access: Option<u32>,
    demanded: Option<Lost>,
    /// How long a session may rest after what it was told last.
    pub(crate) rests_until: u64,
    pub(crate) refreshes: u64,
    /// Refreshes that something but the passing of time was a reason for.
    pub(crate) excused: u64,
}

struct Sent {
    epoch: u32,
    at: u64,
    slept: u64,
}

impl Referee {
    pub(crate) fn starting(now: u64) -> Self {
        Self { now, ..Self::default() }
    }

    /// A new process: what the old one knew is gone, what it had in flight as well.
    pub(crate) fn restart(&mut self) {
        let (now, refreshes, excused) = (self.now, self.refreshes, self.excused + 2);
        // What there was instead, if anything, went with the process: then the old is better than nothing.
        let (ended, overruled) = (self.ended, self.overruled && self.newest.is_none());
        *self = Self { now, refreshes, excused, ended, overruled, ..Self::default() };
    }

    /// Takes down what the session is told, and whether an answer is one that it waits for.
    pub(crate) fn hear(&mut self, event: &Event, session: &Session) -> Standing {
        match event {
            Event::Refreshed { attempt, verdict } => return self.hear_answer(*attempt, verdict),
            Event::SignedIn { attempt, tokens, account } => {
                let awaited = self.signing_in.take_if(|(waited, _)| waited == attempt);
                if awaited.is_none() {
                    let living = self.newest.is_some() && !differ(account, &self.account);
                    return self.orphan(tokens, living);
                }
                self.succeeds_another = differ(account, &self.account);
                self.begin_epoch();
                self.died = tokens.refresh.is_none().then_some(Lost::Expired);
                self.overruled = true;
                self.receive(tokens.refresh.as_ref());
                self.account = account.clone();
            }
            Event::SignInFailed { attempt } => {
                self.signing_in.take_if(|(waited, _)| waited == attempt);
            }
            Event::KeyDeleted if self.newest.is_none() => {}
            Event::KeyDeleted | Event::SignOut => {
                self.begin_epoch();
                self.signing_in = None;
                self.account = Account::default();
                let deleted = matches!(event, Event::KeyDeleted);
                self.died = Some(if deleted { Lost::KeyDeleted } else { Lost::SignedOut });
                self.overruled = true;
            }
            Event::Loaded { found, memory, interrupted } => {
                self.vault_busy = false;
                if self.epoch == 0 {
                    match found {
                        Found::Elsewhere(_) | Found::Token { .. } if self.overruled => {
                            self.died = self.ended.or(memory.lost).or(Some(Lost::Never));
                        }
                        Found::Elsewhere(_) => {
                            self.elsewhere = true;
                            self.died = Some(Lost::Elsewhere);
                        }
                        // What was said before the process died holds.
                        Found::Nothing => self.died = self.ended.or(memory.lost).or(Some(Lost::Never)),
                        Found::Token { refresh, account, generation } => {
                            self.died = (*generation < memory.generation).then_some(Lost::OlderCopy);
                            self.account = account.clone();
                            self.tokens.insert(refresh.expose().to_owned());
                            self.newest = Some(refresh.clone());
                            self.doubt = *interrupted;
                        }
                    }
                }
            }
            Event::Saved { .. } | Event::NotSaved { .. } => {
                self.vault_busy = false;
                // One save at a time, and only of what was newest when it was asked for.
                self.unsaved &= !(matches!(event, Event::Saved { .. }) && self.save_asked);
                self.overruled &= !matches!(event, Event::Saved { .. });
                if self.save_asked {
                    self.unsaved_since = None;
                }
            }
            Event::Forgotten => {
                self.vault_busy = false;
                self.unsaved &= self.newest.is_some();
                self.overruled = false;
            }
            Event::NotForgotten(_) => self.vault_busy = false,
            Event::NotLoaded(trouble) => {
                self.vault_busy = false;
                if self.epoch == 0 {
                    self.died = trouble.lost();
                }
            }
            Event::VaultEmptied => self.unsaved |= self.newest.is_some(),
            Event::Recalled(_) | Event::VaultReady => {}
            Event::Asked { by: Asker::Machine } => {
                self.excused += 1;
                return Standing::Awaited;
            }
            Event::Asked { by: Asker::Person } => {
                self.excused += 1;
                self.pause_until = 0;
                if self.newest.is_some() {
                    (self.died, self.demanded) = (None, None);
                }
                if session.phase() == (Phase::NeedsLogin { why: Lost::Unsure }) {
                    self.suspicion = None;
                }
                let free = self.newest.is_some() && self.in_flight.is_none() && !self.ending;
                if free && self.unsaved_since.is_none() && self.now >= self.not_before {
                    return Standing::OfAPerson;
                }
            }
            Event::Ending => {
                self.ending = true;
                self.pause_until = 0;
            }
            Event::Stays => self.ending = false,
            Event::Withheld { attempt, wait } => {
                self.in_flight.take_if(|waited| waited == attempt);
                self.excused += 1;
                self.rests_until = self.now + wait.as_millis() as u64;
            }
            Event::Woke { .. } => self.excused += 2,
            Event::Rejected { generation, .. } => {
                self.excused += 1;
                self.refused.insert(*generation);
            }
            Event::Beaten { .. } => {
                self.excused += 1;
                self.refused.extend(self.access);
            }
            Event::NetworkUp => self.pause_until = 0,
            Event::Demanded { generation, interaction } => {
                if self.access == Some(*generation) {
                    self.demanded.get_or_insert(interaction.need.lost());
                }
                return Standing::Demand(session.access_token(self.time(), Duration::ZERO).cloned());
            }
            Event::SignIn { patience } => self.patience = patience.as_millis() as u64,
            Event::Tick => {}
            // Somebody who has nothing to work with does not wait for a pause of ours.
            Event::Wanted { by, .. } => {
                if *by == Asker::Person && session.access_token(self.time(), Duration::ZERO).is_none() {
                    self.pause_until = 0;
                }
            }
        }
        Standing::Awaited
    }

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
        self.check_deadline(sut)?;
        self.check_unknown(sut)?;
        if out.is_some_and(|token| self.orphans.contains(token.expose())) {
            return broken(Law::NoForeignTokens, "a foreign access token is out");
        }
        Ok(())
    }

    /// Whether that is only demanded, and everything goes on behind it.
    pub(crate) fn is_demand(&self, why: Lost) -> bool {
        self.demanded == Some(why) && self.died != Some(why)
    }

    fn hear_answer(&mut self, attempt: Attempt, verdict: &Verdict) -> Standing {
        if self.in_flight != Some(attempt) {
            let foreign = self.sent.get(&attempt).is_some_and(|sent| sent.epoch != self.epoch);
            return match verdict {
                Verdict::Fresh(tokens) if foreign => {
                    self.orphan(tokens, self.newest.is_some() && !self.succeeds_another)
                }
                _ => Standing::Stale,
            };
        }
        self.in_flight = None;
        let now = self.now;
        self.doubt |= verdict.is_ambiguous();
        match verdict {
            Verdict::Dead => {
                self.newest = None;
                self.unsaved = true;
                let why = if std::mem::take(&mut self.doubt) { Lost::Interrupted } else { Lost::Refused };
                self.died = Some(why);
            }
            Verdict::Fresh(tokens) => {
                self.suspicion = None;
                self.doubt = false;
                if tokens.access.is_none() {
                    self.excused += 1;
                    self.pause_until = now + SHORTEST_PAUSE;
                    self.rests_until = now;
                }
                if tokens.refresh.is_some() && tokens.refresh != self.newest {
                    self.receive(tokens.refresh.as_ref());
                } else {
                    // Its access token hangs on no refresh token that could be lost with it.
                    self.unsaved_since = None;
                }
            }
            Verdict::Interaction(interaction) => {
                self.died = Some(interaction.need.lost());
                self.demanded = self.died;
            }
            Verdict::Misconfigured { .. } => self.rests_until = now + 3_600_000,
            Verdict::Suspect { signature, authentic: true, .. } => {
                let (_, count, _) = match &mut self.suspicion {
                    Some(known) if known.0 == *signature => known,
                    other => other.insert((*signature, 0, now)),
                };
                *count += 1;
                self.rests_until = now;
            }
            Verdict::Suspect { .. } => self.rests_until = now,
            Verdict::Transient { retry_after, .. } | Verdict::Unsent { retry_after, .. } => {
                self.not_before = now + retry_after.map_or(0, |asked| asked.as_millis() as u64);
                self.rests_until = self.not_before;
            }
        }
        if !matches!(verdict, Verdict::Fresh(_)) {
            self.excused += 1;
            self.pause_until = now + SHORTEST_PAUSE;
        }
        Standing::Awaited
    }

    fn begin_epoch(&mut self) {
        self.epoch += 1;
        self.in_flight = None;
        self.doubt = false;
        self.unsaved = true;
        self.elsewhere = false;
        self.tokens.clear();
        self.access = None;
        self.demanded = None;
        self.newest = None;
        self.unsaved_since = None;
        self.suspicion = None;
        self.not_before = 0;
        self.pause_until = 0;
        self.excused += 2;
    }

    fn receive(&mut self, refresh: Option<&RefreshToken>) {
        self.newest = refresh.cloned();
        self.tokens.extend(refresh.map(|token| token.expose().to_owned()));
        self.unsaved_since = refresh.map(|_| self.now);
        self.unsaved = true;
        self.save_asked = false;
    }

    fn orphan(&mut self, tokens: &Tokens, living: bool) -> Standing {
        self.orphans.extend(tokens.access.iter().map(|token| token.expose().to_owned()));
        self.orphans.extend(tokens.refresh.iter().map(|token| token.expose().to_owned()));
        if living { Standing::OfTheLiving } else { Standing::Foreign(tokens.clone()) }
    }

    fn check_effect(&mut self, effect: &Effect, standing: &Standing) -> Verified {
        let goes = matches!(effect, Effect::Forget | Effect::Refresh { .. } | Effect::Save { .. });
        if self.elsewhere && goes {
            return broken(Law::NothingGoesElsewhere, "what is another server's is touched");
        }
        if self.ending && matches!(effect, Effect::Refresh { .. } | Effect::Heartbeat { .. }) {
            return broken(Law::NothingNewBeforeTheEnd, "something is begun before the end");
        }
        match effect {
            Effect::Refresh { attempt, token, .. } => self.check_refresh(*attempt, token),
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
                    self.check_publish()
                }
            },
            Effect::SignIn { attempt } => {
                self.signing_in = Some((*attempt, self.sending()));
                Ok(())
            }
            Effect::Note(Note::Kept { .. } | Note::NeedsLogin { .. }) => match standing.law() {
                Some(law) => broken(law, "an answer that nobody waits for was believed"),
                None => Ok(()),
            },
            Effect::Unmark if self.in_flight.is_some() || self.doubt => {
                broken(Law::TheMarkStaysWhileInDoubt, "nobody knows yet what became of it")
            }
            Effect::Unmark if self.unsaved => {
                broken(Law::TheMarkStaysWhileInDoubt, "what came of it is only in memory")
            }
            Effect::Remember(memory) => {
                self.ended = memory.lost;
                Ok(())
            }
            Effect::CallOff { attempt } => self.check_patience(*attempt),
            Effect::Heartbeat { .. }
            | Effect::Mark { .. }
            | Effect::Note(_)
            | Effect::Revoke { .. }
            | Effect::Unmark => Ok(()),
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
        self.in_flight = Some(attempt);
        self.sent.insert(attempt, self.sending());
        self.refreshes += 1;
        Ok(())
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
        let is_true = [self.died, self.demanded].contains(&Some(why)) || (why == Lost::Unsure && suspected);
        if is_true { Ok(()) } else { broken(Law::TheReasonIsTrue, &format!("{why:?} is not so")) }
    }

    fn check_deadline(&self, sut: &Sut) -> Verified {
        let at = sut.deadline();
        if at.is_some_and(|at| at <= self.time()) {
            return broken(Law::EveryDeadlineIsReported, "something is left due");
        }
        if self.ending {
            // Nothing is begun, so nothing is due; that it stays is told.
            return Ok(());
        }
        let session = sut.session();
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

    fn sending(&self) -> Sent {
        Sent { epoch: self.epoch, at: self.now, slept: self.slept }
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

    /// It was sent, and is not known to be as good as before.
    pub(crate) fn may_be_spent(&self, token: &RefreshToken) -> bool {
        let overtaken = self.tokens.contains(token.expose()) && self.newest.as_ref() != Some(token);
        let of_the_newest = self.newest.as_ref() == Some(token) && (self.in_flight.is_some() || self.doubt);
        overtaken || of_the_newest
    }

    pub(crate) fn time(&self) -> Timestamp {
        Timestamp::from_millis(self.now)
    }
}

/// Half of the shortest first backoff.
const SHORTEST_PAUSE: u64 = 125;

/// Of somebody without a name nobody can say that.
fn differ(one: &Account, other: &Account) -> bool {
    one.user.is_some() && other.user.is_some() && one.user != other.user
}
