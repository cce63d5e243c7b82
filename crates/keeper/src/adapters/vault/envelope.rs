//! The file that keeps wrapping keys sealed under what a passphrase or a credential gives. Its line says how that is
//! derived and which keys are inside.

use argon2::{Algorithm, Argon2, Params, Version};
use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use session::wrapping::Fingerprint;
use zeroize::Zeroizing;

use super::cipher::{self, KEY, NONCE, TAG};
use super::key::{Key, hex, unhex};

/// What can be read without the passphrase or the credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Label {
    pub(super) keys: Vec<Fingerprint>,
    pub(super) way: Way,
    check: String,
}

/// How a secret becomes a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Way {
    /// For what a person can remember (RFC 9106).
    Argon2id { salt: String, memory_kib: u32, passes: u32, lanes: u32 },
    /// For what is random (RFC 5869).
    Hkdf { salt: String },
}

/// What opens the file. It does not print, and is wiped when it is dropped.
#[derive(Clone)]
pub(super) struct Opener {
    pub(super) way: Way,
    key: Box<Zeroizing<[u8; KEY]>>,
    check: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unopened {
    /// It is not what was written.
    Damaged,
    /// Another passphrase or credential has sealed it.
    Wrong,
}

impl Way {
    /// The second of the two that RFC 9106 recommends, with a salt of its own. `None` without random bytes.
    pub(super) fn argon2id() -> Option<Self> {
        Some(Self::Argon2id { salt: salt()?, memory_kib: 64 * 1024, passes: 3, lanes: 4 })
    }

    pub(super) fn hkdf() -> Option<Self> {
        Some(Self::Hkdf { salt: salt()? })
    }

    /// `None` if no key can be derived in this way.
    pub(super) fn derive(&self, secret: &[u8]) -> Option<Opener> {
        let mut key = Box::new(Zeroizing::new([0; KEY]));
        match self {
            Self::Argon2id { salt, memory_kib, passes, lanes } => {
                // A file that asks for more was not written by us.
                if *memory_kib > MOST_MEMORY || *passes > MOST_PASSES {
                    return None;
                }
                let params = Params::new(*memory_kib, *passes, *lanes, Some(KEY)).ok()?;
                let salt = URL_SAFE_NO_PAD.decode(salt).ok()?;
                let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
                argon2.hash_password_into(secret, &salt, &mut **key).ok()?;
            }
            Self::Hkdf { salt } => {
                let salt = Salt::new(HKDF_SHA256, &URL_SAFE_NO_PAD.decode(salt).ok()?);
                expand(&salt, secret, "pilotlight key of a credential", &mut **key)?;
            }
        }
        let mut check = [0; 8];
        expand(&Salt::new(HKDF_SHA256, &[]), &**key, "pilotlight check of a key", &mut check)?;
        Some(Opener { way: self.clone(), key, check: hex(Fingerprint(check)) })
    }
}

pub(super) fn label(file: &[u8]) -> Option<Label> {
    let (line, sealed) = cipher::split(file)?;
    let line: Line = serde_json::from_slice(line).ok()?;
    let Line { pilotlight, v, keys, way, check } = line;
    let keys = keys.iter().map(|key| unhex(key)).collect::<Option<Vec<_>>>()?;
    let is_whole = pilotlight == KIND && v == VERSION && sealed.len() >= NONCE + TAG;
    is_whole.then_some(Label { keys, way, check })
}

impl Label {
    pub(super) fn is_for(&self, opener: &Opener) -> bool {
        self.way == opener.way && self.check == opener.check
    }
}

impl Opener {
    /// `None` where the system has no random bytes.
    pub(super) fn seal(&self, keys: &[Key]) -> Option<Vec<u8>> {
        let line = Line {
            pilotlight: KIND.to_owned(),
            v: VERSION,
            keys: keys.iter().map(|key| hex(key.fingerprint)).collect(),
            way: self.way.clone(),
            check: self.check.clone(),
        };
        let texts: Vec<_> = keys.iter().map(Key::text).collect();
        let room = texts.iter().map(|text| text.len() + 1).sum::<usize>() + TAG;
        let mut sealed = Zeroizing::new(Vec::with_capacity(room));
        for text in &texts {
            sealed.extend_from_slice(text.as_bytes());
            sealed.push(b'\n');
        }
        cipher::seal(&self.key, cipher::line(&line)?, sealed)
    }

