//! The lines that come in at the socket: cut out of what arrives in whatever pieces, and read.

use std::io::BufRead as _;

use serde::Deserialize;
use session::bounds;
use zeroize::Zeroizing;

use crate::{Call, Code, Failure, Problem};

/// One connection's. It never holds more than one line.
#[derive(Default)]
pub struct Frames {
    line: Zeroizing<Vec<u8>>,
    is_whole: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Piece {
    Part,
    /// The rest follows, and nothing says where the next one begins.
    TooLong,
    Whole,
}

/// A line that is no call, and the number that its answer has.
#[derive(Debug, PartialEq, Eq)]
pub struct Misunderstood {
    pub id: u64,
    pub failure: Failure,
}

impl Frames {
    /// Also returns how much of `arrived` was used; what is left belongs to the next line.
    pub fn take(&mut self, arrived: &[u8]) -> (usize, Piece) {
        if std::mem::take(&mut self.is_whole) {
            self.line.clear();
        }
        let mut rest = arrived;
        // Memory cannot fail to be read.
        let used = rest.skip_until(b'\n').unwrap_or(arrived.len());
        let piece = &arrived[..used];
        let ends = piece.ends_with(b"\n");
        let length = self.line.len() + piece.len();
        if length > bounds::FRAME || (length == bounds::FRAME && !ends) {
            return (used, Piece::TooLong);
        }
        self.line.extend_from_slice(piece);
        self.is_whole = ends;
        (used, if self.is_whole { Piece::Whole } else { Piece::Part })
    }

    /// Nothing follows, so what stands there without an end is whole.
    pub fn end(&mut self) -> bool {
        !std::mem::replace(&mut self.is_whole, true) && !self.line.is_empty()
    }

    pub fn line(&self) -> &[u8] {
        &self.line
    }
}

impl Call {
    /// `None` for an empty line.
    pub fn read(frame: &[u8]) -> Option<Result<Self, Misunderstood>> {
        if frame.iter().all(u8::is_ascii_whitespace) {
            return None;
        }
        let read = serde_json::from_slice(frame);
        Some(read.map_err(|error| Misunderstood { id: id_of(frame), failure: malformed(&error) }))
    }
}

fn malformed(error: &serde_json::Error) -> Failure {
    // serde's message may quote a value, which may be a secret.
    let said = error.to_string();
    let said = said.split(" at line").next().unwrap_or_default();
    let quoted = said.split('`').nth(1).unwrap_or_default();
    let repeats = said.starts_with("invalid") || quoted.len() > bounds::WORD;
    let problem = if repeats { Problem::WrongField } else { Problem::said(said) };
    Failure::new(Code::BadRequest).because(problem)
}

fn id_of(frame: &[u8]) -> u64 {
    #[derive(Deserialize)]
    struct Numbered {
        id: u64,
    }
    serde_json::from_slice::<Numbered>(frame).map_or(0, |numbered| numbered.id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Request;

    #[test]
    fn a_line_is_whole_however_it_arrives() {
        let lines = b"{\"do\":\"watch\"}\n\n{\"id\":7}\nrest";
        for size in 1..=lines.len() {
            let (mut frames, mut found) = (Frames::default(), Vec::new());
            for mut piece in lines.chunks(size) {
                while !piece.is_empty() {
                    let (used, taken) = frames.take(piece);
                    if taken == Piece::Whole {
                        found.push(frames.line().to_vec());
                    }
                    piece = &piece[used..];
                }
            }
            assert_eq!(found, [&b"{\"do\":\"watch\"}\n"[..], b"\n", b"{\"id\":7}\n"], "{size}");
            assert!(frames.end() && frames.line() == b"rest");
            assert!(!frames.end(), "once");
        }
    }

    #[test]
    fn a_line_is_no_longer_than_its_bound() {
        let line = |length: usize| [vec![b'x'; length - 1], b"\n".to_vec()].concat();
        for size in [1 << 10, bounds::FRAME * 2] {
            let is_taken = |line: &[u8]| {
                let mut frames = Frames::default();
                line.chunks(size).all(|piece| {
                    let taken = frames.take(piece).1 != Piece::TooLong;
                    assert!(frames.line().len() <= bounds::FRAME);
                    taken
                })
            };
            assert!(is_taken(&line(bounds::FRAME)), "{size}");
            assert!(!is_taken(&line(bounds::FRAME + 1)), "{size}");
            assert!(!is_taken(&line(bounds::FRAME + 1)[..bounds::FRAME]), "it cannot end in time: {size}");
        }
    }

    #[test]
    fn what_is_no_call_is_told_without_repeating_what_could_be_a_secret() {
        let read = |frame: &str| Call::read(frame.as_bytes());
        assert!(read(" \t\r\n").is_none());
        assert!(matches!(read("{\"do\":\"watch\"}").unwrap().unwrap().request, Request::Watch));
        let told = |frame: &str| read(frame).unwrap().unwrap_err();
        assert_eq!(told(r#"{"id":7,"do":"tok"}"#).id, 7);
        assert!(told(r#"{"id":7,"do":"reveal"}"#).failure.details["said"].contains("reveal"));
        let secret = "s3cret-".repeat(6);
        for frame in [
            format!(r#"{{"do":"{secret}"}}"#),
            format!(r#"{{"do":"unlock","passphrase":["{secret}"]}}"#),
            format!(r#"{{"do":"sign_in","profile":"a","way":"{secret}"}}"#),
        ] {
            let told = format!("{:?}", told(&frame));
            assert!(!told.contains("s3cret"), "{told}");
        }
    }
}
