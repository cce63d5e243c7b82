//! What earlier sign-ins and earlier processes have seen of ends.

use std::time::Duration;

use session::event::{Asker, Event, Memory};
use session::forecast::{Ends, Ground, Unused};
use session::policy::Policy;
use session::reason::Lost;
use session::time::{Timestamp, millis};
use session::view::Phase;

use crate::bench::{ASKED, Bench, dead, fresh, minutes, offline};
use crate::forecast::{DAY, Server, ends, forecast, foreseen, unused, warnings};

/// What nobody tells is looked for: after two ends, in half of the time that was too long.
#[test]
fn c12_a_sign_in_that_died_of_rest_is_kept_alive_in_the_end() {
    for (access, most) in [(20, 2), (30, 3)] {
        let mut server = Server { idle: 14 * DAY, tells: false, ..Server::new(access * DAY) };
        let mut bench = server.sign_in(Bench::seeded(3));
        let mut ends = 0;
        loop {
            server.serve(&mut bench, 200 * DAY);
            if bench.session.lost().is_none() {
                break;
            }
            assert_eq!(bench.session.lost(), Some(Lost::Refused));
            ends += 1;
            assert!(ends <= most, "access tokens of {access} days");
            bench = server.sign_in(bench);
            assert_eq!(forecast(&bench).is_some(), ends >= 2, "one refusal is not a law");
        }
        assert_eq!(ends, most, "access tokens of {access} days");
        assert!(bench.sent.len() < 60, "{} refreshes", bench.sent.len());
    }
}

/// Row C12: within five percent after two cycles.
#[test]
fn c12_an_end_that_nobody_tells_is_foreseen_after_two_of_its_kind() {
    let lasts = 14 * DAY;
    let mut server = Server { lasts, tells: false, ..Server::new(minutes(60)) };
    let mut bench = server.sign_in(Bench::seeded(3));
    for why in [Lost::Refused, Lost::Refused, Lost::RanOut, Lost::RanOut] {
        server.serve(&mut bench, 30 * DAY);
        assert_eq!(bench.session.lost(), Some(why));
        bench = server.sign_in(bench);
    }
    let Some(Ends { in_ms, ground: Ground::Seen, times: 4, .. }) = ends(&bench) else {
        panic!("{:?}", forecast(&bench))
    };
    assert!(in_ms.abs_diff(millis(lasts)) <= millis(lasts) / 20, "{in_ms}");
    assert_eq!((warnings(&bench), foreseen(&bench)), (2, 1), "one warning a sign-in that was foreseen");
    // The provider has become more generous.
    server.lasts = 90 * DAY;
    server.serve(&mut bench, 30 * DAY);
    assert_eq!((bench.session.phase(), forecast(&bench)), (Phase::Fresh, None));
    server.serve(&mut bench, 90 * DAY);
    assert_eq!(bench.session.lost(), Some(Lost::Refused), "nobody expected that");
}

/// A person who signs out everywhere, an administrator, a reset: refusals at whatever age.
#[test]
fn ends_that_do_not_agree_are_no_forecast() {
    let mut server = Server { tells: false, ..Server::new(minutes(60)) };
    let mut bench = server.sign_in(Bench::seeded(3));
    for days in [3, 20, 15, 9, 1, 41, 25, 5] {
        server.lasts = days * DAY;
        server.serve(&mut bench, 60 * DAY);
        assert_eq!(bench.session.lost(), Some(Lost::Refused));
        bench = server.sign_in(bench);
        assert_eq!(forecast(&bench), None);
    }
}

