//! What the world does about an effect: requests on their way, the vault at work, callers, a process that dies.

use std::time::Duration;

use session::Session;
use session::binding::Destination;
use session::event::{Asker, Attempt, Effect, Event, Found};
use session::reason::{Trouble, VaultTrouble};
use session::tokens::{AccessToken, Account, RefreshToken};
use session::verdict::Beat;
use session::verdict::Verdict;

use super::{Happening, Lost, Mood, VaultWork, World};
use crate::law::{Law, Verified, broken};
use crate::saboteur::Sut;
use crate::weather::Fate;

impl World {
    pub(super) fn perform(&mut self, effect: Effect) {
        match effect {
            Effect::Forget => self.begin_vault(VaultWork::Forget),
            Effect::Heartbeat { attempt, token, .. } => self.heartbeat(attempt, &token),
            Effect::Load => self.begin_vault(VaultWork::Load),
            Effect::CallOff { attempt } => self.call_off(attempt),
            Effect::Note(_) | Effect::Publish { .. } | Effect::Revoke { .. } => {}
            Effect::Refresh { attempt, token, by, .. } => self.send(attempt, token, by),
            Effect::Remember(memory) => self.memory = memory,
            Effect::Save { generation, token, account } => {
                self.begin_vault(VaultWork::Save(generation, token, account));
            }
            Effect::SignIn { attempt } => self.sign_in(attempt),
            Effect::Mark { token } => self.marked = Some(token),
            Effect::Unmark => self.marked = None,
        }
    }

    /// A worker that is called off reports at once, and says nothing after that. One that has tokens in hand, or a
    /// person at its page, may go on all the same.
    fn call_off(&mut self, attempt: Attempt) {
        let signing_in = self.sut.session().signing_in() == Some(attempt);
        if signing_in && self.dice.one_in(2) {
            return;
        }
        let event = if signing_in {
            Event::SignInFailed { attempt }
        } else {
            Event::Refreshed { attempt, verdict: timed_out() }
        };
        let answer = Happening::Answer(self.life, event);
        self.later(self.dice.clone().between(1, 50), answer);
        self.called_off.insert(attempt);
    }

    /// What a worker would say that has been called off.
    pub(super) fn is_silenced(&self, event: &Event) -> bool {
        match event {
            Event::Refreshed { attempt, verdict } => {
                self.called_off.contains(attempt) && *verdict != timed_out()
            }
            Event::SignedIn { attempt, .. } => self.called_off.contains(attempt),
            _ => false,
        }
    }

    fn send(&mut self, attempt: Attempt, token: RefreshToken, by: Asker) {
        // Now and then the host is being left alone; a person passes.
        if by == Asker::Machine && !self.scenario.gentle && !self.calm && self.dice.one_in(20) {
            let wait = Duration::from_millis(self.dice.between(1_000, 300_000));
            let withheld = Happening::Answer(self.life, Event::Withheld { attempt, wait });
            return self.later(1, withheld);
        }
        let there = self.dice.between(5, 400);
        let lost = match self.fate() {
            Fate::Answered => Lost::No,
            Fate::AnswerLost => Lost::Reported,
            Fate::AnswerLate => Lost::Late,
            Fate::Instead(verdict) => {
                let answer = Happening::Answer(self.life, Event::Refreshed { attempt, verdict });
                return self.later(there, answer);
            }
            Fate::Vanished => return,
        };
        self.later(there, Happening::Arrives(self.life, attempt, token, lost));
    }

    /// In a gentle scenario the network is good but for single lost answers, or the grace could not help.
    fn fate(&mut self) -> Fate {
        if !self.scenario.gentle {
            return self.weather.fate(&mut self.dice);
        }
        self.lost_one = !self.lost_one && self.dice.one_in(4);
        if self.lost_one { Fate::AnswerLost } else { Fate::Answered }
    }

    pub(super) fn arrive(&mut self, life: u32, attempt: Attempt, token: &RefreshToken, lost: Lost) {
        let verdict = self.provider.refresh(token.expose(), self.now, &mut self.dice);
        let unanswered = Verdict::Transient { trouble: Trouble::Unanswered, status: None, retry_after: None };
        let back = self.dice.between(5, 400);
        let late = self.dice.between(20_000, 200_000);
        let (after, verdict) = match lost {
            Lost::No => (back, verdict),
            Lost::Reported => (back, unanswered),
            Lost::Late => (late, verdict),
        };
        let answer = Happening::Answer(life, Event::Refreshed { attempt, verdict });
        // Whatever is told twice, or belongs to what is long over, must change nothing.
        if !self.scenario.gentle && self.dice.one_in(12) {
            let again = after + self.dice.between(1_000, 200_000);
            self.later(again, answer.clone());
        }
        self.later(after, answer);
    }

