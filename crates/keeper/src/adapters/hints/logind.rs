//! The sleep of the machine, as logind announces it, and its delay.

use tokio::sync::mpsc::Sender;
use zbus::Connection;
use zbus::export::ordered_stream::OrderedStreamExt as _;
use zbus::proxy::{Builder, CacheProperties};
use zbus::zvariant::OwnedFd;

use super::hint::{Inhibitor, SystemHint};

pub(super) async fn listen(bus: Connection, tx: Sender<SystemHint>) -> zbus::Result<()> {
    let logind: zbus::Proxy<'_> = Builder::new(&bus)
        .destination("org.freedesktop.login1")?
        .path("/org/freedesktop/login1")?
        .interface("org.freedesktop.login1.Manager")?
        .cache_properties(CacheProperties::No)
        .build()
        .await?;
    let mut signals = logind.receive_signal("PrepareForSleep").await?;
    let mut inhibitor = inhibit(&logind).await;
    while let Some(signal) = signals.next().await {
        let about_to: bool = signal.body().deserialize()?;
        let held = inhibitor.take();
        let hint = if about_to { SystemHint::AboutToSleep(Inhibitor::new(held)) } else { SystemHint::Woke };
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
