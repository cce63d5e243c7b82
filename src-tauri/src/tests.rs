//! Tried with the real configuration and capability, on a window that is not drawn.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use api::paths::Home;
use serde_json::{Value, json};
use tauri::ipc::{CallbackFn, InvokeBody};
use tauri::test::{INVOKE_KEY, MockRuntime, get_ipc_response, mock_builder};
use tauri::webview::InvokeRequest;
use tauri::{App, WebviewUrl, WebviewWindowBuilder};

use crate::window;

const OWN: &str = "tauri://localhost";
const PATIENCE: Duration = Duration::from_secs(20);

#[test]
fn the_page_may_use_its_commands_and_nobody_else_may() {
    let app = app("acl");
    assert_eq!(invoke(&app, window::LABEL, OWN, "settings", json!({})).unwrap()["theme"], "system");
    for (label, url) in
        [("other", OWN), (window::LABEL, "https://example.com"), (window::LABEL, "http://localhost:9320")]
    {
        for command in named_in_build() {
            let refused = invoke(&app, label, url, &command, json!({})).unwrap_err();
            assert!(refused.to_string().contains("not allowed"), "{command} from {label} {url}: {refused}");
        }
    }
}

#[test]
fn the_page_may_use_nothing_of_tauri_but_listening() {
    let app = app("plugins");
    for command in [
        "plugin:store|load",
        "plugin:store|get",
        "plugin:store|set",
        "plugin:store|save",
        "plugin:event|emit",
        "plugin:event|emit_to",
        "plugin:window|create",
        "plugin:window|close",
        "plugin:webview|create_webview_window",
        "plugin:webview|internal_toggle_devtools",
        "plugin:path|resolve_directory",
        "plugin:app|version",
        "plugin:resources|close",
    ] {
        let refused = invoke(&app, window::LABEL, OWN, command, json!({"path": "/etc/passwd"})).unwrap_err();
        let refused = refused.to_string();
        assert!(refused.contains("not allowed") || refused.contains("not found"), "{command}: {refused}");
    }
    let listen = json!({"event": "overview", "target": {"kind": "Any"}, "handler": 1});
    assert!(invoke(&app, window::LABEL, OWN, "plugin:event|listen", listen).is_ok());
}

#[test]
fn settings_survive_in_the_home_and_hold_what_they_should() {
    let app = app("settings");
    let settings = json!({
        "theme": "dark", "language": "zh-CN", "system_language": "en", "profile": "work", "tab": "data", "token": "x"
    });
    invoke(&app, window::LABEL, OWN, "save_settings", json!({"settings": settings})).unwrap();
    let read = invoke(&app, window::LABEL, OWN, "settings", json!({})).unwrap();
    assert_eq!(
        (&read["theme"], &read["language"], &read["tab"]),
        (&json!("dark"), &json!("zh-CN"), &json!("data"))
    );

    let dir = home_dir("settings").join("window");
    for file in ["settings.json", "settings.json.bak"] {
        let kept: Value = serde_json::from_slice(&fs::read(dir.join(file)).unwrap()).unwrap();
        let keys: Vec<_> = kept.as_object().unwrap().keys().collect();
        assert_eq!(keys, ["language", "profile", "tab", "theme", "version", "zoom"], "{file}");
    }
}

#[test]
fn a_keeper_that_is_not_there_is_told_as_a_failure() {
    let app = app("failure");
    // No keeper starts in a home that others may write to.
    fs::create_dir_all(home_dir("failure")).unwrap();
    fs::set_permissions(home_dir("failure"), fs::Permissions::from_mode(0o777)).unwrap();
    let failure = invoke(
        &app,
        window::LABEL,
        OWN,
        "fetch_resource",
        json!({"profile": "a", "method": "GET", "path": "/", "body": null}),
    );
    let failure = failure.unwrap_err();
    assert!(failure["code"].is_string(), "{failure}");
}

#[test]
fn what_is_pressed_here_is_asked_for_by_a_person() {
    let app = app("person");
    let asked = keeper_that_refuses("person", json!({ "code": "offline" }));
    for (command, body) in [
        ("refresh", json!({"profile": "a"})),
        ("fetch_resource", json!({"profile": "a", "method": "GET", "path": "/", "body": null})),
    ] {
        let failure = invoke(&app, window::LABEL, OWN, command, body).unwrap_err();
        assert_eq!(failure["code"], "offline");
        assert_eq!(asked.recv().unwrap()["by"], "person", "{command}");
    }
}

/// Asking again and again would hold up everybody else.
#[test]
fn an_older_keeper_that_stays_is_shown_and_left_alone_for_a_while() {
    let app = app("older");
    let details = json!({ "profiles": "work" });
    let asked = keeper_that_refuses("older", json!({ "code": "not_saved", "details": details }));
    let (sender, told) = mpsc::channel();
    tauri::Listener::listen_any(&app, "keeper", move |event| {
        drop(sender.send(serde_json::from_str::<Value>(event.payload()).unwrap()));
    });
    crate::watch::start(app.handle().clone(), Home::at(home_dir("older")).unwrap());
    let told = told.recv_timeout(PATIENCE).unwrap();
    let failure = &told["failure"];
    assert_eq!((&told["connected"], &failure["code"]), (&json!(false), &json!("not_saved")));
    assert_eq!(failure["details"], json!({ "older": "0.0.9", "profiles": "work" }));
    assert_eq!(asked.recv().unwrap()["do"], "stop");
    // Several times the pause after other failures.
    assert!(asked.recv_timeout(Duration::from_secs(2)).is_err(), "it was asked to stop again");
}

