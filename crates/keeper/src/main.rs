use std::process::ExitCode;

use clap::{Parser, Subcommand};
use keeper::process::{self, Audience};

#[derive(Parser)]
#[command(name = "pilotlight-keeper", version, about = "The session keeper of Pilotlight")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Runs the keeper in this terminal
    Keeper,
    /// Runs the keeper for a face that waits for one line: `ready`, or what went wrong
    #[command(hide = true)]
    Run,
}

fn main() -> ExitCode {
    process::main(match Arguments::parse().command {
        Command::Keeper => Audience::Person,
        Command::Run => Audience::Face,
    })
}
