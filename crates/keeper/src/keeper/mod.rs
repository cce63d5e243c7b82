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
mod configuration;
mod handle;
mod kept;
mod lookout;
mod perform;
mod profiles;
mod report;
mod requests;
mod revocations;
mod settle;
mod sign_in;
mod stop;
mod view;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use session::breaker::{Breaker, Outcome};
use session::event::{Attempt, Event};
use session::limits;
use session::note::Note;
use session::reason::{Trouble, VaultTrouble};
use session::time::{Timestamp, millis};
use session::verdict::Beat;
use session::verdict::RevocationAnswer;
use session::verdict::Verdict;
use tokio::sync::{broadcast, mpsc, oneshot};

use crate::api::{Entry, Failure, Notice, Reply, Request};
use crate::clock::{self, Gap, Hint, Watch};
use crate::config::Profile;
use crate::files;
use crate::http::{Http, Received};
use crate::journal::{InFlight, Journal};
use crate::paths::Home;
use crate::provider::{Begun, Landing, Provider, SignedIn, Unwanted};
use crate::vault::{Stored, Vault};

use configuration::Configuration;
use handle::Places;
use kept::Kept;
use lookout::{Errand, Lookout, News};
use requests::Parked;
use revocations::Revocations;
pub use stop::End;
use stop::Stopping;

pub use handle::Handle;

pub(crate) type Answer = oneshot::Sender<Result<Reply, Failure>>;

/// Names one life of a profile: removed and added again it is another, and old answers do not reach it.
pub(crate) type Id = u64;

/// The running keeper. [`Keeper::open`] makes it, [`Keeper::run`] is its life.
pub struct Keeper {
    kept: BTreeMap<Id, Kept>,
    names: HashMap<String, Id>,
    /// Who has something to do, and when.
    due: BTreeSet<(Timestamp, Id)>,
    config: Configuration,
    /// What is wrong with the home, as it was found.
    amiss: Option<Failure>,
    journal: Journal,
    vault: Vault,
    http: Http,
    breakers: HashMap<String, Breaker>,
    post: Post,
    places: Arc<Places>,
    mailbox: mpsc::UnboundedReceiver<Mail>,
    notices: broadcast::Sender<Notice>,
    watch: Watch,
    /// Sets this installation apart from others, for the slots of a fleet.
    installation: u64,
    /// Requests and profiles are numbered as they arrive.
    counter: u64,
    /// The journal has been told which vault it is.
    started: bool,
    /// Providers that have not heard of a sign-out yet.
    revocations: Revocations,
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
    File(News),
    Hint(Hint),
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

impl Keeper {
    /// Opens the journal. The configuration is read, and the vault opened, once it runs. Talks to nobody yet.
    ///
    /// # Errors
    ///
    /// When the home's directories cannot be made.
    pub fn open(home: &Home) -> Result<Self, Failure> {
        home.prepare()?;
        Ok(Self::with(home, |post| {
            let clerk = lookout::clerk(home.config(), home.id(), post.clone());
            Lookout::start(post, clerk)
        }))
    }

    fn with(home: &Home, lookout: impl FnOnce(Post) -> Lookout) -> Self {
        let (post, mailbox) = mpsc::unbounded_channel();
        let (notices, _) = broadcast::channel(NOTICES_BEHIND);
        let told = notices.clone();
        let journal = Journal::open(&home.journal(), move || {
            drop(told.send(Notice::Changed { profile: String::new() }));
        });
        Self {
            kept: BTreeMap::new(),
            names: HashMap::new(),
            due: BTreeSet::new(),
            config: Configuration::new(home.config(), lookout(post.clone())),
            amiss: files::amiss(&home.log()),
            journal,
            // Nothing is put into this one: sessions begin with the first look at the file, which brings theirs.
            vault: Vault::memory(),
            started: false,
            http: Http::default(),
            breakers: HashMap::new(),
            post,
            places: Arc::default(),
            mailbox,
            notices,
            watch: Watch::new(),
            installation: profiles::installation(home),
            counter: 0,
            revocations: Revocations::default(),
            stopping: None,
        }
    }

    pub fn handle(&self) -> Handle {
        Handle::new(self.post.clone(), self.notices.clone(), Arc::clone(&self.places))
    }

    /// Runs until it is told to stop and has finished what was in flight, and says how it ended.
    pub async fn run(mut self) -> End {
        self.hear_hints();
        self.look();
        while !self.may_end() {
            let pause = self.pause();
            let mail = tokio::select! {
                mail = self.mailbox.recv() => mail,
                () = tokio::time::sleep(pause) => None,
            };
            self.notice_gap(pause);
            if let Some(mail) = mail {
                self.take(mail);
            }
            self.look();
            self.tick();
            self.replace_those_that_waited();
        }
        self.end().await
    }

