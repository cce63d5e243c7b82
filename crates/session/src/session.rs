//! One session: what is known, what is in flight, and what is due.
//!
//! The state is a handful of facts, each with one owner: the newest refresh token, the access token that is out, the
//! exchange that is in flight, the reason to wait. The phase that people see is *derived* from them, so it cannot
//! disagree with them. An event changes facts; after every event one evaluator ([`Session::pursue`]) starts whatever
//! the facts make due. A tick is nothing but that evaluator, so a start, a wake-up and an ordinary second are judged
//! alike, and [`Session::deadline`] asks the same list of duties for its earliest date.
//!
//! The rules that this file and its neighbours keep are numbered in `ARCHITECTURE.md`.

use alloc::vec::Vec;
use core::time::Duration;

use crate::limits;
use serde::{Deserialize, Serialize};

use crate::dice::Dice;
use crate::event::{Attempt, Effect, Event, Memory};
use crate::heartbeat::Pulse;
use crate::note::Note;
use crate::oauth::error::Interaction;
use crate::policy::{Policy, spacing};
use crate::reason::{Cause, Lost, Trouble};
use crate::refresh::{Exchange, Streak, Suspicion, Unpublished};
use crate::sign_in::SignIn;
use crate::stored::VaultSync;
use crate::time::{Timestamp, millis};
use crate::tokens::{AccessToken, Account, RefreshToken};

pub use crate::view::{AccessView, Done, Phase, Prospect, View};

/// The state machine of one session.
#[derive(Clone, Debug)]
pub struct Session {
    pub(crate) policy: Policy,
    pub(crate) dice: Dice,
    pub(crate) epoch: u32,
    pub(crate) attempts: u32,
    /// Who signed in.
    pub(crate) account: Account,
    /// Whoever was signed in before is surely somebody else.
    pub(crate) succeeds_another: bool,
    /// The newest refresh token.
    pub(crate) grant: Option<Grant>,
    /// How many refresh tokens there were.
    pub(crate) grants: u32,
    /// Why nobody but a person can go on. The grant may still be there, kept aside.
    pub(crate) lost: Option<Lost>,
    /// What a person has to do at the provider's page. It ends nothing by itself.
    pub(crate) demand: Option<Interaction>,
    /// The access token that is out.
    pub(crate) access: Option<Access>,
    /// How many access tokens there were.
    pub(crate) accesses: u32,
    /// How long access tokens live, as the provider last said.
    pub(crate) told_lifetime: Option<Duration>,
    /// The refresh token that there is was sent, and nobody saw what came of it.
    pub(crate) doubt: bool,
    /// Somebody is told, should this process die, that an exchange was in flight.
    pub(crate) marked: bool,
    /// The process is about to end; nothing new is begun.
    pub(crate) ending: bool,
    /// What the next process would know.
    pub(crate) remembered: Memory,
    /// The refresh in flight; never more than one.
    pub(crate) exchange: Option<Exchange>,
    /// A new access token that waits for its refresh token to be saved.
    pub(crate) unpublished: Option<Unpublished>,
    /// Not before then is a refresh tried again.
    pub(crate) hold: Option<Hold>,
    pub(crate) streak: Streak,
    pub(crate) suspicion: Option<Suspicion>,
    pub(crate) sign_in: Option<SignIn>,
    pub(crate) vault: VaultSync,
    pub(crate) pulse: Pulse,
    /// After a sleep, nothing that nobody waits for happens before then.
    pub(crate) settle: Timestamp,
    pub(crate) last_refresh: Option<Done>,
}

/// The newest refresh token and its number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Grant {
    pub(crate) token: RefreshToken,
    pub(crate) generation: u32,
}

/// An access token and what is believed of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Access {
    pub(crate) token: AccessToken,
    pub(crate) generation: u32,
    pub(crate) received: Timestamp,
    pub(crate) lifetime: Duration,
    /// Where the lifetime comes from.
    pub(crate) source: Source,
    pub(crate) expires: Timestamp,
    pub(crate) refresh_at: Timestamp,
    /// Why it was asked for.
    pub(crate) cause: Cause,
    /// The provider has refused it.
    pub(crate) rejected: bool,
}

/// Where it is known from how long a token lives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// Nobody said: it is good until it is refused. The profile's assumption only dates the next refresh.
    Assumed,
    /// The provider said so of an earlier token.
    Learned,
    /// The provider said so of this one.
    #[default]
    Told,
}

