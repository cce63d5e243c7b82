//! The directories are found only here: two answers would be two keepers of one refresh token. `PILOTLIGHT_HOME` is
//! first, then XDG; without `XDG_RUNTIME_DIR` (cron, su) `/run/user/UID` or a private directory in `/tmp` is used.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf, absolute};

use os::files;

use crate::{Code, Failure, Problem};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Home {
    root: Option<PathBuf>,
    config: PathBuf,
    state: PathBuf,
    runtime: PathBuf,
    socket: PathBuf,
}

impl Home {
    pub fn from_env() -> Result<Self, Failure> {
        Self::find(
            &|name| env::var_os(name).filter(|value| !value.is_empty()),
            env::home_dir,
            os::user::id(),
            Path::new("/run/user"),
        )
    }

    pub fn at(dir: impl AsRef<Path>) -> Result<Self, Failure> {
        let runtime = |uid| runtime_dir(&|name| env::var_os(name), uid, Path::new("/run/user"));
        Self::under(dir.as_ref(), || runtime(os::user::id()))
    }

    /// Set if the directory was named, which a keeper that is started for it must know.
    pub fn root(&self) -> Option<&Path> {
        self.root.as_deref()
    }

    pub fn config(&self) -> PathBuf {
        self.config.join("config.toml")
    }

    pub fn journal(&self) -> PathBuf {
        self.state.join("journal.db")
    }

    /// The folder of the sealed sign-ins.
    pub fn vault(&self) -> PathBuf {
        self.state.join("vault")
    }

    pub fn log(&self) -> PathBuf {
        self.state.join("keeper.log")
    }

    /// In the state directory, because two logins may have different runtime directories and share one keyring.
    pub fn lock(&self) -> PathBuf {
        self.state.join("keeper.lock")
    }

    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// Distinguishes the keyring items of several homes. Empty for the default one.
    pub fn id(&self) -> String {
        self.root.as_deref().map(digest).unwrap_or_default()
    }

    /// Creates them for this user alone, and refuses those that other users can write to.
    pub fn prepare(&self) -> Result<(), Failure> {
        for dir in [&self.config, &self.state, &self.runtime] {
            make(dir)?;
        }
        guard(&self.runtime)?;
        match self.socket.parent() {
            Some(dir) if dir != self.runtime => make(dir).and_then(|()| guard(dir)),
            _ => Ok(()),
        }
    }

    fn find(
        var: &dyn Fn(&str) -> Option<OsString>,
        home: impl Fn() -> Option<PathBuf>,
        uid: u32,
        logins: &Path,
    ) -> Result<Self, Failure> {
        if let Some(dir) = var("PILOTLIGHT_HOME") {
            return Self::under(Path::new(&dir), || runtime_dir(var, uid, logins));
        }
        // XDG: relative paths are ignored.
        let xdg = |name, default: &str| match var(name).map(PathBuf::from).filter(|path| path.is_absolute()) {
            Some(path) => Ok(path.join("pilotlight")),
            None => home()
                .map(|home| home.join(default).join("pilotlight"))
                .ok_or_else(|| unusable(Problem::HomeUnset)),
        };
        let runtime = runtime_dir(var, uid, logins);
        Ok(Self {
            root: None,
            config: xdg("XDG_CONFIG_HOME", ".config")?,
            state: xdg("XDG_STATE_HOME", ".local/state")?,
            socket: socket_in(&runtime, &runtime, uid),
            runtime,
        })
    }

    fn under(dir: &Path, runtime: impl Fn() -> PathBuf) -> Result<Self, Failure> {
        let dir = absolute(dir).map_err(|error| failed(dir, &error))?;
        // Removes a trailing slash, or `a` and `a/` would be two homes.
        let dir: PathBuf = dir.components().collect();
        let uid = os::user::id();
        Ok(Self {
            socket: socket_in(&dir, &runtime(), uid),
            root: Some(dir.clone()),
            config: dir.clone(),
            state: dir.clone(),
            runtime: dir,
        })
    }
}

/// A path that is too long for a socket is replaced by a hash of `dir` in the runtime directory.
fn socket_in(dir: &Path, runtime: &Path, uid: u32) -> PathBuf {
    let hashed = format!("{}.sock", digest(dir));
    [dir.join("agent.sock"), runtime.join(&hashed)]
        .into_iter()
        .find(|path| path.as_os_str().len() <= LONGEST_SOCKET)
        .unwrap_or_else(|| private_tmp(uid).join(hashed))
}

