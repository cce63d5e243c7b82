//! What a session does with events, and what is due. The phase is computed from the facts and cannot disagree with
//! them. After every event [`Session::pursue`] starts whatever the facts make due, and [`Session::deadline`] is its
//! earliest date, so a tick, a start and a wake-up are judged alike. `ARCHITECTURE.md` has the rules.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::time::Duration;

use super::event::{Effect, Event, Memory};
use super::facts::Session;
use crate::limits;
use crate::reason::{Cause, Lost, Source};
use crate::time::{Timestamp, millis};

impl Session {
    /// Returns what is to be done, in that order.
    pub fn step(mut self, event: Event, now: Timestamp) -> (Self, Vec<Effect>) {
        let mut out = Vec::new();
        match event {
            Event::AboutToSleep => self.on_about_to_sleep(),
            Event::Asked { by } => self.on_asked(by, now, &mut out),
            Event::Awake => self.dozing = false,
            Event::Beaten { attempt, beat } => self.on_beaten(attempt, beat, now, &mut out),
            Event::Demanded { generation, interaction } => {
                self.on_demanded(generation, interaction, &mut out)
            }
            Event::Ending => self.on_ending(),
            Event::Forgotten => self.on_forgotten(),
            Event::KeyDeleted => self.on_key_deleted(&mut out),
            Event::Loaded { found, interrupted } => self.on_loaded(found, interrupted, &mut out),
            Event::NetworkUp => self.on_network_up(now),
            Event::NotForgotten(trouble) | Event::NotLoaded(trouble) => {
                self.on_vault_trouble(trouble, now, &mut out)
            }
            Event::NotSaved { generation, trouble } => self.on_not_saved(generation, trouble, now, &mut out),
            Event::Recalled(memory) => self.on_recalled(memory),
            Event::Refreshed { attempt, verdict } => self.on_refreshed(attempt, verdict, now, &mut out),
            Event::Rejected { by, generation } => self.refuse(generation, Cause::Rejected, by, now, &mut out),
            Event::Saved { generation } => self.on_saved(generation, now, &mut out),
            Event::SignIn { patience } => self.on_sign_in(patience, now, &mut out),
            Event::SignInFailed { attempt } => self.on_sign_in_failed(attempt),
            Event::SignOut => self.on_sign_out(&mut out),
            Event::SignedIn { attempt, tokens, account } => {
                self.on_signed_in(attempt, tokens, account, now, &mut out)
            }
            Event::Stays => self.ending = false,
            Event::Tick => {}
            Event::VaultEmptied => self.on_vault_emptied(),
            Event::VaultReady => self.on_vault_ready(now),
            Event::Wanted { min_valid, by } => self.on_wanted(min_valid, by, now, &mut out),
            Event::Withheld { attempt, wait, trouble } => {
                self.on_withheld(attempt, wait, trouble, now, &mut out)
            }
            Event::Woke { slept } => self.on_woke(slept, now),
        }
        self.go_on(now, &mut out);
        self.pursue(now, &mut out);
        self.tend_outlook(now, &mut out);
        self.tend_mark(&mut out);
        self.tend_memory(&mut out);
        (self, out)
    }

    /// When [`Event::Tick`] next has something to do. Nothing sets a timer.
    pub fn deadline(&self) -> Option<Timestamp> {
        Duty::ALL.iter().filter_map(|duty| self.due(*duty)).min()
    }

    /// One duty can make another due. Each moves its own date past `now` or removes the fact that made it due, and only
    /// publishing and expiring touch the facts of another, so no duty is done more than twice.
    fn pursue(&mut self, now: Timestamp, out: &mut Vec<Effect>) {
        for _ in 0..MOST_PURSUITS {
            let due = Duty::ALL.into_iter().find(|duty| self.due(*duty).is_some_and(|at| at <= now));
            let Some(duty) = due else { return };
            match duty {
                Duty::CallOff => self.call_off(now, out),
                Duty::CallOffSignIn => self.call_off_sign_in(now, out),
                Duty::Expire => self.lose(Lost::Expired, out),
                Duty::Heartbeat => self.beat(now, out),
                Duty::MissHeartbeat => self.miss_heartbeat(now, out),
                Duty::Publish => self.publish_unsaved(now, out),
                Duty::Refresh => self.refresh_now_due(now, out),
                Duty::Vault => self.tend_vault(out),
                Duty::Warn => self.warn(now, out),
            }
        }
        debug_assert!(false, "the facts make something due again and again: {self:?}");
    }

