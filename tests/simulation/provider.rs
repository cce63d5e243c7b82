//! A strict provider: it rotates refresh tokens, and whoever shows a spent one loses the whole family. It answers as real
//! ones do, in HTTP and in a dialect of its own, and by its own clock; what that means is for the product to read.

use std::collections::BTreeMap;

use session::interaction::Need;
use session::tokens::{AccessToken, Tokens};

use crate::dice::Dice;
use crate::wire::{Dialect, Reply, Truth};

pub(crate) const NEEDS: [Need; 6] =
    [Need::AccountSelection, Need::Consent, Need::Login, Need::Other, Need::Scope, Need::StepUp];

/// How this provider is.
#[derive(Clone, Debug, Default)]
pub(crate) struct Habits {
    pub(crate) dialect: Dialect,
    /// Milliseconds that an access token lives.
    pub(crate) lifetime: u64,
    /// For how long a token that was just spent brings the same pair once more.
    pub(crate) grace: u64,
    /// Milliseconds after which an unused refresh token is dead.
    pub(crate) idle: Option<u64>,
    /// Milliseconds after which a sign-in is over, whatever is done with it.
    pub(crate) absolute: Option<u64>,
    /// With each refresh token it says how long that will live.
    pub(crate) tells_ends: bool,
    pub(crate) rotates: bool,
    /// Returns the access token that there is until most of its life is over.
    pub(crate) same_access: bool,
    pub(crate) tells_lifetime: bool,
    /// Its answers have a `Date`.
    pub(crate) dates: bool,
    /// Lifetimes differ from token to token, by up to a third.
    pub(crate) uneven: bool,
    /// Says that a token is dead in a way that nobody can recognise.
    pub(crate) mumbles: bool,
    /// Now and then its access token is of no use, and the refresh token beside it is.
    pub(crate) mangles: bool,
    /// Now and then it wants a person, and the refresh token is as good as before.
    pub(crate) calls_for_people: bool,
    /// Its protected resources do, and say what for.
    pub(crate) demands: bool,
}

pub(crate) struct Provider {
    pub(crate) habits: Habits,
    /// How far its clock is from the true time, in milliseconds.
    pub(crate) off_by: i64,
    families: Vec<Family>,
    /// Whose refresh token it is.
    owners: BTreeMap<String, usize>,
    access: BTreeMap<String, Granted>,
    issued: u32,
    /// How often a spent token was shown.
    pub(crate) reuses: u32,
    /// How many sign-ins have ended because nobody refreshed them.
    pub(crate) idled: u32,
}

struct Family {
    alive: bool,
    began: u64,
    refreshed: u64,
    refresh: String,
    /// The one before it, and when it was spent.
    spent: Option<(String, u64)>,
    access: Option<String>,
    serial: u32,
}

struct Granted {
    family: usize,
    from: u64,
    until: u64,
    /// By a clock that was off by so much.
    off_by: i64,
}

impl Provider {
    pub(crate) fn new(habits: Habits) -> Self {
        Self {
            habits,
            off_by: 0,
            families: Vec::new(),
            owners: BTreeMap::new(),
            access: BTreeMap::new(),
            issued: 0,
            reuses: 0,
            idled: 0,
        }
    }

    /// A person has signed in. Some sign-ins bring only one of the two tokens.
    pub(crate) fn sign_in(&mut self, now: u64, dice: &mut Dice) -> Tokens {
        let owner = self.families.len();
        let refresh = self.name(owner, 0, now, now);
        self.owners.insert(refresh.clone(), owner);
        self.families.push(Family {
            alive: true,
            began: now,
            refreshed: now,
            refresh: refresh.clone(),
            spent: None,
            access: None,
            serial: 0,
        });
        let access = self.issue(owner, now, dice);
        let tokens = self.read(&self.say(&access, owner, Some(&refresh), now));
        match dice.between(0, 9) {
            8 => Tokens { refresh: None, refresh_life: None, ..tokens },
            9 => Tokens { access: None, lifetime: None, ..tokens },
            _ => tokens,
        }
    }

    pub(crate) fn refresh(&mut self, token: &str, now: u64, dice: &mut Dice) -> Reply {
        let grace = self.habits.grace;
        let Some(&owner) = self.owners.get(token) else { return self.no(now) };
        let (idle, absolute) = (self.habits.idle, self.habits.absolute);
        let family = &mut self.families[owner];
        let idled = family.alive && idle.is_some_and(|idle| now > family.refreshed + idle);
        let over = absolute.is_some_and(|absolute| now > family.began + absolute);
        self.idled += u32::from(idled && !over);
        family.alive &= !idled && !over;
        if !family.alive {
            return self.no(now);
        }
        if self.habits.calls_for_people && dice.one_in(15) {
            return self.dated(Reply::needs(dice.pick(&NEEDS)), now);
        }
        if family.refresh != token {
            let in_time =
                family.spent.as_ref().is_some_and(|(spent, at)| spent == token && now <= at + grace);
            if !in_time {
                family.alive = false;
                self.reuses += 1;
                return self.no(now);
            }
            let (access, refresh) = (family.access.clone().unwrap_or_default(), family.refresh.clone());
            return self.say(&access, owner, Some(&refresh), now);
        }
        family.refreshed = now;
        if self.habits.rotates {
            family.serial += 1;
            let (serial, began) = (family.serial, family.began);
            let newer = self.name(owner, serial, began, now);
            let family = &mut self.families[owner];
            family.spent = Some((std::mem::replace(&mut family.refresh, newer.clone()), now));
            self.owners.insert(newer, owner);
        }
        let kept = self.habits.same_access && self.is_young(owner, now);
        let current = self.families[owner].access.clone().unwrap_or_default();
        let access = if kept { current } else { self.issue(owner, now, dice) };
        let refresh = self.habits.rotates.then(|| self.families[owner].refresh.clone());
        if self.habits.mangles && refresh.is_some() && dice.one_in(10) {
            return self.dated(self.habits.dialect.mangled(refresh.as_deref(), dice), now);
        }
        self.say(&access, owner, refresh.as_deref(), now)
    }

