//! What each exchange with an OAuth provider says, and the ways to sign in without a browser.

use std::time::Duration;

use api::{Code, Pending, Request, Way};
use pilotlight_sandbox::What;

use crate::harness::{Bench, Browser, Ear, Keeper, Keyring, Person, SECRET, by_hand, sealed, sign_in, until};

/// Parameters beyond the standard ones reach the exchange that they are meant for, and nothing that the keeper itself
/// says can be changed by one.
#[test]
fn what_a_profile_adds_is_said_once_and_replaces_nothing() {
    let bench = Bench::strict(Duration::from_secs(60));
    let ear = Ear::before(bench.origin());
    let extra = EXTRA.map(|(place, name, value)| format!("extra.{place}.{name} = \"{value}\"\n")).concat();
    let of_oauth = format!(
        "dpop = false\nscopes = [\"offline_access\", \"api\"]\n\
         resource_indicators = [\"https://api.example.com\"]\naudience = \"https://audience.example.com\"\n\
         {extra}{}",
        by_hand("work", ear.origin(), &[])
    );
    let keeper = Keeper::start(&bench.oauth("work", "", &of_oauth));
    keeper.sign_in("work");
    keeper.refresh("work").unwrap();
    let (pending, _) = keeper.begin_sign_in("work", Way::Device);
    assert!(matches!(pending, Pending::Device { .. }), "{pending:?}");
    keeper.log_out("work", false);
    until("the provider has heard of it", || (keeper.noted("work", "revocation") == 1).then_some(()));

    let only = |path: &str| ear.heard(path);
    let token = only("/oauth/token");
    let refresh = token.iter().find(|said| said.get("grant_type") == Some("refresh_token")).unwrap();
    let redeem = token.iter().find(|said| said.get("grant_type") == Some("authorization_code")).unwrap();
    let (authorize, device) = (&only("/oauth/authorize")[0], &only("/oauth/device_authorization")[0]);
    let revoke = only("/oauth/revoke");
    assert_eq!(revoke.len(), 2, "a refresh token, and an access token");
    for (place, said) in [
        ("authorize", authorize),
        ("device", device),
        ("refresh", refresh),
        ("token", redeem),
        ("revoke", &revoke[0]),
    ] {
        for (of, name, value) in EXTRA {
            let (here, found) = (of == place, said.get(name));
            match name {
                "client_id" => assert_eq!(found, Some("pilotlight"), "{place}"),
                "grant_type" | "token" | "scope" | "code_challenge_method" => {
                    assert_ne!(found, Some(value), "{place}: {name} is not the keeper's own");
                }
                _ => assert_eq!(found, here.then_some(value), "{place}: {name} of {of}"),
            }
        }
        assert!(!said.has_header("dpop"), "{place}");
    }
    for said in [authorize, device, redeem, refresh] {
        assert_eq!(said.get("resource"), Some("https://api.example.com"), "{said:?}");
    }
    for said in [authorize, device] {
        assert_eq!(
            (said.get("scope"), said.get("audience")),
            (Some("offline_access api"), Some("https://audience.example.com"))
        );
    }
    assert_eq!(authorize.get("code_challenge_method"), Some("S256"));

    let secrets = token.iter().chain(&revoke).flat_map(|said| &said.form);
    let secrets =
        secrets.filter(|(name, _)| ["code", "code_verifier", "refresh_token", "token"].contains(&&**name));
    let (log, journal) = (keeper.log(), format!("{:?}", keeper.entries(None)));
    for (name, secret) in secrets {
        assert!(
            !log.contains(secret) && !journal.contains(secret),
            "the {name} is in the log or the journal"
        );
    }
}

/// RFC 6749, section 4.3: for providers that have nothing better.
#[test]
fn a_password_is_enough_where_the_provider_takes_it() {
    let bench = Bench::strict(Duration::from_secs(60));
    bench.control.change_settings(|settings| settings.oauth.password_grant = true);
    let keeper = Keeper::start(&bench.oauth("work", "", "grant = \"password\""));
    assert_eq!(keeper.session("work").ways, [Way::Password]);
    let refused = keeper.login_as("work", "alice", "looking-glass").unwrap_err();
    assert_eq!(refused.code, Code::SignInRefused);
    let browser = Request::SignIn { profile: "work".to_owned(), way: Some(Way::Browser) };
    assert_eq!(keeper.ask(browser).unwrap_err().code, Code::WayUnsupported);
    keeper.login("work");
    assert_eq!(keeper.session("work").user.as_deref(), Some("alice"));
    keeper.refresh("work").unwrap();
    bench.control.revoke(What::Access, None, None).unwrap();
    let answer = keeper.fetch("work", "/api/profile").unwrap();
    assert_eq!((answer.status, answer.replayed), (200, true));
    assert_eq!(bench.told().refreshes_granted, 2);
    assert!(!keeper.log().contains("wonderland") && !keeper.log().contains("looking-glass"));
}

