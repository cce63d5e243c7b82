//! The sandbox as a program.

use std::io::Write as _;
use std::process::ExitCode;
use std::time::Duration;

use clap::ValueEnum;
use keeper::api::{Code, Failure};
use keeper::config::parse_duration;
use pilotlight_sandbox::{Rotation, Settings, StartError, start};
use tokio::io::AsyncReadExt as _;

use crate::tell;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Port on 127.0.0.1; 0 takes any that is free
    #[arg(long, default_value_t = 9310)]
    port: u16,
    /// How long access tokens live
    #[arg(long, default_value = "30s", value_parser = parse_duration)]
    access_ttl: Duration,
    /// How long refresh tokens live
    #[arg(long, default_value = "30d", value_parser = parse_duration)]
    refresh_ttl: Duration,
    /// What becomes of spent refresh tokens, in every dialect; each has its own habit when this is not given
    #[arg(long)]
    rotation: Option<RotationName>,
    /// How long a spent refresh token gets the same answer again
    #[arg(long, value_parser = parse_duration)]
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

pub(crate) async fn sandbox(arguments: Arguments) -> ExitCode {
    let sandbox = match start(settings(&arguments)).await {
        Ok(sandbox) => sandbox,
        Err(error) => {
            crate::explain("sandbox", &not_started(&error));
            return ExitCode::FAILURE;
        }
    };
    let url = sandbox.url();
    if arguments.announce {
        drop(writeln!(std::io::stdout(), "{}", serde_json::json!({ "url": url })));
    } else {
        tell(format_args!("The sandbox listens on {url}. Sign in as alice / wonderland or bob / builder."));
        for preset in session::recipe::Recipe::PRESETS {
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

pub(crate) fn not_started(error: &StartError) -> Failure {
    match error {
        StartError::PortInUse { port } => Failure::new(Code::PortInUse).with("port", port),
        StartError::Listen { .. } | StartError::Random(_) => {
            Failure::new(Code::Internal).with("problem", error)
        }
    }
}

fn settings(arguments: &Arguments) -> Settings {
    let mut settings = Settings {
        port: arguments.port,
        access_ttl: arguments.access_ttl,
        refresh_ttl: arguments.refresh_ttl,
        ..Settings::default()
    };
    for dialect in pilotlight_sandbox::Dialect::ALL {
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
