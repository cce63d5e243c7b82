//! Doing what a session says: each effect becomes a call of an adapter, whose answer comes back as mail.

use std::sync::Arc;
use std::time::Duration;

use session::event::{Attempt, Beat, Effect, Event};
use session::note::Note;
use session::reason::{Trouble, VaultTrouble};
use session::recipe::SignInRefusal;
use session::time::millis;
use session::tokens::{AccessToken, RefreshToken, Secret, Tokens};
use session::verdict::Verdict;

use super::kept::Credentials;
use super::{Id, Keeper, Mail};
use crate::api::{Code, Failure};
use crate::clock;
use crate::config::Profile;
use crate::http;
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
            Effect::Heartbeat { attempt, token, .. } => self.beat(id, profile, attempt, &token),
            Effect::Load => self.load(id, &profile),
            Effect::Note(note) => self.note(Some(&profile.name), note),
            Effect::Publish { generation } => {
                let token =
                    kept.session().and_then(|session| session.access_token(clock::now(), Duration::ZERO));
                kept.form = token.map(|token| (generation, http::jwt_algorithm(token.expose())));
                self.journal.clear_in_flight(&profile.name);
            }
            Effect::Refresh { attempt, token, .. } => self.refresh(id, profile, attempt, &token),
            Effect::Revoke { refresh, access } => self.revoke(profile, refresh.as_ref(), access.as_ref()),
            Effect::Save { generation, token, user } => {
                kept.exchanges += 1;
                self.save(id, &profile, generation, token, user);
            }
            Effect::SignIn { attempt } => self.sign_in(id, profile, attempt),
        }
    }

    pub(super) fn on_exchanged(
        &mut self,
        id: Id,
        profile: &Arc<Profile>,
        attempt: Attempt,
        verdict: Verdict,
    ) {
        let trouble = match &verdict {
            Verdict::Transient { trouble, .. } => Some(*trouble),
            Verdict::Dead | Verdict::Fresh(_) | Verdict::Misconfigured { .. } | Verdict::Suspect { .. } => {
                None
            }
        };
        self.report(&profile.host(), trouble);
        let Some(kept) = self.kept.get_mut(&id) else {
            // The profile is gone; nobody owns what came.
            if let Verdict::Fresh(tokens) = verdict {
                self.revoke(Arc::clone(profile), tokens.refresh.as_ref(), tokens.access.as_ref());
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

    pub(super) fn on_signed_in(
        &mut self,
        id: Id,
        attempt: Attempt,
        outcome: Result<(Tokens, String), Failure>,
        took: Duration,
    ) {
        let Some(kept) = self.kept.get_mut(&id) else { return };
        kept.exchanges -= 1;
        let answer = kept.sign_ins.remove(&attempt);
        match outcome {
            Ok((tokens, user)) => {
                if let Some(answer) = answer {
                    kept.settling.push(super::kept::Settling { must_be_fresh: false, answer });
                }
                self.step(id, Event::SignedIn { attempt, tokens, user: Some(user) });
            }
            Err(failure) => {
                let name = kept.profile.name.clone();
                let code = failure.code.key();
                self.note(Some(&name), Note::SignInFailed { code, took_ms: millis(took) });
                self.step(id, Event::SignInFailed { attempt });
                if let Some(answer) = answer {
                    drop(answer.send(Err(failure.of(&name))));
                }
            }
        }
    }

    /// Tells the host's breaker how an exchange went.
    pub(super) fn report(&mut self, host: &str, trouble: Option<Trouble>) {
        let breaker = self.breakers.entry(host.to_owned()).or_default();
        match trouble {
            None => breaker.succeeded(),
            Some(Trouble::BreakerOpen) => {}
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

    fn refresh(&mut self, id: Id, profile: Arc<Profile>, attempt: Attempt, token: &RefreshToken) {
        if let Some(kept) = self.kept.get_mut(&id) {
            kept.exchanges += 1;
        }
        let post = self.post.clone();
        let host = profile.host();
        let ready = match self.admit(&host) {
            Err(wait) => Err(Verdict::Transient {
                trouble: Trouble::BreakerOpen,
                status: None,
                retry_after: Some(wait),
            }),
            Ok(()) => self.http.about_tokens(&profile.reach()).map_err(|problem| {
                tracing::warn!(profile = profile.name, ?problem, "no HTTP client");
                Verdict::Misconfigured { trouble: Trouble::Misconfigured, status: None }
            }),
        };
        let client = match ready {
            Ok(client) => client,
            Err(verdict) => return drop(post.send(Mail::Exchanged { id, profile, attempt, verdict })),
        };
        self.journal.mark_in_flight(&profile.name, token.expose());
        let message = profile.recipe.refresh(token);
        tokio::spawn(async move {
            let verdict = match http::exchange(&client, &profile.url, &message, profile.timeout).await {
                Ok(received) => profile.recipe.read_refresh(&received.answer(), received.clock()),
                Err(trouble) => Verdict::Transient { trouble, status: None, retry_after: None },
            };
            drop(post.send(Mail::Exchanged { id, profile, attempt, verdict }));
        });
    }

    fn beat(&mut self, id: Id, profile: Arc<Profile>, attempt: Attempt, token: &AccessToken) {
        let host = profile.host();
        let post = self.post.clone();
        let silent = |trouble| Beat::Silent { trouble, status: None };
        let ready = match (self.admit(&host), profile.recipe.heartbeat(token)) {
            (Err(_), _) => Err(Trouble::BreakerOpen),
            (Ok(()), None) => Err(Trouble::Misconfigured),
            (Ok(()), Some(message)) => self
                .http
                .about_tokens(&profile.reach())
                .map(|client| (client, message))
                .map_err(|_| Trouble::Misconfigured),
        };
        let (client, message) = match ready {
            Ok(ready) => ready,
            Err(trouble) => {
                return drop(post.send(Mail::Beaten { id, host, attempt, beat: silent(trouble) }));
            }
        };
        tokio::spawn(async move {
            let beat = match http::exchange(&client, &profile.url, &message, profile.timeout).await {
                Ok(received) => match profile.recipe.heartbeat_good(&received.answer()) {
                    Some(true) => Beat::Good,
                    Some(false) => Beat::SaysNo,
                    None => silent_with(received.status),
                },
                Err(trouble) => silent(trouble),
            };
            drop(post.send(Mail::Beaten { id, host, attempt, beat }));
        });
    }

    fn sign_in(&mut self, id: Id, profile: Arc<Profile>, attempt: Attempt) {
        let Some(kept) = self.kept.get_mut(&id) else { return };
        let Some(Credentials { username, password, answer }) = kept.credentials.take() else { return };
        kept.exchanges += 1;
        kept.sign_ins.insert(attempt, answer);
        let client = self.http.about_tokens(&profile.reach());
        let message = profile.recipe.sign_in(&username, &Secret::new(password.expose()));
        let post = self.post.clone();
        let began = clock::now();
        tokio::spawn(async move {
            let outcome = match (client, message) {
                (Err(problem), _) => Err(problem),
                (Ok(_), None) => Err(Failure::new(Code::BadProfile)
                    .with("field", "recipe.login")
                    .with("problem", "this profile has no sign-in with a password")),
                (Ok(client), Some(message)) => {
                    let host = profile.host();
                    match http::exchange(&client, &profile.url, &message, profile.timeout).await {
                        Ok(received) => profile
                            .recipe
                            .read_sign_in(&received.answer(), received.clock())
                            .map_err(|refusal| refused(refusal, &host)),
                        Err(trouble) => Err(Failure::provider(trouble, None, &host)),
                    }
                }
            };
            let outcome = outcome.map(|tokens| (tokens, username));
            let took = clock::now().since(began);
            drop(post.send(Mail::SignedIn { id, attempt, outcome, took }));
        });
    }

    /// Tells the provider that tokens are not wanted any more: again and again while it cannot be reached, for an
    /// hour, and never in anybody's way.
    fn revoke(
        &mut self,
        profile: Arc<Profile>,
        refresh: Option<&RefreshToken>,
        access: Option<&AccessToken>,
    ) {
        let Some(message) = profile.recipe.sign_out(refresh, access) else { return };
        let Ok(client) = self.http.about_tokens(&profile.reach()) else { return };
        let post = self.post.clone();
        self.telling += 1;
        tokio::spawn(async move {
            let mut pause = Duration::from_secs(1);
            let mut waited = Duration::ZERO;
            let mut told = false;
            loop {
                let outcome = http::exchange(&client, &profile.url, &message, profile.timeout).await;
                let (trouble, status) = match &outcome {
                    Ok(received) if received.status < 500 && received.status != 429 => {
                        let refused = received.status >= 400;
                        (refused.then_some(Trouble::Suspect), Some(received.status))
                    }
                    Ok(received) => (Some(Trouble::Status), Some(received.status)),
                    Err(trouble) => (Some(*trouble), None),
                };
                let over = matches!(trouble, None | Some(Trouble::Suspect)) || waited > REVOKE_FOR;
                if over || !told {
                    let note = Note::SignOutTold { trouble, status };
                    drop(post.send(Mail::Told { profile: profile.name.clone(), note, first: !told }));
                    told = true;
                }
                if over || post.is_closed() {
                    break;
                }
                tokio::time::sleep(pause).await;
                waited += pause;
                pause = (pause * 2).min(Duration::from_secs(60));
            }
        });
    }

    fn load(&self, id: Id, profile: &Profile) {
        let post = self.post.clone();
        self.vault.load(&profile.name, move |found| drop(post.send(Mail::Loaded { id, found })));
    }

    pub(super) fn on_loaded(&mut self, id: Id, found: Result<Option<Stored>, VaultTrouble>) {
        let Some(kept) = self.kept.get(&id) else { return };
        let (name, origin) = (kept.profile.name.clone(), kept.profile.origin());
        let nothing = Event::Loaded { refresh: None, user: None, interrupted: false };
        let event = match found {
            Ok(Some(stored)) if stored.origin != origin => {
                let problem = format!("the stored sign-in is for {}, not for {origin}", stored.origin);
                self.note(Some(&name), Note::ConfigProblem { line: None, problem });
                nothing
            }
            Ok(Some(Stored { refresh, user, .. })) => {
                // A mark of an older token is of an exchange whose end was saved.
                let interrupted = self.journal.in_flight(&name).is_some_and(|mark| mark.is_of(&refresh));
                Event::Loaded { refresh: Some(refresh), user, interrupted }
            }
            Ok(None) => nothing,
            Err(trouble) => Event::NotLoaded(trouble),
        };
        self.step(id, event);
    }

    fn save(&self, id: Id, profile: &Profile, generation: u32, refresh: RefreshToken, user: Option<String>) {
        let post = self.post.clone();
        let stored = Stored { refresh, origin: profile.origin(), user };
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

/// An answer that says nothing about the token.
fn silent_with(status: u16) -> Beat {
    let trouble = match status {
        429 => Trouble::RateLimited,
        200..300 => Trouble::NotJson,
        300..400 => Trouble::Redirected,
        400..500 => Trouble::Misconfigured,
        _ => Trouble::Status,
    };
    Beat::Silent { trouble, status: Some(status) }
}

fn refused(refusal: SignInRefusal, host: &str) -> Failure {
    let (failure, message) = match refusal {
        SignInRefusal::Refused { status, message } => {
            (Failure::new(Code::SignInRefused).with("host", host).with("status", status), message)
        }
        SignInRefusal::Trouble { trouble, status, retry_after, message } => {
            let failure = Failure::provider(trouble, status, host);
            let failure = match retry_after {
                Some(wait) => failure.retry_in(millis(wait)),
                None => failure,
            };
            (failure, message)
        }
    };
    match message {
        Some(message) => failure.with("message", message),
        None => failure,
    }
}

const REVOKE_FOR: Duration = Duration::from_secs(3600);
