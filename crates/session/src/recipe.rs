//! Providers that are not OAuth, as data. A [`Recipe`], from a preset or the configuration, says what differs: a path,
//! a field, a header, the unit of a lifetime, the answer that refuses a token.

mod place;
mod preset;
mod reading;
mod sending;

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::tokens::{AccessToken, RefreshToken, Secret, Tokens};
use crate::verdict::Verdict;
use crate::wire::answer::{Answer, Clock};
use crate::wire::flaw::Flaw;
use crate::wire::matching::Match;
use crate::wire::message::{Message, with_scheme};
use crate::wire::take::Take;

pub use place::{Format, Place, Resource};
pub use reading::SignInRefusal;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// Absent where tokens come from elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub login: Option<Exchange>,
    pub refresh: Exchange,
    /// Absent where there is no such endpoint; see [`Recipe::ask_a_resource`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heartbeat: Option<HeartbeatRequest>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logout: Option<Exchange>,
    #[serde(default)]
    pub authorization: Authorization,
    #[serde(default = "rejects_401")]
    pub rejects: Vec<Match>,
    #[serde(default)]
    pub resources: Vec<Resource>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exchange {
    #[serde(default = "post", deserialize_with = "place::method")]
    pub method: String,
    /// Appended to the profile's URL.
    #[serde(deserialize_with = "place::path")]
    pub path: String,
    #[serde(default)]
    pub format: Format,
    #[serde(default)]
    pub send: Send,
    /// Constant members of the body. `{}` makes an empty object where there would be no body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Map<String, Value>>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub query: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    #[serde(default)]
    pub take: Take,
    /// The answers that are a definite no: to a refresh, that the refresh token is dead; to a sign-in, that the
    /// password is wrong, which 400, 401, 403 and 422 say without a rule.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refused: Vec<Match>,
    /// Those that mean "later", whatever else they look like.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub retry: Vec<Match>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Send {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<Place>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<Place>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<Place>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_token: Option<Place>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeartbeatRequest {
    #[serde(default = "get", deserialize_with = "place::method")]
    pub method: String,
    #[serde(deserialize_with = "place::path")]
    pub path: String,
    /// Answers that mean "not good" although their status is a success.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub bad: Vec<Match>,
    #[serde(default)]
    pub page: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Authorization {
    pub header: String,
    /// Empty where the provider wants the bare token.
    pub scheme: String,
}

impl Recipe {
    pub const PRESETS: [&str; 4] = preset::NAMES;

    pub fn preset(name: &str) -> Option<Self> {
        serde_json::from_str(preset::text(name)?).ok()
    }

    /// The JSON of a preset, for callers that change some of its keys before reading it.
    pub fn preset_text(name: &str) -> Option<&'static str> {
        preset::text(name)
    }

    /// The lead of this preset, where the preset is known for one.
    pub fn preset_refresh_before(name: &str) -> Option<core::time::Duration> {
        preset::refresh_before(name)
    }

    /// Returns the key and the problem of what can be read and cannot work.
    pub fn check(&self) -> Result<(), (&'static str, Flaw)> {
        sending::check(self)
    }

    pub fn sign_in(&self, username: &str, password: &Secret) -> Option<Message> {
        let username = Secret::new(username);
        let values =
            sending::Values { username: Some(&username), password: Some(password), ..Default::default() };
        sending::build(self.login.as_ref()?, &values)
    }

    pub fn refresh(&self, token: &RefreshToken) -> Message {
        let token = Secret::new(token.expose());
        let values = sending::Values { refresh_token: Some(&token), ..Default::default() };
        sending::build(&self.refresh, &values)
            .unwrap_or_else(|| Message::bare(&self.refresh.method, &self.refresh.path))
    }

    pub fn heartbeat(&self, token: &AccessToken) -> Option<Message> {
        let probe = self.heartbeat.as_ref()?;
        let mut message = Message::bare(&probe.method, &probe.path);
        message.headers.push(self.authorization(token));
        Some(message)
    }

    /// `None` where there is no endpoint, or a token that it needs is missing.
    pub fn sign_out(&self, refresh: Option<&RefreshToken>, access: Option<&AccessToken>) -> Option<Message> {
        let refresh = refresh.map(|token| Secret::new(token.expose()));
        let access = access.map(|token| Secret::new(token.expose()));
        let values = sending::Values {
            refresh_token: refresh.as_ref(),
            access_token: access.as_ref(),
            ..Default::default()
        };
        sending::build(self.logout.as_ref()?, &values)
    }

    pub fn authorization(&self, token: &AccessToken) -> (String, Secret) {
        let Authorization { header, scheme } = &self.authorization;
        (header.clone(), with_scheme(scheme, token.expose()))
    }

    pub fn rejects(&self, answer: &Answer<'_>) -> bool {
        self.rejects.iter().any(|rule| rule.holds(answer))
    }

    /// `None` when the answer says nothing of the access token.
    pub fn heartbeat_good(&self, answer: &Answer<'_>) -> Option<bool> {
        reading::heartbeat(self, answer)
    }

    /// Without a heartbeat endpoint, the first resource that can be read is asked.
    pub fn ask_a_resource(&mut self, resources: &[Resource]) {
        if let Some(resource) = resources.iter().find(|resource| resource.method == "GET")
            && self.heartbeat.is_none()
        {
            let (method, path) = (resource.method.clone(), resource.path.clone());
            self.heartbeat = Some(HeartbeatRequest { method, path, bad: Vec::new(), page: true });
        }
    }

    pub fn read_sign_in(&self, answer: &Answer<'_>, clock: Clock<'_>) -> Result<Tokens, SignInRefusal> {
        reading::sign_in(self, answer, clock)
    }

    pub fn read_refresh(&self, answer: &Answer<'_>, clock: Clock<'_>) -> Verdict {
        reading::refresh(self, answer, clock)
    }
}

impl Default for Authorization {
    fn default() -> Self {
        Self { header: String::from("Authorization"), scheme: String::from("Bearer") }
    }
}

fn rejects_401() -> Vec<Match> {
    Vec::from([Match::status(401)])
}

fn post() -> String {
    String::from("POST")
}

fn get() -> String {
    String::from("GET")
}
