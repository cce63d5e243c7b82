//! The keeper: one task that owns every session.
//!
//! A mailbox in, effects out, and sleep until the earliest deadline. No session is behind a mutex, because nobody
//! else has it. Whatever takes time (an exchange, the vault) is started here and reports back as mail: a caller that
//! gives up cancels nothing, and a keyring that hangs holds up nobody.
//!
//! The way of a request: `agent` → [`Mail::Ask`] → `ask` → a session's `step` → `perform` → mail → `step` → `settle`,
//! which answers whoever can be answered.

mod ask;
mod bench;
mod farewells;
mod kept;
mod perform;
mod profiles;
mod requests;
mod settle;
mod sign_in;
mod view;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use session::breaker::Breaker;
use session::event::{Attempt, Beat, Event};
use session::farewell::Told;
use session::note::Note;
use session::reason::{Trouble, VaultTrouble};
use session::time::{Timestamp, millis};
use session::verdict::Verdict;
use tokio::sync::{broadcast, mpsc, oneshot};

use crate::api::{Failure, Notice, Reply, Request};
use crate::clock::{self, Hint, SleepWatch};
use crate::config::Profile;
use crate::http::{Http, Received};
use crate::journal::Journal;
use crate::paths::Home;
use crate::provider::{Begun, Landing, Provider, SignedIn, Unwanted};
use crate::vault::{Stored, Vault};

use farewells::Farewells;
use kept::Kept;
use profiles::ConfigFile;
use requests::Parked;

pub(crate) type Answer = oneshot::Sender<Result<Reply, Failure>>;

/// Names one life of a profile: removed and added again it is another, and old answers do not reach it.
pub(crate) type Id = u64;

/// The running keeper. [`Keeper::open`] makes it, [`Keeper::run`] is its life.
pub struct Keeper {
    kept: BTreeMap<Id, Kept>,
    names: HashMap<String, Id>,
    /// Who has something to do, and when.
    due: BTreeSet<(Timestamp, Id)>,
    config: ConfigFile,
    journal: Journal,
    vault: Vault,
    http: Http,
    breakers: HashMap<String, Breaker>,
    post: Post,
    mailbox: mpsc::UnboundedReceiver<Mail>,
    notices: broadcast::Sender<Notice>,
    sleep: SleepWatch,
    /// Sets this installation apart from others, for the slots of a fleet.
    installation: u64,
    /// Requests and profiles are numbered as they arrive.
    counter: u64,
    /// Providers that have not heard of a sign-out yet.
    farewells: Farewells,
    /// Set once the keeper has been told to stop; nothing new is begun.
    stopping: Option<Stopping>,
}

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
    Hint(Hint),
    /// What the vault holds.
    Loaded {
        id: Id,
        found: Result<Option<Stored>, VaultTrouble>,
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
    Told {
        number: u64,
        told: Told,
    },
    /// Tokens that came and are somebody else's.
    Unwanted {
        profile: String,
        provider: Arc<Provider>,
        unwanted: Unwanted,
    },
    /// What became of saving or forgetting.
    Vault {
        id: Id,
        event: Event,
    },
}

struct Stopping {
    /// The latest end, whatever is still in flight.
    by: Timestamp,
    answers: Vec<Answer>,
}

/// What the faces' side of the process holds of the keeper.
#[derive(Clone)]
pub struct Handle {
    post: Post,
    notices: broadcast::Sender<Notice>,
}

impl Handle {
    /// Asks, and waits for the answer however long that takes.
    pub async fn ask(&self, request: Request) -> Result<Reply, Failure> {
        let (answer, reply) = oneshot::channel();
        if self.post.send(Mail::Ask { request, answer }).is_err() {
            return Err(stopping());
        }
        reply.await.unwrap_or_else(|_| Err(stopping()))
    }

    pub fn notices(&self) -> broadcast::Receiver<Notice> {
        self.notices.subscribe()
    }

    /// As SIGTERM does.
    pub fn terminate(&self) {
        drop(self.post.send(Mail::Terminate));
    }
}

