use std::collections::VecDeque;

use serde::Serialize;

use crate::fault::Fault;
use crate::name::{Dialect, Endpoint};

/// What a dialect has seen since the start: requests as they arrive, whatever fault they meet; grants, refusals and
/// side effects as they are processed, whether or not the answer gets through.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counters {
    pub logins: u64,
    pub refreshes_received: u64,
    pub refreshes_granted: u64,
    pub refreshes_refused: u64,
    /// Spent refresh tokens that came back outside the grace.
    pub reuse_detected: u64,
    pub families_revoked: u64,
    pub heartbeats: u64,
    pub resource_requests: u64,
    /// Heartbeats and resource requests whose access token was not accepted.
    pub unauthorized: u64,
    /// Notes that were taken: what must happen once only.
    pub side_effects: u64,
    pub max_refreshes_in_flight: u64,
    pub codes_issued: u64,
    pub device_polls: u64,
}

/// A request that is over: answered, or never to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LogEntry {
    /// Grows in the order in which requests end.
    pub n: u64,
    pub arrived: u64,
    pub at_ms: u64,
    pub dialect: Dialect,
    pub endpoint: Endpoint,
    pub method: String,
    /// Without the query, which may hold a token.
    pub path: String,
    /// `None` when no answer was given.
    pub status: Option<u16>,
    pub fault: Option<Fault>,
}

#[derive(Default)]
pub(crate) struct Log {
    entries: VecDeque<LogEntry>,
    written: u64,
}

impl Log {
    pub(crate) fn write(&mut self, mut entry: LogEntry) {
        self.written += 1;
        entry.n = self.written;
        if self.entries.len() == KEPT {
            self.entries.pop_front();
        }
        self.entries.push_back(entry);
    }

    pub(crate) fn after(&self, n: u64) -> Vec<LogEntry> {
        self.entries.iter().filter(|entry| entry.n > n).cloned().collect()
    }

    /// Forgets the entries; the numbers go on, so that a reader's place stays right.
    pub(crate) fn clear(&mut self) {
        self.entries.clear();
    }
}

const KEPT: usize = 10_000;
