//! D13, B14: signing out of an OAuth session, and hearing of its end from the provider.

use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

use api::{Cause, Code, Lost, Note, PhaseView, Reply, Request, Trouble, Way};
use pilotlight_sandbox::What;

use crate::harness::{Bench, Browser, Ear, Keeper, SECRET, by_hand, until};

#[test]
fn a_sign_out_leaves_nothing_here_and_nothing_good_at_the_provider() {
    let bench = Bench::strict(Duration::from_secs(60));
    let ear = Ear::before(bench.origin());
    let keeper = Keeper::start(&bench.oauth("work", "", &revoking_at(&ear, "work")));
    keeper.sign_in("work");
    let access = keeper.access_token("work");
    assert_eq!(bench.introspect(&access)["active"], true);
    assert!(matches!(keeper.log_out("work", false), Reply::Done));
    assert_signed_out(&keeper);
    until_told(&keeper, 1);
    let revoked = ear.heard("/oauth/revoke");
    let hints: Vec<_> = revoked.iter().map(|said| said.get("token_type_hint").unwrap()).collect();
    assert_eq!(hints, ["refresh_token", "access_token"], "most of a session goes with its refresh token");
    for said in &revoked {
        assert_eq!(bench.introspect(said.get("token").unwrap())["active"], false);
        assert_eq!(said.get("client_id"), Some("pilotlight"));
    }
    assert_eq!(revoked[1].get("token"), Some(&*access));
    assert_nothing_is_good(&bench);
    assert_eq!(keeper.fetch("work", "/api/profile").unwrap_err().code, Code::SignInNeeded);
    let refresh = revoked[0].get("token").unwrap();
    for text in [keeper.log(), format!("{:?}", keeper.entries(None))] {
        assert!(!text.contains(refresh) && !text.contains(&access));
    }
}

/// Row D13: whoever signs out on a train expects the tokens to be dead by the evening.
#[test]
fn a_provider_that_is_away_is_told_when_it_is_back() {
    let bench = Bench::strict(Duration::from_secs(60));
    let ear = Ear::before(bench.origin());
    let keeper = Keeper::start(&bench.oauth("work", "", &revoking_at(&ear, "work")));
    keeper.sign_in("work");
    let access = keeper.access_token("work");
    ear.cut(true);
    keeper.log_out("work", false);
    assert_signed_out(&keeper);
    until("it is noted that the provider has not heard", || {
        let missed =
            |note: &Note| matches!(note, Note::Revocation { trouble: Some(Trouble::Unanswered), .. });
        keeper.notes("work").iter().any(missed).then_some(())
    });
    assert_eq!(bench.introspect(&access)["active"], true);
    ear.cut(false);
    until_told(&keeper, 2);
    let notes = keeper.notes("work");
    assert!(matches!(notes.last(), Some(Note::Revocation { trouble: None, .. })), "{notes:?}");
    assert_eq!(bench.introspect(&access)["active"], false);
    assert_nothing_is_good(&bench);
}

