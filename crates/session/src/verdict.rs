//! What an answer to a refresh means for the session. The one place where a refresh token can be condemned.

use core::time::Duration;

use crate::reason::Trouble;
use crate::tokens::Tokens;

/// The meaning of what came back from a token endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The refresh token that was sent is dead, and the provider said so unmistakably.
    Dead,
    /// New tokens.
    Fresh(Tokens),
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
}

impl Verdict {
    /// The request was sent and its answer lost: the provider may have spent the refresh token.
    pub fn is_ambiguous(&self) -> bool {
        matches!(
            self,
            Self::Transient { trouble: Trouble::Unanswered | Trouble::TimedOut | Trouble::CutShort, .. }
        )
    }
}
