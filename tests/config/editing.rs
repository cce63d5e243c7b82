//! What the window adds and removes, and how the file is written.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::PathBuf;
use std::time::Duration;

use api::{Code, Draft};
use keeper::adapters::config_file;
use keeper::config;

use crate::{FULL, draft, read};

/// Row B18.
#[test]
fn a_profile_is_added_and_removed_and_the_rest_stays_as_it_was() {
    let added = config::add(FULL, &draft("new one")).unwrap();
    let lines = "\n[profile.\"new one\"]\npreset = \"flask\"\nurl = \"http://127.0.0.1:9310/flask\"\n\
                 heartbeat = \"1m30s\"\nsandbox = true\nresources = [\"/protected\", \"POST /notes\"]\n";
    assert_eq!(added, format!("{FULL}{lines}"));
    assert_eq!(config::remove(&added, "new one").unwrap(), FULL);
    let profile = read(&added).profile("new one").unwrap().clone();
    assert_eq!((profile.heartbeat, profile.resources.len()), (Duration::from_secs(90), 2));

    let bare = Draft { url: " https://a.example/ ".into(), ..draft("bare") };
    assert!(config::add(FULL, &bare).unwrap().contains("\nurl = \"https://a.example\"\n"));

    let without = config::remove(FULL, "work").unwrap();
    assert!(without.starts_with("# The keys of the office.\nvault = \"memory\"\n"), "{without}");
    assert!(!without.contains("Everything") && without.contains("# the least that can be said"), "{without}");
    assert_eq!(read(&without).profiles.len(), 1);
    let none = config::remove(&without, "two words").unwrap();
    assert!(read(&none).profiles.is_empty() && none.contains("# The keys of the office."), "{none}");

    for text in ["", "profile = { a = { preset = 'flask', url = 'https://a.example' } }\n", "[profile]\n"] {
        let added = config::add(text, &draft("b")).unwrap();
        assert!(read(&added).profile("b").is_some(), "{added}");
        assert_eq!(read(&config::remove(&added, "b").unwrap()), read(text), "{added}");
    }
}

/// What stands above the first profile is about the file, and stays; so do the parts of others.
#[test]
fn comments_of_the_file_outlive_its_first_profile() {
    let a = "[profile.a]\npreset = 'flask'\nurl = 'https://a.example'\n\n[profile.a.recipe.refresh]\npath = '/r'\n";
    let b = "# Mine.\n[profile.b]\npreset = 'flask'\nurl = 'https://b.example'\n";
    let text = format!("# Do not delete!\n\n# Theirs.\n{a}\n{b}");
    assert_eq!(config::remove(&text, "a").unwrap(), format!("# Do not delete!\n\n{b}"));
    assert_eq!(config::remove(&text, "b").unwrap(), format!("# Do not delete!\n\n# Theirs.\n{a}"));
    let alone = format!("# Do not delete!\n\n# Theirs.\n{a}");
    assert_eq!(config::remove(&alone, "a").unwrap(), "# Do not delete!\n");
    // The next table of the file need not be the next profile.
    let text = format!("# Do not delete!\n\n{a}\n[other]\nx = 1\n\n{b}");
    assert_eq!(config::remove(&text, "a").unwrap(), format!("# Do not delete!\n\n[other]\nx = 1\n\n{b}"));
}

/// Some editors write one, and know by it how to read the file.
#[test]
fn a_byte_order_mark_outlives_an_edit() {
    let marked = format!("\u{feff}{FULL}");
    let added = config::add(&marked, &draft("new one")).unwrap();
    assert!(added.starts_with(&marked), "{added}");
    assert_eq!(config::remove(&added, "new one").unwrap(), marked);
}

#[test]
fn what_cannot_be_added_or_removed_is_refused() {
    let good = draft("new");
    for (draft, code) in [
        (Draft { profile: "work".into(), ..good.clone() }, Code::AlreadyExists),
        (Draft { profile: "a/b".into(), ..good.clone() }, Code::BadProfile),
        (Draft { preset: "flsk".into(), ..good.clone() }, Code::BadRequest),
        (Draft { url: "example.com".into(), ..good.clone() }, Code::BadUrl),
        (Draft { url: "https://mia:s3cret@example.com".into(), ..good.clone() }, Code::BadUrl),
        (Draft { url: "http://example.com".into(), ..good.clone() }, Code::PlainHttp),
        (Draft { resources: vec!["orders".into()], ..good.clone() }, Code::BadPath),
        (Draft { heartbeat_s: Some(0), ..good.clone() }, Code::BadRequest),
    ] {
        let failure = config::add(FULL, &draft).unwrap_err();
        assert_eq!(failure.code, code, "{failure:?}");
        assert!(!format!("{failure:?}").contains("s3cret"));
    }
    let lenient = Draft { url: "http://example.com".into(), allow_http: true, ..good.clone() };
    assert!(config::add(FULL, &lenient).unwrap().contains("allow_http = true"));
    assert_eq!(config::remove(FULL, "new").unwrap_err().code, Code::UnknownProfile);
    for broken in ["x =", "[profile.a]\n[profile.a]"] {
        assert_eq!(config::add(broken, &good).unwrap_err().code, Code::BadConfig);
        assert_eq!(config::remove(broken, "a").unwrap_err().code, Code::BadConfig);
    }
    assert_eq!(config::add("profile = 7", &good).unwrap_err().code, Code::BadConfig);
}

/// Row C8.
#[test]
fn the_file_is_replaced_as_a_whole_and_is_nobody_elses() {
    let dir = scratch("write");
    let path = dir.join("config.toml");
    assert_eq!(config_file::load(&path), read(""));
    config_file::write(&path, FULL).unwrap();
    config_file::write(&path, "vault = 'memory'\n").unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "vault = 'memory'\n");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);

    // Some keep their configuration under version control, and link to it.
    let link = dir.join("link.toml");
    symlink(&path, &link).unwrap();
    config_file::write(&link, FULL).unwrap();
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(config_file::load(&path).profiles.len(), 2);
    assert_eq!(fs::read_dir(&dir).unwrap().count(), 2, "no draft is left behind");

    let nowhere = config_file::write(&dir.join("missing/config.toml"), FULL).unwrap_err();
    assert_eq!(nowhere.code, Code::ConfigUnwritable);
    fs::write(&path, b"\xff\xfe").unwrap();
    assert!(config_file::load(&path).unreadable);
    assert!(config_file::load(&dir).unreadable);
}

fn scratch(name: &str) -> PathBuf {
    let dir = std::env::temp_dir().join(format!("pilotlight-config-{}-{name}", std::process::id()));
    drop(fs::remove_dir_all(&dir));
    fs::create_dir_all(&dir).expect("the temporary directory is writable");
    dir
}
