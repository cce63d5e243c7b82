//! Doing what a session says: each effect becomes a call of an adapter, whose answer comes back as mail.

use std::sync::Arc;
use std::time::Duration;

use session::event::{Attempt, Beat, Effect, Event};
use session::note::Note;
use session::reason::{Trouble, VaultTrouble};
use session::time::millis;
use session::tokens::{AccessToken, Account, RefreshToken};
use session::verdict::Verdict;

use super::{Id, Keeper, Mail};
use crate::clock;
use crate::config::Profile;
use crate::http;
use crate::provider::{Bought, Provider, Unwanted};
use crate::vault::Stored;

impl Keeper {
    pub(super) fn perform(&mut self, id: Id, effect: Effect) {
        let Some(kept) = self.kept.get_mut(&id) else { return };
        let profile = Arc::clone(&kept.profile);
        match effect {
            Effect::Forget => {
                kept.exchanges += 1;
                self.forget(id, &profile);
            }
            Effect::Heartbeat { attempt, token, .. } => self.beat(id, &profile, attempt, token),
            Effect::Load => self.load(id, &profile),
            Effect::Note(note) => self.note(Some(&profile.name), note),
            Effect::Publish { generation } => {
                let token =
                    kept.session().and_then(|session| session.access_token(clock::now(), Duration::ZERO));
                kept.form = token.map(|token| (generation, http::jwt_algorithm(token.expose())));
                self.journal.clear_in_flight(&profile.name);
            }
            Effect::Refresh { attempt, token, .. } => self.refresh(id, profile, attempt, token),
            Effect::Revoke { refresh, access } => {
                let provider = Arc::clone(&kept.provider);
                self.bid_farewell(&profile.name, provider, Unwanted { refresh, access });
            }
            Effect::Save { generation, token, account } => {
                kept.exchanges += 1;
                self.save(id, &profile, generation, token, account);
            }
            Effect::SignIn { attempt } => self.sign_in(id, attempt),
        }
    }

    pub(super) fn on_exchanged(
        &mut self,
        id: Id,
        provider: Arc<Provider>,
        profile: &Arc<Profile>,
        attempt: Attempt,
        verdict: Verdict,
    ) {
        let trouble = match &verdict {
            Verdict::Transient { trouble, .. } | Verdict::Unsent { trouble, .. } => Some(*trouble),
            Verdict::Dead
            | Verdict::Fresh(_)
            | Verdict::Interaction(_)
            | Verdict::Misconfigured { .. }
            | Verdict::Suspect { .. } => None,
        };
        self.report(&profile.host(), trouble);
        let Some(kept) = self.kept.get_mut(&id) else {
            // The profile is gone; nobody owns what came.
            if let Verdict::Fresh(tokens) = verdict {
                let unwanted = Unwanted { refresh: tokens.refresh, access: tokens.access };
                self.bid_farewell(&profile.name, provider, unwanted);
            }
            return;
        };
        kept.exchanges -= 1;
        // A mark that stays says: what was sent may have been spent.
        if !matches!(verdict, Verdict::Fresh(_)) && !verdict.is_ambiguous() {
            self.journal.clear_in_flight(&profile.name);
        }
        self.step(id, Event::Refreshed { attempt, verdict });
    }

    /// Saved or forgotten, or not.
    pub(super) fn on_vault(&mut self, id: Id, event: Event) {
        if let Some(kept) = self.kept.get_mut(&id) {
            kept.exchanges -= 1;
        }
        self.step(id, event);
    }

    /// Tells the host's breaker how an exchange went.
    pub(super) fn report(&mut self, host: &str, trouble: Option<Trouble>) {
        let breaker = self.breakers.entry(host.to_owned()).or_default();
        match trouble {
            None => breaker.succeeded(),
            Some(Trouble::BreakerOpen) => {}
            // Nobody was asked.
            Some(trouble) if trouble.is_of_this_machine() => {}
            Some(_) => {
                if let Some(pause) = breaker.failed(clock::now()) {
                    let for_ms = millis(pause);
                    self.note(None, Note::BreakerOpened { host: host.to_owned(), for_ms });
                }
            }
        }
    }

