//! The world around one keeper: a clock that only the simulation moves, providers, a network, a vault, people, programs.
//!
//! Nothing ticks. The driver sleeps until somebody's deadline or until something happens, so work that is due and not
//! reported stays undone, and is seen. Sometimes it stops half-way, or nothing would ever interleave.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use session::Session;
use session::callers::Callers;
use session::event::{Asker, Attempt, Event};
use session::lane::Held;
use session::limits;
use session::policy::Policy;
use session::reason::{Trouble, VaultTrouble};
use session::time::Timestamp;
use session::tokens::{Account, RefreshToken};
use session::verdict::Verdict;
use session::view::Phase;

mod calls;
mod calm;
mod deeds;
mod happening;
mod process;
mod reach;
mod trail;
mod vault;

use crate::counter::Counter;
use crate::dice::Dice;
use crate::law::{Law, Verified, broken};
use crate::provider::{Provider, clock_error};
use crate::referee::Referee;
use crate::saboteur::{Bug, Sut};
use crate::scenario::Scenario;
use crate::weather::Weather;

use happening::Mood;
pub(crate) use happening::{Happening, Lost, Outcome, VaultWork};
use reach::Reach;
pub(crate) use reach::Tellers;
use trail::Trace;

pub(crate) struct World {
    pub(crate) scenario: Scenario,
    pub(crate) dice: Dice,
    pub(crate) now: u64,
    queue: BTreeMap<(u64, u64), Happening>,
    serial: u64,
    bug: Option<Bug>,
    hosts: Vec<Host>,
    pub(crate) seats: Vec<Seat>,
    vault_mood: Mood,
    reach: Reach,
    /// How far this machine's wall clock is from the true time, in milliseconds.
    wall: i64,
    calm: bool,
    /// Which process this is.
    process: u32,
    ending: bool,
    pub(crate) steps: u64,
    pub(crate) most: u64,
    pub(crate) awake: u64,
    trail: VecDeque<(u64, usize, Trace)>,
    trail_length: usize,
}

/// A provider.
struct Host {
    provider: Provider,
    weather: Weather,
    /// When machines asked it in vain, since it last answered.
    in_vain: VecDeque<u64>,
}

/// One profile's place in the keeper, and the world as far as only this profile knows it.
pub(crate) struct Seat {
    host: usize,
    /// Which session of this profile it is; what an older one had in flight reaches nobody.
    life: u32,
    sut: Sut,
    policy: Policy,
    callers: Callers<u32, u32, u32>,
    counter: Counter,
    /// Requests on their way to a resource.
    out: BTreeMap<u32, Held<u32>>,
    pub(crate) referee: Referee,
    /// With the generation of the token.
    vault: Option<(RefreshToken, Account, u32)>,
    /// What was in it before, as a backup has it.
    backup: Option<(RefreshToken, Account, u32)>,
    /// The profile points to another server than the one that the vault's token is of.
    moved: bool,
    /// As it was written down, and by a wall clock that was off by so much.
    memory: Option<(String, i64)>,
    /// When the answers to sign-ins came.
    signed_in: BTreeMap<usize, u64>,
    /// A process was misled about the ages of all sign-ins before this one.
    dated_from: usize,
    /// What was sent, and nobody saw what became of it.
    marked: BTreeSet<String>,
    /// Who was sent out and has not reported.
    workers: BTreeMap<Attempt, Asker>,
    vault_works: u32,
    /// Whose workers were called off, and say nothing more.
    called_off: BTreeSet<Attempt>,
    /// The last answer was lost, so the next one is not, in a gentle world.
    lost_one: bool,
    edited: bool,
}

impl World {
    pub(crate) fn new(seed: u64, bug: Option<Bug>) -> Self {
        Self::with(Dice::new(seed), bug)
    }

