//! Everything that can come between a request and its answer.

use std::time::Duration;

use session::reason::Trouble;
use session::verdict::Verdict;

use crate::dice::Dice;
use crate::wire::{Reply, Truth};

/// What the network, and the gateways in it, are like at the moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Weather {
    Good,
    /// Now and then a request, or an answer, gets lost, or comes twice.
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
    /// Something on the way sends it again, and hands on the second answer.
    Doubled,
    /// The provider never hears of it, and somebody else answers.
    Instead(Reply),
    /// Nobody answers.
    Failed(Verdict),
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
        if dice.one_in(2) { dice.pick(&bad) } else { Self::Good }
    }

    pub(crate) fn fate(self, dice: &mut Dice) -> Fate {
        let failed = |trouble| Fate::Failed(Verdict::Transient { trouble, status: None, retry_after: None });
        match self {
            Self::Good => Fate::Answered,
            Self::Lossy => match dice.between(0, 6) {
                4 => Fate::AnswerLost,
                5 => Fate::AnswerLate,
                6 => Fate::Doubled,
                3 => failed(Trouble::Offline),
                _ => Fate::Answered,
            },
            Self::Offline => failed(dice.pick(&[Trouble::Offline, Trouble::NoNetwork, Trouble::Tls])),
            Self::Portal => Fate::Instead(match dice.between(0, 2) {
                0 => Reply::page(200, "<html><form>Welcome to our network"),
                1 => Reply { status: 302, ..Reply::page(302, "") },
                _ => Reply::page(511, "<html>Network Authentication Required"),
            }),
            Self::Gateway => {
                Fate::Instead(Reply::page(403, dice.pick(&["Forbidden", "Forbidden", "Blocked by policy"])))
            }
            Self::Down => {
                let status = dice.pick(&[500, 502, 503, 504]);
                let retry_after = dice.pick(&[None, None, Some(Duration::from_secs(20))]);
                Fate::Instead(Reply { retry_after, ..Reply::page(status, "<h1>Sorry") })
            }
            Self::Limited => {
                let wait = dice.between(1, 600);
                let retry_after = dice.pick(&[None, Some(Duration::from_secs(wait))]);
                let body = r#"{"error":"slow_down"}"#.to_owned();
                Fate::Instead(Reply { retry_after, ..Reply::json(429, body, Truth::Other) })
            }
            Self::Misconfigured => {
                let body = r#"{"error":"invalid_client"}"#.to_owned();
                Fate::Instead(Reply::json(401, body, Truth::Other))
            }
            Self::Hanging => match dice.between(0, 2) {
                0 => Fate::AnswerLate,
                1 => Fate::Vanished,
                _ => failed(Trouble::TimedOut),
            },
        }
    }

    /// Whether a protected resource can be reached in it.
    pub(crate) fn lets_through(self) -> bool {
        matches!(self, Self::Good | Self::Limited | Self::Misconfigured)
    }

    /// Whether whoever asks in it is told by an answer that the host is there, or by nothing that it is not.
    pub(crate) fn is_an_outage(self) -> bool {
        matches!(self, Self::Offline | Self::Down | Self::Hanging)
    }
}
