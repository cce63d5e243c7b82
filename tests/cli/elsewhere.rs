//! Signing in at a browser, here or on another device.

use std::io::Write as _;
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use rustix::termios::LocalModes;
use serde_json::{Value, json};

use crate::fake::{Act, Lab, Ran, hello, overview, session};
use crate::provider::{PAGE, at_browser, command, device, lab, on_device, opened, run, signed_in, status};
use crate::terminal::{Terminal, exit_code, wait_for};

#[test]
fn the_browser_opens_and_the_command_waits_for_the_end() {
    let lab = at_browser(signed_in);
    let ran = run(&lab, &["login", "work"]);
    assert_eq!((ran.code, &*ran.out), (Some(0), ""));
    assert_eq!(
        ran.err,
        format!(
            "Your browser opens. If it does not, open this address:\n  {PAGE}\nSigned in to work as mia. From now on \
             the session is kept.\n"
        )
    );
    assert_eq!(opened(&lab), PAGE);
    assert_eq!(lab.asked(), ["hello", "status", "sign_in", "finish_sign_in"]);
    assert_eq!(lab.calls()[2]["way"], "browser");
    assert_eq!(lab.calls()[3]["timeout_ms"], Value::Null, "the keeper says when it is over");

    let chinese = at_browser(signed_in);
    let err = chinese.run_in_chinese(&["login", "work", "--no-browser"]).err;
    assert_eq!(
        err,
        format!("请在本机的浏览器中打开：\n  {PAGE}\n已以 mia 的身份登录 work，之后会一直保持会话。\n")
    );
}

#[test]
fn without_a_browser_the_address_is_said() {
    let lab = at_browser(signed_in);
    let ran = run(&lab, &["login", "work", "--no-browser"]);
    assert_eq!(ran.code, Some(0));
    assert!(
        ran.err.starts_with(&format!("Open this address in a browser on this machine:\n  {PAGE}\n")),
        "{}",
        ran.err
    );
    assert!(!lab.dir.join("opened").exists(), "a browser was opened");

    // None to be found is as good as none wanted.
    let lab = at_browser(signed_in);
    let ran = Ran::from(lab.command(["login", "work"]).env("PATH", "/nonexistent").output().unwrap());
    assert_eq!(ran.code, Some(0));
    assert!(
        ran.err.starts_with(&format!("Open this address in a browser on this machine:\n  {PAGE}\n")),
        "{}",
        ran.err
    );
}

#[test]
fn a_script_reads_where_to_go_and_how_it_ended_line_by_line() {
    let (go_on, wait) = mpsc::channel::<()>();
    let wait = std::sync::Mutex::new(wait);
    let lab = at_browser(move || {
        wait.lock().unwrap().recv().unwrap();
        signed_in()
    });
    let mut child = command(&lab, &["login", "work", "--json", "--no-browser"]).spawn().unwrap();
    let mut lines = std::io::BufRead::lines(std::io::BufReader::new(child.stdout.take().unwrap()));
    let mut line = || serde_json::from_str::<Value>(&lines.next().unwrap().unwrap()).unwrap();
    let told = line();
    assert_eq!(told["sign_in"]["url"], PAGE);
    assert_eq!(told["sign_in"]["pending"], json!({ "way": "browser", "expires_in_ms": 300_000 }));
    go_on.send(()).unwrap();
    assert_eq!(line()["sessions"][0]["profile"], "work");
    let ran = Ran::from(child.wait_with_output().unwrap());
    assert_eq!((ran.code, &*ran.err), (Some(0), ""));
}

#[test]
fn a_sign_in_that_came_to_nothing_is_exit_code_three() {
    for (code, words) in [
        ("sign_in_denied", "The provider id.example was told no"),
        ("sign_in_expired", "Nobody finished the sign-in in time."),
        ("sign_in_cancelled", "The sign-in was given up"),
    ] {
        let end = move || Act::Refuse(json!({ "code": code, "details": { "host": "id.example" } }));
        for lab in [at_browser(end), on_device(end)] {
            let ran = run(&lab, &["login", "work", "--no-browser"]);
            assert_eq!((ran.code, &*ran.out), (Some(3), ""), "{code}");
            assert!(ran.err.contains(words) && ran.err.ends_with(&format!("[{code}]\n")), "{}", ran.err);
        }
        let ran = run(&at_browser(end), &["login", "work", "--no-browser", "--json"]);
        assert_eq!((ran.code, &*ran.err), (Some(3), ""));
        let last: Value = serde_json::from_str(ran.out.lines().last().unwrap()).unwrap();
        assert_eq!(last["error"]["code"], code);
    }
    let refusing = Lab::new(|call| match call["do"].as_str().unwrap() {
        "hello" => hello(),
        "status" => Act::Answer(status("browser")),
        _ => Act::Refuse(json!({ "code": "redirect_port_in_use", "details": { "port": "4711" } })),
    });
    let ran = run(&refusing, &["login", "work"]);
    assert_eq!((ran.code, refusing.asked().len()), (Some(1), 3), "nobody is waited for");
}

