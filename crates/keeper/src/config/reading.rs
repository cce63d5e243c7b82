//! Reading the file: only what is a file, and only what nobody else can have written.

use std::fs::{self, Metadata, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use nix::unistd::{Gid, Group, User};
use session::custody::{Custody, Danger};

use super::Problem;
use crate::api::Code;
use crate::clock;
use crate::files;

/// What the file was when it was looked at. Two that are alike are the same text, unless the file was just being
/// written: its times are not fine enough for that.
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
                // Unlike the time of its last modification nobody can set this one.
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

/// The text of the file; empty when there is none.
pub(super) fn read(path: &Path) -> Result<String, Box<Problem>> {
    let unreadable = |problem: &str| Box::new(Problem::of_file(path, Code::ConfigUnreadable, problem, None));
    let mut file = match files::open(path, OpenOptions::new().read(true)) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(String::new()),
        Err(error) => return Err(unreadable(&error.to_string())),
    };
    let data = file.metadata().map_err(|error| unreadable(&error.to_string()))?;
    if let Some(danger) = danger(&data) {
        return Err(Box::new(not_ours_alone(path, danger)));
    }
    let mut bytes = Vec::new();
    let length = file.by_ref().take(LARGEST + 1).read_to_end(&mut bytes);
    match length.map_err(|error| unreadable(&error.to_string()))? {
        length if length as u64 > LARGEST => Err(unreadable("it is far too large")),
        _ => String::from_utf8(bytes).map_err(|_| unreadable("it is not UTF-8 text")),
    }
}

fn danger(data: &Metadata) -> Option<Danger> {
    let custody = Custody { mode: data.mode(), uid: data.uid(), gid: data.gid() };
    custody.danger(rustix::process::geteuid().as_raw(), members)
}

/// The users in a group: those that it names, and those whose own group it is.
fn members(gid: u32) -> Option<Vec<u32>> {
    let named = Group::from_gid(Gid::from_raw(gid)).ok()?.map(|group| group.mem).unwrap_or_default();
    let mut members = Vec::new();
    for name in named {
        // A name that is nobody's is no member.
        members.extend(User::from_name(&name).ok()?.map(|user| user.uid.as_raw()));
    }
    let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
    members.extend(users.lines().filter_map(|line| owner_of_group(line, gid)));
    Some(members)
}

/// Whose line of `passwd(5)` this is, if the group is their own.
fn owner_of_group(line: &str, gid: u32) -> Option<u32> {
    let mut fields = line.split(':').skip(2).map(str::parse::<u32>);
    let uid = fields.next()?.ok()?;
    let own = fields.next()?.ok()?;
    (own == gid).then_some(uid)
}

fn not_ours_alone(path: &Path, danger: Danger) -> Problem {
    let quoted = quoted(path);
    let (problem, hint) = match danger {
        Danger::Anyone => ("everybody on this computer may write it", format!("chmod go-w {quoted}")),
        Danger::Group => ("its group may write it, and has other members", format!("chmod go-w {quoted}")),
        Danger::Owner => {
            let us = rustix::process::geteuid().as_raw();
            ("it belongs to somebody else", format!("chown {us} {quoted}"))
        }
    };
    Problem::of_file(path, Code::ConfigUnsafe, problem, Some(hint))
}

/// As a shell takes it.
fn quoted(path: &Path) -> String {
    let path = path.display().to_string();
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
    if path.chars().all(plain) { path } else { format!("'{}'", path.replace('\'', r"'\''")) }
}

/// Nobody writes that much by hand, and a parser is given no more.
const LARGEST: u64 = 4 << 20;

/// Seconds in which a file may be written again without its times showing it, and the clock that stamps it may be off.
const FRESH: i64 = 2;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_of_ones_own_is_found_in_the_list_of_users() {
        let line = "mia:x:1000:1000:Mia,,,:/home/mia:/bin/sh";
        assert_eq!(owner_of_group(line, 1000), Some(1000));
        assert_eq!(owner_of_group(line, 100), None);
        for line in ["", "mia", "mia:x:y:1000", "mia:x:1000", "+::::::"] {
            assert_eq!(owner_of_group(line, 1000), None, "{line}");
        }
    }

    #[test]
    fn whose_own_group_it_is_is_a_member() {
        assert!(members(0).unwrap().contains(&0), "root is in its own group");
        assert_eq!(members(4_000_000_000), Some(Vec::new()), "nobody is in a group that there is not");
    }

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
