//! The socket, line by line: many questions on one connection without waiting for the answers in between.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use api::{Call, Failure, Fetch, Line, Reply, Request};

pub(crate) struct Wire {
    reader: BufReader<UnixStream>,
    last: u64,
}

impl Wire {
    pub(crate) fn to(socket: &Path) -> Self {
        let stream = UnixStream::connect(socket).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(40))).unwrap();
        Self { reader: BufReader::new(stream), last: 0 }
    }

    /// Returns the number that the answer will carry.
    pub(crate) fn send(&mut self, request: Request) -> u64 {
        self.last += 1;
        let mut line = serde_json::to_vec(&Call { id: self.last, request }).unwrap();
        line.push(b'\n');
        self.write(&line);
        self.last
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) {
        self.reader.get_mut().write_all(bytes).unwrap();
    }

    /// As it came over the wire; empty at the end of the connection.
    pub(crate) fn text(&mut self) -> String {
        let mut line = String::new();
        self.reader.read_line(&mut line).unwrap();
        line
    }

    pub(crate) fn receive(&mut self) -> Line {
        let line = self.text();
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"))
    }

    /// Asks for all of it in one breath. The answers come in the order of the questions.
    pub(crate) fn ask_all(&mut self, requests: Vec<Request>) -> Vec<Result<Reply, Failure>> {
        let asked = requests.into_iter().map(|request| self.send(request)).count();
        self.answers(asked)
    }

    /// That many, in the order of the questions.
    pub(crate) fn answers(&mut self, asked: usize) -> Vec<Result<Reply, Failure>> {
        let mut answers = BTreeMap::new();
        while answers.len() < asked {
            match self.receive() {
                Line::Answer { id, reply } => drop(answers.insert(id, Ok(reply))),
                Line::Refusal { id, error } => drop(answers.insert(id, Err(error))),
                Line::Notice { .. } => {}
            }
        }
        answers.into_values().collect()
    }

    pub(crate) fn ask(&mut self, request: Request) -> Result<Reply, Failure> {
        self.ask_all(vec![request]).remove(0)
    }
}

pub(crate) fn fetch(profile: &str, path: &str) -> Request {
    Request::Fetch(Fetch { profile: profile.to_owned(), path: path.to_owned(), ..Fetch::default() })
}

pub(crate) fn post(profile: &str, path: &str, body: String) -> Request {
    Request::Fetch(Fetch {
        profile: profile.to_owned(),
        path: path.to_owned(),
        method: Some("POST".to_owned()),
        body: Some(body),
        ..Fetch::default()
    })
}

pub(crate) fn best_effort(profile: &str, min_valid: Duration) -> Request {
    let min_valid_ms = u64::try_from(min_valid.as_millis()).unwrap();
    Request::Token { profile: profile.to_owned(), min_valid_ms, best_effort: true, timeout_ms: None }
}

pub(crate) fn token(profile: &str, min_valid: Duration) -> Request {
    let min_valid_ms = u64::try_from(min_valid.as_millis()).unwrap();
    Request::Token { profile: profile.to_owned(), min_valid_ms, best_effort: false, timeout_ms: None }
}
