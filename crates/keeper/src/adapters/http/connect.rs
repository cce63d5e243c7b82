//! Limits the time until a connection stands, in time that the process was awake, and notes that it does: before that
//! nothing can have been sent.

use std::error::Error;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use reqwest::ClientBuilder;
use session::patience::Patience;
use tower_layer::Layer;
use tower_service::Service;

use crate::adapters::patience::within;

tokio::task_local! {
    static STANDS: Arc<AtomicBool>;
}

/// Whether the connection of one message stands. The message must be alone on it: its client keeps none for others.
#[derive(Clone, Default)]
pub(super) struct Standing(Arc<AtomicBool>);

impl Standing {
    pub(super) async fn noted<T>(&self, sending: impl Future<Output = T>) -> T {
        STANDS.scope(Arc::clone(&self.0), sending).await
    }

    pub(super) fn is_reached(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// The library shares the time among the addresses of a host, so that one that swallows everything leaves some for the
/// others. Its own limit is one of the clock.
pub(super) fn connecting_within(limit: Duration) -> ClientBuilder {
    ClientBuilder::new().connect_timeout(limit).connector_layer(Connecting { limit })
}

#[derive(Clone, Copy)]
struct Connecting {
    limit: Duration,
}

#[derive(Clone)]
struct Limited<S> {
    inner: S,
    limit: Duration,
}

impl<S> Layer<S> for Connecting {
    type Service = Limited<S>;

    fn layer(&self, inner: S) -> Limited<S> {
        Limited { inner, limit: self.limit }
    }
}

impl<S, T> Service<T> for Limited<S>
where
    S: Service<T, Error = Box<dyn Error + Send + Sync>>,
    S::Future: Send + 'static,
    S::Response: Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, to: T) -> Self::Future {
        let (connecting, mut patience) = (self.inner.call(to), Patience::new(self.limit));
        let stands = STANDS.try_with(Arc::clone).ok();
        Box::pin(async move {
            let connected = within(&mut patience, connecting).await;
            let connected = connected.unwrap_or_else(|| Err(io::Error::from(io::ErrorKind::TimedOut).into()));
            if let (Ok(_), Some(stands)) = (&connected, stands) {
                stands.store(true, Ordering::Relaxed);
            }
            connected
        })
    }
}

#[cfg(test)]
mod tests {
    use std::net::{SocketAddr, TcpListener, TcpStream};

    use rustix::net::{AddressFamily, SocketType, bind, getsockname, listen, socket};
    use session::reason::Trouble;

    use super::super::fault::in_sending;
    use super::*;

    #[tokio::test]
    async fn whoever_does_not_answer_the_knock_is_not_reached() {
        let silent = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("https://{}", silent.local_addr().unwrap());
        let client = connecting_within(Duration::from_millis(100)).no_proxy().build().unwrap();
        let standing = Standing::default();
        let error = standing.noted(client.get(address).send()).await.unwrap_err();
        assert_eq!(in_sending(&error), Trouble::Offline, "{error:?}");
        assert!(!standing.is_reached());
    }

    #[tokio::test]
    async fn a_connection_that_stands_is_noted() {
        let silent = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", silent.local_addr().unwrap());
        let builder = connecting_within(Duration::from_secs(1)).no_proxy().pool_max_idle_per_host(0);
        let (client, standing) = (builder.build().unwrap(), Standing::default());
        let sending = standing.noted(client.get(address).send());
        assert!(tokio::time::timeout(Duration::from_millis(200), sending).await.is_err());
        assert!(standing.is_reached());
    }

    /// Row H18.
    /// Of any number of addresses one may be dead, and not say so.
    #[tokio::test]
    async fn an_address_that_swallows_everything_leaves_time_for_the_next() {
        let (_queue, _waiting, swallowing) = swallowing();
        let good = TcpListener::bind("127.0.0.1:0").unwrap();
        let builder = connecting_within(Duration::from_secs(2)).no_proxy().pool_max_idle_per_host(0);
        let builder = builder.resolve_to_addrs("two.test", &[swallowing, good.local_addr().unwrap()]);
        let (client, standing) = (builder.build().unwrap(), Standing::default());
        let sending = standing.noted(client.get("http://two.test").send());
        assert!(tokio::time::timeout(Duration::from_millis(1900), sending).await.is_err(), "nobody answers");
        assert!(standing.is_reached(), "the other one was never tried");
    }

    /// Its queue is full, so the system answers nobody who comes.
    fn swallowing() -> (std::os::fd::OwnedFd, Vec<TcpStream>, SocketAddr) {
        let queue = socket(AddressFamily::INET, SocketType::STREAM, None).unwrap();
        bind(&queue, &SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
        listen(&queue, 0).unwrap();
        let address = SocketAddr::try_from(getsockname(&queue).unwrap()).unwrap();
        let knock = || TcpStream::connect_timeout(&address, Duration::from_millis(100)).ok();
        let waiting: Vec<TcpStream> = std::iter::from_fn(knock).take(9).collect();
        assert!(waiting.len() < 9, "it takes everybody");
        (queue, waiting, address)
    }
}
