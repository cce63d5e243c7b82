//! Real servers, started from `tests/servers` and asked by plain HTTP.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use serde_json::Value;

use super::Scratch;

pub(crate) struct Server {
    process: Child,
    port: u16,
    _state: Scratch,
}

impl Server {
    pub(crate) fn start(name: &str, env: &[(&str, &str)]) -> Self {
        let state = Scratch::new();
        let mut process = program(name)
            .env_remove("THROTTLE")
            .envs(env.iter().copied())
            .env("PORT", "0")
            .env("STATE", state.path())
            // Its end is the server's end, whatever becomes of the test.
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("{name} cannot be started ({error}): {INSTALL}"));
        let stdout = process.stdout.take().unwrap();
        let (sender, ready) = mpsc::channel();
        thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                if let Some(port) =
                    line.strip_prefix("ready ").and_then(|port| port.trim().parse::<u16>().ok())
                {
                    sender.send(port).ok();
                }
            }
        });
        let Ok(port) = ready.recv_timeout(TIME_TO_START) else {
            drop(process.kill());
            panic!("{name} did not get ready: {INSTALL}");
        };
        Self { process, port, _state: state }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn origin(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub(crate) fn counted(&self, what: &str) -> u64 {
        self.ask("GET", "/__counters")[what].as_u64().unwrap()
    }

    /// The protected requests in order of arrival: the number in their query, and the status of the answer.
    pub(crate) fn log(&self) -> Vec<(String, Option<u64>)> {
        let log = self.ask("GET", "/__log");
        let number = |entry: &Value| entry["n"].as_str().unwrap_or_default().to_owned();
        log.as_array().unwrap().iter().map(|entry| (number(entry), entry["status"].as_u64())).collect()
    }

    /// Takes the users' tokens away behind the client's back.
    pub(crate) fn revoke(&self) {
        self.ask("POST", "/__revoke");
    }

    pub(crate) fn restore(&self) {
        self.ask("POST", "/__restore");
    }

    /// What the server says to a request with that header, asked past the keeper.
    pub(crate) fn status_of(&self, path: &str, authorization: &str) -> u16 {
        let answer = self.exchange("GET", path, authorization);
        let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok());
        status.unwrap_or_else(|| panic!("{path}: {answer}"))
    }

    /// Of the fixture around the server: what it knows, and what a test can do to it.
    pub(crate) fn ask(&self, method: &str, path: &str) -> Value {
        let answer = self.exchange(method, path, "");
        let body = answer.split_once("\r\n\r\n").unwrap_or_default().1;
        serde_json::from_str(body).unwrap_or_else(|error| panic!("{path}: {error}: {answer}"))
    }

    fn exchange(&self, method: &str, path: &str, authorization: &str) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: {authorization}\r\n\
             Content-Length: 0\r\nConnection: close\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

fn program(name: &str) -> Command {
    let dir = servers().join(name);
    let node = |script| (PathBuf::from("node"), dir.join(script), dir.join("node_modules"));
    let (runner, script, installed) = match name {
        "nestjs" => node("server.cjs"),
        "oidc-provider" => node("server.mjs"),
        _ => {
            let python = servers().join(".venv/bin/python");
            (python.clone(), dir.join("app.py"), python)
        }
    };
    assert!(installed.exists(), "{name} is not installed: {INSTALL}");
    let mut command = Command::new(runner);
    command.arg(script).current_dir(dir);
    command
}

fn servers() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/servers").canonicalize().unwrap()
}

/// A dozen of them may start at once, and on two cores they wait for each other.
const TIME_TO_START: Duration = Duration::from_secs(60);

const INSTALL: &str = "run tests/servers/install.sh, which puts the real servers in place";
