//! What one seed stands for: a provider, a profile, callers, and the troubles that are to come.

use std::time::Duration;

use session::interaction::Interaction;
use session::policy::Policy;

use crate::dice::Dice;
use crate::provider::{Habits, NEEDS};
use crate::world::Happening;

#[derive(Clone, Debug)]
pub(crate) struct Scenario {
    pub(crate) policy: Policy,
    pub(crate) habits: Habits,
    /// Only single lost answers, and a grace: nothing may be lost.
    pub(crate) gentle: bool,
    /// What callers ask for, in milliseconds.
    pub(crate) min_valid: Vec<u64>,
    pub(crate) horizon: u64,
    pub(crate) steps: u64,
    pub(crate) first: Vec<(Happening, u64)>,
    calls_every: u64,
    changes_every: u64,
}

impl Scenario {
    pub(crate) fn any(dice: &mut Dice) -> Self {
        let lifetime = 1_000 * dice.pick(&[5, 30, 60, 80, 300, 3_600, 3_600, 86_400, 30 * 86_400]);
        let gentle = dice.one_in(4);
        let habits = Habits {
            lifetime,
            grace: if gentle { 10_000 } else { dice.pick(&[0, 0, 2_000, 30_000, 60_000]) },
            rotates: gentle || !dice.one_in(4),
            same_access: dice.one_in(8),
            tells_lifetime: !dice.one_in(8),
            uneven: dice.one_in(6),
            mumbles: dice.one_in(6),
            mangles: !gentle && dice.one_in(5),
            calls_for_people: !gentle && dice.one_in(4),
            demands: dice.one_in(3),
        };
        let half = Duration::from_millis(lifetime / 2);
        let policy = Policy {
            refresh_before: dice.pick(&[None, None, Some(Duration::from_secs(300)), Some(half)]),
            heartbeat: Duration::from_millis((lifetime / dice.between(1, 6)).max(2_000)),
            probe: dice.one_in(2),
            slot: dice.next(),
            ..Policy::default()
        };
        let horizon = (lifetime * 30).clamp(2 * HOUR, 30 * 24 * HOUR);
        let mut scenario = Self {
            policy,
            habits,
            gentle,
            min_valid: if dice.one_in(3) {
                vec![lifetime]
            } else {
                vec![0, 0, 60_000, lifetime / 3, lifetime]
            },
            horizon,
            steps: 300,
            first: Vec::new(),
            calls_every: lifetime / dice.between(1, 12),
            changes_every: dice.magnitude(lifetime / 4, lifetime * 4).max(2_000),
        };
        scenario.plan(dice);
        scenario
    }

    /// How long until the next change of the weather.
    pub(crate) fn gap(&self, dice: &mut Dice) -> u64 {
        dice.magnitude(self.changes_every / 8, self.changes_every)
    }

    pub(crate) fn call_gap(&self, dice: &mut Dice) -> u64 {
        dice.between(1, 2 * self.calls_every)
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

    fn plan(&mut self, dice: &mut Dice) {
        let span = self.horizon.min(self.habits.lifetime * 30);
        self.first.push((Happening::SignIn, dice.between(0, 500)));
        self.first.push((Happening::SignIn, span / 3));
        self.first.push((Happening::Call, dice.between(0, self.calls_every)));
        if !dice.one_in(4) {
            self.first.push((Happening::VaultMood, dice.between(0, span / 4)));
        }
        for _ in 0..dice.between(0, 3) {
            self.first.push((Happening::Ask, dice.between(0, span)));
        }
        for _ in 0..dice.between(0, 2) {
            self.first.push((Happening::RevokeAccess, dice.between(0, span)));
        }
        if self.gentle {
            return;
        }
        if !dice.one_in(4) {
            self.first.push((Happening::Weather, dice.between(0, span / 8)));
        }
        for (happening, most) in [
            (Happening::Crash, 3),
            (Happening::Doze, 4),
            (Happening::End, 1),
            (Happening::EndFamilies, 1),
            (Happening::SignIn, 3),
            (Happening::SignOut, 1),
            (Happening::Suspend, 6),
        ] {
            for _ in 0..dice.between(0, most) {
                self.first.push((happening.clone(), dice.between(0, span)));
            }
        }
    }
}

const HOUR: u64 = 3_600_000;