fn runtime_dir(var: &dyn Fn(&str) -> Option<OsString>, uid: u32, logins: &Path) -> PathBuf {
    if let Some(dir) = var("XDG_RUNTIME_DIR").map(PathBuf::from).filter(|path| path.is_absolute()) {
        return dir.join("pilotlight");
    }
    let login = logins.join(uid.to_string());
    match fs::symlink_metadata(&login) {
        Ok(data) if data.is_dir() && data.uid() == uid => login.join("pilotlight"),
        _ => private_tmp(uid),
    }
}

/// Other users may create it first, which [`guard`] and the check of the peer's uid detect.
fn private_tmp(uid: u32) -> PathBuf {
    Path::new("/tmp").join(format!("pilotlight-{uid}"))
}

fn make(dir: &Path) -> Result<(), Failure> {
    files::make_private_folder(dir).map_err(|error| failed(dir, &error))
}

/// Must be ours, no link, and writable by no other user.
fn guard(dir: &Path) -> Result<(), Failure> {
    let data = fs::symlink_metadata(dir).map_err(|error| failed(dir, &error))?;
    let folder = dir.display().to_string();
    if !data.is_dir() {
        Err(unusable(Problem::NotAFolder { folder }))
    } else if data.uid() != os::user::id() {
        Err(unusable(Problem::FolderOfAnother { folder }))
    } else if files::is_shared(&data) {
        Err(unusable(Problem::FolderShared { folder }))
    } else {
        Ok(())
    }
}

/// FNV-1a, because the hasher of Rust may change between versions.
fn digest(path: &Path) -> String {
    let hash = path.as_os_str().as_bytes().iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("{hash:016x}")
}

fn failed(path: &Path, error: &io::Error) -> Failure {
    unusable(Problem::said_of(path.display(), error))
}

fn unusable(problem: Problem) -> Failure {
    Failure::new(Code::HomeUnwritable).because(problem)
}

