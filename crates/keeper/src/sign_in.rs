use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use api::secret::Password;
use api::{Code, Failure, Problem, Reply, Way};
use session::breaker::Outcome;
use session::event::{Asker, Attempt, Event};
use session::limits;
use session::note::Note;
use session::time::{Timestamp, millis};
use tokio::sync::oneshot;

use crate::adapters::clock;
use crate::adapters::provider::{
    Begun, How, Landing, Provider, Shown, SignInEnd, SignedIn, Ties, Unwanted, describe, discover,
};
use crate::config::check_issuer;
use crate::main_loop::answer::{Answer, refuse};
use crate::main_loop::keeper::Keeper;
use crate::main_loop::kept::{Kept, Pending, Starting};
use crate::main_loop::mail::{Id, Mail};
use crate::main_loop::report::Report;

impl Keeper {
    pub(crate) fn start_sign_in(&mut self, id: Id, how: How, answer: Answer) {
        let Some(kept) = self.kept.get_mut(&id) else { return };
        let person = match how {
            How::Browser => limits::AT_BROWSER,
            How::Device => limits::ON_DEVICE,
            How::Typed { .. } => Duration::ZERO,
        };
        let patience = limits::sign_in(person, kept.profile.timeout) + limits::REPORT;
        kept.starting = Some(Starting { how, answer });
        self.vault.begin(Asker::Person);
        self.step(id, Event::SignIn { patience });
    }

    pub(crate) fn sign_in_elsewhere(&mut self, id: Id, way: Option<Way>, answer: Answer) {
        let Some(kept) = self.kept.get(&id) else { return };
        let own = || kept.provider.ways().first().copied();
        let how = match way.or_else(own) {
            Some(Way::Browser) => How::Browser,
            Some(Way::Device) => How::Device,
            Some(Way::ClientSecret | Way::Password | Way::Unattended) | None => {
                let failure = Failure::new(Code::WayUnsupported)
                    .of(&kept.profile.name)
                    .with("host", kept.profile.host())
                    .because(Problem::NotAtBrowser);
                return refuse(answer, failure);
            }
        };
        self.start_sign_in(id, how, answer);
    }

    pub(crate) fn sign_in(&mut self, id: Id, attempt: Attempt) {
        let Some(kept) = self.kept.get_mut(&id) else { return };
        let Some(Starting { how, answer }) = kept.starting.take() else { return };
        kept.exchanges += 1;
        kept.sign_in_failure = None;
        kept.sign_ins.insert(attempt, answer);
        let (begun, begins) = oneshot::channel();
        let (wanting, wanted) = oneshot::channel();
        let demand = kept.session().and_then(|session| session.demand().cloned());
        kept.pending =
            Some(Pending { attempt, shown: None, ends: Timestamp::MAX, by_hand: None, _wanted: wanting });
        let provider = Arc::clone(&kept.provider);
        let (post, began) = (self.post.clone(), clock::now());
        let announcing = post.clone();
        tokio::spawn(async move {
            if let Ok(begun) = begins.await {
                drop(announcing.send(Mail::Begun { id, attempt, begun }));
            }
        });
        let lost = {
            let provider = Arc::clone(&provider);
            move || {
                let outcome = Err(Failure::new(Code::TimedOut));
                let (landing, took) = (Landing::none(), clock::now().since(began));
                Mail::SignedIn { id, attempt, provider, outcome, landing, took }
            }
        };
        let giving_back = post.clone();
        let report = Report::or(post, lost);
        let worker = tokio::spawn(async move {
            let ties = Ties { begun, wanted, demand };
            let SignInEnd { outcome, give_back, landing } = provider.sign_in(how, ties).await;
            let took = clock::now().since(began);
            if let Some(unwanted) = give_back {
                drop(giving_back.send(Mail::Unwanted { provider: Arc::clone(&provider), unwanted }));
            }
            report.send(Mail::SignedIn { id, attempt, provider, outcome, landing, took });
        });
        kept.workers.insert(attempt, worker.abort_handle());
    }

    pub(crate) fn wake(&mut self, id: Id, slept: Duration) {
        if let Some(pending) = self.kept.get_mut(&id).and_then(|kept| kept.pending.as_mut()) {
            pending.give_back(slept);
        }
        self.step(id, Event::Woke { slept });
    }

    /// A sign-in that waits for its person ends by itself when `pending` is dropped. Any other worker is aborted.
    pub(crate) fn call_off(&mut self, id: Id, attempt: Attempt) {
        let Some(kept) = self.kept.get_mut(&id) else { return };
        if kept.pending.take_if(|pending| pending.attempt == attempt).is_none()
            && let Some(worker) = kept.workers.get(&attempt)
        {
            worker.abort();
        }
    }