    pub(super) fn open(&self, file: &[u8]) -> Result<Vec<Key>, Unopened> {
        let label = label(file).ok_or(Unopened::Damaged)?;
        if !label.is_for(self) {
            return Err(Unopened::Wrong);
        }
        let (line, sealed) = cipher::split(file).ok_or(Unopened::Damaged)?;
        let text = cipher::open(&self.key, line, sealed).ok_or(Unopened::Damaged)?;
        let lines = text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        lines.map(Key::read).collect::<Option<Vec<_>>>().ok_or(Unopened::Damaged)
    }
}

fn expand(salt: &Salt, secret: &[u8], info: &str, out: &mut [u8]) -> Option<()> {
    let wanted = super::key::Length(out.len());
    salt.extract(secret).expand(&[info.as_bytes()], wanted).and_then(|derived| derived.fill(out)).ok()
}

fn salt() -> Option<String> {
    let mut salt = [0; 16];
    cipher::random(&mut salt)?;
    Some(URL_SAFE_NO_PAD.encode(salt))
}

#[derive(Serialize, Deserialize)]
struct Line {
    pilotlight: String,
    v: u32,
    keys: Vec<String>,
    way: Way,
    check: String,
}

const KIND: &str = "sealed key";
const VERSION: u32 = 1;

/// In KiB.
const MOST_MEMORY: u32 = 1024 * 1024;
const MOST_PASSES: u32 = 64;

#[cfg(test)]
mod tests {
    use super::*;

    fn fingerprints(keys: &[Key]) -> Vec<Fingerprint> {
        keys.iter().map(|key| key.fingerprint).collect()
    }

    #[test]
    fn what_was_put_in_comes_out_for_the_same_secret_alone() {
        let keys = [Key::make().unwrap(), Key::make().unwrap()];
        for way in [Way::argon2id().unwrap(), Way::hkdf().unwrap()] {
            let opener = way.derive("correct horse 火".as_bytes()).unwrap();
            let file = opener.seal(&keys).unwrap();
            let label = label(&file).unwrap();
            assert_eq!((&label.keys, &label.way), (&fingerprints(&keys), &way));
            let again = label.way.derive("correct horse 火".as_bytes()).unwrap();
            assert_eq!(fingerprints(&again.open(&file).unwrap()), fingerprints(&keys));
            for wrong in ["correct horse", "", "correct horse 火 "] {
                let opener = label.way.derive(wrong.as_bytes()).unwrap();
                assert_eq!(opener.open(&file).err(), Some(Unopened::Wrong), "{wrong}");
            }
            let salted = if way == Way::hkdf().unwrap() { Way::hkdf() } else { Way::argon2id() }.unwrap();
            let other = salted.derive("correct horse 火".as_bytes()).unwrap();
            assert_eq!(other.open(&file).err(), Some(Unopened::Wrong), "another salt");
        }
    }

    #[test]
    fn nothing_of_the_keys_or_the_secret_shows() {
        let key = Key::make().unwrap();
        let file = Way::hkdf().unwrap().derive(b"canary").unwrap().seal(std::slice::from_ref(&key)).unwrap();
        for text in [key.text().as_bytes(), b"canary"] {
            assert!(!file.windows(text.len()).any(|part| part == text));
        }
    }

    #[test]
    fn whatever_is_changed_is_noticed() {
        let opener = Way::hkdf().unwrap().derive(b"secret").unwrap();
        let file = opener.seal(&[Key::make().unwrap()]).unwrap();
        for at in 0..file.len() {
            let mut changed = file.clone();
            changed[at] ^= 1;
            assert!(opener.open(&changed).is_err(), "byte {at}");
        }
        for length in 0..file.len() {
            assert!(opener.open(&file[..length]).is_err(), "{length} bytes");
        }
        for file in [&b""[..], b"\n", b"{}\n", b"nonsense"] {
            assert_eq!(label(file), None);
        }
    }

    /// Or whoever can write the file could take all memory there is.
    #[test]
    fn a_file_does_not_say_how_much_work_there_is() {
        let (salt, lanes) = (salt().unwrap(), 1);
        for (memory_kib, passes) in [(MOST_MEMORY + 1, 1), (64, MOST_PASSES + 1), (0, 1), (64, 0)] {
            let way = Way::Argon2id { salt: salt.clone(), memory_kib, passes, lanes };
            assert!(way.derive(b"x").is_none(), "{memory_kib} KiB, {passes}");
        }
    }

    /// Computed with the reference implementation, libargon2.
    #[test]
    fn what_is_derived_stays_the_same() {
        let salt = URL_SAFE_NO_PAD.encode(b"somesaltsomesalt");
        let way = Way::Argon2id { salt, memory_kib: 1024, passes: 3, lanes: 4 };
        let opener = way.derive(b"correct horse").unwrap();
        let hex: String = opener.key.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, DERIVED);
    }

    const DERIVED: &str = "0ce3478e00bffd4b944dfa056eda62bbda4f639657d0f6546af6bb77e974733c";
}
