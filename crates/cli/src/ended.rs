//! The only place that turns codes into the exit codes that scripts rely on.

use std::io;

use api::{Code, Failure, PhaseView, Problem, Trouble};

#[derive(Debug)]
pub(crate) enum Ended {
    Failed(Failure),
    Output(io::Error),
    PipeClosed,
    /// By the signal of that number, after something had to be put right.
    Stopped(u8),
    Usage(Problem),
}

impl Ended {
    /// By Ctrl-C, which may have been read as a key.
    pub(crate) fn interrupted() -> Self {
        Self::Stopped(SIGINT)
    }

    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Failed(failure) => exit_code(failure.code),
            Self::Output(_) => FAILED,
            Self::PipeClosed => 0,
            // As a shell has it.
            Self::Stopped(signal) => 128 + *signal,
            Self::Usage(_) => USAGE,
        }
    }
}

impl From<Failure> for Ended {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl From<io::Error> for Ended {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe { Self::PipeClosed } else { Self::Output(error) }
    }
}

/// With 4, the same command may work later without any change.
pub(crate) fn exit_code(code: Code) -> u8 {
    match code {
        Code::BadPath | Code::BadProfile | Code::BadRequest | Code::BadUrl => USAGE,
        Code::SignInCancelled
        | Code::SignInDenied
        | Code::SignInExpired
        | Code::SignInNeeded
        | Code::SignInRefused => SIGN_IN_NEEDED,
        Code::AnswerCutShort
        | Code::AnswerGarbled
        | Code::AnswerTooLarge
        | Code::AnswerUnreadable
        | Code::BreakerOpen
        | Code::CertificateDate
        | Code::CertificateName
        | Code::CertificateUnfit
        | Code::CertificateUnknown
        | Code::DeadlinePassed
        | Code::NoDescriptors
        | Code::NoMemory
        | Code::NotJson
        | Code::Offline
        | Code::Proxy
        | Code::RateLimited
        | Code::Redirected
        | Code::RefreshRefused
        | Code::ServerError
        | Code::SignInLater
        | Code::StillBusy
        | Code::TimedOut
        | Code::Tls
        | Code::TokenUnusable
        | Code::TooManyConnections
        | Code::Unanswered => UNAVAILABLE,
        Code::PassphraseCommandFailed
        | Code::CredentialAbsent
        | Code::CredentialOther
        | Code::CredentialShort
        | Code::PassphraseFileExposed
        | Code::PassphraseFileUnreadable
        | Code::KeyFileDamaged
        | Code::KeyFileGone
        | Code::KeyFileOther
        | Code::KeyGarbled
        | Code::KeyGone
        | Code::KeyringAbsent
        | Code::KeyringEmpty
        | Code::KeyringFailed
        | Code::KeyringForbids
        | Code::KeyringLocked
        | Code::KeyringOlder
        | Code::KeyringOther
        | Code::KeyringSlow
        | Code::PassphraseNeeded
        | Code::PassphraseUnset
        | Code::PassphraseWrong
        | Code::SignInDamaged
        | Code::VaultUnwritable
        | Code::NotSaved => KEYRING,
        Code::AlreadyExists
        | Code::BadConfig
        | Code::BodyTooLarge
        | Code::CertificatesUnreadable
        | Code::ClientRefused
        | Code::ConfigUnreadable
        | Code::ConfigUnsafe
        | Code::ConfigUnwritable
        | Code::DiskFull
        | Code::HomeUnwritable
        | Code::IdentityOther
        | Code::IdentityUnverified
        | Code::Internal
        | Code::JournalFailed
        | Code::KeeperNotFound
        | Code::KeeperStopping
        | Code::KeeperUnreachable
        | Code::Misconfigured
        | Code::NoBrowser
        | Code::NoMetadata
        | Code::NotAFile
        | Code::NotASandbox
        | Code::PlainHttp
        | Code::PortInUse
        | Code::SandboxFailed
        | Code::SandboxNotFound
        | Code::RedirectPortInUse
        | Code::ScopeRefused
        | Code::TokenTooShort
        | Code::UnknownProfile
        | Code::VaultSettingLater
        | Code::WayUnsupported
        | Code::WrongAddress
        | Code::WrongIssuer => FAILED,
    }
}

pub(crate) fn exit_code_of_phase(phase: &PhaseView) -> u8 {
    match phase {
        PhaseView::Fresh => 0,
        PhaseView::NeedsLogin { .. } => SIGN_IN_NEEDED,
        PhaseView::Waiting { why: Trouble::Vault, .. } => KEYRING,
        PhaseView::Waiting { why: Trouble::Certificates | Trouble::Misconfigured, .. } => FAILED,
        PhaseView::Refreshing { .. } | PhaseView::SigningIn | PhaseView::Waiting { .. } => UNAVAILABLE,
    }
}

const SIGINT: u8 = 2;

