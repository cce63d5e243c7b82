use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use serde_json::Value;

use super::place::{Format, Place};
use super::{Exchange, Recipe, Send};
use crate::tokens::Secret;
use crate::wire::escape::escape;
use crate::wire::flaw::Flaw;
use crate::wire::matching::Match;
use crate::wire::message::{Message, with_scheme};

#[derive(Default)]
pub(super) struct Values<'a> {
    pub(super) username: Option<&'a Secret>,
    pub(super) password: Option<&'a Secret>,
    pub(super) refresh_token: Option<&'a Secret>,
    pub(super) access_token: Option<&'a Secret>,
}

pub(super) fn build(exchange: &Exchange, values: &Values<'_>) -> Option<Message> {
    let mut message = Message::bare(&exchange.method, &exchange.path);
    message.query = constants(&exchange.query);
    message.headers = constants(&exchange.headers);
    let mut body = exchange.body.clone().map(Value::Object);
    for (place, value) in filled(&exchange.send, values) {
        let value = value?;
        match place {
            Place::Body(pointer) => {
                pointer.put(body.get_or_insert(Value::Null), Value::from(value.expose()));
            }
            Place::Header { name, scheme } => {
                message.headers.push((name.clone(), with_scheme(scheme, value.expose())));
            }
            Place::Query(name) => message.query.push((name.clone(), value.clone())),
        }
    }
    if let Some(body) = body {
        let (text, content_type) = match exchange.format {
            Format::Form => (form(&body), "application/x-www-form-urlencoded"),
            Format::Json => (body.to_string(), "application/json"),
        };
        message.body = Some(Secret::new(text));
        message.content_type = Some(content_type);
    }
    Some(message)
}

/// What the types of a recipe cannot forbid. Returns the key and the problem.
pub(super) fn check(recipe: &Recipe) -> Result<(), (&'static str, Flaw)> {
    let Recipe { login, refresh, heartbeat, logout, authorization, rejects, resources: _ } = recipe;
    let exchanges = [("login", login.as_ref()), ("refresh", Some(refresh)), ("logout", logout.as_ref())];
    for (key, exchange) in exchanges {
        if let Some(exchange) = exchange {
            check_exchange(key, exchange).map_err(|problem| (key, problem))?;
        }
    }
    if heartbeat.as_ref().is_some_and(|probe| probe.bad.iter().any(|rule| !rule.looks_inside())) {
        return Err(("heartbeat", Flaw::BadWithoutBody));
    }
    if rejects
        .iter()
        .any(|rule| rule.status.0.iter().any(|status| (200..300).contains(status)) && !rule.looks_inside())
    {
        return Err(("rejects", Flaw::RejectsWithoutBody));
    }
    check_header(&authorization.header).map_err(|flaw| ("authorization", flaw))
}

fn check_exchange(key: &str, exchange: &Exchange) -> Result<(), Flaw> {
    let Send { username, password, refresh_token, access_token } = &exchange.send;
    let allowed = match key {
        "login" => [true, true, false, false],
        "refresh" => [false, false, true, false],
        _ => [false, false, true, true],
    };
    let places = [username, password, refresh_token, access_token];
    for ((place, allowed), name) in places.iter().zip(allowed).zip(VALUES) {
        if place.is_some() && !allowed {
            return Err(Flaw::NothingToSend { value: name.to_string(), exchange: key.to_string() });
        }
    }
    let take = &exchange.take;
    match key {
        "login" if password.is_none() => return Err(no_place_for("password")),
        "login" if take.access_token.is_none() && take.refresh_token.is_none() => {
            return Err(Flaw::TakesNothing);
        }
        "refresh" if refresh_token.is_none() => return Err(no_place_for("refresh_token")),
        "refresh" if take.access_token.is_none() => return Err(Flaw::TakesNoAccessToken),
        _ => {}
    }
    check_places(exchange, &places)?;
    exchange.refused.iter().try_for_each(Match::check_refused)
}

