//! The configuration file as people write it, mistakes included, and as the window edits it.

#[path = "config/bounds.rs"]
mod bounds;
#[path = "config/editing.rs"]
mod editing;
#[path = "config/mistakes.rs"]
mod mistakes;
#[path = "config/oauth.rs"]
mod oauth;
#[path = "config/recipes.rs"]
mod recipes;

use std::path::Path;
use std::time::Duration;

use api::words::{Language, Words};
use api::{Draft, VaultKind};
use keeper::config::{self, Config, Passphrase, Profile, Protocol, VaultSetting};
use session::recipe::{Recipe, Resource};

const FULL: &str = r#"# The keys of the office.
vault = "memory"

# Everything that there is.
[profile.work]
preset = "simplejwt"
url = "https://api.example.com/v2/"
heartbeat = "90s"
refresh_before = "2m"
assume_lifetime = "1h30m"
refresh_token_idle = "30d"
sign_in_lasts = "90d"
allow_http = true
ca_file = "corp.pem"
timeout = "250ms"
resources = ["/api/orders/", "POST /notes"]
sandbox = true
user = "mia"

[profile."two words"]   # the least that can be said
url = "http://127.0.0.1:9310/nestjs"
preset = "nestjs"
"#;

#[test]
fn everything_that_can_be_said_is_understood() {
    let config = read(FULL);
    assert_eq!(problems(&config), [""; 0]);
    assert_eq!(config.vault.kind, VaultKind::Memory);
    let names: Vec<_> = config.profiles.iter().map(|profile| profile.name.as_str()).collect();
    assert_eq!(names, ["work", "two words"]);

    let work = config.profile("work").unwrap();
    assert_eq!((work.preset.as_str(), work.url.as_str()), ("simplejwt", "https://api.example.com/v2"));
    assert_eq!(work.host(), "api.example.com");
    assert_eq!((work.heartbeat, work.timeout), (Duration::from_secs(90), Duration::from_millis(250)));
    assert_eq!(work.refresh_before, Some(Duration::from_secs(120)));
    assert_eq!(work.assume_lifetime, Duration::from_secs(5400));
    let days = |days: u64| Some(Duration::from_secs(days * 86_400));
    assert_eq!((work.refresh_token_idle, work.sign_in_lasts), (days(30), days(90)));
    assert!(work.allow_http && work.sandbox);
    assert_eq!(work.ca_file.as_deref(), Some(Path::new("/etc/pilotlight/corp.pem")));
    assert_eq!(work.resources, [resource("GET", "/api/orders/"), resource("POST", "/notes")]);
    assert_eq!(work.user.as_deref(), Some("mia"));

    let two = config.profile("two words").unwrap();
    assert_eq!(two.host(), "127.0.0.1:9310");
    assert_eq!((two.heartbeat, two.timeout), (Duration::from_secs(300), Duration::from_secs(30)));
    assert_eq!((two.refresh_before, two.assume_lifetime), (None, Duration::from_secs(3600)));
    assert_eq!((two.refresh_token_idle, two.sign_in_lasts), (None, None));
    assert!(!two.allow_http && !two.sandbox && two.user.is_none() && two.ca_file.is_none());
    assert_eq!(two.resources, [resource("GET", "/aaa"), resource("GET", "/bbb")]);
    let mut preset = Recipe::preset("nestjs").unwrap();
    preset.ask_a_resource(&two.resources);
    assert_eq!(*recipe(two), preset);
}

#[test]
fn an_empty_file_is_a_configuration_and_presets_bring_their_threshold() {
    let config = read("");
    assert!(config.profiles.is_empty() && config.mistakes.is_empty() && !config.unreadable);
    assert_eq!(config.vault.kind, VaultKind::Keyring);
    let config = read("profile.a = { preset = 'simplejwt', url = 'https://a.example' }");
    assert_eq!(config.profiles[0].refresh_before, Some(Duration::from_secs(300)));
    assert!(config.profiles[0].policy(7).probe);
    let config = read("profile.a = { preset = 'heartbeat', url = 'https://a.example' }");
    assert!(config.profiles[0].policy(7).probe);
}

