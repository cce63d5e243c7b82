use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use api::{Code, Failure, Problem};
use serde::Deserialize;

use crate::programs::Program;

/// It ends with its standard input, and so with this program, however that ends.
#[derive(Debug)]
pub struct SandboxProcess {
    process: Child,
    url: String,
}

#[derive(Deserialize)]
struct Announced {
    url: String,
}

impl SandboxProcess {
    /// It listens on a free port. `options` are those of its command line.
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

    pub fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for SandboxProcess {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

fn failed(problem: Problem) -> Failure {
    Failure::new(Code::SandboxFailed).because(problem)
}
