//! The laws, and what the referee knows of what a session is told.

use session::tokens::{AccessToken, Tokens};

/// The laws, each named for what it forbids or demands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Law {
    /// Whoever asks gets one answer, whatever happens meanwhile, and not two.
    ACallerIsServedOnce,
    /// Nobody waits for longer than they wanted to, and nobody is told so before.
    ACallersTimeIsKept,
    /// A token that is known to be over or refused goes to no provider and to no caller.
    ADeadTokenStaysHere,
    /// A resource that wants a person takes nothing away: what was good for others is good still.
    ADemandEndsNothing,
    /// What a person has to do is said until it is done, or until the person wants to do without it.
    ADemandIsShown,
    /// A host that does not answer is asked ever less often, however many sessions and callers there are.
    AFailingHostIsLeftAlone,
    /// Whoever asks just after a failure does not set off the next one.
    AFailureIsFollowedByAPause,
    /// With a grace, and a network that loses one answer at a time, no session is lost.
    AGraceSavesTheSession,
    /// A token lives for as long as its provider says, whatever the clocks of both say.
    ALifetimeIsTheProviders,
    /// A person is called once for what is one and the same incident.
    APersonIsAskedOnce,
    /// What guards against machines, and every pause of ours, is not in a person's way.
    APersonIsNotAStorm,
    /// A request whose token was refused is sent again where there is a newer one.
    ARefusalIsReplayed,
    /// What a person has ended is not taken up again, by the next process neither.
    ASignOutHolds,
    /// In no ten minutes are there more token requests than the lifetime and the pauses allow, whatever machines ask
    /// for.
    AStormIsBounded,
    /// The provider may have answered, and says the same again for seconds only: the first request after a lost answer is
    /// held back by no guard.
    ALostAnswerIsAskedForAgain,
    /// Who asks for a token that lives for so long gets one that does, or is told.
    AWishForLifeIsKept,
    /// What is told of the end of a sign-in is so.
    AForecastIsTrue,
    /// What is said of the network may be wrong: nobody waits for it for longer than a moment after a start or a sleep,
    /// nor once somebody has answered.
    ANetworkIsNotAwaitedForLong,
    ANetworkThatComesIsUsed,
    /// A person is told of an end that is known, once, before it comes; and what was to be expected is named.
    AnEndIsForetold,
    /// A token endpoint that wants a person has not condemned the token.
    AnInteractionKeepsTheToken,
    /// Of a token of which nobody said how long it lives, nobody knows that it is over.
    AnUnknownLifetimeEndsNothing,
    /// Whoever has something to do says when, and leaves nothing due behind.
    EveryDeadlineIsReported,
    /// With a healthy network the session ends with a good token.
    ItRecovers,
    /// An exchange ends with its report: an answer to the one in flight is taken, however late it comes.
    NoAnswerIsTooLate,
    /// Tokens from before a sign-in or sign-out are never used.
    NoForeignTokens,
    /// What belongs to another server's profile stays where it is: nothing of it is sent, overwritten or taken away.
    NothingGoesElsewhere,
    /// Just after a start or a sleep, machines' requests wait for a network that is said to be missing.
    NothingGoesIntoNoNetwork,
    /// What a provider has granted is taken, whatever the answer looks like around it.
    NothingGrantedIsMisread,
    /// A refresh token is only taken out of the vault when it is dead or a person wants it.
    NothingIsForgottenUnasked,
    /// An edit of the profile, and an end that was asked for, cost no session.
    NothingIsLostInGoodOrder,
    /// Whoever can be served is, and whoever cannot be served in time is told at once.
    NobodyWaitsInVain,
    /// Before the machine sleeps nothing is begun whose answer could be lost.
    NothingNewBeforeSleep,
    /// Before the end nothing is begun that the end could cut off.
    NothingNewBeforeTheEnd,
    /// Some providers end all that they gave a person with any part of it: what comes late for somebody who is signed in
    /// is not given back.
    NothingNewIsEnded,
    /// A sign-in that would end for want of use is refreshed although nobody needs it.
    NoSignInIdlesOut,
    OneRefreshInFlight,
    /// A request that was refused goes out once more, with another token; and again only if that one has run out on the way.
    OneTokenIsTriedOnce,
    OneVaultOperationAtATime,
    /// What only a person can mend is not tried again without one.
    OnlyAPersonGoesOn,
    /// Nothing ends a refresh token but its provider that refuses it.
    OnlyARefusalIsARefusal,
    /// Requests go out in the order in which they came, and one that may change something goes alone.
    OrderIsKept,
    OrphansAreRevoked,
    /// Whoever is at work sleeps with the machine: nobody is called off for time in which nothing ran.
    PatienceSleepsToo,
    RefreshesAreFew,
    RetryAfterIsKept,
    SaveComesBeforePublish,
    StaleAnswersChangeNothing,
    /// The next process is told of an exchange of which nobody knows how it ended, until that is known and saved.
    TheMarkStaysWhileInDoubt,
    /// Never a refresh token but the newest one received.
    TheNewestTokenIsSent,
    /// A session needs a person only for a reason that is true, also after a restart.
    TheReasonIsTrue,
    /// Nobody's tokens are saved under another name, or without what they are bound to.
    TokensKeepTheirOwner,
}

pub(crate) type Verified = Result<(), Broken>;

pub(crate) type Broken = (Law, String);

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
