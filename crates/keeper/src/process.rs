//! The keeper as a process: locked to its home, listening, and ending in good order.

use std::fmt::Display;
use std::io::{self, Write as _};
use std::process::ExitCode;

use api::words::Words;
use api::{Code, Failure, Problem};

use api::paths::Home;

use session::limits;
use tokio::runtime::{Builder, Handle};
use tracing_subscriber::EnvFilter;

use crate::door::lock::{self, Lock, Name, NotLocked};
use crate::door::place::Place;
use crate::door::socket;
use crate::main_loop::{End, Keeper};
use log::Log;
use signals::Signals;

mod log;
mod signals;

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    Face,
    Person,
}

pub fn main(audience: Audience) -> ExitCode {
    let own = Builder::new_current_thread().enable_all().build();
    let network = Builder::new_multi_thread()
        .worker_threads(NETWORK_THREADS)
        .thread_name("network")
        .enable_all()
        .build();
    let (own, network) = match own.and_then(|own| Ok((own, network?))) {
        Ok(runtimes) => runtimes,
        Err(error) => {
            tell(format_args!("pilotlight-keeper: {error}"));
            return ExitCode::FAILURE;
        }
    };
    let code = own.block_on(run(audience, network.handle()));
    // A resolver that hangs on a dead network is not waited for.
    network.shutdown_background();
    own.shutdown_background();
    code
}

async fn run(audience: Audience, network: &Handle) -> ExitCode {
    let home = Home::from_env().and_then(|home| home.prepare().map(|()| home));
    let log = log(audience, home.as_ref().ok());
    let signals = Signals::hear(audience);
    if let Err(error) = os::process::keep_memory_private() {
        tracing::warn!(%error, "the memory of this process may be readable");
    }
    if let Err(error) = os::process::take_descriptors() {
        tracing::warn!(%error, "a burst of requests may be more than this process can have open");
    }
    let code = match home {
        Ok(home) => keep(audience, &home, network, signals).await,
        Err(failure) => refuse(audience, &failure),
    };
    if let Some(log) = log {
        log.flush();
    }
    code
}

async fn keep(audience: Audience, home: &Home, network: &Handle, mut signals: Signals) -> ExitCode {
    let started = tokio::select! {
        started = start(home, network) => started,
        // Nothing was begun that would have to be finished.
        () = signals.ended() => return ExitCode::SUCCESS,
    };
    match started {
        Ok(Started::Ours(keeper, listener, lock, _name)) => {
            say(audience, "ready");
            let handle = keeper.handle();
            tokio::spawn(Place::take(home.clone(), lock, listener, handle.clone()).hold());
            tokio::spawn(async move {
                signals.ended().await;
                handle.terminate();
            });
            let end = keeper.run().await;
            // The answer to `stop` is still in the task of its connection.
            tokio::time::timeout(limits::LAST_ANSWER, tokio::task::yield_now()).await.ok();
            match end {
                End::InGoodOrder => ExitCode::SUCCESS,
                End::Cut(profiles) => {
                    let profiles = profiles.join(", ");
                    tracing::error!(profiles, "ended with refresh tokens that were not saved");
                    ExitCode::from(CUT)
                }
            }
        }
        Ok(Started::Already) => {
            say(audience, "ready");
            if audience == Audience::Person {
                tell(format_args!("pilotlight: {}", Words::for_locale().fill("cli.keeper.already", &[])));
            }
            ExitCode::SUCCESS
        }
        Err(failure) => refuse(audience, &failure),
    }
}

fn refuse(audience: Audience, failure: &Failure) -> ExitCode {
    let line = serde_json::json!({ "error": failure }).to_string();
    say(audience, &line);
    if audience == Audience::Person {
        explain(failure);
    }
    ExitCode::FAILURE
}

enum Started {
    Already,
    Ours(Box<Keeper>, tokio::net::UnixListener, Lock, Name),
}

async fn start(home: &Home, network: &Handle) -> Result<Started, Failure> {
    // A keeper that is ending still holds the lock, and one that is starting does not listen yet.
    for _ in 0..TRIES {
        match Name::take(&home.lock()).and_then(|name| Ok((lock::acquire(&home.lock())?, name))) {
            Ok((lock, name)) => {
                let keeper = Box::new(Keeper::open(home)?.with_network(network.clone()));
                let listener = socket::bind(home.socket())?;
                return Ok(Started::Ours(keeper, listener, lock, name));
            }
            Err(refused @ NotLocked::Unopenable(_)) => return Err(refused.failure(&home.lock())),
            Err(_) if socket::answers(home.socket()) => {
                return Ok(Started::Already);
            }
            Err(_) => tokio::time::sleep(limits::LOCK_AGAIN).await,
        }
    }
    let failure = Failure::new(Code::KeeperUnreachable).because(Problem::LockSilent);
    Err(failure.with("path", home.lock().display()))
}

/// The face reads no further than this line.
fn say(audience: Audience, line: &str) {
    if audience == Audience::Face {
        drop(writeln!(io::stdout(), "{line}"));
    }
}

fn log(audience: Audience, home: Option<&Home>) -> Option<Log> {
    // The journal has what the keeper decides. The log is for its own faults.
    let default = if audience == Audience::Face { "warn" } else { "info" };
    // These libraries would log requests and keys.
    let quiet = "hyper=warn,hyper_util=warn,reqwest=warn,rustls=warn,h2=warn,keyring_core=warn,zbus=warn";
    let wanted = std::env::var("PILOTLIGHT_LOG").unwrap_or_else(|_| default.to_owned());
    let filter = EnvFilter::try_new(format!("{wanted},{quiet}")).unwrap_or_else(|_| EnvFilter::new(quiet));
    let log = match (audience, home) {
        (Audience::Face, Some(home)) => Log::to_file(home.log()),
        (Audience::Face | Audience::Person, _) => Log::to_stderr(),
    };
    let log = log.ok()?;
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(log.clone())
        .with_ansi(audience == Audience::Person)
        // They would go to standard error, and panic if that cannot be written.
        .log_internal_errors(false)
        .init();
    Some(log)
}

fn explain(failure: &Failure) {
    let (problem, next) = Words::for_locale().say(failure);
    tell(format_args!("pilotlight keeper: {problem}\n  → {next} [{}]", failure.code.key()));
}

/// A standard error that is full or closed is no reason to end.
fn tell(line: impl Display) {
    drop(writeln!(io::stderr(), "{line}"));
}

/// The command's exit code for an unavailable keyring.
const CUT: u8 = 5;

const TRIES: u32 = 100;

/// A server that takes all of one leaves the other to the rest.
const NETWORK_THREADS: usize = 2;
