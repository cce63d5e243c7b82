use alloc::string::String;
use core::fmt;

use serde::{Deserialize, Serialize};

/// What is wrong with a part of a recipe. The words stand in the catalogues, and the values in their sentences.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(tag = "problem", rename_all = "snake_case")]
pub enum Flaw {
    /// A rule for bad heartbeats looks at nothing but the status.
    BadWithoutBody,
    ConditionNotOne,
    FormNested {
        written: String,
    },
    MethodWithoutBody {
        method: String,
    },
    /// No such status means that a token is dead, whoever sends it.
    NeverRefused {
        status: u16,
    },
    NoPlaceFor {
        value: String,
    },
    NoStatus,
    NotAHeader {
        written: String,
    },
    NotAMethod {
        written: String,
    },
    NotAPath {
        written: String,
    },
    NotAPointer {
        written: String,
    },
    NotAStatus {
        written: String,
    },
    /// There is no such value yet when that message is made.
    NothingToSend {
        value: String,
        exchange: String,
    },
    PathCharacter {
        written: String,
    },
    PlaceNameless,
    PlaceNotOne,
    /// A value is put into one place.
    PlaceOfMany {
        written: String,
    },
    PlaceTaken {
        written: String,
    },
    PointerEscape {
        written: String,
    },
    PointerTooLong,
    /// A rule for a success looks at nothing but the status.
    RefusedWithoutBody {
        status: u16,
    },
    RejectsWithoutBody,
    TakesNoAccessToken,
    TakesNothing,
}

impl Flaw {
    /// What its printed form was made of.
    pub fn of_message(message: &str) -> Option<Self> {
        serde_json::from_str(message).ok()
    }
}

/// As on the wire: the errors of serde carry nothing but a text, and what is wrong goes through them whole.
impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&serde_json::to_string(self).map_err(|_| fmt::Error)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::pointer::Pointer;
    use alloc::string::ToString;

    #[test]
    fn what_is_wrong_goes_through_a_parsers_error_whole() {
        let flaw = Pointer::new("to\"ken").unwrap_err();
        let error = serde_json::from_value::<Pointer>("to\"ken".into()).unwrap_err();
        assert_eq!(Flaw::of_message(&error.to_string()), Some(flaw));
        assert_eq!(Flaw::of_message("missing field `path`"), None);
    }
}
