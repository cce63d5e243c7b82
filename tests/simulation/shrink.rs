//! Makes a failure shorter: what was drawn is drawn again with parts taken out or set to nought, for as long as the same
//! law is broken.

use std::time::{Duration, Instant};

use crate::dice::Dice;
use crate::law::Law;
use crate::saboteur::Bug;
use crate::world::World;

pub(crate) struct Shortest {
    pub(crate) draws: usize,
    pub(crate) world: World,
    pub(crate) what: String,
}

/// `most` is how many schedules are tried.
pub(crate) fn shrink(seed: u64, steps: u64, bug: Option<Bug>, law: Law, most: u32) -> Option<Shortest> {
    let mut world = World::with(Dice::new(seed).written_down(), bug).for_steps(steps);
    world.live().err()?;
    let mut found = Found { draws: world.dice.drawn().to_vec(), steps: world.steps };
    let mut left = most;
    let began = Instant::now();
    let mut size = found.draws.len().div_ceil(2).max(1);
    loop {
        let before = found.cost();
        for change in [Change::TakeOut, Change::Nought] {
            let mut at = 0;
            while at < found.draws.len() && left > 0 && began.elapsed() < LONGEST {
                left -= 1;
                let end = (at + size).min(found.draws.len());
                match found.attempt(change, at, end, steps, bug, law) {
                    Some(better) => found = better,
                    None => at = end,
                }
                if change == Change::Nought {
                    at = end;
                }
            }
        }
        let is_over = left == 0 || began.elapsed() > LONGEST;
        if is_over || (size == 1 && found.cost() >= before) {
            break;
        }
        if found.cost() >= before {
            size = size.div_ceil(2);
        }
    }
    let mut world = World::with(Dice::of(found.draws.clone()), bug).for_steps(steps).with_the_whole_trail();
    let (_, what) = world.live().err()?;
    Some(Shortest { draws: found.draws.len(), world, what })
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Change {
    TakeOut,
    Nought,
}

/// A schedule that breaks the law.
struct Found {
    draws: Vec<u64>,
    steps: u64,
}

impl Found {
    fn cost(&self) -> (usize, u64, usize) {
        (self.draws.len(), self.steps, self.draws.iter().filter(|draw| **draw != 0).count())
    }

    fn attempt(
        &self,
        change: Change,
        from: usize,
        to: usize,
        steps: u64,
        bug: Option<Bug>,
        law: Law,
    ) -> Option<Self> {
        let mut draws = self.draws.clone();
        match change {
            Change::TakeOut => drop(draws.drain(from..to)),
            Change::Nought if draws[from..to].iter().all(|draw| *draw == 0) => return None,
            Change::Nought => draws[from..to].fill(0),
        }
        let mut world = World::with(Dice::of(draws).written_down(), bug).for_steps(steps);
        let (broken, _) = world.live().err()?;
        let mut draws = world.dice.drawn().to_vec();
        while draws.last() == Some(&0) {
            draws.pop();
        }
        let found = Self { draws, steps: world.steps };
        (broken == law && found.cost() < self.cost()).then_some(found)
    }
}

/// A long schedule has many parts.
const LONGEST: Duration = Duration::from_secs(60);
