//! Servers that want to fill the keeper's memory, take its time or make it lose a session: whatever they say has an end, and
//! what has arrived until then is kept.

use std::thread;
use std::time::{Duration, Instant};

use api::{Code, Fetch, PhaseView, Request, Trouble};
use pilotlight_sandbox::Dialect;

use crate::harness::{
    Act, Bench, Hostile, Keeper, can_be_read, fetched, forever, profile, say, times, until, within,
};

/// Row H17.
/// Each is met by a refresh, which ends in time and is told for what it is.
#[test]
fn an_answer_about_tokens_has_an_end_however_it_goes_on() {
    let rows: Vec<(&str, Vec<Act>, &[Trouble])> = vec![
        ("a status line without an end", vec![say("HTTP/1.1 200 "), forever("O")], &[Trouble::TooLarge]),
        ("no status line at all", vec![forever("\0\x01\x02")], &[Trouble::Garbled]),
        ("a header without an end", vec![say("HTTP/1.1 200 OK\r\nX: "), forever("x")], &[Trouble::TooLarge]),
        (
            "headers without an end",
            vec![say("HTTP/1.1 200 OK\r\n"), forever("X: y\r\n")],
            &[Trouble::TooLarge],
        ),
        (
            "cookies without an end",
            vec![say("HTTP/1.1 200 OK\r\n"), forever("Set-Cookie: a=b\r\n")],
            &[Trouble::TooLarge],
        ),
        (
            "interim answers without an end",
            vec![forever("HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n")],
            &[Trouble::TimedOut],
        ),
        ("silence", vec![Act::Hang], &[Trouble::TimedOut]),
        (
            "a header a byte at a time",
            vec![Act::Slowly(Duration::from_millis(20), vec![b'H'; 1000])],
            &[Trouble::TimedOut, Trouble::Garbled],
        ),
        (
            "a body that is declared endless",
            vec![say(head("Content-Length: 99999999999\r\n")), forever(" ")],
            &[Trouble::TooLarge],
        ),
        ("a body until the end of the connection", vec![say(head("")), forever(" ")], &[Trouble::TooLarge]),
        (
            "chunks without an end",
            vec![say(head(CHUNKED)), forever("5\r\n     \r\n")],
            &[Trouble::TooLarge, Trouble::TimedOut],
        ),
        (
            "a chunk that is declared endless",
            vec![say(head(CHUNKED)), say("FFFFFFFFFFFFFFF\r\n"), forever(" ")],
            &[Trouble::TooLarge],
        ),
        (
            "an extension without an end",
            vec![say(head(CHUNKED)), say("5;"), forever("x")],
            &[Trouble::Unanswered, Trouble::CutShort],
        ),
        (
            "trailers without an end",
            vec![say(head(CHUNKED)), say("2\r\n{}\r\n0\r\n"), forever("X: y\r\n")],
            &[Trouble::CutShort],
        ),
        (
            "a body that stops",
            vec![say(head("Content-Length: 100\r\n")), say("{"), Act::Hang],
            &[Trouble::TimedOut],
        ),
    ];
    let bench = Bench::strict(Duration::from_secs(600));
    let hostile: Vec<Hostile> = rows.iter().map(|_| Hostile::before(bench.origin())).collect();
    let (names, profiles) = profiles(&hostile);
    let keeper = Keeper::start(&profiles);
    names.iter().for_each(|name| keeper.login(name));
    for (n, ((what, acts, troubles), hostile)) in rows.into_iter().zip(&hostile).enumerate() {
        let name = format!("p{n}");
        let other = format!("p{}", (n + 1) % names.len());
        keeper.forget_peak();
        let before = keeper.peak_kib();
        hostile.meets("/nestjs/refresh", acts);
        let began = Instant::now();
        let (failure, waited) = thread::scope(|scope| {
            let refreshing = scope.spawn(|| keeper.refresh(&name).unwrap_err());
            until("it is met", || (hostile.met() > 0).then_some(()));
            let asked = Instant::now();
            keeper.fetch(&other, "/aaa").unwrap();
            (refreshing.join().unwrap(), asked.elapsed())
        });
        let took = began.elapsed();
        let PhaseView::Waiting { why, .. } = keeper.phase(&name) else {
            panic!("{what}: {:?}", keeper.phase(&name))
        };
        let grown = keeper.peak_kib().saturating_sub(before);
        assert!(troubles.contains(&why), "{what}: {why:?}");
        can_be_read(&failure);
        assert!(took < Duration::from_secs(4), "{what}: {took:?}");
        assert!(waited < Duration::from_secs(2), "{what}: the others waited for {waited:?}");
        assert!(grown < 8 * 1024, "{what}: {grown} KiB");
        hostile.behaves();
        until("it goes on", || keeper.refresh(&name).ok());
        within(LET_GO, "it is let go", || (hostile.open() == 0).then_some(()));
    }
    assert_eq!(bench.counted(Dialect::NestJs).logins, u64::try_from(hostile.len()).unwrap());
}

