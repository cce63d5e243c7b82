//! It ends with the process, and the tokens are wiped then.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Stored;

#[derive(Clone, Default)]
pub(super) struct Memory(Arc<Mutex<HashMap<String, Stored>>>);

impl Memory {
    pub(super) fn load(&self, profile: &str) -> Option<Stored> {
        self.items().get(profile).cloned()
    }

    pub(super) fn save(&self, profile: &str, stored: Stored) {
        self.items().insert(profile.to_owned(), stored);
    }

    pub(super) fn forget(&self, profile: &str) {
        self.items().remove(profile);
    }

    fn items(&self) -> MutexGuard<'_, HashMap<String, Stored>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