/// `sun_path` has 108 bytes on Linux, including the zero at the end.
const LONGEST_SOCKET: usize = 107;

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    fn find(vars: &[(&str, &str)], logins: &Path) -> Home {
        let vars: BTreeMap<String, OsString> =
            vars.iter().map(|(name, value)| ((*name).to_owned(), OsString::from(value))).collect();
        let uid = os::user::id();
        Home::find(&|name| vars.get(name).cloned(), || Some("/home/mia".into()), uid, logins).unwrap()
    }

    const NOWHERE: &str = "/nowhere";

    #[test]
    fn one_directory_holds_everything_when_it_is_named() {
        let home = find(&[("PILOTLIGHT_HOME", "/srv/a/"), ("XDG_CONFIG_HOME", "/x")], Path::new(NOWHERE));
        assert_eq!(home.config(), Path::new("/srv/a/config.toml"));
        assert_eq!(home.journal(), Path::new("/srv/a/journal.db"));
        assert_eq!(home.log(), Path::new("/srv/a/keeper.log"));
        assert_eq!(home.lock(), Path::new("/srv/a/keeper.lock"));
        assert_eq!(home.socket(), Path::new("/srv/a/agent.sock"));
        assert_eq!(home.root(), Some(Path::new("/srv/a")));
    }

    #[test]
    fn xdg_directories_are_used_otherwise_and_relative_ones_ignored() {
        let home = find(
            &[("XDG_CONFIG_HOME", "/x"), ("XDG_STATE_HOME", "state"), ("XDG_RUNTIME_DIR", "/run/7")],
            Path::new(NOWHERE),
        );
        assert_eq!(home.config(), Path::new("/x/pilotlight/config.toml"));
        assert_eq!(home.journal(), Path::new("/home/mia/.local/state/pilotlight/journal.db"));
        assert_eq!(home.socket(), Path::new("/run/7/pilotlight/agent.sock"));
        assert_eq!(home.lock(), Path::new("/home/mia/.local/state/pilotlight/keeper.lock"));
    }

    #[test]
    fn without_a_runtime_directory_the_logins_own_is_found_before_tmp() {
        let uid = os::user::id();
        let tmp = Path::new("/tmp").join(format!("pilotlight-{uid}/agent.sock"));
        assert_eq!(find(&[], Path::new(NOWHERE)).socket(), tmp);

        let logins = scratch("logins");
        let own = logins.join(uid.to_string());
        symlink("/", &own).unwrap();
        assert_eq!(find(&[], &logins).socket(), tmp, "a link is nobody's login");
        fs::remove_file(&own).unwrap();
        fs::create_dir(&own).unwrap();
        assert_eq!(find(&[], &logins).socket(), own.join("pilotlight/agent.sock"));
    }

    #[test]
    fn a_socket_always_fits_its_address() {
        let long = format!("/srv/{}", "x".repeat(120));
        let home = find(&[("PILOTLIGHT_HOME", &long), ("XDG_RUNTIME_DIR", "/run/7")], Path::new(NOWHERE));
        assert_eq!(home.socket(), Path::new("/run/7/pilotlight").join(format!("{}.sock", home.id())));
        assert_eq!(home.lock(), Path::new(&long).join("keeper.lock"));

        let home = find(&[("PILOTLIGHT_HOME", &long), ("XDG_RUNTIME_DIR", &long)], Path::new(NOWHERE));
        assert!(home.socket().starts_with("/tmp") && home.socket().as_os_str().len() <= LONGEST_SOCKET);

        let exact = format!("/{}", "x".repeat(LONGEST_SOCKET - "//agent.sock".len()));
        let home = find(&[("PILOTLIGHT_HOME", &exact)], Path::new(NOWHERE));
        assert_eq!(home.socket(), Path::new(&exact).join("agent.sock"));
        let longer = format!("{exact}x");
        let home = find(&[("PILOTLIGHT_HOME", &longer)], Path::new(NOWHERE));
        assert!(!home.socket().starts_with(&longer), "{}", home.socket().display());
    }

    #[test]
    fn homes_are_told_apart_and_the_default_has_no_name() {
        let named = |dir| find(&[("PILOTLIGHT_HOME", dir)], Path::new(NOWHERE)).id();
        assert_eq!(find(&[], Path::new(NOWHERE)).id(), "");
        assert_eq!(named("/srv/a"), named("/srv/a/"));
        assert_ne!(named("/srv/a"), named("/srv/b"));
        assert_eq!(named("/srv/a"), "39aff565700eaeb7", "items in people's keyrings carry this");
    }

    /// Row B10: a lock on the data is in the way of whoever replaces it, and one in `/tmp` is every user's.
    #[test]
    fn b10_the_lock_is_a_file_of_its_own_among_this_users() {
        for vars in [&[][..], &[("PILOTLIGHT_HOME", "/srv/mia")], &[("XDG_RUNTIME_DIR", "/run/7")]] {
            let home = find(vars, Path::new(NOWHERE));
            let lock = home.lock();
            let data = [home.config(), home.journal(), home.log(), home.vault(), home.socket().to_owned()];
            assert!(
                data.iter().all(|other| !other.starts_with(&lock) && !lock.starts_with(other)),
                "{home:?}"
            );
            assert_eq!(
                lock.parent(),
                home.journal().parent(),
                "in a directory that is made for this user alone"
            );
            assert!(!lock.starts_with("/tmp"), "{home:?}");
        }
    }

    /// Row B10.
    #[test]
    fn directories_are_made_for_this_user_alone() {
        let dir = scratch("made").join("deep/home");
        Home::at(&dir).unwrap().prepare().unwrap();
        assert_eq!(fs::metadata(&dir).unwrap().mode() & 0o777, 0o700);
    }

    /// Row F7.
    #[test]
    fn a_directory_that_others_may_write_to_is_refused() {
        let dir = scratch("open");
        fs::set_permissions(&dir, fs::Permissions::from_mode(0o777)).unwrap();
        let refused = Home::at(&dir).unwrap().prepare().unwrap_err();
        assert_eq!(refused.details["problem"], "folder_shared");
        assert_eq!(refused.details["folder"], dir.display().to_string());

        let link = scratch("link").join("to");
        symlink(scratch("target"), &link).unwrap();
        assert_eq!(Home::at(&link).unwrap().prepare().unwrap_err().details["problem"], "not_a_folder");
    }

    fn scratch(name: &str) -> PathBuf {
        let dir = env::temp_dir().join(format!("pilotlight-paths-{}-{name}", std::process::id()));
        drop(fs::remove_dir_all(&dir));
        fs::create_dir_all(&dir).unwrap();
        fs::set_permissions(&dir, fs::Permissions::from_mode(0o700)).unwrap();
        dir
    }
}
