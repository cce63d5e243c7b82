//! Rules that recognise an answer: by its status, and by what stands in its body where the status alone says little.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use super::answer::{Answer, Body};
use super::place::Pointer;

/// An answer of this kind. Everything that is said must hold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Match {
    pub status: Statuses,
    /// The media type, such as `text/html`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Condition>,
    /// Not when this holds: some servers say 401 for what no new token can mend.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unless: Option<Condition>,
}

/// One status or several. Written as `401` or `[401, 403]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statuses(pub Vec<u16>);

/// Something that holds of a body. Written as `{ at = "/code", equals = "token_not_valid" }`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "ConditionTable", into = "ConditionTable")]
pub struct Condition {
    /// Where to look; without it, at the whole body.
    pub at: Option<Pointer>,
    pub test: Test,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Test {
    /// A text in which this stands, whatever the case of its letters.
    Contains(String),
    /// Nothing but white space.
    Empty(bool),
    Equals(Value),
    /// Something stands there, and it is not null.
    Exists(bool),
    Is(Kind),
}

/// The kinds of JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Array,
    Boolean,
    Null,
    Number,
    Object,
    String,
}

impl Match {
    /// Any answer with this status.
    pub fn status(status: u16) -> Self {
        Self { status: Statuses(Vec::from([status])), content_type: None, body: None, unless: None }
    }

    pub fn holds(&self, answer: &Answer<'_>) -> bool {
        self.holds_of(answer, &answer.read())
    }

    pub(super) fn holds_of(&self, answer: &Answer<'_>, body: &Body) -> bool {
        self.status.0.contains(&answer.status)
            && self.content_type.as_ref().is_none_or(|kind| {
                answer.essence().is_some_and(|essence| essence.eq_ignore_ascii_case(kind.trim()))
            })
            && self.body.as_ref().is_none_or(|condition| condition.holds(answer, body))
            && self.unless.as_ref().is_none_or(|condition| !condition.holds(answer, body))
    }

    /// It looks at more than the status.
    pub(super) fn looks_inside(&self) -> bool {
        self.body.is_some() || self.content_type.is_some()
    }
}

impl Condition {
    fn holds(&self, answer: &Answer<'_>, body: &Body) -> bool {
        let json = body.json();
        let found = match &self.at {
            Some(pointer) => json.and_then(|json| pointer.find(json)),
            None => json,
        };
        match &self.test {
            Test::Equals(value) => found.is_some_and(|found| same(found, value)),
            Test::Contains(text) => match (&self.at, found) {
                (None, _) => contains(&String::from_utf8_lossy(answer.body), text),
                (Some(_), Some(Value::String(found))) => contains(found, text),
                (Some(_), _) => false,
            },
            Test::Exists(wanted) => found.is_some_and(|found| !found.is_null()) == *wanted,
            Test::Is(kind) => found.is_some_and(|found| Kind::of(found) == *kind),
            Test::Empty(wanted) => match &self.at {
                None => (*body == Body::Empty) == *wanted,
                Some(_) => (found == Some(&Value::String(String::new()))) == *wanted,
            },
        }
    }
}

impl Kind {
    fn of(json: &Value) -> Self {
        match json {
            Value::Array(_) => Self::Array,
            Value::Bool(_) => Self::Boolean,
            Value::Null => Self::Null,
            Value::Number(_) => Self::Number,
            Value::Object(_) => Self::Object,
            Value::String(_) => Self::String,
        }
    }
}

/// Equal, where 1 and 1.0 are: the two sides were written in different languages.
fn same(found: &Value, wanted: &Value) -> bool {
    match (found, wanted) {
        (Value::Number(found), Value::Number(wanted)) => found == wanted || found.as_f64() == wanted.as_f64(),
        _ => found == wanted,
    }
}

fn contains(text: &str, part: &str) -> bool {
    text.to_lowercase().contains(&part.to_lowercase())
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ConditionTable {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    at: Option<Pointer>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    contains: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    empty: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    equals: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    exists: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    is: Option<Kind>,
}

impl TryFrom<ConditionTable> for Condition {
    type Error = &'static str;

    fn try_from(table: ConditionTable) -> Result<Self, Self::Error> {
        let ConditionTable { at, contains, empty, equals, exists, is } = table;
        let tests = [
            contains.map(Test::Contains),
            empty.map(Test::Empty),
            equals.map(Test::Equals),
            exists.map(Test::Exists),
            is.map(Test::Is),
        ];
        let mut tests = tests.into_iter().flatten();
        match (tests.next(), tests.next()) {
            (Some(test), None) => Ok(Self { at, test }),
            _ => Err("a condition has exactly one of `contains`, `empty`, `equals`, `exists`, `is`"),
        }
    }
}

impl From<Condition> for ConditionTable {
    fn from(Condition { at, test }: Condition) -> Self {
        let empty = Self { at, contains: None, empty: None, equals: None, exists: None, is: None };
        match test {
            Test::Contains(text) => Self { contains: Some(text), ..empty },
            Test::Empty(wanted) => Self { empty: Some(wanted), ..empty },
            Test::Equals(value) => Self { equals: Some(value), ..empty },
            Test::Exists(wanted) => Self { exists: Some(wanted), ..empty },
            Test::Is(kind) => Self { is: Some(kind), ..empty },
        }
    }
}

impl Serialize for Statuses {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if let [status] = self.0.as_slice() {
            status.serialize(serializer)
        } else {
            self.0.serialize(serializer)
        }
    }
}

impl<'de> Deserialize<'de> for Statuses {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(StatusesVisitor)
    }
}

struct StatusesVisitor;

impl<'de> Visitor<'de> for StatusesVisitor {
    type Value = Statuses;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a status such as 401, or a list of them")
    }

    fn visit_u64<E: Error>(self, status: u64) -> Result<Statuses, E> {
        Ok(Statuses(Vec::from([checked(status.try_into().ok(), &status)?])))
    }

    fn visit_i64<E: Error>(self, status: i64) -> Result<Statuses, E> {
        Ok(Statuses(Vec::from([checked(status.try_into().ok(), &status)?])))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Statuses, A::Error> {
        let mut statuses = Vec::new();
        while let Some(status) = list.next_element::<i64>()? {
            statuses.push(checked(status.try_into().ok(), &status)?);
        }
        if statuses.is_empty() { Err(A::Error::custom("no status is given")) } else { Ok(Statuses(statuses)) }
    }
}

fn checked<E: Error>(status: Option<u16>, written: &dyn fmt::Display) -> Result<u16, E> {
    status
        .filter(|status| (100..600).contains(status))
        .ok_or_else(|| E::custom(format!("{written} is not a status of HTTP: they go from 100 to 599")))
}
