//! The way of every face to the keeper: blocking, a line out and a line in. A new keeper says `ready` on its standard
//! output once its socket listens. Of several that start at once, one takes the lock and the others say it too.

use std::collections::VecDeque;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use api::paths::Home;
use api::{Call, Code, Failure, Line, Notice, Overview, Problem, Reply, Request};
use serde::Deserialize;
use session::limits;
use zeroize::Zeroizing;

pub use programs::Program;
pub use session::limits::STAYED;

use own_time::own_time;

mod asking;
pub mod browser;
mod own_time;
mod programs;
pub mod sandbox;
mod start;
mod stopping;

pub struct Client {
    reader: BufReader<UnixStream>,
    partial: Vec<u8>,
    early: VecDeque<Notice>,
    last_id: u64,
    patience: Duration,
    /// Where to find the next keeper; `None` where it is not waited for.
    home: Option<Home>,
    on_wait: Option<OnWait>,
}

/// Called when a stopping keeper takes longer than a moment.
pub type OnWait = Box<dyn FnMut() + Send>;

impl Client {
    /// Starts a keeper where there is none.
    pub fn connect(home: &Home) -> Result<Self, Failure> {
        if let Some(client) = Self::running(home)? {
            return Ok(client);
        }
        start::start(home)?;
        Self::running(home)?.ok_or_else(|| unreachable(Problem::EndedAtOnce))
    }

    /// For faces that stay: replaces an older keeper. Fails with its reason to stay where a session would be lost.
    pub fn connect_current(home: &Home, on_wait: impl FnMut() + Send + 'static) -> Result<Self, Failure> {
        let mut client = Self::connect(home)?.on_wait(on_wait);
        let hello = Request::Hello { version: VERSION.to_owned() };
        let Reply::Hello { version, .. } = client.ask(hello)? else {
            return Err(unreachable(Problem::AnsweredElse));
        };
        if !older(&version, VERSION) {
            return Ok(client);
        }
        client.ask(Request::Stop { force: false }).map_err(|failure| failure.with("older", version))?;
        let on_wait = client.on_wait.take();
        client.wait_for_end()?;
        let mut client = Self::connect(home)?;
        client.on_wait = on_wait;
        Ok(client)
    }

