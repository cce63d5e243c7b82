//! The sealed files: a first byte says what is done with the rest. `f` flips a good file, `k` flips a good key file, `r`
//! seals a text, and everything else is a file, an item of a keyring or a key as it stands there.

use std::sync::OnceLock;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;
use session::binding::{Binding, Bound, Destination};
use session::tokens::{Account, Identity, RefreshToken, Secret};

use crate::CANARY;
use crate::input::{assert_silent, text};

use envelope::{Opener, Way};
use key::Key;

#[allow(dead_code)]
#[path = "../../../crates/keeper/src/adapters/vault/cipher.rs"]
mod cipher;
#[allow(dead_code)]
#[path = "../../../crates/keeper/src/adapters/vault/envelope.rs"]
mod envelope;
#[allow(dead_code)]
#[path = "../../../crates/keeper/src/adapters/vault/key.rs"]
mod key;
#[allow(dead_code)]
#[path = "../../../crates/keeper/src/adapters/vault/record.rs"]
mod record;
#[allow(dead_code, unreachable_pub)]
#[path = "../../../crates/keeper/src/adapters/vault/seal.rs"]
mod seal;

/// What the vault keeps of a session, as its files name it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Stored {
    refresh: RefreshToken,
    bound: Bound,
    account: Account,
    generation: u32,
}

pub fn hold(input: &[u8]) {
    let Some((kind, rest)) = input.split_first() else { return found(input) };
    match kind {
        b'f' => {
            let file = &good().file;
            let changed = changed(file, rest);
            assert_eq!(seal::open(&good().key, PROFILE, &changed).is_ok(), changed == *file);
            found(&changed);
        }
        b'k' => {
            let file = &good().keys;
            let changed = changed(file, rest);
            assert_eq!(good().opener.open(&changed).is_ok(), changed == *file);
        }
        b'r' => written(&text(rest)),
        _ => found(input),
    }
}

/// Three bytes are a place and what is done there, over and over; what is left is the new end.
fn changed(file: &[u8], how: &[u8]) -> Vec<u8> {
    let mut changed = file.to_vec();
    let mut steps = how.chunks_exact(3);
    for step in &mut steps {
        let place = usize::from(u16::from_be_bytes([step[0], step[1]]));
        match changed.get_mut(place) {
            Some(byte) => *byte ^= step[2],
            None => changed.truncate(place % file.len()),
        }
    }
    changed.extend_from_slice(steps.remainder());
    changed
}

/// Nobody without the key can have written it.
fn found(file: &[u8]) {
    let Good { key, file: ours, opener, keys, .. } = good();
    assert_eq!(seal::open(key, PROFILE, file).is_ok(), file == ours);
    assert_eq!(opener.open(file).is_ok(), file == keys);
    assert!(seal::open(key, "another profile", file).is_err());
    drop(envelope::label(file));
    if let Ok(label) = seal::label(file) {
        assert!(file.contains(&b'\n'), "{label:?} has no end");
    }
    if let Ok((stored, _)) = record::read_item(file) {
        assert!(file.starts_with(b"1."));
        assert_silent(&stored.account);
        assert_silent(&stored.refresh);
    }
    if let Some(read) = Key::read(file) {
        assert_eq!(Key::read(read.text().as_bytes()).map(|key| key.fingerprint), Some(read.fingerprint));
        assert!(!format!("{read:?}").contains(&read.text()[17..]));
    }
}

/// Whatever a token, a person or a place is called.
fn written(text: &str) {
    let stored = Stored { refresh: RefreshToken::new(text), ..stored(text) };
    let Ok(file) = seal::seal(&good().key, text, &stored, i64::MAX) else { panic!("it is not sealed") };
    assert_eq!(seal::open(&good().key, text, &file).ok().as_ref(), Some(&stored));
    assert_eq!(file.len() % seal::BLOCK, 0);
    assert!(seal::open(&good().key, &format!("{text}."), &file).is_err());
    if text.contains(CANARY) {
        let shown = file.split(|byte| *byte == b'\n').nth(1).unwrap_or_default();
        assert!(!shown.windows(CANARY.len()).any(|part| part == CANARY.as_bytes()), "it can be read");
    }
    let json = json!({ "v": 2, "refresh": text, "origin": text, "user": text, "saved_at": 7 }).to_string();
    let item = record::read_item(format!("1.{}", URL_SAFE_NO_PAD.encode(json)).as_bytes());
    assert_eq!(item.map(|(stored, at)| (stored.refresh, at)).ok(), Some((RefreshToken::new(text), 7)));
}

fn stored(text: &str) -> Stored {
    let identity = Identity { issuer: "https://id.example".to_owned(), subject: text.to_owned() };
    let account = Account {
        user: Some(text.to_owned()),
        identity: Some(identity),
        proof_key: Some(Secret::new(text)),
        id_token: None,
    };
    let binding = Binding {
        client: Some(text.to_owned()),
        origins: [(Destination::Api, "https://api.example".to_owned())].into(),
    };
    let bound = Bound { origin: "https://api.example".to_owned(), binding: Some(binding) };
    Stored { refresh: RefreshToken::new("rt-1"), bound, account, generation: 7 }
}

struct Good {
    key: Key,
    file: Vec<u8>,
    opener: Opener,
    keys: Vec<u8>,
}

fn good() -> &'static Good {
    static GOOD: OnceLock<Good> = OnceLock::new();
    GOOD.get_or_init(|| match make() {
        Some(good) => good,
        None => panic!("nothing is sealed"),
    })
}

fn make() -> Option<Good> {
    let key = Key::read(b"pilotlight-key-1.AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8")?;
    let file = seal::seal(&key, PROFILE, &stored("mia"), 1_800_000_000_000).ok()?;
    let opener = Way::Hkdf { salt: URL_SAFE_NO_PAD.encode([7; 16]) }.derive(b"credential")?;
    let keys = opener.seal(std::slice::from_ref(&key))?;
    Some(Good { key, file, opener, keys })
}

const PROFILE: &str = "work";
