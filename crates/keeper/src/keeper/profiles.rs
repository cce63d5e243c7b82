//! Profiles come from the configuration file, which people edit while the keeper runs.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use session::event::Event;
use session::note::Note;
use session::time::Timestamp;
use zeroize::Zeroizing;

use super::kept::Kept;
use super::{Id, Keeper, ask};
use crate::api::{Draft, Failure, Reply, VaultKind};
use crate::clock;
use crate::config::{self, Config, Profile};
use crate::paths::Home;

/// The file, as it was when it was last looked at.
pub(super) struct ConfigFile {
    path: PathBuf,
    seen: Option<Seen>,
    config: Config,
    /// What that was read from. A client's secret may be in it.
    text: Zeroizing<String>,
    /// A session that it does not know any more has something on its way.
    waits: bool,
    /// It went with the home, which is not what somebody wants it to be.
    gone: bool,
}

type Seen = (SystemTime, u64);

impl ConfigFile {
    pub(super) fn read(path: PathBuf) -> Self {
        let seen = look(&path);
        let (config, text) = load(&path);
        Self { path, seen, config, text, waits: false, gone: false }
    }

    pub(super) fn vault(&self) -> VaultKind {
        self.config.vault
    }

    pub(super) fn problems(&self) -> Vec<Failure> {
        self.config.problems.iter().map(config::Problem::failure).collect()
    }

    pub(super) fn problem_of(&self, profile: &str) -> Option<Failure> {
        let mut problems = self.config.problems.iter();
        problems.find(|problem| problem.profile.as_deref() == Some(profile)).map(config::Problem::failure)
    }

    /// Reads the file again if it has changed. A file that cannot be read leaves the profiles as they were.
    fn notice(&mut self) -> bool {
        let seen = look(&self.path);
        if seen == self.seen || (seen.is_none() && self.is_gone()) {
            return false;
        }
        self.seen = seen;
        let (read, text) = load(&self.path);
        if read.unreadable {
            self.config.problems = read.problems;
            self.config.unreadable = true;
        } else {
            (self.config, self.text) = (read, text);
        }
        true
    }

    fn is_gone(&self) -> bool {
        self.gone || !self.path.parent().is_some_and(Path::is_dir)
    }

    /// There is a home again, and the file is to be in it as it was.
    fn restore(&mut self) {
        self.gone = false;
        let is_there = look(&self.path).is_some();
        if is_there || self.text.is_empty() {
            return;
        }
        match config::write(&self.path, &self.text) {
            Ok(()) => self.seen = look(&self.path),
            Err(failure) => tracing::error!(?failure, "the configuration is not in the new home"),
        }
    }

    /// Replaces the text of the file by what `edit` makes of it, and reads it.
    fn edit(&mut self, edit: impl FnOnce(&str) -> Result<String, Failure>) -> Result<(), Failure> {
        let text = if self.gone { self.text.clone() } else { config::read_text(&self.path)?.into() };
        config::write(&self.path, &edit(&text)?)?;
        self.seen = look(&self.path);
        (self.config, self.text) = load(&self.path);
        Ok(())
    }
}

impl Keeper {
    /// People edit the file by hand; the next question notices.
    pub(super) fn notice_config(&mut self) {
        if self.config.notice() {
            self.take_profiles();
        }
    }

    /// Until there is one again, no file is a sign of anything.
    pub(super) fn on_home_gone(&mut self) {
        self.config.gone = true;
    }

    pub(super) fn on_home_made(&mut self) {
        self.config.restore();
    }

    /// Brings the sessions in line with the configuration.
    pub(super) fn take_profiles(&mut self) {
        for problem in &self.config.config.problems {
            let note = Note::ConfigProblem { line: problem.line, problem: problem.problem.clone() };
            self.note(problem.profile.as_deref(), note);
        }
        self.replace_sessions();
    }

    /// Ends the sessions whose profiles are gone or others now, and begins the new ones. A session that has a token
    /// on its way to the provider or the vault goes on until that has arrived: the vault still holds the old one,
    /// which the provider may have taken back already.
    pub(super) fn replace_sessions(&mut self) {
        if self.config.config.unreadable {
            return;
        }
        let now = clock::now();
        let profiles = self.config.config.profiles.clone();
        let broken = |name: &str| {
            self.config.config.problems.iter().any(|problem| problem.profile.as_deref() == Some(name))
        };
        // A profile with a mistake in it goes on as it was.
        let (over, busy): (Vec<&Kept>, Vec<&Kept>) = self
            .kept
            .values()
            .filter(|kept| {
                let name = &kept.profile.name;
                !kept.leaving && !broken(name) && profiles.iter().all(|profile| *profile != *kept.profile)
            })
            .partition(|kept| kept.is_safe_in_the_vault(now));
        let over: Vec<Id> = over.into_iter().map(|kept| kept.id).collect();
        let busy: Vec<Id> = busy.into_iter().map(|kept| kept.id).collect();
        self.config.waits = !busy.is_empty();
        for id in busy {
            // A person at a sign-in page is not waited for: the sign-in would be for what the profile was.
            if let Some(kept) = self.kept.get_mut(&id) {
                kept.pending = None;
            }
        }
        for id in over {
            self.drop_session(id);
        }
        for profile in profiles {
            if !self.names.contains_key(&profile.name) {
                self.keep(profile);
            }
        }
    }

