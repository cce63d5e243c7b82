//! What is left of a JSON answer that cannot be read. The old refresh token is spent, so the new one is looked for in
//! whatever arrived: before an invalid byte, behind a server's warning, without the end. Only whole values are taken.

use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use serde_json::{Map, Value};

use super::pointer::Pointer;

pub(crate) fn salvage(body: &[u8], places: &[&Pointer]) -> Value {
    // This turns UTF-16 into ASCII, which is all that names and tokens need.
    let bytes: Vec<u8> = body.iter().copied().filter(|byte| *byte != 0).collect();
    let text = String::from_utf8_lossy(&bytes);
    let mut left = Value::Object(Map::new());
    for place in places {
        if let Some(value) = place.names().last().and_then(|name| find(&text, name)) {
            place.put(&mut left, value);
        }
    }
    left
}

/// The last one counts, as JSON parsers treat duplicate names.
fn find(text: &str, name: &str) -> Option<Value> {
    let quoted = Value::from(name).to_string();
    text.rmatch_indices(&quoted).find_map(|(at, _)| {
        let rest = text[at + quoted.len()..].trim_start().strip_prefix(':')?;
        let value = whole(rest.trim_start())?;
        (!value.as_str().is_some_and(|text| text.contains(char::REPLACEMENT_CHARACTER))).then_some(value)
    })
}

fn whole(text: &str) -> Option<Value> {
    if let Some(inside) = text.strip_prefix('"') {
        let mut escaped = false;
        let end = inside.find(|next| {
            let ends = next == '"' && !escaped;
            escaped = next == '\\' && !escaped;
            ends
        })?;
        return serde_json::from_str(&text[..end + 2]).ok();
    }
    let end = text.find(|next: char| !next.is_ascii_digit())?;
    if !text[end..].starts_with([',', '}', ' ', '\r', '\n']) {
        return None;
    }
    serde_json::from_str(&text[..end]).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(body: &[u8]) -> Option<String> {
        let place = Pointer::new("/data/refreshToken").unwrap();
        let left = salvage(body, &[&place]);
        place.find(&left).and_then(Value::as_str).map(Into::into)
    }

    #[test]
    fn what_stands_there_whole_is_found() {
        for body in [
            &b"{\"data\":{\"refreshToken\":\"r2\",\"name\":\"Ren\xe9\"}}"[..],
            b"{\"data\":{\"refreshToken\":\"r2\",\"name\":\"\\ud83d\"}}",
            b"{\"expires_in\":NaN,\"data\":{\"refreshToken\":\"r2\"}}",
            b"<br />\n<b>Notice</b>: x in <b>y</b>\n{\"data\":{\"refreshToken\" : \"r2\"}}",
            b"{\"data\":{\"refreshToken\":\"r2\"}}trailing",
            b"{\"data\":{\"refreshToken\":\"r2\"}}\0\0",
            b"{\"data\":{\"refreshToken\":\"r2\",\"acc",
            b"\xff\xfe{\0\"\0r\0e\0f\0r\0e\0s\0h\0T\0o\0k\0e\0n\0\"\0:\0\"\0r\x002\0\"\0}\0",
            b"{\"refreshToken\":\"r1\",\"refreshToken\":\"r2\",}",
        ] {
            assert_eq!(found(body).as_deref(), Some("r2"), "{}", String::from_utf8_lossy(body));
        }
        assert_eq!(found(b"{\"refreshToken\":\"a\\\"b\\\\\",}").as_deref(), Some("a\"b\\"));
    }

    #[test]
    fn what_does_not_is_not() {
        for body in [
            &b"{\"refreshToken\":\"r2"[..],
            b"{\"refreshToken\":\"r2\\\"",
            b"{\"refreshToken\":\"r\xe9\"}x",
            b"{\"refreshToken\":null}x",
            b"{\"refreshToken\"",
            b"{\"oldRefreshToken\":\"r2\"}x",
            b"",
        ] {
            assert_eq!(found(body), None, "{}", String::from_utf8_lossy(body));
        }
    }
}
