//! The signals that end the keeper in good order, and those that do nothing to it.

use std::fs;
use std::future::poll_fn;
use std::task::Poll;

use rustix::process::Signal as Raw;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::run::Audience;

/// From its making on none of them kills the process.
pub(crate) struct Signals {
    ending: Vec<Signal>,
}

impl Signals {
    pub(crate) fn hear(audience: Audience) -> Self {
        let mut ending = vec![SignalKind::terminate(), SignalKind::interrupt(), SignalKind::quit()];
        // The keeper has set no alarm, profiles nothing and agreed on no meaning for the others with anybody; the last is
        // what a limit of the shell (`ulimit -f`) sends besides the error that the writer gets anyway.
        let mut harmless =
            [Raw::ALARM, Raw::VTALARM, Raw::PROF, Raw::IO, Raw::POWER, Raw::USR1, Raw::USR2, Raw::XFSZ]
                .map(|signal| SignalKind::from_raw(signal.as_raw()))
                .to_vec();
        match audience {
            // A terminal that closes is not the one of a keeper that serves every terminal.
            Audience::Face => harmless.push(SignalKind::hangup()),
            // `nohup` asks for just that.
            Audience::Person if is_ignored(SignalKind::hangup()) => {}
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

/// As it was inherited.
fn is_ignored(kind: SignalKind) -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    mask & (1 << (kind.as_raw_value() - 1)) != 0
}
