//! The signals that end the keeper in good order, and those that do nothing to it.

use std::future::poll_fn;
use std::task::Poll;

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::Audience;

/// From its making on none of them kills the process.
pub(crate) struct Signals {
    ending: Vec<Signal>,
}

impl Signals {
    pub(crate) fn hear(audience: Audience) -> Self {
        let mut ending = vec![SignalKind::terminate(), SignalKind::interrupt(), SignalKind::quit()];
        let mut harmless = os::signals::meaningless().map(SignalKind::from_raw).to_vec();
        match audience {
            // A terminal that closes is not the one of a keeper that serves every terminal.
            Audience::Face => harmless.push(SignalKind::hangup()),
            // `nohup` asks for just that.
            Audience::Person if os::signals::is_ignored(SignalKind::hangup().as_raw_value()) => {}
            Audience::Person => ending.push(SignalKind::hangup()),
        }
        // Once it is listened to, a signal does nothing by itself, also when nobody listens any more.
        harmless.into_iter().for_each(|kind| drop(listen(kind)));
        Self { ending: ending.into_iter().filter_map(listen).collect() }
    }

    /// Waits for one that ends the keeper.
    pub(crate) async fn ended(&mut self) {
        poll_fn(|context| {
            let mut heard = self.ending.iter_mut().map(|signal| signal.poll_recv(context));
            if heard.any(|heard| heard.is_ready()) { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }
}

fn listen(kind: SignalKind) -> Option<Signal> {
    let listening = signal(kind);
    if let Err(error) = &listening {
        tracing::warn!(%error, ?kind, "a signal is not heard");
    }
    listening.ok()
}
