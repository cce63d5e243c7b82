//! How long an access token lives. Providers say it in seconds, in milliseconds, as a point in time, as text, or not at
//! all, and some mean another unit than they say. A point in time is compared only with the provider's own times.

use core::fmt;
use core::time::Duration;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use super::answer::{Clock, JwtTimes};
use super::pointer::Pointer;

/// Written as `"/expires_in"`, or `{ at = "/expires", unit = "milliseconds" }`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lifetime {
    pub at: Pointer,
    pub unit: Unit,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    Milliseconds,
    /// A date and time as text, such as `2026-01-31T12:00:00Z`.
    Rfc3339,
    #[default]
    Seconds,
    UnixMilliseconds,
    UnixSeconds,
}

pub(crate) fn of(field: Option<&Lifetime>, json: &Value, token: &str, clock: Clock<'_>) -> Option<Duration> {
    let times = (clock.jwt)(token).unwrap_or_default();
    let times = JwtTimes { exp: times.exp.map(as_seconds), iat: times.iat.map(as_seconds) };
    let told = field.and_then(|field| told(field, json, times.iat, clock.date));
    let own = own(times, clock.date);
    match (told, own) {
        (Some(told), Some(own)) => Some(reconciled(told, own)),
        (told, own) => told.or(own),
    }
    .map(Duration::from_millis)
}

/// In milliseconds.
pub(super) fn told(field: &Lifetime, json: &Value, iat: Option<i64>, date: Option<i64>) -> Option<u64> {
    let value = field.at.find(json)?;
    let now = date.or(iat);
    let millis = match field.unit {
        Unit::Rfc3339 => until(rfc3339(value.as_str()?)? as f64, now)?,
        Unit::UnixMilliseconds | Unit::UnixSeconds => until(number(value)?, now)?,
        Unit::Seconds | Unit::Milliseconds => {
            let number = number(value)?;
            if number >= POINT_IN_TIME {
                until(number, now)?
            } else if field.unit == Unit::Milliseconds {
                number
            } else {
                number * 1000.0
            }
        }
    };
    positive(millis)
}

/// In milliseconds.
pub(super) fn own(times: JwtTimes, date: Option<i64>) -> Option<u64> {
    let seconds = [times.iat, date].into_iter().flatten().find_map(|from| {
        let lifetime = times.exp?.saturating_sub(from);
        (lifetime > 0).then_some(lifetime)
    })?;
    Some(u64::try_from(seconds).ok()?.saturating_mul(1000))
}

/// A field that is off by a thousand has the wrong unit. No server takes a JWT past its `exp`.
pub(super) fn reconciled(told: u64, own: u64) -> u64 {
    let thousandfold = told.saturating_mul(1000);
    if thousandfold.abs_diff(own) <= own / 50 { own } else { told.min(own) }
}

/// In milliseconds. The point is in seconds or milliseconds since 1970, as its size tells.
fn until(point: f64, now: Option<i64>) -> Option<f64> {
    let seconds = if point >= IN_MILLISECONDS { point / 1000.0 } else { point };
    Some((seconds - now? as f64) * 1000.0)
}

pub(super) fn as_seconds(point: i64) -> i64 {
    if point as f64 >= IN_MILLISECONDS { point / 1000 } else { point }
}

pub(crate) fn number(value: &Value) -> Option<f64> {
    let number = match value {
        Value::Number(number) => number.as_f64()?,
        Value::String(text) => text.trim().parse().ok()?,
        Value::Array(_) | Value::Bool(_) | Value::Null | Value::Object(_) => return None,
    };
    number.is_finite().then_some(number)
}

/// At least one, and `None` below. The cast saturates.
fn positive(millis: f64) -> Option<u64> {
    (millis >= 1.0).then_some(millis as u64)
}

fn rfc3339(text: &str) -> Option<i64> {
    let (date, rest) = text.trim().split_once(['T', 't', ' '])?;
    let zone = rest.find(['Z', 'z', '+', '-'])?;
    let (time, zone) = rest.split_at(zone);
    let [year, month, day] = triple(date, '-')?;
    let [hour, minute, second] = triple(time.split('.').next()?, ':')?;
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) || hour > 24 || minute > 59 || second > 60 {
        return None;
    }
    let offset = match zone {
        "Z" | "z" => 0,
        _ => {
            let (hours, minutes) = zone[1..].split_once(':')?;
            let [hours, minutes] = [hours.parse::<u8>().ok()?, minutes.parse::<u8>().ok()?];
            if hours > 23 || minutes > 59 {
                return None;
            }
            let minutes = i64::from(hours) * 60 + i64::from(minutes);
            if zone.starts_with('-') { -minutes } else { minutes }
        }
    };
    Some(days(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second - offset * 60)
}

