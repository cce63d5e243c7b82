//! The keeper is started by whoever needs it first, and told apart from one that cannot start.

use std::fs;
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use crate::fake::{Act, Lab, Ran, hello, overview, session};

fn token(_: &Value) -> Act {
    Act::Answer(json!({
        "ok": "token", "access_token": "t", "scheme": "Bearer", "remaining_ms": 1, "lifetime_ms": 1,
        "shorter_than_asked": false,
    }))
}

/// Tells how it was started, and is ready when a keeper listens.
const STARTER: &str = r#"
echo "$@ home=$PILOTLIGHT_HOME stdin=$(cat | wc -c) group=$(ps -o pgid= -p $$) pid=$$ dir=$PWD" \
    > "$PILOTLIGHT_HOME/asked.new"
mv "$PILOTLIGHT_HOME/asked.new" "$PILOTLIGHT_HOME/asked"
echo "a line of the log" >&2
while [ ! -S "$PILOTLIGHT_HOME/agent.sock" ]; do sleep 0.01; done
echo ready
"#;

fn run_with(lab: &Lab, program: &str, arguments: &[&str]) -> Ran {
    let program = lab.program(program);
    Ran::from(lab.command(arguments).env("PILOTLIGHT_KEEPER", program).output().unwrap())
}

fn when_started(lab: &Lab) -> String {
    let path = lab.dir.join("asked");
    for _ in 0..1000 {
        match fs::read_to_string(&path) {
            Ok(text) => return text,
            Err(_) => thread::sleep(Duration::from_millis(10)),
        }
    }
    panic!("nothing was started");
}

#[test]
fn a_keeper_is_started_and_waited_for() {
    let lab = Lab::empty();
    let ran = thread::scope(|scope| {
        let ran = scope.spawn(|| run_with(&lab, STARTER, &["token", "work"]));
        let asked = when_started(&lab);
        assert!(asked.starts_with(&format!("run home={} stdin=0", lab.dir.display())), "{asked}");
        assert!(asked.trim_end().ends_with("dir=/"), "{asked}");
        let number =
            |name: &str| asked.split_once(name).unwrap().1.split_whitespace().next().unwrap().to_owned();
        assert_eq!(number("group="), number("pid="), "Ctrl-C at the terminal would end the keeper");
        lab.listen(token);
        ran.join().unwrap()
    });
    assert_eq!((ran.code, &*ran.out, &*ran.err), (Some(0), "t\n", ""));
    assert_eq!(fs::read_to_string(lab.dir.join("keeper.log")).unwrap(), "a line of the log\n");
}

/// The keeper runs in another directory than the face that starts it.
#[test]
fn a_keeper_is_told_its_home_in_full() {
    let lab = Lab::empty();
    let program = lab.program(r#"echo "$PILOTLIGHT_HOME" >&2; echo '{"error":{"code":"internal"}}'"#);
    let name = lab.dir.file_name().unwrap();
    let mut command = lab.command(["token", "work"]);
    command
        .env("PILOTLIGHT_KEEPER", program)
        .env("PILOTLIGHT_HOME", name)
        .current_dir(lab.dir.parent().unwrap());
    assert_eq!(command.output().unwrap().status.code(), Some(1));
    let log = fs::read_to_string(lab.dir.join("keeper.log")).unwrap();
    assert_eq!(log.trim_end(), lab.dir.to_str().unwrap());
}

#[test]
fn a_keeper_that_is_not_installed_is_said_to_be_missing() {
    let ran = Lab::empty().run(["token", "work"]);
    assert_eq!((ran.code, &*ran.out), (Some(1), ""));
    assert!(ran.err.contains("The background keeper (/nonexistent/keeper) is missing."), "{}", ran.err);
    assert!(ran.err.ends_with("[keeper_not_found]\n"), "{}", ran.err);
    assert_eq!(Lab::empty().run(["demo"]).code, Some(1));
}

#[test]
fn a_keeper_that_cannot_start_says_why() {
    let lab = Lab::empty();
    let refusal = r#"echo '{"error":{"code":"keyring_locked"}}'; sleep 5"#;
    let ran = run_with(&lab, refusal, &["token", "work"]);
    assert_eq!(ran.code, Some(5));
    assert!(ran.err.ends_with("[keyring_locked]\n"), "{}", ran.err);

    let ran = run_with(&lab, "echo 'Segmentation fault' >&2; exit 3", &["token", "work"]);
    assert_eq!(ran.code, Some(1));
    let log = lab.dir.join("keeper.log");
    assert!(ran.err.contains("exit status: 3") && ran.err.contains(&*log.to_string_lossy()), "{}", ran.err);

    let ran = run_with(&lab, "echo ready", &["token", "work"]);
    assert!(ran.err.contains("it ended at once"), "{}", ran.err);
}

#[test]
fn a_home_that_others_may_write_to_is_not_used() {
    use std::os::unix::fs::PermissionsExt as _;
    let lab = Lab::empty();
    fs::set_permissions(&lab.dir, fs::Permissions::from_mode(0o777)).unwrap();
    let ran = run_with(&lab, STARTER, &["token", "work"]);
    assert_eq!(ran.code, Some(1));
    assert!(ran.err.contains("others may write to it"), "{}", ran.err);
    assert!(!lab.dir.join("asked").exists());
}

#[test]
fn stopping_starts_nothing() {
    let lab = Lab::empty();
    let ran = run_with(&lab, STARTER, &["stop"]);
    assert_eq!((ran.code, &*ran.out, &*ran.err), (Some(0), "", "No keeper is running.\n"));
    assert!(!lab.dir.join("asked").exists());

    lab.listen(|_| Act::AnswerAndEnd(json!({ "ok": "done" })));
    let ran = lab.run(["stop"]);
    assert_eq!((ran.code, &*ran.err), (Some(0), "The keeper has stopped.\n"));
}

#[test]
fn a_keeper_that_makes_way_is_asked_no_more() {
    let lab = Lab::new(|_| Act::Refuse(json!({ "code": "keeper_stopping" })));
    // It refuses, and stays: what is left is to wait for the end of the connection, and there is none.
    let mut child = lab.command(["token", "work"]).spawn().unwrap();
    while lab.calls().is_empty() {
        thread::yield_now();
    }
    thread::sleep(Duration::from_millis(100));
    assert_eq!(lab.calls().len(), 1, "asked again and again");
    child.kill().unwrap();
    child.wait().unwrap();
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
fn what_it_cannot_do_itself_it_hands_over() {
    let lab = Lab::empty();
    let tell = r#"echo "$@"; exit 7"#;
    for (arguments, handed) in [
        (&["demo", "--duration", "5s", "--json"][..], "demo --duration 5s --json\n"),
        (&["demo", "--json", "--duration", "5s"], "demo --json --duration 5s\n"),
        (&["--json", "demo"], "demo --json\n"),
        (&["sandbox", "--help"], "sandbox --help\n"),
        (&["keeper"], "keeper\n"),
    ] {
        let ran = run_with(&lab, tell, arguments);
        assert_eq!((ran.code, &*ran.out), (Some(7), handed));
    }
}