    /// Somebody edited the file, and what was on its way then may have arrived.
    pub(super) fn replace_those_that_waited(&mut self) {
        if self.config.waits {
            self.replace_sessions();
        }
    }

    pub(super) fn add(&mut self, draft: &Draft) -> Result<(), Failure> {
        self.config.edit(|text| config::add(text, draft))?;
        self.take_profiles();
        self.find(&draft.profile).map(|_| ())
    }

    /// Takes the profile out of the file and signs out. The session stays behind the scenes until the vault has
    /// forgotten its token, or a locked keyring would bring it back one day.
    pub(super) fn remove(&mut self, id: Id) -> Result<Reply, Failure> {
        let Some(name) = self.kept.get(&id).map(|kept| kept.profile.name.clone()) else {
            return Ok(Reply::Done);
        };
        self.config.edit(|text| config::remove(text, &name))?;
        self.names.remove(&name);
        if let Some(kept) = self.kept.get_mut(&id) {
            kept.leaving = true;
        }
        self.step(id, Event::SignOut);
        self.take_profiles();
        Ok(Reply::Done)
    }

    /// Lets a removed session go once nothing of it is left anywhere.
    pub(super) fn let_go(&mut self, id: Id, now: Timestamp) {
        let gone = |kept: &Kept| {
            kept.leaving && kept.is_idle() && kept.session().is_some_and(|session| session.view(now).saved)
        };
        if self.kept.get(&id).is_some_and(gone) {
            self.drop_session(id);
        }
    }

    fn keep(&mut self, profile: Profile) {
        // Somebody wants the name back: what the vault still holds under it is overruled by the new session.
        let leaving = self.kept.values().find(|kept| kept.leaving && kept.profile.name == profile.name);
        if let Some(id) = leaving.map(|kept| kept.id) {
            self.drop_session(id);
        }
        let id = self.next_number();
        let now = clock::now();
        let name = profile.name.clone();
        let mut hasher = DefaultHasher::new();
        (self.installation, &name).hash(&mut hasher);
        let policy = profile.policy(hasher.finish());
        self.kept.insert(id, Kept::new(id, profile, self.http.clone(), policy, now));
        self.names.insert(name, id);
        self.step(id, Event::Tick);
    }

    /// What is in the vault stays there, unless the person signed out before: the profile may come back.
    fn drop_session(&mut self, id: Id) {
        let Some(kept) = self.kept.remove(&id) else { return };
        self.names.retain(|_, named| *named != id);
        self.due.retain(|(_, other)| *other != id);
        let failure = Failure::new(crate::api::Code::UnknownProfile).with("profile", &kept.profile.name);
        let name = kept.profile.name.clone();
        if kept.leaving {
            self.forget_profile(&name);
        }
        for answer in kept.into_answers() {
            ask::refuse(answer, failure.clone().of(&name));
        }
    }

    /// Whoever removes a profile does not leave its history behind.
    pub(super) fn forget_profile(&mut self, name: &str) {
        self.journal.forget(name);
        self.farewells.forget(name);
    }
}

/// Sets this installation apart from others: the machine, the person on it, and the home.
pub(super) fn installation(home: &Home) -> u64 {
    let mut hasher = DefaultHasher::new();
    std::fs::read("/etc/machine-id").unwrap_or_default().hash(&mut hasher);
    rustix::process::geteuid().as_raw().hash(&mut hasher);
    home.config().hash(&mut hasher);
    hasher.finish()
}

fn load(path: &Path) -> (Config, Zeroizing<String>) {
    match config::read_text(path) {
        Ok(text) => (Config::read(&text, path), text.into()),
        Err(_) => (Config::load(path), Zeroizing::default()),
    }
}

fn look(path: &Path) -> Option<Seen> {
    let metadata = std::fs::metadata(path).ok()?;
    Some((metadata.modified().ok()?, metadata.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    /// From the moment at which the home is known to be gone until what was in it is put back.
    #[test]
    fn a_file_that_went_with_its_home_is_no_sign_of_anything_and_is_put_back() {
        let dir = std::env::temp_dir().join(format!("pilotlight-profiles-{}", std::process::id()));
        drop(fs::remove_dir_all(&dir));
        fs::create_dir(&dir).unwrap();
        let path = dir.join("config.toml");
        fs::write(&path, TEXT).unwrap();
        let mut file = ConfigFile::read(path.clone());
        fs::remove_dir_all(&dir).unwrap();
        assert!(!file.notice(), "the whole directory is gone");
        file.gone = true;
        fs::create_dir(&dir).unwrap();
        assert!(!file.notice());
        file.restore();
        assert_eq!(fs::read_to_string(&path).unwrap(), TEXT);
        assert!(!file.notice(), "nothing has changed");

        fs::remove_file(&path).unwrap();
        assert!(file.notice(), "this time somebody wants it so");
        assert!(file.config.profiles.is_empty());
        fs::remove_dir_all(&dir).unwrap();
    }

    const TEXT: &str = "[profile.work]\npreset = \"nestjs\"\nurl = \"https://api.example\"\n";
}
