//! The port of the loopback redirect (RFC 8252, section 7.3).

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
use std::time::Duration;

use api::{Code, Failure, Problem};
use session::limits;
use session::oauth::authorize::{AuthorizationCode, CallbackProblem, Started};
use tokio::net::TcpListener;
use tokio::sync::{Notify, Semaphore, oneshot, watch};
use tokio::task::AbortHandle;

use super::desk::{self, Arrival, Desk};
use super::landing::Landing;
use crate::config::Redirect;

/// Bound before the browser opens, so that no other program can take the port.
pub(super) struct Loopback {
    listeners: Vec<TcpListener>,
    host: String,
    port: u16,
    path: String,
}

/// Dropping it closes the port.
pub(super) struct Serving {
    arrived: oneshot::Receiver<Result<AuthorizationCode, CallbackProblem>>,
    landing: Landing,
    by_hand: ByHand,
    port: AbortHandle,
}

/// The other way in: a person brings the address of a browser that cannot reach the port.
#[derive(Clone)]
pub(crate) struct ByHand(Arc<Desk>);

impl Loopback {
    pub(super) async fn bind(redirect: &Redirect) -> Result<Self, Failure> {
        let addresses: &[IpAddr] = match redirect.host.as_str() {
            // Browsers try both addresses, in varying order.
            "localhost" => &[IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)],
            "[::1]" => &[IpAddr::V6(Ipv6Addr::LOCALHOST)],
            _ => &[IpAddr::V4(Ipv4Addr::LOCALHOST)],
        };
        let mut port = redirect.port.unwrap_or(0);
        let mut listeners = Vec::new();
        for address in addresses {
            match bind_patiently(*address, port).await {
                Ok(listener) => {
                    port = listener.local_addr().map(|address| address.port()).unwrap_or(port);
                    listeners.push(listener);
                }
                Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
                    return Err(Failure::new(Code::RedirectPortInUse).with("port", port));
                }
                Err(error) if listeners.is_empty() && addresses.len() == 1 => return Err(cannot(&error)),
                Err(_) => {}
            }
        }
        if listeners.is_empty() {
            return Err(cannot(&io::Error::from(io::ErrorKind::AddrNotAvailable)));
        }
        Ok(Self { listeners, host: redirect.host.clone(), port, path: redirect.path.clone() })
    }

    /// The provider compares it as text.
    pub(super) fn redirect_uri(&self) -> String {
        format!("http://{}:{}{}", self.host, self.port, self.path)
    }

    /// `patience` is how long a page may wait for the outcome.
    pub(super) fn serve(self, started: Started, patience: Duration) -> Serving {
        let (sender, outcome) = watch::channel(None);
        let shown = Arc::new(Notify::new());
        let host = format!("{}:{}", self.host, self.port);
        let (desk, receiver) = Desk::new(started, host, self.path, outcome, Arc::clone(&shown));
        let desk = Arc::new(desk);
        let (listeners, by_hand) = (self.listeners, ByHand(Arc::clone(&desk)));
        let serving = tokio::spawn(async move {
            let places = Arc::new(Semaphore::new(MOST_CONNECTIONS));
            let mut doors = tokio::task::JoinSet::new();
            for listener in listeners {
                doors.spawn(accept(listener, Arc::clone(&desk), Arc::clone(&places), patience));
            }
            while doors.join_next().await.is_some() {}
        });
        let port = serving.abort_handle();
        Serving { arrived: receiver, landing: Landing::new(sender, shown, port.clone()), by_hand, port }
    }
}

impl Serving {
    /// Cancel-safe.
    pub(super) async fn callback(&mut self) -> Result<AuthorizationCode, CallbackProblem> {
        (&mut self.arrived).await.unwrap_or(Err(CallbackProblem::MissingCode))
    }

    pub(super) fn abort_handle(&self) -> AbortHandle {
        self.port.clone()
    }

    pub(super) fn by_hand(&self) -> ByHand {
        self.by_hand.clone()
    }

    pub(super) fn into_landing(self) -> Landing {
        self.landing
    }

    pub(super) fn close(self) {
        self.landing.close();
    }
}

impl ByHand {
    /// As strict as the port.
    pub(crate) fn bring(&self, address: &str) -> Result<(), Failure> {
        match self.0.bring(address) {
            // Of two, the first counts, wherever it came from.
            Some(Arrival::Taken | Arrival::Used) => Ok(()),
            Some(Arrival::Stranger) | None => {
                Err(Failure::new(Code::WrongAddress).with("address", self.0.redirect_uri()))
            }
        }
    }
}

/// The sign-in that this one replaces may still be closing the same port.
async fn bind_patiently(address: IpAddr, port: u16) -> io::Result<TcpListener> {
    let mut tries = 0;
    loop {
        match TcpListener::bind((address, port)).await {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse && tries < TRIES => {
                tries += 1;
                tokio::time::sleep(limits::PORT_AGAIN).await;
            }
            outcome => return outcome,
        }
    }
}

async fn accept(listener: TcpListener, desk: Arc<Desk>, places: Arc<Semaphore>, patience: Duration) {
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        match listener.accept().await {
            Ok((stream, _)) => {
                let desk = Arc::clone(&desk);
                tokio::spawn(async move {
                    drop(tokio::time::timeout(patience, desk::converse(stream, desk)).await);
                    drop(place);
                });
            }
            // Probably out of file descriptors, which may change.
            Err(_) => tokio::time::sleep(limits::PORT_AGAIN).await,
        }
    }
}

fn cannot(error: &io::Error) -> Failure {
    Failure::new(Code::Internal).because(Problem::NoPort { said: error.to_string() })
}

/// Two seconds in all.
const TRIES: u32 = 100;
const MOST_CONNECTIONS: usize = 64;
