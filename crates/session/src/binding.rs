//! What a grant is bound to: everything that decides where its tokens may go.
//!
//! A slip in a configuration, or somebody else's hand in it, must not send a stored token to another server. So the
//! origins of every place that is ever shown one of its tokens are kept with the grant, and so is the client that it
//! was given to. Paths, certificates and times are not: they move no token to another place.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

/// Where tokens may go, as a profile says it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Binding {
    /// Of OAuth: whom the tokens were given to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// Scheme, host and port (RFC 6454) of each place that is named.
    pub origins: BTreeMap<Place, String>,
}

/// Somewhere that is shown tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Place {
    Api,
    /// Not a place: whom the tokens were given to.
    Client,
    Introspection,
    Issuer,
    Revocation,
    Token,
    Userinfo,
}

impl Binding {
    /// What is different in `other`, in no particular importance; empty where they bind alike.
    pub fn differences(&self, other: &Self) -> Vec<Place> {
        let mut places: Vec<Place> = self.origins.keys().chain(other.origins.keys()).copied().collect();
        places.sort_unstable();
        places.dedup();
        places.retain(|place| self.origins.get(place) != other.origins.get(place));
        if self.client != other.client {
            places.push(Place::Client);
        }
        places
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn binding(client: &str, origins: &[(Place, &str)]) -> Binding {
        Binding {
            client: Some(String::from(client)),
            origins: origins.iter().map(|(place, origin)| (*place, String::from(*origin))).collect(),
        }
    }

    #[test]
    fn whatever_moves_a_token_is_told() {
        let one = binding("desktop", &[(Place::Api, "https://a"), (Place::Token, "https://id")]);
        assert!(one.differences(&one).is_empty());
        for (other, places) in [
            (binding("desktop", &[(Place::Api, "https://b"), (Place::Token, "https://id")]), [Place::Api]),
            (
                binding("desktop", &[(Place::Api, "https://a"), (Place::Token, "https://evil")]),
                [Place::Token],
            ),
            (binding("desktop", &[(Place::Api, "https://a")]), [Place::Token]),
            (binding("other", &[(Place::Api, "https://a"), (Place::Token, "https://id")]), [Place::Client]),
        ] {
            assert_eq!(one.differences(&other), places);
            assert_eq!(other.differences(&one), places);
        }
        let more =
            [(Place::Api, "https://a"), (Place::Token, "https://id"), (Place::Revocation, "https://x")];
        assert_eq!(one.differences(&binding("desktop", &more)), [Place::Revocation]);
    }
}
