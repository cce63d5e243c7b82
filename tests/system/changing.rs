//! Profiles that change or go while something is on its way for them.

use std::time::Duration;

use api::{Code, Draft, Lost, PhaseView, Reply, Request};
use pilotlight_sandbox::{Dialect, Endpoint, Fault, What};

use crate::harness::{
    Bench, Keeper, Keyring, Witness, fetch, fetched, kind, meet, profile, sealed, token, until,
};

/// Rows C3, C7: the file is saved in an editor just when the server has rotated and its answer is on its way.
#[test]
fn a_profile_edited_during_a_refresh_keeps_its_session() {
    let bench = Bench::strict(Duration::from_secs(60));
    let witness = Witness::before(bench.origin());
    let keyring = Keyring::start();
    let lines = |more: &str| profile("simplejwt", Dialect::SimpleJwt, witness.origin(), more);
    let keeper = Keeper::with_keyring(&lines(""), &keyring);
    keeper.login("simplejwt");
    witness.hold_answers(REFRESH, Duration::from_millis(300));
    for round in 1..=3 {
        let mut wire = keeper.wire();
        wire.send(Request::Refresh { profile: "simplejwt".to_owned(), by: api::Asker::Person });
        until("the server has rotated", || {
            (bench.counted(Dialect::SimpleJwt).refreshes_granted >= round).then_some(())
        });
        keeper
            .write_config(&format!("vault = \"keyring\"\n\n{}", lines(&format!("heartbeat = \"{round}m\""))));
        until("the change is taken", || {
            (keeper.session("simplejwt").heartbeat.every_ms == 60_000 * round).then_some(())
        });
        keeper.until_fresh("simplejwt");
        assert_eq!(keeper.fetch("simplejwt", "/api/protected/").unwrap().status, 200, "round {round}");
    }
    let counted = bench.counted(Dialect::SimpleJwt);
    assert_eq!((counted.logins, counted.refreshes_refused), (1, 0));
}

/// An edit costs nobody the token that is good: callers do not notice.
#[test]
fn a_profile_edited_while_it_is_quiet_keeps_its_session_too() {
    let bench = Bench::strict(Duration::from_secs(60));
    let mut keeper = Keeper::idle(&format!("vault = \"memory\"\n\n{}", bench.profile(Dialect::NestJs, "")));
    keeper.spawn();
    keeper.login("nestjs");
    let edited = bench.profile(Dialect::NestJs, "heartbeat = \"7m\"");
    keeper.write_config(&format!("vault = \"memory\"\n\n{edited}"));
    until("the change is taken", || {
        assert_eq!(keeper.fetch("nestjs", "/aaa").unwrap().status, 200);
        (keeper.session("nestjs").heartbeat.every_ms == 7 * 60_000).then_some(())
    });
    assert_eq!(keeper.fetch("nestjs", "/aaa").unwrap().status, 200);
    assert_eq!(bench.counted(Dialect::NestJs).logins, 1);
}

/// Row H4.
/// A slip in the URL must not hand a refresh token to whoever is there.
#[test]
fn a_token_goes_to_the_server_that_gave_it_and_to_no_other() {
    let (ours, theirs) = (Bench::strict(Duration::from_secs(60)), Bench::strict(Duration::from_secs(60)));
    let at = |bench: &Bench| format!("vault = \"memory\"\n\n{}", bench.profile(Dialect::NestJs, ""));
    let mut keeper = Keeper::idle(&at(&ours));
    keeper.spawn();
    keeper.login("nestjs");
    keeper.write_config(&at(&theirs));
    until("the session is another", || {
        matches!(keeper.session("nestjs").phase, PhaseView::NeedsLogin { .. }).then_some(())
    });
    let asked = keeper.fetch("nestjs", "/aaa");
    assert_eq!(asked.unwrap_err().code, Code::SignInNeeded);
    let counted = theirs.counted(Dialect::NestJs);
    assert_eq!((counted.refreshes_received, counted.resource_requests), (0, 0));

    keeper.write_config(&at(&ours));
    until("it is back", || matches!(keeper.session("nestjs").phase, PhaseView::Fresh).then_some(()));
    assert_eq!(keeper.fetch("nestjs", "/aaa").unwrap().status, 200);
    assert_eq!(ours.counted(Dialect::NestJs).logins, 1);
}

/// Row B14, for a profile that is removed: what comes for it afterwards is revoked.
#[test]
fn nothing_is_left_of_a_profile_that_is_removed_during_a_refresh() {
    let bench = Bench::strict(Duration::from_secs(60));
    let witness = Witness::before(bench.origin());
    let keyring = Keyring::start();
    let lines = profile("simplejwt", Dialect::SimpleJwt, witness.origin(), "");
    let mut keeper = Keeper::with_keyring(&lines, &keyring);
    keeper.login("simplejwt");
    witness.hold_answers(REFRESH, Duration::from_millis(300));
    let mut wire = keeper.wire();
    wire.send(Request::Refresh { profile: "simplejwt".to_owned(), by: api::Asker::Person });
    until("the server has rotated", || {
        (bench.counted(Dialect::SimpleJwt).refreshes_granted == 1).then_some(())
    });
    assert!(matches!(keeper.ask(Request::Remove { profile: "simplejwt".to_owned() }), Ok(Reply::Done)));
    assert_eq!(keeper.fetch("simplejwt", "/").unwrap_err().code, Code::UnknownProfile);
    // The end waits for the answer and for telling the provider.
    keeper.stop();
    assert_eq!(bench.control.revoke(What::Refresh, None, None).unwrap().refresh, 0);
    keeper.write_config(&format!("vault = \"keyring\"\n\n{lines}"));
    keeper.spawn();
    keeper.until_phase("simplejwt", PhaseView::NeedsLogin { why: api::Lost::Never });
}

