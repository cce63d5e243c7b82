//! A server to try a client against: OAuth 2.0 with OpenID Connect and four kinds of JSON sign-in, with each fault that
//! a network or a provider is known for on a switch. It shares no code, and so no mistake, with the clients it tests.
//!
//! From the ground up: names, faults, people, replies; settings; what is remembered (`book`, `ledger`, `counters`,
//! `switchboard`); `exchange`, one request; `dialect`, how each kind of server answers it; `traffic` and `control`.
//! [`start`] binds it to loopback; [`Control`] drives it, from the same process or over HTTP (`/control`).

mod bench;
mod book;
mod broken;
mod clock;
mod control;
mod control_http;
mod counters;
mod dialect;
mod exchange;
mod fault;
mod invalid;
mod jose;
mod ledger;
mod mint;
mod name;
mod people;
mod reply;
mod serve;
mod settings;
mod speech;
mod switchboard;
mod traffic;
mod tweaks;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::Router;
use axum::routing::any;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

pub use book::Revoked;
pub use control::{Control, What};
pub use counters::{Counters, LogEntry};
pub use fault::Fault;
pub use invalid::Invalid;
pub use ledger::DeviceState;
pub use name::{Dialect, Endpoint, PerDialect};
pub use people::USERS;
pub use settings::{DialectSettings, Dpop, OAuthSettings, Rotation, Settings, TokenFormat};
pub use switchboard::{FaultState, Switch, Switched};

use bench::Bench;
use mint::Mint;
use serve::{Stop, serve};

/// A running sandbox. Dropping it stops it too, without waiting for the end.
pub struct Sandbox {
    address: SocketAddr,
    control: Control,
    stop: watch::Sender<bool>,
    serving: JoinHandle<()>,
}

#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("port {port} on 127.0.0.1 is in use")]
    PortInUse { port: u16 },
    #[error("cannot listen on 127.0.0.1:{port}: {source}")]
    Listen { port: u16, source: io::Error },
    #[error("the system has no random bytes to make keys of: {0}")]
    Random(io::Error),
}

/// Binds to 127.0.0.1 and serves until stopped, on the runtime that this is called on.
pub async fn start(mut settings: Settings) -> Result<Sandbox, StartError> {
    let port = settings.port;
    let failed = |source: io::Error| {
        if source.kind() == io::ErrorKind::AddrInUse {
            StartError::PortInUse { port }
        } else {
            StartError::Listen { port, source }
        }
    };
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    settings.port = address.port();
    let mint = Mint::new().map_err(|error| StartError::Random(io::Error::other(error)))?;

    let (sender, stop) = Stop::new();
    let bench = Arc::new(Bench::new(settings, mint, stop.clone()));
    let control = Control::new(bench.clone());
    let router = Router::new()
        .route("/portal", any(async || traffic::portal()))
        .fallback(traffic::answer)
        .with_state(bench)
        .nest("/control", control_http::routes(control.clone(), address));
    let serving = tokio::spawn(serve(listener, router, stop));
    Ok(Sandbox { address, control, stop: sender, serving })
}

impl Sandbox {
    /// `http://127.0.0.1:PORT`; a dialect is below `/` and its [name](Dialect::name).
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn control(&self) -> Control {
        self.control.clone()
    }

    /// Ends every connection, also those whose answer hangs, and returns when all is over.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        if let Err(error) = self.serving.await {
            tracing::error!(%error, "the sandbox did not end well");
        }
    }
}
