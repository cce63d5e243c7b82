//! What OAuth remembers beside its book, and as pure: the time comes in, in milliseconds since the start.

mod client;
mod codes;
mod devices;
mod nonces;
mod request;
mod scopes;
mod shelf;
mod terms;

use std::collections::BTreeMap;

pub(crate) use self::client::Client;
use self::codes::Codes;
pub use self::devices::DeviceState;
use self::devices::Devices;
pub(crate) use self::devices::{Answer, Approved, Device, NotNow};
use self::nonces::Nonces;
pub(crate) use self::request::{Page, Request};
pub(crate) use self::scopes::Scopes;
use self::shelf::{REMEMBERED, Shelf};
pub(crate) use self::terms::{Lent, Terms};

#[derive(Default)]
pub(crate) struct Ledger {
    pub(crate) pages: Shelf<Page>,
    pub(crate) pushed: Shelf<Request>,
    pub(crate) codes: Codes,
    pub(crate) devices: Devices,
    pub(crate) lent: Shelf<Lent>,
    pub(crate) proofs: Shelf<()>,
    pub(crate) server_nonce: Nonces,
    pub(crate) resource_nonce: Nonces,
    agreed: BTreeMap<u64, Terms>,
}

impl Ledger {
    pub(crate) fn agree(&mut self, family: u64, terms: Terms) {
        self.agreed.insert(family, terms);
        if self.agreed.len() > REMEMBERED {
            self.agreed.pop_first();
        }
    }

    pub(crate) fn agreed(&self, family: u64) -> Option<&Terms> {
        self.agreed.get(&family)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::people::Person;

    #[test]
    fn what_was_agreed_is_not_kept_for_ever() {
        let mut ledger = Ledger::default();
        let terms = Terms {
            client: Client::Pilotlight,
            person: Person::Alice,
            scopes: Scopes::parse("openid").unwrap(),
            jkt: None,
            nonce: None,
            stepped_up: false,
            signed_in_s: 7,
        };
        for family in 0..=REMEMBERED as u64 {
            ledger.agree(family, terms.clone());
        }
        assert_eq!((ledger.agreed(0), ledger.agreed(1)), (None, Some(&terms)));
    }
}
