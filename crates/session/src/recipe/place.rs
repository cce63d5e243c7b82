use alloc::borrow::Cow;
use alloc::string::{String, ToString};
use core::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::wire::flaw::Flaw;
use crate::wire::pointer::Pointer;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    Form,
    #[default]
    Json,
}

/// Written as `"/user/name"`, `{ query = "token" }` or `{ header = "Authorization", scheme = "Bearer" }`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    Body(Pointer),
    Header { name: String, scheme: String },
    Query(String),
}

/// Something that the access token opens. Written as `"/notes"` or `"POST /notes"`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource {
    pub method: String,
    pub path: String,
}

impl Resource {
    pub fn new(text: &str) -> Result<Self, Flaw> {
        let (verb, target) = text.split_once(' ').unwrap_or(("GET", text));
        Ok(Self { method: checked_method(verb)?, path: checked_path(target.trim())? })
    }
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.path)
    }
}

impl Serialize for Resource {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Resource {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(&Cow::<str>::deserialize(deserializer)?).map_err(Error::custom)
    }
}

impl Serialize for Place {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let empty = PlaceTable { body: None, header: None, scheme: None, query: None };
        match self {
            Self::Body(pointer) => pointer.serialize(serializer),
            Self::Header { name, scheme } => {
                let scheme = Some(scheme.clone()).filter(|scheme| !scheme.is_empty());
                PlaceTable { header: Some(name.clone()), scheme, ..empty }.serialize(serializer)
            }
            Self::Query(name) => PlaceTable { query: Some(name.clone()), ..empty }.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Place {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(PlaceVisitor)
    }
}

pub(super) fn method<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    checked_method(&Cow::<str>::deserialize(deserializer)?).map_err(Error::custom)
}

pub(super) fn path<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    checked_path(&Cow::<str>::deserialize(deserializer)?).map_err(Error::custom)
}

fn checked_method(text: &str) -> Result<String, Flaw> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'-') {
        return Err(Flaw::NotAMethod { written: text.to_string() });
    }
    Ok(text.to_ascii_uppercase())
}

fn checked_path(text: &str) -> Result<String, Flaw> {
    if !text.starts_with('/') || text.starts_with("//") {
        return Err(Flaw::NotAPath { written: text.to_string() });
    }
    if text.contains(['#', '\\']) || text.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err(Flaw::PathCharacter { written: text.to_string() });
    }
    Ok(text.to_string())
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PlaceTable {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    body: Option<Pointer>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    header: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    scheme: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    query: Option<String>,
}

impl TryFrom<PlaceTable> for Place {
    type Error = Flaw;

    fn try_from(table: PlaceTable) -> Result<Self, Self::Error> {
        match table {
            PlaceTable { body: Some(pointer), header: None, scheme: None, query: None } => {
                Self::body(pointer)
            }
            PlaceTable { body: None, header: Some(name), scheme, query: None } => {
                Ok(Self::Header { name, scheme: scheme.unwrap_or_default() })
            }
            PlaceTable { body: None, header: None, scheme: None, query: Some(name) } => Ok(Self::Query(name)),
            _ => Err(Flaw::PlaceNotOne),
        }
    }
}

impl Place {
    fn body(pointer: Pointer) -> Result<Self, Flaw> {
        if pointer.as_str().is_empty() {
            return Err(Flaw::PlaceNameless);
        }
        if pointer.is_of_many() {
            return Err(Flaw::PlaceOfMany { written: pointer.as_str().to_string() });
        }
        Ok(Self::Body(pointer))
    }
}

struct PlaceVisitor;

impl<'de> Visitor<'de> for PlaceVisitor {
    type Value = Place;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("place")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Place, E> {
        Place::body(Pointer::new(text).map_err(E::custom)?).map_err(E::custom)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Place, A::Error> {
        PlaceTable::deserialize(MapAccessDeserializer::new(map))?.try_into().map_err(A::Error::custom)
    }
}
