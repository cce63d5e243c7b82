//! B15: ID tokens that do not prove who signed in: nobody is signed in then, and what is somebody else's goes back to
//! where it came from. At a refresh nothing is lost over one that proves nothing.

use std::time::{Duration, Instant};

use api::{Code, Note, Oddity, Request};
use serde_json::{Value, json};

use super::{Stage, all, each, issuers, profiles};
use crate::harness::{Forged, Given, Issuer, Keyring, Say, fetch, now, until};

/// Row T22.
#[test]
fn whoever_cannot_be_verified_is_not_signed_in() {
    let claims = Say::claims;
    // Those that the provider has made for another sign-in are given back. The others may come of a careless provider:
    // they are not used, and it is not told to end what else the person may have there.
    let rows = [
        (claims(json!({"iss": "https://evil.example"})), LEFT),
        (claims(json!({"iss": null})), LEFT),
        (claims(json!({"aud": "another-client"})), LEFT),
        (claims(json!({"aud": null})), LEFT),
        (claims(json!({"aud": []})), LEFT),
        // For several, and nobody says that it was issued to us.
        (claims(json!({"aud": ["the-client", "another-client"]})), LEFT),
        (claims(json!({"azp": "another-client"})), LEFT),
        (claims(json!({"nonce": "canary-nonce-of-another"})), GIVEN_BACK),
        (claims(json!({"nonce": null})), LEFT),
        (claims(json!({"exp": now() - 600})), LEFT),
        (claims(json!({"exp": null})), LEFT),
        (claims(json!({"iat": now() + 3600})), LEFT),
        (claims(json!({"iat": null})), LEFT),
        (claims(json!({"nbf": now() + 3600})), LEFT),
        (claims(json!({"sub": ""})), LEFT),
        (claims(json!({"sub": null})), LEFT),
        (claims(json!({"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"})), LEFT),
        (Say::header(json!({"kid": "unknown"})), LEFT),
        (Say::header(json!({"alg": "RS256"})), LEFT),
        (Say::header(json!({"alg": "ES384"})), LEFT),
        (Say::forged(Forged::ByPublicKey), LEFT),
        (Say::forged(Forged::ByStranger), LEFT),
        (Say::forged(Forged::Unsigned), LEFT),
        (Say::tokens(json!({"id_token": "canary.not.signed"})), LEFT),
        (Say::tokens(json!({"id_token": "canary"})), LEFT),
    ];
    let issuers = issuers(&rows);
    let stage = Stage::with(&profiles(&issuers, ""));
    each(&rows, &issuers, |(say, given_back), profile, issuer| {
        let failure = stage.fails(profile, issuer, |visit| {
            issuer.says("/token", say.clone());
            assert_eq!(visit.comes_back(issuer).status, 303);
            let page = visit.calls("/done");
            assert!(page.body.contains("That did not work"), "{say:?}: {page:?}");
            if *given_back {
                were_given_back(issuer);
            }
        });
        assert_eq!(!issuer.asked("/revoke").is_empty(), *given_back, "{say:?}");
        assert_eq!(failure.code, Code::IdentityUnverified, "{say:?}: {failure:?}");
        assert!(!failure.details["problem"].is_empty());
        assert_eq!(issuer.asked("/jwks").len(), 1, "{say:?}: keys are asked for once a minute");
    });
    stage.ends_discreetly(&all(&issuers));
}

/// Without keys nobody can be verified, and whoever cannot be verified is not signed in.
#[test]
fn keys_that_cannot_be_had_verify_nobody() {
    let no_uri = || json!({"jwks_uri": null});
    let unsafe_uri = || json!({"jwks_uri": "http://keys.example/jwks"});
    let as_it_is = || json!({});
    let keys = |keys: Value| Some(Say::json(200, &keys));
    let rows = [
        (no_uri(), None),
        (unsafe_uri(), None),
        (as_it_is(), Some(Say::error(500, "server_error"))),
        (as_it_is(), Some(Say::page(200))),
        (as_it_is(), Some(Say::Redirect("http://127.0.0.1:9/jwks".to_owned()))),
        (as_it_is(), Some(Say::HangUp)),
        (as_it_is(), keys(json!({"keys": []}))),
        (as_it_is(), keys(json!({"keys": [{"kty": "oct", "kid": "k1", "k": "c2VjcmV0"}]}))),
        (as_it_is(), keys(json!({"keys": [{"kty": "new", "kid": "k1"}]}))),
        (as_it_is(), keys(json!([]))),
    ];
    let issuers = issuers(&rows);
    let stage = Stage::with(&profiles(&issuers, ""));
    each(&rows, &issuers, |(metadata, jwks), profile, issuer| {
        issuer.describes_itself(metadata.clone());
        if let Some(jwks) = jwks {
            issuer.says("/jwks", jwks.clone());
        }
        let visit = stage.begin(profile).unwrap();
        visit.comes_back(issuer);
        let failure = stage.finish(profile).unwrap_err();
        stage.is_told(profile, &failure);
        assert_eq!(failure.code, Code::IdentityUnverified, "{failure:?}");
        assert!(issuer.asked("/revoke").is_empty(), "nothing says that it is not ours");
        assert!(stage.keeper.session(profile).access.is_none());
    });
    stage.ends_discreetly(&all(&issuers));
}

