//! A strict provider: it rotates refresh tokens, and whoever shows a spent one loses the whole family.

use std::collections::BTreeMap;
use std::time::Duration;

use session::interaction::{Interaction, Need};
use session::tokens::{AccessToken, RefreshToken, Tokens};
use session::verdict::Verdict;

use crate::dice::Dice;

pub(crate) const NEEDS: [Need; 6] =
    [Need::AccountSelection, Need::Consent, Need::Login, Need::Other, Need::Scope, Need::StepUp];

/// How this provider is.
#[derive(Clone, Debug)]
pub(crate) struct Habits {
    /// Milliseconds that an access token lives.
    pub(crate) lifetime: u64,
    /// For how long a token that was just spent brings the same pair once more.
    pub(crate) grace: u64,
    pub(crate) rotates: bool,
    /// Returns the access token that there is until most of its life is over.
    pub(crate) same_access: bool,
    pub(crate) tells_lifetime: bool,
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
    families: Vec<Family>,
    /// Whose refresh token it is.
    owners: BTreeMap<String, usize>,
    access: BTreeMap<String, Granted>,
    issued: u32,
    /// How often a spent token was shown.
    pub(crate) reuses: u32,
}

struct Family {
    alive: bool,
    refresh: String,
    /// The one before it, and when it was spent.
    spent: Option<(String, u64)>,
    access: Option<String>,
    serial: u32,
}

struct Granted {
    family: usize,
    until: u64,
}

impl Provider {
    pub(crate) fn new(habits: Habits) -> Self {
        let (owners, access) = (BTreeMap::new(), BTreeMap::new());
        Self { habits, families: Vec::new(), owners, access, issued: 0, reuses: 0 }
    }

    /// A person has signed in. Some sign-ins bring only one of the two tokens.
    pub(crate) fn sign_in(&mut self, now: u64, dice: &mut Dice) -> Tokens {
        let refresh = format!("r{}.0", self.families.len());
        self.owners.insert(refresh.clone(), self.families.len());
        self.families.push(Family {
            alive: true,
            refresh: refresh.clone(),
            spent: None,
            access: None,
            serial: 0,
        });
        let tokens = self.issue(self.families.len() - 1, now, dice);
        let refresh = Some(RefreshToken::new(refresh));
        match dice.between(0, 9) {
            0 => Tokens { refresh: None, ..tokens },
            1 => Tokens { refresh, ..Tokens::default() },
            _ => Tokens { refresh, ..tokens },
        }
    }

    pub(crate) fn refresh(&mut self, token: &str, now: u64, dice: &mut Dice) -> Verdict {
        let grace = self.habits.grace;
        let Some(&owner) = self.owners.get(token) else { return self.no() };
        let family = &mut self.families[owner];
        if !family.alive {
            return self.no();
        }
        if self.habits.calls_for_people && dice.one_in(15) {
            return Verdict::Interaction(Interaction::of(dice.pick(&NEEDS)));
        }
        if family.refresh != token {
            let in_time =
                family.spent.as_ref().is_some_and(|(spent, at)| spent == token && now <= at + grace);
            if !in_time {
                family.alive = false;
                self.reuses += 1;
                return self.no();
            }
            let tokens = self.current(owner, now);
            return Verdict::Fresh(tokens);
        }
        if self.habits.rotates {
            family.serial += 1;
            let newer = format!("r{owner}.{}", family.serial);
            family.spent = Some((std::mem::replace(&mut family.refresh, newer.clone()), now));
            self.owners.insert(newer, owner);
        }
        let kept = self.habits.same_access && self.is_young(owner, now);
        let mut tokens = if kept { self.current(owner, now) } else { self.issue(owner, now, dice) };
        tokens.refresh = self.habits.rotates.then(|| RefreshToken::new(&*self.families[owner].refresh));
        if self.habits.mangles && dice.one_in(10) {
            tokens.access = None;
        }
        Verdict::Fresh(tokens)
    }

    pub(crate) fn accepts(&self, token: &AccessToken, now: u64) -> bool {
        self.access
            .get(token.expose())
            .is_some_and(|granted| now < granted.until && self.families[granted.family].alive)
    }

    /// Every access token that is out is worth nothing from now on; the refresh tokens stay.
    pub(crate) fn revoke_access(&mut self) {
        self.access.clear();
    }

    /// An administrator ends a session.
    pub(crate) fn end_families(&mut self) {
        self.families.iter_mut().for_each(|family| family.alive = false);
    }

    fn no(&self) -> Verdict {
        if self.habits.mumbles {
            return Verdict::Suspect { status: 401, signature: 7, authentic: true };
        }
        Verdict::Dead
    }

    fn issue(&mut self, owner: usize, now: u64, dice: &mut Dice) -> Tokens {
        let full = self.habits.lifetime;
        let lifetime = if self.habits.uneven { dice.between(full - full / 3, full) } else { full };
        self.issued += 1;
        let name = format!("a{}", self.issued);
        self.access.insert(name.clone(), Granted { family: owner, until: now + lifetime });
        self.families[owner].access = Some(name.clone());
        self.tokens(name, lifetime)
    }

    /// The pair that there is.
    fn current(&self, owner: usize, now: u64) -> Tokens {
        let family = &self.families[owner];
        let name = family.access.clone().unwrap_or_default();
        let left = self.access.get(&name).map_or(0, |granted| granted.until.saturating_sub(now));
        let refresh = Some(RefreshToken::new(&*family.refresh));
        Tokens { refresh, ..self.tokens(name, left) }
    }

    fn is_young(&self, owner: usize, now: u64) -> bool {
        let name = self.families[owner].access.as_ref();
        let granted = name.and_then(|name| self.access.get(name));
        granted.is_some_and(|granted| granted.until > now + self.habits.lifetime / 10)
    }

    fn tokens(&self, name: String, lifetime: u64) -> Tokens {
        let lifetime = self.habits.tells_lifetime.then(|| Duration::from_millis(lifetime));
        Tokens { access: Some(AccessToken::new(name)), lifetime, ..Tokens::default() }
    }
}
