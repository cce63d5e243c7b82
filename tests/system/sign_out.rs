//! The end of a session: by the provider, by the person, and by another person.

use std::time::{Duration, Instant};

use api::{Code, Line, Lost, Note, PhaseView, Reply, Request, VaultTrouble};
use pilotlight_sandbox::{Dialect, Endpoint, Fault, What};

use crate::harness::{
    Bench, Keeper, Keyring, Witness, at_once, fetch, fetched, given, meet, profile, sealed, sign_in, token,
    until,
};

/// Rows D9, D11: once only a person can help, nobody else is bothered.
#[test]
fn a_session_that_the_provider_ended_costs_it_no_more_calls() {
    let bench = Bench::strict(Duration::from_secs(60));
    let keeper =
        Keeper::start(&Dialect::JSON.map(|dialect| bench.profile(dialect, "heartbeat = \"1s\"")).concat());
    for (dialect, path) in RESOURCES {
        let name = dialect.name();
        keeper.login(name);
        bench.control.revoke(What::All, Some(dialect), None).unwrap();
        let failure = keeper.fetch(name, path).unwrap_err();
        assert_eq!(
            (failure.code, failure.details["why"].as_str()),
            (Code::SignInNeeded, "refused"),
            "{name}"
        );
        assert_eq!(keeper.phase(name), PhaseView::NeedsLogin { why: Lost::Refused });
    }
    let calls = || {
        RESOURCES.map(|(dialect, _)| {
            let counted = bench.counted(dialect);
            (counted.refreshes_received, counted.resource_requests, counted.heartbeats)
        })
    };
    let before = calls();
    let began = Instant::now();
    let asked = (0..1000)
        .map(|n| match n % 3 {
            0 => token("nestjs", Duration::ZERO),
            1 => fetch("simplejwt", "/api/protected/"),
            _ => Request::Refresh { profile: "flask".to_owned(), by: api::Asker::Person },
        })
        .collect();
    for answer in keeper.wire().ask_all(asked) {
        assert_eq!(answer.unwrap_err().code, Code::SignInNeeded);
    }
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    // Longer than a heartbeat and than any retry.
    std::thread::sleep(Duration::from_millis(1500));
    assert_eq!(calls(), before);

    keeper.login("nestjs");
    assert_eq!(keeper.fetch("nestjs", "/aaa").unwrap().status, 200);
}

/// Row B7: a refusal of the refresh token while the access token is good ends the session, not the access token.
#[test]
fn a_refused_refresh_says_so_in_the_journal_and_the_status() {
    let bench = Bench::strict(Duration::from_secs(60));
    let keeper = Keeper::start(&bench.profile(Dialect::SimpleJwt, ""));
    keeper.login("simplejwt");
    bench.control.revoke(What::Refresh, Some(Dialect::SimpleJwt), None).unwrap();
    assert_eq!(keeper.refresh("simplejwt").unwrap_err().code, Code::SignInNeeded);
    let told = keeper.notes("simplejwt");
    assert!(matches!(told.last(), Some(Note::NeedsLogin { why: Lost::Refused })), "{told:?}");
    // D7: the access token goes on until its own end.
    assert_eq!(keeper.fetch("simplejwt", "/api/protected/").unwrap().status, 200);
}

