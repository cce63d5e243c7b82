//! What is sealed, as JSON; and what older versions kept in the keyring itself: `1.` and base64url of such JSON.

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

/// The ID token is not kept.
pub(super) fn write(refresh: &RefreshToken, account: &Account) -> Zeroizing<Vec<u8>> {
    let Account { user, identity, proof_key, id_token: _ } = account;
    let record = Written {
        refresh: refresh.expose(),
        user: user.as_deref(),
        issuer: identity.as_ref().map(|identity| identity.issuer.as_str()),
        subject: identity.as_ref().map(|identity| identity.subject.as_str()),
        proof_key: proof_key.as_ref().map(Secret::expose),
    };
    // Large enough that no copy is left behind by growing: JSON writes a byte as six at most.
    let texts = [record.user, record.issuer, record.subject, record.proof_key].into_iter().flatten();
    let room = 6 * (refresh.expose().len() + texts.map(str::len).sum::<usize>()) + 128;
    let mut json = Zeroizing::new(Vec::with_capacity(room));
    // Texts cannot fail to be JSON, nor a vector to be written to.
    serde_json::to_writer(&mut *json, &record).unwrap_or_default();
    json
}

pub(super) fn read(json: &[u8]) -> Result<(RefreshToken, Account), Unreadable> {
    let Read { refresh, user, issuer, subject, proof_key } =
        serde_json::from_slice(json).map_err(|_| Unreadable::Garbled)?;
    let identity = issuer.zip(subject).map(|(issuer, subject)| Identity { issuer, subject });
    let account = Account { user, identity, proof_key: proof_key.map(Secret::new), id_token: None };
    Ok((RefreshToken::new(refresh), account))
}

/// An item of the versions that kept each session in the keyring, and when it was saved, in milliseconds since 1970.
pub(super) fn read_item(item: &[u8]) -> Result<(Stored, i64), Unreadable> {
    let Some(encoded) = item.strip_prefix(ITEM.as_bytes()) else {
        let digits = item.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let versioned = digits > 0 && item.get(digits) == Some(&b'.');
        return Err(if versioned { Unreadable::OtherVersion } else { Unreadable::Garbled });
    };
    let json =
        Zeroizing::new(URL_SAFE_NO_PAD.decode(encoded.trim_ascii_end()).map_err(|_| Unreadable::Garbled)?);
    let Item { v, origin, bound, saved_at } =
        serde_json::from_slice(&json).map_err(|_| Unreadable::Garbled)?;
    if !matches!(v, 1 | 2) {
        return Err(Unreadable::OtherVersion);
    }
    let (refresh, account) = read(&json)?;
    Ok((Stored { refresh, bound: Bound { origin, binding: bound }, account, generation: 0 }, saved_at))
}

#[derive(Serialize)]
struct Written<'a> {
    refresh: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    issuer: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<&'a str>,
    /// For proofs of the tokens (RFC 9449).
    #[serde(skip_serializing_if = "Option::is_none")]
    proof_key: Option<&'a str>,
}

#[derive(Deserialize)]
struct Read {
    refresh: String,
    user: Option<String>,
    issuer: Option<String>,
    subject: Option<String>,
    proof_key: Option<String>,
}

#[derive(Deserialize)]
struct Item {
    v: u32,
    origin: String,
    bound: Option<Binding>,
    #[serde(default)]
    saved_at: i64,
}

const ITEM: &str = "1.";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        for (refresh, user) in [("r", None), ("line\nbreak \"quoted\" \\ \u{0} žluť 火", Some("火"))] {
            let account = Account {
                user: user.map(str::to_owned),
                identity: user.map(|user| Identity {
                    issuer: "https://id.example".to_owned(),
                    subject: user.to_owned(),
                }),
                proof_key: user.map(|_| Secret::new("MIGHAgEA-_")),
                id_token: None,
            };
            let refresh = RefreshToken::new(refresh);
            assert_eq!(read(&write(&refresh, &account)), Ok((refresh, account)));
        }
    }

    #[test]
    fn what_stands_in_peoples_keyrings_stays_readable() {
        let item = "1.eyJ2IjoxLCJyZWZyZXNoIjoicnQtMSIsIm9yaWdpbiI6Imh0dHBzOi8vYS5leGFtcGxlIiwidXNlciI6Im1pYSIsInNhdmVkX2F0Ijo3fQ";
        let stored = Stored {
            refresh: RefreshToken::new("rt-1"),
            bound: Bound { origin: "https://a.example".into(), binding: None },
            account: Account::named("mia"),
            generation: 0,
        };
        assert_eq!(read_item(item.as_bytes()), Ok((stored, 7)));
        let json = r#"{"v":2,"refresh":"r","origin":"o","bound":{"origins":{"api":"https://a.example"}},"user":null,"issuer":"i","subject":"s","proof_key":"k","saved_at":9}"#;
        let (stored, saved_at) = read_item(format!("1.{}", URL_SAFE_NO_PAD.encode(json)).as_bytes()).unwrap();
        assert_eq!(saved_at, 9);
        assert_eq!(stored.account.proof_key, Some(Secret::new("k")));
        assert!(stored.account.identity.is_some() && stored.bound.binding.is_some());
    }

    #[test]
    fn a_later_version_is_recognised() {
        let later =
            format!("1.{}", URL_SAFE_NO_PAD.encode(r#"{"v":3,"refresh":"r","origin":"o","user":null}"#));
        for item in ["2.whatever", "17.", later.as_str()] {
            assert_eq!(read_item(item.as_bytes()), Err(Unreadable::OtherVersion), "{item}");
        }
    }

    #[test]
    fn anything_else_is_garbled() {
        for item in ["", "1.", "1.!!!", "1.e30", "token", ".x", "v2.x", "\u{fffd}"] {
            assert_eq!(read_item(item.as_bytes()), Err(Unreadable::Garbled), "{item}");
        }
    }
}
