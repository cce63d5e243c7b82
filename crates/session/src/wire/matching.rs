//! Rules that recognise an answer by its status, and by its body where the status says little.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::answer::{Answer, Body};
use super::condition::{Conditions, HeaderCondition};
use super::flaw::Flaw;
use super::meaning::is_of_the_provider;

/// All that is given must hold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Match {
    pub status: Statuses,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header: Option<HeaderCondition>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Conditions>,
    /// An exception: some servers say 401 for what no new token can mend.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unless: Option<Conditions>,
}

/// One status or several. Written as `401` or `[401, 403]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statuses(pub Vec<u16>);

impl Match {
    pub fn status(status: u16) -> Self {
        Self {
            status: Statuses(Vec::from([status])),
            content_type: None,
            header: None,
            body: None,
            unless: None,
        }
    }

    pub fn holds(&self, answer: &Answer<'_>) -> bool {
        self.holds_of(answer, &answer.read())
    }

    pub(crate) fn holds_of(&self, answer: &Answer<'_>, body: &Body) -> bool {
        self.status.0.contains(&answer.status)
            && self.content_type.as_ref().is_none_or(|kind| {
                answer.essence().is_some_and(|essence| essence.eq_ignore_ascii_case(kind.trim()))
            })
            && self.header.as_ref().is_none_or(|condition| condition.holds(answer))
            && self.body.as_ref().is_none_or(|conditions| conditions.hold(answer, body))
            && self.unless.as_ref().is_none_or(|conditions| !conditions.hold(answer, body))
    }

    pub(crate) fn looks_inside(&self) -> bool {
        self.body.is_some() || self.content_type.is_some() || self.header.is_some()
    }

    /// It names a member of the provider's own JSON, or a header: no page of anybody else has it.
    fn is_specific(&self) -> bool {
        self.header.as_ref().is_some_and(HeaderCondition::is_specific)
            || self.body.as_ref().is_some_and(Conditions::are_specific)
    }

    /// It says what must stand there, too.
    fn is_to_the_letter(&self) -> bool {
        self.header.as_ref().is_some_and(HeaderCondition::is_to_the_letter)
            || self.body.as_ref().is_some_and(Conditions::are_to_the_letter)
    }

    /// What a server in trouble or a network in between may send must not condemn a refresh token.
    pub fn check_refused(&self) -> Result<(), Flaw> {
        for &status in &self.status.0 {
            match status {
                407 | 408 | 425 | 429 | 451 | 300..400 | 500.. if !self.is_to_the_letter() => {
                    return Err(Flaw::NeverRefused { status });
                }
                200..300 if !self.is_specific() => return Err(Flaw::RefusedWithoutBody { status }),
                _ => {}
            }
        }
        Ok(())
    }
}

pub(crate) fn one_holds(rules: &[Match], answer: &Answer<'_>, body: &Body) -> bool {
    rules.iter().any(|rule| rule.holds_of(answer, body))
}

/// Whether one of them says that what was sent is refused: by the provider, and not by somebody in between.
pub(crate) fn refuses(rules: &[Match], answer: &Answer<'_>, body: &Body) -> bool {
    let is_the_providers = |rule: &Match| {
        rule.is_specific()
            || is_of_the_provider(answer, body)
            || (answer.authentic && rule.looks_inside() && *body != Body::CutShort)
    };
    rules.iter().any(|rule| rule.holds_of(answer, body) && is_the_providers(rule))
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
        f.write_str("status")
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
        if statuses.is_empty() { Err(A::Error::custom(Flaw::NoStatus)) } else { Ok(Statuses(statuses)) }
    }
}

