//! An ear at the door of a server: it passes every request on as it is, and remembers what it said, forms and all.
//!
//! The sandbox's own log leaves out queries and bodies on purpose. What a client puts into them is heard here, and
//! here the line can be cut, or something be answered in the server's place.

use std::collections::VecDeque;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use url::form_urlencoded;

use super::listen;

pub(crate) struct Ear {
    origin: String,
    shared: Arc<Mutex<Shared>>,
}

/// A request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Said {
    path: String,
    head: String,
    /// Of the query and of the body, in this order.
    pub(crate) form: Vec<(String, String)>,
}

#[derive(Default)]
struct Shared {
    heard: Vec<Said>,
    cut: bool,
    /// The path whose answers are held back, and for how long.
    held: Option<(String, Duration)>,
    /// Said in the server's place, once each: the path, and a whole answer.
    prompts: VecDeque<(String, String)>,
}

impl Ear {
    pub(crate) fn before(origin: &str) -> Self {
        let there = origin.strip_prefix("http://").unwrap().to_owned();
        let shared = Arc::new(Mutex::new(Shared::default()));
        let used = Arc::clone(&shared);
        // A connection that breaks is the end of one request, and its client will say so.
        let address = listen::with_threads("127.0.0.1", move |client| drop(pass_on(client, &there, &used)));
        Self { origin: format!("http://{address}"), shared }
    }

    pub(crate) fn origin(&self) -> &str {
        &self.origin
    }

    /// What was asked of the path, in order of arrival.
    pub(crate) fn heard(&self, path: &str) -> Vec<Said> {
        let shared = self.shared.lock().unwrap();
        shared.heard.iter().filter(|said| said.path == path).cloned().collect()
    }

    /// While the line is cut, whoever connects is hung up on.
    pub(crate) fn cut(&self, cut: bool) {
        self.shared.lock().unwrap().cut = cut;
    }

    /// From now on the answers to the path take that long to come back.
    pub(crate) fn hold_answers(&self, path: &str, how_long: Duration) {
        self.shared.lock().unwrap().held = Some((path.to_owned(), how_long));
    }

    /// The next request to the path gets this answer, and the server hears nothing of it.
    pub(crate) fn answer_once(&self, path: &str, status: &str, header: &str, body: &str) {
        let length = body.len();
        let answer = format!(
            "HTTP/1.1 {status}\r\n{header}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\
             Connection: close\r\n\r\n{body}"
        );
        self.shared.lock().unwrap().prompts.push_back((path.to_owned(), answer));
    }
}

impl Said {
    /// The parameter, which stands there once at most.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let values: Vec<_> = self.form.iter().filter(|(it, _)| it == name).collect();
        assert!(values.len() <= 1, "{name} stands {} times in {self:?}", values.len());
        values.first().map(|(_, value)| value.as_str())
    }

    pub(crate) fn has_header(&self, name: &str) -> bool {
        self.head
            .lines()
            .any(|line| line.split_once(':').is_some_and(|(it, _)| it.eq_ignore_ascii_case(name)))
    }
}

fn pass_on(mut client: TcpStream, there: &str, shared: &Mutex<Shared>) -> std::io::Result<()> {
    client.set_read_timeout(Some(Duration::from_secs(30)))?;
    let (head, body) = read(&mut client)?;
    let target = head.split(' ').nth(1).unwrap_or_default();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let form = [query.as_bytes(), body.as_slice()].into_iter().flat_map(form_urlencoded::parse);
    let form = form.map(|(name, value)| (name.into_owned(), value.into_owned())).collect();
    let said = Said { path: path.to_owned(), form, head: head.clone() };
    let (prompt, held) = {
        let mut shared = shared.lock().unwrap();
        if shared.cut {
            return Ok(());
        }
        let place = shared.prompts.iter().position(|(path, _)| *path == said.path);
        let held = shared.held.as_ref().filter(|(path, _)| *path == said.path).map(|(_, long)| *long);
        shared.heard.push(said);
        (place.and_then(|place| shared.prompts.remove(place)), held.unwrap_or_default())
    };
    if let Some((_, answer)) = prompt {
        return client.write_all(answer.as_bytes());
    }
    let mut server = TcpStream::connect(there)?;
    // One request a connection, so that the answer ends where the connection does.
    let (first, rest) = head.split_once("\r\n").unwrap_or_default();
    server.write_all(format!("{first}\r\nConnection: close\r\n{rest}").as_bytes())?;
    server.write_all(&body)?;
    let mut answer = Vec::new();
    server.read_to_end(&mut answer)?;
    thread::sleep(held);
    client.write_all(&answer)
}

/// The head with the empty line at its end, and the body.
fn read(client: &mut TcpStream) -> std::io::Result<(String, Vec<u8>)> {
    let (mut text, mut buffer) = (Vec::new(), [0; 16 * 1024]);
    let end = loop {
        let length = client.read(&mut buffer)?;
        if length == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        text.extend_from_slice(&buffer[..length]);
        if let Some(end) = text.windows(4).position(|four| four == b"\r\n\r\n") {
            break end + 4;
        }
    };
    let mut body = text.split_off(end);
    let head = String::from_utf8_lossy(&text).into_owned();
    let length = head.lines().filter_map(|line| line.split_once(':'));
    let mut length = length.filter(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    let length = length.next().and_then(|(_, value)| value.trim().parse().ok()).unwrap_or(0);
    while body.len() < length {
        let read = client.read(&mut buffer)?;
        if read == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        body.extend_from_slice(&buffer[..read]);
    }
    Ok((head, body))
}
