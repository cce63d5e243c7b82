//! The browser comes back with something else than a code, or not the way that was agreed.

use api::Code;
use serde_json::json;

use super::browser::{Visit, query};
use super::{Stage, all, each, issuers, profiles};
use crate::harness::{Issuer, Say};

/// RFC 6749, section 4.1.2.1; OpenID Connect Core, section 3.1.2.6; RFC 8707, section 2.
#[test]
fn every_error_on_the_way_back_is_told_and_costs_nothing() {
    let rows = [
        ("access_denied", Code::SignInDenied),
        ("invalid_request", Code::Misconfigured),
        ("invalid_scope", Code::ScopeRefused),
        ("server_error", Code::ServerError),
        ("temporarily_unavailable", Code::ServerError),
        ("unauthorized_client", Code::ClientRefused),
        ("unsupported_response_type", Code::WayUnsupported),
        ("account_selection_required", Code::SignInDenied),
        ("consent_required", Code::SignInDenied),
        ("interaction_required", Code::SignInDenied),
        ("login_required", Code::SignInDenied),
        ("invalid_request_object", Code::Misconfigured),
        ("invalid_request_uri", Code::Misconfigured),
        ("invalid_target", Code::Misconfigured),
        ("registration_not_supported", Code::Misconfigured),
        ("request_not_supported", Code::Misconfigured),
        ("request_uri_not_supported", Code::Misconfigured),
        ("something_of_its_own", Code::Misconfigured),
        ("<script>alert(1)</script>", Code::Misconfigured),
        ("two\nlines", Code::Misconfigured),
    ];
    let issuers = issuers(&rows);
    let stage = Stage::with(&profiles(&issuers, ""));
    each(&rows, &issuers, |(error, code), profile, issuer| {
        let description = ("error_description", "ask whoever runs this");
        let failure = stage.fails(profile, issuer, |visit| {
            assert_eq!(visit.comes_back_with(issuer, &[("error", error), description]).status, 303);
            let page = visit.calls("/done");
            assert!(page.status == 200 && page.body.contains("That did not work"), "{page:?}");
        });
        assert_eq!(failure.code, *code, "{error}: {failure:?}");
        assert!(failure.details.values().any(|value| value.contains(description.1)), "{failure:?}");
        // What is no code of the standard's alphabet is not repeated.
        let repeated = failure.details.values().any(|value| value.contains(['<', '\n']));
        assert!(!repeated, "{failure:?}");
        assert_eq!(issuer.asked("/token authorization_code").len(), 1, "nothing to buy tokens with");
    });
    stage.ends_discreetly(&all(&issuers));
}

/// RFC 9126, section 2.3: what is said of a pushed request would be said again at a page that only the person sees, and the
/// command would wait for it without a word. Whoever only does not take pushed requests is asked in the ordinary way.
#[test]
fn a_pushed_request_that_is_refused_for_what_it_asks_is_told() {
    let said = |status, code| {
        Say::json(status, &json!({"error": code, "error_description": "not registered for this client"}))
    };
    let rows = [
        (said(400, "invalid_redirect_uri"), Some(Code::Misconfigured)),
        (said(400, "invalid_request"), Some(Code::Misconfigured)),
        (said(400, "invalid_scope"), Some(Code::ScopeRefused)),
        (said(400, "invalid_target"), Some(Code::Misconfigured)),
        (said(401, "invalid_client"), None),
        (Say::page(404), None),
        (Say::HangUp, None),
    ];
    let issuers = issuers(&rows);
    let stage = Stage::with(&profiles(&issuers, ""));
    each(&rows, &issuers, |(say, code), profile, issuer| {
        let endpoint = format!("{}/par", issuer.url());
        issuer.describes_itself(json!({"pushed_authorization_request_endpoint": endpoint}));
        issuer.says("/par", say.clone());
        match (stage.begin(profile), code) {
            (Err(failure), Some(code)) => {
                assert_eq!(failure.code, *code, "{failure:?}");
                assert!(
                    failure.details.values().any(|value| value.contains("not registered")),
                    "{failure:?}"
                );
            }
            (Ok(visit), None) => {
                visit.comes_back(issuer);
                stage.finish(profile).unwrap();
            }
            (begun, _) => panic!("{say:?}: {:?}", begun.map(|_| ())),
        }
    });
    stage.ends_discreetly(&all(&issuers));
}

