//! What a grant is bound to: its client, and the origin of every place that is shown one of its tokens, so that an
//! edited configuration cannot send a stored token to another server. Paths, certificates and times are no part of it.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Binding {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// Each origin is scheme, host and port (RFC 6454).
    pub origins: BTreeMap<Destination, String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Destination {
    Api,
    /// Not a place, but the client that the tokens were given to.
    Client,
    Introspection,
    Issuer,
    Revocation,
    Token,
    Userinfo,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bound {
    /// What versions before bindings compared: `ADDRESS`, or with OAuth `ADDRESS (CLIENT)`.
    pub origin: String,
    /// Absent in what such a version stored.
    pub binding: Option<Binding>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Judgement {
    /// Stored without a binding, but the old `origin` matches. The grant gets the binding of the profile.
    Adopted,
    /// These places are others than they were. The grant is kept, and its tokens are sent nowhere.
    Elsewhere(Vec<Destination>),
    Ours,
}

/// `origin` is what versions before bindings would have stored for this profile.
pub fn judge(stored: &Bound, binding: &Binding, origin: &str) -> Judgement {
    let Some(bound) = &stored.binding else {
        return if stored.origin == origin {
            Judgement::Adopted
        } else {
            Judgement::Elsewhere(differences_before(&stored.origin, binding, origin))
        };
    };
    let places = bound.differences(binding);
    if places.is_empty() { Judgement::Ours } else { Judgement::Elsewhere(places) }
}

fn differences_before(stored: &str, binding: &Binding, origin: &str) -> Vec<Destination> {
    let known = [Destination::Issuer, Destination::Token, Destination::Api];
    let address =
        known.into_iter().find(|place| binding.origins.contains_key(place)).unwrap_or(Destination::Api);
    let ((theirs, their_client), (ours, our_client)) = (split(stored), split(origin));
    let mut places = Vec::new();
    if theirs != ours {
        places.push(address);
    }
    if their_client != our_client {
        places.push(Destination::Client);
    }
    places
}

/// An address contains no space.
fn split(origin: &str) -> (&str, Option<&str>) {
    match origin.split_once(" (") {
        Some((address, client)) => (address, Some(client)),
        None => (origin, None),
    }
}

impl Binding {
    pub fn differences(&self, other: &Self) -> Vec<Destination> {
        let mut places: Vec<Destination> = self.origins.keys().chain(other.origins.keys()).copied().collect();
        places.sort_unstable();
        places.dedup();
        places.retain(|place| self.origins.get(place) != other.origins.get(place));
        if self.client != other.client {
            places.push(Destination::Client);
        }
        places
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn binding(client: &str, origins: &[(Destination, &str)]) -> Binding {
        Binding {
            client: Some(String::from(client)),
            origins: origins.iter().map(|(place, origin)| (*place, String::from(*origin))).collect(),
        }
    }

    #[test]
    fn whatever_moves_a_token_is_told() {
        let one = binding("desktop", &[(Destination::Api, "https://a"), (Destination::Token, "https://id")]);
        assert!(one.differences(&one).is_empty());
        for (other, places) in [
            (
                binding("desktop", &[(Destination::Api, "https://b"), (Destination::Token, "https://id")]),
                [Destination::Api],
            ),
            (
                binding("desktop", &[(Destination::Api, "https://a"), (Destination::Token, "https://evil")]),
                [Destination::Token],
            ),
            (binding("desktop", &[(Destination::Api, "https://a")]), [Destination::Token]),
            (
                binding("other", &[(Destination::Api, "https://a"), (Destination::Token, "https://id")]),
                [Destination::Client],
            ),
        ] {
            assert_eq!(one.differences(&other), places);
            assert_eq!(other.differences(&one), places);
        }
        let more = [
            (Destination::Api, "https://a"),
            (Destination::Token, "https://id"),
            (Destination::Revocation, "https://x"),
        ];
        assert_eq!(one.differences(&binding("desktop", &more)), [Destination::Revocation]);
    }

    #[test]
    fn what_is_bound_is_judged_by_what_it_is_bound_to() {
        let one =
            binding("desktop", &[(Destination::Api, "https://a"), (Destination::Issuer, "https://id/one")]);
        let other =
            binding("desktop", &[(Destination::Api, "https://b"), (Destination::Issuer, "https://id/one")]);
        let stored = Bound { origin: String::from("https://id/one (desktop)"), binding: Some(one.clone()) };
        assert_eq!(judge(&stored, &one, "https://id/one (desktop)"), Judgement::Ours);
        assert_eq!(judge(&stored, &one, "another (word)"), Judgement::Ours, "the old rule is not asked");
        let elsewhere = Judgement::Elsewhere(Vec::from([Destination::Api]));
        assert_eq!(judge(&stored, &other, "https://id/one (desktop)"), elsewhere);
    }

    #[test]
    fn what_was_stored_before_is_adopted_where_the_rule_of_then_allows_it() {
        let oauth =
            binding("desktop", &[(Destination::Api, "https://a"), (Destination::Issuer, "https://id")]);
        let by_hand =
            binding("desktop", &[(Destination::Api, "https://a"), (Destination::Token, "https://id")]);
        let recipe =
            Binding { client: None, origins: [(Destination::Api, String::from("https://a"))].into() };
        let elsewhere = |places: &[Destination]| Judgement::Elsewhere(Vec::from(places));
        for (stored, profile, origin, judgement) in [
            ("https://id (desktop)", &oauth, "https://id (desktop)", Judgement::Adopted),
            ("https://a", &recipe, "https://a", Judgement::Adopted),
            ("https://id (phone)", &oauth, "https://id (desktop)", elsewhere(&[Destination::Client])),
            ("https://x (desktop)", &oauth, "https://id (desktop)", elsewhere(&[Destination::Issuer])),
            ("https://x/t (desktop)", &by_hand, "https://id/t (desktop)", elsewhere(&[Destination::Token])),
            (
                "https://x (b)",
                &oauth,
                "https://id (desktop)",
                elsewhere(&[Destination::Issuer, Destination::Client]),
            ),
            ("https://b", &recipe, "https://a", elsewhere(&[Destination::Api])),
            ("https://a (x)", &recipe, "https://a", elsewhere(&[Destination::Client])),
        ] {
            let stored = Bound { origin: String::from(stored), binding: None };
            assert_eq!(judge(&stored, profile, origin), judgement, "{stored:?}");
        }
    }
}
