//! More requests at once than a process has descriptors: they wait in order, and the token that they wait for does not
//! wait behind them.

use std::time::{Duration, Instant};

use api::{PhaseView, Request};
use pilotlight_sandbox::{Dialect, Endpoint, Fault, What};

use crate::harness::{Bench, Keeper, at_once, fetch, fetched, meet, until};

/// Row H5.
/// The limit is one that nobody can raise, and far below what is asked for.
#[test]
fn a_burst_beyond_every_limit_is_answered_and_costs_one_refresh() {
    let bench = Bench::strict(Duration::from_secs(600));
    let keeper = limited(&bench.profile(Dialect::Flask, ""));
    keeper.login("flask");
    bench.control.revoke(What::Access, Some(Dialect::Flask), None).unwrap();
    let refreshes = bench.counted(Dialect::Flask).refreshes_received;
    let answers = at_once((0..3).collect(), |n| {
        let path = |i| fetch("flask", &format!("/protected?n={n}-{i}"));
        keeper.wire().ask_all((0..EACH).map(path).collect())
    });
    for answer in answers.into_iter().flatten() {
        assert_eq!(fetched(answer).unwrap().status, 200);
    }
    assert_eq!(bench.counted(Dialect::Flask).refreshes_received - refreshes, 1);
}

#[test]
fn a_refresh_does_not_wait_behind_requests() {
    let bench = Bench::strict(Duration::from_secs(600));
    let keeper = limited(&bench.profile(Dialect::Flask, ""));
    keeper.login("flask");
    bench.fault(Fault::Latency, meet(Endpoint::Resource).value(1000.into()));
    let mut asking = keeper.wire();
    for n in 0..EACH {
        asking.send(fetch("flask", &format!("/protected?n={n}")));
    }
    until("as many are on their way as may be", || {
        (bench.counted(Dialect::Flask).resource_requests >= 16).then_some(())
    });
    let began = Instant::now();
    keeper.ask(Request::Refresh { profile: "flask".to_owned(), by: api::Asker::Person }).unwrap();
    assert!(began.elapsed() < Duration::from_millis(900), "it took {:?}", began.elapsed());
    assert_eq!(keeper.phase("flask"), PhaseView::Fresh);
}

/// What a process may have is what it was allowed at most, not what it was given at first.
#[test]
fn the_keeper_takes_what_it_may_have() {
    let mut keeper = Keeper::idle("vault = \"memory\"\n");
    keeper.limit_descriptors("-Sn 128");
    keeper.spawn();
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", keeper.pid())).unwrap();
    let line = limits.lines().find(|line| line.starts_with("Max open files")).unwrap();
    let mut numbers = line.split_whitespace().filter_map(|word| word.parse::<u64>().ok());
    let (now, most) = (numbers.next().unwrap(), numbers.next().unwrap());
    assert_eq!(now, most.min(65_536), "{line}");
}

fn limited(profiles: &str) -> Keeper {
    let mut keeper = Keeper::idle(&format!("vault = \"memory\"\n\n{profiles}"));
    keeper.limit_descriptors("-n 96");
    keeper.spawn();
    keeper
}

const EACH: usize = 300;
