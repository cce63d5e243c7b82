//! Where the passphrase or the credential comes from, when no person has to be asked by us.

use std::env;
use std::fs::{self, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use os::files;
use session::custody::Custody;
use session::limits;
use zeroize::Zeroizing;

use super::VaultTrouble;
use crate::adapters::clock;

/// It is wiped when it is dropped.
pub(super) type Secret = Zeroizing<Vec<u8>>;

/// The first line that the program prints. No shell is in between, and what it says otherwise goes nowhere.
pub(super) fn of_command(words: &[String], patience: Duration) -> Result<Secret, VaultTrouble> {
    let failed = |what: &dyn std::fmt::Display| {
        let program = words.first().map(String::as_str).unwrap_or_default();
        tracing::warn!(program, "the command that knows the passphrase: {what}");
        VaultTrouble::CommandFailed
    };
    let (program, arguments) = words.split_first().ok_or(VaultTrouble::CommandFailed)?;
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().map_err(|error| failed(&error))?;
    let line = printed(&mut child, patience);
    match line {
        Err(error) => {
            drop(child.kill());
            drop(child.wait());
            Err(failed(&error))
        }
        Ok((_, false)) => Err(failed(&"it ended with a failure")),
        Ok((line, true)) if line.is_empty() => Err(failed(&"it printed nothing")),
        Ok((line, true)) => Ok(line),
    }
}

/// Also whether it ended well.
fn printed(child: &mut Child, patience: Duration) -> io::Result<(Secret, bool)> {
    let until = clock::now() + patience;
    let mut stdout = child.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?;
    let (tell, told) = mpsc::channel();
    // A pipe has no deadline, and something that the program has started may keep it open.
    thread::Builder::new().name("passphrase".into()).spawn(move || {
        let line = first_line(&mut stdout);
        drop(tell.send(line));
        // Whoever prints more is not to die of it.
        drop(io::copy(&mut stdout, &mut io::sink()));
    })?;
    let late = || io::Error::from(io::ErrorKind::TimedOut);
    let line = told.recv_timeout(patience).map_err(|_| late())??;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok((line, status.success()));
        }
        if clock::now() >= until {
            return Err(late());
        }
        thread::sleep(limits::NAP_SHORTEST);
    }
}

/// The first line of a file that is ours alone, and does not lie in `vault`.
pub(super) fn of_file(path: &Path, vault: &Path) -> Result<Secret, VaultTrouble> {
    let unreadable = |error: io::Error| {
        tracing::warn!(path = %path.display(), %error, "the file with the passphrase");
        VaultTrouble::FileUnreadable
    };
    let mut file = files::open(path, OpenOptions::new().read(true)).map_err(unreadable)?;
    let data = file.metadata().map_err(unreadable)?;
    let custody = Custody { mode: data.mode(), uid: data.uid(), gid: data.gid() };
    let danger = custody.exposure(os::user::id(), os::user::members);
    if danger.is_some() || is_in(path, vault) {
        tracing::warn!(path = %path.display(), ?danger, "the file with the passphrase is not used");
        return Err(VaultTrouble::FileExposed);
    }
    let line = first_line(&mut file).map_err(unreadable)?;
    if line.is_empty() { Err(VaultTrouble::FileUnreadable) } else { Ok(line) }
}

/// What systemd gives to a service, whoever made it. See `systemd-creds(1)`.
pub(super) fn of_credential() -> Result<Secret, VaultTrouble> {
    let dir =
        env::var_os("CREDENTIALS_DIRECTORY").map(PathBuf::from).ok_or(VaultTrouble::CredentialAbsent)?;
    let path = dir.join(CREDENTIAL);
    let read = files::open(&path, OpenOptions::new().read(true)).and_then(|mut file| all(&mut file));
    let bytes = read.map_err(|error| {
        tracing::warn!(path = %path.display(), %error, "the credential");
        VaultTrouble::CredentialAbsent
    })?;
    if bytes.len() < SHORTEST { Err(VaultTrouble::CredentialShort) } else { Ok(bytes) }
}

/// Wherever links lead.
fn is_in(path: &Path, dir: &Path) -> bool {
    match (fs::canonicalize(path), fs::canonicalize(dir)) {
        (Ok(path), Ok(dir)) => path.starts_with(dir),
        (Ok(_) | Err(_), _) => path.starts_with(dir),
    }
}

