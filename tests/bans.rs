//! The architecture's bans, over what cargo would really build, and what the documents promise.

#[path = "bans/imports.rs"]
mod imports;
#[path = "bans/rows.rs"]
mod rows;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The process with the refresh tokens has no web view in it.
#[test]
fn the_keeper_knows_no_window() {
    let tree = tree("pilotlight-keeper");
    for banned in ["tauri", "wry", "tao", "gtk", "webkit2gtk", "gdk"] {
        assert!(
            !names(&tree).any(|name| name == banned || name.starts_with(&format!("{banned}-"))),
            "{banned}"
        );
    }
}

/// The process with the refresh tokens has no server of faults in it.
#[test]
fn the_keeper_knows_no_sandbox() {
    let tree = tree("pilotlight-keeper");
    for banned in ["pilotlight-sandbox", "pilotlight-client", "axum"] {
        assert!(!names(&tree).any(|name| name == banned), "{banned}");
    }
}

/// Row E7: the kernel's keys are forgotten with the machine's next start, and some libraries take them unasked.
#[test]
fn e7_no_store_is_linked_that_forgets() {
    let tree = tree("pilotlight-keeper");
    assert!(names(&tree).any(|name| name.starts_with("keyring")), "it would be among its stores");
    assert!(!names(&tree).any(|name| name.contains("keyutils")));
}

/// The file system of the tests is linked by the tests that are about it, and by nothing else.
#[test]
fn nothing_that_is_shipped_knows_a_file_system() {
    for package in ["pilotlight-keeper", "pilotlight-cli", "pilotlight-sandbox", "pilotlight-window"] {
        assert!(!names(&tree(package)).any(|name| name == "fuser"), "{package}");
    }
}

/// What everybody may depend on costs nobody anything.
#[test]
fn the_vocabulary_has_neither_http_nor_a_runtime() {
    for package in ["pilotlight-api", "pilotlight-client", "pilotlight-os"] {
        let tree = tree(package);
        for banned in ["tokio", "hyper", "reqwest", "rustls", "zbus", "rusqlite"] {
            assert!(!names(&tree).any(|name| name == banned), "{banned} in {package}");
        }
    }
}

/// What is the operating system's own stands in the crate that is there for it; the D-Bus is reached by two adapters,
/// and the terminal by the command alone.
#[test]
fn what_is_the_systems_own_is_in_one_place() {
    let elsewhere = [
        (
            "zbus",
            &[
                "adapters/hints.rs",
                "hints/daemon.rs",
                "hints/hint.rs",
                "hints/logind.rs",
                "keyring/bus.rs",
                "keyring/closed.rs",
                "keyring/prompt.rs",
                "keyring/service.rs",
                "keyring/signals.rs",
            ][..],
        ),
        ("rustix::", &["cli/src/login.rs", "cli/src/status.rs", "cli/src/terminal.rs"]),
        ("use nix::", &[]),
        ("os::linux", &[]),
        ("/proc/", &[]),
    ];
    for dir in ["api", "cli", "client", "keeper", "sandbox", "session", "../src-tauri"] {
        for (path, text) in all_sources(&root().join(format!("crates/{dir}/src"))) {
            let written = text.split("#[cfg(test)]").next().unwrap_or_default();
            for (word, allowed) in elsewhere {
                let is_used = written.lines().any(|line| line.contains(word) && !line.contains("=warn"));
                let may = allowed.iter().any(|end| path.ends_with(end));
                assert!(!is_used || may, "{word} in {}", path.display());
            }
        }
    }
}

/// A server that shared our code would share our mistakes.
#[test]
fn the_sandbox_shares_nothing_with_what_it_tests() {
    let tree = tree("pilotlight-sandbox");
    for banned in ["pilotlight-keeper", "reqwest"] {
        assert!(!names(&tree).any(|name| name == banned), "{banned}");
    }
    // Its program says what went wrong in the words of the others.
    for (path, text) in all_sources(&root().join("crates/sandbox/src")) {
        let shares = ["session::", "api::"].iter().any(|ours| text.contains(ours));
        assert!(!shares || path.ends_with("main.rs"), "{}", path.display());
    }
}