/// What a locked keyring still holds of a profile that was removed does not come back with its name.
#[test]
fn a_profile_that_is_removed_and_added_again_begins_anew() {
    let bench = Bench::strict(Duration::from_secs(60));
    let keyring = Keyring::start();
    let mut keeper = Keeper::with_keyring(&bench.profile(Dialect::SimpleJwt, ""), &keyring);
    keeper.login("simplejwt");
    assert!(keeper.session("simplejwt").saved);
    keyring.lock();
    assert!(matches!(keeper.ask(Request::Remove { profile: "simplejwt".to_owned() }), Ok(Reply::Done)));
    let again = Draft {
        profile: "simplejwt".to_owned(),
        preset: "simplejwt".to_owned(),
        url: format!("{}/simplejwt", bench.origin()),
        ..Draft::default()
    };
    assert!(matches!(keeper.ask(Request::Add(Box::new(again))), Ok(Reply::Status(_))));
    let anew = PhaseView::NeedsLogin { why: Lost::Never };
    keeper.until_phase("simplejwt", anew);
    keyring.unlock();
    until("what was stored is forgotten", || sealed(&keeper, "simplejwt", &keyring).is_none().then_some(()));
    keeper.until_phase("simplejwt", anew);
    keeper.restart();
    keeper.until_phase("simplejwt", anew);
    assert_eq!(keeper.noted("simplejwt", "restored"), 0);
}

/// Row H7.
/// Nor after the process that could not tell the keyring has ended.
#[test]
fn a_profile_that_was_removed_under_a_locked_keyring_begins_anew_in_the_next_process() {
    let bench = Bench::strict(Duration::from_secs(60));
    let keyring = Keyring::start();
    let lines = bench.profile(Dialect::SimpleJwt, "");
    let mut keeper = Keeper::with_keyring(&lines, &keyring);
    keeper.login("simplejwt");
    assert!(keeper.session("simplejwt").saved);
    keyring.lock();
    assert!(matches!(keeper.ask(Request::Remove { profile: "simplejwt".to_owned() }), Ok(Reply::Done)));
    keeper.run(&["stop", "--force"]).went_well();
    until("it has ended", || keeper.ended());
    keyring.unlock();
    keeper.write_config(&format!("vault = \"keyring\"\n\n{lines}"));
    keeper.spawn();
    until("what was stored is forgotten", || sealed(&keeper, "simplejwt", &keyring).is_none().then_some(()));
    keeper.until_phase("simplejwt", PhaseView::NeedsLogin { why: Lost::Never });
    assert_eq!(keeper.noted("simplejwt", "restored"), 0);
}

