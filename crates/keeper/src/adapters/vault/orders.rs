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
    /// Keys that the very service which had them does not have now.
    pub(super) lost: Vec<Lost>,
    /// What older versions have left there, if that was looked for.
    pub(super) items: Option<Vec<Item>>,
    /// A person was asked to open it, and did not.
    pub(super) dismissed: bool,
}

pub(super) struct Lost {
    pub(super) key: Fingerprint,
    /// The service has said so.
    pub(super) is_deleted: bool,
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

/// Where orders of a [`super::warden::Warden`] go: to the desk, as those of the keeper.
#[derive(Clone)]
pub(super) struct Orders {
    desk: Sender<Order>,
    is_former: bool,
}

impl Orders {
    pub(super) fn to(desk: Sender<Order>) -> Self {
        Self { desk, is_former: false }
    }

    /// Of whoever kept the key before the setting was changed.
    pub(super) fn of_former(&self) -> Self {
        Self { desk: self.desk.clone(), is_former: true }
    }

    /// Whether somebody is there to take it.
    pub(super) fn send(&self, order: Order) -> bool {
        let order = if self.is_former { Order::Former(Box::new(order)) } else { order };
        self.desk.send(order).is_ok()
    }
}
