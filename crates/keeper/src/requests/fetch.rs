//! Requests to protected resources: sent with a good token, held while there is none, sent again if it was refused.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::string::FromUtf8Error;
use std::sync::Arc;
use std::time::Duration;

use api::{Code, Failure, Fetch, Fetched, Problem, Reply};
use base64::Engine as _;
use reqwest::Method;
use reqwest::header::{
    CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, HOST, HeaderName, HeaderValue, TE, TRAILER, TRANSFER_ENCODING,
    UPGRADE,
};
use session::event::Event;
use session::interaction::Interaction;
use session::lane::Held;
use session::limits;
use session::note::Note;
use session::reason::Trouble;
use session::time::{Timestamp, millis};
use session::tokens::AccessToken;

use crate::adapters::clock;
use crate::adapters::http::{self, Received};
use crate::adapters::provider::{Opening, Opinion, Provider};
use crate::config::Profile;
use crate::main_loop::answer::{Answer, refuse};
use crate::main_loop::keeper::Keeper;
use crate::main_loop::kept::Kept;
use crate::main_loop::mail::{Asked, Id, Mail, Post};

impl Keeper {
    pub(crate) fn fetch(&mut self, fetch: Fetch, answer: Answer) {
        let name = fetch.profile.clone();
        let id = match self.find(&name) {
            Ok(id) => id,
            Err(failure) => return refuse(answer, failure),
        };
        let now = clock::now();
        let patience = fetch.timeout_ms.map_or(limits::CALLER, Duration::from_millis);
        let by = fetch.by;
        let Some(kept) = self.kept.get(&id) else { return };
        let what = match opening(&kept.profile, &kept.provider, fetch) {
            Ok(what) => Arc::new(what),
            Err(failure) => return refuse(answer, failure.of(&name)),
        };
        let safe = what.method.is_safe();
        let held = Held::new(self.next_number(), safe, by, now, now + patience, Asked { what, answer });
        let Some((callers, session)) = self.kept.get_mut(&id).and_then(Kept::waiting) else { return };
        match callers.admit(held, session, now) {
            Some(served) => self.serve(id, served, now),
            None => self.want(id, by),
        }
    }

    pub(crate) fn send(
        &mut self,
        id: Id,
        held: Held<Asked>,
        token: &AccessToken,
        generation: u32,
        now: Timestamp,
    ) {
        let Some(kept) = self.kept.get_mut(&id) else { return };
        kept.in_flight += 1;
        let (provider, account) = (Arc::clone(&kept.provider), kept.account());
        let (post, token, what) = (self.post.clone(), token.clone(), Arc::clone(&held.request.what));
        let patience = now.until(held.deadline);
        let report = Returning::new(post, id, held, generation);
        tokio::spawn(async move {
            report.send(provider.open(&what, &token, &account, patience).await);
        });
    }

    pub(crate) fn on_answered(
        &mut self,
        id: Id,
        mut held: Held<Asked>,
        generation: u32,
        outcome: Result<Received, Trouble>,
    ) {
        let now = clock::now();
        let unanswered = |held: &Held<Asked>, trouble| Failure::provider(trouble, None, &held.request.host());
        let Some(kept) = self.kept.get_mut(&id) else {
            // The profile has changed or is gone. The caller still gets the answer.
            return match outcome {
                Ok(received) => answer(held, received, generation, now),
                Err(trouble) => {
                    let failure = unanswered(&held, trouble);
                    held.request.fail(failure);
                }
            };
        };
        kept.in_flight = kept.in_flight.saturating_sub(1);
        kept.callers.answered(&mut held);
        let profile = Arc::clone(&kept.profile);
        match outcome {
            Err(trouble) => {
                let failure = unanswered(&held, trouble);
                held.request.fail(failure.of(&profile.name));
            }
            Ok(received) => match kept.provider.opinion(&received) {
                Opinion::Demands(interaction) => {
                    let failure = demanded(&interaction).of(&profile.name);
                    self.step(id, Event::Demanded { generation, interaction });
                    held.request.fail(failure);
                }
                Opinion::Fine => answer(held, received, generation, now),
                Opinion::Rejected => {
                    self.note_rejected(id, &held, received.status, generation);
                    self.step(id, Event::Rejected { by: held.by, generation });
                    let waiting = self.kept.get_mut(&id).and_then(Kept::waiting);
                    let held = match waiting {
                        Some((callers, session)) => callers.refused(held, session, generation, now),
                        None => Some(held),
                    };
                    match held {
                        Some(held) => answer(held, received, generation, now),
                        None => return self.settle(id, now),
                    }
                }
            },
        }
        self.settle(id, now);
        self.tell_burst(id, now);
    }

