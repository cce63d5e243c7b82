//! A line in the middle: passes everything on between a client and a server, notes in what order requests come, and
//! can hold answers back when the server has long done its part.
//!
//! It knows what the server's own log must not tell: the query, by which the tests number their requests. One thread
//! reads from all connections, so that what it notes is the order of arrival.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::watch;

use super::listen;

pub(crate) struct Witness {
    origin: String,
    seen: Arc<Mutex<Seen>>,
}

#[derive(Default)]
struct Seen {
    targets: Vec<String>,
    /// The path whose answers are held back, and for how long.
    held: Option<(String, Hold)>,
}

#[derive(Clone)]
enum Hold {
    For(Duration),
    /// Until the other end is dropped.
    While(watch::Receiver<()>),
}

/// Lets go of the answers when it is dropped.
pub(crate) struct Holding(#[expect(dead_code, reason = "dropped, not read")] watch::Sender<()>);

impl Witness {
    /// Before the server at `origin`.
    pub(crate) fn before(origin: &str) -> Self {
        let there = origin.strip_prefix("http://").unwrap().to_owned();
        let seen = Arc::new(Mutex::new(Seen::default()));
        let noting = Arc::clone(&seen);
        let address = listen::with_tasks(move |client| pass_on(client, there.clone(), Arc::clone(&noting)));
        Self { origin: format!("http://{address}"), seen }
    }

    pub(crate) fn origin(&self) -> &str {
        &self.origin
    }

    /// The targets of all requests, in the order in which they came. Of two on connections of their own that nothing
    /// keeps apart, the kernel says which is the first.
    pub(crate) fn seen_in_all(&self) -> Vec<String> {
        self.seen.lock().unwrap().targets.clone()
    }

    /// Of the requests to `path`.
    pub(crate) fn seen(&self, path: &str) -> Vec<String> {
        self.seen_in_all().into_iter().filter(|target| is_of(target, path)).collect()
    }

    pub(crate) fn forget(&self) {
        self.seen.lock().unwrap().targets.clear();
    }

    /// From now on the answers to `path` take that long to come back.
    pub(crate) fn hold_answers(&self, path: &str, how_long: Duration) {
        self.seen.lock().unwrap().held = Some((path.to_owned(), Hold::For(how_long)));
    }

    /// From now on the answers to `path` do not come back before what this returns is dropped.
    pub(crate) fn keep_answers(&self, path: &str) -> Holding {
        let (sender, end) = watch::channel(());
        self.seen.lock().unwrap().held = Some((path.to_owned(), Hold::While(end)));
        Holding(sender)
    }
}

async fn pass_on(client: TcpStream, there: String, seen: Arc<Mutex<Seen>>) {
    let (from_client, to_client) = client.into_split();
    let mut buffer = vec![0; 64 * 1024];
    let mut from_client = from_client;
    // Read before anything else is waited for, or the order would be that of the connections to the server.
    let Ok(length @ 1..) = from_client.read(&mut buffer).await else { return };
    let hold = note(&buffer[..length], &seen);
    let Ok(server) = TcpStream::connect(there).await else { return };
    let (from_server, mut to_server) = server.into_split();
    if to_server.write_all(&buffer[..length]).await.is_err() {
        return;
    }
    let hold = Arc::new(Mutex::new(hold));
    tokio::join!(
        requests(from_client, to_server, seen, Arc::clone(&hold)),
        answers(from_server, to_client, hold)
    );
}

async fn requests(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    seen: Arc<Mutex<Seen>>,
    hold: Arc<Mutex<Option<Hold>>>,
) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(length @ 1..) = from.read(&mut buffer).await {
        *hold.lock().unwrap() = note(&buffer[..length], &seen);
        if to.write_all(&buffer[..length]).await.is_err() {
            break;
        }
    }
}

async fn answers(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, hold: Arc<Mutex<Option<Hold>>>) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(length @ 1..) = from.read(&mut buffer).await {
        let held = hold.lock().unwrap().take();
        match held {
            None => {}
            Some(Hold::For(how_long)) => tokio::time::sleep(how_long).await,
            Some(Hold::While(mut end)) => drop(end.changed().await),
        }
        if to.write_all(&buffer[..length]).await.is_err() {
            break;
        }
    }
}

/// Notes the requests that begin in this part, and says how long their answers are to be held back.
fn note(part: &[u8], seen: &Mutex<Seen>) -> Option<Hold> {
    // Requests are small and come in one piece; a body has no line that looks like the first of a request.
    let text = String::from_utf8_lossy(part);
    let mut seen = seen.lock().unwrap();
    let mut hold = None;
    for target in text.split("\r\n").filter_map(target) {
        if let Some((path, held)) = &seen.held
            && is_of(target, path)
        {
            hold = Some(held.clone());
        }
        seen.targets.push(target.to_owned());
    }
    hold
}

fn is_of(target: &str, path: &str) -> bool {
    target.split('?').next() == Some(path)
}

/// `/aaa?n=1` of `GET /aaa?n=1 HTTP/1.1`.
fn target(line: &str) -> Option<&str> {
    let (_, rest) = line.strip_suffix(" HTTP/1.1")?.split_once(' ')?;
    rest.starts_with('/').then_some(rest)
}
