//! The rules of a session, one short story each. The codes are rows of the failure catalogue: what was lost, and by
//! whom, before the rule was there.
//!
//! A6 and A7 (a wall clock that is wrong or set back) need no story of their own: no event and no function of the core
//! takes a wall clock, and only differences of its one clock count, which
//! `a6_only_differences_of_the_clock_count` shows. Interleavings are the simulation's business, and single steps the transition table's.

#[path = "rules/answers.rs"]
mod answers;
#[path = "rules/bench.rs"]
mod bench;
#[path = "rules/callers.rs"]
mod callers;
#[path = "rules/demands.rs"]
mod demands;
#[path = "rules/forecast.rs"]
mod forecast;
#[path = "rules/heartbeats.rs"]
mod heartbeats;
#[path = "rules/history.rs"]
mod history;
#[path = "rules/lifetimes.rs"]
mod lifetimes;
#[path = "rules/oddities.rs"]
mod oddities;
#[path = "rules/overlaps.rs"]
mod overlaps;
#[path = "rules/promise.rs"]
mod promise;
#[path = "rules/vault.rs"]
mod vault;
