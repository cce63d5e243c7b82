//! The state of a running sandbox, shared by those who ask it and those who control it.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::book::Book;
use crate::clock::Clock;
use crate::counters::{Counters, Log};
use crate::ledger::Ledger;
use crate::mint::Mint;
use crate::name::{Dialect, Endpoint, PerDialect};
use crate::serve::Stop;
use crate::settings::Settings;
use crate::switchboard::{Plan, Switchboard};

pub(crate) struct Bench {
    pub(crate) clock: Clock,
    pub(crate) mint: Mint,
    pub(crate) stop: Stop,
    state: Mutex<State>,
}

pub(crate) struct State {
    pub(crate) settings: Settings,
    pub(crate) switchboard: Switchboard,
    pub(crate) books: PerDialect<Book>,
    pub(crate) ledger: Ledger,
    pub(crate) counters: PerDialect<Counters>,
    pub(crate) log: Log,
    arrived: u64,
    refreshes_in_flight: PerDialect<u64>,
}

pub(crate) struct Arrival<'a> {
    pub(crate) number: u64,
    pub(crate) plan: Plan,
    pub(crate) in_flight: Option<InFlight<'a>>,
}

/// A refresh whose client is waiting for the answer.
pub(crate) struct InFlight<'a> {
    bench: &'a Bench,
    dialect: Dialect,
}

impl Bench {
    pub(crate) fn new(settings: Settings, mint: Mint, stop: Stop) -> Self {
        let state = State {
            settings,
            switchboard: Switchboard::default(),
            books: PerDialect::default(),
            ledger: Ledger::default(),
            counters: PerDialect::default(),
            log: Log::default(),
            arrived: 0,
            refreshes_in_flight: PerDialect::default(),
        };
        Self { clock: Clock::start(), mint, stop, state: Mutex::new(state) }
    }

    /// Never held across an await. A handler that panicked under it leaves a state that is still worth serving.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn arrive(&self, dialect: Dialect, endpoint: Endpoint) -> Arrival<'_> {
        let mut state = self.state();
        state.arrived += 1;
        let number = state.arrived;
        let plan = state.switchboard.meet(dialect, endpoint);
        match endpoint {
            Endpoint::Refresh => {
                state.refreshes_in_flight[dialect] += 1;
                let in_flight = state.refreshes_in_flight[dialect];
                let counters = &mut state.counters[dialect];
                counters.refreshes_received += 1;
                counters.max_refreshes_in_flight = counters.max_refreshes_in_flight.max(in_flight);
            }
            Endpoint::Heartbeat => state.counters[dialect].heartbeats += 1,
            Endpoint::Resource => state.counters[dialect].resource_requests += 1,
            Endpoint::Poll => state.counters[dialect].device_polls += 1,
            Endpoint::Discovery
            | Endpoint::Authorize
            | Endpoint::Consent
            | Endpoint::Login
            | Endpoint::Logout
            | Endpoint::Other => {}
        }
        let in_flight = (endpoint == Endpoint::Refresh).then(|| InFlight { bench: self, dialect });
        Arrival { number, plan, in_flight }
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.bench.state().refreshes_in_flight[self.dialect] -= 1;
    }
}
