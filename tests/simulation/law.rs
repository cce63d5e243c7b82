//! The laws, and what the referee knows of what a session is told.

use session::tokens::{AccessToken, Tokens};

/// The laws, each named for what it forbids or demands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Law {
    /// Of a token of which nobody said how long it lives, nobody knows that it is over.
    AnUnknownLifetimeEndsNothing,
    /// A resource that wants a person takes nothing away: what was good for others is good still.
    ADemandEndsNothing,
    /// What guards against machines, and every pause of ours, is not in a person's way.
    APersonIsNotAStorm,
    /// What a person has to do is said until it is done, or until the person wants to do without it.
    ADemandIsShown,
    /// Whoever asks just after a failure does not set off the next one.
    AFailureIsFollowedByAPause,
    /// With a grace, and a network that loses one answer at a time, no session is lost.
    AGraceSavesTheSession,
    /// A token endpoint that wants a person has not condemned the token.
    AnInteractionKeepsTheToken,
    /// With a healthy network the session ends with a good token.
    ItRecovers,
    /// Tokens from before a sign-in or sign-out are never used.
    NoForeignTokens,
    /// A refresh token is only taken out of the vault when it is dead or a person wants it.
    NothingIsForgottenUnasked,
    OneRefreshInFlight,
    OneVaultOperationAtATime,
    /// What a person has ended is not taken up again, by the next process neither.
    ASignOutHolds,
    /// Whoever has something to do says when, and leaves nothing due behind.
    EveryDeadlineIsReported,
    /// What only a person can mend is not tried again without one.
    OnlyAPersonGoesOn,
    OrphansAreRevoked,
    /// An exchange ends with its report: an answer to the one in flight is taken, however late it comes.
    NoAnswerIsTooLate,
    /// What belongs to another server's profile stays where it is: nothing of it is sent, overwritten or taken away.
    NothingGoesElsewhere,
    /// Some providers end all that they gave a person with any part of it: what comes late for somebody who is signed in
    /// is not given back.
    NothingNewIsEnded,
    /// Before the machine sleeps nothing is begun whose answer could be lost.
    NothingNewBeforeSleep,
    /// Before the end nothing is begun that the end could cut off.
    NothingNewBeforeTheEnd,
    /// Whoever is at work sleeps with the machine: nobody is called off for time in which nothing ran.
    PatienceSleepsToo,
    RefreshesAreFew,
    RetryAfterIsKept,
    SaveComesBeforePublish,
    StaleAnswersChangeNothing,
    /// Nobody's tokens are saved under another name, or without what they are bound to.
    TokensKeepTheirOwner,
    /// The next process is told of an exchange of which nobody knows how it ended, until that is known and saved.
    TheMarkStaysWhileInDoubt,
    /// A session needs a person only for a reason that is true, also after a restart.
    TheReasonIsTrue,
    /// Never a refresh token but the newest one received.
    TheNewestTokenIsSent,
}

pub(crate) type Verified = Result<(), (Law, String)>;

/// Whether anybody waits for what the session is told.
#[derive(PartialEq, Eq)]
pub(crate) enum Standing {
    Awaited,
    /// A demand, and the token that was good before it.
    Demand(Option<AccessToken>),
    Foreign(Tokens),
    /// A person asks for what can be done at once.
    OfAPerson,
    /// Nobody's, and perhaps of the person who is signed in now.
    OfTheLiving,
    Stale,
}

impl Standing {
    /// The law that using it breaks.
    pub(crate) fn law(&self) -> Option<Law> {
        match self {
            Self::Awaited | Self::Demand(_) | Self::OfAPerson => None,
            Self::Foreign(_) | Self::OfTheLiving => Some(Law::NoForeignTokens),
            Self::Stale => Some(Law::StaleAnswersChangeNothing),
        }
    }
}

pub(crate) fn broken(law: Law, what: &str) -> Verified {
    Err((law, what.to_owned()))
}
