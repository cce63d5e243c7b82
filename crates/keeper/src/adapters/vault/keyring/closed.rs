//! Why the service did not do what it was asked for, and how that is said through `keyring`.

use std::fmt;

use keyring_core::Error;

/// Why the service does not do what it was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Closed {
    Absent,
    Locked,
    NoPlace,
    NotAllowed,
    Slow,
    /// What crosses the bus is not what the other end means.
    Unintelligible,
    Other(String),
}

impl Closed {
    pub(super) fn into_error(self) -> Error {
        match self {
            Self::Absent | Self::Slow | Self::Unintelligible | Self::Other(_) => {
                Error::PlatformFailure(Box::new(self))
            }
            Self::Locked | Self::NoPlace | Self::NotAllowed => Error::NoStorageAccess(Box::new(self)),
        }
    }

    pub(super) fn of(error: &Error) -> Option<Self> {
        let (Error::PlatformFailure(inner) | Error::NoStorageAccess(inner)) = error else { return None };
        inner.downcast_ref().cloned()
    }
}

impl fmt::Display for Closed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Absent => "it is not there",
            Self::Locked => "it is locked",
            Self::NoPlace => "it has no collection for new items",
            Self::NotAllowed => "it does not let this program read the item",
            Self::Slow => "the bus does not answer",
            Self::Unintelligible => "what it gives back is not what it was given",
            Self::Other(what) => what,
        })
    }
}

impl std::error::Error for Closed {}

impl From<zbus::Error> for Closed {
    fn from(error: zbus::Error) -> Self {
        if let zbus::Error::FDO(error) = error {
            return (*error).into();
        }
        let name = if let zbus::Error::MethodError(name, ..) = &error { name.as_str() } else { "" };
        match name {
            "org.freedesktop.Secret.Error.IsLocked" => Self::Locked,
            "org.freedesktop.DBus.Error.ServiceUnknown" | "org.freedesktop.DBus.Error.NameHasNoOwner" => {
                Self::Absent
            }
            _ => Self::Other(error.to_string()),
        }
    }
}

impl From<zbus::fdo::Error> for Closed {
    fn from(error: zbus::fdo::Error) -> Self {
        if let zbus::fdo::Error::ZBus(error) = error {
            return error.into();
        }
        if matches!(error, zbus::fdo::Error::ServiceUnknown(_) | zbus::fdo::Error::NameHasNoOwner(_)) {
            return Self::Absent;
        }
        Self::Other(error.to_string())
    }
}

impl From<secret_service::Error> for Closed {
    fn from(error: secret_service::Error) -> Self {
        use secret_service::Error;
        if let Error::Zbus(error) = error {
            return error.into();
        }
        if let Error::ZbusFdo(error) = error {
            return error.into();
        }
        if matches!(error, Error::Locked) {
            return Self::Locked;
        }
        if matches!(error, Error::Crypto(_)) {
            return Self::Unintelligible;
        }
        if matches!(error, Error::Prompt) {
            return Self::NotAllowed;
        }
        if matches!(error, Error::Unavailable | Error::PromptDisconnected) {
            return Self::Absent;
        }
        Self::Other(error.to_string())
    }
}

impl From<zbus::zvariant::Error> for Closed {
    fn from(error: zbus::zvariant::Error) -> Self {
        Self::Other(error.to_string())
    }
}

impl From<zbus::names::Error> for Closed {
    fn from(error: zbus::names::Error) -> Self {
        Self::Other(error.to_string())
    }
}