    pub(crate) fn with(mut dice: Dice, bug: Option<Bug>) -> Self {
        let scenario = Scenario::any(&mut dice);
        let now = dice.between(0, 1 << 36);
        let hosts = scenario.hosts.iter().map(|habits| Host {
            provider: Provider::new(habits.clone()),
            weather: Weather::Good,
            in_vain: VecDeque::new(),
        });
        let hosts = hosts.collect();
        let seats = scenario.seats.iter().map(|plan| {
            let referee = Referee::starting(now, &scenario.hosts[plan.host], &plan.policy);
            let session = Session::new(plan.policy.clone(), dice.next(), referee.time());
            Seat {
                host: plan.host,
                life: 0,
                sut: Sut::new(session, bug),
                policy: plan.policy.clone(),
                callers: Callers::default(),
                counter: Counter::default(),
                out: BTreeMap::new(),
                referee,
                vault: None,
                backup: None,
                moved: false,
                memory: None,
                signed_in: BTreeMap::new(),
                dated_from: 0,
                marked: BTreeSet::new(),
                workers: BTreeMap::new(),
                vault_works: 0,
                called_off: BTreeSet::new(),
                lost_one: false,
                edited: false,
            }
        });
        let seats = seats.collect();
        let mut world = Self {
            hosts,
            seats,
            scenario,
            dice,
            now,
            queue: BTreeMap::new(),
            serial: 0,
            bug,
            vault_mood: Mood::Quick,
            reach: Reach::new(now),
            wall: 0,
            calm: false,
            process: 0,
            ending: false,
            steps: 0,
            most: MOST_STEPS,
            awake: 0,
            trail: VecDeque::new(),
            trail_length: 80,
        };
        let after = world.dice.between(0, 3_000);
        world.later(after, Happening::Words);
        for (happening, after) in world.scenario.first.clone() {
            world.later(after, happening);
        }
        world
    }

    #[must_use]
    pub(crate) fn for_steps(self, most: u64) -> Self {
        Self { most, ..self }
    }

    #[must_use]
    pub(crate) fn with_the_whole_trail(self) -> Self {
        Self { trail_length: usize::MAX, ..self }
    }

    /// Lives through what was planned, then lets the storm pass and sees that everybody is well again.
    pub(crate) fn live(&mut self) -> Verified {
        let start = self.now;
        for seat in 0..self.seats.len() {
            self.tell(seat, Event::Tick)?;
        }
        while self.now < start + self.scenario.horizon && self.steps < self.most {
            self.advance()?;
        }
        for seat in &self.seats {
            seat.referee.check_economy(self.awake.min(self.now - start))?;
        }
        self.calm()
    }

    fn advance(&mut self) -> Verified {
        self.steps += 1;
        self.make_room_for_edits()?;
        let due = (0..self.seats.len()).filter_map(|seat| Some((self.due(seat)?, seat))).min();
        let next = self.queue.keys().next().map(|(at, _)| *at);
        let Some(until) = due.map(|(at, _)| at).into_iter().chain(next).min() else {
            return broken(Law::ItRecovers, "nothing will ever happen again");
        };
        let first = self.seats.iter().filter_map(|seat| seat.patience_ends(self.now)).min();
        if first.is_some_and(|first| first < until) {
            return broken(Law::ACallersTimeIsKept, "nobody looks when somebody's time is over");
        }
        if until > self.now + 2 && !self.calm && self.dice.one_in(8) {
            let half_way = self.dice.between(self.now + 1, until - 1);
            self.pass(half_way);
            return self.meddle();
        }
        self.pass(until);
        if let Some((_, seat)) = due.filter(|(at, _)| *at == until) {
            return self.tell(seat, Event::Tick);
        }
        match self.queue.pop_first() {
            Some((_, happening)) => self.happen(happening),
            None => Ok(()),
        }
    }

    fn due(&self, seat: usize) -> Option<u64> {
        let seat = &self.seats[seat];
        let dates = [seat.sut.deadline(), seat.callers.deadline(seat.sut.session())];
        dates.into_iter().flatten().min().map(|at| at.as_millis())
    }

    fn pass(&mut self, until: u64) {
        self.awake += until.saturating_sub(self.now);
        self.set_clock(self.now.max(until));
    }

    fn set_clock(&mut self, now: u64) {
        self.now = now;
        for seat in &mut self.seats {
            seat.referee.now = now;
        }
    }

