use session::network::{Teller, Word};
use zbus::zvariant::OwnedFd;

#[derive(Debug)]
pub enum SystemHint {
    /// It does not before this is dropped, or some seconds are over.
    AboutToSleep(Inhibitor),
    /// It is said once, and again at each change.
    Network {
        by: Teller,
        word: Word,
    },
    Woke,
}

/// Holds up the machine's sleep for as long as it lives, where the system lets us.
#[derive(Debug)]
pub struct Inhibitor(#[expect(dead_code, reason = "what counts is that it is open")] Option<OwnedFd>);

impl Inhibitor {
    pub(super) fn new(held: Option<OwnedFd>) -> Self {
        Self(held)
    }
}
