//! How many requests to protected resources may be in flight. A refresh needs no place: requests in line wait for it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use session::bounds::OF_ONE_ORIGIN;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

pub(crate) struct Places {
    all: Arc<Semaphore>,
    by_origin: Mutex<HashMap<String, Arc<Semaphore>>>,
}

pub(crate) struct Place {
    _of_origin: Option<OwnedSemaphorePermit>,
    _of_all: Option<OwnedSemaphorePermit>,
}

impl Places {
    fn new(descriptors: Option<u64>) -> Self {
        Self { all: Arc::new(Semaphore::new(in_all(descriptors))), by_origin: Mutex::default() }
    }

    pub(super) async fn take(&self, origin: &str) -> Place {
        // Neither is ever closed.
        let of_origin = self.of(origin).acquire_owned().await.ok();
        let of_all = Arc::clone(&self.all).acquire_owned().await.ok();
        Place { _of_origin: of_origin, _of_all: of_all }
    }

    fn of(&self, origin: &str) -> Arc<Semaphore> {
        let mut by_origin = self.by_origin.lock().unwrap_or_else(PoisonError::into_inner);
        if by_origin.len() >= MOST_ORIGINS {
            by_origin.retain(|_, places| Arc::strong_count(places) > 1);
        }
        let places = by_origin.entry(origin.to_owned());
        Arc::clone(places.or_insert_with(|| Arc::new(Semaphore::new(OF_ONE_ORIGIN))))
    }
}

impl Default for Places {
    fn default() -> Self {
        Self::new(os::process::descriptors())
    }
}

/// Callers, refreshes, the journal and the keyring need the rest of the descriptors.
fn in_all(descriptors: Option<u64>) -> usize {
    let part = descriptors.map_or(MOST, |all| usize::try_from(all / 4).unwrap_or(MOST));
    part.clamp(FEWEST, MOST)
}

const FEWEST: usize = 4;

const MOST: usize = 4096;

const MOST_ORIGINS: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_a_part_of_what_there_is() {
        for (descriptors, places) in [
            (Some(0), 4),
            (Some(64), 16),
            (Some(1024), 256),
            (Some(65_536), MOST),
            (Some(u64::MAX), MOST),
            (None, MOST),
        ] {
            assert_eq!(in_all(descriptors), places, "{descriptors:?}");
        }
    }

    #[tokio::test]
    async fn one_origin_does_not_take_the_places_of_others() {
        let places = Places::new(None);
        let mut taken = Vec::new();
        for _ in 0..OF_ONE_ORIGIN {
            taken.push(places.take("http://a").await);
        }
        let mut next = std::pin::pin!(places.take("http://a"));
        assert!(tokio::time::timeout(std::time::Duration::ZERO, &mut next).await.is_err(), "it waits");
        taken.push(places.take("http://b").await);
        taken.remove(0);
        next.await;
    }

    #[tokio::test]
    async fn origins_that_nobody_asks_are_forgotten() {
        let places = Places::new(None);
        let kept = places.take("http://kept").await;
        for n in 0..1000 {
            drop(places.take(&format!("http://{n}")).await);
        }
        let by_origin = places.by_origin.lock().unwrap();
        assert!(by_origin.len() <= MOST_ORIGINS && by_origin.contains_key("http://kept"));
        drop(kept);
    }
}
