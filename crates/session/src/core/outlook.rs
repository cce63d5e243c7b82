//! What is known of the end of a sign-in. Providers end one that is not refreshed for some time, or however often it is
//! refreshed; some tell when, with each refresh token. A told end that moves with the refreshes is of the first kind,
//! and one that stays of the second. The ends of earlier sign-ins are a ground too, once two agree: a single one may be
//! a revocation, which looks the same.

use alloc::vec::Vec;
use core::time::Duration;

use serde::{Deserialize, Serialize};

use super::moment::Moment;
use super::policy::Policy;
use crate::forecast::Ground;
use crate::limits;
use crate::reason::Lost;
use crate::time::{Timestamp, millis};
use crate::tokens::RefreshLife;

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Outlook {
    since: Option<Moment>,
    /// The generations of the first refresh token of this sign-in, and of the newest of all that there were.
    first: u32,
    newest: u32,
    /// When the refresh token was last seen to be good.
    renewed: Option<Moment>,
    /// The longest time between two such moments.
    longest_rest_ms: u64,
    /// The longest that no wall clock had a part in.
    measured_rest_ms: u64,
    told: Option<Told>,
    pub(super) is_warned: bool,
    /// What the journal was told of.
    pub(super) noted: Option<Kind>,
    /// Of earlier sign-ins, the newest last.
    ends: Vec<End>,
}

/// The journal is told when another ground replaces this one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Kind {
    pub(super) ends: Option<Ground>,
    pub(super) unused: Option<Ground>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ending {
    pub(super) at: Timestamp,
    pub(super) lasts: Duration,
    pub(super) ground: Ground,
    pub(super) times: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Told {
    life_ms: u64,
    from: Moment,
    /// Of this sign-in. A life that gets shorter towards a fixed end is no reason to refresh ever more often.
    longest_ms: u64,
    /// Whether the end stays where it is although the token was refreshed.
    is_fixed: Option<bool>,
}

/// How old a sign-in was that the provider refused, and how long it had not been refreshed by then.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct End {
    age_ms: u64,
    rest_ms: u64,
    longest_rest_ms: u64,
}

impl Outlook {
    pub(super) fn begin(&mut self, first: u32, told: Option<RefreshLife>, now: Timestamp) {
        self.leave();
        self.since = Some(Moment::at(now));
        self.first = first;
        self.renew(told, first, now);
    }

    /// Nothing is known of the dates of a sign-in any more.
    pub(super) fn leave(&mut self) {
        let (ends, noted, newest) = (core::mem::take(&mut self.ends), self.noted, self.newest);
        *self = Self { ends, noted, newest, ..Self::default() };
    }

    /// The sign-ins before this one were not known yet, nor that their refresh tokens have the numbers up to `last`.
    pub(super) fn succeed(&mut self, before: Self, last: u32) {
        self.first = self.first.saturating_add(last);
        self.newest = self.newest.saturating_add(last);
        self.noted = self.noted.or(before.noted);
        let own = core::mem::replace(&mut self.ends, before.ends);
        self.ends.extend(own);
        self.ends.drain(..self.ends.len().saturating_sub(MOST_ENDS));
    }

    /// The refresh token was good. `newest` is of the one that came with the answer, or its own.
    pub(super) fn renew(&mut self, told: Option<RefreshLife>, newest: u32, now: Timestamp) {
        let is_replaced = newest > self.newest;
        self.newest = newest;
        if let Some(renewed) = self.renewed {
            let rest = millis(renewed.age(now));
            self.forget_what_was_outlived(rest, now);
            self.longest_rest_ms = self.longest_rest_ms.max(rest);
            if renewed.is_of_this_process() {
                self.measured_rest_ms = self.measured_rest_ms.max(rest);
            }
        }
        self.renewed = Some(Moment::at(now));
        self.told = match (told, self.told) {
            (Some(RefreshLife::Endless), _) => None,
            (Some(RefreshLife::For(life)), _) if life > limits::REMEMBERED => None,
            (Some(RefreshLife::For(life)), before) => {
                Some(Told::new(life.max(limits::REFRESH_LIFE_SHORTEST), before, now))
            }
            // Some providers say it at the sign-in only. Then it is true of every new token, and a token that stays has
            // the end that it had.
            (None, Some(told)) if is_replaced && told.is_fixed != Some(true) => {
                Some(Told { from: Moment::at(now), ..told })
            }
            (None, Some(told)) if !is_replaced => Some(Told { is_fixed: Some(true), ..told }),
            (None, told) => told,
        };
    }

