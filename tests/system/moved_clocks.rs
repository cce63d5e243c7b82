//! Clocks that are moved under a running keeper, together or one alone, and a keeper that is started again under other
//! ones: for it the machine slept, somebody set the date, or it goes on from a picture of the machine.

use std::fs;
use std::thread;
use std::time::{Duration, SystemTime};

use api::{Code, Note, PhaseView, Source, Trouble};
use pilotlight_sandbox::{Dialect, Endpoint, Fault};
use serde_json::json;

use crate::harness::{Authority, Bench, Clock, Clocks, Front, Keeper, Scratch, divides, meet, until, within};
use crate::tls::Stand;

/// Row A1, also where nobody announces the sleep, nor asks for anything.
#[test]
fn hours_of_sleep_are_one_refresh_after_each() {
    let (bench, clocks) = (Bench::strict(HOUR), Clocks::new());
    let mut keeper = Keeper::idle(&format!("vault = \"memory\"\n\n{}", bench.profile(Dialect::NestJs, "")));
    clocks.carry(&mut keeper);
    keeper.spawn();
    keeper.login("nestjs");
    let refreshes = || bench.counted(Dialect::NestJs).refreshes_received;
    for night in 1..=2 {
        clocks.move_by(Clock::Boot, HOUR.as_secs() as i64 * 8 * night);
        // By itself it looks at the clock every thirty seconds, and whenever somebody comes.
        if night == 2 {
            keeper.overview();
        }
        within(Duration::from_secs(45), "it is refreshed", || (refreshes() == night as u64).then_some(()));
        keeper.until_fresh("nestjs");
        is_sane(&keeper, "nestjs");
        let slept = |note: &Note| matches!(note, Note::Woke { slept_ms } if slept_ms.abs_diff(8 * 3_600_000) < 60_000);
        assert_eq!(keeper.notes("nestjs").iter().filter(|note| slept(note)).count(), night as usize);
    }
    thread::sleep(Duration::from_secs(2));
    assert_eq!(refreshes(), 2, "and no more than that");
    assert_eq!(bench.counted(Dialect::NestJs).logins, 1);
}

/// Rows A6, A7. A sign-in, too: an ID token and a proof are dated by the provider's clock.
#[test]
fn clocks_that_are_moved_by_years_cost_neither_a_session_nor_an_entry() {
    let (bench, clocks) = (Bench::strict(HOUR), Clocks::new());
    let profiles = format!("{}{}", bench.profile(Dialect::NestJs, ""), bench.oauth("work", "", ""));
    let mut keeper = Keeper::idle(&format!("vault = \"memory\"\n\n{profiles}"));
    clocks.carry(&mut keeper);
    clocks.move_by(Clock::Boot, YEARS);
    keeper.spawn();
    keeper.login("nestjs");
    keeper.sign_in("work");
    let mut entries = keeper.entries(None).len();
    let mut refreshes = [0, 0];
    let mut sleeps = 0;
    for (boot, wall) in [
        (YEARS, YEARS),
        (YEARS, -YEARS),
        (YEARS, 0),
        (2 * YEARS, 0),
        (YEARS, 0),
        (0, 0),
        (2 * YEARS, YEARS),
        (0, -YEARS),
        (YEARS, 0),
    ] {
        let when = format!("{} and {} years", boot / YEARS * 10, wall / YEARS * 10);
        sleeps += u64::from(clocks.is_at(Clock::Boot) < boot);
        clocks.move_by(Clock::Boot, boot);
        clocks.move_by(Clock::Wall, wall);
        for profile in ["nestjs", "work"] {
            keeper.until_fresh(profile);
            let path = if profile == "work" { "/api/profile" } else { "/aaa" };
            assert_eq!(keeper.fetch(profile, path).unwrap().status, 200, "{profile}, {when}");
            keeper.refresh(profile).unwrap();
            is_sane(&keeper, profile);
        }
        let counted = [Dialect::NestJs, Dialect::OAuth].map(|dialect| bench.counted(dialect));
        for (before, counted) in refreshes.iter_mut().zip(counted) {
            let more = counted.refreshes_granted - std::mem::replace(before, counted.refreshes_granted);
            assert!((1..=2).contains(&more), "{more} refreshes, {when}");
            assert_eq!((counted.logins, counted.reuse_detected), (1, 0), "{when}");
        }
        let now: Vec<i64> = keeper.entries(None).iter().map(|entry| entry.id).collect();
        assert!(now.is_sorted_by(|newer, older| newer > older) && now.len() > entries, "{when}: {now:?}");
        entries = now.len();
    }
    for wall in [YEARS, -YEARS] {
        clocks.move_by(Clock::Wall, wall);
        keeper.sign_in("work");
        // And as the first that a keeper does.
        keeper.restart();
        keeper.sign_in("work");
        keeper.refresh("work").unwrap();
    }
    assert_eq!(keeper.noted("work", "odd"), 0, "no ID token is from another time");
    // Such a sleep is none for the provider, which refuses one proof from the future after each.
    let refused = ["/par", "/token", "/api/profile"].map(|path| bench.statuses(path));
    let refused = refused.iter().flatten().filter(|status| **status >= 300).count() as u64;
    assert!(refused <= sleeps, "{refused} refused, after {sleeps} sleeps");
    assert!(keeper.run(&["status"]).went_well().out.contains("work"));
}

