//! Everything that reaches the keeper, and the address that it reaches it at.

use std::sync::Arc;
use std::time::Duration;

use api::{Draft, Failure, Request};
use session::event::{Asker, Attempt, Event};
use session::reason::{Trouble, VaultTrouble};
use session::time::Timestamp;
use session::verdict::{Beat, RevocationAnswer, Verdict};
use tokio::sync::{mpsc, oneshot};

use super::answer::Answer;
use crate::adapters::hints::SystemHint;
use crate::adapters::http::Received;
use crate::adapters::journal::InFlight;
use crate::adapters::provider::{Begun, Landing, Opening, Provider, SignedIn, Unwanted};
use crate::adapters::vault::{Stored, Vault};
use crate::config::{Config, Profile};

/// Names one life of a profile: removed and added again it is another, and old answers do not reach it.
pub(crate) type Id = u64;

/// The address of the mailbox.
pub(crate) type Post = mpsc::UnboundedSender<Mail>;

/// Everything that reaches the keeper.
pub(crate) enum Mail {
    /// A protected resource has answered, or not.
    Answered {
        id: Id,
        parked: Parked,
        generation: u32,
        outcome: Result<Received, Trouble>,
    },
    Ask {
        request: Request,
        answer: Answer,
    },
    Beaten {
        id: Id,
        host: String,
        attempt: Attempt,
        beat: Beat,
    },
    /// There is something for a person to do: the sign-in waits for it.
    Begun {
        id: Id,
        attempt: Attempt,
        begun: Begun,
    },
    Exchanged {
        id: Id,
        provider: Arc<Provider>,
        profile: Arc<Profile>,
        attempt: Attempt,
        verdict: Verdict,
    },
    File(News),
    Hint(SystemHint),
    /// Somebody has deleted it.
    HomeGone {
        answer: oneshot::Sender<()>,
    },
    HomeMade,
    /// What the vault holds.
    Loaded {
        id: Id,
        found: Result<Option<Stored>, VaultTrouble>,
        /// Of an exchange whose end nobody has seen.
        mark: Option<InFlight>,
        /// What was remembered beside it.
        memory: Option<String>,
    },
    SignedIn {
        id: Id,
        attempt: Attempt,
        provider: Arc<Provider>,
        outcome: Result<SignedIn, Failure>,
        /// Where a browser waits to hear how it ended.
        landing: Landing,
        took: Duration,
    },
    /// The operating system wants the process to end.
    Terminate,
    /// What became of telling a provider about a sign-out once.
    Revoked {
        number: u64,
        answer: RevocationAnswer,
    },
    /// Tokens that came and are somebody else's.
    Unwanted {
        provider: Arc<Provider>,
        unwanted: Unwanted,
    },
    /// What became of saving or forgetting.
    Vault {
        id: Id,
        event: Event,
    },
    /// The host is being left alone: the refresh was not sent.
    Withheld {
        id: Id,
        attempt: Attempt,
        wait: Duration,
    },
}

/// A request whose caller waits.
pub(crate) struct Parked {
    pub(crate) order: u64,
    pub(crate) what: Arc<Opening>,
    pub(crate) deadline: Timestamp,
    pub(crate) arrived: Timestamp,
    pub(crate) by: Asker,
    /// It was refused once; the next answer is the caller's, whatever it says.
    pub(crate) again: bool,
    /// It has waited for a token.
    pub(crate) held: bool,
    /// It went through the lane, which wants to know when it is answered.
    pub(crate) through_lane: bool,
    pub(crate) answer: Answer,
}

impl Parked {
    pub(crate) fn fail(self, failure: Failure) {
        drop(self.answer.send(Err(failure.with("path", self.what.url.path()))));
    }

    pub(crate) fn into_answer(self) -> Answer {
        self.answer
    }

    pub(crate) fn host(&self) -> String {
        self.what.url.host_str().unwrap_or_default().to_owned()
    }

    /// RFC 9110, section 9.2.1.
    pub(crate) fn is_safe(&self) -> bool {
        self.what.method.is_safe()
    }
}

/// What somebody wants written.
pub(crate) enum Edit {
    Add(Box<Draft>),
    Remove(String),
}

/// What is heard of the file.
pub(crate) enum News {
    /// It may have changed.
    Changed,
    Looked(Looked),
    /// Somebody wanted it written; this is what it says now.
    Written {
        edit: Edit,
        written: Result<Config, Failure>,
        answer: Answer,
    },
}

/// What came of a look.
pub(crate) struct Looked {
    /// What the file says, if that is news.
    pub(crate) news: Option<Config>,
    /// The vault that the file asks for. The first file that can be read decides it, for as long as the process lives.
    pub(crate) vault: Option<Vault>,
}
