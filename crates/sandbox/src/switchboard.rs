//! Which faults are switched on, and what a request will meet. That is decided when it arrives, so that "the next one"
//! is the first to arrive even when three come together; [`crate::traffic`] carries it out.

mod plan;
mod switch;

use serde::Serialize;
use serde_json::Value;

use crate::fault::Fault;
use crate::invalid::Invalid;
use crate::name::{Dialect, Endpoint};

pub(crate) use self::plan::Plan;
pub use self::switch::{Switch, Switched};

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FaultState {
    pub name: Fault,
    pub about: &'static str,
    /// The value it takes when none is given.
    pub default: Value,
    pub applies_to: &'static [Endpoint],
    /// Those that it meets when none is named.
    pub default_on: &'static [Endpoint],
    pub only: Option<Dialect>,
    /// `None` while it is switched off.
    pub switched: Option<Switched>,
    pub met: u64,
}

#[derive(Default)]
pub(crate) struct Switchboard {
    lines: [Line; Fault::ALL.len()],
}

impl Switchboard {
    pub(crate) fn set(&mut self, fault: Fault, switch: Switch) -> Result<(), Invalid> {
        let switched = switch.filled(fault)?;
        self.lines[fault as usize].switched = Some(switched);
        Ok(())
    }

    pub(crate) fn clear(&mut self, fault: Fault) {
        self.lines[fault as usize].switched = None;
    }

    pub(crate) fn clear_all(&mut self) {
        Fault::ALL.into_iter().for_each(|fault| self.clear(fault));
    }

    pub(crate) fn states(&self) -> Vec<FaultState> {
        Fault::ALL.map(|fault| self.state(fault)).into()
    }

    pub(crate) fn state(&self, fault: Fault) -> FaultState {
        let (sheet, line) = (fault.sheet(), &self.lines[fault as usize]);
        FaultState {
            name: fault,
            about: sheet.about,
            default: sheet.default,
            applies_to: sheet.applies_to,
            default_on: sheet.default_on,
            only: sheet.only,
            switched: line.switched.clone(),
            met: line.met,
        }
    }

    /// Decides what a request meets that arrives now, and counts it as met.
    pub(crate) fn meet(&mut self, dialect: Dialect, endpoint: Endpoint) -> Plan {
        let mut plan = Plan::default();
        for fault in Fault::ALL {
            let is_answered = plan.gate.is_some();
            let line = &mut self.lines[fault as usize];
            if is_answered || !line.matches(dialect, endpoint) || plan.after.is_some() {
                continue;
            }
            plan.add(fault, line.take());
        }
        plan
    }
}

#[derive(Default)]
struct Line {
    switched: Option<Switched>,
    met: u64,
}

impl Line {
    fn matches(&self, dialect: Dialect, endpoint: Endpoint) -> bool {
        self.switched.as_ref().is_some_and(|switched| {
            switched.on.contains(&endpoint) && switched.dialect.is_none_or(|only| only == dialect)
        })
    }

