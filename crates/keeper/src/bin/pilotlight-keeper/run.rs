//! The keeper as a process: locked to its home, listening, and ending in good order.

use std::io::Write as _;
use std::process::ExitCode;
use std::time::Duration;

use keeper::agent;
use keeper::api::{Code, Failure};
use keeper::client::Client;
use keeper::descriptors;
use keeper::keeper::Keeper;
use keeper::lock::{self, Lock, NotLocked};
use keeper::paths::Home;
use keeper::privacy::keep_memory_private;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

/// Who started the keeper and wants to know how that went.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Audience {
    /// A face, which reads one line from standard output.
    Face,
    Person,
}

pub(crate) async fn run(audience: Audience) -> ExitCode {
    log(audience);
    if let Err(error) = keep_memory_private() {
        tracing::warn!(%error, "the memory of this process may be readable");
    }
    if let Err(error) = descriptors::take_all() {
        tracing::warn!(%error, "a burst of requests may be more than this process can have open");
    }
    match start().await {
        Ok(Started::Ours(keeper, listener, lock)) => {
            say(audience, "ready");
            let handle = keeper.handle();
            tokio::spawn(agent::serve(listener, handle.clone()));
            tokio::spawn(async move {
                ended_by_a_signal().await;
                handle.terminate();
            });
            keeper.run().await;
            // The answer to `stop` is still on its way through a connection's task.
            tokio::time::timeout(TIME_TO_ANSWER, tokio::task::yield_now()).await.ok();
            drop(lock);
            ExitCode::SUCCESS
        }
        Ok(Started::Already) => {
            say(audience, "ready");
            if audience == Audience::Person {
                eprintln!("pilotlight: a keeper is running for this home already");
            }
            ExitCode::SUCCESS
        }
        Err(failure) => {
            let line = serde_json::json!({ "error": failure }).to_string();
            say(audience, &line);
            if audience == Audience::Person {
                crate::explain("keeper", &failure);
            }
            ExitCode::FAILURE
        }
    }
}

enum Started {
    /// Another keeper has the home, and answers.
    Already,
    Ours(Box<Keeper>, tokio::net::UnixListener, Lock),
}

async fn start() -> Result<Started, Failure> {
    let home = Home::from_env()?;
    home.prepare()?;
    // One that is just ending still holds the lock; one that is just starting does not listen yet.
    for _ in 0..TRIES {
        match lock::acquire(&home.lock()) {
            Ok(lock) => {
                let keeper = Box::new(Keeper::open(&home)?);
                let listener = agent::bind(home.socket()).map_err(|error| {
                    Failure::new(Code::Internal).with("problem", error).with("path", home.socket().display())
                })?;
                return Ok(Started::Ours(keeper, listener, lock));
            }
            Err(NotLocked::Unopenable(error)) => {
                let failure = Failure::new(Code::Internal).with("problem", error);
                return Err(failure.with("path", home.lock().display()));
            }
            Err(_) if Client::running(&home).is_ok_and(|client| client.is_some()) => {
                return Ok(Started::Already);
            }
            Err(_) => tokio::time::sleep(BETWEEN_TRIES).await,
        }
    }
    let problem = "another process holds the home's lock and does not answer";
    Err(Failure::new(Code::KeeperUnreachable).with("problem", problem).with("path", home.lock().display()))
}

async fn ended_by_a_signal() {
    let (Ok(mut terminate), Ok(mut interrupt)) =
        (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}

/// The face stops reading after the line; nothing else is ever written there.
fn say(audience: Audience, line: &str) {
    if audience == Audience::Face {
        drop(writeln!(std::io::stdout(), "{line}"));
    }
}

fn log(audience: Audience) {
    // A face's keeper writes to a file that nobody trims; what it decides is in the journal, which is.
    let default = if audience == Audience::Face { "warn" } else { "info" };
    // What the libraries would tell about requests and keys is not wanted at any level.
    let quiet = "hyper=warn,hyper_util=warn,reqwest=warn,rustls=warn,h2=warn,keyring_core=warn,zbus=warn";
    let wanted = std::env::var("PILOTLIGHT_LOG").unwrap_or_else(|_| default.to_owned());
    let filter = EnvFilter::try_new(format!("{wanted},{quiet}")).unwrap_or_else(|_| EnvFilter::new(quiet));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(audience == Audience::Person)
        .init();
}

const TRIES: u32 = 100;
const BETWEEN_TRIES: Duration = Duration::from_millis(100);
const TIME_TO_ANSWER: Duration = Duration::from_millis(200);
