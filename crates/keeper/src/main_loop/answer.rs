use api::{Code, Failure, Reply};
use session::time::millis;
use session::view::Phase;
use tokio::sync::oneshot;

use crate::adapters::clock;

pub(crate) type Answer = oneshot::Sender<Result<Reply, Failure>>;

pub(crate) fn refuse(answer: Answer, failure: Failure) {
    drop(answer.send(Err(failure)));
}

pub(crate) fn refusal_of(phase: Phase, profile: &str, host: &str) -> Option<Failure> {
    match phase {
        Phase::Fresh | Phase::Refreshing { .. } | Phase::SigningIn => None,
        Phase::NeedsLogin { why } => Some(Failure::needs_login(why).of(profile)),
        Phase::Waiting { until, why, status, .. } => {
            let wait = millis(clock::now().until(until));
            Some(Failure::provider(why, status, host).of(profile).retry_in(wait))
        }
    }
}

/// Nothing of the request was done, so the face may ask the next keeper.
pub(crate) fn stopping() -> Failure {
    Failure::new(Code::KeeperStopping)
}
