//! Every fault that the sandbox knows, met by a refresh: what it is called, and that the session survives it.

use std::time::Duration;

use api::{Code, Note, PhaseView, Reply, Request, Trouble};
use pilotlight_sandbox::{Dialect, Endpoint, Fault, Rotation, Settings, Switch};
use serde_json::{Value, json};

use crate::harness::{Bench, Keeper, at_once, meet, until};

/// What comes of a refresh.
enum Met {
    /// Waiting, for this reason; the caller who asked for it is told with this code.
    Kept(Trouble, Option<u16>, Code),
    /// As if nothing had happened.
    Fresh,
}

/// Row D3.
/// All dialects at once: much of it is waiting.
#[test]
fn a_session_survives_every_fault() {
    let dialects = [
        (Dialect::Flask, "/protected"),
        (Dialect::Heartbeat, "/api/profile"),
        (Dialect::NestJs, "/aaa"),
        (Dialect::SimpleJwt, "/api/protected/"),
    ];
    at_once(dialects.into(), |(dialect, path)| survive(dialect, path));
}

/// No fault is left out, and one that is added wants a line in the table.
#[test]
fn every_fault_is_in_the_table() {
    let table: Vec<Fault> = table(Dialect::Flask).into_iter().map(|(fault, _, _)| fault).collect();
    let bench = Bench::strict(Duration::from_secs(60));
    // Those of one dialect only are OAuth's.
    for fault in
        bench.control.faults().into_iter().filter(|state| state.only.is_none()).map(|state| state.name)
    {
        // These two are no faults of a refresh that a session could survive: a dead token, and a heartbeat.
        let elsewhere = matches!(fault, Fault::Refuse | Fault::HeartbeatNo);
        assert!(table.contains(&fault) != elsewhere, "{fault:?}");
    }
}

/// A switch that can do nothing to a session is not offered there.
#[test]
fn a_session_is_offered_the_faults_of_its_own_dialect() {
    let bench = Bench::strict(Duration::from_secs(60));
    let keeper = Keeper::start(&bench.profile(Dialect::NestJs, ""));
    let Reply::Bench(switches) = keeper.ask(Request::Bench { profile: "nestjs".to_owned() }).unwrap() else {
        panic!("no switches");
    };
    let offered = |name: &str| switches.faults.iter().any(|fault| fault.name == name);
    assert!(offered("lost_answer") && offered("latency") && !offered("wrong_iss"));
}

/// Row A4.
/// A retry comes by itself, and nobody has to ask for it.
#[test]
fn a_session_recovers_by_itself_once_the_fault_is_gone() {
    let faults = [Fault::Reset, Fault::Status, Fault::CaptivePortal, Fault::Truncated, Fault::Hang];
    at_once(faults.into(), |fault| {
        let bench = Bench::with_grace(Duration::from_secs(2), Duration::from_secs(30));
        let keeper = Keeper::start(&bench.profile(Dialect::NestJs, "timeout = \"400ms\""));
        keeper.login("nestjs");
        bench.fault(fault, meet(Endpoint::Refresh).on());
        until("the session waits", || {
            matches!(keeper.phase("nestjs"), PhaseView::Waiting { .. }).then_some(())
        });
        bench.control.clear_faults();
        keeper.until_fresh("nestjs");
        assert_eq!(keeper.fetch("nestjs", "/aaa").unwrap().status, 200, "{fault:?}");
        assert_eq!(bench.counted(Dialect::NestJs).logins, 1);
    });
}

