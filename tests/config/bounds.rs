//! How much of a file is read, and what becomes of the rest.

use api::{Draft, Problem};
use keeper::adapters::config_file;
use keeper::config;
use session::bounds;

use crate::read;

fn profiles(count: usize) -> String {
    let one = |n| format!("[profile.p{n}]\npreset = 'flask'\nurl = 'https://p{n}.example'\n");
    (0..count).map(one).collect()
}

/// Nobody is signed out by it: what was read before stays in use.
#[test]
fn a_file_with_too_many_profiles_is_not_read_at_all() {
    let full = read(&profiles(bounds::PROFILES));
    assert_eq!((full.profiles.len(), full.mistakes.len(), full.unreadable), (bounds::PROFILES, 0, false));
    let one_more = read(&profiles(bounds::PROFILES + 1));
    assert!(one_more.unreadable && one_more.profiles.is_empty(), "{:?}", one_more.mistakes);
    let limit = bounds::PROFILES.to_string();
    assert_eq!(one_more.mistakes[0].problem, Problem::TooManyProfiles { limit });
    assert_eq!(one_more.mistakes[0].line, Some(3001));
}

#[test]
fn a_profile_too_many_is_not_added() {
    let draft = |name: &str| Draft {
        profile: name.to_owned(),
        preset: "flask".to_owned(),
        url: "https://a.example".to_owned(),
        ..Draft::default()
    };
    let full = config::add(&profiles(bounds::PROFILES - 1), &draft("last")).unwrap();
    let failure = config::add(&full, &draft("more")).unwrap_err();
    assert_eq!(failure.details["problem"], "too_many_profiles");
}

#[test]
fn the_first_mistakes_are_told_and_what_is_right_is_read_all_the_same() {
    let count = |mistakes: usize| {
        let wrong: String = (0..mistakes).map(|n| format!("colour{n} = 1\n")).collect();
        let among = format!("[profile.wrong]\n{wrong}");
        for text in [format!("{wrong}{}", profiles(3)), format!("{}{among}", profiles(3))] {
            let config = read(&text);
            assert!(config.profiles.len() == 3 && !config.unreadable);
            assert!(config.mistakes.iter().all(|mistake| mistake.line.is_some()));
            assert!(config.mistakes.len() <= bounds::MISTAKES + 1);
        }
        read(&format!("{wrong}{}", profiles(3))).mistakes.len()
    };
    let most = bounds::MISTAKES;
    assert_eq!([count(most - 1), count(most), count(most + 1)], [most - 1, most, most]);
}

/// A profile of which nothing is told would not be in the file, and its session would end.
#[test]
fn every_profile_that_is_wrong_is_told_of_however_many_mistakes_there_are() {
    let wrong: String = (0..bounds::MISTAKES + 9).map(|n| format!("colour{n} = 1\n")).collect();
    let text = format!("{wrong}[profile.a]\n{wrong}[profile.b]\n{wrong}{}", profiles(1));
    let config = read(&text);
    for name in ["a", "b"] {
        assert!(config.mistakes.iter().any(|mistake| mistake.profile.as_deref() == Some(name)), "{name}");
    }
    assert_eq!((config.profiles.len(), config.mistakes.len()), (1, bounds::MISTAKES + 2));
}

#[test]
fn a_file_is_read_up_to_its_bound() {
    let path = std::env::temp_dir().join(format!("pilotlight-bounds-{}.toml", std::process::id()));
    let load = |length: usize| {
        let text = profiles(1);
        std::fs::write(&path, format!("{text}#{}", "x".repeat(length - text.len() - 1))).unwrap();
        config_file::load(&path)
    };
    let largest = load(bounds::CONFIGURATION);
    assert_eq!((largest.profiles.len(), largest.unreadable), (1, false));
    let larger = load(bounds::CONFIGURATION + 1);
    assert_eq!((&larger.mistakes[0].problem, larger.unreadable), (&Problem::TooLarge, true));
    std::fs::remove_file(path).unwrap();
}
