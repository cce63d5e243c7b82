//! What a provider says about itself cannot be used, or cannot be had.

use api::{Code, Discovery, Failure, PhaseView, Reply, Request, Trouble};
use serde_json::{Value, json};

use super::{SOON, Stage, all, can_be_read, each, issuers, profiles};
use crate::harness::{Issuer, Keyring, OPENID, Say, until};

/// Each row is what to do to the metadata at its usual place; at the other place there is nothing.
#[test]
fn metadata_that_cannot_be_used_is_told_to_whoever_wants_to_add_it() {
    let metadata = |changes: Value| Bad::Metadata(changes);
    let said = |say: Say| Bad::Said(say);
    let rows = [
        (metadata(json!({"issuer": "https://evil.example"})), Code::WrongIssuer),
        (metadata(json!({"issuer": null})), Code::WrongIssuer),
        (metadata(json!({"issuer": "canary ]{}"})), Code::WrongIssuer),
        (metadata(json!({"token_endpoint": null})), Code::NoMetadata),
        (metadata(json!({"token_endpoint": "http://id.example/token"})), Code::NoMetadata),
        (metadata(json!({"token_endpoint": "javascript:alert(1)"})), Code::NoMetadata),
        (metadata(json!({"token_endpoint": "/token"})), Code::NoMetadata),
        (metadata(json!({"token_endpoint": "https://a.example\u{202e}/token"})), Code::NoMetadata),
        (metadata(json!({"authorization_endpoint": "http://id.example/authorize"})), Code::NoMetadata),
        (metadata(json!({"authorization_endpoint": "file:///etc/passwd"})), Code::NoMetadata),
        (said(Say::page(200)), Code::NoMetadata),
        (said(Say::page(404)), Code::NoMetadata),
        (said(Say::json(200, &json!([]))), Code::WrongIssuer),
        (said(Say::Body(200, "application/json", b"{".to_vec())), Code::AnswerGarbled),
        (said(Say::Body(200, "text/plain", b"{'issuer': 1}".to_vec())), Code::AnswerGarbled),
        (said(Say::Body(200, "application/json", Vec::new())), Code::NoMetadata),
        (said(Say::Body(200, "application/json", vec![b' '; 10 << 20])), Code::AnswerTooLarge),
        (said(Say::CutShort(json!({}))), Code::AnswerCutShort),
        (said(Say::Redirect("https://evil.example/".to_owned())), Code::Redirected),
        (said(Say::page(500)), Code::ServerError),
        (said(Say::HangUp), Code::Unanswered),
        (said(Say::TooMany(7)), Code::RateLimited),
    ];
    let issuers = issuers(&rows);
    let stage = Stage::with("");
    each(&rows, &issuers, |(bad, code), _, issuer| {
        bad.done_to(issuer);
        let failure = discover(&stage, issuer.url()).unwrap_err();
        assert_eq!(failure.code, *code, "{bad:.90?}: {failure:?}");
        can_be_read(&failure);
        assert!(!failure.details["host"].is_empty(), "{failure:?}");
        assert!(issuer.asked("/token").is_empty());
        // Nobody is sent to a page either.
        issuer.behaves();
        assert!(discover(&stage, issuer.url()).is_ok(), "{bad:.90?}");
    });
    issuers[0].is_secret("canary");
    stage.ends_discreetly(&all(&issuers));
}

#[test]
fn an_issuer_is_compared_letter_by_letter_and_told_how_it_is_written() {
    let issuer = Issuer::start();
    let stage = Stage::with("");
    let (url, slashed) = (issuer.url().to_owned(), format!("{}/", issuer.url()));
    let failure = discover(&stage, &slashed).unwrap_err();
    assert_eq!(failure.code, Code::WrongIssuer, "{failure:?}");
    assert_eq!((&failure.details["found"], &failure.details["issuer"]), (&url, &slashed));
    can_be_read(&failure);
    issuer.describes_itself(json!({"issuer": slashed}));
    let failure = discover(&stage, &url).unwrap_err();
    assert_eq!((&failure.details["found"], &failure.details["issuer"]), (&slashed, &url));
    assert!(discover(&stage, &slashed).is_ok());
    let upper = url.replace("http://", "HTTP://");
    assert_eq!(discover(&stage, &upper).unwrap_err().code, Code::WrongIssuer);
}

