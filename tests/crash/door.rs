//! Stands before a server that is not the test's own. The answer to a refresh is taken in whole, and given on when the
//! trap lets it.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread;

use crate::trap::Trap;

#[derive(Clone)]
pub(crate) struct Door {
    port: u16,
    leads_to: Arc<OnceLock<u16>>,
    pub(crate) trap: Trap,
}

impl Door {
    pub(crate) fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let door = Self { port, leads_to: Arc::default(), trap: Trap::default() };
        let used = door.clone();
        // It ends with the process.
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let door = used.clone();
                thread::spawn(move || door.pass_on(client));
            }
        });
        door
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn origin(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub(crate) fn lead_to(&self, port: u16) {
        self.leads_to.set(port).unwrap();
    }

    fn pass_on(&self, mut client: TcpStream) {
        let Some(port) = self.leads_to.get() else { return };
        let Ok(mut server) = TcpStream::connect(("127.0.0.1", *port)) else { return };
        for stream in [&client, &server] {
            stream.set_nodelay(true).unwrap();
        }
        let refreshes = Arc::new(AtomicBool::new(false));
        let (from, to) = (server.try_clone().unwrap(), client.try_clone().unwrap());
        let (trap, flag) = (self.trap.clone(), Arc::clone(&refreshes));
        thread::spawn(move || bring_back(from, to, &flag, &trap));
        let mut buffer = vec![0; 64 * 1024];
        while let Ok(length @ 1..) = client.read(&mut buffer) {
            let part = String::from_utf8_lossy(&buffer[..length]);
            if REFRESHES.iter().any(|words| part.contains(words)) {
                refreshes.store(true, Ordering::SeqCst);
            }
            if server.write_all(&buffer[..length]).is_err() {
                break;
            }
        }
        // Whoever has gone already need not be told.
        server.shutdown(Shutdown::Both).ok();
    }
}

fn bring_back(mut from: TcpStream, mut to: TcpStream, refreshes: &AtomicBool, trap: &Trap) {
    let mut buffer = vec![0; 64 * 1024];
    let mut whole = Vec::new();
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        let written = if refreshes.load(Ordering::SeqCst) {
            whole.extend_from_slice(&buffer[..length]);
            if !is_whole(&whole) {
                continue;
            }
            refreshes.store(false, Ordering::SeqCst);
            let answer = std::mem::take(&mut whole);
            trap.answer(|| to.write_all(&answer))
        } else {
            to.write_all(&buffer[..length])
        };
        if written.is_err() {
            break;
        }
    }
    to.shutdown(Shutdown::Both).ok();
}

fn is_whole(answer: &[u8]) -> bool {
    let text = String::from_utf8_lossy(answer).into_owned();
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.to_ascii_lowercase();
    let length = length.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
    length.is_some_and(|length: usize| body.len() >= length)
}

/// What the request says that is one, by the sandbox's recipe and by OAuth.
const REFRESHES: [&str; 2] = ["/refresh?token=", "grant_type=refresh_token"];
