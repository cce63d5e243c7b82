//! G4: signing in on another device (RFC 8628): what the provider says while nobody has entered the code yet.

use std::time::{Duration, Instant};

use api::{Code, Failure, Pending, PhaseView, Reply, Request, Way};
use serde_json::{Value, json};

use super::{Stage, all, can_be_read, each, issuers, profiles};
use crate::harness::{Issuer, Say, at_once};

/// RFC 8628, section 3.5, and RFC 6749, section 5.2.
#[test]
fn every_no_to_a_poll_ends_it_and_costs_nothing() {
    let rows = [
        (Say::error(400, "access_denied"), Code::SignInDenied),
        (Say::error(400, "authorization_declined"), Code::SignInDenied),
        (Say::error(400, "expired_token"), Code::SignInExpired),
        (Say::error(400, "invalid_grant"), Code::SignInRefused),
        (Say::error(400, "invalid_request"), Code::Misconfigured),
        (Say::error(401, "invalid_client"), Code::ClientRefused),
        (Say::error(400, "unauthorized_client"), Code::ClientRefused),
        (Say::error(400, "unsupported_grant_type"), Code::WayUnsupported),
        (Say::error(400, "invalid_scope"), Code::ScopeRefused),
        (Say::error(400, "something_of_its_own"), Code::Misconfigured),
        (Say::error(200, "access_denied"), Code::SignInDenied),
        (Say::page(404), Code::Misconfigured),
        (Say::claims(json!({"aud": "another-client"})), Code::IdentityUnverified),
    ];
    let issuers = issuers(&rows);
    let stage = Stage::with(&profiles(&issuers, ""));
    each(&rows, &issuers, |(say, code), profile, issuer| {
        stage.sign_in(profile, issuer);
        let before = stage.token(profile);
        issuer.says(POLL, say.clone());
        begin(&stage, profile).unwrap();
        let failure = finish(&stage, profile).unwrap_err();
        assert_eq!(failure.code, *code, "{say:?}: {failure:?}");
        stage.is_told(profile, &failure);
        assert_eq!(
            (stage.token(profile), stage.keeper.phase(profile)),
            (before, PhaseView::Fresh),
            "{say:?}"
        );
        assert_eq!(issuer.asked(POLL).len(), 1, "{say:?}: a no is not asked for twice");
    });
    stage.ends_discreetly(&all(&issuers));
}

/// Row G4. Together, because most of each is waiting.
#[test]
fn waiting_goes_by_the_provider() {
    at_once(
        vec![
            no_poll_comes_sooner_than_the_provider_wants_it as fn(),
            trouble_during_a_poll_is_outlived,
            a_code_that_nobody_enters_runs_out_and_one_that_nobody_wants_is_let_go,
        ],
        |test| test(),
    );
}

/// What goes wrong on the way to an answer ends nothing: the next poll comes a little later.
fn trouble_during_a_poll_is_outlived() {
    let rows = [
        Say::HangUp,
        Say::CutShort(json!({"access_token": "canary-cut"})),
        Say::Hang,
        Say::page(200),
        Say::page(503),
        Say::error(503, "temporarily_unavailable"),
        Say::error(400, "temporarily_unavailable"),
        Say::Redirect("http://127.0.0.1:9/".to_owned()),
        Say::TooMany(3),
    ];
    let issuers = issuers(&rows);
    let stage = Stage::with(&profiles(&issuers, ""));
    each(&rows, &issuers, |say, profile, issuer| {
        issuer.says(POLL, Say::tokens(Value::Null));
        issuer.says_once(POLL, say.clone());
        begin(&stage, profile).unwrap();
        finish(&stage, profile).unwrap_or_else(|failure| panic!("{say:?}: {failure:?}"));
        let gaps = gaps(issuer);
        let least = if matches!(say, Say::TooMany(_)) { 3_000 } else { 1_900 };
        assert!(gaps.len() == 1 && gaps[0] >= Duration::from_millis(least), "{say:?}: {gaps:?}");
    });
    issuers[1].is_secret("canary-cut");
    stage.ends_discreetly(&all(&issuers));
}