#[test]
fn an_address_that_is_no_issuer_is_not_asked() {
    let issuer = Issuer::start();
    let stage = Stage::with("");
    for (wrong, code) in [
        ("".to_owned(), Code::BadUrl),
        ("id.example.com".to_owned(), Code::BadUrl),
        ("javascript:alert(1)".to_owned(), Code::BadUrl),
        ("file:///etc/passwd".to_owned(), Code::BadUrl),
        (issuer.url().replace("http://", "http://me:canary-password@"), Code::BadUrl),
        (format!("{} ", issuer.url()), Code::BadUrl),
        ("http://id.example.com".to_owned(), Code::PlainHttp),
    ] {
        let failure = discover(&stage, &wrong).unwrap_err();
        assert_eq!(failure.code, code, "{wrong}: {failure:?}");
        can_be_read(&failure);
        assert!(failure.details.values().all(|value| !value.contains("canary")), "{failure:?}");
    }
    assert!(issuer.asked("/").is_empty() && issuer.asked(OPENID).is_empty());
    assert_eq!(discover(&stage, "http://127.0.0.1:9").unwrap_err().code, Code::Offline);
}

/// Some providers have one of the two documents only, and something else at the other's place.
#[test]
fn a_good_document_after_a_bad_one_is_good_enough() {
    let rows = [
        Say::page(404),
        Say::page(403),
        Say::page(200),
        Say::error(400, "invalid_request"),
        Say::json(200, &json!({"issuer": "https://evil.example"})),
        Say::json(200, &json!({})),
        // A page for those who are not signed in, which is where an application sends whatever it does not know.
        Say::Redirect("/login".to_owned()),
    ];
    let issuers = issuers(&rows);
    let stage = Stage::with(&profiles(&issuers, ""));
    each(&rows, &issuers, |say, profile, issuer| {
        issuer.says(OPENID, say.clone());
        issuer.describes_itself_at(OAUTH, json!({}));
        let found = discover(&stage, issuer.url()).unwrap_or_else(|failure| panic!("{say:?}: {failure:?}"));
        assert_eq!(found.issuer, issuer.url());
        stage.sign_in(profile, issuer);
    });
    stage.ends_discreetly(&all(&issuers));
}

/// What a sign-in can do without is not used where it is not safe, and told.
#[test]
fn an_endpoint_that_is_not_safe_is_left_out() {
    let issuer = Issuer::start();
    issuer.describes_itself(json!({
        "revocation_endpoint": "http://id.example/revoke",
        "device_authorization_endpoint": "javascript:alert(1)",
        "introspection_endpoint": "https://elsewhere.example/introspect",
    }));
    let stage = Stage::with(&issuer.profile("p0", ""));
    let found = discover(&stage, issuer.url()).unwrap();
    assert_eq!(found.ignored, ["device_authorization_endpoint", "revocation_endpoint"]);
    assert_eq!(found.elsewhere, ["https://elsewhere.example/introspect"]);
    assert!(!found.device && !found.revocation && found.browser);
    stage.sign_in("p0", &issuer);
    assert!(stage.ask(Request::Logout { profile: "p0".to_owned(), browser: false }).is_ok());
    stage.ends_discreetly(&[&issuer]);
}

/// What is known of a provider may be a day old. Whoever fails to sign in may have met just that.
#[test]
fn a_provider_that_has_moved_is_found_at_the_second_try() {
    let issuer = Issuer::start();
    let stage = Stage::with(&issuer.profile("p0", ""));
    stage.sign_in("p0", &issuer);
    issuer.says("/token", Say::page(404));
    issuer.says("/moved", Say::tokens(Value::Null));
    issuer.describes_itself(json!({"token_endpoint": format!("{}/moved", issuer.url())}));
    let visit = stage.begin("p0").unwrap();
    assert_eq!(visit.comes_back(&issuer).status, 303);
    let failure = stage.finish("p0").unwrap_err();
    assert_eq!(failure.code, Code::Misconfigured, "{failure:?}");
    stage.is_told("p0", &failure);
    stage.sign_in("p0", &issuer);
    stage.ends_discreetly(&[&issuer]);
}