/// Row B14: at whatever moment of a refresh a person signs out, the provider is left without a token that is good, and the
/// vault without any.
#[test]
fn nothing_is_left_of_a_session_that_is_signed_out_during_a_refresh() {
    let bench = Bench::strict(Duration::from_secs(60));
    let witness = Witness::before(bench.origin());
    let keyring = Keyring::start();
    let profiles = profile("simplejwt", Dialect::SimpleJwt, witness.origin(), "");
    let mut keeper = Keeper::with_keyring(&profiles, &keyring);
    let given_back = |keeper: &Keeper| {
        let late = |note: &&Note| matches!(note, Note::LateAnswer { revoked: true });
        keeper.notes("simplejwt").iter().filter(late).count()
    };
    let moments = [Moment::AtOnce, Moment::BeforeTheAnswer].into_iter();
    let moments = moments.chain([10, 60, 120, 190, 195, 200, 205, 210, 260].map(Moment::After));
    for (round, moment) in (1..).zip(moments) {
        keeper.login("simplejwt");
        witness.hold_answers(REFRESH, Duration::from_millis(200));
        let kept = matches!(moment, Moment::BeforeTheAnswer).then(|| witness.keep_answers(REFRESH));
        let (before, late_before) = (bench.counted(Dialect::SimpleJwt), given_back(&keeper));
        let mut wire = keeper.wire();
        wire.send(Request::Refresh { profile: "simplejwt".to_owned(), by: api::Asker::Person });
        if !matches!(moment, Moment::AtOnce) {
            until("the server has rotated", || {
                (bench.counted(Dialect::SimpleJwt).refreshes_granted > before.refreshes_granted).then_some(())
            });
        }
        if let Moment::After(moment) = moment {
            std::thread::sleep(Duration::from_millis(moment));
        }
        assert!(matches!(
            keeper.ask(Request::Logout { profile: "simplejwt".to_owned(), browser: false }),
            Ok(Reply::Done)
        ));
        assert_eq!(keeper.phase("simplejwt"), PhaseView::NeedsLogin { why: Lost::SignedOut });
        let session = keeper.session("simplejwt");
        assert!(session.access.is_none() && session.user.is_none(), "{session:?}");
        let was_kept = kept.is_some();
        drop(kept);
        // It ends only once what was on its way has come, and the provider has been told of that too.
        keeper.restart();
        let left = bench.control.revoke(What::Refresh, Some(Dialect::SimpleJwt), None).unwrap().refresh;
        assert_eq!(left, 0, "{moment:?}");
        // One sign-out for each round, and one for each answer that brought tokens too late to be anybody's. Where
        // the sign-out came before the refresh to the server, there are none.
        let late = given_back(&keeper);
        assert!(!was_kept || late == late_before + 1, "{moment:?}");
        assert_eq!(keeper.noted("simplejwt", "revocation"), round + late, "{moment:?}");
        keeper.until_phase("simplejwt", PhaseView::NeedsLogin { why: Lost::SignedOut });
    }
}

/// When somebody signs out during a refresh.
#[derive(Clone, Copy, Debug)]
enum Moment {
    AtOnce,
    BeforeTheAnswer,
    /// So many milliseconds after the server has rotated. Its answer takes two hundred.
    After(u64),
}

/// Signed out and the machine switched off: the provider hears of it all the same.
#[test]
fn a_keeper_that_ends_right_after_a_sign_out_still_tells_the_provider() {
    let bench = Bench::strict(Duration::from_secs(60));
    let witness = Witness::before(bench.origin());
    let mut keeper = Keeper::start(&profile("simplejwt", Dialect::SimpleJwt, witness.origin(), ""));
    for late in [false, true] {
        keeper.login("simplejwt");
        bench.fault(Fault::Latency, meet(Endpoint::Logout).value(300.into()));
        if late {
            witness.hold_answers(REFRESH, Duration::from_millis(200));
            keeper.wire().send(Request::Refresh { profile: "simplejwt".to_owned(), by: api::Asker::Person });
            until("the server has rotated", || {
                (bench.counted(Dialect::SimpleJwt).refreshes_granted == 1).then_some(())
            });
        }
        drop(keeper.ask(Request::Logout { profile: "simplejwt".to_owned(), browser: false }));
        keeper.restart();
        let left = bench.control.revoke(What::Refresh, Some(Dialect::SimpleJwt), None).unwrap().refresh;
        assert_eq!(left, 0, "late: {late}");
    }
}

/// Row B15: alice's answer comes when bob has signed in.
#[test]
fn an_answer_for_somebody_else_changes_nothing() {
    let bench = Bench::strict(Duration::from_secs(60));
    let witness = Witness::before(bench.origin());
    let keeper = Keeper::start(&profile("simplejwt", Dialect::SimpleJwt, witness.origin(), ""));
    keeper.login("simplejwt");
    witness.hold_answers(REFRESH, Duration::from_millis(400));

    let mut wire = keeper.wire();
    wire.send(Request::Refresh { profile: "simplejwt".to_owned(), by: api::Asker::Person });
    until("the refresh is on its way", || {
        (bench.counted(Dialect::SimpleJwt).refreshes_received == 1).then_some(())
    });
    keeper.login_as("simplejwt", "bob", "builder").unwrap();
    until("alice's answer has come", || (keeper.noted("simplejwt", "late_answer") == 1).then_some(()));
    for _ in 0..10 {
        let answer = keeper.fetch("simplejwt", "/api/protected/").unwrap();
        assert!(answer.body.contains("hello bob"), "{}", answer.body);
    }
    until("hers is revoked", || (keeper.noted("simplejwt", "revocation") == 1).then_some(()));
    assert_eq!(bench.control.revoke(What::Refresh, None, Some("alice")).unwrap().refresh, 0);
    keeper.refresh("simplejwt").unwrap();
    assert!(keeper.fetch("simplejwt", "/api/protected/").unwrap().body.contains("hello bob"));
    assert_eq!(keeper.session("simplejwt").user.as_deref(), Some("bob"));
}

