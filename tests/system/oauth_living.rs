//! The life of a session with an OAuth provider: from the browser to the hundredth request, over expiries, refusals
//! and restarts, with the key that its tokens are bound to.

use std::time::Duration;

use api::{Code, Fetch, Pending, Request, Way};
use pilotlight_sandbox::{Dpop, Endpoint, Fault, What};
use serde_json::Value;

use crate::harness::{
    Bench, Browser, Ear, Keeper, Keyring, Person, fetch, fetched, meet, post, sealed, until,
};

#[test]
fn a_session_from_the_browser_refreshes_itself_before_its_token_ends() {
    let bench = Bench::strict(Duration::from_secs(2));
    let keeper = Keeper::start(&bench.oauth("work", "", ""));
    let page = keeper.sign_in("work");
    assert_eq!((page.url.path(), page.url.query(), page.status), ("/done", None, 200));
    assert_eq!(page.header("cache-control"), "no-store");
    let told = bench.introspect(&keeper.access_token("work"));
    // Those of the provider's scopes that a session has a use for.
    assert_eq!(
        (&told["active"], &told["scope"], &told["token_type"]),
        (&true.into(), &"openid offline_access".into(), &"DPoP".into()),
        "{told}"
    );
    let session = keeper.session("work");
    assert_eq!((session.user.as_deref(), session.access.unwrap().dpop), (Some("user-1"), true));
    until("it refreshes itself, and nobody asks for it", || {
        (bench.told().refreshes_granted >= 3).then_some(())
    });
    let counted = bench.told();
    assert_eq!((counted.refreshes_refused, counted.max_refreshes_in_flight), (0, 1));
    assert_eq!((counted.codes_issued, counted.unauthorized), (1, 0));
    assert_eq!(keeper.fetch("work", "/api/profile").unwrap().status, 200);
    assert!(keeper.noted("work", "refreshed") >= 2);
}

