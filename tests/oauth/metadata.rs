//! What providers say about themselves.

use serde_json::{Value, json};
use session::oauth::metadata::{Metadata, MetadataProblem, well_known};

use crate::{ISSUER, answer};

/// What oidc-provider 9 and django-oauth-toolkit 3 say, without what nobody reads.
const OIDC_PROVIDER: &str = r#"{"authorization_endpoint":"http://127.0.0.1:3100/auth","device_authorization_endpoint":"http://127.0.0.1:3100/device/auth","code_challenge_methods_supported":["S256"],"end_session_endpoint":"http://127.0.0.1:3100/session/end","grant_types_supported":["implicit","authorization_code","refresh_token","urn:ietf:params:oauth:grant-type:device_code"],"issuer":"http://127.0.0.1:3100","jwks_uri":"http://127.0.0.1:3100/jwks","registration_endpoint":"http://127.0.0.1:3100/reg","authorization_response_iss_parameter_supported":true,"scopes_supported":["openid","offline_access","email","profile"],"token_endpoint_auth_methods_supported":["client_secret_basic","client_secret_jwt","client_secret_post","private_key_jwt","none"],"token_endpoint":"http://127.0.0.1:3100/token","id_token_signing_alg_values_supported":["RS256"],"pushed_authorization_request_endpoint":"http://127.0.0.1:3100/request","userinfo_endpoint":"http://127.0.0.1:3100/me","introspection_endpoint":"http://127.0.0.1:3100/token/introspection","dpop_signing_alg_values_supported":["ES256","Ed25519","EdDSA"],"revocation_endpoint":"http://127.0.0.1:3100/token/revocation","claim_types_supported":["normal"]}"#;
const TOOLKIT: &str = r#"{"issuer": "http://127.0.0.1:3104/o", "authorization_endpoint": "http://127.0.0.1:3104/o/authorize/", "token_endpoint": "http://127.0.0.1:3104/o/token/", "userinfo_endpoint": "http://127.0.0.1:3104/o/userinfo/", "jwks_uri": "http://127.0.0.1:3104/o/.well-known/jwks.json", "scopes_supported": ["openid", "read", "write", "offline_access"], "id_token_signing_alg_values_supported": ["RS256", "HS256"], "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"], "code_challenge_methods_supported": ["plain", "S256"], "end_session_endpoint": "http://127.0.0.1:3104/o/logout/"}"#;

/// OpenID Connect Discovery, section 4; RFC 8414, sections 3 and 5.
#[test]
fn metadata_is_looked_for_in_both_places() {
    let table: [(&str, &[&str]); 7] = [
        (
            "https://id.example",
            &[
                "https://id.example/.well-known/openid-configuration",
                "https://id.example/.well-known/oauth-authorization-server",
            ],
        ),
        (
            "https://id.example/",
            &[
                "https://id.example/.well-known/openid-configuration",
                "https://id.example/.well-known/oauth-authorization-server",
            ],
        ),
        (
            "http://127.0.0.1:3104/o",
            &[
                "http://127.0.0.1:3104/o/.well-known/openid-configuration",
                "http://127.0.0.1:3104/.well-known/oauth-authorization-server/o",
                "http://127.0.0.1:3104/.well-known/openid-configuration/o",
            ],
        ),
        (
            "https://id.example/realms/a/",
            &[
                "https://id.example/realms/a/.well-known/openid-configuration",
                "https://id.example/.well-known/oauth-authorization-server/realms/a",
                "https://id.example/.well-known/openid-configuration/realms/a",
            ],
        ),
        ("https://id.example/?tenant=a", &[]),
        ("https://id.example/#a", &[]),
        ("id.example", &[]),
    ];
    for (issuer, urls) in table {
        assert_eq!(well_known(issuer), urls, "{issuer}");
    }
}

