//! The same in HTTP/2, which resources may speak: what a server can say without an end has one there as well.

use std::time::{Duration, Instant};

use api::{Fetch, PhaseView, Request};
use pilotlight_sandbox::Dialect;

use crate::harness::{Act, Authority, Bench, Face, Front, Hostile, Keeper, fetched, forever, say, within};
use crate::tls::Stand;

/// Row H17.
#[test]
fn an_answer_in_http_2_has_an_end_however_it_goes_on() {
    let settings = frame(4, 0, 0, b"");
    let status = b"\x88";
    let header = b"\x00\x01x\x01y".repeat(100);
    // A header that fills the table, and then only its number, again and again.
    let bomb = [&b"\x88\x40\x01x\x7f\xa1\x1e"[..], &b"y".repeat(4000), &b"\xbe".repeat(8000)].concat();
    let rows: Vec<(&str, Vec<Act>)> = vec![
        ("headers without an end", vec![say(frame(1, 0, 1, status)), forever(frame(9, 0, 1, &header))]),
        ("empty continuations", vec![say(frame(1, 0, 1, status)), forever(frame(9, 0, 1, b""))]),
        ("a bomb of headers", vec![say(frame(1, 4, 1, &bomb)), Act::Hang]),
        ("pings", vec![forever(frame(6, 0, 0, b"pingpong"))]),
        ("settings", vec![forever(frame(4, 0, 0, b""))]),
        ("streams that nobody opened", vec![forever(frame(3, 0, 1, &[0, 0, 0, 8]))]),
        ("a reset", vec![say(frame(3, 0, 1, &[0, 0, 0, 8])), Act::Hang]),
        ("a farewell", vec![say(frame(7, 0, 0, &[0; 8])), Act::Hang]),
        (
            "more than there is a window for",
            vec![say(frame(1, 4, 1, status)), forever(frame(0, 0, 1, &[b' '; 16_000]))],
        ),
        ("empty data", vec![say(frame(1, 4, 1, status)), forever(frame(0, 0, 1, b""))]),
        ("no HTTP/2", vec![say("HTTP/1.1 200 OK\r\n\r\n"), Act::Hang]),
        ("silence", vec![Act::Hang]),
    ];
    let ours = Authority::new("ours");
    let bench = Bench::strict(Duration::from_secs(600));
    let stand = Stand::new(&ours);
    let identity = ours.vouches_for("localhost");
    // A connection in HTTP/2 is for all requests, so each row has its own server.
    let served = |hostile: &Hostile| {
        let front = stand.front(&bench, &ours);
        front.lead_two_to(&hostile.origin());
        front.set(Face::Speaks(identity.server(&["h2", "http/1.1"])));
        front
    };
    let hostile: Vec<Hostile> = rows.iter().map(|_| Hostile::alone()).collect();
    let fronts: Vec<Front> = hostile.iter().map(served).collect();
    let names: Vec<String> = (0..rows.len()).map(|n| format!("p{n}")).collect();
    let profiles = names.iter().zip(&fronts).map(|(name, front)| stand.profile(name, front, ""));
    let keeper = Keeper::start(&profiles.collect::<String>());
    for ((name, hostile), (what, mut acts)) in names.iter().zip(&hostile).zip(rows) {
        keeper.login(name);
        if what != "no HTTP/2" {
            acts.insert(0, say(&settings));
        }
        hostile.meets("", acts);
        keeper.forget_peak();
        let before = keeper.peak_kib();
        let began = Instant::now();
        let answer = fetched(keeper.ask(Request::Fetch(Fetch {
            profile: name.clone(),
            path: "/aaa".to_owned(),
            timeout_ms: Some(1000),
            ..Fetch::default()
        })));
        let took = began.elapsed();
        assert!(answer.is_err(), "{what}: it is no answer");
        assert!(hostile.met() > 0, "{what}: it was not met");
        assert!(took < Duration::from_secs(4), "{what}: {took:?}");
        let grown = keeper.peak_kib().saturating_sub(before);
        assert!(grown < 32 * 1024, "{what}: {grown} KiB");
        assert_eq!(keeper.phase(name), PhaseView::Fresh, "{what}");
        keeper.refresh(name).unwrap_or_else(|failure| panic!("{what}: {failure:?}"));
    }
    assert_eq!(bench.counted(Dialect::NestJs).logins, u64::try_from(names.len()).unwrap());
}

/// Row H19.
/// It would be used for every request that comes, until the system gives it up.
#[test]
fn a_connection_that_says_nothing_any_more_is_not_used_for_long() {
    let ours = Authority::new("ours");
    let bench = Bench::strict(Duration::from_secs(600));
    let stand = Stand::new(&ours);
    let (front, hostile) = (stand.front(&bench, &ours), Hostile::alone());
    front.lead_two_to(&hostile.origin());
    front.set(Face::Speaks(ours.vouches_for("localhost").server(&["h2", "http/1.1"])));
    let keeper = Keeper::start(&stand.profile("work", &front, ""));
    keeper.login("work");
    hostile.meets("", vec![say(frame(4, 0, 0, b"")), Act::Hang]);
    let ask = || {
        let request = Fetch { profile: "work".to_owned(), path: "/aaa".to_owned(), ..Fetch::default() };
        let request = Request::Fetch(Fetch { timeout_ms: Some(500), ..request });
        fetched(keeper.ask(request)).map(|answer| answer.status)
    };
    assert!(ask().is_err());
    front.shows(ours.vouches_for("localhost"));
    within(Duration::from_secs(40), "there is another connection", || ask().ok());
}

/// RFC 9113, section 4.1.
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}
