//! The door of a server: its public address, known before the server is started, so that the server can be told of it.
//! Everything goes through as it is, but the answer to a request can be lost in it, once the server has done its part.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread;

use super::listen;

pub(crate) struct Door {
    host: &'static str,
    port: u16,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    /// The server's own port.
    leads_to: OnceLock<u16>,
    /// What a request says whose answer is to be lost.
    trap: Mutex<Option<&'static str>>,
    lost: Mutex<u32>,
    shut: AtomicBool,
}

impl Door {
    pub(crate) fn new() -> Self {
        Self::at("127.0.0.1")
    }

    /// At this address of this machine.
    pub(crate) fn at(host: &'static str) -> Self {
        let shared = Arc::new(Shared::default());
        let used = Arc::clone(&shared);
        let address = listen::with_threads(host, move |client| pass_on(client, &used));
        Self { host, port: address.port(), shared }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn origin(&self) -> String {
        format!("http://{}:{}", self.host, self.port)
    }

    pub(crate) fn lead_to(&self, port: u16) {
        self.shared.leads_to.set(port).unwrap();
    }

    /// The next request that says this is passed on, and its answer is not.
    pub(crate) fn lose_the_answer_to(&self, words: &'static str) {
        *self.shared.trap.lock().unwrap() = Some(words);
    }

    /// Nobody who comes from now on is let in.
    pub(crate) fn shut(&self, shut: bool) {
        self.shared.shut.store(shut, Ordering::SeqCst);
    }

    /// How many answers were lost so far.
    pub(crate) fn lost(&self) -> u32 {
        *self.shared.lost.lock().unwrap()
    }
}

fn pass_on(client: TcpStream, shared: &Arc<Shared>) {
    if shared.shut.load(Ordering::SeqCst) {
        return;
    }
    let Some(port) = shared.leads_to.get() else { return };
    let Ok(server) = TcpStream::connect(("127.0.0.1", *port)) else { return };
    for stream in [&client, &server] {
        stream.set_nodelay(true).unwrap();
    }
    let is_lost = Arc::new(Mutex::new(false));
    let (mut from, mut to) = (server.try_clone().unwrap(), client.try_clone().unwrap());
    let (answers_lost, counting) = (Arc::clone(&is_lost), Arc::clone(shared));
    thread::spawn(move || {
        let mut buffer = vec![0; 64 * 1024];
        while let Ok(length @ 1..) = from.read(&mut buffer) {
            // The server answers when it has written down what it did.
            if *answers_lost.lock().unwrap() {
                *counting.lost.lock().unwrap() += 1;
                break;
            }
            if to.write_all(&buffer[..length]).is_err() {
                break;
            }
        }
        hang_up(&from, &to);
    });
    let (mut from, mut to) = (client, server);
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        let part = String::from_utf8_lossy(&buffer[..length]);
        let mut trap = shared.trap.lock().unwrap();
        if trap.is_some_and(|words| part.contains(words)) {
            *trap = None;
            *is_lost.lock().unwrap() = true;
        }
        drop(trap);
        if to.write_all(&buffer[..length]).is_err() {
            break;
        }
    }
    hang_up(&from, &to);
}

fn hang_up(one: &TcpStream, other: &TcpStream) {
    for stream in [one, other] {
        // Whoever has gone already need not be told.
        stream.shutdown(Shutdown::Both).ok();
    }
}
