//! What is known of one session: the facts, each with one owner, and what can be said of one of them alone.
//!
//! Nothing is decided here. The files beside this one change the facts, each for the events that it is named after.

use alloc::vec::Vec;
use core::time::Duration;

use super::event::{Asker, Attempt, Effect, Memory};
use super::note::Note;
use super::policy::{Policy, spacing};
use crate::dice::Dice;
use crate::interaction::Interaction;
use crate::reason::{Cause, Lost, Source, Trouble};
use crate::time::{Timestamp, millis};
use crate::tokens::{AccessToken, Account, RefreshToken};

/// The state machine of one session.
#[derive(Clone, Debug)]
pub struct Session {
    pub(super) policy: Policy,
    pub(super) dice: Dice,
    pub(super) epoch: u32,
    pub(super) attempts: u32,
    /// Who signed in.
    pub(super) account: Account,
    /// Whoever was signed in before is surely somebody else.
    pub(super) succeeds_another: bool,
    /// The newest refresh token.
    pub(super) grant: Option<Grant>,
    /// How many refresh tokens there were.
    pub(super) grants: u32,
    /// Why nobody but a person can go on. The grant may still be there, kept aside.
    pub(super) lost: Option<Lost>,
    /// What a person has to do at the provider's page. It ends nothing by itself.
    pub(super) demand: Option<Interaction>,
    /// The access token that is out.
    pub(super) access: Option<Access>,
    /// How many access tokens there were.
    pub(super) accesses: u32,
    /// How long access tokens live, as the provider last said.
    pub(super) told_lifetime: Option<Duration>,
    /// The refresh token that there is was sent, and nobody saw what came of it.
    pub(super) doubt: bool,
    /// Somebody is told, should this process die, that an exchange was in flight.
    pub(super) marked: bool,
    /// The process is about to end; nothing new is begun.
    pub(super) ending: bool,
    /// What the next process would know.
    pub(super) remembered: Memory,
    /// The refresh in flight; never more than one.
    pub(super) exchange: Option<Exchange>,
    /// A new access token that waits for its refresh token to be saved.
    pub(super) unpublished: Option<Unpublished>,
    /// Not before then is a refresh tried again.
    pub(super) hold: Option<Hold>,
    pub(super) streak: Streak,
    pub(super) suspicion: Option<Suspicion>,
    pub(super) sign_in: Option<SignIn>,
    pub(super) vault: VaultSync,
    pub(super) pulse: Pulse,
    /// After a sleep, nothing that nobody waits for happens before then.
    pub(super) settle: Timestamp,
    pub(super) last_refresh: Option<Done>,
}

/// The newest refresh token and its number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Grant {
    pub(super) token: RefreshToken,
    pub(super) generation: u32,
}

/// An access token and what is believed of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Access {
    pub(super) token: AccessToken,
    pub(super) generation: u32,
    pub(super) received: Timestamp,
    pub(super) lifetime: Duration,
    /// Where the lifetime comes from.
    pub(super) source: Source,
    pub(super) expires: Timestamp,
    pub(super) refresh_at: Timestamp,
    /// Why it was asked for.
    pub(super) cause: Cause,
    /// The provider has refused it.
    pub(super) rejected: bool,
}

/// A pause before the next try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Hold {
    pub(super) until: Timestamp,
    pub(super) trouble: Trouble,
    pub(super) status: Option<u16>,
    /// The time that the provider itself named, if it did: nothing is tried before it.
    pub(super) named: Timestamp,
}

/// A refresh in flight.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Exchange {
    pub(super) attempt: Attempt,
    /// Of the refresh token that was sent.
    pub(super) generation: u32,
    pub(super) cause: Cause,
    /// Whom it was begun for.
    pub(super) by: Asker,
    /// A person waits for it, be it begun for one or not.
    pub(super) awaited: bool,
    pub(super) began: Timestamp,
    /// A worker that has not reported by then is called off.
    pub(super) deadline: Timestamp,
}

/// A new access token on its way out, once its refresh token is safe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Unpublished {
    pub(super) access: Access,
    pub(super) publish_by: Timestamp,
    pub(super) rotated: bool,
    /// Absent for the access token of a sign-in, which is told by its own note.
    pub(super) took: Option<Duration>,
}

/// Failures since the last good answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Streak {
    pub(super) failures: u32,
    /// What the first of them was for; a retry is for the same.
    pub(super) cause: Option<Cause>,
    /// How many of them, in a row and up to now, said that our request is wrong.
    pub(super) misconfigured: u32,
    /// The prompt retry after a lost answer has been made.
    pub(super) prompted: bool,
}

/// The same unrecognisable refusal, again and again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Suspicion {
    pub(super) signature: u64,
    pub(super) count: u32,
    pub(super) first: Timestamp,
}

