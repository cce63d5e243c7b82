use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use api::{Code, Failure, Lost, Notice, Reply, Request};
use session::Session;
use session::edits::Look;
use session::event::{Asker, Event};
use session::note::Note;
use session::time::Timestamp;

use super::answer::{Answer, refuse, stopping};
use super::keeper::Keeper;
use super::kept::Kept;
use super::lookout::Errand;
use super::mail::Id;
use super::mail::{Edit, Looked, News};
use crate::adapters::clock;
use crate::adapters::vault::Vault;
use crate::config::{Config, Profile};

impl Keeper {
    /// It waits for a look at the file, so that an edit made just before counts.
    pub(crate) fn ask_after_a_look(&mut self, request: Request, answer: Answer) {
        self.config.looks.ask((request, answer), clock::now());
    }

    pub(crate) fn look(&mut self) {
        let now = clock::now();
        if self.config.edits.due().is_some_and(|at| at <= now) {
            self.config.looks.want();
        }
        if self.config.looks.begin(now) {
            self.config.lookout.send(Errand::Look);
        }
        for (request, answer) in self.config.looks.take(now) {
            self.answer(request, answer);
        }
    }

    pub(crate) fn answer_all(&mut self) {
        for (request, answer) in self.config.looks.take_all() {
            self.answer(request, answer);
        }
        for (_, answer) in self.config.held.drain(..) {
            refuse(answer, stopping());
        }
    }

    pub(crate) fn on_news(&mut self, news: News) {
        match news {
            News::Changed => self.config.looks.want(),
            News::Looked(looked) => self.on_looked(looked),
            News::Written { edit, written, answer } => self.on_written(&edit, written, answer),
        }
    }

    fn on_looked(&mut self, looked: Looked) {
        let began = self.config.looks.came_back();
        if let Some(vault) = looked.vault {
            self.config.vault_in_use = looked.news.as_ref().map(|config| config.vault.clone());
            self.take_vault(vault);
        }
        let was_settled = self.config.edits.is_settled();
        let look = match &looked.news {
            None => Look::Same,
            Some(config) if config.unreadable => Look::Unreadable,
            Some(_) => Look::New,
        };
        self.config.edits.looked(look, began);
        let is_settled = self.config.edits.is_settled();
        if looked.news.is_none() && was_settled == is_settled {
            return;
        }
        if let Some(config) = looked.news {
            self.config.take(config);
        }
        self.follow_the_file();
    }

    /// While the keeper is stopping, nothing begins or ends here. A keeper that stays makes up for it.
    pub(crate) fn follow_the_file(&mut self) {
        if self.stopping.is_some() {
            return;
        }
        if self.config.edits.is_settled() {
            self.tell_mistakes();
        }
        self.replace_sessions();
        self.config.write();
        self.tell(Notice::Changed { profile: String::new() });
    }

    fn take_vault(&mut self, vault: Vault) {
        self.vault = vault;
        if !std::mem::replace(&mut self.start_noted, true) {
            let vault = format!("{:?}", self.vault.kind()).to_lowercase();
            self.note(None, Note::KeeperStarted { version: env!("CARGO_PKG_VERSION").to_owned(), vault });
        }
    }

    fn tell_mistakes(&mut self) {
        let mistakes = self.config.config.mistakes.clone();
        for mistake in mistakes.iter().filter(|mistake| !self.config.told_mistakes.contains(mistake)) {
            self.note(mistake.profile.as_deref(), mistake.problem.note(mistake.line));
        }
        self.config.told_mistakes = mistakes;
    }

    /// A session that has sent a token goes on until the new one is saved, because the old one may be void already.
    fn replace_sessions(&mut self) {
        let config = &self.config;
        let (over, busy): (Vec<&Kept>, Vec<&Kept>) = self
            .kept
            .values()
            .filter(|kept| {
                let profile = &kept.profile;
                !kept.removed && config.edits.ends(&profile.name, config.written(profile))
            })
            .partition(|kept| kept.is_safe_in_the_vault());
        let over: Vec<Id> = over.into_iter().map(|kept| kept.id).collect();
        let busy: Vec<Id> = busy.into_iter().map(|kept| kept.id).collect();
        self.config.waits = !busy.is_empty();
        for id in busy {
            // A person at a sign-in page is not waited for: the sign-in would be for the old profile.
            if let Some(kept) = self.kept.get_mut(&id) {
                kept.pending = None;
            }
        }
        for id in over {
            self.replace(id);
        }
        if !self.config.edits.begins() {
            return;
        }
        let profiles = &self.config.config.profiles;
        let new: Vec<Profile> =
            profiles.iter().filter(|profile| !self.names.contains_key(&profile.name)).cloned().collect();
        for profile in new {
            self.keep(profile);
        }
    }

