//! What a profile says about an OAuth provider: `[profile.NAME.oauth]`.

use std::collections::BTreeMap;
use std::ops::Range;

use api::{Advice, Grant, Problem};
use serde::Deserialize;
use serde::de::IntoDeserializer as _;
use session::oauth::client::{ClientAuth, ClientRegistration, Extra};
use session::oauth::metadata::Metadata;
use session::oauth::probe::Probe;
use session::oauth::token::Reading;
use session::tokens::Secret;
use session::wire::matching::Match;
use session::wire::take::Take;
use toml_edit::Item;

use super::merge::Wrong;
use super::{hint, rules};

#[derive(Clone, Debug, PartialEq)]
pub struct Oauth {
    /// Also what ID tokens and answers are checked against.
    pub issuer: Option<String>,
    pub endpoints: Endpoints,
    /// Its scopes are set once the provider is described.
    pub client: ClientRegistration,
    pub auth: Option<ClientAuth>,
    /// When absent, those of `openid offline_access` that the provider knows.
    pub scopes: Option<Vec<String>>,
    pub grant: Grant,
    /// When absent, used where the provider offers it.
    pub dpop: Option<bool>,
    pub redirect: Redirect,
    /// When absent, chosen by what the provider offers.
    pub probe: Option<Probe>,
    /// Answers of a resource that refuse the token, in addition to `WWW-Authenticate`.
    pub rejects: Vec<Match>,
    pub reading: Reading,
}

/// RFC 8252, section 7.3.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redirect {
    pub host: String,
    pub port: Option<u16>,
    pub path: String,
}

/// Named as in the metadata (RFC 8414).
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Endpoints {
    pub authorization: Option<String>,
    pub device_authorization: Option<String>,
    pub end_session: Option<String>,
    pub introspection: Option<String>,
    pub jwks_uri: Option<String>,
    pub pushed_authorization_request: Option<String>,
    pub revocation: Option<String>,
    pub token: Option<String>,
    pub userinfo: Option<String>,
}

impl Endpoints {
    pub fn lay_over(&self, metadata: &mut Metadata) {
        if let Some(token) = &self.token {
            metadata.token_endpoint.clone_from(token);
        }
        for (by_hand, found) in [
            (&self.authorization, &mut metadata.authorization_endpoint),
            (&self.device_authorization, &mut metadata.device_authorization_endpoint),
            (&self.end_session, &mut metadata.end_session_endpoint),
            (&self.introspection, &mut metadata.introspection_endpoint),
            (&self.jwks_uri, &mut metadata.jwks_uri),
            (&self.pushed_authorization_request, &mut metadata.pushed_authorization_request_endpoint),
            (&self.revocation, &mut metadata.revocation_endpoint),
            (&self.userinfo, &mut metadata.userinfo_endpoint),
        ] {
            if by_hand.is_some() {
                found.clone_from(by_hand);
            }
        }
    }

    fn all(&self) -> impl Iterator<Item = &String> {
        [
            &self.authorization,
            &self.device_authorization,
            &self.end_session,
            &self.introspection,
            &self.jwks_uri,
            &self.pushed_authorization_request,
            &self.revocation,
            &self.token,
            &self.userinfo,
        ]
        .into_iter()
        .flatten()
    }
}

