use std::sync::Arc;
use std::time::Duration;

use api::Notice;
use session::admission::Hindrance;
use session::binding::{Bound, Judgement, judge};
use session::breaker::Outcome;
use session::event::{Asker, Attempt, Effect, Event, Found, Memory};
use session::note::Note;
use session::reason::{Lost, Trouble, VaultTrouble};
use session::tokens::{AccessToken, Account, RefreshToken};
use session::verdict::Beat;
use session::verdict::Verdict;
use session::wire::jwt;
use tokio::sync::oneshot;

use super::keeper::Keeper;
use super::mail::{Id, Mail};
use super::report::Report;
use crate::adapters::clock;
use crate::adapters::journal::InFlight;
use crate::adapters::provider::{Bought, Provider, Unwanted};
use crate::adapters::vault::{self, Stored};
use crate::config::Profile;

impl Keeper {
    pub(crate) fn perform(&mut self, id: Id, effect: Effect) {
        let Some(kept) = self.kept.get_mut(&id) else { return };
        let profile = Arc::clone(&kept.profile);
        match effect {
            Effect::CallOff { attempt } => self.call_off(id, attempt),
            Effect::Forget => {
                kept.exchanges += 1;
                self.forget(id, &profile);
            }
            Effect::Heartbeat { attempt, token, .. } => self.beat(id, attempt, token),
            Effect::Load => self.load(id, &profile),
            Effect::Mark { token } => {
                // What comes for the token that is about to be spent has its place on the disk.
                let room = self.vault.make_room(&profile.name);
                let marked = self.journal.mark_in_flight(&profile.name, &token);
                kept.marking = Some(Box::pin(async move {
                    tokio::join!(room, marked);
                }));
            }
            Effect::Note(note) => {
                // What was said of another sign-in is over with it.
                let ends = Note::NeedsLogin { why: Lost::KeyDeleted };
                if note == ends || matches!(note, Note::SignedIn { .. } | Note::SignedOut) {
                    kept.said = None;
                }
                self.note(Some(&profile.name), note);
            }
            Effect::Publish { generation } => {
                let token =
                    kept.session().and_then(|session| session.access_token(clock::now(), Duration::ZERO));
                kept.form = token.map(|token| (generation, jwt::algorithm(token.expose())));
            }
            Effect::Refresh { attempt, token, by, again, .. } => {
                match self.admit_refresh(&profile.host(), by, again) {
                    Ok(()) => self.refresh(id, profile, attempt, token),
                    Err(Hindrance { trouble, wait }) => {
                        drop(self.post.send(Mail::Withheld { id, attempt, wait, trouble }));
                    }
                }
            }
            Effect::Remember(memory) => self.remember(&profile.name, &memory),
            Effect::Revoke { refresh, access } => {
                let provider = Arc::clone(&kept.provider);
                self.revoke(&profile.name, provider, Unwanted { refresh, access });
            }
            Effect::Save { generation, token, account } => {
                kept.exchanges += 1;
                self.save(id, &profile, generation, token, account);
            }
            Effect::SignIn { attempt } => self.sign_in(id, attempt),
            Effect::Unmark => self.journal.clear_in_flight(&profile.name),
        }
    }

    pub(crate) fn remember(&self, profile: &str, memory: &Memory) {
        self.journal.remember(profile, memory.write(clock::now(), clock::wall_ms()));
    }

    pub(crate) fn on_exchanged(
        &mut self,
        id: Id,
        provider: Arc<Provider>,
        profile: &Arc<Profile>,
        attempt: Attempt,
        verdict: Verdict,
        said: Option<String>,
    ) {
        self.report(&profile.host(), Outcome::from(&verdict));
        let Some(kept) = self.kept.get_mut(&id) else {
            // The profile is gone, so the tokens belong to no session.
            if let Verdict::Fresh(tokens) = verdict {
                let unwanted = Unwanted { refresh: tokens.refresh, access: tokens.access };
                self.revoke(&profile.name, provider, unwanted);
            }
            return;
        };
        kept.exchanges -= 1;
        kept.workers.remove(&attempt);
        let news = said.clone().filter(|_| kept.said != said);
        kept.said = said;
        if let Some(said) = news {
            self.note(Some(&profile.name), Note::Said { said });
        }
        self.step(id, Event::Refreshed { attempt, verdict });
    }

