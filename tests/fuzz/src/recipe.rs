//! A recipe as a line of JSON, and an answer to it as in `token_answer`.

use serde_json::Value;
use session::recipe::{Recipe, Resource};
use session::tokens::{AccessToken, RefreshToken, Secret};
use session::verdict::Verdict;
use session::wire::message::Message;

use crate::CANARY;
use crate::input::{Written, assert_silent, clock, line};

pub fn hold(input: &[u8]) {
    let (first, rest) = line(input);
    let Ok(recipe) = serde_json::from_str::<Recipe>(&first) else { return named(&first) };
    let again = serde_json::to_value(&recipe).and_then(serde_json::from_value::<Recipe>);
    assert_eq!(again.ok().as_ref(), Some(&recipe), "what is written is read");
    if let Err((key, _)) = recipe.check() {
        assert!(["login", "refresh", "heartbeat", "logout", "rejects", "authorization"].contains(&key));
        return;
    }
    sent(&recipe);
    read(&recipe, &Written::read(rest));
}

/// What stands in a list of resources.
fn named(text: &str) {
    let Ok(resource) = Resource::new(text) else { return };
    assert_eq!(Resource::new(&resource.to_string()).as_ref(), Ok(&resource), "what is written is read");
    assert!(resource.path.starts_with('/') && !resource.path.starts_with("//"), "it stays below the profile");
    assert!(!resource.path.contains(char::is_whitespace) && !resource.path.contains(['#', '\\']));
}

fn sent(recipe: &Recipe) {
    let (access, refresh) = (AccessToken::new(CANARY), RefreshToken::new(CANARY));
    let password = Secret::new(CANARY);
    let messages = [
        Some(recipe.refresh(&refresh)),
        recipe.sign_in("mia", &password),
        recipe.heartbeat(&access),
        recipe.sign_out(Some(&refresh), Some(&access)),
    ];
    for message in messages.iter().flatten() {
        assert_silent(message);
        assert!(message.path.starts_with('/') && !message.path.starts_with("//"), "{}", message.path);
    }
    let refresh = recipe.refresh(&refresh);
    assert!(carries(&refresh), "the refresh token is sent: {refresh:?}");
    if refresh.content_type == Some("application/json") {
        let body = refresh.body.as_ref().map(Secret::expose).unwrap_or_default();
        assert!(serde_json::from_str::<Value>(body).is_ok(), "as deep as JSON may be");
    }
}

fn carries(message: &Message) -> bool {
    let escaped = CANARY.replace('/', "%2F").replace('~', "%7E");
    let pairs = message.query.iter().chain(&message.headers);
    let mut texts = pairs.map(|(_, value)| value.expose()).chain(message.body.iter().map(Secret::expose));
    texts.any(|text| text.contains(CANARY) || text.contains(&escaped))
}

fn read(recipe: &Recipe, written: &Written<'_>) {
    let answer = written.answer();
    let verdict = recipe.read_refresh(&answer, clock());
    let new = recipe.refresh.take.refresh_token.as_ref().and_then(|place| {
        let json = written.json().filter(|_| written.is_success())?;
        place.find(&json)?.as_str().map(str::to_owned).filter(|token| !token.trim().is_empty())
    });
    match (&verdict, new) {
        (Verdict::Fresh(tokens), Some(new)) => {
            assert_eq!(tokens.refresh.as_ref().map(RefreshToken::expose), Some(new.as_str()));
        }
        (Verdict::Dead, _) => {
            let by_rule = recipe.refresh.refused.iter().any(|rule| rule.status.0.contains(&written.status));
            assert!(by_rule || matches!(written.status, 400 | 401), "{} condemns a token", written.status);
        }
        (_, Some(new)) => panic!("{new} is lost: {verdict:?}"),
        (_, None) => {}
    }
    if !matches!(verdict, Verdict::Interaction(_)) {
        assert_silent(&verdict);
    }
    assert_silent(&recipe.heartbeat_good(&answer));
    match recipe.read_sign_in(&answer, clock()) {
        Ok(tokens) => {
            assert!(written.is_success() && (tokens.access.is_some() || tokens.refresh.is_some()));
            assert_silent(&tokens);
        }
        Err(refusal) => assert_silent(&refusal),
    }
}
