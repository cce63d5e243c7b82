//! The architecture's bans, over what cargo would really build.

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

/// A server that shared our code would share our mistakes.
#[test]
fn the_sandbox_shares_nothing_with_what_it_tests() {
    let tree = tree("pilotlight-sandbox");
    for banned in ["pilotlight-keeper", "pilotlight-session", "reqwest"] {
        assert!(!names(&tree).any(|name| name == banned), "{banned}");
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
