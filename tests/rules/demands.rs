//! Row D12: what only a person at the provider's page can do, and whose session it is.

use std::time::Duration;

use session::event::{Asker, Effect, Event};
use session::interaction::{Interaction, Need};
use session::note::Note;
use session::reason::{Cause, Lost, Trouble};
use session::tokens::{Account, Identity, Secret};
use session::verdict::Verdict;
use session::view::{Phase, Prospect};

use crate::bench::{
    ASKED, Bench, PATIENCE, dead, fresh, interaction, limited, minutes, offline, seconds, tokens,
};

#[test]
fn d12_a_demand_is_shown_and_requests_and_refreshes_go_on_behind_it() {
    let mut bench = Bench::signed_in(seconds(3600));
    let effects = bench.tell(step_up(1));
    let why = Lost::InsufficientUserAuthentication;
    assert_eq!(effects, [Effect::Note(Note::NeedsLogin { why })]);
    for _ in 0..100 {
        assert_eq!(bench.session.phase(), STEP_UP);
        assert!(matches!(bench.session.prospect(bench.now, seconds(60)), Prospect::Ready { .. }));
        bench.run(minutes(10), |_| fresh(3600));
    }
    assert!(bench.sent.len() > 20, "{} refreshes in a thousand minutes", bench.sent.len());
    assert_eq!(bench.session.demand().and_then(|demand| demand.max_age), Some(300));

    bench.run(minutes(120), |_| offline());
    assert_eq!(bench.session.phase(), STEP_UP, "nobody is called again by what goes on behind it");
    let held = bench.session.prospect(bench.now, Duration::ZERO);
    assert!(
        matches!(held, Prospect::Held { trouble: Trouble::Offline, .. }),
        "and callers hear the truth: {held:?}"
    );
    bench.tell_and_answer(ASKED, &offline());
    assert!(matches!(bench.session.phase(), Phase::Waiting { .. }));
}

#[test]
fn d12_whoever_asks_for_a_refresh_does_without_what_was_demanded() {
    let mut bench = Bench::signed_in(seconds(3600)).told(step_up(1));
    bench.tell(ASKED);
    assert!(matches!(bench.session.phase(), Phase::Refreshing { cause: Cause::Asked, .. }));
    let bench = bench.answered(&fresh(3600));
    assert_eq!((bench.session.phase(), bench.session.demand()), (Phase::Fresh, None));

    let mut paused = Bench::signed_in(seconds(3600)).told(ASKED).answered(&limited(Some(minutes(9))));
    paused = paused.told(step_up(1)).told(ASKED);
    assert!(
        matches!(paused.session.phase(), Phase::Waiting { .. }),
        "and sees what the provider has asked for"
    );
    assert_eq!(paused.sent.len(), 1);

    let without = Bench::signed_in(seconds(3600)).sign_in_with(tokens("b1", None, Some(seconds(3600))));
    let without = without.told(step_up(2)).told(ASKED);
    assert_eq!(without.session.phase(), STEP_UP, "there is nothing to refresh with");
}

#[test]
fn d12_a_sign_in_satisfies_a_demand_and_a_failed_one_does_not() {
    let bench = Bench::signed_in(seconds(3600)).told(step_up(1)).told(Event::SignIn { patience: PATIENCE });
    assert_eq!(bench.session.phase(), Phase::SigningIn);
    assert!(bench.session.demand().is_some(), "or what would be asked for?");
    let failed = bench.clone().sign_in_failed();
    assert_eq!(failed.session.phase(), STEP_UP);
    let signed_in = bench.sign_in(seconds(3600));
    assert_eq!((signed_in.session.phase(), signed_in.session.demand()), (Phase::Fresh, None));
}

#[test]
fn d12_a_sign_out_ends_a_demand() {
    let bench = Bench::signed_in(seconds(3600)).told(step_up(1)).told(Event::SignOut);
    assert_eq!(bench.session.phase(), Phase::NeedsLogin { why: Lost::SignedOut });
    assert_eq!(bench.session.demand(), None);
}

