//! What is sealed, read with other code than the keeper's: by what `SECURITY.md` says of the files.

use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use serde_json::Value;

use super::{Keeper, Keyring};

/// The label and the record, in one object.
pub(crate) fn sealed(keeper: &Keeper, profile: &str, keyring: &Keyring) -> Option<Value> {
    let dir = keeper.home().vault();
    let paths = std::fs::read_dir(dir).ok()?.map(|entry| entry.unwrap().path());
    let files = paths.filter(|path| path.extension().is_some_and(|extension| extension == "sealed"));
    files.filter_map(|path| std::fs::read(path).ok()).find_map(|file| {
        // One that is being removed is all zeros for a moment.
        let line = file.iter().position(|byte| *byte == b'\n')? + 1;
        let mut label: Value = serde_json::from_slice(&file[..line]).unwrap();
        (label["profile"] == profile).then(|| {
            let Value::Object(record) = open(&file, line, profile, &keyring.key()) else {
                panic!("no object")
            };
            label.as_object_mut().unwrap().extend(record);
            label
        })
    })
}

fn open(file: &[u8], line: usize, profile: &str, key: &str) -> Value {
    let key = URL_SAFE_NO_PAD.decode(key.strip_prefix("pilotlight-key-1.").unwrap()).unwrap();
    let mut own = [0; 32];
    let info = [&b"pilotlight session key\0"[..], profile.as_bytes()];
    let derived = Salt::new(HKDF_SHA256, &[]).extract(&key);
    derived.expand(&info, HKDF_SHA256).unwrap().fill(&mut own).unwrap();
    let (label, rest) = file.split_at(line);
    let (nonce, sealed) = rest.split_at(24);
    let payload = Payload { msg: sealed, aad: label };
    let nonce = XNonce::try_from(nonce).unwrap();
    let text =
        XChaCha20Poly1305::new(&own.into()).decrypt(&nonce, payload).expect("it is sealed with that key");
    let length = u32::from_le_bytes(text[..4].try_into().unwrap()) as usize;
    serde_json::from_slice(&text[4..4 + length]).unwrap()
}
