//! Which faults are switched on, and what an arriving request will meet.
//!
//! A switched fault meets the next matching requests: a given number of them, or all. What a request meets is decided
//! at once when it arrives, so that "the next one" means the first to arrive even when three come together. Here is
//! only decided; `traffic` carries it out.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::fault::Fault;
use crate::invalid::{Invalid, fields};
use crate::name::{Dialect, Endpoint};
use crate::tweaks::{Amiss, Confusion, Flaw, StrangeExpiry, Tweaks};

/// How a fault is switched on.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Switch {
    /// What it needs to know, as its [`about`](Fault::about) says; its default when `None`.
    pub value: Option<Value>,
    /// The endpoints that it meets; the usual ones when empty.
    pub on: Vec<Endpoint>,
    /// The only dialect that it meets, if any.
    pub dialect: Option<Dialect>,
    /// How many requests it will meet; all, until it is switched off, when `None`.
    pub left: Option<u32>,
}

/// A fault, what is to be known about it, and how it is set.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FaultState {
    pub name: Fault,
    pub about: &'static str,
    /// The value it takes when none is given.
    pub default: Value,
    /// The endpoints where it makes sense.
    pub applies_to: &'static [Endpoint],
    /// Those that it meets when none is named.
    pub default_on: &'static [Endpoint],
    /// The only dialect that it can meet, if there is but one.
    pub only: Option<Dialect>,
    /// `None` while it is switched off.
    pub switched: Option<Switched>,
    /// How many requests have met it so far.
    pub met: u64,
}

/// A [`Switch`] with its gaps filled.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Switched {
    pub value: Value,
    pub on: Vec<Endpoint>,
    pub dialect: Option<Dialect>,
    pub left: Option<u32>,
}

#[derive(Default)]
pub(crate) struct Switchboard {
    lines: [Line; Fault::ALL.len()],
}

/// What one request meets.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Plan {
    pub(crate) latency_ms: u64,
    /// Answers, or keeps silent, in the server's place: nothing is processed.
    pub(crate) gate: Option<(Fault, Value)>,
    pub(crate) tweaks: Tweaks,
    /// What becomes of the answer: [`Fault::LostAnswer`] or [`Fault::Truncated`].
    pub(crate) after: Option<Fault>,
    /// The most telling of all of them, for the log.
    pub(crate) fault: Option<Fault>,
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

impl Plan {
    fn add(&mut self, fault: Fault, value: Value) {
        self.fault = Some(fault);
        match fault {
            Fault::Latency => self.latency_ms = value.as_u64().unwrap_or_default(),
            Fault::Hang
            | Fault::Reset
            | Fault::Status
            | Fault::BareStatus
            | Fault::RateLimit
            | Fault::CaptivePortal
            | Fault::Redirect
            | Fault::NotJson
            | Fault::Huge
            | Fault::Refuse => self.gate = Some((fault, value)),
            Fault::ClockSkew => self.tweaks.skew_s = value.as_i64().unwrap_or_default(),
            Fault::Omit => self.tweaks.omit = serde_json::from_value(value).unwrap_or_default(),
            Fault::StrangeExpiry => self.tweaks.expiry = serde_json::from_value(value).ok(),
            Fault::SameToken => self.tweaks.same_token = true,
            Fault::HeartbeatNo => self.tweaks.heartbeat_no = true,
            Fault::WrongIss => self.tweaks.oauth.iss = serde_json::from_value(value).ok(),
            Fault::WrongState => self.tweaks.oauth.state = serde_json::from_value(value).ok(),
            Fault::AlgConfusion => self.tweaks.oauth.alg = serde_json::from_value(value).ok(),
            Fault::WrongIdToken => self.tweaks.oauth.id_token = serde_json::from_value(value).ok(),
            Fault::ForeignMetadata => self.tweaks.oauth.foreign_metadata = true,
            Fault::HttpEndpoints => self.tweaks.oauth.http_endpoints = true,
            Fault::InteractionRequired => self.tweaks.oauth.interaction_required = true,
            Fault::LostAnswer | Fault::Truncated => self.after = Some(fault),
        }
    }
}

