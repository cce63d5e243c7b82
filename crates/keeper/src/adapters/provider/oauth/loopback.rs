//! The loopback redirect (RFC 8252, section 7.3). Any page can call it, so only the first right answer has an effect.

use std::convert::Infallible;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use api::{Code, Failure, Problem};
use hyper::body::Incoming;
use hyper::header::{self, HeaderName, HeaderValue};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use session::limits;
use session::oauth::authorize::{AuthorizationCode, CallbackProblem, Started};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, Semaphore, oneshot, watch};
use tokio::task::AbortHandle;

use super::landing::{Landing, Page};
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

enum Arrival {
    Taken,
    /// It is of no sign-in, or of another one.
    Stranger,
    /// Another one was first.
    Used,
}

struct Desk {
    started: Started,
    host: String,
    path: String,
    done: &'static str,
    arrived: Mutex<Option<oneshot::Sender<Result<AuthorizationCode, CallbackProblem>>>>,
    outcome: watch::Receiver<Option<bool>>,
    shown: Arc<Notify>,
}

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
        let (arrived, receiver) = oneshot::channel();
        let (sender, outcome) = watch::channel(None);
        let shown = Arc::new(Notify::new());
        let desk = Arc::new(Desk {
            started,
            host: format!("{}:{}", self.host, self.port),
            done: if self.path == DONE { "/finished" } else { DONE },
            path: self.path,
            arrived: Mutex::new(Some(arrived)),
            outcome,
            shown: Arc::clone(&shown),
        });
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
        match self.0.started.query_of(address).map(|query| self.0.arrive(query)) {
            // Of two, the first counts, wherever it came from.
            Some(Arrival::Taken | Arrival::Used) => Ok(()),
            Some(Arrival::Stranger) | None => {
                Err(Failure::new(Code::WrongAddress).with("address", self.0.started.redirect_uri()))
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
                    drop(tokio::time::timeout(patience, converse(stream, desk)).await);
                    drop(place);
                });
            }
            // Probably out of file descriptors, which may change.
            Err(_) => tokio::time::sleep(limits::PORT_AGAIN).await,
        }
    }
}

async fn converse(stream: TcpStream, desk: Arc<Desk>) {
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

fn cannot(error: &io::Error) -> Failure {
    Failure::new(Code::Internal).because(Problem::NoPort { said: error.to_string() })
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

/// Two seconds in all.
const TRIES: u32 = 100;
const MOST_CONNECTIONS: usize = 64;
