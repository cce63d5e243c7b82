//! Whoever waits for a session, and what becomes of them: requests to a provider, which are held while there is no good
//! token and sent again if it was refused; callers that want a token; and those that wait for a refresh or a sign-in to
//! end. Each is served once.

use alloc::vec::Vec;
use core::time::Duration;

use super::lane::{Held, Lane};
use super::queue::Queue;
use crate::bounds;
use crate::core::Session;
use crate::core::view::{Phase, Prospect};
use crate::limits;
use crate::reason::{Lost, Source, Trouble};
use crate::time::Timestamp;
use crate::tokens::AccessToken;

/// `R` is a request, `W` whoever wants a token, `E` whoever waits for an end.
#[derive(Debug)]
pub struct Callers<R, W, E> {
    lane: Lane<R>,
    wanting: Queue<Wanting<W>>,
    /// Only a good token is a success.
    refreshing: Vec<E>,
    /// Any end of the sign-in, and of what follows it, is a success.
    signing_in: Vec<E>,
    standing: Option<Standing>,
    burst: Burst,
}

/// A caller that wants a token with so much life left.
#[derive(Debug)]
pub struct Wanting<W> {
    pub min_valid: Duration,
    /// Rather than none, one that has less.
    pub best_effort: bool,
    pub deadline: Timestamp,
    pub caller: W,
}

/// What becomes of a caller that wants a token, or what is behind one.
#[derive(Debug)]
pub enum Served<R, W> {
    /// The provider's answer is for [`Callers::answered`] to hear.
    Send {
        held: Held<R>,
        token: AccessToken,
        generation: u32,
    },
    Refuse {
        held: Held<R>,
        why: Denial,
    },
    /// A token with at least `min_valid` left.
    Give {
        wanting: Wanting<W>,
        min_valid: Duration,
    },
    Deny {
        wanting: Wanting<W>,
        why: Denial,
    },
}

/// What somebody waited for is over.
#[derive(Debug)]
pub struct Ended<E> {
    pub caller: E,
    /// After a refresh, the standing of the tokens. How a sign-in has ended its caller sees.
    pub tokens: Option<Phase>,
}

