//! What a heartbeat asks, and what the answer says of the token.

use session::interaction::{Interaction, Need};
use session::oauth::endings::read_revocation;
use session::oauth::probe::{Opinion, Probe, forbids_introspection, introspected, opened, opinion, shown};
use session::reason::Trouble;
use session::verdict::Beat;
use session::verdict::RevocationAnswer;
use session::wire::matching::Match;
use session::wire::meaning::silence;

use crate::{PAGE, answer, provider};

#[test]
fn the_best_question_is_the_one_that_the_provider_answers_for_every_token() {
    let mut provider = provider();
    assert_eq!(provider.best_probe(true), Probe::Introspection);
    assert_eq!(provider.best_probe(false), Probe::Userinfo, "it does not answer that to everybody");
    provider.metadata.introspection_endpoint = None;
    assert_eq!(provider.best_probe(true), Probe::Userinfo);
    provider.client.audience = Some("https://api.example".into());
    assert_eq!(provider.best_probe(true), Probe::Resource, "the token is for somebody else");
}

/// RFC 7662, section 2.2.
#[test]
fn an_introspection_says_yes_no_or_nothing() {
    for (status, body, beat, forbidden) in [
        (200, r#"{"active":true}"#, Beat::Good, false),
        (200, r#"{"active":false}"#, Beat::SaysNo, false),
        (200, PAGE, silent(Trouble::NotJson, 200), false),
        (401, r#"{"error":"invalid_client"}"#, silent(Trouble::Misconfigured, 401), true),
        (403, r#"{"active":true}"#, silent(Trouble::Misconfigured, 403), true),
        (408, "", silent(Trouble::Misconfigured, 408), false),
        (425, "", silent(Trouble::Misconfigured, 425), false),
        (429, "", silent(Trouble::RateLimited, 429), false),
        (503, "", silent(Trouble::Status, 503), false),
    ] {
        let answer = answer(status, body);
        assert_eq!(introspected(&answer), beat, "{status} {body}");
        assert_eq!(forbids_introspection(&answer), forbidden, "{status} {body}");
    }
}

#[test]
fn a_resource_speaks_of_the_token_or_of_something_else() {
    let rejects = [Match::status(419)];
    let demand = Opinion::Demands(Interaction::of(Need::Scope));
    for (status, challenges, read, beat) in [
        (200, "", Opinion::Fine, Beat::Good),
        (302, "", Opinion::Fine, Beat::Good),
        (401, "", Opinion::Rejected, Beat::SaysNo),
        (403, "Bearer error=\"invalid_token\"", Opinion::Rejected, Beat::SaysNo),
        (419, "", Opinion::Rejected, Beat::SaysNo),
        (403, "Bearer error=\"insufficient_scope\"", demand, silent(Trouble::Misconfigured, 403)),
        (404, "", Opinion::Fine, silent(Trouble::Misconfigured, 404)),
        (429, "", Opinion::Fine, silent(Trouble::RateLimited, 429)),
        (502, "", Opinion::Fine, silent(Trouble::Status, 502)),
    ] {
        let answer = answer(status, "{}");
        let found = opinion(&answer, challenges, &rejects);
        assert_eq!(found, read, "{status} {challenges}");
        assert_eq!(opened(&answer, &found), beat, "{status} {challenges}");
    }
    let userinfo = answer(200, r#"{"sub":"alice"}"#);
    assert_eq!(shown(&userinfo, &Opinion::Fine, Some("alice")), Beat::Good);
    assert_eq!(shown(&userinfo, &Opinion::Fine, Some("bob")), silent(Trouble::NotJson, 200));
    assert_eq!(shown(&userinfo, &Opinion::Rejected, Some("alice")), Beat::SaysNo);
}

/// Whoever answers is not out of order, whatever the answer is; that is how the two are told apart.
#[test]
fn an_answer_that_says_nothing_has_its_status() {
    for status in 100..600 {
        assert!(matches!(silence(status), Beat::Silent { status: Some(said), .. } if said == status));
    }
}

/// RFC 7009, section 2.2.
#[test]
fn a_provider_is_told_again_only_where_that_can_help() {
    let again = |trouble, status| RevocationAnswer::Trouble { trouble, status: Some(status) };
    for (status, body, told) in [
        (200, "", RevocationAnswer::Done),
        (400, r#"{"error":"invalid_token"}"#, RevocationAnswer::Done),
        (400, r#"{"error":"unsupported_token_type"}"#, RevocationAnswer::Unsupported),
        (404, "", RevocationAnswer::Unsupported),
        (401, r#"{"error":"invalid_client"}"#, RevocationAnswer::Refused { status: 401 }),
        (400, r#"{"error":"of_their_own"}"#, RevocationAnswer::Refused { status: 400 }),
        (400, r#"{"error":"use_dpop_nonce"}"#, again(Trouble::Status, 400)),
        (429, "", again(Trouble::RateLimited, 429)),
        (503, "", again(Trouble::Status, 503)),
        (302, "", again(Trouble::Redirected, 302)),
    ] {
        assert_eq!(read_revocation(&answer(status, body)), told, "{status} {body}");
    }
}

fn silent(trouble: Trouble, status: u16) -> Beat {
    Beat::Silent { trouble, status: Some(status) }
}
