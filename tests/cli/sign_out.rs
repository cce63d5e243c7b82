//! Signing out: what is said of the provider, and of the browser.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::fake::{Act, Lab, overview, session};
use crate::provider::{PAGE, at_browser, opened, run, signed_in, status, told};

#[test]
fn the_browser_is_sent_to_sign_out_when_that_is_asked_for() {
    let lab = at_browser(signed_in);
    let ran = run(&lab, &["logout", "work", "--browser"]);
    assert_eq!((ran.code, &*ran.out), (Some(0), ""));
    assert_eq!(
        ran.err,
        "Signed out of work.\nThe provider has ended the session too\n\
         The provider’s page opens in your browser to end its session there too.\n"
    );
    assert_eq!(opened(&lab), PAGE);
    assert_eq!(lab.calls()[1]["browser"], true);
    let answer = run(&lab, &["logout", "work", "--browser", "--json"]).json();
    assert_eq!((&answer["done"], &answer["open"]), (&json!(true), &json!(PAGE)));
    assert_eq!(answer["revocation"]["kind"], "revocation");

    let none = Lab::answering(json!({ "ok": "done" }));
    let ran = run(&none, &["logout", "work", "--browser"]);
    assert_eq!(ran.code, Some(0));
    assert!(
        ran.err.starts_with("This provider has no page") && ran.err.ends_with("Signed out of work.\n"),
        "{}",
        ran.err
    );
    assert_eq!(run(&none, &["logout", "work"]).err, "Signed out of work.\n");
    assert_eq!(none.calls()[3]["browser"], false);
}

/// What is done here at once may not be done over there yet, and a person who signs out wants to know.
#[test]
fn what_could_not_be_taken_back_is_said() {
    let cases = [
        (
            json!("offline"),
            "Signed out of work.\nThe provider could not be told of the sign-out: no connection\nIt is told again by itself, for a day.\n",
        ),
        (
            json!("suspect"),
            "Signed out of work.\nThe provider could not be told of the sign-out: refused without a reason\n",
        ),
    ];
    for (trouble, said) in cases {
        let lab = Lab::new(move |call| match call["do"].as_str().unwrap() {
            // Another session's news is not this one's.
            "watch" => Act::AndTell(
                status("browser"),
                vec![told("other", json!(null)), told("work", trouble.clone())],
            ),
            _ => Act::Answer(json!({ "ok": "done" })),
        });
        assert_eq!(run(&lab, &["logout", "work"]).err, said);
    }
    let nothing = Lab::new(|call| match call["do"].as_str().unwrap() {
        "watch" => {
            let mut session = session("work", json!({ "name": "NeedsLogin", "why": "never" }));
            session["access"] = Value::Null;
            Act::Answer(overview(json!([session])))
        }
        _ => Act::Answer(json!({ "ok": "done" })),
    });
    let began = Instant::now();
    assert_eq!(run(&nothing, &["logout", "work"]).err, "Signed out of work.\n");
    assert!(
        began.elapsed() < Duration::from_secs(3),
        "there was nothing to take back, so nothing to wait for"
    );
}
