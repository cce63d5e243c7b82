use std::path::PathBuf;

use api::{Code, Failure, Problem, Request};
use session::edits::{Edits, Written};
use session::looks::Looks;
use session::time::Timestamp;

use super::answer::Answer;
use super::lookout::{Errand, Lookout};
use super::mail::Edit;
use crate::config::{Config, Mistake, Profile, VaultSetting};

pub(crate) struct Configuration {
    path: PathBuf,
    /// What the file said when it could last be read, with the problems that it has now.
    pub(crate) config: Config,
    /// What the file said when the vault was opened, which is once a process.
    pub(crate) vault_in_use: Option<VaultSetting>,
    pub(crate) edits: Edits,
    pub(crate) looks: Looks<(Request, Answer)>,
    pub(crate) lookout: Lookout,
    /// They wait while somebody is still saving the file.
    pub(crate) held: Vec<(Edit, Answer)>,
    pub(crate) edits_in_flight: u32,
    pub(crate) told_mistakes: Vec<Mistake>,
    /// A session that the file ends still has an exchange in flight.
    pub(crate) waits: bool,
}

impl Configuration {
    pub(crate) fn new(path: PathBuf, lookout: Lookout) -> Self {
        Self {
            path,
            config: Config::empty(),
            vault_in_use: None,
            edits: Edits::default(),
            looks: Looks::default(),
            lookout,
            held: Vec::new(),
            edits_in_flight: 0,
            told_mistakes: Vec::new(),
            waits: false,
        }
    }

    pub(crate) fn problems(&self) -> Vec<Failure> {
        let mistakes = self.config.mistakes.iter().map(Mistake::failure);
        self.silence().into_iter().chain(mistakes).chain(self.later()).collect()
    }

    fn later(&self) -> Option<Failure> {
        let is_meant = self.config.mistakes.iter().all(|mistake| mistake.profile.is_some());
        let differs = self.vault_in_use.as_ref().is_some_and(|in_use| *in_use != self.config.vault);
        let path = self.path.display();
        (is_meant && differs).then(|| Failure::new(Code::VaultSettingLater).with("path", path))
    }

    /// A file that cannot be read at all is the problem of every profile.
    pub(crate) fn problem_of(&self, profile: &str) -> Option<Failure> {
        let mut mistakes = self.config.mistakes.iter();
        let own = mistakes.find(|mistake| mistake.profile.as_deref() == Some(profile)).map(Mistake::failure);
        let of_the_whole = || self.config.mistakes.first().filter(|_| self.config.unreadable);
        own.or_else(|| self.silence()).or_else(|| of_the_whole().map(Mistake::failure))
    }

    pub(crate) fn due(&self) -> Option<Timestamp> {
        self.looks.due(self.edits.due())
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.edits_in_flight == 0
    }

    pub(crate) fn write(&mut self) {
        if self.edits.may_be_written() {
            let sent = self
                .held
                .drain(..)
                .filter_map(|(edit, answer)| self.lookout.send(Errand::Write(edit, answer)).then_some(1));
            self.edits_in_flight += sent.sum::<u32>();
        }
    }

    /// The file does not answer. It may be on a network file system whose server is gone.
    pub(crate) fn silence(&self) -> Option<Failure> {
        let problem = if self.lookout.is_manned() { Problem::DiskSilent } else { Problem::NoReader };
        self.looks.is_late().then(|| Mistake::of_file(&self.path, Code::ConfigUnreadable, problem).failure())
    }

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