#[test]
fn what_real_servers_say_is_understood() {
    let metadata = Metadata::read(OIDC_PROVIDER.as_bytes(), "http://127.0.0.1:3100", false).unwrap();
    assert_eq!(metadata.issuer.as_deref(), Some("http://127.0.0.1:3100"));
    assert_eq!(metadata.token_endpoint, "http://127.0.0.1:3100/token");
    let endpoints = [
        (&metadata.authorization_endpoint, "/auth"),
        (&metadata.device_authorization_endpoint, "/device/auth"),
        (&metadata.end_session_endpoint, "/session/end"),
        (&metadata.introspection_endpoint, "/token/introspection"),
        (&metadata.jwks_uri, "/jwks"),
        (&metadata.pushed_authorization_request_endpoint, "/request"),
        (&metadata.revocation_endpoint, "/token/revocation"),
        (&metadata.userinfo_endpoint, "/me"),
    ];
    for (endpoint, path) in endpoints {
        assert_eq!(endpoint.as_deref(), Some(format!("http://127.0.0.1:3100{path}").as_str()));
    }
    assert_eq!(metadata.code_challenge_methods_supported, ["S256"]);
    assert_eq!(metadata.grant_types_supported.len(), 4);
    assert_eq!(metadata.scopes_supported.len(), 4);
    assert_eq!(metadata.token_endpoint_auth_methods_supported.len(), 5);
    assert_eq!(metadata.id_token_signing_alg_values_supported, ["RS256"]);
    assert!(metadata.authorization_response_iss_parameter_supported);
    assert!(!metadata.require_pushed_authorization_requests);
    assert!(metadata.supports_dpop() && metadata.ignored.is_empty() && metadata.elsewhere().is_empty());

    let metadata = Metadata::read(TOOLKIT.as_bytes(), "http://127.0.0.1:3104/o", false).unwrap();
    assert!(!metadata.authorization_response_iss_parameter_supported && !metadata.supports_dpop());
    assert_eq!((metadata.device_authorization_endpoint, metadata.revocation_endpoint), (None, None));
}

/// RFC 8414, section 3.3: whoever answers for somebody else is not listened to.
#[test]
fn the_issuer_is_the_one_that_was_asked_letter_by_letter() {
    for found in [
        json!("https://id.example/"),
        json!("https://ID.example"),
        json!("https://id.example:443"),
        json!("http://id.example"),
        json!("https://evil.example"),
        json!(""),
        json!(null),
        json!(7),
    ] {
        let problem = read(json!({ "issuer": found, "token_endpoint": "https://id.example/token" }), false);
        let found = found.as_str().map(str::to_owned);
        assert_eq!(problem, Err(MetadataProblem::Issuer { found }));
    }
}

/// Rows T18, T21: no token goes where anybody on the way can read it, and no page is opened that is none.
#[test]
fn addresses_that_are_not_safe_are_not_used() {
    let unsafe_ = [
        "http://id.example/x",
        "http://127.0.0.1.evil.example/x",
        "http://localhost@evil.example/x",
        "https://user@id.example/x",
        "ftp://id.example/x",
        "javascript:alert(1)",
        "/x",
        "",
        "https://id.example/x y",
        "https://id.example/x#y",
    ];
    for url in unsafe_ {
        for field in ["token_endpoint", "authorization_endpoint"] {
            let problem = read(with(field, json!(url)), false).unwrap_err();
            assert_eq!(problem, MetadataProblem::Unsafe { field, url: url.into() });
        }
        for field in [
            "device_authorization_endpoint",
            "end_session_endpoint",
            "introspection_endpoint",
            "jwks_uri",
            "pushed_authorization_request_endpoint",
            "revocation_endpoint",
            "userinfo_endpoint",
        ] {
            let metadata = read(with(field, json!(url)), false).unwrap();
            assert_eq!(metadata.ignored, [field], "{url}");
            assert_eq!(
                metadata,
                Metadata { ignored: vec![field], ..read(with(field, json!(null)), false).unwrap() }
            );
            let url = "http://[::1]:3100/x";
            assert_eq!(read(with(field, json!(url)), false).unwrap().ignored, [""; 0], "this machine");
        }
    }
    assert!(
        read(with("token_endpoint", json!("http://id.example/x")), true).is_ok(),
        "where a person allows it"
    );
    assert!(read(with("token_endpoint", json!("ftp://id.example/x")), true).is_err(), "but nothing else");
}

#[test]
fn what_is_odd_in_lists_and_flags_is_overlooked() {
    let metadata = read(
        json!({
            "issuer": ISSUER,
            "token_endpoint": "https://id.example/token",
            "authorization_endpoint": ["no", "text"],
            "scopes_supported": "openid offline_access",
            "grant_types_supported": null,
            "code_challenge_methods_supported": ["S256", 7, null],
            "authorization_response_iss_parameter_supported": "true",
            "require_pushed_authorization_requests": true,
        }),
        false,
    )
    .unwrap();
    assert_eq!(metadata.scopes_supported, ["openid", "offline_access"]);
    assert_eq!(metadata.code_challenge_methods_supported, ["S256"]);
    assert_eq!((metadata.grant_types_supported.len(), metadata.authorization_endpoint), (0, None));
    assert!(metadata.authorization_response_iss_parameter_supported);
    assert!(metadata.require_pushed_authorization_requests);
}

