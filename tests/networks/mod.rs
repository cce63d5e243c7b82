//! What stands in the place of NetworkManager and of systemd-networkd: each says of the network what a test has it say.

use zbus::Connection;
use zbus::object_server::InterfaceRef;
use zbus::zvariant::OwnedObjectPath;

pub(crate) struct NetworkManager {
    bus: Connection,
    manager: InterfaceRef<Manager>,
}

pub(crate) struct Networkd {
    bus: Connection,
    manager: InterfaceRef<Links>,
}

impl NetworkManager {
    pub(crate) async fn on(bus: Connection, state: u32, connectivity: u32) -> zbus::Result<Self> {
        let primary = OwnedObjectPath::try_from("/")?;
        bus.object_server().at(NM_PATH, Manager { state, connectivity, primary }).await?;
        let manager = bus.object_server().interface(NM_PATH).await?;
        bus.request_name(NM_NAME).await?;
        Ok(Self { bus, manager })
    }

    pub(crate) async fn says(&self, state: u32, connectivity: u32) -> zbus::Result<()> {
        let mut manager = self.manager.get_mut().await;
        (manager.state, manager.connectivity) = (state, connectivity);
        manager.state_changed(self.manager.signal_emitter()).await?;
        manager.connectivity_changed(self.manager.signal_emitter()).await
    }

    /// As when a VPN is up, and everything goes through it.
    pub(crate) async fn goes_through(&self, primary: &str) -> zbus::Result<()> {
        let mut manager = self.manager.get_mut().await;
        manager.primary = OwnedObjectPath::try_from(primary)?;
        manager.primary_connection_changed(self.manager.signal_emitter()).await
    }

    pub(crate) async fn goes(self) -> zbus::Result<()> {
        self.bus.release_name(NM_NAME).await?;
        self.bus.object_server().remove::<Manager, _>(NM_PATH).await.map(|_| ())
    }
}

impl Networkd {
    pub(crate) async fn on(bus: Connection, online: &str, operational: &str) -> zbus::Result<Self> {
        let links = Links { online: online.to_owned(), operational: operational.to_owned() };
        bus.object_server().at(NETWORKD_PATH, links).await?;
        let manager = bus.object_server().interface(NETWORKD_PATH).await?;
        bus.request_name(NETWORKD_NAME).await?;
        Ok(Self { bus, manager })
    }

    pub(crate) async fn says(&self, online: &str, operational: &str) -> zbus::Result<()> {
        let mut links = self.manager.get_mut().await;
        (links.online, links.operational) = (online.to_owned(), operational.to_owned());
        links.online_state_changed(self.manager.signal_emitter()).await?;
        links.operational_state_changed(self.manager.signal_emitter()).await
    }

    pub(crate) async fn goes(self) -> zbus::Result<()> {
        self.bus.release_name(NETWORKD_NAME).await?;
        self.bus.object_server().remove::<Links, _>(NETWORKD_PATH).await.map(|_| ())
    }
}

struct Manager {
    state: u32,
    connectivity: u32,
    primary: OwnedObjectPath,
}

#[zbus::interface(name = "org.freedesktop.NetworkManager")]
impl Manager {
    #[zbus(property)]
    fn state(&self) -> u32 {
        self.state
    }

    #[zbus(property)]
    fn connectivity(&self) -> u32 {
        self.connectivity
    }

    #[zbus(property)]
    fn primary_connection(&self) -> OwnedObjectPath {
        self.primary.clone()
    }
}

struct Links {
    online: String,
    operational: String,
}

#[zbus::interface(name = "org.freedesktop.network1.Manager")]
impl Links {
    #[zbus(property)]
    fn online_state(&self) -> String {
        self.online.clone()
    }

    #[zbus(property)]
    fn operational_state(&self) -> String {
        self.operational.clone()
    }
}

const NM_NAME: &str = "org.freedesktop.NetworkManager";
const NM_PATH: &str = "/org/freedesktop/NetworkManager";
const NETWORKD_NAME: &str = "org.freedesktop.network1";
const NETWORKD_PATH: &str = "/org/freedesktop/network1";
