//! Tokens, in types that cannot print.

use alloc::string::String;
use core::fmt;
use core::time::Duration;

use zeroize::Zeroizing;

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

secret! {
    /// What opens a protected resource (RFC 6749, section 1.4). Lives in memory only.
    AccessToken
}

secret! {
    /// What a new access token is bought with (RFC 6749, section 1.5). The one thing that must never be lost.
    RefreshToken
}

secret! {
    /// A part of a message that must not be printed: a password, a header with a token in it.
    Secret
}

/// What a provider gave for a sign-in or a refresh.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tokens {
    /// Absent where a sign-in brings only a refresh token.
    pub access: Option<AccessToken>,
    /// How long the access token lives from its receipt; `None` when nothing said so.
    pub lifetime: Option<Duration>,
    /// Absent where the provider keeps the old one in use (RFC 6749, section 6).
    pub refresh: Option<RefreshToken>,
}
