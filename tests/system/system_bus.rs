//! The bus of the system, with logind on it, and whoever else a test puts there.

use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use zbus::Connection;

use crate::harness::{Keeper, Scratch};
use crate::logind::{Delay, Logind};
use crate::networks::{NetworkManager, Networkd};
use crate::private_bus::Bus;

pub(crate) struct System {
    runtime: Runtime,
    logind: Logind,
    bus: Bus,
    _dir: Scratch,
}

impl System {
    pub(crate) fn start() -> Self {
        let dir = Scratch::new();
        let log = std::fs::File::create(dir.path().join("log")).unwrap();
        let bus = Bus::start(dir.path(), &format!("unix:path={}", dir.path().join("bus").display()), log);
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let logind = runtime.block_on(async { Logind::on(connect(&bus).await?).await });
        Self { runtime, logind: logind.unwrap(), bus, _dir: dir }
    }

    /// In the lives that come.
    pub(crate) fn carries(&self, keeper: &mut Keeper) {
        keeper.set_env("DBUS_SYSTEM_BUS_ADDRESS", self.bus.address());
    }

    pub(crate) fn delay(&mut self) -> Delay {
        self.runtime.block_on(self.logind.delay())
    }

    pub(crate) fn holds(&self, delay: &mut Delay, time: Duration) -> bool {
        self.runtime.block_on(delay.is_held_for(time))
    }

    pub(crate) fn prepares_for_sleep(&self, prepares: bool) {
        self.runtime.block_on(self.logind.prepares_for_sleep(prepares)).unwrap();
    }

    pub(crate) fn network_manager(&self, state: u32, connectivity: u32) -> NetworkManager {
        let talk = async { NetworkManager::on(connect(&self.bus).await?, state, connectivity).await };
        self.runtime.block_on(talk).unwrap()
    }

    pub(crate) fn networkd(&self, online: &str, operational: &str) -> Networkd {
        let talk = async { Networkd::on(connect(&self.bus).await?, online, operational).await };
        self.runtime.block_on(talk).unwrap()
    }

    pub(crate) fn waits_for<T>(&self, talk: impl Future<Output = zbus::Result<T>>) -> T {
        self.runtime.block_on(talk).unwrap()
    }
}

async fn connect(bus: &Bus) -> zbus::Result<Connection> {
    zbus::connection::Builder::address(bus.address())?.build().await
}