impl Keeper {
    /// Opens the journal and the vault and reads the configuration. Talks to nobody yet.
    ///
    /// # Errors
    ///
    /// When the home's directories cannot be made.
    pub fn open(home: &Home) -> Result<Self, Failure> {
        home.prepare()?;
        let config = ConfigFile::read(home.config());
        let vault = Vault::open(config.vault(), &home.id());
        Ok(Self::with(home, config, vault))
    }

    fn with(home: &Home, config: ConfigFile, vault: Vault) -> Self {
        let (journal, moved) = Journal::open_or_replace(&home.journal());
        let (post, mailbox) = mpsc::unbounded_channel();
        let (notices, _) = broadcast::channel(NOTICES_BEHIND);
        let keeper = Self {
            kept: BTreeMap::new(),
            names: HashMap::new(),
            due: BTreeSet::new(),
            config,
            journal,
            vault,
            http: Http::default(),
            breakers: HashMap::new(),
            post,
            mailbox,
            notices,
            sleep: SleepWatch::new(),
            installation: profiles::installation(home),
            counter: 0,
            farewells: Farewells::default(),
            stopping: None,
        };
        let vault = format!("{:?}", keeper.vault.kind()).to_lowercase();
        keeper.note(None, Note::KeeperStarted { version: env!("CARGO_PKG_VERSION").to_owned(), vault });
        if let Some(problem) = moved {
            keeper.note(None, Note::ConfigProblem { line: None, problem });
        }
        keeper
    }

    pub fn handle(&self) -> Handle {
        Handle { post: self.post.clone(), notices: self.notices.clone() }
    }

    /// Runs until it is told to stop and has finished what was in flight.
    pub async fn run(mut self) {
        self.hear_hints();
        self.take_profiles();
        while !self.may_end() {
            let pause = self.pause();
            let mail = tokio::select! {
                mail = self.mailbox.recv() => mail,
                () = tokio::time::sleep(pause) => None,
            };
            self.notice_sleep();
            if let Some(mail) = mail {
                self.take(mail);
            }
            self.tick();
            self.replace_those_that_waited();
        }
        self.end();
    }

    fn take(&mut self, mail: Mail) {
        match mail {
            Mail::Answered { id, parked, generation, outcome } => {
                self.on_answered(id, parked, generation, outcome)
            }
            Mail::Ask { request, answer } => self.on_ask(request, answer),
            Mail::Beaten { id, host, attempt, beat } => {
                let trouble = match beat {
                    Beat::Good | Beat::SaysNo => None,
                    Beat::Silent { trouble, .. } => Some(trouble),
                };
                self.report(&host, trouble);
                self.step(id, Event::Beaten { attempt, beat });
            }
            Mail::Begun { id, attempt, begun } => self.on_begun(id, attempt, begun),
            Mail::Exchanged { id, provider, profile, attempt, verdict } => {
                self.on_exchanged(id, provider, &profile, attempt, verdict)
            }
            Mail::Hint(hint) => self.on_hint(hint),
            Mail::Loaded { id, found } => self.on_loaded(id, found),
            Mail::SignedIn { id, attempt, provider, outcome, landing, took } => {
                self.on_signed_in(id, attempt, provider, outcome, landing, took)
            }
            Mail::Terminate => self.begin_to_stop(None),
            Mail::Told { number, told } => self.on_told(number, told),
            Mail::Unwanted { profile, provider, unwanted } => self.give_back(&profile, provider, unwanted),
            Mail::Vault { id, event } => self.on_vault(id, event),
        }
    }

    /// Lets a session decide, does what it says, and answers whoever can be answered now.
    fn step(&mut self, id: Id, event: Event) {
        let now = clock::now();
        let Some(kept) = self.kept.get_mut(&id) else { return };
        let effects = kept.step(event, now);
        let changed = !effects.is_empty();
        for effect in effects {
            self.perform(id, effect);
        }
        self.settle(id, now);
        if changed && let Some(kept) = self.kept.get(&id) {
            self.tell(Notice::Changed { profile: kept.profile.name.clone() });
        }
    }

