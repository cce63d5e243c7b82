mod oauth;
mod reading;

use std::time::Duration;

use serde::ser::SerializeStruct;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;

use crate::invalid::{Invalid, fields};
use crate::name::{Dialect, PerDialect};

pub use self::oauth::{Dpop, OAuthSettings};
pub(crate) use self::reading::ms;
use self::reading::{as_ms, lifetime, milliseconds, one_of};

/// The defaults behave as the servers that the dialects imitate. A change holds for tokens issued from then on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The port on 127.0.0.1; 0 takes any that is free. Cannot change while the sandbox runs.
    pub port: u16,
    pub access_ttl: Duration,
    /// With rotation, how long a session lives without a refresh.
    pub refresh_ttl: Duration,
    /// How long a session lives, however often it is refreshed.
    pub session_ttl: Duration,
    pub dialects: PerDialect<DialectSettings>,
    pub oauth: OAuthSettings,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct DialectSettings {
    pub rotation: Rotation,
    /// Within it a spent refresh token gets the very same answer again.
    #[serde(rename = "grace_ms", serialize_with = "as_ms")]
    pub grace: Duration,
    pub access_format: TokenFormat,
    pub refresh_revokes_access: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rotation {
    /// It stays good.
    Off,
    /// Another one takes its place, and it is refused from then on.
    On,
    /// As [`Rotation::On`], and whoever sends a spent one ends the whole session.
    Strict,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenFormat {
    Jwt,
    Opaque,
}

impl Settings {
    /// Applies a partial change, or nothing of it when any part is wrong.
    pub(crate) fn patched(&self, patch: &Value) -> Result<Self, Invalid> {
        let mut settings = self.clone();
        let known = ["access_ttl_ms", "refresh_ttl_ms", "session_ttl_ms", "dialects", "oauth"];
        let patch = fields(patch, "the body", &known)?;
        if let Some(ttl) = patch.get("access_ttl_ms") {
            settings.access_ttl = lifetime("access_ttl_ms", ttl)?;
        }
        if let Some(ttl) = patch.get("refresh_ttl_ms") {
            settings.refresh_ttl = lifetime("refresh_ttl_ms", ttl)?;
        }
        if let Some(ttl) = patch.get("session_ttl_ms") {
            settings.session_ttl = lifetime("session_ttl_ms", ttl)?;
        }
        if let Some(dialects) = patch.get("dialects") {
            let names = Dialect::ALL.map(Dialect::name);
            for (name, change) in fields(dialects, "dialects", &names)? {
                let Some(dialect) = Dialect::named(name) else { continue };
                settings.dialects[dialect].patch(name, change)?;
            }
        }
        if let Some(oauth) = patch.get("oauth") {
            settings.oauth.patch(oauth)?;
        }
        Ok(settings)
    }
}

impl DialectSettings {
    fn patch(&mut self, dialect: &str, change: &Value) -> Result<(), Invalid> {
        let known = ["rotation", "grace_ms", "access_format", "refresh_revokes_access"];
        for (name, value) in fields(change, dialect, &known)? {
            let field = format!("dialects.{dialect}.{name}");
            match name.as_str() {
                "rotation" => self.rotation = one_of(&field, value, "\"off\", \"on\" or \"strict\"")?,
                "access_format" => self.access_format = one_of(&field, value, "\"jwt\" or \"opaque\"")?,
                "grace_ms" => self.grace = milliseconds(&field, value, 0)?,
                _ => self.refresh_revokes_access = one_of(&field, value, "true or false")?,
            }
        }
        Ok(())
    }
}

impl Default for Settings {
    fn default() -> Self {
        let plain = DialectSettings {
            rotation: Rotation::Off,
            grace: Duration::ZERO,
            access_format: TokenFormat::Jwt,
            refresh_revokes_access: false,
        };
        Self {
            port: 0,
            access_ttl: Duration::from_secs(30),
            refresh_ttl: Duration::from_secs(30 * 24 * 60 * 60),
            session_ttl: Duration::from_secs(10 * 365 * 24 * 60 * 60),
            dialects: PerDialect {
                flask: plain,
                heartbeat: DialectSettings { access_format: TokenFormat::Opaque, ..plain },
                nestjs: DialectSettings { rotation: Rotation::Strict, ..plain },
                oauth: DialectSettings {
                    rotation: Rotation::On,
                    access_format: TokenFormat::Opaque,
                    ..plain
                },
                simplejwt: DialectSettings { rotation: Rotation::On, ..plain },
            },
            oauth: OAuthSettings::default(),
        }
    }
}

/// As the control endpoint shows them; the port is in its address.
impl Serialize for Settings {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut shown = serializer.serialize_struct("Settings", 5)?;
        shown.serialize_field("access_ttl_ms", &ms(self.access_ttl))?;
        shown.serialize_field("refresh_ttl_ms", &ms(self.refresh_ttl))?;
        shown.serialize_field("session_ttl_ms", &ms(self.session_ttl))?;
        shown.serialize_field("dialects", &self.dialects)?;
        shown.serialize_field("oauth", &self.oauth)?;
        shown.end()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_patch_changes_what_it_names() {
        let patch =
            json!({"access_ttl_ms": 500, "dialects": {"flask": {"rotation": "strict", "grace_ms": 9}}});
        let settings = Settings::default().patched(&patch).unwrap();
        assert_eq!(settings.access_ttl, Duration::from_millis(500));
        assert_eq!(settings.refresh_ttl, Settings::default().refresh_ttl);
        assert_eq!(settings.dialects.flask.rotation, Rotation::Strict);
        assert_eq!(settings.dialects.flask.grace, Duration::from_millis(9));
        assert_eq!(settings.dialects.nestjs, Settings::default().dialects.nestjs);
    }

    #[test]
    fn what_is_wrong_is_named() {
        let wrong = |patch: Value| Settings::default().patched(&patch).unwrap_err().message;
        assert_eq!(wrong(json!([])), "`the body` cannot be []");
        assert_eq!(wrong(json!({"acces_ttl": 1})), "there is no field `acces_ttl`");
        assert_eq!(wrong(json!({"access_ttl_ms": 0})), "`access_ttl_ms` cannot be 0");
        assert_eq!(wrong(json!({"refresh_ttl_ms": "1h"})), "`refresh_ttl_ms` cannot be \"1h\"");
        assert_eq!(
            wrong(json!({"dialects": {"nestjs": {"rotation": "always"}}})),
            "`dialects.nestjs.rotation` cannot be \"always\""
        );
        assert_eq!(wrong(json!({"dialects": {"rails": {}}})), "there is no field `rails`");
    }
}
