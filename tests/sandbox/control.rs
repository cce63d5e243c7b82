//! The control endpoint: what it tells, what it takes, whom it turns away.

use super::*;

#[tokio::test]
async fn the_overview_lists_every_fault_and_all_settings_and_no_token() {
    let lab = Lab::new().await;
    let session = lab.sign_in(Dialect::NestJs).await;
    lab.knock(&session).await;
    lab.on(Fault::Status, json!({"left": 3})).await;
    let answer = lab.get("/control", "").await;
    let told = answer.json();
    let names: Vec<_> = told["faults"].as_array().unwrap().iter().map(|fault| &fault["name"]).collect();
    assert_eq!(names, Fault::ALL.map(Fault::name));
    assert!(told["faults"].as_array().unwrap().iter().all(|fault| fault["about"].is_string()));
    let everywhere = json!([
        "discovery",
        "authorize",
        "consent",
        "login",
        "poll",
        "refresh",
        "heartbeat",
        "resource",
        "logout"
    ]);
    let status = json!({"value": 503, "on": everywhere, "dialect": null, "left": 3});
    assert_eq!((&told["faults"][3]["switched"], &told["faults"][4]["switched"]), (&status, &Value::Null));
    assert_eq!(told["settings"]["access_ttl_ms"], 30_000);
    let nest = json!({
        "rotation": "strict", "grace_ms": 0, "access_format": "jwt", "refresh_revokes_access": false
    });
    assert_eq!(told["settings"]["dialects"]["nestjs"], nest);
    assert_eq!(told["counters"]["nestjs"]["logins"], 1);
    let log = lab.get("/control/log", "").await.body;
    for secret in [&session.access, &session.refresh] {
        assert!(!answer.body.contains(secret.as_str()) && !log.contains(secret.as_str()));
    }
}

#[tokio::test]
async fn faults_are_switched_from_within_and_from_without() {
    let lab = Lab::new().await;
    let switch = Switch { value: Some(json!(502)), on: vec![Endpoint::Login], ..Switch::default() };
    let state = lab.control.set_fault(Fault::Status, switch).unwrap();
    assert_eq!(state.switched.map(|switched| switched.value), Some(json!(502)));
    assert_eq!(lab.post("/flask/login", alice()).await.status, 502);
    let nonsense = Switch { left: Some(0), ..Switch::default() };
    assert!(lab.control.set_fault(Fault::Status, nonsense).is_err());
    assert_eq!(lab.control.clear_fault(Fault::Status).switched, None);
    assert_eq!(lab.post("/flask/login", alice()).await.status, 200);

    let told = lab.ask("PUT", "/control/faults/status", &[], None).await.json();
    assert_eq!(told["switched"]["value"], 503, "nothing said, every default taken");
    let told = lab.ask("DELETE", "/control/faults", &[], None).await.json();
    assert!(told["faults"].as_array().unwrap().iter().all(|fault| fault["switched"].is_null()));
    lab.on(Fault::Latency, json!({})).await;
    lab.control.clear_faults();
    assert!(lab.control.faults().iter().all(|fault| fault.switched.is_none()));
}

#[tokio::test]
async fn settings_change_while_it_runs() {
    let lab = Lab::new().await;
    let patch = json!({"access_ttl_ms": 90_000, "dialects": {"heartbeat": {"rotation": "on"}}});
    let told = lab.ask("PATCH", "/control/settings", &[], Some(patch)).await.json();
    assert_eq!(
        (&told["access_ttl_ms"], &told["dialects"]["heartbeat"]["rotation"]),
        (&json!(90_000), &json!("on"))
    );
    assert_eq!(lab.post("/heartbeat/api/auth/login", alice()).await.json()["expiresIn"], 90);
    assert_eq!(lab.control.settings().port, lab.sandbox.address().port());
}

#[tokio::test]
async fn what_is_wrong_is_refused_and_named() {
    let lab = Lab::new().await;
    let before = lab.control.settings();
    let wrong = [
        ("PUT", "/control/faults/hiccup", json!({}), "unknown_fault", "`hiccup`"),
        ("PUT", "/control/faults/status", json!({"value": 42}), "invalid_field", "`value`"),
        ("PUT", "/control/faults/status", json!({"value": 503, "when": 1}), "unknown_field", "`when`"),
        ("PUT", "/control/faults/status", json!(7), "invalid_field", "`the body`"),
        (
            "PATCH",
            "/control/settings",
            json!({"access_ttl_ms": 9, "refresh_ttl_ms": -1}),
            "invalid_field",
            "`refresh_ttl_ms`",
        ),
        ("POST", "/control/revoke", json!({}), "invalid_field", "`what`"),
        ("POST", "/control/revoke", json!({"what": "all", "user": "eve"}), "invalid_field", "`user`"),
        ("POST", "/control/revoke", json!({"what": "all", "dialect": "x"}), "invalid_field", "`dialect`"),
        ("GET", "/control/log?after=x", Value::Null, "invalid_field", "`after`"),
        ("GET", "/control/log?since=1", Value::Null, "unknown_field", "`since`"),
        ("GET", "/control/nothing", Value::Null, "unknown_path", "no such path"),
        ("PUT", "/control/settings", json!({}), "unknown_path", "no such path"),
    ];
    for (method, path, body, code, message) in wrong {
        let refused = lab.ask(method, path, &[], Some(body)).await;
        let error = &refused.json()["error"];
        assert_eq!((refused.status, &error["code"]), (400, &json!(code)), "{method} {path}");
        assert!(error["message"].as_str().unwrap().contains(message), "{error}");
        assert!(!error["hint"].as_str().unwrap().is_empty());
    }
    let address = lab.sandbox.address();
    let half = format!(
        "POST /control/revoke HTTP/1.1\r\nhost: {address}\r\ncontent-length: 1\r\nconnection: close\r\n\r\n{{"
    );
    let garbled = raw(address, &half).await.unwrap();
    assert!(garbled.contains("\"code\":\"not_json\""));
    assert_eq!(lab.control.settings(), before, "half a good change is none");
}

