//! How much of the answers of resources is in memory at once: from the first byte that comes until the last has gone to
//! whoever asked. Small ones are not counted, so they always have room.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use session::bounds::{ANSWERS_IN_MEMORY, SMALL_ANSWER};

#[derive(Clone, Debug, Default)]
pub(crate) struct Room(Arc<AtomicUsize>);

/// What one answer takes of it.
#[derive(Debug)]
pub(crate) struct Taken {
    room: Room,
    bytes: usize,
}

impl Room {
    pub(crate) fn nothing_yet(&self) -> Taken {
        Taken { room: self.clone(), bytes: 0 }
    }

    /// For an answer that is there.
    pub(crate) fn take(&self, length: usize) -> Taken {
        let bytes = counted(length);
        self.0.fetch_add(bytes, Ordering::Relaxed);
        Taken { room: self.clone(), bytes }
    }
}

impl Taken {
    /// For as many bytes in all. Returns whether there is room.
    pub(crate) fn grow(&mut self, length: usize) -> bool {
        let more = counted(length).saturating_sub(self.bytes);
        let all = self.room.0.fetch_add(more, Ordering::Relaxed) + more;
        self.bytes += more;
        more == 0 || all <= ANSWERS_IN_MEMORY
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        self.room.0.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

fn counted(length: usize) -> usize {
    length.saturating_sub(SMALL_ANSWER)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_large_has_an_end_and_what_is_small_has_always_room() {
        let room = Room::default();
        let large = 16 << 20;
        let mut answers = Vec::new();
        let refused = loop {
            let mut answer = room.nothing_yet();
            if !answer.grow(large) {
                break answer;
            }
            answers.push(answer);
        };
        assert!((ANSWERS_IN_MEMORY / large..=ANSWERS_IN_MEMORY / large + 2).contains(&answers.len()));
        assert!(room.nothing_yet().grow(SMALL_ANSWER));
        drop(refused);
        answers.pop();
        let mut next = room.nothing_yet();
        assert!(
            next.grow(large / 2) && next.grow(large) && next.grow(large),
            "it has the place of the other"
        );
        drop((answers, next));
        assert_eq!(room.0.load(Ordering::Relaxed), 0);
    }
}
