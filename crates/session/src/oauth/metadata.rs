//! What a provider says about itself: OpenID Connect Discovery, RFC 8414, and endpoints written by hand.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use serde_json::Value;

use super::address::Address;
use crate::bounds;
use crate::wire::answer::Answer;
use crate::wire::answer::Body;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Metadata {
    /// Unknown where the endpoints were written by hand. No ID token can be checked then.
    pub issuer: Option<String>,
    pub token_endpoint: String,
    pub authorization_endpoint: Option<String>,
    pub device_authorization_endpoint: Option<String>,
    pub end_session_endpoint: Option<String>,
    pub introspection_endpoint: Option<String>,
    pub jwks_uri: Option<String>,
    pub pushed_authorization_request_endpoint: Option<String>,
    pub revocation_endpoint: Option<String>,
    pub userinfo_endpoint: Option<String>,
    pub code_challenge_methods_supported: Vec<String>,
    pub dpop_signing_alg_values_supported: Vec<String>,
    pub grant_types_supported: Vec<String>,
    pub id_token_signing_alg_values_supported: Vec<String>,
    pub scopes_supported: Vec<String>,
    pub token_endpoint_auth_methods_supported: Vec<String>,
    pub authorization_response_iss_parameter_supported: bool,
    pub require_pushed_authorization_requests: bool,
    /// Endpoints that are named, and not used because their address is not safe.
    pub ignored: Vec<&'static str>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MetadataProblem {
    /// It is for another issuer (RFC 8414, section 3.3), or for none.
    Issuer {
        found: Option<String>,
    },
    Garbled,
    Missing(&'static str),
    NotJson,
    /// Neither https nor this machine, or no address at all.
    Unsafe {
        field: &'static str,
        url: String,
    },
}

/// Where to look, in this order: OpenID Connect appends (Discovery, section 4), RFC 8414 inserts, and some insert what
/// the others append (RFC 8414, section 5). Nothing for what is no issuer.
pub fn well_known(issuer: &str) -> Vec<String> {
    let Some(address) =
        Address::read(issuer).filter(|address| !address.has_query() && !address.has_fragment())
    else {
        return Vec::new();
    };
    let (origin, path) = (address.origin(), address.path().trim_end_matches('/'));
    let mut urls = Vec::from([
        format!("{origin}{path}/.well-known/openid-configuration"),
        format!("{origin}/.well-known/oauth-authorization-server{path}"),
    ]);
    if !path.is_empty() {
        urls.push(format!("{origin}/.well-known/openid-configuration{path}"));
    }
    urls
}

impl Metadata {
    pub fn of(answer: &Answer<'_>, issuer: &str, allow_http: bool) -> Result<Self, MetadataProblem> {
        Self::read(answer.body, issuer, allow_http).map_err(|problem| match (problem, answer.read()) {
            (MetadataProblem::NotJson, Body::CutShort | Body::Garbled) => MetadataProblem::Garbled,
            (problem, _) => problem,
        })
    }

    /// Issuers are compared letter by letter.
    pub fn read(json: &[u8], issuer: &str, allow_http: bool) -> Result<Self, MetadataProblem> {
        let json: Value = serde_json::from_slice(json).map_err(|_| MetadataProblem::NotJson)?;
        let text = |name: &str| json.get(name).and_then(Value::as_str).map(str::to_string);
        let found = text("issuer");
        if found.as_deref() != Some(issuer) {
            return Err(MetadataProblem::Issuer { found });
        }
        let metadata = Self {
            issuer: found,
            token_endpoint: text("token_endpoint").ok_or(MetadataProblem::Missing("token_endpoint"))?,
            authorization_endpoint: text("authorization_endpoint"),
            device_authorization_endpoint: text("device_authorization_endpoint"),
            end_session_endpoint: text("end_session_endpoint"),
            introspection_endpoint: text("introspection_endpoint"),
            jwks_uri: text("jwks_uri"),
            pushed_authorization_request_endpoint: text("pushed_authorization_request_endpoint"),
            revocation_endpoint: text("revocation_endpoint"),
            userinfo_endpoint: text("userinfo_endpoint"),
            code_challenge_methods_supported: list(&json, "code_challenge_methods_supported"),
            dpop_signing_alg_values_supported: list(&json, "dpop_signing_alg_values_supported"),
            grant_types_supported: list(&json, "grant_types_supported"),
            id_token_signing_alg_values_supported: list(&json, "id_token_signing_alg_values_supported"),
            scopes_supported: list(&json, "scopes_supported"),
            token_endpoint_auth_methods_supported: list(&json, "token_endpoint_auth_methods_supported"),
            authorization_response_iss_parameter_supported: flag(
                &json,
                "authorization_response_iss_parameter_supported",
            ),
            require_pushed_authorization_requests: flag(&json, "require_pushed_authorization_requests"),
            ignored: Vec::new(),
        };
        metadata.checked(allow_http)
    }

    /// An unsafe address is a problem where a sign-in needs it, and ignored elsewhere; also for those written by hand.
    pub fn checked(mut self, allow_http: bool) -> Result<Self, MetadataProblem> {
        let is_safe = |url: &str| {
            url.len() <= bounds::ADDRESS
                && Address::read(url)
                    .is_some_and(|address| address.is_safe(allow_http) && !address.has_fragment())
        };
        let needed = [
            ("token_endpoint", Some(&self.token_endpoint)),
            ("authorization_endpoint", self.authorization_endpoint.as_ref()),
        ];
        for (field, url) in needed {
            if let Some(url) = url.filter(|url| !is_safe(url)) {
                return Err(MetadataProblem::Unsafe { field, url: url.clone() });
            }
        }
        let mut ignored = core::mem::take(&mut self.ignored);
        for (field, endpoint) in self.dispensable() {
            if endpoint.take_if(|url| !is_safe(url)).is_some() {
                ignored.push(field);
            }
        }
        Ok(Self { ignored, ..self })
    }

    /// Some providers name an endpoint in one of their two documents only.
    pub fn complete(&mut self, mut other: Self) {
        let mut ignored = core::mem::take(&mut self.ignored);
        ignored.append(&mut other.ignored);
        for ((field, ours), (_, theirs)) in self.dispensable().into_iter().zip(other.dispensable()) {
            *ours = ours.take().or(theirs.take());
            if ours.is_some() {
                ignored.retain(|ignored| *ignored != field);
            }
        }
        ignored.sort_unstable();
        ignored.dedup();
        self.ignored = ignored;
        self.authorization_endpoint = self.authorization_endpoint.take().or(other.authorization_endpoint);
    }

    fn dispensable(&mut self) -> [(&'static str, &mut Option<String>); 7] {
        [
            ("device_authorization_endpoint", &mut self.device_authorization_endpoint),
            ("end_session_endpoint", &mut self.end_session_endpoint),
            ("introspection_endpoint", &mut self.introspection_endpoint),
            ("jwks_uri", &mut self.jwks_uri),
            ("pushed_authorization_request_endpoint", &mut self.pushed_authorization_request_endpoint),
            ("revocation_endpoint", &mut self.revocation_endpoint),
            ("userinfo_endpoint", &mut self.userinfo_endpoint),
        ]
    }

    pub fn is_complete(&self) -> bool {
        self.revocation_endpoint.is_some()
            && self.introspection_endpoint.is_some()
            && self.device_authorization_endpoint.is_some()
    }

    /// Large providers have endpoints on another origin on purpose, but a person may want to know.
    pub fn elsewhere(&self) -> Vec<&str> {
        let origin = |url: &str| Address::read(url).map(|address| address.origin());
        let Some(home) = self.issuer.as_deref().and_then(origin) else { return Vec::new() };
        [
            Some(&self.token_endpoint),
            self.authorization_endpoint.as_ref(),
            self.device_authorization_endpoint.as_ref(),
            self.end_session_endpoint.as_ref(),
            self.introspection_endpoint.as_ref(),
            self.jwks_uri.as_ref(),
            self.pushed_authorization_request_endpoint.as_ref(),
            self.revocation_endpoint.as_ref(),
            self.userinfo_endpoint.as_ref(),
        ]
        .into_iter()
        .flatten()
        .map(String::as_str)
        .filter(|url| origin(url).as_ref() != Some(&home))
        .collect()
    }

    pub fn supports_dpop(&self) -> bool {
        self.dpop_signing_alg_values_supported.iter().any(|alg| alg == "ES256")
    }
}

fn list(json: &Value, name: &str) -> Vec<String> {
    let first = |words: &mut dyn Iterator<Item = &str>| {
        words.filter(|word| is_word(word)).take(bounds::LISTED).map(str::to_string).collect()
    };
    match json.get(name) {
        Some(Value::Array(list)) => first(&mut list.iter().filter_map(Value::as_str)),
        Some(Value::String(text)) => first(&mut text.split_whitespace()),
        _ => Vec::new(),
    }
}

/// Scopes may be addresses. Anything else that is listed is shorter, and no word of a protocol is invisible.
fn is_word(text: &str) -> bool {
    text.len() <= bounds::ADDRESS && !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())
}

fn flag(json: &Value, name: &str) -> bool {
    json.get(name).is_some_and(|value| value.as_bool() == Some(true) || value.as_str() == Some("true"))
}