fn triple(text: &str, separator: char) -> Option<[i64; 3]> {
    let mut parts = text.split(separator).map(|part| part.parse::<u16>().ok().map(i64::from));
    let triple = [parts.next()??, parts.next()??, parts.next()??];
    parts.next().is_none().then_some(triple)
}

/// Days since 1970, by counting years from March so that the leap day comes last.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let month = (month + 9) % 12;
    let era_day = year * 365 + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    era_day + (month * 153 + 2) / 5 + day - 1 - 719_468
}

/// In seconds, this is a lifetime of 31 years, or the year 2001.
const POINT_IN_TIME: f64 = 1e9;

/// This is the year 5138 in seconds, and 1973 in milliseconds.
const IN_MILLISECONDS: f64 = 1e11;

impl Serialize for Lifetime {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.unit == Unit::default() {
            return self.at.serialize(serializer);
        }
        LifetimeTable { at: self.at.clone(), unit: self.unit }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Lifetime {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(LifetimeVisitor)
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct LifetimeTable {
    at: Pointer,
    #[serde(default)]
    unit: Unit,
}

struct LifetimeVisitor;

impl<'de> Visitor<'de> for LifetimeVisitor {
    type Value = Lifetime;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("lifetime")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Lifetime, E> {
        let at = Pointer::new(text).map_err(E::custom)?;
        Ok(Lifetime { at, unit: Unit::default() })
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Lifetime, A::Error> {
        let LifetimeTable { at, unit } = LifetimeTable::deserialize(MapAccessDeserializer::new(map))?;
        Ok(Lifetime { at, unit })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Unit::{Milliseconds, Rfc3339, Seconds, UnixMilliseconds, UnixSeconds};
    use serde_json::json;

    const DATE: i64 = 1_795_262_400;

    const HOUR: Option<u64> = Some(3_600_000);

    fn of_field(value: Value, unit: Unit, date: Option<i64>, times: Option<JwtTimes>) -> Option<u64> {
        let field = Lifetime { at: Pointer::new("/life").unwrap(), unit };
        let clock = Clock { date, jwt: &|_| times };
        let lifetime = of(Some(&field), &json!({ "life": value }), "token", clock);
        lifetime.map(|lifetime| lifetime.as_millis() as u64)
    }

    /// Rows A10, A11: what providers write, and what is believed when nothing else is known.
    #[test]
    fn fields_are_read_for_what_they_mean() {
        let table = [
            (json!(3600), Seconds, HOUR),
            (json!("3600"), Seconds, HOUR),
            (json!(" 3600 "), Seconds, HOUR),
            (json!(3600.0), Seconds, HOUR),
            (json!("3.6e3"), Seconds, HOUR),
            (json!(0.5), Seconds, Some(500)),
            (json!(3_600_000), Milliseconds, HOUR),
            (json!("3600000"), Milliseconds, HOUR),
            (json!(DATE + 3600), UnixSeconds, HOUR),
            (json!((DATE + 3600) * 1000), UnixMilliseconds, HOUR),
            (json!("2026-11-21T13:00:00Z"), Rfc3339, HOUR),
            (json!("2026-11-21T13:00:00.123456Z"), Rfc3339, HOUR),
            (json!("2026-11-21 08:30:00-04:30"), Rfc3339, HOUR),
            (json!("2026-11-22T01:00:00+12:00"), Rfc3339, HOUR),
            // A point in time where a lifetime was promised, and in the wrong unit.
            (json!(DATE + 3600), Seconds, HOUR),
            (json!((DATE + 3600) * 1000), Seconds, HOUR),
            (json!((DATE + 3600) * 1000), Milliseconds, HOUR),
            (json!((DATE + 3600) * 1000), UnixSeconds, HOUR),
            (json!(DATE + 3600), UnixMilliseconds, HOUR),
            (json!(365 * 86_400), Seconds, Some(365 * 86_400_000)),
        ];
        for (value, unit, believed) in table {
            assert_eq!(of_field(value.clone(), unit, Some(DATE), None), believed, "{value} {unit:?}");
        }
    }

    #[test]
    fn nonsense_is_as_if_nothing_had_been_said() {
        let nonsense = [
            json!(0),
            json!(-1),
            json!(-3600),
            json!(0.000_1),
            json!("0"),
            json!(""),
            json!("15m"),
            json!("NaN"),
            json!("inf"),
            json!("-inf"),
            json!(null),
            json!(true),
            json!([3600]),
            json!({ "seconds": 3600 }),
            json!(1_000_000_000_000_u64),
            json!(DATE - 1),
            json!("2026-11-21T11:59:59Z"),
            json!("2026-13-01T00:00:00Z"),
            json!("2026-11-21"),
            json!("2026-11-21T13:00:00"),
            json!("2026-11-21T13:00:00+é"),
            json!("2026-11-21T13:00:00+24:00"),
            json!("2026-11-21T13:00:00+00:60"),
            json!("2026-11-21T13:00:00-00:-1"),
            json!("2026-11-21T13:00:00-9223372036854775807:00"),
            json!("Tomorrow at noon"),
        ];
        for value in nonsense {
            for unit in [Rfc3339, Seconds, UnixSeconds, UnixMilliseconds] {
                if unit != Rfc3339
                    || !value.is_string()
                    || value.as_str().is_some_and(|text| text.contains('2'))
                {
                    assert_eq!(of_field(value.clone(), unit, Some(DATE), None), None, "{value} {unit:?}");
                }
                let times = JwtTimes { exp: Some(DATE + 60), iat: Some(DATE) };
                assert_eq!(
                    of_field(value.clone(), unit, Some(DATE), Some(times)),
                    Some(60_000),
                    "{value} {unit:?}"
                );
            }
        }
    }

    /// Row A10.
    #[test]
    fn absurd_sizes_saturate() {
        assert!(of_field(json!(1e300), Seconds, Some(DATE), None) > Some(u64::MAX / 2));
        assert_eq!(of_field(json!(1e300), Seconds, None, None), None);
        assert_eq!(of_field(json!(-1e300), UnixSeconds, Some(DATE), None), None);
        assert_eq!(of_field(json!(i64::MIN), Milliseconds, Some(i64::MIN), None), None);
        let times = JwtTimes { exp: Some(i64::MAX), iat: Some(i64::MIN) };
        assert!(of_field(json!(null), Seconds, Some(i64::MIN), Some(times)) > HOUR);
        let times = JwtTimes { exp: Some(i64::MIN), iat: Some(i64::MAX) };
        assert_eq!(of_field(json!(null), Seconds, Some(i64::MAX), Some(times)), None);
    }

    #[test]
    fn points_in_time_are_compared_with_the_providers_own() {
        let times = |iat| Some(JwtTimes { exp: None, iat });
        assert_eq!(of_field(json!(DATE + 3600), UnixSeconds, None, None), None);
        assert_eq!(of_field(json!(DATE + 3600), UnixSeconds, None, times(Some(DATE))), HOUR);
        assert_eq!(of_field(json!(DATE + 3600), UnixSeconds, Some(DATE), times(Some(DATE - 99))), HOUR);
    }

    #[test]
    fn a_jwt_speaks_for_itself() {
        let table = [
            (Some(DATE + 3600), Some(DATE), None, HOUR),
            (Some(DATE + 3600), Some(DATE), Some(DATE - 7777), HOUR),
            (Some(DATE + 3600), None, Some(DATE), HOUR),
            // It was issued after it ended, so only the server's own clock is left.
            (Some(DATE + 3600), Some(DATE + 9999), Some(DATE), HOUR),
            (Some((DATE + 3600) * 1000), Some(DATE * 1000), None, HOUR),
            (Some((DATE + 3600) * 1000), None, Some(DATE), HOUR),
            (Some(DATE + 3600), None, None, None),
            (Some(DATE), Some(DATE), Some(DATE), None),
            (None, Some(DATE), Some(DATE), None),
        ];
        for (exp, iat, date, believed) in table {
            let clock = Clock { date, jwt: &|_| Some(JwtTimes { exp, iat }) };
            let lifetime = of(None, &json!({}), "token", clock).map(|lifetime| lifetime.as_millis() as u64);
            assert_eq!(lifetime, believed, "{exp:?} {iat:?} {date:?}");
        }
    }

    #[test]
    fn of_two_witnesses_the_likelier_is_believed() {
        let times = Some(JwtTimes { exp: Some(DATE + 3600), iat: Some(DATE) });
        for (value, unit, believed) in [
            (json!(1800), Seconds, Some(1_800_000)),
            (json!(7200), Seconds, HOUR),
            (json!(3_600_000), Seconds, HOUR),
            (json!(3600), Milliseconds, HOUR),
            (json!(3590), Milliseconds, HOUR),
        ] {
            assert_eq!(of_field(value.clone(), unit, Some(DATE), times), believed, "{value} {unit:?}");
        }
    }

    #[test]
    fn the_calendar_is_right() {
        for (text, seconds) in [
            ("1970-01-01T00:00:00Z", 0),
            ("1969-12-31T23:59:59Z", -1),
            ("2000-02-29T00:00:00Z", 951_782_400),
            ("2000-03-01T00:00:00Z", 951_868_800),
            ("2100-03-01T00:00:00Z", 4_107_542_400),
            ("2026-11-21T12:00:00Z", DATE),
        ] {
            assert_eq!(rfc3339(text), Some(seconds), "{text}");
        }
    }
}