/// Somebody who was waiting, whatever for.
#[derive(Debug)]
pub enum Caller<R, W, E> {
    Request(Held<R>),
    Token(Wanting<W>),
    End(E),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Denial {
    /// The caller has waited for as long as it wanted to.
    DeadlinePassed,
    Held {
        until: Timestamp,
        trouble: Trouble,
        status: Option<u16>,
    },
    /// There is a token that lives for less, and the next one comes too late for this caller.
    Later {
        until: Timestamp,
    },
    NeedsLogin(Lost),
    TooShort {
        lifetime: Duration,
        source: Source,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Standing {
    phase: Phase,
    tokens: Phase,
    access: Option<u32>,
}

/// What went through the lane since it was last clear.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Burst {
    pub count: u32,
    pub since: Option<Timestamp>,
}

impl<R, W, E> Callers<R, W, E> {
    /// Takes a new request in. It is sent at once where there is a good token and nobody before it. Otherwise `None`
    /// says that it is held, and the session is to be told that a token is wanted.
    pub fn admit(&mut self, mut held: Held<R>, session: &Session, now: Timestamp) -> Option<Served<R, W>> {
        if self.lane.is_clear()
            && let Prospect::Ready { token, generation } = session.prospect(now, Duration::ZERO)
        {
            held.in_lane = false;
            return Some(Served::Send { held, token: token.clone(), generation });
        }
        self.hold(held);
        None
    }

    /// To be called for each answer to what was sent, before anything else is done about it.
    pub fn answered(&mut self, held: &mut Held<R>) {
        if core::mem::take(&mut held.in_lane) {
            self.lane.answered(held.safe);
        }
    }

    /// After the session was told that the provider has refused the token that a request was sent with. Returns the
    /// request whose caller gets this answer; `None` says that it waits for another try. There is one, and a few more
    /// where the token has run out on the way: with tokens that live for less than the server's queue is long, that says
    /// nothing of the next.
    pub fn refused(
        &mut self,
        mut held: Held<R>,
        session: &Session,
        generation: u32,
        now: Timestamp,
    ) -> Option<Held<R>> {
        let more = held.refusals < bounds::REPLAYS && session.has_outlived(generation, now);
        if (held.refusals > 0 && !more) || !session.may_do_better_than(generation, now) {
            return Some(held);
        }
        held.refusals += 1;
        self.hold(held);
        None
    }

    /// After the session was told of what is wanted. `None` says that the caller waits.
    pub fn want(&mut self, wanting: Wanting<W>, session: &Session, now: Timestamp) -> Option<Served<R, W>> {
        let why = match refusal(session, &wanting, now) {
            Ok(()) => {
                let min_valid = wanting.min_valid;
                return Some(Served::Give { wanting, min_valid });
            }
            Err(None) => {
                self.wanting.push(wanting.deadline, wanting);
                return None;
            }
            Err(Some(why)) => why,
        };
        let any = session.access_token(now, Duration::ZERO).is_some();
        Some(match wanting.best_effort && any {
            true => Served::Give { wanting, min_valid: Duration::ZERO },
            false => Served::Deny { wanting, why },
        })
    }

    pub fn await_refresh(&mut self, caller: E) {
        self.refreshing.push(caller);
    }

    pub fn await_sign_in(&mut self, callers: impl IntoIterator<Item = E>) {
        self.signing_in.extend(callers);
    }

    /// Everybody who can be served now, in order, and whoever has waited for an end. To be called after each event that the
    /// session was told.
    pub fn settle(&mut self, session: &Session, now: Timestamp) -> (Vec<Served<R, W>>, Vec<Ended<E>>) {
        let mut served = Vec::new();
        let news = self.has_news(session, now);
        for wanting in if news { self.wanting.take() } else { self.wanting.take_until(now) } {
            served.extend(self.want(wanting, session, now));
        }
        self.settle_lane(session, now, &mut served);
        (served, self.settle_ends(session, now))
    }

    /// A refresh goes on in spite of a demand, and may be there to dismiss it.
    fn settle_ends(&mut self, session: &Session, now: Timestamp) -> Vec<Ended<E>> {
        let tokens = session.standing();
        let refreshed =
            if is_settled(&tokens, now) { core::mem::take(&mut self.refreshing) } else { Vec::new() };
        let refreshed = refreshed.into_iter().map(|caller| Ended { caller, tokens: Some(tokens) });
        let settled = is_settled(&session.phase(), now);
        let signed_in = if settled { core::mem::take(&mut self.signing_in) } else { Vec::new() };
        refreshed.chain(signed_in.into_iter().map(|caller| Ended { caller, tokens: None })).collect()
    }

    /// When [`Self::settle`] has something to do although nothing has happened.
    pub fn deadline(&self, session: &Session) -> Option<Timestamp> {
        let refreshing = (!self.refreshing.is_empty()).then(|| session.standing());
        let signing_in = (!self.signing_in.is_empty()).then(|| session.phase());
        let unread =
            [refreshing, signing_in].into_iter().flatten().filter_map(|phase| unread_for_now(&phase));
        let waiting = [self.wanting.deadline(), self.lane.deadline()];
        waiting.into_iter().flatten().chain(unread).min()
    }

    pub fn held(&self) -> usize {
        self.lane.len()
    }

    /// Those of another session's take their place here. Returns whether anybody waits now.
    pub fn take_over(&mut self, before: &mut Self) -> bool {
        for held in before.lane.take_until(Timestamp::MAX) {
            self.lane.hold(held);
        }
        self.burst = core::mem::take(&mut before.burst);
        self.wanting.append(&mut before.wanting);
        self.refreshing.append(&mut before.refreshing);
        self.signing_in.append(&mut before.signing_in);
        let settling = !self.refreshing.is_empty() || !self.signing_in.is_empty();
        !self.lane.is_empty() || !self.wanting.is_empty() || settling
    }

    /// Everybody who waits, to be turned away. What was sent is not among them.
    pub fn take_all(&mut self) -> Vec<Caller<R, W, E>> {
        let held = self.lane.take_until(Timestamp::MAX).into_iter().map(Caller::Request);
        let wanting = self.wanting.take().into_iter().map(Caller::Token);
        let settling = self.refreshing.drain(..).chain(self.signing_in.drain(..)).map(Caller::End);
        held.chain(wanting).chain(settling).collect()
    }

    /// What has gone through the lane, once nothing is in it.
    pub fn take_burst(&mut self) -> Option<Burst> {
        if self.burst.count == 0 || !self.lane.is_clear() {
            return None;
        }
        Some(core::mem::take(&mut self.burst))
    }

    fn hold(&mut self, mut held: Held<R>) {
        held.in_lane = true;
        held.waited = true;
        self.lane.hold(held);
    }

    fn settle_lane(&mut self, session: &Session, now: Timestamp, served: &mut Vec<Served<R, W>>) {
        if self.lane.is_empty() {
            return;
        }
        let why = too_late(session);
        served.extend(self.lane.take_until(now).into_iter().map(|held| Served::Refuse { held, why }));
        let (limit, why) = match session.prospect(now, Duration::ZERO) {
            Prospect::Ready { token, generation } => {
                while let Some(held) = self.lane.release() {
                    self.burst.count += 1;
                    self.burst.since.get_or_insert(held.arrived);
                    served.push(Served::Send { held, token: token.clone(), generation });
                }
                return;
            }
            // Without a wish for remaining life, neither `Later` nor `TooShort` occurs.
            Prospect::Coming | Prospect::Later { .. } | Prospect::TooShort { .. } => return,
            Prospect::Held { until, trouble, status } => {
                let limit = if session.is_shut_out() { Timestamp::MAX } else { until };
                (limit, Denial::Held { until, trouble, status })
            }
            Prospect::NeedsLogin(lost) => (Timestamp::MAX, Denial::NeedsLogin(lost)),
        };
        served.extend(self.lane.take_until(limit).into_iter().map(|held| Served::Refuse { held, why }));
    }

    /// Whether callers that wait for a token may get another answer than at the last call.
    fn has_news(&mut self, session: &Session, now: Timestamp) -> bool {
        let access = session.view(now).access.filter(|access| !access.rejected);
        let standing = Some(Standing {
            phase: session.phase(),
            tokens: session.standing(),
            access: access.map(|access| access.generation),
        });
        core::mem::replace(&mut self.standing, standing) != standing
    }
}

impl<R, W, E> Default for Callers<R, W, E> {
    fn default() -> Self {
        Self {
            lane: Lane::default(),
            wanting: Queue::default(),
            refreshing: Vec::new(),
            signing_in: Vec::new(),
            standing: None,
            burst: Burst::default(),
        }
    }
}

/// Fails with why this caller gets no token, or with nothing if it is to wait.
fn refusal<W>(session: &Session, wanting: &Wanting<W>, now: Timestamp) -> Result<(), Option<Denial>> {
    let over = now >= wanting.deadline;
    Err(match session.prospect(now, wanting.min_valid) {
        Prospect::Ready { .. } => return Ok(()),
        Prospect::NeedsLogin(why) => Some(Denial::NeedsLogin(why)),
        Prospect::TooShort { lifetime } => {
            let source = session.view(now).access.map(|access| access.source).unwrap_or_default();
            Some(Denial::TooShort { lifetime, source })
        }
        Prospect::Coming | Prospect::Held { .. } | Prospect::Later { .. } if over => Some(too_late(session)),
        Prospect::Coming => None,
        Prospect::Held { until, .. } if until < wanting.deadline && !session.is_shut_out() => None,
        Prospect::Later { until } if until < wanting.deadline => None,
        Prospect::Held { until, trouble, status } => Some(Denial::Held { until, trouble, status }),
        Prospect::Later { until } => Some(Denial::Later { until }),
    })
}

/// While a person is at the sign-in that it takes, that is the answer.
fn too_late(session: &Session) -> Denial {
    match session.lost().filter(|_| session.signing_in().is_some()) {
        Some(why) => Denial::NeedsLogin(why),
        None => Denial::DeadlinePassed,
    }
}

fn is_settled(phase: &Phase, now: Timestamp) -> bool {
    match phase {
        Phase::Waiting { .. } if unread_for_now(phase).is_some_and(|until| now < until) => false,
        Phase::Fresh | Phase::NeedsLogin { .. } | Phase::Waiting { .. } => true,
        Phase::Refreshing { .. } | Phase::SigningIn => false,
    }
}

/// How long the first read of the vault counts as in progress.
fn unread_for_now(phase: &Phase) -> Option<Timestamp> {
    match phase {
        Phase::Waiting { until, why: Trouble::Vault, failures: 0, .. } => Some(*until + limits::VAULT_LOOK),
        Phase::Fresh
        | Phase::NeedsLogin { .. }
        | Phase::Refreshing { .. }
        | Phase::SigningIn
        | Phase::Waiting { .. } => None,
    }
}
