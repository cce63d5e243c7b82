//! What a JWT says of itself. Nobody has signed for it here: it is enough to know when to ask for another token.

use alloc::string::{String, ToString};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use super::answer::JwtTimes;
use super::lifetime::number;
use crate::bounds;

/// The claims as they stand there; `None` for what is no JWT, too long, or encrypted.
pub fn claims(token: &str) -> Option<Value> {
    let [_, claims, _] = parts(token)?;
    let claims: Value = part(claims)?;
    claims.is_object().then_some(claims)
}

pub fn times(token: &str) -> Option<JwtTimes> {
    let claims = claims(token)?;
    // A NumericDate may have a fraction (RFC 7519, section 2). The cast saturates.
    let time = |name| claims.get(name).and_then(number).map(|seconds| seconds as i64);
    Some(JwtTimes { exp: time("exp"), iat: time("iat") })
}

/// The word in the header, if it can be shown.
pub fn algorithm(token: &str) -> Option<String> {
    claims(token)?;
    let algorithm = header(token)?.get("alg")?.as_str()?.to_string();
    let is_word =
        algorithm.len() <= bounds::WORD && algorithm.bytes().all(|byte| byte.is_ascii_alphanumeric());
    is_word.then_some(algorithm)
}

pub(crate) fn header(token: &str) -> Option<Value> {
    let [header, claims, signature] = parts(token)?;
    if header.len() > bounds::JWT_HEADER || claims.is_empty() {
        return None;
    }
    URL_SAFE_NO_PAD.decode(signature).ok()?;
    part(header)
}

fn parts(token: &str) -> Option<[&str; 3]> {
    if token.len() > bounds::JWT {
        return None;
    }
    let mut parts = token.split('.');
    let three = [parts.next()?, parts.next()?, parts.next()?];
    parts.next().is_none().then_some(three)
}

fn part(text: &str) -> Option<Value> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;

    fn token(header: &str, claims: &str) -> String {
        format!("{}.{}.c2ln", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims))
    }

    fn said(claims: &str) -> Option<(Option<i64>, Option<i64>)> {
        times(&token(r#"{"alg":"ES512"}"#, claims)).map(|times| (times.exp, times.iat))
    }

    #[test]
    fn times_are_read_whatever_the_signature_is() {
        for (claims, times) in [
            (r#"{"exp":9,"iat":7}"#, Some((Some(9), Some(7)))),
            (r#"{"exp":9.75}"#, Some((Some(9), None))),
            (r#"{"exp":"9","iat":null}"#, Some((Some(9), None))),
            (r#"{"exp":1e300,"iat":-1e300}"#, Some((Some(i64::MAX), Some(i64::MIN)))),
            (r#"{"exp":{}}"#, Some((None, None))),
            ("[]", None),
            ("7", None),
            ("", None),
        ] {
            assert_eq!(said(claims), times, "{claims}");
        }
    }

    /// Row A12.
    #[test]
    fn opaque_tokens_have_no_times() {
        for token in ["opaque", "", "a.b.c", "..", "e30.e30", "e30.e30..", "e30.e30.e30.e30.e30", "e30. .e30"]
        {
            assert_eq!((times(token), algorithm(token)), (None, None), "{token}");
        }
    }

    #[test]
    fn an_algorithm_is_a_word() {
        let named = |header: &str| algorithm(&token(header, "{}"));
        assert_eq!(named(r#"{"alg":"ES512"}"#).as_deref(), Some("ES512"));
        assert_eq!(
            named(&format!(r#"{{"alg":"{}"}}"#, "x".repeat(bounds::WORD))).map(|word| word.len()),
            Some(32)
        );
        for header in [r#"{"alg":"a b"}"#, r#"{"alg":"\u202e"}"#, r#"{"alg":1}"#, "{}"] {
            assert_eq!(named(header), None, "{header}");
        }
        assert_eq!(named(&format!(r#"{{"alg":"{}"}}"#, "x".repeat(bounds::WORD + 1))), None);
    }

    #[test]
    fn a_token_that_is_too_long_is_opaque() {
        let short = token("{}", r#"{"exp":9}"#);
        let with_room = |room: usize| format!("{short}{}", "A".repeat(room - short.len()));
        // What is decoded comes in blocks of four letters, or of two or three at its end.
        assert!(times(&with_room(bounds::JWT)).is_some());
        assert_eq!(times(&with_room(bounds::JWT + 4)), None);
        let header = |length: usize| format!("{}.e30.c2ln", "e30".to_string() + &"A".repeat(length - 3));
        assert!(super::header(&header(bounds::JWT_HEADER + 1)).is_none());
    }
}
