use crate::people::Person;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Granted {
    pub(crate) person: Person,
    pub(crate) family: u64,
    pub(crate) access: Option<String>,
    pub(crate) refresh: String,
    pub(crate) rotated: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    Expired,
    Missing,
    Reused {
        family_revoked: bool,
    },
    Revoked,
    Unknown,
    /// An access token where a refresh token belongs, or the other way round.
    WrongKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    pub(crate) is_access: bool,
    pub(crate) person: Person,
    pub(crate) family: u64,
    pub(crate) left_ms: u64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Revoked {
    pub access: usize,
    pub refresh: usize,
}
