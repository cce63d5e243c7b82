//! The recipes that come with the product, against what servers of their kind really say, and recipes that a person
//! may write. What a refused refresh means is the most expensive question here: a wrong "dead" costs a sign-in.

#[path = "recipes/refusals.rs"]
mod refusals;

use std::time::Duration;

use serde_json::json;
use session::recipe::{Recipe, SignInRefusal};
use session::tokens::{AccessToken, RefreshLife, RefreshToken, Secret, Tokens};
use session::verdict::Verdict;
use session::wire::answer::{Answer, Clock, JwtTimes};
use session::wire::message::Message;

const JSON: &str = "application/json";
const HTML: &str = "text/html; charset=utf-8";
const PAGE: &str = "<!doctype html><html><body><h1>Welcome to the hotel</h1></body></html>";
const DATE: i64 = 1_795_224_656;

/// Whoever changes some of its keys begins with the same.
#[test]
fn a_preset_is_its_text() {
    for name in Recipe::PRESETS {
        let text = Recipe::preset_text(name).expect("it is one of the four");
        assert_eq!(serde_json::from_str::<Recipe>(text).ok(), Recipe::preset(name), "{name}");
    }
    assert_eq!((Recipe::preset_text("nope"), Recipe::preset("nope")), (None, None));
}

