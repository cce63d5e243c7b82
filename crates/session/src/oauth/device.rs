//! Signing in with a code on another device (RFC 8628).

use alloc::string::{String, ToString};
use core::time::Duration;

use serde_json::Value;

use super::Provider;
use super::address::Address;
use super::error::{ErrorKind, ProviderError, Refusal};
use super::form::Form;
use super::token::{self, Reading, TokenAnswer};
use crate::bounds;
use crate::limits;
use crate::reason::Trouble;
use crate::time::Timestamp;
use crate::tokens::Secret;
use crate::wire::answer::{Answer, Clock};
use crate::wire::lifetime::number;
use crate::wire::matching::{one_holds, refuses};
use crate::wire::meaning;
use crate::wire::message::Message;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    device_code: Secret,
    pub user_code: String,
    pub verification_uri: String,
    pub verification_uri_complete: Option<String>,
    pub expires_in: Duration,
    pub interval: Duration,
}

/// When to poll next, and until when. A machine that slept and polls late just goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Polling {
    /// It grows with every `slow_down`, for good.
    interval: Duration,
    failures: u32,
    next: Timestamp,
    end: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    Poll,
    Wait(Timestamp),
    Expired,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    Wait(Timestamp),
    Tokens(TokenAnswer),
    Denied,
    Expired,
    UseNonce,
    Problem(Refusal),
}

impl Provider {
    pub fn device(&self) -> Option<Message> {
        let endpoint = self.metadata.device_authorization_endpoint.as_ref()?;
        let mut form = Form::default();
        form.put_some("scope", self.client.scope().as_deref());
        self.client.put_target(&mut form);
        Some(self.post(endpoint, form, &self.client.extra.device))
    }

    pub fn poll(&self, device: &Device) -> Message {
        let form = Form::grant("urn:ietf:params:oauth:grant-type:device_code")
            .with("device_code", device.device_code.expose());
        self.ask_for_tokens(form)
    }
}

impl Device {
    pub fn read(answer: &Answer<'_>) -> Result<Self, Refusal> {
        let body = answer.read();
        let device = body.json().filter(|_| answer.is_success()).and_then(Self::of);
        device.ok_or_else(|| Refusal::of(answer, &body))
    }

    fn of(json: &Value) -> Option<Self> {
        let text = |name: &str| json.get(name)?.as_str().map(str::trim).filter(|text| !text.is_empty());
        let user_code = text("user_code")
            .filter(|code| code.len() <= bounds::USER_CODE && !code.chars().any(meaning::is_invisible))?;
        // It comes from a server and is opened or shown, so it must be the address of a web page.
        let page =
            |name| text(name).filter(|uri| uri.len() <= bounds::ADDRESS && Address::read(uri).is_some());
        Some(Self {
            device_code: Secret::new(text("device_code")?),
            user_code: user_code.to_string(),
            verification_uri: page("verification_uri").or_else(|| page("verification_url"))?.to_string(),
            verification_uri_complete: page("verification_uri_complete")
                .or_else(|| page("verification_url_complete"))
                .map(str::to_string),
            expires_in: seconds(json, "expires_in").unwrap_or(limits::DEVICE_LIFE).min(limits::ON_DEVICE),
            interval: clamped(seconds(json, "interval").unwrap_or(limits::DEVICE_INTERVAL)),
        })
    }
}

impl Polling {
    pub fn new(device: &Device, now: Timestamp) -> Self {
        let interval = clamped(device.interval);
        // A code that lives for seconds is asked for once at least.
        let first = interval.min(device.expires_in / 2);
        Self { interval, failures: 0, next: now + first, end: now + device.expires_in }
    }

    /// A late poll is made although the end has passed, because the provider knows best.
    pub fn next(&self, now: Timestamp) -> Next {
        if now >= self.next && self.next < self.end {
            Next::Poll
        } else if now >= self.end {
            Next::Expired
        } else {
            Next::Wait(self.next.min(self.end))
        }
    }

    pub fn left(&self, now: Timestamp) -> Duration {
        now.until(self.end)
    }

    /// The provider keeps an approval until it is asked, so a poll whose answer could not be used yet can wait. Returns
    /// `false` where the code could end meanwhile; the poll is due then.
    pub fn put_off(&mut self, now: Timestamp) -> bool {
        let later = now + self.interval;
        let may = later + self.interval < self.end;
        if may {
            self.next = later;
        }
        may
    }

