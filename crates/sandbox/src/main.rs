use std::fmt::Display;
use std::io::{self, Write as _};
use std::process::ExitCode;
use std::time::Duration;

use api::words::Words;
use api::{Code, Failure, Problem, duration};
use clap::{Parser, ValueEnum};
use pilotlight_sandbox::{Dialect, Rotation, Settings, StartError, start};
use tokio::io::AsyncReadExt as _;

/// An authorization server and API to try clients against
#[derive(Parser)]
#[command(name = "pilotlight-sandbox", version)]
struct Arguments {
    /// Port on 127.0.0.1; 0 takes any that is free
    #[arg(long, default_value_t = 9310)]
    port: u16,
    /// How long access tokens live
    #[arg(long, default_value = "30s", value_parser = duration::parse)]
    access_ttl: Duration,
    /// How long refresh tokens live
    #[arg(long, default_value = "30d", value_parser = duration::parse)]
    refresh_ttl: Duration,
    /// How long a session lives, however often it is refreshed
    #[arg(long, default_value = "3650d", value_parser = duration::parse)]
    session_ttl: Duration,
    /// The OAuth issuer says how long its refresh tokens live
    #[arg(long)]
    tell_refresh_ttl: bool,
    /// What becomes of spent refresh tokens, in every dialect; each has its own habit when this is not given
    #[arg(long)]
    rotation: Option<RotationName>,
    /// How long a spent refresh token gets the same answer again
    #[arg(long, value_parser = duration::parse)]
    grace: Option<Duration>,
    /// Writes {"url":…} to standard output once it listens
    #[arg(long)]
    announce: bool,
    /// Ends when standard input does
    #[arg(long)]
    until_parent_exits: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum RotationName {
    Off,
    On,
    Strict,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime.block_on(run(arguments)),
        Err(error) => {
            tell(format_args!("pilotlight sandbox: {error}"));
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> ExitCode {
    let sandbox = match start(settings(&arguments)).await {
        Ok(sandbox) => sandbox,
        Err(error) => {
            explain(&not_started(&error));
            return ExitCode::FAILURE;
        }
    };
    let url = sandbox.url();
    if arguments.announce {
        drop(writeln!(io::stdout(), "{}", serde_json::json!({ "url": url })));
    } else {
        tell(format_args!("The sandbox listens on {url}. Sign in as alice / wonderland or bob / builder."));
        for dialect in Dialect::ALL.into_iter().filter(|dialect| *dialect != Dialect::OAuth) {
            let preset = dialect.name();
            tell(format_args!(
                "  pilotlight add my-{preset} --preset {preset} --url {url}/{preset} --sandbox"
            ));
        }
        tell(format_args!(
            "  pilotlight add my-oauth --issuer {url}/oauth --client-id pilotlight --url {url}/oauth --resource \
             /api/profile --sandbox"
        ));
        tell(format_args!("Faults: curl {url}/control    Ctrl-C ends it."));
    }
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        () = parent_exits(), if arguments.until_parent_exits => {}
    }
    sandbox.stop().await;
    ExitCode::SUCCESS
}

fn not_started(error: &StartError) -> Failure {
    match error {
        StartError::PortInUse { port } => Failure::new(Code::PortInUse).with("port", port),
        StartError::Listen { port, source } => {
            let problem = Problem::CannotListen { port: *port, said: source.to_string() };
            Failure::new(Code::Internal).because(problem)
        }
        StartError::Random(source) => {
            let problem = Problem::NoRandomness { said: Some(source.to_string()) };
            Failure::new(Code::Internal).because(problem)
        }
    }
}

fn settings(arguments: &Arguments) -> Settings {
    let mut settings = Settings {
        port: arguments.port,
        access_ttl: arguments.access_ttl,
        refresh_ttl: arguments.refresh_ttl,
        session_ttl: arguments.session_ttl,
        ..Settings::default()
    };
    settings.oauth.tells_refresh_ttl = arguments.tell_refresh_ttl;
    for dialect in Dialect::ALL {
        let habit = &mut settings.dialects[dialect];
        if let Some(rotation) = arguments.rotation {
            habit.rotation = match rotation {
                RotationName::Off => Rotation::Off,
                RotationName::On => Rotation::On,
                RotationName::Strict => Rotation::Strict,
            };
        }
        habit.grace = arguments.grace.unwrap_or(habit.grace);
    }
    settings
}

async fn parent_exits() {
    let mut nothing = Vec::new();
    drop(tokio::io::stdin().read_to_end(&mut nothing).await);
}

fn explain(failure: &Failure) {
    let (problem, next) = Words::for_locale().say(failure);
    tell(format_args!("pilotlight sandbox: {problem}\n  → {next} [{}]", failure.code.key()));
}

/// On standard error. That it is full, or a terminal that is gone, is no reason to end.
fn tell(line: impl Display) {
    drop(writeln!(io::stderr(), "{line}"));
}