fn check_places(exchange: &Exchange, places: &[&Option<Place>]) -> Result<(), Flaw> {
    let mut inside = exchange.body.as_ref().map(|_| ()).is_some();
    let mut seen: Vec<Vec<String>> = Vec::new();
    for place in places.iter().filter_map(|place| place.as_ref()) {
        match place {
            Place::Body(pointer) => {
                inside = true;
                let names = pointer.names();
                if seen.iter().any(|other| other.starts_with(&names) || names.starts_with(other)) {
                    return Err(Flaw::PlaceTaken { written: pointer.as_str().to_string() });
                }
                if exchange.format == Format::Form && names.len() != 1 {
                    return Err(Flaw::FormNested { written: pointer.as_str().to_string() });
                }
                seen.push(names);
            }
            Place::Header { name, .. } => check_header(name)?,
            Place::Query(_) => {}
        }
    }
    exchange.headers.keys().try_for_each(|name| check_header(name))?;
    if inside && matches!(exchange.method.as_str(), "GET" | "HEAD") {
        return Err(Flaw::MethodWithoutBody { method: exchange.method.clone() });
    }
    Ok(())
}

fn filled<'a>(send: &'a Send, values: &Values<'a>) -> impl Iterator<Item = (&'a Place, Option<&'a Secret>)> {
    let Send { username, password, refresh_token, access_token } = send;
    [
        (username, values.username),
        (password, values.password),
        (refresh_token, values.refresh_token),
        (access_token, values.access_token),
    ]
    .into_iter()
    .filter_map(|(place, value)| Some((place.as_ref()?, value)))
}

fn constants(map: &BTreeMap<String, String>) -> Vec<(String, Secret)> {
    map.iter().map(|(name, value)| (name.clone(), Secret::new(value.as_str()))).collect()
}

fn form(body: &Value) -> String {
    let mut text = String::new();
    for (name, value) in body.as_object().into_iter().flatten() {
        if !text.is_empty() {
            text.push('&');
        }
        escape(&mut text, name);
        text.push('=');
        match value {
            Value::String(value) => escape(&mut text, value),
            Value::Array(_) | Value::Bool(_) | Value::Null | Value::Number(_) | Value::Object(_) => {
                escape(&mut text, &value.to_string());
            }
        }
    }
    text
}

fn no_place_for(value: &str) -> Flaw {
    Flaw::NoPlaceFor { value: value.to_string() }
}

fn check_header(name: &str) -> Result<(), Flaw> {
    if is_header_name(name) { Ok(()) } else { Err(Flaw::NotAHeader { written: name.to_string() }) }
}

