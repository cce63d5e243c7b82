//! Until a connection stands, counted as everything that is waited for is: in time that the process was awake.

use std::error::Error;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use session::limits;
use session::patience::Patience;
use tower_layer::Layer;
use tower_service::Service;

use crate::patience::within;

/// Puts a limit to whatever makes connections.
#[derive(Clone, Copy)]
pub(super) struct Connecting;

#[derive(Clone)]
pub(super) struct Limited<S>(S);

impl<S> Layer<S> for Connecting {
    type Service = Limited<S>;

    fn layer(&self, inner: S) -> Limited<S> {
        Limited(inner)
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
        self.0.poll_ready(context)
    }

    fn call(&mut self, to: T) -> Self::Future {
        let connecting = self.0.call(to);
        Box::pin(async move {
            let connected = within(&mut Patience::new(limits::CONNECT), connecting).await;
            connected.unwrap_or_else(|| Err(io::Error::from(io::ErrorKind::TimedOut).into()))
        })
    }
}
