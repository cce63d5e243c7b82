//! The reasons of a session. The wire, the command line, the journal and the window use the same words.

use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    Asked,
    BeforeExpiry,
    HeartbeatSaidNo,
    /// Nobody needs it, but a sign-in that is not refreshed for so long ends.
    KeptAlive,
    Needed,
    Rejected,
    /// The session was restored, or its sign-in brought no access token.
    Start,
}

/// Why only a person can go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Lost {
    ConsentRequired,
    /// The stored sign-in is not what was written.
    Damaged,
    /// The access token ran out, and there never was a refresh token.
    Expired,
    /// The profile was edited and names other places. The stored tokens are kept, and sent nowhere.
    Elsewhere,
    /// A resource wants scopes that the sign-in did not bring (RFC 6750, section 3.1).
    InsufficientScope,
    /// A resource wants a stronger or a more recent sign-in (RFC 9470).
    InsufficientUserAuthentication,
    /// The stored refresh token was refused after an exchange whose answer got lost.
    Interrupted,
    InteractionRequired,
    /// A person has deleted the key of the stored sign-ins from the keyring.
    KeyDeleted,
    /// The key of the stored sign-in cannot be had. The sign-in is kept, and goes on if the key comes back.
    KeyMissing,
    LoginRequired,
    Never,
    /// What is stored is older than what was stored last, as after restoring a backup. The token may be spent; it is
    /// kept, and sent only if a person says so.
    OlderCopy,
    /// The refresh token was refused about when a sign-in ends, however often it is refreshed.
    RanOut,
    Refused,
    SignedOut,
    /// The provider repeats an unrecognisable refusal. The refresh token is kept and can be tried again.
    Unsure,
    /// The refresh token was refused after it had not been used for longer than it lives unused.
    Unused,
}

/// Why an exchange with a provider or the vault brought nothing, without ending the session. `Certificates`,
/// `Descriptors`, `Disk`, `Memory` and `NoNetwork` are faults of this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Trouble {
    BreakerOpen,
    /// The server's is not good yet, or no longer.
    CertificateDate,
    CertificateName,
    /// The server's is not made for a server, or is withdrawn.
    CertificateUnfit,
    /// The server's is from nobody who is trusted here.
    CertificateUnknown,
    Certificates,
    CutShort,
    Descriptors,
    Disk,
    /// The provider's description is for another issuer, or lacks what is needed.
    Discovery,
    Garbled,
    /// A verified ID token says that the tokens of a refresh belong to another person.
    Identity,
    Memory,
    /// Our request is wrong, not the token: an unknown client, a wrong path.
    Misconfigured,
    NoNetwork,
    /// The page of a captive portal, a proxy or a maintenance.
    NotJson,
    Offline,
    /// The proxy is not there, or lets nobody through to the host.
    Proxy,
    RateLimited,
    Redirected,
    /// A 4xx that does not recognisably refuse the refresh token.
    Suspect,
    /// 5xx and similar.
    Status,
    /// The request was sent, and no answer came in time. The refresh token may be spent.
    TimedOut,
    /// What answers speaks no TLS, or none that is safe.
    Tls,
    TooLarge,
    /// The connection ended after the request was sent. The refresh token may be spent.
    Unanswered,
    Unreadable,
    /// No access token that can be used (RFC 6749, section 7.1). The refresh token beside it was kept.
    Unusable,
    Vault,
}

/// Something wrong that came with good tokens. It is reported, and nothing is lost over it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Oddity {
    /// It is for another client, or for several without saying which (OpenID Connect Core, section 3.1.3.7).
    IdTokenAudience,
    IdTokenIssuer,
    /// `openid` was asked for, and no ID token came (OpenID Connect Core, section 3.1.3.3).
    IdTokenMissing,
    IdTokenSubject,
    IdTokenUnreadable,
    /// It is unsigned, or signed with no key that is known.
    IdTokenUnverified,
    /// How long the access token lives stands where the profile says, or should, and nothing can be made of it.
    LifetimeUnread,
    /// The same of the refresh token.
    RefreshLifetimeUnread,
    /// The sign-in is weaker or older than was demanded (RFC 9470).
    StepUpUnmet,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum VaultTrouble {
    /// There is no keyring service, or no bus to find one on. It may still come.
    Absent,
    /// The command that knows the passphrase has not told it.
    CommandFailed,
    /// The system's service manager has given us no credential.
    CredentialAbsent,
    /// The key was sealed with another one.
    CredentialOther,
    /// It is too short to be a key.
    CredentialShort,
    /// The sealed file is not what was written.
    Damaged,
    /// The sealed file cannot be read or written.
    Disk,
    Failed,
    /// Others can read the file with the passphrase, or it lies beside what it opens.
    FileExposed,
    /// There is no passphrase in its file.
    FileUnreadable,
    /// The key's item is there, with nothing readable in it.
    Garbled,
    /// The keyring is open, and the key is not in it.
    Gone,
    /// The file that holds the key is not what was written.
    KeyFileDamaged,
    KeyFileGone,
    /// The file holds another key than the one that is needed.
    KeyFileOther,
    Locked,
    /// It has no collection for new items.
    NoPlace,
    /// It is open, and does not let us read the key.
    NotAllowed,
    /// It has an older key of ours, as if an older copy of it had been put in its place.
    OlderKeyring,
    /// Not the one that the key was put into.
    OtherKeyring,
    /// A person has to give it.
    PassphraseNeeded,
    /// Nobody has chosen one yet.
    PassphraseUnset,
    PassphraseWrong,
    Slow,
}

impl VaultTrouble {
    /// It may end by itself in a moment, so that waiting for it is worth while.
    pub fn is_passing(self) -> bool {
        matches!(self, Self::Slow | Self::Failed)
    }

    /// Why only a person can go on, if nothing that could be waited for mends it.
    pub fn lost(self) -> Option<Lost> {
        match self {
            Self::Damaged => Some(Lost::Damaged),
            Self::Garbled
            | Self::Gone
            | Self::KeyFileDamaged
            | Self::KeyFileGone
            | Self::KeyFileOther
            | Self::OlderKeyring
            | Self::OtherKeyring => Some(Lost::KeyMissing),
            Self::Absent
            | Self::CommandFailed
            | Self::CredentialAbsent
            | Self::CredentialOther
            | Self::CredentialShort
            | Self::Disk
            | Self::Failed
            | Self::FileExposed
            | Self::FileUnreadable
            | Self::Locked
            | Self::NoPlace
            | Self::NotAllowed
            | Self::PassphraseNeeded
            | Self::PassphraseUnset
            | Self::PassphraseWrong
            | Self::Slow => None,
        }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The token is good until it is refused. The profile's assumption only dates the next refresh.
    Assumed,
    /// The provider said it of an earlier token.
    Learned,
    #[default]
    Told,
}

impl Trouble {
    pub(crate) fn is_about_the_network(self) -> bool {
        match self {
            Self::BreakerOpen
            | Self::CertificateDate
            | Self::CertificateName
            | Self::CertificateUnfit
            | Self::CertificateUnknown
            | Self::CutShort
            | Self::Garbled
            | Self::NoNetwork
            | Self::NotJson
            | Self::Offline
            | Self::Proxy
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
