//! What answers mean for the session. [`Verdict`] is the one place where a refresh token can be condemned.

use core::time::Duration;

use crate::interaction::Interaction;
use crate::reason::Trouble;
use crate::tokens::Tokens;

/// The meaning of what came back from a token endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The refresh token that was sent is dead, and the provider said so unmistakably.
    Dead,
    /// New tokens.
    Fresh(Tokens),
    /// The provider says definitely that a person has to be at its page; the refresh token may be as good as ever
    /// after that.
    Interaction(Interaction),
    /// The token stays; a person has to mend the profile or the provider.
    Misconfigured { trouble: Trouble, status: Option<u16> },
    /// A refusal in which nothing is recognisable. Real servers send this for a dead token, and gateways send it for
    /// no reason at all; only repetition tells.
    Suspect {
        status: u16,
        /// Equal for answers that are the same: status, type and body.
        signature: u64,
        /// It surely comes from the provider: over TLS, from loopback, or in the provider's own JSON.
        authentic: bool,
    },
    /// Everything else. The token may be as good as ever.
    Transient {
        trouble: Trouble,
        status: Option<u16>,
        /// What the provider asked for, already capped.
        retry_after: Option<Duration>,
    },
    /// What had to be known before could not be learned, so the token has not been sent to anybody.
    Unsent { trouble: Trouble, status: Option<u16>, retry_after: Option<Duration> },
}

/// What a heartbeat found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beat {
    Good,
    SaysNo,
    /// Nothing that says anything about the token.
    Silent {
        trouble: Trouble,
        status: Option<u16>,
    },
}

impl Verdict {
    /// The request was sent and its answer lost, or is no use: the provider may have spent the refresh token. A gateway's
    /// 502 and 504 say just that, one hop further away.
    pub fn is_ambiguous(&self) -> bool {
        let Self::Transient { trouble, status, .. } = self else { return false };
        match trouble {
            Trouble::CutShort
            | Trouble::Garbled
            // It may have run out with the answer half read.
            | Trouble::Memory
            | Trouble::TimedOut
            | Trouble::TooLarge
            | Trouble::Unanswered
            // What said that all went well, and had no token in it.
            | Trouble::Unreadable => true,
            Trouble::Status => matches!(status, Some(502 | 504)),
            Trouble::BreakerOpen
            | Trouble::Certificates
            | Trouble::Descriptors
            | Trouble::Discovery
            | Trouble::Disk
            | Trouble::Identity
            | Trouble::Misconfigured
            | Trouble::NoNetwork
            | Trouble::NotJson
            | Trouble::Offline
            | Trouble::RateLimited
            | Trouble::Redirected
            | Trouble::Suspect
            | Trouble::Tls
            | Trouble::Unusable
            | Trouble::Vault => false,
        }
    }
}

/// What came of revoking the tokens of a session once. Whatever it is, nothing is left on this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RevocationAnswer {
    /// The tokens are dead, or were before (RFC 7009, section 2.2).
    Done,
    /// The provider does not accept the request; it would not the next time either.
    Refused { status: u16 },
    /// It was not reached, or not able to answer.
    Trouble { trouble: Trouble, status: Option<u16> },
    /// The provider has no way to revoke them.
    Unsupported,
}

impl RevocationAnswer {
    /// What is to be said of two messages about the same sign-out: whatever is left undone is said.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (trouble @ Self::Trouble { .. }, _) | (_, trouble @ Self::Trouble { .. }) => trouble,
            (refused @ Self::Refused { .. }, _) | (_, refused @ Self::Refused { .. }) => refused,
            // A provider that knows the one kind of token only has heard enough.
            (Self::Done, _) | (_, Self::Done) => Self::Done,
            (Self::Unsupported, Self::Unsupported) => Self::Unsupported,
        }
    }

    /// Of a bare status, where the answer says nothing more.
    pub fn of_status(status: u16) -> Self {
        match status {
            429 => Self::Trouble { trouble: Trouble::RateLimited, status: Some(status) },
            // Too slow, or too early: nothing is wrong with what was said.
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
