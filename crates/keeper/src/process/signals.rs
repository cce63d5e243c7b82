use std::future::poll_fn;
use std::task::Poll;

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::Audience;

pub(crate) struct Signals {
    ending: Vec<Signal>,
}

impl Signals {
    pub(crate) fn hear(audience: Audience) -> Self {
        let mut ending = vec![SignalKind::terminate(), SignalKind::interrupt(), SignalKind::quit()];
        let mut harmless = os::signals::meaningless().map(SignalKind::from_raw).to_vec();
        match audience {
            // A face's keeper serves other terminals than the one that closes.
            Audience::Face => harmless.push(SignalKind::hangup()),
            Audience::Person if os::signals::is_ignored(SignalKind::hangup().as_raw_value()) => {}
            Audience::Person => ending.push(SignalKind::hangup()),
        }
        // tokio's handler stays after the listener is dropped, so the signal then does nothing.
        harmless.into_iter().for_each(|kind| drop(listen(kind)));
        Self { ending: ending.into_iter().filter_map(listen).collect() }
    }

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
