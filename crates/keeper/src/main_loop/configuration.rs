//! What the keeper knows of the configuration file.

use std::path::PathBuf;

use session::edits::{Edits, Written};
use session::looks::Looks;
use session::time::Timestamp;

use super::answer::Answer;
use super::lookout::{Errand, Lookout};
use super::mail::Edit;
use crate::config::{Config, Mistake, Profile};
use api::{Code, Failure, Problem, Request};

/// The file: what it says, and who waits for a look at it.
pub(crate) struct Configuration {
    path: PathBuf,
    /// What it said when it could last be read, and what is wrong with it now.
    pub(crate) config: Config,
    pub(crate) edits: Edits,
    pub(crate) looks: Looks<(Request, Answer)>,
    pub(crate) lookout: Lookout,
    /// Edits that wait until nobody is saving it any more.
    pub(crate) held: Vec<(Edit, Answer)>,
    /// How many edits are on their way.
    pub(crate) writing: u32,
    /// What the journal has been told already.
    pub(crate) told: Vec<Mistake>,
    /// A session that it does not know any more has something on its way.
    pub(crate) waits: bool,
}

impl Configuration {
    pub(crate) fn new(path: PathBuf, lookout: Lookout) -> Self {
        Self {
            path,
            config: Config::empty(),
            edits: Edits::default(),
            looks: Looks::default(),
            lookout,
            held: Vec::new(),
            writing: 0,
            told: Vec::new(),
            waits: false,
        }
    }

    pub(crate) fn problems(&self) -> Vec<Failure> {
        self.silence().into_iter().chain(self.config.mistakes.iter().map(Mistake::failure)).collect()
    }

    /// Why a profile of that name is not to be had, be it that nobody can say whether there is one.
    pub(crate) fn problem_of(&self, profile: &str) -> Option<Failure> {
        let mut mistakes = self.config.mistakes.iter();
        let own = mistakes.find(|mistake| mistake.profile.as_deref() == Some(profile)).map(Mistake::failure);
        let of_the_whole = || self.config.mistakes.first().filter(|_| self.config.unreadable);
        own.or_else(|| self.silence()).or_else(|| of_the_whole().map(Mistake::failure))
    }

    /// When there is something to do for it.
    pub(crate) fn due(&self) -> Option<Timestamp> {
        self.looks.due(self.edits.due())
    }

    /// Nothing is being written.
    pub(crate) fn is_idle(&self) -> bool {
        self.writing == 0
    }

    /// Has the edits written that need not wait.
    pub(crate) fn write(&mut self) {
        if self.edits.may_be_written() {
            let sent = self
                .held
                .drain(..)
                .filter_map(|(edit, answer)| self.lookout.send(Errand::Write(edit, answer)).then_some(1));
            self.writing += sent.sum::<u32>();
        }
    }

    /// It does not let itself be looked at.
    pub(crate) fn silence(&self) -> Option<Failure> {
        let problem = if self.lookout.is_manned() { Problem::DiskSilent } else { Problem::NoReader };
        self.looks.is_late().then(|| Mistake::of_file(&self.path, Code::ConfigUnreadable, problem).failure())
    }

    /// Takes in what it says now. Where it cannot be read, what it said holds.
    pub(crate) fn take(&mut self, read: Config) {
        if read.unreadable {
            self.config.mistakes = read.mistakes;
            self.config.unreadable = true;
        } else {
            self.config = read;
        }
    }

    pub(crate) fn written(&self, profile: &Profile) -> Written {
        let name = profile.name.as_str();
        match self.config.profile(name) {
            Some(written) if written == profile => Written::Alike,
            Some(_) => Written::Changed,
            None if self.is_broken(name) => Written::Broken,
            None => Written::Absent,
        }
    }

    fn is_broken(&self, name: &str) -> bool {
        self.config.mistakes.iter().any(|mistake| mistake.profile.as_deref() == Some(name))
    }
}
