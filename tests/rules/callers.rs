//! Whoever waits for a session: who is served, in which order, and what the others are told.

use session::bounds;
use session::callers::{Callers, Denial, Ended, Served, Wanting};
use session::event::{Asker, Event};
use session::lane::Held;
use session::policy::Policy;
use session::reason::{Lost, Source, Trouble, VaultTrouble};
use session::time::Timestamp;
use session::verdict::Verdict;

use crate::bench::{ASKED, Bench, dead, fresh, minutes, offline, seconds, tokens};

type Waiting = Callers<u64, &'static str, &'static str>;

#[test]
fn a_request_goes_at_once_where_there_is_a_good_token_and_nobody_before_it() {
    let bench = Bench::signed_in(minutes(60));
    let mut callers = Waiting::default();
    assert_eq!(sent(callers.admit(read(1, &bench), &bench.session, bench.now)), Some((1, 1)));
    let mut bench = Bench::unread("r1");
    assert!(callers.admit(read(2, &bench), &bench.session, bench.now).is_none());
    assert!(callers.admit(write(3, &bench), &bench.session, bench.now).is_none());
    assert!(callers.admit(read(4, &bench), &bench.session, bench.now).is_none());
    assert_eq!((callers.held(), callers.take_burst()), (3, None));
    bench.let_the_vault_answer();
    let bench = bench.answered(&fresh(3600));
    let mut served = settled(&mut callers, &bench);
    assert_eq!(orders(&served), [2], "a write waits for the reads before it");
    assert!(
        callers.admit(read(5, &bench), &bench.session, bench.now).is_none(),
        "nobody overtakes those who wait"
    );
    callers.answered(&mut served[0].0);
    let mut served = settled(&mut callers, &bench);
    assert_eq!(orders(&served), [3], "and goes alone");
    assert_eq!(callers.take_burst(), None, "it is not over");
    callers.answered(&mut served[0].0);
    let served = settled(&mut callers, &bench);
    assert_eq!(orders(&served), [4, 5]);
    for (mut held, _) in served {
        callers.answered(&mut held);
    }
    let burst = callers.take_burst().expect("it went through");
    assert_eq!((burst.count, burst.since.is_some(), callers.held()), (4, true, 0));
    assert_eq!(callers.take_burst(), None, "told once");
    assert_eq!(sent(callers.admit(read(6, &bench), &bench.session, bench.now)), Some((6, 1)));
}

/// Row A16: once more with another token, and no further while that one is good.
#[test]
fn a16_a_refused_request_is_sent_again_once() {
    let mut bench = Bench::signed_in(minutes(60));
    let mut callers = Waiting::default();
    bench.now = bench.now + minutes(10);
    let held = read(1, &bench);
    bench.tell(Event::Rejected { by: Asker::Machine, generation: 1 });
    assert!(callers.refused(held, &bench.session, 1, bench.now).is_none(), "there will be another token");
    let bench = bench.answered(&fresh(3600));
    let served = settled(&mut callers, &bench);
    let [(held, with)]: [_; 1] = served.try_into().expect("it goes out with the new one");
    assert_eq!(with, 2);
    assert_eq!((held.refusals, held.waited), (1, true));
    assert!(callers.refused(held, &bench.session, 2, bench.now).is_some(), "that is the answer");
    let bench = bench.told(Event::SignOut);
    assert!(
        callers.refused(read(2, &bench), &bench.session, 2, bench.now).is_none(),
        "why there is none is told"
    );
    let (served, _) = callers.settle(&bench.session, bench.now);
    assert!(
        matches!(served[..], [Served::Refuse { why: Denial::NeedsLogin(Lost::SignedOut), .. }]),
        "{served:?}"
    );
}

/// Row A16: tokens that live for less than the server's queue is long.
#[test]
fn a_request_whose_token_ran_out_on_the_way_is_sent_again_and_not_for_ever() {
    let mut bench = Bench::signed_in(seconds(5));
    let mut callers = Waiting::default();
    let mut held = read(1, &bench);
    for generation in 1..=u32::from(bounds::REPLAYS) {
        bench.now = bench.now + seconds(6);
        bench.tell(Event::Rejected { by: Asker::Machine, generation });
        assert!(callers.refused(held, &bench.session, generation, bench.now).is_none(), "{generation}");
        bench = bench.answered(&fresh(5));
        let served = settled(&mut callers, &bench);
        let [(next, with)]: [_; 1] = served.try_into().expect("it goes out again");
        assert_eq!(with, generation + 1);
        held = next;
        callers.answered(&mut held);
    }
    bench.now = bench.now + seconds(6);
    let last = u32::from(bounds::REPLAYS) + 1;
    bench.tell(Event::Rejected { by: Asker::Machine, generation: last });
    assert!(callers.refused(held, &bench.session, last, bench.now).is_some());
    // Of an assumed lifetime nobody knows that it is over.
    let bench =
        Bench::started(Policy::default(), Timestamp::default()).sign_in_with(tokens("a1", Some("r1"), None));
    assert!(!bench.session.has_outlived(1, bench.now + minutes(600)));
    assert!(bench.session.has_outlived(0, bench.now));
}