    fn take(&mut self, mail: Mail) {
        match mail {
            Mail::Answered { id, parked, generation, outcome } => {
                self.on_answered(id, parked, generation, outcome)
            }
            Mail::Ask { request, answer } => self.on_ask(request, answer),
            Mail::Beaten { id, host, attempt, beat } => {
                match beat {
                    Beat::Good | Beat::SaysNo => self.report(&host, Outcome::Answered),
                    // It was not let through: the host has heard nothing of it.
                    Beat::Silent { trouble: Trouble::BreakerOpen, .. } => {}
                    Beat::Silent { trouble, .. } => self.report(&host, Outcome::of(trouble)),
                }
                self.step(id, Event::Beaten { attempt, beat });
            }
            Mail::Begun { id, attempt, begun } => self.on_begun(id, attempt, begun),
            Mail::Exchanged { id, provider, profile, attempt, verdict } => {
                self.on_exchanged(id, provider, &profile, attempt, verdict)
            }
            Mail::File(news) => self.on_news(news),
            Mail::Hint(hint) => self.on_hint(hint),
            Mail::HomeGone { answer } => self.config.lookout.tell(Errand::HomeGone(answer)),
            Mail::HomeMade => self.config.lookout.tell(Errand::HomeMade),
            Mail::Loaded { id, found, mark, memory } => self.on_loaded(id, found, mark, memory),
            Mail::SignedIn { id, attempt, provider, outcome, landing, took } => {
                self.on_signed_in(id, attempt, provider, outcome, landing, took)
            }
            Mail::Terminate => self.begin_to_stop(stop::Why::Signal),
            Mail::Revoked { number, answer } => self.on_revoked(number, answer),
            Mail::Unwanted { provider, unwanted } => self.give_back(provider, unwanted),
            Mail::Vault { id, event } => self.on_vault(id, event),
            Mail::Withheld { id, attempt, wait } => self.step(id, Event::Withheld { attempt, wait }),
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
        self.send_revocations(now);
        // Once each: a session that stays due has its next turn after everybody else has had theirs.
        let due: Vec<(Timestamp, Id)> = self.due.iter().take_while(|(at, _)| *at <= now).copied().collect();
        for (at, id) in due {
            if self.due.remove(&(at, id))
                && let Some(kept) = self.kept.get_mut(&id)
            {
                kept.due = None;
                self.step(id, Event::Tick);
            }
        }
    }

    /// Until the earliest deadline, but never long: while the machine sleeps, timers stand still. And short while
    /// anything is in flight, because a freeze is measured by how late a pause ends.
    fn pause(&self) -> Duration {
        let longest = if self.kept.values().all(Kept::is_idle) { limits::LONGEST_SLEEP } else { limits::NAP };
        let sessions = self.due.first().map(|(at, _)| *at);
        let stopping = self.stopping.as_ref().map(|stopping| stopping.by);
        let earliest =
            [sessions, stopping, self.revocations.due(), self.config.due()].into_iter().flatten().min();
        earliest.map_or(longest, |at| clock::now().until(at).min(longest))
    }

    /// Told to every session before anything else that happens after a sleep, or a freeze.
    fn notice_gap(&mut self, pause: Duration) {
        let Some(gap) = self.watch.gap(pause) else { return };
        self.note(
            None,
            match gap {
                Gap::Slept(slept) => Note::Woke { slept_ms: millis(slept) },
                Gap::StoodStill(stood_still) => Note::Thawed { stood_still_ms: millis(stood_still) },
            },
        );
        if let Some(stopping) = &mut self.stopping {
            stopping.by = stopping.by + gap.length();
        }
        for id in self.ids() {
            self.wake(id, gap.length());
        }
    }

    fn on_hint(&mut self, hint: Hint) {
        match hint {
            Hint::AboutToSleep | Hint::Woke => {}
            Hint::NetworkUp => {
                let now = clock::now();
                self.revocations.on_network_up(now);
                self.breakers.values_mut().for_each(|breaker| breaker.on_network_up(now));
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

    /// Those who watch hear whose it is; what is kept says only what happened.
    fn note_without_name(&self, profile: &str, note: Note) {
        let entry = self.journal.write(None, &note);
        self.tell(Notice::Entry(Entry { profile: Some(profile.to_owned()), ..entry }));
    }

    /// Nobody watching is the usual case, not an error.
    fn tell(&self, notice: Notice) {
        drop(self.notices.send(notice));
    }
}

fn stopping() -> Failure {
    Failure::new(crate::api::Code::KeeperStopping)
}

/// A face that is further behind than this asks for the status again.
const NOTICES_BEHIND: usize = 1024;
