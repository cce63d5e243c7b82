//! What people get wrong, and what they are told.

use std::fs;
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use api::{Code, Draft, PhaseView, Reply, Request};
use pilotlight_sandbox::{Dialect, Endpoint, Fault};

use crate::harness::{Bench, Keeper, meet, until};
use crate::programs::program;

/// Row B5.
#[test]
fn a_wrong_password_is_told_in_the_providers_words() {
    let bench = Bench::strict(Duration::from_secs(60));
    let keeper = Keeper::start(&Dialect::JSON.map(|dialect| bench.profile(dialect, "")).concat());
    for (dialect, status, words) in [
        (Dialect::Flask, "400", "bad credentials"),
        (Dialect::Heartbeat, "401", "invalid_credentials"),
        (Dialect::NestJs, "400", "密码错误"),
        (Dialect::SimpleJwt, "401", "No active account found with the given credentials"),
    ] {
        let name = dialect.name();
        let failure = keeper.login_as(name, "alice", "guess").unwrap_err();
        assert_eq!(failure.code, Code::SignInRefused, "{name}");
        assert_eq!(failure.details["status"], status, "{name}");
        assert_eq!(failure.details["message"], words, "{name}");
        assert_eq!(
            bench.counted(dialect).refreshes_received,
            0,
            "B5: a 401 of the sign-in refreshes nothing"
        );
        assert!(matches!(keeper.phase(name), PhaseView::NeedsLogin { .. }));
    }
}

#[test]
fn a_sign_in_that_meets_trouble_says_which() {
    let bench = Bench::strict(Duration::from_secs(60));
    let keeper = Keeper::start(&bench.profile(Dialect::NestJs, "timeout = \"300ms\""));
    for (fault, code) in [
        (Fault::Hang, Code::TimedOut),
        (Fault::Reset, Code::Unanswered),
        (Fault::Status, Code::ServerError),
        (Fault::RateLimit, Code::SignInLater),
        (Fault::CaptivePortal, Code::NotJson),
        (Fault::Redirect, Code::Redirected),
        (Fault::NotJson, Code::NotJson),
        (Fault::Huge, Code::AnswerTooLarge),
        (Fault::Truncated, Code::AnswerCutShort),
    ] {
        bench.fault(fault, meet(Endpoint::Login).times(1).on());
        let failure = keeper.login_as("nestjs", "alice", "wonderland").unwrap_err();
        assert_eq!(failure.code, code, "{fault:?}: {failure:?}");
        assert_eq!(failure.profile.as_deref(), Some("nestjs"));
    }
    keeper.login("nestjs");
}

#[test]
fn an_unknown_profile_is_told_with_the_nearest_one() {
    let bench = Bench::strict(Duration::from_secs(60));
    let keeper = Keeper::start(&bench.profile(Dialect::NestJs, ""));
    let failure = keeper.fetch("nestsj", "/aaa").unwrap_err();
    assert_eq!((failure.code, failure.details["meant"].as_str()), (Code::UnknownProfile, "nestjs"));
    let failure = keeper.fetch("something else", "/aaa").unwrap_err();
    assert_eq!((failure.code, failure.details.get("meant")), (Code::UnknownProfile, None));
}

#[test]
fn a_mistake_in_the_configuration_is_told_with_its_line_and_stops_nobody_else() {
    let bench = Bench::strict(Duration::from_secs(60));
    let good = bench.profile(Dialect::NestJs, "");
    let config = format!(
        "vault = \"memory\"\n\n[profile.bad]\npreset = \"flask\"\n# here:\n\nurll = \"https://a.example\"\n\n{good}"
    );
    let mut keeper = Keeper::idle(&config);
    keeper.spawn();
    keeper.login("nestjs");
    let problems = keeper.overview().problems;
    let line = |problem: &&api::Failure| problem.details.get("line").map(String::as_str) == Some("7");
    let problem = problems.iter().find(line).unwrap_or_else(|| panic!("{problems:?}"));
    assert_eq!(problem.profile.as_deref(), Some("bad"));
    assert!(problem.details.values().any(|value| value.contains("urll")), "{problem:?}");
    // Whoever asks for that profile is told what is wrong with it.
    let failure = keeper.fetch("bad", "/").unwrap_err();
    assert_ne!(failure.code, Code::UnknownProfile, "{failure:?}");
    assert_eq!(failure.details.get("line").map(String::as_str), Some("7"));
}

#[test]
fn a_file_that_cannot_be_read_at_all_is_told_and_mended_while_the_keeper_runs() {
    let bench = Bench::strict(Duration::from_secs(60));
    let good = format!("vault = \"memory\"\n\n{}", bench.profile(Dialect::NestJs, ""));
    let mut keeper = Keeper::idle(&good);
    keeper.spawn();
    keeper.login("nestjs");
    keeper.write_config(&good.replace("[profile.nestjs]", "[profile.nestjs"));
    let told = until("the mistake is told", || keeper.overview().problems.first().cloned());
    assert_eq!(told.details["line"], "3", "{told:?}");
    // The session is not lost over a bracket.
    assert_eq!(keeper.fetch("nestjs", "/aaa").unwrap().status, 200);
    keeper.write_config(&good);
    until("it is mended", || keeper.overview().problems.is_empty().then_some(()));
    assert_eq!(keeper.fetch("nestjs", "/aaa").unwrap().status, 200);
    assert_eq!(bench.counted(Dialect::NestJs).logins, 1);
}

