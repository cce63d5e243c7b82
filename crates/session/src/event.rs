//! What a session is told, and what it wants done.

use core::time::Duration;

use crate::note::Note;
use crate::oauth::error::Interaction;
use crate::reason::{Cause, Trouble, VaultTrouble};
use crate::tokens::{AccessToken, Account, RefreshToken, Tokens};
use crate::verdict::Verdict;

/// Which exchange an answer belongs to. An answer with an old attempt changes nothing; one from an older epoch
/// (before a sign-in or sign-out) also brings tokens that nobody owns, and they are revoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Attempt {
    pub epoch: u32,
    pub number: u32,
}

/// What a heartbeat found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beat {
    Good,
    SaysNo,
    /// Nothing that says anything about the token.
    Silent {
        trouble: Trouble,
        status: Option<u16>,
    },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A person wants a refresh now, or another try with a token of which nobody is sure.
    Asked,
    Beaten {
        attempt: Attempt,
        beat: Beat,
    },
    /// A protected resource wants a person, not another token of the same kind (RFC 9470; RFC 6750, section 3.1).
    Demanded {
        generation: u32,
        interaction: Interaction,
    },
    Forgotten,
    /// What the vault holds.
    Loaded {
        refresh: Option<RefreshToken>,
        account: Account,
        /// A refresh was in flight when the last process ended.
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
        generation: u32,
    },
    Saved {
        generation: u32,
    },
    /// A person signs in. Whatever holds now goes on until that succeeds.
    SignIn {
        /// How long that may take; a worker that has not reported by then is lost.
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
    /// Time has passed.
    Tick,
    /// A caller waits for a token with that much life left.
    Wanted {
        min_valid: Duration,
    },
    /// The machine slept for that long; told before anything else after it.
    Woke {
        slept: Duration,
    },
}

/// What is to be done, in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Take the refresh token out of the vault; answered with `Forgotten` or `NotForgotten`.
    Forget,
    /// Ask the provider about this token; answered with `Beaten`.
    Heartbeat { attempt: Attempt, token: AccessToken, generation: u32 },
    /// Read the vault; answered with `Loaded` or `NotLoaded`.
    Load,
    /// Write it down.
    Note(Note),
    /// A new access token is out: wake who waits.
    Publish { generation: u32 },
    /// Buy a new access token; answered with `Refreshed`.
    Refresh { attempt: Attempt, token: RefreshToken, cause: Cause },
    /// Tell the provider that these are not wanted any more. Nothing waits for it.
    Revoke { refresh: Option<RefreshToken>, access: Option<AccessToken> },
    /// Put this into the vault; answered with `Saved` or `NotSaved`.
    Save { generation: u32, token: RefreshToken, account: Account },
    /// Run the sign-in that was asked for; answered with `SignedIn` or `SignInFailed`.
    SignIn { attempt: Attempt },
}
