//! The ends of sign-ins: told, set and seen.

use std::time::Duration;

use session::event::Event;
use session::forecast::{Ends, Forecast, Ground, Unused};
use session::interaction::Need;
use session::note::Note;
use session::policy::Policy;
use session::reason::{Cause, Lost};
use session::time::{Timestamp, millis};
use session::tokens::{RefreshLife, RefreshToken, Tokens};
use session::verdict::Verdict;
use session::view::Phase;

use crate::bench::{ASKED, Bench, dead, fresh, interaction, minutes, offline, seconds, tokens};

/// A provider with limits, of which it may tell.
#[derive(Clone, Copy)]
pub(crate) struct Server {
    pub(crate) access: Duration,
    pub(crate) idle: Duration,
    pub(crate) lasts: Duration,
    pub(crate) tells: bool,
    pub(crate) rotates: bool,
    pub(crate) since: Timestamp,
    pub(crate) renewed: Timestamp,
}

impl Server {
    pub(crate) fn new(access: Duration) -> Self {
        let (since, renewed) = (Timestamp::default(), Timestamp::default());
        Self { access, idle: NEVER, lasts: NEVER, tells: true, rotates: true, since, renewed }
    }

    pub(crate) fn sign_in(&mut self, bench: Bench) -> Bench {
        (self.since, self.renewed) = (bench.now, bench.now);
        let first = tokens("a1", Some("r1"), Some(self.access));
        let refresh_life = self.told(bench.now);
        bench.sign_in_with(Tokens { refresh_life, ..first })
    }

    fn told(&self, now: Timestamp) -> Option<RefreshLife> {
        let life = self.idle.min(self.lasts.saturating_sub(now.since(self.since)));
        (self.tells && life < NEVER / 2).then_some(RefreshLife::For(life))
    }

    fn answer(&self, now: Timestamp, number: usize) -> Verdict {
        if now.since(self.renewed) >= self.idle || now.since(self.since) >= self.lasts {
            return dead();
        }
        let refresh = self.rotates.then(|| RefreshToken::new(format!("r{}", number + 2)));
        let tokens = tokens("new", refresh.as_ref().map(RefreshToken::expose), Some(self.access));
        let refresh_life = self.told(now).filter(|_| self.rotates || self.idle < NEVER);
        Verdict::Fresh(Tokens { refresh_life, ..tokens })
    }

    /// Lets time pass from deadline to deadline, until the end of the session if that comes first.
    pub(crate) fn serve(&mut self, bench: &mut Bench, time: Duration) {
        let end = bench.now + time;
        if bench.in_flight.is_some() {
            bench.tell_and_answer(Event::Tick, &self.answer(bench.now, bench.sent.len()));
        }
        while let Some(at) = bench.session.deadline().filter(|at| *at <= end) {
            bench.now = at.max(bench.now);
            let (sent, answer) = (bench.sent.len(), self.answer(bench.now, bench.sent.len()));
            bench.tell_and_answer(Event::Tick, &answer);
            if bench.sent.len() > sent && answer != dead() {
                self.renewed = bench.now;
            }
            if bench.session.lost().is_some() {
                return;
            }
        }
        bench.now = end;
    }
}

pub(crate) fn forecast(bench: &Bench) -> Option<Forecast> {
    bench.session.view(bench.now).forecast
}

pub(crate) fn ends(bench: &Bench) -> Option<Ends> {
    forecast(bench).and_then(|forecast| forecast.ends)
}

pub(crate) fn unused(bench: &Bench) -> Option<Unused> {
    forecast(bench).and_then(|forecast| forecast.unused)
}

pub(crate) fn warnings(bench: &Bench) -> usize {
    bench.notes.iter().filter(|note| matches!(note, Note::EndsSoon { .. })).count()
}

pub(crate) fn foreseen(bench: &Bench) -> usize {
    bench.notes.iter().filter(|note| matches!(note, Note::Foreseen { .. })).count()
}