/// A pause before the next try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Hold {
    pub(crate) until: Timestamp,
    pub(crate) trouble: Trouble,
    pub(crate) status: Option<u16>,
    /// The time that the provider itself named, if it did: nothing is tried before it.
    pub(crate) named: Timestamp,
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

    /// Takes an event in and says what is to be done, in that order.
    pub fn step(mut self, event: Event, now: Timestamp) -> (Self, Vec<Effect>) {
        let mut out = Vec::new();
        match event {
            Event::Asked { by } => self.on_asked(by, now, &mut out),
            Event::Beaten { attempt, beat } => self.on_beaten(attempt, beat, now, &mut out),
            Event::Demanded { generation, interaction } => {
                self.on_demanded(generation, interaction, &mut out)
            }
            Event::Ending => self.on_ending(),
            Event::Forgotten => self.on_forgotten(),
            Event::Loaded { found, memory, interrupted } => {
                self.on_loaded(found, memory, interrupted, &mut out)
            }
            Event::NetworkUp => self.on_network_up(now),
            Event::NotForgotten(trouble) | Event::NotLoaded(trouble) => {
                self.on_vault_trouble(trouble, now, &mut out)
            }
            Event::NotSaved { generation, trouble } => self.on_not_saved(generation, trouble, now, &mut out),
            Event::Refreshed { attempt, verdict } => self.on_refreshed(attempt, verdict, now, &mut out),
            Event::Rejected { by, generation } => self.refuse(generation, Cause::Rejected, by, now, &mut out),
            Event::Saved { generation } => self.on_saved(generation, now, &mut out),
            Event::SignIn { patience } => self.on_sign_in(patience, now, &mut out),
            Event::SignInFailed { attempt } => self.on_sign_in_failed(attempt),
            Event::SignOut => self.on_sign_out(&mut out),
            Event::SignedIn { attempt, tokens, account } => {
                self.on_signed_in(attempt, tokens, account, now, &mut out)
            }
            Event::Stays => self.ending = false,
            Event::Tick => {}
            Event::Wanted { min_valid, by } => self.on_wanted(min_valid, by, now, &mut out),
            Event::Withheld { attempt, wait } => self.on_withheld(attempt, wait, now, &mut out),
            Event::Woke { slept } => self.on_woke(slept, now),
        }
        self.pursue(now, &mut out);
        self.tend_mark(&mut out);
        self.tend_memory(&mut out);
        (self, out)
    }

    /// When [`Event::Tick`] next has something to do. A deadline is a question; nothing sets a timer.
    pub fn deadline(&self) -> Option<Timestamp> {
        Duty::ALL.iter().filter_map(|duty| self.due(*duty)).min()
    }

    /// Starts everything that the facts make due. Doing one thing can make another due, so it goes round until
    /// nothing is. Each duty, when done, moves its own date past `now` or removes the fact that made it due, and only
    /// publishing and expiring touch the facts of another: so no duty is done more than twice.
    fn pursue(&mut self, now: Timestamp, out: &mut Vec<Effect>) {
        for _ in 0..MOST_PURSUITS {
            let due = Duty::ALL.into_iter().find(|duty| self.due(*duty).is_some_and(|at| at <= now));
            let Some(duty) = due else { return };
            match duty {
                Duty::CallOff => self.call_off(now, out),
                Duty::CallOffSignIn => self.call_off_sign_in(now, out),
                Duty::Expire => self.lose(Lost::Expired, out),
                Duty::Heartbeat => self.beat(now, out),
                Duty::MissHeartbeat => self.miss_heartbeat(now, out),
                Duty::Publish => self.publish_unsaved(now, out),
                Duty::Refresh => self.refresh_now_due(now, out),
                Duty::Vault => self.tend_vault(out),
            }
        }
        debug_assert!(false, "the facts make something due again and again: {self:?}");
    }

    pub(crate) fn due(&self, duty: Duty) -> Option<Timestamp> {
        match duty {
            Duty::CallOff => self.exchange.as_ref().map(|exchange| exchange.deadline),
            Duty::CallOffSignIn => self.sign_in.as_ref().map(|sign_in| sign_in.deadline),
            Duty::Expire => self.ends_for_good_at(),
            Duty::Heartbeat => self.heartbeat_due(),
            Duty::MissHeartbeat => self.pulse.patience(),
            Duty::Publish => self.unpublished.as_ref().map(|unpublished| unpublished.publish_by),
            Duty::Refresh => self.refresh_due(),
            Duty::Vault => self.vault_due(),
        }
    }

    fn on_woke(&mut self, slept: Duration, now: Timestamp) {
        // Whoever was at work slept as well: patience counts waking time, or an answer that waits in a socket
        // buffer would lose against the retry that its lateness sets off.
        for deadline in [
            self.exchange.as_mut().map(|exchange| &mut exchange.deadline),
            self.unpublished.as_mut().map(|unpublished| &mut unpublished.publish_by),
            self.sign_in.as_mut().map(|sign_in| &mut sign_in.deadline),
            self.pulse.in_flight.as_mut().map(|flight| &mut flight.deadline),
        ]
        .into_iter()
        .flatten()
        {
            *deadline = *deadline + slept;
        }
        self.settle = now + self.dice.between(limits::SETTLE / 4, limits::SETTLE);
    }

    fn on_network_up(&mut self, now: Timestamp) {
        self.settle = self.settle.min(now + self.dice.between(Duration::ZERO, limits::SETTLE / 4));
        let soon = now + self.dice.between(Duration::ZERO, limits::SETTLE / 4);
        if let Some(hold) = &mut self.hold
            && hold.trouble.is_about_the_network()
        {
            hold.shorten(soon);
        }
    }

    /// Whatever is in flight is seen through.
    fn on_ending(&mut self) {
        self.ending = true;
        self.vault.hurry();
    }

    /// What tells the next process of an exchange in flight stays for as long as there is one, or its end is in doubt,
    /// or what it brought is not saved.
    fn tend_mark(&mut self, out: &mut Vec<Effect>) {
        if self.marked && self.exchange.is_none() && !self.doubt && self.is_saved() {
            self.marked = false;
            out.push(Effect::Unmark);
        }
    }

    fn tend_memory(&mut self, out: &mut Vec<Effect>) {
        if !self.vault.is_read() {
            return;
        }
        let memory = Memory {
            user: self.account.user.clone(),
            lost: self.lost,
            lifetime_ms: self.told_lifetime.map(millis),
            overruled: self.overrules_the_vault(),
        };
        if memory != self.remembered {
            self.remembered = memory.clone();
            out.push(Effect::Remember(memory));
        }
    }

    /// The access token ends and there is nothing to buy another with.
    fn ends_for_good_at(&self) -> Option<Timestamp> {
        if self.grant.is_some() || self.lost.is_some() || self.unpublished.is_some() || !self.vault.is_read()
        {
            return None;
        }
        match &self.access {
            None => Some(Timestamp::default()),
            Some(access) if access.rejected => Some(access.received),
            Some(access) if access.source == Source::Assumed => None,
            Some(access) => Some(access.expires),
        }
    }

    pub(crate) fn lose(&mut self, why: Lost, out: &mut Vec<Effect>) {
        self.lost = Some(why);
        self.hold = None;
        out.push(Effect::Note(Note::NeedsLogin { why }));
    }

    pub(crate) fn next_attempt(&mut self) -> Attempt {
        self.attempts += 1;
        Attempt { epoch: self.epoch, number: self.attempts }
    }
}

