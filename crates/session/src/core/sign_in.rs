use alloc::vec::Vec;
use core::time::Duration;

use super::event::{Attempt, Effect};
use super::facts::{Access, Session, SignIn, Streak, Unpublished};
use super::note::Note;
use crate::limits;
use crate::reason::{Cause, Lost, Oddity};
use crate::time::{Timestamp, millis};
use crate::tokens::{Account, Tokens};

impl Session {
    pub(super) fn on_sign_in(&mut self, patience: Duration, now: Timestamp, out: &mut Vec<Effect>) {
        let attempt = self.next_attempt();
        self.sign_in = Some(SignIn { attempt, began: now, deadline: now + patience });
        out.push(Effect::SignIn { attempt });
    }

    pub(super) fn on_sign_in_failed(&mut self, attempt: Attempt) {
        if self.sign_in.as_ref().is_some_and(|sign_in| sign_in.attempt == attempt) {
            self.sign_in = None;
        }
    }

    /// It ends with its report, because what a person did at the provider's page may still arrive.
    pub(super) fn call_off_sign_in(&mut self, now: Timestamp, out: &mut Vec<Effect>) {
        let Some(sign_in) = &mut self.sign_in else { return };
        sign_in.deadline = now + limits::REPORT;
        out.push(Effect::CallOff { attempt: sign_in.attempt });
    }

    pub(super) fn on_signed_in(
        &mut self,
        attempt: Attempt,
        tokens: Tokens,
        account: Account,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        let Some(sign_in) = self.sign_in.take_if(|sign_in| sign_in.attempt == attempt) else {
            let harmless = self.grant.is_none() || account.is_other_than(&self.account);
            return Self::give_back(tokens, harmless, out);
        };
        let demand = self.demand.clone().filter(|_| tokens.odd == Some(Oddity::StepUpUnmet));
        self.begin_epoch();
        self.lost = None;
        self.demand = demand;
        let user = account.user.clone();
        let before = core::mem::replace(&mut self.account, account);
        self.succeeds_another = before.is_other_than(&self.account);
        let is_other = before
            .identity
            .is_some_and(|before| self.account.identity.as_ref().is_some_and(|identity| *identity != before));
        self.access = None;
        self.vault.overrule();
        if let Some(refresh) = tokens.refresh {
            self.take_grant(refresh);
            self.outlook.begin(self.grant_count, tokens.refresh_life, now);
        }
        let lifetime = tokens.lifetime;
        let access = tokens.access.map(|token| self.receive(token, lifetime, Cause::Start, now));
        out.push(Effect::Note(Note::SignedIn {
            user,
            generation: access.as_ref().map(|access| access.generation),
            lifetime_ms: access.as_ref().map(Access::lifetime_ms),
            source: access.as_ref().map(|access| access.source).unwrap_or_default(),
            took_ms: millis(now.since(sign_in.began)),
        }));
        self.tell_oddity(tokens.odd, out);
        if is_other {
            out.push(Effect::Note(Note::OtherPerson { before: before.user }));
        }
        if let Some(access) = access {
            let rotated = self.grant.is_some();
            self.unpublished =
                Some(Unpublished { access, publish_by: now + limits::SAVE, rotated, took: None });
            if !rotated {
                self.publish(now, out);
            }
        }
        self.pulse.restart(now + self.policy.heartbeat);
    }

    /// Revokes nothing unless `harmless`: some providers would end the newer tokens of the same person as well.
    pub(super) fn give_back(tokens: Tokens, harmless: bool, out: &mut Vec<Effect>) {
        if harmless {
            out.push(Effect::Revoke { refresh: tokens.refresh, access: tokens.access });
        }
        out.push(Effect::Note(Note::LateAnswer { revoked: harmless }));
    }

    pub(super) fn on_key_deleted(&mut self, out: &mut Vec<Effect>) {
        if self.grant.is_some() {
            self.end(Lost::KeyDeleted, Note::NeedsLogin { why: Lost::KeyDeleted }, out);
        }
    }

    pub(super) fn on_sign_out(&mut self, out: &mut Vec<Effect>) {
        self.end(Lost::SignedOut, Note::SignedOut, out);
    }

    fn end(&mut self, why: Lost, note: Note, out: &mut Vec<Effect>) {
        let unpublished = self.unpublished.take().map(|unpublished| unpublished.access);
        let access = unpublished.or_else(|| self.access.take()).map(|access| access.token);
        let refresh = self.grant.take().map(|grant| grant.token);
        self.begin_epoch();
        self.access = None;
        self.sign_in = None;
        self.account = Account::default();
        self.vault.overrule();
        self.lost = Some(why);
        out.push(Effect::Note(note));
        if self.vault_due().is_some() {
            self.tend_vault(out);
        }
        if refresh.is_some() || access.is_some() {
            out.push(Effect::Revoke { refresh, access });
        }
    }

    /// From now on, answers to what is in flight bring tokens that belong to no session.
    fn begin_epoch(&mut self) {
        self.epoch += 1;
        self.exchange = None;
        self.unpublished = None;
        self.grant = None;
        self.hold = None;
        self.streak = Streak::default();
        self.suspicion = None;
        self.demand = None;
        self.told_lifetime = None;
        self.odd = None;
        self.outlook.leave();
        (self.doubt, self.answer_lost) = (false, false);
        self.marked = None;
    }
}
