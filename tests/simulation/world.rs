//! The world around one session: a clock that only the simulation moves, a provider, a network, a vault, people.
//!
//! Nothing ticks. The driver sleeps until the session's deadline or until something happens, so work that is due and
//! not reported stays undone, and is seen. Sometimes it stops half-way, or nothing would ever interleave.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use session::Session;
use session::event::{Asker, Attempt, Effect, Event, Memory};
use session::tokens::{Account, RefreshToken};
use session::verdict::Verdict;
use session::view::Phase;

mod deeds;

use crate::dice::Dice;
use crate::law::{Law, Verified, broken};
use crate::provider::Provider;
use crate::referee::Referee;
use crate::saboteur::{Bug, Sut};
use crate::scenario::Scenario;
use crate::weather::Weather;

pub(crate) struct World {
    pub(crate) scenario: Scenario,
    pub(crate) dice: Dice,
    pub(crate) now: u64,
    queue: BTreeMap<(u64, u64), Happening>,
    serial: u64,
    sut: Sut,
    bug: Option<Bug>,
    /// Which process this is; what an older one had in flight reaches nobody.
    life: u32,
    pub(crate) provider: Provider,
    /// With the generation of the token.
    vault: Option<(RefreshToken, Account, u32)>,
    /// What was in it before, as a backup has it.
    backup: Option<(RefreshToken, Account, u32)>,
    /// The profile points to another server than the one that the vault's token is of.
    moved: bool,
    memory: Memory,
    /// Some process has sent a token of which nobody saw what became.
    marked: Option<RefreshToken>,
    /// Whose workers were called off, and say nothing more.
    called_off: BTreeSet<Attempt>,
    weather: Weather,
    vault_mood: Mood,
    lost_one: bool,
    calm: bool,
    referee: Referee,
    pub(crate) steps: u64,
    pub(crate) awake: u64,
    trail: VecDeque<(u64, Trace)>,
}

#[derive(Clone, Debug)]
pub(crate) enum Happening {
    /// The session is told, if its process still lives.
    Answer(u32, Event),
    /// A request reaches the provider.
    Arrives(u32, Attempt, RefreshToken, Lost),
    Ask,
    /// The machine is asleep no more, or does not sleep after all.
    Awake,
    Call,
    Crash,
    /// The system says that it is about to sleep, which it may do or not.
    Doze,
    /// Somebody wants the process to end; it stays.
    End,
    EndFamilies,
    RevokeAccess,
    SignIn,
    SignOut,
    Stay,
    Suspend,
    VaultDone(u32, VaultWork),
    VaultMood,
    Weather,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lost {
    No,
    Reported,
    Late,
}

#[derive(Clone, Debug)]
pub(crate) enum VaultWork {
    Forget,
    Load,
    Save(u32, RefreshToken, Account),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mood {
    Quick,
    Slow,
    Locked,
    /// It writes, and cannot read what is there: the key is another.
    Missing,
    Hanging,
}

#[derive(Clone, Debug)]
enum Trace {
    Did(Effect),
    Told(Event),
    World(&'static str),
}

impl World {
    pub(crate) fn new(seed: u64, bug: Option<Bug>) -> Self {
        let mut dice = Dice::new(seed);
        let scenario = Scenario::any(&mut dice);
        let now = dice.between(0, 1 << 36);
        let referee = Referee::starting(now);
        let session = Session::new(scenario.policy.clone(), dice.next(), referee.time());
        let mut world = Self {
            provider: Provider::new(scenario.habits.clone()),
            sut: Sut::new(session, bug),
            scenario,
            dice,
            now,
            queue: BTreeMap::new(),
            serial: 0,
            bug,
            life: 0,
            vault: None,
            backup: None,
            moved: false,
            memory: Memory::default(),
            marked: None,
            called_off: BTreeSet::new(),
            weather: Weather::Good,
            vault_mood: Mood::Quick,
            lost_one: false,
            calm: false,
            referee,
            steps: 0,
            awake: 0,
            trail: VecDeque::new(),
        };
        for (happening, after) in world.scenario.first.clone() {
            world.later(after, happening);
        }
        world
    }

    /// The last thirty things that happened.
    pub(crate) fn trail(&self) -> String {
        let mut trail = format!("{:?}\n", self.scenario);
        for (at, trace) in self.trail.iter().skip(self.trail.len().saturating_sub(30)) {
            trail += &match trace {
                Trace::Did(effect) => format!("{at:>14}       → {effect:?} {}\n", named(effect)),
                Trace::Told(event) => format!("{at:>14}  {event:?}\n"),
                Trace::World(what) => format!("{at:>14}  ({what})\n"),
            };
        }
        trail + &format!("{:?}", self.sut.session())
    }

