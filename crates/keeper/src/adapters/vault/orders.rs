//! What the desk is told, by the keeper and by whoever keeps the key.

use std::sync::mpsc::Sender;

use api::secret::Password;
use session::event::Asker;
use session::wrapping::{Fingerprint, Seen};
use tokio::sync::oneshot;

use super::files::Place;
use super::key::Key;
use super::{Answer, Stored, VaultTrouble};

pub(super) enum Order {
    /// As [`Self::Seen`], after a person was asked.
    Asked(Look),
    /// A key is needed for what comes.
    Begin(Asker),
    End,
    Forget(String, Answer<()>),
    /// What whoever kept the key before the setting was changed has to say.
    Former(Box<Self>),
    /// What became of a passphrase, before what is seen now.
    Given(Given),
    Load(String, Answer<Option<Stored>>),
    HomeMade,
    Placed(Result<(), VaultTrouble>),
    Room(String, oneshot::Sender<()>),
    Save(String, Box<Stored>, Answer<()>),
    Seen(Look),
    /// A person wants what is stored to be opened. Answered when it is, or will not be for now.
    Unlock(Option<Password>, Answer<()>),
    Wrote(Fingerprint, Result<Option<Place>, VaultTrouble>),
}

/// What the keeper of the key has seen.
pub(super) struct Look {
    pub(super) seen: Seen,
    pub(super) keys: Vec<Key>,
    pub(super) place: Option<Place>,
    /// Keys whose items were deleted in a keyring that lives and is open.
    pub(super) deleted: Vec<Fingerprint>,
    /// What older versions have left there.
    pub(super) items: Vec<Item>,
    /// A person was asked to open it, and did not.
    pub(super) dismissed: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Given {
    /// There was none before.
    Chosen,
    Refused(VaultTrouble),
    Right,
}

/// A session as older versions kept it.
pub(super) struct Item {
    pub(super) profile: String,
    /// `None` if it cannot be read, and is left alone.
    pub(super) stored: Option<(Stored, i64)>,
}

/// Whoever keeps the wrapping key. Each call returns at once, and is answered with an order.
pub(super) trait Warden: Send {
    /// `items` are those of older versions.
    fn look(&self, items: bool);
    fn ask(&self);
    fn make_place(&self);
    fn write(&self, key: Key);
    fn remove_item(&self, profile: String);

    /// Whether older versions have left sessions there.
    fn has_items(&self) -> bool {
        false
    }

    /// These are kept elsewhere now. Followed by a look.
    fn retire(&self, keys: Vec<Fingerprint>);

    /// Whether it takes one. Then it says what became of it, and looks.
    fn give(&self, _passphrase: Password) -> bool {
        false
    }

    /// Why it has not been heard of.
    fn silence(&self) -> VaultTrouble {
        VaultTrouble::Slow
    }
}

/// Orders of a [`Warden`] go where those of the keeper go.
pub(super) type Orders = Sender<Order>;
