//! Things that are good for a while, by name.

use std::collections::HashMap;

pub(crate) struct Shelf<T>(HashMap<String, (u64, T)>);

impl<T> Shelf<T> {
    /// Says whether the name was free.
    pub(crate) fn put(&mut self, name: String, thing: T, until: u64, now: u64) -> bool {
        if self.0.len() >= REMEMBERED {
            self.0.retain(|_, (until, _)| *until > now);
        }
        let there_before = self.0.insert(name, (until, thing));
        there_before.is_none_or(|(until, _)| until <= now)
    }

    pub(crate) fn see(&self, name: &str, now: u64) -> Option<&T> {
        self.0.get(name).filter(|(until, _)| *until > now).map(|(_, thing)| thing)
    }

    pub(crate) fn take(&mut self, name: &str, now: u64) -> Option<T> {
        self.0.remove(name).filter(|(until, _)| *until > now).map(|(_, thing)| thing)
    }
}

impl<T> Default for Shelf<T> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

pub(super) const REMEMBERED: usize = 10_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shelf_gives_things_out_while_they_are_good() {
        let mut shelf = Shelf::default();
        assert!(shelf.put("a".into(), 1, 10, 0));
        assert!(!shelf.put("a".into(), 2, 10, 9), "there was one");
        assert!(shelf.put("a".into(), 3, 20, 10), "that was over");
        assert_eq!((shelf.see("a", 19), shelf.see("a", 20)), (Some(&3), None));
        assert_eq!((shelf.take("a", 19), shelf.take("a", 19)), (Some(3), None));
        for n in 0..3 * REMEMBERED as u64 {
            shelf.put(n.to_string(), 0, n + 10, n);
        }
        assert!(shelf.0.len() <= REMEMBERED);
    }
}
