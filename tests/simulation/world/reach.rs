//! The way out of this machine: whether there is one, who says so, and whether the keeper waits for it, and for hosts
//! that fail, as it should.

use session::admission::{Admission, Hindrance, Route};
use session::breaker::Outcome;
use session::event::Asker;
use session::limits;
use session::network::{Teller, Word};
use session::reason::Trouble;
use session::time::{Timestamp, millis};
use session::view::Phase;

use super::{Happening, World};
use crate::law::{Broken, Law, Verified, broken};
use crate::saboteur::Bug;

/// Who tells of the network on this machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Tellers {
    /// All say that they do not know.
    #[default]
    Nobody,
    Kernel,
    /// It never sees a network, though there is one.
    Liar,
    Manager,
    /// They are there, and say nothing.
    Silent,
}

pub(super) struct Reach {
    /// Packets go out and come in.
    is_there: bool,
    admission: Admission<usize>,
    /// When this process began, or the machine last woke.
    since: u64,
    /// What was said last.
    said: Option<Word>,
    /// A host has answered although there is said to be no network, or nothing is said.
    answered: bool,
}

impl Reach {
    pub(super) fn new(now: u64) -> Self {
        let admission = Admission::new(Timestamp::from_millis(now));
        Self { is_there: true, admission, since: now, said: None, answered: false }
    }

    pub(super) fn is_there(&self) -> bool {
        self.is_there
    }

    pub(super) fn begin_process(&mut self, now: u64) {
        *self = Self { is_there: self.is_there, ..Self::new(now) };
    }

    pub(super) fn on_awake(&mut self, now: u64) {
        self.since = now;
        self.admission.on_awake(Timestamp::from_millis(now));
    }

    pub(super) fn on_network_up(&mut self, now: u64) {
        self.admission.on_network_up(Timestamp::from_millis(now));
    }

    pub(super) fn report(&mut self, host: usize, heard: Outcome, now: u64, bug: Option<Bug>) {
        self.answered |= heard == Outcome::Answered;
        let route = if bug == Some(Bug::BelievesTheBelied) { Route::Within } else { Route::OverTheNetwork };
        self.admission.report(&host, route, heard, Timestamp::from_millis(now));
    }

    fn is_awaited(&self, now: u64) -> bool {
        now < self.since + millis(limits::NETWORK)
    }
}

impl World {
    pub(super) fn set_reach(&mut self, is_there: bool) {
        self.reach.is_there = is_there;
        self.remark(format!("a network: {is_there}"));
        let after = self.dice.between(0, 2_000);
        self.later(after, Happening::Words);
    }

    /// Whoever tells of the network says what there is.
    pub(super) fn hear_words(&mut self) -> Verified {
        let word = if self.reach.is_there { Word::Up } else { Word::Down };
        let words = match self.scenario.tellers {
            Tellers::Silent => return Ok(()),
            Tellers::Nobody => [Word::Nothing; 3],
            Tellers::Manager => [word, Word::Nothing, Word::Down],
            Tellers::Kernel => [Word::Nothing, Word::Nothing, word],
            Tellers::Liar => [Word::Nothing, Word::Nothing, Word::Down],
        };
        let [.., last] = words;
        let said = if words[0] == Word::Nothing { last } else { words[0] };
        let before = self.reach.said.replace(said);
        // Whoever answered before it was missing says nothing about that.
        self.reach.answered &= said == Word::Down && matches!(before, None | Some(Word::Down));
        let tellers = [Teller::NetworkManager, Teller::Networkd, Teller::Kernel];
        let mut is_new = false;
        for (by, word) in tellers.into_iter().zip(words) {
            is_new |= self.reach.admission.heard(by, word);
        }
        self.remark(format!("the network, it is said: {said:?}"));
        if !is_new {
            return Ok(());
        }
        if self.bug != Some(Bug::HidesTheNetwork) {
            self.network_up()?;
        }
        let latest = Timestamp::from_millis(self.now) + limits::SETTLE;
        let forgotten = self.seats.iter().any(|seat| {
            let phase = seat.sut.session().standing();
            matches!(phase, Phase::Waiting { why: Trouble::NoNetwork, until, .. } if until > latest)
        });
        if forgotten {
            return broken(Law::ANetworkThatComesIsUsed, "there is one, and somebody waits on");
        }
        Ok(())
    }

    pub(super) fn admit(
        &mut self,
        host: usize,
        by: Asker,
        again: bool,
    ) -> Result<Result<(), Hindrance>, Broken> {
        let now = Timestamp::from_millis(self.now);
        let asker = if self.bug == Some(Bug::PutsPeopleBehindTheBreaker) { Asker::Machine } else { by };
        let route =
            if self.bug == Some(Bug::IgnoresTheNetwork) { Route::Within } else { Route::OverTheNetwork };
        let admission = &mut self.reach.admission;
        if self.bug == Some(Bug::WaitsForTheNetwork) {
            admission.on_awake(now);
        }
        let mut admitted = admission.admit_refresh(&host, route, asker, again, now);
        let trouble = admitted.err().map(|hindrance| hindrance.trouble);
        if trouble == Some(Trouble::BreakerOpen) && self.bug == Some(Bug::IgnoresTheBreaker) {
            admitted = Ok(());
        }
        if !again {
            self.check_reach(by, trouble == Some(Trouble::NoNetwork))?;
        }
        Ok(admitted)
    }

    fn check_reach(&self, by: Asker, awaits: bool) -> Verified {
        let Reach { said, answered, .. } = self.reach;
        match (by, awaits) {
            (Asker::Machine, false)
                if said == Some(Word::Down) && !answered && self.reach.is_awaited(self.now) =>
            {
                broken(Law::NothingGoesIntoNoNetwork, "a request is sent")
            }
            (Asker::Machine, true) if !self.reach.is_awaited(self.now) => {
                broken(Law::ANetworkIsNotAwaitedForLong, "it may be there, whatever is said")
            }
            (Asker::Machine, true) if answered => {
                broken(Law::ANetworkIsNotAwaitedForLong, "somebody has answered")
            }
            _ => Ok(()),
        }
    }
}
