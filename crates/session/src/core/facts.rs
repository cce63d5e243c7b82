//! The facts of one session, and what can be said of one of them alone. The files beside this one change them.

use alloc::vec::Vec;
use core::time::Duration;

use super::event::{Asker, Attempt, Effect, Memory};
use super::note::Note;
use super::outlook::Outlook;
use super::policy::{Policy, spacing};
use crate::dice::Dice;
use crate::interaction::Interaction;
use crate::reason::{Cause, Lost, Oddity, Source, Trouble, VaultTrouble};
use crate::time::{Timestamp, millis};
use crate::tokens::{AccessToken, Account, RefreshToken};

#[derive(Clone, Debug)]
pub struct Session {
    pub(super) policy: Policy,
    pub(super) dice: Dice,
    pub(super) epoch: u32,
    pub(super) attempts: u32,
    pub(super) account: Account,
    /// The person who was signed in before is surely another one.
    pub(super) succeeds_another: bool,
    pub(super) grant: Option<Grant>,
    pub(super) grant_count: u32,
    /// The generation of the newest refresh token that was saved, here or by an earlier process.
    pub(super) saved_generation: u32,
    /// Why only a person can go on. The grant may still exist, set aside.
    pub(super) lost: Option<Lost>,
    pub(super) demand: Option<Interaction>,
    pub(super) access: Option<Access>,
    pub(super) access_count: u32,
    pub(super) told_lifetime: Option<Duration>,
    /// What the journal was last told of, about the answers of this sign-in.
    pub(super) odd: Option<Oddity>,
    pub(super) outlook: Outlook,
    /// The refresh token was sent, and the outcome is unknown.
    pub(super) doubt: bool,
    /// And the request has not been repeated yet.
    pub(super) answer_lost: bool,
    /// The generation of the refresh token that was marked last. The next process finds it, and those that were marked before
    /// it, as long as nobody says that none is in doubt.
    pub(super) marked: Option<u32>,
    pub(super) ending: bool,
    pub(super) dozing: bool,
    /// What was asked for while nothing new began.
    pub(super) postponed: Option<(Cause, Asker)>,
    /// What is written down for the next process; `None` until the last one's is known.
    pub(super) remembered: Option<Memory>,
    pub(super) exchange: Option<Exchange>,
    /// It waits until its refresh token is saved.
    pub(super) unpublished: Option<Unpublished>,
    pub(super) hold: Option<Hold>,
    pub(super) streak: Streak,
    pub(super) suspicion: Option<Suspicion>,
    pub(super) sign_in: Option<SignIn>,
    pub(super) vault: VaultSync,
    pub(super) pulse: Pulse,
    /// After a sleep, nothing that no caller waits for happens before then.
    pub(super) settle: Timestamp,
    pub(super) last_refresh: Option<Done>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Grant {
    pub(super) token: RefreshToken,
    pub(super) generation: u32,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Access {
    pub(super) token: AccessToken,
    pub(super) generation: u32,
    pub(super) received: Timestamp,
    pub(super) lifetime: Duration,
    pub(super) source: Source,
    pub(super) expires: Timestamp,
    pub(super) refresh_at: Timestamp,
    pub(super) cause: Cause,
    pub(super) rejected: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Hold {
    pub(super) until: Timestamp,
    pub(super) trouble: Trouble,
    pub(super) status: Option<u16>,
    /// The time that the provider itself named, or zero. Nothing is tried before it.
    pub(super) named: Timestamp,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Exchange {
    pub(super) attempt: Attempt,
    /// The generation of the refresh token that was sent.
    pub(super) generation: u32,
    pub(super) cause: Cause,
    pub(super) by: Asker,
    /// A person waits for it, although it may have been begun for a machine.
    pub(super) awaited: bool,
    pub(super) began: Timestamp,
    pub(super) deadline: Timestamp,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Unpublished {
    pub(super) access: Access,
    pub(super) publish_by: Timestamp,
    pub(super) rotated: bool,
    /// Absent after a sign-in, which has a note of its own.
    pub(super) took: Option<Duration>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Streak {
    pub(super) failures: u32,
    /// The cause of the first failure. Its retries have the same.
    pub(super) cause: Option<Cause>,
    /// How many of the newest failures, in a row, said that our request is wrong.
    pub(super) misconfigured: u32,
    /// The prompt retry after a lost answer has been made.
    pub(super) prompted: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Suspicion {
    pub(super) signature: u64,
    pub(super) count: u32,
    pub(super) first: Timestamp,
}

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
    /// How many times in a row the answer was no, each time of a new token.
    pub(super) noes: u32,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Flight {
    pub(super) attempt: Attempt,
    pub(super) generation: u32,
    pub(super) began: Timestamp,
    pub(super) deadline: Timestamp,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct VaultSync {
    pub(super) holds: Holds,
    pub(super) busy: bool,
    /// A save is under way, perhaps of a token that has been replaced since.
    pub(super) saving: bool,
    pub(super) retry_at: Timestamp,
    pub(super) failures: u32,
    pub(super) said_unsaved: bool,
    pub(super) trouble: Option<VaultTrouble>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Holds {
    Generation(u32),
    Nothing,
    /// It was not read, and nothing has been decided that overrules its content.
    Unread,
    /// It holds something that is not wanted any more.
    Stale,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Done {
    pub cause: Cause,
    pub at: Timestamp,
    pub took: Duration,
}

impl Session {
    /// Whatever it is told first, it asks for the vault with [`Effect::Load`](super::event::Effect::Load). `seed` feeds the
    /// jitter.
    pub fn new(policy: Policy, seed: u64, now: Timestamp) -> Self {
        Self {
            pulse: Pulse::starting(now + policy.heartbeat),
            policy,
            dice: Dice::new(seed),
            epoch: 0,
            attempts: 0,
            account: Account::default(),
            grant: None,
            grant_count: 0,
            saved_generation: 0,
            lost: None,
            demand: None,
            access: None,
            access_count: 0,
            told_lifetime: None,
            odd: None,
            outlook: Outlook::default(),
            doubt: false,
            answer_lost: false,
            succeeds_another: false,
            marked: None,
            ending: false,
            dozing: false,
            postponed: None,
            remembered: None,
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

    /// A session under a name that was just given up: it first forgets what the vault holds under it.
    pub fn overruling(policy: Policy, seed: u64, now: Timestamp) -> Self {
        let remembered = Some(Memory::default());
        let mut session = Self { lost: Some(Lost::Never), remembered, ..Self::new(policy, seed, now) };
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
    /// Ends the pause sooner, but not before the time that the provider named.
    pub(super) fn shorten(&mut self, until: Timestamp) {
        self.until = self.until.min(until.max(self.named));
    }
}

impl Access {
    /// A token of an assumed lifetime is good until it is refused.
    pub(super) fn is_good(&self, now: Timestamp, min_valid: Duration) -> bool {
        let over = now >= self.expires && self.source != Source::Assumed;
        !self.rejected && !over && now.until(self.expires) >= min_valid
    }

    /// The token is new and was itself bought after a refusal. Another refresh would only go round in circles.
    pub(super) fn is_beyond_suspicion(&self, now: Timestamp) -> bool {
        matches!(self.cause, Cause::Rejected | Cause::HeartbeatSaidNo) && self.is_new(now)
    }

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
            saving: false,
            retry_at: now,
            failures: 0,
            said_unsaved: false,
            trouble: None,
        }
    }

    pub(super) fn is_read(&self) -> bool {
        self.holds != Holds::Unread
    }

    pub(super) fn unread_until(&self) -> Option<Timestamp> {
        (!self.is_read()).then_some(self.retry_at)
    }

    /// A new token is saved at once, also after failures: the vault may just have been unlocked.
    pub(super) fn hurry(&mut self) {
        self.retry_at = Timestamp::default();
    }

    /// Whoever waits for the first reading goes on waiting for a while from now on.
    pub(super) fn read_now(&mut self, now: Timestamp) {
        if !self.is_read() && !self.busy {
            self.retry_at = now;
        }
    }

    /// A person signed in or out, or gave the name up. That overrules what the vault holds, read or not.
    pub(super) fn overrule(&mut self) {
        self.holds = Holds::Stale;
        self.retry_at = Timestamp::default();
        self.failures = 0;
        self.said_unsaved = false;
        self.trouble = None;
    }
}
