//! The events that a session takes, and the effects that it returns.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use serde::{Deserialize, Serialize};

use super::binding::Destination;
use super::note::Note;
use super::outlook::Outlook;
use crate::interaction::Interaction;
use crate::reason::{Cause, Lost, Trouble, VaultTrouble};
use crate::tokens::{AccessToken, Account, RefreshToken, Tokens};
use crate::verdict::{Beat, Verdict};

/// Tokens of an older epoch, from before a sign-in or sign-out, belong to no session and are revoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Attempt {
    pub epoch: u32,
    pub number: u32,
}

/// Who asks. The breaker and our own pauses hold back machines, never persons.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Asker {
    /// A program, a script, or the session itself.
    #[default]
    Machine,
    Person,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// The refresh token of a profile that named other places. It is kept, and sent nowhere.
    Elsewhere(Vec<Destination>),
    Nothing,
    Token {
        refresh: RefreshToken,
        account: Account,
        /// Counts the refresh tokens of a profile; zero for those that older versions kept.
        generation: u32,
    },
}

/// What is kept for the next process besides the tokens. It contains no secret.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Memory {
    #[serde(default)]
    pub user: Option<String>,
    #[serde(default)]
    pub lost: Option<Lost>,
    #[serde(default)]
    pub lifetime_ms: Option<u64>,
    /// A person has ended what the vault may still hold, so it is forgotten as soon as it is found.
    #[serde(default)]
    pub overruled: bool,
    /// Of the newest refresh token that was saved. An older one in the vault has come out of a backup.
    #[serde(default)]
    pub generation: u32,
    #[serde(default)]
    pub outlook: Box<Outlook>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The machine is about to sleep: nothing new begins, and what is not saved yet is saved now.
    AboutToSleep,
    /// A person also gets another try with a refresh token that was set aside.
    Asked {
        by: Asker,
    },
    Beaten {
        attempt: Attempt,
        beat: Beat,
    },
    /// The machine has slept, or does not sleep after all.
    Awake,
    /// A protected resource wants a person, not another token of the same kind (RFC 9470; RFC 6750, section 3.1).
    Demanded {
        generation: u32,
        interaction: Interaction,
    },
    /// The process is about to end: nothing new begins, and what is not saved yet is saved now.
    Ending,
    Forgotten,
    /// A person has deleted the key of what is stored, which ends the session as a sign-out does.
    KeyDeleted,
    Loaded {
        found: Found,
        /// The last process sent this token and saw no answer.
        interrupted: bool,
    },
    /// The system says that the network is back, which may be wrong.
    NetworkUp,
    NotForgotten(VaultTrouble),
    NotLoaded(VaultTrouble),
    NotSaved {
        generation: u32,
        trouble: VaultTrouble,
    },
    /// What the last process wrote down, before the vault says anything.
    Recalled(Memory),
    Refreshed {
        attempt: Attempt,
        verdict: Verdict,
    },
    Rejected {
        by: Asker,
        generation: u32,
    },
    Saved {
        generation: u32,
    },
    /// The present tokens stay in use until it succeeds.
    SignIn {
        /// A worker that has not reported by then is called off.
        patience: Duration,
    },
    SignInFailed {
        attempt: Attempt,
    },
    SignOut,
    SignedIn {
        attempt: Attempt,
        tokens: Tokens,
        account: Account,
    },
    /// The process does not end after all.
    Stays,
    Tick,
    /// Everything that the vault holds was deleted with the home.
    VaultEmptied,
    /// What the vault could not do before may work now.
    VaultReady,
    Wanted {
        min_valid: Duration,
        by: Asker,
    },
    /// The breaker held the refresh back, or there is no network to send it over: nothing was sent.
    Withheld {
        attempt: Attempt,
        wait: Duration,
        trouble: Trouble,
    },
    /// The machine slept or the process stood still; told before any other event.
    Woke {
        slept: Duration,
    },
}

/// What is to be done, in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// The worker's time is over: it must report now, with the event that it was to report anyway.
    CallOff { attempt: Attempt },
    /// Answered with `Forgotten` or `NotForgotten`.
    Forget,
    /// Answered with `Beaten`.
    Heartbeat { attempt: Attempt, token: AccessToken, generation: u32 },
    /// Answered with `Loaded` or `NotLoaded`.
    Load,
    /// Tells the next process that this token was sent, too. It is on the disk before the token goes out.
    Mark { token: RefreshToken },
    /// For the journal.
    Note(Note),
    /// The new access token may be used: wake the callers that wait.
    Publish { generation: u32 },
    /// Answered with `Refreshed` or `Withheld`. `again`: the answer to the same request has just been lost, and a provider
    /// that repeats it does so for a short time, so no guard may hold it back.
    Refresh { attempt: Attempt, token: RefreshToken, cause: Cause, by: Asker, again: bool },
    /// Keep this for the next process.
    Remember(Memory),
    /// Not answered: a sign-out waits for nothing.
    Revoke { refresh: Option<RefreshToken>, access: Option<AccessToken> },
    /// Answered with `Saved` or `NotSaved`.
    Save { generation: u32, token: RefreshToken, account: Account },
    /// Answered with `SignedIn` or `SignInFailed`.
    SignIn { attempt: Attempt },
    /// No exchange is in doubt any more, so all marks can go.
    Unmark,
}
