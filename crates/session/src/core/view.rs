use alloc::string::String;
use core::time::Duration;

use super::event::Attempt;
use super::facts::{Done, Session, SignIn};
use crate::forecast::Forecast;
use crate::reason::{Cause, Lost, Source, Trouble};
use crate::time::Timestamp;
use crate::tokens::{AccessToken, Account, TokenType};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    Fresh,
    NeedsLogin { why: Lost },
    Refreshing { cause: Cause, attempt: u32 },
    SigningIn,
    Waiting { until: Timestamp, failures: u32, why: Trouble, status: Option<u16> },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prospect<'a> {
    Coming,
    /// The token lives for less than was asked, and another one so soon would be one too many.
    Later {
        until: Timestamp,
    },
    Held {
        until: Timestamp,
        trouble: Trouble,
        status: Option<u16>,
    },
    NeedsLogin(Lost),
    Ready {
        token: &'a AccessToken,
        generation: u32,
    },
    /// Tokens do not live as long as was asked.
    TooShort {
        lifetime: Duration,
    },
}

/// It contains no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    pub phase: Phase,
    pub user: Option<String>,
    pub access: Option<AccessState>,
    pub refresh_at: Option<Timestamp>,
    /// There is something to buy the next access token with. Without it the session ends with the one that is out.
    pub renewable: bool,
    pub heartbeat_at: Option<Timestamp>,
    pub last_heartbeat: Option<(bool, Timestamp)>,
    pub last_refresh: Option<Done>,
    /// The newest refresh token is in the vault.
    pub saved: bool,
    pub forecast: Option<Forecast>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccessState {
    pub generation: u32,
    pub lifetime: Duration,
    pub source: Source,
    pub remaining: Duration,
    pub rejected: bool,
    pub kind: TokenType,
}

impl Session {
    /// `None` for a token that was refused or has less than `min_valid` left.
    pub fn access_token(&self, now: Timestamp, min_valid: Duration) -> Option<&AccessToken> {
        let access = self.access.as_ref().filter(|access| access.is_good(now, min_valid))?;
        Some(&access.token)
    }

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
                && self.postponed.is_none()
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

    /// A demand covers the other phases: one that came and went with every refresh would call a person each time.
    pub fn phase(&self) -> Phase {
        match (self.progress(), &self.demand) {
            (Phase::Fresh | Phase::Refreshing { .. } | Phase::Waiting { .. }, Some(demand)) => {
                Phase::NeedsLogin { why: demand.need.lost() }
            }
            (progress, _) => progress,
        }
    }

    pub fn lost(&self) -> Option<Lost> {
        self.lost
    }

    /// The newest refresh token is only in memory.
    pub fn would_be_lost(&self) -> bool {
        self.grant.is_some() && !self.is_saved()
    }

    pub fn signing_in(&self) -> Option<Attempt> {
        self.sign_in.as_ref().map(SignIn::attempt)
    }

    pub fn account(&self) -> &Account {
        &self.account
    }

    /// Whether a refused request should wait: for a newer token, or for the reason why there is none.
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

    /// The access token has run out by now, or another one has taken its place. Of an assumed lifetime nobody knows it.
    pub fn has_outlived(&self, generation: u32, now: Timestamp) -> bool {
        self.access.as_ref().is_some_and(|access| {
            let over = access.source != Source::Assumed && now >= access.expires;
            access.generation > generation || (access.generation == generation && over)
        })
    }

    fn progress(&self) -> Phase {
        if self.sign_in.is_some() { Phase::SigningIn } else { self.standing() }
    }

    /// What happens with the present tokens, also during a sign-in.
    pub fn standing(&self) -> Phase {
        if let Some(until) = self.vault.unread_until().filter(|_| self.lost.is_none()) {
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
        let postponed = self.postponed.map(|(cause, _)| cause);
        if let Some(cause) = self.refreshing().or(postponed) {
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
            renewable: self.grant.is_some(),
            heartbeat_at: self.heartbeat_due(),
            last_heartbeat: self.pulse.last,
            last_refresh: self.last_refresh,
            saved: self.is_saved(),
            forecast: self.forecast(now),
        }
    }
}