/// What can be verified is, whatever else the provider does in its own way.
#[test]
fn whoever_can_be_verified_is_signed_in() {
    let claims = Say::claims;
    let rows = [
        claims(json!({"aud": ["the-client"]})),
        claims(json!({"aud": ["another", "the-client"], "azp": "the-client"})),
        claims(json!({"at_hash": null})),
        // Clocks are never quite the same.
        claims(json!({"exp": now() - 30, "iat": now() + 30})),
        claims(json!({"exp": (now() + 600).to_string()})),
        Say::header(json!({"kid": null})),
        Say::header(json!({"typ": null})),
    ];
    let issuers = issuers(&rows);
    let stage = Stage::with(&profiles(&issuers, ""));
    each(&rows, &issuers, |say, profile, issuer| {
        issuer.says("/token", say.clone());
        stage.sign_in(profile, issuer);
        assert_eq!(stage.keeper.session(profile).user.as_deref(), Some("alice"), "{say:?}");
        assert!(issuer.asked("/revoke").is_empty(), "{say:?}");
    });
    stage.ends_discreetly(&all(&issuers));
}

/// Nothing is fetched but the keys, and those say with what they sign.
#[test]
fn endpoints_by_hand_are_enough_to_verify_whoever_comes() {
    let issuer = Issuer::start();
    let url = issuer.url();
    let by_hand = format!(
        "endpoints = {{ authorization = \"{url}/authorize\", token = \"{url}/token\", jwks_uri = \"{url}/jwks\" }}\n"
    );
    let stage = Stage::with(&issuer.profile("p0", &by_hand));
    stage.sign_in("p0", &issuer);
    assert_eq!(stage.keeper.session("p0").user.as_deref(), Some("alice"));
    assert!(issuer.asked("/.well-known/openid-configuration").is_empty());
    issuer.says_once("/token", Say::forged(Forged::ByStranger));
    stage.begin("p0").unwrap().comes_back(&issuer);
    assert_eq!(stage.finish("p0").unwrap_err().code, Code::IdentityUnverified);
}

/// A provider that changes its keys is believed; one whose tokens nobody made is not asked for them again and again.
#[test]
fn keys_are_asked_for_again_once_a_minute() {
    let issuer = Issuer::start();
    let unavailable = || Say::error(503, "temporarily_unavailable");
    issuer.says_in_turn("/jwks", [unavailable(), unavailable(), unavailable()]);
    let stage = Stage::with(&issuer.profile("p0", ""));
    let attempt = |say: Option<Say>| {
        if let Some(say) = say {
            issuer.says_once("/token", say);
        }
        let visit = stage.begin("p0").unwrap();
        visit.comes_back(&issuer);
        stage.finish("p0").is_ok()
    };
    assert!(!attempt(None), "the keys cannot be had");
    assert_eq!(issuer.asked("/jwks").len(), 2, "once more, before the code is spent");
    assert!(attempt(None), "nothing was learned, so they are asked for again at once");
    assert_eq!(issuer.asked("/jwks").len(), 4);
    for _ in 0..4 {
        assert!(!attempt(Some(Say::header(json!({"kid": "unknown"})))));
        assert!(!attempt(Some(Say::forged(Forged::ByStranger))));
    }
    assert!(attempt(None), "the keys that were good are still");
    assert_eq!(issuer.asked("/jwks").len(), 4);
    stage.ends_discreetly(&[&issuer]);
}

