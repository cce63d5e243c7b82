//! Signing in with a code on another device.

use std::time::Duration;

use serde_json::json;
use session::oauth::device::{Device, Next, Polling, Step};
use session::oauth::error::Refusal;
use session::oauth::token::Reading;
use session::time::Timestamp;
use session::wire::answer::Answer;
use session::wire::matching::Match;

use crate::{CANARY, PAGE, answer, clock, provider, say};

const PENDING: &str = r#"{"error":"authorization_pending"}"#;
const SLOW_DOWN: &str = r#"{"error":"slow_down"}"#;

#[test]
fn a_code_is_asked_for_and_polled_with() {
    let mut provider = provider();
    provider.client.extra.device.insert("d".into(), "1".into());
    provider.client.extra.token.insert("t".into(), "1".into());
    assert_eq!(
        say(&provider.device().unwrap()),
        "POST https://id.example/device/auth scope=openid+offline_access&client_id=desktop&d=1"
    );
    assert_eq!(
        say(&provider.poll(&device(""))),
        "POST https://id.example/token grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Adevice_code\
         &device_code=DC&client_id=desktop&t=1"
    );
    provider.metadata.device_authorization_endpoint = None;
    assert_eq!(provider.device(), None);
}

/// What the servers of the transcripts say, and one that says it in its own words.
#[test]
fn what_a_person_is_shown_is_read() {
    let body = r#"{"device_code":"HrV9","user_code":"NDKT-STCL","verification_uri":"http://127.0.0.1:3100/device","verification_uri_complete":"http://127.0.0.1:3100/device?user_code=NDKT-STCL","expires_in":600}"#;
    let device = Device::read(&answer(200, body)).unwrap();
    assert_eq!(device.user_code, "NDKT-STCL");
    assert_eq!(device.verification_uri, "http://127.0.0.1:3100/device");
    assert_eq!(
        device.verification_uri_complete.as_deref(),
        Some("http://127.0.0.1:3100/device?user_code=NDKT-STCL")
    );
    assert_eq!((device.expires_in, device.interval), (seconds(600), seconds(5)));

    let body = r#"{"verification_uri": "http://127.0.0.1:3104/o/device", "expires_in": 1800, "user_code": "7NE5U7SI", "device_code": "p1tw", "interval": 5}"#;
    let device = Device::read(&answer(200, body)).unwrap();
    assert_eq!((device.verification_uri_complete, device.expires_in), (None, seconds(1800)));

    let body = r#"{"device_code":"D","user_code":"U","verification_url":"https://id.example/device","expires_in":"1800","interval":"7"}"#;
    let device = Device::read(&answer(200, body)).unwrap();
    assert_eq!((device.expires_in, device.interval), (seconds(1800), seconds(7)));
    assert_eq!(device.verification_uri, "https://id.example/device");
}

