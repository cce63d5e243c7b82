//! A session, and what the core does not know of it: who waits for it, and what is in flight.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use api::Failure;
use session::Session;
use session::event::{Attempt, Effect, Event};
use session::lane::Lane;
use session::limits;
use session::queue::Queue;
use session::reason::Trouble;
use session::time::Timestamp;
use session::tokens::Account;
use session::view::{Phase, Prospect};
use tokio::sync::oneshot;
use tokio::task::AbortHandle;

use super::answer::Answer;
use super::mail::{Id, Parked};
use crate::adapters::http::Http;
use crate::adapters::provider::{How, Provider, Shown};
use crate::config::Profile;

pub(crate) struct Kept {
    pub(crate) id: Id,
    pub(crate) profile: Arc<Profile>,
    pub(crate) provider: Arc<Provider>,
    /// Absent only inside [`Kept::step`].
    session: Option<Session>,
    pub(crate) lane: Lane<Parked>,
    /// What went through the lane since it was last clear.
    pub(crate) burst: Burst,
    pub(crate) wanting: Queue<Wanting>,
    /// Callers of `Refresh`: only a good token is a success.
    pub(crate) refreshing: Vec<Answer>,
    /// Callers of a sign-in: any end of it and of what follows is a success.
    pub(crate) signing_in: Vec<Answer>,
    standing: Option<Standing>,
    pub(crate) starting: Option<Starting>,
    pub(crate) sign_ins: HashMap<Attempt, Answer>,
    pub(crate) pending: Option<Pending>,
    pub(crate) finishing: Queue<Answer>,
    pub(crate) sign_in_failure: Option<Failure>,
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

#[derive(Default)]
pub(crate) struct Burst {
    pub(crate) count: u32,
    pub(crate) since: Option<Timestamp>,
}

pub(crate) struct Wanting {
    pub(crate) min_valid: Duration,
    pub(crate) best_effort: bool,
    pub(crate) deadline: Timestamp,
    pub(crate) answer: Answer,
}

#[derive(Clone, Copy, PartialEq, Eq)]
struct Standing {
    phase: Phase,
    tokens: Phase,
    access: Option<u32>,
}

pub(crate) struct Starting {
    pub(crate) how: How,
    pub(crate) answer: Answer,
}

pub(crate) struct Pending {
    pub(crate) attempt: Attempt,
    pub(crate) shown: Option<Shown>,
    pub(crate) ends: Timestamp,
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
            lane: Lane::default(),
            burst: Burst::default(),
            wanting: Queue::default(),
            refreshing: Vec::new(),
            signing_in: Vec::new(),
            standing: None,
            starting: None,
            sign_ins: HashMap::new(),
            pending: None,
            finishing: Queue::default(),
            sign_in_failure: None,
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

    pub(crate) fn prospect(&self, now: Timestamp, min_valid: Duration) -> Prospect<'_> {
        self.session.as_ref().map_or(Prospect::Coming, |session| session.prospect(now, min_valid))
    }

    pub(crate) fn session(&self) -> Option<&Session> {
        self.session.as_ref()
    }

    /// Whether callers that wait for a token may get another answer than at the last call.
    pub(crate) fn has_news(&mut self, now: Timestamp) -> bool {
        let standing = self.session().map(|session| Standing {
            phase: session.phase(),
            tokens: session.standing(),
            access: session
                .view(now)
                .access
                .filter(|access| !access.rejected)
                .map(|access| access.generation),
        });
        std::mem::replace(&mut self.standing, standing) != standing
    }

    pub(crate) fn account(&self) -> Account {
        self.session().map(|session| session.account().clone()).unwrap_or_default()
    }

    pub(crate) fn next_date(&self) -> Option<Timestamp> {
        let session = self.session.as_ref().and_then(Session::deadline);
        let unread = self.session().filter(|_| !self.refreshing.is_empty());
        let unread = unread.and_then(|session| unread_for_now(&session.standing()));
        let callers = [self.wanting.deadline(), self.finishing.deadline(), self.lane.deadline()];
        callers.into_iter().chain([session, unread]).flatten().min()
    }

    pub(crate) fn take_over(&mut self, before: &mut Self) -> bool {
        for held in before.lane.take_until(Timestamp::MAX) {
            self.lane.hold(held);
        }
        self.burst = std::mem::take(&mut before.burst);
        self.wanting.append(&mut before.wanting);
        self.refreshing.append(&mut before.refreshing);
        self.signing_in.append(&mut before.signing_in);
        let settling = !self.refreshing.is_empty() || !self.signing_in.is_empty();
        !self.lane.is_empty() || !self.wanting.is_empty() || settling
    }

    pub(crate) fn into_answers(mut self) -> Vec<Answer> {
        let held = self.lane.take_until(Timestamp::MAX).into_iter().map(|held| held.request.into_answer());
        let wanting = self.wanting.take().into_iter().map(|wanting| wanting.answer);
        let settling = self.refreshing.into_iter().chain(self.signing_in);
        let sign_ins = self.sign_ins.into_values();
        held.chain(wanting).chain(settling).chain(sign_ins).chain(self.finishing.take()).collect()
    }

    /// The next session would find everything in the vault, or there is nothing to find yet.
    pub(crate) fn is_safe_in_the_vault(&self, now: Timestamp) -> bool {
        self.exchanges == 0 && self.is_saved(now)
    }

    pub(crate) fn has_finished(&self) -> bool {
        self.in_flight == 0 && self.exchanges == u32::from(self.is_at_page())
    }

    pub(crate) fn is_saved(&self, now: Timestamp) -> bool {
        let unread = self
            .session()
            .is_some_and(|session| matches!(session.standing(), Phase::Waiting { why: Trouble::Vault, .. }));
        unread || self.session().is_none_or(|session| session.view(now).saved)
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

/// How long the first read of the vault counts as in progress.
pub(crate) fn unread_for_now(phase: &Phase) -> Option<Timestamp> {
    match phase {
        Phase::Waiting { until, why: Trouble::Vault, failures: 0, .. } => Some(*until + limits::VAULT_LOOK),
        Phase::Fresh
        | Phase::NeedsLogin { .. }
        | Phase::Refreshing { .. }
        | Phase::SigningIn
        | Phase::Waiting { .. } => None,
    }
}

/// The standard library's hash keys are random.
fn seed() -> u64 {
    use std::hash::{BuildHasher as _, Hasher as _, RandomState};
    RandomState::new().build_hasher().finish()
}