/// Rows C6, D1: nothing that is no definite refusal of the very token removes it.
fn survive(dialect: Dialect, path: &str) {
    let settings = Settings { access_ttl: Duration::from_secs(30), ..Settings::default() };
    let bench = Bench::start(settings);
    let name = dialect.name();
    let keeper = Keeper::start(&bench.profile(dialect, "timeout = \"500ms\""));
    keeper.login(name);
    for (fault, value, met) in table(dialect) {
        // Where the answer may be lost on its way there must be a grace, or nobody could survive it; where the new
        // refresh token is left out of the answer, the old one must stay good.
        bench.control.change_settings(|settings| {
            settings.dialects[dialect].rotation =
                if fault == Fault::Omit { Rotation::Off } else { Rotation::Strict };
            settings.dialects[dialect].grace = Duration::from_secs(30);
        });
        let generation = keeper.session(name).access.unwrap().generation;
        let kept = keeper.noted(name, "kept");
        bench.fault(
            fault,
            Switch { value: Some(value), left: Some(1), ..meet(Endpoint::Refresh).of(dialect).on() },
        );
        let answer = keeper.refresh(name);
        match met {
            Met::Kept(trouble, status, code) => {
                let failure = answer.expect_err(fault.name());
                assert_eq!(failure.code, code, "{name} {fault:?}");
                assert!(failure.retry_in_ms.is_some(), "{name} {fault:?}");
                let note = keeper.notes(name).into_iter().rfind(|note| matches!(note, Note::Kept { .. }));
                let Some(Note::Kept { trouble: told, status: with, .. }) = note else { panic!("{fault:?}") };
                assert_eq!((told, with), (trouble, status), "{name} {fault:?}");
                // D7: the access token is as good as before, and serves meanwhile.
                assert_eq!(keeper.fetch(name, path).unwrap().status, 200, "{name} {fault:?}");
            }
            Met::Fresh => {
                answer.unwrap_or_else(|failure| panic!("{name} {fault:?}: {failure:?}"));
                assert_eq!(keeper.noted(name, "kept"), kept, "{name} {fault:?}");
            }
        }
        bench.control.clear_faults();
        until("the session is fresh again", || {
            // What the provider asked for, it gets; anything else a person may shorten.
            drop(keeper.refresh(name));
            let session = keeper.session(name);
            let newer = session.access.is_some_and(|access| access.generation > generation);
            (session.phase == PhaseView::Fresh && newer).then_some(())
        });
        assert_eq!(keeper.fetch(name, path).unwrap().status, 200, "{name} {fault:?}");
        assert_eq!(keeper.noted(name, "needs_login"), 0, "{name} {fault:?}");
    }
    assert_eq!(bench.counted(dialect).logins, 1);
}

fn table(dialect: Dialect) -> Vec<(Fault, Value, Met)> {
    use Met::{Fresh, Kept};
    // This one sends a refresh token in every answer, and whoever has one is given another try with it.
    let (trouble, status, code) = match dialect {
        Dialect::NestJs => (Trouble::Unusable, None, Code::TokenUnusable),
        Dialect::Flask | Dialect::Heartbeat | Dialect::OAuth | Dialect::SimpleJwt => {
            (Trouble::Unreadable, Some(200), Code::AnswerUnreadable)
        }
    };
    let nothing = Value::Null;
    let mut table = vec![
        (Fault::Latency, json!(150), Fresh),
        (Fault::Hang, nothing.clone(), Kept(Trouble::TimedOut, None, Code::TimedOut)),
        (Fault::Reset, nothing.clone(), Kept(Trouble::Unanswered, None, Code::Unanswered)),
        // D5: with the header and without it.
        (Fault::RateLimit, json!(1), Kept(Trouble::RateLimited, Some(429), Code::RateLimited)),
        (Fault::RateLimit, nothing.clone(), Kept(Trouble::RateLimited, Some(429), Code::RateLimited)),
        // D3
        (Fault::CaptivePortal, nothing.clone(), Kept(Trouble::NotJson, Some(200), Code::NotJson)),
        (Fault::Redirect, nothing.clone(), Kept(Trouble::Redirected, Some(302), Code::Redirected)),
        (Fault::NotJson, nothing.clone(), Kept(Trouble::NotJson, Some(200), Code::NotJson)),
        (Fault::Huge, json!(10 << 20), Kept(Trouble::TooLarge, None, Code::AnswerTooLarge)),
        (Fault::ClockSkew, json!(1_000_000_000), Fresh),
        (Fault::Omit, json!(["access"]), Kept(trouble, status, code)),
        (Fault::Omit, json!(["access:null"]), Kept(trouble, status, code)),
        // C6
        (Fault::Omit, json!(["refresh"]), Fresh),
        (Fault::Omit, json!(["refresh:null"]), Fresh),
        (Fault::SameToken, nothing.clone(), Fresh),
        (Fault::LostAnswer, nothing.clone(), Kept(Trouble::Unanswered, None, Code::Unanswered)),
        (Fault::Truncated, nothing, Kept(Trouble::CutShort, None, Code::AnswerCutShort)),
    ];
    // A10, A11
    for strange in ["string", "milliseconds", "negative", "huge", "zero"] {
        table.push((Fault::StrangeExpiry, json!(strange), Fresh));
    }
    // D2, D4, D10
    for status in [403, 407, 500, 502, 503, 504, 511, 520, 530, 599] {
        let trouble = if matches!(status, 403 | 407 | 511) { Trouble::NotJson } else { Trouble::Status };
        let code = if trouble == Trouble::NotJson { Code::NotJson } else { Code::ServerError };
        table.push((Fault::Status, json!(status), Kept(trouble, Some(status), code)));
    }
    for status in [400, 401, 403] {
        table.push((
            Fault::BareStatus,
            json!(status),
            Kept(Trouble::Suspect, Some(status), Code::RefreshRefused),
        ));
    }
    table
}
