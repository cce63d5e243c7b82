//! What can be seen of a session: by people, and by those who wait for a token.
//!
//! Nothing here is kept anywhere: it is all read off the facts.

use alloc::string::String;
use core::time::Duration;

use super::event::Attempt;
use super::facts::{Done, Session, SignIn};
use crate::reason::{Cause, Lost, Source, Trouble};
use crate::time::Timestamp;
use crate::tokens::{AccessToken, Account, TokenType};

/// What the session waits for, or who must act.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    Fresh,
    NeedsLogin { why: Lost },
    Refreshing { cause: Cause, attempt: u32 },
    SigningIn,
    Waiting { until: Timestamp, failures: u32, why: Trouble, status: Option<u16> },
}

/// What a caller who needs a token can expect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prospect<'a> {
    /// It is being fetched; wait to be woken.
    Coming,
    /// The token is good for less than that, and another can be had at that time: sooner would be another too soon.
    Later {
        until: Timestamp,
    },
    /// The next try is at that time.
    Held {
        until: Timestamp,
        trouble: Trouble,
        status: Option<u16>,
    },
    /// Only a person can help.
    NeedsLogin(Lost),
    Ready {
        token: &'a AccessToken,
        generation: u32,
    },
    /// Tokens do not live as long as that.
    TooShort {
        lifetime: Duration,
    },
}

/// What a person may see of a session. Holds no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    pub phase: Phase,
    pub user: Option<String>,
    pub access: Option<AccessState>,
    pub refresh_at: Option<Timestamp>,
    pub heartbeat_at: Option<Timestamp>,
    pub last_heartbeat: Option<(bool, Timestamp)>,
    pub last_refresh: Option<Done>,
    /// The newest refresh token is in the vault.
    pub saved: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccessState {
    pub generation: u32,
    pub lifetime: Duration,
    /// Where the lifetime comes from; an assumed one ends nothing.
    pub source: Source,
    pub remaining: Duration,
    pub rejected: bool,
    pub kind: TokenType,
}

impl Session {
    /// The access token, if it is out, was not refused and has `min_valid` left.
    pub fn access_token(&self, now: Timestamp, min_valid: Duration) -> Option<&AccessToken> {
        let access = self.access.as_ref().filter(|access| access.is_good(now, min_valid))?;
        Some(&access.token)
    }

    /// What a caller who needs that much life in a token can expect.
    pub fn prospect(&self, now: Timestamp, min_valid: Duration) -> Prospect<'_> {
        if let Some(access) = self.access.as_ref().filter(|access| access.is_good(now, min_valid)) {
            return Prospect::Ready { token: &access.token, generation: access.generation };
        }
        if let Some(access) = self.access.as_ref().filter(|access| access.is_good(now, Duration::ZERO)) {
            if min_valid > access.lifetime {
                return Prospect::TooShort { lifetime: access.lifetime };
            }
            if self.grant.is_some()
                && self.lost.is_none()
                && self.hold.is_none()
                && self.refreshing().is_none()
            {
                return Prospect::Later { until: access.refresh_at };
            }
        }
        match self.progress() {
            Phase::NeedsLogin { why } => Prospect::NeedsLogin(why),
            Phase::Waiting { until, why, status, .. } => Prospect::Held { until, trouble: why, status },
            Phase::Fresh | Phase::Refreshing { .. } | Phase::SigningIn => Prospect::Coming,
        }
    }

    /// A demand is shown whatever goes on behind it, until somebody sees to it or dismisses it: a phase that came and
    /// went with every refresh would call a person each time.
    pub fn phase(&self) -> Phase {
        match (self.progress(), &self.demand) {
            (Phase::Fresh | Phase::Refreshing { .. } | Phase::Waiting { .. }, Some(demand)) => {
                Phase::NeedsLogin { why: demand.need.lost() }
            }
            (progress, _) => progress,
        }
    }

    /// Why nothing is left that a token could be bought with, whatever goes on meanwhile.
    pub fn lost(&self) -> Option<Lost> {
        self.lost
    }

    /// The newest refresh token is in memory and nowhere else.
    pub fn would_be_lost(&self) -> bool {
        self.grant.is_some() && !self.is_saved()
    }

    /// The sign-in that is under way.
    pub fn signing_in(&self) -> Option<Attempt> {
        self.sign_in.as_ref().map(SignIn::attempt)
    }

    /// Whose session it is.
    pub fn account(&self) -> &Account {
        &self.account
    }

    /// Whether a request that was refused with the token of that generation should wait for another: there is one, or
    /// there may be, or whoever waits is told why not.
    pub fn may_do_better_than(&self, generation: u32, now: Timestamp) -> bool {
        match self.prospect(now, Duration::ZERO) {
            Prospect::Coming
            | Prospect::Held { .. }
            | Prospect::Later { .. }
            | Prospect::NeedsLogin(_)
            | Prospect::TooShort { .. } => true,
            Prospect::Ready { generation: newest, .. } => newest > generation,
        }
    }

    /// What goes on with the tokens, whatever is demanded besides.
    fn progress(&self) -> Phase {
        if self.sign_in.is_some() { Phase::SigningIn } else { self.standing() }
    }

    /// What goes on with the tokens that there are, also while somebody is at a sign-in.
    pub fn standing(&self) -> Phase {
        if let Some(until) = self.vault.unread_until() {
            return Phase::Waiting {
                until,
                failures: self.vault.failures,
                why: Trouble::Vault,
                status: None,
            };
        }
        if let Some(why) = self.lost {
            return Phase::NeedsLogin { why };
        }
        if let Some(cause) = self.refreshing() {
            return Phase::Refreshing { cause, attempt: self.streak.failures + 1 };
        }
        match &self.hold {
            Some(hold) => Phase::Waiting {
                until: hold.until,
                failures: self.streak.failures,
                why: hold.trouble,
                status: hold.status,
            },
            None => Phase::Fresh,
        }
    }

    pub fn view(&self, now: Timestamp) -> View {
        let access = self.access.as_ref();
        View {
            phase: self.phase(),
            user: self.account.user.clone(),
            access: access.map(|access| AccessState {
                generation: access.generation,
                lifetime: access.lifetime,
                source: access.source,
                remaining: now.until(access.expires),
                rejected: access.rejected,
                kind: access.token.token_type(),
            }),
            refresh_at: self.refresh_due(),
            heartbeat_at: self.heartbeat_due(),
            last_heartbeat: self.pulse.last,
            last_refresh: self.last_refresh,
            saved: self.is_saved(),
        }
    }
}
