//! Revocations that have not succeeded yet. `session::revocation` decides when each is tried.

use std::collections::BTreeMap;
use std::sync::Arc;

use session::revocation::Revocation;
use session::time::Timestamp;

use crate::adapters::provider::{Provider, Unwanted};

#[derive(Default)]
pub(crate) struct Revocations(pub(crate) BTreeMap<u64, Due>);

pub(crate) struct Due {
    /// `None` for tokens of nobody, whose revocation is not noted.
    pub(crate) profile: Option<String>,
    /// The profile was removed with its history, so a note must not name it.
    pub(crate) forgotten: bool,
    pub(crate) provider: Arc<Provider>,
    pub(crate) unwanted: Arc<Unwanted>,
    pub(crate) revocation: Revocation,
    pub(crate) under_way: bool,
}

impl Revocations {
    pub(crate) fn due(&self) -> Option<Timestamp> {
        let waiting = self.0.values().filter(|due| !due.under_way);
        waiting.map(|due| due.revocation.due()).min()
    }

    pub(crate) fn has_first(&self) -> bool {
        self.0.values().any(|due| due.revocation.is_first())
    }

    pub(crate) fn forget(&mut self, profile: &str) {
        for due in self.0.values_mut().filter(|due| due.profile.as_deref() == Some(profile)) {
            due.forgotten = true;
        }
    }

    /// A provider may end the new session together with the old one, so no further try is made.
    pub(crate) fn overtake(&mut self, profile: &str, now: Timestamp) {
        let of_it = |due: &Due| due.profile.as_deref() == Some(profile);
        self.0.retain(|_, due| due.under_way || !of_it(due));
        for due in self.0.values_mut().filter(|due| of_it(due)) {
            due.revocation.give_up(now);
        }
    }

    pub(crate) fn on_network_up(&mut self, now: Timestamp) {
        for due in self.0.values_mut() {
            due.revocation.on_network_up(now);
        }
    }
}