/// The provider's metadata are bad when the keeper starts: the session has its refresh token still, says why it waits,
/// and goes on once they are good again.
#[test]
fn a_session_outlives_bad_metadata() {
    let metadata = |changes: Value| Bad::Metadata(changes);
    let said = |say: Say| Bad::Said(say);
    // What the network or a broken server may be behind is tried again soon; what somebody has to mend, later.
    let rows = [
        (said(Say::page(500)), Trouble::Status, true),
        (said(Say::page(200)), Trouble::NotJson, true),
        (said(Say::Body(200, "application/json", b"{".to_vec())), Trouble::Garbled, true),
        (said(Say::HangUp), Trouble::Unanswered, true),
        (said(Say::CutShort(json!({}))), Trouble::CutShort, true),
        (said(Say::Hang), Trouble::TimedOut, true),
        (said(Say::Redirect("https://evil.example/".to_owned())), Trouble::Redirected, true),
        (said(Say::Body(200, "application/json", vec![b' '; 10 << 20])), Trouble::TooLarge, true),
        (said(Say::page(404)), Trouble::Discovery, false),
        (metadata(json!({"issuer": "https://evil.example"})), Trouble::Discovery, false),
        (metadata(json!({"token_endpoint": null})), Trouble::Discovery, false),
        (metadata(json!({"token_endpoint": "http://id.example/token"})), Trouble::Discovery, false),
    ];
    let (issuers, keyring) = (issuers(&rows), Keyring::start());
    let mut stage = Stage::with_keyring(&profiles(&issuers, ""), &keyring);
    each(&rows, &issuers, |_, profile, issuer| stage.sign_in(profile, issuer));
    stage.keeper.stop();
    for ((bad, ..), issuer) in rows.iter().zip(&issuers) {
        bad.done_to(issuer);
    }
    stage.keeper.spawn();
    each(&rows, &issuers, |(bad, trouble, soon), profile, issuer| {
        let retry_in = until("it waits", || match stage.keeper.phase(profile) {
            PhaseView::Waiting { why, retry_in_ms, .. } if why == *trouble => Some(retry_in_ms),
            PhaseView::NeedsLogin { why } => panic!("{bad:.90?}: {why:?}"),
            PhaseView::Fresh
            | PhaseView::Refreshing { .. }
            | PhaseView::SigningIn
            | PhaseView::Waiting { .. } => None,
        });
        assert_eq!(retry_in < 30_000, *soon, "{bad:.90?}: {retry_in}");
        let failure =
            stage.ask(Request::Refresh { profile: profile.to_owned(), by: api::Asker::Person }).unwrap_err();
        can_be_read(&failure);
        // A sign-in is told the same, at once, and takes nothing away.
        let began = std::time::Instant::now();
        let failure = stage.begin(profile).unwrap_err();
        assert!(began.elapsed() < SOON);
        stage.is_told(profile, &failure);
        issuer.behaves();
        let recovered = || match soon {
            true => stage.keeper.phase(profile) == PhaseView::Fresh,
            false => {
                stage.ask(Request::Refresh { profile: profile.to_owned(), by: api::Asker::Person }).is_ok()
            }
        };
        until("the session goes on", || recovered().then_some(()));
        let sent = issuer.asked("/token refresh_token").remove(0).form["refresh_token"].clone();
        assert_eq!(sent, issuer.refresh_tokens()[0], "{bad:.90?}: the token that was stored");
    });
    stage.ends_discreetly(&all(&issuers));
}

#[derive(Debug)]
enum Bad {
    Metadata(Value),
    Said(Say),
}

impl Bad {
    fn done_to(&self, issuer: &Issuer) {
        match self {
            Self::Metadata(changes) => issuer.describes_itself(changes.clone()),
            Self::Said(say) => issuer.says(OPENID, say.clone()),
        }
    }
}

fn discover(stage: &Stage, issuer: &str) -> Result<Discovery, Failure> {
    let request = Request::Discover { issuer: issuer.to_owned(), allow_http: false, ca_file: None };
    stage.ask(request).map(|reply| {
        let Reply::Discovered(found) = reply else { panic!("{reply:?}") };
        found
    })
}

const OAUTH: &str = "/.well-known/oauth-authorization-server";
