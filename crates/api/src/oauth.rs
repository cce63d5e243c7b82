//! What faces and the keeper say to each other of OAuth and of signing in.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What it takes to speak OAuth with a provider. What is left out is as the provider says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct OauthDraft {
    pub issuer: String,
    pub client_id: String,
    /// Those of `openid offline_access` that the provider knows when absent.
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
    /// Whether tokens are bound to a key (RFC 9449); where the provider offers it when absent.
    #[serde(default)]
    pub dpop: Option<bool>,
    /// Any free port when absent.
    #[serde(default)]
    pub redirect_port: Option<u16>,
    /// `127.0.0.1` when absent; some providers want `localhost`.
    #[serde(default)]
    pub redirect_host: Option<String>,
    /// `/callback` when absent.
    #[serde(default)]
    pub redirect_path: Option<String>,
    /// Endpoints by hand, by their names in the metadata (RFC 8414) without `_endpoint`.
    #[serde(default)]
    pub endpoints: BTreeMap<String, String>,
    /// Parameters beyond the standard ones, by the exchange they belong to: `authorize`, `token`, `refresh`, `device`,
    /// `revoke`.
    #[serde(default)]
    pub extra: BTreeMap<String, BTreeMap<String, String>>,
}

/// How a session is come by (RFC 6749, section 1.3; RFC 8628).
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

/// What a person does to sign in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// At the provider's page, in the browser of this machine.
    Browser,
    /// Types the client's secret.
    ClientSecret,
    /// At the provider's page, on any device, with a code that is shown here.
    Device,
    /// Types a user name and a password here.
    Password,
    /// Nothing but to say so: everything is in the configuration.
    Unattended,
}

/// A sign-in that a person is at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(tag = "way", rename_all = "snake_case")]
pub enum Pending {
    Browser {
        expires_in_ms: u64,
        /// The address has to be opened within that: the provider keeps what is asked for only so long (RFC 9126).
        /// Another sign-in has another address.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(test, ts(optional))]
        open_within_ms: Option<u64>,
    },
    Device {
        user_code: String,
        verification_uri: String,
        /// With the code in it: for a click.
        verification_uri_complete: Option<String>,
        /// The same as a QR code: a text a row, `#` for a dark square.
        qr: Vec<String>,
        expires_in_ms: u64,
    },
}

/// What a sign-in has to bring (RFC 9470; RFC 6750, section 3.1).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Demand {
    pub acr_values: Option<String>,
    /// Seconds since the person was last asked.
    pub max_age: Option<u64>,
    pub scope: Option<String>,
}

/// What an OAuth provider says about itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Discovery {
    pub issuer: String,
    /// What it can be asked for, by the names of the metadata without `_endpoint`, and where.
    pub endpoints: BTreeMap<String, String>,
    pub scopes: Vec<String>,
    /// Those of its scopes that a session has a use for.
    pub proposed_scopes: Vec<String>,
    /// A sign-in at a browser is possible.
    pub browser: bool,
    /// A sign-in on another device is possible (RFC 8628).
    pub device: bool,
    /// Tokens can be bound to a key (RFC 9449).
    pub dpop: bool,
    /// The request is handed over before the browser opens (RFC 9126).
    pub pushed: bool,
    /// A sign-out reaches the provider (RFC 7009).
    pub revocation: bool,
    /// Endpoints on another origin than the issuer's.
    pub elsewhere: Vec<String>,
    /// Endpoints that are not used because their address is not safe.
    pub ignored: Vec<String>,
}
