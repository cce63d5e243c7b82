//! Adding a session and signing in, where a person types a secret.

use std::fs;
use std::io::{Read as _, Write as _};
use std::process::Stdio;

use rustix::termios::LocalModes;
use serde_json::{Value, json};

use crate::fake::{Act, Lab, hello, overview, session, write};
use crate::provider::{at_browser, on_device, run};
use crate::terminal::{Terminal, exit_code, wait_for};

fn lab() -> Lab {
    Lab::new(|call| match call["do"].as_str().unwrap() {
        "hello" => hello(),
        "login" if call["password"] == "wrong" => Act::Refuse(json!({ "code": "sign_in_refused" })),
        _ => Act::Answer(overview(json!([session("work", json!({ "name": "Fresh" }))]))),
    })
}

fn password_of(lab: &Lab) -> Option<Value> {
    lab.calls().into_iter().find(|call| call["do"] == "login").map(|call| call["password"].clone())
}

#[test]
fn a_session_is_added_as_it_was_described() {
    let lab = lab();
    let ran = lab.run([
        "add",
        "work",
        "--preset",
        "simplejwt",
        "--url",
        "https://api.example",
        "--resource",
        "/me",
        "--resource",
        "/orders",
        "--allow-http",
        "--sandbox",
        "--heartbeat",
        "5m",
    ]);
    assert_eq!(
        (ran.code, &*ran.out, &*ran.err),
        (Some(0), "", "Added work (api.example). Next, sign in: pilotlight login work\n")
    );
    let added = &lab.calls()[1];
    assert_eq!(
        (&added["do"], &added["profile"], &added["preset"]),
        (&json!("add"), &json!("work"), &json!("simplejwt"))
    );
    assert_eq!(added["resources"], json!(["/me", "/orders"]));
    assert_eq!(added["sandbox"], true);
    assert_eq!((&added["allow_http"], &added["heartbeat_s"]), (&json!(true), &json!(300)));
}

#[test]
fn a_password_comes_from_standard_input_and_nowhere_else() {
    let lab = lab();
    let ran = lab.run_with_input(&["login", "work", "--user", "mia"], " hunter 2\nnot this\n");
    assert_eq!(ran.code, Some(0));
    assert_eq!(ran.out, "");
    assert!(ran.err.ends_with("Signed in to work as mia. From now on the session is kept.\n"), "{}", ran.err);
    assert!(!ran.err.contains("hunter"), "{}", ran.err);
    assert_eq!(password_of(&lab), Some(json!(" hunter 2")));
    assert_eq!(lab.calls().last().unwrap()["username"], "mia");

    let ran = lab.run_with_input(&["login", "work", "--user", "mia", "--json"], "hunter2\n");
    assert_eq!(ran.json()["sessions"][0]["profile"], "work");
    assert!(!ran.out.contains("hunter"));
}

/// Row G6.
#[test]
fn a_sign_in_that_the_keyring_has_not_taken_is_not_said_to_be_kept() {
    let unsaved = || {
        let mut session = session("work", json!({ "name": "Fresh" }));
        session["saved"] = json!(false);
        Act::Answer(overview(json!([session])))
    };
    let typed = Lab::new(move |call| if call["do"] == "hello" { hello() } else { unsaved() });
    for ran in [
        typed.run_with_input(&["login", "work", "--user", "mia"], "hunter2\n"),
        run(&at_browser(unsaved), &["login", "work"]),
        run(&on_device(unsaved), &["login", "work", "--device"]),
    ] {
        assert_eq!(ran.code, Some(0), "{}", ran.err);
        assert!(
            ran.err.contains("Signed in to work as mia. The sign-in is only in memory until"),
            "{}",
            ran.err
        );
        assert!(!ran.err.contains("is kept"), "{}", ran.err);
    }
    let chinese = at_browser(unsaved).run_in_chinese(&["login", "work", "--no-browser"]).err;
    assert!(chinese.ends_with("它暂时只在内存中；会自动重试。\n"), "{chinese}");
}

/// Nothing is kept that ends with its access token.
#[test]
fn a_sign_in_without_a_refresh_token_says_when_it_ends_and_what_is_asked_for() {
    for (source, when) in [
        ("told", "ends with its access token, in 4 min, and"),
        ("assumed", "ends with its access token, and"),
    ] {
        let lab = Lab::new(move |call| {
            let mut there = session("work", json!({ "name": "Fresh" }));
            there["renewable"] = json!(false);
            there["access"]["source"] = json!(source);
            if call["do"] == "hello" { hello() } else { Act::Answer(overview(json!([there]))) }
        });
        let ran = lab.run_with_input(&["login", "work", "--user", "mia"], "hunter2\n");
        assert_eq!(ran.code, Some(0));
        assert!(ran.err.contains(when) && !ran.err.contains("is kept"), "{}", ran.err);
        assert!(ran.err.ends_with("`extra.authorize = { access_type = \"offline\" }`.\n"), "{}", ran.err);
    }
}

