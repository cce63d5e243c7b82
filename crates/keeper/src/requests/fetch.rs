//! Requests to protected resources: sent with a good token, held while there is none, sent again once.

use std::collections::BTreeMap;
use std::fmt::Display;
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
use session::view::Prospect;

use crate::adapters::clock;
use crate::adapters::http::{self, Received};
use crate::adapters::provider::{Opening, Opinion, Provider};
use crate::config::Profile;
use crate::main_loop::answer::{Answer, refuse};
use crate::main_loop::keeper::Keeper;
use crate::main_loop::kept::Kept;
use crate::main_loop::mail::{Id, Mail, Parked, Post};

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
        let order = self.next_number();
        let parked = Parked {
            order,
            what,
            deadline: now + patience,
            arrived: now,
            by,
            again: false,
            held: false,
            through_lane: false,
            answer,
        };
        self.admit_request(id, parked, now);
    }

    fn admit_request(&mut self, id: Id, parked: Parked, now: Timestamp) {
        let Some(kept) = self.kept.get_mut(&id) else { return };
        if kept.lane.is_clear()
            && let Prospect::Ready { token, generation } = kept.prospect(now, Duration::ZERO)
        {
            let token = token.clone();
            return self.send(id, parked, &token, generation, now);
        }
        let by = parked.by;
        self.hold(id, parked);
        self.want(id, by);
    }

    fn hold(&mut self, id: Id, mut parked: Parked) {
        let Some(kept) = self.kept.get_mut(&id) else { return };
        parked.through_lane = true;
        parked.held = true;
        kept.lane.hold(Held {
            order: parked.order,
            safe: parked.is_safe(),
            deadline: parked.deadline,
            request: parked,
        });
    }

    pub(crate) fn release(&mut self, id: Id, token: &AccessToken, generation: u32, now: Timestamp) {
        while let Some(kept) = self.kept.get_mut(&id)
            && let Some(held) = kept.lane.release()
        {
            kept.burst.count += 1;
            kept.burst.since.get_or_insert(held.request.arrived);
            kept.replayed += 1;
            self.send(id, held.request, token, generation, now);
        }
    }

    fn send(&mut self, id: Id, parked: Parked, token: &AccessToken, generation: u32, now: Timestamp) {
        let Some(kept) = self.kept.get_mut(&id) else { return };
        kept.in_flight += 1;
        let (provider, account) = (Arc::clone(&kept.provider), kept.account());
        let (post, token, what) = (self.post.clone(), token.clone(), Arc::clone(&parked.what));
        let patience = now.until(parked.deadline);
        let report = Returning::new(post, id, parked, generation);
        tokio::spawn(async move {
            report.send(provider.open(&what, &token, &account, patience).await);
        });
    }

    pub(crate) fn on_answered(
        &mut self,
        id: Id,
        mut parked: Parked,
        generation: u32,
        outcome: Result<Received, Trouble>,
    ) {
        let now = clock::now();
        let Some(kept) = self.kept.get_mut(&id) else {
            // The profile has changed or is gone. The caller still gets the answer.
            return match outcome {
                Ok(received) => parked.answer(received, generation, now),
                Err(trouble) => {
                    let failure = Failure::provider(trouble, None, &parked.host());
                    parked.fail(failure);
                }
            };
        };
        kept.in_flight = kept.in_flight.saturating_sub(1);
        if std::mem::take(&mut parked.through_lane) {
            kept.lane.answered(parked.is_safe());
        }
        let profile = Arc::clone(&kept.profile);
        match outcome {
            Err(trouble) => {
                let failure = Failure::provider(trouble, None, &parked.host());
                parked.fail(failure.of(&profile.name));
            }
            Ok(received) => match kept.provider.opinion(&received) {
                Opinion::Demands(interaction) => {
                    let failure = demanded(&interaction).of(&profile.name);
                    self.step(id, Event::Demanded { generation, interaction });
                    parked.fail(failure);
                }
                Opinion::Fine => parked.answer(received, generation, now),
                Opinion::Rejected => {
                    self.note_rejected(id, &parked, received.status, generation);
                    self.step(id, Event::Rejected { by: parked.by, generation });
                    if !parked.again && self.is_worth_another_try(id, generation, now) {
                        parked.again = true;
                        self.hold(id, parked);
                        self.settle(id, now);
                        return;
                    }
                    parked.answer(received, generation, now);
                }
            },
        }
        self.settle(id, now);
        self.tell_burst(id, now);
    }

    fn note_rejected(&mut self, id: Id, parked: &Parked, status: u16, generation: u32) {
        let Some(kept) = self.kept.get_mut(&id) else { return };
        if kept.refused_generation.replace(generation) != Some(generation) {
            let name = kept.profile.name.clone();
            let path = parked.what.url.path().to_owned();
            self.note(Some(&name), Note::Rejected { path, status, generation });
        }
    }

    fn is_worth_another_try(&self, id: Id, refused: u32, now: Timestamp) -> bool {
        let session = self.kept.get(&id).and_then(Kept::session);
        session.is_some_and(|session| session.may_do_better_than(refused, now))
    }
}

struct Returning {
    post: Post,
    id: Id,
    parked: Option<Parked>,
    generation: u32,
    outcome: Result<Received, Trouble>,
}

impl Returning {
    fn new(post: Post, id: Id, parked: Parked, generation: u32) -> Self {
        Self { post, id, parked: Some(parked), generation, outcome: Err(Trouble::Unanswered) }
    }

    fn send(mut self, outcome: Result<Received, Trouble>) {
        self.outcome = outcome;
    }
}

impl Drop for Returning {
    fn drop(&mut self) {
        let Some(parked) = self.parked.take() else { return };
        let outcome = std::mem::replace(&mut self.outcome, Err(Trouble::Unanswered));
        let (id, generation) = (self.id, self.generation);
        drop(self.post.send(Mail::Answered { id, parked, generation, outcome }));
    }
}

impl Parked {
    fn answer(self, received: Received, generation: u32, now: Timestamp) {
        let mut headers: BTreeMap<String, String> = received.headers;
        // A cookie is the provider's credential for a browser.
        headers.remove("set-cookie");
        let (body, base64) = match String::from_utf8(received.body) {
            Ok(text) => (text, false),
            Err(error) => (base64::engine::general_purpose::STANDARD.encode(error.as_bytes()), true),
        };
        let fetched = Fetched {
            status: received.status,
            headers,
            body,
            base64,
            replayed: self.held,
            generation,
            took_ms: millis(now.since(self.arrived)),
        };
        drop(self.answer.send(Ok(Reply::Fetched(fetched))));
    }
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
