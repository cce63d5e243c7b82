//! KeePassXC as most people have it: started with the desktop, and its database locked until somebody opens it.

use std::path::PathBuf;

use super::keepassxc::KeePassXc;
use super::keyring::Keyring;
use super::service::Item;
use super::stage::{Process, Stage};

pub(crate) struct LockedKeePassXc(KeePassXc);

impl LockedKeePassXc {
    pub(crate) fn close_database(&self) {
        self.0.close_database();
    }

    pub(crate) fn open_database(&self) {
        self.0.open_database();
    }
}

impl Keyring for LockedKeePassXc {
    const NAME: &str = KeePassXc::NAME;
    const HOW: &str = ", its database locked at the start";
    const DIALOG: &str = KeePassXc::DIALOG;
    const DIALOGS: &[&str] = KeePassXc::DIALOGS;
    const BEGINS_LOCKED: bool = true;
    const NEEDS_ITS_PERSON: bool = true;
    const LET_IN: &str = "goes on once its database is open and its access dialog is allowed";
    const ONCE_OPEN: &str = KeePassXc::LET_IN;

    fn on(stage: Stage) -> Self {
        Self(KeePassXc::on(stage))
    }

    fn stage(&self) -> &Stage {
        self.0.stage()
    }

    fn version(&self) -> String {
        self.0.version()
    }

    fn start(&mut self) {
        self.0.start();
    }

    fn start_locked(&mut self) {
        self.0.start_locked();
    }

    fn begin(&mut self) {
        self.0.start_locked();
    }

    fn open_for_the_first(&self) {
        self.unlock();
    }

    fn let_in(&self, ask: impl Fn()) {
        self.0.let_in(ask);
    }

    fn process(&mut self) -> &mut Option<Process> {
        self.0.process()
    }

    fn files(&self) -> PathBuf {
        self.0.files()
    }

    fn items(&self) -> Vec<Item> {
        self.0.items()
    }

    fn written<T>(&self, change: impl FnOnce() -> T) -> T {
        self.0.written(change)
    }
}