/// Whoever removes a profile does not leave its history behind, and the news that the provider was told of the sign-out
/// does not bring the name back.
#[test]
fn the_history_of_a_profile_that_is_removed_goes_with_it() {
    let bench = Bench::strict(Duration::from_secs(60));
    let witness = Witness::before(bench.origin());
    let keyring = Keyring::start();
    let other = bench.profile(Dialect::NestJs, "");
    let lines = profile("simplejwt", Dialect::SimpleJwt, witness.origin(), "");
    let mut keeper = Keeper::with_keyring(&format!("{lines}{other}"), &keyring);
    ["simplejwt", "nestjs"].iter().for_each(|name| keeper.login(name));
    keeper.refresh("simplejwt").unwrap();
    assert_eq!(keeper.noted("simplejwt", "refreshed"), 1);
    let mut watching = keeper.wire();
    watching.send(Request::Watch);
    // The provider answers when all else is over.
    witness.hold_answers(SIGN_OUT, Duration::from_millis(500));
    keeper.ask(Request::Remove { profile: "simplejwt".to_owned() }).unwrap();
    let names = |keeper: &Keeper| {
        let entries = keeper.entries(None).into_iter();
        entries.filter(|entry| entry.profile.as_deref() == Some("simplejwt")).count()
    };
    until("it is forgotten", || (names(&keeper) == 0).then_some(()));
    until("whoever watches hears what became of the sign-out", || {
        let told = watching.text();
        (told.contains(r#""kind":"revocation"#) && told.contains("\"simplejwt\"")).then_some(())
    });
    assert_eq!(names(&keeper), 0, "the news of the sign-out brought the name back");
    assert!(keeper.entries(None).iter().any(|entry| kind(&entry.note) == "revocation"));
    assert_eq!(keeper.noted("nestjs", "signed_in"), 1, "the others' is as it was");
    keeper.restart();
    assert_eq!(names(&keeper), 0);

    keeper.write_config(&format!("vault = \"keyring\"\n\n{lines}{other}"));
    until("it is there again", || keeper.overview().sessions.get(1).map(|_| ()));
    assert_eq!(keeper.noted("simplejwt", "signed_in"), 0);
}

/// A profile that is taken out of the file by hand is not signed out: it may come back, and then with its session.
#[test]
fn a_profile_that_comes_back_has_its_session() {
    let bench = Bench::strict(Duration::from_secs(60));
    let witness = Witness::before(bench.origin());
    let keyring = Keyring::start();
    let with =
        format!("vault = \"keyring\"\n\n{}", profile("simplejwt", Dialect::SimpleJwt, witness.origin(), ""));
    let keeper = Keeper::with_keyring(with.split_once("\n\n").unwrap().1, &keyring);
    keeper.login("simplejwt");
    witness.hold_answers(REFRESH, Duration::from_millis(300));
    for round in 1..=2 {
        let mut wire = keeper.wire();
        wire.send(Request::Refresh { profile: "simplejwt".to_owned(), by: api::Asker::Person });
        until("the server has rotated", || {
            (bench.counted(Dialect::SimpleJwt).refreshes_granted >= round).then_some(())
        });
        keeper.write_config("vault = \"keyring\"\n");
        until("it is gone", || {
            keeper.fetch("simplejwt", "/").err().filter(|failure| failure.code == Code::UnknownProfile)
        });
        keeper.write_config(&with);
        until("the profile is back with its session", || {
            keeper.fetch("simplejwt", "/api/protected/").ok().filter(|answer| answer.status == 200)
        });
    }
    assert_eq!(bench.counted(Dialect::SimpleJwt).logins, 1);
}

/// Whoever waits for a session that goes away is told.
#[test]
fn callers_of_a_profile_that_goes_are_told() {
    let bench = Bench::strict(Duration::from_secs(60));
    let keeper = Keeper::start(&bench.profile(Dialect::NestJs, "timeout = \"300ms\""));
    keeper.login("nestjs");
    bench.fault(Fault::Hang, meet(Endpoint::Refresh).on());
    bench.control.revoke(What::Access, None, None).unwrap();
    let mut wire = keeper.wire();
    wire.send(fetch("nestjs", "/aaa"));
    until("it is held", || (keeper.session("nestjs").requests.held == 1).then_some(()));
    keeper.write_config("vault = \"memory\"\n");
    assert!(wire.text().contains("\"error\""));
}

/// An edit is no answer.
#[test]
fn callers_of_a_profile_that_is_edited_wait_on() {
    let bench = Bench::strict(Duration::from_secs(60));
    let keeper = Keeper::start(&bench.profile(Dialect::NestJs, ""));
    keeper.login("nestjs");
    bench.fault(Fault::Status, meet(Endpoint::Refresh).on());
    bench.control.revoke(What::Access, None, None).unwrap();
    let (mut fetching, mut asking) = (keeper.wire(), keeper.wire());
    fetching.send(fetch("nestjs", "/aaa"));
    until("it is held", || (keeper.session("nestjs").requests.held == 1).then_some(()));
    asking.send(token("nestjs", Duration::ZERO));
    let edited = bench.profile(Dialect::NestJs, "heartbeat = \"7m\"");
    keeper.write_config(&format!("vault = \"memory\"\n\n{edited}"));
    until("the change is taken", || (keeper.session("nestjs").heartbeat.every_ms == 420_000).then_some(()));
    bench.control.clear_faults();
    keeper.refresh("nestjs").unwrap();
    assert!(fetching.text().contains("\"status\":200"));
    assert!(asking.text().contains("\"ok\":\"token\""));
}

/// What is out already is answered: the provider has done its part.
#[test]
fn a_request_that_is_out_when_its_profile_changes_gets_its_answer() {
    let bench = Bench::strict(Duration::from_secs(60));
    let keeper = Keeper::start(&bench.profile(Dialect::NestJs, ""));
    keeper.login("nestjs");
    bench.fault(Fault::Latency, meet(Endpoint::Resource).times(1).value(400.into()));
    let mut wire = keeper.wire();
    wire.send(fetch("nestjs", "/aaa"));
    until("it is out", || (bench.counted(Dialect::NestJs).resource_requests == 1).then_some(()));
    let edited = bench.profile(Dialect::NestJs, "heartbeat = \"9m\"");
    keeper.write_config(&format!("vault = \"memory\"\n\n{edited}"));
    until("the change is taken", || (keeper.session("nestjs").heartbeat.every_ms == 540_000).then_some(()));
    assert!(wire.text().contains("\"status\":200"));
    assert_eq!(fetched(keeper.ask(fetch("nestjs", "/bbb"))).unwrap().status, 200);
}

const REFRESH: &str = "/simplejwt/api/token/refresh/";
const SIGN_OUT: &str = "/simplejwt/api/token/blacklist/";
