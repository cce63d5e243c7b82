//! The API behind the tokens, and how it says no (RFC 6750, 9449, 9470).

use axum::http::{HeaderValue, StatusCode, header};

use super::dpop::{self, Role};
use super::refusal::{DPOP_NONCE, Refusal, Stop, json, with_text};
use super::tokens::subject;
use super::words::STEPPED_UP;
use crate::book::Refused;
use crate::broken::Broken;
use crate::exchange::Exchange;
use crate::ledger::{Scopes, Terms};
use crate::people::{Orders, Person};
use crate::reply::{Fields, Reply};
use crate::settings::Dpop;

pub(super) fn userinfo(exchange: &mut Exchange<'_>) -> Result<Reply, Broken> {
    behind(exchange, |_, visitor| {
        let scoped = |scope: &str, value: &'static str| visitor.scopes.has(scope).then_some(value);
        visitor.needs("openid")?;
        let profile = visitor.person.profile();
        let fields = Fields::default()
            .with("sub", subject(visitor.person))
            .with_some("name", scoped("profile", profile.name))
            .with_some("preferred_username", scoped("profile", profile.username))
            .with_some("email", scoped("email", profile.email))
            .with_some("email_verified", visitor.scopes.has("email").then_some(true));
        Ok(json(StatusCode::OK, &fields))
    })
}

pub(super) fn profile(exchange: &mut Exchange<'_>) -> Result<Reply, Broken> {
    behind(exchange, |_, visitor| Ok(json(StatusCode::OK, &visitor.person.profile())))
}

pub(super) fn orders(exchange: &mut Exchange<'_>) -> Result<Reply, Broken> {
    behind(exchange, |_, visitor| Ok(json(StatusCode::OK, &Orders { orders: visitor.person.orders() })))
}

pub(super) fn take_note(exchange: &mut Exchange<'_>) -> Result<Reply, Broken> {
    behind(exchange, |exchange, _| {
        let note = Fields::default().with("id", exchange.side_effect()).with("note", exchange.json());
        Ok(json(StatusCode::CREATED, &note))
    })
}

pub(super) fn reports(exchange: &mut Exchange<'_>) -> Result<Reply, Broken> {
    behind(exchange, |_, visitor| {
        visitor.needs("reports")?;
        Ok(json(StatusCode::OK, &Fields::default().with("reports", serde_json::json!([]))))
    })
}

pub(super) fn safe(exchange: &mut Exchange<'_>) -> Result<Reply, Broken> {
    behind(exchange, |exchange, visitor| {
        if visitor.terms.stepped_up {
            return Ok(json(StatusCode::OK, &Fields::default().with("contents", "a pocket watch")));
        }
        exchange.counters.unauthorized += 1;
        let why = "this needs another kind of sign-in";
        let challenge = format!(
            "{}, error=\"insufficient_user_authentication\", error_description=\"{why}\", \
             acr_values=\"{STEPPED_UP}\"",
            visitor.scheme.realm()
        );
        let refusal = Refusal::new(StatusCode::UNAUTHORIZED, "insufficient_user_authentication", why);
        Err(refusal.challenging(challenge).into())
    })
}

/// A good access token, refused all the same.
pub(super) fn refused() -> Reply {
    invalid_token(Scheme::Bearer, "the access token is expired, revoked or unknown").reply()
}

struct Visitor {
    person: Person,
    scopes: Scopes,
    terms: Terms,
    scheme: Scheme,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scheme {
    Bearer,
    Dpop,
}

impl Visitor {
    fn needs(&self, scope: &'static str) -> Result<(), Refusal> {
        if self.scopes.has(scope) {
            return Ok(());
        }
        let why = "the access token is not for this";
        let challenge = format!(
            "{}, error=\"insufficient_scope\", error_description=\"{why}\", scope=\"{scope}\"",
            self.scheme.realm()
        );
        Err(Refusal::new(StatusCode::FORBIDDEN, "insufficient_scope", why).challenging(challenge))
    }
}

impl Scheme {
    fn realm(self) -> &'static str {
        match self {
            Self::Bearer => "Bearer realm=\"sandbox\"",
            Self::Dpop => "DPoP realm=\"sandbox\", algs=\"ES256\"",
        }
    }
}

