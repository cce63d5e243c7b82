use axum::http::StatusCode;
use serde_json::{Value, json};

use super::refusal::json;
use super::words::{DEVICE_CODE, FOREIGN_ISSUER, STEPPED_UP};
use crate::broken::Broken;
use crate::exchange::Exchange;
use crate::ledger::Scopes;
use crate::reply::{Fields, Reply};
use crate::settings::Dpop;

pub(super) fn metadata(exchange: &mut Exchange<'_>) -> Result<Reply, Broken> {
    let settings = &exchange.settings.oauth;
    let tweaks = &exchange.tweaks.oauth;
    let issuer = exchange.issuer();
    let base = if tweaks.http_endpoints { ELSEWHERE.to_owned() } else { issuer.clone() };
    let at = |path: &str| Value::from(format!("{base}{path}"));
    let mut grants = vec!["authorization_code", "refresh_token", DEVICE_CODE, "client_credentials"];
    if settings.password_grant {
        grants.push("password");
    }
    let dpop = (settings.dpop != Dpop::Off).then(|| json!(["ES256"]));
    let body = Fields::default()
        .with("issuer", if tweaks.foreign_metadata { FOREIGN_ISSUER.to_owned() } else { issuer })
        .with("authorization_endpoint", at("/authorize"))
        .with("token_endpoint", at("/token"))
        .with("jwks_uri", at("/jwks"))
        .with("userinfo_endpoint", at("/userinfo"))
        .with("revocation_endpoint", at("/revoke"))
        .with("introspection_endpoint", at("/introspect"))
        .with("device_authorization_endpoint", at("/device_authorization"))
        .with("pushed_authorization_request_endpoint", at("/par"))
        .with("end_session_endpoint", at("/end_session"))
        .with("require_pushed_authorization_requests", settings.require_pushed)
        .with("response_types_supported", json!(["code"]))
        .with("response_modes_supported", json!(["query"]))
        .with("grant_types_supported", json!(grants))
        .with("scopes_supported", json!(Scopes::KNOWN))
        .with("code_challenge_methods_supported", json!(["S256"]))
        .with("authorization_response_iss_parameter_supported", true)
        .with_some("dpop_signing_alg_values_supported", dpop)
        .with("token_endpoint_auth_methods_supported", json!(["none", BASIC, POST]))
        .with("revocation_endpoint_auth_methods_supported", json!(["none", BASIC, POST]))
        .with("introspection_endpoint_auth_methods_supported", json!([BASIC, POST]))
        .with("subject_types_supported", json!(["public"]))
        .with("id_token_signing_alg_values_supported", json!(["ES256"]))
        .with("acr_values_supported", json!([STEPPED_UP]))
        .with("claims_supported", json!(["sub", "name", "preferred_username", "email", "email_verified"]))
        .with("request_uri_parameter_supported", false);
    Ok(json(StatusCode::OK, &body))
}

pub(super) fn keys(exchange: &mut Exchange<'_>) -> Result<Reply, Broken> {
    Ok(json(StatusCode::OK, &json!({"keys": [exchange.mint.signer.public().jwk()]})))
}

const ELSEWHERE: &str = "http://sandbox.pilotlight.invalid/oauth";
const BASIC: &str = "client_secret_basic";
const POST: &str = "client_secret_post";
