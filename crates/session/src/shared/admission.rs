//! Before a host is asked: whether there is a network to reach it over, and whether it is left alone.

use alloc::collections::BTreeMap;
use core::time::Duration;

use crate::core::event::Asker;
use crate::reason::Trouble;
use crate::shared::breaker::{Breaker, Outcome};
use crate::shared::network::{Network, Teller, Word};
use crate::time::Timestamp;

#[derive(Clone, Debug)]
pub struct Admission<H> {
    breakers: BTreeMap<H, Breaker>,
    network: Network,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    OverTheNetwork,
    /// To this machine itself, which needs no network and tells nothing about one.
    Within,
}

/// What is withheld, and for how long. [`Admission::on_network_up`] may end that sooner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hindrance {
    pub trouble: Trouble,
    pub wait: Duration,
}

impl<H: Clone + Ord> Admission<H> {
    pub fn new(now: Timestamp) -> Self {
        Self { breakers: BTreeMap::new(), network: Network::new(now) }
    }

    /// What is let through is reported with [`Self::report`]. The network is asked first, because a breaker that lets
    /// something through waits for what becomes of it.
    pub fn admit(&mut self, host: &H, route: Route, by: Asker, now: Timestamp) -> Result<(), Hindrance> {
        if route == Route::OverTheNetwork {
            let admitted = self.network.admit(by, now);
            admitted.map_err(|wait| Hindrance { trouble: Trouble::NoNetwork, wait })?;
        }
        let admitted = self.breakers.entry(host.clone()).or_default().admit(by, now);
        admitted.map_err(|wait| Hindrance { trouble: Trouble::BreakerOpen, wait })
    }

    /// As [`Self::admit`], for a refresh. One that is made `again`, as the one before may have been answered, passes
    /// everything: the provider gives the same answer once more for seconds only.
    pub fn admit_refresh(
        &mut self,
        host: &H,
        route: Route,
        by: Asker,
        again: bool,
        now: Timestamp,
    ) -> Result<(), Hindrance> {
        if again { Ok(()) } else { self.admit(host, route, by, now) }
    }

    /// Returns for how long the host is left alone, if this failure was one too many.
    pub fn report(&mut self, host: &H, route: Route, outcome: Outcome, now: Timestamp) -> Option<Duration> {
        if outcome == Outcome::Answered && route == Route::OverTheNetwork {
            self.network.on_answer();
        }
        self.breakers.entry(host.clone()).or_default().heard(outcome, now)
    }

    /// Returns whether that may be the network for which somebody waits, as [`Network::heard`].
    pub fn heard(&mut self, by: Teller, word: Word) -> bool {
        self.network.heard(by, word)
    }

    pub fn on_network_up(&mut self, now: Timestamp) {
        self.breakers.values_mut().for_each(|breaker| breaker.on_network_up(now));
    }

    /// After a sleep, or a moment in which the machine was about to.
    pub fn on_awake(&mut self, now: Timestamp) {
        self.network.on_awake(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits;

    const NOW: Timestamp = Timestamp::from_millis(5_000);

    #[test]
    fn what_goes_within_this_machine_needs_no_network_and_says_nothing_of_one() {
        let mut admission = without_network();
        assert_eq!(admit(&mut admission, "a", Route::Within), Ok(()));
        assert_eq!(trouble(admit(&mut admission, "a", Route::OverTheNetwork)), Some(Trouble::NoNetwork));
        assert_eq!(admission.report(&"a", Route::Within, Outcome::Answered, NOW), None);
        assert_eq!(trouble(admit(&mut admission, "a", Route::OverTheNetwork)), Some(Trouble::NoNetwork));
        admission.report(&"b", Route::OverTheNetwork, Outcome::Failed, NOW);
        assert_eq!(trouble(admit(&mut admission, "a", Route::OverTheNetwork)), Some(Trouble::NoNetwork));
        admission.report(&"b", Route::OverTheNetwork, Outcome::Answered, NOW);
        assert_eq!(admit(&mut admission, "a", Route::OverTheNetwork), Ok(()));
    }

    #[test]
    fn a_host_that_fails_is_left_alone_and_the_others_are_not() {
        let mut admission = failing("a");
        assert_eq!(
            admit(&mut admission, "a", Route::Within),
            Err(Hindrance { trouble: Trouble::BreakerOpen, wait: limits::BREAKER })
        );
        assert_eq!(admit(&mut admission, "b", Route::Within), Ok(()));
        assert_eq!(admission.admit(&"a", Route::Within, Asker::Person, NOW), Ok(()));
        admission.report(&"a", Route::Within, Outcome::Unknown, NOW);
        admission.on_network_up(NOW);
        assert_eq!(admit(&mut admission, "a", Route::Within), Ok(()));
    }

    /// What meets no network is no probe, which would have to report.
    #[test]
    fn no_probe_is_let_into_no_network() {
        let mut admission = failing("a");
        let later = NOW + limits::BREAKER;
        admission.on_awake(later);
        say(&mut admission, Word::Down);
        let admit = |admission: &mut Admission<_>| {
            trouble(admission.admit(&"a", Route::OverTheNetwork, Asker::Machine, later))
        };
        assert_eq!(admit(&mut admission), Some(Trouble::NoNetwork));
        assert!(say(&mut admission, Word::Up));
        assert_eq!(admit(&mut admission), None);
        assert_eq!(admit(&mut admission), Some(Trouble::BreakerOpen), "the probe is on its way");
    }

    /// The provider may have answered, and gives the same answer again for seconds.
    #[test]
    fn what_is_made_again_passes_everything() {
        let again = |admission: &mut Admission<_>, again| {
            trouble(admission.admit_refresh(&"a", Route::OverTheNetwork, Asker::Machine, again, NOW))
        };
        let mut admission = without_network();
        assert_eq!(again(&mut admission, false), Some(Trouble::NoNetwork));
        assert_eq!(again(&mut admission, true), None);
        let mut admission = failing("a");
        assert_eq!(again(&mut admission, false), Some(Trouble::BreakerOpen));
        assert_eq!(again(&mut admission, true), None);
    }

    fn admit(
        admission: &mut Admission<&'static str>,
        host: &'static str,
        route: Route,
    ) -> Result<(), Hindrance> {
        admission.admit(&host, route, Asker::Machine, NOW)
    }

    fn trouble(admitted: Result<(), Hindrance>) -> Option<Trouble> {
        admitted.err().map(|hindrance| hindrance.trouble)
    }

    fn say(admission: &mut Admission<&'static str>, word: Word) -> bool {
        admission.heard(Teller::NetworkManager, word)
    }

    fn without_network() -> Admission<&'static str> {
        let mut admission = Admission::new(NOW);
        say(&mut admission, Word::Down);
        admission
    }

    fn failing(host: &'static str) -> Admission<&'static str> {
        let mut admission = Admission::new(NOW);
        say(&mut admission, Word::Up);
        while admission.report(&host, Route::OverTheNetwork, Outcome::Failed, NOW).is_none() {}
        admission
    }
}
