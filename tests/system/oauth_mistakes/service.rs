//! Clients that come for themselves (RFC 6749, section 4.4): what the vault keeps for them is their secret, which is
//! for the token endpoint alone.

use api::secret::Password;
use api::{Code, Failure, Request};
use serde_json::json;

use super::Stage;
use crate::harness::{Issuer, Say, until};

const OF_SERVICE: &str = "grant = \"client_credentials\"\nclient_auth = \"client_secret_post\"\n";
const SECRET: &str = "canary-secret-of-the-client";

/// A provider should not send a refresh token for such a grant (section 4.4.3), and some do.
#[test]
fn a_refresh_token_does_not_take_the_place_of_the_secret() {
    let issuer = Issuer::start();
    let stage = Stage::with(&issuer.profile("p0", OF_SERVICE));
    type_in(&stage).unwrap();
    for _ in 0..2 {
        stage.ask(Request::Refresh { profile: "p0".to_owned(), by: api::Asker::Person }).unwrap();
    }
    let sent: Vec<_> =
        issuer.asked("/token").into_iter().map(|asked| asked.form["client_secret"].clone()).collect();
    assert_eq!(sent, [SECRET; 3]);
    assert_eq!(issuer.refresh_tokens().len(), 3, "it sent them");
    stage.ends_discreetly(&[&issuer]);
}

/// What is somebody else's is given back by the client that it came to, and the secret does not go with it.
#[test]
fn the_secret_is_not_given_back_with_tokens_that_are_somebody_elses() {
    let issuer = Issuer::start();
    let stage = Stage::with(&issuer.profile("p0", OF_SERVICE));
    issuer.says("/token", Say::claims(json!({})));
    type_in(&stage).unwrap();
    issuer.says("/token", Say::claims(json!({"sub": "another-client"})));
    let refresh = Request::Refresh { profile: "p0".to_owned(), by: api::Asker::Person };
    assert_eq!(stage.ask(refresh).unwrap_err().code, Code::IdentityOther);
    let asked = until("it is given back", || Some(issuer.asked("/revoke")).filter(|asked| !asked.is_empty()));
    assert!(asked.iter().all(|asked| asked.form["client_secret"] == SECRET), "who asks is not proved");
    let revoked: Vec<_> = asked.iter().map(|asked| asked.form["token"].clone()).collect();
    assert!(revoked.len() == 1 && revoked[0].contains("access"), "{revoked:?}");
    stage.ends_discreetly(&[&issuer]);
}

fn type_in(stage: &Stage) -> Result<(), Failure> {
    let password = Password::new(SECRET.to_owned());
    stage.ask(Request::Login { profile: "p0".to_owned(), username: String::new(), password }).map(|_| ())
}