/// Rows C12, A8: the access token lives for a month, and an unused refresh token for a day.
#[test]
fn c12_a_sign_in_is_kept_alive_although_its_access_token_outlives_it() {
    for (tells, rotates) in [(true, true), (true, false), (false, true)] {
        let policy =
            Policy { refresh_token_idle: (!tells).then_some(DAY), slot: 77_777_777, ..Policy::default() };
        let mut server = Server { idle: DAY, tells, rotates, ..Server::new(30 * DAY) };
        let mut bench = server.sign_in(Bench::started(policy, Timestamp::from_millis(1_000_000)));
        server.serve(&mut bench, 60 * DAY);
        assert_eq!(bench.session.phase(), Phase::Fresh, "tells {tells}, rotates {rotates}");
        assert!((80..=120).contains(&bench.sent.len()), "{} refreshes in sixty days", bench.sent.len());
        let ground = if tells { Ground::Told } else { Ground::Set };
        assert_eq!(unused(&bench), Some(Unused { after_ms: millis(DAY), ground }));
        assert_eq!((ends(&bench), warnings(&bench)), (None, 0));
        let kept_alive = |note: &&Note| matches!(note, Note::Refreshed { cause: Cause::KeptAlive, .. });
        assert_eq!(bench.notes.iter().filter(kept_alive).count(), bench.sent.len());
    }
}

/// Row G8: a session of ten hours, whatever is done, and of half an hour, if nothing is.
#[test]
fn c12_an_end_that_does_not_move_is_foreseen_and_told_once() {
    let mut server = Server { idle: minutes(30), lasts: minutes(600), ..Server::new(minutes(5)) };
    let mut bench = server.sign_in(Bench::seeded(3));
    server.serve(&mut bench, minutes(530));
    let policy = Policy { sign_in_lasts: Some(minutes(600)), ..Policy::default() };
    let mut known = server.clone().sign_in(Bench::started(policy, Timestamp::default()));
    let is_near = [minutes(539), minutes(2)].map(|time| {
        known.run(time, |_| fresh(300));
        forecast(&known).is_some_and(|forecast| forecast.is_near)
    });
    server.serve(&mut bench, minutes(30));
    assert_eq!(unused(&bench), Some(Unused { after_ms: millis(minutes(30)), ground: Ground::Told }));
    assert_eq!((ends(&bench), warnings(&bench), foreseen(&bench)), (None, 0, 1));
    let before = bench.sent.len();
    server.serve(&mut bench, minutes(20));
    let Some(Ends { in_ms, ground: Ground::Told, lasts_ms, .. }) = ends(&bench) else {
        panic!("{:?}", forecast(&bench))
    };
    assert_eq!((in_ms, lasts_ms), (millis(minutes(20)), millis(minutes(600))));
    assert_eq!((unused(&bench), warnings(&bench), foreseen(&bench)), (None, 1, 2));
    assert_eq!(is_near, [false, true]);
    server.serve(&mut bench, minutes(30));
    assert_eq!(bench.session.phase(), Phase::NeedsLogin { why: Lost::RanOut });
    assert_eq!((forecast(&bench), warnings(&bench), foreseen(&bench)), (None, 1, 2));
    assert!(
        bench.sent.len() - before < 20,
        "{} refreshes in the last forty minutes",
        bench.sent.len() - before
    );
    let bench = server.sign_in(bench);
    assert_eq!(ends(&bench), None, "the next sign-in has its own end");
}

/// A profile that is wrong, and a provider that knows better: each end is told once, and the first is given up.
#[test]
fn an_end_that_was_outlived_hides_no_later_one() {
    let policy = Policy { sign_in_lasts: Some(10 * DAY), ..Policy::default() };
    let mut server = Server { lasts: 30 * DAY, ..Server::new(minutes(60)) };
    let mut bench = server.sign_in(Bench::started(policy, Timestamp::from_millis(1_000_000)));
    server.serve(&mut bench, 9 * DAY + minutes(120));
    assert_eq!((ends(&bench).map(|ends| ends.ground), warnings(&bench)), (Some(Ground::Set), 1));
    server.serve(&mut bench, 5 * DAY);
    assert_eq!((ends(&bench).map(|ends| ends.ground), warnings(&bench)), (Some(Ground::Told), 1));
    let mut other = bench.clone();
    other.run(DAY, |_| dead());
    assert_eq!(other.session.lost(), Some(Lost::Refused), "that was not to be expected");
    server.serve(&mut bench, 30 * DAY);
    assert_eq!((bench.session.lost(), warnings(&bench)), (Some(Lost::RanOut), 2));
}