#[test]
fn where_the_key_is_and_who_knows_the_passphrase_can_be_said() {
    for (text, kind, passphrase) in [
        ("", VaultKind::Keyring, Passphrase::Asked),
        ("vault = 'credential'", VaultKind::Credential, Passphrase::Asked),
        ("vault = 'passphrase'", VaultKind::Passphrase, Passphrase::Asked),
        (
            "passphrase_command = ['pass', 'show', 'a b']\nvault = 'passphrase'",
            VaultKind::Passphrase,
            Passphrase::Command(["pass", "show", "a b"].map(str::to_owned).to_vec()),
        ),
        (
            "vault = 'passphrase'\npassphrase_file = 'secret'",
            VaultKind::Passphrase,
            Passphrase::File("/etc/pilotlight/secret".into()),
        ),
        // It may be where the key was before.
        (
            "vault = 'keyring'\npassphrase_file = '/run/secret'",
            VaultKind::Keyring,
            Passphrase::File("/run/secret".into()),
        ),
    ] {
        let config = read(text);
        assert_eq!(problems(&config), [""; 0], "{text}");
        assert_eq!(config.vault, VaultSetting { kind, passphrase }, "{text}");
    }
}

/// What people copy works.
#[test]
fn the_examples_of_the_readme_are_understood() {
    let readme = include_str!("../README.md");
    let examples: Vec<&str> =
        readme.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert_eq!(examples.len(), 2);
    for example in examples {
        let config = read(example);
        assert_eq!(problems(&config), [""; 0], "{example}");
        assert_eq!(config.profiles.len(), 1);
    }
}

fn read(text: &str) -> Config {
    Config::read(text, Path::new("/etc/pilotlight/config.toml"))
}

fn problems(config: &Config) -> Vec<String> {
    let english = Words::of(Language::English);
    let tell = |mistake: &config::Mistake| {
        can_be_read_in_chinese(mistake);
        let line = mistake.line.map(|line| line.to_string()).unwrap_or_default();
        let problem = english.problem(&mistake.problem.details());
        let (_, next) = english.say(&mistake.failure());
        let hint = next.split("Correct it").next().unwrap_or_default().trim_end();
        let hint = if hint.is_empty() { String::new() } else { format!(" ({hint})") };
        format!("{line} {}: {problem}{hint}", mistake.field)
    };
    config.mistakes.iter().map(tell).collect()
}

/// No English stands in it but names, what is to be typed, and what others have said, in quotes.
fn can_be_read_in_chinese(mistake: &config::Mistake) {
    let (say, next) = Words::of(Language::Chinese).say(&mistake.failure());
    let whole = format!("{say} {next}");
    let own: String = whole.split('`').step_by(2).collect();
    let own: String = own.split('“').map(|part| part.split_once('”').map_or(part, |(_, own)| own)).collect();
    let is_letter = |c: char| c.is_ascii_alphabetic();
    let foreign = own.split(|c: char| !(c.is_ascii_alphanumeric() || "./-_".contains(c))).find(|word| {
        word.contains(is_letter)
            && !word.contains(['.', '/'])
            && !word.starts_with(|c: char| c.is_ascii_digit())
            && !["HTTP", "JSON", "URI", "http", "https"].contains(word)
    });
    assert_eq!(foreign, None, "{whole}");
}

fn draft(name: &str) -> Draft {
    Draft {
        profile: name.into(),
        oauth: None,
        preset: "flask".into(),
        url: "http://127.0.0.1:9310/flask/".into(),
        resources: vec!["/protected".into(), "POST /notes".into()],
        allow_http: false,
        ca_file: None,
        heartbeat_s: Some(90),
        sandbox: true,
    }
}

fn resource(method: &str, path: &str) -> Resource {
    Resource { method: method.into(), path: path.into() }
}

fn recipe(profile: &Profile) -> &Recipe {
    match &profile.protocol {
        Protocol::Recipe(recipe) => recipe,
        Protocol::Oauth(_) => panic!("{} is not a recipe", profile.name),
    }
}
