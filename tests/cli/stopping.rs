//! A keeper that is stopping: what ends it says, and what everybody else does meanwhile.

use std::io::{BufRead as _, BufReader};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;

use serde_json::{Value, json};

use crate::fake::{Act, Lab, Ran, STARTER, hello, overview, run_with, session, when_started};

#[test]
fn stopping_starts_nothing() {
    let lab = Lab::empty();
    let ran = run_with(&lab, STARTER, &["stop"]);
    assert_eq!((ran.code, &*ran.out, &*ran.err), (Some(0), "", "No keeper is running.\n"));
    assert!(!lab.dir.join("asked").exists());

    lab.listen(|call| stop_or_states(call, Act::AnswerAndEnd(json!({ "ok": "done" }))));
    let ran = lab.run(["stop"]);
    assert_eq!((ran.code, &*ran.err), (Some(0), "The keeper has stopped.\n"));
    assert_eq!(lab.calls()[1]["force"], false);
}

#[test]
fn a_stop_that_takes_longer_than_a_moment_says_what_it_waits_for() {
    for (saved, english, chinese) in [
        (false, "Waiting for the keyring…", "正在等待密钥环…"),
        (true, "Waiting for what is in flight…", "正在等待进行中的请求完成…"),
    ] {
        let end = Arc::new(Barrier::new(4));
        let at_the_end = end.clone();
        let lab = Lab::new(move |call| match call["do"].as_str().unwrap() {
            "status" => Act::Answer(states(saved)),
            _ => Act::After(at_the_end.clone(), Box::new(Act::AnswerAndEnd(json!({ "ok": "done" })))),
        });
        // It has waited for as long as the others when these speak.
        let silent = lab.command(["stop", "--json"]).spawn().unwrap();
        until_asked(&lab, "stop", 1);
        let speaking = [("C.UTF-8", english), ("zh_CN.UTF-8", chinese)].map(|(locale, sentence)| {
            let mut child = lab.command(["stop"]).env("LC_ALL", locale).spawn().unwrap();
            let mut line = String::new();
            let mut stderr = BufReader::new(child.stderr.take().unwrap());
            stderr.read_line(&mut line).unwrap();
            assert_eq!(line.trim_end(), sentence);
            child
        });
        end.wait();
        for child in speaking {
            assert_eq!(Ran::from(child.wait_with_output().unwrap()).code, Some(0));
        }
        let silent = Ran::from(silent.wait_with_output().unwrap());
        assert_eq!((silent.code, silent.json(), &*silent.err), (Some(0), json!({ "done": true }), ""));
    }
}

#[test]
fn a_keeper_that_stays_says_for_whose_sake() {
    for (code, exit, why) in [
        ("not_saved", 5, "because the newest sign-in of work, play is only in memory"),
        ("still_busy", 4, "because a refresh or a sign-in of work, play is still on its way"),
    ] {
        let failure = json!({ "code": code, "details": { "profiles": "work, play" } });
        let lab = Lab::new(move |call| stop_or_states(call, Act::Refuse(failure.clone())));
        let ran = lab.run(["stop"]);
        assert_eq!((ran.code, &*ran.out), (Some(exit), ""), "{code}");
        assert!(ran.err.starts_with("pilotlight: The keeper stays,") && ran.err.contains(why), "{}", ran.err);
        assert!(ran.err.contains("`pilotlight stop --force`"), "{}", ran.err);
        assert_eq!(lab.asked(), ["status", "stop"]);
        let ran = lab.run(["stop", "--json"]);
        assert_eq!((ran.code, &*ran.err), (Some(exit), ""), "{code}");
        assert_eq!(ran.json()["error"]["details"]["profiles"], "work, play");
    }
    let lab = Lab::new(|call| stop_or_states(call, Act::AnswerAndEnd(json!({ "ok": "done" }))));
    assert_eq!(lab.run(["stop", "--force"]).code, Some(0));
    assert_eq!(lab.calls()[1]["force"], true);
}

/// It is decided in the end, one way or the other; meanwhile nothing is asked but whether it is.
#[test]
fn whoever_meets_a_keeper_that_is_stopping_waits_until_it_stays() {
    static LOOKS: AtomicU32 = AtomicU32::new(0);
    let lab = Lab::new(|call| match call["do"].as_str().unwrap() {
        "token" if LOOKS.load(Ordering::SeqCst) < 6 => Act::Refuse(stopping()),
        "token" => token(),
        _ if LOOKS.fetch_add(1, Ordering::SeqCst) < 5 => Act::Refuse(stopping()),
        _ => Act::Answer(states(true)),
    });
    let ran = lab.run(["token", "work"]);
    assert_eq!((ran.code, &*ran.out), (Some(0), "t\n"), "{ran:?}");
    assert_eq!(ran.err, "Waiting for the keeper, which is just stopping…\n");
    let asked = lab.asked();
    assert_eq!((asked.first(), asked.last()), (Some(&"token".to_owned()), Some(&"token".to_owned())));
    assert_eq!(asked.iter().filter(|what| *what == "token").count(), 2, "{asked:?}");
    assert_eq!(lab.connections(), 1);
}

