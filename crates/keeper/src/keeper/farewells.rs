//! Sign-outs that providers have not heard of yet. When and how often they are told is `session::revocation`'s to say.

use std::collections::BTreeMap;
use std::sync::Arc;

use session::reason::Trouble;
use session::revocation::{Farewell, Next, Told};
use session::time::Timestamp;

use super::report::Report;
use super::{Keeper, Mail};
use crate::clock;
use crate::provider::{Provider, Unwanted};

#[derive(Default)]
pub(super) struct Farewells(BTreeMap<u64, Leaving>);

struct Leaving {
    /// Whose sign-out it is. Where it is nobody's there is nothing to say of one.
    profile: Option<String>,
    /// The journal knows nothing of the profile any more, and is not to learn of it again.
    forgotten: bool,
    provider: Arc<Provider>,
    unwanted: Arc<Unwanted>,
    farewell: Farewell,
    under_way: bool,
}

impl Farewells {
    /// When somebody is next to be told.
    pub(super) fn due(&self) -> Option<Timestamp> {
        let waiting = self.0.values().filter(|leaving| !leaving.under_way);
        waiting.map(|leaving| leaving.farewell.due()).min()
    }

    /// Somebody has not even been told once.
    pub(super) fn has_first(&self) -> bool {
        self.0.values().any(|leaving| leaving.farewell.is_first())
    }

    pub(super) fn forget(&mut self, profile: &str) {
        for leaving in self.0.values_mut().filter(|leaving| leaving.profile.as_deref() == Some(profile)) {
            leaving.forgotten = true;
        }
    }

    /// Somebody has signed in anew. A provider may end that together with what it has not heard the end of.
    pub(super) fn overtake(&mut self, profile: &str, now: Timestamp) {
        let of_it = |leaving: &Leaving| leaving.profile.as_deref() == Some(profile);
        self.0.retain(|_, leaving| leaving.under_way || !of_it(leaving));
        for leaving in self.0.values_mut().filter(|leaving| of_it(leaving)) {
            leaving.farewell.give_up(now);
        }
    }

    pub(super) fn on_network_up(&mut self, now: Timestamp) {
        for leaving in self.0.values_mut() {
            leaving.farewell.on_network_up(now);
        }
    }
}

impl Keeper {
    /// These are not wanted any more, and the provider shall know.
    pub(super) fn bid_farewell(&mut self, profile: &str, provider: Arc<Provider>, unwanted: Unwanted) {
        self.part_with(Some(profile.to_owned()), provider, unwanted);
    }

    /// These came, and are somebody else's, or nobody's any more.
    pub(super) fn give_back(&mut self, provider: Arc<Provider>, unwanted: Unwanted) {
        self.part_with(None, provider, unwanted);
    }

    fn part_with(&mut self, profile: Option<String>, provider: Arc<Provider>, unwanted: Unwanted) {
        let number = self.next_number();
        let now = clock::now();
        let leaving = Leaving {
            profile,
            forgotten: false,
            provider,
            unwanted: Arc::new(unwanted),
            farewell: Farewell::new(now),
            under_way: false,
        };
        self.farewells.0.insert(number, leaving);
        self.tell_providers(now);
    }

    pub(super) fn tell_providers(&mut self, now: Timestamp) {
        for (number, leaving) in &mut self.farewells.0 {
            if leaving.under_way || leaving.farewell.due() > now {
                continue;
            }
            leaving.under_way = true;
            let (number, post) = (*number, self.post.clone());
            let (provider, unwanted) = (Arc::clone(&leaving.provider), Arc::clone(&leaving.unwanted));
            tokio::spawn(async move {
                let lost = move || {
                    let told = Told::Trouble { trouble: Trouble::TimedOut, status: None };
                    Mail::Told { number, told }
                };
                let report = Report::or(post, lost);
                let told = provider.farewell(&unwanted).await;
                report.send(Mail::Told { number, told });
            });
        }
    }

    pub(super) fn on_told(&mut self, number: u64, told: Told) {
        let Some(leaving) = self.farewells.0.get_mut(&number) else { return };
        leaving.under_way = false;
        let first = leaving.farewell.is_first();
        let over = leaving.farewell.on_told(told, clock::now()) == Next::Over;
        let (profile, forgotten) = (leaving.profile.clone(), leaving.forgotten);
        if over {
            self.farewells.0.remove(&number);
        }
        // The first try and the last word; a day of the same news between them is none.
        let Some(profile) = profile.filter(|_| over || first) else { return };
        if forgotten {
            self.note_without_name(&profile, told.note());
        } else {
            self.note(Some(&profile), told.note());
        }
    }
}
