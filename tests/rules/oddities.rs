//! Answers that are good and not as they should be: nothing is lost over them.

use session::note::Note;
use session::policy::Policy;
use session::reason::{Oddity, Trouble};
use session::time::Timestamp;
use session::tokens::Tokens;
use session::verdict::Verdict;
use session::view::Phase;

use crate::bench::{ASKED, Bench, fresh, seconds, tokens};

/// Row C6: the refresh token that was sent is spent; the one that came with nothing usable beside it is all there is.
#[test]
fn c6_a_new_refresh_token_is_kept_though_no_access_token_came_with_it() {
    let only = Verdict::Fresh(Tokens { access: None, ..tokens("", Some("r2"), None) });
    let mut bench = Bench::signed_in(seconds(3600)).refreshed_of_itself(&only);
    let Phase::Waiting { why, .. } = bench.session.phase() else { panic!("{:?}", bench.session.phase()) };
    assert_eq!((why, bench.vault.as_deref()), (Trouble::Unusable, Some("r2")));
    bench.run_until_sent(&fresh(3600));
    assert_eq!(
        (bench.sent.as_slice(), bench.session.phase()),
        (["r1", "r2"].map(String::from).as_slice(), Phase::Fresh)
    );
}

#[test]
fn what_is_odd_is_told_once_and_a_lifetime_that_is_known_is_not_missed() {
    let noted = |bench: &Bench| bench.notes.iter().filter(|note| matches!(note, Note::Odd { .. })).count();
    let unread = Some(Oddity::LifetimeUnread);
    let came = Tokens { odd: unread, ..tokens("a2", Some("r2"), None) };
    let bench = Bench::started(Policy::default(), Timestamp::default()).sign_in_with(came.clone());
    assert_eq!(noted(&bench), 1);
    let mut bench = bench.refreshed_of_itself(&Verdict::Fresh(came.clone()));
    assert_eq!(noted(&bench), 1, "each answer is so");
    bench.tell_and_answer(
        ASKED,
        &Verdict::Fresh(Tokens { odd: Some(Oddity::IdTokenSubject), ..came.clone() }),
    );
    assert_eq!(noted(&bench), 2);
    let bench = bench.sign_in_with(came.clone());
    assert_eq!(noted(&bench), 3, "another sign-in");
    let known = Bench::signed_in(seconds(60)).refreshed_of_itself(&Verdict::Fresh(came));
    assert_eq!(noted(&known), 0);
}

#[test]
fn what_is_odd_about_good_tokens_is_written_down_and_they_are_used() {
    for odd in [None, Some(Oddity::IdTokenUnverified)] {
        let came = Tokens { odd, ..tokens("a2", Some("r2"), Some(seconds(3600))) };
        let noted = |bench: &Bench| {
            let odd = bench
                .notes
                .iter()
                .filter_map(|note| if let Note::Odd { what } = note { Some(*what) } else { None });
            odd.collect::<Vec<_>>()
        };
        let signed_in = Bench::signed_in(seconds(3600));
        let refreshed = signed_in.clone().refreshed_of_itself(&Verdict::Fresh(came.clone()));
        let again = signed_in.sign_in_with(came);
        for bench in [refreshed, again] {
            assert_eq!(noted(&bench), odd.into_iter().collect::<Vec<_>>());
            assert_eq!((bench.session.phase(), bench.vault.as_deref()), (Phase::Fresh, Some("r2")));
        }
    }
}
