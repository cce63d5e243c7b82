use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What is absent is left to the provider.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct OauthDraft {
    pub issuer: String,
    pub client_id: String,
    /// When absent, those of `openid offline_access` that the provider knows.
    #[serde(default)]
    pub scopes: Option<Vec<String>>,
    #[serde(default)]
    pub audience: Option<String>,
    /// RFC 8707.
    #[serde(default)]
    pub resource_indicators: Vec<String>,
    /// `authorization_code` when absent.
    #[serde(default)]
    pub grant: Option<Grant>,
    /// RFC 9449. When absent, used where the provider offers it.
    #[serde(default)]
    pub dpop: Option<bool>,
    /// When absent, any free port.
    #[serde(default)]
    pub redirect_port: Option<u16>,
    /// `127.0.0.1` when absent. Some providers require `localhost`.
    #[serde(default)]
    pub redirect_host: Option<String>,
    /// `/callback` when absent.
    #[serde(default)]
    pub redirect_path: Option<String>,
    /// Names as in the metadata (RFC 8414), without `_endpoint`.
    #[serde(default)]
    pub endpoints: BTreeMap<String, String>,
    /// More parameters for `authorize`, `token`, `refresh`, `device` or `revoke`.
    #[serde(default)]
    pub extra: BTreeMap<String, BTreeMap<String, String>>,
}

/// RFC 6749, section 1.3; RFC 8628.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Grant {
    #[default]
    AuthorizationCode,
    ClientCredentials,
    DeviceCode,
    Password,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Way {
    Browser,
    ClientSecret,
    Device,
    Password,
    /// A person only starts it.
    Unattended,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(tag = "way", rename_all = "snake_case")]
pub enum Pending {
    Browser {
        expires_in_ms: u64,
        /// Set for a pushed request (RFC 9126): the URL must be opened within that time.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(test, ts(optional))]
        open_within_ms: Option<u64>,
    },
    Device {
        user_code: String,
        verification_uri: String,
        verification_uri_complete: Option<String>,
        /// A QR code, one string per row, `#` for a dark square.
        qr: Vec<String>,
        expires_in_ms: u64,
    },
}

/// RFC 9470; RFC 6750, section 3.1.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Demand {
    pub acr_values: Option<String>,
    /// In seconds since the last authentication.
    pub max_age: Option<u64>,
    pub scope: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Discovery {
    pub issuer: String,
    pub endpoints: BTreeMap<String, String>,
    pub scopes: Vec<String>,
    /// Those that a session can use.
    pub proposed_scopes: Vec<String>,
    pub browser: bool,
    pub device: bool,
    pub dpop: bool,
    pub pushed: bool,
    pub revocation: bool,
    pub elsewhere: Vec<String>,
    /// Not used, because their address is not safe.
    pub ignored: Vec<String>,
}
