//! A session, and what the core does not know of it: who waits for it, and what is in flight.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::Arc;

use api::Failure;
use session::Session;
use session::callers::{self, Caller};
use session::event::{Attempt, Effect, Event};
use session::queue::Queue;
use session::time::Timestamp;
use session::tokens::Account;
use session::view::Phase;
use tokio::sync::oneshot;
use tokio::task::AbortHandle;

use super::answer::{Answer, refuse};
use super::mail::{Asked, Id};
use crate::adapters::http::Http;
use crate::adapters::provider::{ByHand, How, Provider, Shown};
use crate::config::Profile;

pub(crate) struct Kept {
    pub(crate) id: Id,
    pub(crate) profile: Arc<Profile>,
    pub(crate) provider: Arc<Provider>,
    /// Absent only inside [`Kept::step`].
    session: Option<Session>,
    pub(crate) callers: Callers,
    pub(crate) starting: Option<Starting>,
    pub(crate) sign_ins: HashMap<Attempt, Answer>,
    pub(crate) pending: Option<Pending>,
    pub(crate) finishing: Queue<Answer>,
    pub(crate) sign_in_failure: Option<Failure>,
    /// What the provider said of the refusal that is waited out, or that ended the sign-in.
    pub(crate) said: Option<String>,
    pub(crate) in_flight: u32,
    pub(crate) replayed: u32,
    /// The generation of the newest access token and, if it is a JWT, its algorithm.
    pub(crate) form: Option<(u32, Option<String>)>,
    pub(crate) refused_generation: Option<u32>,
    pub(crate) due: Option<Timestamp>,
    pub(crate) removed: bool,
    /// Exchanges in flight with the provider or the vault.
    pub(crate) exchanges: u32,
    pub(crate) marking: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
    pub(crate) workers: HashMap<Attempt, AbortHandle>,
}

pub(crate) type Callers = callers::Callers<Asked, Answer, Answer>;

pub(crate) type Served = callers::Served<Asked, Answer>;

pub(crate) struct Starting {
    pub(crate) how: How,
    pub(crate) answer: Answer,
}

pub(crate) struct Pending {
    pub(crate) attempt: Attempt,
    pub(crate) shown: Option<Shown>,
    pub(crate) ends: Timestamp,
    pub(crate) by_hand: Option<ByHand>,
    /// Dropping it calls the sign-in off.
    pub(crate) _wanted: oneshot::Sender<()>,
}

impl Kept {
    pub(crate) fn new(id: Id, profile: Profile, http: Http, begin: impl FnOnce(u64) -> Session) -> Self {
        let profile = Arc::new(profile);
        Self {
            id,
            provider: Arc::new(Provider::new(Arc::clone(&profile), http)),
            profile,
            session: Some(begin(seed())),
            callers: Callers::default(),
            starting: None,
            sign_ins: HashMap::new(),
            pending: None,
            finishing: Queue::default(),
            sign_in_failure: None,
            said: None,
            in_flight: 0,
            replayed: 0,
            form: None,
            refused_generation: None,
            due: None,
            removed: false,
            exchanges: 0,
            marking: None,
            workers: HashMap::new(),
        }
    }

    pub(crate) fn step(&mut self, event: Event, now: Timestamp) -> Vec<Effect> {
        let Some(session) = self.session.take() else { return Vec::new() };
        let (session, effects) = session.step(event, now);
        self.session = Some(session);
        effects
    }

    pub(crate) fn session(&self) -> Option<&Session> {
        self.session.as_ref()
    }

    /// Those who wait, and the session that they wait for.
    pub(crate) fn waiting(&mut self) -> Option<(&mut Callers, &Session)> {
        Some((&mut self.callers, self.session.as_ref()?))
    }

    pub(crate) fn account(&self) -> Account {
        self.session().map(|session| session.account().clone()).unwrap_or_default()
    }

    pub(crate) fn next_date(&self) -> Option<Timestamp> {
        let session = self.session()?;
        let dates = [session.deadline(), self.callers.deadline(session), self.finishing.deadline()];
        dates.into_iter().flatten().min()
    }

    /// Everybody who waits for anything, a sign-in included.
    pub(crate) fn into_answers(mut self) -> Vec<Answer> {
        let callers = self.callers.take_all().into_iter().map(|caller| match caller {
            Caller::End(answer) => answer,
            Caller::Request(held) => held.request.answer,
            Caller::Token(wanting) => wanting.caller,
        });
        callers.chain(self.sign_ins.into_values()).chain(self.finishing.take()).collect()
    }

    /// Only requests that the next keeper can carry out without doing anything twice.
    pub(crate) fn turn_away(&mut self, failure: &Failure) {
        for caller in self.callers.take_all() {
            match caller {
                Caller::End(answer) => refuse(answer, failure.clone()),
                Caller::Request(held) => held.request.fail(failure.clone()),
                Caller::Token(wanting) => refuse(wanting.caller, failure.clone()),
            }
        }
        for answer in self.finishing.take() {
            refuse(answer, failure.clone());
        }
    }

    /// The next session would find everything in the vault, or there is nothing to find yet.
    pub(crate) fn is_safe_in_the_vault(&self) -> bool {
        self.exchanges == 0 && self.is_saved()
    }

    pub(crate) fn has_finished(&self) -> bool {
        self.in_flight == 0 && self.exchanges == u32::from(self.is_at_page())
    }

    pub(crate) fn is_saved(&self) -> bool {
        self.session().is_none_or(Session::can_make_room)
    }

    fn is_at_page(&self) -> bool {
        self.pending.as_ref().is_some_and(|pending| pending.shown.is_some())
    }

    pub(crate) fn would_be_lost(&self) -> bool {
        self.session().is_some_and(Session::would_be_lost)
    }

    /// A refresh token or a code was sent, and the outcome is unknown.
    pub(crate) fn is_exchanging(&self) -> bool {
        self.session().is_some_and(|session| {
            let refreshing = matches!(session.standing(), Phase::Refreshing { .. });
            let signing_in = session.signing_in().is_some() && !self.is_at_page();
            (refreshing || signing_in) && self.exchanges > 0
        })
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.exchanges == 0 && self.in_flight == 0
    }
}

/// The standard library's hash keys are random.
fn seed() -> u64 {
    use std::hash::{BuildHasher as _, Hasher as _, RandomState};
    RandomState::new().build_hasher().finish()
}