    /// Lives through what was planned, then lets the storm pass and sees that the session is well again.
    pub(crate) fn live(&mut self) -> Verified {
        let start = self.now;
        self.tell(Event::Tick)?;
        while self.now < start + self.scenario.horizon && self.steps < self.scenario.steps {
            self.advance()?;
        }
        self.check_economy(start)?;
        self.calm()
    }

    fn advance(&mut self) -> Verified {
        let due = self.sut.deadline().map(|at| at.as_millis());
        let next = self.queue.keys().next().map(|(at, _)| *at);
        let Some(until) = due.into_iter().chain(next).min() else {
            return broken(Law::ItRecovers, "nothing will ever happen again");
        };
        let due_first = due.is_some_and(|due| due == until);
        if until > self.now + 2 && self.dice.one_in(8) {
            let half_way = self.dice.between(self.now + 1, until - 1);
            self.pass(half_way);
            return self.meddle();
        }
        self.pass(until);
        if due_first {
            return self.tell(Event::Tick);
        }
        match self.queue.pop_first() {
            Some((_, happening)) => self.happen(happening),
            None => Ok(()),
        }
    }

    fn pass(&mut self, until: u64) {
        self.awake += until.saturating_sub(self.now);
        self.now = self.now.max(until);
        self.referee.now = self.now;
    }

    /// Something small, in the middle of everything.
    fn meddle(&mut self) -> Verified {
        match self.dice.between(0, 9) {
            0 => self.tell(Event::NetworkUp),
            1 => {
                let generation = self.generation().saturating_sub(1);
                self.tell(Event::Rejected { by: Asker::Machine, generation })
            }
            2 => {
                let generation = self.generation().saturating_sub(1);
                let interaction = self.scenario.interaction(&mut self.dice);
                self.tell(Event::Demanded { generation, interaction })
            }
            3 if self.dice.one_in(20) => self.tell(Event::KeyDeleted),
            3 if self.dice.one_in(20) => {
                (self.vault, self.moved) = (None, false);
                self.tell(Event::VaultEmptied)
            }
            _ => self.call(),
        }
    }

    fn happen(&mut self, happening: Happening) -> Verified {
        let gap = self.scenario.gap(&mut self.dice);
        match happening {
            Happening::Answer(life, event) if life == self.life && !self.is_silenced(&event) => {
                return self.tell(event);
            }
            Happening::Answer(..) => {}
            Happening::Arrives(life, attempt, token, lost) => self.arrive(life, attempt, &token, lost),
            Happening::Ask => {
                let by = if self.dice.one_in(4) { Asker::Machine } else { Asker::Person };
                return self.tell(Event::Asked { by });
            }
            Happening::Call => {
                let after = self.scenario.call_gap(&mut self.dice);
                self.later(after, Happening::Call);
                return self.call();
            }
            Happening::Crash => {
                self.crash()?;
                return self.tell(Event::Tick);
            }
            Happening::Doze => {
                if self.dice.one_in(2) {
                    self.later(self.dice.clone().between(1, 5_000), Happening::Suspend);
                }
                self.later(self.dice.clone().between(5_000, 30_000), Happening::Awake);
                return self.tell(Event::AboutToSleep);
            }
            Happening::Awake => return self.tell(Event::Awake),
            Happening::End => {
                self.later(self.dice.clone().between(1_000, 20_000), Happening::Stay);
                return self.tell(Event::Ending);
            }
            Happening::Stay => return self.tell(Event::Stays),
            Happening::EndFamilies => {
                self.remark("an administrator ends the session");
                self.provider.end_families();
            }
            Happening::RevokeAccess => {
                self.remark("access tokens are revoked");
                self.provider.revoke_access();
            }
            Happening::SignIn => {
                return {
                    let patience = self.dice.pick(&[60, 330, 330, 900]);
                    self.tell(Event::SignIn { patience: Duration::from_secs(patience) })
                };
            }
            Happening::SignOut => return self.tell(Event::SignOut),
            Happening::Suspend => return self.suspend(),
            Happening::VaultDone(life, work) if life == self.life => return self.vault_done(work),
            Happening::VaultDone(..) => {}
            Happening::VaultMood => {
                self.vault_mood = self.dice.pick(&[
                    Mood::Quick,
                    Mood::Quick,
                    Mood::Slow,
                    Mood::Locked,
                    Mood::Missing,
                    Mood::Hanging,
                ]);
                self.later(gap, Happening::VaultMood);
                if self.vault_mood == Mood::Quick && self.dice.one_in(2) {
                    return self.tell(Event::VaultReady);
                }
            }
            Happening::Weather => {
                let was = std::mem::replace(&mut self.weather, Weather::any(&mut self.dice));
                self.later(gap, Happening::Weather);
                if was == Weather::Offline && self.weather == Weather::Good {
                    return self.tell(Event::NetworkUp);
                }
            }
        }
        Ok(())
    }

