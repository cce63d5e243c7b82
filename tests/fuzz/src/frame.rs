//! What arrives at the socket: a line with the size of the pieces that it arrives in, and lines.

use api::frame::{Frames, Piece};
use api::{Call, Failure};
use session::bounds;

use crate::input::{assert_silent, line, text};

pub fn hold(input: &[u8]) {
    let (size, arrived) = line(input);
    let size = size.trim().parse::<usize>().unwrap_or(usize::MAX).max(1);
    let mut frames = Frames::default();
    let mut lines = Vec::new();
    let mut is_open = true;
    // Somebody has said nothing but this before, without an end.
    if size == BEFORE {
        is_open = frames.take(&vec![b'x'; bounds::FRAME - 64]).1 == Piece::Part;
        assert!(is_open, "it may still end in time");
    }
    'arriving: for mut piece in arrived.chunks(size) {
        while !piece.is_empty() {
            let (used, taken) = frames.take(piece);
            assert!((1..=piece.len()).contains(&used), "it goes on");
            assert!(frames.line().len() <= bounds::FRAME, "no more is held than one line");
            piece = &piece[used..];
            match taken {
                Piece::Part => assert!(piece.is_empty()),
                Piece::TooLong => {
                    is_open = false;
                    break 'arriving;
                }
                Piece::Whole => lines.push(frames.line().to_vec()),
            }
        }
    }
    if is_open && frames.end() {
        lines.push(frames.line().to_vec());
        assert!(!frames.end(), "a rest is a line once");
    }
    if size != BEFORE {
        assert!(is_open, "{} bytes are not too many", arrived.len());
        assert_eq!(lines.concat(), arrived, "nothing is lost and nothing comes twice");
    }
    assert!(lines.iter().rev().skip(1).all(|line| line.ends_with(b"\n")));
    lines.iter().for_each(|line| understood(line));
}

fn understood(line: &[u8]) {
    assert_eq!(Call::read(line).is_none(), line.trim_ascii().is_empty());
    match Call::read(line) {
        None => {}
        Some(Ok(call)) => {
            let Ok(written) = serde_json::to_vec(&call) else { panic!("{call:?} cannot be written") };
            let Some(Ok(again)) = Call::read(&written) else { panic!("{} is not read", text(&written)) };
            assert_eq!(serde_json::to_vec(&again).ok(), Some(written));
        }
        Some(Err(misunderstood)) => {
            let said = format!("{misunderstood:?}");
            assert!(said.len() < 2000, "a refusal is as long as what is refused: {}", said.len());
            assert_silent(&misunderstood);
            let written = serde_json::to_vec(&misunderstood.failure).ok();
            let again = written.and_then(|json| serde_json::from_slice::<Failure>(&json).ok());
            assert_eq!(again, Some(misunderstood.failure));
        }
    }
}

/// The size that stands for a line that is almost as long as one may be.
const BEFORE: usize = 4_000_000;
