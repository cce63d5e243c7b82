//! `1.` and base64url of JSON, in one line of ASCII: some keyrings lose a collection to a line break, or refuse what
//! is not UTF-8. The version comes first, so that a later format is recognised.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use session::binding::{Binding, Bound};
use session::tokens::{Account, Identity, RefreshToken, Secret};
use thiserror::Error;
use zeroize::Zeroizing;

use super::Stored;

#[derive(Debug, Error, PartialEq, Eq)]
pub(super) enum Unreadable {
    #[error("written by another version")]
    OtherVersion,
    #[error("not what this version writes")]
    Garbled,
}

pub(super) fn write(stored: &Stored, saved_at: i64) -> Zeroizing<String> {
    let Stored { refresh, bound: Bound { origin, binding }, account } = stored;
    let Account { user, identity, proof_key, id_token: _ } = account;
    let record = Written {
        // A version that does not know the key would drop it, and the token would be useless.
        v: if proof_key.is_some() || identity.is_some() { 2 } else { 1 },
        refresh: refresh.expose(),
        origin,
        bound: binding.as_ref(),
        user: user.as_deref(),
        issuer: identity.as_ref().map(|identity| identity.issuer.as_str()),
        subject: identity.as_ref().map(|identity| identity.subject.as_str()),
        proof_key: proof_key.as_ref().map(Secret::expose),
        saved_at,
    };
    // Large enough that no copy is left behind by growing.
    let texts = [record.user, record.issuer, record.subject, record.proof_key].into_iter().flatten();
    let bound: usize = binding
        .iter()
        .flat_map(|binding| binding.origins.values().chain(&binding.client))
        .map(|text| text.len() + 32)
        .sum();
    let room =
        bound + 2 * refresh.expose().len() + 6 * texts.map(str::len).sum::<usize>() + origin.len() + 192;
    let mut json = Zeroizing::new(Vec::with_capacity(room));
    serde_json::to_writer(&mut *json, &record).unwrap_or_default();
    let mut text = Zeroizing::new(String::with_capacity(json.len() * 4 / 3 + 8));
    text.push_str(VERSION);
    URL_SAFE_NO_PAD.encode_string(&*json, &mut text);
    text
}

/// Also when it was saved, in milliseconds since 1970.
pub(super) fn read(item: &[u8]) -> Result<(Stored, i64), Unreadable> {
    let Some(encoded) = item.strip_prefix(VERSION.as_bytes()) else {
        let digits = item.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let versioned = digits > 0 && item.get(digits) == Some(&b'.');
        return Err(if versioned { Unreadable::OtherVersion } else { Unreadable::Garbled });
    };
    let json =
        Zeroizing::new(URL_SAFE_NO_PAD.decode(encoded.trim_ascii_end()).map_err(|_| Unreadable::Garbled)?);
    let record: Read = serde_json::from_slice(&json).map_err(|_| Unreadable::Garbled)?;
    match record.v {
        1 | 2 => {
            let Read { refresh, origin, bound, user, issuer, subject, proof_key, saved_at, .. } = record;
            let bound = Bound { origin, binding: bound };
            let identity = issuer.zip(subject).map(|(issuer, subject)| Identity { issuer, subject });
            let account = Account { user, identity, proof_key: proof_key.map(Secret::new), id_token: None };
            Ok((Stored { refresh: RefreshToken::new(refresh), bound, account }, saved_at))
        }
        _ => Err(Unreadable::OtherVersion),
    }
}

#[derive(Serialize)]
struct Written<'a> {
    v: u32,
    refresh: &'a str,
    /// For versions that do not know bindings.
    origin: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    bound: Option<&'a Binding>,
    user: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    issuer: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<&'a str>,
    /// For proofs of the tokens (RFC 9449).
    #[serde(skip_serializing_if = "Option::is_none")]
    proof_key: Option<&'a str>,
    saved_at: i64,
}

#[derive(Deserialize)]
struct Read {
    v: u32,
    refresh: String,
    origin: String,
    bound: Option<Binding>,
    user: Option<String>,
    issuer: Option<String>,
    subject: Option<String>,
    proof_key: Option<String>,
    #[serde(default)]
    saved_at: i64,
}

const VERSION: &str = "1.";

#[cfg(test)]
mod tests {
    use super::*;
    use session::binding::Destination;

    #[test]
    fn what_is_written_is_read_and_is_one_line_of_ascii() {
        for (refresh, user) in [
            ("r", None),
            ("line\nbreak \"quoted\" \\ \u{0} žluť 火", Some("mia@example.com")),
            (&"x".repeat(64 * 1024), Some("火")),
        ] {
            let identity = user
                .map(|user| Identity { issuer: "https://id.example".to_owned(), subject: user.to_owned() });
            let stored = Stored {
                refresh: RefreshToken::new(refresh),
                bound: Bound {
                    origin: "https://api.example".to_owned(),
                    binding: user.map(|user| Binding {
                        client: Some(user.to_owned()),
                        origins: [(Destination::Api, "https://api.example".to_owned())].into(),
                    }),
                },
                account: Account {
                    user: user.map(str::to_owned),
                    identity,
                    proof_key: user.map(|_| Secret::new("MIGHAgEA-_")),
                    id_token: None,
                },
            };
            let text = write(&stored, 1_800_000_000_000);
            assert!(text.bytes().all(|byte| byte.is_ascii_graphic()), "{}", text.len());
            assert_eq!(read(text.as_bytes()), Ok((stored, 1_800_000_000_000)));
        }
    }

    #[test]
    fn what_stands_in_peoples_keyrings_stays_readable() {
        let item = "1.eyJ2IjoxLCJyZWZyZXNoIjoicnQtMSIsIm9yaWdpbiI6Imh0dHBzOi8vYS5leGFtcGxlIiwidXNlciI6Im1pYSIsInNhdmVkX2F0Ijo3fQ";
        let stored = Stored {
            refresh: RefreshToken::new("rt-1"),
            bound: Bound { origin: "https://a.example".into(), binding: None },
            account: Account::named("mia"),
        };
        assert_eq!(*write(&stored, 7), item);
        assert_eq!(read(item.as_bytes()), Ok((stored, 7)));
    }

    #[test]
    fn a_version_that_knows_nothing_of_bindings_reads_what_is_written() {
        let binding =
            Binding { client: None, origins: [(Destination::Api, "https://a.example".to_owned())].into() };
        let stored = Stored {
            refresh: RefreshToken::new("rt-1"),
            bound: Bound { origin: "https://a.example".into(), binding: Some(binding) },
            account: Account::named("mia"),
        };
        let text = write(&stored, 7);
        let json = URL_SAFE_NO_PAD.decode(text.strip_prefix(VERSION).unwrap()).unwrap();
        let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
        assert_eq!((&json["v"], &json["origin"]), (&1.into(), &"https://a.example".into()));
        assert_eq!(json["bound"], serde_json::json!({ "origins": { "api": "https://a.example" } }));
    }

    #[test]
    fn a_later_version_is_recognised() {
        let later =
            format!("1.{}", URL_SAFE_NO_PAD.encode(r#"{"v":3,"refresh":"r","origin":"o","user":null}"#));
        for item in ["2.whatever", "17.", later.as_str()] {
            assert_eq!(read(item.as_bytes()), Err(Unreadable::OtherVersion), "{item}");
        }
    }

    #[test]
    fn anything_else_is_garbled() {
        for item in ["", "1.", "1.!!!", "1.e30", "token", ".x", "v2.x", "\u{fffd}"] {
            assert_eq!(read(item.as_bytes()), Err(Unreadable::Garbled), "{item}");
        }
    }
}