#[test]
fn profiles_come_and_go_with_the_file_while_the_keeper_runs() {
    let bench = Bench::strict(Duration::from_secs(60));
    let one = format!("vault = \"memory\"\n\n{}", bench.profile(Dialect::NestJs, ""));
    let mut keeper = Keeper::idle(&one);
    keeper.spawn();
    keeper.login("nestjs");
    keeper.write_config(&format!("{one}{}", bench.profile(Dialect::Flask, "")));
    keeper.login("flask");
    assert_eq!(keeper.fetch("nestjs", "/aaa").unwrap().status, 200, "the other one was not touched");
    assert_eq!(bench.counted(Dialect::NestJs).logins, 1);
    keeper.write_config(&one);
    until("the other one is gone", || {
        keeper.fetch("flask", "/protected").err().filter(|failure| failure.code == Code::UnknownProfile)
    });
    assert_eq!(keeper.fetch("nestjs", "/aaa").unwrap().status, 200);
}

#[test]
fn a_profile_can_be_added_and_removed_through_the_socket() {
    let bench = Bench::strict(Duration::from_secs(60));
    let mut keeper = Keeper::idle("# mine\nvault = \"memory\"\n");
    keeper.spawn();
    let draft = Draft {
        profile: "work".to_owned(),
        preset: "nestjs".to_owned(),
        url: format!("{}/nestjs", bench.origin()),
        sandbox: true,
        ..Draft::default()
    };
    assert!(matches!(keeper.ask(Request::Add(Box::new(draft.clone()))), Ok(Reply::Status(_))));
    assert_eq!(keeper.ask(Request::Add(Box::new(draft))).unwrap_err().code, Code::AlreadyExists);
    keeper.login("work");
    assert_eq!(keeper.fetch("work", "/aaa").unwrap().status, 200);
    assert!(matches!(keeper.ask(Request::Remove { profile: "work".to_owned() }), Ok(Reply::Done)));
    assert_eq!(keeper.fetch("work", "/aaa").unwrap_err().code, Code::UnknownProfile);
    let text = fs::read_to_string(keeper.home().config()).unwrap();
    assert!(text.starts_with("# mine\n") && !text.contains("work"), "{text}");
}

/// Row T18.
#[test]
fn plain_http_to_another_machine_is_refused_before_anything_is_sent() {
    let mut keeper = Keeper::idle(
        "vault = \"memory\"\n\n[profile.far]\npreset = \"flask\"\nurl = \"http://api.example.test\"\n",
    );
    keeper.spawn();
    let failure = keeper.login_as("far", "alice", "wonderland").unwrap_err();
    assert_eq!(failure.code, Code::BadConfig, "{failure:?}");
    assert_eq!(failure.details["problem"], "plain_http", "{failure:?}");
    assert_eq!(failure.details.get("line").map(String::as_str), Some("5"), "{failure:?}");
}

#[test]
fn a_server_that_is_not_there_is_told_at_once() {
    // Bound, so that nobody else gets the port, and not listening for long.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let keeper = Keeper::start(&format!("[profile.away]\npreset = \"nestjs\"\nurl = \"http://{address}\"\n"));
    let began = Instant::now();
    let failure = keeper.login_as("away", "alice", "wonderland").unwrap_err();
    assert_eq!(
        (failure.code, failure.details["host"].as_str()),
        (Code::Offline, address.to_string().as_str())
    );
    assert!(began.elapsed() < Duration::from_secs(2));
}

/// Row D3.
/// The address of a website instead of its API.
#[test]
fn an_address_that_answers_with_pages_is_told() {
    let bench = Bench::strict(Duration::from_secs(60));
    let portal = format!("[profile.site]\npreset = \"nestjs\"\nurl = \"{}/portal\"\n", bench.origin());
    let base = format!("[profile.base]\npreset = \"nestjs\"\nurl = \"{}\"\n", bench.origin());
    let keeper = Keeper::start(&format!("{portal}\n{base}"));
    for profile in ["site", "base"] {
        let failure = keeper.login_as(profile, "alice", "wonderland").unwrap_err();
        assert!(matches!(failure.code, Code::Misconfigured | Code::NotJson), "{profile}: {failure:?}");
    }
}

#[test]
fn fault_switches_are_for_sandboxes_only() {
    let bench = Bench::strict(Duration::from_secs(60));
    let plain = bench.profile_named("plain", Dialect::NestJs, "").replace("sandbox = true", "");
    let keeper = Keeper::start(&plain);
    let failure = keeper.ask(Request::Bench { profile: "plain".to_owned() }).unwrap_err();
    assert_eq!(failure.code, Code::NotASandbox);
}

#[test]
fn a_sandbox_whose_port_is_taken_says_so_and_what_to_do() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let output = Command::new(program("pilotlight-sandbox"))
        .env("LC_ALL", "C")
        .args(["--port", &port])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(
        told.contains(&port) && told.contains("Choose another port") && told.contains("[port_in_use]"),
        "{told}"
    );
}