    pub(crate) fn on_begun(&mut self, id: Id, attempt: Attempt, begun: Begun) {
        let now = clock::now();
        let Some(kept) = self.kept.get_mut(&id) else { return };
        let Some(pending) = kept.pending.as_mut().filter(|pending| pending.attempt == attempt) else {
            return;
        };
        let url = match &begun.shown {
            Shown::Browser { url, .. } => Some(url.expose().to_owned()),
            Shown::Device { .. } => None,
        };
        pending.ends = now + begun.lasts;
        pending.shown = Some(begun.shown);
        pending.by_hand = begun.by_hand;
        let shown = pending.view(now);
        if let (Some(answer), Some(pending)) = (kept.sign_ins.remove(&attempt), shown) {
            drop(answer.send(Ok(Reply::SignIn { pending, url })));
        }
        let profile = kept.profile.name.clone();
        self.tell(api::Notice::Changed { profile });
    }

    pub(crate) fn on_signed_in(
        &mut self,
        id: Id,
        attempt: Attempt,
        provider: Arc<Provider>,
        outcome: Result<SignedIn, Failure>,
        landing: Landing,
        took: Duration,
    ) {
        let Some(kept) = self.kept.get_mut(&id) else {
            if let Ok(SignedIn { tokens, .. }) = outcome {
                let unwanted = Unwanted { refresh: tokens.refresh, access: tokens.access };
                self.give_back(provider, unwanted);
            }
            return;
        };
        kept.exchanges -= 1;
        kept.workers.remove(&attempt);
        kept.pending.take_if(|pending| pending.attempt == attempt);
        let answer = kept.sign_ins.remove(&attempt);
        let current = kept.session().is_some_and(|session| session.signing_in() == Some(attempt));
        match outcome {
            Ok(SignedIn { tokens, account }) => {
                if current {
                    kept.callers.await_sign_in(answer.into_iter().chain(kept.finishing.take()));
                } else if let Some(answer) = answer {
                    // Another sign-in or a sign-out has taken its place.
                    refuse(answer, Failure::new(Code::SignInCancelled).of(&kept.profile.name));
                }
                let host = kept.profile.host();
                let name = kept.profile.name.clone();
                self.revocations.overtake(&name, clock::now());
                self.report(&host, Outcome::Answered);
                self.step(id, Event::SignedIn { attempt, tokens, account });
                landing.tell(current);
            }
            Err(failure) => {
                let name = kept.profile.name.clone();
                let failure = failure.of(&name);
                landing.tell(false);
                let waiting = if current { kept.finishing.take() } else { Vec::new() };
                if current {
                    kept.sign_in_failure = Some(failure.clone());
                }
                let note = Note::SignInFailed { code: failure.code.key(), took_ms: millis(took) };
                self.note(Some(&name), note);
                self.step(id, Event::SignInFailed { attempt });
                for answer in answer.into_iter().chain(waiting) {
                    refuse(answer, failure.clone());
                }
            }
        }
    }

    pub(crate) fn cancel_sign_in(&mut self, id: Id, answer: Answer) {
        if let Some(kept) = self.kept.get_mut(&id) {
            kept.pending = None;
        }
        drop(answer.send(Ok(Reply::Done)));
    }

    pub(crate) fn land_sign_in(&self, id: Id, address: &Password, answer: Answer) {
        let Some(kept) = self.kept.get(&id) else { return };
        let by_hand = kept.pending.as_ref().and_then(|pending| pending.by_hand.as_ref());
        let landed = match by_hand {
            Some(by_hand) => by_hand.bring(address.expose()),
            None => Err(Failure::new(Code::SignInCancelled).because(Problem::NotAwaited)),
        };
        drop(answer.send(landed.map(|()| Reply::Done).map_err(|failure| failure.of(&kept.profile.name))));
    }

    pub(crate) fn finish_sign_in(&mut self, id: Id, patience: Option<Duration>, answer: Answer) {
        let now = clock::now();
        let Some(kept) = self.kept.get_mut(&id) else { return };
        if kept.session().is_some_and(|session| session.signing_in().is_some()) {
            let deadline = patience.map_or(Timestamp::MAX, |patience| now + patience);
            kept.finishing.push(deadline, answer);
            return self.settle(id, now);
        }
        let failed = kept.sign_in_failure.clone();
        let reply = failed.map_or_else(|| Ok(Reply::Status(self.overview_of(id))), Err);
        drop(answer.send(reply));
    }

    pub(crate) fn logout_page(&self, id: Id) -> Option<String> {
        let kept = self.kept.get(&id)?;
        let url = kept.provider.logout_url(kept.session()?.account())?;
        Some(url.expose().to_owned())
    }