/// A sign-in that a person is at. What held before goes on until it succeeds: a mistyped password costs nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SignIn {
    pub(super) attempt: Attempt,
    pub(super) began: Timestamp,
    pub(super) deadline: Timestamp,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pulse {
    pub(super) next_at: Timestamp,
    pub(super) in_flight: Option<Flight>,
    /// Whether the last answer was good, and when it came.
    pub(super) last: Option<(bool, Timestamp)>,
    /// How often the answer was no, of a new token each time, since it was last good.
    pub(super) noes: u32,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Flight {
    pub(super) attempt: Attempt,
    /// Of the access token that it asks about.
    pub(super) generation: u32,
    pub(super) began: Timestamp,
    pub(super) deadline: Timestamp,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct VaultSync {
    pub(super) holds: Holds,
    pub(super) busy: bool,
    /// What it is being given.
    pub(super) saving: Option<Grant>,
    pub(super) retry_at: Timestamp,
    pub(super) failures: u32,
    /// A person has been told that the newest token is only in memory.
    pub(super) said_unsaved: bool,
}

/// What the vault is known to hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Holds {
    Generation(u32),
    Nothing,
    /// Nobody has read it, and nothing has been decided that would overrule what is in it.
    Unread,
    /// Something, and it is not wanted any more.
    Stale,
}

/// The last refresh that brought a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Done {
    pub cause: Cause,
    pub at: Timestamp,
    pub took: Duration,
}

impl Session {
    /// A session that knows nothing yet: its first effect asks the vault. `seed` feeds the jitter.
    pub fn new(policy: Policy, seed: u64, now: Timestamp) -> Self {
        Self {
            pulse: Pulse::starting(now + policy.heartbeat),
            policy,
            dice: Dice::new(seed),
            epoch: 0,
            attempts: 0,
            account: Account::default(),
            grant: None,
            grants: 0,
            lost: None,
            demand: None,
            access: None,
            accesses: 0,
            told_lifetime: None,
            doubt: false,
            succeeds_another: false,
            marked: false,
            ending: false,
            remembered: Memory::default(),
            exchange: None,
            unpublished: None,
            hold: None,
            streak: Streak::default(),
            suspicion: None,
            sign_in: None,
            vault: VaultSync::unread(now),
            settle: Timestamp::default(),
            last_refresh: None,
        }
    }

    /// A session under a name that somebody has just given up: whatever the vault may still hold under it is not wanted.
    /// Its first effect is to have that forgotten.
    pub fn overruling(policy: Policy, seed: u64, now: Timestamp) -> Self {
        let mut session = Self { lost: Some(Lost::Never), ..Self::new(policy, seed, now) };
        session.vault.overrule();
        session
    }

    pub(super) fn lose(&mut self, why: Lost, out: &mut Vec<Effect>) {
        self.lost = Some(why);
        self.hold = None;
        out.push(Effect::Note(Note::NeedsLogin { why }));
    }

    pub(super) fn next_attempt(&mut self) -> Attempt {
        self.attempts += 1;
        Attempt { epoch: self.epoch, number: self.attempts }
    }
}

impl Hold {
    /// There is a reason to try sooner; not sooner than the provider allows.
    pub(super) fn shorten(&mut self, until: Timestamp) {
        self.until = self.until.min(until.max(self.named));
    }
}

impl Access {
    /// Neither refused nor over, and with that much life left. One of which nobody said how long it lives is good
    /// until it is refused.
    pub(super) fn is_good(&self, now: Timestamp, min_valid: Duration) -> bool {
        let over = now >= self.expires && self.source != Source::Assumed;
        !self.rejected && !over && now.until(self.expires) >= min_valid
    }

    /// So new, and got for the very same reason, that refusing it again says more about the resource than about
    /// the token: another refresh would only go round in circles.
    pub(super) fn is_beyond_suspicion(&self, now: Timestamp) -> bool {
        matches!(self.cause, Cause::Rejected | Cause::HeartbeatSaidNo) && self.is_new(now)
    }

    /// Another one would only be the same again.
    pub(super) fn is_new(&self, now: Timestamp) -> bool {
        now.since(self.received) < spacing(self.lifetime)
    }

    pub(super) fn lifetime_ms(&self) -> u64 {
        millis(self.lifetime)
    }
}

impl SignIn {
    pub(super) fn attempt(&self) -> Attempt {
        self.attempt
    }
}

impl Pulse {
    pub(super) fn starting(next_at: Timestamp) -> Self {
        Self { next_at, in_flight: None, last: None, noes: 0 }
    }

    pub(super) fn restart(&mut self, next_at: Timestamp) {
        *self = Self::starting(next_at);
    }

    pub(super) fn patience(&self) -> Option<Timestamp> {
        self.in_flight.as_ref().map(|flight| flight.deadline)
    }
}

impl VaultSync {
    pub(super) fn unread(now: Timestamp) -> Self {
        Self {
            holds: Holds::Unread,
            busy: false,
            saving: None,
            retry_at: now,
            failures: 0,
            said_unsaved: false,
        }
    }

    pub(super) fn is_read(&self) -> bool {
        self.holds != Holds::Unread
    }

    /// While it has not been read: when it will next be asked.
    pub(super) fn unread_until(&self) -> Option<Timestamp> {
        (!self.is_read()).then_some(self.retry_at)
    }

    /// There is a new token to save. That the vault failed before is no reason to let the token out without having
    /// asked: it may just have been unlocked.
    pub(super) fn hurry(&mut self) {
        self.retry_at = Timestamp::default();
    }

    /// A person signed in or out, or gave the name up: whatever it holds is overtaken, read or not.
    pub(super) fn overrule(&mut self) {
        self.holds = Holds::Stale;
        self.retry_at = Timestamp::default();
        self.failures = 0;
        self.said_unsaved = false;
    }
}
