//! How long an access token lives. Providers say it in seconds, in milliseconds, as a point in time, as text, or not at
//! all, and some mean another unit than they say. A point in time is compared only with the provider's own times.

use alloc::format;
use core::fmt;
use core::time::Duration;

use jiff::fmt::{rfc2822, temporal};
use jiff::tz::Offset;
use jiff::{Span, SpanRelativeTo, civil};
use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use super::answer::{Clock, JwtTimes};
use super::pointer::Pointer;

/// Written as `"/expires_in"`, or `{ at = "/expires", unit = "milliseconds" }`. The unit is that of a number; a text says
/// itself what it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lifetime {
    pub at: Pointer,
    pub unit: Unit,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    Milliseconds,
    /// `rfc3339` is what a text had to be called once.
    #[default]
    #[serde(alias = "rfc3339")]
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
    let Some(number) = number(value) else {
        let text = value.as_str()?.trim();
        return positive(point(text).and_then(|point| until(point, now)).or_else(|| span(text))?);
    };
    let millis = match field.unit {
        Unit::UnixMilliseconds | Unit::UnixSeconds => until(in_seconds(number), now)?,
        Unit::Seconds | Unit::Milliseconds if number >= POINT_IN_TIME => until(in_seconds(number), now)?,
        Unit::Milliseconds => number,
        Unit::Seconds => number * 1000.0,
    };
    positive(millis)
}

/// Zero, or less, is what some say of a token without an end.
pub(crate) fn is_endless(field: &Lifetime, json: &Value) -> bool {
    field.at.find(json).and_then(number).is_some_and(|number| number <= 0.0)
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

/// In milliseconds. The point is in seconds since 1970.
fn until(point: f64, now: Option<i64>) -> Option<f64> {
    Some((point - now? as f64) * 1000.0)
}

/// The point is in seconds or milliseconds since 1970, as its size tells.
fn in_seconds(point: f64) -> f64 {
    if point >= IN_MILLISECONDS { point / 1000.0 } else { point }
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

/// In seconds since 1970: ISO 8601 as it is written anywhere, or the date of a mail or an HTTP header. Who names no zone
/// means that of the calendar.
fn point(text: &str) -> Option<f64> {
    let Ok(pieces) = temporal::Pieces::parse(text) else {
        let point = rfc2822::DateTimeParser::new().parse_timestamp(text).ok()?;
        return Some(point.as_second() as f64);
    };
    // Not as a timestamp, of which the library has none for the last day that there is, and that is what .NET calls never.
    let date = pieces.date().to_datetime(pieces.time().unwrap_or_else(civil::Time::midnight));
    let east = pieces.to_numeric_offset().map_or(0, Offset::seconds);
    Some(date.duration_since(EPOCH).as_secs_f64() - f64::from(east))
}

/// In milliseconds: `10s`, `1h 30m`, `PT10S`, `00:00:10`, and with days as .NET writes them, `1.00:00:00`.
fn span(text: &str) -> Option<f64> {
    let days = text.split_once('.').filter(|(_, rest)| rest.contains(':'));
    let span: Span = match days {
        Some((days, rest)) => format!("{days}d {rest}").parse(),
        None => text.parse(),
    }
    .ok()?;
    Some(span.to_duration(SpanRelativeTo::days_are_24_hours()).ok()?.as_secs_f64() * 1000.0)
}

const EPOCH: civil::DateTime = civil::date(1970, 1, 1).at(0, 0, 0, 0);

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
    use Unit::{Milliseconds, Seconds, UnixMilliseconds, UnixSeconds};
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

    /// Row A11: each unit, because a text says itself what it is.
    #[test]
    fn texts_are_read_for_what_they_mean() {
        let table = [
            ("2026-11-21T13:00:00Z", HOUR),
            ("2026-11-21t13:00:00z", HOUR),
            ("2026-11-21T13:00:00.123456Z", Some(3_600_123)),
            ("2026-11-21T13:00:00.1234567+00:00", Some(3_600_123)),
            ("2026-11-21 08:30:00-04:30", HOUR),
            ("2026-11-22T01:00:00+12:00", HOUR),
            ("2026-11-21T13:00:00.000+0000", HOUR),
            ("2026-11-21T15:00:00+02", HOUR),
            ("2026-11-21T13:00:00", HOUR),
            ("2026-11-21 13:00:00", HOUR),
            ("2026-11-21 13:00:00.000000", HOUR),
            ("20261121T130000Z", HOUR),
            ("2026-11-21T13:00Z", HOUR),
            ("Sat, 21 Nov 2026 13:00:00 GMT", HOUR),
            ("Sat, 21 Nov 2026 14:00:00 +0100", HOUR),
            ("2026-11-22", Some(12 * 3_600_000)),
            ("9999-12-31T23:59:59.9999999", Some(251_607_038_400_000)),
            ("9999-12-31T23:59:59Z", Some(251_607_038_399_000)),
            ("01:00:00", HOUR),
            ("1.00:00:00", Some(24 * 3_600_000)),
            ("00:00:10.5", Some(10_500)),
            ("3600s", HOUR),
            ("3600 seconds", HOUR),
            ("60m", HOUR),
            ("1h", HOUR),
            ("1 hour", HOUR),
            ("90m 30s", Some(5_430_000)),
            ("500ms", Some(500)),
            ("30d", Some(30 * 86_400_000)),
            ("PT1H", HOUR),
            ("P1DT12H", Some(36 * 3_600_000)),
        ];
        for (text, believed) in table {
            for unit in [Seconds, Milliseconds, UnixSeconds, UnixMilliseconds] {
                assert_eq!(of_field(json!(text), unit, Some(DATE), None), believed, "{text} {unit:?}");
                let padded = json!(format!(" {text}\n"));
                assert_eq!(of_field(padded, unit, Some(DATE), None), believed, "{text} {unit:?}");
            }
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
            json!("m15"),
            json!("-15m"),
            json!("1 month"),
            json!("01:00:00Z"),
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
            json!("2026-11-21T13:00:00+é"),
            json!("2026-11-21T13:00:00+24:00"),
            json!("2026-11-21T13:00:00+00:60"),
            json!("2026-11-21T13:00:00-00:-1"),
            json!("2026-11-21T13:00:00-9223372036854775807:00"),
            json!("Tomorrow at noon"),
        ];
        for value in nonsense {
            for unit in [Seconds, UnixSeconds, UnixMilliseconds] {
                assert_eq!(of_field(value.clone(), unit, Some(DATE), None), None, "{value} {unit:?}");
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
            ("2030-03-01T00:00:00Z", 1_898_553_600),
            ("2026-11-21T12:00:00Z", DATE as i32),
        ] {
            assert_eq!(point(text), Some(f64::from(seconds)), "{text}");
        }
    }
}
