//! What OAuth remembers beside its book: pages that are out, requests that were pushed, codes, what was agreed at
//! each sign-in, which proofs were seen. A pure state machine, as the book is: strings that somebody else made come
//! in, and so does the time.

use std::collections::{BTreeMap, HashMap};

use super::authorize::Request;
use super::clients::{Client, Scopes};
use super::devices::Devices;
use crate::jose::sha256;
use crate::people::Person;

#[derive(Default)]
pub(crate) struct Ledger {
    pub(super) pages: Shelf<Page>,
    pub(super) pushed: Shelf<Request>,
    pub(super) codes: Codes,
    pub(crate) devices: Devices,
    /// What each access token is good for.
    pub(super) lent: Shelf<Lent>,
    /// Proofs of possession that were seen.
    pub(super) proofs: Shelf<()>,
    pub(super) server_nonce: Nonces,
    pub(super) resource_nonce: Nonces,
    agreed: BTreeMap<u64, Terms>,
}

/// A form that was shown, and the browser it was shown to.
#[derive(Clone, Debug)]
pub(super) struct Page {
    pub(super) cookie: String,
    /// `None` for the page where a device's code is entered.
    pub(super) request: Option<Request>,
}

/// What was agreed at a sign-in. It holds for all tokens that come from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Terms {
    pub(super) client: Client,
    pub(super) person: Person,
    pub(super) scopes: Scopes,
    /// The key that the refresh token is bound to.
    pub(super) jkt: Option<String>,
    pub(super) nonce: Option<String>,
    /// The client asked for the stricter sign-in.
    pub(super) stepped_up: bool,
    pub(super) signed_in_s: i64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Lent {
    pub(super) scopes: Scopes,
    /// The key that the access token is bound to.
    pub(super) jkt: Option<String>,
}

/// Things that are good for a while, by name.
pub(super) struct Shelf<T>(HashMap<String, (u64, T)>);

#[derive(Default)]
pub(super) struct Codes(HashMap<String, Code>);

struct Code {
    request: Request,
    person: Person,
    signed_in_s: i64,
    until: u64,
    state: CodeState,
}

#[derive(Clone, Copy)]
enum CodeState {
    Live,
    /// Somebody tried it without knowing what belongs to it.
    Burnt,
    /// Exchanged, for the tokens of this family.
    Spent(u64),
}

/// A code that is not good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct BadCode {
    /// What came of it the first time: to be revoked, since it is in two hands.
    pub(super) family: Option<u64>,
}

/// The nonce that is given out now, and the one before.
#[derive(Default)]
pub(super) struct Nonces {
    current: Option<(String, u64)>,
    before: Option<String>,
}

impl Ledger {
    pub(super) fn agree(&mut self, family: u64, terms: Terms) {
        self.agreed.insert(family, terms);
        if self.agreed.len() > REMEMBERED {
            self.agreed.pop_first();
        }
    }

    pub(super) fn agreed(&self, family: u64) -> Option<&Terms> {
        self.agreed.get(&family)
    }
}

impl<T> Shelf<T> {
    /// Says whether the name was free.
    pub(super) fn put(&mut self, name: String, thing: T, until: u64, now: u64) -> bool {
        if self.0.len() >= REMEMBERED {
            self.0.retain(|_, (until, _)| *until > now);
        }
        let there_before = self.0.insert(name, (until, thing));
        there_before.is_none_or(|(until, _)| until <= now)
    }

    pub(super) fn see(&self, name: &str, now: u64) -> Option<&T> {
        self.0.get(name).filter(|(until, _)| *until > now).map(|(_, thing)| thing)
    }

    pub(super) fn take(&mut self, name: &str, now: u64) -> Option<T> {
        self.0.remove(name).filter(|(until, _)| *until > now).map(|(_, thing)| thing)
    }
}

impl Codes {
    pub(super) fn issue(
        &mut self,
        code: String,
        request: Request,
        person: Person,
        signed_in_s: i64,
        (now, ttl_ms): (u64, u64),
    ) {
        if self.0.len() >= REMEMBERED {
            self.0.retain(|_, known| known.until.saturating_add(AN_HOUR_MS) > now);
        }
        let until = now.saturating_add(ttl_ms);
        self.0.insert(code, Code { request, person, signed_in_s, until, state: CodeState::Live });
    }

    /// Exchanges a code for what was agreed on, once.
    pub(super) fn redeem(
        &mut self,
        code: &str,
        client: Client,
        redirect: &str,
        verifier: &str,
        now: u64,
    ) -> Result<Terms, BadCode> {
        let known = self.0.get_mut(code).ok_or(BadCode { family: None })?;
        match known.state {
            CodeState::Live if known.until > now => {}
            CodeState::Live | CodeState::Burnt => return Err(BadCode { family: None }),
            CodeState::Spent(family) => return Err(BadCode { family: Some(family) }),
        }
        let request = &known.request;
        let belongs = request.client == client && request.redirect == redirect;
        if !belongs || request.challenge != sha256(verifier.as_bytes()) {
            known.state = CodeState::Burnt;
            return Err(BadCode { family: None });
        }
        Ok(Terms {
            client,
            person: known.person,
            scopes: request.scopes.clone(),
            jkt: request.jkt.clone(),
            nonce: request.nonce.clone(),
            stepped_up: request.stepped_up,
            signed_in_s: known.signed_in_s,
        })
    }

    pub(super) fn spend(&mut self, code: &str, family: u64) {
        if let Some(known) = self.0.get_mut(code) {
            known.state = CodeState::Spent(family);
        }
    }
}

impl Nonces {
    /// The nonce to give out; `fresh` if it is time for another.
    pub(super) fn current(&mut self, fresh: String, ttl_ms: u64, now: u64) -> String {
        match self.current.take() {
            Some((nonce, since)) if now < since.saturating_add(ttl_ms) => {
                self.current = Some((nonce.clone(), since));
                nonce
            }
            stale => {
                // One that nobody was given for two terms is no longer good either.
                let in_time = |since: u64| now < since.saturating_add(ttl_ms.saturating_mul(2));
                self.before = stale.filter(|(_, since)| in_time(*since)).map(|(nonce, _)| nonce);
                self.current = Some((fresh.clone(), now));
                fresh
            }
        }
    }

    /// Whether it is the one that [`Self::current`] gave out last, or the one before.
    pub(super) fn knows(&self, nonce: &str) -> bool {
        let current = self.current.as_ref().map(|(nonce, _)| nonce.as_str());
        current == Some(nonce) || self.before.as_deref() == Some(nonce)
    }
}

impl<T> Default for Shelf<T> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

const REMEMBERED: usize = 10_000;
const AN_HOUR_MS: u64 = 3_600_000;

#[cfg(test)]
mod tests;
