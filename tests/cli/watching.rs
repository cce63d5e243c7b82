//! What goes on telling: `log --follow` and `status --watch`.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, ChildStdout};
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::{Value, json};

use crate::fake::{Act, Lab, Ran, overview, session};

fn entry(id: i64, profile: Option<&str>, note: Value) -> Value {
    json!({ "id": id, "at_ms": 1_795_248_000_000_i64 + id * 1000, "profile": profile, "note": note })
}

fn refreshed(id: i64, profile: &str) -> Value {
    let note = json!({
        "kind": "refreshed", "cause": "before_expiry", "generation": id, "lifetime_ms": 300_000, "source": "told", "took_ms": 38,
        "rotated": true, "tries": 1,
    });
    entry(id, Some(profile), note)
}

fn log(entries: Vec<Value>) -> Value {
    json!({ "ok": "log", "entries": entries })
}

#[test]
fn the_log_is_read_from_top_to_bottom() {
    let started = entry(1, None, json!({ "kind": "keeper_started", "version": "0.1.0", "vault": "keyring" }));
    let lab = Lab::answering(log(vec![refreshed(2, "work"), started.clone()]));
    let ran = lab.run(["log"]);
    assert_eq!((ran.code, &*ran.err), (Some(0), ""));
    assert_eq!(
        ran.out,
        "2026-11-21 08:00:01  –     The keeper started (version 0.1.0); sign-ins are kept in sealed files, whose key is in the system keyring\n\
         2026-11-21 08:00:02  work  Refreshed before it ran out (token 2) · 38 ms\n"
    );
    assert!(lab.run_in_chinese(&["log"]).out.contains("在到期之前完成刷新（第 2 个令牌） · 38 毫秒"));

    let ran = lab.run(["log", "work", "--limit", "5", "--json"]);
    let entries: Vec<Value> = ran.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(entries, [started, refreshed(2, "work")]);
    let call = &lab.calls()[2];
    assert_eq!((&call["profile"], &call["limit"]), (&json!("work"), &json!(5)));
}

#[test]
fn an_empty_log_says_so_to_people() {
    let ran = Lab::answering(log(Vec::new())).run(["log"]);
    assert_eq!((ran.code, &*ran.out, &*ran.err), (Some(0), "", "Nothing has happened yet.\n"));
    assert_eq!(Lab::answering(log(Vec::new())).run(["log", "--json"]).err, "");
}

#[test]
fn a_reader_that_has_enough_of_a_long_log_ends_it_quietly() {
    let long = (0..1000).map(|id| refreshed(id, "work")).collect();
    let lab = Lab::answering(log(long));
    let mut child = lab.command(["log"]).spawn().unwrap();
    let mut first = String::new();
    // The rest is more than a pipe holds.
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut first).unwrap();
    let ran = Ran::from(child.wait_with_output().unwrap());
    assert_eq!((ran.code, &*ran.err), (Some(0), ""));
    assert!(first.contains("token 999"), "{first}");
}

#[test]
fn what_happens_while_the_log_is_asked_for_is_told_once() {
    let lab = Lab::new(|call| match call["do"].as_str().unwrap() {
        "watch" => {
            let told = |entry: Value| {
                let mut notice = entry;
                notice["about"] = "entry".into();
                notice
            };
            let notices = vec![
                told(refreshed(2, "work")),
                json!({ "about": "changed", "profile": "work" }),
                told(refreshed(3, "play")),
                told(refreshed(4, "work")),
            ];
            Act::AndTell(overview(json!([])), notices)
        }
        _ => Act::Answer(log(vec![refreshed(2, "work"), refreshed(1, "work")])),
    });
    let (mut child, mut lines) = follow(&lab, &["log", "work", "--follow"]);
    for id in [1, 2, 4] {
        let line = lines.next().unwrap().unwrap();
        assert!(line.contains(&format!("(token {id})")), "{line}");
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn a_follower_is_told_when_the_keeper_ends() {
    let lab = Lab::new(|call| match call["do"].as_str().unwrap() {
        "watch" => Act::AnswerAndEnd(overview(json!([]))),
        _ => Act::Answer(log(Vec::new())),
    });
    // The second question would start a keeper; the first connection is closed by then.
    let ran = lab.run(["log", "--follow"]);
    assert_eq!(ran.code, Some(1));
    assert_eq!(ran.out, "");
}

#[test]
fn a_state_that_changes_is_a_line_and_one_that_does_not_is_none() {
    static ASKED: AtomicU32 = AtomicU32::new(0);
    let lab = Lab::new(|call| match call["do"].as_str().unwrap() {
        "watch" => {
            let changed = |profile| json!({ "about": "changed", "profile": profile });
            Act::AndTell(overview(json!([])), vec![changed("work"), changed("work"), changed("work")])
        }
        _ => {
            let phase = match ASKED.fetch_add(1, Ordering::SeqCst) {
                0 | 1 => json!({ "name": "Refreshing", "cause": "asked", "attempt": 1 }),
                _ => json!({ "name": "Fresh" }),
            };
            let mut session = session("work", phase);
            if ASKED.load(Ordering::SeqCst) > 3 {
                let ends =
                    json!({ "in_ms": 9_000_000, "lasts_ms": 90_000_000, "ground": "told", "times": 0 });
                session["forecast"] = json!({ "ends": ends, "unused": null, "is_near": true });
            }
            Act::Answer(overview(json!([session])))
        }
    });
    let (mut child, lines) = follow(&lab, &["status", "--watch"]);
    let told: Vec<String> = lines.take(3).map(Result::unwrap).collect();
    assert_eq!(told, ["work: refreshing…", "work: signed in", "work: signed in, and the sign-in ends soon"]);
    while ASKED.load(Ordering::SeqCst) < 4 {
        std::thread::yield_now();
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

fn follow(lab: &Lab, arguments: &[&str]) -> (Child, std::io::Lines<BufReader<ChildStdout>>) {
    let mut child = lab.command(arguments).spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    (child, lines)
}
