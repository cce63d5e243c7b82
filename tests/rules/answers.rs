//! What a provider may answer, and what it ends.

use std::time::Duration;

use session::event::{Asker, Effect, Event};
use session::limits;
use session::note::Note;
use session::reason::{Cause, Lost, Trouble};
use session::tokens::Tokens;
use session::verdict::Verdict;
use session::view::{Phase, Prospect};

use crate::bench::{
    ASKED, Bench, dead, fresh, limited, minutes, offline, seconds, suspect, tokens, unanswered,
};

#[test]
fn c6_an_answer_without_a_refresh_token_keeps_the_old_one() {
    let mut bench = Bench::signed_in(seconds(60));
    bench.run(minutes(10), |_| fresh(60));
    assert!(bench.sent.len() > 5 && bench.sent.iter().all(|token| token == "r1"));
    assert_eq!(bench.vault.as_deref(), Some("r1"));
}

#[test]
fn d5_too_many_requests_is_a_pause_and_good_tokens_are_served_through_it() {
    let mut bench = Bench::signed_in(seconds(3600)).told(ASKED).answered(&limited(Some(seconds(60))));
    for event in
        [ASKED, Event::Wanted { min_valid: minutes(59), by: Asker::Machine }, Event::NetworkUp, Event::Tick]
    {
        bench.tell(event);
    }
    bench.run(seconds(59), |_| fresh(3600));
    assert_eq!(bench.sent.len(), 1, "nothing before the time that the provider named");
    assert!(bench.session.access_token(bench.now, minutes(20)).is_some());
    bench.now = bench.now + seconds(1);
    bench.tell_and_answer(ASKED, &limited(None));
    assert_eq!(bench.sent.len(), 2, "and a person is held back no longer than that");
    bench.now = bench.now + minutes(120);
    bench.tell_and_answer(Event::Tick, &limited(None));
    assert!(matches!(bench.session.phase(), Phase::Waiting { why: Trouble::RateLimited, .. }));
}

#[test]
fn d7_a_refusal_before_the_end_leaves_the_access_token_its_time() {
    let mut bench = Bench::signed_in(seconds(3600)).told(ASKED).answered(&dead());
    assert_eq!(bench.session.phase(), Phase::NeedsLogin { why: Lost::Refused });
    assert!(matches!(bench.session.prospect(bench.now, seconds(60)), Prospect::Ready { .. }));
    bench.run(minutes(61), |_| fresh(3600));
    assert_eq!(bench.session.prospect(bench.now, seconds(60)), Prospect::NeedsLogin(Lost::Refused));
}

/// Three refusals that differ are no refusal that came three times.
#[test]
fn d8_what_nobody_recognises_must_be_the_same_to_be_believed() {
    let suspect = |signature| Verdict::Suspect { status: 401, signature, authentic: true };
    let mut bench = Bench::restored("r1");
    bench.run(minutes(60), |tries| suspect(tries as u64 % 2));
    assert!(bench.sent.len() > 9 && bench.session.lost().is_none(), "{:?}", bench.session.phase());
    bench.run(minutes(60), |_| suspect(7));
    assert_eq!(bench.session.lost(), Some(Lost::Unsure));
}

/// A wrong profile is asked for ever less often.
#[test]
fn d8_pauses_after_a_misconfiguration_double() {
    let misconfigured = Verdict::Misconfigured { trouble: Trouble::Misconfigured, status: Some(404) };
    let mut bench = Bench::restored("r1").answered(&misconfigured);
    for _ in 0..4 {
        bench.run_until_sent(&misconfigured);
    }
    let pauses: Vec<u64> = bench.sent_at.windows(2).map(|pair| pair[1].since(pair[0]).as_secs()).collect();
    let first = limits::MISCONFIGURED.as_secs();
    assert_eq!(pauses, [first, 2 * first, 4 * first, 8 * first]);
}

/// Nor do refusals of the access token shorten its pause: nothing but an edit helps.
#[test]
fn d8_a_refusal_shortens_no_pause_after_a_misconfiguration() {
    let misconfigured = Verdict::Misconfigured { trouble: Trouble::Misconfigured, status: Some(404) };
    for (verdict, waits) in [(misconfigured, true), (offline(), false)] {
        let mut bench = Bench::signed_in(seconds(3600));
        bench.tell_and_answer(ASKED, &verdict);
        bench.tell(Event::Rejected { by: Asker::Machine, generation: 1 });
        bench.run_until_sent(&fresh(3600));
        let pause = bench.sent_at[1].since(bench.sent_at[0]);
        assert_eq!(pause >= limits::MISCONFIGURED, waits, "{verdict:?}: {pause:?}");
    }
}

