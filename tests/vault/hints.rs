//! What logind and NetworkManager announce, and machines that have neither.

use std::collections::HashMap;
use std::time::Duration;

use keeper::adapters::hints::{self, SystemHint};
use serde::Serialize;
use tokio::sync::mpsc;
use tokio::time::timeout;
use zbus::Connection;
use zbus::zvariant::{DynamicType, Value};

use super::desk::{on_a_desk, with_the_bus_at};
use super::logind::Logind;

/// Row A1.
#[test]
fn what_the_system_announces_is_heard() {
    on_a_desk("hints::what_the_system_announces_is_heard", |desk| {
        desk.ask_apart(async |bus| {
            let mut logind = Logind::on(bus.clone()).await?;
            bus.request_name("org.freedesktop.NetworkManager").await?;
            let (tx, mut rx) = mpsc::channel(8);
            hints::listen(tx);
            tokio::time::sleep(Duration::from_millis(500)).await;

            let short = Duration::from_millis(300);
            for _ in 0..2 {
                let mut delay = logind.delay().await;
                logind.prepares_for_sleep(true).await?;
                let Some(SystemHint::AboutToSleep(inhibitor)) = next(&mut rx).await else { panic!() };
                assert!(delay.is_held_for(short).await);
                drop(inhibitor);
                assert!(!delay.is_held_for(short).await);
                logind.prepares_for_sleep(false).await?;
                assert!(matches!(next(&mut rx).await, Some(SystemHint::Woke)));
            }
            for state in [20_u32, 40] {
                network(&bus, "org.freedesktop.NetworkManager", "StateChanged", &(state,)).await?;
            }
            connectivity(&bus, 2).await?;
            assert!(next(&mut rx).await.is_none(), "neither is a network");
            network(&bus, "org.freedesktop.NetworkManager", "StateChanged", &(70_u32,)).await?;
            assert!(matches!(next(&mut rx).await, Some(SystemHint::NetworkUp)));
            connectivity(&bus, 4).await?;
            assert!(matches!(next(&mut rx).await, Some(SystemHint::NetworkUp)), "the portal lets through");
            Ok(())
        });
    });
}

#[test]
fn without_a_system_bus_there_is_nothing_to_hear() {
    let test = "hints::without_a_system_bus_there_is_nothing_to_hear";
    with_the_bus_at("unix:path=/nowhere", test, |_| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (tx, mut rx) = mpsc::channel(8);
            hints::listen(tx);
            let end = timeout(Duration::from_secs(2), rx.recv()).await;
            assert!(matches!(end, Ok(None)), "nobody goes on trying");
        });
    });
}

async fn next(rx: &mut mpsc::Receiver<SystemHint>) -> Option<SystemHint> {
    timeout(Duration::from_millis(500), rx.recv()).await.ok().flatten()
}

async fn connectivity(bus: &Connection, is: u32) -> zbus::Result<()> {
    let changed = HashMap::from([("Connectivity", Value::from(is))]);
    let body = ("org.freedesktop.NetworkManager", changed, Vec::<String>::new());
    network(bus, "org.freedesktop.DBus.Properties", "PropertiesChanged", &body).await
}

async fn network(
    bus: &Connection,
    interface: &str,
    signal: &str,
    body: &(impl Serialize + DynamicType + Sync),
) -> zbus::Result<()> {
    bus.emit_signal(None::<&str>, "/org/freedesktop/NetworkManager", interface, signal, body).await
}
