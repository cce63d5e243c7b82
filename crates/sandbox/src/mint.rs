//! Tokens: 32 random bytes, or JWTs signed with a key of this start. A `jti` tells two of one second apart.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};

use crate::broken::Broken;
use crate::jose::Signer;
use crate::reply::Fields;
use crate::tweaks::StrangeExpiry;

pub(crate) struct Mint {
    key: EncodingKey,
    pub(crate) signer: Signer,
}

#[derive(Clone, Debug)]
pub(crate) struct Claim {
    pub(crate) iat: i64,
    pub(crate) exp: serde_json::Value,
    pub(crate) jti: String,
}

impl Mint {
    pub(crate) fn new() -> Result<Self, Broken> {
        Ok(Self { key: EncodingKey::from_secret(&random::<32>()?), signer: Signer::new()? })
    }

    pub(crate) fn opaque(&self) -> Result<String, Broken> {
        Ok(BASE64_URL_SAFE_NO_PAD.encode(random::<32>()?))
    }

    pub(crate) fn user_code(&self) -> Result<String, Broken> {
        let letters = random::<8>()?.map(|byte| char::from(LETTERS[usize::from(byte) % LETTERS.len()]));
        let (first, second) = letters.split_at(4);
        Ok(first.iter().chain(&['-']).chain(second).collect())
    }

    pub(crate) fn jwt(&self, claims: &Fields) -> Result<String, Broken> {
        Ok(encode(&Header::new(Algorithm::HS256), claims, &self.key)?)
    }
}

impl Claim {
    pub(crate) fn new(now_s: i64, lifetime_ms: u64, strange: Option<StrangeExpiry>) -> Result<Self, Broken> {
        let lifetime = whole_seconds(lifetime_ms);
        let exp = now_s.saturating_add(lifetime);
        let exp = match strange {
            None => exp.into(),
            Some(StrangeExpiry::String) => exp.to_string().into(),
            Some(StrangeExpiry::Milliseconds) => exp.saturating_mul(1_000).into(),
            Some(StrangeExpiry::Negative) => now_s.saturating_sub(lifetime).into(),
            Some(StrangeExpiry::Huge) => HUGE.into(),
            Some(StrangeExpiry::Zero) => 0.into(),
        };
        let jti = random::<16>()?.iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Self { iat: now_s, exp, jti })
    }
}

pub(crate) fn told_lifetime(lifetime_ms: u64, strange: Option<StrangeExpiry>) -> serde_json::Value {
    let seconds = whole_seconds(lifetime_ms);
    match strange {
        None => seconds.into(),
        Some(StrangeExpiry::String) => seconds.to_string().into(),
        Some(StrangeExpiry::Milliseconds) => lifetime_ms.into(),
        Some(StrangeExpiry::Negative) => (-seconds).into(),
        Some(StrangeExpiry::Huge) => HUGE.into(),
        Some(StrangeExpiry::Zero) => 0.into(),
    }
}

/// Servers tell lifetimes in whole seconds. One below a second is told as one: zero would be a fault of its own.
fn whole_seconds(ms: u64) -> i64 {
    i64::try_from(ms / 1_000).unwrap_or(i64::MAX).max(1)
}

fn random<const N: usize>() -> Result<[u8; N], getrandom::Error> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)?;
    Ok(bytes)
}

/// Without vowels, so that no word comes out, as RFC 8628 has it.
const LETTERS: &[u8] = b"BCDFGHJKLMNPQRSTVWXZ";
/// Beyond what a date can hold, within what JSON's numbers can.
const HUGE: i64 = 9_007_199_254_740_991;
