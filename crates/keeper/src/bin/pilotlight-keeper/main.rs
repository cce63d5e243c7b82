//! The programs behind the `pilotlight` command: the keeper itself, the sandbox, and the demo that runs both.

mod demo;
mod place;
mod run;
mod sandbox;
mod signals;

use std::fmt::Display;
use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use keeper::api::Failure;
use keeper::words::Words;

#[derive(Parser)]
#[command(name = "pilotlight-keeper", version, about = "The session keeper of Pilotlight")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Tries everything out against a sandbox in this process, and tells what happens
    Demo(demo::Arguments),
    /// Runs the keeper in this terminal
    Keeper,
    /// Runs the keeper for a face that waits for one line: `ready`, or what went wrong
    #[command(hide = true)]
    Run,
    /// Runs an authorization server and API to try clients against
    Sandbox(sandbox::Arguments),
}

/// Says what went wrong and what to do, in the person's language.
fn explain(program: &str, failure: &Failure) {
    let (problem, next) = Words::for_locale().say(failure);
    tell(format_args!("pilotlight {program}: {problem}\n  → {next} [{}]", failure.code.key()));
}

/// On standard error. That it is full, or a terminal that is gone, is no reason to end.
fn tell(line: impl Display) {
    drop(writeln!(io::stderr(), "{line}"));
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            tell(format_args!("pilotlight-keeper: {error}"));
            return ExitCode::FAILURE;
        }
    };
    let code = match arguments.command {
        Command::Demo(arguments) => runtime.block_on(demo::demo(arguments)),
        Command::Keeper => runtime.block_on(run::run(run::Audience::Person)),
        Command::Run => runtime.block_on(run::run(run::Audience::Face)),
        Command::Sandbox(arguments) => runtime.block_on(sandbox::sandbox(arguments)),
    };
    // A resolver that hangs on a dead network is not waited for.
    runtime.shutdown_background();
    code
}
