//! What the system announces of sleep and network. The keeper also finds it out without, but later.

mod daemon;
mod hint;
mod kernel;
mod logind;

use session::limits;
use tokio::sync::mpsc::Sender;
use zbus::Connection;

use self::daemon::{Daemon, NETWORK_MANAGER, NETWORKD};
pub use self::hint::{Inhibitor, SystemHint};

/// Ends when `tx` is closed. Must be called in a tokio runtime. Many machines have no bus, or not everybody on it.
pub fn listen(tx: Sender<SystemHint>) {
    tokio::spawn(listen_again("logind", tx.clone(), logind::listen));
    for daemon in [&NETWORK_MANAGER, &NETWORKD] {
        tokio::spawn(ask(daemon, tx.clone()));
    }
    tokio::spawn(kernel::listen(tx));
}

async fn ask(daemon: &'static Daemon, tx: Sender<SystemHint>) {
    listen_again(daemon.name, tx.clone(), |bus, tx| daemon.listen(bus, tx)).await;
    daemon.say_nothing(&tx).await;
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
