//! The way out of this machine, as the kernel knows it.

use std::io;

use session::limits;
use session::network::{Teller, Word};
use tokio::io::unix::AsyncFd;
use tokio::sync::mpsc::Sender;

use super::hint::SystemHint;
use os::network::{Changes, ways_out};

pub(super) async fn listen(tx: Sender<SystemHint>) {
    let say = async |word| tx.send(SystemHint::Network { by: Teller::Kernel, word }).await;
    let changes = match Changes::watch().and_then(await_them) {
        Ok(changes) => changes,
        Err(error) => {
            tracing::debug!(%error, "the kernel does not tell of the network");
            return drop(say(Word::Nothing).await);
        }
    };
    let mut known = None;
    loop {
        let ways = ways_out();
        if known.as_ref() != Some(&ways) {
            if say(if ways.is_empty() { Word::Down } else { Word::Up }).await.is_err() {
                return;
            }
            known = Some(ways);
        }
        // Whoever manages many routes changes them all the time.
        tokio::time::sleep(limits::NETWORK_LOOK).await;
        tokio::select! {
            () = tx.closed() => return,
            ready = changes.readable() => {
                let Ok(mut ready) = ready else { return };
                if let Err(error) = changes.get_ref().clear() {
                    tracing::debug!(%error, "the kernel tells of the network no more");
                    return drop(say(Word::Nothing).await);
                }
                ready.clear_ready();
            }
        }
    }
}

#[expect(deprecated, reason = "its successor is unsafe, and Changes keeps one descriptor for its whole life")]
fn await_them(changes: Changes) -> io::Result<AsyncFd<Changes>> {
    AsyncFd::new(changes)
}