fn first_line(from: &mut impl Read) -> io::Result<Secret> {
    let mut line = Zeroizing::new(Vec::with_capacity(LONGEST));
    let mut byte = Zeroizing::new([0]);
    while line.len() < LONGEST && from.read(&mut *byte)? == 1 && byte[0] != b'\n' {
        line.push(byte[0]);
    }
    if line.ends_with(b"\r") {
        line.pop();
    }
    Ok(line)
}

fn all(from: &mut impl Read) -> io::Result<Secret> {
    // Large enough that no copy is left behind by growing.
    let mut bytes = Zeroizing::new(Vec::with_capacity(LARGEST + 1));
    from.take(LARGEST as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}

const CREDENTIAL: &str = "pilotlight-key";

/// In bytes.
const SHORTEST: usize = 32;

const LONGEST: usize = 4096;

/// What systemd allows.
const LARGEST: usize = 1024 * 1024;

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    fn command(script: &str) -> Result<Secret, VaultTrouble> {
        let words = ["sh", "-c", script].map(str::to_owned);
        of_command(&words, Duration::from_secs(20))
    }

    #[test]
    fn the_first_line_of_a_program_is_the_passphrase() {
        for (script, line) in [
            ("echo 'correct horse'; echo more", "correct horse"),
            ("printf ' spaces are kept '", " spaces are kept "),
            ("printf 'windows\\r\\n'", "windows"),
            ("echo early; seq 100000", "early"),
            ("(sleep 60 & echo held open)", "held open"),
        ] {
            assert_eq!(&**command(script).unwrap(), line.as_bytes(), "{script}");
        }
    }

    #[test]
    fn a_program_that_fails_hangs_or_says_nothing_has_not_told_it() {
        for script in ["exit 1", "echo told; exit 1", "true", "echo", "echo told; kill -9 $$"] {
            assert_eq!(command(script).err(), Some(VaultTrouble::CommandFailed), "{script}");
        }
        let nowhere = of_command(&["/nowhere/at/all".to_owned()], Duration::from_secs(20));
        assert_eq!(nowhere.err(), Some(VaultTrouble::CommandFailed));
        for hangs in [["sleep", "600"], ["sh", "-c"]] {
            let mut words = hangs.map(str::to_owned).to_vec();
            words.extend((hangs[0] == "sh").then(|| "echo told; exec sleep 600".to_owned()));
            let short = of_command(&words, Duration::from_millis(300));
            assert_eq!(short.err(), Some(VaultTrouble::CommandFailed), "{hangs:?}");
        }
    }

    #[test]
    fn a_file_is_believed_if_it_is_ours_alone_and_lies_elsewhere() {
        let dir = env::temp_dir().join(format!("pilotlight-passphrase-{}", std::process::id()));
        drop(fs::remove_dir_all(&dir));
        let vault = dir.join("vault");
        fs::create_dir_all(&vault).unwrap();
        let write = |path: &Path, text: &str, mode| {
            fs::write(path, text).unwrap();
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        };
        let (good, inside) = (dir.join("good"), vault.join("inside"));
        write(&good, "correct horse\nnot this\n", 0o600);
        assert_eq!(&**of_file(&good, &vault).unwrap(), b"correct horse");
        write(&good, "\nnot this\n", 0o400);
        assert_eq!(of_file(&good, &vault).err(), Some(VaultTrouble::FileUnreadable));
        assert_eq!(of_file(&dir.join("none"), &vault).err(), Some(VaultTrouble::FileUnreadable));
        assert_eq!(of_file(&dir, &vault).err(), Some(VaultTrouble::FileUnreadable));
        write(&inside, "beside\n", 0o600);
        symlink(&inside, dir.join("link")).unwrap();
        for path in [inside, dir.join("link")] {
            assert_eq!(of_file(&path, &vault).err(), Some(VaultTrouble::FileExposed), "{}", path.display());
        }
        let open = dir.join("open");
        write(&open, "read by all\n", 0o644);
        assert_eq!(of_file(&open, &vault).err(), Some(VaultTrouble::FileExposed));
        fs::remove_dir_all(dir).unwrap();
    }
}