/// Two people at two windows: the later sign-in wins, whatever order the answers come in.
#[test]
fn of_two_sign_ins_at_once_the_later_one_holds() {
    let bench = Bench::strict(Duration::from_secs(60));
    let keeper = Keeper::start(&bench.profile(Dialect::SimpleJwt, ""));
    bench.fault(Fault::Latency, meet(Endpoint::Login).times(1).value(400.into()));
    let mut slow = keeper.wire();
    slow.send(sign_in("simplejwt", "alice", "wonderland"));
    until("alice's sign-in is on its way", || {
        bench
            .control
            .faults()
            .iter()
            .any(|fault| fault.name == Fault::Latency && fault.met == 1)
            .then_some(())
    });
    keeper.login_as("simplejwt", "bob", "builder").unwrap();
    let Line::Refusal { error, .. } = slow.receive() else { panic!("its tokens are not in use") };
    assert_eq!(error.code, Code::SignInCancelled);
    assert!(keeper.fetch("simplejwt", "/api/protected/").unwrap().body.contains("hello bob"));
    assert_eq!(keeper.session("simplejwt").user.as_deref(), Some("bob"));
}

/// Nobody has heard yet what is in the keyring, and the older of two sign-ins is answered first.
#[test]
fn two_sign_ins_while_the_keyring_hangs_keep_nobody_waiting() {
    let bench = Bench::strict(Duration::from_secs(60));
    let keyring = Keyring::start();
    keyring.hang(true);
    let witness = Witness::before(bench.origin());
    let profile = profile("simplejwt", Dialect::SimpleJwt, witness.origin(), "");
    let keeper = Keeper::with_keyring(&profile, &keyring);
    // The older one is answered once the keyring has been waited for, and the newer one later still.
    let sign_in_for = |took: u64| {
        witness.hold_answers("/simplejwt/api/token/", Duration::from_secs(took));
        let logins = bench.counted(Dialect::SimpleJwt).logins;
        let mut wire = keeper.wire();
        wire.send(sign_in("simplejwt", "alice", "wonderland"));
        until("it is on its way", || (bench.counted(Dialect::SimpleJwt).logins > logins).then_some(()));
        wire
    };
    let (mut older, mut newer) = (sign_in_for(3), sign_in_for(5));
    let Line::Refusal { error, .. } = older.receive() else { panic!("its tokens are not in use") };
    assert_eq!(error.code, Code::SignInCancelled);
    assert_eq!(keeper.phase("simplejwt"), PhaseView::SigningIn, "it answers");
    assert!(matches!(newer.receive(), Line::Answer { .. }));
    keyring.hang(false);
    until("it is saved", || keeper.session("simplejwt").saved.then_some(()));
}

/// Row G6.
/// Whoever signs in hears that a crash would cost the sign-in, and the journal has it too.
#[test]
fn a_sign_in_that_the_keyring_does_not_take_is_said_to_be_in_memory() {
    let bench = Bench::strict(Duration::from_secs(60));
    for trouble in [VaultTrouble::Slow, VaultTrouble::Locked] {
        let hangs = trouble == VaultTrouble::Slow;
        let keyring = Keyring::start();
        if hangs {
            keyring.hang(true)
        } else {
            keyring.lock()
        }
        let keeper = Keeper::with_keyring(&bench.profile(Dialect::NestJs, ""), &keyring);
        let ran = keeper.run_typing(&["login", "nestjs", "--user", "alice"], "wonderland\n").went_well();
        assert!(ran.err.contains("only in memory until the keyring takes it"), "{trouble:?} {}", ran.err);
        assert!(!ran.err.contains("is kept"), "{trouble:?} {}", ran.err);
        let unsaved = Note::Unsaved { trouble };
        assert!(keeper.notes("nestjs").contains(&unsaved), "{trouble:?} {:?}", keeper.notes("nestjs"));
        if hangs {
            keyring.hang(false)
        } else {
            keyring.unlock()
        }
        until("it is saved", || keeper.session("nestjs").saved.then_some(()));
        until("the journal says so", || (keeper.noted("nestjs", "saved") == 1).then_some(()));
    }
}

