//! What goes wrong around a sign-in, with a server that is sure of what it did.

use api::{PhaseView, Reply, Request};
use serde_json::Value;

use crate::harness::{Browser, Door, Keeper, Keyring, Person, Ran, Running, Server, until};

struct Place {
    server: Server,
    door: Door,
    keeper: Keeper,
    browser: Browser,
}

impl Place {
    /// Of oidc-provider, with a profile that is added with `more`.
    fn new(more: &[&str]) -> Self {
        Self::with(more, None)
    }

    fn with(more: &[&str], keyring: Option<&Keyring>) -> Self {
        let door = Door::new();
        let port = door.port().to_string();
        let server = Server::start("oidc-provider", &[("AT_TTL", "60"), ("PUBLIC_PORT", &port)]);
        door.lead_to(server.port());
        let keeper = keyring.map_or_else(|| Keeper::start(""), |keyring| Keeper::with_keyring("", keyring));
        let add = ["add", "work", "--issuer", &door.origin(), "--client-id", "desktop", "--dpop", "off"];
        keeper.run(&[&add, more].concat()).went_well();
        Self { server, door, keeper, browser: Browser::new() }
    }

    fn begin(&self) -> (Running, Value) {
        let mut running = self.keeper.begin(&["login", "work", "--no-browser", "--json"]);
        let told = running.line();
        (running, told["sign_in"].clone())
    }

    fn sign_in(&mut self) -> Ran {
        let (running, told) = self.begin();
        self.browser.follow(told["url"].as_str().unwrap(), Person::ALICE);
        running.end()
    }

    fn refresh_tokens(&self) -> u64 {
        self.server.ask("GET", "/__tokens")["refresh"].as_u64().unwrap()
    }
}

#[test]
fn a_code_whose_tokens_are_lost_is_told_and_the_next_sign_in_is_good() {
    let mut place = Place::new(&[]);
    place.door.lose_the_answer_to("grant_type=authorization_code");
    let ran = place.sign_in();
    assert_eq!(ran.code, Some(4), "{ran:?}");
    place.sign_in().went_well();
    place.keeper.run(&["fetch", "work", "/me"]).went_well();
}

#[test]
fn a_poll_that_is_lost_does_not_end_the_sign_in_on_a_device() {
    let mut place = Place::new(&["--grant", "device_code"]);
    let (running, told) = place.begin();
    place.door.lose_the_answer_to("device_code");
    until("a poll is lost", || (place.door.lost() > 0).then_some(()));
    let pending = &told["pending"];
    let url = pending["verification_uri_complete"].as_str().unwrap();
    place.browser.enter(url, pending["user_code"].as_str().unwrap(), Person::ALICE);
    running.end().went_well();
}

/// Whoever waits for the one that was overtaken waits for the one that counts.
#[test]
fn the_second_sign_in_takes_the_place_of_the_first() {
    let mut place = Place::new(&[]);
    let (first, _) = place.begin();
    let (second, told) = place.begin();
    place.browser.follow(told["url"].as_str().unwrap(), Person::ALICE);
    second.end().went_well();
    first.end().went_well();
    assert_eq!((place.server.counted("logins"), place.refresh_tokens()), (1, 1));
}

#[test]
fn another_issuer_is_not_believed() {
    let place = Place::new(&[]);
    let direct = place.server.origin();
    let ran = place.keeper.run(&["add", "direct", "--issuer", &direct, "--client-id", "desktop", "--json"]);
    assert_eq!(ran.failed_with(), (Some(1), "wrong_issuer".to_owned()), "{ran:?}");
}

#[test]
fn a_cancelled_sign_in_is_over_and_the_next_is_good() {
    let mut place = Place::new(&[]);
    let (running, _) = place.begin();
    let asked = place.keeper.ask(Request::CancelSignIn { profile: "work".to_owned() });
    assert!(matches!(asked, Ok(Reply::Done)));
    let ran = running.end();
    assert_eq!(ran.failed_with(), (Some(3), "sign_in_cancelled".to_owned()), "{ran:?}");
    place.sign_in().went_well();
}

/// The door is shut when the token has come to its end, and nothing is known here of how the provider describes itself.
#[test]
fn a_provider_that_cannot_be_reached_costs_nobody_the_session() {
    let keyring = Keyring::start();
    let mut place = Place::with(&[], Some(&keyring));
    place.sign_in().went_well();
    place.door.shut(true);
    place.keeper.restart();
    let ran = place.keeper.run(&["token", "work", "--json", "--timeout", "2s"]);
    assert_eq!(ran.code, Some(4), "{ran:?}");
    assert!(!matches!(place.keeper.phase("work"), PhaseView::NeedsLogin { .. }));
    place.door.shut(false);
    until("it goes on", || {
        let ran = place.keeper.run(&["fetch", "work", "/me", "--timeout", "2s"]);
        (ran.code == Some(0)).then_some(())
    });
    assert_eq!(place.server.counted("logins"), 1);
}