/// It had never rested for so long, which may be the reason; one and a half times is so long.
#[test]
fn an_end_after_a_rest_is_told_from_an_end_at_an_age() {
    for (rest, is_of_rest) in [(85, false), (95, true)] {
        let mut bench = Bench::seeded(3).sign_in(minutes(60));
        for nth in 1..=2_u64 {
            let begun = bench.now;
            bench.tell_and_answer(ASKED, &fresh(3600));
            bench.now = bench.now + minutes(60);
            bench.tell_and_answer(ASKED, &fresh(3600));
            bench.now = bench.now + minutes(rest);
            bench.tell_and_answer(ASKED, &dead());
            // At another age each time.
            bench.now = begun + minutes(1000 * nth);
            bench = bench.sign_in(minutes(60));
        }
        assert_eq!(unused(&bench).is_some(), is_of_rest, "{rest} minutes");
        let ground = Some(Ground::Seen).filter(|_| !is_of_rest);
        assert_eq!(ends(&bench).map(|ends| ends.ground), ground, "{rest} minutes");
        if let Some(Unused { after_ms, .. }) = unused(&bench) {
            assert_eq!(after_ms, millis(minutes(rest)));
            // It lives through as much, and through more.
            for (rests, is_known) in [(rest, true), (rest + 1, false)] {
                bench.now = bench.now + minutes(rests);
                bench.tell_and_answer(ASKED, &fresh(3600));
                assert_eq!(unused(&bench).is_some(), is_known);
            }
        }
    }
}

/// Who is signed out everywhere after a quarter of an hour has not died of rest, although it had never rested before. Its
/// tokens would be refreshed every ten minutes ever after, and so never show that they may rest for longer.
#[test]
fn an_end_that_met_a_token_in_its_prime_is_none_of_rest() {
    let refused = |generation| Event::Rejected { by: Asker::Machine, generation };
    let asked = |_| ASKED;
    let nothing = |_| Event::Tick;
    let in_its_prime: [(u64, &dyn Fn(u32) -> Event); 2] = [(15, &refused), (15, &asked)];
    let at_its_end: [(u64, &dyn Fn(u32) -> Event); 2] = [(23 * 60, &nothing), (25 * 60, &asked)];
    for (after, what) in in_its_prime.into_iter().chain(at_its_end) {
        let mut bench = Bench::seeded(3).sign_in(minutes(24 * 60));
        for generation in [1, 2] {
            bench.now = bench.now + minutes(after);
            bench.tell_and_answer(what(generation), &dead());
            assert_eq!(bench.session.lost(), Some(Lost::Refused));
            bench = bench.sign_in(minutes(24 * 60));
        }
        assert_eq!(unused(&bench).is_some(), after > 15, "{:?} after {after} minutes", what(1));
    }
}

/// What the last process had was in its prime as well, or was not.
#[test]
fn a_start_that_meets_a_refusal_tells_of_a_rest_only_if_it_was_long() {
    for (after, is_of_rest) in [(29, false), (31, true)] {
        let mut bench = Bench::seeded(3).sign_in(minutes(60));
        for _ in 0..2 {
            bench.now = bench.now + minutes(after);
            let memory = bench.memory.clone();
            bench = bench.recalling(memory).restarted().answered(&dead());
            assert_eq!(bench.session.lost(), Some(Lost::Refused));
            bench = bench.sign_in(minutes(60));
        }
        assert_eq!(unused(&bench).is_some(), is_of_rest, "after {after} minutes");
    }
}

/// A refusal that comes when nothing was to be expected has its own reason.
#[test]
fn a_refusal_before_its_time_is_not_explained_away() {
    let refused = |mut bench: Bench, after: Duration| {
        bench.run(after, |_| fresh(3600));
        bench.tell_and_answer(ASKED, &dead());
        bench.session.lost()
    };
    let idle = Policy { refresh_token_idle: Some(DAY), ..Policy::default() };
    let bench = Bench::started(idle, Timestamp::default()).sign_in(minutes(60));
    assert_eq!(refused(bench.clone(), minutes(90)), Some(Lost::Refused));
    let mut away = bench.told(Event::AboutToSleep);
    away.now = away.now + 2 * DAY;
    away = away.told(Event::Awake);
    away.tell_and_answer(Event::Tick, &dead());
    assert_eq!(away.session.lost(), Some(Lost::Unused), "{:?}", away.session.phase());

    let mut server = Server { lasts: 14 * DAY, tells: false, ..Server::new(minutes(60)) };
    let mut bench = server.sign_in(Bench::seeded(3));
    for lasts in [14 * DAY, 14 * DAY + 14 * DAY / 20] {
        server.lasts = lasts;
        server.serve(&mut bench, 30 * DAY);
        bench = server.sign_in(bench);
    }
    let Some(Ends { ground: Ground::Seen, times: 2, .. }) = ends(&bench) else {
        panic!("{:?}", forecast(&bench))
    };
    assert_eq!(refused(bench.clone(), 5 * DAY), Some(Lost::Refused));
    assert_eq!(refused(bench.clone(), 13 * DAY), Some(Lost::RanOut));
    // It has lived for longer, and whoever signs in again without having been refused is told of no end.
    server.lasts = 90 * DAY;
    server.serve(&mut bench, 17 * DAY);
    let bench = server.sign_in(bench);
    assert_eq!(forecast(&bench), None);
}

