//! What stands in an answer, or does not.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use super::answer::{Answer, Body};
use super::flaw::Flaw;
use super::pointer::Pointer;

/// One of them must hold. Written as one, or as a list.
#[derive(Clone, Debug, PartialEq)]
pub struct Conditions(Vec<Condition>);

/// Written as `{ name = "X-Error", contains = "expired" }`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "HeaderTable", into = "HeaderTable")]
pub struct HeaderCondition {
    pub name: String,
    pub test: HeaderTest,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HeaderTest {
    Contains(String),
    Equals(String),
    Exists(bool),
}

/// Written as `{ at = "/code", equals = "token_not_valid" }`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "ConditionTable", into = "ConditionTable")]
pub struct Condition {
    /// Without it, the whole body.
    pub at: Option<Pointer>,
    pub test: Test,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Test {
    Contains(String),
    Empty(bool),
    Equals(Value),
    Exists(bool),
    Is(JsonKind),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JsonKind {
    Array,
    Boolean,
    Null,
    Number,
    Object,
    String,
}

impl Conditions {
    pub(super) fn hold(&self, answer: &Answer<'_>, body: &Body) -> bool {
        self.0.iter().any(|condition| condition.holds(answer, body))
    }

    /// Whichever holds, it names a member of the provider's own JSON.
    pub(super) fn are_specific(&self) -> bool {
        self.0.iter().all(Condition::is_specific)
    }

    pub(super) fn are_to_the_letter(&self) -> bool {
        self.are_specific() && self.0.iter().all(Condition::names_a_value)
    }
}

impl HeaderCondition {
    pub(super) fn holds(&self, answer: &Answer<'_>) -> bool {
        let value = answer.headers.get(&self.name.to_ascii_lowercase()).map(|value| value.trim());
        match &self.test {
            HeaderTest::Contains(text) => value.is_some_and(|value| contains(value, text)),
            HeaderTest::Equals(text) => value.is_some_and(|value| value.eq_ignore_ascii_case(text.trim())),
            HeaderTest::Exists(wanted) => value.is_some() == *wanted,
        }
    }

    /// No answer of anybody else has that header.
    pub(super) fn is_specific(&self) -> bool {
        let is_anybodys = ANYBODYS.iter().any(|name| name.eq_ignore_ascii_case(&self.name));
        !is_anybodys && self.test != HeaderTest::Exists(false)
    }

    pub(super) fn is_to_the_letter(&self) -> bool {
        self.is_specific()
            && match &self.test {
                HeaderTest::Contains(text) | HeaderTest::Equals(text) => !text.trim().is_empty(),
                HeaderTest::Exists(_) => false,
            }
    }
}

impl Condition {
    pub(super) fn holds(&self, answer: &Answer<'_>, body: &Body) -> bool {
        let found = match (&self.at, body.json()) {
            (Some(pointer), Some(json)) => pointer.all(json),
            (None, Some(json)) => Vec::from([json]),
            (_, None) => Vec::new(),
        };
        match &self.test {
            Test::Equals(value) => found.iter().any(|found| same(found, value)),
            Test::Contains(text) => match &self.at {
                None => contains(&String::from_utf8_lossy(answer.body), text),
                Some(_) => {
                    found.iter().any(|found| found.as_str().is_some_and(|found| contains(found, text)))
                }
            },
            Test::Exists(wanted) => found.iter().any(|found| !found.is_null()) == *wanted,
            Test::Is(kind) => found.iter().any(|found| JsonKind::of(found) == *kind),
            Test::Empty(wanted) => match &self.at {
                None => (*body == Body::Empty) == *wanted,
                Some(_) => found.iter().any(|found| **found == Value::String(String::new())) == *wanted,
            },
        }
    }

    fn is_specific(&self) -> bool {
        let names = self.at.as_ref().is_some_and(|at| !at.as_str().is_empty());
        names && !matches!(self.test, Test::Exists(false) | Test::Empty(false))
    }

    fn names_a_value(&self) -> bool {
        match &self.test {
            Test::Contains(text) => !text.trim().is_empty(),
            Test::Equals(value) => !value.is_null(),
            Test::Empty(_) | Test::Exists(_) | Test::Is(_) => false,
        }
    }
}

impl JsonKind {
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

/// What gateways and portals send, too.
const ANYBODYS: [&str; 27] = [
    "age",
    "allow",
    "alt-svc",
    "cache-control",
    "connection",
    "content-encoding",
    "content-language",
    "content-length",
    "content-type",
    "date",
    "etag",
    "expires",
    "keep-alive",
    "last-modified",
    "link",
    "location",
    "pragma",
    "proxy-authenticate",
    "retry-after",
    "server",
    "set-cookie",
    "strict-transport-security",
    "transfer-encoding",
    "vary",
    "via",
    "www-authenticate",
    "x-request-id",
];

/// 1 equals 1.0, because the two sides were written in different languages.
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
    is: Option<JsonKind>,
}

impl TryFrom<ConditionTable> for Condition {
    type Error = Flaw;

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
            _ => Err(Flaw::ConditionNotOne),
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

impl Serialize for Conditions {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if let [condition] = self.0.as_slice() {
            condition.serialize(serializer)
        } else {
            self.0.serialize(serializer)
        }
    }
}

impl<'de> Deserialize<'de> for Conditions {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ConditionsVisitor)
    }
}

struct ConditionsVisitor;

impl<'de> Visitor<'de> for ConditionsVisitor {
    type Value = Conditions;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("condition")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Conditions, A::Error> {
        Ok(Conditions(Vec::from([Condition::deserialize(MapAccessDeserializer::new(map))?])))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Conditions, A::Error> {
        let conditions = Vec::deserialize(SeqAccessDeserializer::new(list))?;
        if conditions.is_empty() {
            return Err(A::Error::custom(Flaw::ConditionNotOne));
        }
        Ok(Conditions(conditions))
    }
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct HeaderTable {
    name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    contains: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    equals: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    exists: Option<bool>,
}

impl TryFrom<HeaderTable> for HeaderCondition {
    type Error = Flaw;

    fn try_from(table: HeaderTable) -> Result<Self, Self::Error> {
        let HeaderTable { name, contains, equals, exists } = table;
        let test = match (contains, equals, exists) {
            (Some(text), None, None) => HeaderTest::Contains(text),
            (None, Some(text), None) => HeaderTest::Equals(text),
            (None, None, Some(wanted)) => HeaderTest::Exists(wanted),
            _ => return Err(Flaw::ConditionNotOne),
        };
        Ok(Self { name, test })
    }
}

impl From<HeaderCondition> for HeaderTable {
    fn from(HeaderCondition { name, test }: HeaderCondition) -> Self {
        let empty = Self { name, contains: None, equals: None, exists: None };
        match test {
            HeaderTest::Contains(text) => Self { contains: Some(text), ..empty },
            HeaderTest::Equals(text) => Self { equals: Some(text), ..empty },
            HeaderTest::Exists(wanted) => Self { exists: Some(wanted), ..empty },
        }
    }
}
