//! What one seed stands for: providers, profiles, callers, and the troubles that are to come.

use std::time::Duration;

use session::interaction::Interaction;
use session::limits;
use session::policy::Policy;
use session::time::millis;

use crate::dice::Dice;
use crate::provider::{Habits, NEEDS};
use crate::wire::Dialect;
use crate::world::{Happening, Tellers};

#[derive(Clone, Debug)]
pub(crate) struct Scenario {
    pub(crate) hosts: Vec<Habits>,
    pub(crate) seats: Vec<Plan>,
    /// Only single lost answers, and a grace: nothing may be lost.
    pub(crate) gentle: bool,
    /// Once in so many steps the process is killed between two things that it does.
    pub(crate) kills: Option<u64>,
    pub(crate) tellers: Tellers,
    pub(crate) horizon: u64,
    pub(crate) first: Vec<(Happening, u64)>,
    changes_every: u64,
}

/// One profile.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) host: usize,
    pub(crate) policy: Policy,
    /// What callers ask for, in milliseconds.
    pub(crate) min_valid: Vec<u64>,
    calls_every: u64,
}

impl Scenario {
    pub(crate) fn any(dice: &mut Dice) -> Self {
        let usual = 1_000 * dice.pick(&[3_600, 3_600, 5, 30, 60, 80, 300, 86_400, 30 * 86_400]);
        let gentle = dice.one_in(4);
        let others = if dice.one_in(4) { 1 } else { 0 };
        let hosts: Vec<Habits> = (0..=others)
            .map(|other| {
                habits(if other == 0 { usual } else { dice.pick(&[usual, 2 * usual]) }, gentle, dice)
            })
            .collect();
        let seats = dice.pick(&[1, 1, 1, 2, 2, 3]);
        let seats: Vec<Plan> =
            (0..seats).map(|seat| plan(seat % hosts.len(), &hosts, gentle, dice)).collect();
        let mut scenario = Self {
            horizon: (usual * LIFETIMES).clamp(2 * HOUR, 30 * 24 * HOUR),
            hosts,
            seats,
            gentle,
            kills: (!gentle && dice.one_in(4)).then(|| dice.magnitude(10, 200)),
            tellers: dice.pick(&[
                Tellers::Nobody,
                Tellers::Kernel,
                Tellers::Liar,
                Tellers::Manager,
                Tellers::Manager,
                Tellers::Silent,
            ]),
            first: Vec::new(),
            changes_every: dice.magnitude(usual / 4, usual * 4).max(2_000),
        };
        scenario.plan(usual, dice);
        scenario
    }

    /// How long until the next change of the weather.
    pub(crate) fn gap(&self, dice: &mut Dice) -> u64 {
        dice.magnitude(self.changes_every / 8, self.changes_every)
    }

    pub(crate) fn call_gap(&self, seat: usize, dice: &mut Dice) -> u64 {
        dice.between(1, 2 * self.seats[seat].calls_every)
    }

    pub(crate) fn interaction(&self, dice: &mut Dice) -> Interaction {
        let max_age = dice.pick(&[None, Some(0), Some(300)]);
        Interaction { max_age, ..Interaction::of(dice.pick(&NEEDS)) }
    }

    /// The longest time that a session may wait of its own accord, and a sign-in that is still open.
    pub(crate) fn longest_rest(&self) -> u64 {
        let last_failure = 20 * 60_000;
        last_failure + 1_000_000
    }

    fn plan(&mut self, usual: u64, dice: &mut Dice) {
        let span = self.horizon.min(usual * LIFETIMES);
        for seat in 0..self.seats.len() {
            self.first.push((Happening::SignIn(seat), dice.between(0, 500)));
            self.first.push((Happening::SignIn(seat), span / 3));
            self.first.push((Happening::Call(seat), dice.between(0, self.seats[seat].calls_every)));
            self.often(Happening::Ask(seat), 3, span, dice);
            self.often(Happening::Crowd(seat), 2, span, dice);
        }
        if !dice.one_in(4) {
            self.first.push((Happening::VaultMood, dice.between(0, span / 4)));
        }
        for host in 0..self.hosts.len() {
            self.often(Happening::RevokeAccess(host), 2, span, dice);
            self.often(Happening::ClockJumps(host), 2, span, dice);
        }
        if self.gentle {
            return;
        }
        for host in 0..self.hosts.len() {
            if !dice.one_in(4) {
                self.first.push((Happening::Weather(host), dice.between(0, span / 8)));
            }
            self.often(Happening::EndFamilies(host), 1, span, dice);
        }
        for seat in 0..self.seats.len() {
            self.often(Happening::SignIn(seat), 3, span, dice);
            self.often(Happening::SignOut(seat), 1, span, dice);
            self.often(Happening::Edit(seat), 2, span, dice);
        }
        for (happening, most) in [
            (Happening::Crash, 3),
            (Happening::DarkWake(0), 1),
            (Happening::Doze, 4),
            (Happening::End, 2),
            (Happening::Freeze, 4),
            (Happening::Reach(false), 3),
            (Happening::Suspend, 6),
            (Happening::WallClock, 2),
        ] {
            self.often(happening, most, span, dice);
        }
    }

