//! D12: a resource, or the provider, wants a person. That ends nothing, costs no refresh, and the next sign-in brings
//! what was wanted.

use std::time::Duration;

use api::{Code, Demand, Failure, Lost, PhaseView, Way};
use pilotlight_sandbox::{Endpoint, Fault};

use crate::harness::{Bench, Browser, Ear, Keeper, Keyring, Person, at_once, by_hand, meet, sealed, until};

/// Row D12.
/// RFC 9470; RFC 6750, section 3.1.
#[test]
fn what_a_resource_demands_is_told_costs_no_refresh_and_comes_with_the_next_sign_in() {
    let bench = Bench::strict(Duration::from_secs(60));
    let keeper = Keeper::start(&bench.oauth("work", "", ""));
    for (path, why, demand) in [
        ("/api/safe", Lost::InsufficientUserAuthentication, step_up()),
        ("/api/reports", Lost::InsufficientScope, scope()),
    ] {
        keeper.sign_in("work");
        let refused = keeper.fetch("work", path).unwrap_err();
        assert_told(&refused, why, &demand);
        assert_eq!(refused.details["path"], format!("/oauth{path}"));
        let session = keeper.session("work");
        assert_eq!((session.phase, session.demand), (PhaseView::NeedsLogin { why }, Some(demand)));
        // Asked again it is refused again, by the resource itself: nothing is remembered against anybody.
        keeper.fetch("work", path).unwrap_err();
        assert_eq!(bench.statuses(path).len(), 2);
        let others = at_once((0..20).collect(), |_| keeper.fetch("work", "/api/profile").unwrap().status);
        assert_eq!(others, [200; 20], "the living token is good for everything else");
        assert_eq!(keeper.phase("work"), PhaseView::NeedsLogin { why }, "what others do sees to nothing");

        keeper.sign_in("work");
        assert_eq!(keeper.session("work").demand, None);
        assert_eq!(keeper.fetch("work", path).unwrap().status, 200, "{path}: it was not asked for");
    }
    assert_eq!(bench.told().refreshes_received, 0, "no refresh can bring what a person has to");
    assert_eq!(keeper.noted("work", "odd"), 0, "what was demanded is what came");
    assert_eq!(keeper.noted("work", "needs_login"), 2, "once for each demand, however often it is met");
}

#[test]
fn demands_of_several_resources_are_met_by_one_sign_in() {
    let bench = Bench::strict(Duration::from_secs(60));
    let keeper = Keeper::start(&bench.oauth("work", "", ""));
    keeper.sign_in("work");
    keeper.fetch("work", "/api/safe").unwrap_err();
    keeper.fetch("work", "/api/reports").unwrap_err();
    let demand = Demand { scope: scope().scope, ..step_up() };
    assert_eq!(keeper.session("work").demand, Some(demand));
    keeper.sign_in("work");
    for path in ["/api/safe", "/api/reports"] {
        assert_eq!(keeper.fetch("work", path).unwrap().status, 200, "{path}");
    }
    let told = bench.introspect(&keeper.access_token("work"));
    assert_eq!(told["scope"], "openid offline_access reports", "nothing that it had was lost");
}

/// A person who does not want to sign in says so by asking for a refresh, which is then a refresh like any other.
#[test]
fn a_demand_stays_over_refreshes_until_a_person_dismisses_it() {
    let bench = Bench::strict(Duration::from_secs(2));
    let keeper = Keeper::start(&bench.oauth("work", "", ""));
    keeper.sign_in("work");
    keeper.fetch("work", "/api/safe").unwrap_err();
    let demanded = PhaseView::NeedsLogin { why: Lost::InsufficientUserAuthentication };
    until("the session refreshes itself behind the demand", || {
        assert_eq!(keeper.phase("work"), demanded);
        (bench.told().refreshes_granted >= 2).then_some(())
    });
    keeper.refresh("work").unwrap();
    keeper.until_fresh("work");
    assert_eq!(keeper.session("work").demand, None);

    // Another sign-in that fails or is given up sees to nothing either.
    keeper.fetch("work", "/api/safe").unwrap_err();
    let (_, url) = keeper.begin_sign_in("work", Way::Browser);
    Browser::new().follow(&url.unwrap(), Person::ALICE.who_refuses());
    assert_eq!(keeper.finish_sign_in("work").unwrap_err().code, Code::SignInDenied);
    assert_eq!(keeper.phase("work"), demanded);
    assert_eq!(keeper.fetch("work", "/api/profile").unwrap().status, 200);
}

