//! What a browser is answered that comes back from a sign-in. Any page can call the port, so only the first right answer
//! has an effect.

use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};

use hyper::body::Incoming;
use hyper::header::{self, HeaderName, HeaderValue};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use session::limits;
use session::oauth::authorize::{AuthorizationCode, CallbackProblem, Started};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{Notify, oneshot, watch};

use super::landing::Page;

type Answer = Result<AuthorizationCode, CallbackProblem>;

pub(super) enum Arrival {
    Taken,
    /// It is of no sign-in, or of another one.
    Stranger,
    /// Another one was first.
    Used,
}

/// One sign-in's.
pub(super) struct Desk {
    started: Started,
    host: String,
    path: String,
    done: &'static str,
    arrived: Mutex<Option<oneshot::Sender<Answer>>>,
    outcome: watch::Receiver<Option<bool>>,
    shown: Arc<Notify>,
}

/// One request, and then no other.
pub(super) async fn converse(stream: impl AsyncRead + AsyncWrite + Unpin, desk: Arc<Desk>) {
    let service = service_fn(move |request| {
        let desk = Arc::clone(&desk);
        async move { Ok::<_, Infallible>(desk.answer(&request).await) }
    });
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits::HEADERS)
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), service);
    drop(connection.await);
}

impl Desk {
    /// `host` with the port. The first right answer is sent to whoever has the receiver.
    pub(super) fn new(
        started: Started,
        host: String,
        path: String,
        outcome: watch::Receiver<Option<bool>>,
        shown: Arc<Notify>,
    ) -> (Self, oneshot::Receiver<Answer>) {
        let (arrived, receiver) = oneshot::channel();
        let done = if path == DONE { "/finished" } else { DONE };
        let arrived = Mutex::new(Some(arrived));
        (Self { started, host, path, done, arrived, outcome, shown }, receiver)
    }

    async fn answer(&self, request: &Request<Incoming>) -> Response<String> {
        let said = |name: HeaderName| request.headers().get(name).and_then(|value| value.to_str().ok());
        // With DNS rebinding the page of another host sends that host's name.
        if !said(header::HOST).is_some_and(|host| host.eq_ignore_ascii_case(&self.host)) {
            return plain(StatusCode::MISDIRECTED_REQUEST, "This is not the host that was asked.");
        }
        if request.method() != Method::GET {
            return plain(StatusCode::METHOD_NOT_ALLOWED, "Only GET.");
        }
        let language = said(header::ACCEPT_LANGUAGE).unwrap_or_default();
        let path = request.uri().path();
        if path == self.path {
            self.take(request.uri().query().unwrap_or_default(), language)
        } else if path == self.done {
            self.show(language).await
        } else {
            plain(StatusCode::NOT_FOUND, "There is nothing here.")
        }
    }

    /// The address that a browser was sent to, and could not reach. `None` for one that is none of this port.
    pub(super) fn bring(&self, address: &str) -> Option<Arrival> {
        self.started.query_of(address).map(|query| self.arrive(query))
    }

    pub(super) fn redirect_uri(&self) -> &str {
        self.started.redirect_uri()
    }

    fn take(&self, query: &str, language: &str) -> Response<String> {
        match self.arrive(query) {
            Arrival::Stranger => page(StatusCode::BAD_REQUEST, Page::Stranger, language),
            Arrival::Taken => {
                let mut response = bare(StatusCode::SEE_OTHER, String::new());
                response.headers_mut().insert(header::LOCATION, HeaderValue::from_static(self.done));
                response
            }
            Arrival::Used => page(StatusCode::GONE, Page::Used, language),
        }
    }

    fn arrive(&self, query: &str) -> Arrival {
        match self.started.read_callback(query) {
            Err(CallbackProblem::State | CallbackProblem::TooLong) => Arrival::Stranger,
            answer => match self.arrived.lock().unwrap_or_else(PoisonError::into_inner).take() {
                Some(arrived) => {
                    drop(arrived.send(answer));
                    Arrival::Taken
                }
                None => Arrival::Used,
            },
        }
    }

    async fn show(&self, language: &str) -> Response<String> {
        if self.arrived.lock().unwrap_or_else(PoisonError::into_inner).is_some() {
            return page(StatusCode::NOT_FOUND, Page::Stranger, language);
        }
        let mut outcome = self.outcome.clone();
        let good = outcome.wait_for(Option::is_some).await.is_ok_and(|outcome| *outcome == Some(true));
        self.shown.notify_one();
        page(StatusCode::OK, if good { Page::Done } else { Page::Failed }, language)
    }
}

fn page(status: StatusCode, page: Page, language: &str) -> Response<String> {
    let mut response = bare(status, page.html(language));
    let html = HeaderValue::from_static("text/html; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, html);
    response
}

fn plain(status: StatusCode, text: &str) -> Response<String> {
    let mut response = bare(status, format!("{text}\n"));
    let kind = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

fn bare(status: StatusCode, body: String) -> Response<String> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

const HEADERS: [(HeaderName, &str); 4] = [
    (header::CACHE_CONTROL, "no-store"),
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
];

const DONE: &str = "/done";
