//! A keeper whose sessions are with a provider that has pages of its own, and a browser that only writes down where it
//! was sent.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::fake::{Act, Lab, Ran, hello, overview, session};

/// What a keeper says whose person signs in this way, and what it says in the end.
pub(crate) fn lab(
    way: &'static str,
    pending: Value,
    url: Value,
    end: impl Fn() -> Act + Send + Sync + 'static,
) -> Lab {
    let lab = Lab::new(move |call| match call["do"].as_str().unwrap() {
        "hello" => hello(),
        "status" => Act::Answer(status(way)),
        "sign_in" => Act::Answer(json!({ "ok": "sign_in", "pending": pending, "url": url })),
        "watch" => Act::AndTell(status(way), vec![told("work", json!(null))]),
        "cancel_sign_in" => Act::Answer(json!({ "ok": "done" })),
        "logout" => Act::Answer(json!({ "ok": "open", "url": url })),
        _ => end(),
    });
    // A browser that only writes down where it was sent.
    let browser = lab.dir.join("bin/xdg-open");
    fs::create_dir(lab.dir.join("bin")).unwrap();
    let noting = format!(
        "#!/bin/sh\nprintf %s \"$1\" > {0}/opened.new\nmv {0}/opened.new {0}/opened\n",
        lab.dir.display()
    );
    fs::write(&browser, noting).unwrap();
    fs::set_permissions(&browser, fs::Permissions::from_mode(0o700)).unwrap();
    lab
}

/// What the journal says once the provider has been told of a sign-out.
pub(crate) fn told(profile: &str, trouble: Value) -> Value {
    let note = json!({ "kind": "revocation", "trouble": trouble, "status": null });
    json!({ "about": "entry", "id": 1, "at_ms": 0, "profile": profile, "note": note })
}

pub(crate) fn status(way: &str) -> Value {
    let mut session = session("work", json!({ "name": "Fresh" }));
    session["ways"] = json!([way]);
    overview(json!([session]))
}

pub(crate) fn signed_in() -> Act {
    Act::Answer(status("browser"))
}

pub(crate) fn at_browser(end: impl Fn() -> Act + Send + Sync + 'static) -> Lab {
    lab("browser", json!({ "way": "browser", "expires_in_ms": 300_000 }), json!(PAGE), end)
}

pub(crate) fn on_device(end: impl Fn() -> Act + Send + Sync + 'static) -> Lab {
    lab("browser", device("WDJB-MJHT", "https://id.example/device"), Value::Null, end)
}

pub(crate) fn device(code: &str, url: &str) -> Value {
    let row = |n: usize| if n.is_multiple_of(2) { "#".repeat(21) } else { format!("#{}#", " ".repeat(19)) };
    json!({
        "way": "device", "user_code": code, "verification_uri": url,
        "verification_uri_complete": format!("{url}?user_code={code}"),
        "qr": (0..21).map(row).collect::<Vec<_>>(), "expires_in_ms": 600_000,
    })
}

/// With that browser before any other.
pub(crate) fn command(lab: &Lab, arguments: &[&str]) -> Command {
    let mut command = lab.command(arguments);
    let path = std::env::var("PATH").unwrap();
    command.env("PATH", format!("{}:{path}", lab.dir.join("bin").display()));
    command
}

pub(crate) fn run(lab: &Lab, arguments: &[&str]) -> Ran {
    Ran::from(command(lab, arguments).output().unwrap())
}

pub(crate) fn opened(lab: &Lab) -> String {
    let since = Instant::now();
    loop {
        match fs::read_to_string(lab.dir.join("opened")) {
            Ok(url) => return url,
            Err(_) => assert!(since.elapsed() < Duration::from_secs(10), "no browser was opened"),
        }
        thread::sleep(Duration::from_millis(5));
    }
}

pub(crate) const PAGE: &str =
    "https://id.example/authorize?client_id=desktop&request_uri=urn%3Ax&state=a-b_c";