    /// `None` when no keeper runs.
    pub fn running(home: &Home) -> Result<Option<Self>, Failure> {
        match UnixStream::connect(home.socket()) {
            Ok(stream) => {
                check_peer(&stream)?;
                Ok(Some(Self { home: Some(home.clone()), ..Self::over(stream) }))
            }
            // Nothing is there, or only the socket of a keeper that was killed.
            Err(error)
                if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused) =>
            {
                Ok(None)
            }
            Err(error) => Err(unreachable(Problem::said_of(home.socket().display(), error))),
        }
    }

    /// For requests that name no time of their own.
    pub fn set_patience(&mut self, patience: Duration) {
        self.patience = patience;
    }

    #[must_use]
    pub fn on_wait(mut self, on_wait: impl FnMut() + Send + 'static) -> Self {
        self.on_wait = Some(Box::new(on_wait));
        self
    }

    /// Returns [`Code::KeeperStopping`] instead of waiting for the next keeper.
    #[must_use]
    pub fn without_waiting(mut self) -> Self {
        self.home = None;
        self
    }

    /// A keeper that is stopping is waited for, and asked once more.
    pub fn ask(&mut self, request: Request) -> Result<Reply, Failure> {
        let patience = own_time(&request).map_or(self.patience, |own| own + limits::FACE_GRACE);
        let is_stop = matches!(request, Request::Stop { .. });
        let line = self.write(request)?;
        if is_stop {
            return self.put_patiently(&line, patience);
        }
        match self.put(&line, patience) {
            // It was refused without being looked at.
            Err(failure) if failure.code == Code::KeeperStopping && self.outlast(patience)? => {
                self.put(&line, patience)
            }
            answer => answer,
        }
    }

    /// Returns the state of everything, then every change.
    pub fn watch(mut self) -> Result<(Overview, Notices), Failure> {
        let Reply::Status(overview) = self.ask(Request::Watch)? else {
            return Err(unreachable(Problem::AnsweredElse));
        };
        self.set_timeout(None)?;
        Ok((overview, Notices { client: self }))
    }

    pub fn wait_for_end(mut self) -> Result<(), Failure> {
        self.set_timeout(Some(limits::STOP + limits::FACE_GRACE))?;
        loop {
            match self.reader.fill_buf() {
                Ok([]) => return Ok(()),
                Ok(more) => {
                    let length = more.len();
                    self.reader.consume(length);
                }
                Err(error) if error.kind() == io::ErrorKind::ConnectionReset => return Ok(()),
                Err(error) => return Err(lost(error)),
            }
        }
    }

    fn over(stream: UnixStream) -> Self {
        Self {
            reader: BufReader::with_capacity(16 * 1024, stream),
            partial: Vec::new(),
            early: VecDeque::new(),
            last_id: 0,
            patience: limits::FACE,
            home: None,
            on_wait: None,
        }
    }

    fn write(&mut self, request: Request) -> Result<Zeroizing<Vec<u8>>, Failure> {
        self.last_id += 1;
        let call = Call { id: self.last_id, request };
        let mut line = Zeroizing::new(Vec::with_capacity(512));
        serde_json::to_writer(&mut *line, &call).map_err(|error| unreachable(Problem::said(error)))?;
        line.push(b'\n');
        Ok(line)
    }

    fn put(&mut self, line: &[u8], patience: Duration) -> Result<Reply, Failure> {
        self.send(line)?;
        self.answer(patience)?.ok_or_else(|| unreachable(Problem::NoAnswer))?
    }

    fn send(&mut self, line: &[u8]) -> Result<(), Failure> {
        match self.reader.get_mut().write_all(line) {
            // What was said before the end is still to be read.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            written => written.map_err(lost),
        }
    }

    fn answer(&mut self, patience: Duration) -> Result<Option<Result<Reply, Failure>>, Failure> {
        self.set_timeout(Some(patience))?;
        while let Some(line) = self.receive()? {
            match line {
                Line::Answer { id, reply } if id == self.last_id => return Ok(Some(Ok(reply))),
                // Without a number it is about the connection.
                Line::Refusal { id, error } if id == self.last_id || id == 0 => return Ok(Some(Err(error))),
                Line::Notice { notice } => self.early.push_back(notice),
                Line::Answer { .. } | Line::Refusal { .. } => {}
            }
        }
        Ok(None)
    }

    fn receive(&mut self) -> Result<Option<Line>, Failure> {
        loop {
            match self.reader.read_until(b'\n', &mut self.partial) {
                Ok(_) if self.partial.ends_with(b"\n") => {}
                Ok(_) => return Err(unreachable(Problem::Ended)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(None),
                Err(error) => return Err(lost(error)),
            }
            let line = Zeroizing::new(std::mem::take(&mut self.partial));
            match serde_json::from_slice(&line) {
                Ok(line) => return Ok(Some(line)),
                // A newer keeper may send notices that this version does not know, but it answers in known words.
                Err(_) if is_notice(&line) => {}
                Err(error) => return Err(unreachable(Problem::NotUnderstood { said: error.to_string() })),
            }
        }
    }

    fn set_timeout(&self, timeout: Option<Duration>) -> Result<(), Failure> {
        self.reader.get_ref().set_read_timeout(timeout).map_err(lost)
    }
}

pub struct Notices {
    client: Client,
}

impl Notices {
    /// `None` when no notice comes in time.
    pub fn next_within(&mut self, time: Duration) -> Result<Option<Notice>, Failure> {
        self.client.set_timeout(Some(time))?;
        let next = self.step();
        self.client.set_timeout(None)?;
        next
    }

    fn step(&mut self) -> Result<Option<Notice>, Failure> {
        if let Some(notice) = self.client.early.pop_front() {
            return Ok(Some(notice));
        }
        loop {
            match self.client.receive()? {
                Some(Line::Notice { notice }) => return Ok(Some(notice)),
                Some(Line::Answer { .. } | Line::Refusal { .. }) => {}
                None => return Ok(None),
            }
        }
    }
}

impl Iterator for Notices {
    type Item = Result<Notice, Failure>;

    fn next(&mut self) -> Option<Self::Item> {
        self.step().transpose()
    }
}