/// What is tried again is tried for the same reason.
#[test]
fn a_retry_has_the_cause_of_the_first_try() {
    let mut bench = Bench::signed_in(seconds(3600));
    bench.tell_and_answer(ASKED, &offline());
    bench.run_until_sent(&fresh(3600));
    let of = |note: &Note| {
        matches!(note, Note::Kept { cause: Cause::Asked, .. } | Note::Refreshed { cause: Cause::Asked, .. })
    };
    assert_eq!(bench.notes.iter().filter(|note| of(note)).count(), 2, "{:?}", bench.notes);
}

/// Some providers send the refresh token along that there is.
#[test]
fn the_same_refresh_token_once_more_is_not_saved_again() {
    let mut bench = Bench::signed_in(seconds(3600));
    let saved = bench.generation;
    bench.tell_and_answer(ASKED, &Verdict::Fresh(tokens("a2", Some("r1"), Some(seconds(3600)))));
    let rotated = |note: &Note| matches!(note, Note::Refreshed { rotated: true, .. });
    assert_eq!((bench.generation, bench.notes.iter().any(rotated)), (saved, false));
    bench.tell_and_answer(ASKED, &Verdict::Fresh(tokens("a3", Some("r2"), Some(seconds(3600)))));
    assert_eq!((bench.generation, bench.notes.iter().any(rotated)), (saved + 1, true));
}

/// Row D8: a call for a person that a failure set off, and that nobody takes back.
#[test]
fn d8_a_person_is_called_for_no_passing_trouble_and_the_call_ends_with_its_reason() {
    let calls = |bench: &Bench| {
        let call = |note: &&Note| matches!(note, Note::NeedsLogin { .. });
        bench.notes.iter().filter(call).count()
    };
    let misconfigured = Verdict::Misconfigured { trouble: Trouble::Misconfigured, status: Some(404) };
    let passing = [offline(), unanswered(), limited(None), suspect(false), misconfigured];
    for trouble in passing {
        let mut bench = Bench::signed_in(seconds(3600));
        for _ in 0..50 {
            bench.run(minutes(70), |_| trouble.clone());
            assert!(!matches!(bench.session.phase(), Phase::NeedsLogin { .. }), "{trouble:?}");
            bench.run(minutes(70), |_| fresh(3600));
            assert_eq!(bench.session.phase(), Phase::Fresh, "{trouble:?}");
        }
        assert_eq!(calls(&bench), 0, "{trouble:?}: {:?}", bench.notes);
    }

    let mut bench = Bench::restored("r1");
    bench.run(minutes(10), |_| suspect(true));
    assert_eq!((bench.session.phase(), calls(&bench)), (Phase::NeedsLogin { why: Lost::Unsure }, 1));
    bench.tell_and_answer(ASKED, &fresh(3600));
    assert_eq!((bench.session.phase(), bench.session.standing()), (Phase::Fresh, Phase::Fresh));
    assert!(matches!(bench.session.prospect(bench.now, Duration::ZERO), Prospect::Ready { .. }));
}

#[test]
fn d9_callers_never_open_a_sign_in() {
    let mut bench = Bench::signed_in(seconds(3600)).told(Event::SignOut);
    for _ in 0..1000 {
        let effects = bench.tell(Event::Wanted { min_valid: Duration::ZERO, by: Asker::Machine });
        assert!(!effects.iter().any(|effect| matches!(effect, Effect::SignIn { .. })));
        let prospect = bench.session.prospect(bench.now, Duration::ZERO);
        assert_eq!(prospect, Prospect::NeedsLogin(Lost::SignedOut), "and are told so at once");
    }
}

#[test]
fn d10_a_refusal_that_nobody_recognises_counts_when_it_repeats_and_the_token_is_kept() {
    let mut bench = Bench::restored("r1");
    bench.run(minutes(10), |_| suspect(true));
    assert_eq!(bench.session.phase(), Phase::NeedsLogin { why: Lost::Unsure });
    let span = bench.sent_at[bench.sent_at.len() - 1].since(bench.sent_at[0]);
    assert!(bench.sent.len() >= 3 && span >= seconds(120), "{} tries in {span:?}", bench.sent.len());
    assert_eq!(bench.vault.as_deref(), Some("r1"));
    bench.tell_and_answer(ASKED, &suspect(true));
    assert!(
        matches!(bench.session.phase(), Phase::Waiting { .. }),
        "one more says no more than the first did"
    );
    bench.tell_and_answer(ASKED, &fresh(3600));
    assert_eq!(bench.session.phase(), Phase::Fresh, "and trying again revives it");
}