    /// The provider refused the refresh token, for whatever reason. If it was not due yet, its rest was no reason: it was
    /// refused, or wanted, in the middle of an ordinary one.
    pub(super) fn learn_of_an_end(&mut self, was_due: bool, now: Timestamp) {
        let (Some(since), Some(renewed)) = (self.since, self.renewed) else { return };
        if self.ends.len() >= MOST_ENDS {
            self.ends.remove(0);
        }
        let [age_ms, rest_ms] = [since, renewed].map(|moment| millis(moment.age(now)));
        let longest_rest_ms = if was_due { self.longest_rest_ms } else { rest_ms };
        self.ends.push(End { age_ms, rest_ms, longest_rest_ms });
    }

    /// What a refusal now was to be expected for.
    pub(super) fn explains(&self, policy: &Policy, now: Timestamp) -> Option<Lost> {
        let ends = self.ending(policy).is_some_and(|ending| {
            let early = match ending.ground {
                Ground::Seen => ending.lasts / TENTH,
                Ground::Set | Ground::Told => (ending.lasts / 100).max(limits::TELLING),
            };
            ending.at.before(early) <= now
        });
        if ends {
            return Some(Lost::RanOut);
        }
        let (limit, ground) = self.unused(policy)?;
        let rest = self.renewed?.age(now);
        (ground != Ground::Seen && rest >= limit).then_some(Lost::Unused)
    }

    /// The earliest end that no refresh puts off, of those that were not outlived.
    pub(super) fn ending(&self, policy: &Policy) -> Option<Ending> {
        let told =
            self.told.filter(|told| told.is_fixed == Some(true) && self.lived(told.from) < told.life());
        let told = told.map(|told| {
            let at = told.ends_at();
            let lasts = self.since.map_or(told.longest(), |since| since.age(at));
            Ending { at, lasts, ground: Ground::Told, times: 0 }
        });
        let of = |lasts: Duration, ground, times| {
            let since = self.since.filter(|since| self.lived(*since) < lasts)?;
            Some(Ending { at: since.after(lasts), lasts, ground, times })
        };
        let set = policy.sign_in_lasts.and_then(|lasts| of(lasts, Ground::Set, 0));
        let seen = self.usual_life().and_then(|(lasts, times)| of(lasts, Ground::Seen, times));
        [told, set, seen].into_iter().flatten().min_by_key(|ending| ending.at)
    }

    /// From then to when the refresh token was last seen to be good.
    fn lived(&self, from: Moment) -> Duration {
        let [from, renewed] =
            [Some(from), self.renewed].map(|moment| moment.map(|it| it.age(Timestamp::MAX)));
        from.zip(renewed).map_or(Duration::ZERO, |(from, renewed)| from.saturating_sub(renewed))
    }

    /// How long a sign-in lives without a refresh.
    pub(super) fn unused(&self, policy: &Policy) -> Option<(Duration, Ground)> {
        let told = self.told.filter(|told| told.is_fixed != Some(true));
        self.limits(policy, told).min_by_key(|(limit, _)| *limit)
    }

    pub(super) fn kind(&self, policy: &Policy) -> Option<Kind> {
        let told = self.told.filter(|told| told.is_fixed == Some(false));
        let unused = self.limits(policy, told).min_by_key(|(limit, _)| *limit).map(|(_, ground)| ground);
        let ends = self.ending(policy).map(|ending| ending.ground);
        (ends.is_some() || unused.is_some()).then_some(Kind { ends, unused })
    }

    /// When it is refreshed although nobody needs it: after half of what it may rest, or up to a quarter later, so that a
    /// fleet does not march in step.
    pub(super) fn rest_ends_at(&self, policy: &Policy) -> Option<Timestamp> {
        // Also towards an end that seems to be fixed, which is a guess. It costs one refresh in half of that time.
        let (limit, _) = self.limits(policy, self.told).min_by_key(|(limit, _)| *limit)?;
        Some(self.renewed?.after(policy.rest(limit)))
    }

    /// When it has rested for so long.
    pub(super) fn rests_for(&self, time: Duration) -> Timestamp {
        self.renewed.map_or(Timestamp::MAX, |renewed| renewed.after(time))
    }

    /// What is left until it would end for want of a refresh.
    pub(super) fn left_unused(&self, policy: &Policy, now: Timestamp) -> Option<Duration> {
        let (limit, _) = self.unused(policy)?;
        let left = limit.saturating_sub(self.renewed?.age(now));
        (!left.is_zero()).then_some(left)
    }

