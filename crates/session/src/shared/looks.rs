//! Questions wait for a look at the configuration file that began after they arrived, so that earlier edits are known.
//! A disk that hangs delays them by [`LOOK`] once, then not until it answers. At most one look runs and one is wanted.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::time::Duration;

use crate::limits::{FIRST_LOOK, LONGEST_SLEEP, LOOK};
use crate::time::Timestamp;

#[derive(Debug)]
pub struct Looks<Q> {
    waiting: VecDeque<Waiting<Q>>,
    begun: u64,
    began: Timestamp,
    done: u64,
    wanted: bool,
    /// Questions have waited in vain for the look that is under way.
    late: bool,
}

#[derive(Debug)]
struct Waiting<Q> {
    question: Q,
    /// The number of the first look that began after the question arrived.
    look: u64,
    until: Timestamp,
}

impl<Q> Looks<Q> {
    /// [`Self::take`] gives the question out once it may be answered.
    pub fn ask(&mut self, question: Q, now: Timestamp) {
        self.wanted = true;
        let until = now + if self.late { Duration::ZERO } else { self.patience() };
        self.waiting.push_back(Waiting { question, look: self.begun + 1, until });
    }

    pub fn want(&mut self) {
        self.wanted = true;
    }

    /// Returns whether a look begins now.
    pub fn begin(&mut self, now: Timestamp) -> bool {
        let due = self.wanted || self.begun == 0 || self.began + LONGEST_SLEEP <= now;
        if self.is_under_way() || !due {
            return false;
        }
        self.wanted = false;
        self.begun += 1;
        self.began = now;
        true
    }

    /// Returns when the look began that has come back.
    pub fn came_back(&mut self) -> Timestamp {
        self.done = self.begun;
        self.late = false;
        self.began
    }

    pub fn take(&mut self, now: Timestamp) -> Vec<Q> {
        if self.waiting.front().is_some_and(|first| first.look > self.done && first.until <= now) {
            self.late = true;
        }
        let (late, done) = (self.late, self.done);
        let over = self.waiting.iter().take_while(|waiting| late || waiting.look <= done).count();
        self.waiting.drain(..over).map(|waiting| waiting.question).collect()
    }

    pub fn take_all(&mut self) -> Vec<Q> {
        self.waiting.drain(..).map(|waiting| waiting.question).collect()
    }

    pub fn is_late(&self) -> bool {
        self.late
    }

    /// When there is something to do next. While a look is under way, only its questions count.
    pub fn due(&self, settles: Option<Timestamp>) -> Option<Timestamp> {
        if self.is_under_way() {
            return self.waiting.front().map(|first| first.until);
        }
        let next = self.began + LONGEST_SLEEP;
        Some(settles.map_or(next, |at| at.min(next)))
    }

    fn is_under_way(&self) -> bool {
        self.begun > self.done
    }

    fn patience(&self) -> Duration {
        if self.done == 0 { FIRST_LOOK } else { LOOK }
    }
}

impl<Q> Default for Looks<Q> {
    fn default() -> Self {
        Self {
            waiting: VecDeque::new(),
            begun: 0,
            began: Timestamp::default(),
            done: 0,
            wanted: false,
            late: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_waits_for_a_look_that_began_after_it_arrived() {
        let mut looks = looked();
        looks.want();
        assert!(looks.begin(ms(10)));
        looks.ask("a", ms(11));
        looks.ask("b", ms(12));
        assert!(!looks.begin(ms(12)), "one is under way");
        looks.came_back();
        assert!(looks.take(ms(13)).is_empty(), "what it saw may be older than the question");
        assert!(looks.begin(ms(13)));
        looks.ask("c", ms(14));
        assert_eq!(looks.came_back(), ms(13));
        assert_eq!(looks.take(ms(15)), ["a", "b"], "one look is enough for both");
        assert!(looks.begin(ms(15)));
        looks.came_back();
        assert_eq!(looks.take(ms(16)), ["c"]);
        assert!(!looks.begin(ms(17)), "nobody wants another");
    }

    #[test]
    fn a_look_that_hangs_is_waited_for_once() {
        let mut looks = looked();
        looks.ask("a", ms(10));
        assert!(looks.begin(ms(10)));
        looks.ask("b", ms(100));
        assert_eq!(looks.due(None), Some(ms(10) + LOOK));
        assert!(looks.take(ms(509)).is_empty());
        assert_eq!(looks.take(ms(10) + LOOK), ["a", "b"], "it is the same look that b would wait behind");
        looks.ask("c", ms(600));
        assert!(looks.is_late());
        assert_eq!(looks.take(ms(600)), ["c"]);
        assert!(!looks.begin(ms(100_000)), "there is never a second one beside it");
        looks.came_back();
        assert!(!looks.is_late() && looks.begin(ms(100_001)), "what was asked meanwhile is looked for");
        looks.came_back();
        looks.ask("d", ms(100_010));
        assert!(looks.take(ms(100_010)).is_empty(), "and questions wait as before");
    }

    /// Who is answered by a look that came back has not waited in vain, however late it is.
    #[test]
    fn a_look_that_was_slow_and_came_back_is_not_late() {
        let mut looks = looked();
        looks.ask("a", ms(10));
        assert!(looks.begin(ms(10)));
        looks.ask("b", ms(20));
        looks.came_back();
        assert_eq!(looks.take(ms(10) + LOOK), ["a"], "b waits for the next one");
        assert!(!looks.is_late());
    }

    #[test]
    fn the_first_look_has_more_time() {
        let mut looks = Looks::default();
        looks.ask("a", ms(10));
        assert!(looks.begin(ms(10)) && looks.take(ms(10) + LOOK).is_empty());
        assert_eq!(looks.take(ms(10) + FIRST_LOOK), ["a"]);
    }

    #[test]
    fn without_anybody_asking_the_file_is_looked_at_now_and_then() {
        let mut looks = looked();
        let next = ms(5) + LONGEST_SLEEP;
        assert_eq!(looks.due(None), Some(next));
        assert_eq!(looks.due(Some(ms(70))), Some(ms(70)));
        assert!(!looks.begin(ms(70)) && looks.begin(next));
        assert_eq!(looks.due(Some(ms(70))), None, "the one that is under way may hang");
    }

    #[test]
    fn at_the_end_nobody_is_left_waiting() {
        let mut looks = looked();
        looks.ask("a", ms(10));
        assert!(looks.begin(ms(10)));
        looks.ask("b", ms(11));
        assert_eq!(looks.take_all(), ["a", "b"]);
    }

    fn looked() -> Looks<&'static str> {
        let mut looks = Looks::default();
        assert!(looks.begin(ms(5)));
        looks.came_back();
        looks
    }

    fn ms(at: u64) -> Timestamp {
        Timestamp::from_millis(at)
    }
}