impl Hold {
    /// There is a reason to try sooner; not sooner than the provider allows.
    pub(crate) fn shorten(&mut self, until: Timestamp) {
        self.until = self.until.min(until.max(self.named));
    }
}

impl Access {
    /// Neither refused nor over, and with that much life left. One of which nobody said how long it lives is good
    /// until it is refused.
    pub(crate) fn is_good(&self, now: Timestamp, min_valid: Duration) -> bool {
        let over = now >= self.expires && self.source != Source::Assumed;
        !self.rejected && !over && now.until(self.expires) >= min_valid
    }

    /// So new, and got for the very same reason, that refusing it again says more about the resource than about
    /// the token: another refresh would only go round in circles.
    pub(crate) fn is_beyond_suspicion(&self, now: Timestamp) -> bool {
        matches!(self.cause, Cause::Rejected | Cause::HeartbeatSaidNo) && self.is_new(now)
    }

    /// Another one would only be the same again.
    pub(crate) fn is_new(&self, now: Timestamp) -> bool {
        now.since(self.received) < spacing(self.lifetime)
    }

    pub(crate) fn lifetime_ms(&self) -> u64 {
        millis(self.lifetime)
    }
}

impl Trouble {
    /// A network that came back may have cured it.
    fn is_about_the_network(self) -> bool {
        match self {
            Self::BreakerOpen
            | Self::CutShort
            | Self::Garbled
            | Self::NoNetwork
            | Self::NotJson
            | Self::Offline
            | Self::Redirected
            | Self::TimedOut
            | Self::Tls
            | Self::Unanswered => true,
            Self::Certificates
            | Self::Descriptors
            | Self::Discovery
            | Self::Disk
            | Self::Identity
            | Self::Memory
            | Self::Misconfigured
            | Self::RateLimited
            | Self::Status
            | Self::Suspect
            | Self::TooLarge
            | Self::Unreadable
            | Self::Unusable
            | Self::Vault => false,
        }
    }
}

/// What a session may have to do of its own accord, in the order in which it is done when several are due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Duty {
    Vault,
    Publish,
    CallOff,
    CallOffSignIn,
    Expire,
    Refresh,
    MissHeartbeat,
    Heartbeat,
}

impl Duty {
    const ALL: [Self; 8] = [
        Self::Vault,
        Self::Publish,
        Self::CallOff,
        Self::CallOffSignIn,
        Self::Expire,
        Self::Refresh,
        Self::MissHeartbeat,
        Self::Heartbeat,
    ];
}

/// Twice for each duty.
const MOST_PURSUITS: usize = 2 * Duty::ALL.len() + 1;