pub(crate) const FAILED: u8 = 1;
const USAGE: u8 = 2;
const SIGN_IN_NEEDED: u8 = 3;
const UNAVAILABLE: u8 = 4;
const KEYRING: u8 = 5;

#[cfg(test)]
mod tests {
    use super::*;
    use api::Lost;

    #[test]
    fn exit_codes_are_the_contract() {
        let table = [
            ("already_exists", 1),
            ("answer_cut_short", 4),
            ("answer_garbled", 4),
            ("answer_too_large", 4),
            ("answer_unreadable", 4),
            ("bad_config", 1),
            ("bad_path", 2),
            ("bad_profile", 2),
            ("bad_request", 2),
            ("bad_url", 2),
            ("breaker_open", 4),
            ("body_too_large", 1),
            ("certificate_date", 4),
            ("certificate_name", 4),
            ("certificate_unfit", 4),
            ("certificate_unknown", 4),
            ("certificates_unreadable", 1),
            ("client_refused", 1),
            ("config_unreadable", 1),
            ("config_unsafe", 1),
            ("config_unwritable", 1),
            ("passphrase_command_failed", 5),
            ("credential_absent", 5),
            ("credential_other", 5),
            ("credential_short", 5),
            ("deadline_passed", 4),
            ("disk_full", 1),
            ("passphrase_file_exposed", 5),
            ("passphrase_file_unreadable", 5),
            ("home_unwritable", 1),
            ("identity_other", 1),
            ("identity_unverified", 1),
            ("internal", 1),
            ("journal_failed", 1),
            ("keeper_not_found", 1),
            ("keeper_stopping", 1),
            ("keeper_unreachable", 1),
            ("key_file_damaged", 5),
            ("key_file_gone", 5),
            ("key_file_other", 5),
            ("key_garbled", 5),
            ("key_gone", 5),
            ("keyring_absent", 5),
            ("keyring_empty", 5),
            ("keyring_failed", 5),
            ("keyring_forbids", 5),
            ("keyring_locked", 5),
            ("keyring_older", 5),
            ("keyring_other", 5),
            ("keyring_slow", 5),
            ("misconfigured", 1),
            ("no_browser", 1),
            ("no_descriptors", 4),
            ("no_memory", 4),
            ("no_metadata", 1),
            ("not_a_file", 1),
            ("not_a_sandbox", 1),
            ("not_json", 4),
            ("not_saved", 5),
            ("offline", 4),
            ("passphrase_needed", 5),
            ("passphrase_unset", 5),
            ("passphrase_wrong", 5),
            ("plain_http", 1),
            ("port_in_use", 1),
            ("proxy", 4),
            ("rate_limited", 4),
            ("redirect_port_in_use", 1),
            ("redirected", 4),
            ("scope_refused", 1),
            ("sign_in_cancelled", 3),
            ("sign_in_denied", 3),
            ("sign_in_expired", 3),
            ("sign_in_needed", 3),
            ("sign_in_refused", 3),
            ("server_error", 4),
            ("still_busy", 4),
            ("timed_out", 4),
            ("tls", 4),
            ("token_too_short", 1),
            ("token_unusable", 4),
            ("too_many_connections", 4),
            ("unanswered", 4),
            ("unknown_profile", 1),
            ("vault_setting_later", 1),
            ("vault_unwritable", 5),
            ("way_unsupported", 1),
            ("wrong_address", 1),
            ("wrong_issuer", 1),
        ];
        for (word, expected) in table {
            let code: Code = serde_json::from_value(word.into()).unwrap();
            assert_eq!(exit_code(code), expected, "{word}");
        }
    }

    #[test]
    fn a_session_that_is_not_good_fails_a_refresh() {
        let waiting = |why| PhaseView::Waiting { why, status: None, failures: 1, retry_in_ms: 0 };
        assert_eq!(exit_code_of_phase(&PhaseView::Fresh), 0);
        assert_eq!(exit_code_of_phase(&PhaseView::NeedsLogin { why: Lost::Refused }), 3);
        assert_eq!(exit_code_of_phase(&waiting(Trouble::Offline)), 4);
        assert_eq!(exit_code_of_phase(&waiting(Trouble::Vault)), 5);
        assert_eq!(exit_code_of_phase(&waiting(Trouble::Misconfigured)), 1);
    }

    #[test]
    fn a_closed_pipe_is_no_failure_and_a_full_disk_is() {
        assert_eq!(Ended::from(io::Error::from(io::ErrorKind::BrokenPipe)).exit_code(), 0);
        assert_eq!(Ended::from(io::Error::from(io::ErrorKind::StorageFull)).exit_code(), 1);
    }

    #[test]
    fn a_key_that_interrupts_ends_like_its_signal() {
        assert_eq!((Ended::interrupted().exit_code(), Ended::Stopped(15).exit_code()), (130, 143));
    }
}
