use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use api::{Draft, Failure, Problem, Request};
use session::event::{Attempt, Event};
use session::lane::Held;
use session::reason::{Trouble, VaultTrouble};
use session::verdict::{Beat, RevocationAnswer, Verdict};
use tokio::sync::{mpsc, oneshot};

use super::answer::Answer;
use crate::adapters::hints::SystemHint;
use crate::adapters::http::Received;
use crate::adapters::journal::InFlight;
use crate::adapters::provider::{Begun, Landing, Opening, Provider, SignedIn, Unwanted};
use crate::adapters::vault::{self, Stored, Vault};
use crate::config::{self, Config, Profile};

/// One life of a profile. After it is removed and added again, old answers do not reach it.
pub(crate) type Id = u64;

/// What is wrong with files of certificates that profiles name.
pub(crate) type Unreadable = BTreeMap<PathBuf, Problem>;

pub(crate) type Post = mpsc::UnboundedSender<Mail>;

pub(crate) enum Mail {
    Answered {
        id: Id,
        held: Held<Asked>,
        generation: u32,
        outcome: Result<Received, Trouble>,
    },
    Ask {
        request: Request,
        answer: Answer,
    },
    Beaten {
        id: Id,
        /// `None` where nobody was asked.
        host: Option<String>,
        attempt: Attempt,
        beat: Beat,
    },
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
        said: Option<String>,
    },
    File(News),
    Hint(SystemHint),
    HomeGone {
        answer: oneshot::Sender<()>,
    },
    HomeMade,
    Inspected {
        unreadable: Unreadable,
        profile: Option<String>,
        answer: Answer,
    },
    Loaded {
        id: Id,
        found: Result<Option<Stored>, VaultTrouble>,
        mark: Option<InFlight>,
    },
    /// It stands behind all that was withheld while there was none.
    NetworkUp,
    Recalled {
        id: Id,
        /// A [`Memory`](session::event::Memory) in JSON.
        memory: Option<String>,
    },
    SignedIn {
        id: Id,
        attempt: Attempt,
        provider: Arc<Provider>,
        outcome: Result<SignedIn, Failure>,
        landing: Landing,
        took: Duration,
    },
    Terminate,
    Revoked {
        number: u64,
        answer: RevocationAnswer,
    },
    Unlocked {
        opened: Result<(), VaultTrouble>,
        answer: Answer,
    },
    Unwanted {
        provider: Arc<Provider>,
        unwanted: Unwanted,
    },
    Vault {
        id: Id,
        event: Event,
    },
    VaultSays(vault::News),
    Withheld {
        id: Id,
        attempt: Attempt,
        wait: Duration,
        trouble: Trouble,
    },
}

/// What is asked of a resource, and of whom the answer is awaited.
pub(crate) struct Asked {
    pub(crate) what: Arc<Opening>,
    pub(crate) answer: Answer,
}

impl Asked {
    pub(crate) fn fail(self, failure: Failure) {
        drop(self.answer.send(Err(failure.with("path", self.what.url.path()))));
    }

    pub(crate) fn host(&self) -> String {
        config::host(&self.what.url)
    }
}

pub(crate) enum Edit {
    Add(Box<Draft>),
    Remove(String),
}

pub(crate) enum News {
    Changed,
    Looked(Looked),
    Written { edit: Edit, written: Result<Config, Failure>, answer: Answer },
}

pub(crate) struct Looked {
    /// `None` if the file has not changed.
    pub(crate) news: Option<Config>,
    /// The first file that can be read decides it for the life of the process.
    pub(crate) vault: Option<Vault>,
}