/// The provider decides how often it is asked.
fn no_poll_comes_sooner_than_the_provider_wants_it() {
    let pending = || Say::error(400, "authorization_pending");
    let slower = |more: Value| {
        let said = json!({"error": "slow_down"});
        Say::json(400, &crate::harness::merged(said, more))
    };
    let rows = [
        ("as it said", json!({"interval": 2}), vec![pending(), pending()], vec![2_000, 2_000, 2_000]),
        ("nothing said", json!({"interval": null}), vec![], vec![5_000]),
        ("in a text", json!({"interval": "2"}), vec![pending()], vec![2_000, 2_000]),
        ("too often", json!({"interval": -1}), vec![], vec![5_000]),
        ("slower", json!({}), vec![slower(json!({}))], vec![1_000, 6_000]),
        ("slower, and how", json!({}), vec![slower(json!({"interval": 7}))], vec![1_000, 7_000]),
    ];
    let issuers = issuers(&rows);
    let stage = Stage::with(&profiles(&issuers, ""));
    each(&rows, &issuers, |(what, device, polls, least), profile, issuer| {
        issuer.offers(device.clone());
        issuer.says(POLL, Say::tokens(Value::Null));
        issuer.says_in_turn(POLL, polls.clone());
        begin(&stage, profile).unwrap();
        finish(&stage, profile).unwrap_or_else(|failure| panic!("{what}: {failure:?}"));
        let began = issuer.asked("/device")[0].at;
        let first = issuer.asked(POLL)[0].at - began;
        let gaps: Vec<u128> = std::iter::once(first).chain(gaps(issuer)).map(|gap| gap.as_millis()).collect();
        // And not much later either.
        let good = |(gap, least): (&u128, &u128)| (*least..*least + 2_000).contains(gap);
        assert!(gaps.len() == least.len() && gaps.iter().zip(least).all(good), "{what}: {gaps:?}");
    });
    stage.ends_discreetly(&all(&issuers));
}

fn a_code_that_nobody_enters_runs_out_and_one_that_nobody_wants_is_let_go() {
    let rows = ["runs out", "given up"];
    let issuers = issuers(&rows);
    let stage = Stage::with(&profiles(&issuers, ""));
    each(&rows, &issuers, |what, profile, issuer| {
        if *what == "runs out" {
            issuer.offers(json!({"expires_in": 3}));
        }
        begin(&stage, profile).unwrap();
        let began = Instant::now();
        if *what == "given up" {
            assert!(stage.ask(Request::CancelSignIn { profile: profile.to_owned() }).is_ok());
        }
        let failure = finish(&stage, profile).unwrap_err();
        let code = if *what == "runs out" { Code::SignInExpired } else { Code::SignInCancelled };
        assert_eq!(failure.code, code, "{failure:?}");
        stage.is_told(profile, &failure);
        assert!(began.elapsed() < Duration::from_secs(5), "{what}: {:?}", began.elapsed());
        let polls = issuer.asked(POLL).len();
        std::thread::sleep(Duration::from_millis(1_500));
        assert_eq!(issuer.asked(POLL).len(), polls, "{what}: it goes on asking");
    });
    stage.ends_discreetly(&all(&issuers));
}

/// Row H9.
/// The keys cannot be had when the sign-in begins, and the person is quick: what they approve is kept at the provider
/// until its answer can be used, or the code is about to end.
#[test]
fn what_a_person_approves_is_not_lost_over_keys() {
    let rows = ["they come", "they never come", "nobody needs them"];
    let issuers = issuers(&rows);
    let scopes = |n: usize| if n == 2 { "scopes = [\"offline_access\"]" } else { "" };
    let profiles = issuers.iter().enumerate().map(|(n, issuer)| issuer.profile(&format!("p{n}"), scopes(n)));
    let stage = Stage::with(&profiles.collect::<String>());
    each(&rows, &issuers, |what, profile, issuer| {
        let unavailable = || Say::error(503, "temporarily_unavailable");
        if *what == "they come" {
            issuer.says_in_turn("/jwks", [unavailable(), unavailable(), unavailable()]);
        } else {
            issuer.says("/jwks", unavailable());
            issuer.offers(json!({"expires_in": 5}));
        }
        let no_id_token = json!({"id_token": null});
        issuer.says(POLL, Say::tokens(if *what == "nobody needs them" { no_id_token } else { Value::Null }));
        begin(&stage, profile).unwrap();
        let end = finish(&stage, profile).map_err(|failure| failure.code);
        let polls = issuer.asked(POLL);
        assert_eq!(polls.len(), 1, "{what}");
        let (came, keys) = (polls[0].at, issuer.asked("/jwks"));
        let later = keys.iter().filter(|asked| asked.at < came).count();
        match *what {
            "they come" => assert_eq!((end, later), (Ok(()), 4), "{what}"),
            "they never come" => {
                assert!(end == Err(Code::IdentityUnverified) && later > 2, "{end:?} {later}")
            }
            _ => assert_eq!((end, later), (Ok(()), 2), "{what}"),
        }
    });
    stage.ends_discreetly(&all(&issuers));
}

