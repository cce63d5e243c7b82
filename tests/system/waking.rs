//! A machine that is awake, or has just started, and has no network yet. The provider is another host, as far as a
//! keeper can tell, and is there all the time: what is counted at it was begun.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use api::{Asker, Failure, Line, PhaseView, Reply, Request, Trouble};
use pilotlight_sandbox::Dialect;
use session::limits;

use crate::harness::{
    Bench, Clock, Clocks, Door, Keeper, Scratch, in_a_network_of_its_own, ip, kind, profile, token, until,
    within,
};
use crate::system_bus::System;

/// Row A3: where there is neither NetworkManager nor systemd-networkd, the kernel tells of the network.
#[test]
fn a_start_waits_until_the_kernel_has_a_way_out_and_no_longer() {
    in_a_network_of_its_own("waking::a_start_waits_until_the_kernel_has_a_way_out_and_no_longer", || {
        let mut stage = Stage::with_a_session();
        let started = Instant::now();
        stage.keeper.spawn();
        stage.is_without_a_network();
        let mut program = stage.keeper.wire();
        program.send(token("far", Duration::ZERO));
        thread::sleep(Duration::from_secs(3));
        assert_eq!(stage.begun(), 0, "nothing is begun without a network");
        lead_out();
        thread::sleep(Duration::from_secs(1));
        assert_eq!(stage.begun(), 0, "a link without its cable leads nowhere, whatever the routes say");
        ip(PLUG_IN);
        stage.keeper.until_fresh("far");
        assert!(matches!(program.receive(), Line::Answer { reply: Reply::Token(_), .. }));
        assert!(started.elapsed() < limits::NETWORK, "it was the network that it waited for");
        stage.has_refreshed_once();
    });
}

/// Row A3, and whoever has been answered where there was no network is not kept waiting for one any more.
#[test]
fn a_person_waits_for_no_network_and_what_they_find_holds_for_machines() {
    in_a_network_of_its_own(
        "waking::a_person_waits_for_no_network_and_what_they_find_holds_for_machines",
        || {
            let mut stage = Stage::with_a_session();
            stage.keeper.spawn();
            stage.is_without_a_network();
            stage.machine_refreshes().unwrap_err();
            assert_eq!(stage.begun(), 0);
            stage.keeper.refresh("far").unwrap();
            assert_eq!(stage.begun(), 1);
            stage.machine_refreshes().unwrap();
            assert_eq!(stage.begun(), 2);
        },
    );
}

/// Row A3.
/// What is said may be wrong, and a machine without a default route has its provider in its own network.
#[test]
fn a_network_that_nobody_sees_is_tried_all_the_same_after_a_while() {
    in_a_network_of_its_own("waking::a_network_that_nobody_sees_is_tried_all_the_same_after_a_while", || {
        let mut stage = Stage::with_a_session();
        let started = Instant::now();
        stage.keeper.spawn();
        stage.keeper.until_fresh("near");
        assert!(started.elapsed() < limits::NETWORK, "this machine is reached without a network");
        stage.is_without_a_network();
        within(limits::NETWORK * 2, "it is tried", || (stage.begun() == 1).then_some(()));
        assert!(started.elapsed() >= limits::NETWORK);
        stage.keeper.until_fresh("far");
    });
}

/// Row A5: nothing is begun, nothing has failed, nobody is asked for anything; then one refresh.
#[test]
fn a_night_of_short_wake_ups_without_a_network_is_one_refresh_in_the_morning() {
    in_a_network_of_its_own(
        "waking::a_night_of_short_wake_ups_without_a_network_is_one_refresh_in_the_morning",
        || {
            let mut system = System::start();
            let manager = system.network_manager(NM_CONNECTED, NM_FULL);
            let mut stage = Stage::with_a_session();
            let clocks = Clocks::new();
            clocks.carry(&mut stage.keeper);
            system.carries(&mut stage.keeper);
            stage.keeper.spawn();
            stage.keeper.until_fresh("far");
            assert_eq!(stage.begun(), 1, "the network is there");
            let mut delay = system.delay();
            system.waits_for(manager.says(NM_ASLEEP, NM_NONE));

            for wake_up in 1..=20 {
                system.prepares_for_sleep(true);
                assert!(!system.holds(&mut delay, Duration::from_secs(10)));
                clocks.move_by(Clock::Boot, wake_up * 3600);
                system.prepares_for_sleep(false);
                delay = system.delay();
                let withheld = stage.keeper.noted("far", "kept");
                if wake_up % 10 == 0 {
                    // It is awake for longer than what oversleeps waits anyway.
                    until("it is withheld", || (stage.keeper.noted("far", "kept") > withheld).then_some(()));
                }
                stage.machine_refreshes().unwrap_err();
                stage.is_without_a_network();
                assert_eq!(stage.begun(), 1, "wake-up {wake_up}");
            }
            system.waits_for(manager.says(NM_CONNECTED, NM_FULL));
            until("it is refreshed", || (stage.begun() == 2).then_some(()));
            stage.keeper.until_fresh("far");
            let notes = stage.keeper.notes("far");
            let tries = notes.iter().filter_map(|note| serde_json::to_value(note).unwrap()["tries"].as_u64());
            assert!(tries.max() == Some(1), "nothing has failed: {notes:?}");
            for never in ["needs_login", "breaker_opened"] {
                assert!(!notes.iter().any(|note| kind(note) == never), "{never}: {notes:?}");
            }
            assert_eq!(stage.begun(), 2);
        },
    );
}

