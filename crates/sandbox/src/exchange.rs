//! One request, and what the server does and counts about it: the same in all dialects.

use axum::body::Bytes;
use axum::http::header;
use axum::http::request::Parts;
use serde_json::Value;

use crate::book::{Book, Fresh, Granted, Refused, Rules};
use crate::broken::Broken;
use crate::clock::Moment;
use crate::counters::Counters;
use crate::ledger::Ledger;
use crate::mint::{Claim, Mint, told_lifetime};
use crate::name::Dialect;
use crate::people::{Person, Stranger};
use crate::reply::Fields;
use crate::settings::{Settings, TokenFormat, ms};
use crate::speech::{Speech, TokenKind};
use crate::tweaks::Tweaks;

pub(crate) struct Exchange<'a> {
    pub(crate) dialect: Dialect,
    pub(crate) speech: &'a Speech,
    pub(crate) asked: &'a Asked,
    pub(crate) tweaks: &'a Tweaks,
    pub(crate) settings: &'a Settings,
    pub(crate) mint: &'a Mint,
    pub(crate) book: &'a mut Book,
    pub(crate) ledger: &'a mut Ledger,
    pub(crate) counters: &'a mut Counters,
}

pub(crate) struct Asked {
    pub(crate) head: Parts,
    pub(crate) body: Bytes,
    pub(crate) now: Moment,
}

impl Exchange<'_> {
    pub(crate) fn sign_in(&mut self, with_access: bool) -> Result<Result<Granted, Stranger>, Broken> {
        let body = self.json();
        let text = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default();
        let person = match Person::sign_in(text("username"), text("password")) {
            Ok(person) => person,
            Err(stranger) => return Ok(Err(stranger)),
        };
        let mut fresh = self.fresh(person)?;
        fresh.access = fresh.access.filter(|_| with_access);
        Ok(Ok(self.begin(person, fresh)))
    }

    pub(crate) fn begin(&mut self, person: Person, fresh: Fresh) -> Granted {
        self.counters.logins += 1;
        self.book.sign_in(person, fresh, &self.rules(), self.now_ms())
    }

    /// Hands out an access token that cannot be refreshed, and returns its family.
    pub(crate) fn lend(&mut self, person: Person, access: String) -> u64 {
        self.counters.logins += 1;
        self.book.lend(person, access, &self.rules(), self.now_ms())
    }

    pub(crate) fn refresh(&mut self, token: Option<&str>) -> Result<Result<Granted, Refused>, Broken> {
        let Some(token) = token else {
            self.counters.refreshes_refused += 1;
            return Ok(Err(Refused::Missing));
        };
        // For a token that is nobody's the book looks no further, so it does not matter whose are made.
        let fresh = self.fresh(self.book.owner(token).unwrap_or(Person::Alice))?;
        Ok(self.renew(token, fresh))
    }

    pub(crate) fn renew(&mut self, token: &str, fresh: Fresh) -> Result<Granted, Refused> {
        let outcome = self.book.refresh(token, fresh, &self.rules(), self.now_ms());
        match &outcome {
            Ok(_) => self.counters.refreshes_granted += 1,
            Err(refused) => {
                self.counters.refreshes_refused += 1;
                if let Refused::Reused { family_revoked } = refused {
                    self.counters.reuse_detected += 1;
                    self.counters.families_revoked += u64::from(*family_revoked);
                }
            }
        }
        outcome
    }

    pub(crate) fn admit(&mut self, token: Option<&str>) -> Result<Person, Refused> {
        let outcome = match token {
            None => Err(Refused::Missing),
            Some(_) if self.tweaks.heartbeat_no => Err(Refused::Revoked),
            Some(token) => self.book.admit(token, self.now_ms()),
        };
        self.counters.unauthorized += u64::from(outcome.is_err());
        outcome
    }

    pub(crate) fn sign_out(&mut self, token: Option<&str>, and_access: bool) -> Result<(), Refused> {
        let token = token.ok_or(Refused::Missing)?;
        self.book.sign_out(token, and_access, self.now_ms())
    }

    /// Does what must be done once only, and says how often it was.
    pub(crate) fn side_effect(&mut self) -> u64 {
        self.counters.side_effects += 1;
        self.counters.side_effects
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.asked.body).unwrap_or_default()
    }

    pub(crate) fn field(&self, name: &str) -> Option<String> {
        self.json().get(name).and_then(Value::as_str).map(str::to_owned)
    }

    pub(crate) fn authorization(&self) -> Option<&str> {
        self.asked.head.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok())
    }

    pub(crate) fn bearer(&self) -> Option<String> {
        let (scheme, token) = self.authorization()?.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim().to_owned())
    }

    pub(crate) fn lifetime(&self) -> Value {
        told_lifetime(ms(self.settings.access_ttl), self.tweaks.expiry)
    }

    pub(crate) fn tokens(&self, fields: Fields) -> Fields {
        self.speech.names.omit(&self.tweaks.omit, fields)
    }

    pub(crate) fn issuer(&self) -> String {
        format!("http://127.0.0.1:{}/oauth", self.settings.port)
    }

    pub(crate) fn now_ms(&self) -> u64 {
        self.asked.now.since_start_ms
    }

    fn fresh(&self, person: Person) -> Result<Fresh, Broken> {
        let settings = &self.settings.dialects[self.dialect];
        let access = self.token(TokenKind::Access, settings.access_format, person)?;
        let refresh = self.token(TokenKind::Refresh, self.speech.refresh_format, person)?;
        Ok(Fresh { access: Some(access), refresh })
    }

    fn token(&self, kind: TokenKind, format: TokenFormat, person: Person) -> Result<String, Broken> {
        let (lifetime, strange) = match kind {
            TokenKind::Access => (self.settings.access_ttl, self.tweaks.expiry),
            TokenKind::Refresh => (self.settings.refresh_ttl, None),
        };
        match format {
            TokenFormat::Opaque => self.mint.opaque(),
            TokenFormat::Jwt => {
                let claim = Claim::new(self.asked.now.unix_s, ms(lifetime), strange)?;
                self.mint.jwt(&(self.speech.claims)(kind, person, &claim))
            }
        }
    }

    fn rules(&self) -> Rules {
        let dialect = &self.settings.dialects[self.dialect];
        Rules {
            access_ttl_ms: ms(self.settings.access_ttl),
            refresh_ttl_ms: ms(self.settings.refresh_ttl),
            session_ttl_ms: ms(self.settings.session_ttl),
            rotation: dialect.rotation,
            grace_ms: ms(dialect.grace),
            refresh_revokes_access: dialect.refresh_revokes_access,
            keep_access: self.tweaks.same_token,
        }
    }
}
