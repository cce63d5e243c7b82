//! A machine that goes to sleep while the keeper is at work, as logind announces it.

use std::thread;
use std::time::Duration;

use api::{Asker, Request};
use pilotlight_sandbox::Dialect;
use tokio::runtime::{Builder, Runtime};

use crate::harness::{Bench, Keeper, Keyring, Scratch, until};
use crate::logind::{Delay, Logind};
use crate::private_bus::Bus;

/// Row A5: an answer that comes to a machine that sleeps is lost, and the token in it with it.
#[test]
fn sleep_waits_for_a_refresh_that_is_on_its_way_and_none_begins_before_it() {
    let bench = Bench::strict(Duration::from_secs(60));
    let (keyring, mut system) = (Keyring::start(), System::start());
    let mut keeper = Keeper::idle(&format!("vault = \"keyring\"\n\n{}", bench.profile(Dialect::NestJs, "")));
    for (name, value) in keyring.env() {
        keeper.set_env(&name, &value);
    }
    keeper.set_env("DBUS_SYSTEM_BUS_ADDRESS", system.bus.address());
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

/// The system's bus, with logind on it.
struct System {
    runtime: Runtime,
    logind: Logind,
    bus: Bus,
    _dir: Scratch,
}

impl System {
    fn start() -> Self {
        let dir = Scratch::new();
        let log = std::fs::File::create(dir.path().join("log")).unwrap();
        let bus = Bus::start(dir.path(), &format!("unix:path={}", dir.path().join("bus").display()), log);
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let logind = runtime.block_on(async {
            Logind::on(zbus::connection::Builder::address(bus.address())?.build().await?).await
        });
        Self { runtime, logind: logind.unwrap(), bus, _dir: dir }
    }

    fn delay(&mut self) -> Delay {
        self.runtime.block_on(self.logind.delay())
    }

    fn holds(&self, delay: &mut Delay, time: Duration) -> bool {
        self.runtime.block_on(delay.is_held_for(time))
    }

    fn prepares_for_sleep(&self, prepares: bool) {
        self.runtime.block_on(self.logind.prepares_for_sleep(prepares)).unwrap();
    }
}
