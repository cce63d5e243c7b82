//! A sandbox in a thread of the test, driven from there.

use std::thread::{self, JoinHandle};
use std::time::Duration;

use pilotlight_sandbox::{Control, Counters, Dialect, Endpoint, Fault, Rotation, Settings, Switch};
use serde_json::Value;
use tokio::sync::oneshot;

pub(crate) struct Bench {
    pub(crate) control: Control,
    url: String,
    /// A test that ends a session by reuse on purpose says so.
    reuse_expected: bool,
    end: Option<oneshot::Sender<()>>,
    serving: Option<JoinHandle<()>>,
}

impl Bench {
    pub(crate) fn start(settings: Settings) -> Self {
        let (started, running) = std::sync::mpsc::channel();
        let (end, ended) = oneshot::channel();
        let serving = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let sandbox = pilotlight_sandbox::start(settings).await.unwrap();
                started.send((sandbox.url(), sandbox.control())).unwrap();
                drop(ended.await);
                sandbox.stop().await;
            });
        });
        let (url, control) = running.recv().unwrap();
        Self { control, url, reuse_expected: false, end: Some(end), serving: Some(serving) }
    }

    /// The strictest there is: refresh tokens are good once, in every dialect, and a second use ends the session.
    pub(crate) fn strict(access_ttl: Duration) -> Self {
        Self::with_grace(access_ttl, Duration::ZERO)
    }

    /// As strict, but a spent token gets the same answer again within the grace.
    pub(crate) fn with_grace(access_ttl: Duration, grace: Duration) -> Self {
        let mut settings = Settings { access_ttl, ..Settings::default() };
        for dialect in Dialect::ALL {
            settings.dialects[dialect].rotation = Rotation::Strict;
            settings.dialects[dialect].grace = grace;
        }
        Self::start(settings)
    }

    pub(crate) fn expecting_reuse(mut self) -> Self {
        self.reuse_expected = true;
        self
    }

    /// Of the whole sandbox.
    pub(crate) fn origin(&self) -> &str {
        &self.url
    }

    /// The lines of a profile of the dialect, named as the dialect is.
    pub(crate) fn profile(&self, dialect: Dialect, more: &str) -> String {
        self.profile_named(dialect.name(), dialect, more)
    }

    pub(crate) fn profile_named(&self, name: &str, dialect: Dialect, more: &str) -> String {
        profile(name, dialect, &self.url, more)
    }

    pub(crate) fn counted(&self, dialect: Dialect) -> Counters {
        self.control.counters()[dialect]
    }

    pub(crate) fn fault(&self, fault: Fault, switch: Switch) {
        self.control.set_fault(fault, switch).unwrap();
    }

    /// Every refresh takes that long at the server.
    pub(crate) fn slow_refreshes(&self, latency: Duration) {
        let millis = u64::try_from(latency.as_millis()).unwrap();
        self.fault(Fault::Latency, meet(Endpoint::Refresh).value(millis.into()));
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        let reused: u64 = Dialect::ALL.into_iter().map(|dialect| self.counted(dialect).reuse_detected).sum();
        if let Some(end) = self.end.take() {
            // It has ended by itself if nobody listens.
            end.send(()).ok();
        }
        if let Some(serving) = self.serving.take() {
            serving.join().ok();
        }
        if !self.reuse_expected && !thread::panicking() {
            assert_eq!(reused, 0, "a spent refresh token was sent again");
        }
    }
}

/// The lines of a profile below `origin`, which need not be the sandbox itself.
pub(crate) fn profile(name: &str, dialect: Dialect, origin: &str, more: &str) -> String {
    let preset = dialect.name();
    format!(
        "[profile.{name}]\npreset = \"{preset}\"\nurl = \"{origin}/{preset}\"\nsandbox = true\n{more}\n\n"
    )
}

/// Says in few words what a fault is to meet.
pub(crate) fn meet(endpoint: Endpoint) -> Meeting {
    Meeting(Switch { on: vec![endpoint], ..Switch::default() })
}

pub(crate) struct Meeting(Switch);

impl Meeting {
    pub(crate) fn value(mut self, value: Value) -> Switch {
        self.0.value = Some(value);
        self.0
    }

    pub(crate) fn of(mut self, dialect: Dialect) -> Self {
        self.0.dialect = Some(dialect);
        self
    }

    pub(crate) fn times(mut self, times: u32) -> Self {
        self.0.left = Some(times);
        self
    }

    pub(crate) fn on(self) -> Switch {
        self.0
    }
}
