//! The command as scripts and people meet it: real processes in front of a keeper that says what it is told to.

// The exemption of tests covers their functions, not their helpers.
#![allow(clippy::unwrap_used)]

#[path = "cli/adding.rs"]
mod adding;
#[path = "cli/asking.rs"]
mod asking;
#[path = "cli/elsewhere.rs"]
mod elsewhere;
#[path = "cli/fake.rs"]
mod fake;
#[path = "cli/linked.rs"]
mod linked;
mod programs;
#[path = "cli/provider.rs"]
mod provider;
#[path = "cli/sign_out.rs"]
mod sign_out;
#[path = "cli/signing_in.rs"]
mod signing_in;
#[path = "cli/starting.rs"]
mod starting;
#[path = "cli/stopping.rs"]
mod stopping;
#[path = "cli/terminal.rs"]
mod terminal;
#[path = "cli/unlocking.rs"]
mod unlocking;
#[path = "cli/watching.rs"]
mod watching;
#[path = "cli/wrong.rs"]
mod wrong;
