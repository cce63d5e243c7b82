//! The browser never comes back. What ends the waiting is a person, who has better things to do than to wait five
//! minutes; that span itself is too long for a test.

use std::thread;
use std::time::{Duration, Instant};

use api::{Code, Failure, Pending, PhaseView, Reply, Request};

use super::{Stage, can_be_read};
use crate::harness::{Issuer, Keeper, until};

#[test]
fn whoever_stops_waiting_is_not_kept_waiting() {
    let profile = || "p0".to_owned();
    let rows: [(&str, Request, Code); 3] = [
        ("given up", Request::CancelSignIn { profile: profile() }, Code::SignInCancelled),
        ("signed out", Request::Logout { profile: profile(), browser: false }, Code::SignInCancelled),
        ("removed", Request::Remove { profile: profile() }, Code::SignInCancelled),
    ];
    crate::harness::at_once(rows.into(), |(what, request, code)| {
        let issuer = Issuer::start();
        let stage = Stage::with(&issuer.profile("p0", ""));
        let visit = stage.begin("p0").unwrap();
        let pending = stage.keeper.session("p0").pending;
        let Some(Pending::Browser { expires_in_ms, .. }) = pending else { panic!("{pending:?}") };
        assert!((290_000..=300_000).contains(&expires_in_ms), "{expires_in_ms}");
        let failure = while_waiting(&stage.keeper, || {
            assert!(matches!(stage.ask(request), Ok(Reply::Done)), "{what}");
        });
        assert_eq!(failure.code, code, "{what}: {failure:?}");
        can_be_read(&failure);
        visit.until_closed();
        if what != "removed" {
            assert_eq!(stage.keeper.session("p0").pending, None, "{what}");
            assert!(matches!(stage.keeper.phase("p0"), PhaseView::NeedsLogin { .. }), "{what}");
            // Nothing of it stands in the way of the next one.
            stage.sign_in("p0", &issuer);
        }
        stage.ends_discreetly(&[&issuer]);
    });
}

#[test]
fn giving_up_leaves_the_session_that_was_there() {
    let issuer = Issuer::start();
    let stage = Stage::with(&issuer.profile("p0", ""));
    let failure = stage.fails("p0", &issuer, |_| {
        assert!(stage.ask(Request::CancelSignIn { profile: "p0".to_owned() }).is_ok());
    });
    assert_eq!(failure.code, Code::SignInCancelled);
    // There is nothing to give up, which is as good.
    assert!(matches!(stage.ask(Request::CancelSignIn { profile: "p0".to_owned() }), Ok(Reply::Done)));
    stage.ends_discreetly(&[&issuer]);
}

#[test]
fn a_keeper_that_is_told_to_stop_does_not_wait_for_a_person() {
    let issuer = Issuer::start();
    let mut stage = Stage::with(&issuer.profile("p0", ""));
    stage.begin("p0").unwrap();
    let began = Instant::now();
    let failure = while_waiting(&stage.keeper, || {
        assert!(matches!(stage.keeper.ask(Request::Stop { force: false }), Ok(Reply::Done)));
    });
    assert!(matches!(failure.code, Code::SignInCancelled | Code::KeeperStopping), "{failure:?}");
    until("the keeper ends", || stage.keeper.has_ended().then_some(()));
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
}

/// The second one takes the place of the first: whoever waits for the first learns how the second ends.
#[test]
fn a_sign_in_that_is_begun_again_takes_the_place_of_the_first() {
    let issuer = Issuer::start();
    let stage = Stage::with(&issuer.profile("p0", ""));
    let first = stage.begin("p0").unwrap();
    thread::scope(|scope| {
        let waiting = scope.spawn(|| stage.finish("p0"));
        until("somebody waits", || stage.keeper.session("p0").pending);
        let second = stage.begin("p0").unwrap();
        first.until_closed();
        assert_ne!(first.state, second.state);
        // What belongs to the first is nothing to the second.
        assert_eq!(second.lands(&first.query(&issuer)).status, 400);
        assert_eq!(second.comes_back(&issuer).status, 303);
        assert_eq!(second.calls("/done").status, 200);
        waiting.join().unwrap().unwrap();
    });
    stage.finish("p0").unwrap();
    stage.ends_discreetly(&[&issuer]);
}

/// A person signs out while the code is being exchanged: what comes of it belongs to nobody.
#[test]
fn tokens_that_come_after_the_sign_out_are_given_back() {
    let issuer = Issuer::start();
    let stage = Stage::with(&issuer.profile("p0", ""));
    let visit = stage.begin("p0").unwrap();
    issuer.takes_its_time("/token", Duration::from_millis(700));
    assert_eq!(visit.comes_back(&issuer).status, 303);
    until("the code is on its way", || issuer.asked("/token").first().cloned());
    let failure = while_waiting(&stage.keeper, || {
        let logout = Request::Logout { profile: "p0".to_owned(), browser: false };
        assert!(stage.ask(logout).is_ok());
        let page = visit.calls("/done");
        assert!(page.body.contains("That did not work"), "{page:?}");
    });
    assert_eq!(failure.code, Code::SignInCancelled, "{failure:?}");
    let revoked = until("they are given back", || issuer.asked("/revoke").first().cloned());
    assert_eq!(Some(&revoked.form["token"]), issuer.refresh_tokens().last());
    assert!(stage.keeper.session("p0").access.is_none());
    visit.until_closed();
    stage.ends_discreetly(&[&issuer]);
}

/// The profile was removed meanwhile, and added again: these are nobody's, and the journal has no name for them.
#[test]
fn tokens_that_come_after_the_profile_are_given_back_without_a_word() {
    let issuer = Issuer::start();
    let profile = issuer.profile("p0", "").replace("\"2s\"", "\"10s\"");
    let stage = Stage::with(&profile);
    let visit = stage.begin("p0").unwrap();
    issuer.takes_its_time("/token", Duration::from_secs(3));
    assert_eq!(visit.comes_back(&issuer).status, 303);
    until("the code is on its way", || issuer.asked("/token").first().cloned());
    stage.ask(Request::Remove { profile: "p0".to_owned() }).unwrap();
    stage.keeper.write_config(&profile);
    until("it is there again", || (stage.keeper.overview().sessions.len() == 1).then_some(()));
    until("they are given back", || (issuer.asked("/revoke").len() == 2).then_some(()));
    // What became of that is written by the time that a sign-in after it is over.
    issuer.takes_its_time("/token", Duration::ZERO);
    stage.sign_in("p0", &issuer);
    let entries = stage.keeper.entries(None);
    assert!(entries.iter().all(|entry| entry.profile.as_deref() != Some("")), "{entries:?}");
    assert_eq!(stage.keeper.noted("p0", "revocation"), 0, "{entries:?}");
}

/// Does something while somebody waits for the end of the sign-in, and returns what that one is told.
fn while_waiting(keeper: &Keeper, act: impl FnOnce()) -> Failure {
    let mut wire = keeper.wire();
    wire.send(Request::FinishSignIn { profile: "p0".to_owned(), timeout_ms: None });
    // A question that came later is answered by now, so that one has been heard.
    keeper.session("p0");
    act();
    let began = Instant::now();
    let api::Line::Refusal { error, .. } = wire.receive() else { panic!("it came to a good end") };
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    error
}
