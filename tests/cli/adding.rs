//! Adding an OAuth session: the provider is asked about itself first, and what is written is what was meant.

use serde_json::{Value, json};

use crate::fake::{Act, Lab, Ran, hello, overview, session};

/// A keeper that has found out this much.
fn lab(elsewhere: &[&str], ignored: &[&str]) -> Lab {
    let found = json!({
        "ok": "discovered", "issuer": "https://id.example", "endpoints": { "token": "https://id.example/token" },
        "scopes": ["openid"], "proposed_scopes": ["openid"], "browser": true, "device": true, "dpop": true,
        "pushed": false, "revocation": true, "elsewhere": elsewhere, "ignored": ignored,
    });
    Lab::new(move |call| match call["do"].as_str().unwrap() {
        "hello" => hello(),
        "discover" => Act::Answer(found.clone()),
        _ => Act::Answer(overview(json!([session("work", json!({ "name": "NeedsLogin", "why": "never" }))]))),
    })
}

fn added(lab: &Lab) -> Value {
    lab.calls().into_iter().find(|call| call["do"] == "add").unwrap_or_else(|| panic!("{:?}", lab.asked()))
}

#[test]
fn a_provider_is_asked_about_itself_before_anything_is_saved() {
    let lab = lab(&[], &[]);
    let ran = lab.run(["add", "work", "--issuer", "https://id.example", "--client-id", "desktop"]);
    assert_eq!(
        (ran.code, &*ran.out, &*ran.err),
        (Some(0), "", "Added work (api.example). Next, sign in: pilotlight login work\n")
    );
    assert_eq!(lab.asked(), ["hello", "discover", "add"]);
    let discover = &lab.calls()[1];
    assert_eq!((&discover["issuer"], &discover["allow_http"]), (&json!("https://id.example"), &json!(false)));
    let draft = added(&lab);
    assert_eq!(
        (&draft["preset"], &draft["url"], &draft["profile"]),
        (&json!(""), &json!(""), &json!("work"))
    );
    let oauth = &draft["oauth"];
    assert_eq!((&oauth["issuer"], &oauth["client_id"]), (&json!("https://id.example"), &json!("desktop")));
    // What nobody said is left to the keeper.
    for left_out in ["scopes", "audience", "grant", "dpop", "redirect_port", "redirect_host", "redirect_path"]
    {
        assert_eq!(oauth[left_out], Value::Null, "{left_out}");
    }
}

/// Row T21.
#[test]
fn what_a_careful_person_would_want_to_know_is_said() {
    let add = ["add", "work", "--issuer", "https://id.example", "--client-id", "desktop"];
    let lab = lab(&["https://login.example.net"], &["revocation", "userinfo"]);
    let err = lab.run(add).err;
    let lines: Vec<_> = err.lines().collect();
    assert_eq!(
        lines[..2],
        [
            "Note: this provider sends you to other hosts too: https://login.example.net",
            "Note: not used, because the address is not safe: revocation, userinfo",
        ]
    );
    assert!(lines[2].starts_with("Added work"), "{err}");
    let chinese = lab.run_in_chinese(&add).err;
    assert!(chinese.starts_with("注意：此服务器还会用到其他主机：https://login.example.net\n"), "{chinese}");
    assert!(
        chinese.contains("端点地址不安全，不会使用：revocation, userinfo\n已添加 work（api.example）"),
        "{chinese}"
    );

    let ran = lab.run(["--json"].into_iter().chain(add));
    assert_eq!((ran.code, &*ran.err), (Some(0), ""));
    assert_eq!(ran.json()["sessions"][0]["profile"], "work");
}

#[test]
fn a_provider_that_cannot_be_described_is_not_added() {
    for (code, exit) in
        [("no_metadata", 1), ("wrong_issuer", 1), ("plain_http", 1), ("offline", 4), ("bad_url", 2)]
    {
        let lab = Lab::new(move |call| match call["do"].as_str().unwrap() {
            "hello" => hello(),
            _ => Act::Refuse(json!({ "code": code, "details": { "problem": "of the test" } })),
        });
        let ran = lab.run(["add", "work", "--issuer", "https://id.example", "--client-id", "desktop"]);
        assert_eq!((ran.code, &*ran.out), (Some(exit), ""), "{code}");
        assert!(ran.err.ends_with(&format!("[{code}]\n")), "{}", ran.err);
        assert_eq!(lab.asked(), ["hello", "discover"]);
    }
}