/// RFC 6749, section 4.4: the secret buys every token, is kept where refresh tokens are, and is no token itself.
#[test]
fn a_client_that_comes_for_itself_needs_its_secret_once() {
    let bench = Bench::strict(Duration::from_secs(2));
    let (ear, keyring) = (Ear::before(bench.origin()), Keyring::start());
    let of_oauth = by_hand("typed", ear.origin(), &[]);
    let profiles = bench.service("typed", "", &format!("dpop = false\n{of_oauth}"))
        + &bench.service("written", "", &format!("client_secret = \"{SECRET}\""));
    let mut keeper = Keeper::with_keyring(&profiles, &keyring);
    assert_eq!(keeper.session("typed").ways, [Way::ClientSecret]);
    assert_eq!(keeper.session("written").ways, [Way::Unattended]);
    let refused = keeper.login_as("typed", "", "guess").unwrap_err();
    assert_eq!(refused.code, Code::ClientRefused);
    assert!(keeper.ask(sign_in("typed", "", "")).is_err());
    keeper.login_as("typed", "", SECRET).unwrap();
    keeper.login_as("written", "", "").unwrap();
    let bought = || ear.heard("/oauth/token").len();
    let before = bought();
    until("it buys the next tokens by itself", || (bought() >= before + 2).then_some(()));
    for name in ["typed", "written"] {
        assert_eq!(keeper.fetch(name, "/api/profile").unwrap().status, 200, "{name}");
        assert!(keeper.session(name).saved);
    }
    assert!(!keeper.session("typed").access.unwrap().dpop && keeper.session("written").access.unwrap().dpop);

    keeper.restart();
    for name in ["typed", "written"] {
        keeper.until_fresh(name);
        assert_eq!(keeper.fetch(name, "/api/profile").unwrap().status, 200, "{name}");
    }
    assert!(ear.heard("/oauth/token").iter().all(|said| said.get("refresh_token").is_none()));

    keeper.log_out("typed", false);
    until("the provider has heard of it", || (keeper.noted("typed", "revocation") == 1).then_some(()));
    let revoked = ear.heard("/oauth/revoke");
    assert!(
        !revoked.is_empty() && revoked.iter().all(|said| said.get("token") != Some(SECRET)),
        "{revoked:?}"
    );
    until("it is forgotten", || sealed(&keeper, "typed", &keyring).is_none().then_some(()));
    for (place, text) in [("log", keeper.log()), ("journal", format!("{:?}", keeper.entries(None)))] {
        assert!(!text.contains(SECRET), "the secret is in the {place}");
    }
    assert_eq!(bench.told().refreshes_received, 0);
}

/// RFC 8628, to its other ends.
#[test]
fn a_code_that_is_turned_away_or_runs_out_signs_nobody_in() {
    let bench = Bench::strict(Duration::from_secs(60));
    bench.control.change_settings(|settings| settings.oauth.device_interval = Duration::ZERO);
    let keeper = Keeper::start(&bench.oauth("work", "", ""));
    let (pending, _) = keeper.begin_sign_in("work", Way::Device);
    let Pending::Device { user_code, verification_uri, qr, .. } = pending else { panic!("{pending:?}") };
    assert!(!qr.is_empty());
    let page = Browser::new().enter(&verification_uri, &user_code, Person::ALICE.who_refuses());
    assert!(page.body.contains("turned away"), "{page:?}");
    assert_eq!(keeper.finish_sign_in("work").unwrap_err().code, Code::SignInDenied);

    bench.control.change_settings(|settings| settings.oauth.device_ttl = Duration::from_millis(1));
    keeper.begin_sign_in("work", Way::Device);
    assert_eq!(keeper.finish_sign_in("work").unwrap_err().code, Code::SignInExpired);
    assert_eq!(keeper.session("work").pending, None);
}

/// Where, which, and what a profile must not be able to say there.
const EXTRA: [(&str, &str, &str); 12] = [
    ("authorize", "access_type", "offline"),
    ("authorize", "code_challenge_method", "plain"),
    ("authorize", "client_id", "another"),
    ("device", "of_device", "1"),
    ("device", "scope", "reports"),
    ("refresh", "of_refresh", "2"),
    ("refresh", "grant_type", "password"),
    ("revoke", "of_revoke", "3"),
    ("revoke", "token", "another-token"),
    ("token", "of_token", "4"),
    ("token", "grant_type", "password"),
    ("token", "client_id", "another"),
];