impl Switch {
    pub(crate) fn parse(body: &Value) -> Result<Self, Invalid> {
        let body = fields(body, "the body", &["value", "on", "dialect", "left"])?;
        let on = match body.get("on") {
            None | Some(Value::Null) => Vec::new(),
            Some(on) => Vec::deserialize(on).map_err(|_| {
                let names = Endpoint::ALL.map(Endpoint::name).join(", ");
                Invalid::field("on", on, format!("a list of {names}"))
            })?,
        };
        let dialect = match body.get("dialect") {
            None | Some(Value::Null) => None,
            Some(dialect) => Some(Dialect::parse("dialect", dialect)?),
        };
        let left = match body.get("left") {
            None | Some(Value::Null) => None,
            Some(left) => Some(
                left.as_u64()
                    .and_then(|left| u32::try_from(left).ok())
                    .ok_or_else(|| Invalid::field("left", left, LEFT))?,
            ),
        };
        Ok(Self { value: body.get("value").cloned(), on, dialect, left })
    }

    fn filled(self, fault: Fault) -> Result<Switched, Invalid> {
        let sheet = fault.sheet();
        let value = match self.value {
            // Null means something only here: no header.
            Some(value) if !value.is_null() || fault == Fault::RateLimit => value,
            _ => sheet.default,
        };
        check(fault, &value)?;
        if self.left == Some(0) {
            return Err(Invalid::field("left", &json!(0), LEFT));
        }
        if let Some(senseless) = self.on.iter().find(|endpoint| !sheet.applies_to.contains(endpoint)) {
            let sensible: Vec<_> = sheet.applies_to.iter().map(|endpoint| endpoint.name()).collect();
            return Err(Invalid::field("on", &json!([senseless]), format!("any of {}", sensible.join(", "))));
        }
        let on = if self.on.is_empty() { sheet.default_on.to_vec() } else { self.on };
        let dialect = self.dialect.or(sheet.only);
        if let (Some(dialect), Some(only)) = (dialect, sheet.only)
            && dialect != only
        {
            return Err(Invalid::field("dialect", &json!(dialect), only.name()));
        }
        Ok(Switched { value, on, dialect, left: self.left })
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

fn check(fault: Fault, value: &Value) -> Result<(), Invalid> {
    let (is_good, hint) = match fault {
        Fault::Latency => (within(value, 0, 600_000), "milliseconds, at most 600000"),
        Fault::Status | Fault::BareStatus => (within(value, 400, 599), "a status from 400 to 599"),
        Fault::RateLimit => {
            let is_header =
                value.as_str().is_some_and(|text| text.bytes().all(|byte| (32..127).contains(&byte)));
            (value.is_null() || value.is_u64() || is_header, "whole seconds, an HTTP date or null")
        }
        Fault::Huge => (within(value, 16, 1 << 30), "a number of bytes from 16 to 1073741824"),
        Fault::ClockSkew => (within(value, -A_CENTURY_S, A_CENTURY_S), "whole seconds, at most a century"),
        Fault::Omit => {
            let names = Vec::<String>::deserialize(value).is_ok_and(|names| !names.is_empty());
            (names, "a list of names of fields")
        }
        Fault::StrangeExpiry => {
            (StrangeExpiry::deserialize(value).is_ok(), "string, milliseconds, negative, huge or zero")
        }
        Fault::WrongIss | Fault::WrongState => (Amiss::deserialize(value).is_ok(), "other or missing"),
        Fault::AlgConfusion => (Confusion::deserialize(value).is_ok(), "hs256 or none"),
        Fault::WrongIdToken => {
            (Flaw::deserialize(value).is_ok(), "nonce, aud, sub, iss, exp, at_hash, kid or signature")
        }
        Fault::Hang
        | Fault::Reset
        | Fault::CaptivePortal
        | Fault::Redirect
        | Fault::NotJson
        | Fault::Refuse
        | Fault::SameToken
        | Fault::HeartbeatNo
        | Fault::ForeignMetadata
        | Fault::HttpEndpoints
        | Fault::InteractionRequired
        | Fault::LostAnswer
        | Fault::Truncated => (value.is_null(), "nothing: this fault takes no value"),
    };
    if is_good { Ok(()) } else { Err(Invalid::field("value", value, hint)) }
}

fn within(value: &Value, least: i64, most: i64) -> bool {
    value.as_i64().is_some_and(|number| (least..=most).contains(&number))
}

const LEFT: &str = "a number of requests from 1, or null for all";
const A_CENTURY_S: i64 = 100 * 365 * 24 * 60 * 60;

#[cfg(test)]
mod tests {
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