#[test]
fn whoever_wants_a_token_gets_one_that_lives_long_enough_or_is_told() {
    let bench = Bench::signed_in(minutes(60));
    let mut callers = Waiting::default();
    let now = bench.now;
    let mut want = |min_valid, best_effort| {
        let wanting = Wanting { min_valid, best_effort, deadline: now + minutes(5), caller: "a" };
        callers.want(wanting, &bench.session, now)
    };
    assert!(
        matches!(want(minutes(30), false), Some(Served::Give { min_valid, .. }) if min_valid == minutes(30))
    );
    let Some(Served::Deny { why, .. }) = want(minutes(61), false) else { panic!() };
    assert_eq!(why, Denial::TooShort { lifetime: minutes(60), source: Source::Told });
    assert!(matches!(want(minutes(61), true), Some(Served::Give { min_valid, .. }) if min_valid.is_zero()));

    let mut bench = Bench::signed_in(minutes(60));
    bench.tell_and_answer(ASKED, &dead());
    bench.now = bench.now + minutes(61);
    bench.tell(Event::Tick);
    let wanting = Wanting { min_valid: minutes(1), best_effort: true, deadline: bench.now, caller: "a" };
    let Some(Served::Deny { why, .. }) = callers.want(wanting, &bench.session, bench.now) else { panic!() };
    assert_eq!(why, Denial::NeedsLogin(Lost::Refused), "there is none to give");
}

#[test]
fn whoever_waits_is_told_at_their_deadline_or_once_it_is_known_that_nothing_comes() {
    let mut bench = Bench::signed_in(seconds(60));
    let mut callers = Waiting::default();
    bench.now = bench.now + seconds(61);
    bench.tell(Event::Tick);
    assert!(bench.in_flight.is_some());
    let want = |callers: &mut Waiting, bench: &Bench, for_, caller| {
        let deadline = bench.now + seconds(for_);
        callers.want(
            Wanting { min_valid: seconds(1), best_effort: false, deadline, caller },
            &bench.session,
            bench.now,
        )
    };
    assert!(
        want(&mut callers, &bench, 2, "short").is_none() && want(&mut callers, &bench, 600, "long").is_none()
    );
    assert_eq!(callers.deadline(&bench.session), Some(bench.now + seconds(2)));
    assert!(settle(&mut callers, &bench).is_empty(), "nothing has happened");
    bench.now = bench.now + seconds(2);
    assert_eq!(settle(&mut callers, &bench), ["short: DeadlinePassed"]);
    // It is tried again soon enough for one, and not for the other.
    let mut bench = bench.answered(&offline());
    assert!(settle(&mut callers, &bench).is_empty());
    let held = want(&mut callers, &bench, 0, "now");
    assert!(matches!(held, Some(Served::Deny { why: Denial::DeadlinePassed, .. })), "{held:?}");
    bench.run_until_sent(&Verdict::Transient {
        trouble: Trouble::Status,
        status: Some(503),
        retry_after: Some(minutes(30)),
    });
    let [told]: [_; 1] = settle(&mut callers, &bench).try_into().expect("it comes too late");
    assert!(told.starts_with("long: Held") && told.contains("Status"), "{told}");
    assert!(callers.deadline(&bench.session).is_none());
}

/// Two refreshes in a lifetime are enough for everybody: who can wait for the second does.
#[test]
fn whoever_wants_more_life_than_is_left_waits_for_the_next_token_if_it_comes_in_time() {
    let mut bench = Bench::signed_in(minutes(60));
    bench.now = bench.now + minutes(10);
    bench.tell(Event::Wanted { min_valid: minutes(55), by: Asker::Machine });
    assert!(bench.in_flight.is_none());
    let half = bench.now + minutes(20);
    let mut callers = Waiting::default();
    for (patience, waits) in [(21, true), (19, false)] {
        let deadline = bench.now + minutes(patience);
        let wanting = Wanting { min_valid: minutes(55), best_effort: false, deadline, caller: "a" };
        match callers.want(wanting, &bench.session, bench.now) {
            None => assert!(waits, "{patience}"),
            Some(Served::Deny { why, .. }) => {
                assert_eq!((why, waits), (Denial::Later { until: half }, false))
            }
            Some(served) => panic!("{served:?}"),
        }
    }
}