#[test]
fn an_answer_that_is_not_as_agreed_brings_no_tokens() {
    type Query = fn(&Visit, &Issuer) -> String;
    let rows: [(&str, Code, Query); 8] = [
        ("the issuer of another", Code::WrongIssuer, |visit, issuer| {
            let code = issuer.code(&visit.nonce);
            query(&[("code", &code), ("state", &visit.state), ("iss", "https://evil.example")])
        }),
        ("a slash after the issuer", Code::WrongIssuer, |visit, issuer| {
            let (code, iss) = (issuer.code(&visit.nonce), format!("{}/", issuer.url()));
            query(&[("code", &code), ("state", &visit.state), ("iss", &iss)])
        }),
        ("no issuer, though it was announced", Code::WrongIssuer, |visit, issuer| {
            query(&[("code", &issuer.code(&visit.nonce)), ("state", &visit.state)])
        }),
        ("an error of another issuer", Code::WrongIssuer, |visit, _| {
            query(&[("error", "access_denied"), ("state", &visit.state), ("iss", "https://evil.example")])
        }),
        ("the issuer twice", Code::Misconfigured, |visit, issuer| {
            format!("{}&iss=https%3A%2F%2Fevil.example", visit.query(issuer))
        }),
        ("the code twice", Code::Misconfigured, |visit, issuer| {
            format!("{}&code={}", visit.query(issuer), issuer.code(&visit.nonce))
        }),
        ("no code", Code::Misconfigured, |visit, issuer| {
            query(&[("state", &visit.state), ("iss", issuer.url())])
        }),
        ("an empty code", Code::Misconfigured, |visit, issuer| {
            query(&[("code", ""), ("state", &visit.state), ("iss", issuer.url())])
        }),
    ];
    let issuers = issuers(&rows);
    let stage = Stage::with(&profiles(&issuers, ""));
    each(&rows, &issuers, |(what, code, query), profile, issuer| {
        let failure = stage.fails(profile, issuer, |visit| {
            assert_eq!(visit.lands(&query(visit, issuer)).status, 303, "{what}");
            assert!(visit.calls("/done").body.contains("That did not work"), "{what}");
        });
        assert_eq!(failure.code, *code, "{what}: {failure:?}");
        assert_eq!(issuer.asked("/token authorization_code").len(), 1, "{what}");
    });
    stage.ends_discreetly(&all(&issuers));
}

/// RFC 9207, section 2.4: who never said that it would name itself need not.
#[test]
fn a_provider_that_announces_no_issuer_need_not_name_one() {
    let issuer = Issuer::start();
    issuer.describes_itself(serde_json::json!({"authorization_response_iss_parameter_supported": null}));
    let stage = Stage::with(&issuer.profile("p0", ""));
    let visit = stage.begin("p0").unwrap();
    let code = issuer.code(&visit.nonce);
    assert_eq!(visit.lands(&query(&[("code", &code), ("state", &visit.state)])).status, 303);
    stage.finish("p0").unwrap();
    stage.ends_discreetly(&[&issuer]);
}

/// Row G3.
#[test]
fn a_code_of_eight_kibibytes_is_a_code() {
    let issuer = Issuer::start();
    let stage = Stage::with(&issuer.profile("p0", ""));
    let visit = stage.begin("p0").unwrap();
    // Every character of it has to be escaped.
    let code = "canary+/".repeat(1024);
    issuer.remember_code(&code, &visit.nonce);
    assert_eq!(visit.comes_back_with(&issuer, &[("code", &code)]).status, 303);
    stage.finish("p0").unwrap();
    assert_eq!(issuer.asked("/token authorization_code")[0].form["code"], code);
    stage.ends_discreetly(&[&issuer]);
}

/// Whoever waits for the end of it gets the same answer, however late they ask.
#[test]
fn the_end_is_told_to_everybody_who_asks() {
    let issuer = Issuer::start();
    issuer.says("/token", Say::error(400, "invalid_grant"));
    let stage = Stage::with(&issuer.profile("p0", ""));
    let visit = stage.begin("p0").unwrap();
    let early = std::thread::scope(|scope| {
        let early = scope.spawn(|| stage.finish("p0").unwrap_err());
        assert_eq!(visit.comes_back(&issuer).status, 303);
        early.join().unwrap()
    });
    let late = stage.finish("p0").unwrap_err();
    assert_eq!(early.code, late.code);
    stage.ends_discreetly(&[&issuer]);
}