/// Data in, data out: nothing among these can read a clock, a socket or a random number on its own.
#[test]
fn the_core_has_hardly_any_dependencies() {
    let tree = tree("pilotlight-session");
    let allowed = [
        "pilotlight-session",
        "serde",
        "serde_core",
        "serde_derive",
        "serde_json",
        "zeroize",
        "zeroize_derive",
        // Texts and hashes for OAuth.
        "base64",
        "sha2",
        "block-buffer",
        "cfg-if",
        "cpufeatures",
        "crypto-common",
        "digest",
        "hybrid-array",
        // How `cpufeatures` asks an ARM processor what it can do.
        "libc",
        "typenum",
        // Dates and spans, as providers write them.
        "jiff",
        "jiff-core",
        "itoa",
        "memchr",
        "zmij",
        "ryu",
        "proc-macro2",
        "quote",
        "syn",
        "unicode-ident",
    ];
    for name in names(&tree) {
        assert!(allowed.contains(&name), "{name} has come into the core");
    }
}

/// The compiler holds the core to it, as long as these two lines stand.
#[test]
fn the_core_is_no_std() {
    let source = include_str!("../crates/session/src/lib.rs");
    assert!(source.contains(r#"#![cfg_attr(not(feature = "ts"), no_std)]"#));
    let manifest = include_str!("../crates/session/Cargo.toml");
    assert!(!manifest.contains("default = "), "the ts feature must not become a default");
}

/// Data flows one way: no file imports one that imports it, over however many others.
#[test]
fn no_two_files_import_each_other() {
    for dir in ["api", "cli", "client", "keeper", "os", "sandbox", "session", "../src-tauri"] {
        let src = root().join(format!("crates/{dir}/src"));
        let imports = imports::imports(&src, &all_sources(&src));
        assert!(
            imports.values().any(|imported| !imported.is_empty()) || dir == "os",
            "{dir}: nothing was read"
        );
        assert_eq!(imports::circle(&imports), None, "{dir}");
    }
}

/// One word for one thing, and one thing for one word.
#[test]
fn no_two_public_types_have_one_name() {
    let mut seen = BTreeMap::<String, PathBuf>::new();
    for (path, text) in all_sources(&root().join("crates")) {
        if !path.components().any(|part| part.as_os_str() == "src") {
            continue;
        }
        for line in text.lines() {
            let mut words = line.split_whitespace();
            let is_type = words.next() == Some("pub")
                && words.next().is_some_and(|kind| ["enum", "struct", "trait", "type"].contains(&kind));
            let Some(word) = words.next().filter(|_| is_type) else { continue };
            let name: String = word.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            if let Some(other) = seen.insert(name.clone(), path.clone()) {
                panic!("{name} is public in {} and in {}", other.display(), path.display());
            }
        }
    }
}

/// A limit that stands elsewhere is in nobody's order. The sandbox has its own, and so has what only moves pictures.
#[test]
fn every_limit_of_time_is_in_one_place() {
    let home = ["limits.rs", "demo.rs"];
    for dir in ["api", "cli", "client", "keeper", "os", "session", "../src-tauri"] {
        let dir = format!("crates/{dir}/src");
        for (path, text) in all_sources(&root().join(dir)) {
            if home.iter().any(|name| path.ends_with(name)) || path.ends_with("tests.rs") {
                continue;
            }
            let written = text.split("#[cfg(test)]").next().unwrap_or_default();
            for (number, line) in written.lines().enumerate() {
                let constant = line.contains("const ") && line.contains(": Duration =");
                assert!(!constant, "{}:{}: {line}", path.display(), number + 1);
            }
        }
    }
}

/// A bound that is changed is changed in the document as well, and none is left out of either.
#[test]
fn the_bounds_in_the_document_are_those_of_the_code() {
    use session::{bounds, limits};

    let text = std::fs::read_to_string(root().join("SECURITY.md")).unwrap();
    let table = text.split("## Bounds").nth(1).and_then(|rest| rest.split("\n## ").next()).unwrap();
    let rows: Vec<Vec<&str>> =
        table.lines().filter(|line| line.starts_with("| ")).map(|line| line.split(" | ").collect()).collect();
    let mib = |bytes: usize| format!("{} MiB", bytes >> 20);
    let seconds = |time: std::time::Duration| format!("{} s", time.as_secs());
    let most = [
        ("a connection to a server", seconds(limits::CONNECT)),
        ("a message with its answer", seconds(limits::MESSAGE)),
        ("header lines of an answer", bounds::HEADERS.to_string()),
        ("an answer about tokens", mib(bounds::TOKEN_ANSWER)),
        ("the answer of a resource", mib(bounds::ANSWER)),
        ("such answers in memory, beyond 1 MiB", mib(bounds::ANSWERS_IN_MEMORY)),
        ("redirects", bounds::REDIRECTS.to_string()),
        ("requests to resources of one origin", bounds::OF_ONE_ORIGIN.to_string()),
        ("idle connections", bounds::IDLE.to_string()),
        ("a file of certificates", mib(bounds::CERTIFICATES)),
        ("connections to the socket", bounds::CONNECTIONS.to_string()),
        ("a line at the socket", mib(bounds::FRAME)),
        ("questions of one connection", bounds::QUESTIONS.to_string()),
        ("questions of machines", bounds::OF_MACHINES.to_string()),
        ("questions of people", bounds::OF_PEOPLE.to_string()),
        ("a large answer that is not read", seconds(limits::UNREAD)),
    ];
    for (what, value) in most {
        let row = rows.iter().find(|row| row[0].trim_start_matches("| ").starts_with(what));
        let said = row.unwrap_or_else(|| panic!("no row for {what}"))[1];
        assert!(said == value || said.starts_with(&format!("{value},")), "{what}: {said} is not {value}");
    }
    assert_eq!((bounds::QUICK, mib(bounds::SMALL_ANSWER)), (bounds::OF_PEOPLE, "1 MiB".to_owned()));
}

/// A promise with a test behind it is one only as long as the test is there.
#[test]
fn the_tests_that_the_documents_name_are_there() {
    let mut sources = String::new();
    for dir in ["crates", "tests", "src-tauri/src", "ui/test"] {
        read_all(&root().join(dir), &mut sources);
    }
    for document in ["SECURITY.md", "ARCHITECTURE.md", "docs/reliability.md"] {
        let text = std::fs::read_to_string(root().join(document)).expect("the document can be read");
        let last_columns = text.lines().filter(|line| line.starts_with('|') && line.ends_with('|'));
        for cell in last_columns.filter_map(|line| line.trim_end_matches('|').rsplit('|').next()) {
            let names = cell.split('`').skip(1).step_by(2).filter(|name| is_test_name(name));
            for name in names {
                assert!(sources.contains(&format!("fn {name}(")), "{document} names {name}");
            }
            for title in cell.split('“').skip(1).filter_map(|rest| rest.split('”').next()) {
                assert!(
                    sources.contains(title) || text.contains(&format!("## {title}")),
                    "{document}: {title}"
                );
            }
        }
    }
}

/// A sentence; the words of the protocols are shorter.
fn is_test_name(text: &str) -> bool {
    text.matches('_').count() > 2
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_' || byte.is_ascii_digit())
}

fn read_all(dir: &Path, into: &mut String) {
    into.extend(all_sources(dir).into_iter().map(|(_, text)| text));
}

fn all_sources(dir: &Path) -> Vec<(PathBuf, String)> {
    let mut sources = Vec::new();
    for entry in std::fs::read_dir(dir).expect("the folder is there").flatten() {
        let path = entry.path();
        if path.is_dir() {
            let built = ["node_modules", ".venv", ".tools"].iter().any(|built| entry.file_name() == *built);
            if !built {
                sources.extend(all_sources(&path));
            }
        } else if path
            .extension()
            .is_some_and(|kind| ["rs", "mjs", "ts", "tsx"].iter().any(|ours| kind == *ours))
        {
            let text = std::fs::read_to_string(&path).unwrap_or_default();
            sources.push((path, text));
        }
    }
    sources
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn tree(package: &str) -> String {
    let output = Command::new(env!("CARGO"))
        .args([
            "tree",
            "--offline",
            "--edges",
            "normal",
            "--prefix",
            "none",
            "--format",
            "{p}",
            "--package",
            package,
        ])
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("names of packages are text")
}

fn names(tree: &str) -> impl Iterator<Item = &str> {
    tree.lines().filter_map(|line| line.split_whitespace().next())
}
