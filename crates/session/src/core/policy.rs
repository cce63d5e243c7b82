//! When: what a profile asks for, and the arithmetic of lifetimes, leads and retries.

use core::time::Duration;

use crate::dice::Dice;
use crate::limits;
use crate::time::{Timestamp, millis};

/// What a profile decides about its session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// How long before its end an access token is refreshed; a quarter of its lifetime when absent.
    pub refresh_before: Option<Duration>,
    /// How long an access token is believed to live when nothing says so.
    pub assume_lifetime: Duration,
    /// How long one exchange with the provider may take, whole ([`limits::exchange`]).
    pub exchange: Duration,
    /// Time between heartbeats.
    pub heartbeat: Duration,
    /// The provider has something to ask; otherwise a heartbeat only looks at the clock.
    pub probe: bool,
    /// Where this installation stands in a fleet: a stable hash of it and the profile.
    pub slot: u64,
}

impl Policy {
    /// What to believe of a lifetime. Zero and absence mean that nothing useful was said.
    pub(super) fn believe(&self, told: Option<Duration>) -> Duration {
        let told = told.filter(|told| !told.is_zero()).unwrap_or(self.assume_lifetime);
        told.clamp(limits::LIFETIME_SHORTEST, limits::LIFETIME_LONGEST)
    }

    /// When an access token received at `received` is refreshed behind whatever is going on.
    ///
    /// The lead is at most half of the lifetime, or a five-minute token with a five-minute threshold would be
    /// refreshed on every call. Within the time before the lead each installation has its own slot, so that a
    /// thousand that signed in (or woke) in the same minute do not come back in the same minute.
    pub(super) fn refresh_at(&self, received: Timestamp, lifetime: Duration) -> Timestamp {
        let lead = self.refresh_before.unwrap_or((lifetime / 4).min(limits::LEAD_LONGEST)).min(lifetime / 2);
        let period = lifetime.saturating_sub(lead);
        let latest = received + period;
        let early = if lifetime < limits::SLOT_FROM { 0 } else { self.past_slot(latest, millis(period)) };
        latest.before(Duration::from_millis(early)).max(received + limits::SPACING_SHORTEST)
    }

    /// How far `latest` is past the last instant of this installation's slot.
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
            probe: false,
            slot: 0,
        }
    }
}

/// The least time between two refreshes that nothing but a refusal of the newest token asks for.
pub(super) fn spacing(lifetime: Duration) -> Duration {
    (lifetime / 10).clamp(limits::SPACING_SHORTEST, limits::SPACING_LONGEST)
}

/// How long to wait after `failures` transient failures (the last one included).
///
/// While the token is good there is time: a third of what is left, at most twenty minutes, so that a ten-minute outage
/// of an hour-long token costs about three tries. Afterwards people are waiting: from a second and a half, doubling, so
/// that ten seconds of outage cost four tries whatever the dice say. Both ends shrink with the lifetime, since a token
/// of five seconds has no use for a wait of fifteen.
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

/// How long to leave a provider alone that says that our request is wrong: nobody mends that in seconds.
pub(super) fn slow_retry(failures: u32) -> Duration {
    limits::MISCONFIGURED
        .saturating_mul(1 << failures.saturating_sub(1).min(4))
        .min(limits::MISCONFIGURED_LONGEST)
}

/// How long to wait before the vault is asked again. Asking is cheap and local, and somebody who has just unlocked a
/// keyring looks at the window.
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

    /// FAILURES A8: from five seconds to thirty days, never before half of the lifetime is over unless the slot says so.
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
    }

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
    fn retries_are_spread_and_capped() {
        let mut dice = Dice::new(7);
        for failures in 1..100 {
            let wait = backoff(&mut dice, failures, seconds(3600), Duration::ZERO);
            assert!(wait >= Duration::from_millis(500) && wait <= seconds(240), "{failures}: {wait:?}");
        }
        let with_time = backoff(&mut dice, 1, seconds(3600), seconds(900));
        assert!(with_time >= seconds(150) && with_time <= seconds(300), "{with_time:?}");
    }
}
