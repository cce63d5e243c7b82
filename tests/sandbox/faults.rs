//! Every fault, as a client meets it.

use super::*;

#[tokio::test]
async fn latency_delays() {
    let lab = Lab::new().await;
    lab.on(Fault::Latency, json!({"value": 120, "left": 1})).await;
    let began = Instant::now();
    lab.log_in(Dialect::Flask).await;
    assert!(began.elapsed() >= Duration::from_millis(120));
    assert_eq!(lab.control.log(0)[0].fault, Some(Fault::Latency));
}

#[tokio::test]
async fn a_client_that_gives_up_is_not_in_flight_any_more_but_what_it_asked_for_is_done() {
    let lab = Lab::rotating(Dialect::NestJs, Rotation::Strict, 0).await;
    let session = lab.sign_in(Dialect::NestJs).await;
    lab.on(Fault::Hang, json!({"left": 1, "on": ["refresh"]})).await;
    lab.on(Fault::Latency, json!({"value": 400, "left": 3, "on": ["refresh"]})).await;
    let request = refresh_request(Dialect::NestJs, &session.refresh);
    for _ in 0..3 {
        let mut stream = TcpStream::connect(lab.sandbox.address()).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut nothing = [0; 1];
        let read = stream.read(&mut nothing);
        assert!(tokio::time::timeout(Duration::from_millis(40), read).await.is_err());
        drop(stream);
        tokio::time::sleep(Duration::from_millis(60)).await;
    }
    lab.until(|control| control.counters().nestjs.refreshes_granted == 1).await;
    let counters = lab.control.counters().nestjs;
    assert_eq!((counters.refreshes_received, counters.max_refreshes_in_flight), (3, 1));
    assert_eq!(
        lab.refresh(Dialect::NestJs, &session.refresh).await.status,
        401,
        "it was rotated all the same"
    );
}

#[tokio::test]
async fn refreshes_in_flight_at_once_are_counted() {
    let lab = Lab::new().await;
    let session = lab.sign_in(Dialect::Heartbeat).await;
    lab.on(Fault::Latency, json!({"value": 100, "on": ["refresh"]})).await;
    tokio::join!(
        lab.refresh(Dialect::Heartbeat, &session.refresh),
        lab.refresh(Dialect::Heartbeat, &session.refresh),
        lab.refresh(Dialect::Heartbeat, &session.refresh),
    );
    assert_eq!(lab.control.counters().heartbeat.max_refreshes_in_flight, 3);
}

#[tokio::test]
async fn hang_never_answers_and_ends_with_the_sandbox() {
    let lab = Lab::new().await;
    lab.on(Fault::Hang, json!({})).await;
    let address = lab.sandbox.address();
    let asking =
        tokio::spawn(async move { raw(address, "GET /flask/protected HTTP/1.1\r\nhost: x\r\n\r\n").await });
    lab.until(|control| !control.log(0).is_empty()).await;
    let entry = &lab.control.log(0)[0];
    assert_eq!((entry.status, entry.fault), (None, Some(Fault::Hang)));
    assert!(!asking.is_finished());
    let began = Instant::now();
    lab.sandbox.stop().await;
    assert_eq!(asking.await.unwrap().unwrap(), "");
    assert!(began.elapsed() < Duration::from_millis(400), "nothing had to be cut off");
}

#[tokio::test]
async fn lost_answer_rotates_and_says_nothing() {
    for dialect in Dialect::ALL {
        let lab = Lab::rotating(dialect, Rotation::On, 0).await;
        let session = lab.sign_in(dialect).await;
        lab.on(Fault::LostAnswer, json!({"on": ["refresh"], "left": 1})).await;
        let heard = raw(lab.sandbox.address(), &refresh_request(dialect, &session.refresh)).await;
        assert_eq!(heard.unwrap(), "", "not one byte, and a close in good order");
        let entry = lab.control.log(0).pop().unwrap();
        assert_eq!((entry.endpoint, entry.status), (Endpoint::Refresh, None));
        assert!(lab.refresh(dialect, &session.refresh).await.status >= 400, "it was spent");
        assert_eq!(lab.control.counters()[dialect].reuse_detected, 1);
    }
}

#[tokio::test]
async fn reset_processes_nothing() {
    let lab = Lab::rotating(Dialect::NestJs, Rotation::Strict, 0).await;
    let session = lab.sign_in(Dialect::NestJs).await;
    lab.on(Fault::Reset, json!({"left": 1})).await;
    let heard = raw(lab.sandbox.address(), &refresh_request(Dialect::NestJs, &session.refresh)).await;
    assert_eq!(heard.unwrap_err().kind(), std::io::ErrorKind::ConnectionReset);
    assert_eq!(lab.refresh(Dialect::NestJs, &session.refresh).await.status, 200);
}

