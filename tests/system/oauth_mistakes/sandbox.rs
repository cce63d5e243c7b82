//! The sandbox's own issuer with its faults switched on: another server, which shares no code with us.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use api::{Code, Failure, PhaseView, Request};
use pilotlight_sandbox::{Dialect, Endpoint, Fault};
use serde_json::{Value, json};
use url::Url;

use super::browser::{Visit, query};
use super::{Stage, can_be_read};
use crate::harness::{Bench, meet};

#[test]
fn its_faults_are_told_and_the_session_before_goes_on() {
    let bench = Bench::strict(Duration::from_secs(600));
    let stage = Stage::with(&profile(&bench));
    sign_in(&stage, &bench).unwrap();
    let before = stage.token("oauth");
    for (fault, value, on, code) in [
        (Fault::WrongIss, json!("other"), Endpoint::Consent, Code::WrongIssuer),
        (Fault::WrongIss, json!("missing"), Endpoint::Consent, Code::WrongIssuer),
        (Fault::AlgConfusion, json!("hs256"), Endpoint::Login, Code::IdentityUnverified),
        (Fault::AlgConfusion, json!("none"), Endpoint::Login, Code::IdentityUnverified),
        (Fault::WrongIdToken, json!("nonce"), Endpoint::Login, Code::IdentityUnverified),
        (Fault::WrongIdToken, json!("aud"), Endpoint::Login, Code::IdentityUnverified),
        (Fault::WrongIdToken, json!("iss"), Endpoint::Login, Code::IdentityUnverified),
        (Fault::WrongIdToken, json!("exp"), Endpoint::Login, Code::IdentityUnverified),
        (Fault::WrongIdToken, json!("at_hash"), Endpoint::Login, Code::IdentityUnverified),
        (Fault::WrongIdToken, json!("kid"), Endpoint::Login, Code::IdentityUnverified),
        (Fault::WrongIdToken, json!("signature"), Endpoint::Login, Code::IdentityUnverified),
        (Fault::Status, json!(503), Endpoint::Login, Code::ServerError),
        (Fault::CaptivePortal, Value::Null, Endpoint::Login, Code::NotJson),
        (Fault::LostAnswer, Value::Null, Endpoint::Login, Code::Unanswered),
        (Fault::Truncated, Value::Null, Endpoint::Login, Code::AnswerCutShort),
    ] {
        bench.fault(fault, meet(on).of(Dialect::OAuth).value(value.clone()));
        let failure = sign_in(&stage, &bench).expect_err(&format!("{fault:?} {value}"));
        bench.control.clear_faults();
        assert_eq!(failure.code, code, "{fault:?} {value}: {failure:?}");
        stage.is_told("oauth", &failure);
        assert_eq!((stage.token("oauth"), stage.keeper.phase("oauth")), (before.clone(), PhaseView::Fresh));
    }
    sign_in(&stage, &bench).unwrap();
    assert_ne!(stage.token("oauth"), before);
    stage.ends_discreetly(&[]);
}

/// The wrong state is not an end: whoever it belongs to, it is not us.
#[test]
fn an_answer_with_another_state_is_passed_over() {
    let bench = Bench::strict(Duration::from_secs(600));
    let stage = Stage::with(&profile(&bench));
    for value in ["other", "missing"] {
        let url = stage.begin_url("oauth").unwrap();
        bench.fault(Fault::WrongState, meet(Endpoint::Consent).of(Dialect::OAuth).value(json!(value)));
        let wrong = back_from(&bench, &url);
        bench.control.clear_faults();
        let visit = Visit::at(&wrong);
        assert_eq!(visit.lands(wrong.query().unwrap()).status, 400, "{value}");
        assert_eq!(visit.calls("/done").status, 404, "{value}: it is still waited for");
        assert!(stage.ask(Request::CancelSignIn { profile: "oauth".to_owned() }).is_ok());
    }
    sign_in(&stage, &bench).unwrap();
}

#[test]
fn metadata_of_another_are_not_used() {
    let bench = Bench::strict(Duration::from_secs(600));
    for (fault, code) in
        [(Fault::ForeignMetadata, Code::WrongIssuer), (Fault::HttpEndpoints, Code::NoMetadata)]
    {
        let stage = Stage::with(&profile(&bench));
        bench.fault(fault, meet(Endpoint::Discovery).of(Dialect::OAuth).on());
        let issuer = format!("{}/oauth", bench.origin());
        let failure = stage.ask(Request::Discover { issuer, allow_http: false, ca_file: None }).unwrap_err();
        assert_eq!(failure.code, code, "{fault:?}: {failure:?}");
        can_be_read(&failure);
        let failure = stage.begin("oauth").unwrap_err();
        assert_eq!(failure.code, code, "{fault:?}: {failure:?}");
        stage.is_told("oauth", &failure);
        bench.control.clear_faults();
        sign_in(&stage, &bench).unwrap();
    }
}

fn profile(bench: &Bench) -> String {
    format!(
        "[profile.oauth]\n[profile.oauth.oauth]\nissuer = \"{}/oauth\"\nclient_id = \"pilotlight\"\n\
         scopes = [\"openid\", \"offline_access\", \"api\"]\n",
        bench.origin()
    )
}

fn sign_in(stage: &Stage, bench: &Bench) -> Result<(), Failure> {
    let back = back_from(bench, &stage.begin_url("oauth").unwrap());
    let telling = ["code", "state"];
    let secrets = back.query_pairs().filter(|(name, _)| telling.contains(&name.as_ref()));
    stage.secrets.lock().unwrap().extend(secrets.map(|(_, secret)| secret.into_owned()));
    let visit = Visit::at(&back);
    assert_eq!(visit.lands(back.query().unwrap()).status, 303);
    assert_eq!(visit.calls("/done").status, 200);
    visit.until_closed();
    stage.finish("oauth")
}

/// Alice signs in at the page, and is sent back.
fn back_from(bench: &Bench, url: &str) -> Url {
    let url = Url::parse(url).unwrap();
    let target = format!("{}?{}", url.path(), url.query().unwrap());
    let page = exchange(bench, &format!("GET {target} HTTP/1.1\r\n"), "");
    let cookie =
        page.lines().find_map(|line| line.strip_prefix("set-cookie: ")).unwrap_or_else(|| panic!("{page}"));
    let ticket = page.split_once("name=\"ticket\" value=\"").unwrap().1.split('"').next().unwrap();
    let form = query(&[("ticket", ticket), ("username", "alice"), ("password", "wonderland")]);
    let head = format!(
        "POST /oauth/sign_in HTTP/1.1\r\nCookie: {}\r\nContent-Type: application/x-www-form-urlencoded\r\n",
        cookie.split(';').next().unwrap()
    );
    let answer = exchange(bench, &head, &form);
    let there = answer.lines().find_map(|line| line.strip_prefix("location: "));
    Url::parse(there.unwrap_or_else(|| panic!("{answer}")).trim()).unwrap()
}

fn exchange(bench: &Bench, head: &str, body: &str) -> String {
    let address = bench.origin().trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).unwrap();
    let more = format!("Host: {address}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    stream.write_all([head, &more, body].concat().as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}