#[test]
fn what_a_provider_does_not_take_back_is_said() {
    let bench = Bench::strict(Duration::from_secs(60));
    let ear = Ear::before(bench.origin());
    let lines = format!("scopes = [\"api\"]\n{}", by_hand("none", bench.origin(), &["revocation"]));
    let keeper = Keeper::start(
        &[bench.oauth("work", "", &revoking_at(&ear, "work")), bench.oauth("none", "", &lines)].concat(),
    );
    for name in ["work", "none"] {
        keeper.sign_in(name);
    }
    for _ in ["the refresh token", "the access token"] {
        ear.answer_once("/oauth/revoke", "403 Forbidden", "X-From: it", r#"{"error":"access_denied"}"#);
    }
    keeper.log_out("work", false);
    until("the refusal is noted", || {
        let refused = |note: &Note| matches!(note, Note::Revocation { trouble: Some(_), status: Some(403) });
        keeper.notes("work").iter().any(refused).then_some(())
    });
    assert!(matches!(keeper.log_out("none", true), Reply::Open { .. }));
    until("it is noted that nobody was told", || {
        keeper.notes("none").contains(&Note::RevocationUnsupported).then_some(())
    });
    assert_eq!(keeper.phase("none"), PhaseView::NeedsLogin { why: Lost::SignedOut });
}

/// OpenID Connect RP-Initiated Logout: the browser ends its own session, and the keeper revokes all the same.
#[test]
fn the_browser_is_sent_to_sign_out_too_when_that_is_asked_for() {
    let bench = Bench::strict(Duration::from_secs(60));
    let none = format!("scopes = [\"api\"]\n{}", by_hand("none", bench.origin(), &["end_session"]));
    let keeper = Keeper::start(&[bench.oauth("work", "", ""), bench.oauth("none", "", &none)].concat());
    for name in ["work", "none"] {
        keeper.sign_in(name);
        assert_eq!(keeper.session(name).browser_logout, name == "work");
    }
    assert!(matches!(keeper.log_out("none", true), Reply::Done));
    let Reply::Open { url } = keeper.log_out("work", true) else { panic!("no address") };
    let page = Browser::new().open(&url);
    assert_eq!((page.url.path(), page.status), ("/oauth/end_session", 200));
    let names: Vec<_> = page.url.query_pairs().map(|(name, _)| name.into_owned()).collect();
    assert_eq!(names, ["id_token_hint", "client_id"]);
    assert!(page.body.contains("You are signed out."), "{}", page.body);
    for name in ["work", "none"] {
        until("the provider has heard of it", || (keeper.noted(name, "revocation") == 1).then_some(()));
    }
    let (_, hint) = page.url.query_pairs().next().unwrap();
    assert!(!keeper.log().contains(&*hint), "the ID token is in the log");
    // Signed out already: there is no hint any more, and the page is there all the same.
    let Reply::Open { url } = keeper.log_out("work", true) else { panic!("no address") };
    assert!(!url.contains("id_token_hint"));
}

/// Row B14: what the provider gives after a sign-out is nobody's, and is given back.
#[test]
fn a_sign_out_during_a_refresh_revokes_what_comes_late() {
    let bench = Bench::strict(Duration::from_secs(60));
    let ear = Ear::before(bench.origin());
    let own = format!("dpop = false\nscopes = [\"api\"]\n{}", by_hand("work", ear.origin(), &[]));
    let keeper = Keeper::start(&bench.oauth("work", "", &own));
    for (round, moment) in (1..).zip([0, 150, 290, 300, 310]) {
        ear.hold_answers("/oauth/token", Duration::ZERO);
        keeper.sign_in("work");
        ear.hold_answers("/oauth/token", Duration::from_millis(300));
        let mut wire = keeper.wire();
        wire.send(Request::Refresh { profile: "work".to_owned(), by: api::Asker::Person });
        until("the provider has rotated", || (bench.told().refreshes_granted == round).then_some(()));
        let rotated = Instant::now();
        std::thread::sleep(Duration::from_millis(moment));
        keeper.log_out("work", false);
        assert_signed_out(&keeper);
        until("the provider has been told of every token", || {
            let late = keeper.noted("work", "late_answer") as u64;
            let told = keeper.noted("work", "revocation") as u64;
            (rotated.elapsed() > Duration::from_millis(400) && told == round + late).then_some(())
        });
        assert_nothing_is_good(&bench);
    }
    assert!(keeper.noted("work", "late_answer") >= 1, "no sign-out met a refresh on its way");
}

#[test]
fn a_sign_out_while_somebody_is_at_the_browser_calls_that_off() {
    let bench = Bench::strict(Duration::from_secs(60));
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let keeper = Keeper::start(&bench.oauth("work", "", &format!("redirect_port = {port}")));
    let is_open = || TcpStream::connect(("127.0.0.1", port)).is_ok();
    for signed_in in [false, true] {
        if signed_in {
            keeper.sign_in("work");
            until("the page was shown and the door is closed", || (!is_open()).then_some(()));
        }
        keeper.begin_sign_in("work", Way::Browser);
        assert!(is_open());
        let mut wire = keeper.wire();
        wire.send(Request::FinishSignIn { profile: "work".to_owned(), timeout_ms: None });
        keeper.log_out("work", false);
        assert!(wire.text().contains("sign_in_cancelled"));
        assert_signed_out(&keeper);
        assert_eq!(keeper.session("work").pending, None);
        until("whoever comes back from the page finds the door closed", || (!is_open()).then_some(()));
    }
    until_told(&keeper, 1);
    assert_nothing_is_good(&bench);
}

/// A session that was ended elsewhere is noticed at the next heartbeat: by introspection where that is for this client,
/// by the userinfo endpoint where it is not.
#[test]
fn the_heartbeat_notices_what_was_revoked_elsewhere() {
    let bench = Bench::strict(Duration::from_secs(60));
    let every = "heartbeat = \"1s\"";
    let keeper = Keeper::start(
        &[
            bench.oauth("person", every, ""),
            bench.service("service", every, &format!("client_secret = \"{SECRET}\"")),
        ]
        .concat(),
    );
    keeper.sign_in("person");
    keeper.login_as("service", "", "").unwrap();
    let beats = |name: &str| keeper.session(name).heartbeat.last.is_some_and(|last| last.good);
    until("there were good heartbeats", || (beats("person") && beats("service")).then_some(()));
    let asked = bench.statuses("/introspect");
    assert_eq!(asked.iter().filter(|status| **status == 401).count(), 1, "it is not for a public client");
    assert!(asked.contains(&200) && bench.statuses("/userinfo").contains(&200));
    let counted = bench.told();
    assert_eq!((counted.refreshes_received, counted.unauthorized), (0, 0), "a heartbeat cost a refresh");

    bench.control.revoke(What::Access, None, None).unwrap();
    for name in ["person", "service"] {
        until("the heartbeat has noticed", || {
            let by_heartbeat =
                |note: &Note| matches!(note, Note::Refreshed { cause: Cause::HeartbeatSaidNo, .. });
            keeper.notes(name).iter().any(by_heartbeat).then_some(())
        });
        assert_eq!(keeper.fetch(name, "/api/profile").unwrap().status, 200, "{name}");
    }
    assert_eq!(bench.told().refreshes_received, 1);

    // A token that was bought because a heartbeat had said no is not doubted again so soon.
    keeper.refresh("person").unwrap();
    let revoked = Instant::now();
    bench.control.revoke(What::All, None, Some("alice")).unwrap();
    keeper.until_phase("person", PhaseView::NeedsLogin { why: Lost::Refused });
    assert!(revoked.elapsed() < Duration::from_secs(5), "{:?}", revoked.elapsed());
    assert_eq!(keeper.fetch("service", "/api/profile").unwrap().status, 200);
}

/// One that answers nonsense, or that a gateway shields, says nothing about the token.
#[test]
fn an_introspection_that_says_nothing_costs_no_refresh() {
    let bench = Bench::strict(Duration::from_secs(60));
    let ear = Ear::before(bench.origin());
    let own =
        format!("[profile.work.oauth.endpoints]\nintrospection = \"{}/oauth/introspect\"", ear.origin());
    let keeper = Keeper::start(&bench.oauth("work", "heartbeat = \"1s\"", &own));
    ear.answer_once("/oauth/introspect", "200 OK", "X-From: portal", "[]");
    ear.answer_once("/oauth/introspect", "503 Service Unavailable", "X-From: gateway", "{}");
    keeper.sign_in("work");
    until("it has been asked until it said that it is not for us", || {
        (ear.heard("/oauth/introspect").len() == 3).then_some(())
    });
    // Once for the name at the sign-in.
    until("something else is asked", || (bench.statuses("/userinfo") == [200; 3]).then_some(()));
    assert_eq!((bench.told().refreshes_received, keeper.phase("work")), (0, PhaseView::Fresh));
    assert_eq!(ear.heard("/oauth/introspect").len(), 3, "it goes on being asked");
}

fn revoking_at(ear: &Ear, name: &str) -> String {
    format!("[profile.{name}.oauth.endpoints]\nrevocation = \"{}/oauth/revoke\"", ear.origin())
}

fn assert_signed_out(keeper: &Keeper) {
    let session = keeper.session("work");
    assert_eq!(session.phase, PhaseView::NeedsLogin { why: Lost::SignedOut });
    assert!(session.access.is_none() && session.user.is_none(), "{session:?}");
}

fn until_told(keeper: &Keeper, times: usize) {
    until("the provider has heard of it", || (keeper.noted("work", "revocation") == times).then_some(()));
}

/// Of all that the issuer ever gave.
fn assert_nothing_is_good(bench: &Bench) {
    let left = bench.control.revoke(What::All, None, None).unwrap();
    assert_eq!((left.access, left.refresh), (0, 0));
}
