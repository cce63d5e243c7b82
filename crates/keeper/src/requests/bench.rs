//! The fault switches of a sandbox, which has several dialects at one origin. Only the profile's own is switched.

use std::sync::Arc;

use api::{Bench, BenchChange, Code, Failure, FaultSwitch, Reply};
use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};
use session::bounds;
use session::patience::Patience;
use session::reason::Trouble;

use crate::adapters::http::{self, Client};
use crate::adapters::patience::within;
use crate::config::Profile;
use crate::main_loop::answer::{Answer, refuse};
use crate::main_loop::keeper::Keeper;
use crate::main_loop::mail::Id;

impl Keeper {
    pub(crate) fn bench(&mut self, id: Id, change: Option<BenchChange>, answer: Answer) {
        let Some(kept) = self.kept.get(&id) else { return };
        let profile = Arc::clone(&kept.profile);
        if !profile.sandbox {
            return refuse(answer, Failure::new(Code::NotASandbox).of(&profile.name));
        }
        let http = self.http.clone();
        tokio::spawn(async move {
            let bench = async {
                let (ca_file, mut patience) = (profile.ca_file.as_deref(), Patience::new(profile.timeout));
                let client = http.about_resources(&profile.url, ca_file, &mut patience).await;
                let client = client.map_err(|none| none.failure(&profile.host()))?;
                if let Some(change) = change {
                    let (method, path, body) = say(&change, &profile);
                    control(&client, &profile, method, &path, body).await?;
                }
                read(&client, &profile).await
            };
            drop(answer.send(bench.await.map(Reply::Bench).map_err(|failure| failure.of(&profile.name))));
        });
    }
}

#[derive(Deserialize)]
struct State {
    faults: Vec<FaultState>,
}

#[derive(Deserialize)]
struct FaultState {
    name: String,
    /// The only dialect that has it.
    only: Option<String>,
    switched: Option<Switched>,
}

#[derive(Deserialize)]
struct Switched {
    dialect: Option<String>,
    left: Option<u32>,
}

async fn read(client: &Client, profile: &Profile) -> Result<Bench, Failure> {
    let state = control(client, profile, Method::GET, "", None).await?;
    let state: State = serde_json::from_value(state).map_err(|_| Failure::new(Code::NotASandbox))?;
    let ours =
        |switched: &Switched| switched.dialect.as_deref().is_none_or(|dialect| dialect == profile.preset);
    let faults = state.faults.into_iter();
    let faults = faults.filter(|fault| fault.only.as_ref().is_none_or(|only| *only == profile.preset));
    let faults = faults.map(|fault| {
        let switched = fault.switched.filter(ours);
        FaultSwitch {
            name: fault.name,
            on: switched.is_some(),
            left: switched.and_then(|switched| switched.left),
        }
    });
    Ok(Bench { faults: faults.collect() })
}

fn say(change: &BenchChange, profile: &Profile) -> (Method, String, Option<Value>) {
    let dialect = &profile.preset;
    match change {
        BenchChange::Clear => (Method::DELETE, "/faults".to_owned(), None),
        BenchChange::Fault { name, on: false, .. } => (Method::DELETE, fault_path(name), None),
        BenchChange::Fault { name, on: true, times } => {
            let switch = json!({ "dialect": dialect, "left": times, "on": aim(name) });
            (Method::PUT, fault_path(name), Some(switch))
        }
        BenchChange::RevokeAccess => revoke("access", dialect),
        BenchChange::RevokeAll => revoke("all", dialect),
    }
}

/// The more frequent heartbeat would meet these faults otherwise. `None` leaves the choice to the sandbox.
fn aim(name: &str) -> Option<[&'static str; 1]> {
    match name {
        "bare_status" | "captive_portal" | "hang" | "huge" | "lost_answer" | "not_json" | "omit"
        | "rate_limit" | "redirect" | "reset" | "status" | "truncated" => Some(["refresh"]),
        _ => None,
    }
}

fn revoke(what: &str, dialect: &str) -> (Method, String, Option<Value>) {
    (Method::POST, "/revoke".to_owned(), Some(json!({ "what": what, "dialect": dialect })))
}

/// The name must not become another path.
fn fault_path(name: &str) -> String {
    let plain: String = name.chars().filter(|c| c.is_ascii_lowercase() || *c == '_').collect();
    format!("/faults/{plain}")
}

async fn control(
    client: &Client,
    profile: &Profile,
    method: Method,
    path: &str,
    body: Option<Value>,
) -> Result<Value, Failure> {
    let mut url = profile.url.clone();
    url.set_path(&format!("/control{path}"));
    let mut request = client.request(method, url.clone());
    if let Some(body) = body {
        request = request.header(reqwest::header::CONTENT_TYPE, "application/json").body(body.to_string());
    }
    let answer = http::receive(client, request, http::is_authentic(&url), bounds::STATE);
    let received = within(&mut Patience::new(profile.timeout), answer)
        .await
        .unwrap_or(Err(Trouble::TimedOut))
        .map_err(|trouble| Failure::provider(trouble, None, &profile.host()))?;
    match serde_json::from_slice(&received.body) {
        Ok(state) if received.status < 300 => Ok(state),
        _ => {
            Err(Failure::new(Code::NotASandbox).with("status", received.status).with("host", profile.host()))
        }
    }
}