    /// Something small, in the middle of everything.
    fn meddle(&mut self) -> Verified {
        let seat = self.any_seat();
        match self.dice.between(0, 9) {
            9 => self.network_up(),
            8 => {
                let generation = self.generation(seat).saturating_sub(1);
                self.tell(seat, Event::Rejected { by: Asker::Machine, generation })
            }
            7 => {
                let generation = self.generation(seat).saturating_sub(1);
                let interaction = self.scenario.interaction(&mut self.dice);
                self.tell(seat, Event::Demanded { generation, interaction })
            }
            6 if self.dice.one_in(20) => self.for_everybody(|_| Some(Event::KeyDeleted)),
            6 if self.dice.one_in(20) => {
                for seat in &mut self.seats {
                    (seat.vault, seat.moved) = (None, false);
                }
                self.for_everybody(|_| Some(Event::VaultEmptied))
            }
            _ => self.call(seat),
        }
    }

    fn happen(&mut self, happening: Happening) -> Verified {
        let gap = self.scenario.gap(&mut self.dice);
        match happening {
            Happening::Answer { seat, life, event, truth } => return self.answer(seat, life, event, &truth),
            Happening::Arrives { seat, life, attempt, token, lost } => {
                self.arrive(seat, life, attempt, &token, lost);
            }
            Happening::Ask(seat) => return self.ask(seat),
            Happening::Awake => {
                self.reach.on_awake(self.now);
                return self.for_everybody(|_| Some(Event::Awake));
            }
            Happening::Call(seat) => {
                if !self.calm {
                    let after = self.scenario.call_gap(seat, &mut self.dice);
                    self.later(after, Happening::Call(seat));
                }
                return self.call(seat);
            }
            Happening::ClockJumps(host) => {
                self.hosts[host].provider.reboot_clock(&mut self.dice);
                self.remark(format!("host {host}: its clock is off by {}", self.hosts[host].provider.off_by));
            }
            Happening::Crash => return self.crash(),
            Happening::Crowd(seat) => return self.crowd(seat),
            Happening::DarkWake(left) => return self.dark_wake(left),
            Happening::Doze => return self.doze(),
            Happening::Edit(seat) => self.seats[seat].edited = true,
            Happening::End => {
                self.ending = true;
                let after = self.dice.between(1_000, 20_000);
                self.later(after, Happening::Stay);
                return self.for_everybody(|_| Some(Event::Ending));
            }
            Happening::Stay => return self.stay_or_end(),
            Happening::EndFamilies(host) => {
                self.remark(format!("host {host}: an administrator ends the sessions"));
                self.hosts[host].provider.end_families();
            }
            Happening::Fetched { seat, life, id, generation, outcome } => {
                return self.fetched(seat, life, id, generation, outcome);
            }
            Happening::Freeze => return self.freeze(),
            Happening::Reach(is_there) => {
                self.set_reach(is_there);
                if !is_there {
                    self.later(gap.min(600_000), Happening::Reach(true));
                }
            }
            Happening::RevokeAccess(host) => {
                self.remark(format!("host {host}: access tokens are revoked"));
                self.hosts[host].provider.revoke_access();
            }
            Happening::SignIn(seat) => {
                let patience = self.dice.pick(&[330, 330, 60, 900]);
                return self.tell(seat, Event::SignIn { patience: Duration::from_secs(patience) });
            }
            Happening::SignOut(seat) => return self.tell(seat, Event::SignOut),
            Happening::Suspend => return self.suspend(),
            Happening::VaultDone { seat, life, work } if life == self.seats[seat].life => {
                return self.vault_done(seat, work);
            }
            Happening::VaultDone { .. } => {}
            Happening::VaultMood => {
                let trouble = self.dice.pick(&TROUBLES);
                self.vault_mood = self.dice.pick(&[
                    Mood::Quick,
                    Mood::Quick,
                    Mood::Slow,
                    Mood::Failing(trouble),
                    Mood::Missing,
                    Mood::Hanging,
                ]);
                self.later(gap, Happening::VaultMood);
                if self.vault_mood == Mood::Quick && self.dice.one_in(2) {
                    return self.for_everybody(|_| Some(Event::VaultReady));
                }
            }
            Happening::Words => return self.hear_words(),
            Happening::WallClock => {
                self.wall = clock_error(&mut self.dice);
                self.remark(format!("the wall clock is off by {}", self.wall));
            }
            Happening::Weather(host) => {
                let weather = Weather::any(&mut self.dice);
                let was = std::mem::replace(&mut self.hosts[host].weather, weather);
                self.later(gap, Happening::Weather(host));
                if was == Weather::Offline && weather == Weather::Good {
                    return self.network_up();
                }
            }
        }
        Ok(())
    }