#[test]
fn commands_are_the_same_wherever_they_are_listed() {
    let built = named_in_build();
    assert!(built.len() >= 17, "{built:?}");
    let capability: Value = serde_json::from_str(&read("capabilities/main.json")).unwrap();
    let allowed = capability["permissions"].as_array().unwrap().iter().filter_map(Value::as_str);
    let (core, own): (Vec<_>, Vec<_>) = allowed.partition(|permission| permission.contains(':'));
    assert_eq!(core, ["core:event:allow-listen", "core:event:allow-unlisten"]);
    let own = own.into_iter().map(|permission| permission.trim_start_matches("allow-").replace('-', "_"));
    assert_eq!(own.collect::<BTreeSet<_>>(), built, "capabilities/main.json");

    let main = read("src/main.rs");
    let handled = between(&main, "generate_handler![", "]").split(',').map(str::trim);
    let handled = handled.filter_map(|path| path.strip_prefix("commands::")).map(str::to_owned);
    assert_eq!(handled.collect::<BTreeSet<_>>(), built, "src/main.rs");

    let host = read("../ui/src/host.ts");
    let invoked =
        host.split("invoke(\"").skip(1).filter_map(|rest| rest.split('"').next()).map(str::to_owned);
    assert_eq!(invoked.collect::<BTreeSet<_>>(), built, "ui/src/host.ts");
    let heard: BTreeSet<_> =
        host.split("listen<").skip(1).filter_map(|rest| rest.split('"').nth(1)).collect();
    let told = read("src/watch.rs");
    let told = told.split("tell(").skip(1).filter_map(|rest| rest.split(')').next()?.split('"').nth(1));
    assert_eq!(heard, told.collect(), "events");
}

/// Row F6.
#[test]
fn no_token_is_ever_asked_for_here() {
    for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("src")).unwrap().flatten() {
        let text = fs::read_to_string(entry.path()).unwrap();
        for word in [
            concat!("Refresh", "Token"),
            concat!("refresh_", "token"),
            concat!("Request::", "Token"),
            concat!("Reply::", "Token"),
        ] {
            assert!(!text.contains(word), "{word} in {}", entry.path().display());
        }
    }
}

#[test]
fn the_configuration_is_as_tight_as_it_was_decided() {
    let config: Value = serde_json::from_str(&read("tauri.conf.json")).unwrap();
    let security = &config["app"]["security"];
    assert_eq!(config["app"]["withGlobalTauri"], false);
    assert_eq!(config["app"]["windows"], json!([]), "windows are opened with their guards, from Rust");
    assert_eq!(security["freezePrototype"], true);
    assert_eq!(security["capabilities"], json!(["main"]));
    assert_eq!(security["csp"]["default-src"], "'none'");
    assert_eq!(security["csp"]["script-src"], "'self'");
    assert_eq!(security["csp"]["connect-src"], "ipc: http://ipc.localhost");
    assert!(!config.to_string().contains("unsafe-"));
    assert_eq!(config["build"].get("devUrl"), None);
}

fn invoke(
    app: &App<MockRuntime>,
    label: &str,
    url: &str,
    command: &str,
    body: Value,
) -> Result<Value, Value> {
    let webview = match tauri::Manager::get_webview_window(app, label) {
        Some(webview) => webview,
        None => WebviewWindowBuilder::new(app, label, WebviewUrl::default()).build().unwrap(),
    };
    let request = InvokeRequest {
        cmd: command.to_owned(),
        callback: CallbackFn(0),
        error: CallbackFn(1),
        url: url.parse().unwrap(),
        body: InvokeBody::Json(body),
        headers: Default::default(),
        invoke_key: INVOKE_KEY.to_owned(),
    };
    get_ipc_response(&webview, request).map(|answer| answer.deserialize().unwrap())
}

fn keeper_that_refuses(name: &str, why: Value) -> mpsc::Receiver<Value> {
    let home = Home::at(home_dir(name)).unwrap();
    home.prepare().unwrap();
    let listener = UnixListener::bind(home.socket()).unwrap();
    let (sender, asked) = mpsc::channel();
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let mut reader = BufReader::new(stream);
            let mut line = String::new();
            while reader.read_line(&mut line).is_ok_and(|length| length > 0) {
                let call: Value = serde_json::from_str(&line).unwrap();
                let id = &call["id"];
                let answer = if call["do"] == "hello" {
                    json!({ "id": id, "ok": "hello", "version": "0.0.9", "pid": 1 })
                } else {
                    json!({ "id": id, "error": why })
                };
                writeln!(reader.get_mut(), "{answer}").unwrap();
                if call["do"] != "hello" {
                    drop(sender.send(call));
                }
                line.clear();
            }
        }
    });
    asked
}

fn app(name: &str) -> App<MockRuntime> {
    let dir = home_dir(name);
    drop(fs::remove_dir_all(&dir));
    crate::build(mock_builder(), tauri::generate_context!(test = true), Home::at(dir).unwrap()).unwrap()
}

fn home_dir(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("pilotlight-window-{}-{name}", std::process::id()))
}

fn named_in_build() -> BTreeSet<String> {
    let text = read("build.rs");
    between(&text, "const COMMANDS: &[&str] = &[", "]")
        .split('"')
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect()
}

fn between<'a>(text: &'a str, from: &str, to: &str) -> &'a str {
    text.split_once(from).unwrap().1.split_once(to).unwrap().0
}

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}