    pub(crate) fn replace_those_that_waited(&mut self) {
        if self.config.waits {
            self.replace_sessions();
        }
    }

    pub(crate) fn write(&mut self, edit: Edit, answer: Answer) {
        if let Some(failure) = self.config.silence() {
            return refuse(answer, failure);
        }
        self.config.held.push((edit, answer));
        self.config.write();
    }

    fn on_written(&mut self, edit: &Edit, written: Result<Config, Failure>, answer: Answer) {
        self.config.edits_in_flight = self.config.edits_in_flight.saturating_sub(1);
        let config = match written {
            Ok(config) => config,
            Err(failure) => return refuse(answer, failure),
        };
        let name = match edit {
            Edit::Add(draft) => &draft.profile,
            Edit::Remove(name) => name,
        };
        self.config.edits.wrote(name, clock::now());
        self.config.take(config);
        let reply = match edit {
            Edit::Add(_) => {
                self.replace_sessions();
                self.find(name).map(|id| Reply::Status(self.overview_of(id)))
            }
            Edit::Remove(_) => {
                self.leave(name);
                self.replace_sessions();
                Ok(Reply::Done)
            }
        };
        drop(answer.send(reply));
    }

    /// The session stays, hidden, until the vault has forgotten its token, which could come back otherwise.
    fn leave(&mut self, name: &str) {
        let Some(id) = self.names.remove(name) else { return };
        if let Some(kept) = self.kept.get_mut(&id) {
            kept.removed = true;
        }
        self.step(id, Event::SignOut);
    }

    pub(crate) fn let_go(&mut self, id: Id, now: Timestamp) {
        let gone = |kept: &Kept| {
            kept.removed && kept.is_idle() && kept.session().is_some_and(|session| session.view(now).saved)
        };
        if self.kept.get(&id).is_some_and(gone) {
            self.drop_session(id);
        }
    }

    /// Callers go on waiting at the new session, unless its tokens go to other places than when they asked.
    fn replace(&mut self, id: Id) {
        let Some(mut before) = self.take_out(id) else { return };
        let Some(profile) = self.config.config.profile(&before.profile.name).cloned() else {
            return turn_away(before, &gone());
        };
        let alike = profile.binding() == before.profile.binding();
        let next = self.keep(profile);
        if let Some(kept) = self.kept.get_mut(&next).filter(|_| alike)
            && kept.callers.take_over(&mut before.callers)
        {
            self.want(next, Asker::Machine);
        }
        // Those that are left at a profile of the same places wait for a sign-in, which an edit calls off.
        let why = match alike {
            true => Failure::new(Code::SignInCancelled),
            false => Failure::needs_login(Lost::Elsewhere),
        };
        turn_away(before, &why);
    }

    fn keep(&mut self, profile: Profile) -> Id {
        let removed = self.kept.values().find(|kept| kept.removed && kept.profile.name == profile.name);
        let removed = removed.map(|kept| kept.id);
        if let Some(id) = removed {
            self.drop_session(id);
        }
        self.vault.begin(Asker::Machine);
        let id = self.next_number();
        let now = clock::now();
        let name = profile.name.clone();
        let mut hasher = DefaultHasher::new();
        (self.installation, &name).hash(&mut hasher);
        let policy = profile.policy(hasher.finish());
        let begin = |seed| match removed {
            Some(_) => Session::overruling(policy, seed, now),
            None => Session::new(policy, seed, now),
        };
        self.kept.insert(id, Kept::new(id, profile, self.http.clone(), begin));
        self.names.insert(name, id);
        self.step(id, if self.dozing.is_some() { Event::AboutToSleep } else { Event::Tick });
        id
    }

    fn drop_session(&mut self, id: Id) {
        if let Some(kept) = self.take_out(id) {
            turn_away(kept, &gone());
        }
    }

    /// What is in the vault stays there for a profile that may come back, unless the person removed it.
    fn take_out(&mut self, id: Id) -> Option<Kept> {
        let kept = self.kept.remove(&id)?;
        self.names.retain(|_, named| *named != id);
        self.due.retain(|(_, other)| *other != id);
        if kept.removed {
            self.forget_profile(&kept.profile.name);
        }
        Some(kept)
    }

    pub(crate) fn forget_profile(&mut self, name: &str) {
        self.journal.forget(name);
        self.revocations.forget(name);
    }
}

fn turn_away(kept: Kept, why: &Failure) {
    let name = kept.profile.name.clone();
    for answer in kept.into_answers() {
        refuse(answer, why.clone().of(&name).with("profile", &name));
    }
}

fn gone() -> Failure {
    Failure::new(Code::UnknownProfile)
}
