//! A machine that goes to sleep while the keeper is at work, as logind announces it.

use std::thread;
use std::time::Duration;

use api::{Asker, Request};
use pilotlight_sandbox::Dialect;

use crate::harness::{Bench, Keeper, Keyring, until};
use crate::system_bus::System;

/// Row A5: an answer that comes to a machine that sleeps is lost, and the token in it with it.
#[test]
fn sleep_waits_for_a_refresh_that_is_on_its_way_and_none_begins_before_it() {
    let bench = Bench::strict(Duration::from_secs(60));
    let (keyring, mut system) = (Keyring::start(), System::start());
    let mut keeper = Keeper::idle(&format!("vault = \"keyring\"\n\n{}", bench.profile(Dialect::NestJs, "")));
    for (name, value) in keyring.env() {
        keeper.set_env(&name, &value);
    }
    system.carries(&mut keeper);
    keeper.spawn();
    let mut delay = system.delay();
    keeper.login("nestjs");
    let counted = || bench.counted(Dialect::NestJs);

    bench.slow_refreshes(Duration::from_millis(1_500));
    let refresh = || {
        let mut wire = keeper.wire();
        wire.send(Request::Refresh { profile: "nestjs".to_owned(), by: Asker::Person });
        wire
    };
    let mut first = refresh();
    until("it is on its way", || (counted().refreshes_received == 1).then_some(()));
    system.prepares_for_sleep(true);
    assert!(system.holds(&mut delay, Duration::from_millis(500)), "the refresh is on its way");
    assert!(!system.holds(&mut delay, Duration::from_secs(10)));
    assert_eq!(counted().refreshes_granted, 1);
    assert!(keeper.session("nestjs").saved, "and it is saved");
    first.receive();

    let mut second = refresh();
    thread::sleep(Duration::from_millis(500));
    assert_eq!(counted().refreshes_received, 1, "nothing is begun");
    system.prepares_for_sleep(false);
    second.receive();
    assert_eq!(counted().refreshes_granted, 2, "what was asked for meanwhile is done");
    let mut next = system.delay();
    assert!(system.holds(&mut next, Duration::from_millis(100)), "the next sleep is held up as well");
    assert_eq!((counted().logins, counted().reuse_detected), (1, 0));
}