#[test]
fn what_cannot_be_shown_or_opened_is_no_code() {
    let rows = [
        (Offer::With(json!({"verification_uri": "javascript:alert(1)"})), Code::AnswerUnreadable),
        (Offer::With(json!({"verification_uri": "file:///etc/passwd"})), Code::AnswerUnreadable),
        (Offer::With(json!({"verification_uri": "https://me@evil.example/"})), Code::AnswerUnreadable),
        (Offer::With(json!({"verification_uri": null})), Code::AnswerUnreadable),
        (Offer::With(json!({"user_code": "AB\u{1b}[2JCD"})), Code::AnswerUnreadable),
        (Offer::With(json!({"user_code": "AB\u{202e}CD"})), Code::AnswerUnreadable),
        (Offer::With(json!({"user_code": "W".repeat(1_000)})), Code::AnswerUnreadable),
        (Offer::With(json!({"user_code": null})), Code::AnswerUnreadable),
        (Offer::With(json!({"device_code": null})), Code::AnswerUnreadable),
        (Offer::Said(Say::error(400, "unauthorized_client")), Code::ClientRefused),
        (Offer::Said(Say::error(401, "invalid_client")), Code::ClientRefused),
        (Offer::Said(Say::error(400, "invalid_scope")), Code::ScopeRefused),
        (Offer::Said(Say::error(400, "invalid_request")), Code::Misconfigured),
        (Offer::Said(Say::page(200)), Code::NotJson),
        (Offer::Said(Say::page(404)), Code::Misconfigured),
        (Offer::Said(Say::page(500)), Code::ServerError),
        (Offer::Said(Say::HangUp), Code::Unanswered),
        (Offer::Said(Say::Redirect("http://127.0.0.1:9/".to_owned())), Code::Redirected),
        (Offer::None, Code::WayUnsupported),
    ];
    let issuers = issuers(&rows);
    let stage = Stage::with(&profiles(&issuers, ""));
    each(&rows, &issuers, |(offer, code), profile, issuer| {
        match offer {
            Offer::With(changes) => issuer.offers(changes.clone()),
            Offer::Said(say) => issuer.says("/device", say.clone()),
            Offer::None => issuer.describes_itself(json!({"device_authorization_endpoint": null})),
        }
        let failure = begin(&stage, profile).unwrap_err();
        assert_eq!(failure.code, *code, "{offer:?}: {failure:?}");
        stage.is_told(profile, &failure);
        let text = format!("{failure:?}");
        assert!(!text.contains("javascript") && !text.contains("evil"), "{text}");
        assert!(issuer.asked(POLL).is_empty(), "{offer:?}");
    });
    stage.ends_discreetly(&all(&issuers));
}

/// The address with the code in it is a comfort only.
#[test]
fn a_complete_address_that_is_none_is_left_out() {
    let issuer = Issuer::start();
    issuer.offers(json!({"verification_uri_complete": "javascript:alert(1)"}));
    let stage = Stage::with(&issuer.profile("p0", ""));
    let pending = begin(&stage, "p0").unwrap();
    let Pending::Device { verification_uri, verification_uri_complete, qr, .. } = pending else {
        panic!("{pending:?}")
    };
    assert_eq!((verification_uri, verification_uri_complete), (format!("{}/enter", issuer.url()), None));
    assert!(!qr.is_empty());
}

/// A profile that signs in with a code has no browser to wait for, and the other way around.
#[test]
fn a_way_that_the_profile_does_not_have_is_told() {
    let issuer = Issuer::start();
    let stage = Stage::with(&issuer.profile("p0", "grant = \"device_code\""));
    let failure = stage.begin("p0").unwrap_err();
    assert_eq!(failure.code, Code::WayUnsupported, "{failure:?}");
    can_be_read(&failure);
    for way in [Way::Password, Way::ClientSecret, Way::Unattended] {
        let request = Request::SignIn { profile: "p0".to_owned(), way: Some(way) };
        assert_eq!(stage.ask(request).unwrap_err().code, Code::WayUnsupported, "{way:?}");
    }
}

#[derive(Debug)]
enum Offer {
    With(Value),
    Said(Say),
    None,
}

fn begin(stage: &Stage, profile: &str) -> Result<Pending, Failure> {
    let reply = stage.ask(Request::SignIn { profile: profile.to_owned(), way: Some(Way::Device) })?;
    let Reply::SignIn { pending, url: None } = reply else { panic!("{reply:?}") };
    Ok(pending)
}

fn finish(stage: &Stage, profile: &str) -> Result<(), Failure> {
    let request = Request::FinishSignIn { profile: profile.to_owned(), timeout_ms: Some(25_000) };
    stage.ask(request).map(|_| ())
}

fn gaps(issuer: &Issuer) -> Vec<Duration> {
    let polls = issuer.asked(POLL);
    polls.windows(2).map(|pair| pair[1].at - pair[0].at).collect()
}

const POLL: &str = "/token urn:ietf:params:oauth:grant-type:device_code";
