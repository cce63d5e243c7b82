//! Rules of a person's own for what refuses a refresh token, and for what does not.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use session::recipe::Recipe;
use session::wire::answer::{Answer, NO_HEADERS};
use session::wire::flaw::Flaw;

use super::{HTML, JSON, PAGE, answer, clock, meaning_of, refreshed};

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
    let code = BTreeMap::from([("x-error".to_owned(), "Token-Expired".to_owned())]);
    let said = r#"{"message":"jwt expired"}"#;
    for (rule, status, headers, body, meaning) in [
        (json!({ "status": 500, "body": expired() }), 500, &NO_HEADERS, said, "dead"),
        (
            json!({ "status": 500, "body": expired() }),
            500,
            &NO_HEADERS,
            r#"{"message":"x"}"#,
            "transient Status",
        ),
        (json!({ "status": 500, "body": expired() }), 500, &NO_HEADERS, PAGE, "transient Status"),
        (json!({ "status": [200, 429], "body": expired() }), 200, &NO_HEADERS, said, "dead"),
        (json!({ "status": [200, 429], "body": expired() }), 429, &NO_HEADERS, said, "dead"),
        // The new token stands beside it all the same.
        (
            json!({ "status": 200, "body": expired() }),
            200,
            &NO_HEADERS,
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
            &NO_HEADERS,
            "{}",
            "suspect",
        ),
        (
            json!({ "status": 400, "body": [{ "at": "/code", "equals": 7 }, { "at": "/errors/*/code", "equals": 8 }] }),
            400,
            &NO_HEADERS,
            r#"{"errors":[{"code":1},{"code":8}]}"#,
            "dead",
        ),
        (
            json!({ "status": 400, "body": { "at": "/errors/*/code", "equals": 8 }, "unless": { "at": "/errors/*/code", "equals": 1 } }),
            400,
            &NO_HEADERS,
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
