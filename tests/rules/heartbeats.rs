//! Heartbeats that tell nothing.

use session::event::{Attempt, Effect, Event};
use session::limits;
use session::note::Note;
use session::policy::Policy;
use session::reason::Trouble;
use session::time::Timestamp;
use session::verdict::Beat;
use session::view::Phase;

use crate::bench::{ASKED, Bench, fresh, minutes, seconds};

/// Row A12, turned round: a heartbeat that tells nothing must not cost more than none. An introspection endpoint may say
/// "not active" of every token to a client that it does not serve.
#[test]
fn a12_a_provider_that_says_no_to_every_new_token_is_asked_ever_less_often() {
    let policy = Policy { probe: true, ..Policy::default() };
    let mut bench = Bench::started(policy, Timestamp::default()).sign_in(seconds(3600));
    bench.pulse = |_| Beat::SaysNo;
    bench.run(minutes(10 * DAY), |_| fresh(3600));
    let pauses = bench.pauses_between_beats();
    assert_eq!(pauses[..9], [5, 10, 20, 40, 80, 160, 320, 640, 1280], "a first no is nothing unusual");
    assert!(pauses[9..].iter().all(|pause| *pause == DAY) && pauses.len() > 14, "{pauses:?}");
    let without = bench.sent.len() - bench.beats.len();
    assert!((200..=350).contains(&without), "{without} refreshes in ten days beside those");

    let mut signed_in = bench.clone().sign_in(seconds(3600));
    signed_in.beats.clear();
    signed_in.run(minutes(60), |_| fresh(3600));
    assert_eq!(signed_in.pauses_between_beats(), [5, 10, 20], "another sign-in, another chance");
    bench.pulse = |_| Beat::Good;
    bench.run(minutes(2 * DAY), |_| fresh(3600));
    assert_eq!(bench.pauses_between_beats().last(), Some(&5));
}

/// The longest pause is never shorter than the one that was asked for.
#[test]
fn a12_a_rare_heartbeat_does_not_become_more_frequent() {
    let policy = Policy { probe: true, heartbeat: minutes(3 * DAY + 1), ..Policy::default() };
    let mut bench = Bench::started(policy, Timestamp::default()).sign_in(seconds(3600));
    bench.pulse = |_| Beat::SaysNo;
    bench.run(minutes(16 * DAY), |_| fresh(3600));
    assert_eq!(bench.pauses_between_beats(), [3 * DAY + 1; 4]);
}

/// It is of the token that was asked about, and of no other.
#[test]
fn a12_a_no_to_a_token_that_was_replaced_meanwhile_says_nothing() {
    let (mut bench, attempt) = beating();
    bench.tell_and_answer(ASKED, &fresh(3600));
    let noes = |bench: &Bench| {
        let no = |note: &&Note| matches!(note, Note::Heartbeat { good: false, .. });
        bench.notes.iter().filter(no).count()
    };
    bench.tell(Event::Beaten { attempt, beat: Beat::SaysNo });
    assert_eq!((bench.session.phase(), bench.sent.len(), noes(&bench)), (Phase::Fresh, 1, 0));
}

#[test]
fn a12_a_heartbeat_that_nobody_reports_of_is_given_up() {
    let (mut bench, attempt) = beating();
    bench.run(limits::exchange(limits::MESSAGE) + limits::REPORT, |_| fresh(3600));
    let unanswered =
        |note: &&Note| matches!(note, Note::HeartbeatUnanswered { trouble: Trouble::TimedOut, .. });
    assert_eq!(bench.notes.iter().filter(unanswered).count(), 1);
    let before = bench.notes.clone();
    bench.tell(Event::Beaten { attempt, beat: Beat::Good });
    assert_eq!(bench.notes, before, "nobody waits for it any more");
    bench.run(minutes(10), |_| fresh(3600));
    assert_eq!(bench.session.phase(), Phase::Fresh);
}

/// A heartbeat is on its way.
fn beating() -> (Bench, Attempt) {
    let policy = Policy { probe: true, ..Policy::default() };
    let mut bench = Bench::started(policy, Timestamp::default()).sign_in(seconds(3600));
    bench.now = bench.session.deadline().expect("a heartbeat is due");
    let (session, effects) = bench.session.step(Event::Tick, bench.now);
    bench.session = session;
    let attempt = effects
        .into_iter()
        .find_map(|effect| if let Effect::Heartbeat { attempt, .. } = effect { Some(attempt) } else { None });
    (bench, attempt.expect("it has begun"))
}

/// Silence is no answer.
#[test]
fn a12_only_a_good_beat_makes_up_for_a_no() {
    let policy = Policy { probe: true, ..Policy::default() };
    let mut bench = Bench::started(policy, Timestamp::default()).sign_in(seconds(86_400));
    bench.pulse = |nth| match nth {
        2 | 4 => Beat::Silent { trouble: Trouble::Offline, status: None },
        6 => Beat::Good,
        _ => Beat::SaysNo,
    };
    bench.run(minutes(100), |_| fresh(86_400));
    assert_eq!(bench.pauses_between_beats(), [5, 5, 10, 10, 20, 5, 5, 10, 20]);
}

/// In minutes.
const DAY: u64 = 24 * 60;
