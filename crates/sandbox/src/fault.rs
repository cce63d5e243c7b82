//! The catalogue: everything that can go wrong between a client and a server.

use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use crate::dialect::Endpoint;
use crate::dialect::Endpoint::{Heartbeat, Login, Logout, Refresh, Resource};

/// In the order in which they are looked at; of those that answer in the server's place, the first wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    Latency,
    Hang,
    Reset,
    Status,
    BareStatus,
    RateLimit,
    CaptivePortal,
    Redirect,
    NotJson,
    Huge,
    Refuse,
    ClockSkew,
    Omit,
    StrangeExpiry,
    SameToken,
    HeartbeatNo,
    LostAnswer,
    Truncated,
}

/// What is to be known about a fault.
pub(crate) struct Sheet {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    /// The value it takes when none is given.
    pub(crate) default: Value,
    /// The endpoints where it makes sense.
    pub(crate) applies_to: &'static [Endpoint],
    /// Those that it meets when none is named.
    pub(crate) default_on: &'static [Endpoint],
}

impl Fault {
    pub const ALL: [Self; 18] = [
        Self::Latency,
        Self::Hang,
        Self::Reset,
        Self::Status,
        Self::BareStatus,
        Self::RateLimit,
        Self::CaptivePortal,
        Self::Redirect,
        Self::NotJson,
        Self::Huge,
        Self::Refuse,
        Self::ClockSkew,
        Self::Omit,
        Self::StrangeExpiry,
        Self::SameToken,
        Self::HeartbeatNo,
        Self::LostAnswer,
        Self::Truncated,
    ];

    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|fault| fault.name() == name)
    }

    pub fn name(self) -> &'static str {
        self.sheet().name
    }

    pub fn about(self) -> &'static str {
        self.sheet().about
    }

    pub(crate) fn sheet(self) -> Sheet {
        match self {
            Self::Latency => anywhere(
                "latency",
                "The request waits this many milliseconds before it is processed.",
                json!(2_000),
            ),
            Self::Hang => {
                anywhere("hang", "The request is accepted and never answered, nor processed.", Value::Null)
            }
            Self::Reset => {
                anywhere("reset", "The connection is reset before the request is processed.", Value::Null)
            }
            Self::Status => anywhere(
                "status",
                "A gateway answers with this status and an HTML page; nothing is processed.",
                json!(503),
            ),
            Self::BareStatus => anywhere(
                "bare_status",
                "An answer with this status and an empty body; nothing is processed.",
                json!(401),
            ),
            Self::RateLimit => anywhere(
                "rate_limit",
                "429 with Retry-After: seconds, an HTTP date, or null for no such header.",
                json!(2),
            ),
            Self::CaptivePortal => anywhere(
                "captive_portal",
                "A network in between answers 200 with its own HTML sign-in page; nothing is processed.",
                Value::Null,
            ),
            Self::Redirect => anywhere(
                "redirect",
                "302 to the sign-in page of a network in between; nothing is processed.",
                Value::Null,
            ),
            Self::NotJson => anywhere(
                "not_json",
                "200 with plain text where JSON belongs; nothing is processed.",
                Value::Null,
            ),
            Self::Huge => anywhere(
                "huge",
                "200 with a JSON body of this many bytes; nothing is processed.",
                json!(10 * 1024 * 1024),
            ),
            Self::Refuse => Sheet {
                name: "refuse",
                about: "The token is refused in the dialect's own words as if it were dead; nothing dies.",
                default: Value::Null,
                applies_to: &[Refresh, Heartbeat, Resource],
                default_on: &[Refresh],
            },
            Self::ClockSkew => anywhere(
                "clock_skew",
                "The server's clock is off by this many seconds: Date, iat and exp shift.",
                json!(3_600),
            ),
            Self::Omit => Sheet {
                name: "omit",
                about: "These fields are left out of an answer with tokens (`name:null` sends null); access, \
                        refresh and lifetime stand for what the dialect calls them.",
                default: json!(["access"]),
                applies_to: &[Login, Refresh],
                default_on: &[Login, Refresh],
            },
            Self::StrangeExpiry => Sheet {
                name: "strange_expiry",
                about: "The lifetime, or the exp of a JWT, comes as string, milliseconds, negative, huge or zero.",
                default: json!("string"),
                applies_to: &[Login, Refresh],
                default_on: &[Login, Refresh],
            },
            Self::SameToken => Sheet {
                name: "same_token",
                about: "A refresh returns the access token that the client already has.",
                default: Value::Null,
                applies_to: &[Refresh],
                default_on: &[Refresh],
            },
            Self::HeartbeatNo => Sheet {
                name: "heartbeat_no",
                about: "A heartbeat (or a resource) says that the access token is not good, though it is.",
                default: Value::Null,
                applies_to: &[Heartbeat, Resource],
                default_on: &[Heartbeat],
            },
            Self::LostAnswer => anywhere(
                "lost_answer",
                "The request is processed, then the connection closes without an answer.",
                Value::Null,
            ),
            Self::Truncated => anywhere(
                "truncated",
                "The request is processed, then the connection closes halfway through the body.",
                Value::Null,
            ),
        }
    }
}

/// Seen from outside, a fault is its name.
impl Serialize for Fault {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

fn anywhere(name: &'static str, about: &'static str, default: Value) -> Sheet {
    Sheet { name, about, default, applies_to: EVERYWHERE, default_on: EVERYWHERE }
}

const EVERYWHERE: &[Endpoint] = &[Login, Refresh, Heartbeat, Resource, Logout];