/// Row B15.
/// Nobody else's tokens are taken in place of one's own: they are given back, and what was there goes on.
#[test]
fn a_refresh_that_brings_somebody_else_is_not_used() {
    let issuer = Issuer::start();
    let stage = Stage::with(&issuer.profile("p0", ""));
    stage.sign_in("p0", &issuer);
    let (before, own) = (stage.token("p0"), issuer.refresh_tokens().pop().unwrap());
    issuer.says("/token refresh_token", Say::claims(json!({"sub": "mallory-2"})));
    let refresh = || stage.ask(Request::Refresh { profile: "p0".to_owned(), by: api::Asker::Person });
    let failure = refresh().unwrap_err();
    assert_eq!(failure.code, Code::IdentityOther, "{failure:?}");
    super::can_be_read(&failure);
    were_given_back(&issuer);
    assert_eq!(stage.keeper.noted("p0", "revocation"), 0, "nobody has signed out");
    assert_eq!(stage.token("p0"), before);
    issuer.behaves();
    refresh().unwrap();
    let sent = issuer.asked("/token refresh_token");
    let sent: Vec<_> = sent.into_iter().map(|asked| asked.form["refresh_token"].clone()).collect();
    assert_eq!(sent, [own.clone(), own], "the token that was stored is still the one");
    assert_ne!(stage.token("p0"), before);
    assert_eq!(stage.keeper.session("p0").user.as_deref(), Some("alice"));
    stage.ends_discreetly(&[&issuer]);
}

/// Row H8.
/// The refresh token that was sent is spent by then: to give back the new one over a token that proves nothing would end
/// the session. A cache may have the keys of yesterday, and the metadata may be a day old.
#[test]
fn a_refresh_whose_id_token_is_odd_is_used_and_told() {
    use Oddity::{IdTokenAudience, IdTokenIssuer, IdTokenSubject, IdTokenUnreadable, IdTokenUnverified};
    let (claims, header) = (Say::claims, Say::header);
    let stranger = |claims: Value| {
        Say::Tokens(Box::new(Given { header: json!({"kid": "of-tomorrow"}), claims, ..Given::default() }))
    };
    let rows = [
        (claims(json!({})), None),
        (Say::tokens(json!({"id_token": null})), None),
        (Say::tokens(json!({"id_token": ""})), None),
        (claims(json!({"exp": 5, "iat": 1, "nonce": "canary-another", "at_hash": "AAAA"})), None),
        (claims(json!({"iss": "https://evil.example"})), Some(IdTokenIssuer)),
        (claims(json!({"aud": "another-client"})), Some(IdTokenAudience)),
        (claims(json!({"aud": ["the-client", "api"]})), Some(IdTokenAudience)),
        (claims(json!({"sub": null})), Some(IdTokenSubject)),
        (header(json!({"kid": "of-tomorrow"})), Some(IdTokenUnverified)),
        (header(json!({"alg": "ES384"})), Some(IdTokenUnverified)),
        (header(json!({"alg": "HS256"})), Some(IdTokenUnverified)),
        // Unproved is unproved, whatever it says.
        (stranger(json!({"sub": "mallory-2"})), Some(IdTokenUnverified)),
        (Say::forged(Forged::ByPublicKey), Some(IdTokenUnverified)),
        (Say::forged(Forged::ByStranger), Some(IdTokenUnverified)),
        (Say::forged(Forged::Unsigned), Some(IdTokenUnverified)),
        (Say::tokens(json!({"id_token": "canary.garbage"})), Some(IdTokenUnreadable)),
        (Say::tokens(json!({"id_token": "eyJhbGciOiJSU0EtT0FFUCJ9.canary.b.c.d"})), Some(IdTokenUnreadable)),
    ];
    let issuers = issuers(&rows);
    let stage = Stage::with(&profiles(&issuers, ""));
    each(&rows, &issuers, |(say, odd), profile, issuer| {
        stage.sign_in(profile, issuer);
        let before = stage.token(profile);
        issuer.says("/token refresh_token", say.clone());
        for _ in 0..2 {
            stage.ask(Request::Refresh { profile: profile.to_owned(), by: api::Asker::Person }).unwrap();
        }
        assert_ne!(stage.token(profile), before, "{say:?}");
        let sent = issuer.asked("/token refresh_token");
        assert_eq!(sent[1].form["refresh_token"], issuer.refresh_tokens()[1], "{say:?}: the new one is used");
        assert!(issuer.asked("/revoke").is_empty(), "{say:?}");
        let notes = stage.keeper.notes(profile);
        let odd_ones =
            notes.iter().filter_map(|note| if let Note::Odd { what } = note { Some(*what) } else { None });
        assert_eq!(
            odd_ones.collect::<Vec<_>>(),
            odd.iter().copied().collect::<Vec<_>>(),
            "once, although each answer is so: {say:?}"
        );
    });
    stage.ends_discreetly(&all(&issuers));
}