#[test]
fn a_device_is_told_its_code_and_warned() {
    let lab = on_device(signed_in);
    let ran = run(&lab, &["login", "work", "--device"]);
    assert_eq!((ran.code, &*ran.out), (Some(0), ""));
    assert_eq!(
        ran.err,
        "On any device, open https://id.example/device\nand enter the code: WDJB-MJHT\n\
         Or open it with the code in it: https://id.example/device?user_code=WDJB-MJHT\n\
         Enter this code only if you began this yourself, a moment ago.\n\
         Signed in to work as mia. From now on the session is kept.\n"
    );
    assert_eq!(lab.calls()[2]["way"], "device");
    assert!(!lab.dir.join("opened").exists());
    let chinese = lab.run_in_chinese(&["login", "work", "--device"]).err;
    assert!(
        chinese.starts_with("请在任一设备上打开 https://id.example/device\n并输入验证码：WDJB-MJHT\n"),
        "{chinese}"
    );
    assert!(chinese.contains("只有当这次登录是你自己刚刚发起的"), "{chinese}");
}

#[test]
fn a_terminal_shows_the_code_as_a_picture_and_counts_down() {
    let over = Arc::new(AtomicBool::new(false));
    let ending = Arc::clone(&over);
    let lab = on_device(move || {
        while !ending.load(Ordering::SeqCst) {
            thread::sleep(Duration::from_millis(5));
        }
        signed_in()
    });
    let mut terminal = Terminal::open();
    let mut child = terminal.run_on_screen(&mut command(&lab, &["login", "work", "--device"]), 80);
    let shown = terminal.read_until("Waiting for you to finish there (10 min left)");
    let picture: Vec<_> = shown.lines().filter(|line| line.starts_with("\x1b[30;107m")).collect();
    // Two rows of squares a line, with a margin.
    assert_eq!(picture.len(), 13, "{shown}");
    assert!(picture[1].contains("▀") || picture[1].contains("█"), "{shown}");
    terminal.read_until("Waiting for you to finish there (9 min 59 s left)");
    over.store(true, Ordering::SeqCst);
    let shown = terminal.read_until("Signed in to work as mia.");
    assert!(shown.contains("\r\x1b[K"), "the last line of the countdown stays: {shown:?}");
    assert_eq!(exit_code(&mut child), Some(0));

    // One that is too narrow for it has the code all the same.
    let lab = on_device(signed_in);
    let mut terminal = Terminal::open();
    let mut child = terminal.run_on_screen(&mut command(&lab, &["login", "work", "--device"]), 20);
    let shown = terminal.read_until("Signed in to work as mia.");
    assert!(shown.contains("WDJB-MJHT") && !shown.contains("\x1b[30;107m"), "{shown:?}");
    assert_eq!(exit_code(&mut child), Some(0));
}

/// Row G7: in a browser it is easy to be another account.
#[test]
fn somebody_else_than_before_is_pointed_out() {
    let noa = || {
        let mut after = session("work", json!({ "name": "Fresh" }));
        after["user"] = json!("noa");
        Act::Answer(overview(json!([after])))
    };
    let ran = run(&at_browser(noa), &["login", "work", "--no-browser"]);
    assert!(ran.err.contains("Signed in to work as noa."), "{}", ran.err);
    assert!(ran.err.ends_with("that is somebody else than before (mia).\n"), "{}", ran.err);
    let ran = run(&at_browser(signed_in), &["login", "work", "--no-browser"]);
    assert!(ran.err.ends_with("From now on the session is kept.\n"), "{}", ran.err);
}

/// The tab may still be open, and nobody wants to be signed in by it a minute later.
#[test]
fn whatever_ends_the_command_gives_the_sign_in_up() {
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143), (Signal::HUP, 129)] {
        let over = Arc::new(AtomicBool::new(false));
        let ending = Arc::clone(&over);
        let lab = at_browser(move || {
            while !ending.load(Ordering::SeqCst) {
                thread::sleep(Duration::from_millis(5));
            }
            signed_in()
        });
        let mut child = command(&lab, &["login", "work", "--no-browser"]).spawn().unwrap();
        let began = Instant::now();
        while !lab.asked().contains(&"finish_sign_in".to_owned()) {
            assert!(began.elapsed() < Duration::from_secs(10), "{:?}", lab.asked());
            thread::sleep(Duration::from_millis(5));
        }
        kill_process(Pid::from_child(&child), signal).unwrap();
        assert_eq!(exit_code(&mut child), Some(code));
        assert_eq!(lab.asked().last().map(String::as_str), Some("cancel_sign_in"), "{code}");
        over.store(true, Ordering::SeqCst);
    }
}

