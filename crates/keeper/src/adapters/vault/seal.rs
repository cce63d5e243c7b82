//! A sealed file: its line says what it is and which key opens it, and what follows is sealed with a key of the session's
//! own. So nobody without the key can move a file to another profile, to other servers or to a later generation. The
//! length says nothing of the tokens: it is padded to whole blocks.

use serde::{Deserialize, Serialize};
use session::binding::{Binding, Bound};
use session::wrapping::{Age, Fingerprint};
use thiserror::Error;
use zeroize::Zeroizing;

use super::Stored;
use super::cipher::{self, NONCE, TAG};
use super::key::{Key, hex, unhex};
use super::record;

#[derive(Debug, Error, PartialEq, Eq)]
pub(super) enum Unsealable {
    #[error("another version wrote it")]
    OtherVersion,
    #[error("it is not what was written")]
    Damaged,
    #[error("there are no random bytes")]
    NoRandom,
}

/// What can be read without the key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Label {
    pub(super) key: Fingerprint,
    pub(super) age: Age,
    profile: String,
    bound: Bound,
}

/// `saved_at` is in milliseconds since 1970.
pub(super) fn seal(key: &Key, profile: &str, stored: &Stored, saved_at: i64) -> Result<Vec<u8>, Unsealable> {
    let Bound { origin, binding } = &stored.bound;
    let line = Line {
        pilotlight: KIND.into(),
        v: VERSION,
        key: hex(key.fingerprint),
        profile: profile.into(),
        generation: stored.generation,
        origin: origin.clone(),
        bound: binding.clone(),
        saved_at,
    };
    let line = cipher::line(&line).ok_or(Unsealable::Damaged)?;
    let record = record::write(&stored.refresh, &stored.account);
    let open = line.len() + NONCE + TAG;
    let whole = (open + LENGTH + record.len()).next_multiple_of(BLOCK);
    let length = u32::try_from(record.len()).map_err(|_| Unsealable::Damaged)?;
    let mut text = Zeroizing::new(Vec::with_capacity(whole - open + TAG));
    text.extend_from_slice(&length.to_le_bytes());
    text.extend_from_slice(&record);
    text.resize(whole - open, 0);
    cipher::seal(&key.of_session(profile), line, text).ok_or(Unsealable::NoRandom)
}

pub(super) fn label(file: &[u8]) -> Result<Label, Unsealable> {
    let (line, _) = cipher::split(file).ok_or(Unsealable::Damaged)?;
    let Versioned { pilotlight, v } = serde_json::from_slice(line).map_err(|_| Unsealable::Damaged)?;
    if pilotlight != KIND {
        return Err(Unsealable::Damaged);
    }
    if v != VERSION {
        return Err(Unsealable::OtherVersion);
    }
    let line: Line = serde_json::from_slice(line).map_err(|_| Unsealable::Damaged)?;
    let Line { key, generation, saved_at, profile, origin, bound, .. } = line;
    let key = unhex(&key).ok_or(Unsealable::Damaged)?;
    let age = Age { generation, saved_at };
    Ok(Label { key, age, profile, bound: Bound { origin, binding: bound } })
}

/// `key` is the one that the label names.
pub(super) fn open(key: &Key, profile: &str, file: &[u8]) -> Result<Stored, Unsealable> {
    let label = label(file)?;
    if label.profile != profile {
        return Err(Unsealable::Damaged);
    }
    let (line, sealed) = cipher::split(file).ok_or(Unsealable::Damaged)?;
    let text = cipher::open(&key.of_session(profile), line, sealed).ok_or(Unsealable::Damaged)?;
    let (length, rest) = text.split_first_chunk::<LENGTH>().ok_or(Unsealable::Damaged)?;
    let length = usize::try_from(u32::from_le_bytes(*length)).map_err(|_| Unsealable::Damaged)?;
    let record = rest.get(..length).ok_or(Unsealable::Damaged)?;
    let (refresh, account) = record::read(record).map_err(|_| Unsealable::Damaged)?;
    Ok(Stored { refresh, bound: label.bound, account, generation: label.age.generation })
}

#[derive(Serialize, Deserialize)]
struct Line {
    pilotlight: String,
    v: u32,
    key: String,
    profile: String,
    generation: u32,
    origin: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    bound: Option<Binding>,
    saved_at: i64,
}