impl Oauth {
    pub fn address(&self) -> &str {
        self.issuer.as_deref().or(self.endpoints.token.as_deref()).unwrap_or_default()
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    issuer: Option<String>,
    client_id: String,
    client_secret: Option<String>,
    client_auth: Option<Auth>,
    scopes: Option<Vec<String>>,
    audience: Option<String>,
    #[serde(default)]
    resource_indicators: Vec<String>,
    #[serde(default)]
    grant: Grant,
    dpop: Option<bool>,
    redirect_host: Option<String>,
    redirect_port: Option<u16>,
    redirect_path: Option<String>,
    probe: Option<Probe>,
    #[serde(default)]
    rejects: Vec<Match>,
    #[serde(default)]
    take: Take,
    #[serde(default)]
    refused: Vec<Match>,
    #[serde(default)]
    retry: Vec<Match>,
    #[serde(default)]
    endpoints: Endpoints,
    #[serde(default)]
    extra: ExtraTables,
}

/// The names of RFC 7591, section 2.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Auth {
    ClientSecretBasic,
    ClientSecretPost,
    None,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct ExtraTables {
    authorize: BTreeMap<String, String>,
    device: BTreeMap<String, String>,
    refresh: BTreeMap<String, String>,
    revoke: BTreeMap<String, String>,
    token: BTreeMap<String, String>,
}

pub(super) fn read(item: &Item, allow_http: bool) -> Result<Oauth, Box<Wrong>> {
    let whole = || item.span();
    let wrong = |field: &str, told: hint::Told| {
        Box::new(Wrong { field: field.to_owned(), span: span_of(item, field).or_else(whole), told })
    };
    if item.as_table_like().is_none() {
        let problem = Problem::NotATable { key: "oauth".to_owned() };
        return Err(wrong("", (problem, hint::write("[profile.NAME.oauth]"))));
    }
    let nothing = (Problem::Empty { key: "oauth".to_owned() }, Some(Advice::IssuerOrToken));
    let value = item.clone().into_value().map_err(|_| wrong("", nothing))?;
    let said =
        Written::deserialize(value.into_deserializer()).map_err(|error| Wrong::of_serde(&error, item))?;
    said.check(allow_http, &wrong)?;
    Ok(said.into_oauth())
}

impl Written {
    fn check(
        &self,
        allow_http: bool,
        wrong: &dyn Fn(&str, hint::Told) -> Box<Wrong>,
    ) -> Result<(), Box<Wrong>> {
        let told = |field, problem: fn(String) -> Problem, hint| {
            Err(wrong(field, (problem(field.to_owned()), Some(hint))))
        };
        match (&self.issuer, &self.endpoints.token) {
            (None, None) => return told("issuer", |key| Problem::Missing { key }, Advice::IssuerOrToken),
            (Some(issuer), _) => check_issuer(issuer, allow_http).map_err(|told| wrong("issuer", told))?,
            (None, Some(_)) => {}
        }
        for url in self.endpoints.all() {
            rules::check_endpoint(url, allow_http).map_err(|told| wrong("endpoints", told))?;
        }
        if self.client_id.trim().is_empty() {
            return told("client_id", |key| Problem::Empty { key }, Advice::ClientId);
        }
        if self.redirect_host.as_ref().is_some_and(|host| !HOSTS.contains(&host.as_str())) {
            let hint = Advice::Loopback { known: hint::listed(&HOSTS) };
            return told("redirect_host", |key| Problem::NotThisMachine { key }, hint);
        }
        if self.redirect_port == Some(0) {
            return told("redirect_port", |_| Problem::PortZero, Advice::LeaveOutPort);
        }
        if self.redirect_path.as_ref().is_some_and(|path| !is_path(path)) {
            let hint = Advice::Write { example: r#"redirect_path = "/callback""#.to_owned() };
            return told("redirect_path", |key| Problem::NoPath { key }, hint);
        }
        if let Some(flaw) = self.refused.iter().find_map(|rule| rule.check_refused().err()) {
            return Err(wrong("refused", (flaw.into(), None)));
        }
        // RFC 8707, section 2: an absolute URI without a fragment.
        let is_none = |indicator: &&String| !indicator.contains(':') || indicator.contains('#');
        match self.resource_indicators.iter().find(is_none).cloned() {
            Some(written) => {
                let told = (Problem::NotAnIndicator { written }, Some(Advice::Indicator));
                Err(wrong("resource_indicators", told))
            }
            None => Ok(()),
        }
    }

    fn into_oauth(self) -> Oauth {
        let auth = self.client_auth.map(|auth| match auth {
            Auth::ClientSecretBasic => ClientAuth::SecretBasic,
            Auth::ClientSecretPost => ClientAuth::SecretPost,
            Auth::None => ClientAuth::None,
        });
        let ExtraTables { authorize, device, refresh, revoke, token } = self.extra;
        Oauth {
            client: ClientRegistration {
                secret: self.client_secret.map(Secret::new),
                auth: auth.unwrap_or_default(),
                scopes: self.scopes.clone().unwrap_or_default(),
                audience: self.audience,
                resources: self.resource_indicators,
                extra: Extra { authorize, device, refresh, revoke, token },
                ..ClientRegistration::public(self.client_id.trim())
            },
            issuer: self.issuer,
            endpoints: self.endpoints,
            auth,
            scopes: self.scopes,
            grant: self.grant,
            dpop: self.dpop,
            redirect: Redirect {
                host: self.redirect_host.unwrap_or_else(|| HOSTS[0].to_owned()),
                port: self.redirect_port,
                path: self.redirect_path.unwrap_or_else(|| "/callback".to_owned()),
            },
            probe: self.probe,
            rejects: self.rejects,
            reading: Reading { take: self.take, refused: self.refused, retry: self.retry },
        }
    }
}

/// Issuers are compared byte by byte, so nothing is normalized (RFC 8414, section 2).
pub fn check_issuer(text: &str, allow_http: bool) -> Result<(), hint::Told> {
    rules::check_url(text, allow_http)?;
    if text.trim() != text {
        return Err((Problem::IssuerSpace, Some(Advice::LeaveOutSpace)));
    }
    Ok(())
}

fn is_path(path: &str) -> bool {
    path.starts_with('/')
        && path.len() <= 256
        && path.bytes().all(|byte| byte.is_ascii_graphic() && !b"?#\\\"<>".contains(&byte))
}

fn span_of(item: &Item, field: &str) -> Option<Range<usize>> {
    let table = item.as_table_like()?;
    table.get(field).and_then(Item::span).or_else(|| table.key(field).and_then(toml_edit::Key::span))
}

const HOSTS: [&str; 3] = ["127.0.0.1", "localhost", "[::1]"];
