//! What can happen.

use session::event::{Attempt, Event};
use session::reason::VaultTrouble;
use session::tokens::{Account, RefreshToken};

use crate::wire::Truth;

#[derive(Clone, Debug)]
pub(crate) enum Happening {
    /// A session is told, if it still lives.
    Answer {
        seat: usize,
        life: u32,
        event: Event,
        truth: Truth,
    },
    /// A request reaches the provider.
    Arrives {
        seat: usize,
        life: u32,
        attempt: Attempt,
        token: RefreshToken,
        lost: Lost,
    },
    Ask(usize),
    /// The machine is asleep no more, or does not sleep after all.
    Awake,
    Call(usize),
    /// A provider's clock is set.
    ClockJumps(usize),
    Crash,
    Crowd(usize),
    /// The machine wakes for a moment, without a network, and sleeps again.
    DarkWake(u64),
    /// The system says that it is about to sleep, which it may do or not.
    Doze,
    Edit(usize),
    /// Somebody wants the process to end; it does, or stays.
    End,
    EndFamilies(usize),
    /// An answer of a resource, or none.
    Fetched {
        seat: usize,
        life: u32,
        id: u32,
        generation: u32,
        outcome: Outcome,
    },
    Freeze,
    /// The network comes or goes.
    Reach(bool),
    RevokeAccess(usize),
    SignIn(usize),
    SignOut(usize),
    Stay,
    Suspend,
    VaultDone {
        seat: usize,
        life: u32,
        work: VaultWork,
    },
    VaultMood,
    /// This machine's clock is set.
    WallClock,
    /// Whoever tells of the network does.
    Words,
    Weather(usize),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Accepted,
    Refused,
    Unreached,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lost {
    No,
    Doubled,
    Reported,
    Late,
}

#[derive(Clone, Debug)]
pub(crate) enum VaultWork {
    Forget,
    Load,
    Save(u32, RefreshToken, Account),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mood {
    Quick,
    Slow,
    Failing(VaultTrouble),
    /// It writes, and cannot read what is there: the key is another.
    Missing,
    Hanging,
}
