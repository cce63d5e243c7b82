//! Where in an answer the tokens stand, and what it says of them.

use alloc::vec::Vec;
use core::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::answer::Clock;
use super::lifetime::{self, Lifetime};
use super::pointer::Pointer;
use super::refresh_life;
use crate::reason::Oddity;
use crate::tokens::{RefreshLife, RefreshToken};

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Take {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_token: Option<Pointer>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<Pointer>,
    /// A JWT's own times are read without being named here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lifetime: Option<Lifetime>,
    /// Of the refresh token, which may be a JWT too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh_lifetime: Option<Lifetime>,
}

/// What an answer says of its tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Lives {
    pub(crate) lifetime: Option<Duration>,
    pub(crate) refresh_life: Option<RefreshLife>,
    pub(crate) odd: Option<Oddity>,
}

impl Take {
    pub(crate) fn places(&self) -> Vec<&Pointer> {
        let lifetimes =
            [&self.lifetime, &self.refresh_lifetime].map(|life| life.as_ref().map(|life| &life.at));
        let tokens = [self.access_token.as_ref(), self.refresh_token.as_ref()];
        tokens.into_iter().chain(lifetimes).flatten().collect()
    }

    /// Odd is a lifetime that is to stand somewhere, and of which nobody can make one.
    pub(crate) fn lives(
        &self,
        json: &Value,
        access: Option<&str>,
        refresh: Option<&RefreshToken>,
        clock: Clock<'_>,
    ) -> Lives {
        let (of_access, of_refresh) = (self.lifetime.as_ref(), self.refresh_lifetime.as_ref());
        let lifetime = access.and_then(|token| lifetime::of(of_access, json, token, clock));
        let refresh_life = refresh_life::of(of_refresh, json, refresh.map(RefreshToken::expose), clock);
        let is_unread = |field: &Lifetime| !lifetime::is_endless(field, json);
        let odd = if access.is_some() && lifetime.is_none() && of_access.is_some_and(is_unread) {
            Some(Oddity::LifetimeUnread)
        } else if refresh.is_some() && refresh_life.is_none() && of_refresh.is_some() {
            Some(Oddity::RefreshLifetimeUnread)
        } else {
            None
        };
        Lives { lifetime, refresh_life, odd }
    }
}