/// Row H9.
/// With the tokens in hand nothing is fetched any more that they could get lost over. What a refresh can do without it
/// waits for once, before it spends anything.
#[test]
fn keys_are_asked_for_before_the_token_is_spent() {
    let (issuer, keyring) = (Issuer::start(), Keyring::start());
    let mut stage = Stage::with_keyring(&issuer.profile("p0", ""), &keyring);
    stage.sign_in("p0", &issuer);
    stage.keeper.stop();
    issuer.says("/jwks", Say::Hang);
    stage.keeper.spawn();
    stage.keeper.until_fresh("p0");
    let (asked, sent) = (issuer.asked("/jwks"), issuer.asked("/token refresh_token"));
    assert!(asked[1].at < sent[0].at, "the token was spent first");
    issuer.says("/token refresh_token", Say::header(json!({"kid": "of-tomorrow"})));
    let began = Instant::now();
    stage.ask(Request::Refresh { profile: "p0".to_owned(), by: api::Asker::Person }).unwrap();
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    assert_eq!(issuer.asked("/jwks").len(), 2);
    stage.ends_discreetly(&[&issuer]);
}

/// One that was asked for and does not come is missed, and nobody is kept out over it (OpenID Connect Core, section
/// 3.1.3.3).
#[test]
fn a_sign_in_without_the_id_token_that_was_asked_for_is_one() {
    let rows = [
        (json!({"id_token": null}), true),
        (json!({"id_token": null, "scope": "openid offline_access"}), true),
        (json!({"id_token": null, "scope": "offline_access"}), false),
        (json!({}), false),
    ];
    let issuers = issuers(&rows);
    let stage = Stage::with(&profiles(&issuers, ""));
    each(&rows, &issuers, |(fields, missed), profile, issuer| {
        issuer.says("/token", Say::tokens(fields.clone()));
        stage.sign_in(profile, issuer);
        let notes = stage.keeper.notes(profile);
        let noted = notes.contains(&Note::Odd { what: Oddity::IdTokenMissing });
        assert_eq!(noted, *missed, "{fields}: {notes:?}");
    });
    stage.ends_discreetly(&all(&issuers));
}

/// RFC 9470, section 5. The resource says it again if it means it; nobody is kept out over it here.
#[test]
fn a_sign_in_that_is_not_as_strong_as_was_demanded_is_one_and_told() {
    let rows = [
        (json!({}), true),
        (json!({"acr": "bronze", "auth_time": now()}), true),
        (json!({"acr": "gold"}), true),
        (json!({"acr": "gold", "auth_time": now() - 3600}), true),
        (json!({"acr": "gold", "auth_time": now()}), false),
    ];
    let issuers = issuers(&rows);
    let stage = Stage::with(&profiles(&issuers, ""));
    each(&rows, &issuers, |(claims, unmet), profile, issuer| {
        stage.sign_in(profile, issuer);
        issuer.says("/safe", Say::Challenge(STEP_UP));
        let refused = stage.ask(fetch(profile, "/safe")).unwrap_err();
        assert_eq!(refused.code, Code::SignInNeeded, "{refused:?}");
        issuer.says("/token", Say::claims(claims.clone()));
        let before = stage.token(profile);
        stage.begin(profile).unwrap().comes_back(issuer);
        stage.finish(profile).unwrap();
        until("the new token is out", || (stage.token(profile) != before).then_some(()));
        let noted = stage.keeper.notes(profile).contains(&Note::Odd { what: Oddity::StepUpUnmet });
        assert_eq!(noted, *unmet, "{claims}");
    });
    stage.ends_discreetly(&all(&issuers));
}

const STEP_UP: &str =
    "Bearer error=\"insufficient_user_authentication\", acr_values=\"silver gold\", max_age=\"60\"";

const GIVEN_BACK: bool = true;
const LEFT: bool = false;

/// Both tokens that came last were revoked, the refresh token first.
fn were_given_back(issuer: &Issuer) {
    let revoked = until("the tokens are given back", || {
        let revoked = issuer.asked("/revoke");
        (revoked.len() >= 2).then_some(revoked)
    });
    let revoked: Vec<_> = revoked.iter().map(|asked| asked.form["token"].clone()).collect();
    assert_eq!(revoked.len(), 2, "{revoked:?}");
    assert_eq!(Some(&revoked[0]), issuer.refresh_tokens().last());
    assert!(revoked[1].contains("access"), "{revoked:?}");
}
