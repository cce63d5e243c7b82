//! What a profile decides about times, and the arithmetic of lifetimes, leads and retries.

use core::time::Duration;

use crate::dice::Dice;
use crate::limits;
use crate::time::{Timestamp, millis};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Absent means a quarter of the lifetime.
    pub refresh_before: Option<Duration>,
    /// The lifetime of tokens whose provider states none.
    pub assume_lifetime: Duration,
    /// The whole time of one exchange ([`limits::exchange`]).
    pub exchange: Duration,
    pub heartbeat: Duration,
    /// After so long without a refresh the provider ends a sign-in, where the profile says so.
    pub refresh_token_idle: Option<Duration>,
    /// However often it is refreshed.
    pub sign_in_lasts: Option<Duration>,
    /// Without it a heartbeat asks nothing and only looks at the clock.
    pub probe: bool,
    /// A stable hash of installation and profile, which spreads the refreshes of a fleet.
    pub slot: u64,
}

impl Policy {
    pub(super) fn believe(&self, told: Option<Duration>) -> Duration {
        let told = told.filter(|told| !told.is_zero()).unwrap_or(self.assume_lifetime);
        told.clamp(limits::LIFETIME_SHORTEST, limits::LIFETIME_LONGEST)
    }

    /// When a token is refreshed in the background. The lead is at most half of the lifetime, or a five-minute token
    /// with a five-minute lead would be refreshed on every call. Each installation has its own slot before the lead, so
    /// that a thousand that signed in in the same minute do not come back in the same minute.
    pub(super) fn refresh_at(&self, received: Timestamp, lifetime: Duration) -> Timestamp {
        let lead = self.refresh_before.unwrap_or((lifetime / 4).min(limits::LEAD_LONGEST)).min(lifetime / 2);
        let period = lifetime.saturating_sub(lead);
        let latest = received + period;
        let early = if lifetime < limits::SLOT_FROM { 0 } else { self.past_slot(latest, millis(period)) };
        latest.before(Duration::from_millis(early)).max(received + limits::SPACING_SHORTEST)
    }

    /// How long a sign-in rests at most that ends after `limit` without a refresh. It is much less, because machines are
    /// switched off for days, and one more refresh costs nothing.
    pub(super) fn rest(&self, limit: Duration) -> Duration {
        let quarter = limit / 4;
        let late = if limit < limits::SLOT_FROM { quarter } else { self.share(quarter) };
        limit / 2 + late
    }

    fn share(&self, of: Duration) -> Duration {
        Duration::from_millis(self.slot % millis(of).max(1))
    }

    fn past_slot(&self, latest: Timestamp, period: u64) -> u64 {
        let slot = self.slot % period;
        (latest.as_millis() % period + period - slot) % period
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            refresh_before: None,
            assume_lifetime: limits::ASSUMED,
            exchange: limits::exchange(limits::MESSAGE),
            heartbeat: limits::HEARTBEAT,
            refresh_token_idle: None,
            sign_in_lasts: None,
            probe: false,
            slot: 0,
        }
    }
}

/// The least time between two refreshes, unless the newest token was refused.
pub(super) fn spacing(lifetime: Duration) -> Duration {
    (lifetime / 10).clamp(limits::SPACING_SHORTEST, limits::SPACING_LONGEST)
}

/// How long to wait after `failures` transient failures, the last one included. While the token is good, a third of
/// what is left, at most twenty minutes: ten minutes of outage cost an hour-long token about three tries. Then callers
/// wait, so from 1.5 s, doubling: ten seconds of outage cost four tries. Both shrink with the lifetime.
pub(super) fn backoff(dice: &mut Dice, failures: u32, lifetime: Duration, remaining: Duration) -> Duration {
    let floor = (lifetime / 20).clamp(limits::BACKOFF_SHORTEST, limits::BACKOFF_LONGEST);
    let full = if remaining.is_zero() {
        let first = floor.min(limits::BACKOFF_FIRST);
        first.saturating_mul(1 << failures.saturating_sub(1).min(16)).min(floor * 16)
    } else {
        floor.max(remaining.min(limits::LEAD_LONGEST) / 3)
    };
    dice.between(full / 2, full)
}

pub(super) fn slow_retry(failures: u32) -> Duration {
    limits::MISCONFIGURED
        .saturating_mul(1 << failures.saturating_sub(1).min(4))
        .min(limits::MISCONFIGURED_LONGEST)
}

