//! What the journal keeps of a session: every decision with its reason, and no secret.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

use super::binding::Destination;
use crate::forecast::{Ends, Ground, Unused};
use crate::reason::Source;
use crate::reason::{Cause, Lost, Oddity, Trouble, VaultTrouble};

/// Something that happened to a session. Durations are milliseconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Note {
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
    Elsewhere {
        places: Vec<Destination>,
    },
    EndedInFlight,
    EndedUnsaved,
    /// The sign-in ends soon, however often it is refreshed.
    EndsSoon {
        in_ms: u64,
        ground: Ground,
        times: u32,
    },
    EntriesLost {
        count: u32,
    },
    /// The end of the sign-in is known now, or known by another ground.
    Foreseen {
        ends: Option<Ends>,
        unused: Option<Unused>,
    },
    Heartbeat {
        good: bool,
        took_ms: u64,
    },
    HeartbeatUnanswered {
        trouble: Trouble,
        status: Option<u16>,
    },
    Interrupted,
    KeeperStarted {
        version: String,
        vault: String,
    },
    KeeperStopped,
    /// The key of the stored sign-ins is in the keyring again, from which it was missing.
    KeyReturned,
    /// The key of the stored sign-ins is where the setting says now, and no longer where it was before.
    KeyMoved,
    /// An answer to an exchange that was given up. Nothing in it was used.
    LateAnswer {
        revoked: bool,
    },
    Kept {
        cause: Cause,
        trouble: Trouble,
        status: Option<u16>,
        failures: u32,
        retry_in_ms: u64,
    },
    /// Sign-ins that are sealed on the disk, and left alone because of the setting.
    LeftSealed {
        count: u32,
    },
    /// Sign-ins that an older version kept in the keyring are sealed files now.
    Moved {
        count: u32,
    },
    NeedsLogin {
        why: Lost,
    },
    Odd {
        what: Oddity,
    },
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
    Rejected {
        path: String,
        status: u16,
        generation: u32,
    },
    Replayed {
        count: u32,
        waited_ms: u64,
    },
    Restored,
    /// What the provider said of its refusal, in its own words.
    Said {
        said: String,
    },
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
    SignedOut,
    /// The provider has no revocation; its tokens end by themselves.
    #[serde(alias = "sign_out_not_told")]
    RevocationUnsupported,
    /// What came of revoking the tokens of a session that was signed out.
    #[serde(alias = "sign_out_told")]
    Revocation {
        trouble: Option<Trouble>,
        status: Option<u16>,
    },
    /// The process stood still while the clock went on, as in a frozen container.
    Thawed {
        stood_still_ms: u64,
    },
    /// The new refresh token is in use, but only in memory. Saving is tried again.
    Unsaved {
        trouble: VaultTrouble,
    },
    VaultWaiting {
        trouble: VaultTrouble,
    },
    Woke {
        slept_ms: u64,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A journal outlives the names of its entries.
    #[test]
    fn entries_of_before_are_read() {
        for (written, read) in [
            (
                r#"{"kind":"sign_out_told","trouble":null,"status":null}"#,
                Note::Revocation { trouble: None, status: None },
            ),
            (r#"{"kind":"sign_out_not_told"}"#, Note::RevocationUnsupported),
        ] {
            assert_eq!(serde_json::from_str::<Note>(written).unwrap(), read);
        }
    }
}
