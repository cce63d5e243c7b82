//! Accepts connections and answers on them. Not by axum's own loop, which answers every request: here a response that
//! carries [`NoAnswer`] is not sent, and its connection ends instead.

use std::future::poll_fn;
use std::pin::pin;
use std::time::Duration;

use axum::Router;
use axum::response::{IntoResponse, Response};
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NoAnswer {
    #[error("closed without an answer")]
    Close,
    #[error("reset without an answer")]
    Reset,
}

/// Fires when the sandbox is stopped or dropped.
#[derive(Clone)]
pub(crate) struct Stop(watch::Receiver<bool>);

/// Fires when the client of a request has hung up. Travels in the request's extensions.
#[derive(Clone)]
pub(crate) struct Gone(watch::Receiver<()>);

pub(crate) async fn serve(listener: TcpListener, router: Router, stop: Stop) {
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            Some(_) = connections.join_next() => continue,
            () = stop.fired() => break,
        };
        match accepted {
            Ok((stream, _)) => drop(connections.spawn(converse(stream, router.clone(), stop.clone()))),
            Err(error) => {
                tracing::warn!(%error, "the sandbox could not accept a connection");
                tokio::time::sleep(AFTER_A_FAILED_ACCEPT).await;
            }
        }
    }
    drop(listener);
    let all_done = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(LAST_WORDS, all_done).await.is_err() {
        connections.shutdown().await;
    }
}

impl NoAnswer {
    pub(crate) fn response(self) -> Response {
        let mut response = ().into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl Stop {
    pub(crate) fn new() -> (watch::Sender<bool>, Self) {
        let (sender, receiver) = watch::channel(false);
        (sender, Self(receiver))
    }

    pub(crate) async fn fired(&self) {
        // A sender that is gone is a sandbox that was dropped.
        let mut news = self.0.clone();
        let _fired_or_gone = news.wait_for(|is_fired| *is_fired).await;
    }
}

impl Gone {
    pub(crate) async fn happened(&self) {
        // Nothing is ever sent: the news is that the sender is dropped, with the connection that held it.
        while self.0.clone().changed().await.is_ok() {}
    }
}

async fn converse(stream: TcpStream, router: Router, stop: Stop) {
    // Without it every answer in two parts waits for the client's delayed acknowledgement, up to 40 ms.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "no TCP_NODELAY");
    }
    let answer = service_fn(move |mut request: Request<Incoming>| {
        let (waiting, gone) = watch::channel(());
        request.extensions_mut().insert(Gone(gone));
        // A task of its own: a server goes on with what it was asked for when the client has hung up.
        let task = tokio::spawn(TowerToHyperService::new(router.clone()).call(request));
        Box::pin(async move {
            let answered = task.await;
            drop(waiting);
            let Ok(Ok(response)) = answered else { return Err(NoAnswer::Close) };
            match response.extensions().get::<NoAnswer>() {
                Some(no_answer) => Err(*no_answer),
                None => Ok(response),
            }
        })
    });
    // An idle connection may stay open: keep-alive is what clients have trouble with.
    let mut connection =
        http1::Builder::new().header_read_timeout(None).serve_connection(TokioIo::new(stream), answer);
    let mut stopped = pin!(stop.fired());
    let mut is_stopping = false;
    let ended = poll_fn(|context| {
        if !is_stopping && stopped.as_mut().poll(context).is_ready() {
            is_stopping = true;
            std::pin::Pin::new(&mut connection).graceful_shutdown();
        }
        connection.poll_without_shutdown(context)
    })
    .await;
    let Err(error) = ended else { return };
    tracing::debug!(%error, "a connection of the sandbox ended early");
    let no_answer = std::error::Error::source(&error).and_then(|source| source.downcast_ref::<NoAnswer>());
    if no_answer == Some(&NoAnswer::Reset) {
        let stream = connection.into_parts().io.into_inner();
        if let Err(error) = stream.set_zero_linger() {
            tracing::debug!(%error, "closed in good order instead of reset");
        }
    }
}

const LAST_WORDS: Duration = Duration::from_millis(500);
/// The usual reason is too many open files, which takes a moment to pass.
const AFTER_A_FAILED_ACCEPT: Duration = Duration::from_millis(50);
