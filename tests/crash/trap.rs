//! The instant at which somebody is killed: the answer to a refresh is due, and the kill comes so much before or after.

use std::io;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// Shared by whoever answers and whoever kills.
#[derive(Clone, Default)]
pub(crate) struct Trap(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    armed: Option<Sender<Instant>>,
    /// When the last byte of each answer to a refresh was written.
    answered: Vec<Instant>,
}

/// The next refresh goes into it.
pub(crate) struct Sprung {
    due: Receiver<Instant>,
    trap: Trap,
    before: usize,
}

impl Trap {
    pub(crate) fn arm(&self) -> Sprung {
        let (tell, due) = channel();
        let mut state = self.0.lock().unwrap();
        state.armed = Some(tell);
        Sprung { due, trap: self.clone(), before: state.answered.len() }
    }

    /// Whoever answers a refresh writes the answer in here. What it did before, the token has been spent by.
    pub(crate) fn answer(&self, write: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
        let armed = self.0.lock().unwrap().armed.take();
        if let Some(tell) = armed {
            let due = Instant::now() + LEAD;
            tell.send(due).ok();
            sleep_until(due);
        }
        let written = write();
        self.0.lock().unwrap().answered.push(Instant::now());
        written
    }

    pub(crate) fn answered(&self) -> Vec<Instant> {
        self.0.lock().unwrap().answered.clone()
    }
}

impl Sprung {
    /// So many microseconds after the answer will be written, or before it.
    pub(crate) fn due(&self, offset: i64) -> Instant {
        let due = self.due.recv_timeout(PATIENCE).expect("nobody refreshed");
        let by = Duration::from_micros(offset.unsigned_abs());
        if offset < 0 { due - by } else { due + by }
    }

    /// When its last byte was.
    pub(crate) fn last_byte(&self) -> Instant {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(answered) = self.trap.answered().get(self.before) {
                return *answered;
            }
            assert!(Instant::now() < deadline, "the answer was never written");
            thread::sleep(Duration::from_micros(200));
        }
    }
}

/// To some ten microseconds: the system's own sleep is late by more than that.
pub(crate) fn sleep_until(then: Instant) {
    let rest = then.saturating_duration_since(Instant::now());
    thread::sleep(rest.saturating_sub(Duration::from_micros(150)));
    while Instant::now() < then {
        std::hint::spin_loop();
    }
}

/// So much before the answer a kill can come.
pub(crate) const LEAD: Duration = Duration::from_millis(6);

const PATIENCE: Duration = Duration::from_secs(20);