    fn tell(&mut self, event: Event) -> Verified {
        self.steps += 1;
        self.trace(Trace::Told(event.clone()));
        if let Event::Refreshed { verdict, .. } = &event {
            // Whoever waited for it asks again at once.
            if !matches!(verdict, Verdict::Fresh(_)) && self.dice.one_in(2) {
                self.later(1, Happening::Call);
            }
        }
        let standing = self.referee.hear(&event, self.sut.session());
        let effects = self.sut.step(event, self.referee.time());
        for effect in &effects {
            self.trace(Trace::Did(effect.clone()));
        }
        self.referee.judge(&standing, &effects, &self.sut)?;
        for effect in effects {
            self.perform(effect);
        }
        // Whoever can work is in no hurry.
        let session = self.sut.session();
        let lost = matches!(session.phase(), Phase::NeedsLogin { .. });
        let works = session.access_token(self.referee.time(), Duration::ZERO).is_some();
        if lost && !self.calm && self.dice.one_in(if works { 60 } else { 6 }) {
            let after = self.scenario.gap(&mut self.dice);
            self.later(after, Happening::SignIn);
        }
        Ok(())
    }

    /// The machine sleeps: the session is told of it before anything that happened meanwhile.
    fn suspend(&mut self) -> Verified {
        let slept = self.dice.magnitude(1_000, 12 * 3_600_000);
        self.remark("the machine sleeps");
        self.now += slept;
        self.referee.now = self.now;
        self.referee.slept += slept;
        self.tell(Event::Woke { slept: Duration::from_millis(slept) })
    }

    fn calm(&mut self) -> Verified {
        self.remark("the storm has passed");
        self.calm = true;
        self.weather = Weather::Good;
        self.vault_mood = Mood::Quick;
        self.queue.retain(|_, happening| {
            matches!(
                happening,
                Happening::Answer(..)
                    | Happening::Arrives(..)
                    | Happening::Awake
                    | Happening::Stay
                    | Happening::VaultDone(..)
            )
        });
        let begun = self.now;
        while !self.is_well() {
            // What was on its way may still bring a reason to rest.
            if self.now > self.referee.rests_until.max(begun) + self.scenario.longest_rest() {
                return broken(Law::ItRecovers, "still not well");
            }
            let due = self.sut.deadline().map(|at| at.as_millis());
            if due.is_none() && self.queue.is_empty() {
                return broken(Law::ItRecovers, "it sleeps, and is not well");
            }
            self.advance()?;
        }
        if self.scenario.gentle && self.provider.reuses > 0 {
            return broken(Law::AGraceSavesTheSession, "a lost answer has cost a session");
        }
        Ok(())
    }

    fn is_well(&self) -> bool {
        let session = self.sut.session();
        let time = self.referee.time();
        match session.phase() {
            Phase::NeedsLogin { why } if !self.referee.is_demand(why) => true,
            // What a resource demands is no excuse: the tokens go on.
            Phase::Fresh | Phase::NeedsLogin { .. } => {
                session.access_token(time, Duration::ZERO).is_some() && session.view(time).saved
            }
            Phase::Refreshing { .. } | Phase::SigningIn | Phase::Waiting { .. } => false,
        }
    }

    fn check_economy(&self, start: u64) -> Verified {
        let habits = &self.scenario.habits;
        if habits.same_access || !habits.tells_lifetime {
            return Ok(());
        }
        let shortest = if habits.uneven { habits.lifetime - habits.lifetime / 3 } else { habits.lifetime };
        let lifetimes = self.awake.min(self.now - start) / shortest + 1;
        let (made, allowed) = (self.referee.refreshes, 2 * lifetimes + self.referee.excused);
        if made <= allowed {
            return Ok(());
        }
        broken(
            Law::RefreshesAreFew,
            &format!("{made} refreshes in {lifetimes} lifetimes, {allowed} would do"),
        )
    }

    fn generation(&self) -> u32 {
        self.sut.session().view(self.referee.time()).access.map_or(0, |access| access.generation)
    }

    fn later(&mut self, after: u64, happening: Happening) {
        self.serial += 1;
        self.queue.insert((self.now + after, self.serial), happening);
    }

    fn remark(&mut self, what: &'static str) {
        self.trace(Trace::World(what));
    }

    fn trace(&mut self, trace: Trace) {
        if self.trail.len() == 60 {
            self.trail.pop_front();
        }
        self.trail.push_back((self.now, trace));
    }
}

/// Which token it is; types that cannot print are a riddle in a trail.
fn named(effect: &Effect) -> &str {
    match effect {
        Effect::Refresh { token, .. } | Effect::Save { token, .. } => token.expose(),
        _ => "",
    }
}
