use api::{Code, Failure, Reply};
use tokio::sync::oneshot;

pub(crate) type Answer = oneshot::Sender<Result<Reply, Failure>>;

pub(crate) fn refuse(answer: Answer, failure: Failure) {
    drop(answer.send(Err(failure)));
}

/// Nothing of the request was done, so the face may ask the next keeper.
pub(crate) fn stopping() -> Failure {
    Failure::new(Code::KeeperStopping)
}
