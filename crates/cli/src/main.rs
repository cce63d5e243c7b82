//! Scripts run it in loops, so neither HTTP, TLS nor an async runtime is in it: for those it becomes another program.

mod add;
mod args;
mod demo;
mod ended;
mod face;
mod fetch;
mod log;
mod login;
mod people;
mod status;
mod table;
mod terminal;
mod unlock;

use std::io::{self, IsTerminal as _};
use std::os::unix::process::CommandExt as _;
use std::process::ExitCode;
use std::time::Duration;

use api::{Problem, Request, Source};
use clap::Parser as _;
use client::Program;
use os::process::keep_memory_private;

use args::{Arguments, Command, Rest, Token};
use ended::Ended;
use face::Face;

fn main() -> ExitCode {
    let Arguments { json, command } = Arguments::parse();
    let face = Face::new(json);
    // If this fails, only a crash could leave a token on the disk.
    drop(keep_memory_private());
    match run(&face, &command) {
        Ok(code) => ExitCode::from(code),
        Err(mut ended) => {
            name_the_session(&mut ended, &command);
            face.explain(&ended);
            ExitCode::from(ended.exit_code())
        }
    }
}

fn run(face: &Face, command: &Command) -> Result<u8, Ended> {
    match command {
        Command::Add(add) => add::add(face, add),
        Command::Demo(asked) => demo::demo(face, asked),
        Command::Fetch(asked) => fetch::fetch(face, asked),
        Command::Keeper(rest) => become_program(Program::Keeper, &["keeper"], rest),
        Command::Log(asked) => log::log(face, asked),
        Command::Login(login) => login::login(face, login),
        Command::Logout(logout) => people::logout(face, logout),
        Command::Refresh { name } => people::refresh(face, name),
        Command::Remove { name } => people::remove(face, name),
        Command::Sandbox(rest) => become_program(Program::Sandbox, &[], rest),
        Command::Status { name, watch } => status::status(face, name.as_deref(), *watch),
        Command::Stop { force } => people::stop(face, *force),
        Command::Token(asked) => token(face, asked),
        Command::Unlock => unlock::unlock(face),
    }
}

fn token(face: &Face, asked: &Token) -> Result<u8, Ended> {
    let request = Request::Token {
        profile: asked.name.clone(),
        min_valid_ms: asked.min_valid.map_or(0, millis),
        best_effort: asked.best_effort,
        timeout_ms: asked.timeout.map(millis),
    };
    let token = face.connect()?.token(request)?;
    if face.json {
        face.print_json(&token)?;
        return Ok(0);
    }
    face.print(format!("{}\n", token.access_token))?;
    if io::stdout().is_terminal() {
        face.tell("cli.token.terminal", &[]);
    }
    if token.shorter_than_asked {
        let key = match token.source {
            Source::Assumed => "cli.token.short.assumed",
            Source::Learned | Source::Told => "cli.token.short",
        };
        face.tell(key, &[("time", &face.words().duration(token.remaining_ms))]);
    }
    Ok(0)
}

/// So signals, exit code and terminal are the other program's own.
fn become_program(program: Program, command: &[&str], rest: &Rest) -> Result<u8, Ended> {
    let path = program.find()?;
    let error = std::process::Command::new(&path).args(command).args(&rest.arguments).exec();
    Err(program.not_found(&path).because(Problem::said(error)).into())
}

fn name_the_session(ended: &mut Ended, command: &Command) {
    let name = match command {
        Command::Add(add) => Some(&add.name),
        Command::Fetch(asked) => Some(&asked.name),
        Command::Log(asked) => asked.name.as_ref(),
        Command::Login(login) => Some(&login.name),
        Command::Logout(logout) => Some(&logout.name),
        Command::Refresh { name } | Command::Remove { name } => Some(name),
        Command::Status { name, .. } => name.as_ref(),
        Command::Token(asked) => Some(&asked.name),
        Command::Demo(_)
        | Command::Keeper(_)
        | Command::Sandbox(_)
        | Command::Stop { .. }
        | Command::Unlock => None,
    };
    if let Ended::Failed(failure) = ended {
        failure.profile = failure.profile.take().or_else(|| name.cloned());
    }
}

fn millis(duration: Duration) -> u64 {
    duration.as_millis().try_into().unwrap_or(u64::MAX)
}