/// A token that is not replaced has the end that it had when it came.
#[test]
fn a_token_that_stays_ends_when_it_was_told_to_also_after_a_restart() {
    let mut server = Server { lasts: 30 * DAY, rotates: false, ..Server::new(minutes(60)) };
    let mut bench = server.sign_in(Bench::seeded(3));
    server.serve(&mut bench, 10 * DAY);
    let in_ten_days = |bench: &Bench| {
        let left = ends(bench).map(|ends| ends.in_ms);
        left.is_some_and(|left| left.abs_diff(millis(20 * DAY)) < 1000)
    };
    assert!(in_ten_days(&bench), "{:?}", forecast(&bench));
    bench = rebooted(bench, DAY, millis(DAY) as i64);
    let left = ends(&bench).map(|ends| ends.in_ms);
    assert!(left.is_some_and(|left| left.abs_diff(millis(19 * DAY)) < 1000), "{:?}", forecast(&bench));
    let ended = |bench: &Bench, why| bench.session.lost() == Some(why);
    server.renewed = bench.now;
    // The clock of the new process began at zero, and 11 days had passed.
    server.since = Timestamp::default();
    server.lasts = 19 * DAY;
    server.serve(&mut bench, 40 * DAY);
    assert!(ended(&bench, Lost::RanOut), "{:?}", bench.session.phase());
    assert_eq!(warnings(&bench), 1);
}

/// Row C12.
/// Whatever the wall clock says, what follows is a forecast that is wrong or gone, and nothing else.
#[test]
fn a_wall_clock_that_is_years_off_ends_nothing() {
    for off_days in [-20_000_i64, -3, 0, 400, 20_000, i64::MAX / DAY_MS] {
        for rotates in [true, false] {
            let mut server = Server { idle: 30 * DAY, rotates, ..Server::new(minutes(60)) };
            let mut bench = server.sign_in(Bench::seeded(3));
            server.serve(&mut bench, DAY);
            bench = rebooted(bench, minutes(1), off_days.saturating_mul(DAY_MS));
            server.renewed = bench.now;
            server.since = bench.now;
            server.serve(&mut bench, minutes(1));
            assert_eq!(ends(&bench), None, "{off_days} days off, {rotates}");
            server.serve(&mut bench, 50 * DAY);
            assert_eq!(bench.session.phase(), Phase::Fresh, "{off_days} days off");
            let told = Some(Unused { after_ms: millis(30 * DAY), ground: Ground::Told });
            assert_eq!((unused(&bench), ends(&bench)), (told, None), "{off_days} days off, {rotates}");
            assert_eq!(warnings(&bench), 0);
        }
    }
}

/// Whoever is killed when the token of another sign-in is saved, and its dates are not, knows nothing of it.
#[test]
fn dates_are_of_the_sign_in_that_they_were_written_for() {
    let mut server = Server { lasts: 30 * DAY, ..Server::new(minutes(60)) };
    let policy = || Policy { sign_in_lasts: Some(30 * DAY), ..Policy::default() };
    let mut bench = server.sign_in(Bench::started(policy(), Timestamp::from_millis(1_000_000)));
    server.serve(&mut bench, 10 * DAY);
    let dates = bench.memory.clone();
    server.tells = false;
    let bench = server.sign_in(bench);
    assert!(ends(&bench).is_some_and(|ends| ends.in_ms == millis(30 * DAY)), "{:?}", forecast(&bench));
    for (memory, is_known) in [(bench.memory.clone(), true), (dates, false)] {
        let next = bench.clone().recalling(memory).restarted_with(policy()).answered(&fresh(3600));
        assert_eq!((next.session.phase(), ends(&next).is_some()), (Phase::Fresh, is_known));
    }
}

