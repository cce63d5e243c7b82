//! A process that stands still in the middle of an exchange, as a frozen container and a machine that sleeps do: the
//! answer is in the socket by the time that it goes on, and every timer is over.

use std::thread;
use std::time::Duration;

use api::{Fetch, PhaseView, Request};
use pilotlight_sandbox::{Endpoint, Fault};
use rustix::process::Signal;

use crate::harness::{Bench, Keeper, meet, until};

/// Longer than the provider is waited for.
const FROZEN: Duration = Duration::from_secs(3);

/// Row A5.
/// The provider has spent the token that was sent and knows no grace: to send it again would end the session.
#[test]
fn an_answer_that_came_while_nothing_ran_is_taken() {
    let bench = Bench::strict(Duration::from_secs(600));
    let keeper = Keeper::start(&bench.oauth("work", "timeout = \"1s\"", ""));
    keeper.sign_in("work");
    let before = keeper.access_token("work");
    bench.slow_refreshes(Duration::from_millis(500));
    let mut asking = keeper.wire();
    asking.send(Request::Refresh { profile: "work".to_owned(), by: api::Asker::Person });
    until("the token is on its way", || (bench.told().refreshes_received == 1).then_some(()));
    freeze(&keeper);
    until("the session goes on", || (keeper.phase("work") == PhaseView::Fresh).then_some(()));
    assert_ne!(keeper.access_token("work"), before);
    assert_eq!(bench.told().refreshes_received, 1, "the answer was not thrown away");
    bench.control.clear_faults();
    keeper.refresh("work").unwrap();
}

#[test]
fn a_request_that_was_answered_while_nothing_ran_is_answered() {
    let bench = Bench::strict(Duration::from_secs(600));
    let keeper = Keeper::start(&bench.oauth("work", "", ""));
    keeper.sign_in("work");
    bench.fault(Fault::Latency, meet(Endpoint::Resource).value(500.into()));
    let mut asking = keeper.wire();
    let (profile, path) = ("work".to_owned(), "/api/profile".to_owned());
    asking.send(Request::Fetch(Fetch { profile, path, timeout_ms: Some(1000), ..Fetch::default() }));
    until("it is on its way", || (bench.told().resource_requests == 1).then_some(()));
    freeze(&keeper);
    let answer = asking.receive();
    assert!(format!("{answer:?}").contains("status: 200"), "{answer:?}");
}

fn freeze(keeper: &Keeper) {
    keeper.signal(Signal::STOP);
    // How long it stands still is what is tested.
    thread::sleep(FROZEN);
    keeper.signal(Signal::CONT);
}
