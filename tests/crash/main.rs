//! Killed for real: the keeper as a process, at a thousand instants around the answer to a refresh, each of which may be
//! the only copy of the next refresh token. `make crash` runs all of it, `make test` a few instants.
//!
//! What is lost before the answer is there nobody can help. From then on the keeper has as long as the disk needs.

// The exemption of tests covers their functions, not their helpers.
#![allow(clippy::unwrap_used)]

mod dice;
mod disk;
mod door;
#[path = "../system/harness/mod.rs"]
#[allow(dead_code, unused_imports, reason = "it is there for the tests of the system, which need all of it")]
mod harness;
mod lane;
mod peers;
#[path = "../private_bus/mod.rs"]
mod private_bus;
#[path = "../programs/mod.rs"]
mod programs;
mod provider;
mod report;
mod trap;

use std::sync::Mutex;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use std::{env, thread};

use dice::Dice;
use disk::Plain;
use harness::Scratch;
use lane::{House, Plan, Seen};
use peers::{Fall, Peer};
use report::Report;

/// `CRASH_KILLS` says how often, a thousand times in `make crash`, and otherwise it is a few times. `CRASH_SEED` repeats a
/// run, and `CRASH_LANES` says how many keepers there are at a time. With `UPDATE=1` the many write the tables of
/// `docs/reliability.md`.
#[test]
fn whoever_is_killed_in_the_middle_of_a_refresh_loses_nothing_that_could_be_kept() {
    let seed = number("CRASH_SEED").unwrap_or_else(now);
    println!("the seed is {seed} (CRASH_SEED={seed} repeats it)");
    let Some(kills) = number("CRASH_KILLS") else {
        let report = few(seed);
        println!("{report}");
        // So much room that it tells the same on a machine that does something else besides.
        return report.check(Duration::from_millis(30));
    };
    for peer in Peer::ALL.into_iter().filter(|peer| peer.command().is_none()) {
        println!("not installed, so not killed: {} (tests/setup.sh peers)", peer.words());
    }
    let report = many(seed, u32::try_from(kills).unwrap());
    println!("{report}");
    report.check(Duration::from_millis(2));
    if env::var_os("UPDATE").is_some() {
        report.write();
    }
}

fn many(seed: u64, kills: u32) -> Report {
    let share = |of_a_thousand: u32| (kills * of_a_thousand).div_ceil(1000);
    let mut jobs: Vec<Job> =
        PLANS.iter().map(|plan| Job::Ours(Plan { kills: share(plan.kills), ..*plan })).collect();
    for peer in Peer::ALL.into_iter().filter(|peer| peer.command().is_some()) {
        // Among the others, so that they meet the same machine.
        jobs.insert(2, Job::Theirs(peer, share(peer.kills())));
    }
    run(seed, jobs, usize::try_from(number("CRASH_LANES").unwrap_or(LANES)).unwrap())
}

fn few(seed: u64) -> Report {
    let jobs = PLANS.iter().map(|plan| Job::Ours(Plan { kills: 5, with_keyring: 3, ..*plan })).collect();
    run(seed, jobs, 3)
}

enum Job {
    Ours(Plan),
    Theirs(Peer, u32),
}

fn run(seed: u64, jobs: Vec<Job>, lanes: usize) -> Report {
    let (began, scratch) = (Instant::now(), Scratch::new());
    let plain = Plain::begin(scratch.path().to_owned());
    let queue = Mutex::new(jobs.into_iter().enumerate());
    let (ours, theirs) = (Mutex::<Vec<(Plan, Seen)>>::default(), Mutex::<Vec<(Peer, Vec<Fall>)>>::default());
    thread::scope(|scope| {
        for _ in 0..lanes {
            scope.spawn(|| {
                let next = || queue.lock().unwrap().next();
                while let Some((number, job)) = next() {
                    let dice = Dice::of(seed, number);
                    match job {
                        Job::Ours(plan) => {
                            let seen = lane::run(plan, dice, &plain);
                            ours.lock().unwrap().push((plan, seen));
                        }
                        Job::Theirs(peer, kills) => {
                            let falls = peer.run(kills, dice, &plain);
                            theirs.lock().unwrap().push((peer, falls));
                        }
                    }
                }
            });
        }
    });
    let (ours, theirs) = (ours.into_inner().unwrap(), theirs.into_inner().unwrap());
    Report { seed, took: began.elapsed(), lanes, ours, theirs, plain: plain.end() }
}

fn number(name: &str) -> Option<u64> {
    env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name} is no number: {text}")))
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

const fn plan(house: House, grace_s: u64, kills: u32) -> Plan {
    Plan { house, grace: Duration::from_secs(grace_s), kills, with_keyring: 8 }
}

/// What a thousand kills are made of.
const PLANS: &[Plan] = &[
    plan(House::OidcProvider, 0, 150),
    plan(House::Strict, 0, 200),
    plan(House::Sandbox, 0, 200),
    plan(House::Strict, 0, 200),
    plan(House::Strict, 10, 150),
    plan(House::Sandbox, 10, 100),
];

/// At a time.
const LANES: u64 = 2;
