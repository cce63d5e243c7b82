//! The configuration: one TOML file that people and the window edit. A mistake in a profile affects no other.

mod edit;
mod hint;
mod merge;
mod oauth;
mod profile;
mod rules;
mod vault;

use std::path::{Path, PathBuf};
use std::time::Duration;

use session::binding::{Binding, Destination};
use session::bounds;
use session::limits;
use session::policy::Policy;
use session::recipe::{Recipe, Resource};
use toml_edit::{Document, Item};
use url::Url;

use api::{Advice, Code, Failure, Problem};

pub use edit::{add, remove};
pub(crate) use hint::nearest;
pub use oauth::{Endpoints, Oauth, Redirect, check_issuer};
pub(crate) use rules::host;
pub use rules::{check_name, check_url, is_loopback};
pub use session::oauth::probe::Probe;
pub use vault::{Passphrase, VaultSetting};

#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    pub vault: VaultSetting,
    pub profiles: Vec<Profile>,
    pub mistakes: Vec<Mistake>,
    /// The file is no TOML, no text, has too many profiles, or is writable by other users. An older configuration stays in
    /// use.
    pub unreadable: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Profile {
    pub name: String,
    /// The name of a preset, [`CUSTOM`], or [`OAUTH`].
    pub preset: String,
    /// Paths are appended to it. Its own has no `/` at the end, unless that is all of it.
    pub url: Url,
    pub protocol: Protocol,
    pub heartbeat: Duration,
    /// Before its expiry. When absent, computed from the lifetime.
    pub refresh_before: Option<Duration>,
    pub assume_lifetime: Duration,
    /// How long a sign-in lives without a refresh, and at all, where the profile knows it.
    pub refresh_token_idle: Option<Duration>,
    pub sign_in_lasts: Option<Duration>,
    pub timeout: Duration,
    pub allow_http: bool,
    pub ca_file: Option<PathBuf>,
    pub resources: Vec<Resource>,
    pub sandbox: bool,
    pub user: Option<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Protocol {
    Oauth(Box<Oauth>),
    Recipe(Box<Recipe>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    pub code: Code,
    pub path: PathBuf,
    /// Counted from 1.
    pub line: Option<u32>,
    pub profile: Option<String>,
    /// The key within the profile or the file, such as `recipe.refresh.path`, or empty.
    pub field: String,
    pub problem: Problem,
    pub hint: Option<Advice>,
    pub command: Option<String>,
}

pub const CUSTOM: &str = "custom";

pub const OAUTH: &str = "oauth";

impl Config {
    /// Relative paths in the text start at the directory of `path`.
    pub fn read(text: &str, path: &Path) -> Self {
        let document = match Document::parse(text) {
            Ok(document) => document,
            Err(error) => return Self::unreadable(Mistake::of_syntax(text, path, &error)),
        };
        let ends = hint::ends(text);
        let source = profile::Source { ends: &ends, path };
        let mut config = Self::empty();
        for (key, item) in document.iter() {
            match key {
                "profile" => config.read_profiles(source, item),
                key if vault::KEYS.contains(&key) => config.read_vault(source, key, item),
                _ => {
                    let span = document.as_table().key(key).and_then(toml_edit::Key::span);
                    let known: Vec<&str> = ["profile"].into_iter().chain(vault::KEYS).collect();
                    config.mistaken(|| source.mistake(span, None, key, hint::unknown_key(key, &known)));
                }
            }
        }
        config
    }

    pub(crate) fn of(text: Result<String, Box<Mistake>>, path: &Path) -> Self {
        match text {
            Ok(text) => Self::read(&text, path),
            Err(mistake) => Self::unreadable(*mistake),
        }
    }

    pub fn profile(&self, name: &str) -> Option<&Profile> {
        self.profiles.iter().find(|profile| profile.name == name)
    }

    fn read_vault(&mut self, source: profile::Source<'_>, key: &str, item: &Item) {
        if let Err(told) = self.vault.read(source, key, item) {
            self.mistaken(|| source.mistake(item.span(), None, key, told));
        }
    }

    fn read_profiles(&mut self, source: profile::Source<'_>, item: &Item) {
        let Some(profiles) = item.as_table_like() else {
            let told = (Problem::ProfilesNotTables, hint::write("[profile.NAME]"));
            self.mistaken(|| source.mistake(item.span(), None, "profile", told));
            return;
        };
        if let Some((name, _)) = profiles.iter().nth(bounds::PROFILES) {
            let span = profiles.key(name).and_then(toml_edit::Key::span);
            let told = (Problem::TooManyProfiles { limit: bounds::PROFILES.to_string() }, None);
            *self = Self::unreadable(source.mistake(span, None, "profile", told));
            return;
        }
        for (name, item) in profiles.iter() {
            let span = profiles.key(name).and_then(toml_edit::Key::span);
            match profile::read(source, name, span, item) {
                Ok(profile) => self.profiles.push(profile),
                Err(mistakes) => self.mistakes_of_one(mistakes),
            }
        }
    }

    /// One at least, or the profile would not seem to be in the file.
    fn mistakes_of_one(&mut self, mistakes: Vec<Mistake>) {
        let mut mistakes = mistakes.into_iter();
        self.mistakes.extend(mistakes.next());
        mistakes.for_each(|mistake| self.mistaken(|| mistake));
    }

    /// The first ones are enough to begin with. What is read does not depend on what is told.
    fn mistaken(&mut self, mistake: impl FnOnce() -> Mistake) {
        if self.mistakes.len() < bounds::MISTAKES {
            self.mistakes.push(mistake());
        }
    }

    pub(crate) fn empty() -> Self {
        Self { vault: VaultSetting::default(), profiles: Vec::new(), mistakes: Vec::new(), unreadable: false }
    }

    fn unreadable(mistake: Mistake) -> Self {
        Self { mistakes: vec![mistake], unreadable: true, ..Self::empty() }
    }
}

impl Profile {
    pub fn policy(&self, slot: u64) -> Policy {
        Policy {
            refresh_before: self.refresh_before,
            assume_lifetime: self.assume_lifetime,
            exchange: limits::exchange(self.timeout),
            heartbeat: self.heartbeat,
            refresh_token_idle: self.refresh_token_idle,
            sign_in_lasts: self.sign_in_lasts,
            probe: self.has_probe(),
            slot,
        }
    }

    /// An issuer is compared as a whole. Endpoints on its origin, or else on that of the token endpoint, belong to it.
    pub fn binding(&self) -> Binding {
        let api = (Destination::Api, self.url.origin().ascii_serialization());
        let Protocol::Oauth(oauth) = &self.protocol else {
            return Binding { client: None, origins: [api].into() };
        };
        let (address, endpoints) = (oauth.address(), &oauth.endpoints);
        let own = match &oauth.issuer {
            Some(issuer) => (Destination::Issuer, issuer.clone()),
            None => (Destination::Token, rules::origin(address)),
        };
        let by_hand = [
            (Destination::Introspection, &endpoints.introspection),
            (Destination::Revocation, &endpoints.revocation),
            (Destination::Token, &endpoints.token),
            (Destination::Userinfo, &endpoints.userinfo),
        ];
        let provider = rules::origin(address);
        let by_hand = by_hand
            .into_iter()
            .filter_map(|(place, url)| Some((place, rules::origin(url.as_deref()?))))
            .filter(|(_, origin)| *origin != provider);
        let origins = by_hand.chain([api, own]).collect();
        Binding { client: Some(oauth.client.id.clone()), origins }
    }

    /// The rule of older versions, which only knew the provider.
    pub fn origin(&self) -> String {
        match &self.protocol {
            Protocol::Oauth(oauth) => format!("{} ({})", oauth.address(), oauth.client.id),
            Protocol::Recipe(_) => self.url.origin().ascii_serialization(),
        }
    }

    /// Host, and the port if it is not the scheme's default.
    pub fn host(&self) -> String {
        match &self.protocol {
            Protocol::Oauth(oauth) => {
                Url::parse(oauth.address()).map(|url| rules::host(&url)).unwrap_or_default()
            }
            Protocol::Recipe(_) => rules::host(&self.url),
        }
    }

    fn has_probe(&self) -> bool {
        match &self.protocol {
            Protocol::Oauth(oauth) => oauth.probe != Some(Probe::None),
            Protocol::Recipe(recipe) => recipe.heartbeat.is_some(),
        }
    }
}

impl Mistake {
    pub fn failure(&self) -> Failure {
        let details = [
            ("command", self.command.clone()),
            ("field", Some(self.field.clone()).filter(|field| !field.is_empty())),
            ("line", self.line.map(|line| line.to_string())),
            ("path", Some(self.path.display().to_string()).filter(|path| !path.is_empty())),
        ];
        let failure = Failure { profile: self.profile.clone(), ..Failure::new(self.code) };
        let failure = failure.because(self.problem.clone()).hint(self.hint.clone());
        details
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)))
            .fold(failure, |failure, (name, value)| failure.with(name, value))
    }

    pub(crate) fn of_file(path: &Path, code: Code, problem: Problem) -> Self {
        let path = path.to_owned();
        Self {
            code,
            path,
            line: None,
            profile: None,
            field: String::new(),
            problem,
            hint: None,
            command: None,
        }
    }

    fn of_syntax(text: &str, path: &Path, error: &toml_edit::TomlError) -> Self {
        // The parser puts what it expected on separate lines.
        let said = error.message().trim().lines().map(str::trim).collect::<Vec<_>>().join(", ");
        let line = error.span().map(|span| hint::line(&hint::ends(text), span.start));
        Self { line, ..Self::of_file(path, Code::BadConfig, Problem::said(said)) }
    }
}