    pub(crate) fn on_vault_says(&mut self, news: vault::News) {
        let event = match news {
            vault::News::Changed => return self.tell(Notice::Changed { profile: String::new() }),
            vault::News::Deleted => Event::KeyDeleted,
            vault::News::Note(note) => return self.note(None, note),
            vault::News::Ready => Event::VaultReady,
        };
        for id in self.ids() {
            self.step(id, event.clone());
        }
    }

    pub(crate) fn on_vault(&mut self, id: Id, event: Event) {
        if let Some(kept) = self.kept.get_mut(&id) {
            kept.exchanges -= 1;
        }
        self.step(id, event);
    }

    fn refresh(&mut self, id: Id, profile: Arc<Profile>, attempt: Attempt, token: RefreshToken) {
        let Some(kept) = self.kept.get_mut(&id) else { return };
        kept.exchanges += 1;
        let (provider, account) = (Arc::clone(&kept.provider), kept.account());
        let post = self.post.clone();
        let marking = kept.marking.take();
        let lost = {
            let (provider, profile) = (Arc::clone(&provider), Arc::clone(&profile));
            move || {
                let trouble = Trouble::TimedOut;
                let verdict = Verdict::Transient { trouble, status: None, retry_after: None };
                Mail::Exchanged { id, provider, profile, attempt, verdict, said: None }
            }
        };
        let giving_back = post.clone();
        let report = Report::or(post, lost);
        let worker = tokio::spawn(async move {
            if let Some(marking) = marking {
                marking.await;
            }
            let Bought { verdict, give_back, said } = provider.refresh(&token, &account).await;
            if let Some(unwanted) = give_back {
                drop(giving_back.send(Mail::Unwanted { provider: Arc::clone(&provider), unwanted }));
            }
            report.send(Mail::Exchanged { id, provider, profile, attempt, verdict, said });
        });
        kept.workers.insert(attempt, worker.abort_handle());
    }

    fn beat(&mut self, id: Id, attempt: Attempt, token: AccessToken) {
        let Some(kept) = self.kept.get(&id) else { return };
        let (provider, account) = (Arc::clone(&kept.provider), kept.account());
        let host = provider.heartbeat_host();
        let post = self.post.clone();
        let admitted = self.admit(&host, Asker::Machine);
        let silent = |trouble| Beat::Silent { trouble, status: None };
        if let Err(Hindrance { trouble, .. }) = admitted {
            return drop(post.send(Mail::Beaten { id, host: None, attempt, beat: silent(trouble) }));
        }
        let host = Some(host);
        let lost = {
            let host = host.clone();
            move || Mail::Beaten { id, host, attempt, beat: silent(Trouble::TimedOut) }
        };
        let report = Report::or(post, lost);
        tokio::spawn(async move {
            let beat = provider.heartbeat(&token, &account).await;
            report.send(Mail::Beaten { id, host, attempt, beat });
        });
    }

    fn load(&self, id: Id, profile: &Profile) {
        let (post, journal, name) = (self.post.clone(), self.journal.clone(), profile.name.clone());
        let (tell, told) = oneshot::channel();
        self.vault.load(&profile.name, move |found| drop(tell.send(found)));
        let lost = Err(VaultTrouble::Failed);
        let recalled = post.clone();
        let report = Report::or(post, move || Mail::Loaded { id, found: lost, mark: None });
        tokio::spawn(async move {
            drop(recalled.send(Mail::Recalled { id, memory: journal.recall(&name).await }));
            let Ok(found) = told.await else { return };
            let mark = match found {
                Ok(Some(_)) => journal.in_flight(&name).await,
                Ok(None) | Err(_) => None,
            };
            report.send(Mail::Loaded { id, found, mark });
        });
    }

    pub(crate) fn on_recalled(&mut self, id: Id, memory: Option<String>) {
        let read = |text: String| Memory::read(&text, clock::now(), clock::wall_ms());
        self.step(id, Event::Recalled(memory.map(read).unwrap_or_default()));
    }

