//! The keeper as a process: started, asked over its socket, killed, started again; against the sandbox with its
//! faults, and against real servers that nobody here wrote.
//!
//! What goes wrong in the field has a letter and a number in the comments (`B1`): the failure modes that the project
//! is built against. A test waits for what it expects, with a deadline, and sleeps only where the moment itself is
//! what is tested.

// The exemption of tests covers their functions, not their helpers.
#![allow(clippy::unwrap_used)]

mod harness;

mod against_servers;
mod bound;
mod burst;
mod changing;
mod clocks;
mod config;
mod crash;
mod credential;
mod crowd;
mod disk;
mod faults;
mod forecast;
mod frozen;
mod herd;
mod home;
mod hostile;
mod hostile_two;
mod interop;
mod io_errors;
mod living;
#[path = "../logind/mod.rs"]
mod logind;
mod migrating;
mod mistakes;
mod moved_clocks;
#[allow(dead_code, reason = "it is there for the tests of what is heard, which need all of it")]
#[path = "../networks/mod.rs"]
mod networks;
mod oauth_demands;
mod oauth_living;
mod oauth_mistakes;
mod oauth_secrets;
mod oauth_sign_out;
mod oauth_terms;
mod outages;
mod overheard;
#[path = "../private_bus/mod.rs"]
mod private_bus;
mod process;
#[path = "../programs/mod.rs"]
mod programs;
mod promise;
mod replay;
mod secrets;
mod sign_out;
mod signals;
mod sleeping;
mod slow;
mod socket;
mod stopping;
mod system_bus;
mod tls;
mod unlocking;
mod waking;