#[test]
fn what_is_no_metadata_is_told() {
    for body in ["", "<html>", "{\"issuer\":"] {
        assert_eq!(Metadata::read(body.as_bytes(), ISSUER, false), Err(MetadataProblem::NotJson));
    }
    for (body, problem) in [
        ("<html>", MetadataProblem::NotJson),
        ("hello", MetadataProblem::Garbled),
        ("{'issuer':'x'}", MetadataProblem::Garbled),
        ("{\"issuer\":", MetadataProblem::Garbled),
    ] {
        assert_eq!(Metadata::of(&answer(200, body), ISSUER, false), Err(problem), "{body}");
    }
    assert_eq!(read(json!([]), false), Err(MetadataProblem::Issuer { found: None }));
    assert_eq!(read(json!({ "issuer": ISSUER }), false), Err(MetadataProblem::Missing("token_endpoint")));
}

#[test]
fn endpoints_written_by_hand_are_held_to_the_same() {
    let by_hand = |url: &str| Metadata { token_endpoint: url.into(), ..Metadata::default() };
    let metadata = by_hand("https://id.example/token").checked(false).unwrap();
    assert_eq!((metadata.issuer.clone(), metadata.elsewhere().len()), (None, 0));
    assert!(by_hand("http://id.example/token").checked(false).is_err());
    assert!(by_hand("").checked(true).is_err());
}

/// Some name an endpoint in one of their two documents only. What one says, and can be used, the other never changes.
#[test]
fn two_documents_of_one_issuer_complete_each_other() {
    let url = |name: &str| format!("https://id.example/{name}");
    let fields = [
        "authorization_endpoint",
        "device_authorization_endpoint",
        "end_session_endpoint",
        "introspection_endpoint",
        "jwks_uri",
        "pushed_authorization_request_endpoint",
        "revocation_endpoint",
        "userinfo_endpoint",
    ];
    for (at, field) in fields.iter().enumerate() {
        let mut one = json!({ "issuer": ISSUER, "token_endpoint": url("token"), "scopes_supported": ["a"] });
        let mut other = json!({ "issuer": ISSUER, "token_endpoint": url("token/other") });
        for (place, field) in fields.iter().enumerate() {
            let of = if place == at { &mut other } else { &mut one };
            of[field] = json!(url(field));
        }
        let both = json!({ "issuer": ISSUER, "token_endpoint": url("token"), "scopes_supported": ["a"] });
        let both = read(
            fields.iter().fold(both, |mut all, field| {
                all[field] = json!(url(field));
                all
            }),
            false,
        );
        let mut completed = read(one, false).unwrap();
        let needed = ["device_authorization_endpoint", "introspection_endpoint", "revocation_endpoint"];
        assert_eq!(completed.is_complete(), !needed.contains(field), "{field}");
        completed.complete(read(other.clone(), false).unwrap());
        assert_eq!(Ok(completed.clone()), both, "{field}");
        assert!(completed.is_complete());
        other[field] = json!(url("other"));
        let before = completed.clone();
        completed.complete(read(other, false).unwrap());
        assert_eq!(completed, before, "{field}");
    }
}

/// What is ignored is what nobody has said safely.
#[test]
fn an_endpoint_that_is_not_safe_is_replaced_by_one_that_is() {
    let with_revocation = |url: &str| read(with("revocation_endpoint", json!(url)), false).unwrap();
    let (unsafe_, safe) =
        (with_revocation("http://id.example/revoke"), with_revocation("https://id.example/revoke"));
    for (mut one, other) in [(unsafe_.clone(), safe.clone()), (safe.clone(), unsafe_.clone())] {
        one.complete(other);
        assert_eq!(one, safe);
    }
    let mut neither = read(with("scopes_supported", json!(null)), false).unwrap();
    neither.complete(unsafe_.clone());
    neither.complete(unsafe_);
    assert_eq!((neither.revocation_endpoint, neither.ignored), (None, vec!["revocation_endpoint"]));
}

#[test]
fn endpoints_elsewhere_are_told() {
    let metadata = read(with("token_endpoint", json!("https://oauth2.example/token")), false).unwrap();
    assert_eq!(metadata.elsewhere(), ["https://oauth2.example/token"]);
}

fn with(field: &str, value: Value) -> Value {
    let mut json = json!({
        "issuer": ISSUER,
        "token_endpoint": "https://ID.example:443/token",
        "authorization_endpoint": "https://id.example/auth",
    });
    json[field] = value;
    json
}

fn read(json: Value, allow_http: bool) -> Result<Metadata, MetadataProblem> {
    Metadata::read(json.to_string().as_bytes(), ISSUER, allow_http)
}
