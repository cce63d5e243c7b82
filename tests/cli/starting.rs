//! The keeper is started by whoever needs it first, and told apart from one that cannot start.

use std::fs;
use std::thread;

use serde_json::{Value, json};

use crate::fake::{Act, Lab, STARTER, run_with, when_started};

fn token(_: &Value) -> Act {
    Act::Answer(json!({
        "ok": "token", "access_token": "t", "scheme": "Bearer", "remaining_ms": 1, "lifetime_ms": 1,
        "source": "told", "shorter_than_asked": false,
    }))
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
    let ran = Lab::empty().run(["demo"]);
    assert!(ran.code == Some(1) && ran.err.ends_with("[sandbox_not_found]\n"), "{}", ran.err);
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
    assert!(ran.err.contains("others may write to /"), "{}", ran.err);
    assert!(!lab.dir.join("asked").exists());
}

#[test]
fn what_it_cannot_do_itself_it_hands_over() {
    let lab = Lab::empty();
    let tell = r#"echo "$@"; exit 7"#;
    for (arguments, handed) in [
        (&["sandbox", "--port", "0", "--help"][..], "--port 0 --help\n"),
        (&["keeper"], "keeper\n"),
        (&["keeper", "--help"], "keeper --help\n"),
    ] {
        let ran = run_with(&lab, tell, arguments);
        assert_eq!((ran.code, &*ran.out), (Some(7), handed));
    }
}