#[test]
fn d12_what_an_old_token_lacked_says_nothing_of_the_new_one() {
    let bench = Bench::signed_in(seconds(3600)).told(ASKED).answered(&fresh(3600));
    for mut bench in [bench, Bench::restored("r1"), Bench::signed_in(seconds(9)).told(Event::SignOut)] {
        let phase = bench.session.phase();
        for generation in [0, 1, 3] {
            assert_eq!(bench.tell(step_up(generation)), []);
        }
        assert_eq!((bench.session.phase(), bench.session.demand()), (phase, None));
    }
}

/// A request that was refused waits for a token only where there may be one, or the reason why there is none.
#[test]
fn d12_a_request_that_needs_a_person_is_not_sent_again_with_the_same_token() {
    let mut bench = Bench::signed_in(seconds(3600)).told(step_up(1));
    let better =
        |bench: &Bench| [0, 1].map(|generation| bench.session.may_do_better_than(generation, bench.now));
    assert_eq!(better(&bench), [true, false]);
    bench.tell(Event::Rejected { by: Asker::Machine, generation: 1 });
    assert_eq!(better(&bench), [true, true], "another one is on its way");
    let waiting = bench.clone().answered(&offline());
    assert_eq!(better(&waiting), [true, true]);
    let stopped = bench.clone().answered(&interaction(Need::Login));
    assert_eq!(better(&stopped), [true, true], "whoever waits is told");
    bench = bench.answered(&fresh(3600));
    assert_eq!((better(&bench), bench.session.may_do_better_than(2, bench.now)), ([true, true], false));
}

/// They would take turns, and a person would be called each time.
#[test]
fn d12_resources_that_demand_this_and_that_are_one_demand() {
    let mut bench = Bench::signed_in(seconds(3600));
    let scope = |scope: &str| {
        let interaction = Interaction { scope: Some(scope.into()), ..Interaction::of(Need::Scope) };
        Event::Demanded { generation: 1, interaction }
    };
    let mut notes = 0;
    for _ in 0..100 {
        for demand in [scope("read write"), step_up(1), scope("write admin")] {
            notes += bench.tell(demand).len();
        }
    }
    let demand = bench.session.demand().expect("it is still demanded");
    assert_eq!((notes, demand.need, demand.scope.as_deref()), (3, Need::Scope, Some("read write admin")));
    assert_eq!((demand.acr_values.as_deref(), demand.max_age), (Some("gold"), Some(300)));
}

#[test]
fn d12_an_interaction_stops_the_refreshing_and_keeps_the_token() {
    for need in NEEDS {
        let mut bench = Bench::signed_in(seconds(3600)).told(ASKED).answered(&interaction(need));
        let why = need.lost();
        assert_eq!(bench.session.phase(), Phase::NeedsLogin { why });
        let prospect = bench.session.prospect(bench.now, seconds(60));
        assert!(matches!(prospect, Prospect::Ready { .. }), "the access token has its time: {prospect:?}");
        for event in [
            Event::NetworkUp,
            Event::Wanted { min_valid: minutes(60), by: Asker::Machine },
            Event::Rejected { by: Asker::Machine, generation: 1 },
        ] {
            bench.tell(event);
            bench.run(minutes(60), |_| fresh(3600));
        }
        assert_eq!(bench.session.prospect(bench.now, Duration::ZERO), Prospect::NeedsLogin(why));
        assert_eq!((bench.sent.len(), bench.vault.as_deref()), (1, Some("r1")));
        assert!(bench.revoked.is_empty() && bench.session.deadline().is_none());
        bench.tell_and_answer(ASKED, &fresh(3600));
        assert_eq!(
            (bench.session.phase(), bench.session.demand()),
            (Phase::Fresh, None),
            "trying again revives it"
        );
        assert_eq!(bench.sent, ["r1", "r1"]);
    }
}

/// And the other way round: somebody in charge has made the token die meanwhile.
#[test]
fn d12_trying_again_may_bring_the_same_or_worse() {
    let asked = Bench::signed_in(seconds(3600)).told(ASKED).answered(&interaction(Need::Login));
    let mut same = asked.clone();
    for tries in 2..10 {
        same.tell_and_answer(ASKED, &interaction(Need::Login));
        assert_eq!(
            (same.session.phase(), same.sent.len()),
            (Phase::NeedsLogin { why: Lost::LoginRequired }, tries)
        );
    }
    let dead = asked.told(ASKED).answered(&dead());
    assert_eq!((dead.session.phase(), dead.vault), (Phase::NeedsLogin { why: Lost::Refused }, None));
}