/// Row H7.
/// What is sealed goes at once, whatever the keyring is like.
#[test]
fn a_sign_out_with_a_locked_keyring_outlives_the_keeper() {
    let bench = Bench::strict(Duration::from_secs(60));
    let keyring = Keyring::start();
    let mut keeper = Keeper::with_keyring(&bench.profile(Dialect::NestJs, ""), &keyring);
    keeper.login("nestjs");
    assert!(keeper.session("nestjs").saved);
    keyring.lock();
    keeper.ask(Request::Logout { profile: "nestjs".to_owned(), browser: false }).unwrap();
    keeper.run(&["stop"]).went_well();
    until("it has ended", || keeper.ended());
    keyring.unlock();
    assert_eq!(sealed(&keeper, "nestjs", &keyring), None);
    keeper.spawn();
    keeper.until_phase("nestjs", PhaseView::NeedsLogin { why: Lost::SignedOut });
    assert_eq!(keeper.noted("nestjs", "restored"), 0);
}

/// Row D13.
#[test]
fn signing_out_without_a_network_forgets_here_at_once_and_tells_later() {
    let bench = Bench::strict(Duration::from_secs(60));
    let keyring = Keyring::start();
    let mut keeper = Keeper::with_keyring(&bench.profile(Dialect::SimpleJwt, ""), &keyring);
    keeper.login("simplejwt");
    bench.fault(Fault::Reset, meet(Endpoint::Logout).on());
    let began = Instant::now();
    assert!(matches!(
        keeper.ask(Request::Logout { profile: "simplejwt".to_owned(), browser: false }),
        Ok(Reply::Done)
    ));
    assert!(began.elapsed() < Duration::from_secs(1));
    assert_eq!(keeper.phase("simplejwt"), PhaseView::NeedsLogin { why: Lost::SignedOut });
    let failure = keeper.fetch("simplejwt", "/api/protected/").unwrap_err();
    assert_eq!(failure.details["why"], "signed_out");
    until("it is noted that nobody could be told", || {
        let untold = |note: &Note| matches!(note, Note::Revocation { trouble: Some(_), .. });
        keeper.notes("simplejwt").iter().any(untold).then_some(())
    });
    bench.control.clear_faults();
    until("the provider is told after all", || {
        let told = |note: &Note| matches!(note, Note::Revocation { trouble: None, .. });
        keeper.notes("simplejwt").iter().any(told).then_some(())
    });
    keeper.restart();
    keeper.until_phase("simplejwt", PhaseView::NeedsLogin { why: Lost::SignedOut });
}

/// A mistyped password while a session holds costs nothing.
#[test]
fn a_wrong_password_leaves_the_session_that_is_there() {
    let bench = Bench::strict(Duration::from_secs(60));
    let keeper = Keeper::start(&bench.profile(Dialect::NestJs, ""));
    keeper.login("nestjs");
    let failure = keeper.login_as("nestjs", "alice", "wunderland").unwrap_err();
    assert_eq!((failure.code, failure.details["message"].as_str()), (Code::SignInRefused, "密码错误"));
    assert_eq!(keeper.phase("nestjs"), PhaseView::Fresh);
    assert_eq!(keeper.fetch("nestjs", "/aaa").unwrap().status, 200);
    assert_eq!(keeper.session("nestjs").user.as_deref(), Some("alice"));
}

/// Everyone who waits for a session is told when a person signs it out.
#[test]
fn callers_who_wait_are_told_of_a_sign_out() {
    let bench = Bench::strict(Duration::from_secs(60));
    let keeper = Keeper::start(&bench.profile(Dialect::NestJs, ""));
    keeper.login("nestjs");
    bench.fault(Fault::Hang, meet(Endpoint::Refresh).on());
    bench.control.revoke(What::Access, Some(Dialect::NestJs), None).unwrap();
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| {
            at_once((0..10).collect(), |n| match n % 2 {
                0 => fetched(keeper.ask(fetch("nestjs", "/aaa"))).map(|_| ()),
                _ => given(keeper.ask(token("nestjs", Duration::from_secs(1)))).map(|_| ()),
            })
        });
        until("they wait", || (keeper.session("nestjs").requests.held >= 1).then_some(()));
        drop(keeper.ask(Request::Logout { profile: "nestjs".to_owned(), browser: false }));
        for answer in waiting.join().unwrap() {
            // A token that was asked for before the first 401 came was given.
            if let Err(failure) = answer {
                assert_eq!(failure.code, Code::SignInNeeded);
            }
        }
    });
}

const REFRESH: &str = "/simplejwt/api/token/refresh/";

const RESOURCES: [(Dialect, &str); 4] = [
    (Dialect::Flask, "/protected"),
    (Dialect::Heartbeat, "/api/profile"),
    (Dialect::NestJs, "/aaa"),
    (Dialect::SimpleJwt, "/api/protected/"),
];
