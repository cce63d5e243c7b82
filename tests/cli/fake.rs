//! A keeper that says what it is told to, and the command in front of it.

use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Barrier, Mutex};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

/// What the fake does about a call.
pub(crate) enum Act {
    Answer(Value),
    Refuse(Value),
    /// An answer, and then these notices.
    AndTell(Value, Vec<Value>),
    /// Half of an answer, and the end.
    Die,
    /// An answer, and the end of the whole keeper.
    AnswerAndEnd(Value),
    /// A refusal, and the end.
    RefuseAndEnd(Value),
    /// Nothing until the test says so, and then the next of these.
    After(Arc<Barrier>, Box<Self>),
}

/// A home of its own, and a keeper in it unless it is to be started.
pub(crate) struct Lab {
    pub(crate) dir: PathBuf,
    calls: Arc<Mutex<Vec<Value>>>,
    connections: Arc<AtomicU32>,
}

impl Lab {
    /// A home without a keeper.
    pub(crate) fn empty() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let dir = std::env::temp_dir().join(format!("pilotlight-cli-{}-{number}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        fs::set_permissions(&dir, fs::Permissions::from_mode(0o700)).unwrap();
        Self { dir, calls: Arc::default(), connections: Arc::default() }
    }

    pub(crate) fn new(script: impl Fn(&Value) -> Act + Send + Sync + 'static) -> Self {
        let lab = Self::empty();
        lab.listen(script);
        lab
    }

    /// A keeper that has one answer for everything.
    pub(crate) fn answering(answer: Value) -> Self {
        Self::new(move |_| Act::Answer(answer.clone()))
    }

    pub(crate) fn refusing(error: Value) -> Self {
        Self::new(move |_| Act::Refuse(error.clone()))
    }

    pub(crate) fn listen(&self, script: impl Fn(&Value) -> Act + Send + Sync + 'static) {
        let socket = self.socket();
        let listener = UnixListener::bind(&socket).unwrap();
        let script = Arc::new(script);
        let (calls, connections) = (self.calls.clone(), self.connections.clone());
        thread::spawn(move || {
            for stream in listener.incoming() {
                let stream = stream.unwrap();
                connections.fetch_add(1, Ordering::SeqCst);
                let (script, calls, socket) = (script.clone(), calls.clone(), socket.clone());
                thread::spawn(move || converse(stream, &*script, &calls, &socket));
            }
        });
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.dir.join("agent.sock")
    }

    pub(crate) fn calls(&self) -> Vec<Value> {
        self.calls.lock().unwrap().clone()
    }

    /// What was asked, without how.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.calls().iter().map(|call| call["do"].as_str().unwrap().to_owned()).collect()
    }

    pub(crate) fn connections(&self) -> u32 {
        self.connections.load(Ordering::SeqCst)
    }

    /// A program in the place of the keeper's.
    pub(crate) fn program(&self, script: &str) -> PathBuf {
        let path = self.dir.join("keeper-program");
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).unwrap();
        path
    }

    pub(crate) fn command<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pilotlight"));
        command
            .args(arguments)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("PILOTLIGHT_HOME", &self.dir)
            // Nothing is started unless a test means it to be.
            .env("PILOTLIGHT_KEEPER", "/nonexistent/keeper")
            .env("PILOTLIGHT_SANDBOX", "/nonexistent/sandbox")
            .env("LC_ALL", "C.UTF-8")
            .env("TZ", "UTC")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    pub(crate) fn run<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Ran {
        Ran::from(self.command(arguments).output().unwrap())
    }

    pub(crate) fn run_with_input(&self, arguments: &[&str], input: &str) -> Ran {
        let mut child = self.command(arguments).stdin(Stdio::piped()).spawn().unwrap();
        write(&mut child, input);
        Ran::from(child.wait_with_output().unwrap())
    }

    pub(crate) fn run_in_chinese(&self, arguments: &[&str]) -> Ran {
        Ran::from(self.command(arguments).env("LC_ALL", "").env("LANG", "zh_CN.UTF-8").output().unwrap())
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.dir));
    }
}

