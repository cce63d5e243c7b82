//! Tokens, in types that cannot print.

use alloc::string::String;
use core::fmt;
use core::time::Duration;

use zeroize::Zeroizing;

use crate::reason::Oddity;

macro_rules! secret {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq)]
        pub struct $name(Zeroizing<String>);

        impl $name {
            pub fn new(text: impl Into<String>) -> Self {
                Self(Zeroizing::new(text.into()))
            }

            /// For the few places that put the text into a message or a vault.
            pub fn expose(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "([redacted])"))
            }
        }
    };
}

/// RFC 6749, section 1.4. It is never written anywhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessToken {
    text: Secret,
    kind: TokenType,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TokenType {
    #[default]
    Bearer,
    /// With a proof of possession (RFC 9449).
    Dpop,
}

secret! {
    /// RFC 6749, section 1.5.
    RefreshToken
}

secret! {
    /// A part of a message that must not be printed, such as a password.
    Secret
}

impl AccessToken {
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: Secret::new(text), kind: TokenType::Bearer }
    }

    #[must_use]
    pub fn of_type(self, kind: TokenType) -> Self {
        Self { kind, ..self }
    }

    pub fn token_type(&self) -> TokenType {
        self.kind
    }

    pub fn expose(&self) -> &str {
        self.text.expose()
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Account {
    pub user: Option<String>,
    pub identity: Option<Identity>,
    /// The private key that the tokens are bound to (RFC 9449), in the adapter's format.
    pub proof_key: Option<Secret>,
    /// Tells the provider which of its sessions a sign-out is about. It is not saved.
    pub id_token: Option<Secret>,
}

impl Account {
    /// Whether these are surely two people, which needs a name of both.
    pub fn is_other_than(&self, other: &Self) -> bool {
        match (&self.identity, &other.identity) {
            (Some(one), Some(another)) => one != another,
            _ => self.user.is_some() && other.user.is_some() && self.user != other.user,
        }
    }
}

/// A person at one provider (OpenID Connect Core, section 5.7).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    pub issuer: String,
    pub subject: String,
}

impl Account {
    pub fn named(user: &str) -> Self {
        Self { user: Some(String::from(user)), ..Self::default() }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefreshLife {
    /// It has no date on which it ends.
    Endless,
    For(Duration),
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tokens {
    pub access: Option<AccessToken>,
    /// From the receipt of the token; `None` when the provider did not say.
    pub lifetime: Option<Duration>,
    /// Absent where the old one stays in use (RFC 6749, section 6).
    pub refresh: Option<RefreshToken>,
    /// Of the refresh token, new or old, where the provider said it.
    pub refresh_life: Option<RefreshLife>,
    pub odd: Option<Oddity>,
}
