//! Where the secrets of OAuth must not be.

use std::collections::BTreeSet;
use std::time::Duration;

use api::{Reply, Request, Way};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pilotlight_sandbox::{Endpoint, Fault, What};

use crate::harness::{
    Bench, Browser, Ear, Keeper, Keyring, Person, SECRET, by_hand, fetch, meet, sealed, sign_in, until,
};
use crate::secrets::Said;

/// Rows F6, F8: a life with everything in it that makes programs talk too much, and then a search through all it said.
#[test]
fn no_secret_of_oauth_is_anywhere_but_where_it_belongs() {
    let bench = Bench::with_grace(Duration::from_secs(30), Duration::from_secs(30));
    let (ear, keyring) = (Ear::before(bench.origin()), Keyring::start());
    let plain = format!(
        "dpop = false\nscopes = [\"api\", \"offline_access\"]\n{}",
        by_hand("plain", ear.origin(), &[])
    );
    let service = format!("dpop = false\n{}", by_hand("service", ear.origin(), &[]));
    let mut keeper = Keeper::idle(&format!(
        "{}{}{}",
        bench.oauth("bound", "heartbeat = \"1s\"", ""),
        bench.oauth("plain", "timeout = \"400ms\"", &plain),
        bench.service("service", "", &service)
    ));
    keyring.env().iter().for_each(|(name, value)| keeper.set_env(name, value));
    // What the libraries would tell is not wanted at any level.
    keeper.set_env("PILOTLIGHT_LOG", "trace");
    let overheard = keyring.overhear();
    keeper.spawn();
    let mut said = Said::default();
    let mut watching = keeper.wire();
    watching.send(Request::Watch);
    said.hear(watching.text());

    let mut secrets: BTreeSet<String> = ["wonderland", "canary-secret"].map(str::to_owned).into();
    said.ask(&keeper, sign_in("service", "", "canary-secret"));
    said.ask(&keeper, sign_in("service", "", SECRET));
    secrets.extend([SECRET.to_owned(), STANDARD.encode(format!("pilotlight-service:{SECRET}"))]);
    // A sign-in whose tokens are not taken, one that nobody finishes, and one that is turned away.
    bench.fault(Fault::WrongIdToken, meet(Endpoint::Login).times(1).on());
    let (_, url) = keeper.begin_sign_in("bound", Way::Browser);
    Browser::new().follow(&url.unwrap(), Person::ALICE);
    finish(&mut said, &keeper, "bound");
    keeper.begin_sign_in("plain", Way::Device);
    let (_, url) = keeper.begin_sign_in("plain", Way::Browser);
    Browser::new().follow(&url.unwrap(), Person::ALICE.who_refuses());
    finish(&mut said, &keeper, "plain");
    for name in ["bound", "plain"] {
        keeper.sign_in(name);
        for fault in
            [Fault::Reset, Fault::Status, Fault::NotJson, Fault::LostAnswer, Fault::Truncated, Fault::Omit]
        {
            secrets.insert(keeper.access_token(name));
            bench.fault(fault, meet(Endpoint::Refresh).times(1).on());
            said.ask(&keeper, Request::Refresh { profile: name.to_owned(), by: api::Asker::Person });
            bench.control.clear_faults();
            until("the session is fresh again", || keeper.refresh(name).ok());
        }
        bench.control.revoke(What::Access, None, None).unwrap();
        for path in ["/api/profile", "/api/safe", "/api/reports", "/nowhere"] {
            said.ask(&keeper, fetch(name, path));
        }
        secrets.insert(keeper.access_token(name));
    }
    assert!(keeper.session("bound").saved);
    // The test itself reads the key in plain.
    let bus = overheard.end();
    assert!(bus.contains("CreateItem") && bus.contains("GetSecret"), "the key crossed the bus");
    said.hear(bus);
    let record = sealed(&keeper, "bound", &keyring).unwrap();
    secrets.insert(keyring.key());
    secrets.extend(["refresh", "proof_key"].map(|name| record[name].as_str().unwrap().to_owned()));
    said.ask(&keeper, Request::Status { profile: None });
    said.ask(&keeper, Request::Log { profile: None, before: None, limit: Some(1000) });
    let Reply::Open { url } = keeper.log_out("bound", true) else { panic!("no address") };
    let hint = url::Url::parse(&url).unwrap();
    secrets.extend(
        hint.query_pairs().find(|(name, _)| name == "id_token_hint").map(|(_, hint)| hint.into_owned()),
    );
    said.ask(&keeper, Request::Logout { profile: "plain".to_owned(), browser: false });
    said.look_at_the_process(&keeper);
    keeper.stop();
    loop {
        match watching.text() {
            line if line.is_empty() => break,
            line => said.hear(line),
        }
    }

    // As they went over the wire.
    for path in ["authorize", "device_authorization", "introspect", "revoke", "token"] {
        for heard in ear.heard(&format!("/oauth/{path}")) {
            let form = heard.form.into_iter().filter(|(name, _)| SECRETS.contains(&name.as_str()));
            secrets.extend(form.map(|(_, value)| value));
        }
    }
    assert!(secrets.len() > 30, "the test knows too few secrets to mean anything: {}", secrets.len());
    said.assert_nothing_of(&secrets, &keeper);
}

fn finish(said: &mut Said, keeper: &Keeper, profile: &str) {
    said.ask(keeper, Request::FinishSignIn { profile: profile.to_owned(), timeout_ms: None });
}

const SECRETS: [&str; 8] = [
    "client_secret",
    "code",
    "code_challenge",
    "code_verifier",
    "device_code",
    "refresh_token",
    "state",
    "token",
];