/// What came of a command.
#[derive(Debug)]
pub(crate) struct Ran {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Ran {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// A child that has ended already reads nothing, which is its right.
pub(crate) fn write(child: &mut Child, input: &str) {
    drop(child.stdin.take().unwrap().write_all(input.as_bytes()));
}

pub(crate) fn overview(sessions: Value) -> Value {
    json!({
        "ok": "status", "version": env!("CARGO_PKG_VERSION"), "sessions": sessions, "problems": [],
        "vault": { "kind": "keyring", "trouble": null },
        "presets": ["flask", "heartbeat", "nestjs", "simplejwt"],
    })
}

pub(crate) fn session(profile: &str, phase: Value) -> Value {
    json!({
        "profile": profile, "preset": "simplejwt", "url": "https://api.example", "host": "api.example",
        "user": "mia", "phase": phase,
        "access": {
            "generation": 3, "jwt": true, "algorithm": "HS256", "lifetime_ms": 300_000, "remaining_ms": 240_000,
            "source": "told", "rejected": false, "dpop": false,
        },
        "refresh_in_ms": 165_000, "renewable": true,
        "heartbeat": { "every_ms": 300_000, "next_in_ms": 288_000, "last": { "good": true, "ago_ms": 12_000 } },
        "last_refresh": { "cause": "before_expiry", "ago_ms": 60_000, "took_ms": 38 },
        "saved": true, "forecast": null, "requests": { "in_flight": 1, "held": 0, "replayed": 8 },
        "resources": [], "sandbox": false,
        "ways": ["password"], "pending": null, "demand": null, "said": null, "browser_logout": false,
    })
}

pub(crate) fn hello() -> Act {
    Act::Answer(json!({ "ok": "hello", "version": env!("CARGO_PKG_VERSION"), "pid": 1 }))
}

/// Tells how it was started, and is ready when a keeper listens.
pub(crate) const STARTER: &str = r#"
echo "$@ home=$PILOTLIGHT_HOME stdin=$(cat | wc -c) group=$(ps -o pgid= -p $$) pid=$$ dir=$PWD" \
    > "$PILOTLIGHT_HOME/asked.new"
mv "$PILOTLIGHT_HOME/asked.new" "$PILOTLIGHT_HOME/asked"
echo "a line of the log" >&2
while [ ! -S "$PILOTLIGHT_HOME/agent.sock" ]; do sleep 0.01; done
echo ready
"#;

pub(crate) fn run_with(lab: &Lab, program: &str, arguments: &[&str]) -> Ran {
    let program = lab.program(program);
    Ran::from(
        lab.command(arguments)
            .env("PILOTLIGHT_KEEPER", &program)
            .env("PILOTLIGHT_SANDBOX", &program)
            .output()
            .unwrap(),
    )
}

pub(crate) fn when_started(lab: &Lab) -> String {
    let path = lab.dir.join("asked");
    for _ in 0..1000 {
        match fs::read_to_string(&path) {
            Ok(text) => return text,
            Err(_) => thread::sleep(Duration::from_millis(10)),
        }
    }
    panic!("nothing was started");
}

fn converse(
    stream: UnixStream,
    script: &(impl Fn(&Value) -> Act + ?Sized),
    calls: &Mutex<Vec<Value>>,
    socket: &Path,
) {
    let mut writer = stream.try_clone().unwrap();
    for line in BufReader::new(stream).lines() {
        let Ok(line) = line else { return };
        let call: Value = serde_json::from_str(&line).unwrap();
        calls.lock().unwrap().push(call.clone());
        let with_id = |mut answer: Value| {
            answer["id"] = call["id"].clone();
            format!("{answer}\n")
        };
        let mut act = script(&call);
        while let Act::After(barrier, then) = act {
            barrier.wait();
            act = *then;
        }
        let (text, goes_on) = match act {
            Act::Answer(answer) => (with_id(answer), true),
            Act::Refuse(error) => (with_id(json!({ "error": error })), true),
            Act::AndTell(answer, notices) => {
                let told: String =
                    notices.iter().map(|notice| format!("{}\n", json!({ "notice": notice }))).collect();
                (with_id(answer) + &told, true)
            }
            Act::Die => ("{\"id\":1,\"ok\":\"to".to_owned(), false),
            Act::AnswerAndEnd(answer) => {
                drop(fs::remove_file(socket));
                (with_id(answer), false)
            }
            Act::RefuseAndEnd(error) => {
                drop(fs::remove_file(socket));
                (with_id(json!({ "error": error })), false)
            }
            Act::After(..) => unreachable!("unwrapped above"),
        };
        if writer.write_all(text.as_bytes()).is_err() || !goes_on {
            return;
        }
    }
}
