//! One question, one answer: tokens, protected data, states, and what is said when there is none.

use std::fs::OpenOptions;
use std::io;

use serde_json::{Value, json};

use crate::fake::{Act, Lab, Ran, overview, session};
use crate::terminal::{Terminal, exit_code};

fn token() -> Value {
    json!({
        "ok": "token", "access_token": "secret.token", "scheme": "Bearer", "remaining_ms": 240_000,
        "lifetime_ms": 300_000, "source": "told", "shorter_than_asked": false,
    })
}

#[test]
fn a_token_is_alone_on_standard_output_and_takes_one_round_trip() {
    let lab = Lab::answering(token());
    let ran = lab.run(["token", "work"]);
    assert_eq!((ran.code, &*ran.out, &*ran.err), (Some(0), "secret.token\n", ""));
    assert_eq!(lab.asked(), ["token"]);
    assert_eq!(lab.connections(), 1);
    assert_eq!(lab.calls()[0]["profile"], "work");
    assert_eq!(lab.calls()[0]["min_valid_ms"], 0);
}

#[test]
fn a_token_is_asked_for_with_the_time_it_must_live() {
    let lab = Lab::answering(token());
    lab.run(["token", "work", "--min-valid", "5m", "--timeout", "500ms"]);
    assert_eq!(lab.calls()[0]["min_valid_ms"], 300_000);
    assert_eq!(lab.calls()[0]["timeout_ms"], 500);
}

#[test]
fn a_token_in_json_says_how_long_it_lives() {
    let lab = Lab::answering(token());
    for arguments in [["token", "work", "--json"], ["--json", "token", "work"]] {
        let ran = lab.run(arguments);
        assert_eq!(ran.code, Some(0));
        let mut expected = token();
        expected.as_object_mut().unwrap().remove("ok");
        assert_eq!(ran.json(), expected);
        assert_eq!(ran.out.lines().count(), 1);
    }
}

#[test]
fn a_token_that_cannot_live_as_long_as_was_asked_is_not_printed() {
    let short = json!({ "code": "token_too_short", "details": { "lifetime": "5m" } });
    let ran = Lab::refusing(short).run(["token", "work", "--min-valid", "10m"]);
    assert_eq!((ran.code, &*ran.out), (Some(1), ""));
    assert_eq!(
        ran.err,
        "pilotlight: No token of this session is known to live as long as was asked for: they live for 5m.\n  \
         → Ask for less, or take what there is with --best-effort. [token_too_short]\n"
    );
    let guess = json!({ "code": "token_too_short", "details": { "assumed": "1h" } });
    let ran = Lab::refusing(guess).run(["token", "work", "--min-valid", "2h"]);
    assert!(ran.err.contains(": nobody said how long they live, and 1h is assumed."), "{}", ran.err);

    let later = json!({ "code": "deadline_passed", "retry_in_ms": 40_000 });
    let ran = Lab::refusing(later).run(["token", "work", "--min-valid", "4m"]);
    assert_eq!((ran.code, &*ran.out), (Some(4), ""));
    assert!(ran.err.contains("It is tried again by itself in 40 s. [deadline_passed]"), "{}", ran.err);
}

#[test]
fn the_best_effort_is_printed_and_said_to_be_short() {
    let mut answer = token();
    answer["shorter_than_asked"] = json!(true);
    let lab = Lab::answering(answer);
    let ran = lab.run(["token", "work", "--min-valid", "10m", "--best-effort"]);
    assert_eq!((ran.code, &*ran.out), (Some(0), "secret.token\n"));
    assert_eq!(ran.err, "This token is good for 4 min, which is less than was asked for.\n");
    assert_eq!(lab.calls()[0]["best_effort"], true);
    let ran = lab.run(["token", "work", "--min-valid", "10m", "--best-effort", "--json"]);
    assert_eq!((ran.json()["shorter_than_asked"].clone(), &*ran.err), (json!(true), ""));
    assert_eq!(Lab::answering(token()).run(["token", "work", "--best-effort"]).err, "");
    let mut answer = token();
    answer["shorter_than_asked"] = json!(true);
    answer["source"] = json!("assumed");
    let ran = Lab::answering(answer).run(["token", "work", "--best-effort"]);
    assert!(ran.err.starts_with("Nobody said how long this token lives;"), "{}", ran.err);
    lab.run(["token", "work"]);
    assert_eq!(lab.calls()[2]["best_effort"], false);
}

