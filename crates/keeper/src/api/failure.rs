//! Why something could not be done.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Why something could not be done: a stable code to search for, what and where, for how long.
///
/// The sentence for a person and the next step are looked up by the code in `locales/`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Failure {
    pub code: Code,
    #[serde(default)]
    pub profile: Option<String>,
    /// What the sentence's placeholders stand for: `host`, `status`, `line`, `field`, `path`…
    #[serde(default)]
    pub details: BTreeMap<String, String>,
    /// When the keeper itself will try again.
    #[serde(default)]
    pub retry_in_ms: Option<u64>,
}

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
