//! OAuth 2.0 and OpenID Connect against servers that nobody here wrote, through the command line: the same life with
//! each of them, and a table of what was seen in `docs/interop.md`.
//!
//! Each server stands behind a door, whose address is the issuer, so that the answer to a refresh can be lost. Whatever
//! a test claims about tokens is counted at the server.

mod cases;
mod endings;
mod life;
mod matrix;
mod surprises;

use std::thread;
use std::time::Duration;

use api::PhaseView;
use pilotlight_sandbox::{OAuthSettings, Settings};

use crate::harness::{Bench, Browser, Door, Keeper, Keyring, Person, Server, turn, until};

use cases::{CASES, REJECTS};
use life::Life;

/// All at once: they spend most of their time waiting for tokens to end.
#[test]
fn every_provider_is_lived_with_and_the_table_says_how() {
    let _turn = turn();
    let keyring = Keyring::start();
    let seen = thread::scope(|scope| {
        let lives: Vec<_> = CASES
            .iter()
            .map(|case| {
                let keyring = &keyring;
                let live = move || Life::begin(case, keyring).live();
                thread::Builder::new().name(case.name.to_owned()).spawn_scoped(scope, live).unwrap()
            })
            .collect();
        // All of them are waited for, so that one failure does not hide another.
        let ended: Vec<_> = lives.into_iter().map(thread::ScopedJoinHandle::join).collect();
        ended
            .into_iter()
            .map(|seen| seen.expect("a life ended badly; its thread is named after it"))
            .collect()
    });
    matrix::compare(seen);
}

/// Rows D1, D4: `database is locked`, which this server answers with a page and 500 whenever somebody else writes for too
/// long.
#[test]
fn dot_whose_database_is_locked_costs_nobody_the_session() {
    let server = Server::start("dot", &[("AT_TTL", "60"), ("DB_TIMEOUT", "0.1")]);
    let origin = server.origin();
    let keeper = Keeper::start(&format!(
        "[profile.dot]\nurl = \"{origin}\"\n[profile.dot.oauth]\nissuer = \"{origin}/o\"\nclient_id = \"ropc\"\n\
         scopes = [\"read\"]\ngrant = \"password\"\nprobe = \"none\"\n{REJECTS}\n"
    ));
    keeper.run_typing(&["login", "dot", "--user", "alice"], "wonderland\n").went_well();
    server.ask("POST", "/__lock");
    let ran = keeper.run(&["refresh", "dot", "--json"]);
    assert_eq!(ran.failed_with(), (Some(4), "server_error".to_owned()), "{ran:?}");
    assert!(!matches!(keeper.phase("dot"), PhaseView::NeedsLogin { .. }));
    server.ask("POST", "/__unlock");
    let refreshed = server.counted("refreshed");
    until("it is refreshed by itself", || (server.counted("refreshed") > refreshed).then_some(()));
    keeper.until_fresh("dot");
    keeper.run(&["fetch", "dot", "/api/protected"]).went_well();
}

/// The same command line and the same person, with a server of our own.
#[test]
fn the_sandbox_is_signed_in_to_like_any_other_provider() {
    let oauth = OAuthSettings { device_interval: Duration::from_secs(1), ..OAuthSettings::default() };
    let bench = Bench::start(Settings { oauth, ..Settings::default() });
    let keeper = Keeper::start("");
    let issuer = format!("{}/oauth", bench.origin());
    let add = ["add", "sandbox", "--issuer", &issuer, "--client-id", "pilotlight", "--url", &issuer];
    keeper.run(&add).went_well();
    let mut browser = Browser::new();
    for (person, code) in [(Person::ALICE.who_refuses(), 3), (Person::ALICE, 0)] {
        let mut running = keeper.begin(&["login", "sandbox", "--no-browser", "--json"]);
        let page = browser.follow(running.line()["sign_in"]["url"].as_str().unwrap(), person);
        assert_eq!((page.url.path(), page.status), ("/done", 200));
        assert_eq!(running.end().code, Some(code));
    }
    keeper.run(&["fetch", "sandbox", "/api/profile"]).went_well();
    keeper.run(&["logout", "sandbox"]).went_well();
    for (person, code) in [(Person::ALICE.who_refuses(), 3), (Person::ALICE, 0)] {
        let mut running = keeper.begin(&["login", "sandbox", "--device", "--no-browser", "--json"]);
        let told = running.line();
        let pending = &told["sign_in"]["pending"];
        let (url, code_shown) = (pending["verification_uri"].as_str(), pending["user_code"].as_str());
        browser.enter(url.unwrap(), code_shown.unwrap(), person);
        assert_eq!(running.end().code, Some(code));
    }
    keeper.run(&["fetch", "sandbox", "/api/profile"]).went_well();
}

/// What `{origin}` stands for in a case.
fn filled(text: &str, door: &Door) -> String {
    text.replace("{origin}", &door.origin())
}