    fn often(&mut self, happening: Happening, most: u64, span: u64, dice: &mut Dice) {
        for _ in 0..dice.between(0, most) {
            self.first.push((happening.clone(), dice.between(0, span)));
        }
    }
}

fn habits(lifetime: u64, gentle: bool, dice: &mut Dice) -> Habits {
    // In a gentle world an answer may be lost, and another try takes its time.
    let rests = dice.one_in(4) && !(gentle && lifetime < 300_000);
    let ends = !gentle && dice.one_in(5);
    let dialect = dice.pick(&[Dialect::OAuth, Dialect::OAuth, Dialect::Flask, Dialect::SimpleJwt]);
    let rotates = gentle || !dice.one_in(4);
    let has_a_word = dialect == Dialect::OAuth || (dialect == Dialect::SimpleJwt && rotates);
    Habits {
        dialect,
        lifetime,
        grace: if gentle { 10_000 } else { dice.pick(&[0, 0, 2_000, 30_000, 60_000]) },
        // Some access tokens outlive what their refresh tokens may rest.
        idle: rests.then(|| if dice.one_in(4) { lifetime / 2 } else { dice.between(2, 12) * lifetime }),
        absolute: ends.then(|| dice.between(5, 25) * lifetime),
        // Less than what a repeated answer may be late tells nothing.
        tells_ends: has_a_word && lifetime >= 300_000 && dice.one_in(2),
        rotates,
        same_access: dice.one_in(8),
        tells_lifetime: !dice.one_in(8),
        dates: !dice.one_in(4),
        uneven: dice.one_in(6),
        mumbles: dice.one_in(6),
        mangles: !gentle && dice.one_in(5),
        calls_for_people: !gentle && dice.one_in(4),
        demands: dice.one_in(3),
    }
}

fn plan(host: usize, hosts: &[Habits], gentle: bool, dice: &mut Dice) -> Plan {
    let lifetime = hosts[host].lifetime;
    let half = Duration::from_millis(lifetime / 2);
    let Habits { idle, absolute, tells_ends, .. } = hosts[host];
    let idle = idle.filter(|_| !tells_ends || dice.one_in(4)).filter(|_| gentle || dice.one_in(2));
    Plan {
        host,
        policy: Policy {
            refresh_before: dice.pick(&[None, None, Some(Duration::from_secs(300)), Some(half)]),
            heartbeat: Duration::from_millis((lifetime / dice.between(1, 6)).max(2_000)),
            refresh_token_idle: idle.map(Duration::from_millis),
            sign_in_lasts: absolute.filter(|_| dice.one_in(2)).map(Duration::from_millis),
            probe: dice.one_in(2),
            slot: dice.next(),
            ..Policy::default()
        },
        min_valid: if dice.one_in(3) { vec![lifetime] } else { vec![0, 0, 60_000, lifetime / 3, lifetime] },
        calls_every: lifetime / dice.between(1, 12),
    }
}

/// A time that is just below, at or just above one of ours, in milliseconds: that is where two things meet.
pub(crate) fn beside_a_limit(dice: &mut Dice) -> u64 {
    let exchange = limits::exchange(limits::MESSAGE);
    let limit = dice.pick(&[
        limits::PROMPT,
        limits::SAVE,
        limits::SETTLE,
        limits::BREAKER,
        limits::REPORT,
        limits::MESSAGE,
        exchange,
        exchange + limits::REPORT,
    ]);
    (millis(limit) + dice.between(0, 6)).saturating_sub(3)
}

const LIFETIMES: u64 = 30;
const HOUR: u64 = 3_600_000;
