//! Thousands of installations that all sign in between nine and ten past nine, and what a provider sees of them.

use std::collections::BTreeMap;
use std::time::Duration;

use session::Session;
use session::event::{Attempt, Effect, Event, Found};
use session::policy::Policy;
use session::reason::Trouble;
use session::time::Timestamp;
use session::tokens::{AccessToken, Account, RefreshToken, Tokens};
use session::verdict::Verdict;

use crate::dice::Dice;

/// Row A15: a fixed lead has the whole fleet come back in the same ten minutes, every lifetime, for ever (six times
/// the mean). With fifty thousand the dice alone make a peak of 1.08, with a million (`SIM_FLEET`) of 1.01.
#[test]
fn a_fleet_does_not_march_in_step() {
    let installations = crate::number("SIM_FLEET").unwrap_or(50_000);
    let fleet = Fleet::live(installations, 0..0);
    let (peak, mean) = fleet.peak_and_mean(60..480);
    let each = fleet.requests.values().sum::<u64>() as f64 / installations as f64;
    eprintln!("peak ÷ mean {:.3}; {each:.2} refreshes each in eight hours", peak / mean);
    assert!(peak / mean <= 1.12, "peak {peak}, mean {mean}");
    // One per 45 minutes, and the way into the slot.
    assert!(each <= 1.1 * (480.0 / 45.0), "{each} refreshes each");
}

/// Row A15.
#[test]
fn ten_minutes_of_outage_are_a_few_tries_and_no_stampede() {
    let outage = 200..210;
    let installations = crate::number("SIM_FLEET").unwrap_or(20_000);
    let fleet = Fleet::live(installations, outage.clone());
    let affected = fleet.tries.len() as f64;
    let mean = fleet.tries.values().sum::<u64>() as f64 / affected;
    let (peak, usual) = (fleet.peak_and_mean(outage.end..300).0, fleet.peak_and_mean(60..190).1);
    let without = fleet.without_token as f64 / installations as f64;
    eprintln!(
        "{affected} clients affected, {mean:.2} tries each; afterwards {:.2} times the mean",
        peak / usual
    );
    assert!(mean <= 3.0, "{mean} tries for each client that the outage met");
    assert!(peak / usual <= 7.0, "peak {peak} afterwards, usually {usual}");
    assert!(without <= 0.005, "{without} of all clients were without a token");
}

const MINUTE: u64 = 60_000;
const DAY_ENDS: u64 = 480 * MINUTE;

#[derive(Default)]
struct Fleet {
    /// By the minute.
    requests: BTreeMap<u64, u64>,
    /// Of those whom the outage met.
    tries: BTreeMap<u64, u64>,
    without_token: u64,
}

impl Fleet {
    /// Each installation lives for itself, and its machine was started at some time of the last month.
    fn live(installations: u64, outage: std::ops::Range<u64>) -> Self {
        let mut fleet = Self::default();
        for installation in 0..installations {
            let mut dice = Dice::new(installation);
            let started = dice.between(0, 30 * 24 * 60 * MINUTE);
            let policy =
                Policy { slot: dice.next(), heartbeat: Duration::from_secs(1 << 30), ..Policy::default() };
            let mut clock = Timestamp::from_millis(started + dice.between(0, 10 * MINUTE));
            let mut session = signed_in(Session::new(policy, dice.next(), clock), clock);
            while let Some(at) = session.deadline().filter(|at| at.as_millis() < started + DAY_ENDS) {
                clock = at;
                let (next, effects) = session.step(Event::Tick, clock);
                session = next;
                let Some(attempt) = sent(&effects) else { continue };
                let minute = (clock.as_millis() - started) / MINUTE;
                *fleet.requests.entry(minute).or_default() += 1;
                let verdict = if outage.contains(&minute) {
                    *fleet.tries.entry(installation).or_default() += 1;
                    Verdict::Transient { trouble: Trouble::Status, status: Some(503), retry_after: None }
                } else {
                    Verdict::Fresh(tokens(clock, None))
                };
                fleet.without_token += u64::from(session.access_token(clock, Duration::ZERO).is_none());
                session = session.step(Event::Refreshed { attempt, verdict }, clock).0;
            }
        }
        fleet
    }

    fn peak_and_mean(&self, minutes: std::ops::Range<u64>) -> (f64, f64) {
        let counts: Vec<u64> =
            minutes.map(|minute| self.requests.get(&minute).copied().unwrap_or(0)).collect();
        let peak = counts.iter().copied().max().unwrap_or(0);
        (peak as f64, counts.iter().sum::<u64>() as f64 / counts.len() as f64)
    }
}

fn signed_in(session: Session, now: Timestamp) -> Session {
    let (session, _) = session.step(Event::SignIn { patience: Duration::from_secs(330) }, now);
    let attempt = Attempt { epoch: 0, number: 1 };
    let tokens = tokens(now, Some(RefreshToken::new("r")));
    let (session, _) = session.step(Event::SignedIn { attempt, tokens, account: Account::default() }, now);
    let (session, _) = session.step(Event::Loaded { found: Found::Nothing, interrupted: false }, now);
    session.step(Event::Saved { generation: 1 }, now).0
}

/// A new access token each time: one that comes again is treated as such.
fn tokens(now: Timestamp, refresh: Option<RefreshToken>) -> Tokens {
    let access = Some(AccessToken::new(format!("{now:?}")));
    Tokens { access, lifetime: Some(Duration::from_secs(3600)), refresh, ..Tokens::default() }
}

fn sent(effects: &[Effect]) -> Option<Attempt> {
    effects.iter().find_map(|effect| match effect {
        Effect::Refresh { attempt, .. } => Some(*attempt),
        _ => None,
    })
}