#[test]
fn a_client_secret_is_asked_for_as_a_password_is() {
    let lab = lab("client_secret", Value::Null, Value::Null, signed_in);
    let ran = lab.run_with_input(&["login", "work"], "s3cret of it\n");
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(!ran.err.contains("s3cret"), "{}", ran.err);
    let login = lab.calls().last().unwrap().clone();
    assert_eq!(
        (&login["do"], &login["username"], &login["password"]),
        (&json!("login"), &json!(""), &json!("s3cret of it"))
    );
    assert_eq!(lab.run(["login", "work"]).code, Some(2), "nothing on standard input");

    let mut terminal = Terminal::open();
    let mut child = terminal.run(&lab, &["login", "work"]);
    wait_for(&mut child, "Client secret of work at api.example:");
    terminal.wait_until(|modes| !modes.contains(LocalModes::ECHO));
    terminal.keys.write_all(b"typed\r").unwrap();
    assert_eq!(exit_code(&mut child), Some(0));
    assert_eq!(lab.calls().last().unwrap()["password"], "typed");
}

#[test]
fn a_client_whose_secret_is_configured_is_asked_nothing() {
    let lab = lab("unattended", Value::Null, Value::Null, signed_in);
    // Standard input stays open: a command that read it would wait for ever.
    let mut child = lab.command(["login", "work"]).stdin(Stdio::piped()).spawn().unwrap();
    assert_eq!(exit_code(&mut child), Some(0));
    let login = lab.calls().last().unwrap().clone();
    assert_eq!(
        (&login["do"], &login["username"], &login["password"]),
        (&json!("login"), &json!(""), &json!(""))
    );
}

/// Whatever a provider calls its codes, pages and problems.
#[test]
fn a_provider_cannot_steer_the_terminal() {
    const EVIL: &str = "https://id.example/\u{1b}]0;owned\u{7}\u{9b}2J\r\u{8}x";
    let is_harmless = |ran: &Ran| {
        let steers = |c: char| c.is_control() && c != '\n';
        assert!(!ran.err.chars().any(steers) && !ran.out.chars().any(steers), "{ran:?}");
        assert!(ran.err.contains("owned"), "it is not shown at all: {ran:?}");
    };
    let refusing = || {
        Act::Refuse(json!({ "code": "sign_in_denied", "details": { "host": "id.example", "message": EVIL } }))
    };
    is_harmless(&run(
        &lab("browser", device(EVIL, EVIL), Value::Null, signed_in),
        &["login", "work", "--device"],
    ));
    let browser = || lab("browser", json!({ "way": "browser", "expires_in_ms": 1 }), json!(EVIL), signed_in);
    is_harmless(&run(&browser(), &["login", "work"]));
    is_harmless(&run(&browser(), &["login", "work", "--no-browser"]));
    is_harmless(&Ran::from(
        browser().command(["logout", "work", "--browser"]).env("PATH", "/nonexistent").output().unwrap(),
    ));
    is_harmless(&run(&at_browser(refusing), &["login", "work", "--no-browser"]));
    let mut strange = session("work", json!({ "name": "NeedsLogin", "why": "insufficient_scope" }));
    strange["demand"] = json!({ "acr_values": EVIL, "max_age": null, "scope": EVIL });
    strange["user"] = json!(EVIL);
    let ran = Lab::answering(overview(json!([strange]))).run(["status", "work"]);
    assert!(ran.out.contains("owned") && !ran.out.chars().any(|c| c.is_control() && c != '\n'), "{ran:?}");
    let add = ["add", "work", "--issuer", "https://id.example", "--client-id", "desktop"];
    let found = Lab::new(|call| match call["do"].as_str().unwrap() {
        "hello" => hello(),
        "discover" => Act::Answer(json!({
            "ok": "discovered", "issuer": "https://id.example", "endpoints": {}, "scopes": [], "proposed_scopes": [],
            "browser": true, "device": true, "dpop": true, "pushed": false, "revocation": true,
            "elsewhere": [EVIL], "ignored": [EVIL],
        })),
        _ => Act::Answer(overview(json!([session("work", json!({ "name": "Fresh" }))]))),
    });
    is_harmless(&found.run(add));
}

#[test]
fn the_state_says_how_a_token_is_bound_and_what_was_demanded() {
    let mut state =
        session("work", json!({ "name": "NeedsLogin", "why": "insufficient_user_authentication" }));
    state["access"]["dpop"] = json!(true);
    state["demand"] = json!({ "acr_values": "urn:strict", "max_age": 300, "scope": "reports" });
    let lab = Lab::answering(overview(json!([state])));
    let out = lab.run(["status", "work"]).out;
    for line in [
        "Why           a request needs a stronger or a more recent sign-in",
        "Asked for     acr urn:strict signed in less than 5 min ago scope reports",
        "Access token  number 3, lives 5 min, HS256, bound to a key (DPoP)",
    ] {
        assert!(out.lines().any(|printed| printed == line), "{line:?} is not in\n{out}");
    }
    let chinese = lab.run_in_chinese(&["status", "work"]).out;
    assert!(chinese.contains("acr urn:strict 5 分钟 内登录过 scope reports"), "{chinese}");
    assert!(chinese.contains("绑定密钥（DPoP）"), "{chinese}");
}
