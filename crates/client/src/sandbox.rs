//! A sandbox that lives as long as the face that plays with it.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use api::{Code, Failure, Problem};
use serde::Deserialize;

use crate::programs::Program;

/// A running sandbox. It ends with its standard input, and so with this program, however that ends.
#[derive(Debug)]
pub struct Sandbox {
    process: Child,
    url: String,
}

/// What it says once it listens.
#[derive(Deserialize)]
struct Announced {
    url: String,
}

impl Sandbox {
    /// Starts one on a port that is free. `options` are of its command line, besides those that make it ours.
    ///
    /// # Errors
    ///
    /// When there is no such program, or it does not listen.
    pub fn start(options: &[&str]) -> Result<Self, Failure> {
        let program = Program::Sandbox.find()?;
        let mut process = Command::new(&program)
            .args(["--port", "0", "--announce", "--until-parent-exits"])
            .args(options)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| failed(Problem::said(error)))?;
        let mut line = String::new();
        if let Some(stdout) = process.stdout.take() {
            drop(BufReader::new(stdout).read_line(&mut line));
        }
        match serde_json::from_str(&line) {
            Ok(Announced { url }) => Ok(Self { process, url }),
            Err(_) => {
                drop(process.kill());
                drop(process.wait());
                Err(failed(match line.trim_end() {
                    "" => Problem::EndedAtOnce,
                    other => Problem::said(other),
                }))
            }
        }
    }

    /// Where it listens. Each of its dialects has a path below that.
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

fn failed(problem: Problem) -> Failure {
    Failure::new(Code::SandboxFailed).because(problem)
}
