//! What the files of the vault are made of: one line of JSON that can be read without a key, then XChaCha20-Poly1305
//! with that line as associated data.

use chacha20poly1305::aead::{AeadInOut as _, KeyInit as _};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use serde::Serialize;
use zeroize::Zeroizing;

pub(super) const KEY: usize = 32;

/// What sealing adds.
pub(super) const NONCE: usize = 24;
pub(super) const TAG: usize = 16;

/// With its end.
pub(super) fn line(label: &impl Serialize) -> Option<Vec<u8>> {
    let mut line = serde_json::to_vec(label).ok()?;
    line.push(b'\n');
    Some(line)
}

/// The line of a file, and what is sealed after it.
pub(super) fn split(file: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = file.iter().position(|byte| *byte == b'\n')?;
    file.split_at_checked(end + 1)
}

/// `text` has room for the tag, so that no copy of it is left behind by growing. `None` where the system has no random
/// bytes.
pub(super) fn seal(key: &[u8; KEY], line: Vec<u8>, mut text: Zeroizing<Vec<u8>>) -> Option<Vec<u8>> {
    let mut file = line;
    let mut nonce = XNonce::default();
    random(&mut nonce)?;
    XChaCha20Poly1305::new(key.into()).encrypt_in_place(&nonce, &file, &mut *text).ok()?;
    file.extend_from_slice(&nonce);
    file.extend_from_slice(&text);
    Some(file)
}

/// `None` for what was not sealed with this key, or was changed since.
pub(super) fn open(key: &[u8; KEY], line: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (nonce, sealed) = sealed.split_at_checked(NONCE)?;
    let nonce = XNonce::try_from(nonce).ok()?;
    let mut text = Zeroizing::new(sealed.to_vec());
    XChaCha20Poly1305::new(key.into()).decrypt_in_place(&nonce, line, &mut *text).ok()?;
    Some(text)
}

/// The system's own: a library's need tens of milliseconds at their first use, which is when a token is in memory alone.
pub(super) fn random(bytes: &mut [u8]) -> Option<()> {
    getrandom::fill(bytes).ok()
}