/// A vault that only a person can open is nothing to wait for.
#[test]
fn nobody_waits_for_a_vault_that_is_locked() {
    let mut callers = Waiting::default();
    for (trouble, waits) in [(VaultTrouble::Failed, true), (VaultTrouble::Locked, false)] {
        let bench = Bench::unread("r1").told(Event::NotLoaded(trouble));
        let wanting = Wanting {
            min_valid: seconds(0),
            best_effort: false,
            deadline: bench.now + minutes(9),
            caller: "a",
        };
        assert_eq!(callers.want(wanting, &bench.session, bench.now).is_none(), waits, "{trouble:?}");
        let held = Held { deadline: bench.now + minutes(9), ..read(1, &bench) };
        assert!(callers.admit(held, &bench.session, bench.now).is_none());
        let (served, _) = callers.settle(&bench.session, bench.now);
        assert_eq!(served.is_empty(), waits, "{trouble:?}: {served:?}");
        callers = Waiting::default();
    }
}

#[test]
fn an_end_is_told_to_those_who_wait_for_it() {
    let mut bench = Bench::signed_in(minutes(60)).told(ASKED);
    let mut callers = Waiting::default();
    callers.await_refresh("refresh");
    callers.await_sign_in(["sign-in"]);
    let ends = |callers: &mut Waiting, bench: &Bench| {
        let (_, ends) = callers.settle(&bench.session, bench.now);
        ends.into_iter().map(|Ended { caller, tokens }| (caller, tokens.is_some())).collect::<Vec<_>>()
    };
    assert_eq!(ends(&mut callers, &bench), []);
    bench.tell(Event::SignIn { patience: minutes(5) });
    let bench = bench.answered(&fresh(3600));
    assert_eq!(ends(&mut callers, &bench), [("refresh", true)], "a sign-in is on its way");
    let bench = bench.sign_in_failed();
    assert_eq!(ends(&mut callers, &bench), [("sign-in", false)]);
    assert_eq!(ends(&mut callers, &bench), []);
}

/// A session that takes the place of another after an edit.
#[test]
fn those_who_wait_are_taken_over_or_turned_away_none_is_forgotten() {
    let bench = Bench::unread("r1");
    let fill = |callers: &mut Waiting, what: &str| match what {
        "request" => assert!(callers.admit(read(1, &bench), &bench.session, bench.now).is_none()),
        "token" => {
            let deadline = bench.now + minutes(1);
            let wanting = Wanting { min_valid: seconds(0), best_effort: false, deadline, caller: "token" };
            assert!(callers.want(wanting, &bench.session, bench.now).is_none());
        }
        "refresh" => callers.await_refresh("refresh"),
        _ => callers.await_sign_in(["sign-in"]),
    };
    let all = ["request", "token", "refresh", "sign-in"];
    for what in all {
        let (mut before, mut after) = (Waiting::default(), Waiting::default());
        assert!(!after.take_over(&mut before));
        fill(&mut before, what);
        assert!(after.take_over(&mut before), "{what}");
        assert_eq!((before.take_all().len(), after.take_all().len()), (0, 1), "{what}");
        assert!(!after.take_over(&mut before), "{what}");
    }
    let mut callers = Waiting::default();
    all.iter().for_each(|what| fill(&mut callers, what));
    assert_eq!(callers.take_all().len(), all.len());
}

fn read(order: u64, bench: &Bench) -> Held<u64> {
    Held::new(order, true, Asker::Machine, bench.now, bench.now + minutes(5), order)
}

fn write(order: u64, bench: &Bench) -> Held<u64> {
    Held { safe: false, ..read(order, bench) }
}

fn sent(served: Option<Served<u64, &'static str>>) -> Option<(u64, u32)> {
    if let Some(Served::Send { held, generation, .. }) = served {
        Some((held.order, generation))
    } else {
        None
    }
}

/// What goes out now, with which token.
fn settled(callers: &mut Waiting, bench: &Bench) -> Vec<(Held<u64>, u32)> {
    let (served, _) = callers.settle(&bench.session, bench.now);
    let sent = |served| {
        if let Served::Send { held, generation, .. } = served { Some((held, generation)) } else { None }
    };
    served.into_iter().filter_map(sent).collect()
}

fn orders(served: &[(Held<u64>, u32)]) -> Vec<u64> {
    served.iter().map(|(held, _)| held.order).collect()
}

/// Who is turned away, and why.
fn settle(callers: &mut Waiting, bench: &Bench) -> Vec<String> {
    let (served, _) = callers.settle(&bench.session, bench.now);
    let told = |served| {
        if let Served::Deny { wanting, why } = served {
            Some(format!("{}: {why:?}", wanting.caller))
        } else {
            None
        }
    };
    served.into_iter().filter_map(told).collect()
}
