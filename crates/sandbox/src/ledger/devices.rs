//! Devices that wait for somebody to enter their code elsewhere (RFC 8628), as a pure state machine.

use std::collections::HashMap;

use serde::Serialize;

use super::client::Client;
use super::scopes::Scopes;
use super::shelf::REMEMBERED;
use crate::people::Person;

#[derive(Default)]
pub(crate) struct Devices {
    known: HashMap<String, (u64, Device)>,
    begun: u64,
}

pub(crate) struct Device {
    pub(crate) user_code: String,
    pub(crate) client: Client,
    pub(crate) scopes: Scopes,
    pub(crate) until: u64,
    pub(crate) interval_ms: u64,
    pub(crate) polled: Option<u64>,
    pub(crate) answer: Answer,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DeviceState {
    pub user_code: String,
    pub client_id: &'static str,
    pub scope: String,
    /// `pending`, `approved`, `denied`, `expired` or `done`.
    pub state: &'static str,
    pub interval_ms: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    None,
    Approved {
        person: Person,
        at_s: i64,
    },
    Denied,
    /// The device has its tokens.
    Taken,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Approved {
    pub(crate) person: Person,
    pub(crate) scopes: Scopes,
    pub(crate) at_s: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotNow {
    Pending,
    SlowDown,
    Denied,
    Expired,
    /// No such code, or not this client's, or already exchanged.
    Unknown,
}

impl Devices {
    pub(crate) fn begin(&mut self, device_code: String, device: Device, now: u64) {
        if self.known.len() >= REMEMBERED {
            self.known.retain(|_, (_, device)| device.until > now);
        }
        self.begun += 1;
        self.known.insert(device_code, (self.begun, device));
    }

    /// Answers a poll. One that comes too early makes the next wait longer.
    pub(crate) fn poll(
        &mut self,
        device_code: &str,
        client: Client,
        slow_down_ms: u64,
        now: u64,
    ) -> Result<Approved, NotNow> {
        let device = self.known.get_mut(device_code).map(|(_, device)| device);
        let device = device.filter(|device| device.client == client);
        let device = device.filter(|device| device.answer != Answer::Taken).ok_or(NotNow::Unknown)?;
        if device.until <= now {
            return Err(NotNow::Expired);
        }
        let too_early = device.polled.is_some_and(|last| now < last.saturating_add(device.interval_ms));
        device.polled = Some(now);
        if too_early {
            device.interval_ms = device.interval_ms.saturating_add(slow_down_ms);
            return Err(NotNow::SlowDown);
        }
        match device.answer {
            Answer::None => Err(NotNow::Pending),
            Answer::Denied => Err(NotNow::Denied),
            Answer::Taken => Err(NotNow::Unknown),
            Answer::Approved { person, at_s } => {
                device.answer = Answer::Taken;
                Ok(Approved { person, scopes: device.scopes.clone(), at_s })
            }
        }
    }

    /// Takes a person's answer to the code, however it was typed. `None` if no device waits with that code.
    pub(crate) fn answer(&mut self, user_code: &str, answer: Answer, now: u64) -> Option<DeviceState> {
        let typed = letters(user_code);
        let waiting = |device: &&mut Device| {
            device.until > now && device.answer == Answer::None && letters(&device.user_code) == typed
        };
        let device = self.known.values_mut().map(|(_, device)| device).find(waiting)?;
        device.answer = answer;
        Some(device.state(now))
    }

    pub(crate) fn states(&self, now: u64) -> Vec<DeviceState> {
        let mut known: Vec<_> = self.known.values().collect();
        known.sort_by_key(|(place, _)| *place);
        known.into_iter().map(|(_, device)| device.state(now)).collect()
    }
}

impl Device {
    fn state(&self, now: u64) -> DeviceState {
        let state = match self.answer {
            Answer::Taken => "done",
            _ if self.until <= now => "expired",
            Answer::None => "pending",
            Answer::Approved { .. } => "approved",
            Answer::Denied => "denied",
        };
        DeviceState {
            user_code: self.user_code.clone(),
            client_id: self.client.id(),
            scope: self.scopes.to_string(),
            state,
            interval_ms: self.interval_ms,
        }
    }
}

fn letters(code: &str) -> String {
    code.chars().filter(char::is_ascii_alphanumeric).map(|letter| letter.to_ascii_uppercase()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_waits_until_somebody_answers_and_is_told_once() {
        let mut devices = waiting();
        assert_eq!(poll(&mut devices, 0), Err(NotNow::Pending));
        assert_eq!(poll(&mut devices, 100), Err(NotNow::Pending));
        assert_eq!(devices.answer("bcdf ghjk", APPROVED, 100).unwrap().state, "approved");
        assert_eq!(devices.answer("BCDF-GHJK", Answer::Denied, 100), None, "it was answered");
        let approved = Approved { person: Person::Bob, scopes: Scopes::parse("openid").unwrap(), at_s: 7 };
        assert_eq!(poll(&mut devices, 200), Ok(approved));
        assert_eq!(poll(&mut devices, 300), Err(NotNow::Unknown));
        assert_eq!(devices.states(300)[0].state, "done");
    }

    #[test]
    fn who_polls_too_early_must_wait_longer_from_then_on() {
        let mut devices = waiting();
        assert_eq!(poll(&mut devices, 0), Err(NotNow::Pending));
        assert_eq!(poll(&mut devices, 99), Err(NotNow::SlowDown));
        assert_eq!(devices.states(99)[0].interval_ms, 150);
        assert_eq!(poll(&mut devices, 248), Err(NotNow::SlowDown), "it went on as if nothing had been said");
        devices.answer("BCDFGHJK", APPROVED, 248);
        assert_eq!(poll(&mut devices, 447), Err(NotNow::SlowDown), "an answer does not excuse it");
        assert!(poll(&mut devices, 697).is_ok());
    }

    #[test]
    fn a_denied_or_late_device_is_told_so() {
        let mut devices = waiting();
        assert_eq!(devices.answer("XXXX-XXXX", APPROVED, 0), None);
        devices.answer("BCDF-GHJK", Answer::Denied, 0);
        assert_eq!(poll(&mut devices, 0), Err(NotNow::Denied));
        let mut devices = waiting();
        assert_eq!(poll(&mut devices, 1_000), Err(NotNow::Expired));
        assert_eq!(devices.answer("BCDF-GHJK", APPROVED, 1_000), None, "too late");
        assert_eq!(devices.poll("d", Client::Service, 50, 0), Err(NotNow::Unknown), "not its own");
        assert_eq!(devices.poll("e", Client::Pilotlight, 50, 0), Err(NotNow::Unknown));
    }

    const APPROVED: Answer = Answer::Approved { person: Person::Bob, at_s: 7 };

    fn waiting() -> Devices {
        let mut devices = Devices::default();
        let device = Device {
            user_code: "BCDF-GHJK".into(),
            client: Client::Pilotlight,
            scopes: Scopes::parse("openid").unwrap(),
            until: 1_000,
            interval_ms: 100,
            polled: None,
            answer: Answer::None,
        };
        devices.begin("d".into(), device, 0);
        devices
    }

    fn poll(devices: &mut Devices, now: u64) -> Result<Approved, NotNow> {
        devices.poll("d", Client::Pilotlight, 50, now)
    }
}