/// Whether it slept or was only about to.
#[test]
fn heartbeats_wait_for_the_network_as_well_and_have_not_failed() {
    in_a_network_of_its_own("waking::heartbeats_wait_for_the_network_as_well_and_have_not_failed", || {
        let mut system = System::start();
        let manager = system.network_manager(NM_CONNECTED, NM_FULL);
        let mut stage = Stage::with_a_session();
        system.carries(&mut stage.keeper);
        stage.keeper.spawn();
        stage.keeper.until_fresh("far");
        let sent = || stage.bench.counted(Dialect::Heartbeat).heartbeats;
        until("its heart beats", || (sent() > 0).then_some(()));
        let mut delay = system.delay();
        system.waits_for(manager.says(NM_ASLEEP, NM_NONE));
        system.prepares_for_sleep(true);
        assert!(!system.holds(&mut delay, Duration::from_secs(10)));
        system.prepares_for_sleep(false);
        let withheld = || stage.keeper.noted("far", "heartbeat_unanswered");
        until("a heartbeat is withheld", || (withheld() > 0).then_some(()));
        let before = sent();
        until("and another", || (withheld() > 2).then_some(()));
        assert_eq!(sent(), before);
        system.waits_for(manager.says(NM_CONNECTED, NM_FULL));
        until("its heart beats again", || (sent() > before).then_some(()));
        assert_eq!((stage.begun(), stage.keeper.phase("far")), (1, PhaseView::Fresh));
    });
}

/// Row A3.
#[test]
fn networkd_is_believed_where_there_is_no_networkmanager() {
    in_a_network_of_its_own("waking::networkd_is_believed_where_there_is_no_networkmanager", || {
        let system = System::start();
        let networkd = system.networkd("offline", "no-carrier");
        let mut stage = Stage::with_a_session();
        system.carries(&mut stage.keeper);
        lead_out();
        ip(PLUG_IN);
        let started = Instant::now();
        stage.keeper.spawn();
        stage.is_without_a_network();
        thread::sleep(Duration::from_secs(1));
        assert_eq!(stage.begun(), 0, "it knows better than the kernel");
        system.waits_for(networkd.says("online", "routable"));
        stage.keeper.until_fresh("far");
        assert!(started.elapsed() < limits::NETWORK);
        stage.has_refreshed_once();
    });
}

/// A keeper that keeps what it has over a restart, with a provider far away and the same one on this machine.
struct Stage {
    bench: Bench,
    keeper: Keeper,
    _credentials: Scratch,
    _door: Door,
}

impl Stage {
    /// Nobody has refreshed it yet, and the keeper is not running.
    fn with_a_session() -> Self {
        ip(&format!("address add {FAR}/32 dev lo"));
        let bench = Bench::strict(Duration::from_secs(600));
        let door = Door::at(FAR);
        door.lead_to(bench.origin().rsplit_once(':').unwrap().1.parse().unwrap());
        let credentials = Scratch::new();
        fs::write(credentials.path().join("pilotlight-key"), [7; 32]).unwrap();
        let far = profile("far", Dialect::Heartbeat, &door.origin(), "allow_http = true\nheartbeat = \"1s\"");
        let near = profile("near", Dialect::Flask, bench.origin(), "");
        let mut keeper = Keeper::idle(&format!("vault = \"credential\"\n\n{far}{near}"));
        keeper.set_env("CREDENTIALS_DIRECTORY", credentials.path().to_str().unwrap());
        // Nobody is there but the kernel, unless somebody is put there.
        keeper.set_env("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nowhere");
        keeper.spawn();
        for profile in ["far", "near"] {
            keeper.login(profile);
            until("it is saved", || keeper.session(profile).saved.then_some(()));
        }
        keeper.stop();
        Self { bench, keeper, _credentials: credentials, _door: door }
    }

    /// How many refreshes have reached the provider that is far away.
    fn begun(&self) -> u64 {
        self.bench.counted(Dialect::Heartbeat).refreshes_received
    }

    fn machine_refreshes(&self) -> Result<(), Failure> {
        self.keeper.ask(Request::Refresh { profile: "far".to_owned(), by: Asker::Machine }).map(drop)
    }

    fn is_without_a_network(&self) {
        until("it waits for the network", || {
            let phase = self.keeper.phase("far");
            assert!(!matches!(phase, PhaseView::NeedsLogin { .. }), "nobody is to sign in: {phase:?}");
            matches!(phase, PhaseView::Waiting { failures: 0, why: Trouble::NoNetwork, .. }).then_some(())
        });
    }

    fn has_refreshed_once(&self) {
        let counted = self.bench.counted(Dialect::Heartbeat);
        assert_eq!((counted.logins, counted.refreshes_received, counted.refreshes_granted), (1, 1, 1));
    }
}

/// A link with an address, and a default route over it. What is missing is the cable.
fn lead_out() {
    for line in [
        "link add out type veth peer name cable",
        "address add 198.51.100.2/24 dev out",
        "link set out up",
        "route add default dev out",
    ] {
        ip(line);
    }
}

const PLUG_IN: &str = "link set cable up";

/// An address of this machine that does not look like one.
const FAR: &str = "192.0.2.9";

const NM_ASLEEP: u32 = 10;
const NM_CONNECTED: u32 = 70;
const NM_NONE: u32 = 1;
const NM_FULL: u32 = 4;