    pub(crate) fn discover(&self, issuer: String, allow_http: bool, ca_file: Option<String>, answer: Answer) {
        if let Err((problem, hint)) = check_issuer(&issuer, allow_http) {
            let code = if check_issuer(&issuer, true).is_ok() { Code::PlainHttp } else { Code::BadUrl };
            // A malformed address may contain a password.
            let url = if issuer.contains('@') { "" } else { issuer.as_str() };
            return refuse(answer, Failure::new(code).because(problem).hint(hint).with("url", url));
        }
        let http = self.http.clone();
        tokio::spawn(async move {
            let ca_file = ca_file.map(PathBuf::from);
            let found = discover(&http, &issuer, allow_http, ca_file.as_deref()).await;
            drop(answer.send(found.map(|metadata| Reply::Discovered(describe(&metadata)))));
        });
    }

    pub(crate) fn settle_sign_in(&mut self, id: Id, now: Timestamp) {
        let Some(kept) = self.kept.get_mut(&id) else { return };
        let wanted = kept.session().and_then(session::Session::signing_in);
        kept.pending.take_if(|pending| Some(pending.attempt) != wanted);
        let gone = |kept: &Kept| Failure::new(Code::SignInCancelled).of(&kept.profile.name);
        if wanted.is_none() && kept.exchanges == 0 && !kept.finishing.is_empty() {
            let failure = kept.sign_in_failure.clone().unwrap_or_else(|| gone(kept));
            for answer in kept.finishing.take() {
                refuse(answer, failure.clone());
            }
        }
        for answer in kept.finishing.take_until(now) {
            refuse(answer, Failure::new(Code::DeadlinePassed).of(&kept.profile.name));
        }
    }
}

impl Pending {
    /// A sleep costs a person at a browser no time, but what the provider keeps runs out.
    pub(crate) fn give_back(&mut self, slept: Duration) {
        if let Some(Shown::Browser { kept_for, .. }) = &mut self.shown {
            self.ends = self.ends + slept;
            *kept_for = kept_for.map(|kept| kept.saturating_sub(slept));
        }
    }

    pub(crate) fn view(&self, now: Timestamp) -> Option<api::Pending> {
        let expires_in_ms = millis(now.until(self.ends));
        Some(match self.shown.as_ref()? {
            Shown::Browser { kept_for, .. } => {
                let waited = limits::AT_BROWSER.saturating_sub(now.until(self.ends));
                let open_within_ms = kept_for.map(|kept| millis(kept.saturating_sub(waited)));
                api::Pending::Browser { expires_in_ms, open_within_ms }
            }
            Shown::Device { user_code, verification_uri, verification_uri_complete } => {
                api::Pending::Device {
                    user_code: user_code.clone(),
                    verification_uri: verification_uri.clone(),
                    verification_uri_complete: verification_uri_complete.clone(),
                    qr: qr(verification_uri_complete.as_ref().unwrap_or(verification_uri)),
                    expires_in_ms,
                }
            }
        })
    }
}

/// One text for each row, with `#` for a dark square. Empty if the text is too long for a QR code.
fn qr(text: &str) -> Vec<String> {
    use qrcodegen::{QrCode, QrCodeEcc};
    let Ok(code) = QrCode::encode_text(text, QrCodeEcc::Medium) else { return Vec::new() };
    let row = |y| (0..code.size()).map(|x| if code.get_module(x, y) { '#' } else { ' ' }).collect();
    (0..code.size()).map(row).collect()
}

#[cfg(test)]
mod tests {
    use session::tokens::Secret;

    use super::*;

    fn pending(shown: Shown, lasts: u64) -> Pending {
        let attempt = Attempt { epoch: 0, number: 1 };
        let ends = Timestamp::default() + Duration::from_secs(lasts);
        Pending { attempt, shown: Some(shown), ends, by_hand: None, _wanted: oneshot::channel().0 }
    }

    #[test]
    fn a_sleep_takes_no_time_from_a_person_at_a_browser() {
        let (after, slept) = (Timestamp::default() + Duration::from_secs(60), Duration::from_secs(50));
        let url = || Secret::new("https://id.example/authorize");
        let mut browser =
            pending(Shown::Browser { url: url(), kept_for: Some(Duration::from_secs(90)) }, 300);
        browser.give_back(slept);
        let left = api::Pending::Browser { expires_in_ms: 290_000, open_within_ms: Some(30_000) };
        assert_eq!(browser.view(after), Some(left), "what was handed over first is not kept for longer");

        let shown = Shown::Device {
            user_code: "ABCD".to_owned(),
            verification_uri: "https://id.example/device".to_owned(),
            verification_uri_complete: None,
        };
        let mut device = pending(shown, 300);
        device.give_back(slept);
        let Some(api::Pending::Device { expires_in_ms, .. }) = device.view(after) else { panic!() };
        assert_eq!(expires_in_ms, 240_000, "a code ends when the provider says");
    }
}
