//! Reads the configuration, and only from a regular file that no other user can have written.

use std::fs::{self, Metadata, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use api::{Code, Problem};
use os::files;
use session::bounds;
use session::custody::{Custody, Danger};

use crate::adapters::clock;
use crate::config::{Config, Mistake};

/// Equal values mean equal text, unless the file was being written: its times are too coarse to show that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Seen {
    Nothing(io::ErrorKind),
    Something { place: (u64, u64), changed: (i64, i64), length: u64 },
}

impl Seen {
    pub(super) fn at(path: &Path) -> Self {
        match fs::metadata(path) {
            Ok(data) => Self::Something {
                place: (data.dev(), data.ino()),
                // Unlike the time of modification, no program can set this one.
                changed: (data.ctime(), data.ctime_nsec()),
                length: data.len(),
            },
            Err(error) => Self::Nothing(error.kind()),
        }
    }

    pub(super) fn is_fresh(&self) -> bool {
        match self {
            Self::Nothing(_) => false,
            Self::Something { changed: (seconds, _), .. } => clock::wall_ms() / 1000 - seconds <= FRESH,
        }
    }
}

/// What the file at `path` says. An absent file is an empty configuration.
pub fn load(path: &Path) -> Config {
    Config::of(read(path), path)
}

pub(super) fn read(path: &Path) -> Result<String, Box<Mistake>> {
    let unreadable = |problem| Box::new(Mistake::of_file(path, Code::ConfigUnreadable, problem));
    let mut file = match files::open(path, OpenOptions::new().read(true)) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(String::new()),
        Err(error) => return Err(unreadable(Problem::said(error))),
    };
    let data = file.metadata().map_err(|error| unreadable(Problem::said(error)))?;
    if let Some(danger) = danger(&data) {
        return Err(Box::new(not_ours_alone(path, danger)));
    }
    let mut bytes = Vec::new();
    let length = file.by_ref().take(LARGEST + 1).read_to_end(&mut bytes);
    match length.map_err(|error| unreadable(Problem::said(error)))? {
        length if length as u64 > LARGEST => Err(unreadable(Problem::TooLarge)),
        _ => String::from_utf8(bytes).map_err(|_| unreadable(Problem::NotUtf8)),
    }
}

fn danger(data: &Metadata) -> Option<Danger> {
    let custody = Custody { mode: data.mode(), uid: data.uid(), gid: data.gid() };
    custody.danger(os::user::id(), os::user::members)
}

fn not_ours_alone(path: &Path, danger: Danger) -> Mistake {
    let quoted = quoted(path);
    let (problem, command) = match danger {
        Danger::Anyone => (Problem::WritableByAll, format!("chmod go-w {quoted}")),
        Danger::Group => (Problem::WritableByGroup, format!("chmod go-w {quoted}")),
        Danger::Owner => (Problem::OwnedByOther, format!("chown {} {quoted}", os::user::id())),
    };
    Mistake { command: Some(command), ..Mistake::of_file(path, Code::ConfigUnsafe, problem) }
}

fn quoted(path: &Path) -> String {
    let path = path.display().to_string();
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
    if path.chars().all(plain) { path } else { format!("'{}'", path.replace('\'', r"'\''")) }
}

const LARGEST: u64 = bounds::CONFIGURATION as u64;

/// In seconds. Within them a file may change without its times showing it, and its clock may differ from ours.
const FRESH: i64 = 2;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_can_be_copied_whatever_the_path() {
        for (path, quoted) in [
            ("/home/mia/.config/pilotlight/config.toml", "/home/mia/.config/pilotlight/config.toml"),
            ("/home/mia/my files/it's.toml", r"'/home/mia/my files/it'\''s.toml'"),
        ] {
            assert_eq!(super::quoted(Path::new(path)), quoted);
        }
    }
}
