//! What a session is told, and what it wants done.

use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use serde::{Deserialize, Serialize};

use super::binding::Destination;
use super::note::Note;
use crate::interaction::Interaction;
use crate::reason::{Cause, Lost, VaultTrouble};
use crate::tokens::{AccessToken, Account, RefreshToken, Tokens};
use crate::verdict::{Beat, Verdict};

/// Which exchange an answer belongs to. An exchange ends with its report and with nothing else, so no answer of this
/// epoch is too late; one from an older epoch (before a sign-in or sign-out) brings tokens that nobody owns, and they
/// are revoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Attempt {
    pub epoch: u32,
    pub number: u32,
}

/// Who wants something. What guards against storms of machines is not in a person's way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Asker {
    /// A program, a script, a pipe; and the session itself.
    #[default]
    Machine,
    /// Somebody at the window or at a terminal, who waits and will not ask a thousand times a second.
    Person,
}

/// What the vault holds for a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// A refresh token of a profile that pointed elsewhere: it stays where it is, and goes nowhere.
    Elsewhere(Vec<Destination>),
    Nothing,
    Token {
        refresh: RefreshToken,
        account: Account,
    },
}

/// What is known of a session besides its tokens: no secret, and kept across the end of the process.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Memory {
    /// Who signed in last.
    #[serde(default)]
    pub user: Option<String>,
    /// Why nobody but a person can go on.
    #[serde(default)]
    pub lost: Option<Lost>,
    /// How long access tokens live, in milliseconds, as the provider last said.
    #[serde(default)]
    pub lifetime_ms: Option<u64>,
    /// What the vault may still hold was ended by a person: it is forgotten as soon as it is found.
    #[serde(default)]
    pub overruled: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Somebody wants a refresh now; a person also another try with a token of which nobody is sure.
    Asked {
        by: Asker,
    },
    Beaten {
        attempt: Attempt,
        beat: Beat,
    },
    /// A protected resource wants a person, not another token of the same kind (RFC 9470; RFC 6750, section 3.1).
    Demanded {
        generation: u32,
        interaction: Interaction,
    },
    /// The process is about to end: nothing new is begun, and what is not saved yet is saved now.
    Ending,
    Forgotten,
    /// What the vault holds, and what was remembered beside it.
    Loaded {
        found: Found,
        memory: Memory,
        /// That very token was sent by the last process, which saw no answer.
        interrupted: bool,
    },
    /// The network came back, as far as the system can tell. A hint.
    NetworkUp,
    NotForgotten(VaultTrouble),
    NotLoaded(VaultTrouble),
    NotSaved {
        generation: u32,
        trouble: VaultTrouble,
    },
    /// What came of [`Effect::Refresh`].
    Refreshed {
        attempt: Attempt,
        verdict: Verdict,
    },
    /// A protected resource refused the access token of that generation.
    Rejected {
        /// Whose request it was.
        by: Asker,
        generation: u32,
    },
    Saved {
        generation: u32,
    },
    /// A person signs in. Whatever holds now goes on until that succeeds.
    SignIn {
        /// How long that may take; a worker that has not reported by then is called off.
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
    /// Time has passed.
    Tick,
    /// A caller waits for a token with that much life left.
    Wanted {
        min_valid: Duration,
        by: Asker,
    },
    /// The refresh was not sent: the host is being left alone for that long.
    Withheld {
        attempt: Attempt,
        wait: Duration,
    },
    /// The machine slept, or the process stood still, for that long; told before anything else after it.
    Woke {
        slept: Duration,
    },
}

/// What is to be done, in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Its time is over: its worker shall report now, and is then replaced. Answered as what began it.
    CallOff { attempt: Attempt },
    /// Take the refresh token out of the vault; answered with `Forgotten` or `NotForgotten`.
    Forget,
    /// Ask the provider about this token; answered with `Beaten`.
    Heartbeat { attempt: Attempt, token: AccessToken, generation: u32 },
    /// Read the vault; answered with `Loaded` or `NotLoaded`.
    Load,
    /// Tell the next process that this token, which is what the vault holds, was sent. On the disk before the token
    /// goes out.
    Mark { token: RefreshToken },
    /// Write it down.
    Note(Note),
    /// A new access token is out: wake who waits.
    Publish { generation: u32 },
    /// Buy a new access token; answered with `Refreshed`.
    Refresh { attempt: Attempt, token: RefreshToken, cause: Cause, by: Asker },
    /// Keep this for the next process. Nothing waits for it.
    Remember(Memory),
    /// Tell the provider that these are not wanted any more. Nothing waits for it.
    Revoke { refresh: Option<RefreshToken>, access: Option<AccessToken> },
    /// Put this into the vault; answered with `Saved` or `NotSaved`.
    Save { generation: u32, token: RefreshToken, account: Account },
    /// Run the sign-in that was asked for; answered with `SignedIn` or `SignInFailed`.
    SignIn { attempt: Attempt },
    /// No exchange is in doubt any more: what would say so to the next process can go.
    Unmark,
}
