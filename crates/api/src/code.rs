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
    /// The configuration file cannot be read, so what was known of it holds.
    ConfigUnreadable,
    /// Somebody else can write the configuration file, so it is not read.
    ConfigUnsafe,
    ConfigUnwritable,
    DeadlinePassed,
    DiskFull,
    HomeUnwritable,
    /// A refresh brought somebody else's tokens.
    IdentityOther,
    /// The ID token of a sign-in does not prove whose it is.
    IdentityUnverified,
    Internal,
    JournalFailed,
    KeeperNotFound,
    KeeperStopping,
    KeeperUnreachable,
    KeyringAbsent,
    KeyringFailed,
    KeyringLocked,
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
    WayUnsupported,
    WrongIssuer,
}

impl Code {
    /// The word on the wire, by which the catalogue and the documentation speak of it.
    pub fn key(self) -> String {
        word(&self)
    }
}
