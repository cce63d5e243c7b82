//! What refuses a refresh token and what does not, by the presets and by rules of a person's own.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use session::recipe::Recipe;
use session::wire::answer::Answer;
use session::wire::flaw::Flaw;

use super::{HTML, JSON, PAGE, answer, clock, meaning_of, preset, refreshed};

/// Rows D1, D2, D3, D4, D5, D10: none of this comes from a provider that means the refresh token, whatever its kind.
#[test]
fn nothing_that_a_network_or_a_broken_server_says_is_dead() {
    for name in Recipe::PRESETS {
        let recipe = preset(name);
        for (status, kind, body, meaning) in [
            (200, HTML, PAGE, "transient NotJson"),
            (200, JSON, PAGE, "transient NotJson"),
            (200, "text/plain", "OK", "transient NotJson"),
            (200, JSON, "{}", "transient Unreadable"),
            (200, JSON, "[]", "transient Unreadable"),
            (200, JSON, "null", "transient Unreadable"),
            (200, JSON, "", "transient Unreadable"),
            (204, JSON, "", "transient Unreadable"),
            (200, JSON, r#"{"error":"invalid_something"}"#, "transient Unreadable"),
            (200, JSON, r#"{"access":"a.b."#, "transient CutShort"),
            (200, JSON, r#"{"access":"a.b.c",}"#, "transient Garbled"),
            (200, "text/plain", r#"{'access':'a.b.c'}"#, "transient Garbled"),
            (200, JSON, "OK", "transient Garbled"),
            (302, HTML, "", "transient Redirected"),
            (307, JSON, r#"{"error":"invalid_grant"}"#, "transient Redirected"),
            (400, HTML, "", "suspect"),
            (400, JSON, r#"{"error":"invalid_request"}"#, "suspect"),
            (401, "", "", "suspect"),
            (403, "", "", "suspect"),
            (403, JSON, r#"{"code":"blocked"}"#, "suspect"),
            (401, HTML, PAGE, "suspect"),
            (403, HTML, PAGE, "transient NotJson"),
            (403, JSON, PAGE, "transient NotJson"),
            (404, HTML, PAGE, "misconfigured"),
            (405, JSON, r#"{"detail":"Method not allowed."}"#, "misconfigured"),
            (407, HTML, PAGE, "transient NotJson"),
            (408, "", "", "transient Status"),
            (415, "", "", "misconfigured"),
            (429, HTML, PAGE, "transient RateLimited"),
            (451, HTML, PAGE, "transient NotJson"),
            (500, JSON, r#"{"code":"token_not_valid","error":"invalid_grant"}"#, "transient Status"),
            (502, HTML, PAGE, "transient Status"),
            (503, "", "", "transient Status"),
            (511, HTML, PAGE, "transient NotJson"),
            (520, HTML, PAGE, "transient Status"),
            (530, HTML, PAGE, "transient Status"),
            (999, "", "", "transient Status"),
        ] {
            assert_eq!(
                refreshed(&recipe, status, kind, body, true),
                meaning,
                "{name} {status} {kind} {body}"
            );
        }
        for body in ["", "error", PAGE] {
            for status in 100..600 {
                assert_ne!(refreshed(&recipe, status, "", body, false), "dead", "{name} {status} {body}");
            }
        }
    }
}

/// Row D10: some servers say no with a status and nothing else. Then it must at least be the server that says it.
#[test]
fn a_status_alone_condemns_only_when_nobody_else_can_have_sent_it() {
    let json = json!({
        "refresh": {
            "path": "/r",
            "send": { "refresh_token": "/t" },
            "take": { "access_token": "/a" },
            "refused": [{ "status": [401, 404] }],
        },
    });
    let recipe: Recipe = serde_json::from_value(json).unwrap();
    for (status, kind, body, authentic, meaning) in [
        (401, "", "", true, "dead"),
        (401, "text/plain", "gone", true, "dead"),
        (401, JSON, r#"{"why":"gone"}"#, false, "dead"),
        (404, JSON, "{}", true, "dead"),
        (401, "", "", false, "suspect"),
        (401, HTML, PAGE, true, "suspect"),
        (401, HTML, PAGE, false, "transient NotJson"),
        (404, HTML, PAGE, true, "misconfigured"),
        (400, "", "", true, "suspect"),
    ] {
        assert_eq!(refreshed(&recipe, status, kind, body, authentic), meaning, "{status} {body} {authentic}");
    }
}

/// What is standardised means the same wherever it is said.
#[test]
fn the_words_of_oauth_are_understood_everywhere() {
    for name in Recipe::PRESETS {
        let recipe = preset(name);
        assert_eq!(refreshed(&recipe, 400, JSON, r#"{"error":"invalid_grant"}"#, true), "dead");
        assert_eq!(refreshed(&recipe, 401, JSON, r#"{"error":"invalid_client"}"#, true), "misconfigured");
        assert_eq!(refreshed(&recipe, 400, JSON, r#"{"error":"invalid_scope"}"#, true), "misconfigured");
    }
}

/// Row D10: on any status and in any place, if it is to the letter; what a gateway could send as well is no rule.
#[test]
fn a_refusal_is_known_by_what_stands_where() {
    let refusing = |rule: Value| {
        let (send, take) =
            (json!({ "refresh_token": "/t" }), json!({ "access_token": "/a", "refresh_token": "/n" }));
        let refresh = json!({ "path": "/r", "send": send, "take": take, "refused": [rule] });
        serde_json::from_value::<Recipe>(json!({ "refresh": refresh })).unwrap()
    };
    let expired = || json!({ "at": "/message", "equals": "jwt expired" });
    let none = BTreeMap::new();
    let code = BTreeMap::from([("x-error".to_owned(), "Token-Expired".to_owned())]);
    let said = r#"{"message":"jwt expired"}"#;
    for (rule, status, headers, body, meaning) in [
        (json!({ "status": 500, "body": expired() }), 500, &none, said, "dead"),
        (json!({ "status": 500, "body": expired() }), 500, &none, r#"{"message":"x"}"#, "transient Status"),
        (json!({ "status": 500, "body": expired() }), 500, &none, PAGE, "transient Status"),
        (json!({ "status": [200, 429], "body": expired() }), 200, &none, said, "dead"),
        (json!({ "status": [200, 429], "body": expired() }), 429, &none, said, "dead"),
        // The new token stands beside it all the same.
        (
            json!({ "status": 200, "body": expired() }),
            200,
            &none,
            r#"{"a":"A","message":"jwt expired"}"#,
            "fresh A ? -",
        ),
        (
            json!({ "status": 503, "header": { "name": "X-Error", "equals": "token-expired" } }),
            503,
            &code,
            "",
            "dead",
        ),
        (
            json!({ "status": 503, "header": { "name": "X-Error", "equals": "token" } }),
            503,
            &code,
            "",
            "transient Status",
        ),
        (json!({ "status": 401, "header": { "name": "X-Error", "exists": true } }), 401, &code, PAGE, "dead"),
        (
            json!({ "status": 401, "header": { "name": "X-Error", "exists": true } }),
            401,
            &none,
            "{}",
            "suspect",
        ),
        (
            json!({ "status": 400, "body": [{ "at": "/code", "equals": 7 }, { "at": "/errors/*/code", "equals": 8 }] }),
            400,
            &none,
            r#"{"errors":[{"code":1},{"code":8}]}"#,
            "dead",
        ),
        (
            json!({ "status": 400, "body": { "at": "/errors/*/code", "equals": 8 }, "unless": { "at": "/errors/*/code", "equals": 1 } }),
            400,
            &none,
            r#"{"errors":[{"code":1},{"code":8}]}"#,
            "suspect",
        ),
    ] {
        let recipe = refusing(rule.clone());
        assert_eq!(recipe.check(), Ok(()), "{rule}");
        let answer = Answer { headers, ..answer(status, JSON, body, false) };
        assert_eq!(meaning_of(recipe.read_refresh(&answer, clock())), meaning, "{rule} {status} {body}");
    }
    // Where it comes from the provider alone, its own page may say so by its kind, or by what is in it.
    for (rule, authentic, meaning) in [
        (json!({ "status": 401, "content_type": "text/html" }), true, "dead"),
        (json!({ "status": 401, "content_type": "text/html" }), false, "transient NotJson"),
        (json!({ "status": 401 }), true, "suspect"),
        (json!({ "status": 401, "header": { "name": "WWW-Authenticate", "exists": true } }), true, "dead"),
        // Whoever is in between asks for a sign-in of its own in the same way.
        (
            json!({ "status": 401, "header": { "name": "WWW-Authenticate", "exists": true } }),
            false,
            "transient NotJson",
        ),
    ] {
        let asks = BTreeMap::from([("www-authenticate".to_owned(), "Basic".to_owned())]);
        let answer = Answer { headers: &asks, ..answer(401, HTML, PAGE, authentic) };
        let read = refusing(rule.clone()).read_refresh(&answer, clock());
        assert_eq!(meaning_of(read), meaning, "{rule}");
    }
    let page = json!({ "status": 403, "body": { "contains": "session" } });
    assert_eq!(refreshed(&refusing(page.clone()), 403, HTML, "<p>Session over</p>", true), "dead");
    assert_eq!(refreshed(&refusing(page), 403, HTML, "<p>Session over</p>", false), "transient NotJson");
    let (never, page) =
        (|status| Flaw::NeverRefused { status }, |status| Flaw::RefusedWithoutBody { status });
    for (rule, flaw) in [
        (json!({ "status": 500 }), never(500)),
        (json!({ "status": 500, "body": { "contains": "expired" } }), never(500)),
        (json!({ "status": 500, "body": { "at": "/message", "exists": true } }), never(500)),
        (json!({ "status": 500, "body": { "at": "/message", "contains": " " } }), never(500)),
        (json!({ "status": 500, "body": [expired(), { "empty": true }] }), never(500)),
        (json!({ "status": 502, "header": { "name": "Server", "contains": "nginx" } }), never(502)),
        (json!({ "status": 502, "header": { "name": "X-Error", "exists": true } }), never(502)),
        (json!({ "status": 511, "header": { "name": "www-authenticate", "contains": "Basic" } }), never(511)),
        (json!({ "status": 302 }), never(302)),
        (json!({ "status": [401, 429] }), never(429)),
        (json!({ "status": 200 }), page(200)),
        (json!({ "status": 200, "body": { "contains": "login" } }), page(200)),
        (json!({ "status": 200, "body": { "at": "/ok", "exists": false } }), page(200)),
    ] {
        assert_eq!(refusing(rule.clone()).check(), Err(("refresh", flaw)), "{rule}");
    }
}

#[test]
fn what_means_later_is_no_refusal_whatever_it_looks_like() {
    let (send, take) =
        (json!({ "refresh_token": "/t" }), json!({ "access_token": "/a", "refresh_token": "/n" }));
    let retry = json!([{ "status": 401, "body": { "at": "/code", "equals": "busy" } }, { "status": 429 }]);
    let refresh = json!({
        "path": "/r", "send": send, "take": take, "refused": [{ "status": 401 }], "retry": retry,
    });
    let recipe: Recipe = serde_json::from_value(json!({ "refresh": refresh })).unwrap();
    for (status, body, meaning) in [
        (401, r#"{"code":"busy"}"#, "transient Status"),
        (401, r#"{"code":"busy","error":"invalid_grant"}"#, "transient Status"),
        (401, r#"{"code":"gone"}"#, "dead"),
        (429, "{}", "transient RateLimited"),
    ] {
        assert_eq!(refreshed(&recipe, status, JSON, body, true), meaning, "{status} {body}");
    }
}