    fn take(&mut self) -> Value {
        self.met += 1;
        let Some(switched) = &mut self.switched else { return Value::Null };
        let value = switched.value.clone();
        match &mut switched.left {
            None => {}
            Some(1) => self.switched = None,
            Some(left) => *left -= 1,
        }
        value
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_fault_meets_the_next_matching_requests_and_is_used_up() {
        let mut board = Switchboard::default();
        board.set(Fault::Status, switch(json!({"on": ["refresh"], "left": 2, "dialect": "nestjs"}))).unwrap();
        assert_eq!(board.meet(Dialect::NestJs, Endpoint::Login), Plan::default());
        assert_eq!(board.meet(Dialect::Flask, Endpoint::Refresh), Plan::default());
        for left in [Some(1), None] {
            let plan = board.meet(Dialect::NestJs, Endpoint::Refresh);
            assert_eq!(plan.gate, Some((Fault::Status, json!(503))));
            assert_eq!(board.state(Fault::Status).switched.and_then(|switched| switched.left), left);
        }
        assert_eq!(board.meet(Dialect::NestJs, Endpoint::Refresh), Plan::default());
        assert_eq!(board.state(Fault::Status).met, 2);
    }

    #[test]
    fn null_is_no_value_except_where_it_means_something() {
        let mut board = Switchboard::default();
        let value = |board: &Switchboard, fault| board.state(fault).switched.map(|switched| switched.value);
        for fault in [Fault::Latency, Fault::RateLimit] {
            board.set(fault, switch(json!({"value": null}))).unwrap();
        }
        assert_eq!(value(&board, Fault::Latency), Some(json!(2_000)));
        assert_eq!(value(&board, Fault::RateLimit), Some(Value::Null));
    }

    #[test]
    fn a_request_that_is_not_processed_uses_up_nothing_of_what_would_change_the_processing() {
        let mut board = Switchboard::default();
        for fault in [Fault::Latency, Fault::Omit, Fault::LostAnswer, Fault::CaptivePortal, Fault::Hang] {
            board.set(fault, switch(json!({"left": 1}))).unwrap();
        }
        let plan = board.meet(Dialect::Flask, Endpoint::Refresh);
        assert_eq!((plan.latency_ms, plan.fault), (2_000, Some(Fault::Hang)));
        assert_eq!(plan.gate, Some((Fault::Hang, Value::Null)));
        assert_eq!(board.meet(Dialect::Flask, Endpoint::Refresh).fault, Some(Fault::CaptivePortal));
        let plan = board.meet(Dialect::Flask, Endpoint::Refresh);
        assert_eq!((plan.after, plan.tweaks.omit), (Some(Fault::LostAnswer), vec!["access".to_owned()]));
        assert_eq!(board.meet(Dialect::Flask, Endpoint::Refresh), Plan::default());
    }

    #[test]
    fn every_fault_can_be_switched_on_with_its_defaults_and_off() {
        let mut board = Switchboard::default();
        for (place, fault) in Fault::ALL.into_iter().enumerate() {
            assert_eq!(fault as usize, place);
            assert_eq!(Fault::named(fault.name()), Some(fault));
            board.set(fault, Switch::default()).unwrap();
            let Some(on) = board.state(fault).switched.map(|switched| switched.on) else {
                panic!("{fault:?}")
            };
            let dialect = board.state(fault).only.unwrap_or(Dialect::Heartbeat);
            assert_eq!(board.meet(dialect, on[0]).fault, Some(fault));
            board.clear(fault);
            assert_eq!(board.meet(dialect, on[0]).fault, None);
        }
    }

    #[test]
    fn nonsense_is_refused_by_name() {
        let wrong = |fault: Fault, body: Value| {
            let error = Switch::parse(&body).and_then(|switch| Switchboard::default().set(fault, switch));
            error.unwrap_err().message
        };
        assert_eq!(wrong(Fault::Status, json!({"value": 200})), "`value` cannot be 200");
        assert_eq!(wrong(Fault::Hang, json!({"value": 1})), "`value` cannot be 1");
        assert_eq!(wrong(Fault::RateLimit, json!({"value": "a\r\nb"})), "`value` cannot be \"a\\r\\nb\"");
        assert_eq!(wrong(Fault::Omit, json!({"value": []})), "`value` cannot be []");
        assert_eq!(wrong(Fault::StrangeExpiry, json!({"value": "odd"})), "`value` cannot be \"odd\"");
        assert_eq!(wrong(Fault::Hang, json!({"left": 0})), "`left` cannot be 0");
        assert_eq!(wrong(Fault::Hang, json!({"left": -1})), "`left` cannot be -1");
        assert_eq!(wrong(Fault::Hang, json!({"on": "login"})), "`on` cannot be \"login\"");
        assert_eq!(wrong(Fault::Omit, json!({"on": ["resource"]})), "`on` cannot be [\"resource\"]");
        assert_eq!(wrong(Fault::Hang, json!({"dialect": "rails"})), "`dialect` cannot be \"rails\"");
        assert_eq!(wrong(Fault::WrongIss, json!({"dialect": "flask"})), "`dialect` cannot be \"flask\"");
        assert_eq!(wrong(Fault::WrongState, json!({"value": "odd"})), "`value` cannot be \"odd\"");
        assert_eq!(wrong(Fault::AlgConfusion, json!({"value": "rs256"})), "`value` cannot be \"rs256\"");
        assert_eq!(wrong(Fault::WrongIdToken, json!({"value": "azp"})), "`value` cannot be \"azp\"");
        assert_eq!(wrong(Fault::Hang, json!({"lefft": 1})), "there is no field `lefft`");
    }

    fn switch(body: Value) -> Switch {
        Switch::parse(&body).unwrap()
    }
}
