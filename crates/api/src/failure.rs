use std::collections::BTreeMap;
use std::fmt::Display;
use std::io;
use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::duration;
use crate::words::word;
use crate::{Advice, Code, Lost, Problem, Trouble, VaultTrouble};

/// The sentence and the next step are looked up in `locales/` by the code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Failure {
    pub code: Code,
    #[serde(default)]
    pub profile: Option<String>,
    /// The values of the placeholders. `problem` and `hint` are keys of sentences with placeholders of their own.
    #[serde(default)]
    pub details: BTreeMap<String, String>,
    #[serde(default)]
    pub retry_in_ms: Option<u64>,
}

impl Failure {
    pub fn new(code: Code) -> Self {
        Self { code, profile: None, details: BTreeMap::new(), retry_in_ms: None }
    }

    #[must_use]
    pub fn of(mut self, profile: &str) -> Self {
        self.profile = Some(profile.to_owned());
        self
    }

    /// The value must not be secret.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Display) -> Self {
        self.details.insert(name.to_owned(), value.to_string());
        self
    }

    #[must_use]
    pub fn because(mut self, problem: impl Into<Problem>) -> Self {
        self.details.append(&mut problem.into().details());
        self
    }

    #[must_use]
    pub fn hint(mut self, hint: Option<Advice>) -> Self {
        self.details.extend(hint.iter().flat_map(Advice::details));
        self
    }

    #[must_use]
    pub fn retry_in(mut self, millis: u64) -> Self {
        self.retry_in_ms = Some(millis);
        self
    }

    pub fn provider(trouble: Trouble, status: Option<u16>, host: &str) -> Self {
        let failure = Self::new(code(trouble)).with("host", host);
        match status {
            Some(status) => failure.with("status", status),
            None => failure,
        }
    }

    /// At a sign-in, which nobody tries again but the person.
    pub fn sign_in(trouble: Trouble, status: Option<u16>, wait: Option<Duration>, host: &str) -> Self {
        let failure = if trouble == Trouble::RateLimited {
            Self::new(Code::SignInLater).with("host", host)
        } else {
            Self::provider(trouble, status, host)
        };
        match wait {
            Some(wait) => failure.with("wait", duration::format(wait)),
            None => failure,
        }
    }

    pub fn needs_login(why: Lost) -> Self {
        Self::new(Code::SignInNeeded).with("why", word(&why))
    }

    pub fn vault(trouble: VaultTrouble) -> Self {
        Self::new(match trouble {
            VaultTrouble::Absent => Code::KeyringAbsent,
            VaultTrouble::CommandFailed => Code::PassphraseCommandFailed,
            VaultTrouble::CredentialAbsent => Code::CredentialAbsent,
            VaultTrouble::CredentialOther => Code::CredentialOther,
            VaultTrouble::CredentialShort => Code::CredentialShort,
            VaultTrouble::Damaged => Code::SignInDamaged,
            VaultTrouble::Disk => Code::VaultUnwritable,
            VaultTrouble::Failed => Code::KeyringFailed,
            VaultTrouble::FileExposed => Code::PassphraseFileExposed,
            VaultTrouble::FileUnreadable => Code::PassphraseFileUnreadable,
            VaultTrouble::Garbled => Code::KeyGarbled,
            VaultTrouble::Gone => Code::KeyGone,
            VaultTrouble::KeyFileDamaged => Code::KeyFileDamaged,
            VaultTrouble::KeyFileGone => Code::KeyFileGone,
            VaultTrouble::KeyFileOther => Code::KeyFileOther,
            VaultTrouble::Locked => Code::KeyringLocked,
            VaultTrouble::NoPlace => Code::KeyringEmpty,
            VaultTrouble::NotAllowed => Code::KeyringForbids,
            VaultTrouble::OlderKeyring => Code::KeyringOlder,
            VaultTrouble::OtherKeyring => Code::KeyringOther,
            VaultTrouble::PassphraseNeeded => Code::PassphraseNeeded,
            VaultTrouble::PassphraseUnset => Code::PassphraseUnset,
            VaultTrouble::PassphraseWrong => Code::PassphraseWrong,
            VaultTrouble::Slow => Code::KeyringSlow,
        })
    }

    pub fn file(path: &Path, error: &io::Error) -> Self {
        let is_folder = error.kind() == io::ErrorKind::IsADirectory;
        let failure = if is_folder || os::files::is_of_no_file(error) {
            Self::new(Code::NotAFile)
        } else {
            Self::new(Code::HomeUnwritable).because(Problem::said(error))
        };
        failure.with("path", path.display())
    }
}

fn code(trouble: Trouble) -> Code {
    match trouble {
        Trouble::BreakerOpen => Code::BreakerOpen,
        Trouble::CertificateDate => Code::CertificateDate,
        Trouble::CertificateName => Code::CertificateName,
        Trouble::CertificateUnfit => Code::CertificateUnfit,
        Trouble::CertificateUnknown => Code::CertificateUnknown,
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
        Trouble::Proxy => Code::Proxy,
        Trouble::RateLimited => Code::RateLimited,
        Trouble::Redirected => Code::Redirected,
        Trouble::Status => Code::ServerError,
        Trouble::Suspect => Code::RefreshRefused,
        Trouble::TimedOut => Code::TimedOut,
        Trouble::Tls => Code::Tls,
        Trouble::TooLarge => Code::AnswerTooLarge,
        Trouble::Unanswered => Code::Unanswered,
        Trouble::Unreadable => Code::AnswerUnreadable,
        Trouble::Unusable => Code::TokenUnusable,
        Trouble::Vault => Code::KeyringSlow,
    }
}
