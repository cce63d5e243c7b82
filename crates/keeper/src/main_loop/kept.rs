//! A session and everything around it that the core does not know: who waits for it, and what is on its way.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

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
use api::Failure;

pub(crate) struct Kept {
    pub(crate) id: Id,
    pub(crate) profile: Arc<Profile>,
    pub(crate) provider: Arc<Provider>,
    /// Absent only inside [`Kept::step`].
    session: Option<Session>,
    /// Requests that wait for a good token.
    pub(crate) lane: Lane<Parked>,
    /// What went through the lane since it was last clear.
    pub(crate) burst: Burst,
    /// Callers that wait for a token to use themselves.
    pub(crate) wanting: Queue<Wanting>,
    /// Those who wait for the end of a refresh, whoever may be at a sign-in meanwhile: only a good token is a success.
    pub(crate) refreshing: Vec<Answer>,
    /// Those who wait for the end of a sign-in and of all that it sets off: any end is a success.
    pub(crate) signing_in: Vec<Answer>,
    /// What those who wait for a token were told by last.
    standing: Option<Standing>,
    /// Taken by the effect that starts the sign-in.
    pub(crate) starting: Option<Starting>,
    /// Who asked for the sign-ins that are under way, and has not been answered.
    pub(crate) sign_ins: HashMap<Attempt, Answer>,
    /// The sign-in that somebody is at.
    pub(crate) pending: Option<Pending>,
    /// Callers that wait for its end.
    pub(crate) finishing: Queue<Answer>,
    /// What the last sign-in failed with, if it did.
    pub(crate) failed: Option<Failure>,
    pub(crate) in_flight: u32,
    pub(crate) replayed: u32,
    /// The newest access token's generation and, where it is a JWT, its algorithm.
    pub(crate) form: Option<(u32, Option<String>)>,
    /// The generation of the access token whose refusal was written down last.
    pub(crate) refused: Option<u32>,
    /// Where it stands in the keeper's list of dates.
    pub(crate) due: Option<Timestamp>,
    /// Its profile has been removed; it stays only until nothing of it is left.
    pub(crate) removed: bool,
    /// How many exchanges with the provider or the vault are on their way.
    pub(crate) exchanges: u32,
    /// Until the journal has on its disk that a token is about to be sent.
    pub(crate) marking: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
    /// Who is at them, so that they can be called off.
    pub(crate) workers: HashMap<Attempt, AbortHandle>,
}

#[derive(Default)]
pub(crate) struct Burst {
    pub(crate) count: u32,
    pub(crate) since: Option<Timestamp>,
}

pub(crate) struct Wanting {
    pub(crate) min_valid: Duration,
    /// A good token with less life left is better than none.
    pub(crate) best_effort: bool,
    pub(crate) deadline: Timestamp,
    pub(crate) answer: Answer,
}

/// All that decides what somebody who waits for a token is told.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Standing {
    phase: Phase,
    tokens: Phase,
    /// The generation of the access token that is out, unless it was refused.
    access: Option<u32>,
}

/// A sign-in that is about to begin.
pub(crate) struct Starting {
    pub(crate) how: How,
    pub(crate) answer: Answer,
}

/// A sign-in that a person is at.
pub(crate) struct Pending {
    pub(crate) attempt: Attempt,
    pub(crate) shown: Option<Shown>,
    pub(crate) ends: Timestamp,
    /// Dropped, it calls the sign-in off.
    pub(crate) _wanted: oneshot::Sender<()>,
}

impl Kept {
    /// `begin` is one of the ways in which a session begins.
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
            failed: None,
            in_flight: 0,
            replayed: 0,
            form: None,
            refused: None,
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

    /// Whether those who wait for a token may be told something else than the last time.
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

    /// Whose session it is, for those who speak with the provider on its behalf.
    pub(crate) fn account(&self) -> Account {
        self.session().map(|session| session.account().clone()).unwrap_or_default()
    }

    /// When it next has something to do: the session's own dates, and those of the callers who wait.
    pub(crate) fn next_date(&self) -> Option<Timestamp> {
        let session = self.session.as_ref().and_then(Session::deadline);
        let unread = self.session().filter(|_| !self.refreshing.is_empty());
        let unread = unread.and_then(|session| unread_for_now(&session.standing()));
        let callers = [self.wanting.deadline(), self.finishing.deadline(), self.lane.deadline()];
        callers.into_iter().chain([session, unread]).flatten().min()
    }

    /// Takes over those who wait for a token, however it comes. Returns whether there are any.
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

    /// Everyone who still waits for something.
    pub(crate) fn into_answers(mut self) -> Vec<Answer> {
        let held = self.lane.take_until(Timestamp::MAX).into_iter().map(|held| held.request.into_answer());
        let wanting = self.wanting.take().into_iter().map(|wanting| wanting.answer);
        let settling = self.refreshing.into_iter().chain(self.signing_in);
        let sign_ins = self.sign_ins.into_values();
        held.chain(wanting).chain(settling).chain(sign_ins).chain(self.finishing.take()).collect()
    }

    /// A successor would find in the vault whatever this session has, or there is nothing to be found yet.
    pub(crate) fn is_safe_in_the_vault(&self, now: Timestamp) -> bool {
        self.exchanges == 0 && self.is_saved(now)
    }

    /// There is nothing to wait for but a person at a sign-in page.
    pub(crate) fn has_finished(&self, now: Timestamp) -> bool {
        self.in_flight == 0 && self.exchanges == u32::from(self.is_at_page()) && self.is_saved(now)
    }

    fn is_saved(&self, now: Timestamp) -> bool {
        let unread = self
            .session()
            .is_some_and(|session| matches!(session.standing(), Phase::Waiting { why: Trouble::Vault, .. }));
        unread || self.session().is_none_or(|session| session.view(now).saved)
    }

    fn is_at_page(&self) -> bool {
        self.pending.as_ref().is_some_and(|pending| pending.shown.is_some())
    }

    /// Its newest refresh token is in memory and nowhere else.
    pub(crate) fn would_be_lost(&self) -> bool {
        self.session().is_some_and(Session::would_be_lost)
    }

    /// A refresh token or a code has been sent, and nobody has seen what came of it.
    pub(crate) fn is_exchanging(&self) -> bool {
        self.session().is_some_and(|session| {
            let refreshing = matches!(session.standing(), Phase::Refreshing { .. });
            let signing_in = session.signing_in().is_some() && !self.is_at_page();
            (refreshing || signing_in) && self.exchanges > 0
        })
    }

    /// Stopping now would lose nothing.
    pub(crate) fn is_idle(&self) -> bool {
        self.exchanges == 0 && self.in_flight == 0
    }
}

/// Until when a vault that is just being read for the first time is waited for, as anything that goes on.
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

/// Fresh for every session; the standard library's hash keys are random.
fn seed() -> u64 {
    use std::hash::{BuildHasher as _, Hasher as _, RandomState};
    RandomState::new().build_hasher().finish()
}
