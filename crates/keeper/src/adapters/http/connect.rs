//! Limits the time until a connection stands, in time that the process was awake.

use std::error::Error;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use session::patience::Patience;
use tower_layer::Layer;
use tower_service::Service;

use crate::adapters::patience::within;

#[derive(Clone, Copy)]
pub(super) struct Connecting {
    pub(super) limit: Duration,
}

#[derive(Clone)]
pub(super) struct Limited<S> {
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
        Box::pin(async move {
            let connected = within(&mut patience, connecting).await;
            connected.unwrap_or_else(|| Err(io::Error::from(io::ErrorKind::TimedOut).into()))
        })
    }
}

#[cfg(test)]
mod tests {
    use session::reason::Trouble;

    use super::super::fault::in_sending;
    use super::*;

    #[tokio::test]
    async fn whoever_does_not_answer_the_knock_is_not_reached() {
        let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("https://{}", silent.local_addr().unwrap());
        let limit = Duration::from_millis(100);
        let client = reqwest::ClientBuilder::new().no_proxy().connector_layer(Connecting { limit });
        let error = client.build().unwrap().get(address).send().await.unwrap_err();
        assert_eq!(in_sending(&error), Trouble::Offline, "{error:?}");
    }
}
