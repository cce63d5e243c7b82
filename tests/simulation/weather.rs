//! Everything that can come between a request and its answer.

use std::time::Duration;

use session::reason::Trouble;
use session::verdict::Verdict;

use crate::dice::Dice;

/// What the network, and the gateways in it, are like at the moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Weather {
    Good,
    /// Now and then a request, or an answer, gets lost.
    Lossy,
    Offline,
    Portal,
    /// A gateway that answers 403 to everything.
    Gateway,
    Down,
    Limited,
    /// The provider says that the client is unknown.
    Misconfigured,
    /// Connections are accepted, and nothing comes back.
    Hanging,
}

/// What becomes of one request.
pub(crate) enum Fate {
    Answered,
    /// The provider acts, and its answer is lost.
    AnswerLost,
    /// The provider acts, and its answer comes when nobody waits for it any more.
    AnswerLate,
    /// The provider never hears of it.
    Instead(Verdict),
    /// Nobody ever hears of it.
    Vanished,
}

impl Weather {
    pub(crate) fn any(dice: &mut Dice) -> Self {
        let bad = [
            Self::Lossy,
            Self::Offline,
            Self::Portal,
            Self::Gateway,
            Self::Down,
            Self::Limited,
            Self::Misconfigured,
            Self::Hanging,
        ];
        if dice.one_in(2) { Self::Good } else { dice.pick(&bad) }
    }

    pub(crate) fn fate(self, dice: &mut Dice) -> Fate {
        let transient = |trouble, status| Verdict::Transient { trouble, status, retry_after: None };
        match self {
            Self::Good => Fate::Answered,
            Self::Lossy => match dice.between(0, 5) {
                0 => Fate::AnswerLost,
                1 => Fate::Instead(transient(Trouble::Unanswered, None)),
                2 => Fate::Instead(transient(Trouble::CutShort, Some(200))),
                _ => Fate::Answered,
            },
            Self::Offline => Fate::Instead(transient(Trouble::Offline, None)),
            Self::Portal => Fate::Instead(transient(Trouble::NotJson, Some(200))),
            Self::Gateway => {
                let authentic = dice.one_in(2);
                Fate::Instead(Verdict::Suspect {
                    status: 403,
                    signature: 1 + u64::from(dice.one_in(3)),
                    authentic,
                })
            }
            Self::Down => Fate::Instead(transient(Trouble::Status, Some(dice.pick(&[500, 502, 503, 504])))),
            Self::Limited => {
                let retry_after =
                    dice.pick(&[None, Some(dice.clone().between(1, 600))]).map(Duration::from_secs);
                Fate::Instead(Verdict::Transient {
                    trouble: Trouble::RateLimited,
                    status: Some(429),
                    retry_after,
                })
            }
            Self::Misconfigured => {
                Fate::Instead(Verdict::Misconfigured { trouble: Trouble::Misconfigured, status: Some(401) })
            }
            Self::Hanging => dice.pick(&[0, 1, 2]).into(),
        }
    }

    /// Whether a protected resource can be reached in it.
    pub(crate) fn lets_through(self) -> bool {
        matches!(self, Self::Good | Self::Limited | Self::Misconfigured)
    }
}

impl From<u8> for Fate {
    fn from(hang: u8) -> Self {
        match hang {
            0 => Self::AnswerLate,
            1 => Self::Vanished,
            _ => Self::Instead(Verdict::Transient {
                trouble: Trouble::TimedOut,
                status: None,
                retry_after: None,
            }),
        }
    }
}
