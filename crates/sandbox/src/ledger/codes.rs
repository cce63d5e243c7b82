//! Authorization codes: each is exchanged once, by whoever asked for it.

use std::collections::HashMap;

use super::client::Client;
use super::request::Request;
use super::shelf::REMEMBERED;
use super::terms::Terms;
use crate::jose::sha256;
use crate::people::Person;

#[derive(Default)]
pub(crate) struct Codes(HashMap<String, Code>);

struct Code {
    request: Request,
    person: Person,
    signed_in_s: i64,
    until: u64,
    state: State,
}

#[derive(Clone, Copy)]
enum State {
    Live,
    /// Somebody tried it without knowing what belongs to it.
    Burnt,
    Spent(u64),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BadCode {
    /// What came of it the first time: to be revoked, since it is in two hands.
    pub(crate) family: Option<u64>,
}

impl Codes {
    pub(crate) fn issue(
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
        self.0.insert(code, Code { request, person, signed_in_s, until, state: State::Live });
    }

    pub(crate) fn redeem(
        &mut self,
        code: &str,
        client: Client,
        redirect: &str,
        verifier: &str,
        now: u64,
    ) -> Result<Terms, BadCode> {
        let known = self.0.get_mut(code).ok_or(BadCode { family: None })?;
        match known.state {
            State::Live if known.until > now => {}
            State::Live | State::Burnt => return Err(BadCode { family: None }),
            State::Spent(family) => return Err(BadCode { family: Some(family) }),
        }
        let request = &known.request;
        let belongs = request.client == client && request.redirect == redirect;
        if !belongs || request.challenge != sha256(verifier.as_bytes()) {
            known.state = State::Burnt;
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

    pub(crate) fn spend(&mut self, code: &str, family: u64) {
        if let Some(known) = self.0.get_mut(code) {
            known.state = State::Spent(family);
        }
    }
}

const AN_HOUR_MS: u64 = 3_600_000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::Scopes;

    #[test]
    fn a_code_is_good_once_and_for_its_own_client_address_and_verifier() {
        let mut codes = issued();
        let terms = codes.redeem("c", CLIENT, "http://127.0.0.1:1/callback", "verifier", 99).unwrap();
        assert_eq!((terms.person, terms.nonce.as_deref(), terms.signed_in_s), (Person::Alice, Some("n"), 7));
        codes.spend("c", 3);
        let replayed = codes.redeem("c", CLIENT, "http://127.0.0.1:1/callback", "verifier", 99);
        assert_eq!(replayed, Err(BadCode { family: Some(3) }));
        let long_after = codes.redeem("c", CLIENT, "http://127.0.0.1:1/callback", "verifier", 9_999);
        assert_eq!(long_after, Err(BadCode { family: Some(3) }), "also when it would have expired");

        let wrong = [
            (CLIENT, "http://127.0.0.1:1/callback", "guess"),
            (CLIENT, "http://127.0.0.1:2/callback", "verifier"),
            (Client::Service, "http://127.0.0.1:1/callback", "verifier"),
        ];
        for (client, redirect, verifier) in wrong {
            let mut codes = issued();
            assert_eq!(codes.redeem("c", client, redirect, verifier, 0), Err(BadCode { family: None }));
            let after = codes.redeem("c", CLIENT, "http://127.0.0.1:1/callback", "verifier", 0);
            assert_eq!(after, Err(BadCode { family: None }), "one guess is all there is");
        }
        let late = issued().redeem("c", CLIENT, "http://127.0.0.1:1/callback", "verifier", 100);
        assert_eq!(late, Err(BadCode { family: None }));
    }

    const CLIENT: Client = Client::Pilotlight;

    fn issued() -> Codes {
        let request = Request {
            client: CLIENT,
            redirect: "http://127.0.0.1:1/callback".into(),
            scopes: Scopes::parse("openid").unwrap(),
            state: None,
            nonce: Some("n".into()),
            challenge: sha256(b"verifier"),
            jkt: None,
            stepped_up: false,
            login_hint: None,
        };
        let mut codes = Codes::default();
        codes.issue("c".into(), request, Person::Alice, 7, (0, 100));
        codes
    }
}
