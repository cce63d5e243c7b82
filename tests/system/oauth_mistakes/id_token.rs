//! B15: ID tokens that do not prove who signed in: nobody is signed in then, and the tokens go back to where
//! they came from.

use keeper::api::Code;
use serde_json::{Value, json};

use super::{Stage, all, each, issuers, profiles};
use crate::harness::{Forged, Given, Issuer, Say, now};

#[test]
fn whoever_cannot_be_verified_is_not_signed_in() {
    let claims = Say::claims;
    let rows = [
        claims(json!({"iss": "https://evil.example"})),
        claims(json!({"iss": null})),
        claims(json!({"aud": "another-client"})),
        claims(json!({"aud": null})),
        claims(json!({"aud": []})),
        // For several, and nobody says that it was issued to us.
        claims(json!({"aud": ["the-client", "another-client"]})),
        claims(json!({"azp": "another-client"})),
        claims(json!({"nonce": "canary-nonce-of-another"})),
        claims(json!({"nonce": null})),
        claims(json!({"exp": now() - 600})),
        claims(json!({"exp": null})),
        claims(json!({"iat": now() + 3600})),
        claims(json!({"iat": null})),
        claims(json!({"nbf": now() + 3600})),
        claims(json!({"sub": ""})),
        claims(json!({"sub": null})),
        claims(json!({"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"})),
        Say::header(json!({"kid": "unknown"})),
        Say::header(json!({"alg": "RS256"})),
        Say::header(json!({"alg": "ES384"})),
        Say::forged(Forged::ByPublicKey),
        Say::forged(Forged::ByStranger),
        Say::forged(Forged::Unsigned),
        Say::tokens(json!({"id_token": "canary.not.signed"})),
        Say::tokens(json!({"id_token": "canary"})),
    ];
    let issuers = issuers(&rows);
    let stage = Stage::with(&profiles(&issuers, ""));
    each(&rows, &issuers, |say, profile, issuer| {
        let failure = stage.fails(profile, issuer, |visit| {
            issuer.says("/token", say.clone());
            assert_eq!(visit.comes_back(issuer).status, 303);
            let page = visit.calls("/done");
            assert!(page.body.contains("That did not work"), "{say:?}: {page:?}");
            were_given_back(issuer);
        });
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
        were_given_back(issuer);
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
    issuer.says_once("/jwks", Say::error(503, "temporarily_unavailable"));
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
    assert!(attempt(None), "nothing was learned, so they are asked for again at once");
    assert_eq!(issuer.asked("/jwks").len(), 2);
    for _ in 0..4 {
        assert!(!attempt(Some(Say::header(json!({"kid": "unknown"})))));
        assert!(!attempt(Some(Say::forged(Forged::ByStranger))));
    }
    assert!(attempt(None), "the keys that were good are still");
    assert_eq!(issuer.asked("/jwks").len(), 2);
    stage.ends_discreetly(&[&issuer]);
}

/// Nobody else's tokens are taken in place of one's own: they are given back, and what was there goes on.
#[test]
fn a_refresh_that_brings_somebody_else_is_not_used() {
    let rows = [
        Say::claims(json!({"sub": "mallory-2"})),
        Say::claims(json!({"iss": "https://evil.example"})),
        Say::claims(json!({"aud": "another-client"})),
        Say::forged(Forged::ByStranger),
        Say::Tokens(Box::new(Given { forged: Forged::Unsigned, ..Given::default() })),
    ];
    let issuers = issuers(&rows);
    let stage = Stage::with(&profiles(&issuers, ""));
    each(&rows, &issuers, |say, profile, issuer| {
        stage.sign_in(profile, issuer);
        let (before, own) = (stage.token(profile), issuer.refresh_tokens().pop().unwrap());
        issuer.says("/token refresh_token", say.clone());
        let refresh = || {
            stage.ask(keeper::api::Request::Refresh {
                profile: profile.to_owned(),
                by: keeper::api::Asker::Person,
            })
        };
        let failure = refresh().unwrap_err();
        assert_eq!(failure.code, Code::IdentityUnverified, "{say:?}: {failure:?}");
        super::can_be_read(&failure);
        were_given_back(issuer);
        assert_eq!(stage.token(profile), before, "{say:?}");
        issuer.behaves();
        refresh().unwrap();
        let sent: Vec<_> = issuer
            .asked("/token refresh_token")
            .into_iter()
            .map(|asked| asked.form["refresh_token"].clone())
            .collect();
        assert_eq!(sent, [own.clone(), own], "{say:?}: the token that was stored is still the one");
        assert_ne!(stage.token(profile), before, "{say:?}");
        assert_eq!(stage.keeper.session(profile).user.as_deref(), Some("alice"));
    });
    stage.ends_discreetly(&all(&issuers));
}

/// A cache may have the keys of yesterday, and the metadata may be a day old. The refresh token that was sent is spent
/// by then: to give back the new one over that would end the session.
#[test]
fn a_refresh_that_is_signed_in_a_new_way_is_used_when_it_is_about_the_same_person() {
    let header =
        |header: Value, claims: Value| Say::Tokens(Box::new(Given { header, claims, ..Given::default() }));
    let rows = [
        (header(json!({"kid": "of-tomorrow"}), json!({})), true),
        (header(json!({"alg": "ES384"}), json!({})), true),
        (header(json!({"kid": "of-tomorrow"}), json!({"sub": "mallory-2"})), false),
        (header(json!({"alg": "ES384"}), json!({"sub": "mallory-2"})), false),
        (header(json!({"alg": "HS256"}), json!({})), false),
    ];
    let issuers = issuers(&rows);
    let stage = Stage::with(&profiles(&issuers, ""));
    each(&rows, &issuers, |(say, used), profile, issuer| {
        stage.sign_in(profile, issuer);
        let before = stage.token(profile);
        issuer.says("/token refresh_token", say.clone());
        let refreshed = stage.ask(keeper::api::Request::Refresh {
            profile: profile.to_owned(),
            by: keeper::api::Asker::Person,
        });
        assert_eq!((refreshed.is_ok(), stage.token(profile) != before), (*used, *used), "{say:?}");
        if *used {
            assert!(issuer.asked("/revoke").is_empty(), "{say:?}");
        } else {
            were_given_back(issuer);
        }
    });
    stage.ends_discreetly(&all(&issuers));
}

/// Both tokens that came last were revoked, the refresh token first.
fn were_given_back(issuer: &Issuer) {
    let revoked = crate::harness::until("the tokens are given back", || {
        let revoked = issuer.asked("/revoke");
        (revoked.len() >= 2).then_some(revoked)
    });
    let revoked: Vec<_> = revoked.iter().map(|asked| asked.form["token"].clone()).collect();
    assert_eq!(revoked.len(), 2, "{revoked:?}");
    assert_eq!(Some(&revoked[0]), issuer.refresh_tokens().last());
    assert!(revoked[1].contains("access"), "{revoked:?}");
}