fn behind(
    exchange: &mut Exchange<'_>,
    answer: fn(&mut Exchange<'_>, &Visitor) -> Result<Reply, Stop>,
) -> Result<Reply, Broken> {
    let Some((scheme, token)) = credentials(exchange) else {
        let _missing = exchange.admit(None);
        return Ok(nobody(exchange.settings.oauth.dpop));
    };
    let outcome = match admitted(exchange, scheme, &token) {
        Ok(visitor) => answer(exchange, &visitor),
        Err(stop) => Err(stop),
    };
    let reply = Stop::said(outcome)?;
    let needs_nonce = scheme == Scheme::Dpop && exchange.settings.oauth.dpop_nonce;
    if needs_nonce && !reply.headers.iter().any(|(name, _)| *name == DPOP_NONCE) {
        let nonce = dpop::nonce(exchange, Role::Resource);
        return Stop::said(nonce.map(|nonce| with_text(reply, DPOP_NONCE, Some(nonce))));
    }
    Ok(reply)
}

fn admitted(exchange: &mut Exchange<'_>, scheme: Scheme, token: &str) -> Result<Visitor, Stop> {
    let person = exchange.admit(Some(token)).map_err(|refused| {
        invalid_token(
            scheme,
            match refused {
                Refused::Expired => "the access token expired",
                Refused::Missing
                | Refused::Reused { .. }
                | Refused::Revoked
                | Refused::Unknown
                | Refused::WrongKind => "the access token is revoked or unknown",
            },
        )
    })?;
    let visitor = known(exchange, scheme, token, person);
    if visitor.is_err() {
        exchange.counters.unauthorized += 1;
    }
    visitor
}

fn known(exchange: &mut Exchange<'_>, scheme: Scheme, token: &str, person: Person) -> Result<Visitor, Stop> {
    let terms = exchange.book.family(token).and_then(|family| exchange.ledger.agreed(family)).cloned();
    let terms = terms.ok_or_else(|| invalid_token(scheme, "the access token is unknown"))?;
    let lent = exchange.ledger.lent.see(token, exchange.now_ms()).cloned();
    let (scopes, jkt) =
        lent.map_or((terms.scopes.clone(), terms.jkt.clone()), |lent| (lent.scopes, lent.jkt));
    match (scheme, jkt) {
        (Scheme::Bearer, None) => {}
        (Scheme::Bearer, Some(_)) => {
            return Err(invalid_token(Scheme::Dpop, "the access token is bound to a key").into());
        }
        (Scheme::Dpop, None) => {
            return Err(invalid_token(Scheme::Bearer, "the access token is bound to no key").into());
        }
        (Scheme::Dpop, Some(jkt)) => match dpop::shown(exchange, Role::Resource, Some(token)) {
            Ok(Some(shown)) if shown == jkt => {}
            Ok(Some(_)) => return Err(invalid_token(scheme, "the proof is that of another key").into()),
            Ok(None) => return Err(challenged("invalid_dpop_proof", "there is no proof").into()),
            Err(Stop::Refused(refusal)) => {
                let challenge = challenge(scheme, refusal.error, &refusal.description);
                return Err(refusal.challenging(challenge).into());
            }
            Err(Stop::Broken(broken)) => return Err(broken.into()),
        },
    }
    Ok(Visitor { person, scopes, terms, scheme })
}

fn credentials(exchange: &Exchange<'_>) -> Option<(Scheme, String)> {
    let (scheme, token) = exchange.authorization()?.split_once(' ')?;
    let scheme = if scheme.eq_ignore_ascii_case("bearer") {
        Scheme::Bearer
    } else if scheme.eq_ignore_ascii_case("dpop") && exchange.settings.oauth.dpop != Dpop::Off {
        Scheme::Dpop
    } else {
        return None;
    };
    Some((scheme, token.trim().to_owned()))
}

/// Without credentials there is nothing wrong with them, so no error is named.
fn nobody(dpop: Dpop) -> Reply {
    let schemes: &[Scheme] = match dpop {
        Dpop::Off => &[Scheme::Bearer],
        Dpop::Optional => &[Scheme::Bearer, Scheme::Dpop],
        Dpop::Required => &[Scheme::Dpop],
    };
    schemes.iter().fold(Reply::empty(StatusCode::UNAUTHORIZED), |reply, scheme| {
        reply.with(header::WWW_AUTHENTICATE, HeaderValue::from_static(scheme.realm()))
    })
}

fn invalid_token(scheme: Scheme, why: &'static str) -> Refusal {
    let refusal = Refusal::new(StatusCode::UNAUTHORIZED, "invalid_token", why);
    refusal.challenging(challenge(scheme, "invalid_token", why))
}

fn challenged(error: &'static str, why: &'static str) -> Refusal {
    Refusal::new(StatusCode::UNAUTHORIZED, error, why).challenging(challenge(Scheme::Dpop, error, why))
}

fn challenge(scheme: Scheme, error: &str, why: &str) -> String {
    // Descriptions hold backticks at most, so nothing has to be escaped.
    format!("{}, error=\"{error}\", error_description=\"{why}\"", scheme.realm())
}