/// The sandbox's ID tokens say no name; its userinfo endpoint does, to whom may know it.
#[test]
fn a_person_is_shown_by_a_name_where_there_is_one() {
    let bench = Bench::strict(Duration::from_secs(60));
    let ear = Ear::before(bench.origin());
    let lines = [
        ("profile", "scopes = [\"openid\", \"profile\"]"),
        ("email", "scopes = [\"openid\", \"email\"]"),
        ("plain", "scopes = [\"openid\"]"),
        ("audience", "scopes = [\"openid\", \"profile\"]\naudience = \"https://api.example.com\""),
        (
            "resource",
            "scopes = [\"openid\", \"profile\"]\nresource_indicators = [\"https://api.example.com\"]",
        ),
    ];
    let profiles = lines.map(|(name, own)| {
        let userinfo = format!("userinfo = \"{}/oauth/userinfo\"", ear.origin());
        bench.oauth(name, "", &format!("dpop = false\n{own}\n[profile.{name}.oauth.endpoints]\n{userinfo}"))
    });
    let keeper = Keeper::start(&profiles.concat());
    let mut asked = 0;
    let mut is_called = |profile: &str, user: &str, times: usize| {
        keeper.sign_in(profile);
        assert_eq!(keeper.session(profile).user.as_deref(), Some(user), "{profile}");
        asked += times;
        assert_eq!(ear.heard("/oauth/userinfo").len(), asked, "{profile}");
        assert_eq!(keeper.fetch(profile, "/api/profile").unwrap().status, 200, "{profile}");
    };
    is_called("profile", "alice", 1);
    is_called("email", "alice@example.test", 1);
    is_called("plain", "user-1", 1);
    // A token for somebody else's API is shown to nobody but that.
    is_called("audience", "user-1", 0);
    is_called("resource", "user-1", 0);
    // Whatever goes wrong changes nothing, and another person's name is not taken.
    for (status, body) in [
        ("503 Service Unavailable", "{}"),
        ("401 Unauthorized", "{}"),
        ("200 OK", "no JSON"),
        ("200 OK", r#"{"sub":"user-2","name":"bob"}"#),
        ("200 OK", r#"{"sub":"user-1","name":"a\u001b[2J","email":7}"#),
    ] {
        ear.answer_once("/oauth/userinfo", status, "X-From: test", body);
        is_called("profile", "user-1", 1);
    }
    assert_eq!(bench.told().refreshes_received, 0);
}

/// The provider forgets the access token while fifty requests are asked in one breath.
#[test]
fn fifty_requests_with_a_refused_token_cost_one_refresh_and_keep_their_order() {
    let bench = Bench::strict(Duration::from_secs(60));
    let keeper = Keeper::start(&bench.oauth("work", "", ""));
    keeper.sign_in("work");
    bench.control.revoke(What::Access, None, None).unwrap();
    bench.fault(Fault::Latency, meet(Endpoint::Resource).value(20.into()));
    let asked = (0..50)
        .map(|n| match n % 5 {
            0 => post("work", "/api/notes", format!(r#"{{"n":{n}}}"#)),
            _ => fetch("work", "/api/profile"),
        })
        .collect();
    let answers: Vec<_> = keeper.wire().ask_all(asked).into_iter().map(|it| fetched(it).unwrap()).collect();
    assert!(answers.iter().all(|answer| answer.status < 300 && answer.replayed), "{answers:?}");
    let notes: Vec<Value> =
        answers.iter().step_by(5).map(|answer| serde_json::from_str(&answer.body).unwrap()).collect();
    let order: Vec<_> = notes.iter().map(|note| note["id"].as_u64().unwrap()).collect();
    assert_eq!(order, (1..=10).collect::<Vec<_>>(), "the provider saw them in another order");
    let counted = bench.told();
    assert_eq!((counted.refreshes_received, counted.refreshes_granted, counted.side_effects), (1, 1, 10));
    let mut served = bench.control.log(0);
    served.retain(|entry| entry.path.starts_with("/oauth/api/") && entry.status.is_some_and(|it| it < 300));
    served.sort_by_key(|entry| entry.arrived);
    for pair in served.windows(2).filter(|pair| pair.iter().any(|entry| entry.method == "POST")) {
        // It takes twenty, and clocks are read in whole milliseconds.
        assert!(pair[1].at_ms >= pair[0].at_ms + 19, "what changes something goes alone: {pair:?}");
    }
}

/// D: the key, the identity and the name are kept with the refresh token, and only a sign-in makes others.
#[test]
fn after_a_restart_the_session_goes_on_with_the_key_that_it_had() {
    let bench = Bench::strict(Duration::from_secs(60)).expecting_reuse();
    let keyring = Keyring::start();
    let mut keeper = Keeper::with_keyring(&bench.oauth("work", "", ""), &keyring);
    let jkt = |keeper: &Keeper| {
        let told = bench.introspect(&keeper.access_token("work"));
        told["cnf"]["jkt"].as_str().unwrap_or_else(|| panic!("{told}")).to_owned()
    };
    keeper.sign_in("work");
    let first = jkt(&keeper);
    assert!(keeper.session("work").saved);
    let record = sealed(&keeper, "work", &keyring).unwrap();
    assert_eq!(
        (&record["v"], &record["issuer"], &record["subject"], &record["user"]),
        (&1.into(), &bench.issuer().into(), &"user-1".into(), &"user-1".into())
    );
    let key = record["proof_key"].as_str().unwrap().to_owned();

    keeper.restart();
    keeper.until_fresh("work");
    assert_eq!(jkt(&keeper), first, "the refresh after the restart was proved with another key");
    assert_eq!(keeper.session("work").user.as_deref(), Some("user-1"));
    assert_eq!(bench.told().codes_issued, 1);
    keeper.refresh("work").unwrap();
    assert_eq!(jkt(&keeper), first);
    assert_eq!(keeper.fetch("work", "/api/profile").unwrap().status, 200);

    keeper.sign_in("work");
    let second = jkt(&keeper);
    assert_ne!(second, first, "a new sign-in goes on with the old key");

    // The identity came back too: somebody else's tokens are not taken.
    keeper.restart();
    keeper.until_fresh("work");
    bench.fault(Fault::WrongIdToken, meet(Endpoint::Refresh).times(1).value("sub".into()));
    assert_eq!(keeper.refresh("work").unwrap_err().code, Code::IdentityOther);

    for (place, text) in [("log", keeper.log()), ("journal", format!("{:?}", keeper.entries(None)))] {
        assert!(!text.contains(&key), "the key is in the {place}");
    }
}

/// RFC 9449, sections 8 and 9: one more try a server, and only as long as its nonce is not known.
#[test]
fn a_nonce_costs_one_more_try_and_is_remembered() {
    let bench = Bench::strict(Duration::from_secs(60));
    bench.control.change_settings(|settings| settings.oauth.dpop_nonce = true);
    let keeper = Keeper::start(&bench.oauth("work", "", r#"scopes = ["api"]"#));
    keeper.sign_in("work");
    assert_eq!((bench.statuses("/par"), bench.statuses("/token")), (vec![400, 201], vec![200]));
    for _ in 0..3 {
        let answer = keeper.fetch("work", "/api/orders").unwrap();
        assert_eq!((answer.status, answer.replayed), (200, false));
    }
    assert_eq!(bench.statuses("/api/orders"), [401, 200, 200, 200]);
    // The API has nonces of its own, on the same origin.
    keeper.refresh("work").unwrap();
    assert_eq!(bench.statuses("/token"), [200, 400, 200]);
    keeper.refresh("work").unwrap();
    assert_eq!(bench.statuses("/token"), [200, 400, 200, 200]);

    // A server whose nonces are over before they are used is not gone along with for ever.
    bench.control.change_settings(|settings| settings.oauth.nonce_ttl = Duration::from_nanos(1));
    bench.control.clear_log();
    assert_eq!(keeper.refresh("work").unwrap_err().code, Code::ServerError);
    assert_eq!(bench.statuses("/token"), [400, 400]);
    let asked = Fetch {
        timeout_ms: Some(1500),
        profile: "work".into(),
        path: "/api/profile".into(),
        ..Fetch::default()
    };
    fetched(keeper.ask(Request::Fetch(asked))).unwrap_err();
    assert_eq!(bench.statuses("/api/profile"), [401, 401]);
    bench.control.change_settings(|settings| settings.oauth.nonce_ttl = Duration::from_secs(60));
    until("the session is fresh again", || keeper.refresh("work").ok());
    assert_eq!(keeper.fetch("work", "/api/profile").unwrap().status, 200);
}

/// RFC 9449, section 5: whether a token is bound is the provider's answer, not the client's wish.
#[test]
fn a_token_is_proved_only_where_it_is_bound() {
    let bench = Bench::strict(Duration::from_secs(60));
    let ear = Ear::before(bench.origin());
    let lines = [("off", "dpop = false"), ("offered", "grant = \"device_code\"\ndpop = true")];
    let api = |text: String| {
        text.replacen(&format!("url = \"{}", bench.origin()), &format!("url = \"{}", ear.origin()), 1)
    };
    let keeper = Keeper::start(&lines.map(|(name, own)| api(bench.oauth(name, "", own))).concat());
    keeper.sign_in("off");
    // It knows nothing of any proof, and gives what it always gives.
    bench.control.change_settings(|settings| {
        settings.oauth.dpop = Dpop::Off;
        settings.oauth.device_interval = Duration::ZERO;
    });
    let (pending, url) = keeper.begin_sign_in("offered", Way::Device);
    let Pending::Device { user_code, verification_uri, .. } = pending else { panic!("{pending:?}") };
    assert_eq!(url, None);
    let page = Browser::new().enter(&verification_uri, &user_code, Person::ALICE);
    assert!(page.body.contains("The device is connected"), "{page:?}");
    keeper.finish_sign_in("offered").unwrap();
    for (name, _) in lines {
        keeper.until_fresh(name);
        keeper.refresh(name).unwrap();
        let told = bench.introspect(&keeper.access_token(name));
        assert_eq!((&told["token_type"], &told["cnf"]), (&"Bearer".into(), &Value::Null), "{name}: {told}");
        assert!(!keeper.session(name).access.unwrap().dpop, "{name}");
        assert_eq!(keeper.fetch(name, "/api/profile").unwrap().status, 200, "{name}");
    }
    let asked = ear.heard("/oauth/api/profile");
    assert!(asked.len() == 2 && asked.iter().all(|said| !said.has_header("dpop")), "{asked:?}");
    assert_eq!((bench.told().unauthorized, bench.told().refreshes_refused), (0, 0));
}

/// RFC 9126: the browser's address says nothing but where the request is.
#[test]
fn a_request_is_pushed_where_that_is_wanted_and_the_ordinary_way_is_there_where_it_is_not() {
    let bench = Bench::strict(Duration::from_secs(60));
    let keeper = Keeper::start(&bench.oauth("work", "", ""));
    let names = |url: &str| {
        let url = url::Url::parse(url).unwrap();
        url.query_pairs().map(|(name, _)| name.into_owned()).collect::<Vec<_>>()
    };
    bench.control.change_settings(|settings| settings.oauth.require_pushed = true);
    let (_, url) = keeper.begin_sign_in("work", Way::Browser);
    assert_eq!(names(&url.unwrap()), ["client_id", "request_uri"]);
    keeper.sign_in("work");
    assert_eq!(bench.statuses("/par"), [201, 201]);

    // Wanted, and broken: nobody is sent to a page that would turn them away.
    bench.fault(Fault::Status, meet(Endpoint::Authorize).times(1).value(500.into()));
    let failed = keeper.ask(Request::SignIn { profile: "work".into(), way: Some(Way::Browser) });
    assert_eq!(failed.unwrap_err().code, Code::ServerError);

    // Only offered, and broken.
    bench.control.change_settings(|settings| settings.oauth.require_pushed = false);
    let keeper = Keeper::start(&bench.oauth("work", "", ""));
    bench.fault(Fault::Status, meet(Endpoint::Authorize).times(1).value(500.into()));
    let (_, url) = keeper.begin_sign_in("work", Way::Browser);
    let url = url.unwrap();
    assert!(names(&url).iter().any(|name| name == "code_challenge"), "{:?}", names(&url));
    assert_eq!(Browser::new().follow(&url, Person::ALICE).url.path(), "/done");
    keeper.finish_sign_in("work").unwrap();
}
