use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::Path;
use std::sync::Arc;

use api::paths::Home;
use api::{Entry, Failure, Notice};
use session::admission::Admission;
use session::note::Note;
use session::time::Timestamp;
use tokio::sync::{broadcast, mpsc};

use super::configuration::Configuration;
use super::ending::{Dozing, Stopping};
use super::handle::{Handle, Places};
use super::kept::Kept;
use super::lookout::{Lookout, clerk};
use super::mail::{Id, Mail, Post, Unreadable};
use super::revocations::Revocations;
use crate::adapters::clock::{self, Watch};
use crate::adapters::http::Http;
use crate::adapters::journal::Journal;
use crate::adapters::vault::Vault;

pub struct Keeper {
    pub(crate) kept: BTreeMap<Id, Kept>,
    pub(crate) names: HashMap<String, Id>,
    pub(crate) due: BTreeSet<(Timestamp, Id)>,
    pub(crate) config: Configuration,
    pub(crate) log_problem: Option<Failure>,
    pub(crate) journal: Journal,
    pub(crate) vault: Vault,
    pub(crate) http: Http,
    pub(crate) unreadable: Unreadable,
    pub(crate) admission: Admission<String>,
    pub(crate) post: Post,
    pub(crate) places: Arc<Places>,
    pub(crate) mailbox: mpsc::UnboundedReceiver<Mail>,
    pub(crate) notices: broadcast::Sender<Notice>,
    pub(crate) watch: Watch,
    pub(crate) installation: u64,
    pub(crate) counter: u64,
    pub(crate) start_noted: bool,
    pub(crate) revocations: Revocations,
    pub(crate) stopping: Option<Stopping>,
    pub(crate) dozing: Option<Dozing>,
}

impl Keeper {
    /// Opens the journal, but not yet the configuration and the vault. Fails if the home cannot be prepared.
    pub fn open(home: &Home) -> Result<Self, Failure> {
        home.prepare()?;
        Ok(Self::with(home, |post| {
            let clerk = clerk(home, post.clone());
            Lookout::start(post, clerk)
        }))
    }

    /// Connections to servers are served there, from before the first one.
    #[must_use]
    pub fn with_network(mut self, threads: tokio::runtime::Handle) -> Self {
        self.http = Http::on(threads);
        self
    }

    pub(crate) fn with(home: &Home, lookout: impl FnOnce(Post) -> Lookout) -> Self {
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
            log_problem: log_problem(&home.log()),
            journal,
            // A placeholder: the first look at the file brings the vault, and only then do sessions begin.
            vault: Vault::memory(),
            start_noted: false,
            http: Http::default(),
            unreadable: Unreadable::default(),
            admission: Admission::new(clock::now()),
            post,
            places: Arc::default(),
            mailbox,
            notices,
            watch: Watch::new(),
            installation: installation(home),
            counter: 0,
            revocations: Revocations::default(),
            stopping: None,
            dozing: None,
        }
    }

    pub fn handle(&self) -> Handle {
        Handle::new(self.post.clone(), self.notices.clone(), Arc::clone(&self.places), self.http.room())
    }

    pub(crate) fn ids(&self) -> Vec<Id> {
        self.kept.keys().copied().collect()
    }

    pub(crate) fn next_number(&mut self) -> u64 {
        self.counter += 1;
        self.counter
    }

    pub(crate) fn note(&self, profile: Option<&str>, note: Note) {
        let entry = self.journal.write(profile, &note);
        tracing::info!(profile, note = ?entry.note);
        self.tell(Notice::Entry(entry));
    }

    /// The notice names the profile, the journal does not.
    pub(crate) fn note_without_name(&self, profile: &str, note: Note) {
        let entry = self.journal.write(None, &note);
        self.tell(Notice::Entry(Entry { profile: Some(profile.to_owned()), ..entry }));
    }

    /// Sending fails where nobody watches, which is no error.
    pub(crate) fn tell(&self, notice: Notice) {
        drop(self.notices.send(notice));
    }
}

fn installation(home: &Home) -> u64 {
    let mut hasher = DefaultHasher::new();
    std::fs::read("/etc/machine-id").unwrap_or_default().hash(&mut hasher);
    os::user::id().hash(&mut hasher);
    home.config().hash(&mut hasher);
    hasher.finish()
}

fn log_problem(path: &Path) -> Option<Failure> {
    os::files::is_something_else(path).then(|| Failure::file(path, &os::files::not_a_file()))
}

const NOTICES_BEHIND: usize = 1024;