/// Row H17.
/// Whatever else comes: the provider has given the token, and would not give it again.
#[test]
fn a_token_that_has_arrived_is_kept_whatever_comes_around_it() {
    let early = "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n";
    let rows: Vec<(&str, Vec<Act>)> = vec![
        (
            "two hundred headers",
            vec![say("HTTP/1.1 200 OK\r\n"), times(200, "X-Y: z\r\n"), say("\r\n"), Act::Answer],
        ),
        ("many interim answers", vec![times(1000, early), say(head("")), Act::Answer]),
        ("no end", vec![say(head("")), Act::Answer, Act::Hang]),
        ("too few bytes", vec![say(head("Content-Length: 9999\r\n")), Act::Answer]),
        ("an endless rest", vec![say(head("")), Act::Answer, forever(" ")]),
        (
            "trailers without an end",
            vec![say(head("Transfer-Encoding: chunked\r\n")), Act::Chunk, say("0\r\n"), forever("X: y\r\n")],
        ),
        ("a reset", vec![say(head("Content-Length: 9999\r\n")), Act::Answer, say(" ".repeat(1000))]),
    ];
    let bench = Bench::strict(Duration::from_secs(600));
    let hostile: Vec<Hostile> = rows.iter().map(|_| Hostile::before(bench.origin())).collect();
    let (names, profiles) = profiles(&hostile);
    let keeper = Keeper::start(&profiles);
    names.iter().for_each(|name| keeper.login(name));
    for ((name, (what, acts)), hostile) in names.iter().zip(rows).zip(&hostile) {
        let before = keeper.session(name).access.unwrap().generation;
        hostile.meets("/nestjs/refresh", acts);
        keeper.refresh(name).unwrap_or_else(|failure| panic!("{what}: {failure:?}"));
        assert!(keeper.session(name).access.unwrap().generation > before, "{what}");
        hostile.behaves();
        keeper.refresh(name).unwrap_or_else(|failure| panic!("{what}: {failure:?}"));
        assert_eq!(keeper.fetch(name, "/aaa").unwrap().status, 200, "{what}");
    }
    assert_eq!(bench.counted(Dialect::NestJs).logins, u64::try_from(hostile.len()).unwrap());
}

/// Row H17.
/// The same for what a resource says, which costs the session nothing.
#[test]
fn an_answer_of_a_resource_has_an_end_however_it_goes_on() {
    let gzip = "Content-Encoding: gzip\r\nContent-Length: 5000000\r\n";
    let rows: Vec<(&str, Vec<Act>, Result<u16, Code>)> = vec![
        ("a status line without an end", vec![say("HTTP/1.1 200 "), forever("O")], Err(Code::AnswerTooLarge)),
        (
            "headers without an end",
            vec![say("HTTP/1.1 200 OK\r\n"), forever("X: y\r\n")],
            Err(Code::AnswerTooLarge),
        ),
        (
            "interim answers without an end",
            vec![forever("HTTP/1.1 103 Early Hints\r\n\r\n")],
            Err(Code::TimedOut),
        ),
        ("silence", vec![Act::Hang], Err(Code::TimedOut)),
        (
            "a byte at a time",
            vec![say(head("")), Act::Slowly(Duration::from_millis(20), vec![b' '; 1000])],
            Err(Code::TimedOut),
        ),
        ("a body without an end", vec![say(head("")), forever(" ".repeat(1000))], Err(Code::AnswerTooLarge)),
        (
            "a declared one",
            vec![say(head("Content-Length: 99999999999\r\n")), forever(" ".repeat(1000))],
            Err(Code::AnswerTooLarge),
        ),
        (
            "redirects without an end",
            vec![say(
                "HTTP/1.1 302 Found\r\nLocation: /nestjs/aaa\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
            )],
            Ok(302),
        ),
        ("a bomb", vec![say(head(gzip)), times(5_000_000, "\0")], Ok(200)),
    ];
    let bench = Bench::strict(Duration::from_secs(600));
    let hostile = Hostile::before(bench.origin());
    let keeper = Keeper::start(&profile("work", Dialect::NestJs, &hostile.origin(), ""));
    keeper.login("work");
    for (what, acts, end) in rows {
        keeper.forget_peak();
        let before = keeper.peak_kib();
        hostile.meets("/nestjs/aaa", acts);
        let met = hostile.met();
        let request = Request::Fetch(Fetch {
            profile: "work".to_owned(),
            path: "/aaa".to_owned(),
            timeout_ms: Some(1500),
            ..Fetch::default()
        });
        let began = Instant::now();
        let answer = fetched(keeper.ask(request));
        let took = began.elapsed();
        assert_eq!(answer.map(|answer| answer.status).map_err(|failure| failure.code), end, "{what}");
        assert!(took < Duration::from_secs(4), "{what}: {took:?}");
        let grown = keeper.peak_kib().saturating_sub(before);
        assert!(grown < 48 * 1024, "{what}: {grown} KiB");
        assert!(hostile.met() - met <= 6, "{what}: asked {} times", hostile.met() - met);
        assert_eq!(keeper.phase("work"), PhaseView::Fresh, "{what}");
        hostile.behaves();
        assert_eq!(keeper.fetch("work", "/aaa").unwrap().status, 200, "{what}");
    }
    assert_eq!(bench.counted(Dialect::NestJs).logins, 1);
}

/// Each has a profile of its own, named in their order.
fn profiles(hostile: &[Hostile]) -> (Vec<String>, String) {
    let names: Vec<String> = (0..hostile.len()).map(|n| format!("p{n}")).collect();
    let profiles = names.iter().zip(hostile);
    let profiles =
        profiles.map(|(name, hostile)| profile(name, Dialect::NestJs, &hostile.origin(), "timeout = \"1s\""));
    let profiles = profiles.collect();
    (names, profiles)
}

fn head(more: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n{more}\r\n")
}

/// The library looks up from interim answers after millions of bytes, which take it long where it is not optimised.
const LET_GO: Duration = Duration::from_secs(120);

const CHUNKED: &str = "Transfer-Encoding: chunked\r\n";