fn checked<E: Error>(status: Option<u16>, written: &dyn fmt::Display) -> Result<u16, E> {
    status
        .filter(|status| (100..600).contains(status))
        .ok_or_else(|| E::custom(Flaw::NotAStatus { written: written.to_string() }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipe::Recipe;
    use crate::wire::condition::Condition;
    use serde_json::{Value, json};

    fn holds(rule: &Value, status: u16, kind: Option<&str>, body: &str) -> bool {
        let rule: Match = serde_json::from_value(rule.clone()).unwrap();
        let again: Match = serde_json::from_value(serde_json::to_value(&rule).unwrap()).unwrap();
        assert_eq!(again, rule);
        rule.holds(&Answer::new(status, kind.unwrap_or_default(), body))
    }

    #[test]
    fn every_test_is_told_from_its_opposite() {
        let table = [
            (json!({ "equals": null, "at": "/a" }), r#"{"a":1}"#, None),
            (json!({ "at": "/a", "equals": 401 }), r#"{"a":401}"#, Some(r#"{"a":"401"}"#)),
            (json!({ "at": "/a", "equals": 1 }), r#"{"a":1.0}"#, Some(r#"{"a":1.5}"#)),
            (json!({ "at": "/a/0", "equals": "x" }), r#"{"a":["x"]}"#, Some(r#"{"a":["X"]}"#)),
            (json!({ "equals": { "a": 1 } }), r#"{"a":1}"#, Some(r#"{"a":1,"b":2}"#)),
            (
                json!({ "at": "/a", "contains": "Expired" }),
                r#"{"a":"it expired."}"#,
                Some(r#"{"b":"expired"}"#),
            ),
            (json!({ "contains": "expired" }), "Your session has EXPIRED", Some("fine")),
            (json!({ "at": "/a", "exists": true }), r#"{"a":0}"#, Some(r#"{"a":null}"#)),
            (json!({ "at": "/a", "exists": false }), "", Some(r#"{"a":{}}"#)),
            (json!({ "is": "null" }), " null ", Some("")),
            (json!({ "at": "/a", "is": "array" }), r#"{"a":[]}"#, Some(r#"{"a":{}}"#)),
            (json!({ "empty": true }), " \n", Some("{}")),
            (json!({ "empty": false }), "x", Some("")),
            (json!({ "at": "/a", "empty": true }), r#"{"a":""}"#, Some(r#"{"a":" "}"#)),
        ];
        for (condition, yes, no) in table {
            let Some(no) = no else {
                assert!(serde_json::from_value::<Condition>(condition).is_err());
                continue;
            };
            let [rule, opposite] = ["body", "unless"].map(|key| json!({ "status": 400, key: condition }));
            assert!(holds(&rule, 400, None, yes) && !holds(&rule, 400, None, no), "{condition}");
            assert!(!holds(&opposite, 400, None, yes) && holds(&opposite, 400, None, no), "{condition}");
            assert!(!holds(&rule, 401, None, yes), "{condition}");
        }
    }

    #[test]
    fn a_content_type_is_compared_without_its_parameters() {
        let rule = json!({ "status": [200, 203], "content_type": "text/html" });
        assert!(holds(&rule, 200, Some("Text/HTML; charset=utf-8"), ""));
        assert!(!holds(&rule, 200, Some("application/json"), ""));
        assert!(!holds(&rule, 200, None, ""));
    }

    #[test]
    fn mistakes_in_a_recipe_are_told_in_the_words_of_the_file() {
        let rule = |rule: Value| json!({ "refresh": { "path": "/r" }, "rejects": [rule] });
        for (json, told) in [
            (json!({ "refresh": { "pth": "/r" } }), "unknown field `pth`, expected one of `method`, `path`"),
            (json!({}), "missing field `refresh`"),
            (json!({ "refresh": { "path": "r" } }), "not_a_path"),
            (json!({ "refresh": { "path": "//evil.example" } }), "not_a_path"),
            (json!({ "refresh": { "path": "/a b" } }), "path_character"),
            (json!({ "refresh": { "path": "/r", "method": "P OST" } }), "not_a_method"),
            (json!({ "refresh": { "path": "/r", "take": { "access_token": "a" } } }), "not_a_pointer"),
            (json!({ "refresh": { "path": "/r", "take": { "access_token": "/~2" } } }), "pointer_escape"),
            (json!({ "refresh": { "path": "/r", "send": { "token": "/a" } } }), "unknown field `token`"),
            (json!({ "refresh": { "path": "/r", "send": { "refresh_token": 7 } } }), "expected place"),
            (json!({ "refresh": { "path": "/r", "send": { "refresh_token": {} } } }), "place_not_one"),
            (json!({ "refresh": { "path": "/r", "send": { "refresh_token": "" } } }), "place_nameless"),
            (json!({ "refresh": { "path": "/r", "format": "xml" } }), "unknown variant `xml`"),
            (
                json!({ "refresh": { "path": "/r", "take": { "lifetime": { "at": "/e", "unit": "hours" } } } }),
                "unknown variant `hours`",
            ),
            (rule(json!({ "status": 42 })), r#""not_a_status","written":"42""#),
            (rule(json!({ "status": [] })), "no_status"),
            (rule(json!({ "status": "401" })), "expected status"),
            (rule(json!({ "status": 401, "body": { "at": "/a" } })), "condition_not_one"),
            (rule(json!({ "status": 401, "body": { "is": "null", "empty": true } })), "condition_not_one"),
            (rule(json!({ "status": 401, "body": { "is": "text" } })), "unknown variant `text`"),
        ] {
            let error = serde_json::from_value::<Recipe>(json.clone()).unwrap_err().to_string();
            assert!(error.contains(told), "{json}: {error}");
        }
    }
}
