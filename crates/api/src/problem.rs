//! The catalogues say these below `problem.` and `hint.`; `said` quotes the system, a library or a provider.

use std::collections::BTreeMap;
use std::fmt::Display;

use serde::Serialize;
use serde_json::Value;
use session::note::Note;
use session::wire::flaw::Flaw;

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(tag = "problem", rename_all = "snake_case")]
pub enum Problem {
    Empty {
        key: String,
    },
    IssuerSpace,
    Missing {
        key: String,
    },
    NameCharacter {
        character: String,
    },
    NameEmpty,
    NameEnds,
    NameTooLong,
    NoPath {
        key: String,
    },
    NoProvider,
    NotADuration {
        written: String,
    },
    NotATable {
        key: String,
    },
    NotAUrl {
        written: String,
        said: Option<String>,
    },
    NotAnIndicator {
        written: String,
    },
    NotSensible {
        key: String,
        written: String,
    },
    NotThisMachine {
        key: String,
    },
    NoUnit {
        key: String,
    },
    PlainHttp {
        host: String,
    },
    PortZero,
    ProfilesNotTables,
    ResourceNotText,
    TooManyProfiles {
        limit: String,
    },
    TwoKinds {
        key: String,
    },
    TwoPassphrases,
    UnknownKey {
        written: String,
    },
    UnknownPreset {
        written: String,
    },
    UnknownValue {
        written: String,
    },
    UnknownVault {
        written: String,
    },
    UrlCredentials,
    UrlIncomplete {
        written: String,
    },
    UrlQuery,
    UrlScheme {
        scheme: String,
    },
    WrongKind {
        key: String,
        kind: Kind,
    },
    WrongValue {
        key: String,
        written: String,
    },

    DiskSilent,
    DiskSlow,
    FileSlow,
    FolderOfAnother {
        folder: String,
    },
    FolderShared {
        folder: String,
    },
    HomeUnset,
    NoCertificate,
    NoReader,
    NotACertificate,
    NotAFile,
    NotAFolder {
        folder: String,
    },
    NotReadBack,
    NotUtf8,
    OwnedByOther,
    TooLarge,
    WritableByAll,
    WritableByGroup,

    JournalDamaged {
        said: String,
    },
    JournalDamagedMoved {
        aside: String,
        said: String,
    },
    JournalNewer,
    JournalNewerMoved {
        aside: String,
    },
    JournalNotAFileMoved {
        aside: String,
    },

    AnsweredElse,
    CannotListen {
        port: u16,
        said: String,
    },
    Ended,
    EndedAtOnce,
    HeaderForm,
    Held {
        pid: Option<u32>,
    },
    LockSilent,
    NoAnswer,
    NoDemoFolder,
    NoPassword,
    NotReady,
    NotUnderstood {
        said: String,
    },
    NotWrittenAs {
        written: String,
        form: String,
    },
    NoThread,
    NoUser,
    PassphrasesDiffer,
    PasswordNotText,
    PathNotText {
        option: String,
        file: String,
    },
    Said {
        said: String,
    },
    SaidOf {
        of: String,
        said: String,
    },
    SettingsFailed {
        said: String,
    },
    SocketOfAnother,
    WatchesAlready,
    WrongField,

    ByPassword,
    NoAddress {
        key: String,
    },
    NoClientSecret,
    NoCode,
    NoDescription {
        issuer: String,
    },
    NoEndpoint {
        endpoint: String,
    },
    NoKey,
    NonceAgain,
    NoPort {
        said: String,
    },
    NoPushEndpoint,
    NoRandomness {
        said: Option<String>,
    },
    NotAtBrowser,
    NotAwaited,
    NotByTyping,
    NotJson,
    NotOurs,
    NotWithCode,
    NotWithPassword,
    Repeated {
        parameter: String,
    },
    UnsafeAddress {
        key: String,
        address: String,
    },

    IdTokenAlgorithm,
    IdTokenAudience,
    IdTokenEarly,
    IdTokenExpired,
    IdTokenIssuer,
    IdTokenMissing {
        claim: String,
    },
    IdTokenNonce,
    IdTokenOfAnother,
    IdTokenSecret {
        algorithm: String,
    },
    IdTokenUnknown,
    IdTokenUnnamed {
        algorithm: String,
    },
    IdTokenUnreadable,
    IdTokenUnsigned,
    KeysAbsent,
    KeysOther,

    #[serde(untagged)]
    #[cfg_attr(test, ts(skip))]
    Recipe(Flaw),
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(tag = "hint", rename_all = "snake_case")]
pub enum Advice {
    AllowHttp,
    Between { least: String, most: String },
    ClientId,
    DidYouMean { meant: String },
    Duration,
    Indicator,
    IssuerAddress,
    IssuerOrToken,
    Known { known: String },
    LeaveOut,
    LeaveOutEither { either: String },
    LeaveOutPort,
    LeaveOutQuery,
    LeaveOutSpace,
    Loopback { known: String },
    Names,
    Presets { known: String },
    SignIn,
    Wanted { wanted: Kind },
    Write { example: String },
    WriteEither { example: String, other: String },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Array,
    Boolean,
    Condition,
    Datetime,
    Float,
    Integer,
    Lifetime,
    Place,
    Port,
    Status,
    String,
    Table,
}

impl Problem {
    pub fn said(words: impl Display) -> Self {
        Self::Said { said: words.to_string() }
    }

    pub fn said_of(of: impl Display, words: impl Display) -> Self {
        Self::SaidOf { of: of.to_string(), said: words.to_string() }
    }

    pub fn details(&self) -> BTreeMap<String, String> {
        details(self)
    }

    pub fn note(&self, line: Option<u32>) -> Note {
        let mut details = self.details();
        let problem = details.remove(PROBLEM).unwrap_or_default();
        Note::ConfigProblem { line, problem, details }
    }
}

impl Advice {
    pub fn details(&self) -> BTreeMap<String, String> {
        details(self)
    }
}

impl From<Flaw> for Problem {
    fn from(flaw: Flaw) -> Self {
        Self::Recipe(flaw)
    }
}

fn details(of: &impl Serialize) -> BTreeMap<String, String> {
    let Ok(Value::Object(values)) = serde_json::to_value(of) else { return BTreeMap::new() };
    let text = |value| match value {
        Value::Null => None,
        Value::String(text) => Some(text),
        Value::Array(_) | Value::Bool(_) | Value::Number(_) | Value::Object(_) => Some(value.to_string()),
    };
    values.into_iter().filter_map(|(name, value)| Some((name, text(value)?))).collect()
}

pub(crate) const PROBLEM: &str = "problem";

/// With their groups in the catalogues. The sentences of the last two contain the others.
pub(crate) const WORDS: [(&str, &str); 5] =
    [("kind", "kind"), ("wanted", "kind"), ("why", "why"), (PROBLEM, "problem"), ("hint", "hint")];