    fn network_up(&mut self) -> Verified {
        self.reach.on_network_up(self.now);
        for host in &mut self.hosts {
            host.in_vain.clear();
        }
        self.for_everybody(|_| Some(Event::NetworkUp))
    }

    /// Unless the process is killed in the middle.
    fn for_everybody(&mut self, event: impl Fn(&Seat) -> Option<Event>) -> Verified {
        let process = self.process;
        for seat in 0..self.seats.len() {
            if process == self.process
                && let Some(event) = event(&self.seats[seat])
            {
                self.tell(seat, event)?;
            }
        }
        Ok(())
    }

    fn tell(&mut self, seat: usize, event: Event) -> Verified {
        self.trace(seat, Trace::Told(event.clone()));
        if let Event::Refreshed { verdict, .. } = &event {
            // Whoever waited for it asks again at once.
            if !matches!(verdict, Verdict::Fresh(_)) && self.dice.one_in(2) {
                self.later(1, Happening::Call(seat));
            }
        }
        let killed = self.scenario.kills.filter(|_| !self.calm).is_some_and(|kills| self.dice.one_in(kills));
        let place = &mut self.seats[seat];
        let standing = place.referee.hear(&event, place.sut.session());
        let mut effects = place.sut.step(event, place.referee.time());
        for effect in &effects {
            self.trace(seat, Trace::Did(effect.clone()));
        }
        let place = &mut self.seats[seat];
        if killed {
            place.referee.clone().judge(&standing, &effects, &place.sut)?;
            effects.truncate(self.dice.between(0, effects.len() as u64) as usize);
            place.referee.take_down(&effects);
        } else {
            place.referee.judge(&standing, &effects, &place.sut)?;
        }
        for effect in effects {
            self.perform(seat, effect)?;
        }
        if killed {
            return self.crash();
        }
        self.settle(seat)?;
        // Whoever can work is in no hurry.
        let place = &self.seats[seat];
        let session = place.sut.session();
        let lost = matches!(session.phase(), Phase::NeedsLogin { .. });
        let works = session.access_token(place.referee.time(), Duration::ZERO).is_some();
        if lost && !self.calm && self.dice.one_in(if works { 60 } else { 6 }) {
            let after = self.scenario.gap(&mut self.dice);
            self.later(after, Happening::SignIn(seat));
        }
        Ok(())
    }

    fn generation(&self, seat: usize) -> u32 {
        let seat = &self.seats[seat];
        seat.sut.session().view(seat.referee.time()).access.map_or(0, |access| access.generation)
    }

    fn any_seat(&mut self) -> usize {
        self.dice.between(0, self.seats.len() as u64 - 1) as usize
    }

    fn later(&mut self, after: u64, happening: Happening) {
        self.serial += 1;
        self.queue.insert((self.now + after, self.serial), happening);
    }
}

impl Seat {
    /// What the next process believes of the ages of sign-ins may be wrong.
    fn mislead(&mut self) {
        self.dated_from = self.signed_in.last_key_value().map_or(0, |(number, _)| number + 1);
    }

    /// Who asks for a refresh is not kept waiting for a vault that does not answer its first question.
    fn patience_ends(&self, now: u64) -> Option<u64> {
        let unread = match self.sut.session().standing() {
            Phase::Waiting { until, why: Trouble::Vault, failures: 0, .. } => until + limits::VAULT_LOOK,
            _ => Timestamp::default(),
        };
        let waits = self.counter.somebody_waits_for_an_end() && unread.as_millis() > now;
        let unread = waits.then_some(unread.as_millis());
        self.counter.first_deadline().into_iter().chain(unread).min()
    }
}

const TROUBLES: [VaultTrouble; 6] = [
    VaultTrouble::Locked,
    VaultTrouble::Locked,
    VaultTrouble::Absent,
    VaultTrouble::Disk,
    VaultTrouble::Failed,
    VaultTrouble::Slow,
];

/// For a test run; more is for `make soak`.
const MOST_STEPS: u64 = 1_500;
