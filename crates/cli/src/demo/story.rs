//! The demo told to a program, as JSON lines, or to a person.

use std::io::{IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

use api::words::{Tone, Words, tone};
use api::{Entry, Failure, Fetched, Note, SessionView};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::plan::Deed;
use crate::face::say;

#[derive(Default)]
pub(crate) struct Tally {
    pub(crate) heartbeats: u64,
    pub(crate) requests: u64,
    pub(crate) failed: u64,
    pub(crate) replayed: u64,
    pub(crate) faults: u64,
}

#[derive(Deserialize)]
pub(crate) struct Counters {
    logins: u64,
    refreshes_granted: u64,
    max_refreshes_in_flight: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Summary {
    logins: u64,
    refreshes: u64,
    heartbeats: u64,
    requests: u64,
    failed: u64,
    replayed: u64,
    max_refreshes_in_flight: u64,
    faults: u64,
}

impl Summary {
    pub(crate) fn new(tally: &Tally, server: &Counters) -> Self {
        Self {
            logins: server.logins,
            refreshes: server.refreshes_granted,
            heartbeats: tally.heartbeats,
            requests: tally.requests,
            failed: tally.failed,
            replayed: tally.replayed,
            max_refreshes_in_flight: server.max_refreshes_in_flight,
            faults: tally.faults,
        }
    }

    pub(crate) fn is_good(&self) -> bool {
        self.logins == 1 && self.failed == 0 && self.max_refreshes_in_flight <= 1
    }
}

pub(crate) struct Story {
    began: Instant,
    teller: Teller,
    life: Option<Life>,
}

#[derive(Clone, Copy)]
struct Life {
    generation: u32,
    lived_ms: u64,
    lifetime_ms: u64,
}

enum Teller {
    Json,
    Person { words: Words, bar: ProgressBar, colour: bool },
}

impl Story {
    pub(crate) fn new(json: bool) -> Self {
        let teller = if json {
            Teller::Json
        } else {
            let bar = ProgressBar::with_draw_target(Some(1000), ProgressDrawTarget::stderr_with_hz(10));
            if let Ok(style) = ProgressStyle::with_template("  {prefix}  {bar:32.blue/black}  {msg}") {
                bar.set_style(style.progress_chars("━━─"));
            }
            let colour = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
            Teller::Person { words: Words::for_locale(), bar, colour }
        };
        Self { began: Instant::now(), teller, life: None }
    }

    pub(crate) fn begin(&self, url: &str, lifetime: Duration, duration: Duration) {
        match &self.teller {
            Teller::Json => self.emit(&json!({
                "event": "started", "url": url, "access_token_lifetime_ms": ms(lifetime), "duration_ms": ms(duration),
            })),
            Teller::Person { words, .. } => {
                self.line("", &words.fill("cli.demo.begin", &[
                    ("url", url),
                    ("lifetime", &words.duration(ms(lifetime))),
                    ("duration", &words.duration(ms(duration))),
                ]));
            }
        }
    }

    pub(crate) fn note(&self, entry: &Entry) {
        match &self.teller {
            Teller::Json => self.emit(&json!({ "event": "note", "note": entry.note })),
            Teller::Person { words, .. } => self.line(glyph(&entry.note), &words.note(&entry.note)),
        }
    }

    pub(crate) fn deed(&self, deed: Deed) {
        match &self.teller {
            Teller::Json => self.emit(&json!({ "event": "fault", "fault": deed.name() })),
            Teller::Person { words, .. } => {
                self.line("⚡", &words.fill(&format!("cli.demo.{}", deed.name()), &[]));
            }
        }
    }

    pub(crate) fn answered(&self, path: &str, fetched: &Fetched) {
        if matches!(self.teller, Teller::Json) {
            self.emit(&json!({
                "event": "request", "path": path, "status": fetched.status, "replayed": fetched.replayed,
                "generation": fetched.generation, "took_ms": fetched.took_ms,
            }));
        }
    }

    pub(crate) fn failed(&self, path: &str, failure: &Failure) {
        match &self.teller {
            Teller::Json => self.emit(&json!({ "event": "request", "path": path, "error": failure })),
            Teller::Person { words, .. } => self.line("✗", &format!("{path}: {}", words.say(failure).0)),
        }
    }

    pub(crate) fn look(&mut self, session: &SessionView) {
        let Teller::Person { words, bar, .. } = &self.teller else { return };
        let Some(access) = &session.access else { return };
        if let Some(life) = self.life.filter(|life| life.generation != access.generation) {
            let line = words.fill(
                "cli.demo.life",
                &[
                    ("generation", &format!("{:<2}", life.generation)),
                    ("bar", &drawn(life)),
                    ("lived", &words.measured(life.lived_ms)),
                    ("lifetime", &words.duration(life.lifetime_ms)),
                ],
            );
            self.line("", &line);
        }
        let lived_ms = access.lifetime_ms.saturating_sub(access.remaining_ms);
        self.life = Some(Life { generation: access.generation, lived_ms, lifetime_ms: access.lifetime_ms });
        let left = access.remaining_ms.saturating_mul(1000) / access.lifetime_ms.max(1);
        bar.set_position(left);
        bar.set_prefix(words.fill("cli.demo.token", &[("generation", &access.generation.to_string())]));
        let message = match session.refresh_in_ms {
            Some(wait) => words.fill("cli.demo.refresh_in", &[("duration", &words.measured(wait))]),
            None => words.phase(&session.phase),
        };
        bar.set_message(message);
    }

    pub(crate) fn end(&self, summary: &Summary) {
        match &self.teller {
            Teller::Json => {
                let mut line = serde_json::to_value(summary).unwrap_or_default();
                line["event"] = "summary".into();
                self.emit(&line);
            }
            Teller::Person { words, bar, .. } => {
                bar.finish_and_clear();
                let figures = [
                    ("logins", summary.logins),
                    ("refreshes", summary.refreshes),
                    ("heartbeats", summary.heartbeats),
                    ("requests", summary.requests),
                    ("failed", summary.failed),
                    ("replayed", summary.replayed),
                    ("faults", summary.faults),
                ]
                .map(|(name, figure)| (name, figure.to_string()));
                let figures: Vec<_> = figures.iter().map(|(name, figure)| (*name, figure.as_str())).collect();
                self.line("", &words.fill("cli.demo.end", &figures));
            }
        }
    }

    /// A closed standard output does not end the demo.
    fn emit(&self, line: &serde_json::Value) {
        let mut line = line.clone();
        line["at_ms"] = ms(self.began.elapsed()).into();
        drop(writeln!(std::io::stdout(), "{line}"));
    }

    fn line(&self, glyph: &str, text: &str) {
        let Teller::Person { bar, colour, .. } = &self.teller else { return };
        let at = self.began.elapsed().as_secs_f64();
        let line = if *colour {
            format!("\x1b[2m{at:6.1} s\x1b[0m  {glyph:1}  {text}")
        } else {
            format!("{at:6.1} s  {glyph:1}  {text}")
        };
        bar.suspend(|| say(&line));
    }
}

fn glyph(note: &Note) -> &'static str {
    match tone(note) {
        Tone::Good => "●",
        Tone::Late => "▲",
        Tone::Person => "✗",
        Tone::Plain if matches!(note, Note::Heartbeat { .. }) => "♥",
        Tone::Plain if matches!(note, Note::Replayed { .. }) => "↻",
        Tone::Plain => "·",
    }
}

fn drawn(life: Life) -> String {
    let lived = life.lived_ms.saturating_mul(LINE).div_ceil(life.lifetime_ms.max(1)).min(LINE);
    (0..LINE).map(|at| if at < lived { '━' } else { '┄' }).collect()
}

/// In characters.
const LINE: u64 = 28;

fn ms(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