    pub(super) fn due(&self, duty: Duty) -> Option<Timestamp> {
        match duty {
            Duty::CallOff => self.exchange.as_ref().map(|exchange| exchange.deadline),
            Duty::CallOffSignIn => self.sign_in.as_ref().map(|sign_in| sign_in.deadline),
            Duty::Expire => self.ends_for_good_at(),
            Duty::Heartbeat => self.heartbeat_due(),
            Duty::MissHeartbeat => self.pulse.patience(),
            Duty::Publish => self.unpublished.as_ref().map(|unpublished| unpublished.publish_by),
            Duty::Refresh => self.refresh_due(),
            Duty::Vault => self.vault_due(),
            Duty::Warn => self.warning_due(),
        }
    }

    fn on_woke(&mut self, slept: Duration, now: Timestamp) {
        // The workers slept as well. With no more time, an answer in a socket buffer would lose against a retry.
        for deadline in [
            self.exchange.as_mut().map(|exchange| &mut exchange.deadline),
            self.unpublished.as_mut().map(|unpublished| &mut unpublished.publish_by),
            self.sign_in.as_mut().map(|sign_in| &mut sign_in.deadline),
            self.pulse.in_flight.as_mut().map(|flight| &mut flight.deadline),
        ]
        .into_iter()
        .flatten()
        {
            *deadline = *deadline + slept;
        }
        self.settle = now + self.dice.between(limits::SETTLE / 4, limits::SETTLE);
    }

    /// A whole office may have it back in one moment, so those that nobody waits for take their time.
    fn on_network_up(&mut self, now: Timestamp) {
        let is_waited_for = self.access_token(now, Duration::ZERO).is_none();
        let spread = if is_waited_for { limits::SETTLE / 4 } else { limits::SETTLE };
        self.settle = self.settle.min(now + self.dice.between(Duration::ZERO, spread));
        let soon = now + self.dice.between(Duration::ZERO, spread);
        if let Some(hold) = &mut self.hold
            && hold.trouble.is_about_the_network()
        {
            hold.shorten(soon);
        }
    }

    fn on_about_to_sleep(&mut self) {
        self.dozing = true;
        self.vault.hurry();
    }

    fn on_ending(&mut self) {
        self.ending = true;
        self.vault.hurry();
    }

    fn tend_mark(&mut self, out: &mut Vec<Effect>) {
        if self.marked.is_some() && self.exchange.is_none() && !self.doubt && self.is_saved() {
            self.marked = None;
            out.push(Effect::Unmark);
        }
    }

    fn tend_memory(&mut self, out: &mut Vec<Effect>) {
        if !self.vault.is_read() || self.remembered.is_none() {
            return;
        }
        let memory = Memory {
            user: self.account.user.clone(),
            lost: self.lost,
            lifetime_ms: self.told_lifetime.map(millis),
            overruled: self.overrules_the_vault(),
            generation: self.saved_generation,
            outlook: Box::new(self.outlook.clone()),
        };
        if self.remembered.as_ref() != Some(&memory) {
            self.remembered = Some(memory.clone());
            out.push(Effect::Remember(memory));
        }
    }

    fn ends_for_good_at(&self) -> Option<Timestamp> {
        if self.grant.is_some() || self.lost.is_some() || self.unpublished.is_some() || !self.vault.is_read()
        {
            return None;
        }
        match &self.access {
            None => Some(Timestamp::default()),
            Some(access) if access.rejected => Some(access.received),
            Some(access) if access.source == Source::Assumed => None,
            Some(access) => Some(access.expires),
        }
    }
}

/// In the order in which they are done when several are due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Duty {
    Vault,
    Publish,
    CallOff,
    CallOffSignIn,
    Expire,
    Refresh,
    MissHeartbeat,
    Heartbeat,
    Warn,
}

impl Duty {
    const ALL: [Self; 9] = [
        Self::Vault,
        Self::Publish,
        Self::CallOff,
        Self::CallOffSignIn,
        Self::Expire,
        Self::Refresh,
        Self::MissHeartbeat,
        Self::Heartbeat,
        Self::Warn,
    ];
}

const MOST_PURSUITS: usize = 2 * Duty::ALL.len() + 1;