#[test]
fn whoever_meets_a_keeper_that_ends_asks_the_next_one() {
    for arguments in
        [&["token", "work"][..], &["status"], &["add", "work", "--preset", "flask", "--url", URL]]
    {
        let lab = Lab::new(|call| match call["do"].as_str().unwrap() {
            "hello" => hello(),
            _ => Act::RefuseAndEnd(stopping()),
        });
        let ran = thread::scope(|scope| {
            let ran = scope.spawn(|| run_with(&lab, STARTER, arguments));
            when_started(&lab);
            lab.listen(|call| match call["do"].as_str().unwrap() {
                "token" => token(),
                _ => Act::Answer(states(true)),
            });
            ran.join().unwrap()
        });
        assert_eq!((ran.code, lab.connections()), (Some(0), 2), "{ran:?}");
    }
}

/// What was refused at the end of a keeper was not looked at; what it went away with may have been done.
#[test]
fn what_a_keeper_went_away_with_is_not_asked_again() {
    let lab = Lab::new(|_| Act::Die);
    let ran = lab.run(["fetch", "work", "/pay", "-d", "money"]);
    assert_eq!(ran.code, Some(1));
    assert_eq!(lab.asked(), ["fetch"]);
}

#[test]
fn an_older_keeper_makes_way_for_a_face_that_stays() {
    let lab = Lab::new(|call| match call["do"].as_str().unwrap() {
        "hello" => Act::Answer(json!({ "ok": "hello", "version": "0.0.9", "pid": 1 })),
        _ => Act::AnswerAndEnd(json!({ "ok": "done" })),
    });
    let ran = thread::scope(|scope| {
        let add = ["add", "work", "--preset", "flask", "--url", "https://api.example"];
        let ran = scope.spawn(move || add).join().unwrap();
        let ran = scope.spawn({
            let lab = &lab;
            move || run_with(lab, STARTER, &ran)
        });
        when_started(&lab);
        assert_eq!(lab.asked(), ["hello", "stop"]);
        lab.listen(|call| match call["do"].as_str().unwrap() {
            "hello" => hello(),
            _ => Act::Answer(overview(json!([session("work", json!({ "name": "Fresh" }))]))),
        });
        ran.join().unwrap()
    });
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert_eq!(lab.asked(), ["hello", "stop", "add"]);
}

#[test]
fn an_older_keeper_that_stays_is_told_of() {
    let details = json!({ "profiles": "work" });
    let lab = Lab::new(move |call| match call["do"].as_str().unwrap() {
        "hello" => Act::Answer(json!({ "ok": "hello", "version": "0.0.9", "pid": 1 })),
        _ => Act::Refuse(json!({ "code": "not_saved", "details": details })),
    });
    let ran = lab.run_with_input(&["login", "work", "-u", "mia"], "secret\n");
    assert_eq!(ran.code, Some(5));
    assert!(
        ran.err
            .starts_with("pilotlight: An older keeper (0.0.9) is still running. The keeper stays, because"),
        "{}",
        ran.err
    );
    assert_eq!(lab.asked(), ["hello", "stop"]);
}

fn stopping() -> Value {
    json!({ "code": "keeper_stopping" })
}

fn stop_or_states(call: &Value, stop: Act) -> Act {
    if call["do"] == "stop" { stop } else { Act::Answer(states(true)) }
}

fn states(saved: bool) -> Value {
    let mut session = session("work", json!({ "name": "Fresh" }));
    session["saved"] = json!(saved);
    overview(json!([session]))
}

fn token() -> Act {
    Act::Answer(json!({
        "ok": "token", "access_token": "t", "scheme": "Bearer", "remaining_ms": 1, "lifetime_ms": 1,
        "source": "told", "shorter_than_asked": false,
    }))
}

fn until_asked(lab: &Lab, what: &str, times: usize) {
    while lab.asked().iter().filter(|asked| *asked == what).count() < times {
        thread::yield_now();
    }
}

const URL: &str = "https://api.example";
