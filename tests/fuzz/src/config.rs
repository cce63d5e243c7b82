//! The configuration as a text, and edits of it.

use std::collections::BTreeSet;
use std::path::Path;

use api::Draft;
use session::{bounds, limits};

use crate::CANARY;
use crate::input::{assert_silent, text};
use crate::keeper::config::{Config, Profile, add, check_name, remove};

pub fn hold(input: &[u8]) {
    let text = text(input);
    let config = read(&text);
    assert_eq!(config, read(&text), "the same text says the same");
    told(&text, &config);
    config.profiles.iter().for_each(sound);
    let names: BTreeSet<_> = config.profiles.iter().map(|profile| &profile.name).collect();
    assert_eq!(names.len(), config.profiles.len());
    assert!(config.profiles.len() <= bounds::PROFILES);
    if keeps_its_secret(&text) {
        assert_silent(&config);
    }
    removed(&text, &config);
    added(&text, &config);
}

fn told(text: &str, config: &Config) {
    let lines = text.matches('\n').count() + 1;
    assert!(config.mistakes.len() <= bounds::MISTAKES + bounds::PROFILES);
    for mistake in &config.mistakes {
        let line = mistake.line.and_then(|line| usize::try_from(line).ok());
        assert!(line.is_none_or(|line| (1..=lines).contains(&line)), "{mistake:?} of {lines} lines");
        let failure = mistake.failure();
        assert!(failure.details.contains_key("problem"), "{failure:?}");
        if let Some(name) = &mistake.profile {
            assert!(config.profile(name).is_none(), "a profile that is wrong is not used");
        }
    }
    assert!(!config.unreadable || (config.profiles.is_empty() && !config.mistakes.is_empty()));
}

fn sound(profile: &Profile) {
    assert!(check_name(&profile.name).is_ok());
    assert!((limits::MESSAGE_SHORTEST..=limits::LONGEST_MESSAGE).contains(&profile.timeout));
    assert!((limits::EVERY_SHORTEST..=limits::LIFETIME_LONGEST).contains(&profile.heartbeat));
    assert!((limits::EVERY_SHORTEST..=limits::LIFETIME_LONGEST).contains(&profile.assume_lifetime));
    assert!(profile.url.username().is_empty() && profile.url.password().is_none());
    assert!(profile.url.scheme() == "https" || profile.allow_http || profile.url.host().is_some());
    assert!(!profile.origin().is_empty() && !profile.binding().origins.is_empty(), "it is bound to a place");
}

/// The secret stands where a client's does, and nowhere else.
fn keeps_its_secret(text: &str) -> bool {
    let place = format!("client_secret = \"{CANARY}\"\n");
    text.contains(&place)
        && !text.replace(&place, "").contains(CANARY)
        && !text.contains("'''")
        && !text.contains("\"\"\"")
}

/// One profile less, and every other as it was.
fn removed(text: &str, config: &Config) {
    for profile in &config.profiles {
        let Ok(edited) = remove(text, &profile.name) else { panic!("{} is not removed", profile.name) };
        let left = read(&edited);
        let others: Vec<_> = config.profiles.iter().filter(|other| other.name != profile.name).collect();
        assert_eq!(left.profiles.iter().collect::<Vec<_>>(), others, "{edited}");
        assert_eq!((left.vault, left.unreadable), (config.vault.clone(), false));
        assert!(is_among(&edited, text), "a line is not as it was: {edited}");
    }
    if config.profile(NAME).is_none() {
        assert!(remove(text, "no such profile").is_err());
    }
}

/// One profile more, and the rest as it was, byte for byte.
fn added(text: &str, config: &Config) {
    let draft = Draft {
        profile: NAME.to_owned(),
        preset: "flask".to_owned(),
        url: "https://added.example".to_owned(),
        ..Draft::default()
    };
    let Ok(edited) = add(text, &draft) else { return };
    let more = read(&edited);
    let is_new = more.profile(NAME).is_some_and(|profile| profile.url.as_str() == "https://added.example/");
    assert!(is_new && config.profile(NAME).is_none());
    let others: Vec<_> = more.profiles.iter().filter(|profile| profile.name != NAME).collect();
    assert_eq!(others, config.profiles.iter().collect::<Vec<_>>(), "{edited}");
    if has_tables(text) {
        assert!(is_among(text, &edited), "a line is not as it was: {edited}");
        let Ok(back) = remove(&edited, NAME) else { panic!("what was added cannot be removed") };
        assert!(is_among(text, &back), "a line is lost: {back}");
    }
}

/// All lines of one text are in the other, in their order, and a byte order mark before them.
fn is_among(fewer: &str, more: &str) -> bool {
    let is_marked = |text: &str| text.starts_with(MARK);
    assert_eq!(is_marked(fewer), is_marked(more), "who reads the file by its mark reads it otherwise");
    let [fewer, more] = [fewer, more].map(|text| text.trim_start_matches(MARK));
    let mut lines = more.lines().map(str::trim_end);
    fewer
        .lines()
        .map(str::trim_end)
        .filter(|line| !line.is_empty())
        .all(|line| lines.any(|other| other == line))
}

/// Profiles in one line share it with what is added.
fn has_tables(text: &str) -> bool {
    let is_inline = |line: &str| line.trim_start().trim_start_matches(['"', '\'']).starts_with("profile");
    !text.lines().any(is_inline)
}

fn read(text: &str) -> Config {
    Config::read(text, Path::new("/etc/pilotlight/config.toml"))
}

const NAME: &str = "added here";

const MARK: char = '\u{feff}';
