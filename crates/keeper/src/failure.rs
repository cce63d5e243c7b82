//! From what went wrong inside to what is said outside: a code, and what its sentence needs.

use std::fmt::Display;

use session::reason::{Lost, Trouble, VaultTrouble};

use crate::api::{Code, Failure};

impl Failure {
    pub fn new(code: Code) -> Self {
        Self { code, profile: None, details: std::collections::BTreeMap::new(), retry_in_ms: None }
    }

    #[must_use]
    pub fn of(mut self, profile: &str) -> Self {
        self.profile = Some(profile.to_owned());
        self
    }

    /// A detail that the sentence for people speaks of. Never a secret.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Display) -> Self {
        self.details.insert(name.to_owned(), value.to_string());
        self
    }

    #[must_use]
    pub fn retry_in(mut self, millis: u64) -> Self {
        self.retry_in_ms = Some(millis);
        self
    }

    /// An exchange with the provider at `host` that brought nothing.
    pub fn provider(trouble: Trouble, status: Option<u16>, host: &str) -> Self {
        let failure = Self::new(code(trouble)).with("host", host);
        match status {
            Some(status) => failure.with("status", status),
            None => failure,
        }
    }

    pub fn needs_login(why: Lost) -> Self {
        Self::new(Code::SignInNeeded).with("why", crate::words::word(&why))
    }

    pub fn vault(trouble: VaultTrouble) -> Self {
        Self::new(match trouble {
            VaultTrouble::Absent => Code::KeyringAbsent,
            VaultTrouble::Failed => Code::KeyringFailed,
            VaultTrouble::Locked => Code::KeyringLocked,
            VaultTrouble::Slow => Code::KeyringSlow,
        })
    }
}

impl Code {
    /// The word on the wire, by which the catalogue and the documentation speak of it.
    pub fn key(self) -> String {
        serde_json::to_value(self)
            .ok()
            .and_then(|value| value.as_str().map(str::to_owned))
            .unwrap_or_default()
    }
}

fn code(trouble: Trouble) -> Code {
    match trouble {
        Trouble::BreakerOpen => Code::BreakerOpen,
        Trouble::Certificates => Code::CertificatesUnreadable,
        Trouble::CutShort => Code::AnswerCutShort,
        Trouble::Descriptors => Code::NoDescriptors,
        Trouble::Discovery => Code::NoMetadata,
        Trouble::Disk => Code::DiskFull,
        Trouble::Garbled => Code::AnswerGarbled,
        Trouble::Identity => Code::IdentityOther,
        Trouble::Memory => Code::NoMemory,
        Trouble::Misconfigured => Code::Misconfigured,
        Trouble::NotJson => Code::NotJson,
        Trouble::NoNetwork | Trouble::Offline => Code::Offline,
        Trouble::RateLimited => Code::RateLimited,
        Trouble::Redirected => Code::Redirected,
        Trouble::Status | Trouble::Suspect => Code::ServerError,
        Trouble::TimedOut => Code::TimedOut,
        Trouble::Tls => Code::Tls,
        Trouble::TooLarge => Code::AnswerTooLarge,
        Trouble::Unanswered => Code::Unanswered,
        Trouble::Unreadable => Code::AnswerUnreadable,
        Trouble::Unusable => Code::TokenUnusable,
        Trouble::Vault => Code::KeyringSlow,
    }
}
