//! A server of the tests' own before another one: byte for byte it says what a test tells it to, without an end where it
//! is told so; all else it passes on.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use super::listen;

pub(crate) struct Hostile {
    port: u16,
    shared: Arc<Shared>,
}

/// A step of an answer.
#[derive(Clone)]
pub(crate) enum Act {
    Say(Vec<u8>),
    /// Again and again, until nobody listens.
    Forever(Vec<u8>),
    Times(usize, Vec<u8>),
    /// A byte at a time.
    Slowly(Duration, Vec<u8>),
    /// The body of the other server's answer, as it is.
    Answer,
    /// The same, as a chunk.
    Chunk,
    /// As long as anybody listens.
    Hang,
}

pub(crate) fn say(bytes: impl AsRef<[u8]>) -> Act {
    Act::Say(bytes.as_ref().to_vec())
}

pub(crate) fn forever(bytes: impl AsRef<[u8]>) -> Act {
    Act::Forever(bytes.as_ref().to_vec())
}

pub(crate) fn times(count: usize, bytes: impl AsRef<[u8]>) -> Act {
    Act::Times(count, bytes.as_ref().to_vec())
}

struct Shared {
    there: String,
    /// What is said to requests whose target begins so.
    script: Mutex<Option<(&'static str, Vec<Act>)>>,
    met: AtomicUsize,
    open: AtomicUsize,
}

struct Request {
    target: String,
    /// As it came, but for its connection, which ends with it.
    bytes: Vec<u8>,
}

impl Hostile {
    /// Says the same to everybody, whatever was asked, in whatever protocol.
    pub(crate) fn alone() -> Self {
        Self::serving("", |mut client, shared| {
            let _asked = client.read(&mut [0; 64 * 1024]).ok()?;
            let (_, acts) = shared.script.lock().unwrap().clone()?;
            shared.met.fetch_add(1, Ordering::SeqCst);
            let nothing = Request { target: String::new(), bytes: Vec::new() };
            acts.into_iter().try_for_each(|act| perform(&mut client, act, &nothing, shared))?;
            // What comes from the other side is not to be answered with a reset.
            while client.read(&mut [0; 1024]).ok()? > 0 {}
            Some(())
        })
    }

    /// Before the server at `origin`.
    pub(crate) fn before(origin: &str) -> Self {
        Self::serving(origin.strip_prefix("http://").unwrap(), converse)
    }

    fn serving(there: &str, converse: fn(TcpStream, &Shared) -> Option<()>) -> Self {
        let shared = Arc::new(Shared {
            there: there.to_owned(),
            script: Mutex::default(),
            met: AtomicUsize::new(0),
            open: AtomicUsize::new(0),
        });
        let serving = Arc::clone(&shared);
        let address = listen::with_threads("127.0.0.1", move |client| {
            serving.open.fetch_add(1, Ordering::SeqCst);
            converse(client, &serving);
            serving.open.fetch_sub(1, Ordering::SeqCst);
        });
        Self { port: address.port(), shared }
    }

    pub(crate) fn origin(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// From now on, whoever asks for a target that begins so meets this.
    pub(crate) fn meets(&self, target: &'static str, acts: Vec<Act>) {
        *self.shared.script.lock().unwrap() = Some((target, acts));
    }

    pub(crate) fn behaves(&self) {
        *self.shared.script.lock().unwrap() = None;
    }

    /// How many requests met what they were told to meet.
    pub(crate) fn met(&self) -> usize {
        self.shared.met.load(Ordering::SeqCst)
    }

    /// How many connections there are.
    pub(crate) fn open(&self) -> usize {
        self.shared.open.load(Ordering::SeqCst)
    }
}

/// Ends when either side has had enough.
fn converse(client: TcpStream, shared: &Shared) -> Option<()> {
    client.set_nodelay(true).ok()?;
    let mut reader = BufReader::new(client);
    loop {
        let request = read(&mut reader)?;
        let script = shared.script.lock().unwrap().clone();
        let client = reader.get_mut();
        match script.filter(|(target, _)| request.target.starts_with(target)) {
            Some((_, acts)) => {
                shared.met.fetch_add(1, Ordering::SeqCst);
                for act in acts {
                    perform(client, act, &request, shared)?;
                }
                client.shutdown(Shutdown::Both).ok()?;
                return None;
            }
            None => client.write_all(&ask(&request, shared)?).ok()?,
        }
    }
}

fn perform(client: &mut TcpStream, act: Act, request: &Request, shared: &Shared) -> Option<()> {
    let mut say = |bytes: &[u8]| client.write_all(bytes).ok();
    match act {
        Act::Say(bytes) => say(&bytes),
        Act::Forever(bytes) => {
            // In large pieces, to be faster than who listens.
            let piece = bytes.repeat((64 * 1024 / bytes.len()).max(1));
            loop {
                say(&piece)?;
            }
        }
        Act::Times(count, bytes) => say(&bytes.repeat(count)),
        Act::Slowly(pause, bytes) => bytes.iter().try_for_each(|byte| {
            thread::sleep(pause);
            say(&[*byte])
        }),
        Act::Answer => say(&body(&ask(request, shared)?)?),
        Act::Chunk => {
            let body = body(&ask(request, shared)?)?;
            say(format!("{:x}\r\n", body.len()).as_bytes())?;
            say(&body)?;
            say(b"\r\n")
        }
        Act::Hang => {
            while client.read(&mut [0; 1024]).ok()? > 0 {}
            None
        }
    }
}

fn ask(request: &Request, shared: &Shared) -> Option<Vec<u8>> {
    let mut server = TcpStream::connect(&shared.there).ok()?;
    server.write_all(&request.bytes).ok()?;
    let mut answer = Vec::new();
    server.read_to_end(&mut answer).ok()?;
    Some(answer)
}

fn body(answer: &[u8]) -> Option<Vec<u8>> {
    let end = answer.windows(4).position(|end| end == b"\r\n\r\n")?;
    Some(answer[end + 4..].to_owned())
}

fn read(reader: &mut BufReader<TcpStream>) -> Option<Request> {
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let target = line.split(' ').nth(1)?.to_owned();
    let (mut bytes, mut length) = (line.into_bytes(), 0);
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).ok()?;
        let Some((name, value)) = header.split_once(':') else { break };
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse().ok()?;
        }
        bytes.extend(header.as_bytes());
    }
    bytes.extend(b"Connection: close\r\n\r\n");
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    bytes.extend(body);
    Some(Request { target, bytes })
}
