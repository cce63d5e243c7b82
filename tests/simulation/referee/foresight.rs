//! What a session can know of the end of its sign-in, and whether it says so and does what can be done.

use session::Session;
use session::event::Effect;
use session::forecast::{Ends, Ground};
use session::limits;
use session::note::Note;
use session::policy::Policy;
use session::reason::Lost;
use session::time::{Timestamp, millis};
use session::tokens::{RefreshLife, Tokens};

use crate::law::{Law, Verified, broken};
use crate::provider::Habits;

/// Of one sign-in, and of one process but for what says otherwise. Times are in milliseconds.
#[derive(Clone, Default)]
pub(super) struct Foresight {
    policy: Policy,
    since: Option<u64>,
    is_of_this_process: bool,
    renewed: Option<u64>,
    received: u64,
    /// The longest that a refresh token was said to live, if the newest one was said to live for some time.
    told: Option<u64>,
    /// The longest time between two answers.
    rested: u64,
    /// How old the sign-in may have been when its answer came.
    late: u64,
    /// Who has just woken waits for a moment.
    pub(super) settled: u64,
    /// The end that was told of.
    warned: Option<u64>,
    /// When it was refused, and what it was then known to be good for.
    refused: Option<(u64, u64)>,
    /// How often sign-ins of this profile were refused.
    ends: u32,
}

impl Foresight {
    pub(super) fn starting(policy: &Policy) -> Self {
        Self { policy: policy.clone(), ..Self::default() }
    }

    pub(super) fn recall(&mut self, since: Option<(u64, u64)>) {
        self.since = since.map(|(heard, _)| heard);
        self.late = since.map_or(0, |(heard, began)| heard - began);
    }

    pub(super) fn leave(&mut self) {
        *self = Self { ends: self.ends, ..Self::starting(&self.policy) };
    }

    /// It was asked for so long ago.
    pub(super) fn begin(&mut self, tokens: &Tokens, now: u64, ago: u64) {
        self.leave();
        if tokens.refresh.is_some() {
            (self.since, self.late, self.is_of_this_process) = (Some(now), ago, true);
            self.renew(tokens, now, now);
        }
    }

    pub(super) fn renew(&mut self, tokens: &Tokens, asked: u64, now: u64) {
        self.received = now;
        if let Some(renewed) = self.renewed.replace(asked) {
            self.rested = self.rested.max(asked.saturating_sub(renewed));
        }
        self.told = match tokens.refresh_life {
            Some(RefreshLife::For(life)) => self.told.max(Some(millis(life))),
            Some(RefreshLife::Endless) | None => None,
        };
    }

    pub(super) fn refuse(&mut self, now: u64) {
        self.ends += 1;
        self.refused = self.renewed.map(|renewed| (now, renewed));
    }

    pub(super) fn check(
        &mut self,
        effects: &[Effect],
        session: &Session,
        habits: &Habits,
        now: u64,
    ) -> Verified {
        for effect in effects {
            if let Effect::Note(Note::EndsSoon { in_ms, .. }) = effect {
                let end = now + in_ms;
                if self.warned.replace(end).is_some_and(|before| before.abs_diff(end) < 1_000) {
                    return broken(Law::AnEndIsForetold, "a person is told of the same end again");
                }
            }
        }
        let Some(forecast) = session.forecast(Timestamp::from_millis(now)) else {
            return self.check_foretold(session, now);
        };
        if let Some(Ends { in_ms, ground, .. }) = forecast.ends {
            let lasts = match ground {
                Ground::Seen => None,
                Ground::Set => Some(self.policy.sign_in_lasts.map(millis)),
                Ground::Told => Some(habits.absolute),
            };
            let said = now + in_ms;
            let end = lasts.and_then(|lasts| Some(self.since? + lasts?));
            let is_so = match (lasts, self.since) {
                (None, _) | (Some(Some(_)), None) => true,
                (Some(_), _) => end.is_some_and(|end| end.abs_diff(said) <= self.late(habits)),
            };
            if !is_so {
                let what = format!("{ground:?}: it ends at {said}, and really at {end:?}");
                return broken(Law::AForecastIsTrue, &what);
            }
        }
        if let Some(unused) = forecast.unused.filter(|unused| unused.ground == Ground::Told) {
            let least = shortest(habits);
            if least.is_none_or(|least| unused.after_ms > least + 1_000) {
                return broken(Law::AForecastIsTrue, &format!("{unused:?}, and really {least:?}"));
            }
        }
        self.check_foretold(session, now)
    }

    /// When it has to be refreshed, at the latest, although nobody needs it.
    pub(super) fn rests_until(&self, habits: &Habits) -> Option<u64> {
        // The process before was told of as much as this provider ever tells.
        let before = if self.is_of_this_process { None } else { shortest(habits) };
        let told = self.told.filter(|told| self.rested <= *told).map(|told| told.max(before.unwrap_or(0)));
        let limit = told.into_iter().chain(self.policy.refresh_token_idle.map(millis)).min()?;
        let spacing = millis(limits::SPACING_LONGEST);
        let rested = (self.renewed? + limit / 5 * 4).max(self.received + spacing) + 1;
        Some(rested.max(self.settled))
    }

    /// Whether the provider may have ended it because its time was over.
    pub(super) fn explains(&self, why: Lost, habits: &Habits) -> bool {
        let Some((at, renewed)) = self.refused else { return true };
        match why {
            Lost::RanOut => {
                // What has been seen is a guess, and may come true.
                let end = self.since.zip(habits.absolute).map(|(since, lasts)| since + lasts - lasts / 10);
                self.ends > 2 || end.is_none_or(|end| at + self.late(habits) >= end)
            }
            // A token with an end of its own has not been used in time, either.
            Lost::Unused => shortest(habits).is_some_and(|least| at + self.late(habits) >= renewed + least),
            _ => false,
        }
    }

    /// The profile says when it ends, and so it did.
    pub(super) fn was_foretold(&self, habits: &Habits) -> bool {
        // A process that was killed before it wrote the dates down leaves none.
        let since = self.since.filter(|_| self.is_of_this_process);
        let end = since.zip(self.policy.sign_in_lasts).map(|(since, lasts)| since + millis(lasts));
        end.zip(self.refused)
            .is_some_and(|(end, (at, renewed))| at >= end + self.late(habits) && renewed < end)
    }

    /// What is said is said in whole seconds, a request takes its time, and a token that is given once more is older.
    fn late(&self, habits: &Habits) -> u64 {
        self.late + 2_000 + habits.grace
    }

    fn check_foretold(&self, session: &Session, now: u64) -> Verified {
        let Some((since, lasts)) = self.since.zip(self.policy.sign_in_lasts.map(millis)) else {
            return Ok(());
        };
        let end = since + lasts;
        let warning = end - (lasts / 10).min(millis(limits::WARNING));
        // Who is called for something else is not told of it.
        let is_alive = self.refused.is_none() && session.lost().is_none();
        let is_near = self.is_of_this_process && is_alive && now >= warning && now < end;
        if is_near && self.warned.is_none() {
            return broken(Law::AnEndIsForetold, "it ends soon, and nobody is told");
        }
        Ok(())
    }
}

/// What a sign-in lives for at least.
fn shortest(habits: &Habits) -> Option<u64> {
    habits.idle.into_iter().chain(habits.absolute).min()
}
