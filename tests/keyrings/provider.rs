//! The strictest provider there is: a refresh token is good once, and a second use ends the session.

use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use pilotlight_sandbox::{Control, Dialect, Rotation, Settings};
use tokio::runtime::Builder;
use tokio::sync::oneshot;

pub(crate) struct Provider {
    control: Control,
    url: String,
    end: Option<oneshot::Sender<()>>,
    serving: Option<JoinHandle<()>>,
}

impl Provider {
    pub(crate) fn start() -> Self {
        // Tokens end when a test has them refreshed, and not before.
        let mut settings = Settings { access_ttl: Duration::from_secs(3600), ..Settings::default() };
        settings.dialects[DIALECT].rotation = Rotation::Strict;
        settings.dialects[DIALECT].grace = Duration::ZERO;
        let (started, running) = mpsc::channel();
        let (end, ended) = oneshot::channel();
        let serving = thread::spawn(move || {
            let runtime = Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let sandbox = pilotlight_sandbox::start(settings).await.unwrap();
                started.send((sandbox.url(), sandbox.control())).unwrap();
                drop(ended.await);
                sandbox.stop().await;
            });
        });
        let (url, control) = running.recv().unwrap();
        Self { control, url, end: Some(end), serving: Some(serving) }
    }

    pub(crate) fn profile(&self, name: &str) -> String {
        let dialect = DIALECT.name();
        format!(
            "[profile.{name}]\npreset = \"{dialect}\"\nurl = \"{}/{dialect}\"\nsandbox = true\n",
            self.url
        )
    }

    /// How many refresh tokens have been exchanged for the next.
    pub(crate) fn rotations(&self) -> u64 {
        self.control.counters()[DIALECT].refreshes_granted
    }

    pub(crate) fn sign_ins(&self) -> u64 {
        self.control.counters()[DIALECT].logins
    }

    /// How often one came that was good no more.
    pub(crate) fn reused(&self) -> u64 {
        self.control.counters()[DIALECT].reuse_detected
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        if let Some(end) = self.end.take() {
            // It has ended by itself if nobody listens.
            end.send(()).ok();
        }
        drop(self.serving.take().map(JoinHandle::join));
    }
}

const DIALECT: Dialect = Dialect::Flask;
