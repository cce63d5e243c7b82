//! Who holds which token in one dialect: a pure state machine. Tokens and the time are arguments. A spent refresh token
//! that comes back is a thief's, or an honest client's whose answer was lost: rotations and grace differ in it.

mod outcome;

use std::collections::HashMap;

use crate::people::Person;
use crate::settings::Rotation;

pub use self::outcome::Revoked;
pub(crate) use self::outcome::{Granted, Refused, Standing};

#[derive(Default)]
pub(crate) struct Book {
    access: HashMap<String, Access>,
    refresh: HashMap<String, Refresh>,
    families: u64,
}

#[derive(Clone, Debug)]
pub(crate) struct Fresh {
    /// Absent where signing in gives only a refresh token.
    pub(crate) access: Option<String>,
    pub(crate) refresh: String,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules {
    pub(crate) access_ttl_ms: u64,
    pub(crate) refresh_ttl_ms: u64,
    pub(crate) session_ttl_ms: u64,
    pub(crate) rotation: Rotation,
    pub(crate) grace_ms: u64,
    pub(crate) refresh_revokes_access: bool,
    pub(crate) keep_access: bool,
}

impl Book {
    pub(crate) fn sign_in(&mut self, person: Person, fresh: Fresh, rules: &Rules, now: u64) -> Granted {
        self.forget_the_long_expired(now);
        self.families += 1;
        let family = self.families;
        self.shelve_access(fresh.access.clone(), person, family, rules, now);
        let ends = now.saturating_add(rules.session_ttl_ms);
        self.shelve_refresh(fresh.refresh.clone(), person, Session { family, ends }, rules, now);
        Granted { person, family, access: fresh.access, refresh: fresh.refresh, rotated: true }
    }

    pub(crate) fn lend(&mut self, person: Person, access: String, rules: &Rules, now: u64) -> u64 {
        self.forget_the_long_expired(now);
        self.families += 1;
        self.shelve_access(Some(access), person, self.families, rules, now);
        self.families
    }

    /// Exchanges a refresh token. `fresh` is used as far as the rules ask for new tokens.
    pub(crate) fn refresh(
        &mut self,
        token: &str,
        fresh: Fresh,
        rules: &Rules,
        now: u64,
    ) -> Result<Granted, Refused> {
        let (person, Session { family, ends }) = match self.refresh.get(token) {
            None => return Err(self.stranger(token)),
            Some(known) if known.expires <= now => return Err(Refused::Expired),
            Some(known) => match &known.state {
                State::Live => (known.person, Session { family: known.family, ends: known.ends }),
                State::Revoked => return Err(Refused::Revoked),
                State::Spent { at, answer } => {
                    if now < at.saturating_add(rules.grace_ms) {
                        return Ok(answer.clone());
                    }
                    let family = known.family;
                    return Err(self.reused(family, rules));
                }
            },
        };
        self.forget_the_long_expired(now);
        let kept = if rules.keep_access { self.newest_access(family) } else { None };
        let access = match kept {
            Some(kept) => Some(kept),
            None => {
                if rules.refresh_revokes_access {
                    self.revoke_access(|access| access.family == family);
                }
                self.shelve_access(fresh.access.clone(), person, family, rules, now);
                fresh.access
            }
        };
        if rules.rotation == Rotation::Off {
            return Ok(Granted { person, family, access, refresh: token.to_owned(), rotated: false });
        }
        let answer = Granted { person, family, access, refresh: fresh.refresh.clone(), rotated: true };
        self.shelve_refresh(fresh.refresh, person, Session { family, ends }, rules, now);
        if let Some(spent) = self.refresh.get_mut(token) {
            spent.state = State::Spent { at: now, answer: answer.clone() };
        }
        Ok(answer)
    }

    pub(crate) fn admit(&self, token: &str, now: u64) -> Result<Person, Refused> {
        match self.access.get(token) {
            None if self.refresh.contains_key(token) => Err(Refused::WrongKind),
            None => Err(Refused::Unknown),
            Some(known) if known.revoked => Err(Refused::Revoked),
            Some(known) if known.expires <= now => Err(Refused::Expired),
            Some(known) => Ok(known.person),
        }
    }

    /// How long the newest refresh token of the session lives.
    pub(crate) fn refresh_left(&self, family: u64, now: u64) -> Option<u64> {
        let live = self.refresh.values().filter(|known| known.family == family);
        let expires =
            live.filter(|known| matches!(known.state, State::Live)).map(|known| known.expires).max();
        expires.map(|expires| expires.saturating_sub(now))
    }

    /// Whose refresh token this is, good or not.
    pub(crate) fn owner(&self, refresh: &str) -> Option<Person> {
        self.refresh.get(refresh).map(|known| known.person)
    }

    pub(crate) fn family(&self, token: &str) -> Option<u64> {
        let refresh = self.refresh.get(token).map(|known| known.family);
        refresh.or_else(|| self.access.get(token).map(|known| known.family))
    }

