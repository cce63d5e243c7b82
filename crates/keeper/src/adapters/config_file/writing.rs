use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use api::{Code, Failure, Problem};

/// Replaces the file as a whole or not at all: a crash in the middle leaves the old one (row C8).
pub fn write(path: &Path, text: &str) -> Result<(), Failure> {
    replace(path, text).map_err(|error| {
        Failure::new(Code::ConfigUnwritable).with("path", path.display()).because(Problem::said(error))
    })
}

fn replace(path: &Path, text: &str) -> io::Result<()> {
    // If the path is a link, it stays one.
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let draft = draft_of(&path);
    let written = fill(&draft, text).and_then(|()| fs::rename(&draft, &path));
    if written.is_err() {
        drop(fs::remove_file(&draft));
    }
    written?;
    if let Err(error) = File::open(dir).and_then(|dir| dir.sync_all()) {
        tracing::warn!(%error, "a power cut may bring the old configuration back");
    }
    Ok(())
}

fn fill(draft: &Path, text: &str) -> io::Result<()> {
    // A process that has ended left it: the number in its name is ours now.
    if let Err(error) = fs::remove_file(draft)
        && error.kind() != io::ErrorKind::NotFound
    {
        return Err(error);
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(draft)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

fn draft_of(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.{}.new", std::process::id()))
}
