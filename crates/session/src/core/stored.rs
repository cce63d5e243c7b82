//! Keeps the vault in step with the facts: whenever it holds something else than it should and no operation is under
//! way, one is started. A vault that hangs while ten tokens pass gets only the newest.

use alloc::vec::Vec;
use core::time::Duration;

use super::event::{Effect, Found, Memory};
use super::facts::{Grant, Holds, Session};
use super::note::Note;
use super::policy::vault_retry;
use crate::reason::{Lost, VaultTrouble};
use crate::time::Timestamp;
use crate::tokens::{Account, RefreshToken};

impl Session {
    pub(super) fn is_saved(&self) -> bool {
        self.vault.holds == self.wanted_in_vault()
    }

    pub fn overrules_the_vault(&self) -> bool {
        self.vault.holds == Holds::Stale && self.grant.is_none()
    }

    pub(super) fn vault_due(&self) -> Option<Timestamp> {
        let differs = !self.vault.is_read() || !self.is_saved();
        (differs && !self.vault.busy).then_some(self.vault.retry_at)
    }

    pub(super) fn tend_vault(&mut self, out: &mut Vec<Effect>) {
        self.vault.busy = true;
        self.vault.saving = self.grant.clone().filter(|_| self.vault.is_read());
        out.push(match &self.grant {
            _ if !self.vault.is_read() => Effect::Load,
            Some(grant) => Effect::Save {
                generation: grant.generation,
                token: grant.token.clone(),
                account: self.account.clone(),
            },
            None => Effect::Forget,
        });
    }

    pub(super) fn on_loaded(
        &mut self,
        found: Found,
        memory: Memory,
        interrupted: bool,
        out: &mut Vec<Effect>,
    ) {
        self.vault.busy = false;
        self.vault.failures = 0;
        if self.vault.is_read() {
            return;
        }
        let (lost, overruled) = (memory.lost, memory.overruled);
        self.account.user.clone_from(&memory.user);
        self.told_lifetime = memory.lifetime_ms.map(Duration::from_millis);
        self.remembered = memory;
        self.vault.holds = Holds::Nothing;
        match found {
            Found::Elsewhere(_) | Found::Token { .. } if overruled => {
                self.lost = Some(lost.unwrap_or(Lost::Never));
                self.vault.overrule();
            }
            // The stored token is never sent, and only a sign-in overwrites it.
            Found::Elsewhere(places) => {
                self.lost = Some(Lost::Elsewhere);
                out.push(Effect::Note(Note::Elsewhere { places }));
            }
            Found::Nothing => self.lost = Some(lost.unwrap_or(Lost::Never)),
            Found::Token { refresh, account } => {
                let user = self.account.user.take();
                self.account = Account { user: account.user.or(user), ..account };
                self.take_grant(refresh);
                self.vault.holds = self.wanted_in_vault();
                self.doubt = interrupted;
                self.marked = interrupted;
                out.push(Effect::Note(if interrupted { Note::Interrupted } else { Note::Restored }));
            }
        }
    }

    pub(super) fn on_saved(&mut self, generation: u32, now: Timestamp, out: &mut Vec<Effect>) {
        self.vault.busy = false;
        self.vault.failures = 0;
        self.vault.holds = Holds::Generation(generation);
        let saved = self.vault.saving.take().filter(|saved| saved.generation == generation);
        if let Some(saved) = saved.filter(|saved| self.was_sent(saved)) {
            self.mark(saved.token, out);
        }
        if self.is_saved() {
            if core::mem::take(&mut self.vault.said_unsaved) {
                out.push(Effect::Note(Note::Saved));
            }
            self.publish(now, out);
        }
    }

    /// The provider saw this token before it was saved, so it may be spent.
    fn was_sent(&self, saved: &Grant) -> bool {
        let overtaken = self.grant.as_ref().is_some_and(|newest| newest.generation > saved.generation);
        let on_its_way = self.exchange.as_ref().is_some_and(|out| out.generation == saved.generation);
        overtaken || on_its_way || self.doubt
    }

    /// Only what the vault holds is marked, because the next process finds only that.
    pub(super) fn mark(&mut self, token: RefreshToken, out: &mut Vec<Effect>) {
        self.marked = true;
        out.push(Effect::Mark { token });
    }

    pub(super) fn on_forgotten(&mut self) {
        self.vault.busy = false;
        self.vault.failures = 0;
        self.vault.holds = Holds::Nothing;
    }

    pub(super) fn on_not_saved(
        &mut self,
        generation: u32,
        trouble: VaultTrouble,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        self.vault_failed(now);
        self.vault.saving = None;
        if self.wanted_in_vault() == Holds::Generation(generation) {
            self.say_unsaved(trouble, out);
            self.publish(now, out);
        } else {
            // The failure was about an older token, and the newest is still to be saved.
            self.vault.hurry();
        }
    }

    /// Reading or forgetting failed. A failed read never leads to a write.
    pub(super) fn on_vault_trouble(&mut self, trouble: VaultTrouble, now: Timestamp, out: &mut Vec<Effect>) {
        self.vault_failed(now);
        if self.vault.is_read() && self.grant.is_some() {
            self.vault.hurry();
        }
        if self.vault.failures == 1 {
            out.push(Effect::Note(Note::VaultWaiting { trouble }));
        }
    }

    pub(super) fn say_unsaved(&mut self, trouble: VaultTrouble, out: &mut Vec<Effect>) {
        if !core::mem::replace(&mut self.vault.said_unsaved, true) {
            out.push(Effect::Note(Note::Unsaved { trouble }));
        }
    }

    fn vault_failed(&mut self, now: Timestamp) {
        self.vault.busy = false;
        self.vault.failures = self.vault.failures.saturating_add(1);
        self.vault.retry_at = now + vault_retry(&mut self.dice, self.vault.failures);
    }

    fn wanted_in_vault(&self) -> Holds {
        self.grant.as_ref().map_or(Holds::Nothing, |grant| Holds::Generation(grant.generation))
    }
}