/// Row F5.
#[tokio::test]
async fn no_web_page_drives_it() {
    let lab = Lab::new().await;
    let address = lab.sandbox.address().to_string();
    let other_port = format!("127.0.0.1:{}", lab.sandbox.address().port() ^ 1);
    let foreign = [
        ("host", "evil.example", "foreign_host"),
        ("host", other_port.as_str(), "foreign_host"),
        ("origin", "https://evil.example", "web_page"),
        ("origin", "null", "web_page"),
    ];
    for (name, value, code) in foreign {
        for (method, path) in [("GET", "/control"), ("PUT", "/control/faults/hang"), ("GET", "/control/x")] {
            let refused = lab.ask(method, path, &[(name, value)], None).await;
            assert_eq!(
                (refused.status, &refused.json()["error"]["code"]),
                (403, &json!(code)),
                "{method} {path}"
            );
        }
    }
    let none = raw(lab.sandbox.address(), "GET /control HTTP/1.0\r\n\r\n").await.unwrap();
    assert!(none.starts_with("HTTP/1.0 403"), "{none}");
    assert_eq!(lab.ask("GET", "/control", &[("host", &address)], None).await.status, 200);
    assert!(lab.control.faults().iter().all(|fault| fault.switched.is_none()));
}

#[tokio::test]
async fn counters_count_what_they_say() {
    let lab = Lab::new().await;
    let session = lab.sign_in(Dialect::Heartbeat).await;
    lab.post("/heartbeat/api/auth/login", json!({"username": "bob", "password": "no"})).await;
    lab.renewed(Dialect::Heartbeat, &session.refresh).await;
    lab.refresh(Dialect::Heartbeat, "garbage").await;
    lab.knock(&session).await;
    lab.get("/heartbeat/api/orders", "Bearer x").await;
    lab.post_as("/heartbeat/api/notes", &session.authorization(), json!({})).await;
    let expected = json!({
        "logins": 1, "refreshes_received": 2, "refreshes_granted": 1, "refreshes_refused": 1,
        "reuse_detected": 0, "families_revoked": 0, "heartbeats": 1, "resource_requests": 2,
        "unauthorized": 1, "side_effects": 1, "max_refreshes_in_flight": 1, "codes_issued": 0, "device_polls": 0
    });
    let told = lab.get("/control/counters", "").await.json();
    assert_eq!(told["heartbeat"], expected);
    assert_eq!(told["flask"]["logins"], 0);
}

#[tokio::test]
async fn the_log_tells_requests_without_their_queries() {
    let lab = Lab::new().await;
    lab.get("/nestjs/refresh?token=secret", "").await;
    lab.on(Fault::Reset, json!({"left": 1})).await;
    let _no_answer = raw(lab.sandbox.address(), "GET /nestjs/aaa HTTP/1.1\r\nhost: x\r\n\r\n").await;
    lab.get("/nestjs/elsewhere", "").await;
    let told = lab.get("/control/log?after=0", "").await.json();
    let told: Vec<_> = told["entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| {
            json!([
                entry["n"],
                entry["endpoint"],
                entry["method"],
                entry["path"],
                entry["status"],
                entry["fault"]
            ])
        })
        .collect();
    assert_eq!(
        told,
        [
            json!([1, "refresh", "GET", "/nestjs/refresh", 401, null]),
            json!([2, "resource", "GET", "/nestjs/aaa", null, "reset"]),
            json!([3, "other", "GET", "/nestjs/elsewhere", 404, null]),
        ]
    );
    assert_eq!(lab.control.log(2).len(), 1);
    lab.ask("DELETE", "/control/log", &[], None).await;
    assert!(lab.control.log(0).is_empty());
    lab.get("/nestjs/aaa", "").await;
    assert_eq!(lab.control.log(0)[0].n, 4, "the numbers go on");
}

#[tokio::test]
async fn requests_are_numbered_as_they_arrive() {
    let lab = Lab::new().await;
    lab.on(Fault::Latency, json!({"value": 80, "left": 1})).await;
    let slow = lab.get("/nestjs/aaa", "");
    let quick = async {
        tokio::time::sleep(Duration::from_millis(20)).await;
        lab.get("/nestjs/bbb", "").await
    };
    tokio::join!(slow, quick);
    let told: Vec<_> =
        lab.control.log(0).into_iter().map(|entry| (entry.n, entry.arrived, entry.path)).collect();
    assert_eq!(told, [(1, 2, "/nestjs/bbb".into()), (2, 1, "/nestjs/aaa".into())]);
}