    pub(crate) fn standing(&self, token: &str, now: u64) -> Option<Standing> {
        let access = self.access.get(token).filter(|known| !known.revoked).map(|known| Standing {
            is_access: true,
            person: known.person,
            family: known.family,
            left_ms: known.expires.saturating_sub(now),
        });
        let refresh = || self.refresh.get(token).filter(|known| matches!(known.state, State::Live));
        let standing = access.or_else(|| {
            refresh().map(|known| Standing {
                is_access: false,
                person: known.person,
                family: known.family,
                left_ms: known.expires.saturating_sub(now),
            })
        });
        standing.filter(|standing| standing.left_ms > 0)
    }

    pub(crate) fn end_access(&mut self, token: &str) {
        if let Some(known) = self.access.get_mut(token) {
            known.revoked = true;
        }
    }

    pub(crate) fn end_family(&mut self, family: u64) -> Revoked {
        Revoked {
            access: self.revoke_access(|token| token.family == family),
            refresh: self.revoke_refresh(|token| token.family == family),
        }
    }

    /// Signs out: the refresh token dies. Its access tokens live on unless `and_access`.
    pub(crate) fn sign_out(&mut self, token: &str, and_access: bool, now: u64) -> Result<(), Refused> {
        let family = match self.refresh.get_mut(token) {
            None => return Err(self.stranger(token)),
            Some(known) if known.expires <= now => return Err(Refused::Expired),
            Some(known) => match known.state {
                State::Revoked | State::Spent { .. } => return Err(Refused::Revoked),
                State::Live => {
                    known.state = State::Revoked;
                    known.family
                }
            },
        };
        if and_access {
            self.revoke_access(|access| access.family == family);
        }
        Ok(())
    }

    pub(crate) fn revoke(&mut self, access: bool, refresh: bool, person: Option<Person>) -> Revoked {
        let meant = |owner: Person| person.is_none_or(|person| person == owner);
        Revoked {
            access: if access { self.revoke_access(|token| meant(token.person)) } else { 0 },
            refresh: if refresh { self.revoke_refresh(|token| meant(token.person)) } else { 0 },
        }
    }

    fn reused(&mut self, family: u64, rules: &Rules) -> Refused {
        let family_revoked = rules.rotation == Rotation::Strict;
        if family_revoked {
            self.end_family(family);
        }
        Refused::Reused { family_revoked }
    }

    fn stranger(&self, refresh: &str) -> Refused {
        if self.access.contains_key(refresh) { Refused::WrongKind } else { Refused::Unknown }
    }

    fn newest_access(&self, family: u64) -> Option<String> {
        let of_family = self.access.iter().filter(|(_, known)| known.family == family && !known.revoked);
        of_family.max_by_key(|(_, known)| known.expires).map(|(token, _)| token.clone())
    }

    fn revoke_access(&mut self, meant: impl Fn(&Access) -> bool) -> usize {
        let tokens = self.access.values_mut().filter(|token| !token.revoked && meant(token));
        tokens.map(|token| token.revoked = true).count()
    }

    fn revoke_refresh(&mut self, meant: impl Fn(&Refresh) -> bool) -> usize {
        let mut live = 0;
        for token in self.refresh.values_mut().filter(|token| meant(token)) {
            live += usize::from(matches!(token.state, State::Live));
            token.state = State::Revoked;
        }
        live
    }

    fn shelve_access(&mut self, token: Option<String>, person: Person, family: u64, rules: &Rules, now: u64) {
        let Some(token) = token else { return };
        let expires = now.saturating_add(rules.access_ttl_ms);
        self.access.insert(token, Access { person, family, expires, revoked: false });
    }

    fn shelve_refresh(&mut self, token: String, person: Person, of: Session, rules: &Rules, now: u64) {
        let Session { family, ends } = of;
        let expires = now.saturating_add(rules.refresh_ttl_ms).min(ends);
        self.refresh.insert(token, Refresh { person, family, expires, ends, state: State::Live });
    }

    fn forget_the_long_expired(&mut self, now: u64) {
        if self.access.len() > REMEMBERED {
            self.access.retain(|_, known| known.expires.saturating_add(AN_HOUR_MS) > now);
        }
        if self.refresh.len() > REMEMBERED {
            self.refresh.retain(|_, known| known.expires.saturating_add(AN_HOUR_MS) > now);
        }
    }
}

#[derive(Clone, Copy)]
struct Session {
    family: u64,
    ends: u64,
}

struct Access {
    person: Person,
    family: u64,
    expires: u64,
    revoked: bool,
}

struct Refresh {
    person: Person,
    family: u64,
    expires: u64,
    /// When its session does.
    ends: u64,
    state: State,
}

enum State {
    Live,
    Revoked,
    /// Exchanged. The answer is kept, to be given again within the grace.
    Spent {
        at: u64,
        answer: Granted,
    },
}

/// An expired token is told apart from garbage; beyond so many tokens, only for an hour.
const REMEMBERED: usize = 10_000;
const AN_HOUR_MS: u64 = 3_600_000;

#[cfg(test)]
mod tests;