/// As it stands in the browser's address.
#[test]
fn what_was_demanded_reaches_the_page() {
    let bench = Bench::strict(Duration::from_secs(60));
    let ear = Ear::before(bench.origin());
    let own = format!("dpop = false\nscopes = [\"api\"]\n{}", by_hand("work", ear.origin(), &[]));
    let api = format!("{}/oauth", ear.origin());
    let keeper = Keeper::start(&bench.oauth("work", "", &own).replacen(
        &format!("url = \"{}\"", bench.issuer()),
        &format!("url = \"{api}\""),
        1,
    ));
    keeper.sign_in("work");
    let plain = ear.heard("/oauth/authorize").remove(0);
    assert_eq!((plain.get("max_age"), plain.get("acr_values"), plain.get("prompt")), (None, None, None));
    ear.answer_once(
        "/oauth/api/profile",
        "401 Unauthorized",
        r#"WWW-Authenticate: Bearer realm="x", error="insufficient_user_authentication", acr_values="a b", max_age="30""#,
        "",
    );
    ear.answer_once(
        "/oauth/api/orders",
        "403 Forbidden",
        r#"WWW-Authenticate: Bearer error="insufficient_scope", scope="reports""#,
        "",
    );
    let demand = Demand { acr_values: Some("a b".to_owned()), max_age: Some(30), scope: None };
    let refused = keeper.fetch("work", "/api/profile").unwrap_err();
    assert_told(&refused, Lost::InsufficientUserAuthentication, &demand);
    keeper.fetch("work", "/api/orders").unwrap_err();
    keeper.sign_in("work");
    let asked = ear.heard("/oauth/authorize").remove(1);
    assert_eq!(
        (asked.get("max_age"), asked.get("acr_values"), asked.get("scope")),
        (Some("30"), Some("a b"), Some("api reports"))
    );
    assert_ne!(asked.get("state"), plain.get("state"));
    keeper.sign_in("work");
    assert_eq!(ear.heard("/oauth/authorize").remove(2).get("max_age"), None, "it was for one sign-in");
}

/// Row D12.
/// OpenID Connect Core, section 3.1.2.6, said by the token endpoint: the refresh token is kept aside.
#[test]
fn a_provider_that_wants_a_person_at_a_refresh_ends_nothing() {
    let bench = Bench::strict(Duration::from_secs(60));
    let keyring = Keyring::start();
    let mut keeper = Keeper::with_keyring(&bench.oauth("work", "", ""), &keyring);
    keeper.sign_in("work");
    assert!(keeper.session("work").saved);
    bench.fault(Fault::InteractionRequired, meet(Endpoint::Refresh).on());
    let why = Lost::InteractionRequired;
    let refused = keeper.refresh("work").unwrap_err();
    assert_told(&refused, why, &Demand::default());
    assert_eq!(keeper.phase("work"), PhaseView::NeedsLogin { why });
    assert_eq!(
        keeper.fetch("work", "/api/profile").unwrap().status,
        200,
        "the access token is as good as it was"
    );
    assert!(sealed(&keeper, "work", &keyring).is_some(), "the refresh token is gone");
    let before = bench.told().refreshes_received;
    assert_eq!(before, 1);

    // Even over a restart, as long as the provider insists.
    keeper.restart();
    keeper.until_phase("work", PhaseView::NeedsLogin { why });
    assert_eq!(keeper.fetch("work", "/api/profile").unwrap_err().code, Code::SignInNeeded);
    assert_eq!(
        bench.told().refreshes_received,
        before + 1,
        "what only a person can do is not tried again and again"
    );

    // Somebody in charge has relented.
    bench.control.clear_fault(Fault::InteractionRequired);
    keeper.refresh("work").unwrap();
    keeper.until_fresh("work");
    assert_eq!(keeper.fetch("work", "/api/profile").unwrap().status, 200);
    assert_eq!(bench.told().codes_issued, 1);
}

fn assert_told(failure: &Failure, why: Lost, demand: &Demand) {
    let detail = |name: &str| failure.details.get(name).map(String::as_str);
    let word = serde_json::to_value(why).unwrap();
    assert_eq!((failure.code, detail("why")), (Code::SignInNeeded, word.as_str()));
    let age = demand.max_age.map(|age| age.to_string());
    assert_eq!(
        (detail("acr_values"), detail("max_age"), detail("scope")),
        (demand.acr_values.as_deref(), age.as_deref(), demand.scope.as_deref())
    );
}

fn step_up() -> Demand {
    Demand { acr_values: Some("urn:pilotlight:sandbox:strict".to_owned()), ..Demand::default() }
}

fn scope() -> Demand {
    Demand { scope: Some("reports".to_owned()), ..Demand::default() }
}
