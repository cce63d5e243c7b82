//! Opening the stored sign-ins: in the keyring's dialog, or with a passphrase that is asked for where one is needed.

use std::io::Write as _;
use std::process::Stdio;
use std::sync::{Arc, Barrier};

use rustix::termios::LocalModes;
use serde_json::{Value, json};

use crate::fake::{Act, Lab, Ran, hello, overview, write};
use crate::terminal::{Terminal, exit_code, wait_for};

fn vault(kind: &str, trouble: Value) -> Value {
    let mut overview = overview(json!([]));
    overview["vault"] = json!({ "kind": kind, "trouble": trouble });
    overview
}

/// Opens with `hunter 2` alone; without any, it says this.
fn lab(kind: &'static str, trouble: &'static str, code: &'static str) -> Lab {
    Lab::new(move |call| match call["do"].as_str().unwrap() {
        "hello" => hello(),
        "unlock" if call["passphrase"].is_null() => Act::Refuse(json!({ "code": code })),
        "unlock" if call["passphrase"] != " hunter 2" => Act::Refuse(json!({ "code": "passphrase_wrong" })),
        "unlock" => Act::Answer(vault(kind, json!(null))),
        _ => Act::Answer(vault(kind, json!(trouble))),
    })
}

fn passphrases(lab: &Lab) -> Vec<Value> {
    let calls = lab.calls();
    calls.iter().filter(|call| call["do"] == "unlock").map(|call| call["passphrase"].clone()).collect()
}

#[test]
fn a_passphrase_comes_from_standard_input_and_nowhere_else() {
    for (trouble, code) in
        [("passphrase_needed", "passphrase_needed"), ("passphrase_unset", "passphrase_unset")]
    {
        let lab = lab("passphrase", trouble, code);
        let ran = lab.run_with_input(&["unlock"], " hunter 2\nnot this\n");
        assert_eq!((ran.code, &*ran.out), (Some(0), ""), "{}", ran.err);
        assert!(ran.err.ends_with("Unlocked: the stored sign-ins are open.\n"), "{}", ran.err);
        assert_eq!(passphrases(&lab), [json!(null), json!(" hunter 2")]);
        assert!(!ran.err.contains("hunter"));

        let ran = lab.run_with_input(&["unlock", "--json"], " hunter 2\n");
        assert_eq!((ran.code, &ran.json()["vault"]["trouble"], &*ran.err), (Some(0), &json!(null), ""));
    }
    let lab = lab("passphrase", "passphrase_needed", "passphrase_needed");
    let ran = lab.run(["unlock", "hunter2"]);
    assert_eq!(ran.code, Some(2), "it is no argument");
    assert_eq!(lab.run_with_input(&["unlock"], "\n").code, Some(2));
}

#[test]
fn a_wrong_passphrase_is_told_and_is_the_keyrings_exit_code() {
    let lab = lab("passphrase", "passphrase_needed", "passphrase_needed");
    let ran = lab.run_with_input(&["unlock"], "wrong\n");
    assert_eq!(ran.code, Some(5));
    assert!(
        ran.err.contains("The passphrase is wrong.") && ran.err.contains("[passphrase_wrong]"),
        "{}",
        ran.err
    );
    let ran = lab.run_with_input(&["unlock", "--json"], "wrong\n");
    assert_eq!((ran.code, &ran.json()["error"]["code"]), (Some(5), &json!("passphrase_wrong")));
}

#[test]
fn what_is_typed_is_not_shown_and_a_new_one_is_asked_for_twice() {
    let lab = lab("passphrase", "passphrase_unset", "passphrase_unset");
    let mut terminal = Terminal::open();
    let mut child = terminal.run(&lab, &["unlock"]);
    wait_for(&mut child, "New passphrase for the stored sign-ins:");
    terminal.wait_until(|modes| !modes.contains(LocalModes::ECHO));
    terminal.keys.write_all(b" hunter 2\r").unwrap();
    wait_for(&mut child, "The same again:");
    terminal.wait_until(|modes| !modes.contains(LocalModes::ECHO));
    terminal.keys.write_all(b" hunter 3\r").unwrap();
    assert_eq!(exit_code(&mut child), Some(2), "they differ");
    assert_eq!(passphrases(&lab), [json!(null)]);
    assert!(!terminal.shown().contains("hunter"));
}

