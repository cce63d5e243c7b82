//! One keeper per home: two would spend the same rotating refresh token. The file of [`Lock`] is never removed, because
//! it may be the next holder's. If a home is deleted, a [`Name`], which is in no directory, keeps other keepers out.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};
use thiserror::Error;

use api::{Code, Failure, Problem};
use os::files::{self, FileIdentity};

#[derive(Debug)]
pub struct Lock {
    _file: File,
    identity: FileIdentity,
    path: PathBuf,
}

impl Lock {
    /// A lock on a file that was deleted keeps nobody out: others lock the next file.
    pub fn stands(&self) -> bool {
        self.identity.stands_at(&self.path)
    }
}

#[derive(Debug, Error)]
pub enum NotLocked {
    /// The pid is absent while the holder is still writing it.
    #[error("another keeper is running{}", .pid.map(|pid| format!(" (pid {pid})")).unwrap_or_default())]
    Held { pid: Option<u32> },
    #[error("the lock file cannot be opened: {0}")]
    Unopenable(#[from] io::Error),
}

impl NotLocked {
    pub fn failure(&self, path: &Path) -> Failure {
        match self {
            Self::Held { pid } => Failure::new(Code::KeeperUnreachable)
                .because(Problem::Held { pid: *pid })
                .with("path", path.display()),
            Self::Unopenable(error) => Failure::file(path, error),
        }
    }
}

#[derive(Debug)]
pub struct Name {
    /// `None` if the system has no such names. The lock must suffice then.
    _name: Option<os::name::Claim>,
}

impl Name {
    /// `path` is that of the lock. Other machines, containers and users have names of their own.
    pub fn take(path: &Path) -> Result<Self, NotLocked> {
        let path = std::path::absolute(path)?;
        let within = os::name::file_systems();
        let user = os::user::real_id().to_string();
        let parts = [path.as_os_str(), within.as_os_str(), user.as_ref()];
        let digest = parts.iter().fold(Sha256::new(), |digest, part| {
            digest.chain_update(part.as_encoded_bytes()).chain_update([0])
        });
        let name =
            digest.finalize().iter().fold("pilotlight-".to_owned(), |name, byte| format!("{name}{byte:02x}"));
        match os::name::take(&name) {
            Ok(name) => Ok(Self { _name: Some(name) }),
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => Err(NotLocked::Held { pid: None }),
            Err(error) => {
                tracing::warn!(%error, "there is no name for the keeper of this home");
                Ok(Self { _name: None })
            }
        }
    }
}

pub fn acquire(path: &Path) -> Result<Lock, NotLocked> {
    loop {
        let mut file = open(path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(NotLocked::Held { pid: read_pid(&mut file) }),
            Err(TryLockError::Error(error)) => return Err(error.into()),
        }
        let identity = FileIdentity::of(&file)?;
        if identity.stands_at(path) {
            // The pid is for people, and a full disk must not keep a keeper from starting.
            if let Err(error) = write_pid(&mut file) {
                tracing::warn!(%error, "the lock file does not say whose it is");
            }
            return Ok(Lock { _file: file, identity, path: path.to_owned() });
        }
    }
}

/// Not truncated, because the content is the holder's. A file can be locked without being writable.
fn open(path: &Path) -> io::Result<File> {
    let whole = files::open(
        path,
        files::private(OpenOptions::new().read(true).write(true).create(true).truncate(false)),
    );
    match whole {
        Err(error) if error.kind() == io::ErrorKind::ReadOnlyFilesystem => {
            files::open(path, OpenOptions::new().read(true))
        }
        opened => opened,
    }
}

fn read_pid(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

fn write_pid(file: &mut File) -> io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    writeln!(file, "{}", std::process::id())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alone::alone;
    use std::env;
    use std::fs;
    use std::os::unix::fs::MetadataExt as _;
    use std::process::{Child, Stdio};
    use std::thread::sleep;
    use std::time::{Duration, Instant};

    #[test]
    fn a_second_one_learns_who_has_it() {
        let path = scratch("second");
        let first = acquire(&path).unwrap();
        assert_eq!(held_by(&path), Some(std::process::id()));
        drop(first);
        drop(acquire(&path).unwrap());
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
    }

    /// Row H1.
    #[test]
    fn a_name_is_of_one_home_and_outlives_its_lock() {
        let path = scratch("name");
        let name = Name::take(&path).unwrap();
        let _lock = acquire(&path).unwrap();
        fs::remove_file(&path).unwrap();
        assert!(matches!(Name::take(&path), Err(NotLocked::Held { .. })));
        Name::take(&scratch("another-name")).unwrap();
        drop(name);
        Name::take(&path).unwrap();
    }

    /// Row B10.
    #[test]
    fn what_a_holder_left_in_it_is_overwritten() {
        let path = scratch("left");
        fs::write(&path, "4294967295 and a long word\n").unwrap();
        let _lock = acquire(&path).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), format!("{}\n", std::process::id()));
    }

    /// Row B9.
    #[test]
    fn a_killed_holder_frees_it() {
        let path = scratch("killed");
        let mut holder = hold_in_another_process(&path);
        assert_eq!(held_by(&path), Some(holder.id()));

        holder.kill().unwrap();
        holder.wait().unwrap();
        drop(acquire(&path).unwrap());
    }

    #[test]
    fn a_directory_that_is_not_there_is_said_to_be_so() {
        let path = scratch("missing").join("no/keeper.lock");
        assert!(matches!(acquire(&path), Err(NotLocked::Unopenable(_))));
    }

    #[test]
    fn a_lock_file_that_was_deleted_keeps_out_nobody_and_its_holder_can_tell() {
        let path = scratch("deleted");
        let lock = acquire(&path).unwrap();
        assert!(lock.stands());
        fs::remove_file(&path).unwrap();
        assert!(!lock.stands());
        let next = acquire(&path).unwrap();
        assert!(!lock.stands() && next.stands());
    }

    #[test]
    fn what_is_no_file_is_told_and_not_waited_for() {
        let path = scratch("fifo");
        let mode = rustix::fs::Mode::from_raw_mode(0o600);
        rustix::fs::mknodat(rustix::fs::CWD, &path, rustix::fs::FileType::Fifo, mode, 0).unwrap();
        let refused = acquire(&path).unwrap_err();
        assert_eq!(refused.failure(&path).code, Code::NotAFile);
    }

    /// Not a test: the other process of [`a_killed_holder_frees_it`].
    #[test]
    fn holder() {
        if let Some(path) = env::var_os(HOLD) {
            let _lock = acquire(Path::new(&path)).unwrap();
            sleep(Duration::from_secs(60));
        }
    }

    fn hold_in_another_process(path: &Path) -> Child {
        let child = alone(module_path!(), "holder").env(HOLD, path).stdout(Stdio::null()).spawn().unwrap();
        let since = Instant::now();
        while fs::read_to_string(path).unwrap_or_default() != format!("{}\n", child.id()) {
            assert!(since.elapsed() < Duration::from_secs(10), "the holder does not hold");
            sleep(Duration::from_millis(5));
        }
        child
    }

    fn held_by(path: &Path) -> Option<u32> {
        match acquire(path) {
            Err(NotLocked::Held { pid }) => pid,
            Ok(_) | Err(NotLocked::Unopenable(_)) => None,
        }
    }

    fn scratch(name: &str) -> PathBuf {
        let dir = env::temp_dir().join(format!("pilotlight-lock-{}-{name}", std::process::id()));
        drop(fs::remove_dir_all(&dir));
        fs::create_dir_all(&dir).unwrap();
        dir.join("keeper.lock")
    }

    const HOLD: &str = "PILOTLIGHT_TEST_HOLD";
}
