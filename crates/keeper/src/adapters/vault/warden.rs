//! Whoever keeps the wrapping key works on a thread of its own and does one thing at a time, however long that takes: some
//! keyrings hang for good when they are asked a second time while a person is typing, and a passphrase takes a while to
//! become a key.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;

use api::secret::Password;
use session::wrapping::Fingerprint;

use super::VaultTrouble;
use super::files::Place;
use super::key::Key;
use super::orders::{Given, Look, Order, Orders};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rung {
    Credential,
    Keyring,
    Passphrase,
}

/// What each of them does. Only [`Self::ask`] and [`Self::make_place`] ask a person.
pub(super) trait Holder: Send + 'static {
    /// A person waits: what can be opened is opened, before the next look. `items` as in [`Self::look`].
    fn ask(&mut self, items: bool);

    /// `items` are those of older versions.
    fn look(&mut self, items: bool) -> Look;

    fn make_place(&mut self) -> Result<(), VaultTrouble>;

    /// Read back before it counts.
    fn write(&mut self, key: &Key) -> Result<Option<Place>, VaultTrouble>;

    /// These are kept elsewhere now.
    fn retire(&mut self, keys: &[Fingerprint]);

    /// What an older version has left of a profile.
    fn remove_item(&mut self, _profile: &str) {}

    fn take(&mut self, _passphrase: &Password) -> Given {
        Given::Right
    }
}

/// Each call returns at once, and is answered with an order.
pub(super) struct Warden {
    rung: Rung,
    jobs: Sender<Job>,
    due: Due,
}

/// Services repeat their signals up to twenty times, so looks that are due are one look.
#[derive(Clone)]
pub(super) struct Due {
    jobs: Sender<Job>,
    is_due: Arc<AtomicBool>,
    items: Arc<AtomicBool>,
}

enum Job {
    Ask,
    End,
    Give(Password),
    Look,
    MakePlace,
    RemoveItem(String),
    Retire(Vec<Fingerprint>),
    Write(Key),
}

impl Warden {
    /// `items` are looked for as well until a look is asked for without them.
    pub(super) fn start<H: Holder>(
        rung: Rung,
        items: bool,
        orders: Orders,
        holder: impl FnOnce(Due) -> H,
    ) -> Self {
        let (jobs, taken) = mpsc::channel();
        let items = Arc::new(AtomicBool::new(items));
        let due = Due { jobs: jobs.clone(), is_due: Arc::default(), items };
        let (holder, seen) = (holder(due.clone()), due.clone());
        let started = thread::Builder::new()
            .name("wrapping-key".into())
            .spawn(move || serve(holder, &taken, &seen, &orders));
        if let Err(error) = started {
            tracing::error!(%error, "no thread for the wrapping key");
        }
        Self { rung, jobs, due }
    }

    pub(super) fn look(&self, items: bool) {
        self.due.items.store(items, Ordering::Relaxed);
        self.due.look();
    }

    pub(super) fn ask(&self) {
        self.send(Job::Ask);
    }

    pub(super) fn make_place(&self) {
        self.send(Job::MakePlace);
    }

    pub(super) fn write(&self, key: Key) {
        self.send(Job::Write(key));
    }

    pub(super) fn remove_item(&self, profile: String) {
        self.send(Job::RemoveItem(profile));
    }

    /// Followed by a look.
    pub(super) fn retire(&self, keys: Vec<Fingerprint>) {
        self.send(Job::Retire(keys));
    }

    /// Whether it takes one. Then it says what became of it, and looks.
    pub(super) fn give(&self, passphrase: Password) -> bool {
        let takes = self.rung == Rung::Passphrase;
        if takes {
            self.send(Job::Give(passphrase));
        }
        takes
    }

    /// Whether older versions have left sessions there.
    pub(super) fn has_items(&self) -> bool {
        self.rung == Rung::Keyring
    }

    /// Why it has not been heard of.
    pub(super) fn silence(&self) -> VaultTrouble {
        match self.rung {
            Rung::Credential | Rung::Passphrase => VaultTrouble::PassphraseNeeded,
            Rung::Keyring => VaultTrouble::Slow,
        }
    }

    fn send(&self, job: Job) {
        // Without its thread it is slow for ever, and told so.
        drop(self.jobs.send(job));
    }
}

impl Drop for Warden {
    fn drop(&mut self) {
        self.send(Job::End);
    }
}

impl Due {
    pub(super) fn look(&self) {
        if !self.is_due.swap(true, Ordering::AcqRel) {
            drop(self.jobs.send(Job::Look));
        }
    }

    fn items(&self) -> bool {
        self.items.load(Ordering::Relaxed)
    }
}

fn serve(mut holder: impl Holder, jobs: &Receiver<Job>, due: &Due, orders: &Orders) {
    while let Ok(job) = jobs.recv() {
        let order = match job {
            Job::Ask => {
                holder.ask(due.items());
                Order::Asked(holder.look(due.items()))
            }
            Job::End => return,
            Job::Give(passphrase) => {
                orders.send(Order::Given(holder.take(&passphrase)));
                Order::Seen(holder.look(due.items()))
            }
            Job::Look => {
                due.is_due.store(false, Ordering::Release);
                Order::Seen(holder.look(due.items()))
            }
            Job::MakePlace => Order::Placed(holder.make_place()),
            Job::RemoveItem(profile) => {
                holder.remove_item(&profile);
                continue;
            }
            Job::Retire(keys) => {
                holder.retire(&keys);
                Order::Seen(holder.look(due.items()))
            }
            Job::Write(key) => Order::Wrote(key.fingerprint, holder.write(&key)),
        };
        if !orders.send(order) {
            return;
        }
    }
}