/// Row E7.
#[test]
fn a_sign_in_without_a_keyring_says_how_long_it_lasts() {
    let lab = Lab::new(|call| {
        let mut there = overview(json!([session("work", json!({ "name": "Fresh" }))]));
        there["vault"] = json!({ "kind": "memory", "trouble": null });
        if call["do"] == "hello" { hello() } else { Act::Answer(there) }
    });
    let ran = lab.run_with_input(&["login", "work", "--user", "mia"], "hunter2\n");
    assert!(
        ran.err.ends_with("It is kept in memory only: when the keeper ends, sign in again.\n"),
        "{}",
        ran.err
    );
}

#[test]
fn a_refused_password_is_exit_code_three() {
    let ran = lab().run_with_input(&["login", "work", "--user", "mia"], "wrong\n");
    assert_eq!((ran.code, &*ran.out), (Some(3), ""));
    assert!(ran.err.contains("[sign_in_refused]"), "{}", ran.err);
}

#[test]
fn nobody_types_a_password_for_a_session_that_is_not_there() {
    let lab = Lab::new(|call| match call["do"].as_str().unwrap() {
        "hello" => hello(),
        _ => Act::Refuse(
            json!({ "code": "unknown_profile", "profile": "wrok", "details": { "profile": "wrok" } }),
        ),
    });
    // Standard input stays open: a command that read it would wait for ever.
    let mut child = lab.command(["login", "wrok", "--user", "mia"]).stdin(Stdio::piped()).spawn().unwrap();
    let open = child.stdin.take();
    let output = child.wait_with_output().unwrap();
    drop(open);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        String::from_utf8(output.stderr).unwrap(),
        "pilotlight: There is no session of this name: wrok.\n  → See which there are: pilotlight status \
         [unknown_profile]\n"
    );
}

#[test]
fn nothing_is_sent_without_a_user_or_a_password() {
    let lab = lab();
    let ran = lab.run_with_input(&["login", "work"], "hunter2\n");
    assert_eq!(ran.code, Some(2));
    assert!(ran.err.contains("--user"), "{}", ran.err);
    for nothing in ["", "\n", "\r\n"] {
        assert_eq!(lab.run_with_input(&["login", "work", "--user", "mia"], nothing).code, Some(2));
    }
    assert_eq!(password_of(&lab), None);
}

#[test]
fn a_password_is_not_in_the_command_line_or_the_environment() {
    let lab = Lab::new(|call| match call["do"].as_str().unwrap() {
        "hello" => hello(),
        "login" => {
            std::thread::sleep(std::time::Duration::from_millis(300));
            Act::Answer(json!({ "ok": "done" }))
        }
        _ => Act::Answer(overview(json!([session("work", json!({ "name": "Fresh" }))]))),
    });
    let mut child = lab.command(["login", "work", "--user", "mia"]).stdin(Stdio::piped()).spawn().unwrap();
    write(&mut child, "hunter2\n");
    while password_of(&lab).is_none() {
        std::thread::yield_now();
    }
    for file in ["cmdline", "environ"] {
        let text = fs::read(format!("/proc/{}/{file}", child.id())).unwrap();
        assert!(!text.is_empty() && !String::from_utf8_lossy(&text).contains("hunter2"));
    }
    child.wait().unwrap();
}

#[test]
fn a_password_typed_at_a_terminal_is_not_shown() {
    let lab = lab();
    let mut terminal = Terminal::open();
    let mut child = terminal.run(&lab, &["login", "work"]);
    wait_for(&mut child, "User name for work at api.example:");
    terminal.keys.write_all(b"mia\r").unwrap();
    wait_for(&mut child, "Password of mia at api.example:");
    terminal.wait_until(|modes| !modes.contains(LocalModes::ECHO));
    terminal.keys.write_all(b"huntx\x7fer2\r").unwrap();
    assert_eq!(exit_code(&mut child), Some(0));
    assert_eq!(password_of(&lab), Some(json!("hunter2")));
    assert!(terminal.modes().contains(LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG));
    let shown = terminal.shown();
    assert!(shown.contains("mia") && !shown.contains("hunt"), "{shown:?}");
}

#[test]
fn ctrl_c_at_the_password_leaves_the_terminal_as_it_was() {
    let lab = lab();
    let mut terminal = Terminal::open();
    let mut child = terminal.run(&lab, &["login", "work", "--user", "mia"]);
    wait_for(&mut child, "Password");
    terminal.wait_until(|modes| !modes.contains(LocalModes::ECHO));
    terminal.keys.write_all(b"hunt\x03").unwrap();
    assert_eq!(exit_code(&mut child), Some(130));
    assert!(terminal.modes().contains(LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG));
    assert_eq!(password_of(&lab), None);
    let mut rest = String::new();
    child.stderr.take().unwrap().read_to_string(&mut rest).unwrap();
    assert!(!rest.contains("pilotlight"), "{rest}");
}
