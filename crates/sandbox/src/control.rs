use std::sync::Arc;

use serde_json::Value;

use crate::bench::Bench;
use crate::book::Revoked;
use crate::counters::{Counters, LogEntry};
use crate::fault::Fault;
use crate::invalid::Invalid;
use crate::ledger::{Answer, DeviceState};
use crate::name::{Dialect, PerDialect};
use crate::people::Person;
use crate::settings::Settings;
use crate::switchboard::{FaultState, Switch};

/// Drives a running sandbox. Clones drive the same one; after its end they do nothing that anybody sees.
#[derive(Clone)]
pub struct Control {
    bench: Arc<Bench>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    Access,
    Refresh,
    All,
}

impl Control {
    pub(crate) fn new(bench: Arc<Bench>) -> Self {
        Self { bench }
    }

    pub fn set_fault(&self, fault: Fault, switch: Switch) -> Result<FaultState, Invalid> {
        let mut state = self.bench.state();
        state.switchboard.set(fault, switch)?;
        Ok(state.switchboard.state(fault))
    }

    pub fn clear_fault(&self, fault: Fault) -> FaultState {
        let mut state = self.bench.state();
        state.switchboard.clear(fault);
        state.switchboard.state(fault)
    }

    pub fn clear_faults(&self) {
        self.bench.state().switchboard.clear_all();
    }

    pub fn faults(&self) -> Vec<FaultState> {
        self.bench.state().switchboard.states()
    }

    /// Revokes what the dialect gave to the user; of every dialect and user where none is named.
    pub fn revoke(
        &self,
        what: What,
        dialect: Option<Dialect>,
        user: Option<&str>,
    ) -> Result<Revoked, Invalid> {
        let person = user.map(person).transpose()?;
        let (access, refresh) = (what != What::Refresh, what != What::Access);
        let mut state = self.bench.state();
        let mut revoked = Revoked::default();
        for meant in Dialect::ALL.into_iter().filter(|meant| dialect.is_none_or(|dialect| dialect == *meant))
        {
            let here = state.books[meant].revoke(access, refresh, person);
            revoked.access += here.access;
            revoked.refresh += here.refresh;
        }
        Ok(revoked)
    }

    pub fn devices(&self) -> Vec<DeviceState> {
        self.bench.state().ledger.devices.states(self.bench.clock.now().since_start_ms)
    }

    /// Answers the code that a device shows, in a person's place: `user` connects it, nobody turns it away.
    pub fn answer_device(&self, user_code: &str, user: Option<&str>) -> Result<DeviceState, Invalid> {
        let now = self.bench.clock.now();
        let answer = match user {
            Some(user) => Answer::Approved { person: person(user)?, at_s: now.unix_s },
            None => Answer::Denied,
        };
        let answered = self.bench.state().ledger.devices.answer(user_code, answer, now.since_start_ms);
        answered.ok_or_else(|| {
            Invalid::field(
                "user_code",
                &user_code.into(),
                "a code that a device shows and nobody has answered",
            )
        })
    }

    pub fn counters(&self) -> PerDialect<Counters> {
        self.bench.state().counters
    }

    /// The requests that ended after entry `n`, oldest first; all that are kept for 0.
    pub fn log(&self, after: u64) -> Vec<LogEntry> {
        self.bench.state().log.after(after)
    }

    pub fn clear_log(&self) {
        self.bench.state().log.clear();
    }

    pub fn settings(&self) -> Settings {
        self.bench.state().settings.clone()
    }

    /// Changes settings from now on. The port stays what it is.
    pub fn change_settings(&self, change: impl FnOnce(&mut Settings)) -> Settings {
        let mut state = self.bench.state();
        let port = state.settings.port;
        change(&mut state.settings);
        state.settings.port = port;
        state.settings.clone()
    }

    pub(crate) fn patch_settings(&self, patch: &Value) -> Result<Settings, Invalid> {
        let mut state = self.bench.state();
        state.settings = state.settings.patched(patch)?;
        Ok(state.settings.clone())
    }
}

fn person(user: &str) -> Result<Person, Invalid> {
    Person::named(user).ok_or_else(|| {
        let names = Person::ALL.map(Person::username).join(", ");
        Invalid::field("user", &user.into(), format!("one of {names}"))
    })
}
