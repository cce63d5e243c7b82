//! Small libraries in C that a keeper is started with: they stand between it and the system.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Makes the library of `tests/system/NAME.c` in `dir`, with the compiler that Rust links with.
pub(crate) fn library(name: &str, dir: &Path) -> PathBuf {
    let source = format!("{}/../../tests/system/{name}.c", env!("CARGO_MANIFEST_DIR"));
    let library = dir.join(format!("{name}.so"));
    let mut cc = Command::new("cc");
    cc.args(["-shared", "-fPIC", "-o"]).arg(&library).arg(source).arg("-ldl");
    assert!(cc.status().unwrap().success(), "Rust needs a C compiler too");
    library
}
