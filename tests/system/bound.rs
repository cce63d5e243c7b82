//! A sign-in goes where it was meant to go, whatever somebody makes of the configuration: by a slip, or on purpose.

use std::fs;
use std::time::Duration;

use api::{Code, Destination, Lost, Note, PhaseView};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use pilotlight_sandbox::{Dialect, Endpoint, Fault, What};
use serde_json::{Value, json};

use crate::harness::{Bench, Ear, Keeper, Keyring, by_hand, fetch, meet, sealed, until};

/// Row H4.
/// What waits at the other place is as willing as the provider itself, and hears nothing.
#[test]
fn an_edited_address_gets_no_token() {
    let bench = Bench::strict(Duration::from_secs(60));
    let other = Ear::before(bench.origin());
    let good = profile_of(&bench);
    let mut keeper = Keeper::idle(&good);
    keeper.spawn();
    keeper.sign_in("work");
    for (key, place) in
        [("token", Destination::Token), ("userinfo", Destination::Userinfo), ("url", Destination::Api)]
    {
        let ours = format!("{key} = \"{}", bench.origin());
        assert_eq!(good.matches(&ours).count(), 1, "{key}");
        keeper.write_config(&good.replace(&ours, &format!("{key} = \"{}", other.origin())));
        until("the session is another", || is_lost(&keeper, "work").then_some(()));
        assert_eq!(keeper.refresh("work").unwrap_err().code, Code::SignInNeeded, "{key}");
        assert_eq!(keeper.fetch("work", "/api/profile").unwrap_err().code, Code::SignInNeeded, "{key}");
        let told = Note::Elsewhere { places: vec![place] };
        assert_eq!(keeper.notes("work").iter().filter(|note| **note == told).count(), 1, "{key}");
        for path in ["token", "revoke", "introspect", "userinfo", "api/profile"] {
            let heard = other.heard(&format!("/oauth/{path}"));
            assert!(heard.is_empty(), "{key}: {heard:?}");
        }

        keeper.write_config(&good);
        keeper.until_fresh("work");
        assert_eq!(keeper.fetch("work", "/api/profile").unwrap().status, 200, "{key}");
    }
    assert_eq!(bench.told().logins, 1);
}

/// They asked for something at the old place, with a token of the old place.
#[test]
fn whoever_waits_is_not_sent_to_another_place() {
    let (ours, theirs) = (Bench::strict(Duration::from_secs(60)), Bench::strict(Duration::from_secs(60)));
    let at = |bench: &Bench| bench.profile(Dialect::NestJs, "");
    let keeper = Keeper::start(&at(&ours));
    keeper.login("nestjs");
    ours.fault(Fault::Status, meet(Endpoint::Refresh).on());
    ours.control.revoke(What::Access, None, None).unwrap();
    let mut wire = keeper.wire();
    wire.send(fetch("nestjs", "/aaa"));
    until("it is held", || (keeper.session("nestjs").requests.held == 1).then_some(()));
    keeper.write_config(&format!("vault = \"memory\"\n\n{}", at(&theirs)));
    let told = wire.text();
    assert!(told.contains("\"sign_in_needed\"") && told.contains("\"elsewhere\""), "{told}");
    assert_eq!(theirs.counted(Dialect::NestJs).resource_requests, 0);
}

#[test]
fn what_moves_no_token_costs_no_session() {
    let bench = Bench::strict(Duration::from_secs(60));
    let good = profile_of(&bench);
    let mut keeper = Keeper::idle(&good);
    keeper.spawn();
    keeper.sign_in("work");
    for (minutes, from, to) in [
        (2, "timeout = \"5s\"", "timeout = \"6s\""),
        (3, "/oauth/token\"", "/oauth/token?tenant=a\""),
        (4, "/oauth/revoke\"", "/oauth/revoke?tenant=a\""),
    ] {
        assert!(good.contains(from), "{from}");
        let edited =
            good.replace(from, to).replace("heartbeat = \"1m\"", &format!("heartbeat = \"{minutes}m\""));
        keeper.write_config(&edited);
        until("the edit is taken", || {
            (keeper.session("work").heartbeat.every_ms == minutes * 60_000).then_some(())
        });
        keeper.until_fresh("work");
        assert_eq!(keeper.fetch("work", "/api/profile").unwrap().status, 200, "{to}");
    }
    assert_eq!((keeper.noted("work", "elsewhere"), bench.told().logins), (0, 1));
}

/// Row C10.
/// An upgrade signs nobody out, and from then on the sign-in is bound to all that the profile names.
#[test]
fn what_an_older_version_stored_is_taken_over_once() {
    let bench = Bench::strict(Duration::from_secs(60));
    let keyring = Keyring::start();
    let lines = bench.profile(Dialect::SimpleJwt, "");
    let mut keeper = Keeper::with_keyring(&lines, &keyring);
    keeper.login("simplejwt");
    assert!(keeper.session("simplejwt").saved);
    let stored = sealed(&keeper, "simplejwt", &keyring).unwrap();
    assert_eq!(stored["bound"]["origins"]["api"], bench.origin());
    keeper.stop();
    put_back(&keeper, &keyring, &stored, &bench.origin().into());
    keeper.spawn();
    keeper.until_fresh("simplejwt");
    let bound = || sealed(&keeper, "simplejwt", &keyring).filter(|record| record["bound"] == stored["bound"]);
    until("it is bound", bound);
    until("it was moved", || keyring.items().is_empty().then_some(()));
    assert_eq!(bench.counted(Dialect::SimpleJwt).logins, 1);

    let stored = bound().unwrap();
    keeper.stop();
    put_back(&keeper, &keyring, &stored, &"https://elsewhere.example".into());
    keeper.spawn();
    until("it is not taken", || is_lost(&keeper, "simplejwt").then_some(()));
    assert_eq!(keeper.noted("simplejwt", "elsewhere"), 1);
    keeper.stop();
    let moved = sealed(&keeper, "simplejwt", &keyring).unwrap();
    assert_eq!(
        (&moved["origin"], &moved["refresh"]),
        (&"https://elsewhere.example".into(), &stored["refresh"])
    );
}

/// As a version that knew neither sealed files nor bindings kept it.
fn put_back(keeper: &Keeper, keyring: &Keyring, stored: &Value, origin: &Value) {
    fs::remove_dir_all(keeper.home().vault()).unwrap();
    fs::remove_file(keeper.home().journal()).unwrap();
    let record = json!({
        "v": 1, "refresh": stored["refresh"], "origin": origin, "user": stored["user"], "saved_at": 7,
    });
    let text = format!("1.{}", URL_SAFE_NO_PAD.encode(record.to_string()));
    keyring.put(&keeper.home().id(), "simplejwt", &text);
}

fn profile_of(bench: &Bench) -> String {
    let more = "heartbeat = \"1m\"\ntimeout = \"5s\"";
    format!("vault = \"memory\"\n\n{}{}", bench.oauth("work", more, ""), by_hand("work", bench.origin(), &[]))
}

/// Whatever it is called.
fn is_lost(keeper: &Keeper, profile: &str) -> bool {
    matches!(keeper.phase(profile), PhaseView::NeedsLogin { why: Lost::Elsewhere | Lost::Never })
}