/// A token of RFC 9110, section 5.6.2.
fn is_header_name(name: &str) -> bool {
    !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

const VALUES: [&str; 4] = ["username", "password", "refresh_token", "access_token"];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tokens::{AccessToken, RefreshToken};
    use serde_json::json;

    fn recipe(json: &Value) -> Recipe {
        let recipe: Recipe = serde_json::from_value(json.clone()).unwrap();
        assert_eq!(recipe.check(), Ok(()));
        recipe
    }

    fn body(message: &Message) -> &str {
        message.body.as_ref().map_or("-", Secret::expose)
    }

    /// As Flask-AppBuilder does it.
    #[test]
    fn a_refresh_token_can_be_what_opens_the_door() {
        let recipe = recipe(&json!({
            "login": {
                "path": "/api/v1/security/login",
                "send": { "username": "/username", "password": "/password" },
                "body": { "provider": "db", "refresh": true },
                "take": { "access_token": "/access_token", "refresh_token": "/refresh_token" },
            },
            "refresh": {
                "path": "/api/v1/security/refresh",
                "send": { "refresh_token": { "header": "Authorization", "scheme": "Bearer" } },
                "take": { "access_token": "/access_token" },
                "refused": [{ "status": [401, 422], "body": { "at": "/msg", "is": "string" } }],
            },
        }));
        let login = recipe.sign_in("mia", &Secret::new("pw")).unwrap();
        assert_eq!(body(&login), r#"{"password":"pw","provider":"db","refresh":true,"username":"mia"}"#);
        assert_eq!(login.content_type, Some("application/json"));
        let refresh = recipe.refresh(&RefreshToken::new("RT"));
        assert_eq!(refresh.headers, [("Authorization".into(), Secret::new("Bearer RT"))]);
        assert_eq!((refresh.body, refresh.content_type), (None, None));
    }

    #[test]
    fn values_go_into_nested_bodies_queries_and_headers() {
        let recipe = recipe(&json!({
            "login": {
                "method": "put",
                "path": "/session",
                "send": { "username": "/user/name", "password": "/user/pass~1word" },
                "body": { "user": { "kind": "local" }, "list": [1, 2] },
                "headers": { "X-Client": "desktop" },
                "query": { "tenant": "a b" },
                "take": { "refresh_token": "" },
            },
            "refresh": {
                "path": "/session",
                "send": { "refresh_token": { "query": "t" } },
                "body": {},
                "take": { "access_token": "/data/0/token" },
            },
            "logout": {
                "method": "DELETE",
                "path": "/session",
                "send": {
                    "refresh_token": { "body": "/r" },
                    "access_token": { "header": "X-Token" },
                },
            },
        }));
        let login = recipe.sign_in("mia", &Secret::new("p\"w")).unwrap();
        let expected = r#"{"list":[1,2],"user":{"kind":"local","name":"mia","pass/word":"p\"w"}}"#;
        assert_eq!((login.method.as_str(), body(&login)), ("PUT", expected));
        assert_eq!(login.headers, [("X-Client".into(), Secret::new("desktop"))]);
        assert_eq!(login.query, [("tenant".into(), Secret::new("a b"))]);
        assert_eq!(body(&recipe.refresh(&RefreshToken::new("RT"))), "{}");
        let (access, refresh) = (AccessToken::new("AT"), RefreshToken::new("RT"));
        let logout = recipe.sign_out(Some(&refresh), Some(&access)).unwrap();
        assert_eq!(logout.headers, [("X-Token".into(), Secret::new("AT"))]);
        assert_eq!(recipe.sign_out(Some(&refresh), None), None);
    }

    #[test]
    fn forms_are_escaped() {
        let recipe = recipe(&json!({
            "login": {
                "path": "/token",
                "format": "form",
                "send": { "username": "/username", "password": "/password" },
                "body": { "grant_type": "password", "remember": true },
                "take": { "access_token": "/access_token" },
            },
            "refresh": { "path": "/r", "send": { "refresh_token": "/r" }, "take": { "access_token": "/a" } },
        }));
        let login = recipe.sign_in("mia m", &Secret::new("a&b=c+é")).unwrap();
        assert_eq!(
            body(&login),
            "grant_type=password&password=a%26b%3Dc%2B%C3%A9&remember=true&username=mia+m"
        );
        assert_eq!(login.content_type, Some("application/x-www-form-urlencoded"));
    }

    #[test]
    fn what_cannot_work_is_told() {
        let good = json!({
            "login": {
                "path": "/l",
                "send": { "username": "/u", "password": "/p" },
                "take": { "access_token": "/a" },
            },
            "refresh": { "path": "/r", "send": { "refresh_token": "/t" }, "take": { "access_token": "/a" } },
            "heartbeat": { "path": "/h" },
        });
        let table = [
            ("/login/send", json!({ "username": "/u" }), "login"),
            ("/login/send", json!({ "username": "/u", "password": "/u" }), "login"),
            ("/login/send", json!({ "username": "/u", "password": "/u/p" }), "login"),
            ("/login/send", json!({ "password": "/p", "refresh_token": "/r" }), "login"),
            ("/login/take", json!({}), "login"),
            ("/login/headers", json!({ "X Y": "z" }), "login"),
            ("/login/method", json!("GET"), "login"),
            ("/refresh/send", json!({}), "refresh"),
            ("/refresh/send", json!({ "refresh_token": { "header": "no good" } }), "refresh"),
            ("/refresh/send", json!({ "refresh_token": "/t", "access_token": "/a" }), "refresh"),
            (
                "/refresh",
                json!({ "path": "/r", "format": "form", "send": { "refresh_token": "/a/b" }, "take": { "access_token": "/a" } }),
                "refresh",
            ),
            ("/refresh/take", json!({ "refresh_token": "/r" }), "refresh"),
            ("/refresh/refused", json!([{ "status": 500 }]), "refresh"),
            ("/refresh/refused", json!([{ "status": [401, 429] }]), "refresh"),
            ("/refresh/refused", json!([{ "status": 302 }]), "refresh"),
            ("/refresh/refused", json!([{ "status": 200 }]), "refresh"),
            ("/heartbeat/bad", json!([{ "status": 200 }]), "heartbeat"),
            ("/rejects", json!([{ "status": 200 }]), "rejects"),
            ("/authorization", json!({ "header": "" }), "authorization"),
        ];
        assert_eq!(recipe(&good).check(), Ok(()));
        for (pointer, value, key) in table {
            let mut json = good.clone();
            crate::wire::pointer::Pointer::new(pointer).unwrap().put(&mut json, value.clone());
            let recipe: Recipe = serde_json::from_value(json).unwrap();
            let told = recipe.check();
            assert!(told.as_ref().is_err_and(|(told, _)| *told == key), "{pointer} {value}: {told:?}");
        }
    }
}
