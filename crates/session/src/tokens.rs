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

            /// The text itself, for the few places that put it into a message or a vault.
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

/// What opens a protected resource (RFC 6749, section 1.4), and how it wants to be shown. Lives in memory only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessToken {
    text: Secret,
    kind: TokenType,
}

/// How an access token wants to be shown (RFC 6749, section 7.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TokenType {
    #[default]
    Bearer,
    /// Together with a proof of possession (RFC 9449).
    Dpop,
}

secret! {
    /// What a new access token is bought with (RFC 6749, section 1.5). The one thing that must never be lost.
    RefreshToken
}

secret! {
    /// A part of a message that must not be printed: a password, a header with a token in it.
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

    /// The text itself, for the few places that put it into a message.
    pub fn expose(&self) -> &str {
        self.text.expose()
    }
}

/// Whose session it is: what a sign-in says once, and what holds until the next one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Account {
    /// What people know themselves by.
    pub user: Option<String>,
    /// Of OpenID Connect: nobody else's tokens are taken later.
    pub identity: Option<Identity>,
    /// The private key to which the tokens are bound (RFC 9449), in whatever form the adapter writes it.
    pub proof_key: Option<Secret>,
    /// Tells the provider which of its sessions a sign-out is about. Not saved.
    pub id_token: Option<Secret>,
}

impl Account {
    /// Whether these are surely two people. Of somebody without a name nobody can say that.
    pub fn is_other_than(&self, other: &Self) -> bool {
        match (&self.identity, &other.identity) {
            (Some(one), Some(another)) => one != another,
            _ => self.user.is_some() && other.user.is_some() && self.user != other.user,
        }
    }
}

/// A person, as one provider knows them (OpenID Connect Core, section 5.7).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    pub issuer: String,
    pub subject: String,
}

impl Account {
    /// Of a provider that says nothing but a name.
    pub fn named(user: &str) -> Self {
        Self { user: Some(String::from(user)), ..Self::default() }
    }
}

/// What a provider gave for a sign-in or a refresh.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tokens {
    /// Absent where a sign-in brings only a refresh token, and where what came cannot be used.
    pub access: Option<AccessToken>,
    /// How long the access token lives from its receipt; `None` when nothing said so.
    pub lifetime: Option<Duration>,
    /// Absent where the provider keeps the old one in use (RFC 6749, section 6).
    pub refresh: Option<RefreshToken>,
    /// What is wrong with what came besides.
    pub odd: Option<Oddity>,
}