    /// A caller takes a token, or says that there is none that is good enough.
    pub(super) fn call(&mut self) -> Verified {
        let min_valid = Duration::from_millis(self.dice.pick(&self.scenario.min_valid.clone()));
        let time = self.referee.time();
        let Some(token) = self.sut.session().access_token(time, min_valid).cloned() else {
            let by = if self.dice.one_in(5) { Asker::Person } else { Asker::Machine };
            return self.tell(Event::Wanted { min_valid, by });
        };
        let generation = self.generation();
        let after = self.dice.between(5, 2_000);
        if self.provider.accepts(&token, self.now) {
            if self.scenario.habits.demands && self.dice.one_in(12) {
                let interaction = self.scenario.interaction(&mut self.dice);
                let demanded = Event::Demanded { generation, interaction };
                self.later(after, Happening::Answer(self.life, demanded));
            }
            return Ok(());
        }
        self.later(after, Happening::Answer(self.life, Event::Rejected { by: Asker::Machine, generation }));
        Ok(())
    }

    fn heartbeat(&mut self, attempt: Attempt, token: &AccessToken) {
        let beat = if !self.scenario.gentle && !self.weather.lets_through() {
            Beat::Silent { trouble: Trouble::Offline, status: None }
        } else if self.provider.accepts(token, self.now) {
            Beat::Good
        } else {
            Beat::SaysNo
        };
        let after = self.dice.between(5, 1_000);
        self.later(after, Happening::Answer(self.life, Event::Beaten { attempt, beat }));
    }

    fn sign_in(&mut self, attempt: Attempt) {
        let after = self.dice.magnitude(500, 400_000);
        let event = if self.dice.one_in(4) {
            Event::SignInFailed { attempt }
        } else {
            let tokens = self.provider.sign_in(self.now + after, &mut self.dice);
            Event::SignedIn { attempt, tokens, account: Account::named(&format!("u{}", self.serial)) }
        };
        self.later(after, Happening::Answer(self.life, event));
    }

    fn begin_vault(&mut self, work: VaultWork) {
        let after = match self.vault_mood {
            Mood::Quick | Mood::Missing => self.dice.between(1, 50),
            Mood::Slow | Mood::Locked => self.dice.between(500, 10_000),
            Mood::Hanging => self.dice.between(60_000, 600_000),
        };
        self.later(after, Happening::VaultDone(self.life, work));
    }

    pub(super) fn vault_done(&mut self, work: VaultWork) -> Verified {
        if self.vault_mood == Mood::Locked {
            let trouble = VaultTrouble::Locked;
            if matches!(work, VaultWork::Load) {
                self.tell(Event::Recalled(self.memory.clone()))?;
            }
            return self.tell(match work {
                VaultWork::Forget => Event::NotForgotten(trouble),
                VaultWork::Load => Event::NotLoaded(trouble),
                VaultWork::Save(generation, ..) => Event::NotSaved { generation, trouble },
            });
        }
        if self.vault_mood == Mood::Missing && matches!(work, VaultWork::Load) && self.vault.is_some() {
            self.tell(Event::Recalled(self.memory.clone()))?;
            return self.tell(Event::NotLoaded(VaultTrouble::Gone));
        }
        let event = self.write(work);
        self.tell(event)
    }

    fn write(&mut self, work: VaultWork) -> Event {
        match work {
            VaultWork::Forget => {
                (self.vault, self.backup) = (None, None);
                Event::Forgotten
            }
            VaultWork::Load => {
                let memory = self.memory.clone();
                let (found, interrupted) = match self.vault.clone() {
                    Some(_) if self.moved => (Found::Elsewhere(vec![Destination::Token]), false),
                    Some((refresh, account, generation)) => {
                        let interrupted = self.marked.as_ref() == Some(&refresh);
                        (Found::Token { refresh, account, generation }, interrupted)
                    }
                    None => (Found::Nothing, false),
                };
                Event::Loaded { found, memory, interrupted }
            }
            VaultWork::Save(generation, token, account) => {
                self.backup = self.vault.replace((token, account, generation));
                self.moved = false;
                Event::Saved { generation }
            }
        }
    }

    /// The process dies. What the vault was at may or may not have been done.
    pub(super) fn crash(&mut self) -> Verified {
        if let Some((token, _, _)) = &self.vault
            && !self.moved
            && self.referee.may_be_spent(token)
            && self.marked.as_ref() != Some(token)
        {
            return broken(Law::TheMarkStaysWhileInDoubt, "the next process will not know that it was sent");
        }
        self.remark("the process dies, and a new one starts");
        let works: Vec<VaultWork> = self
            .queue
            .values()
            .filter_map(|happening| match happening {
                Happening::VaultDone(life, work) if *life == self.life => Some(work.clone()),
                _ => None,
            })
            .collect();
        for work in works {
            if self.dice.one_in(2) {
                self.write(work);
            }
        }
        if self.vault.is_some() && self.backup.is_some() && self.dice.one_in(12) {
            self.remark("somebody restores a backup of the vault");
            self.vault = self.backup.take();
        }
        self.life += 1;
        self.called_off.clear();
        self.moved = self.moved || self.dice.one_in(8);
        self.referee.restart();
        let session = Session::new(self.scenario.policy.clone(), self.dice.next(), self.referee.time());
        self.sut = Sut::new(session, self.bug);
        Ok(())
    }
}

fn timed_out() -> Verdict {
    Verdict::Transient { trouble: Trouble::TimedOut, status: None, retry_after: None }
}