#[tokio::test]
async fn truncated_promises_more_than_it_sends() {
    let lab = Lab::new().await;
    let session = lab.sign_in(Dialect::SimpleJwt).await;
    lab.on(Fault::Truncated, json!({"left": 2})).await;
    let heard =
        raw(lab.sandbox.address(), &refresh_request(Dialect::SimpleJwt, &session.refresh)).await.unwrap();
    let (head, body) = heard.split_once("\r\n\r\n").unwrap();
    let promised = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
    assert!(head.starts_with("HTTP/1.1 200 OK") && body.starts_with("{\"access\":\"eyJ"), "{heard}");
    assert_eq!(body.len(), promised.parse::<usize>().unwrap() / 2);
    let error = lab.client.get(lab.url("/simplejwt/api/protected/")).send().await.unwrap().bytes().await;
    assert!(error.is_err());
    assert_eq!(lab.refresh(Dialect::SimpleJwt, &session.refresh).await.status, 401, "it was spent");
}

#[tokio::test]
async fn gateways_answer_in_the_servers_place() {
    let lab = Lab::new().await;
    let session = lab.sign_in(Dialect::NestJs).await;
    for status in [500, 502, 503, 520] {
        lab.on(Fault::Status, json!({"value": status, "left": 1, "on": ["refresh"]})).await;
        let page = lab.refresh(Dialect::NestJs, &session.refresh).await;
        assert_eq!((page.status, page.header("content-type")), (status, "text/html; charset=utf-8".into()));
        assert!(page.body.starts_with("<html>"));
    }
    for status in [400, 401, 403] {
        lab.on(Fault::BareStatus, json!({"value": status, "left": 1})).await;
        lab.refresh(Dialect::NestJs, &session.refresh).await.is(status, "");
    }
    lab.on(Fault::CaptivePortal, json!({"left": 1})).await;
    let portal = lab.refresh(Dialect::NestJs, &session.refresh).await;
    assert_eq!((portal.status, portal.header("content-type")), (200, "text/html; charset=utf-8".into()));
    lab.on(Fault::Redirect, json!({"left": 1})).await;
    let away = lab.refresh(Dialect::NestJs, &session.refresh).await;
    assert_eq!((away.status, away.header("location")), (302, "/portal".into()));
    assert_eq!(lab.get("/portal", "").await.status, 200);
    lab.on(Fault::NotJson, json!({"left": 1})).await;
    let text = lab.refresh(Dialect::NestJs, &session.refresh).await;
    assert_eq!((text.status, text.header("content-type")), (200, "text/plain; charset=utf-8".into()));
    lab.on(Fault::Huge, json!({"left": 1, "value": 3_000_000})).await;
    let huge = lab.refresh(Dialect::NestJs, &session.refresh).await;
    assert_eq!((huge.body.len(), huge.header("content-length")), (3_000_000, "3000000".into()));
    assert_eq!(huge.json()["filling"].as_str().unwrap().len(), 3_000_000 - 14);

    let counters = lab.control.counters().nestjs;
    assert_eq!((counters.refreshes_received, counters.refreshes_granted), (11, 0), "none came through");
    assert_eq!(lab.refresh(Dialect::NestJs, &session.refresh).await.status, 200);
}

#[tokio::test]
async fn rate_limit_says_when_to_come_back_or_does_not() {
    let lab = Lab::new().await;
    let date = "Sat, 21 Nov 2026 08:00:00 GMT";
    for (value, header) in [(json!(7), "7"), (json!(date), date), (Value::Null, "")] {
        lab.on(Fault::RateLimit, json!({"value": value, "left": 1})).await;
        let limited = lab.get("/flask/protected", "").await;
        assert_eq!((limited.status, limited.header("retry-after")), (429, header.into()));
    }
    lab.on(Fault::RateLimit, json!({"value": 60, "left": 1})).await;
    let words = "{\"detail\":\"Request was throttled. Expected available in 60 seconds.\"}";
    lab.get("/simplejwt/api/protected/", "").await.is(429, words);
}

#[tokio::test]
async fn clock_skew_shifts_the_date_and_the_claims_but_not_the_lifetime() {
    let lab = Lab::new().await;
    let straight = lab.get("/flask/protected", "").await;
    lab.on(Fault::ClockSkew, json!({"value": -86_400})).await;
    let skewed = lab.get("/flask/protected", "").await;
    assert_ne!(straight.header("date")[..16], skewed.header("date")[..16], "another day");
    let session = lab.sign_in(Dialect::SimpleJwt).await;
    let claims = claims(&session.access);
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let age = i64::try_from(now).unwrap() - claims["iat"].as_i64().unwrap();
    assert!((86_400..86_410).contains(&age), "{age}");
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 30);
    assert_eq!(lab.knock(&session).await.status, 200);
}