/// Row A6: certificates are good or not by the wall clock; that is told as what it is, sends nothing and ends nothing.
#[test]
fn a_date_that_is_years_off_makes_certificates_bad_for_as_long_as_it_is() {
    let (bench, clocks) = (Bench::strict(HOUR), Clocks::new());
    let ours = Authority::new("ours");
    let (stand, front) = (Stand::new(&ours), Front::new());
    front.lead_to(bench.origin());
    front.shows(ours.vouches_with("localhost", |certificate| {
        certificate.not_before = (SystemTime::now() - 24 * HOUR).into();
        certificate.not_after = (SystemTime::now() + 24 * HOUR).into();
    }));
    let profile = stand.profile("work", &front, "");
    let mut keeper = Keeper::idle(&format!("vault = \"memory\"\n\n{profile}"));
    clocks.carry(&mut keeper);
    keeper.spawn();
    keeper.login("work");
    for (refreshed, wall) in (1..).zip([YEARS, -YEARS]) {
        clocks.move_by(Clock::Wall, wall);
        assert_eq!(keeper.refresh("work").unwrap_err().code, Code::CertificateDate);
        let session = keeper.session("work");
        assert!(session.access.is_some_and(|access| !access.rejected), "{wall} s");
        assert!(
            matches!(session.phase, PhaseView::Waiting { why: Trouble::CertificateDate, .. }),
            "{wall} s"
        );
        clocks.move_by(Clock::Wall, 0);
        keeper.refresh("work").unwrap();
        let counted = bench.counted(Dialect::NestJs);
        assert_eq!((counted.logins, counted.refreshes_received), (1, refreshed), "{wall} s");
    }
}

/// Row A7.
/// A start is a refresh, and what was learned is known, however far the clocks are from those of the life before.
#[test]
fn a_keeper_that_starts_in_another_time_knows_all_that_it_knew() {
    let uptime = fs::read_to_string("/proc/uptime").unwrap();
    let uptime = uptime.split('.').next().unwrap().parse::<i64>().unwrap();
    // It cannot be brought below zero.
    let times = [YEARS, 5 - uptime, 0, 3 * YEARS];
    if !divides(&in_another_time(&YEARS.to_string()), "true") {
        return;
    }
    let bench = Bench::strict(HOUR);
    let credentials = Scratch::new();
    fs::write(credentials.path().join("pilotlight-key"), [7; 32]).unwrap();
    let profile = bench.profile(Dialect::Heartbeat, "");
    let mut keeper = Keeper::idle(&format!("vault = \"credential\"\n\n{profile}"));
    keeper.set_env("CREDENTIALS_DIRECTORY", credentials.path().to_str().unwrap());
    keeper.spawn();
    keeper.login("heartbeat");
    until("it is saved", || keeper.session("heartbeat").saved.then_some(()));
    // From now on nobody says any more how long they live.
    bench.fault(Fault::Omit, meet(Endpoint::Refresh).value(json!(["lifetime"])));
    let mut entries = Vec::new();
    for (life, time) in (1..).zip(times) {
        match life {
            3 => keeper.kill(),
            _ => keeper.stop(),
        }
        let time = time.to_string();
        let starter = [&["unshare"][..], &in_another_time(&time)].concat();
        keeper.started_by(&starter);
        keeper.spawn();
        let [its, ours] = [keeper.pid(), std::process::id()].map(|pid| {
            fs::read_link(format!("/proc/{pid}/ns/time")).expect("there are time namespaces (Linux 5.6)")
        });
        assert_ne!(its, ours, "whoever is started gets into another time (Linux 6.0)");
        keeper.until_fresh("heartbeat");
        is_sane(&keeper, "heartbeat");
        let access = keeper.session("heartbeat").access.unwrap();
        assert_eq!(
            (access.lifetime_ms, access.source),
            (HOUR.as_millis() as u64, Source::Learned),
            "{time} s"
        );
        thread::sleep(Duration::from_secs(1));
        let counted = bench.counted(Dialect::Heartbeat);
        assert_eq!((counted.logins, counted.refreshes_received), (1, life), "{time} s: one refresh a start");
        let now: Vec<(i64, i64)> = keeper.entries(None).iter().map(|entry| (entry.id, entry.at_ms)).collect();
        assert!(now.is_sorted_by(|newer, older| newer.0 > older.0 && newer.1 >= older.1), "{now:?}");
        assert!(now.ends_with(&entries), "{time} s: what was there is there");
        entries = now;
        until("it is saved", || keeper.session("heartbeat").saved.then_some(()));
    }
}

/// What a person is told of the times of a session that has just been refreshed.
fn is_sane(keeper: &Keeper, profile: &str) {
    let session = keeper.session(profile);
    let hour = HOUR.as_millis() as u64;
    let access = session.access.expect("it has a token");
    assert!(access.remaining_ms <= hour && access.remaining_ms > hour - 60_000, "{access:?}");
    assert_eq!(session.phase, PhaseView::Fresh);
    assert!(session.refresh_in_ms.is_some_and(|wait| wait < hour), "{:?}", session.refresh_in_ms);
    assert!(session.heartbeat.next_in_ms.is_some_and(|wait| wait < hour), "{:?}", session.heartbeat);
    assert!(session.last_refresh.is_some_and(|last| last.ago_ms < 60_000), "{:?}", session.last_refresh);
}

/// It takes `unshare` (util-linux), and Linux 6.0 or later that lets this user divide it.
fn in_another_time(seconds: &str) -> [&str; 5] {
    ["--user", "--map-current-user", "--time", "--boottime", seconds]
}

const HOUR: Duration = Duration::from_secs(3600);

/// Ten of them, in seconds.
const YEARS: i64 = 10 * 365 * 24 * 3600;
