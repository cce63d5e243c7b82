//! Wrapping keys: 32 random bytes, in the keyring as one line of text that says what it is.

use std::fmt;

use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Salt};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use session::wrapping::Fingerprint;
use zeroize::Zeroizing;

use super::cipher;

/// It does not print, and is wiped when it is dropped.
#[derive(Clone)]
pub(super) struct Key {
    bytes: Box<Zeroizing<[u8; LENGTH]>>,
    pub(super) fingerprint: Fingerprint,
}

impl Key {
    /// `None` where the system has no random bytes.
    pub(super) fn make() -> Option<Self> {
        let mut bytes = Box::new(Zeroizing::new([0; LENGTH]));
        cipher::random(&mut **bytes)?;
        Some(Self::of(bytes))
    }

    /// Reads what [`Self::text`] has written; `None` for anything else.
    pub(super) fn read(text: &[u8]) -> Option<Self> {
        let encoded = text.trim_ascii().strip_prefix(VERSION.as_bytes())?;
        let mut bytes = Box::new(Zeroizing::new([0; LENGTH]));
        let length = URL_SAFE_NO_PAD.decode_slice(encoded, &mut **bytes).ok()?;
        (length == LENGTH).then(|| Self::of(bytes))
    }

    /// One line of ASCII: some keyrings lose a collection to a line break, or refuse what is not UTF-8.
    pub(super) fn text(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::with_capacity(VERSION.len() + LENGTH * 2));
        text.push_str(VERSION);
        URL_SAFE_NO_PAD.encode_string(**self.bytes, &mut text);
        text
    }

    /// The key of one session (RFC 5869).
    pub(super) fn of_session(&self, profile: &str) -> Zeroizing<[u8; LENGTH]> {
        let mut derived = Zeroizing::new([0; LENGTH]);
        derive(&self.bytes, &[b"pilotlight session key\0", profile.as_bytes()], &mut *derived);
        derived
    }

    fn of(bytes: Box<Zeroizing<[u8; LENGTH]>>) -> Self {
        let mut fingerprint = [0; 8];
        derive(&bytes, &[b"pilotlight key fingerprint"], &mut fingerprint);
        Self { bytes, fingerprint: Fingerprint(fingerprint) }
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({})", hex(self.fingerprint))
    }
}

/// As the sealed files and the keyring's items name it.
pub(super) fn hex(fingerprint: Fingerprint) -> String {
    format!("{:016x}", u64::from_be_bytes(fingerprint.0))
}

pub(super) fn unhex(text: &str) -> Option<Fingerprint> {
    let plain = text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let number = plain.then(|| u64::from_str_radix(text, 16).ok()).flatten()?;
    Some(Fingerprint(number.to_be_bytes()))
}

fn derive(key: &[u8; LENGTH], info: &[&[u8]], out: &mut [u8]) {
    let wanted = Length(out.len());
    let derived = Salt::new(HKDF_SHA256, &[]).extract(key);
    // It fails for lengths of more than 255 hashes only.
    derived.expand(info, wanted).and_then(|derived| derived.fill(out)).unwrap_or_default();
}

pub(super) struct Length(pub(super) usize);

impl KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

const LENGTH: usize = 32;

const VERSION: &str = "pilotlight-key-1.";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_one_line_of_text_and_known_by_its_fingerprint() {
        let (key, other) = (Key::make().unwrap(), Key::make().unwrap());
        assert_ne!(key.fingerprint, other.fingerprint);
        let text = key.text();
        assert!(text.bytes().all(|byte| byte.is_ascii_graphic()), "{}", text.len());
        assert_eq!(Key::read(format!("{}\n", *text).as_bytes()).unwrap().fingerprint, key.fingerprint);
        assert_eq!(*Key::read(text.as_bytes()).unwrap().of_session("a"), *key.of_session("a"));
        assert_ne!(*key.of_session("a"), *key.of_session("b"));
        assert_ne!(*key.of_session("a"), *other.of_session("a"));
        assert_eq!(unhex(&hex(key.fingerprint)), Some(key.fingerprint));
        assert!(!format!("{key:?}").contains(&text[VERSION.len()..]));
    }

    #[test]
    fn what_is_derived_stays_the_same() {
        let key = Key::read(b"pilotlight-key-1.AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8").unwrap();
        assert_eq!(hex(key.fingerprint), FINGERPRINT);
        assert_eq!(URL_SAFE_NO_PAD.encode(*key.of_session("work")), DERIVED);
    }

    #[test]
    fn anything_else_is_no_key() {
        let short = format!("{VERSION}{}", URL_SAFE_NO_PAD.encode([7; 31]));
        let long = format!("{VERSION}{}", URL_SAFE_NO_PAD.encode([7; 33]));
        for text in [
            "",
            "pilotlight-key-1.",
            "pilotlight-key-2.AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
            &short,
            &long,
        ] {
            assert!(Key::read(text.as_bytes()).is_none(), "{text}");
        }
        for text in ["", "0", "00000000000000000", "+000000000000000", "00000000000000g0"] {
            assert_eq!(unhex(text), None, "{text}");
        }
    }

    /// Computed with another implementation of RFC 5869.
    const FINGERPRINT: &str = "c3f6b07dba4b5dd3";
    const DERIVED: &str = "rXn9_M6BWfg1xBnqSmGrmvQVcphGz0YrPxpE9FA_zEk";
}