#[tokio::test]
async fn omit_takes_fields_out_of_an_answer_with_tokens() {
    let lab = Lab::new().await;
    let omitted = [
        (json!(["access"]), vec!["refreshToken", "expiresIn"]),
        (json!(["refresh", "lifetime"]), vec!["accessToken"]),
        (json!(["expiresIn"]), vec!["accessToken", "refreshToken"]),
    ];
    for (fields, left) in omitted {
        lab.on(Fault::Omit, json!({"value": fields, "left": 1})).await;
        assert_eq!(lab.post("/heartbeat/api/auth/login", alice()).await.keys(), left);
    }
    lab.on(Fault::Omit, json!({"value": ["access:null"], "left": 1})).await;
    let nulled = lab.post("/heartbeat/api/auth/login", alice()).await;
    assert_eq!((&nulled.json()["accessToken"], nulled.keys().len()), (&Value::Null, 3));
}

#[tokio::test]
async fn strange_expiry_makes_the_lifetime_strange() {
    let lab = Lab::new().await;
    let huge = 9_007_199_254_740_991_i64;
    let strange = [
        ("string", json!("30")),
        ("milliseconds", json!(30_000)),
        ("negative", json!(-30)),
        ("huge", json!(huge)),
        ("zero", json!(0)),
    ];
    for (value, lifetime) in strange {
        lab.on(Fault::StrangeExpiry, json!({"value": value})).await;
        assert_eq!(lab.post("/heartbeat/api/auth/login", alice()).await.json()["expiresIn"], lifetime);
        let exp = &claims(&lab.post("/nestjs/login", alice()).await.text("accessToken"))["exp"];
        match value {
            "string" => assert!(exp.is_string()),
            "milliseconds" => assert!(exp.as_i64().unwrap() > 1_000_000_000_000),
            "negative" => assert!(exp.as_i64().unwrap() > 1_000_000_000),
            _ => assert_eq!(*exp, lifetime),
        }
    }
}

#[tokio::test]
async fn refuse_kills_nothing() {
    let lab = Lab::new().await;
    for dialect in Dialect::ALL {
        let session = lab.sign_in(dialect).await;
        lab.on(Fault::Refuse, json!({"left": 1})).await;
        let refused = lab.refresh(dialect, &session.refresh).await;
        lab.renewed(dialect, &session.refresh).await;
        lab.control.revoke(What::Refresh, Some(dialect), None).unwrap();
        let dead = lab.refresh(dialect, &session.refresh).await;
        assert_eq!((refused.status, refused.body), (dead.status, dead.body), "not to be told apart");
    }
    let session = lab.sign_in(Dialect::Flask).await;
    lab.on(Fault::Refuse, json!({"left": 1, "on": ["resource"]})).await;
    lab.knock(&session).await.is(401, "{\"msg\":\"Token has expired\"}\n");
    assert_eq!(lab.knock(&session).await.status, 200);
}

#[tokio::test]
async fn a_heartbeat_can_say_no_to_a_good_token() {
    let lab = Lab::new().await;
    let session = lab.sign_in(Dialect::Heartbeat).await;
    lab.on(Fault::HeartbeatNo, json!({"left": 1})).await;
    assert_eq!(lab.get("/heartbeat/api/orders", &session.authorization()).await.status, 200);
    lab.knock(&session).await.is(401, "{\"ok\":false}");
    assert_eq!(lab.knock(&session).await.status, 200);
}

#[tokio::test]
async fn a_refresh_can_return_the_unchanged_access_token() {
    let lab = Lab::new().await;
    lab.on(Fault::SameToken, json!({})).await;
    for dialect in Dialect::ALL {
        let session = lab.sign_in(dialect).await;
        assert_eq!(lab.renewed(dialect, &session.refresh).await.access, session.access);
    }
}

#[tokio::test]
async fn a_fault_keeps_to_its_dialect_and_its_endpoints() {
    let lab = Lab::new().await;
    lab.on(Fault::Status, json!({"dialect": "nestjs", "on": ["login"]})).await;
    assert_eq!(lab.post("/flask/login", alice()).await.status, 200);
    assert_eq!(lab.get("/nestjs/aaa", "").await.status, 401);
    assert_eq!(lab.post("/nestjs/login", alice()).await.status, 503);
    assert_eq!(lab.post("/nestjs/login", alice()).await.status, 503, "until it is switched off");
    assert_eq!(lab.ask("DELETE", "/control/faults/status", &[], None).await.json()["met"], 2);
    assert_eq!(lab.post("/nestjs/login", alice()).await.status, 201);
}