/// Row D14.
#[test]
fn the_exit_code_says_why_there_is_none() {
    for (code, exit) in [
        ("unknown_profile", 1),
        ("misconfigured", 1),
        ("bad_path", 2),
        ("sign_in_needed", 3),
        ("offline", 4),
        ("server_error", 4),
        ("keyring_locked", 5),
    ] {
        let ran = Lab::refusing(json!({ "code": code })).run(["token", "work"]);
        assert_eq!(ran.code, Some(exit), "{code}");
        assert_eq!(ran.out, "", "{code}");
        assert!(ran.err.ends_with(&format!(" [{code}]\n")), "{}", ran.err);
    }
}

#[test]
fn errors_are_two_lines_in_the_persons_language() {
    let lab = Lab::refusing(json!({ "code": "sign_in_needed" }));
    assert_eq!(
        lab.run(["token", "work"]).err,
        "pilotlight: This session needs you to sign in.\n  → Sign in: pilotlight login work [sign_in_needed]\n"
    );
    assert_eq!(
        lab.run_in_chinese(&["token", "work"]).err,
        "pilotlight: 该会话需要你登录。\n  → 请登录：pilotlight login work [sign_in_needed]\n"
    );

    let details = json!({ "why": "unused", "message": "token expired" });
    let lab = Lab::refusing(json!({ "code": "sign_in_needed", "details": details }));
    let because = "sign in: the sign-in was unused for longer than the provider allows (“token expired”).";
    assert!(lab.run(["token", "work"]).err.contains(because));
    assert!(
        lab.run_in_chinese(&["token", "work"])
            .err
            .contains("登录：登录闲置的时间超过了服务器允许的限度（“token expired”）。")
    );

    let details = json!({ "host": "api.example", "status": "503" });
    let lab = Lab::refusing(json!({ "code": "server_error", "details": details, "retry_in_ms": 4_000 }));
    let err = lab.run(["token", "work"]).err;
    assert!(err.contains("The provider api.example has a problem of its own (503)."), "{err}");
    assert!(err.contains("It is tried again by itself in 4 s. [server_error]"), "{err}");
    assert!(lab.run_in_chinese(&["token", "work"]).err.contains("4 秒后自动重试"));
}

#[test]
fn errors_in_json_are_data() {
    let lab = Lab::refusing(json!({ "code": "offline", "details": { "host": "api.example" } }));
    let ran = lab.run(["token", "work", "--json"]);
    assert_eq!((ran.code, &*ran.err), (Some(4), ""));
    let expected = json!({ "error": {
        "code": "offline", "profile": "work", "details": { "host": "api.example" }, "retry_in_ms": null,
    } });
    assert_eq!(ran.json(), expected);
}

#[test]
fn a_keeper_that_dies_in_the_middle_of_an_answer_is_unreachable() {
    let lab = Lab::new(|_| Act::Die);
    let ran = lab.run(["token", "work"]);
    assert_eq!((ran.code, &*ran.out), (Some(1), ""));
    assert!(ran.err.contains("The background keeper does not answer: it ended."), "{}", ran.err);
    assert!(ran.err.ends_with("[keeper_unreachable]\n"), "{}", ran.err);
}

#[test]
fn an_answer_to_something_else_is_not_taken_for_a_token() {
    for answer in [json!({ "ok": "done" }), json!({ "ok": "invented" }), json!({ "ok": "token" })] {
        let ran = Lab::answering(answer).run(["token", "work"]);
        assert_eq!((ran.code, &*ran.out), (Some(1), ""));
        assert!(ran.err.ends_with("[keeper_unreachable]\n"), "{}", ran.err);
    }
}

#[test]
fn a_closed_pipe_is_quiet_and_a_full_disk_is_not() {
    let lab = Lab::answering(token());
    for arguments in [&["token", "work"][..], &["token", "work", "--json"]] {
        let (reader, writer) = io::pipe().unwrap();
        drop(reader);
        let ran = Ran::from(lab.command(arguments).stdout(writer).output().unwrap());
        assert_eq!((ran.code, &*ran.err), (Some(0), ""));
    }
    let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
    let ran = Ran::from(lab.command(["token", "work"]).stdout(full).output().unwrap());
    assert_eq!(ran.code, Some(1));
    assert!(ran.err.contains("could not be written: “No space left"), "{}", ran.err);
}

