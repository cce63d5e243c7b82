//! What stands in the place of logind: it hands out delays, and announces that the machine is about to sleep.

use std::time::Duration;

use tokio::io::AsyncReadExt as _;
use tokio::net::UnixStream;
use tokio::sync::mpsc;
use tokio::time::timeout;
use zbus::Connection;
use zbus::zvariant::OwnedFd;

pub(crate) struct Logind {
    bus: Connection,
    given: mpsc::UnboundedReceiver<UnixStream>,
}

/// Our end of a delay that was handed out.
pub(crate) struct Delay(UnixStream);

impl Logind {
    pub(crate) async fn on(bus: Connection) -> zbus::Result<Self> {
        let (give, given) = mpsc::unbounded_channel();
        bus.object_server().at(PATH, Manager(give)).await?;
        bus.request_name("org.freedesktop.login1").await?;
        Ok(Self { bus, given })
    }

    /// What somebody has asked for, once they have.
    pub(crate) async fn delay(&mut self) -> Delay {
        Delay(timeout(PATIENCE, self.given.recv()).await.expect("nobody holds up sleep").unwrap())
    }

    pub(crate) async fn prepares_for_sleep(&self, prepares: bool) -> zbus::Result<()> {
        self.bus.emit_signal(None::<&str>, PATH, INTERFACE, "PrepareForSleep", &(prepares,)).await
    }
}

impl Delay {
    /// Whether somebody still holds it after this time.
    pub(crate) async fn is_held_for(&mut self, time: Duration) -> bool {
        timeout(time, self.0.read_u8()).await.is_err()
    }
}

struct Manager(mpsc::UnboundedSender<UnixStream>);

#[zbus::interface(name = "org.freedesktop.login1.Manager")]
impl Manager {
    fn inhibit(&self, what: &str, _who: &str, _why: &str, mode: &str) -> OwnedFd {
        assert_eq!((what, mode), ("sleep", "delay"));
        let (ours, theirs) = UnixStream::pair().unwrap();
        self.0.send(ours).unwrap();
        std::os::fd::OwnedFd::from(theirs.into_std().unwrap()).into()
    }
}

const PATH: &str = "/org/freedesktop/login1";
const INTERFACE: &str = "org.freedesktop.login1.Manager";
const PATIENCE: Duration = Duration::from_secs(20);
