//! The programs of other packages. Cargo builds them beside the tests, and says where only of the package's own.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// A program that stands beside this test, and is not older than what it is made of.
pub(crate) fn program(name: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let path = test.parent().and_then(Path::parent).unwrap().join(name);
    let built = changed(&path);
    let made_of = fs::read_to_string(path.with_extension("d")).unwrap_or_default();
    let newest = made_of.split_whitespace().skip(1).map(|source| changed(Path::new(source))).max();
    assert!(
        built.is_some() && newest.flatten() <= built,
        "{} is missing, or older than its source: run `cargo build --bins` first",
        path.display()
    );
    path
}

fn changed(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).and_then(|data| data.modified()).ok()
}
