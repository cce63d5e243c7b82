use session::time::Timestamp;

use super::answer::Answer;
use crate::adapters::hints::Inhibitor;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    InGoodOrder,
    /// The newest refresh tokens of these profiles were only in memory, or an exchange was in flight.
    Cut(Vec<String>),
}

pub(crate) enum Why {
    /// Refused if a session would be lost.
    Asked(Answer),
    Forced(Answer),
    Signal,
}

pub(crate) struct Stopping {
    pub(crate) by: Timestamp,
    /// It ends then, even if sessions are lost.
    pub(crate) for_certain: bool,
    pub(crate) answers: Vec<Answer>,
}

/// The machine is about to sleep.
pub(crate) struct Dozing {
    /// `None` once nothing is on its way any more.
    pub(crate) inhibitor: Option<Inhibitor>,
    /// Then it is taken for awake, whatever was said.
    pub(crate) until: Timestamp,
}
