use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use crate::name::Endpoint::{
    Authorize, Consent, Discovery, Heartbeat, Login, Logout, Poll, Refresh, Resource,
};
use crate::name::{Dialect, Endpoint};

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
    WrongIss,
    WrongState,
    AlgConfusion,
    WrongIdToken,
    ForeignMetadata,
    HttpEndpoints,
    InteractionRequired,
    LostAnswer,
    Truncated,
}

pub(crate) struct Sheet {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    pub(crate) default: Value,
    pub(crate) applies_to: &'static [Endpoint],
    pub(crate) default_on: &'static [Endpoint],
    pub(crate) only: Option<Dialect>,
}

impl Fault {
    pub const ALL: [Self; 25] = [
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
        Self::WrongIss,
        Self::WrongState,
        Self::AlgConfusion,
        Self::WrongIdToken,
        Self::ForeignMetadata,
        Self::HttpEndpoints,
        Self::InteractionRequired,
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
                only: None,
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
                applies_to: &[Login, Poll, Refresh],
                default_on: &[Login, Refresh],
                only: None,
            },
            Self::StrangeExpiry => Sheet {
                name: "strange_expiry",
                about: "The lifetime, or the exp of a JWT, comes as string, milliseconds, negative, huge or zero.",
                default: json!("string"),
                applies_to: &[Login, Poll, Refresh],
                default_on: &[Login, Refresh],
                only: None,
            },
            Self::SameToken => Sheet {
                name: "same_token",
                about: "A refresh returns the access token that the client already has.",
                default: Value::Null,
                applies_to: &[Refresh],
                default_on: &[Refresh],
                only: None,
            },
            Self::HeartbeatNo => Sheet {
                name: "heartbeat_no",
                about: "A heartbeat (or a resource) says that the access token is not good, though it is.",
                default: Value::Null,
                applies_to: &[Heartbeat, Resource],
                default_on: &[Heartbeat],
                only: None,
            },
            Self::WrongIss => oauth(
                "wrong_iss",
                "The `iss` beside an authorization code is that of `other` server, or `missing`.",
                json!("other"),
                &[Consent],
            ),
            Self::WrongState => oauth(
                "wrong_state",
                "The `state` beside an authorization code is some `other`, or `missing`.",
                json!("other"),
                &[Consent],
            ),
            Self::AlgConfusion => oauth(
                "alg_confusion",
                "The id_token is signed with the public key as a secret (`hs256`), or not at all (`none`).",
                json!("hs256"),
                TOKENS,
            ),
            Self::WrongIdToken => oauth(
                "wrong_id_token",
                "One thing in the id_token is wrong: nonce, aud, sub, iss, exp, at_hash, kid or signature.",
                json!("nonce"),
                TOKENS,
            ),
            Self::ForeignMetadata => oauth(
                "foreign_metadata",
                "The metadata is that of another issuer.",
                Value::Null,
                &[Discovery],
            ),
            Self::HttpEndpoints => oauth(
                "http_endpoints",
                "The metadata names endpoints on another host, over plain http.",
                Value::Null,
                &[Discovery],
            ),
            Self::InteractionRequired => oauth(
                "interaction_required",
                "A refresh is refused with this error: only a person can go on. Nothing dies.",
                Value::Null,
                &[Refresh],
            ),
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

impl Serialize for Fault {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

fn anywhere(name: &'static str, about: &'static str, default: Value) -> Sheet {
    Sheet { name, about, default, applies_to: EVERYWHERE, default_on: EVERYWHERE, only: None }
}

fn oauth(name: &'static str, about: &'static str, default: Value, on: &'static [Endpoint]) -> Sheet {
    Sheet { name, about, default, applies_to: on, default_on: on, only: Some(Dialect::OAuth) }
}

const EVERYWHERE: &[Endpoint] =
    &[Discovery, Authorize, Consent, Login, Poll, Refresh, Heartbeat, Resource, Logout];
const TOKENS: &[Endpoint] = &[Login, Refresh];
