//! Too many of everything at the socket: connections, watches, questions, and answers that nobody reads.

use std::io::{Read as _, Write as _};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use api::{Code, Line, Reply, Request};
use pilotlight_sandbox::Dialect;
use session::bounds::{ANSWERS_IN_MEMORY, CONNECTIONS};

use crate::harness::{Bench, Hostile, Keeper, fetch, given, profile, say, times, token, until};

/// Row H12.
#[test]
fn who_comes_when_all_connections_are_taken_is_told() {
    let (_bench, keeper) = signed_in();
    let mut silent: Vec<UnixStream> = (0..CONNECTIONS).map(|_| connect(&keeper)).collect();
    until("all are taken", || {
        let told = keeper.run(&["status", "--json"]);
        (told.code == Some(4)).then(|| assert_eq!(told.failed_with().1, Code::TooManyConnections.key()))
    });
    let mut late = connect(&keeper);
    let mut told = String::new();
    late.read_to_string(&mut told).unwrap();
    assert!(told.contains("too_many_connections"), "{told}");
    silent.pop();
    until("the next one has the place", || (keeper.run(&["status"]).code == Some(0)).then_some(()));
}

/// Each connection watches once, so their number is that of the connections.
#[test]
fn ten_thousand_watches_are_as_many_as_there_are_connections() {
    let (_bench, keeper) = signed_in();
    keeper.forget_peak();
    let before = keeper.peak_kib();
    let mut wires: Vec<_> = (0..100).map(|_| keeper.wire()).collect();
    for wire in &mut wires {
        for _ in 0..100 {
            wire.send(Request::Watch);
        }
    }
    for wire in &mut wires {
        let answers = wire.answers(100);
        let refused = answers.iter().filter(|answer| answer.is_err()).count();
        assert_eq!(refused, 99);
    }
    keeper.refresh("nestjs").unwrap();
    for wire in &mut wires {
        until("it is told", || matches!(wire.receive(), Line::Notice { .. }).then_some(()));
    }
    serves_at_once(&keeper);
    let grown = keeper.peak_kib().saturating_sub(before);
    assert!(grown < 32 * 1024, "{grown} KiB");
}

/// Row H12.
/// Whoever asks and does not read fills no memory, and keeps nobody from small answers.
#[test]
fn answers_that_nobody_reads_have_an_end() {
    let bench = Bench::strict(Duration::from_secs(600));
    let hostile = Hostile::before(bench.origin());
    let keeper = Keeper::start(&profile("nestjs", Dialect::NestJs, &hostile.origin(), ""));
    keeper.login("nestjs");
    hostile.meets("/nestjs/aaa", vec![say("HTTP/1.1 200 OK\r\n\r\n"), times(LARGE / 8, "8 bytes\n")]);
    let mut deaf = keeper.wire();
    let asked = ANSWERS_IN_MEMORY / LARGE;
    for _ in 0..asked {
        deaf.send(fetch("nestjs", "/aaa"));
    }
    until("all have been answered", || (hostile.met() == asked && hostile.open() == 0).then_some(()));
    let large = || keeper.fetch("nestjs", "/aaa").map(|answer| answer.status);
    let failure = until("there is no room left", || {
        deaf.send(fetch("nestjs", "/aaa"));
        large().err()
    });
    assert_eq!(failure.code, Code::AnswerTooLarge, "{failure:?}");
    let peak = keeper.peak_kib() * 1024;
    let most = u64::try_from(2 * ANSWERS_IN_MEMORY).unwrap();
    assert!(peak < most, "{peak} bytes");
    assert_eq!(keeper.fetch("nestjs", "/bbb").unwrap().status, 200);
    serves_at_once(&keeper);
    drop(deaf);
    until("there is room again", || large().ok());
}

#[test]
fn who_asks_and_says_no_more_is_answered() {
    let (_bench, keeper) = signed_in();
    let mut half = connect(&keeper);
    half.write_all(b"{\"id\":1,\"do\":\"status\"}\n{\"id\":2,\"do\":\"hello\",\"version\":\"0\"}\n").unwrap();
    half.shutdown(Shutdown::Write).unwrap();
    let mut said = String::new();
    half.read_to_string(&mut said).unwrap();
    assert_eq!(said.lines().count(), 2, "{said}");
}

fn signed_in() -> (Bench, Keeper) {
    let bench = Bench::strict(Duration::from_secs(600));
    let keeper = Keeper::start(&bench.profile(Dialect::NestJs, ""));
    keeper.login("nestjs");
    (bench, keeper)
}

fn connect(keeper: &Keeper) -> UnixStream {
    let stream = UnixStream::connect(keeper.home().socket()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    stream
}

fn serves_at_once(keeper: &Keeper) {
    let began = Instant::now();
    given(keeper.ask(token("nestjs", Duration::ZERO))).unwrap();
    assert!(matches!(keeper.ask(Request::Hello { version: "0".to_owned() }), Ok(Reply::Hello { .. })));
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
}

const LARGE: usize = 15 << 20;