#[test]
fn presets_say_what_their_servers_hear() {
    let table = [
        ("flask", "sign_in", r#"POST /login {"password":"pw","username":"mia"}"#),
        ("flask", "refresh", r#"POST /access_token {"refresh_token":"RT"}"#),
        ("flask", "heartbeat", "-"),
        ("flask", "sign_out", r#"POST /logout {"refresh_token":"RT"}"#),
        ("flask", "authorization", "Authorization: Bearer AT"),
        ("heartbeat", "sign_in", r#"POST /api/auth/login {"password":"pw","username":"mia"}"#),
        ("heartbeat", "refresh", r#"POST /api/auth/refresh {"refreshToken":"RT"}"#),
        ("heartbeat", "heartbeat", "GET /api/heartbeat [Authorization: Bearer AT]"),
        ("heartbeat", "sign_out", r#"POST /api/auth/logout {"refreshToken":"RT"}"#),
        ("heartbeat", "authorization", "Authorization: Bearer AT"),
        ("nestjs", "sign_in", r#"POST /login {"password":"pw","username":"mia"}"#),
        ("nestjs", "refresh", "GET /refresh ?token=RT"),
        ("nestjs", "heartbeat", "-"),
        ("nestjs", "sign_out", "-"),
        ("nestjs", "authorization", "Authorization: AT"),
        ("simplejwt", "sign_in", r#"POST /api/token/ {"password":"pw","username":"mia"}"#),
        ("simplejwt", "refresh", r#"POST /api/token/refresh/ {"refresh":"RT"}"#),
        ("simplejwt", "heartbeat", "-"),
        ("simplejwt", "sign_out", r#"POST /api/token/blacklist/ {"refresh":"RT"}"#),
        ("simplejwt", "authorization", "Authorization: Bearer AT"),
    ];
    for (name, what, said) in table {
        assert_eq!(say(&preset(name), what), said, "{name} {what}");
    }
}

#[test]
fn presets_are_complete_and_say_the_same_when_written_and_read_again() {
    for name in Recipe::PRESETS {
        let recipe = preset(name);
        assert_eq!(recipe.check(), Ok(()), "{name}");
        assert!(!recipe.resources.is_empty(), "{name}");
        let text = serde_json::to_string(&recipe).unwrap();
        assert_eq!(serde_json::from_str::<Recipe>(&text).unwrap(), recipe, "{text}");
    }
    assert_eq!(Recipe::preset("oauth"), None);
    assert_eq!(Recipe::preset_refresh_before("simplejwt"), Some(Duration::from_secs(300)));
    assert_eq!(Recipe::preset_refresh_before("nestjs"), None);
}

/// What real servers of the four kinds answered to a refresh (one of ours for `heartbeat`).
#[test]
fn presets_understand_their_servers() {
    let table = [
        ("flask", 200, r#"{"access_token":"a.b.c"}"#, "fresh a.b.c 5s -"),
        ("flask", 200, r#"{"access_token":"opaque","refresh_token":"next"}"#, "fresh opaque ? next"),
        ("flask", 200, r#"{"access_token":"opaque","refresh_token":4711}"#, "fresh opaque ? 4711"),
        ("flask", 400, "{\"error\":\"invalid refresh_token\"}\n", "dead"),
        ("flask", 400, r#"{"error":"bad credentials"}"#, "suspect"),
        ("heartbeat", 200, r#"{"accessToken":"opaque","expiresIn":900}"#, "fresh opaque 900s -"),
        ("heartbeat", 401, r#"{"error":"invalid_refresh_token"}"#, "dead"),
        ("heartbeat", 401, r#"{"ok":false}"#, "suspect"),
        ("nestjs", 200, r#"{"accessToken":"a.b.c","refreshToken":"next"}"#, "fresh a.b.c 5s next"),
        (
            "nestjs",
            401,
            r#"{"message":"token 失效，请重新登录","error":"Unauthorized","statusCode":401}"#,
            "dead",
        ),
        (
            "nestjs",
            404,
            r#"{"message":"Cannot GET /nope","error":"Not Found","statusCode":404}"#,
            "misconfigured",
        ),
        ("simplejwt", 200, r#"{"access":"a.b.c","refresh":"next"}"#, "fresh a.b.c 5s next"),
        ("simplejwt", 200, r#"{"access":"a.b.c"}"#, "fresh a.b.c 5s -"),
        // The one that was sent is spent, so the new one is kept, whatever became of the other.
        ("simplejwt", 200, r#"{"access":"with space","refresh":"next"}"#, "fresh - ? next"),
        ("simplejwt", 200, r#"{"access":7,"refresh":"next"}"#, "fresh - ? next"),
        ("simplejwt", 200, r#"{"access":"","refresh":"next"}"#, "fresh - ? next"),
        ("simplejwt", 200, r#"{"refresh":"next"}"#, "fresh - ? next"),
        ("simplejwt", 401, r#"{"detail":"Token is blacklisted","code":"token_not_valid"}"#, "dead"),
        ("simplejwt", 401, r#"{"detail":"Token is expired","code":"token_not_valid"}"#, "dead"),
        ("simplejwt", 400, r#"{"refresh":["This field is required."]}"#, "suspect"),
        ("simplejwt", 401, r#"{"detail":"No active account found"}"#, "suspect"),
        ("simplejwt", 401, r#"{"detail":"User is inactive","code":"user_inactive"}"#, "suspect"),
        ("simplejwt", 429, r#"{"detail":"Request was throttled."}"#, "transient RateLimited"),
    ];
    for (name, status, body, meaning) in table {
        assert_eq!(refreshed(&preset(name), status, JSON, body, true), meaning, "{name} {status} {body}");
    }
}

/// Row C6: what is not a token takes no token's place.
#[test]
fn an_answer_without_a_refresh_token_leaves_the_old_one() {
    for refresh in [json!(null), json!(""), json!("  "), json!(0), json!({}), json!(false)] {
        let body = json!({ "access": "a.b.c", "refresh": refresh }).to_string();
        assert_eq!(refreshed(&preset("simplejwt"), 200, JSON, &body, true), "fresh a.b.c 5s -");
    }
    for access in
        [json!(null), json!(""), json!("two words"), json!("line\nbreak"), json!("naïve"), json!(["a"])]
    {
        let body = json!({ "access": access, "refresh": null }).to_string();
        assert_eq!(refreshed(&preset("simplejwt"), 200, JSON, &body, true), "transient Unreadable", "{body}");
        let body = json!({ "access": access, "refresh": "next" }).to_string();
        assert_eq!(refreshed(&preset("simplejwt"), 200, JSON, &body, true), "fresh - ? next", "{body}");
    }
    // Labels are wrong more often than contents; some hand out the header's whole value; some begin with a mark.
    let body = r#"{"access":"Bearer a.b.c"}"#;
    assert_eq!(refreshed(&preset("simplejwt"), 200, HTML, body, true), "fresh a.b.c 5s -");
    assert_eq!(
        refreshed(&preset("simplejwt"), 200, JSON, &format!("\u{feff}{body}"), true),
        "fresh a.b.c 5s -"
    );
}

#[test]
fn a_protected_resource_says_that_a_token_is_not_good_in_its_own_way() {
    let table = [
        ("flask", 401, r#"{"msg":"Token has expired"}"#, true),
        ("flask", 401, r#"{"msg":"Missing Authorization Header"}"#, true),
        ("flask", 422, r#"{"msg":"Not enough segments"}"#, true),
        ("flask", 422, "{\"msg\":\"Signature verification failed\"}\n", true),
        // No new token makes this one go away (row F3).
        ("flask", 401, r#"{"msg":"Fresh token required"}"#, false),
        // The application's own.
        ("flask", 422, r#"{"errors":{"name":["too long"]}}"#, false),
        ("flask", 422, "", false),
        ("flask", 400, r#"{"msg":"Bad request"}"#, false),
        ("heartbeat", 401, r#"{"error":"unauthorized"}"#, true),
        ("nestjs", 401, r#"{"message":"用户未登录","error":"Unauthorized","statusCode":401}"#, true),
        ("simplejwt", 401, r#"{"detail":"Given token not valid","code":"token_not_valid"}"#, true),
        ("simplejwt", 401, "", true),
        ("simplejwt", 403, r#"{"detail":"You do not have permission."}"#, false),
        ("simplejwt", 200, "null", false),
        ("simplejwt", 500, "", false),
    ];
    for (name, status, body, rejected) in table {
        assert_eq!(
            preset(name).rejects(&answer(status, JSON, body, true)),
            rejected,
            "{name} {status} {body}"
        );
    }
}

#[test]
fn a_heartbeat_is_good_or_bad_or_says_nothing() {
    let recipe = preset("heartbeat");
    for (status, kind, body, authentic, good) in [
        (200, JSON, r#"{"ok":true,"user":"mia"}"#, true, Some(true)),
        (200, JSON, "{}", false, Some(true)),
        (204, "", "", true, Some(true)),
        (204, "", "", false, None),
        (200, JSON, r#"{"ok":false}"#, true, Some(false)),
        (401, JSON, r#"{"ok":false}"#, true, Some(false)),
        (401, "", "", true, Some(false)),
        (403, JSON, r#"{"error":"no"}"#, true, Some(false)),
        (200, HTML, PAGE, true, None),
        (401, HTML, PAGE, true, None),
        (403, HTML, PAGE, true, None),
        (404, HTML, PAGE, true, None),
        (404, JSON, r#"{"statusCode":404}"#, true, None),
        (200, JSON, r#"{"ok":tr"#, true, None),
        (302, HTML, "", true, None),
        (429, JSON, "{}", true, None),
        (500, JSON, r#"{"ok":false}"#, true, None),
        (503, HTML, PAGE, true, None),
    ] {
        let said = recipe.heartbeat_good(&answer(status, kind, body, authentic));
        assert_eq!(said, good, "{status} {kind} {body}");
    }
    assert_eq!(preset("flask").heartbeat_good(&answer(401, JSON, "{}", true)), None);
}

#[test]
fn a_resource_in_place_of_a_heartbeat_may_be_a_page() {
    let mut recipe = preset("nestjs");
    recipe.ask_a_resource(&recipe.resources.clone());
    let said = |status, authentic| recipe.heartbeat_good(&answer(status, HTML, PAGE, authentic));
    assert_eq!(said(200, true), Some(true));
    assert_eq!(said(200, false), None, "anybody's page");
    assert_eq!(said(404, true), None, "a question that is wrong says nothing about the token");
    assert_eq!(recipe.heartbeat_good(&answer(401, JSON, r#"{"statusCode":401}"#, true)), Some(false));
}

#[test]
fn a_sign_in_brings_tokens_or_the_providers_own_words() {
    let long = json!({ "detail": "x ".repeat(200) }).to_string();
    let cut = format!("refused {}…", ["x"; 100].join(" "));
    let table = [
        ("flask", 200, JSON, r#"{"refresh_token":"first"}"#, "- ? first"),
        ("nestjs", 201, JSON, r#"{"userInfo":{},"accessToken":"a.b.c","refreshToken":"r"}"#, "a.b.c 5s r"),
        ("simplejwt", 200, JSON, r#"{"refresh":"r","access":"a.b.c"}"#, "a.b.c 5s r"),
        ("flask", 400, JSON, r#"{"error":"bad credentials"}"#, "refused bad credentials"),
        ("nestjs", 400, JSON, r#"{"message":"密码错误","error":"Bad Request"}"#, "refused 密码错误"),
        ("nestjs", 400, JSON, r#"{"message":["username is short"]}"#, "refused username is short"),
        ("heartbeat", 401, JSON, r#"{"error":{"message":"No"}}"#, "refused No"),
        ("simplejwt", 401, JSON, r#"{"detail":"No active account"}"#, "refused No active account"),
        ("simplejwt", 400, JSON, r#"{"username":["This field is required."]}"#, "refused"),
        ("simplejwt", 401, JSON, r#"{"detail":"a\u001b[2Jb"}"#, "refused"),
        ("simplejwt", 401, JSON, r#"{"detail":"a\u202eb"}"#, "refused"),
        ("simplejwt", 401, JSON, r#"{"detail":"eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.e30.x"}"#, "refused"),
        ("simplejwt", 401, JSON, long.as_str(), cut.as_str()),
        ("simplejwt", 401, "", "", "refused"),
        ("simplejwt", 403, HTML, PAGE, "NotJson"),
        ("simplejwt", 404, HTML, PAGE, "Misconfigured"),
        ("simplejwt", 429, JSON, r#"{"detail":"Slow down"}"#, "RateLimited Slow down"),
        ("simplejwt", 500, HTML, PAGE, "Status"),
        ("simplejwt", 200, HTML, PAGE, "NotJson"),
        ("simplejwt", 200, JSON, r#"{"access":null,"refresh":""}"#, "Unreadable"),
        ("simplejwt", 302, HTML, "", "Redirected"),
    ];
    for (name, status, kind, body, meaning) in table {
        assert_eq!(signed_in(&preset(name), status, kind, body), meaning, "{name} {status} {body}");
    }
}

/// Row F8.
#[test]
fn messages_do_not_print_their_secrets() {
    let canary = "c4n4ry";
    for name in Recipe::PRESETS {
        let recipe = preset(name);
        let (access, refresh) = (AccessToken::new(canary), RefreshToken::new(canary));
        let messages = [
            recipe.sign_in(canary, &Secret::new(canary)),
            Some(recipe.refresh(&refresh)),
            recipe.heartbeat(&access),
            recipe.sign_out(Some(&refresh), Some(&access)),
        ];
        let printed = format!("{messages:?} {:?}", recipe.authorization(&access));
        assert!(!printed.contains(canary), "{printed}");
        assert!(printed.contains(&recipe.refresh.path), "{printed}");
        assert_eq!(recipe.sign_out(None, None), None);
    }
}

fn preset(name: &str) -> Recipe {
    Recipe::preset(name).expect("it is one of the four")
}

/// Row C12.
#[test]
fn a_recipe_says_where_the_life_of_a_refresh_token_stands() {
    let take = json!({
        "access_token": "/access", "refresh_token": "/refresh",
        "refresh_lifetime": { "at": "/refreshExpires", "unit": "milliseconds" },
    });
    let recipe: Recipe =
        serde_json::from_value(json!({ "refresh": { "path": "/r", "take": take } })).unwrap();
    let ends = |seconds| Some(RefreshLife::For(Duration::from_secs(seconds)));
    for (body, told) in [
        (r#"{"access":"AT","refresh":"RT","refreshExpires":60000}"#, ends(60)),
        (r#"{"access":"AT","refreshExpires":60000}"#, ends(60)),
        (r#"{"access":"AT","refresh":"R.T.x"}"#, ends(5)),
        (r#"{"access":"A.T.x","refresh":"RT"}"#, None),
    ] {
        let verdict = recipe.read_refresh(&answer(200, JSON, body, true), clock());
        let Verdict::Fresh(tokens) = verdict else { panic!("{body}: {verdict:?}") };
        assert_eq!(tokens.refresh_life, told, "{body}");
    }
}

fn answer<'a>(status: u16, kind: &'a str, body: &'a str, authentic: bool) -> Answer<'a> {
    Answer { authentic, ..Answer::new(status, kind, body) }
}

/// Whatever has two dots is a JWT of five seconds.
fn clock() -> Clock<'static> {
    Clock {
        date: Some(DATE),
        jwt: &|token| {
            let times = JwtTimes { exp: Some(DATE + 5), iat: Some(DATE) };
            (token.matches('.').count() == 2).then_some(times)
        },
    }
}

fn read_refresh(recipe: &Recipe, status: u16, kind: &str, body: &str, authentic: bool) -> Verdict {
    recipe.read_refresh(&answer(status, kind, body, authentic), clock())
}

fn refreshed(recipe: &Recipe, status: u16, kind: &str, body: &str, authentic: bool) -> String {
    meaning_of(read_refresh(recipe, status, kind, body, authentic))
}

fn meaning_of(verdict: Verdict) -> String {
    match verdict {
        Verdict::Dead => "dead".into(),
        Verdict::Fresh(tokens) => format!("fresh {}", print(&tokens)),
        Verdict::Interaction(interaction) => format!("interaction {:?}", interaction.need),
        Verdict::Misconfigured { .. } => "misconfigured".into(),
        Verdict::Suspect { .. } => "suspect".into(),
        Verdict::Transient { trouble, .. } => format!("transient {trouble:?}"),
        Verdict::Unsent { .. } => "unsent?".into(),
    }
}

fn signed_in(recipe: &Recipe, status: u16, kind: &str, body: &str) -> String {
    let said = |message: Option<String>| message.map(|message| format!(" {message}")).unwrap_or_default();
    match recipe.read_sign_in(&answer(status, kind, body, true), clock()) {
        Ok(tokens) => print(&tokens),
        Err(SignInRefusal::Refused { message, .. }) => format!("refused{}", said(message)),
        Err(SignInRefusal::Trouble { trouble, message, .. }) => format!("{trouble:?}{}", said(message)),
    }
}

fn print(tokens: &Tokens) -> String {
    let lifetime = tokens.lifetime.map_or("?".into(), |lifetime| format!("{lifetime:?}"));
    let access = tokens.access.as_ref().map_or("-", AccessToken::expose);
    format!("{access} {lifetime} {}", tokens.refresh.as_ref().map_or("-", RefreshToken::expose))
}

fn say(recipe: &Recipe, what: &str) -> String {
    let (access, refresh) = (AccessToken::new("AT"), RefreshToken::new("RT"));
    let message = match what {
        "sign_in" => recipe.sign_in("mia", &Secret::new("pw")),
        "refresh" => Some(recipe.refresh(&refresh)),
        "heartbeat" => recipe.heartbeat(&access),
        "sign_out" => recipe.sign_out(Some(&refresh), Some(&access)),
        _ => {
            let (name, value) = recipe.authorization(&access);
            return format!("{name}: {}", value.expose());
        }
    };
    message.map_or("-".into(), |message| write(&message))
}

fn write(message: &Message) -> String {
    let mut text = format!("{} {}", message.method, message.path);
    for (name, value) in &message.query {
        text += &format!(" ?{name}={}", value.expose());
    }
    for (name, value) in &message.headers {
        text += &format!(" [{name}: {}]", value.expose());
    }
    if let Some(body) = &message.body {
        text += &format!(" {}", body.expose());
    }
    text
}
