//! What the world does about an effect: requests on their way, the vault at work, callers, a process that dies.

use std::time::Duration;

use session::Session;
use session::event::{Attempt, Beat, Effect, Event};
use session::reason::{Trouble, VaultTrouble};
use session::tokens::{AccessToken, Account, RefreshToken};
use session::verdict::Verdict;

use super::{Happening, Lost, Mood, VaultWork, World};
use crate::law::Verified;
use crate::saboteur::Sut;
use crate::weather::Fate;

impl World {
    pub(super) fn perform(&mut self, effect: Effect) {
        match effect {
            Effect::Forget => self.begin_vault(VaultWork::Forget),
            Effect::Heartbeat { attempt, token, .. } => self.heartbeat(attempt, &token),
            Effect::Load => self.begin_vault(VaultWork::Load),
            Effect::Note(_) | Effect::Publish { .. } | Effect::Revoke { .. } => {}
            Effect::Refresh { attempt, token, .. } => self.send(attempt, token),
            Effect::Save { generation, token, account } => {
                self.begin_vault(VaultWork::Save(generation, token, account));
            }
            Effect::SignIn { attempt } => self.sign_in(attempt),
        }
    }

    fn send(&mut self, attempt: Attempt, token: RefreshToken) {
        self.refreshing = true;
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
        let late = self.dice.between(80_000, 300_000);
        let (after, verdict) = match lost {
            Lost::No => (back, verdict),
            Lost::Reported => (back, unanswered),
            Lost::Late => (late, verdict),
        };
        self.later(after, Happening::Answer(life, Event::Refreshed { attempt, verdict }));
    }

    /// A caller takes a token, or says that there is none that is good enough.
    pub(super) fn call(&mut self) -> Verified {
        let min_valid = Duration::from_millis(self.dice.pick(&self.scenario.min_valid.clone()));
        let time = self.referee.time();
        let Some(token) = self.sut.session().access_token(time, min_valid).cloned() else {
            return self.tell(Event::Wanted { min_valid });
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
        self.later(after, Happening::Answer(self.life, Event::Rejected { generation }));
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
            Mood::Quick => self.dice.between(1, 50),
            Mood::Slow | Mood::Locked => self.dice.between(500, 10_000),
            Mood::Hanging => self.dice.between(60_000, 600_000),
        };
        self.later(after, Happening::VaultDone(self.life, work));
    }

    pub(super) fn vault_done(&mut self, work: VaultWork) -> Verified {
        if self.vault_mood == Mood::Locked {
            let trouble = VaultTrouble::Locked;
            return self.tell(match work {
                VaultWork::Forget => Event::NotForgotten(trouble),
                VaultWork::Load => Event::NotLoaded(trouble),
                VaultWork::Save(generation, ..) => Event::NotSaved { generation, trouble },
            });
        }
        let event = self.write(work);
        self.tell(event)
    }

    fn write(&mut self, work: VaultWork) -> Event {
        match work {
            VaultWork::Forget => {
                self.vault = None;
                Event::Forgotten
            }
            VaultWork::Load => {
                let (refresh, account) = self.vault.clone().unzip();
                Event::Loaded { refresh, account: account.unwrap_or_default(), interrupted: self.refreshing }
            }
            VaultWork::Save(generation, token, account) => {
                self.vault = Some((token, account));
                Event::Saved { generation }
            }
        }
    }

    /// The process dies. What the vault was at may or may not have been done.
    pub(super) fn crash(&mut self) {
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
        self.life += 1;
        self.referee.restart();
        let session = Session::new(self.scenario.policy.clone(), self.dice.next(), self.referee.time());
        self.sut = Sut::new(session, self.bug);
    }
}