/// The token endpoint's demand and a resource's are for the same sign-in, and neither locks the other's way out.
#[test]
fn d12_a_demand_on_top_of_an_interaction_locks_nobody_out() {
    let claims = Interaction { claims: Some("{}".into()), ..Interaction::of(Need::Login) };
    let verdict = Verdict::Interaction(claims);
    let after = Bench::signed_in(seconds(3600)).told(ASKED).answered(&verdict).told(step_up(1));
    let before = Bench::signed_in(seconds(3600)).told(step_up(1)).told(Event::Tick);
    let before = before.refreshed_of_itself(&verdict);
    for mut bench in [after, before] {
        assert_eq!(bench.session.phase(), Phase::NeedsLogin { why: Lost::LoginRequired });
        let demand = bench.session.demand().expect("both are demanded");
        assert_eq!((demand.need, demand.claims.as_deref()), (Need::Login, Some("{}")));
        assert_eq!((demand.acr_values.as_deref(), demand.max_age), (Some("gold"), Some(300)));
        bench.tell_and_answer(ASKED, &fresh(3600));
        assert_eq!(bench.session.phase(), Phase::Fresh);
    }
}

/// Row C9.
/// The next process knows whose session it is, and to which key its tokens are bound.
#[test]
fn b15_an_account_is_saved_with_its_token_and_comes_back_with_it() {
    let account = Account {
        identity: Some(Identity { issuer: "https://id.example".into(), subject: "7".into() }),
        proof_key: Some(Secret::new("key")),
        ..Account::named("mia")
    };
    let mut bench =
        Bench::signed_in(seconds(60)).sign_in_as(account.clone(), tokens("b1", Some("rb1"), None));
    assert_eq!((bench.session.account(), &bench.owner), (&account, &account));
    bench.tell_and_answer(ASKED, &Verdict::Fresh(tokens("b2", Some("rb2"), None)));
    assert_eq!((&bench.owner, bench.vault.as_deref()), (&account, Some("rb2")));
    let mut bench = bench.restarted();
    assert_eq!(bench.session.account(), &account);
    assert_eq!(bench.session.view(bench.now).user.as_deref(), Some("mia"));
    bench.tell(Event::SignOut);
    assert_eq!(bench.session.account(), &Account::default());
}

/// Row G7: in a browser it is easy to be somebody else.
#[test]
fn g7_another_person_is_told_of_and_the_same_is_not() {
    let person = |subject: &str, user: &str| Account {
        identity: Some(Identity { issuer: "https://id.example".into(), subject: subject.into() }),
        ..Account::named(user)
    };
    let others =
        |bench: &Bench| bench.notes.iter().filter(|note| matches!(note, Note::OtherPerson { .. })).count();
    let bench = Bench::signed_in(seconds(60)).sign_in_as(person("7", "mia"), tokens("b1", Some("rb1"), None));
    let bench = bench.sign_in_as(person("7", "Mia"), tokens("b2", Some("rb2"), None));
    assert_eq!(others(&bench), 0, "nobody was known, then it was the same");
    let bench = bench.sign_in_as(person("8", "noa"), tokens("b3", Some("rb3"), None));
    assert_eq!(others(&bench), 1);
    assert!(bench.notes.contains(&Note::OtherPerson { before: Some("Mia".into()) }));
}

/// RFC 9470, section 3.
fn step_up(generation: u32) -> Event {
    let interaction =
        Interaction { acr_values: Some("gold".into()), max_age: Some(300), ..Interaction::of(Need::StepUp) };
    Event::Demanded { generation, interaction }
}

const STEP_UP: Phase = Phase::NeedsLogin { why: Lost::InsufficientUserAuthentication };

const NEEDS: [Need; 6] =
    [Need::AccountSelection, Need::Consent, Need::Login, Need::Other, Need::Scope, Need::StepUp];
