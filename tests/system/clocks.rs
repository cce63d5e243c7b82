//! A proof of possession has a date (RFC 9449), and the clocks of this machine and of the provider need not agree.

use std::time::Duration;

use pilotlight_sandbox::{Dialect, Endpoint, Fault, Switch};

use crate::harness::{Bench, Keeper};

/// Row A6.
/// Whatever answers first tells the time, so that not one proof is refused over it.
#[test]
fn proofs_are_dated_by_the_providers_clock_from_the_first_one_on() {
    for skew in [3600, -3600] {
        let bench = Bench::strict(Duration::from_secs(600));
        skew_clock(&bench, skew);
        let keeper = Keeper::start(&bench.oauth("work", "", ""));
        keeper.sign_in("work");
        keeper.refresh("work").unwrap();
        assert_eq!(keeper.fetch("work", "/api/profile").unwrap().status, 200);
        for path in ["/par", "/token", "/api/profile"] {
            let statuses = bench.statuses(path);
            assert!(statuses.iter().all(|status| *status < 300), "{path} with {skew} s: {statuses:?}");
        }
    }
}

/// The provider's clock is put right, or wrong, while the session lives.
#[test]
fn a_proof_that_is_refused_for_its_date_is_made_once_more() {
    let bench = Bench::strict(Duration::from_secs(600));
    let keeper = Keeper::start(&bench.oauth("work", "", ""));
    keeper.sign_in("work");
    for (n, skew) in [7200, -7200].into_iter().enumerate() {
        skew_clock(&bench, skew);
        keeper.refresh("work").unwrap();
        assert_eq!(keeper.fetch("work", "/api/profile").unwrap().status, 200, "{skew} s");
        assert_eq!(bench.told().refreshes_granted, n as u64 + 1);
    }
    assert_eq!(bench.told().unauthorized, 0, "the resource is asked by the clock that the refresh has told");
}

/// Every endpoint of it.
fn skew_clock(bench: &Bench, seconds: i64) {
    let on = Endpoint::ALL.into_iter().filter(|endpoint| *endpoint != Endpoint::Other).collect();
    let switch =
        Switch { on, dialect: Some(Dialect::OAuth), value: Some(seconds.into()), ..Switch::default() };
    bench.fault(Fault::ClockSkew, switch);
}