/// The process at the other end reads passwords and hands out tokens.
fn check_peer(stream: &UnixStream) -> Result<(), Failure> {
    if os::peer::user(stream).map_err(lost)? == os::user::id() {
        Ok(())
    } else {
        Err(unreachable(Problem::SocketOfAnother))
    }
}

fn is_notice(line: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Any {
        #[serde(rename = "notice")]
        _notice: serde::de::IgnoredAny,
    }
    serde_json::from_slice::<Any>(line).is_ok()
}

fn older(this: &str, that: &str) -> bool {
    let numbers = |version: &str| -> Option<Vec<u64>> {
        let plain = version.split(['-', '+']).next()?;
        plain.split('.').map(|part| part.parse().ok()).collect()
    };
    matches!((numbers(this), numbers(that)), (Some(this), Some(that)) if this < that)
}

fn lost(error: io::Error) -> Failure {
    unreachable(Problem::said(error))
}

fn unreachable(problem: Problem) -> Failure {
    Failure::new(Code::KeeperUnreachable).because(problem)
}

const VERSION: &str = env!("CARGO_PKG_VERSION");

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::net::UnixListener;
    use std::thread;

    #[test]
    fn versions_are_compared_by_number() {
        assert!(older("0.9.9", "0.10.0"));
        assert!(older("1.0", "1.0.1"));
        assert!(!older("0.10.0", "0.9.9"));
        assert!(!older("1.0.0", "1.0.0"));
        assert!(!older("unknown", "1.0.0"));
    }

    #[test]
    fn an_answer_is_found_among_notices_and_these_are_not_lost() {
        let mut client = against(&[
            r#"{"notice":{"about":"changed","profile":"a"}}"#,
            r#"{"notice":{"about":"weather","from":"the future"}}"#,
            r#"{"id":7,"ok":"done"}"#,
            r#"{"id":1,"ok":"status","version":"1","vault":{"kind":"memory","trouble":null},"sessions":[],"problems":[],"presets":[],"new":1}"#,
            r#"{"notice":{"about":"changed","profile":"b"}}"#,
        ]);
        client.set_patience(Duration::from_secs(5));
        let (overview, notices) = client.watch().unwrap();
        assert_eq!(overview.version, "1");
        let told: Vec<_> = notices
            .map(|notice| match notice {
                Ok(Notice::Changed { profile }) => profile,
                Ok(Notice::Entry(_)) => "entry".into(),
                Err(failure) => failure.details["problem"].clone(),
            })
            .take(3)
            .collect();
        assert_eq!(told, ["a", "b", "ended"]);
    }

    #[test]
    fn a_silent_keeper_is_given_up_and_half_a_line_is_kept() {
        let (ours, mut theirs) = UnixStream::pair().unwrap();
        let mut notices = Notices { client: Client::over(ours) };
        theirs.write_all(br#"{"notice":{"about":"cha"#).unwrap();
        assert!(notices.next_within(Duration::from_millis(20)).unwrap().is_none());
        theirs.write_all(b"nged\",\"profile\":\"a\"}}\n").unwrap();
        assert!(notices.next_within(Duration::from_secs(5)).unwrap().is_some());

        let mut client = notices.client;
        client.set_patience(Duration::from_millis(20));
        assert_eq!(client.ask(Request::Stop { force: false }).unwrap_err().code, Code::KeeperUnreachable);
    }

    #[test]
    fn a_socket_that_nobody_listens_on_is_no_keeper() {
        let dir = std::env::temp_dir().join(format!("pilotlight-client-{}", std::process::id()));
        let home = Home::at(&dir).unwrap();
        home.prepare().unwrap();
        assert!(Client::running(&home).unwrap().is_none());
        drop(UnixListener::bind(home.socket()).unwrap());
        assert!(Client::running(&home).unwrap().is_none());
        std::fs::remove_dir_all(dir).unwrap();
    }

    fn against(lines: &'static [&'static str]) -> Client {
        let (ours, theirs) = UnixStream::pair().unwrap();
        thread::spawn(move || {
            let mut reader = BufReader::new(theirs);
            reader.read_line(&mut String::new()).unwrap();
            for line in lines {
                writeln!(reader.get_mut(), "{line}").unwrap();
            }
        });
        Client::over(ours)
    }
}