    /// For the next process.
    pub(super) fn as_of(&self, now: Timestamp) -> Self {
        let as_of = |moment: Moment| moment.as_of(now);
        let told = self.told.map(|told| Told { from: told.from.as_of(now), ..told });
        Self { since: self.since.map(as_of), renewed: self.renewed.map(as_of), told, ..self.clone() }
    }

    pub(super) fn resumed(self, now: Timestamp, away: Duration) -> Self {
        let resumed = |moment: Moment| moment.resumed(now, away);
        let told = self.told.and_then(|told| Some(Told { from: resumed(told.from)?, ..told }));
        Self { since: self.since.and_then(resumed), renewed: self.renewed.and_then(resumed), told, ..self }
    }

    /// No later token has had this number, or a lower one.
    pub(super) fn newest(&self) -> u32 {
        self.newest
    }

    /// Whether a token that was found is of this sign-in, or the dates are of another one. Whoever is killed between
    /// saving a token and writing its dates leaves a newer one.
    pub(super) fn is_of(&self, generation: u32) -> bool {
        (self.first..=self.newest).contains(&generation)
    }

    fn limits(&self, policy: &Policy, told: Option<Told>) -> impl Iterator<Item = (Duration, Ground)> {
        let of = |limit: Option<Duration>, ground| limit.map(|limit| (limit, ground));
        // Whatever is said: it has rested for longer.
        let told = told.map(Told::longest).filter(|told| self.measured_rest_ms <= millis(*told + *told / 2));
        let all = [
            of(told, Ground::Told),
            of(policy.refresh_token_idle, Ground::Set),
            of(self.fatal_rest(), Ground::Seen),
        ];
        all.into_iter().flatten()
    }

    /// A limit that was outlived is none.
    fn forget_what_was_outlived(&mut self, rest: u64, now: Timestamp) {
        let age = self.since.map_or(0, |since| millis(since.age(now)));
        self.told = self.told.filter(|told| told.is_over_since(now) <= told.longest() / 2);
        self.ends.retain(|end| {
            let outlived = if end.is_of_rest() { rest > end.rest_ms } else { age > beyond(end.age_ms) };
            !outlived
        });
    }

    /// What the newest ends agree about, and how many do.
    fn usual_life(&self) -> Option<(Duration, u32)> {
        let mut lives = self.ends.iter().rev().filter(|end| !end.is_of_rest()).map(|end| end.age_ms);
        let newest = lives.next()?;
        let agreeing = lives.take_while(|life| newest.abs_diff(*life) <= newest / u64::from(TENTH));
        let (shortest, times) =
            agreeing.fold((newest, 1), |(shortest, times), life| (shortest.min(life), times + 1));
        (times >= A_HABIT).then_some((Duration::from_millis(shortest), times))
    }

    /// The limit is somewhere below it.
    fn fatal_rest(&self) -> Option<Duration> {
        let rests = || self.ends.iter().filter(|end| end.is_of_rest()).map(|end| end.rest_ms);
        let shortest = rests().min()?;
        (rests().count() >= A_HABIT as usize).then_some(Duration::from_millis(shortest))
    }
}

impl Told {
    fn new(life: Duration, before: Option<Self>, now: Timestamp) -> Self {
        let life_ms = millis(life);
        let Some(before) = before else {
            return Self { life_ms, from: Moment::at(now), longest_ms: life_ms, is_fixed: None };
        };
        let elapsed = before.from.age(now);
        // An answer that is given once more tells of the same end again.
        if elapsed < limits::REPEATED.min(before.life() / 2) {
            return before;
        }
        let moved = (now + life).since(before.ends_at());
        let is_fixed = Some(moved < elapsed / 2);
        Self { life_ms, from: Moment::at(now), longest_ms: before.longest_ms.max(life_ms), is_fixed }
    }

    fn ends_at(self) -> Timestamp {
        self.from.after(self.life())
    }

    fn is_over_since(self, now: Timestamp) -> Duration {
        self.from.age(now).saturating_sub(self.life())
    }

    fn life(self) -> Duration {
        Duration::from_millis(self.life_ms)
    }

    fn longest(self) -> Duration {
        Duration::from_millis(self.longest_ms)
    }
}

impl End {
    /// It had never rested for so long, which may have been the reason. A refresh in between will show it.
    fn is_of_rest(&self) -> bool {
        self.rest_ms > self.longest_rest_ms.saturating_add(self.longest_rest_ms / 2)
    }
}

fn beyond(ms: u64) -> u64 {
    ms.saturating_add(ms / u64::from(TENTH))
}

/// One refusal is not a law.
const A_HABIT: u32 = 2;

/// Ends agree that are closer to each other than this part of a life.
const TENTH: u32 = 10;

const MOST_ENDS: usize = 4;