    pub(crate) fn accepts(&self, token: &AccessToken, now: u64) -> bool {
        self.access
            .get(token.expose())
            .is_some_and(|granted| now < granted.until && self.families[granted.family].alive)
    }

    /// The sign-in that this refresh token is of, and when that was.
    pub(crate) fn sign_in_of(&self, token: &str) -> Option<(usize, u64)> {
        self.owners.get(token).map(|owner| (*owner, self.families[*owner].began))
    }

    /// Every access token that is out is worth nothing from now on; the refresh tokens stay.
    pub(crate) fn revoke_access(&mut self) {
        self.access.clear();
    }

    /// An administrator ends a session.
    pub(crate) fn end_families(&mut self) {
        self.families.iter_mut().for_each(|family| family.alive = false);
    }

    pub(crate) fn reboot_clock(&mut self, dice: &mut Dice) {
        self.off_by = clock_error(dice);
    }

    fn no(&self, now: u64) -> Reply {
        self.dated(self.habits.dialect.no(self.habits.mumbles), now)
    }

    fn issue(&mut self, owner: usize, now: u64, dice: &mut Dice) -> String {
        let full = self.habits.lifetime;
        let lifetime = if self.habits.uneven { dice.between(full - full / 3, full) } else { full };
        self.issued += 1;
        let name = self.habits.dialect.name(
            &format!("a{}", self.issued),
            self.clock(now),
            Some(lifetime),
            self.habits.dates,
        );
        self.access.insert(
            name.clone(),
            Granted { family: owner, from: now, until: now + lifetime, off_by: self.off_by },
        );
        self.families[owner].access = Some(name.clone());
        name
    }

    fn is_young(&self, owner: usize, now: u64) -> bool {
        let name = self.families[owner].access.as_ref();
        let granted = name.and_then(|name| self.access.get(name));
        granted.is_some_and(|granted| granted.until > now + self.habits.lifetime / 10)
    }

    fn say(&self, access: &str, owner: usize, refresh: Option<&str>, now: u64) -> Reply {
        let Habits { dialect, tells_lifetime, .. } = self.habits;
        let granted = self.access.get(access);
        let left = granted.map_or(0, |granted| granted.until.saturating_sub(now));
        // A JWT says of itself how long it lives, or until when, by the clock that there was when it was made.
        let whole = granted.map_or(0, |granted| granted.until - granted.from);
        let same_clock = granted.is_some_and(|granted| granted.off_by == self.off_by);
        let told = match (dialect.tells_by_itself(), self.habits.dates) {
            (false, _) => tells_lifetime.then_some(left),
            (true, false) => Some(whole),
            (true, true) => same_clock.then_some(left),
        };
        let truth = Truth::Granted {
            refresh: refresh.map(str::to_owned),
            access: Some(access.to_owned()),
            lifetime: told,
        };
        let rest = self.rest(self.families[owner].began, now);
        self.dated(dialect.yes(access, refresh, tells_lifetime.then_some(left), rest, truth), now)
    }

    /// How long a refresh token lives that is given now, where that is told.
    fn rest(&self, began: u64, now: u64) -> Option<u64> {
        let Habits { idle, absolute, tells_ends, .. } = self.habits;
        let left = absolute.map(|absolute| (began + absolute).saturating_sub(now));
        idle.into_iter().chain(left).min().filter(|_| tells_ends)
    }

    fn name(&self, owner: usize, serial: u32, began: u64, now: u64) -> String {
        let Habits { dialect, rotates, .. } = self.habits;
        let rest = self.rest(began, now).filter(|_| rotates);
        dialect.name(&format!("r{owner}.{serial}"), self.clock(now), rest, false)
    }

    fn read(&self, reply: &Reply) -> Tokens {
        match self.habits.dialect.read(reply) {
            session::verdict::Verdict::Fresh(tokens) => tokens,
            other => unreachable!("a good answer is read as {other:?}"),
        }
    }

    fn dated(&self, reply: Reply, now: u64) -> Reply {
        let date = self.habits.dates.then(|| self.clock(now).div_euclid(1_000));
        Reply { date, ..reply }
    }

    /// In milliseconds since 1970, as this provider believes.
    fn clock(&self, now: u64) -> i64 {
        YEAR_2030 + now as i64 + self.off_by
    }
}

/// In milliseconds.
pub(crate) fn clock_error(dice: &mut Dice) -> i64 {
    let years = |n: i64| n * 365 * 86_400_000;
    dice.pick(&[0, 90_000, -90_000, 3_600_000, years(10), years(-10)])
}

const YEAR_2030: i64 = 1_893_456_000_000;
