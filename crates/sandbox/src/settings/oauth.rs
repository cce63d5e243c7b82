use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::reading::{as_ms, lifetime, milliseconds, one_of};
use crate::invalid::{Invalid, fields};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct OAuthSettings {
    #[serde(rename = "code_ttl_ms", serialize_with = "as_ms")]
    pub code_ttl: Duration,
    #[serde(rename = "device_ttl_ms", serialize_with = "as_ms")]
    pub device_ttl: Duration,
    /// Between two polls. Answers tell whole seconds, at least one; what is shorter is held to all the same.
    #[serde(rename = "device_interval_ms", serialize_with = "as_ms")]
    pub device_interval: Duration,
    #[serde(rename = "slow_down_ms", serialize_with = "as_ms")]
    pub slow_down: Duration,
    pub dpop: Dpop,
    /// A DPoP proof must hold a nonce of this server's.
    pub dpop_nonce: bool,
    /// For how long a nonce is given out; it is good for as long again.
    #[serde(rename = "nonce_ttl_ms", serialize_with = "as_ms")]
    pub nonce_ttl: Duration,
    pub require_pushed: bool,
    /// Redirects to `localhost` are taken too, not only to loopback addresses.
    pub localhost_redirect: bool,
    pub password_grant: bool,
    pub offline_access_only: bool,
    /// Answers say in `refresh_expires_in` how long the refresh token lives, at most as long as the session.
    pub tells_refresh_ttl: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dpop {
    /// A proof is ignored, and the metadata knows nothing of any.
    Off,
    /// Tokens are bound to a key where the client shows one.
    Optional,
    Required,
}

impl OAuthSettings {
    pub(super) fn patch(&mut self, change: &Value) -> Result<(), Invalid> {
        let known = [
            "code_ttl_ms",
            "device_ttl_ms",
            "device_interval_ms",
            "slow_down_ms",
            "dpop",
            "dpop_nonce",
            "nonce_ttl_ms",
            "require_pushed",
            "localhost_redirect",
            "password_grant",
            "offline_access_only",
            "tells_refresh_ttl",
        ];
        for (name, value) in fields(change, "oauth", &known)? {
            let field = format!("oauth.{name}");
            let flag = || one_of(&field, value, "true or false");
            match name.as_str() {
                "code_ttl_ms" => self.code_ttl = lifetime(&field, value)?,
                "device_ttl_ms" => self.device_ttl = lifetime(&field, value)?,
                "device_interval_ms" => self.device_interval = milliseconds(&field, value, 0)?,
                "slow_down_ms" => self.slow_down = milliseconds(&field, value, 0)?,
                "dpop" => self.dpop = one_of(&field, value, "\"off\", \"optional\" or \"required\"")?,
                "dpop_nonce" => self.dpop_nonce = flag()?,
                "nonce_ttl_ms" => self.nonce_ttl = lifetime(&field, value)?,
                "require_pushed" => self.require_pushed = flag()?,
                "localhost_redirect" => self.localhost_redirect = flag()?,
                "password_grant" => self.password_grant = flag()?,
                "offline_access_only" => self.offline_access_only = flag()?,
                _ => self.tells_refresh_ttl = flag()?,
            }
        }
        Ok(())
    }
}

impl Default for OAuthSettings {
    fn default() -> Self {
        Self {
            code_ttl: Duration::from_secs(60),
            device_ttl: Duration::from_secs(600),
            device_interval: Duration::from_secs(5),
            slow_down: Duration::from_secs(5),
            dpop: Dpop::Optional,
            dpop_nonce: false,
            nonce_ttl: Duration::from_secs(60),
            require_pushed: false,
            localhost_redirect: false,
            password_grant: false,
            offline_access_only: false,
            tells_refresh_ttl: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_shown_is_what_can_be_changed() {
        let mut changed = OAuthSettings::default();
        let mut shown = serde_json::to_value(changed).unwrap();
        for value in shown.as_object_mut().unwrap().values_mut() {
            *value = match value {
                Value::Bool(flag) => json!(!*flag),
                Value::Number(_) => json!(7),
                Value::String(_) => json!("required"),
                Value::Null | Value::Array(_) | Value::Object(_) => panic!("{value}"),
            };
        }
        changed.patch(&shown).unwrap();
        assert_eq!(serde_json::to_value(changed).unwrap(), shown, "every field by its own name");
    }

    #[test]
    fn what_is_wrong_is_named() {
        let wrong = |patch: Value| OAuthSettings::default().patch(&patch).unwrap_err().message;
        assert_eq!(wrong(json!({"dpop": true})), "`oauth.dpop` cannot be true");
        assert_eq!(wrong(json!({"code_ttl_ms": 0})), "`oauth.code_ttl_ms` cannot be 0");
        assert_eq!(wrong(json!({"require_pushed": 1})), "`oauth.require_pushed` cannot be 1");
        assert_eq!(wrong(json!({"pkce": "off"})), "there is no field `pkce`");
    }
}
