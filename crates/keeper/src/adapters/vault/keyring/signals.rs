//! What the bus and the service announce: that the service comes or goes, that a collection is opened or locked, that an
//! item is deleted. A keyring or a bus that comes after the keeper is found when it comes.

use std::sync::Arc;

use session::limits;
use tokio::time::sleep;
use zbus::export::ordered_stream::OrderedStreamExt as _;
use zbus::fdo::{DBusProxy, NameOwnerChangedStream};
use zbus::message::Type;
use zbus::zvariant::OwnedObjectPath;
use zbus::{Connection, MatchRule, Message, MessageStream};

use super::closed::Closed;
use super::service::{COLLECTION, SERVICE, Shared};

/// For as long as the process lives.
pub(super) async fn listen(shared: &Arc<Shared>, on_change: impl Fn()) {
    let mut pause = limits::BUS_AGAIN;
    loop {
        if let Ok(connection) = shared.connection().await {
            pause = limits::BUS_AGAIN;
            on_change();
            if let Err(closed) = hear(shared, &connection, &on_change).await {
                tracing::info!(%closed, "the bus of the keyring");
            }
            shared.forget_bus();
            on_change();
        }
        sleep(pause).await;
        pause = (pause * 2).min(limits::BUS_AGAIN_LONGEST);
    }
}

/// Ends when the bus does.
async fn hear(shared: &Shared, connection: &Connection, on_change: &impl Fn()) -> Result<(), Closed> {
    let names = DBusProxy::new(connection).await?;
    let mut owners: NameOwnerChangedStream =
        names.receive_name_owner_changed_with_args(&[(0, SERVICE)]).await?;
    let rule = MatchRule::builder()
        .msg_type(Type::Signal)
        .sender(SERVICE)?
        .path_namespace("/org/freedesktop/secrets")?
        .build();
    let mut signals = MessageStream::for_match_rule(rule, connection, Some(QUEUE)).await?;
    let mut wallets = MessageStream::for_match_rule(wallet_is_opened()?, connection, Some(QUEUE)).await?;
    loop {
        tokio::select! {
            owner = owners.next() => {
                if owner.is_none() {
                    return Ok(());
                }
                shared.forget_service();
                on_change();
            }
            opened = wallets.next() => match opened {
                None => return Ok(()),
                Some(_) => announce(shared, on_change),
            },
            signal = signals.next() => match signal {
                None => return Ok(()),
                Some(Err(error)) => return Err(error.into()),
                Some(Ok(signal)) => match kind(&signal) {
                    Kind::Collections => announce(shared, on_change),
                    Kind::Deleted(item) => {
                        shared.heard_of_deletion(item);
                        on_change();
                    }
                    Kind::Other => {}
                },
            },
        }
    }
}

fn announce(shared: &Shared, on_change: &impl Fn()) {
    shared.changed.send_modify(|count| *count += 1);
    on_change();
}

/// KWallet says nothing as a Secret Service when a login or a program of KDE has opened the wallet.
fn wallet_is_opened() -> Result<MatchRule<'static>, Closed> {
    let rule = MatchRule::builder().msg_type(Type::Signal).interface("org.kde.KWallet")?;
    Ok(rule.member("walletOpened")?.build())
}

enum Kind {
    Collections,
    Deleted(String),
    Other,
}

fn kind(signal: &Message) -> Kind {
    let header = signal.header();
    let (interface, member) = (header.interface(), header.member());
    match (interface.map(|name| name.as_str()), member.map(|name| name.as_str())) {
        (Some("org.freedesktop.Secret.Service"), Some(_)) => Kind::Collections,
        // An item's path is said by its collection, and by some services by the collection's alias as well.
        (Some(COLLECTION), Some("ItemDeleted")) => match signal.body().deserialize::<OwnedObjectPath>() {
            Ok(item) => Kind::Deleted(item.to_string()),
            Err(_) => Kind::Other,
        },
        (Some("org.freedesktop.DBus.Properties"), Some("PropertiesChanged")) => {
            match signal.body().deserialize::<(
                String,
                std::collections::HashMap<String, zbus::zvariant::OwnedValue>,
                Vec<String>,
            )>() {
                Ok((of, values, _)) if of == COLLECTION && values.contains_key("Locked") => Kind::Collections,
                _ => Kind::Other,
            }
        }
        _ => Kind::Other,
    }
}

const QUEUE: usize = 256;