/// Whoever signs in while the disk hangs has been told of ends before, and knows them when it answers.
#[test]
fn what_was_seen_is_known_to_a_sign_in_that_was_quicker() {
    let mut bench = Bench::seeded(3).sign_in(minutes(60));
    for nth in 1..=2_u64 {
        bench.now = bench.now + minutes(3000 * nth);
        bench.tell_and_answer(ASKED, &dead());
        bench = bench.sign_in(minutes(60));
    }
    let known = unused(&bench);
    let memory = bench.memory.clone();
    assert!(known.is_some(), "{memory:?}");
    let mut bench = bench.recalling(Memory::default()).recalling_late().restarted().sign_in(minutes(60));
    assert_eq!(unused(&bench), None);
    bench.tell(Event::Recalled(memory));
    bench.let_the_vault_answer();
    assert_eq!((unused(&bench), bench.generation), (known, 4));
    let (memory, now) = (bench.memory.clone(), bench.now);
    let read = Memory::read(&memory.write(now, 0), now, 0);
    let next = bench.recalling(read).restarted();
    assert_eq!(next.session.lost(), None);
    assert_eq!(unused(&next), known, "its dates are those of the sign-in that was quicker");
}

/// What a process wrote down is as old as it was, and as long as there was none.
#[test]
fn the_age_of_a_sign_in_is_kept_over_a_restart() {
    let policy =
        || Policy { sign_in_lasts: Some(30 * DAY), refresh_token_idle: Some(20 * DAY), ..Policy::default() };
    let mut bench = Bench::started(policy(), Timestamp::from_millis(1_000_000)).sign_in(40 * DAY);
    bench.run(5 * DAY, |_| fresh(3600));
    let written = bench.memory.write(bench.now, WALL);
    let now = Timestamp::default() + minutes(1);
    let memory = Memory::read(&written, now, WALL + DAY_MS);
    bench.now = now;
    let bench = bench.recalling(memory).restarted_with(policy());
    assert_eq!(bench.sent.len(), 1, "it begins with a refresh");
    let left = ends(&bench).map(|ends| ends.in_ms);
    assert_eq!(left, Some(millis(24 * DAY)));
    let bench = bench.answered(&offline());
    // Six days had passed without a refresh.
    for (later, why) in [(13 * DAY, Lost::Refused), (14 * DAY, Lost::Unused)] {
        let mut bench = bench.clone();
        bench.now = bench.now + later + minutes(1);
        bench.tell_and_answer(ASKED, &dead());
        assert_eq!(bench.session.lost(), Some(why));
    }
}

/// The machine was switched off for longer than a sign-in lives without a refresh.
#[test]
fn a_sign_in_that_was_not_used_says_so() {
    let mut server = Server { idle: 14 * DAY, ..Server::new(minutes(60)) };
    let mut bench = server.sign_in(Bench::seeded(3));
    server.serve(&mut bench, DAY);
    bench = rebooted(bench, 20 * DAY, 20 * DAY_MS);
    bench.run(minutes(1), |_| dead());
    assert_eq!(bench.session.phase(), Phase::NeedsLogin { why: Lost::Unused });
    // Or its wall clock is wrong, and nobody knows.
    let mut bench = server.sign_in(Bench::seeded(3));
    bench = rebooted(bench, DAY, 20_000 * DAY_MS);
    bench.run(minutes(1), |_| dead());
    assert_eq!(bench.session.phase(), Phase::NeedsLogin { why: Lost::Refused });
}

/// The next process, on a machine that was switched on again: its clock begins anew, and the wall clock has moved.
fn rebooted(mut bench: Bench, off: Duration, wall_moved: i64) -> Bench {
    let written = bench.memory.write(bench.now, WALL);
    assert!(!written.contains("secret"));
    let now = Timestamp::default() + minutes(1);
    let off = i64::try_from(millis(off)).unwrap_or(i64::MAX);
    let wall = WALL.saturating_add(if wall_moved == 0 { off } else { wall_moved });
    bench.memory = Memory::read(&written, now, wall);
    bench.now = now;
    bench.restarted()
}

const DAY_MS: i64 = 86_400_000;

/// In 2026.
const WALL: i64 = 1_795_262_400_000;