    fn admit(&mut self, host: &str) -> Result<(), Duration> {
        self.breakers.entry(host.to_owned()).or_default().admit(clock::now())
    }

    fn refresh(&mut self, id: Id, profile: Arc<Profile>, attempt: Attempt, token: RefreshToken) {
        let Some(kept) = self.kept.get_mut(&id) else { return };
        kept.exchanges += 1;
        let (provider, account) = (Arc::clone(&kept.provider), kept.account());
        let post = self.post.clone();
        if let Err(wait) = self.admit(&profile.host()) {
            let verdict =
                Verdict::Transient { trouble: Trouble::BreakerOpen, status: None, retry_after: Some(wait) };
            return drop(post.send(Mail::Exchanged { id, provider, profile, attempt, verdict }));
        }
        self.journal.mark_in_flight(&profile.name, token.expose());
        tokio::spawn(async move {
            let Bought { verdict, give_back } = provider.refresh(&token, &account).await;
            if let Some(unwanted) = give_back {
                let (profile, provider) = (profile.name.clone(), Arc::clone(&provider));
                drop(post.send(Mail::Unwanted { profile, provider, unwanted }));
            }
            drop(post.send(Mail::Exchanged { id, provider, profile, attempt, verdict }));
        });
    }

    fn beat(&mut self, id: Id, profile: &Profile, attempt: Attempt, token: AccessToken) {
        let host = profile.host();
        let post = self.post.clone();
        let admitted = self.admit(&host);
        let Some(kept) = self.kept.get(&id) else { return };
        let (provider, account) = (Arc::clone(&kept.provider), kept.account());
        if admitted.is_err() {
            let beat = Beat::Silent { trouble: Trouble::BreakerOpen, status: None };
            return drop(post.send(Mail::Beaten { id, host, attempt, beat }));
        }
        tokio::spawn(async move {
            let beat = provider.heartbeat(&token, &account).await;
            drop(post.send(Mail::Beaten { id, host, attempt, beat }));
        });
    }

    fn load(&self, id: Id, profile: &Profile) {
        let post = self.post.clone();
        self.vault.load(&profile.name, move |found| drop(post.send(Mail::Loaded { id, found })));
    }

    pub(super) fn on_loaded(&mut self, id: Id, found: Result<Option<Stored>, VaultTrouble>) {
        let Some(kept) = self.kept.get(&id) else { return };
        let (name, origin) = (kept.profile.name.clone(), kept.profile.origin());
        let nothing = Event::Loaded { refresh: None, account: Account::default(), interrupted: false };
        let event = match found {
            Ok(Some(stored)) if stored.origin != origin => {
                let problem = format!("the stored sign-in is for {}, not for {origin}", stored.origin);
                self.note(Some(&name), Note::ConfigProblem { line: None, problem });
                nothing
            }
            Ok(Some(Stored { refresh, account, .. })) => {
                // A mark of an older token is of an exchange whose end was saved.
                let interrupted = self.journal.in_flight(&name).is_some_and(|mark| mark.is_of(&refresh));
                Event::Loaded { refresh: Some(refresh), account, interrupted }
            }
            Ok(None) => nothing,
            Err(trouble) => Event::NotLoaded(trouble),
        };
        self.step(id, event);
    }

    fn save(&self, id: Id, profile: &Profile, generation: u32, refresh: RefreshToken, account: Account) {
        let post = self.post.clone();
        let stored = Stored { refresh, origin: profile.origin(), account };
        self.vault.save(&profile.name, stored, move |saved| {
            let event = match saved {
                Ok(()) => Event::Saved { generation },
                Err(trouble) => Event::NotSaved { generation, trouble },
            };
            drop(post.send(Mail::Vault { id, event }));
        });
    }

    fn forget(&self, id: Id, profile: &Profile) {
        let post = self.post.clone();
        self.vault.forget(&profile.name, move |forgotten| {
            let event = forgotten.map_or_else(Event::NotForgotten, |()| Event::Forgotten);
            drop(post.send(Mail::Vault { id, event }));
        });
    }
}