    /// The interval counts from the receipt of an answer, so a slow network cannot bring two polls too close.
    pub fn on_answer(
        &mut self,
        answer: &Answer<'_>,
        clock: Clock<'_>,
        reading: &Reading,
        now: Timestamp,
    ) -> Step {
        let body = answer.read();
        if let Some(tokens) = token::tokens(answer, &body, clock, reading) {
            return Step::Tokens(tokens);
        }
        let error = body.json().and_then(ProviderError::of).map(|error| error.kind());
        let error = error.filter(|kind| *kind != ErrorKind::Unknown).or_else(|| progress(body.json()?));
        if error.is_none() && one_holds(&reading.retry, answer, &body) {
            return self.wait_again(now);
        }
        // A rule, however wide, is for what has no word that is known.
        if error.is_none() && refuses(&reading.refused, answer, &body) {
            return Step::Denied;
        }
        match error.unwrap_or(ErrorKind::Unknown) {
            ErrorKind::Pending => self.wait_again(now),
            ErrorKind::SlowDown => {
                let asked = body.json().and_then(|json| seconds(json, "interval")).unwrap_or_default();
                self.interval = clamped(asked.max(self.interval + limits::DEVICE_SLOWER));
                self.wait_again(now)
            }
            ErrorKind::Denied => Step::Denied,
            ErrorKind::Expired => Step::Expired,
            ErrorKind::Nonce => Step::UseNonce,
            ErrorKind::Grant
            | ErrorKind::Interaction(_)
            | ErrorKind::Misconfigured
            | ErrorKind::Unavailable
            | ErrorKind::Unknown => self.on_refusal(Refusal::of(answer, &body), now),
        }
    }

    /// RFC 8628, section 3.5: without an answer, poll exponentially less often.
    pub fn on_trouble(&mut self, now: Timestamp) -> Step {
        self.wait_longer(Duration::ZERO, now)
    }

    fn on_refusal(&mut self, refusal: Refusal, now: Timestamp) -> Step {
        match &refusal {
            Refusal::Trouble { trouble: Trouble::Misconfigured, .. } => Step::Problem(refusal),
            Refusal::Trouble { retry_after, .. } => self.wait_longer(retry_after.unwrap_or_default(), now),
            Refusal::Provider { error, .. } if error.kind() == ErrorKind::Unavailable => {
                self.wait_longer(Duration::ZERO, now)
            }
            Refusal::Provider { .. } | Refusal::UseNonce => Step::Problem(refusal),
        }
    }

    fn wait_again(&mut self, now: Timestamp) -> Step {
        self.failures = 0;
        self.wait(self.interval, now)
    }

    fn wait_longer(&mut self, at_least: Duration, now: Timestamp) -> Step {
        self.failures = self.failures.saturating_add(1);
        let longer = self.interval.saturating_mul(1 << self.failures.min(6));
        self.wait(clamped(longer).max(at_least), now)
    }

    fn wait(&mut self, for_: Duration, now: Timestamp) -> Step {
        self.next = now + for_;
        if now >= self.end { Step::Expired } else { Step::Wait(self.next.min(self.end)) }
    }
}

/// How the approval goes, in other words and places than those of RFC 8628, section 3.5.
fn progress(json: &Value) -> Option<ErrorKind> {
    let said = PROGRESS.into_iter().filter_map(|place| json.pointer(place)?.as_str());
    let said = said.map(|text| text.trim().to_ascii_lowercase().replace(['-', ' '], "_"));
    said.map(|word| match word.as_str() {
        "pending" | "waiting" => ErrorKind::Pending,
        "canceled" | "cancelled" | "declined" | "denied" | "rejected" => ErrorKind::Denied,
        "expired" => ErrorKind::Expired,
        word => ErrorKind::of(word),
    })
    .find(|kind| {
        matches!(kind, ErrorKind::Denied | ErrorKind::Expired | ErrorKind::Pending | ErrorKind::SlowDown)
    })
}

const PROGRESS: [&str; 7] =
    ["/error", "/error/code", "/error/status", "/error_code", "/status", "/state", "/code"];

fn seconds(json: &Value, name: &str) -> Option<Duration> {
    let seconds = json.get(name).and_then(number).filter(|seconds| *seconds > 0.0)?;
    // The cast saturates.
    Some(Duration::from_millis((seconds * 1000.0) as u64))
}

fn clamped(interval: Duration) -> Duration {
    interval.clamp(limits::DEVICE_INTERVAL_SHORTEST, limits::DEVICE_INTERVAL_LONGEST)
}