#[test]
fn every_option_is_in_the_draft() {
    let lab = lab(&[], &[]);
    let ran = lab.run([
        "add",
        "work",
        "--issuer",
        "http://id.example",
        "--client-id",
        "desktop",
        "--url",
        "http://api.example/v1",
        "--scope",
        "openid offline_access",
        "--scope",
        "orders",
        "--audience",
        "https://api.example",
        "--grant",
        "device_code",
        "--dpop",
        "off",
        "--redirect-port",
        "4711",
        "--redirect-host",
        "localhost",
        "--redirect-path",
        "/back",
        "--endpoint",
        "userinfo=https://id.example/me?x=1",
        "--endpoint",
        "revocation=https://id.example/revoke",
        "--extra",
        "authorize.access_type=offline",
        "--extra",
        "authorize.hd=a=b",
        "--extra",
        "token.x=",
        "--resource",
        "https://api.example",
        "--resource",
        "urn:example:more",
        "--resource",
        "/orders",
        "--resource",
        "POST /notes",
        "--allow-http",
        "--ca-file",
        concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"),
        "--sandbox",
        "--heartbeat",
        "90s",
    ]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let ca_file = std::fs::canonicalize(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")).unwrap();
    assert_eq!((&lab.calls()[1]["allow_http"], &lab.calls()[1]["ca_file"]), (&json!(true), &json!(ca_file)));
    let mut draft = added(&lab);
    draft.as_object_mut().unwrap().retain(|name, _| name != "id" && name != "do");
    assert_eq!(
        draft,
        json!({
            "profile": "work", "preset": "", "url": "http://api.example/v1", "resources": ["/orders", "POST /notes"],
            "allow_http": true, "ca_file": ca_file, "sandbox": true, "heartbeat_s": 90,
            "oauth": {
                "issuer": "http://id.example", "client_id": "desktop", "grant": "device_code", "dpop": false,
                "scopes": ["openid", "offline_access", "orders"], "audience": "https://api.example",
                "resource_indicators": ["https://api.example", "urn:example:more"],
                "redirect_port": 4711, "redirect_host": "localhost", "redirect_path": "/back",
                "endpoints": {
                    "userinfo": "https://id.example/me?x=1", "revocation": "https://id.example/revoke",
                },
                "extra": { "authorize": { "access_type": "offline", "hd": "a=b" }, "token": { "x": "" } },
            },
        })
    );
    for (said, meant) in [("on", json!(true)), ("off", json!(false)), ("auto", Value::Null)] {
        let lab = self::lab(&[], &[]);
        lab.run(["add", "work", "--issuer", "https://id.example", "--client-id", "desktop", "--dpop", said]);
        assert_eq!(added(&lab)["oauth"]["dpop"], meant, "{said}");
    }
}

/// Without discovery there is nobody to ask.
#[test]
fn endpoints_by_hand_are_taken_as_they_are() {
    let lab = lab(&[], &[]);
    let ran =
        lab.run(["add", "work", "--client-id", "desktop", "--endpoint", "token=https://id.example/token"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert_eq!(lab.asked(), ["hello", "add"]);
    assert_eq!(added(&lab)["oauth"]["endpoints"], json!({ "token": "https://id.example/token" }));
}

#[test]
fn what_does_not_go_together_is_wrong_usage_and_asks_nobody() {
    let lab = lab(&[], &[]);
    let issuer = ["--issuer", "https://id.example"];
    let client = ["--client-id", "desktop"];
    let preset = ["--preset", "flask", "--url", "https://api.example"];
    for options in [
        &[&issuer[..]][..],
        &[&client],
        &[&preset, &issuer, &client],
        &[&preset, &client],
        &[&preset, &["--scope", "openid"]],
        &[&preset, &["--endpoint", "token=https://id.example/token"], &client],
        &[&["--endpoint", "token=https://id.example/token"]],
        &[&issuer, &client, &["--endpoint", "token"]],
        &[&issuer, &client, &["--extra", "prompt=consent"]],
        &[&issuer, &client, &["--extra", "authorize.prompt"]],
        &[&issuer, &client, &["--grant", "implicit"]],
        &[&issuer, &client, &["--dpop", "maybe"]],
        &[&issuer, &client, &["--redirect-port", "65536"]],
        &[&["--preset", "flask"]],
        &[&["--url", "https://api.example"]],
        &[],
    ] {
        let ran: Ran = lab.run(["add", "work"].iter().chain(options.iter().copied().flatten()));
        assert_eq!((ran.code, &*ran.out), (Some(2), ""), "{options:?}: {ran:?}");
        assert!(!ran.err.is_empty(), "{options:?}");
    }
    assert_eq!(lab.connections(), 0);
}
