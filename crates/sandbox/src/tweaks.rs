//! What a fault changes about the processing of one request.

use serde::Deserialize;

#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Tweaks {
    pub(crate) skew_s: i64,
    pub(crate) omit: Vec<String>,
    pub(crate) expiry: Option<StrangeExpiry>,
    pub(crate) same_token: bool,
    pub(crate) heartbeat_no: bool,
    pub(crate) oauth: OAuthTweaks,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct OAuthTweaks {
    pub(crate) iss: Option<Amiss>,
    pub(crate) state: Option<Amiss>,
    pub(crate) alg: Option<Confusion>,
    pub(crate) id_token: Option<Flaw>,
    pub(crate) foreign_metadata: bool,
    pub(crate) http_endpoints: bool,
    pub(crate) interaction_required: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Amiss {
    Missing,
    Other,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Confusion {
    Hs256,
    None,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Flaw {
    AtHash,
    Aud,
    Exp,
    Iss,
    Kid,
    Nonce,
    Signature,
    Sub,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum StrangeExpiry {
    String,
    Milliseconds,
    Negative,
    Huge,
    Zero,
}