/// How long to wait after `times` refusals that say nothing of the token, however short it lives: a server that has answered
/// is there, and says the same to whoever asks at once.
pub(super) fn suspect_retry(dice: &mut Dice, times: u32) -> Duration {
    let doubled = limits::SUSPECT_AGAIN.saturating_mul(1 << times.saturating_sub(1).min(4));
    let full = doubled.min(limits::SUSPECT / 2);
    dice.between(full / 2, full)
}

/// Asking the vault is cheap and local, and a person may have just unlocked it.
pub(super) fn vault_retry(dice: &mut Dice, failures: u32) -> Duration {
    let full = limits::VAULT_AGAIN.saturating_mul(1 << failures.saturating_sub(1).min(2));
    dice.between(full / 2, full)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    /// Row A8: from five seconds to thirty days, never before half of the lifetime unless the slot says so.
    #[test]
    fn the_lead_is_a_quarter_at_most_an_hour_and_never_more_than_half() {
        let policy = Policy::default();
        let now = Timestamp::from_millis(1_000_000);
        assert_eq!(policy.refresh_at(now, seconds(20)), now + seconds(15));
        let classic = Policy { refresh_before: Some(seconds(300)), ..Policy::default() };
        assert_eq!(classic.refresh_at(now, seconds(60)), now + seconds(30));
        for lifetime in [300, 3600, 86_400, 30 * 86_400] {
            let at = policy.refresh_at(now, seconds(lifetime));
            assert!(at > now && at <= now + seconds(lifetime), "{lifetime} s: {at:?}");
        }
    }

    #[test]
    fn a_slot_is_kept_from_token_to_token() {
        let policy = Policy { slot: 0x1234_5678_9abc_def0, ..Policy::default() };
        let first = policy.refresh_at(Timestamp::from_millis(77), seconds(3600));
        let second = policy.refresh_at(first, seconds(3600));
        assert_eq!(second.since(first), seconds(2700));
        let period = millis(seconds(2700));
        assert_eq!(first.as_millis() % period, policy.slot % period);
        let latest = Timestamp::from_millis(77) + seconds(2700);
        assert!(first <= latest && first > Timestamp::from_millis(77), "{first:?}");
    }

    /// Row A8: two refreshes in a limit at most, and a fleet is spread over a quarter of it.
    #[test]
    fn a_rest_is_half_of_its_limit_and_at_most_a_quarter_more() {
        for limit in [1, 8, 119, 120, 1800, 14 * 86_400, u64::MAX / 4].map(seconds) {
            let rests =
                [0, 1, u64::MAX / 3, u64::MAX].map(|slot| Policy { slot, ..Policy::default() }.rest(limit));
            assert!(
                rests.iter().all(|rest| *rest >= limit / 2 && *rest <= limit / 4 * 3),
                "{limit:?}: {rests:?}"
            );
            assert_eq!(rests.iter().any(|rest| *rest != rests[0]), limit >= limits::SLOT_FROM, "{rests:?}");
        }
    }

    /// Row A10.
    #[test]
    fn absurd_lifetimes_are_bounded() {
        let policy = Policy::default();
        assert_eq!(policy.believe(Some(Duration::MAX)), limits::LIFETIME_LONGEST);
        assert_eq!(policy.believe(Some(Duration::ZERO)), policy.assume_lifetime);
        assert_eq!(policy.believe(Some(Duration::from_millis(1))), limits::LIFETIME_SHORTEST);
        let end = Timestamp::MAX;
        assert_eq!(policy.refresh_at(end, limits::LIFETIME_LONGEST), Timestamp::MAX);
    }

    #[test]
    fn spacings_are_a_tenth_of_a_lifetime_within_bounds() {
        for (lifetime, spaced) in [(1, 250), (20, 2_000), (50, 5_000), (3600, 10_000)] {
            assert_eq!(millis(spacing(seconds(lifetime))), spaced);
        }
    }

    /// Row A15.
    #[test]
    fn retries_are_spread_and_capped() {
        let mut dice = Dice::new(7);
        for failures in 1..100 {
            let wait = backoff(&mut dice, failures, seconds(3600), Duration::ZERO);
            assert!(wait >= Duration::from_millis(500) && wait <= seconds(240), "{failures}: {wait:?}");
        }
        for (lifetime, least, most) in [(5, 125, 250), (20, 500, 1_000)] {
            let wait = millis(backoff(&mut dice, 1, seconds(lifetime), Duration::ZERO));
            assert!((least..=most).contains(&wait), "{lifetime} s: {wait}");
        }
        let with_time = backoff(&mut dice, 1, seconds(3600), seconds(900));
        assert!(with_time >= seconds(150) && with_time <= seconds(300), "{with_time:?}");
    }
}