#[test]
fn wrong_usage_is_two_and_asks_nobody() {
    let lab = Lab::answering(token());
    for arguments in [
        &[][..],
        &["tokens"],
        &["token"],
        &["token", "work", "--min-valid", "soon"],
        &["login", "work", "--password", "hunter2"],
        &["fetch", "work", "/", "-H", "no colon"],
        &["log", "--limit", "0"],
    ] {
        let ran = lab.run(arguments);
        assert_eq!((ran.code, &*ran.out), (Some(2), ""), "{arguments:?}");
    }
    assert_eq!(lab.connections(), 0);
    assert_eq!(lab.run(["fetch", "work", "/", "-H", "x", "--json"]).json()["error"]["code"], "bad_request");
}

fn fetched(status: u16, body: &str, base64: bool) -> Value {
    json!({
        "ok": "fetched", "status": status, "headers": { "content-type": "text/plain", "x-id": "7" }, "body": body,
        "base64": base64, "replayed": true, "generation": 3, "took_ms": 12,
    })
}

#[test]
fn what_is_fetched_comes_out_as_it_is() {
    let ran = Lab::answering(fetched(200, "no newline", false)).run(["fetch", "work", "/api/orders"]);
    assert_eq!((ran.code, &*ran.out, &*ran.err), (Some(0), "no newline", ""));

    let output =
        Lab::answering(fetched(200, "/wAK", true)).command(["fetch", "work", "/logo"]).output().unwrap();
    assert_eq!(output.stdout, [0xff, 0x00, 0x0a]);

    let ran = Lab::answering(fetched(200, "body", false)).run(["fetch", "work", "/", "-i"]);
    assert_eq!(ran.out, "HTTP 200\ncontent-type: text/plain\nx-id: 7\n\nbody");

    let ran = Lab::answering(fetched(200, "body", false)).run(["fetch", "work", "/", "--json"]);
    assert_eq!(ran.json()["body"], "body");
    assert_eq!(ran.json()["replayed"], true);
}

/// It comes out as it is, and whoever expected data hears why there is none.
#[test]
fn a_page_that_is_fetched_is_said_to_be_one() {
    let mut page = fetched(200, "<html>Welcome to the hotel</html>", false);
    page["headers"]["content-type"] = json!("text/html; charset=utf-8");
    let ran = Lab::answering(page).run(["fetch", "work", "/api/orders"]);
    assert_eq!((ran.code, &*ran.out), (Some(0), "<html>Welcome to the hotel</html>"));
    assert!(ran.err.contains("That is a web page."), "{}", ran.err);
    assert_eq!(Lab::answering(fetched(200, "{}", false)).run(["fetch", "work", "/"]).err, "");
}

#[test]
fn what_is_fetched_in_vain_comes_out_too_and_fails() {
    let ran = Lab::answering(fetched(404, "no such order", false)).run(["fetch", "work", "/api/orders/9"]);
    assert_eq!((ran.code, &*ran.out), (Some(1), "no such order"));
    assert_eq!(ran.err, "GET /api/orders/9: the provider answered 404.\n");
    assert_eq!(Lab::answering(fetched(302, "", false)).run(["fetch", "work", "/"]).code, Some(0));

    let ran = Lab::answering(fetched(500, "", false)).run(["fetch", "work", "/", "--json"]);
    assert_eq!((ran.code, &*ran.err), (Some(1), ""));
    assert_eq!(ran.json()["status"], 500);
}

#[test]
fn what_is_sent_is_what_was_written() {
    let lab = Lab::answering(fetched(200, "", false));
    std::fs::write(lab.dir.join("body"), "from a file").unwrap();
    let file = format!("@{}", lab.dir.join("body").display());
    lab.run(["fetch", "work", "/a"]);
    lab.run(["fetch", "work", "/a", "-d", "text", "-H", "Accept: text/plain", "-H", "X-Time: 12:30"]);
    lab.run(["fetch", "work", "/a", "-X", "PUT", "-d", &file, "--timeout", "2s"]);
    lab.run_with_input(&["fetch", "work", "/a", "-d", "@-"], "from a pipe\n");
    let ran = lab.run(["fetch", "work", "/a", "-d", "@/nonexistent"]);
    assert_eq!(ran.code, Some(2));

    let sent = lab.calls();
    assert_eq!(sent.len(), 4);
    assert_eq!((&sent[0]["method"], &sent[0]["body"]), (&json!("GET"), &Value::Null));
    assert_eq!((&sent[1]["method"], &sent[1]["body"]), (&json!("POST"), &json!("text")));
    assert_eq!(sent[1]["headers"], json!({ "Accept": "text/plain", "X-Time": "12:30" }));
    assert_eq!((&sent[2]["method"], &sent[2]["body"]), (&json!("PUT"), &json!("from a file")));
    assert_eq!(sent[2]["timeout_ms"], 2_000);
    assert_eq!(sent[3]["body"], "from a pipe\n");
}

