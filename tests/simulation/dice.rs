//! The simulation's own randomness: a seed, and nothing that differs between two machines. What was drawn can be written
//! down and drawn again, changed, which is how a failure is made shorter ([`crate::shrink`]). Nought always stands for
//! the least that can happen.

#[derive(Clone)]
pub(crate) struct Dice {
    source: Source,
    drawn: Option<Vec<u64>>,
}

#[derive(Clone)]
enum Source {
    /// SplitMix64.
    Seed(u64),
    /// And noughts when they are used up.
    Written(std::vec::IntoIter<u64>),
}

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self { source: Source::Seed(seed), drawn: None }
    }

    pub(crate) fn of(draws: Vec<u64>) -> Self {
        Self { source: Source::Written(draws.into_iter()), drawn: None }
    }

    #[must_use]
    pub(crate) fn written_down(self) -> Self {
        Self { drawn: Some(Vec::new()), ..self }
    }

    pub(crate) fn drawn(&self) -> &[u64] {
        self.drawn.as_deref().unwrap_or_default()
    }

    pub(crate) fn next(&mut self) -> u64 {
        let next = match &mut self.source {
            Source::Seed(state) => mixed(state),
            Source::Written(draws) => draws.next().unwrap_or(0),
        };
        if let Some(drawn) = &mut self.drawn {
            drawn.push(next);
        }
        next
    }

    /// Between `low` and `high`, both included.
    pub(crate) fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.next() % (high.saturating_sub(low) + 1)
    }

    pub(crate) fn one_in(&mut self, n: u64) -> bool {
        self.next() % n == n - 1
    }

    /// Small values as likely as large ones: between `low` and `high`, evenly in their magnitude.
    pub(crate) fn magnitude(&mut self, low: u64, high: u64) -> u64 {
        let doublings = (high / low.max(1)).max(1).ilog2();
        let scale = 1 << self.between(0, doublings.into());
        (low * scale + self.between(0, low * scale)).clamp(low, high)
    }

    pub(crate) fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.next() as usize % from.len()]
    }
}

fn mixed(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
