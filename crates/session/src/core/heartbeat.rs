//! Asks the provider every few minutes whether the token is still good. A token that it says no to is replaced; each
//! further no in a row doubles the pause, because some introspection endpoints say no to all tokens of some clients.

use alloc::vec::Vec;
use core::time::Duration;

use super::event::{Asker, Attempt, Effect};
use super::facts::{Flight, Session};
use super::note::Note;
use crate::limits;
use crate::reason::{Cause, Trouble};
use crate::time::{Timestamp, millis};
use crate::verdict::Beat;

impl Session {
    pub(super) fn heartbeat_due(&self) -> Option<Timestamp> {
        let beats =
            self.access.is_some() && self.lost.is_none() && !self.rests() && self.pulse.in_flight.is_none();
        beats.then(|| self.pulse.next_at.max(self.settle))
    }

    pub(super) fn beat(&mut self, now: Timestamp, out: &mut Vec<Effect>) {
        self.pulse.next_at = now + self.pause_between_beats();
        let Some(access) = &self.access else { return };
        let good = access.is_good(now, Duration::ZERO);
        // A refresh in flight says more than a heartbeat could, and some providers end the old token with it.
        if !good || !self.policy.probe || self.refreshing().is_some() {
            return;
        }
        let (token, generation) = (access.token.clone(), access.generation);
        let attempt = self.next_attempt();
        let deadline = now + self.policy.exchange + limits::REPORT;
        self.pulse.in_flight = Some(Flight { attempt, generation, began: now, deadline });
        out.push(Effect::Heartbeat { attempt, token, generation });
    }

    pub(super) fn on_beaten(&mut self, attempt: Attempt, beat: Beat, now: Timestamp, out: &mut Vec<Effect>) {
        let Some(flight) = self.pulse.in_flight.take_if(|flight| flight.attempt == attempt) else { return };
        let took_ms = millis(now.since(flight.began));
        let current = self.access.as_ref().is_some_and(|access| access.generation == flight.generation);
        match beat {
            Beat::Good => {
                self.pulse.last = Some((true, now));
                self.pulse.noes = 0;
                self.pulse.next_at = flight.began + self.pause_between_beats();
                out.push(Effect::Note(Note::Heartbeat { good: true, took_ms }));
            }
            Beat::SaysNo if current => {
                self.pulse.last = Some((false, now));
                self.pulse.noes = self.pulse.noes.saturating_add(1);
                self.pulse.next_at = flight.began + self.pause_between_beats();
                out.push(Effect::Note(Note::Heartbeat { good: false, took_ms }));
                self.refuse(flight.generation, Cause::HeartbeatSaidNo, Asker::Machine, now, out);
            }
            Beat::SaysNo => {}
            Beat::Silent { trouble, status } => {
                out.push(Effect::Note(Note::HeartbeatUnanswered { trouble, status }));
            }
        }
    }

    /// The first no lengthens nothing, because that token may really have been dead.
    fn pause_between_beats(&self) -> Duration {
        let usual = self.policy.heartbeat.max(limits::HEARTBEAT_SHORTEST);
        let doublings = self.pulse.noes.saturating_sub(1).min(MOST_DOUBLINGS);
        usual.saturating_mul(1 << doublings).min(usual.max(limits::HEARTBEAT_LONGEST))
    }

    pub(super) fn miss_heartbeat(&mut self, now: Timestamp, out: &mut Vec<Effect>) {
        let Some(flight) = &self.pulse.in_flight else { return };
        let attempt = flight.attempt;
        self.on_beaten(attempt, Beat::Silent { trouble: Trouble::TimedOut, status: None }, now, out);
    }
}

const MOST_DOUBLINGS: u32 = 24;
