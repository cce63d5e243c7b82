//! Whether this machine has a network, by what the system says of it. After a start and after a sleep, what machines set
//! off waits for it, but not for long: what is said may be wrong.

use core::time::Duration;

use crate::core::event::Asker;
use crate::limits;
use crate::time::Timestamp;

#[derive(Clone, Debug)]
pub struct Network {
    /// What each has said last; `None` until it has said anything.
    said: [Option<Word>; Teller::ALL.len()],
    /// Until then a network that is not there is waited for.
    awaited: Timestamp,
    /// Somebody answered while there was said to be no network, so that is no reason to wait.
    belied: bool,
}

/// Who tells of the network, in the order in which they are believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Teller {
    NetworkManager,
    Networkd,
    Kernel,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Word {
    Down,
    /// The next one is asked: this one is not there, or does not know.
    Nothing,
    Up,
}

impl Network {
    pub fn new(now: Timestamp) -> Self {
        Self { said: [None; Teller::ALL.len()], awaited: now + limits::NETWORK, belied: false }
    }

    /// After a sleep, or a moment in which the machine was about to.
    pub fn on_awake(&mut self, now: Timestamp) {
        self.awaited = now + limits::NETWORK;
    }

    /// Whoever tells says it again when something has changed. Returns whether that may be the network for which
    /// somebody waits.
    pub fn heard(&mut self, by: Teller, word: Word) -> bool {
        let was_there = self.is_there();
        let before = self.said[by as usize].replace(word);
        let is_there = self.is_there();
        if is_there {
            self.belied = false;
        }
        // The first word of another one is no change of the network.
        let changed = before.is_some() && word == Word::Up;
        is_there && (changed || !was_there)
    }

    /// A host that is not this machine has answered.
    pub fn on_answer(&mut self) {
        self.belied = !self.is_there();
    }

    /// Fails with the time to wait. That time is over as soon as [`Self::heard`] says so.
    pub fn admit(&self, by: Asker, now: Timestamp) -> Result<(), Duration> {
        let passes = by == Asker::Person || self.belied || self.is_there() || now >= self.awaited;
        if passes { Ok(()) } else { Err(now.until(self.awaited)) }
    }

    /// Where nobody can say it, nobody is waited for.
    fn is_there(&self) -> bool {
        let believed = self.said.iter().find(|said| **said != Some(Word::Nothing));
        believed.is_none_or(|said| *said == Some(Word::Up))
    }
}

impl Teller {
    const ALL: [Self; 3] = [Self::NetworkManager, Self::Networkd, Self::Kernel];
}

#[cfg(test)]
mod tests {
    use super::*;
    use Teller::{Kernel, NetworkManager, Networkd};
    use Word::{Down, Nothing, Up};

    const START: Timestamp = Timestamp::from_millis(5_000);

    #[test]
    fn machines_wait_for_the_network_and_a_person_does_not() {
        let mut network = said([Down, Nothing, Nothing]);
        assert_eq!(network.admit(Asker::Machine, START), Err(limits::NETWORK));
        assert_eq!(network.admit(Asker::Person, START), Ok(()));
        assert!(network.heard(NetworkManager, Up), "whoever waits is told");
        assert_eq!(network.admit(Asker::Machine, START), Ok(()));
    }

    #[test]
    fn what_is_said_is_believed_for_a_while_only_and_then_again_after_the_next_sleep() {
        let mut network = said([Nothing, Nothing, Down]);
        let later = START + limits::NETWORK;
        assert_eq!(network.admit(Asker::Machine, later), Ok(()));
        network.on_awake(later);
        assert_eq!(network.admit(Asker::Machine, later), Err(limits::NETWORK));
    }

    #[test]
    fn whoever_knows_best_is_believed() {
        for (words, is_there) in [
            ([Down, Up, Up], false),
            ([Up, Down, Down], true),
            ([Nothing, Down, Up], false),
            ([Nothing, Up, Down], true),
            ([Nothing, Nothing, Down], false),
            ([Nothing, Nothing, Up], true),
            ([Nothing, Nothing, Nothing], true),
        ] {
            assert_eq!(said(words).admit(Asker::Machine, START).is_ok(), is_there, "{words:?}");
        }
    }

    #[test]
    fn who_has_said_nothing_yet_is_waited_for() {
        let mut network = Network::new(START);
        assert!(!network.heard(Kernel, Up));
        assert!(network.admit(Asker::Machine, START).is_err());
        assert!(!network.heard(Networkd, Nothing));
        assert!(network.heard(NetworkManager, Nothing), "neither of both is there");
        assert_eq!(network.admit(Asker::Machine, START), Ok(()));
    }

    #[test]
    fn each_change_of_a_network_is_told_and_a_first_word_is_none() {
        let mut network = said([Nothing, Nothing, Up]);
        assert!(network.heard(Kernel, Up), "another way out");
        assert!(!network.heard(Kernel, Down));
        assert!(network.heard(Kernel, Up));
        assert!(!network.heard(NetworkManager, Down), "it has just started");
        assert!(!network.heard(Kernel, Up), "it knows better");
        assert!(network.heard(NetworkManager, Nothing), "and has gone again");
        let mut network = Network::new(START);
        assert!(network.heard(NetworkManager, Up));
        assert!(!network.heard(Networkd, Nothing) && !network.heard(Kernel, Up));
    }

    /// A machine that has no way out of its own network has the provider in it.
    #[test]
    fn who_is_belied_by_an_answer_is_not_believed_until_there_is_a_network() {
        let mut network = said([Nothing, Nothing, Down]);
        network.on_answer();
        assert_eq!(network.admit(Asker::Machine, START), Ok(()));
        network.on_awake(START);
        assert_eq!(network.admit(Asker::Machine, START), Ok(()));
        network.heard(Kernel, Up);
        network.on_answer();
        network.heard(Kernel, Down);
        assert!(network.admit(Asker::Machine, START).is_err());
    }

    fn said(words: [Word; 3]) -> Network {
        let mut network = Network::new(START);
        for (by, word) in Teller::ALL.into_iter().zip(words) {
            network.heard(by, word);
        }
        network
    }
}
