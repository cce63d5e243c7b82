//! The end of a keeper: who wants it, how far it has come, and how it was.

use session::time::Timestamp;

use super::answer::Answer;

/// How a keeper has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// Nothing was lost.
    InGoodOrder,
    /// The newest refresh tokens of these profiles were only in memory, or just being bought.
    Cut(Vec<String>),
}

/// Who wants the end.
pub(crate) enum Why {
    /// Somebody who is told when it cannot be had without a loss.
    Asked(Answer),
    /// Somebody who has been told.
    Forced(Answer),
    /// The operating system, which does not ask.
    Signal,
}

/// Under way to the end.
pub(crate) struct Stopping {
    /// How long what is in flight, or not saved, is waited for.
    pub(crate) by: Timestamp,
    /// It ends then, whatever that costs.
    pub(crate) for_certain: bool,
    pub(crate) answers: Vec<Answer>,
}