    fn note_rejected(&mut self, id: Id, held: &Held<Asked>, status: u16, generation: u32) {
        let Some(kept) = self.kept.get_mut(&id) else { return };
        if kept.refused_generation.replace(generation) != Some(generation) {
            let name = kept.profile.name.clone();
            let path = held.request.what.url.path().to_owned();
            self.note(Some(&name), Note::Rejected { path, status, generation });
        }
    }
}

struct Returning {
    post: Post,
    id: Id,
    held: Option<Held<Asked>>,
    generation: u32,
    outcome: Result<Received, Trouble>,
}

impl Returning {
    fn new(post: Post, id: Id, held: Held<Asked>, generation: u32) -> Self {
        Self { post, id, held: Some(held), generation, outcome: Err(Trouble::Unanswered) }
    }

    fn send(mut self, outcome: Result<Received, Trouble>) {
        self.outcome = outcome;
    }
}

impl Drop for Returning {
    fn drop(&mut self) {
        let Some(held) = self.held.take() else { return };
        let outcome = std::mem::replace(&mut self.outcome, Err(Trouble::Unanswered));
        let (id, generation) = (self.id, self.generation);
        drop(self.post.send(Mail::Answered { id, held, generation, outcome }));
    }
}

fn answer(held: Held<Asked>, received: Received, generation: u32, now: Timestamp) {
    let mut headers: BTreeMap<String, String> = received.headers;
    // A cookie is the provider's credential for a browser.
    headers.remove("set-cookie");
    let text = String::from_utf8(received.body).map_err(FromUtf8Error::into_bytes);
    let text = text.and_then(|text| if swells(&text) { Err(text.into_bytes()) } else { Ok(text) });
    let (body, base64) = match text {
        Ok(text) => (text, false),
        Err(bytes) => (base64::engine::general_purpose::STANDARD.encode(bytes), true),
    };
    let fetched = Fetched {
        status: received.status,
        headers,
        body,
        base64,
        replayed: held.waited,
        generation,
        took_ms: millis(now.since(held.arrived)),
    };
    drop(held.request.answer.send(Ok(Reply::Fetched(fetched))));
}

/// In JSON, each control character takes the place of six.
fn swells(text: &str) -> bool {
    let controls = text.bytes().filter(|byte| byte.is_ascii_control() && !byte.is_ascii_whitespace());
    controls.count() > text.len() / 8
}

fn opening(profile: &Profile, provider: &Provider, fetch: Fetch) -> Result<Opening, Failure> {
    let base = &profile.url;
    let url = http::join(base, &fetch.path)
        .map_err(|()| Failure::new(Code::BadPath).with("path", &fetch.path).with("url", base))?;
    let bad = |field: &str, said: &dyn Display| {
        Failure::new(Code::BadRequest).with("field", field).because(Problem::said(said))
    };
    let method = fetch.method.as_deref().unwrap_or("GET").to_uppercase();
    let method = Method::from_bytes(method.as_bytes()).map_err(|error| bad("method", &error))?;
    let authorization = provider.authorization(None).0;
    let mut headers = Vec::new();
    for (name, value) in &fetch.headers {
        let header = HeaderName::from_bytes(name.as_bytes()).map_err(|error| bad("headers", &error))?;
        let value = HeaderValue::from_str(value).map_err(|error| bad("headers", &error))?;
        // Two credentials would confuse the provider, and a 401 for the caller's would cost a refresh.
        let of_the_keeper = header.as_str().eq_ignore_ascii_case(&authorization) || header == "dpop";
        if !of_the_keeper && !OF_THE_CONNECTION.contains(&header) {
            headers.push((header, value));
        }
    }
    let says_type = headers.iter().any(|(name, _)| name == CONTENT_TYPE);
    if let Some(body) = fetch.body.as_deref().filter(|_| !says_type) {
        let json = serde_json::from_str::<serde::de::IgnoredAny>(body).is_ok();
        let kind = if json { "application/json" } else { "text/plain; charset=utf-8" };
        headers.push((CONTENT_TYPE, HeaderValue::from_static(kind)));
    }
    Ok(Opening { method, url, headers, body: fetch.body })
}

fn demanded(interaction: &Interaction) -> Failure {
    let failure = Failure::needs_login(interaction.need.lost());
    let age = interaction.max_age.map(|age| age.to_string());
    [
        ("acr_values", interaction.acr_values.as_ref()),
        ("max_age", age.as_ref()),
        ("scope", interaction.scope.as_ref()),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name, value.filter(|value| value.len() <= 200)?)))
    .fold(failure, |failure, (name, value)| failure.with(name, value))
}

/// The HTTP client sets these itself.
const OF_THE_CONNECTION: [HeaderName; 7] =
    [CONNECTION, CONTENT_LENGTH, HOST, TE, TRAILER, TRANSFER_ENCODING, UPGRADE];
