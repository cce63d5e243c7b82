//! The reasons a session has for what it does. The same words stand in the types, on the wire, on the command
//! line, in the journal and in the window, so that what a person reads can be searched for in the code.

use serde::{Deserialize, Serialize};

/// Why the access token is being refreshed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// A person pressed *Refresh now* or *Try again*.
    Asked,
    /// The token is near its end; requests go on with it meanwhile.
    BeforeExpiry,
    /// The heartbeat said that the token is not good.
    HeartbeatSaidNo,
    /// A caller wants a token and there is none with enough life left.
    Needed,
    /// A protected resource refused the token.
    Rejected,
    /// The session was restored, or its sign-in brought no access token.
    Start,
}

/// Why nobody but a person can go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Lost {
    /// The provider wants the person's consent again.
    ConsentRequired,
    /// The access token ran out and the provider never gave a refresh token.
    Expired,
    /// The profile was edited so that the stored tokens would go somewhere else. They are kept, and go nowhere.
    Elsewhere,
    /// A resource wants scopes that the sign-in did not bring (RFC 6750, section 3.1).
    InsufficientScope,
    /// A resource wants a stronger or a more recent sign-in (RFC 9470).
    InsufficientUserAuthentication,
    /// The provider refused the stored refresh token after an exchange whose answer nobody saw: the keeper was killed
    /// in the middle of it, or the answer got lost.
    Interrupted,
    /// The provider wants the person at its own page, and will say there what for.
    InteractionRequired,
    /// The provider wants the person to sign in again.
    LoginRequired,
    /// Nobody has signed in yet.
    Never,
    /// The provider refused the stored refresh token, definitely.
    Refused,
    /// A person signed out.
    SignedOut,
    /// The provider keeps giving the same unrecognisable refusal. The refresh token is kept: *Try again* may revive it.
    Unsure,
}

/// Why an exchange with a provider (or the vault) brought nothing, without ending the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Trouble {
    /// The host is being left alone for a while: too many failures in a row.
    BreakerOpen,
    /// This machine: the certificates by which a provider is known cannot be read.
    Certificates,
    /// The answer ended before it was complete.
    CutShort,
    /// This machine: no file descriptor is left.
    Descriptors,
    /// This machine: its disk is full, or cannot be written.
    Disk,
    /// What the provider says about itself cannot be used: it speaks for another issuer, or lacks what is needed.
    Discovery,
    /// The answer calls itself JSON, or begins like it, and is broken.
    Garbled,
    /// A verified ID token says that the tokens of a refresh are somebody else's.
    Identity,
    /// This machine: no memory is left.
    Memory,
    /// The provider says that our request, not the token, is wrong: an unknown client, a wrong path.
    Misconfigured,
    /// This machine: no network, no route there, or nobody who knows where that name is.
    NoNetwork,
    /// The answer is not JSON: a captive portal's page, a proxy's, a maintenance page.
    NotJson,
    /// No connection: nobody listening, or nobody who answers the knock.
    Offline,
    /// 429.
    RateLimited,
    /// A redirect where tokens are expected; it is not followed.
    Redirected,
    /// A 4xx in which nothing recognisable says that the refresh token is dead.
    Suspect,
    /// 5xx and its kin.
    Status,
    /// Sent, and no answer in time. The provider may have spent the refresh token.
    TimedOut,
    /// The certificate or the handshake.
    Tls,
    /// The answer is larger than any token answer.
    TooLarge,
    /// The connection ended after the request was sent. The provider may have spent the refresh token.
    Unanswered,
    /// The answer has no access token where the recipe says that it is.
    Unreadable,
    /// There is no access token in the answer that can be used: none, one that cannot stand in a header, or of a type that
    /// nobody here understands (RFC 6749, section 7.1). The refresh token beside it was kept.
    Unusable,
    /// The keyring has not answered, or is locked.
    Vault,
}

/// Something that came with good tokens and is not as it should be. Nothing is lost over it, and somebody may want to
/// know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Oddity {
    /// The ID token is for another client, or for several and does not say which (OpenID Connect Core, section 3.1.3.7).
    IdTokenAudience,
    /// The ID token names another issuer.
    IdTokenIssuer,
    /// None came, although `openid` was asked for (OpenID Connect Core, section 3.1.3.3).
    IdTokenMissing,
    /// The ID token does not say whose it is.
    IdTokenSubject,
    /// The ID token cannot be read, or is encrypted.
    IdTokenUnreadable,
    /// Nobody who is known has signed the ID token, or nobody at all.
    IdTokenUnverified,
    /// The sign-in is not as strong, or not as recent, as was demanded (RFC 9470).
    StepUpUnmet,
}

/// Why the vault did not do what it was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum VaultTrouble {
    /// No keyring service, or no bus to reach it.
    Absent,
    /// It answered with an error.
    Failed,
    /// Locked, and nobody has unlocked it.
    Locked,
    /// No answer yet.
    Slow,
}

/// Where it is known from how long a token lives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// Nobody said: it is good until it is refused. The profile's assumption only dates the next refresh.
    Assumed,
    /// The provider said so of an earlier token.
    Learned,
    /// The provider said so of this one.
    #[default]
    Told,
}

impl Trouble {
    /// A network that came back may have cured it.
    pub(crate) fn is_about_the_network(self) -> bool {
        match self {
            Self::BreakerOpen
            | Self::CutShort
            | Self::Garbled
            | Self::NoNetwork
            | Self::NotJson
            | Self::Offline
            | Self::Redirected
            | Self::TimedOut
            | Self::Tls
            | Self::Unanswered => true,
            Self::Certificates
            | Self::Descriptors
            | Self::Discovery
            | Self::Disk
            | Self::Identity
            | Self::Memory
            | Self::Misconfigured
            | Self::RateLimited
            | Self::Status
            | Self::Suspect
            | Self::TooLarge
            | Self::Unreadable
            | Self::Unusable
            | Self::Vault => false,
        }
    }
}
