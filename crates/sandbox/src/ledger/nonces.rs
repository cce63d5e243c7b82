//! The nonces that proofs of possession must hold: the one that is given out now, and the one before.

#[derive(Default)]
pub(crate) struct Nonces {
    current: Option<(String, u64)>,
    before: Option<String>,
}

impl Nonces {
    /// The nonce to give out; `fresh` if it is time for another.
    pub(crate) fn current(&mut self, fresh: String, ttl_ms: u64, now: u64) -> String {
        match self.current.take() {
            Some((nonce, since)) if now < since.saturating_add(ttl_ms) => {
                self.current = Some((nonce.clone(), since));
                nonce
            }
            stale => {
                // One that nobody was given for two terms is no longer good either.
                let in_time = |since: u64| now < since.saturating_add(ttl_ms.saturating_mul(2));
                self.before = stale.filter(|(_, since)| in_time(*since)).map(|(nonce, _)| nonce);
                self.current = Some((fresh.clone(), now));
                fresh
            }
        }
    }

    pub(crate) fn knows(&self, nonce: &str) -> bool {
        let current = self.current.as_ref().map(|(nonce, _)| nonce.as_str());
        current == Some(nonce) || self.before.as_deref() == Some(nonce)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nonce_is_good_while_it_is_given_out_and_as_long_again() {
        let mut nonces = Nonces::default();
        let current = |nonces: &mut Nonces, fresh: &str, now| nonces.current(fresh.into(), 10, now);
        assert_eq!(current(&mut nonces, "a", 0), "a");
        assert_eq!(current(&mut nonces, "b", 9), "a");
        assert_eq!(current(&mut nonces, "c", 10), "c");
        assert!(nonces.knows("a") && nonces.knows("c") && !nonces.knows("b"));
        assert_eq!(current(&mut nonces, "d", 20), "d");
        assert!(!nonces.knows("a") && nonces.knows("c"));
        assert_eq!(current(&mut nonces, "e", 99), "e");
        assert!(!nonces.knows("d"), "nobody asked for so long");
    }
}
