//! The ends of sign-ins: those that a refresh in time puts off, and those that are only known beforehand.

use std::time::Duration;

use api::{Cause, Ends, Ground, Lost, Note, PhaseView, Unused};
use pilotlight_sandbox::{Dialect, Endpoint, Fault, Rotation, Settings};

use crate::harness::{Bench, Keeper, Keyring, Server, meet, turn, until, within};

/// Row C12: access tokens live for twenty seconds, unused refresh tokens for six. One provider says so in its answers, one
/// in its tokens, and one not at all, but the profile does.
#[test]
fn c12_a_session_that_nobody_uses_is_kept_alive() {
    let bench = limited(Duration::from_secs(20), Duration::from_secs(6), FOR_EVER);
    let by_hand = "refresh_token_idle = \"6s\"";
    let profiles = [
        bench.oauth("work", "", ""),
        bench.profile(Dialect::SimpleJwt, ""),
        bench.profile(Dialect::Heartbeat, by_hand),
    ];
    let keeper = Keeper::start(&profiles.concat());
    keeper.sign_in("work");
    keeper.login("simplejwt");
    keeper.login("heartbeat");
    for (name, dialect, ground) in [
        ("work", Dialect::OAuth, Ground::Told),
        ("simplejwt", Dialect::SimpleJwt, Ground::Told),
        ("heartbeat", Dialect::Heartbeat, Ground::Set),
    ] {
        within(Duration::from_secs(60), "it is refreshed again and again", || {
            assert!(!matches!(keeper.phase(name), PhaseView::NeedsLogin { .. }), "{:?}", keeper.notes(name));
            (bench.counted(dialect).refreshes_granted >= 4).then_some(())
        });
        let kept_alive = |note: &Note| matches!(note, Note::Refreshed { cause: Cause::KeptAlive, .. });
        assert!(keeper.notes(name).iter().any(kept_alive), "{:?}", keeper.notes(name));
        let forecast = keeper.session(name).forecast.unwrap();
        assert_eq!(forecast.unused.map(|unused| unused.ground), Some(ground));
        assert_eq!((forecast.ends, bench.counted(dialect).refreshes_refused), (None, 0));
        assert_eq!(keeper.noted(name, "foreseen"), 1);
        assert_eq!(keeper.noted(name, "ends_soon"), 0);
    }
}

/// Row C12: half a minute after the sign-in all is over, however often it is refreshed.
#[test]
fn c12_an_end_is_known_beforehand_and_also_to_the_next_keeper() {
    let bench = limited(Duration::from_secs(4), Duration::from_secs(600), Duration::from_secs(30));
    let keyring = Keyring::start();
    let mut keeper = Keeper::with_keyring(&bench.oauth("work", "", ""), &keyring);
    keeper.sign_in("work");
    let ends = |keeper: &Keeper| keeper.session("work").forecast.and_then(|forecast| forecast.ends);
    let known = until("the end is known", || ends(&keeper));
    assert!(known.ground == Ground::Told && known.in_ms <= 30_000, "{known:?}");
    // The next process is told nothing before it says what it knows.
    bench.fault(Fault::Status, meet(Endpoint::Refresh).of(Dialect::OAuth).value(503.into()));
    keeper.restart();
    let Ends { in_ms, ground, .. } = until("it is known at the start", || ends(&keeper));
    assert!(ground == Ground::Told && in_ms <= known.in_ms, "{in_ms} of {known:?}");
    bench.control.clear_faults();
    keeper.until_fresh("work");
    let ran_out = PhaseView::NeedsLogin { why: Lost::RanOut };
    within(Duration::from_secs(60), "it ends as it was told", || {
        (keeper.phase("work") == ran_out).then_some(())
    });
    assert_eq!((keeper.noted("work", "ends_soon"), keeper.session("work").forecast), (1, None));
    keeper.restart();
    keeper.until_phase("work", ran_out);
    keeper.sign_in("work");
    assert!(ends(&keeper).is_none_or(|ends| ends.in_ms > 20_000), "that is another sign-in");
}

/// Row C12: a real server. Its refresh tokens are JWTs; where they are replaced each has an end of its own, and where they
/// are not, all of it ends with the first one.
#[test]
fn simplejwt_is_kept_alive_where_it_rotates_and_its_end_is_known_where_it_does_not() {
    let _turn = turn();
    let rotating = Server::start(
        "simplejwt",
        &[("AT_TTL", "60"), ("RT_TTL", "12"), ("ROTATE", "1"), ("BLACKLIST", "1")],
    );
    let staying = Server::start("simplejwt", &[("AT_TTL", "8"), ("RT_TTL", "30"), ("ROTATE", "0")]);
    let profile = |name: &str, server: &Server| {
        format!("[profile.{name}]\npreset = \"simplejwt\"\nurl = \"{}\"\n\n", server.origin())
    };
    let keeper = Keeper::start(&(profile("rotating", &rotating) + &profile("staying", &staying)));
    keeper.login("rotating");
    keeper.login("staying");
    let forecast = |name| keeper.session(name).forecast.unwrap_or_else(|| panic!("{:?}", keeper.notes(name)));
    let ends = until("the end is known", || forecast("staying").ends);
    assert!(ends.ground == Ground::Told && ends.in_ms <= 30_000, "{ends:?}");
    let ran_out = PhaseView::NeedsLogin { why: Lost::RanOut };
    within(Duration::from_secs(60), "it ends as it was told", || {
        (keeper.phase("staying") == ran_out).then_some(())
    });
    assert_eq!(keeper.noted("staying", "ends_soon"), 1);
    within(Duration::from_secs(60), "it is refreshed again and again", || {
        (rotating.counted("refreshed") >= 3).then_some(())
    });
    assert_eq!(
        rotating.counted("refreshes"),
        rotating.counted("refreshed"),
        "{:?}",
        keeper.notes("rotating")
    );
    let Some(Unused { after_ms, ground: Ground::Told }) = forecast("rotating").unused else {
        panic!("{:?}", forecast("rotating"))
    };
    assert!((11_000..=12_000).contains(&after_ms), "{after_ms}");
}

/// Each refresh token is good once and for so long, and all of them together for so long. The issuer says so.
fn limited(access: Duration, unused: Duration, session: Duration) -> Bench {
    let mut settings =
        Settings { access_ttl: access, refresh_ttl: unused, session_ttl: session, ..Settings::default() };
    settings.oauth.tells_refresh_ttl = true;
    for dialect in Dialect::ALL {
        settings.dialects[dialect].rotation = Rotation::Strict;
    }
    Bench::start(settings)
}

const FOR_EVER: Duration = Duration::from_secs(3650 * 86_400);