/// A provider with a grace gives the same token once more, with the same end; that does not fix it.
#[test]
fn an_answer_that_is_given_once_more_fixes_no_end() {
    let told = |token: &str, life| {
        let tokens = tokens("new", Some(token), Some(minutes(60)));
        Verdict::Fresh(Tokens { refresh_life: Some(RefreshLife::For(life)), ..tokens })
    };
    let mut server = Server { idle: DAY, ..Server::new(minutes(60)) };
    let mut bench = server.sign_in(Bench::seeded(3));
    for late in [4, 30, 59] {
        bench.now = bench.now + minutes(60);
        bench.tell_and_answer(ASKED, &told(&format!("r{late}"), DAY));
        bench.now = bench.now + seconds(late);
        bench.tell_and_answer(ASKED, &told(&format!("r{late}"), DAY - seconds(late)));
        assert_eq!(ends(&bench), None, "{late} seconds later");
    }
    let unused = unused(&bench).map(|unused| unused.after_ms);
    assert_eq!(unused, Some(millis(DAY)));
}

/// It is told from when it was asked for: the answer may have been on its way for long.
#[test]
fn what_a_late_answer_tells_is_as_old_as_its_request() {
    let mut server = Server { lasts: minutes(600), ..Server::new(minutes(60)) };
    let mut bench = server.sign_in(Bench::seeded(3));
    for asked in [60, 120] {
        bench.now = Timestamp::default() + minutes(asked);
        bench.tell(ASKED);
        let answer = server.answer(bench.now, bench.sent.len());
        bench.now = bench.now + seconds(if asked == 120 { 100 } else { 0 });
        bench = bench.answered(&answer);
    }
    assert!(
        ends(&bench).is_some_and(|ends| ends.in_ms == millis(minutes(480) - seconds(100))),
        "{:?}",
        ends(&bench)
    );
}

/// Whoever is called for something else is not told of an end as well, and nothing is foreseen of what waits for a person.
#[test]
fn nothing_is_foreseen_while_a_person_is_wanted() {
    let policy = Policy { sign_in_lasts: Some(DAY), refresh_token_idle: Some(DAY), ..Policy::default() };
    let mut bench = Bench::started(policy, Timestamp::default()).sign_in(minutes(60));
    assert!(forecast(&bench).is_some());
    bench.tell_and_answer(ASKED, &interaction(Need::Consent));
    assert_eq!(forecast(&bench), None);
    bench.run(2 * DAY, |_| fresh(3600));
    assert_eq!((warnings(&bench), bench.session.lost()), (0, Some(Lost::ConsentRequired)));
}

/// A provider that says it with the sign-in only means every token that it gives.
#[test]
fn what_is_told_once_is_true_of_each_new_token() {
    let first =
        Tokens { refresh_life: Some(RefreshLife::For(DAY)), ..tokens("a1", Some("r1"), Some(minutes(60))) };
    let mut bench = Bench::seeded(3).sign_in_with(first);
    assert_eq!(foreseen(&bench), 0, "nobody knows yet whether it moves");
    bench.run(3 * DAY, |tries| Verdict::Fresh(tokens("new", Some(&format!("n{tries}")), Some(minutes(60)))));
    let told = Some(Unused { after_ms: millis(DAY), ground: Ground::Told });
    assert_eq!((unused(&bench), ends(&bench)), (told, None));
}

/// Only a refusal ends a session.
#[test]
fn an_end_that_was_told_and_does_not_come_is_forgotten() {
    let mut bench = Bench::seeded(3).sign_in_with(Tokens {
        refresh_life: Some(RefreshLife::For(minutes(90))),
        ..tokens("a1", Some("r1"), Some(minutes(60)))
    });
    bench.run(minutes(60), |_| fresh(3600));
    assert!(ends(&bench).is_some());
    bench.run(minutes(60), |_| fresh(3600));
    assert_eq!((bench.session.phase(), ends(&bench)), (Phase::Fresh, None));
    let mut other = bench.clone();
    other.run(minutes(60), |_| dead());
    assert_eq!(other.session.lost(), Some(Lost::Refused), "that is something else");
    bench.run(30 * DAY, |_| fresh(3600));
    assert_eq!((bench.session.phase(), forecast(&bench)), (Phase::Fresh, None));
    assert!(bench.sent.len() < 31 * 32, "{} refreshes in a month", bench.sent.len());
}

