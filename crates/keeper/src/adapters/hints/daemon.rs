//! What NetworkManager and systemd-networkd say of the network. Neither is there on every machine, and each may come and
//! go.

use std::collections::HashMap;

use session::network::{Teller, Word};
use tokio::sync::mpsc::Sender;
use zbus::Connection;
use zbus::export::ordered_stream::OrderedStreamExt as _;
use zbus::fdo::{DBusProxy, PropertiesProxy};
use zbus::names::{BusName, InterfaceName, WellKnownName};
use zbus::proxy::CacheProperties;
use zbus::zvariant::{ObjectPath, OwnedValue};

use super::hint::SystemHint;

pub(super) struct Daemon {
    pub(super) name: &'static str,
    path: &'static str,
    interface: &'static str,
    by: Teller,
    read: fn(&Properties) -> News,
}

type Properties = HashMap<String, OwnedValue>;

/// The second part tells one network from another.
type News = (Word, String);

pub(super) const NETWORK_MANAGER: Daemon = Daemon {
    name: "org.freedesktop.NetworkManager",
    path: "/org/freedesktop/NetworkManager",
    interface: "org.freedesktop.NetworkManager",
    by: Teller::NetworkManager,
    read: network_manager,
};

pub(super) const NETWORKD: Daemon = Daemon {
    name: "org.freedesktop.network1",
    path: "/org/freedesktop/network1",
    interface: "org.freedesktop.network1.Manager",
    by: Teller::Networkd,
    read: networkd,
};

impl Daemon {
    /// Until the bus ends, or `tx` is closed.
    pub(super) async fn listen(&self, bus: Connection, tx: Sender<SystemHint>) -> zbus::Result<()> {
        let end = self.follow(&bus, &tx).await;
        self.say_nothing(&tx).await;
        end
    }

    /// Whoever cannot be heard says nothing, so that the next one is believed.
    pub(super) async fn say_nothing(&self, tx: &Sender<SystemHint>) {
        // Nobody may listen any more.
        drop(tx.send(SystemHint::Network { by: self.by, word: Word::Nothing }).await);
    }

    async fn follow(&self, bus: &Connection, tx: &Sender<SystemHint>) -> zbus::Result<()> {
        let name = WellKnownName::try_from(self.name)?;
        let properties = PropertiesProxy::builder(bus)
            .destination(name.clone())?
            .path(self.path)?
            .cache_properties(CacheProperties::No)
            .build()
            .await?;
        let names = DBusProxy::new(bus).await?;
        let mut owners = properties.inner().receive_owner_changed().await?;
        let mut changes = properties.receive_properties_changed().await?;
        let mut known = None;
        loop {
            // A question to a name that nobody has would start whoever could have it.
            let is_there = names.name_has_owner(BusName::from(name.clone())).await?;
            let news = if is_there { self.ask(&properties).await } else { None };
            let news = news.unwrap_or((Word::Nothing, String::new()));
            if known.as_ref() != Some(&news) {
                if tx.send(SystemHint::Network { by: self.by, word: news.0 }).await.is_err() {
                    return Ok(());
                }
                known = Some(news);
            }
            let goes_on = tokio::select! {
                change = changes.next() => change.is_some(),
                owner = owners.next() => owner.is_some(),
                () = tx.closed() => false,
            };
            if !goes_on {
                return Ok(());
            }
        }
    }

    /// It may have gone meanwhile, or not talk to us.
    async fn ask(&self, properties: &PropertiesProxy<'_>) -> Option<News> {
        let all = properties.get_all(InterfaceName::from_static_str_unchecked(self.interface)).await;
        let all = all.inspect_err(|error| tracing::debug!(%error, "{} does not say", self.name)).ok()?;
        Some((self.read)(&all))
    }
}

fn network_manager(properties: &Properties) -> News {
    let number = |name| properties.get(name).and_then(|value| u32::try_from(value).ok()).unwrap_or(0);
    let (state, connectivity) = (number("State"), number("Connectivity"));
    let word = match state {
        NM_STATE_UNKNOWN => Word::Nothing,
        NM_STATE_CONNECTED_SITE.. if connectivity != NM_CONNECTIVITY_PORTAL => Word::Up,
        _ => Word::Down,
    };
    let primary = properties.get("PrimaryConnection").and_then(|path| <&ObjectPath<'_>>::try_from(path).ok());
    (word, format!("{state} {connectivity} {}", primary.as_ref().map_or("", |path| path.as_str())))
}

/// Its state of being online is about the links that it manages and that are needed; before systemd 249 it had none.
fn networkd(properties: &Properties) -> News {
    let text = |name| properties.get(name).and_then(|value| <&str>::try_from(value).ok()).unwrap_or("");
    let (online, operational) = (text("OnlineState"), text("OperationalState"));
    let word = match (online, operational) {
        ("online" | "partial", _) => Word::Up,
        ("offline", _) => Word::Down,
        (_, "routable") => Word::Up,
        (_, "") => Word::Nothing,
        _ => Word::Down,
    };
    (word, format!("{online} {operational}"))
}

const NM_STATE_UNKNOWN: u32 = 0;

/// A provider inside a company needs no internet.
const NM_STATE_CONNECTED_SITE: u32 = 60;

/// A page stands before everything.
const NM_CONNECTIVITY_PORTAL: u32 = 2;