/// A person passes a pause of the keeper's; a script in a loop must not.
#[test]
fn a_refresh_is_a_persons_where_there_is_a_terminal() {
    let lab = Lab::answering(overview(json!([session("work", json!({ "name": "Fresh" }))])));
    lab.run(["refresh", "work"]);
    let terminal = Terminal::open();
    assert_eq!(exit_code(&mut terminal.run(&lab, &["refresh", "work"])), Some(0));
    let by: Vec<Value> = lab.calls().iter().map(|call| call["by"].clone()).collect();
    assert_eq!(by, ["machine", "person"]);
    let lab = Lab::answering(fetched(200, "", false));
    terminal.run(&lab, &["fetch", "work", "/"]).wait().unwrap();
    assert_eq!(lab.calls()[0]["by"], "machine");
}

fn states() -> Value {
    let mut out = session("家", json!({ "name": "NeedsLogin", "why": "refused" }));
    out["access"] = Value::Null;
    out["refresh_in_ms"] = Value::Null;
    out["heartbeat"]["last"] = Value::Null;
    let waiting =
        json!({ "name": "Waiting", "why": "status", "status": 503, "failures": 1, "retry_in_ms": 4_000 });
    overview(json!([session("work", json!({ "name": "Fresh" })), session("play", waiting), out]))
}

#[test]
fn states_are_a_table() {
    let lab = Lab::answering(states());
    let ran = lab.run(["status"]);
    assert_eq!((ran.code, &*ran.err), (Some(0), ""));
    assert_eq!(
        ran.out,
        "  NAME  STATE                           LEFT   REFRESH        HEARTBEAT      HOST\n\
         ● work  signed in                       4 min  in 2 min 45 s  good 12 s ago  api.example\n\
         ◍ play  server error 503, again in 4 s  4 min  in 2 min 45 s  good 12 s ago  api.example\n\
         ○ 家    sign-in needed                  –      –              –              api.example\n",
    );
    let chinese = lab.run_in_chinese(&["status"]).out;
    assert!(chinese.starts_with("  名称  状态"), "{chinese}");
    assert!(chinese.contains("服务器错误 503，4 秒后重试"), "{chinese}");
}

/// A guess is no fact, however it is shown, and its end ends nothing.
#[test]
fn a_lifetime_that_nobody_named_is_said_to_be_assumed() {
    let mut assumed = session("work", json!({ "name": "Fresh" }));
    assumed["access"]["source"] = json!("assumed");
    assumed["access"]["remaining_ms"] = json!(0);
    let lab = Lab::answering(overview(json!([assumed])));
    let out = lab.run(["status", "work"]).out;
    assert!(out.contains("signed in  until refused  in 2 min 45 s"), "{out}");
    for line in [
        "Access token  number 3, nobody said how long it lives (5 min is assumed), HS256",
        "Last refresh  1 min ago, in good time, took 38 ms",
    ] {
        assert!(out.lines().any(|printed| printed == line), "{line:?} is not in\n{out}");
    }
    let out = lab.run_in_chinese(&["status", "work"]).out;
    assert!(out.contains("直到被拒绝") && out.contains("假定 5 分钟"), "{out}");
    let said = "Refreshed work: good until it is refused; nobody said how long it lives.\n";
    assert_eq!(lab.run(["refresh", "work"]).err, said);
    assert_eq!(lab.run(["status", "--json"]).json()["sessions"][0]["access"]["source"], "assumed");
}

#[test]
fn one_state_is_told_in_full() {
    let lab = Lab::answering(overview(json!([session("work", json!({ "name": "Fresh" }))])));
    let out = lab.run(["status", "work"]).out;
    for line in [
        "Provider      https://api.example (simplejwt)",
        "User          mia",
        "Access token  number 3, lives 5 min, HS256",
        "Last refresh  1 min ago, before it ran out, took 38 ms",
        "Heartbeat     every 5 min, next in 4 min 48 s",
        "Requests      1 in flight, 0 held, 8 sent again so far",
    ] {
        assert!(out.lines().any(|printed| printed == line), "{line:?} is not in\n{out}");
    }
    assert_eq!(lab.calls()[0]["profile"], "work");
}