/// Also not refreshed against any more.
#[test]
fn an_end_that_did_not_come_costs_nothing_later() {
    let first = tokens("a1", Some("r1"), Some(DAY));
    let mut bench =
        Bench::seeded(3).sign_in_with(Tokens { refresh_life: Some(RefreshLife::For(minutes(90))), ..first });
    bench.run(minutes(240), |_| fresh(86_400));
    let sent = bench.sent.len();
    assert!(sent >= 3, "{sent} refreshes towards an end that was told");
    bench.run(10 * DAY, |_| fresh(86_400));
    assert!(bench.sent.len() - sent < 20, "{} refreshes in ten days", bench.sent.len() - sent);
}

/// Rows A9, A10: a provider that tells nonsense costs a few refreshes, and is not believed for long.
#[test]
fn absurd_ends_are_not_believed() {
    for told in [RefreshLife::Endless, RefreshLife::For(Duration::MAX)] {
        let told = Some(told);
        let mut bench = Bench::seeded(3)
            .sign_in_with(Tokens { refresh_life: told, ..tokens("a1", Some("r1"), Some(minutes(60))) });
        assert_eq!(forecast(&bench), None, "{told:?}");
        bench.run(DAY, |_| fresh(3600));
        assert_eq!(forecast(&bench), None, "{told:?}");
    }
    for told in [Duration::ZERO, Duration::from_millis(1), seconds(1), seconds(5)] {
        let refresh_life = Some(RefreshLife::For(told));
        let answer = |refresh_life| {
            let Verdict::Fresh(tokens) = fresh(3600) else { unreachable!() };
            Verdict::Fresh(Tokens { refresh_life, ..tokens })
        };
        let first = tokens("a1", Some("r1"), Some(minutes(60)));
        let mut bench = Bench::seeded(3).sign_in_with(Tokens { refresh_life, ..first });
        bench.run(DAY, |_| answer(refresh_life));
        assert_eq!(bench.session.phase(), Phase::Fresh);
        assert!(bench.sent.len() < 35, "{told:?}: {} refreshes in a day", bench.sent.len());
    }
}

/// An access token that is good for long is no reason to wait long, if the refresh token is not.
#[test]
fn an_outage_before_the_end_of_a_rest_is_tried_through() {
    let half_an_hour = Some(RefreshLife::For(minutes(30)));
    let again = Verdict::Fresh(Tokens { refresh_life: half_an_hour, ..tokens("a2", Some("r2"), Some(DAY)) });
    let first = tokens("a1", Some("r1"), Some(DAY));
    let mut bench = Bench::seeded(3).sign_in_with(Tokens { refresh_life: half_an_hour, ..first });
    let signed_in = bench.now;
    bench.run(minutes(29), |tries| if tries <= 4 { offline() } else { again.clone() });
    assert!(bench.sent.len() >= 5, "{} tries", bench.sent.len());
    assert!(bench.sent_at[4].since(signed_in) < minutes(30), "{:?}", bench.sent_at);
}

/// Nothing begins before the end of the process, or of the day.
#[test]
fn a_sign_in_is_not_kept_alive_by_a_machine_that_falls_asleep() {
    for (rests, wakes) in [(Event::AboutToSleep, Event::Awake), (Event::Ending, Event::Stays)] {
        let mut server = Server { idle: DAY, ..Server::new(30 * DAY) };
        let mut bench = server.sign_in(Bench::seeded(3)).told(rests);
        server.serve(&mut bench, DAY / 4 * 3 + seconds(1));
        assert_eq!(bench.sent.len(), 0);
        bench.tell(Event::Woke { slept: DAY / 2 });
        bench.tell_and_answer(wakes, &server.answer(bench.now, 0));
        server.serve(&mut bench, minutes(1));
        assert_eq!((bench.session.phase(), bench.sent.len()), (Phase::Fresh, 1));
    }
}

pub(crate) const DAY: Duration = Duration::from_secs(86_400);

const NEVER: Duration = Duration::from_secs(1 << 40);
