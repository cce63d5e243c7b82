//! What the system announces of sleep and network on its message bus. The keeper also finds it out without, but later.

use std::collections::HashMap;

use session::limits;
use tokio::sync::mpsc::Sender;
use zbus::Connection;
use zbus::export::ordered_stream::OrderedStreamExt as _;
use zbus::proxy::{Builder, CacheProperties};
use zbus::zvariant::{OwnedFd, OwnedValue};

#[derive(Debug)]
pub enum SystemHint {
    /// It does not before this is dropped, or some seconds are over.
    AboutToSleep(Inhibitor),
    NetworkUp,
    Woke,
}

/// Holds up the machine's sleep for as long as it lives, where the system lets us.
#[derive(Debug)]
pub struct Inhibitor(#[expect(dead_code, reason = "what counts is that it is open")] Option<OwnedFd>);

/// Ends when `tx` is closed. Must be called in a tokio runtime. Many machines have no bus or no NetworkManager.
pub fn listen(tx: Sender<SystemHint>) {
    tokio::spawn(listen_again("logind", tx.clone(), sleeping));
    tokio::spawn(listen_again("NetworkManager's state", tx.clone(), networking));
    tokio::spawn(listen_again("NetworkManager's connectivity", tx, connectivity));
}

/// A bus that is missing does not come later, but one that ended may come back.
async fn listen_again<F>(
    what: &str,
    tx: Sender<SystemHint>,
    listen: impl Fn(Connection, Sender<SystemHint>) -> F,
) where
    F: Future<Output = zbus::Result<()>>,
{
    loop {
        let bus = match Connection::system().await {
            Ok(bus) => bus,
            Err(error) => return tracing::debug!(%error, "no system bus: nothing is heard of {what}"),
        };
        if let Err(error) = listen(bus, tx.clone()).await {
            tracing::debug!(%error, "not listening to {what}");
        }
        tokio::select! {
            () = tx.closed() => return,
            () = tokio::time::sleep(limits::LISTEN_AGAIN) => {}
        }
    }
}

async fn sleeping(bus: Connection, tx: Sender<SystemHint>) -> zbus::Result<()> {
    let logind = proxy(&bus, LOGIND).await?;
    let mut signals = logind.receive_signal("PrepareForSleep").await?;
    let mut inhibitor = inhibit(&logind).await;
    while let Some(signal) = signals.next().await {
        let about_to: bool = signal.body().deserialize()?;
        let held = inhibitor.take();
        let hint = if about_to { SystemHint::AboutToSleep(Inhibitor(held)) } else { SystemHint::Woke };
        if tx.send(hint).await.is_err() {
            break;
        }
        // Afterwards, since nobody waits for logind to hear that the machine is awake.
        if !about_to {
            inhibitor = inhibit(&logind).await;
        }
    }
    Ok(())
}

/// The delay lasts for some seconds at most, whatever we do.
async fn inhibit(logind: &zbus::Proxy<'_>) -> Option<OwnedFd> {
    let why = "a refresh that is on its way is finished and saved";
    let held = logind.call("Inhibit", &("sleep", "Pilotlight", why, "delay")).await;
    held.inspect_err(|error| tracing::debug!(%error, "sleep is not held up")).ok()
}

async fn networking(bus: Connection, tx: Sender<SystemHint>) -> zbus::Result<()> {
    let manager = proxy(&bus, NETWORK_MANAGER).await?;
    let mut signals = manager.receive_signal("StateChanged").await?;
    while let Some(signal) = signals.next().await {
        let state: u32 = signal.body().deserialize()?;
        if state >= NM_STATE_CONNECTED_SITE && tx.send(SystemHint::NetworkUp).await.is_err() {
            break;
        }
    }
    Ok(())
}

/// When a captive portal lets through, the connectivity changes, but not the state.
async fn connectivity(bus: Connection, tx: Sender<SystemHint>) -> zbus::Result<()> {
    let manager =
        proxy(&bus, Place { interface: "org.freedesktop.DBus.Properties", ..NETWORK_MANAGER }).await?;
    let mut signals = manager.receive_signal("PropertiesChanged").await?;
    while let Some(signal) = signals.next().await {
        let (_, changed, _): (String, HashMap<String, OwnedValue>, Vec<String>) =
            signal.body().deserialize()?;
        let connectivity = changed.get("Connectivity").and_then(|value| u32::try_from(value).ok());
        if connectivity == Some(NM_CONNECTIVITY_FULL) && tx.send(SystemHint::NetworkUp).await.is_err() {
            break;
        }
    }
    Ok(())
}

async fn proxy<'a>(bus: &Connection, place: Place) -> zbus::Result<zbus::Proxy<'a>> {
    Builder::new(bus)
        .destination(place.name)?
        .path(place.path)?
        .interface(place.interface)?
        .cache_properties(CacheProperties::No)
        .build()
        .await
}

#[derive(Clone, Copy)]
struct Place {
    name: &'static str,
    path: &'static str,
    interface: &'static str,
}

const LOGIND: Place = Place {
    name: "org.freedesktop.login1",
    path: "/org/freedesktop/login1",
    interface: "org.freedesktop.login1.Manager",
};

const NETWORK_MANAGER: Place = Place {
    name: "org.freedesktop.NetworkManager",
    path: "/org/freedesktop/NetworkManager",
    interface: "org.freedesktop.NetworkManager",
};

/// A provider inside a company needs no internet.
const NM_STATE_CONNECTED_SITE: u32 = 60;

const NM_CONNECTIVITY_FULL: u32 = 4;