#[derive(Deserialize)]
struct Versioned {
    pilotlight: String,
    v: u32,
}

const KIND: &str = "sealed sign-in";
const VERSION: u32 = 1;

/// Of the record, before it.
const LENGTH: usize = 4;

/// What a disk gives at least.
pub(super) const BLOCK: usize = 4096;

#[cfg(test)]
mod tests {
    use session::binding::Destination;
    use session::tokens::{Account, Identity, RefreshToken, Secret};

    use super::*;

    fn stored(refresh: &str) -> Stored {
        Stored {
            generation: 7,
            refresh: RefreshToken::new(refresh),
            bound: Bound {
                origin: "https://api.example".into(),
                binding: Some(Binding {
                    client: Some("app".into()),
                    origins: [(Destination::Api, "https://api.example".to_owned())].into(),
                }),
            },
            account: Account {
                user: Some("mia 火".into()),
                identity: Some(Identity { issuer: "https://id.example".into(), subject: "7".into() }),
                proof_key: Some(Secret::new("MIGHAgEA-_")),
                id_token: None,
            },
        }
    }

    /// Row C9.
    #[test]
    fn what_is_sealed_is_opened_and_its_length_tells_nothing() {
        let key = Key::make().unwrap();
        for refresh in ["r", "line\nbreak \"quoted\" \u{0} žluť", &"x".repeat(64 * 1024)] {
            let file = seal(&key, "žluť/火", &stored(refresh), 1_800_000_000_000).unwrap();
            assert_eq!(file.len() % BLOCK, 0);
            assert_eq!(open(&key, "žluť/火", &file).unwrap(), stored(refresh));
            let label = label(&file).unwrap();
            assert_eq!(
                (label.age.generation, label.age.saved_at, label.key),
                (7, 1_800_000_000_000, key.fingerprint)
            );
            let shown = String::from_utf8_lossy(&file);
            assert!(refresh.len() == 1 || !shown.contains(refresh), "the token is readable");
            assert!(!shown.contains("MIGHAgEA") && !shown.contains("mia"), "{shown}");
        }
        let sizes =
            ["r", &"x".repeat(1500)].map(|refresh| seal(&key, "p", &stored(refresh), 0).unwrap().len());
        assert_eq!(sizes[0], sizes[1]);
    }

    /// Row E2.
    #[test]
    fn whatever_is_changed_does_not_open() {
        let (key, other) = (Key::make().unwrap(), Key::make().unwrap());
        let file = seal(&key, "work", &stored("rt-1"), 0).unwrap();
        assert!(open(&key, "work", &file).is_ok());
        assert_eq!(open(&other, "work", &file).err(), Some(Unsealable::Damaged));
        assert_eq!(open(&key, "home", &file).err(), Some(Unsealable::Damaged));
        for at in (0..file.len()).step_by(61).chain([file.len() - 1]) {
            let mut changed = file.clone();
            changed[at] ^= 1;
            assert!(open(&key, "work", &changed).is_err(), "byte {at}");
        }
        for length in [0, 1, 100, 4095] {
            assert!(open(&key, "work", &file[..length]).is_err(), "{length} bytes");
        }
        let line = String::from_utf8_lossy(&file[..200]).into_owned();
        assert!(line.contains(r#""generation":7"#), "{line}");
        let later =
            [line.replacen(r#""generation":7"#, r#""generation":8"#, 1).as_bytes(), &file[200..]].concat();
        assert_eq!(open(&key, "work", &later).err(), Some(Unsealable::Damaged));
        let moved = [line.replacen("api.example", "bad.example", 1).as_bytes(), &file[200..]].concat();
        assert_eq!(open(&key, "work", &moved).err(), Some(Unsealable::Damaged));
    }

    #[test]
    fn a_later_version_is_recognised_and_anything_else_is_damaged() {
        let later = br#"{"pilotlight":"sealed sign-in","v":2,"new":true}"#;
        assert_eq!(label(&[later, &b"\n.."[..]].concat()), Err(Unsealable::OtherVersion));
        for file in [&b""[..], b"\n", b"{}\n", b"[]\n", b"\0\0\0\0", br#"{"pilotlight":"x","v":1}"#] {
            assert_eq!(label(file), Err(Unsealable::Damaged), "{file:?}");
        }
    }
}
