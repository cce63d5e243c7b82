use serde_json::Value;

use crate::fault::Fault;
use crate::tweaks::Tweaks;

#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Plan {
    pub(crate) latency_ms: u64,
    /// Answers, or keeps silent, in the server's place: nothing is processed.
    pub(crate) gate: Option<(Fault, Value)>,
    pub(crate) tweaks: Tweaks,
    /// What becomes of the answer: [`Fault::LostAnswer`] or [`Fault::Truncated`].
    pub(crate) after: Option<Fault>,
    pub(crate) fault: Option<Fault>,
}

impl Plan {
    pub(super) fn add(&mut self, fault: Fault, value: Value) {
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
