//! Recipes: how to talk to a provider that is not OAuth, as data.
//!
//! There are more sign-in APIs in the world than anyone can write code for, and most of them differ only in names: a
//! path, a field, a header, the unit of a lifetime, which answer means "your token is no good". A [`Recipe`] is those
//! names, read from a preset or from the configuration file, and the functions here turn it into messages and turn
//! answers into tokens and verdicts.

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
use crate::wire::lifetime::Lifetime;
use crate::wire::matching::Match;
use crate::wire::message::{Message, with_scheme};
use crate::wire::pointer::Pointer;

pub use place::{Format, Place, Resource};
pub use reading::SignInRefusal;

/// Everything that has to be known about a provider to keep a session with it.
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
    /// Which answers of a protected resource mean "your token is not good".
    #[serde(default = "rejects_401")]
    pub rejects: Vec<Match>,
    /// What there is to look at, for the window and the command line.
    #[serde(default)]
    pub resources: Vec<Resource>,
}

/// One exchange with the provider: what is sent where, and where the tokens stand in what comes back.
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
    /// What stands in the body whatever the values are; `{}` makes an empty object where there would be no body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Map<String, Value>>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub query: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    #[serde(default)]
    pub take: Take,
    /// Which answers are a definite no: of a refresh, that the refresh token is dead; of a sign-in, that the password
    /// is wrong (beyond 400, 401, 403 and 422, which say so by themselves there).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refused: Vec<Match>,
}

/// Where the values go.
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

/// Where the tokens stand in an answer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Take {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_token: Option<Pointer>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<Pointer>,
    /// Where the answer says how long the access token lives; the JWT's own times are read without being asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lifetime: Option<Lifetime>,
}

/// A question that tells whether the access token is good.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeartbeatRequest {
    #[serde(default = "get", deserialize_with = "place::method")]
    pub method: String,
    #[serde(deserialize_with = "place::path")]
    pub path: String,
    /// Which answers mean "not good" although their status is a success.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub bad: Vec<Match>,
    /// A web page may be what it answers with.
    #[serde(default)]
    pub page: bool,
}

/// The header that carries the access token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Authorization {
    pub header: String,
    /// Empty where the provider wants the bare token.
    pub scheme: String,
}

impl Recipe {
    /// The names that [`Recipe::preset`] knows, in the order of the alphabet.
    pub const PRESETS: [&str; 4] = preset::NAMES;

    /// A recipe that comes with the product.
    pub fn preset(name: &str) -> Option<Self> {
        serde_json::from_str(preset::text(name)?).ok()
    }

    /// The JSON text of a preset, for those who change some of its keys before reading it.
    pub fn preset_text(name: &str) -> Option<&'static str> {
        preset::text(name)
    }

    /// How long before its end a token of this preset is refreshed, where the preset is known for a threshold of its
    /// own.
    pub fn preset_refresh_before(name: &str) -> Option<core::time::Duration> {
        preset::refresh_before(name)
    }

    /// What is wrong with this recipe although each part of it can be read: the key, and the problem.
    pub fn check(&self) -> Result<(), (&'static str, Flaw)> {
        sending::check(self)
    }

    /// `None` where the recipe has no sign-in.
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

    /// `None` where there is no endpoint for it.
    pub fn heartbeat(&self, token: &AccessToken) -> Option<Message> {
        let probe = self.heartbeat.as_ref()?;
        let mut message = Message::bare(&probe.method, &probe.path);
        message.headers.push(self.authorization(token));
        Some(message)
    }

    /// `None` where there is no endpoint for it, or where it needs a token that there is none of.
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

    /// The name and the value of the header that opens a protected resource.
    pub fn authorization(&self, token: &AccessToken) -> (String, Secret) {
        let Authorization { header, scheme } = &self.authorization;
        (header.clone(), with_scheme(scheme, token.expose()))
    }

    /// A protected resource says that the access token is not good.
    pub fn rejects(&self, answer: &Answer<'_>) -> bool {
        self.rejects.iter().any(|rule| rule.holds(answer))
    }

    /// What the answer to a heartbeat says of the access token; `None` when it says nothing.
    pub fn heartbeat_good(&self, answer: &Answer<'_>) -> Option<bool> {
        reading::heartbeat(self, answer)
    }

    /// Where there is no endpoint for it, the first resource that can be read serves as the heartbeat: what a token is
    /// good for is the best question about it.
    pub fn ask_a_resource(&mut self, resources: &[Resource]) {
        if let Some(resource) = resources.iter().find(|resource| resource.method == "GET")
            && self.heartbeat.is_none()
        {
            let (method, path) = (resource.method.clone(), resource.path.clone());
            self.heartbeat = Some(HeartbeatRequest { method, path, bad: Vec::new(), page: true });
        }
    }

    /// The tokens that a sign-in brought, or why it brought none.
    pub fn read_sign_in(&self, answer: &Answer<'_>, clock: Clock<'_>) -> Result<Tokens, SignInRefusal> {
        reading::sign_in(self, answer, clock)
    }

    /// What the answer to a refresh means.
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
