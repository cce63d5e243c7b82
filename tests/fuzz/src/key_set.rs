//! A line with an ID token, and a set of keys: nothing is proved but by the key that has signed.

use std::sync::OnceLock;

use serde_json::Value;
use session::bounds;
use session::oauth::id_token;
use session::tokens::Secret;

use crate::input::{line, text};

use set::KeySet;

#[allow(dead_code)]
#[path = "../../../crates/keeper/src/adapters/provider/oauth/key_set.rs"]
mod set;

pub fn hold(input: &[u8]) {
    let (token, body) = line(input);
    let Some(set) = KeySet::read(body) else { return };
    let published: Option<Value> = serde_json::from_slice(body).ok();
    let keys = published.as_ref().and_then(|set| set.get("keys")?.as_array()).map_or(0, Vec::len);
    assert!(keys > 0 || set.is_empty(), "there is a key that nobody has published");
    for (known, key) in known() {
        let Some(header) = id_token::header(known) else { panic!("this is what they look like") };
        let is_there = published.as_ref().is_some_and(|set| has(set, key));
        assert!(!set.verifies(known, &header) || is_there, "no such key: {}", text(body));
    }
    let token = Secret::new(token.trim());
    if let Some(header) = id_token::header(&token) {
        let is_known = known().iter().any(|(known, _)| is_same_text(known, &token));
        assert!(!set.verifies(&token, &header) || is_known, "a forgery: {}", token.expose());
        drop(set::not_taken(&header.algorithm));
    }
    assert!(id_token::header(&Secret::new("a".repeat(bounds::JWT + 1))).is_none());
}

/// The last letter of a signature in base64url has bits that say nothing, and no more than that may differ.
fn is_same_text(known: &Secret, token: &Secret) -> bool {
    let signed = |token: &Secret| token.expose().rsplit_once('.').map(|(signed, _)| signed.to_owned());
    signed(known) == signed(token)
}

/// The public part of a key, wherever it stands in a set.
fn has(set: &Value, key: &[(&str, &str)]) -> bool {
    let keys = set.get("keys").and_then(Value::as_array).into_iter().flatten();
    keys.into_iter().any(|candidate| key.iter().all(|(name, value)| candidate[name].as_str() == Some(value)))
}

type Key = &'static [(&'static str, &'static str)];

/// RFC 7515, appendices A.2 and A.3.
fn known() -> &'static [(Secret, Key); 2] {
    static KNOWN: OnceLock<[(Secret, Key); 2]> = OnceLock::new();
    KNOWN.get_or_init(|| [(Secret::new(RS256), &RSA), (Secret::new(ES256), &EC)])
}

const RSA: [(&str, &str); 2] = [("n", MODULUS), ("e", "AQAB")];
const EC: [(&str, &str); 2] = [
    ("x", "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"),
    ("y", "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"),
];

const MODULUS: &str = "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ";
const RS256: &str = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";
const ES256: &str = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
