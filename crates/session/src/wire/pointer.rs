//! Where a value stands in a JSON text (RFC 6901).

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

use super::flaw::Flaw;
use crate::bounds;

/// `""` is the whole text, `/user/name` a member of a member. A name `*` is every entry of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pointer(String);

impl Pointer {
    pub fn new(text: &str) -> Result<Self, Flaw> {
        if !text.is_empty() && !text.starts_with('/') {
            return Err(Flaw::NotAPointer { written: text.to_string() });
        }
        if text.len() > bounds::POINTER || text.matches('/').count() > bounds::POINTER_NAMES {
            return Err(Flaw::PointerTooLong);
        }
        let mut rest = text;
        while let Some(at) = rest.find('~') {
            rest = &rest[at + 1..];
            if !rest.starts_with(['0', '1']) {
                return Err(Flaw::PointerEscape { written: text.to_string() });
            }
        }
        Ok(Self(text.to_string()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first there is.
    pub fn find<'a>(&self, json: &'a Value) -> Option<&'a Value> {
        if self.is_of_many() { self.all(json).first().copied() } else { json.pointer(&self.0) }
    }

    pub(crate) fn all<'a>(&self, json: &'a Value) -> Vec<&'a Value> {
        if !self.is_of_many() {
            return json.pointer(&self.0).into_iter().collect();
        }
        let mut here = Vec::from([json]);
        for name in self.0.split('/').skip(1) {
            let member = format!("/{name}");
            let inside = |value: &'a Value| match value.as_array() {
                Some(list) if name == "*" => list.iter().collect(),
                _ => value.pointer(&member).into_iter().collect::<Vec<_>>(),
            };
            here = here.into_iter().flat_map(inside).collect();
        }
        here
    }

    pub(crate) fn is_of_many(&self) -> bool {
        self.0.split('/').any(|name| name == "*")
    }

    pub fn names(&self) -> Vec<String> {
        self.0.split('/').skip(1).map(|name| name.replace("~1", "/").replace("~0", "~")).collect()
    }

    /// Makes the objects on the way, and replaces what cannot hold them.
    pub(crate) fn put(&self, json: &mut Value, value: Value) {
        let mut here = json;
        for name in self.names() {
            if let Value::Array(list) = here
                && let Some(index) = name.parse::<usize>().ok().filter(|index| *index < list.len())
            {
                // Looked up twice, because the borrow checker cannot yet see that the other arm does not run.
                let Value::Array(list) = here else { return };
                here = &mut list[index];
                continue;
            }
            if !here.is_object() {
                *here = Value::Object(Map::new());
            }
            let Value::Object(object) = here else { return };
            here = object.entry(name).or_insert(Value::Null);
        }
        *here = value;
    }
}

impl Serialize for Pointer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Pointer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(&Cow::<str>::deserialize(deserializer)?).map_err(Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_put_into_what_is_there_and_what_cannot_hold_it_is_replaced() {
        for (before, at, after) in [
            (r#"{"a":{"b":1}}"#, "/a/c", r#"{"a":{"b":1,"c":"x"}}"#),
            (r#"{"a":[1,2]}"#, "/a/0", r#"{"a":["x",2]}"#),
            (r#"{"a":[1,2]}"#, "/a/1", r#"{"a":[1,"x"]}"#),
            (r#"{"a":[1,2]}"#, "/a/2", r#"{"a":{"2":"x"}}"#),
            (r#"{"a":[{"b":1}]}"#, "/a/0/b", r#"{"a":[{"b":"x"}]}"#),
            (r#"{"a":1}"#, "/a/b", r#"{"a":{"b":"x"}}"#),
            ("null", "/a~1b/~0", r#"{"a/b":{"~":"x"}}"#),
        ] {
            let mut json = serde_json::from_str(before).unwrap();
            Pointer::new(at).unwrap().put(&mut json, Value::from("x"));
            assert_eq!(json.to_string(), after, "{at}");
        }
    }

    #[test]
    fn a_star_is_every_entry_of_a_list_and_a_name_everywhere_else() {
        let json = serde_json::json!({
            "errors": [{ "code": 7 }, { "code": 8, "at": [1, 2] }, "x"], "*": { "a": 1 }, "0": [[5], [6, 7]],
        });
        let found = |text: &str| {
            let all = Pointer::new(text).unwrap().all(&json).into_iter().map(Value::to_string);
            all.collect::<Vec<_>>().join(" ")
        };
        assert_eq!(found("/errors/*/code"), "7 8");
        assert_eq!(found("/errors/*/at/*"), "1 2");
        assert_eq!(found("/*/a"), "1");
        assert_eq!(found("/0/*/*"), "5 6 7");
        assert_eq!(found("/errors/1/code"), "8");
        assert_eq!(found("/nothing/*"), "");
        assert_eq!(Pointer::new("/errors/*/code").unwrap().find(&json), Some(&Value::from(7)));
    }

    /// What is built along a pointer is as deep, and is walked by functions that call themselves.
    #[test]
    fn a_pointer_is_no_deeper_and_no_longer_than_its_bounds() {
        let deep = |names: usize| Pointer::new(&"/a".repeat(names));
        let long = |length: usize| Pointer::new(&("/".to_string() + &"a".repeat(length - 1)));
        assert!(deep(bounds::POINTER_NAMES).is_ok() && long(bounds::POINTER).is_ok());
        assert_eq!(deep(bounds::POINTER_NAMES + 1), Err(Flaw::PointerTooLong));
        assert_eq!(long(bounds::POINTER + 1), Err(Flaw::PointerTooLong));
        let mut json = Value::Null;
        deep(bounds::POINTER_NAMES).unwrap().put(&mut json, Value::from("x"));
        assert!(serde_json::from_str::<Value>(&json.to_string()).is_ok(), "what was made can be read");
    }
}