    /// Gives everyone whose time has come a tick.
    fn tick(&mut self) {
        let now = clock::now();
        self.tell_providers(now);
        while let Some((at, id)) = self.due.first().copied()
            && at <= now
        {
            self.due.remove(&(at, id));
            if let Some(kept) = self.kept.get_mut(&id) {
                kept.due = None;
            }
            self.step(id, Event::Tick);
        }
    }

    /// Until the earliest deadline, but never long: while the machine sleeps, timers stand still.
    fn pause(&self) -> Duration {
        let sessions = self.due.first().map(|(at, _)| *at);
        let stopping = self.stopping.as_ref().map(|stopping| stopping.by);
        let earliest = [sessions, stopping, self.farewells.due()].into_iter().flatten().min();
        earliest.map_or(LONGEST_SLEEP, |at| clock::now().until(at).min(LONGEST_SLEEP))
    }

    /// Told to every session before anything else that happens after a sleep.
    fn notice_sleep(&mut self) {
        let Some(slept) = self.sleep.slept() else { return };
        self.note(None, Note::Woke { slept_ms: millis(slept) });
        for id in self.ids() {
            self.step(id, Event::Woke { slept });
        }
    }

    fn on_hint(&mut self, hint: Hint) {
        match hint {
            Hint::AboutToSleep | Hint::Woke => {}
            Hint::NetworkUp => {
                self.farewells.on_network_up(clock::now());
                for id in self.ids() {
                    self.step(id, Event::NetworkUp);
                }
            }
        }
    }

    fn hear_hints(&self) {
        let (sender, mut hints) = mpsc::channel(8);
        clock::hints(sender);
        let post = self.post.clone();
        tokio::spawn(async move {
            while let Some(hint) = hints.recv().await {
                if post.send(Mail::Hint(hint)).is_err() {
                    break;
                }
            }
        });
    }

    fn ids(&self) -> Vec<Id> {
        self.kept.keys().copied().collect()
    }

    fn next_number(&mut self) -> u64 {
        self.counter += 1;
        self.counter
    }

    fn note(&self, profile: Option<&str>, note: Note) {
        let entry = self.journal.write(profile, &note);
        tracing::info!(profile, note = ?entry.note);
        self.tell(Notice::Entry(entry));
    }

    /// Nobody watching is the usual case, not an error.
    fn tell(&self, notice: Notice) {
        drop(self.notices.send(notice));
    }

    fn begin_to_stop(&mut self, answer: Option<Answer>) {
        let by = clock::now() + TIME_TO_FINISH;
        let stopping = self.stopping.get_or_insert_with(|| Stopping { by, answers: Vec::new() });
        stopping.answers.extend(answer);
        // A person at a sign-in page is not waited for.
        for kept in self.kept.values_mut() {
            kept.pending = None;
        }
    }

    /// Nothing is in flight whose loss would cost a session, or leave one behind that a person has ended.
    fn may_end(&self) -> bool {
        let Some(stopping) = &self.stopping else { return false };
        (!self.farewells.has_first() && self.kept.values().all(Kept::is_idle)) || clock::now() >= stopping.by
    }

    fn end(mut self) {
        self.note(None, Note::KeeperStopped);
        self.journal.close();
        for answer in self.stopping.take().into_iter().flat_map(|stopping| stopping.answers) {
            drop(answer.send(Ok(Reply::Done)));
        }
    }
}

fn stopping() -> Failure {
    Failure::new(crate::api::Code::KeeperStopping)
}

/// The suspend-aware clock runs on while timers stand still; this bounds how late a wake-up is noticed when the
/// system does not tell.
const LONGEST_SLEEP: Duration = Duration::from_secs(30);

/// A refresh and its save; the provider and the keyring are not waited for longer than a person waits for a log-out.
const TIME_TO_FINISH: Duration = Duration::from_secs(10);

/// A face that is further behind than this asks for the status again.
const NOTICES_BEHIND: usize = 1024;
