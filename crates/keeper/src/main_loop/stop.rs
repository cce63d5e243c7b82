//! The keeper saves its sessions before it ends. If it cannot, it stays, unless it was forced or got a signal.

use api::{Code, Failure, Reply};
use session::Session;
use session::event::{Event, Memory};
use session::limits;
use session::note::Note;
use session::reason::VaultTrouble;

use super::answer::{refuse, stopping};
use super::ending::{End, Stopping, Why};
use super::keeper::Keeper;
use super::kept::Kept;
use crate::adapters::clock;

impl Keeper {
    pub(crate) fn begin_to_stop(&mut self, why: Why) {
        self.answer_all();
        let now = clock::now();
        let is_asked = matches!(why, Why::Asked(_));
        let (patience, for_certain, answer) = match why {
            Why::Asked(answer) => (limits::STOP, false, Some(answer)),
            Why::Forced(answer) => (limits::SAVE, true, Some(answer)),
            Why::Signal => (limits::STOP, true, None),
        };
        let by = now + patience;
        let stopping = self.stopping.get_or_insert_with(|| Stopping { by, for_certain, answers: Vec::new() });
        stopping.by = stopping.by.min(by);
        stopping.for_certain |= for_certain;
        stopping.answers.extend(answer);
        if is_asked && self.would_lose().is_some() {
            self.vault.unlock(None, drop);
        }
        for id in self.ids() {
            self.step(id, Event::Ending);
        }
    }

    /// Sessions that a person has ended must be forgotten first, or they come back with the next keeper.
    pub(crate) fn may_end(&mut self) -> bool {
        let now = clock::now();
        let Some(stopping) = &self.stopping else { return false };
        let (over, for_certain) = (now >= stopping.by, stopping.for_certain);
        let quiet = !self.revocations.has_first() && self.config.is_idle();
        let saved = |kept: &Kept| !self.can_save() || kept.is_saved();
        if quiet && self.kept.values().all(|kept| kept.has_finished() && saved(kept)) {
            // A person at a sign-in page is not waited for, and not sent away before the end is certain.
            for kept in self.kept.values_mut() {
                kept.pending = None;
            }
            return self.kept.values().all(Kept::is_idle);
        }
        if over
            && !for_certain
            && let Some(failure) = self.would_lose()
        {
            self.stay(&failure);
            return false;
        }
        over
    }

    fn would_lose(&self) -> Option<Failure> {
        let named = |of: &dyn Fn(&Kept) -> bool| {
            let names: Vec<&str> =
                self.kept.values().filter(|kept| of(kept)).map(|kept| kept.profile.name.as_str()).collect();
            names.join(", ")
        };
        let unsaved = named(&|kept| self.can_save() && kept.would_be_lost());
        if !unsaved.is_empty() {
            return Some(Failure::new(Code::NotSaved).with("profiles", unsaved));
        }
        let busy = named(&Kept::is_exchanging);
        (!busy.is_empty()).then(|| Failure::new(Code::StillBusy).with("profiles", busy))
    }

    /// Where there is nothing to save with, every sign-in said that it ends with the keeper, so staying helps nobody.
    pub(crate) fn can_save(&self) -> bool {
        self.vault.trouble() != Some(VaultTrouble::Absent)
    }

    fn stay(&mut self, failure: &Failure) {
        for answer in self.stopping.take().into_iter().flat_map(|stopping| stopping.answers) {
            refuse(answer, failure.clone());
        }
        for id in self.ids() {
            self.step(id, Event::Stays);
        }
        self.follow_the_file();
    }

    pub(crate) async fn end(mut self) -> End {
        let removed = self.kept.values().filter(|kept| kept.removed);
        let stale = |kept: &Kept| kept.session().is_some_and(Session::overrules_the_vault);
        let removed: Vec<_> = removed.map(|kept| (kept.profile.name.clone(), stale(kept))).collect();
        for (name, stale) in removed {
            self.forget_profile(&name);
            if stale {
                // Otherwise a new profile of this name would be signed in.
                self.remember(&name, &Memory { overruled: true, ..Memory::default() });
            }
        }
        let can_save = self.can_save();
        let cut = |kept: &Kept| {
            let unsaved = can_save && kept.would_be_lost();
            let note = if unsaved { Note::EndedUnsaved } else { Note::EndedInFlight };
            (unsaved || kept.is_exchanging()).then(|| (kept.profile.name.clone(), note))
        };
        let cut: Vec<(String, Note)> = self.kept.values().filter_map(cut).collect();
        for (name, note) in &cut {
            self.note(Some(name), note.clone());
        }
        for kept in self.kept.values_mut() {
            kept.turn_away(&stopping());
        }
        self.note(None, Note::KeeperStopped);
        self.journal.close().await;
        for answer in self.stopping.take().into_iter().flat_map(|stopping| stopping.answers) {
            drop(answer.send(Ok(Reply::Done)));
        }
        if cut.is_empty() {
            End::InGoodOrder
        } else {
            End::Cut(cut.into_iter().map(|(name, _)| name).collect())
        }
    }
}
