//! What the flight recorder keeps: every decision with its reason, and never a secret.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

use super::binding::Destination;
use crate::reason::Source;
use crate::reason::{Cause, Lost, Oddity, Trouble, VaultTrouble};

/// Something that happened to a session, told by the core or by the keeper around it. Durations are milliseconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Note {
    /// The provider wants to be left alone, or has failed too often in a row.
    BreakerOpened {
        host: String,
        for_ms: u64,
    },
    /// What is wrong, as a word of the catalogues and the values in its sentence; older entries have a sentence there.
    ConfigProblem {
        line: Option<u32>,
        problem: String,
        #[serde(default)]
        details: BTreeMap<String, String>,
    },
    /// The profile was edited: the stored tokens would go to another place, so they go nowhere.
    Elsewhere {
        places: Vec<Destination>,
    },
    /// The keeper had to end while a refresh or a sign-in was on its way.
    EndedInFlight,
    /// The keeper had to end while the newest refresh token was only in memory.
    EndedUnsaved,
    /// Entries that waited for a disk which could not be written for too long.
    EntriesLost {
        count: u32,
    },
    Heartbeat {
        good: bool,
        took_ms: u64,
    },
    HeartbeatUnanswered {
        trouble: Trouble,
        status: Option<u16>,
    },
    /// A refresh was in flight when the keeper's last process ended; the stored token is tried again.
    Interrupted,
    KeeperStarted {
        version: String,
        vault: String,
    },
    KeeperStopped,
    /// An answer to an exchange that was given up or overtaken. Nothing in it was used.
    LateAnswer {
        revoked: bool,
    },
    /// The refresh failed and the session goes on: "kept: 503, retry in 4 s".
    Kept {
        cause: Cause,
        trouble: Trouble,
        status: Option<u16>,
        failures: u32,
        retry_in_ms: u64,
    },
    /// Only a person can go on.
    NeedsLogin {
        why: Lost,
    },
    /// Something that came with good tokens is not as it should be.
    Odd {
        what: Oddity,
    },
    /// Somebody else has signed in than before: in the browser it is easy to be another account.
    OtherPerson {
        before: Option<String>,
    },
    Refreshed {
        cause: Cause,
        generation: u32,
        lifetime_ms: u64,
        /// Where the lifetime is known from. Entries from before this was written down say that it was told.
        #[serde(default)]
        source: Source,
        took_ms: u64,
        /// A new refresh token came with it.
        rotated: bool,
        /// Exchanges tried since the last good one, this one included.
        tries: u32,
    },
    /// A protected resource refused the access token.
    Rejected {
        path: String,
        status: u16,
        generation: u32,
    },
    /// Requests that were held were sent, in order of arrival.
    Replayed {
        count: u32,
        waited_ms: u64,
    },
    /// A stored refresh token was found in the vault.
    Restored,
    /// Saved to the vault after all.
    Saved,
    SignInFailed {
        code: String,
        took_ms: u64,
    },
    SignedIn {
        user: Option<String>,
        /// The new access token, when the sign-in brought one.
        generation: Option<u32>,
        lifetime_ms: Option<u64>,
        /// Where the lifetime is known from, if there is one.
        #[serde(default)]
        source: Source,
        took_ms: u64,
    },
    /// Signed out here; whether the provider was told is said once it is known.
    SignedOut,
    /// The provider has no way to be told of a sign-out: its tokens end by themselves.
    SignOutNotTold,
    /// What became of telling the provider about a sign-out.
    SignOutTold {
        trouble: Option<Trouble>,
        status: Option<u16>,
    },
    /// The process stood still while the clock went on, as a frozen container does.
    Thawed {
        stood_still_ms: u64,
    },
    /// The new refresh token is in use and only in memory; saving goes on being tried.
    Unsaved {
        trouble: VaultTrouble,
    },
    VaultWaiting {
        trouble: VaultTrouble,
    },
    /// The machine slept.
    Woke {
        slept_ms: u64,
    },
}
