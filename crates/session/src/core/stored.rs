//! Keeps the vault in step with the facts: whenever it holds something else than it should and no operation is under
//! way, one is started. A vault that hangs while ten tokens pass gets only the newest.

use alloc::vec::Vec;
use core::time::Duration;

use super::event::{Effect, Found, Memory};
use super::facts::{Grant, Holds, Session};
use super::note::Note;
use super::outlook::Outlook;
use super::policy::vault_retry;
use super::view::Phase;
use crate::reason::{Lost, Trouble, VaultTrouble};
use crate::time::Timestamp;
use crate::tokens::Account;

impl Session {
    /// Not while a save is under way, whose token may have died meanwhile.
    pub(super) fn is_saved(&self) -> bool {
        self.vault.holds == self.wanted_in_vault() && !self.vault.saving
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
        // Also where nothing of it is wanted any more: only a look brings what was remembered.
        let looks = !self.vault.is_read() || self.remembered.is_none();
        self.vault.saving = self.grant.is_some() && !looks;
        out.push(match &self.grant {
            _ if looks => Effect::Load,
            Some(grant) => Effect::Save {
                generation: grant.generation,
                token: grant.token.clone(),
                account: self.account.clone(),
            },
            None => Effect::Forget,
        });
    }

    pub(super) fn on_loaded(&mut self, found: Found, interrupted: bool, out: &mut Vec<Effect>) {
        self.vault_worked();
        if self.vault.is_read() {
            return;
        }
        let remembered = self.remembered.get_or_insert_default();
        let Memory { lost, overruled, lifetime_ms, .. } = *remembered;
        self.lost = None;
        self.told_lifetime = lifetime_ms.map(Duration::from_millis);
        self.vault.holds = Holds::Nothing;
        match found {
            Found::Elsewhere(_) | Found::Token { .. } if overruled => {
                self.lost = Some(lost.unwrap_or(Lost::Never));
                self.vault.overrule();
            }
            // The stored token is never sent, and only a sign-in overwrites it.
            Found::Elsewhere(places) => {
                self.lost = Some(Lost::Elsewhere);
                // What was seen was another provider's.
                self.outlook = Outlook::default();
                out.push(Effect::Note(Note::Elsewhere { places }));
            }
            Found::Nothing => self.lost = Some(lost.unwrap_or(Lost::Never)),
            Found::Token { refresh, account, generation } => {
                let user = self.account.user.take();
                self.account = Account { user: account.user.or(user), ..account };
                self.grant = Some(Grant { token: refresh, generation });
                self.grant_count = self.grant_count.max(generation);
                self.vault.holds = self.wanted_in_vault();
                (self.doubt, self.answer_lost) = (interrupted, interrupted);
                self.marked = interrupted.then_some(generation);
                if generation < self.saved_generation {
                    return self.lose(Lost::OlderCopy, out);
                }
                self.saved_generation = generation;
                if !self.outlook.is_of(generation) {
                    self.outlook.leave();
                }
                out.push(Effect::Note(if interrupted { Note::Interrupted } else { Note::Restored }));
            }
        }
    }

    /// Comes with each look into the vault, before its answer. Whoever has signed in or out by then goes on counting where
    /// the last process ended, and what was seen of earlier sign-ins is not lost.
    pub(super) fn on_recalled(&mut self, memory: Memory) {
        if self.remembered.is_some() {
            return;
        }
        self.saved_generation = memory.generation;
        let last = memory.generation.max(memory.outlook.newest());
        self.count_on(last);
        let outlook = Outlook::clone(&memory.outlook);
        if self.vault.is_read() {
            self.outlook.succeed(outlook, last);
        } else {
            self.account.user.clone_from(&memory.user);
            self.outlook = outlook;
        }
        self.remembered = Some(memory);
    }

