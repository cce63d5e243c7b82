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

#[cfg(test)]
mod tests {
    use super::*;

    /// The first of the reference implementation, from the same seed.
    #[test]
    fn it_is_splitmix() {
        let mut dice = Dice::new(1_234_567);
        let drawn = [(); 5].map(|()| dice.next());
        assert_eq!(
            drawn,
            [
                6_457_827_717_110_365_317,
                3_203_168_211_198_807_973,
                9_817_491_932_198_370_423,
                4_593_380_528_125_082_431,
                16_408_922_859_458_223_821,
            ]
        );
    }

    #[test]
    fn what_is_drawn_is_between_both_and_each_of_them_is() {
        let mut dice = Dice::new(7);
        let ms = Duration::from_millis;
        let drawn: alloc::vec::Vec<_> = (0..100).map(|_| dice.between(ms(3), ms(5))).collect();
        assert!([3, 4, 5].iter().all(|at| drawn.contains(&ms(*at))));
        assert!(drawn.iter().all(|at| (ms(3)..=ms(5)).contains(at)));
        assert_eq!(dice.between(ms(9), ms(9)), ms(9));
    }
}
