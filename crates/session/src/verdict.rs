//! What answers mean for the session. Only [`Verdict::Dead`] condemns a refresh token.

use core::time::Duration;

use crate::interaction::Interaction;
use crate::reason::Trouble;
use crate::tokens::Tokens;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The provider unmistakably refused the refresh token that was sent.
    Dead,
    Fresh(Tokens),
    /// The provider definitely wants a person at its page. The refresh token may be good afterwards.
    Interaction(Interaction),
    Misconfigured {
        trouble: Trouble,
        status: Option<u16>,
    },
    /// An unrecognisable refusal. Servers send it for a dead token, gateways for no reason, so only repetition counts.
    Suspect {
        status: u16,
        /// Equal for answers with the same status, type and body.
        signature: u64,
        /// Surely from the provider: over TLS, from loopback, or in the provider's own JSON.
        authentic: bool,
    },
    Transient {
        trouble: Trouble,
        status: Option<u16>,
        retry_after: Option<Duration>,
    },
    /// The preparations failed, so the token was not sent.
    Unsent {
        trouble: Trouble,
        status: Option<u16>,
        retry_after: Option<Duration>,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beat {
    Good,
    SaysNo,
    Silent { trouble: Trouble, status: Option<u16> },
}

impl Verdict {
    /// The refresh token may be spent, because the answer is lost or useless. A gateway's 502 and 504 say the same.
    pub fn is_ambiguous(&self) -> bool {
        let Self::Transient { trouble, status, .. } = self else { return false };
        match trouble {
            Trouble::CutShort
            | Trouble::Garbled
            // The memory may have run out with the answer half read.
            | Trouble::Memory
            | Trouble::TimedOut
            | Trouble::TooLarge
            | Trouble::Unanswered
            | Trouble::Unreadable => true,
            Trouble::Status => matches!(status, Some(502 | 504)),
            Trouble::BreakerOpen
            | Trouble::CertificateDate
            | Trouble::CertificateName
            | Trouble::CertificateUnfit
            | Trouble::CertificateUnknown
            | Trouble::Certificates
            | Trouble::Descriptors
            | Trouble::Discovery
            | Trouble::Disk
            | Trouble::Identity
            | Trouble::Misconfigured
            | Trouble::NoNetwork
            | Trouble::NotJson
            | Trouble::Offline
            | Trouble::Proxy
            | Trouble::RateLimited
            | Trouble::Redirected
            | Trouble::Suspect
            | Trouble::Tls
            | Trouble::Unusable
            | Trouble::Vault => false,
        }
    }
}

/// What came of a revocation. Tokens that were dead before count as `Done` (RFC 7009, section 2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RevocationAnswer {
    Done,
    Refused { status: u16 },
    Trouble { trouble: Trouble, status: Option<u16> },
    Unsupported,
}

impl RevocationAnswer {
    /// Joins the outcomes of two messages about one sign-out, of which `later` is about the access token. What is left
    /// undone goes first.
    #[must_use]
    pub fn and(self, later: Self) -> Self {
        match (self, later) {
            // It went with the refresh token (RFC 7009, section 2.1), and some servers call what they do not know any more
            // a bad request.
            (Self::Done, Self::Refused { status: 400 }) => Self::Done,
            (trouble @ Self::Trouble { .. }, _) | (_, trouble @ Self::Trouble { .. }) => trouble,
            (refused @ Self::Refused { .. }, _) | (_, refused @ Self::Refused { .. }) => refused,
            // A provider that knows only one kind of token has heard enough.
            (Self::Done, _) | (_, Self::Done) => Self::Done,
            (Self::Unsupported, Self::Unsupported) => Self::Unsupported,
        }
    }

    pub fn of_status(status: u16) -> Self {
        match status {
            429 => Self::Trouble { trouble: Trouble::RateLimited, status: Some(status) },
            // Too slow or too early, but nothing is wrong with the request.
            408 | 425 => Self::Trouble { trouble: Trouble::Status, status: Some(status) },
            0..400 => Self::Done,
            400..500 => Self::Refused { status },
            _ => Self::Trouble { trouble: Trouble::Status, status: Some(status) },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_two_tokens_the_one_that_lives_on_is_spoken_of() {
        use RevocationAnswer::{Done, Refused, Trouble as Troubled, Unsupported};
        let (unknown, refused) = (Refused { status: 400 }, Refused { status: 403 });
        let offline = Troubled { trouble: Trouble::Offline, status: None };
        for (of_refresh, of_access, outcome) in [
            (Done, Done, Done),
            (Done, Unsupported, Done),
            (Unsupported, Done, Done),
            (Unsupported, Unsupported, Unsupported),
            (Done, unknown, Done),
            (Done, refused, refused),
            (unknown, Done, unknown),
            (refused, Done, refused),
            (Unsupported, refused, refused),
            (refused, Unsupported, refused),
            (Done, offline, offline),
            (offline, Done, offline),
            (refused, offline, offline),
        ] {
            assert_eq!(of_refresh.and(of_access), outcome, "{of_refresh:?} and {of_access:?}");
        }
    }

    /// Row C4.
    #[test]
    fn a_gateway_that_lost_the_answer_is_as_bad_as_a_lost_answer() {
        let transient = |trouble, status| Verdict::Transient { trouble, status, retry_after: None };
        for status in [502, 504] {
            assert!(transient(Trouble::Status, Some(status)).is_ambiguous(), "{status}");
        }
        for status in [500, 503, 520] {
            assert!(!transient(Trouble::Status, Some(status)).is_ambiguous(), "{status}");
        }
        assert!(transient(Trouble::Unanswered, None).is_ambiguous());
        assert!(!transient(Trouble::Offline, None).is_ambiguous());
    }

    #[test]
    fn a_token_that_was_not_sent_cannot_be_spent() {
        for trouble in [Trouble::TimedOut, Trouble::Unanswered, Trouble::CutShort] {
            assert!(!Verdict::Unsent { trouble, status: None, retry_after: None }.is_ambiguous());
        }
    }
}
