//! A device shows a code, and somebody enters it elsewhere.

use super::*;

#[tokio::test]
async fn a_device_waits_for_its_person() {
    let lab = quick().await;
    let device = begin(&lab).await;
    let told = device.json();
    assert_eq!((&told["interval"], &told["expires_in"]), (&json!(1), &json!(600)));
    let complete = told["verification_uri_complete"].as_str().unwrap();
    assert_eq!(complete, format!("{}/device?user_code={}", lab.issuer(), device.text("user_code")));
    poll(&lab, &device).await.refuses(400, "authorization_pending");

    let path = complete.strip_prefix(&lab.url("")).unwrap().to_owned();
    let page = lab.open(&path).await;
    assert!(page.answer.body.contains(&format!("value=\"{}\"", device.text("user_code"))));
    let user_code = device.text("user_code").to_lowercase().replace('-', "");
    let fill = |password, code| {
        [("user_code", code), ("username", "bob"), ("password", password), ("answer", "approve")]
    };
    let wrong = lab.send(&page, "/oauth/device", &fill("wrong", &user_code)).await;
    assert!(wrong.body.contains("role=\"alert\""));
    let unknown = lab.send(&page, "/oauth/device", &fill("builder", "XXXX-XXXX")).await;
    assert!(unknown.body.contains("No device waits"));
    let done = lab.send(&page, "/oauth/device", &fill("builder", &user_code)).await;
    assert!(done.body.contains("connected"), "{}", done.body);
    interval().await;
    let tokens = poll(&lab, &device).await;
    assert_eq!(claims(&tokens.text("id_token"))["sub"], "user-2");
    interval().await;
    poll(&lab, &device).await.refuses(400, "invalid_grant");
    let counters = lab.counted();
    assert_eq!((counters.device_polls, counters.logins, counters.codes_issued), (3, 1, 0));
}

#[tokio::test]
async fn who_polls_too_fast_is_slowed_down_for_good() {
    let lab = Lab::new().await;
    let device = begin(&lab).await;
    assert_eq!(device.json()["interval"], 5);
    poll(&lab, &device).await.refuses(400, "authorization_pending");
    for interval_ms in [10_000, 15_000] {
        poll(&lab, &device).await.refuses(400, "slow_down");
        assert_eq!(lab.control.devices()[0].interval_ms, interval_ms);
    }
    lab.control.answer_device(&device.text("user_code"), Some("bob")).unwrap();
    poll(&lab, &device).await.refuses(400, "slow_down");
}

#[tokio::test]
async fn the_control_answers_in_a_persons_place() {
    let lab = quick().await;
    let (approved, denied) = (begin(&lab).await, begin(&lab).await);
    let tell = async |code: String, more: Value| {
        let mut body = json!({"user_code": code});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        lab.ask("POST", "/control/devices", &[], Some(body)).await
    };
    let told = tell(approved.text("user_code"), json!({"answer": "approve", "user": "bob"})).await;
    assert_eq!((told.status, &told.json()["device"]["state"]), (200, &json!("approved")));
    tell(denied.text("user_code"), json!({"answer": "deny"})).await;
    assert_eq!(claims(&poll(&lab, &approved).await.text("id_token"))["sub"], "user-2");
    poll(&lab, &denied).await.refuses(400, "access_denied");
    let listed = lab.get("/control/devices", "").await.json();
    let states: Vec<_> =
        listed["devices"].as_array().unwrap().iter().map(|device| &device["state"]).collect();
    assert_eq!(states, ["done", "denied"]);

    let wrong = [
        (json!({"answer": "approve"}), "`user_code`"),
        (json!({"answer": "maybe"}), "`answer`"),
        (json!({}), "`answer`"),
        (json!({"answer": "approve", "user": "eve"}), "`user`"),
        (json!({"answer": "approve", "users": "bob"}), "`users`"),
    ];
    for (body, field) in wrong {
        let refused = tell("XXXX-XXXX".into(), body).await;
        assert_eq!(refused.status, 400);
        assert!(refused.json()["error"]["message"].as_str().unwrap().contains(field), "{}", refused.body);
    }
    let pending = begin(&lab).await;
    lab.control.answer_device(&pending.text("user_code"), None).unwrap();
    assert!(lab.control.answer_device(&pending.text("user_code"), Some("alice")).is_err(), "once");
}

#[tokio::test]
async fn a_code_that_nobody_enters_expires() {
    let lab = quick().await;
    lab.control.change_settings(|settings| settings.oauth.device_ttl = Duration::from_millis(500));
    let device = begin(&lab).await;
    poll(&lab, &device).await.refuses(400, "authorization_pending");
    tokio::time::sleep(Duration::from_millis(520)).await;
    poll(&lab, &device).await.refuses(400, "expired_token");
    assert!(lab.control.answer_device(&device.text("user_code"), Some("alice")).is_err());
}

#[tokio::test]
async fn a_fault_can_meet_the_polls_alone() {
    let lab = quick().await;
    let device = begin(&lab).await;
    lab.on(Fault::Status, json!({"on": ["poll"], "left": 1})).await;
    assert_eq!(lab.through_the_browser().await.dialect, Dialect::OAuth);
    assert_eq!(poll(&lab, &device).await.status, 503);
    poll(&lab, &device).await.refuses(400, "authorization_pending");
    assert_eq!(lab.counted().device_polls, 2, "also the one that got no answer");
}

async fn quick() -> Lab {
    Lab::with_oauth(|oauth| oauth.device_interval = INTERVAL).await
}

async fn begin(lab: &Lab) -> Answer {
    let fields = [("client_id", "pilotlight"), ("scope", "openid api")];
    let begun = lab.form("/oauth/device_authorization", &fields).await;
    assert_eq!(begun.status, 200, "{}", begun.body);
    begun
}

async fn poll(lab: &Lab, device: &Answer) -> Answer {
    let code = device.text("device_code");
    let grant = "urn:ietf:params:oauth:grant-type:device_code";
    lab.form("/oauth/token", &[("grant_type", grant), ("client_id", "pilotlight"), ("device_code", &code)])
        .await
}

async fn interval() {
    tokio::time::sleep(INTERVAL + Duration::from_millis(10)).await;
}

const INTERVAL: Duration = Duration::from_millis(80);