    /// Nothing of what has a number yet is in the vault.
    fn count_on(&mut self, last: u32) {
        let numbers = [
            Some(&mut self.grant_count),
            self.grant.as_mut().map(|grant| &mut grant.generation),
            self.exchange.as_mut().map(|exchange| &mut exchange.generation),
            self.marked.as_mut(),
        ];
        for number in numbers.into_iter().flatten() {
            *number = number.saturating_add(last);
        }
    }

    pub(super) fn on_saved(&mut self, generation: u32, now: Timestamp, out: &mut Vec<Effect>) {
        self.vault_worked();
        self.vault.holds = Holds::Generation(generation);
        self.saved_generation = self.saved_generation.max(generation);
        self.vault.saving = false;
        if self.is_saved() {
            if core::mem::take(&mut self.vault.said_unsaved) {
                out.push(Effect::Note(Note::Saved));
            }
            self.publish(now, out);
        }
    }

    pub(super) fn on_forgotten(&mut self) {
        self.vault_worked();
        self.vault.holds = Holds::Nothing;
    }

    /// What could not be read is read now, and what could not be saved is saved.
    pub(super) fn on_vault_ready(&mut self, now: Timestamp) {
        self.vault.failures = 0;
        if self.vault.is_read() {
            self.vault.hurry();
        }
        self.vault.read_now(now);
    }

    pub(super) fn on_vault_emptied(&mut self) {
        if matches!(self.vault.holds, Holds::Generation(_)) {
            // Not `Nothing`: a save may be under way.
            self.vault.holds = Holds::Stale;
            self.vault.hurry();
        }
    }

    /// Why the vault did not do what it was last asked for.
    pub fn vault_trouble(&self) -> Option<VaultTrouble> {
        self.vault.trouble
    }

    /// The next session would find everything in the vault, or there is nothing to find yet.
    pub fn can_make_room(&self) -> bool {
        let unread = matches!(self.standing(), Phase::Waiting { why: Trouble::Vault, .. });
        unread || self.is_saved()
    }

    /// What is stored cannot be read until somebody does something about it, which is no use waiting for.
    pub fn is_shut_out(&self) -> bool {
        let unread = matches!(self.standing(), Phase::Waiting { why: Trouble::Vault, .. });
        unread && self.vault.trouble.is_some_and(|trouble| !trouble.is_passing())
    }

    pub(super) fn on_not_saved(
        &mut self,
        generation: u32,
        trouble: VaultTrouble,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        self.vault_failed(trouble, now);
        self.vault.saving = false;
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
        let before = self.vault.trouble;
        self.vault_failed(trouble, now);
        if self.vault.is_read() && self.grant.is_some() {
            self.vault.hurry();
        }
        if before != Some(trouble) {
            out.push(Effect::Note(Note::VaultWaiting { trouble }));
        }
        if self.vault.is_read() {
            return;
        }
        // A key that comes back is found all the same: what is sealed stays, and stays unread.
        // One that passes takes nothing back, or a person would be called again for the same key.
        let lost = if trouble.is_passing() { self.lost } else { trouble.lost() };
        if self.lost != lost {
            match lost {
                Some(why) => self.lose(why, out),
                None => self.lost = None,
            }
        }
    }

    pub(super) fn say_unsaved(&mut self, trouble: VaultTrouble, out: &mut Vec<Effect>) {
        if !core::mem::replace(&mut self.vault.said_unsaved, true) {
            out.push(Effect::Note(Note::Unsaved { trouble }));
        }
    }

    fn vault_worked(&mut self) {
        self.vault.busy = false;
        self.vault.failures = 0;
        self.vault.trouble = None;
    }

    fn vault_failed(&mut self, trouble: VaultTrouble, now: Timestamp) {
        self.vault.busy = false;
        self.vault.trouble = Some(trouble);
        self.vault.failures = self.vault.failures.saturating_add(1);
        self.vault.retry_at = now + vault_retry(&mut self.dice, self.vault.failures);
    }

    fn wanted_in_vault(&self) -> Holds {
        self.grant.as_ref().map_or(Holds::Nothing, |grant| Holds::Generation(grant.generation))
    }
}
