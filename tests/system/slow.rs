//! Providers that take their time. What has to be known before a token is spent is learned before, and if that fails
//! nothing has been spent; what the token is spent for has its time for itself.

use std::time::{Duration, Instant};

use api::{Note, Pending, PhaseView, Trouble, Way};
use serde_json::json;

use crate::harness::{Issuer, Keeper, Keyring, OPENID, Say, until};

/// Each answer comes after seven tenths of what a message may take, and the description is stale.
#[test]
fn every_message_that_spends_something_has_its_whole_time() {
    let issuer = Issuer::start();
    let keeper = Keeper::start(&profile(&issuer));
    for place in [OPENID, "/jwks", "/token"] {
        issuer.takes_its_time(place, Duration::from_millis(1400));
    }
    keeper.login("work");
    // A sign-in that comes to nothing makes the description stale.
    issuer.says_once("/token password", Say::error(400, "invalid_grant"));
    assert!(keeper.login_as("work", "alice", "wrong").is_err());
    let described = issuer.asked(OPENID).len();
    keeper.refresh("work").unwrap();
    assert_eq!(issuer.asked(OPENID).len(), described + 1, "it was described anew");
    assert_eq!(issuer.asked("/token refresh_token").len(), 1);
}

/// Row H9.
/// A description that cannot be had has cost nothing: no token was sent, and nobody need fear that one was spent.
#[test]
fn what_fails_before_the_token_is_sent_is_not_ambiguous() {
    let (issuer, keyring) = (Issuer::start(), Keyring::start());
    let mut keeper = Keeper::with_keyring(&profile(&issuer), &keyring);
    keeper.login("work");
    for (say, trouble) in [(Say::Hang, Trouble::TimedOut), (Say::HangUp, Trouble::Unanswered)] {
        issuer.says(OPENID, say);
        keeper.restart();
        until("it waits", || match keeper.phase("work") {
            // The first pauses are so short that the next try may begin before the kill.
            PhaseView::Waiting { why, failures: 2.., .. } if why == trouble => Some(()),
            PhaseView::NeedsLogin { why } => panic!("{why:?}"),
            PhaseView::Fresh
            | PhaseView::Refreshing { .. }
            | PhaseView::SigningIn
            | PhaseView::Waiting { .. } => None,
        });
        // Its answer comes after the journal has written down how the last try ended.
        keeper.entries(Some("work"));
        // Whatever was in flight when a process dies may have been spent. Nothing was.
        keeper.kill();
        issuer.behaves();
        keeper.spawn();
        keeper.until_fresh("work");
        assert_eq!(keeper.noted("work", "interrupted"), 0, "{trouble:?}");
    }
    let sent = issuer.asked("/token refresh_token");
    assert_eq!(sent[0].form["refresh_token"], issuer.refresh_tokens()[0]);
}

/// The second document can only add to the first, and does not keep anybody waiting for longer than one message may take.
#[test]
fn a_description_is_complete_with_what_there_is_in_time() {
    let issuer = Issuer::start();
    let keeper = Keeper::start(&profile(&issuer));
    issuer.describes_itself(json!({"device_authorization_endpoint": null}));
    issuer.says("/.well-known/oauth-authorization-server", Say::Hang);
    let began = Instant::now();
    keeper.login("work");
    assert!(began.elapsed() < Duration::from_secs(6), "{:?}", began.elapsed());
    assert!(keeper.notes("work").iter().any(|note| matches!(note, Note::SignedIn { .. })));
}

/// RFC 9126, section 2.2. Whoever opens the address in time has as long at the page as everybody else.
#[test]
fn an_address_that_the_provider_keeps_for_a_moment_says_so() {
    let issuer = Issuer::start();
    let keeper = Keeper::start(&issuer.profile("work", ""));
    let endpoint = format!("{}/par", issuer.url());
    issuer.describes_itself(json!({"pushed_authorization_request_endpoint": endpoint}));
    for (expires_in, within) in [(json!(60), Some(60_000)), (json!(600), None), (json!(null), None)] {
        let pushed = json!({"request_uri": "urn:canary", "expires_in": expires_in});
        issuer.says("/par", Say::json(201, &pushed));
        let (pending, url) = keeper.begin_sign_in("work", Way::Browser);
        assert!(url.unwrap().contains("request_uri=urn%3Acanary"));
        let Pending::Browser { expires_in_ms, open_within_ms } = pending else { panic!("{pending:?}") };
        assert_eq!(open_within_ms, within, "{pushed}");
        assert!(expires_in_ms > 290_000, "{expires_in_ms}");
    }
    issuer.says("/par", Say::json(201, &json!({"request_uri": "urn:canary", "expires_in": 1})));
    keeper.begin_sign_in("work", Way::Browser);
    until("the address has run out, and the sign-in has not", || {
        let pending = keeper.session("work").pending;
        matches!(pending, Some(Pending::Browser { open_within_ms: Some(0), .. })).then_some(())
    });
    assert_eq!(issuer.asked("/par").len(), 4, "each sign-in has an address of its own");
}

fn profile(issuer: &Issuer) -> String {
    issuer.profile("work", "grant = \"password\"\nscopes = [\"openid\"]\n")
}