#[test]
fn states_in_json_are_the_keepers_own() {
    let ran = Lab::answering(states()).run(["status", "--json"]);
    let mut expected = states();
    expected.as_object_mut().unwrap().remove("ok");
    assert_eq!(ran.json(), expected);
}

#[test]
fn what_is_wrong_with_the_configuration_is_said_beside_the_table() {
    let mut answer = states();
    answer["problems"] = json!([{
        "code": "bad_config", "profile": "old", "details": { "line": "7", "problem": "no url", "path": "/x" },
    }]);
    answer["vault"] = json!({ "kind": "memory", "trouble": "absent" });
    answer["sessions"][0]["saved"] = json!(false);
    let ran = Lab::answering(answer).run(["status"]);
    assert_eq!(ran.code, Some(0));
    assert_eq!(ran.out.lines().count(), 4);
    for part in [
        "pilotlight: old: The configuration file has a mistake on line 7: no url.\n",
        "There is no keyring service on this computer.\n  → Install one",
        "Sign-ins are kept in memory only",
    ] {
        assert!(ran.err.contains(part), "{}", ran.err);
    }
}

#[test]
fn no_sessions_are_a_hint_and_no_data() {
    let ran = Lab::answering(overview(json!([]))).run(["status"]);
    assert_eq!((ran.code, &*ran.out), (Some(0), ""));
    assert!(ran.err.starts_with("No sessions yet."), "{}", ran.err);
}

#[test]
fn what_is_done_to_a_session_is_said_to_people() {
    let lab = Lab::answering(json!({ "ok": "done" }));
    for (arguments, said) in
        [(["logout", "work"], "Signed out of work.\n"), (["remove", "work"], "Removed work.\n")]
    {
        let ran = lab.run(arguments);
        assert_eq!((ran.code, &*ran.out, &*ran.err), (Some(0), "", said));
    }
    assert_eq!(lab.asked(), ["watch", "logout", "watch", "remove"]);
    let ran = lab.run(["logout", "work", "--json"]);
    assert_eq!((ran.json(), &*ran.err), (json!({ "done": true, "revocation": null }), ""));
}

#[test]
fn a_refresh_that_left_the_session_waiting_has_failed() {
    let refreshed = |phase: Value| {
        let lab = Lab::answering(overview(json!([session("work", phase)])));
        lab.run(["refresh", "work"])
    };
    let ran = refreshed(json!({ "name": "Fresh" }));
    assert_eq!((ran.code, &*ran.err), (Some(0), "Refreshed work: good for 4 min.\n"));
    let ran = refreshed(json!({ "name": "NeedsLogin", "why": "refused" }));
    assert_eq!((ran.code, &*ran.err), (Some(3), "pilotlight: work: sign-in needed\n"));
    let waiting =
        json!({ "name": "Waiting", "why": "offline", "status": null, "failures": 1, "retry_in_ms": 4_000 });
    let ran = refreshed(waiting);
    assert_eq!((ran.code, &*ran.err), (Some(4), "pilotlight: work: no connection, again in 4 s\n"));
}

#[test]
fn what_is_known_of_the_end_of_a_sign_in_is_shown_and_said_when_it_is_near() {
    let far = json!({
        "ends": { "in_ms": 1_728_000_000, "lasts_ms": 2_592_000_000_u64, "ground": "told", "times": 0 },
        "unused": { "after_ms": 259_200_000, "ground": "set" }, "is_near": false,
    });
    let near = json!({
        "ends": { "in_ms": 43_200_000, "lasts_ms": 1_209_600_000, "ground": "seen", "times": 2 },
        "unused": null, "is_near": true,
    });
    let status = |forecast: &Value| {
        let mut session = session("work", json!({ "name": "Fresh" }));
        session["forecast"] = forecast.clone();
        Lab::answering(overview(json!([session])))
    };
    let ran = status(&far).run(["status", "work"]);
    let told = "Sign-in       ends in 20 days, the provider says; ends after 3 days without a refresh, the profile says";
    assert!(ran.out.contains(told), "{}", ran.out);
    assert_eq!((ran.code, &*ran.err), (Some(0), ""));
    let ran = status(&near).run(["status"]);
    let told = "work: the sign-in ends in about 12 h: the last 2 lasted about 14 days. Sign in again when it suits you: \
                pilotlight login work\n";
    assert_eq!((ran.code, &*ran.err), (Some(0), told));
    assert_eq!(status(&near).run(["status", "--json"]).json()["sessions"][0]["forecast"], near);
    assert!(!status(&Value::Null).run(["status", "work"]).out.contains("Sign-in "));
}
