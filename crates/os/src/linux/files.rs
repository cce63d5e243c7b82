//! Opening files that may have become something else. A FIFO would block until its other end is opened, and a device
//! may do anything, so both are errors here.

use std::error::Error;
use std::fmt;
use std::fs::{self, File, Metadata, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{
    DirBuilderExt as _, FileExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _,
};
use std::path::Path;

use rustix::fs::{CWD, FallocateFlags, OFlags, RenameFlags, fallocate, renameat_with};
use rustix::io::Errno;

/// Opens an ordinary file without blocking. Fails as the system says, or so that [`is_of_no_file`] holds.
pub fn open(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    let flags = OFlags::NONBLOCK | OFlags::NOCTTY;
    match options.custom_flags(flags.bits().cast_signed()).open(path) {
        Ok(file) if file.metadata()?.is_file() => Ok(file),
        Ok(_) => Err(not_a_file()),
        // Some kinds cannot even be opened.
        Err(_) if is_something_else(path) => Err(not_a_file()),
        Err(error) => Err(error),
    }
}

/// Opens a file of this user alone to write at its end, and creates it where it is missing. Fails as [`open`].
pub fn append(path: &Path) -> io::Result<File> {
    let file = open(path, private(OpenOptions::new().append(true).create(true)))?;
    if file.metadata()?.permissions().mode() & 0o077 != 0 {
        file.set_permissions(Permissions::from_mode(0o600))?;
    }
    Ok(file)
}

/// It only counts where the file is created.
pub fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    options.mode(0o600)
}

pub fn make_private_folder(path: &Path) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

pub fn make_private(path: &Path) -> io::Result<()> {
    fs::set_permissions(path, Permissions::from_mode(0o600))
}

/// Others than its owner may write to it.
pub fn is_shared(data: &Metadata) -> bool {
    data.mode() & 0o022 != 0
}

pub fn is_something_else(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|data| !data.is_file())
}

pub fn is_program(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
}

/// Lets two files change places, so that neither name is ever without one. Returns whether this file system can; where
/// it cannot, nothing has happened.
pub fn exchange(one: &Path, other: &Path) -> io::Result<bool> {
    match renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE) {
        Ok(()) => Ok(true),
        Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Takes so many bytes of the disk for the file, whose length stays what it is where the file system can do that.
pub fn allocate(file: &File, bytes: u64) -> io::Result<()> {
    match fallocate(file, FallocateFlags::KEEP_SIZE, 0, bytes) {
        Err(Errno::NOSYS | Errno::OPNOTSUPP) => write_zeros(file, bytes),
        done => Ok(done?),
    }
}

fn write_zeros(file: &File, bytes: u64) -> io::Result<()> {
    let zeros = vec![0; usize::try_from(bytes).map_err(io::Error::other)?];
    file.write_all_at(&zeros, 0)
}

/// Renames in it are on the disk afterwards.
pub fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// Tells one file from another that takes its place. It holds while the file is open: its number is used again later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileIdentity(u64, u64);

impl FileIdentity {
    pub fn of(file: &File) -> io::Result<Self> {
        file.metadata().map(|data| Self(data.dev(), data.ino()))
    }

    /// Of a link, it is the link itself.
    pub fn at(path: &Path) -> io::Result<Self> {
        fs::symlink_metadata(path).map(|data| Self(data.dev(), data.ino()))
    }

    /// Follows links. Where the disk cannot tell, it is the file.
    pub fn stands_at(self, path: &Path) -> bool {
        match fs::metadata(path) {
            Ok(data) => self == Self(data.dev(), data.ino()),
            Err(error) => !matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory),
        }
    }
}

pub fn is_of_no_file(error: &io::Error) -> bool {
    error.get_ref().is_some_and(|inner| inner.is::<NotAFile>())
}

pub fn not_a_file() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, NotAFile)
}

#[derive(Debug)]
struct NotAFile;

impl fmt::Display for NotAFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not an ordinary file")
    }
}

impl Error for NotAFile {}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::net::UnixListener;
    use std::path::PathBuf;

    use rustix::fs::{FileType, Mode, mknodat};

    /// Row H6.
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
                assert!(is_of_no_file(&error), "{name}: {error}");
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

    #[test]
    fn two_files_change_places_and_keep_what_they_have() {
        let dir = scratch("exchange");
        let (one, other) = (dir.join("one"), dir.join("other"));
        fs::write(&one, "1").unwrap();
        assert_eq!(exchange(&one, &other).unwrap_err().kind(), io::ErrorKind::NotFound);
        let file = append(&other).unwrap();
        allocate(&file, 8192).unwrap();
        assert_eq!(file.metadata().unwrap().blocks() * 512, 8192);
        assert!(exchange(&one, &other).unwrap());
        assert_eq!((fs::read(&other).unwrap(), fs::metadata(&one).unwrap().len()), (b"1".to_vec(), 0));
        sync_folder(&dir).unwrap();
    }

    fn scratch(name: &str) -> PathBuf {
        let dir = std::env::temp_dir().join(format!("pilotlight-files-{}-{name}", std::process::id()));
        drop(fs::remove_dir_all(&dir));
        fs::create_dir_all(&dir).unwrap();
        dir
    }
}
