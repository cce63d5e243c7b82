//! Killed in the middle of a refresh.

use std::thread;
use std::time::Duration;

use api::{Lost, PhaseView, Request};
use pilotlight_sandbox::{Dialect, Endpoint, Fault};

use crate::harness::{Bench, Keeper, Keyring, meet, until};

/// Rows B13, C3: at every moment of a refresh, before, during and after. With a grace nothing may be lost.
#[test]
fn no_session_is_lost_at_whatever_moment_the_keeper_is_killed() {
    let bench = Bench::with_grace(Duration::from_secs(60), Duration::from_secs(30));
    let keyring = Keyring::start();
    let mut keeper = Keeper::with_keyring(&bench.profile(Dialect::NestJs, ""), &keyring);
    keeper.login("nestjs");
    bench.slow_refreshes(Duration::from_millis(20));
    let mut interrupted = 0;
    for step in 0..MOMENTS {
        keeper.until_fresh("nestjs");
        let mut wire = keeper.wire();
        wire.send(Request::Refresh { profile: "nestjs".to_owned(), by: api::Asker::Person });
        // The moment itself is what is tested: from before the request leaves to after the save.
        thread::sleep(Duration::from_micros(2_500) * step);
        keeper.kill();
        keeper.spawn();
        let answer = keeper.fetch("nestjs", "/aaa");
        assert_eq!(answer.as_ref().map(|answer| answer.status), Ok(200), "moment {step}: {answer:?}");
        let now = keeper.noted("nestjs", "interrupted");
        interrupted = interrupted.max(now);
    }
    let counted = bench.counted(Dialect::NestJs);
    assert_eq!((counted.logins, counted.reuse_detected, counted.refreshes_refused), (1, 0, 0));
    assert!(interrupted >= 3, "only {interrupted} kills met a refresh on its way");
}

/// Row C3.
/// It was its first, so that the key was made for it.
#[test]
fn a_sign_in_that_is_called_kept_is_kept_even_if_nothing_else_is_done() {
    let bench = Bench::strict(Duration::from_secs(60));
    let keyring = Keyring::start();
    for _ in 0..8 {
        let mut keeper = Keeper::with_keyring(&bench.profile(Dialect::NestJs, ""), &keyring);
        keeper.login("nestjs");
        assert!(keeper.session("nestjs").saved);
        keeper.kill();
        keeper.spawn();
        keeper.until_fresh("nestjs");
    }
    let counted = bench.counted(Dialect::NestJs);
    assert_eq!((counted.logins, counted.reuse_detected, counted.refreshes_refused), (8, 0, 0));
}

/// The keyring writes to its disk when it likes, and goes down with everything else.
#[test]
fn a_keyring_that_goes_down_with_the_keeper_takes_no_session_along() {
    let bench = Bench::strict(Duration::from_secs(60));
    let keyring = Keyring::start();
    let mut keeper = Keeper::with_keyring(&bench.profile(Dialect::NestJs, ""), &keyring);
    keeper.login("nestjs");
    for _ in 0..4 {
        keeper.refresh("nestjs").unwrap();
        keyring.kill();
        keeper.kill();
        keeper.spawn();
        keyring.start_again();
        keyring.unlock();
        keeper.until_fresh("nestjs");
    }
    let counted = bench.counted(Dialect::NestJs);
    assert_eq!((counted.logins, counted.reuse_detected, counted.refreshes_refused), (1, 0, 0));
}

/// Rows C3, C4: without a grace an answer lost with the process cannot be repeated by anyone. It is detected and said.
#[test]
fn without_a_grace_a_lost_answer_is_noticed_and_told() {
    let bench = Bench::strict(Duration::from_secs(60)).expecting_reuse();
    let keyring = Keyring::start();
    let mut keeper = Keeper::with_keyring(&bench.profile(Dialect::NestJs, ""), &keyring);
    keeper.login("nestjs");
    // The server rotates, the answer never comes, and the keeper dies before it can ask again.
    bench.fault(Fault::LostAnswer, meet(Endpoint::Refresh).times(1).on());
    let mut wire = keeper.wire();
    wire.send(Request::Refresh { profile: "nestjs".to_owned(), by: api::Asker::Person });
    until("the server has rotated", || (bench.counted(Dialect::NestJs).refreshes_granted == 1).then_some(()));
    keeper.kill();
    assert_eq!(bench.counted(Dialect::NestJs).refreshes_received, 1, "killed too late to mean anything");
    keeper.spawn();
    until("the session says that it is over", || {
        (keeper.phase("nestjs") == PhaseView::NeedsLogin { why: Lost::Interrupted }).then_some(())
    });
    let notes: Vec<_> = keeper.notes("nestjs").iter().map(crate::harness::kind).collect();
    assert!(notes.ends_with(&["interrupted", "said", "needs_login"].map(str::to_owned)), "{notes:?}");
    keeper.login("nestjs");
    keeper.restart();
    keeper.until_fresh("nestjs");
    assert_eq!(keeper.noted("nestjs", "interrupted"), 1, "an old mark was believed again");
}

/// The same in the middle of a sign-in: there is a session or there is none, never half of one.
#[test]
fn a_keeper_killed_during_a_sign_in_has_the_session_or_asks_for_it() {
    let bench = Bench::strict(Duration::from_secs(60));
    let keyring = Keyring::start();
    let mut keeper = Keeper::with_keyring(&bench.profile(Dialect::NestJs, ""), &keyring);
    for step in 0..6 {
        let mut wire = keeper.wire();
        wire.send(crate::harness::sign_in("nestjs", "alice", "wonderland"));
        thread::sleep(Duration::from_millis(4) * step);
        keeper.kill();
        keeper.spawn();
        let phase = until("the session knows where it stands", || match keeper.phase("nestjs") {
            phase @ (PhaseView::Fresh | PhaseView::NeedsLogin { .. }) => Some(phase),
            PhaseView::Refreshing { .. } | PhaseView::SigningIn | PhaseView::Waiting { .. } => None,
        });
        if phase == PhaseView::Fresh {
            assert_eq!(keeper.fetch("nestjs", "/aaa").unwrap().status, 200);
        } else {
            assert_eq!(phase, PhaseView::NeedsLogin { why: Lost::Never });
        }
    }
}

/// From nothing to sixty milliseconds, of which the server takes twenty.
const MOMENTS: u32 = 25;
