//! The codes by which failures are told apart, on the wire, in scripts and in the documentation.

use serde::{Deserialize, Serialize};

use crate::words::word;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Code {
    AlreadyExists,
    AnswerCutShort,
    AnswerGarbled,
    AnswerTooLarge,
    AnswerUnreadable,
    BadConfig,
    BadPath,
    BadProfile,
    BadRequest,
    BadUrl,
    BreakerOpen,
    BodyTooLarge,
    CertificatesUnreadable,
    ClientRefused,
    /// The last readable configuration stays in use.
    ConfigUnreadable,
    /// Other users can write it, so it is not read.
    ConfigUnsafe,
    ConfigUnwritable,
    DeadlinePassed,
    DiskFull,
    HomeUnwritable,
    IdentityOther,
    IdentityUnverified,
    Internal,
    JournalFailed,
    KeeperNotFound,
    KeeperStopping,
    KeeperUnreachable,
    KeyGarbled,
    KeyGone,
    KeyringAbsent,
    KeyringEmpty,
    KeyringFailed,
    KeyringForbids,
    KeyringLocked,
    KeyringOlder,
    KeyringOther,
    KeyringSlow,
    Misconfigured,
    NoBrowser,
    NoDescriptors,
    NoMemory,
    NoMetadata,
    NotAFile,
    NotASandbox,
    NotJson,
    NotSaved,
    Offline,
    PlainHttp,
    PortInUse,
    RateLimited,
    RedirectPortInUse,
    Redirected,
    ScopeRefused,
    SignInCancelled,
    SignInDamaged,
    SignInDenied,
    SignInExpired,
    SignInNeeded,
    SignInRefused,
    SandboxFailed,
    SandboxNotFound,
    ServerError,
    StillBusy,
    TimedOut,
    Tls,
    TokenTooShort,
    TokenUnusable,
    Unanswered,
    UnknownProfile,
    VaultUnwritable,
    WayUnsupported,
    WrongIssuer,
}

impl Code {
    pub fn key(self) -> String {
        word(&self)
    }
}
