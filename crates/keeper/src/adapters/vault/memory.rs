//! It ends with the process, and the tokens are wiped then. What was sealed while the setting was another one is neither
//! opened nor changed, so that it is as good as before when the setting is changed back; a sign-out destroys it.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use session::note::Note;

use super::files::Files;
use super::{News, Stored, VaultTrouble, on_disk};

#[derive(Clone, Default)]
pub(super) struct Memory {
    items: Arc<Mutex<HashMap<String, Stored>>>,
    sealed: Option<Files>,
}

impl Memory {
    /// `dir` is where sealed files may be.
    pub(super) fn beside(dir: &Path, tell: impl Fn(News) + Send + 'static) -> Self {
        let (files, listed) = (Files::at(dir), Files::at(dir));
        on_thread(move || {
            let labels = listed.labels().unwrap_or_default();
            match u32::try_from(labels.len()) {
                Ok(0) | Err(_) => {}
                Ok(count) => tell(News::Note(Note::LeftSealed { count })),
            }
        });
        Self { sealed: Some(files), ..Self::default() }
    }

    pub(super) fn load(&self, profile: &str) -> Option<Stored> {
        self.items().get(profile).cloned()
    }

    pub(super) fn save(&self, profile: &str, stored: Stored) {
        self.items().insert(profile.to_owned(), stored);
    }

    /// Or it would come back when the setting is changed. The disk may take its time.
    pub(super) fn forget(
        &self,
        profile: &str,
        answer: impl FnOnce(Result<(), VaultTrouble>) + Send + 'static,
    ) {
        self.items().remove(profile);
        let Some(files) = self.sealed.clone() else { return answer(Ok(())) };
        let profile = profile.to_owned();
        on_thread(move || answer(files.remove(&profile).map_err(|error| on_disk(&error))));
    }

    fn items(&self) -> MutexGuard<'_, HashMap<String, Stored>> {
        self.items.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whoever waits for what it does is told when it cannot be done.
fn on_thread(run: impl FnOnce() + Send + 'static) {
    if let Err(error) = thread::Builder::new().name("vault".into()).spawn(run) {
        tracing::error!(%error, "no thread for the vault");
    }
}