/// Row G4.
/// RFC 8628, section 3.2: no number that a server sends makes a busy loop or an endless wait.
#[test]
fn times_are_believed_within_reason() {
    let table = [
        ("", 900, 5),
        (r#","interval":0"#, 900, 5),
        (r#","interval":-3"#, 900, 5),
        (r#","interval":null"#, 900, 5),
        (r#","interval":0.001"#, 900, 1),
        (r#","interval":60"#, 900, 60),
        (r#","interval":61"#, 900, 60),
        (r#","interval":1e300"#, 900, 60),
        (r#","expires_in":0"#, 900, 5),
        (r#","expires_in":-1"#, 900, 5),
        (r#","expires_in":20"#, 20, 5),
        (r#","expires_in":3600"#, 3600, 5),
        (r#","expires_in":3601"#, 3600, 5),
    ];
    for (more, expires_in, interval) in table {
        let device = device(more);
        assert_eq!((device.expires_in, device.interval), (seconds(expires_in), seconds(interval)), "{more}");
    }
    let polling = Polling::new(&device(r#","expires_in":1e300"#), Timestamp::from_millis(1));
    assert_eq!(polling.next(Timestamp::from_millis(1)), Next::Wait(Timestamp::from_millis(5001)));
    // What is shown is what is polled.
    assert_eq!(polling.left(Timestamp::from_millis(1)), seconds(3600));
}

/// What a person has approved is had once: not before it can be used, and not after the code has ended.
#[test]
fn a_poll_whose_answer_could_not_be_used_waits_for_as_long_as_the_code_lives() {
    let at = |second: u64| Timestamp::from_millis(second * 1000);
    let mut polling = Polling::new(&device(r#","expires_in":20"#), at(0));
    assert_eq!(polling.next(at(5)), Next::Poll);
    assert!(polling.put_off(at(5)));
    assert_eq!((polling.next(at(5)), polling.left(at(5))), (Next::Wait(at(10)), seconds(15)));
    assert_eq!(polling.next(at(10)), Next::Poll);
    assert!(!polling.put_off(at(10)), "there is one interval left after the next one");
    assert_eq!(polling.next(at(10)), Next::Poll);
}

/// Row T27: it is opened, or shown to be opened.
#[test]
fn nothing_but_a_web_page_is_behind_the_address() {
    for uri in [
        "javascript:alert(1)",
        "file:///etc/passwd",
        "ssh://host",
        "//id.example",
        "id.example/device",
        "https://id.example/\u{202e}",
        "https://user@id.example/",
        "",
    ] {
        let body = format!(r#"{{"device_code":"D","user_code":"U","verification_uri":"{uri}"}}"#);
        assert!(Device::read(&answer(200, &body)).is_err(), "{uri}");
        let device = device(&format!(r#","verification_uri_complete":"{uri}""#));
        assert_eq!(device.verification_uri_complete, None, "{uri}");
    }
    for code in ["", "A\\u202eB", "A\\nB", &"x".repeat(65)] {
        let body =
            format!(r#"{{"device_code":"D","user_code":"{code}","verification_uri":"https://id.example"}}"#);
        assert!(Device::read(&answer(200, &body)).is_err(), "{code}");
    }
}

#[test]
fn a_provider_that_gives_no_code_is_told_by_why() {
    let read = Device::read(&answer(401, r#"{"error":"invalid_client"}"#));
    assert!(matches!(read, Err(Refusal::Provider { status: 401, .. })), "{read:?}");
    for (status, body) in [(500, PAGE), (200, PAGE), (200, "{}"), (404, "")] {
        let read = Device::read(&answer(status, body));
        assert!(matches!(read, Err(Refusal::Trouble { .. })), "{read:?}");
    }
}

/// Row G4.
/// RFC 8628, section 3.5.
#[test]
fn slow_down_is_for_this_and_all_later_polls() {
    let mut bench = Bench::new("");
    assert_eq!(bench.polling.next(at(4)), Next::Wait(at(5)));
    assert_eq!(bench.polling.next(at(5)), Next::Poll);
    bench.expect(at(5), 400, PENDING, Step::Wait(at(10)));
    bench.expect(at(10), 400, SLOW_DOWN, Step::Wait(at(20)));
    bench.expect(at(20), 400, PENDING, Step::Wait(at(30)));
    bench.expect(at(30), 400, SLOW_DOWN, Step::Wait(at(45)));
    bench.expect(at(45), 400, PENDING, Step::Wait(at(60)));
    // One large provider answers with 200 and the new interval; the larger counts.
    bench.expect(at(60), 200, r#"{"error":"slow_down","interval":30}"#, Step::Wait(at(90)));
    bench.expect(at(90), 200, r#"{"error":"slow_down","interval":5}"#, Step::Wait(at(125)));
    bench.expect(at(125), 428, PENDING, Step::Wait(at(160)));
    bench.expect(at(160), 429, r#"{"error":"slow_down","interval":9000}"#, Step::Wait(at(220)));
    bench.expect(at(220), 403, SLOW_DOWN, Step::Wait(at(280)));
}

/// RFC 8628, section 3.5: "the client MUST unilaterally reduce its polling frequency".
#[test]
fn silence_slows_down_and_an_answer_ends_that() {
    let mut bench = Bench::new("");
    assert_eq!(bench.polling.on_trouble(at(5)), Step::Wait(at(15)));
    assert_eq!(bench.polling.on_trouble(at(15)), Step::Wait(at(35)));
    bench.expect(at(35), 503, PAGE, Step::Wait(at(75)));
    bench.expect(at(75), 200, PAGE, Step::Wait(at(135)));
    bench.expect(at(135), 400, r#"{"error":"temporarily_unavailable"}"#, Step::Wait(at(195)));
    bench.expect(at(195), 400, PENDING, Step::Wait(at(200)));
    bench.expect(at(200), 500, "", Step::Wait(at(210)));
    let body = PAGE.as_bytes();
    let later = Answer { retry_after: Some(seconds(100)), body, ..answer(503, "") };
    assert_eq!(bench.polling.on_answer(&later, clock(), &Reading::default(), at(210)), Step::Wait(at(310)));
    for _ in 0..100 {
        bench.polling.on_trouble(at(310));
    }
    assert_eq!(bench.polling.on_trouble(at(310)), Step::Wait(at(370)), "never longer than a minute");
}

#[test]
fn the_whole_life_of_a_code_is_waited_and_not_longer() {
    let mut bench = Bench::new(r#","expires_in":12"#);
    bench.expect(at(5), 400, PENDING, Step::Wait(at(10)));
    bench.expect(at(10), 400, PENDING, Step::Wait(at(12)));
    assert_eq!(bench.polling.next(at(11)), Next::Wait(at(12)));
    assert_eq!(bench.polling.next(at(12)), Next::Expired);
    assert_eq!(bench.polling.next(Timestamp::MAX), Next::Expired);
    let bench = Bench::new(r#","expires_in":4"#);
    assert_eq!(bench.polling.next(at(1)), Next::Wait(at(2)), "a short life has its poll too");
    assert_eq!(bench.polling.next(at(2)), Next::Poll);
}

/// Row G4.
/// A machine that slept asks once more: the person may have been quicker than the code.
#[test]
fn a_late_poll_is_made_all_the_same() {
    let mut bench = Bench::new(r#","expires_in":60"#);
    assert_eq!(bench.polling.next(at(30)), Next::Poll);
    bench.expect(at(30), 400, PENDING, Step::Wait(at(35)));
    assert_eq!(bench.polling.next(at(9000)), Next::Poll);
    let mut other = bench.polling.clone();
    bench.expect(at(9000), 400, PENDING, Step::Expired);
    let tokens = answer(200, r#"{"access_token":"AT","token_type":"DPoP"}"#);
    assert!(matches!(other.on_answer(&tokens, clock(), &Reading::default(), at(9000)), Step::Tokens(_)));
}

/// The codes of RFC 8628 and RFC 6749, and those of providers with words of their own.
#[test]
fn every_answer_to_a_poll_has_its_meaning() {
    let table = [
        (400, PENDING, "wait"),
        (400, SLOW_DOWN, "wait"),
        (400, r#"{"error":"access_denied"}"#, "denied"),
        (403, r#"{"error":"access_denied"}"#, "denied"),
        (400, r#"{"error":"authorization_declined"}"#, "denied"),
        (400, r#"{"error":"expired_token"}"#, "expired"),
        (400, r#"{"error":"use_dpop_nonce"}"#, "nonce"),
        (400, r#"{"error":"invalid_grant","error_description":"grant request is invalid"}"#, "problem"),
        (400, r#"{"error":"invalid_request"}"#, "problem"),
        (401, r#"{"error":"invalid_client"}"#, "problem"),
        (400, r#"{"error":"unauthorized_client"}"#, "problem"),
        (400, r#"{"error":"unsupported_grant_type"}"#, "problem"),
        (400, r#"{"error":"invalid_scope"}"#, "problem"),
        (200, r#"{"error":"incorrect_device_code"}"#, "problem"),
        (400, r#"{"error":"interaction_required"}"#, "problem"),
        (404, PAGE, "problem"),
        (400, "", "wait"),
        (400, r#"{"error":"server_error"}"#, "wait"),
        (500, r#"{"error":"invalid_grant"}"#, "wait"),
        (429, "", "wait"),
        (200, PAGE, "wait"),
        (200, r#"{"access_token":"AT"}"#, "tokens"),
        // In other words, and in other places.
        (200, r#"{"status":"PENDING"}"#, "wait"),
        (202, r#"{"state":"waiting"}"#, "wait"),
        (428, r#"{"error":{"code":"authorization-pending","message":"…"}}"#, "wait"),
        (403, r#"{"error":"of_its_own","error_code":"authorization_pending"}"#, "wait"),
        (200, r#"{"status":"Rejected"}"#, "denied"),
        (400, r#"{"code":"declined"}"#, "denied"),
        (410, r#"{"status":"expired"}"#, "expired"),
        (400, r#"{"error":"invalid_client","status":"pending"}"#, "problem"),
        (200, r#"{"status":"approved"}"#, "wait"),
    ];
    for (status, body, meaning) in table {
        let step =
            Bench::new("").polling.on_answer(&answer(status, body), clock(), &Reading::default(), at(5));
        let read = match step {
            Step::Wait(_) => "wait",
            Step::Tokens(_) => "tokens",
            Step::Denied => "denied",
            Step::Expired => "expired",
            Step::UseNonce => "nonce",
            Step::Problem(_) => "problem",
        };
        assert_eq!(read, meaning, "{status} {body}");
    }
}

/// Whoever is not done yet is asked again after the same time, however it is said.
#[test]
fn what_is_pending_in_other_words_is_no_trouble() {
    let later: Match = serde_json::from_value(json!({ "status": 202 })).unwrap();
    let no: Match =
        serde_json::from_value(json!({ "status": 200, "body": { "at": "/ok", "equals": false } })).unwrap();
    let reading = Reading { retry: vec![later], refused: vec![no], ..Reading::default() };
    let mut polling = Bench::new(r#","interval":5"#).polling;
    for (nth, (status, body)) in
        [(200, r#"{"status":"pending"}"#), (202, ""), (202, "{}")].into_iter().enumerate()
    {
        let now = at(5 * (nth as u64 + 1));
        assert_eq!(
            polling.on_answer(&answer(status, body), clock(), &reading, now),
            Step::Wait(now + seconds(5))
        );
    }
    let wide: Match = serde_json::from_value(json!({ "status": 400 })).unwrap();
    let wide = Reading { refused: vec![wide], ..Reading::default() };
    let pending = polling.on_answer(&answer(400, PENDING), clock(), &wide, at(25));
    assert_eq!(
        pending,
        Step::Wait(at(30)),
        "a rule for refreshes is no word about an approval that is pending"
    );
    assert_eq!(polling.on_answer(&answer(200, r#"{"ok":false}"#), clock(), &reading, at(30)), Step::Denied);
}

#[test]
fn no_code_is_printed() {
    let body =
        format!(r#"{{"device_code":"{CANARY}","user_code":"U","verification_uri":"https://id.example"}}"#);
    let device = Device::read(&answer(200, &body)).unwrap();
    let printed = format!("{device:?} {:?}", provider().poll(&device));
    assert!(!printed.contains(CANARY), "{printed}");
}

struct Bench {
    polling: Polling,
}

impl Bench {
    fn new(more: &str) -> Self {
        Self { polling: Polling::new(&device(more), at(0)) }
    }

    fn expect(&mut self, now: Timestamp, status: u16, body: &str, step: Step) {
        assert_eq!(self.polling.next(now), Next::Poll, "{now:?}");
        assert_eq!(
            self.polling.on_answer(&answer(status, body), clock(), &Reading::default(), now),
            step,
            "{now:?} {body}"
        );
    }
}

fn device(more: &str) -> Device {
    let body =
        format!(r#"{{"device_code":"DC","user_code":"UC","verification_uri":"https://id.example/d"{more}}}"#);
    Device::read(&answer(200, &body)).unwrap()
}

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_millis(seconds * 1000)
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}