/// Row D10: a server that has answered says the same to whoever asks at once; callers who are refused change nothing.
#[test]
fn d10_a_refusal_without_a_reason_is_asked_for_again_slowly_however_short_tokens_live() {
    let mut bench = Bench::signed_in(seconds(4));
    let until = bench.now + minutes(10);
    while bench.now < until && bench.session.lost().is_none() {
        bench.now = bench.session.deadline().map_or(until, |at| at.min(bench.now + seconds(1)));
        bench.tell(Event::Tick);
        bench.tell(Event::Rejected { by: Asker::Machine, generation: 1 });
        bench.tell(Event::Wanted { by: Asker::Machine, min_valid: seconds(1) });
        if bench.in_flight.is_some() {
            bench = bench.answered(&suspect(true));
        }
    }
    assert_eq!(bench.session.lost(), Some(Lost::Unsure));
    let pauses: Vec<u64> = bench.sent_at.windows(2).map(|pair| pair[1].since(pair[0]).as_secs()).collect();
    assert!((3..=6).contains(&bench.sent.len()), "{pauses:?}");
    assert!(pauses.iter().all(|pause| (9..=60).contains(pause)), "{pauses:?}");
    let last = bench.sent_at[bench.sent_at.len() - 1].since(bench.sent_at[0]);
    assert!(last < limits::SUSPECT + seconds(61), "{last:?}");
}

/// Row D8.
#[test]
fn d10_a_gateway_may_refuse_for_hours() {
    let mut bench = Bench::restored("r1");
    bench.run(minutes(300), |_| suspect(false));
    assert!(matches!(bench.session.phase(), Phase::Waiting { why: Trouble::Suspect, .. }));
}

/// A provider that has just taken a token and given another has not refused it three times.
#[test]
fn a_refusal_before_a_new_token_is_not_counted_against_it() {
    let useless = Verdict::Fresh(Tokens { access: None, ..tokens("a", Some("r2"), None) });
    let bench = Bench::signed_in(seconds(3600)).told(ASKED).answered(&suspect(true));
    let bench = bench.refreshed_of_itself(&suspect(true)).refreshed_of_itself(&useless);
    let bench = bench.refreshed_of_itself(&suspect(true));
    assert!(matches!(bench.session.phase(), Phase::Waiting { why: Trouble::Suspect, .. }));
}

#[test]
fn d11_a_dead_token_is_never_sent_again() {
    let mut bench = Bench::signed_in(seconds(3600)).told(ASKED).answered(&dead());
    for _ in 0..100 {
        for event in
            [ASKED, Event::NetworkUp, Event::Wanted { min_valid: Duration::ZERO, by: Asker::Machine }]
        {
            bench.tell(event);
        }
        bench.tell(Event::Rejected { by: Asker::Machine, generation: 1 });
        bench.run(minutes(10), |_| fresh(3600));
    }
    assert_eq!((bench.sent.len(), bench.vault), (1, None));
}

#[test]
fn d13_a_sign_out_clears_this_machine_first() {
    let mut bench = Bench::signed_in(seconds(3600));
    let effects = bench.tell(Event::SignOut);
    let place = |wanted: fn(&Effect) -> bool| effects.iter().position(wanted);
    let forget = place(|effect| matches!(effect, Effect::Forget));
    assert!(
        forget.is_some() && forget < place(|effect| matches!(effect, Effect::Revoke { .. })),
        "{effects:?}"
    );
    assert_eq!((bench.vault, bench.revoked), (None, vec!["r1".to_owned()]));
}

#[test]
fn d15_one_wrong_path_after_an_outage_is_not_an_hour_of_rest() {
    let misconfigured = Verdict::Misconfigured { trouble: Trouble::Misconfigured, status: Some(404) };
    let mut bench = Bench::restored("r1");
    bench.run(minutes(30), |_| offline());
    bench.run_until_sent(&misconfigured);
    let Phase::Waiting { until, .. } = bench.session.phase() else { panic!("{:?}", bench.session.phase()) };
    assert_eq!(until.since(bench.now), seconds(300));
}
