//! Opening files that may have become something else.
//!
//! A FIFO in the place of a file holds up whoever opens it until somebody opens its other end, and a device does what
//! it likes. The files of a home are opened through here, where that is an error like any other.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use rustix::fs::OFlags;
use thiserror::Error;

use crate::api::{Code, Failure};

/// Opens an ordinary file, and never waits for anybody.
pub(crate) fn open(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    let flags = OFlags::NONBLOCK | OFlags::NOCTTY;
    match options.custom_flags(flags.bits().cast_signed()).open(path) {
        Ok(file) if file.metadata()?.is_file() => Ok(file),
        Ok(_) => Err(not_a_file()),
        // Some kinds cannot even be opened.
        Err(_) if is_something_else(path) => Err(not_a_file()),
        Err(error) => Err(error),
    }
}

/// Opens a file of this user's own to write at its end, and begins it where there is none.
pub(crate) fn append(path: &Path) -> io::Result<File> {
    let file = open(path, OpenOptions::new().append(true).create(true).mode(0o600))?;
    if file.metadata()?.permissions().mode() & 0o077 != 0 {
        file.set_permissions(Permissions::from_mode(0o600))?;
    }
    Ok(file)
}

/// Whether something is there that is no ordinary file.
pub(crate) fn is_something_else(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|data| !data.is_file())
}

/// What is told of something that is no file, and that is done without.
pub(crate) fn amiss(path: &Path) -> Option<Failure> {
    is_something_else(path).then(|| failure(path, &not_a_file()))
}

/// Tells one file from another that takes its place, for as long as somebody holds the first one open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileIdentity(u64, u64);

impl FileIdentity {
    pub(crate) fn of(file: &File) -> io::Result<Self> {
        file.metadata().map(|data| Self(data.dev(), data.ino()))
    }

    /// # Errors
    ///
    /// When nobody can say what is there.
    pub fn at(path: &Path) -> io::Result<Self> {
        fs::symlink_metadata(path).map(|data| Self(data.dev(), data.ino()))
    }

    /// Whether it is the file at `path`, through links. A disk that cannot tell is no reason to think otherwise.
    pub fn stands_at(self, path: &Path) -> bool {
        match fs::metadata(path) {
            Ok(data) => self == Self(data.dev(), data.ino()),
            Err(error) => !matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory),
        }
    }
}

/// What is told of a file without which the keeper cannot live.
pub(crate) fn failure(path: &Path, error: &io::Error) -> Failure {
    let failure = match error.get_ref() {
        Some(inner) if inner.is::<NotAFile>() => Failure::new(Code::NotAFile),
        _ => Failure::new(Code::HomeUnwritable).with("problem", error),
    };
    failure.with("path", path.display())
}

#[derive(Debug, Error)]
#[error("not an ordinary file")]
struct NotAFile;

fn not_a_file() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, NotAFile)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::net::UnixListener;
    use std::path::PathBuf;

    use rustix::fs::{CWD, FileType, Mode, mknodat};

    #[test]
    fn what_is_no_file_is_said_to_be_none_and_holds_up_nobody() {
        let dir = scratch("kinds");
        let fifo = dir.join("fifo");
        mknodat(CWD, &fifo, FileType::Fifo, Mode::from_raw_mode(0o600), 0).unwrap();
        let _socket = UnixListener::bind(dir.join("socket")).unwrap();
        std::os::unix::fs::symlink("/dev/null", dir.join("device")).unwrap();
        fs::create_dir(dir.join("directory")).unwrap();
        for name in ["fifo", "socket", "device", "directory"] {
            let path = dir.join(name);
            for error in [
                append(&path).unwrap_err(),
                open(&path, OpenOptions::new().read(true)).unwrap_err(),
                open(&path, OpenOptions::new().read(true).write(true)).unwrap_err(),
            ] {
                assert_eq!(failure(&path, &error).code, Code::NotAFile, "{name}: {error}");
            }
        }
    }

    #[test]
    fn a_file_is_known_until_another_takes_its_place() {
        let path = scratch("identity").join("file");
        let file = append(&path).unwrap();
        let identity = FileIdentity::of(&file).unwrap();
        assert!(identity.stands_at(&path));
        fs::remove_file(&path).unwrap();
        assert!(!identity.stands_at(&path));
        append(&path).unwrap();
        assert!(!identity.stands_at(&path));
        assert!(!identity.stands_at(&path.join("below")));
    }

    fn scratch(name: &str) -> PathBuf {
        let dir = std::env::temp_dir().join(format!("pilotlight-files-{}-{name}", std::process::id()));
        drop(fs::remove_dir_all(&dir));
        fs::create_dir_all(&dir).unwrap();
        dir
    }
}