#[test]
fn where_a_key_file_is_missing_only_a_person_goes_on_without_it() {
    let lab = lab("passphrase", "key_file_gone", "key_file_gone");
    let ran = lab.run_with_input(&["unlock"], " hunter 2\n");
    assert_eq!((ran.code, passphrases(&lab).len()), (Some(5), 1), "{}", ran.err);
    let mut terminal = Terminal::open();
    let mut child = terminal.run(&lab, &["unlock"]);
    wait_for(&mut child, "have to be made again");
    wait_for(&mut child, "New passphrase");
    for prompt in ["The same again:", ""] {
        terminal.wait_until(|modes| !modes.contains(LocalModes::ECHO));
        terminal.keys.write_all(b" hunter 2\r").unwrap();
        if !prompt.is_empty() {
            wait_for(&mut child, prompt);
        }
    }
    assert_eq!(exit_code(&mut child), Some(0));
    assert_eq!(passphrases(&lab).last(), Some(&json!(" hunter 2")));
}

#[test]
fn a_keyrings_dialog_is_waited_for_and_said() {
    let answer = Arc::new(Barrier::new(2));
    let theirs = Arc::clone(&answer);
    let lab = Lab::new(move |call| match call["do"].as_str().unwrap() {
        "hello" => hello(),
        "unlock" => Act::After(Arc::clone(&theirs), Box::new(Act::Answer(vault("keyring", json!(null))))),
        _ => Act::Answer(vault("keyring", json!("locked"))),
    });
    let mut child = lab.command(["unlock"]).stdin(Stdio::piped()).spawn().unwrap();
    wait_for(&mut child, "Waiting for you to open the keyring in its dialog");
    answer.wait();
    write(&mut child, "nobody reads this");
    let ran = Ran::from(child.wait_with_output().unwrap());
    assert_eq!(ran.code, Some(0));
    assert!(ran.err.ends_with("Unlocked: the stored sign-ins are open.\n"), "{}", ran.err);
    assert_eq!(passphrases(&lab), [json!(null)]);
}

#[test]
fn what_keeps_it_closed_is_told_with_the_keyrings_exit_code() {
    for code in ["keyring_locked", "keyring_absent", "credential_absent", "passphrase_command_failed"] {
        let lab = lab("keyring", "locked", code);
        let ran = lab.run(["unlock"]);
        assert_eq!((ran.code, passphrases(&lab).len()), (Some(5), 1), "{code}: {}", ran.err);
        assert!(ran.err.contains(&format!("[{code}]")), "{}", ran.err);
    }
}

#[test]
fn where_there_is_nothing_to_unlock_that_is_said() {
    let memory = Lab::new(|call| match call["do"].as_str().unwrap() {
        "hello" => hello(),
        _ => Act::Answer(vault("memory", json!(null))),
    });
    let ran = memory.run(["unlock"]);
    assert_eq!(
        (ran.code, &*ran.err),
        (Some(0), "There is nothing to unlock: sign-ins are kept in memory only.\n")
    );
    let open = Lab::new(|call| match call["do"].as_str().unwrap() {
        "hello" => hello(),
        _ => Act::Answer(vault("keyring", json!(null))),
    });
    let ran = open.run(["unlock"]);
    assert_eq!(
        (ran.code, &*ran.err),
        (Some(0), "There is nothing to unlock: the stored sign-ins are open.\n")
    );
    assert!(open.run_in_chinese(&["unlock"]).err.contains("无需解锁"));
}
