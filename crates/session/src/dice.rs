//! Jitter from a seed that comes in once, when a session is made.

use core::time::Duration;

use crate::time::millis;

/// SplitMix64 (Steele, Lea, Flood 2014): good enough to spread retries, useless for secrets.
#[derive(Clone, Debug)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn between(&mut self, low: Duration, high: Duration) -> Duration {
        let (low, high) = (millis(low), millis(high));
        let span = high.saturating_sub(low).saturating_add(1);
        Duration::from_millis(low + self.next() % span)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}
