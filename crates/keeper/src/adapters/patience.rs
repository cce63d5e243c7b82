use std::pin::pin;

use session::patience::Patience;

use crate::adapters::clock;

/// `None` once the time is used up. What has arrived by then is looked at first.
pub(crate) async fn within<T>(patience: &mut Patience, what: impl Future<Output = T>) -> Option<T> {
    let mut what = pin!(what);
    while let Some(nap) = patience.nap() {
        let began = clock::now();
        let outcome = tokio::select! {
            biased;
            outcome = &mut what => Some(outcome),
            () = tokio::time::sleep(nap) => None,
        };
        patience.waited(nap, clock::now().since(began));
        if outcome.is_some() {
            return outcome;
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn what_comes_in_time_is_had_and_the_rest_is_not_waited_for() {
        let mut patience = Patience::new(Duration::from_millis(200));
        assert_eq!(within(&mut patience, async { 7 }).await, Some(7));
        let began = clock::now();
        assert_eq!(within(&mut patience, std::future::pending::<()>()).await, None);
        let took = clock::now().since(began).as_millis();
        assert!((150..2000).contains(&took), "{took} ms");
        assert_eq!(within(&mut patience, async { 7 }).await, None, "all of them share it");
    }
}
