use std::time::Duration;

use api::secret::Password;
use api::{Asker, Code, Failure, Problem, Reply, Request, VaultTrouble};
use session::callers::Wanting;
use session::event::Event;
use session::limits;
use session::view::Prospect;

use crate::adapters::clock;
use crate::adapters::journal::JournalError;
use crate::adapters::provider::How;
use crate::main_loop::answer::{Answer, refuse, stopping};
use crate::main_loop::ending::Why;
use crate::main_loop::keeper::Keeper;
use crate::main_loop::kept::Kept;
use crate::main_loop::mail::{Edit, Id, Mail};

impl Keeper {
    pub(crate) fn on_ask(&mut self, request: Request, answer: Answer) {
        if self.stopping.is_some() && !matches!(request, Request::Hello { .. } | Request::Stop { .. }) {
            return refuse(answer, stopping());
        }
        // These do not depend on the file.
        if matches!(request, Request::Hello { .. } | Request::Stop { .. }) {
            self.answer(request, answer);
        } else {
            self.ask_after_a_look(request, answer);
        }
    }

    pub(crate) fn answer(&mut self, request: Request, answer: Answer) {
        match request {
            Request::Add(draft) => self.write(Edit::Add(draft), answer),
            Request::Bench { profile } => self.for_profile(&profile, answer, |keeper, id, answer| {
                keeper.bench(id, None, answer);
            }),
            Request::CancelSignIn { profile } => self.for_profile(&profile, answer, |keeper, id, answer| {
                keeper.cancel_sign_in(id, answer);
            }),
            Request::Discover { issuer, allow_http, ca_file } => {
                self.discover(issuer, allow_http, ca_file, answer)
            }
            Request::Fetch(fetch) => self.fetch(fetch, answer),
            Request::FinishSignIn { profile, timeout_ms } => {
                self.for_profile(&profile, answer, |keeper, id, answer| {
                    keeper.finish_sign_in(id, timeout_ms.map(Duration::from_millis), answer);
                });
            }
            Request::Hello { .. } => {
                let hello =
                    Reply::Hello { version: env!("CARGO_PKG_VERSION").to_owned(), pid: std::process::id() };
                drop(answer.send(Ok(hello)));
            }
            Request::LandSignIn { profile, address } => {
                self.for_profile(&profile, answer, |keeper, id, answer| {
                    keeper.land_sign_in(id, &address, answer);
                });
            }
            Request::Log { profile, before, limit } => {
                self.log(profile.as_deref(), before, limit, answer);
            }
            Request::Login { profile, username, password } => {
                self.for_profile(&profile, answer, |keeper, id, answer| {
                    keeper.start_sign_in(id, How::Typed { username, password }, answer);
                });
            }
            Request::Logout { profile, browser } => {
                self.for_profile(&profile, answer, |keeper, id, answer| {
                    let page = browser.then(|| keeper.logout_page(id)).flatten();
                    keeper.step(id, Event::SignOut);
                    drop(answer.send(Ok(page.map_or(Reply::Done, |url| Reply::Open { url }))));
                });
            }
            Request::Refresh { profile, by } => self.for_profile(&profile, answer, |keeper, id, answer| {
                let Some(kept) = keeper.kept.get_mut(&id) else { return };
                kept.callers.await_refresh(answer);
                keeper.step(id, Event::Asked { by });
            }),
            Request::Remove { profile } => match self.find(&profile) {
                Ok(_) => self.write(Edit::Remove(profile), answer),
                Err(failure) => refuse(answer, failure),
            },
            Request::SetBench { profile, change } => {
                self.for_profile(&profile, answer, |keeper, id, answer| {
                    keeper.bench(id, Some(change), answer);
                })
            }
            Request::SignIn { profile, way } => self.for_profile(&profile, answer, |keeper, id, answer| {
                keeper.sign_in_elsewhere(id, way, answer);
            }),
            Request::Status { profile } => self.status(profile, answer),
            Request::Stop { force: true } => self.begin_to_stop(Why::Forced(answer)),
            Request::Stop { force: false } => self.begin_to_stop(Why::Asked(answer)),
            Request::Token { profile, min_valid_ms, best_effort, timeout_ms } => {
                self.for_profile(&profile, answer, |keeper, id, answer| {
                    let patience = timeout_ms.map_or(limits::CALLER, Duration::from_millis);
                    let min_valid = Duration::from_millis(min_valid_ms);
                    let deadline = clock::now() + patience;
                    let wanting = Wanting { min_valid, best_effort, deadline, caller: answer };
                    keeper.want_token(id, wanting);
                });
            }
            Request::Unlock { passphrase } => self.unlock(passphrase, answer),
            // The connection already listens for notices, and starts with this state.
            Request::Watch => self.status(None, answer),
        }
    }

    fn want_token(&mut self, id: Id, wanting: Wanting<Answer>) {
        let now = clock::now();
        let ready = self.kept.get(&id).and_then(Kept::session).is_some_and(|session| {
            matches!(session.prospect(now, wanting.min_valid), Prospect::Ready { .. })
        });
        if !ready {
            self.step(id, Event::Wanted { min_valid: wanting.min_valid, by: Asker::Machine });
        }
        let waiting = self.kept.get_mut(&id).and_then(Kept::waiting);
        match waiting.and_then(|(callers, session)| callers.want(wanting, session, now)) {
            Some(served) => self.serve(id, served, now),
            None => self.settle(id, now),
        }
    }

    fn unlock(&self, passphrase: Option<Password>, answer: Answer) {
        if passphrase.as_ref().is_some_and(|passphrase| passphrase.expose().is_empty()) {
            return refuse(answer, Failure::new(Code::BadRequest).because(Problem::NoPassword));
        }
        let post = self.post.clone();
        self.vault.unlock(passphrase, move |opened| drop(post.send(Mail::Unlocked { opened, answer })));
    }

    pub(crate) fn on_unlocked(&self, opened: Result<(), VaultTrouble>, answer: Answer) {
        let reply = opened.map(|()| Reply::Status(self.overview()));
        drop(answer.send(reply.map_err(Failure::vault)));
    }

    fn log(&self, profile: Option<&str>, before: Option<i64>, limit: Option<u32>, answer: Answer) {
        if let Some(Err(failure)) = profile.map(|name| self.find(name)) {
            return refuse(answer, failure);
        }
        let entries = self.journal.read(profile, before, limit.unwrap_or(100).min(1000));
        tokio::spawn(async move {
            let reply = entries.await.map(|entries| Reply::Log { entries });
            let failed = |error: JournalError| Failure::new(Code::JournalFailed).because(error.problem());
            drop(answer.send(reply.map_err(failed)));
        });
    }

    fn for_profile(&mut self, profile: &str, answer: Answer, then: impl FnOnce(&mut Self, Id, Answer)) {
        match self.find(profile) {
            Ok(id) => then(self, id, answer),
            Err(failure) => refuse(answer, failure),
        }
    }

    pub(crate) fn find(&self, profile: &str) -> Result<Id, Failure> {
        if let Some(id) = self.names.get(profile) {
            return Ok(*id);
        }
        // If the profile has a mistake, that is what is reported.
        if let Some(problem) = self.config.problem_of(profile) {
            return Err(problem);
        }
        let known: Vec<&str> = self.names.keys().map(String::as_str).collect();
        let failure = Failure::new(Code::UnknownProfile).of(profile).with("profile", profile);
        Err(match crate::config::nearest(profile, &known) {
            Some(close) => failure.with("meant", close),
            None => failure,
        })
    }
}