    pub(crate) fn on_loaded(
        &mut self,
        id: Id,
        found: Result<Option<Stored>, VaultTrouble>,
        mark: Option<InFlight>,
    ) {
        let Some(kept) = self.kept.get(&id) else { return };
        let profile = Arc::clone(&kept.profile);
        let mut interrupted = false;
        let found = match found {
            Ok(Some(stored)) => match judge(&stored.bound, &profile.binding(), &profile.origin()) {
                Judgement::Elsewhere(places) => Found::Elsewhere(places),
                judgement @ (Judgement::Adopted | Judgement::Ours) => {
                    if judgement == Judgement::Adopted {
                        self.adopt(&profile, stored.clone());
                    }
                    let Stored { refresh, account, generation, .. } = stored;
                    // A mark of an older token is of an exchange whose end was saved.
                    interrupted = mark.is_some_and(|mark| mark.is_of(&refresh));
                    Found::Token { refresh, account, generation }
                }
            },
            Ok(None) => Found::Nothing,
            Err(trouble) => return self.step(id, Event::NotLoaded(trouble)),
        };
        self.step(id, Event::Loaded { found, interrupted });
    }

    /// Adds the binding to what the vault holds. After a failure, the next start does it again.
    fn adopt(&self, profile: &Profile, stored: Stored) {
        self.vault.save(&profile.name, Stored { bound: bound(profile), ..stored }, drop);
    }

    fn save(&self, id: Id, profile: &Profile, generation: u32, refresh: RefreshToken, account: Account) {
        let not_saved = move |trouble| Mail::Vault { id, event: Event::NotSaved { generation, trouble } };
        let report = Report::or(self.post.clone(), move || not_saved(VaultTrouble::Failed));
        let stored = Stored { refresh, bound: bound(profile), account, generation };
        self.vault.save(&profile.name, stored, move |saved| {
            report.send(match saved {
                Ok(()) => Mail::Vault { id, event: Event::Saved { generation } },
                Err(trouble) => not_saved(trouble),
            });
        });
    }

    fn forget(&self, id: Id, profile: &Profile) {
        let not_forgotten = move |trouble| Mail::Vault { id, event: Event::NotForgotten(trouble) };
        let report = Report::or(self.post.clone(), move || not_forgotten(VaultTrouble::Failed));
        self.vault.forget(&profile.name, move |forgotten| {
            report.send(match forgotten {
                Ok(()) => Mail::Vault { id, event: Event::Forgotten },
                Err(trouble) => not_forgotten(trouble),
            });
        });
    }
}

fn bound(profile: &Profile) -> Bound {
    Bound { origin: profile.origin(), binding: Some(profile.binding()) }
}

#[cfg(test)]
mod tests {
    use std::{env, fs, process};

    use super::super::lookout::{Lookout, clerk};
    use super::super::mail::{Looked, News};
    use super::super::{Handle, Keeper};
    use super::*;
    use crate::adapters::vault::Vault;
    use api::paths::Home;
    use api::{Reply, Request};
    use session::note::Note;

    /// Row H10.
    #[tokio::test]
    async fn a_vault_that_dies_over_a_question_has_answered() {
        let dir = env::temp_dir().join(format!("pilotlight-dropping-{}", process::id()));
        fs::create_dir_all(&dir).unwrap();
        let home = Home::at(&dir).unwrap();
        let text = "vault = 'memory'\n[profile.a]\npreset = 'nestjs'\nurl = 'http://127.0.0.1:9'\n";
        fs::write(home.config(), text).unwrap();
        let keeper = Keeper::with(&home, |post| {
            let mut run = clerk(&home, post.clone());
            Lookout::start(post, move |errand| match run(errand) {
                News::Looked(Looked { news, vault }) => {
                    News::Looked(Looked { news, vault: vault.map(|_| Vault::dropping()) })
                }
                other @ (News::Changed | News::Written { .. }) => other,
            })
        });
        let handle = keeper.handle();
        let failed = Note::VaultWaiting { trouble: VaultTrouble::Failed };
        let asking = async {
            let until = async {
                while !notes(&handle).await.contains(&failed) {
                    tokio::time::sleep(Duration::from_millis(3)).await;
                }
            };
            let told = tokio::time::timeout(Duration::from_secs(5), until).await;
            handle.ask(Request::Stop { force: true }).await.unwrap();
            assert!(told.is_ok(), "the session waits for an answer that cannot come");
        };
        tokio::join!(keeper.run(), asking);
        fs::remove_dir_all(dir).unwrap();
    }

    async fn notes(handle: &Handle) -> Vec<Note> {
        match handle.ask(Request::Log { profile: None, before: None, limit: None }).await {
            Ok(Reply::Log { entries }) => entries.into_iter().map(|entry| entry.note).collect(),
            other => panic!("{other:?}"),
        }
    }
}
