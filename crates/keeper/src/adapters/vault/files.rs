//! The sealed files of a home, one a session. A new one is written in full beside the old one, synced, and then changes
//! places with it. What was the old one is the room for the next: its blocks are taken already, so a disk that is full
//! takes the next token all the same. A crash at any point leaves the old file or the new one; one that is whole and has
//! not got its name yet is found by the next process.

use std::cell::Cell;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use os::files;
use serde::{Deserialize, Serialize};
use session::bounds;
use sha2::{Digest as _, Sha256};

use super::seal::{self, BLOCK, Label};

#[derive(Clone)]
pub(super) struct Files {
    dir: PathBuf,
    /// The names in the folder are on the disk as they are in memory. Until they are, what stands beside a sealed file
    /// may be what the disk has under its name.
    is_settled: Cell<bool>,
}

/// Where the newest key was put, so that another keyring is recognised. It holds no secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Place {
    /// The program that keeps the keyring.
    pub(super) service: String,
    pub(super) collection: String,
}

impl Files {
    pub(super) fn at(dir: &Path) -> Self {
        Self { dir: dir.to_owned(), is_settled: Cell::new(false) }
    }

    /// The labels of all that can be read, that of the newest first.
    pub(super) fn labels(&self) -> io::Result<Vec<Label>> {
        let entries = match fs::read_dir(&self.dir) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries?,
        };
        let mut labels = Vec::new();
        for entry in entries {
            let path = entry?.path();
            if path.extension().is_none_or(|extension| extension != SEALED) {
                continue;
            }
            match read(&path) {
                Err(error) if files::is_of_no_file(&error) => {}
                file => labels.extend(file?.and_then(|file| seal::label(&file).ok())),
            }
        }
        labels.sort_by_key(|label| std::cmp::Reverse(label.age.saved_at));
        Ok(labels)
    }

    pub(super) fn read(&self, profile: &str) -> io::Result<Option<Vec<u8>>> {
        read(&self.path(profile, SEALED))
    }

    /// It is on the disk when this returns.
    pub(super) fn write(&self, profile: &str, sealed: &[u8]) -> io::Result<()> {
        let (path, next) = (self.path(profile, SEALED), self.path(profile, NEXT));
        let file = self.fill(&next, sealed)?;
        self.name(&file, &next, &path)
    }

    /// What was written for the profile and has not got its name, whole or not; or what was there before.
    pub(super) fn read_next(&self, profile: &str) -> io::Result<Option<Vec<u8>>> {
        read(&self.path(profile, NEXT))
    }

    /// Does what is left to do for it.
    pub(super) fn name_next(&self, profile: &str) -> io::Result<()> {
        let (path, next) = (self.path(profile, SEALED), self.path(profile, NEXT));
        let file = files::open(&next, OpenOptions::new().read(true).write(true))?;
        self.name(&file, &next, &path)
    }

    fn name(&self, file: &File, next: &Path, path: &Path) -> io::Result<()> {
        self.rename(file, || match files::exchange(next, path) {
            Ok(true) => Ok(()),
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            Ok(false) | Err(_) => fs::rename(next, path),
        })
    }

    /// Takes the blocks that the next token will need, with one more for a token that has grown.
    pub(super) fn make_room(&self, profile: &str) -> io::Result<()> {
        let sealed = match fs::metadata(self.path(profile, SEALED)) {
            Ok(data) => data.len(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error),
        };
        let room = sealed + BLOCK as u64;
        let file = self.open_next(&self.path(profile, NEXT))?;
        let data = file.metadata()?;
        // What was there is the token before.
        file.write_all_at(&zeros(data.len())?, 0)?;
        if data.blocks() * 512 < room { files::allocate(&file, room) } else { Ok(()) }
    }

    /// What was there is overwritten first, although a disk may keep copies of its own. Nothing to remove is a success.
    pub(super) fn remove(&self, profile: &str) -> io::Result<()> {
        let mut removed = false;
        // In this order: what is beside a sealed file may open too, and must not outlive it.
        for path in [self.path(profile, NEXT), self.path(profile, SEALED)] {
            match wipe(&path).and_then(|()| fs::remove_file(&path)) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                done => {
                    done?;
                    removed = true;
                }
            }
        }
        if removed { files::sync_folder(&self.dir) } else { Ok(()) }
    }

    pub(super) fn place(&self) -> Option<Place> {
        let text = read(&self.dir.join(PLACE)).ok().flatten()?;
        serde_json::from_slice(&text).ok()
    }

    pub(super) fn set_place(&self, place: &Place) -> io::Result<()> {
        let text = serde_json::to_vec(place).map_err(io::Error::other)?;
        self.replace(PLACE, &text)
    }

    /// Whether the items of older versions have been moved here, or there never were any.
    pub(super) fn has_moved(&self) -> io::Result<bool> {
        self.dir.join(MOVED).try_exists()
    }

    pub(super) fn set_moved(&self) -> io::Result<()> {
        self.replace(MOVED, b"")
    }

    /// The keyring has no key of ours any more.
    pub(super) fn forget_place(&self) -> io::Result<()> {
        match fs::remove_file(self.dir.join(PLACE)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            removed => removed.and_then(|()| files::sync_folder(&self.dir)),
        }
    }

    /// The sealed keys under this name.
    pub(super) fn key_file(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        read(&self.dir.join(name))
    }

    pub(super) fn set_key_file(&self, name: &str, sealed: &[u8]) -> io::Result<()> {
        self.replace(name, sealed)
    }

    pub(super) fn remove_key_file(&self, name: &str) -> io::Result<()> {
        let path = self.dir.join(name);
        wipe(&path)?;
        fs::remove_file(path)?;
        files::sync_folder(&self.dir)
    }

    /// What cannot be read may be of use to somebody all the same.
    pub(super) fn set_aside(&self, name: &str) -> io::Result<()> {
        fs::rename(self.dir.join(name), self.dir.join(format!("{name}.damaged")))?;
        files::sync_folder(&self.dir)
    }

    fn replace(&self, name: &str, text: &[u8]) -> io::Result<()> {
        let (path, next) = (self.dir.join(name), self.dir.join(format!("{name}.{NEXT}")));
        let file = self.fill(&next, text)?;
        self.rename(&file, || fs::rename(&next, &path))
    }

    fn fill(&self, next: &Path, bytes: &[u8]) -> io::Result<File> {
        let file = self.open_next(next)?;
        // The length first, so that what is written is whole from its last byte on. Mostly it is right, and to change it
        // would take longer than to write.
        let length = bytes.len().try_into().map_err(io::Error::other)?;
        if file.metadata()?.len() != length {
            file.set_len(length)?;
        }
        file.write_all_at(bytes, 0)?;
        Ok(file)
    }

    fn rename(&self, file: &File, rename: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
        file.sync_all()?;
        self.is_settled.set(false);
        rename()?;
        self.settle()
    }

    /// Of another process, or where it failed before, the last change of names may still be in memory alone.
    fn settle(&self) -> io::Result<()> {
        if !self.is_settled.get() {
            files::sync_folder(&self.dir)?;
            self.is_settled.set(true);
        }
        Ok(())
    }

    /// The home may have been deleted and made again.
    fn open_next(&self, next: &Path) -> io::Result<File> {
        match self.settle() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            settled => settled?,
        }
        let mut options = OpenOptions::new();
        files::private(options.read(true).write(true).create(true).truncate(false));
        match files::open(next, &mut options) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.make_folder()?;
                files::open(next, &mut options)
            }
            opened => opened,
        }
    }

    /// What was made is itself a name in the folder above, and as easily lost.
    fn make_folder(&self) -> io::Result<()> {
        let made = self.dir.ancestors().take_while(|folder| !folder.exists()).count();
        files::make_private_folder(&self.dir)?;
        self.dir.ancestors().skip(1).take(made).try_for_each(files::sync_folder)
    }

    /// Names of profiles may have any length and any characters.
    fn path(&self, profile: &str, extension: &str) -> PathBuf {
        let digest = Sha256::digest(profile);
        let name: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        self.dir.join(name).with_extension(extension)
    }
}

fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    let mut file = match files::open(path, OpenOptions::new().read(true)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        opened => opened?,
    };
    let mut bytes = Vec::new();
    file.by_ref().take(LARGEST).read_to_end(&mut bytes)?;
    Ok(Some(bytes))
}

fn wipe(path: &Path) -> io::Result<()> {
    let file = files::open(path, OpenOptions::new().write(true))?;
    file.write_all_at(&zeros(file.metadata()?.len())?, 0)?;
    file.sync_data()
}

fn zeros(bytes: u64) -> io::Result<Vec<u8>> {
    Ok(vec![0; usize::try_from(bytes.min(LARGEST)).map_err(io::Error::other)?])
}

const SEALED: &str = "sealed";
const NEXT: &str = "next";
const PLACE: &str = "place.json";
const MOVED: &str = "moved";

const LARGEST: u64 = bounds::SEALED as u64;

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;
    use std::{env, process};

    use session::binding::Bound;
    use session::tokens::{Account, RefreshToken};

    use super::super::Stored;
    use super::super::key::Key;
    use super::*;

    fn sealed(key: &Key, profile: &str, generation: u32, size: usize) -> Vec<u8> {
        let stored = Stored {
            refresh: RefreshToken::new("t".repeat(size)),
            bound: Bound { origin: "https://a.example".into(), binding: None },
            account: Account::default(),
            generation,
        };
        seal::seal(key, profile, &stored, i64::from(generation)).unwrap()
    }

    /// Row C8.
    #[test]
    fn a_file_is_the_old_one_or_the_new_one_and_its_room_is_taken_before() {
        let (files, key) = (scratch("write"), Key::make().unwrap());
        let name = "x".repeat(300) + "/../žluť";
        assert_eq!(files.read(&name).unwrap(), None);
        files.make_room(&name).unwrap();
        for (generation, size) in [(1, 10), (2, 10), (3, 3000), (4, 10), (5, 70_000), (6, 10)] {
            let file = sealed(&key, &name, generation, size);
            files.write(&name, &file).unwrap();
            assert_eq!(files.read(&name).unwrap(), Some(file.clone()));
            files.make_room(&name).unwrap();
            let next = fs::metadata(files.path(&name, NEXT)).unwrap();
            let left = fs::read(files.path(&name, NEXT)).unwrap();
            assert!(left.iter().all(|byte| *byte == 0), "the token before is still there");
            assert!(next.blocks() * 512 >= file.len() as u64, "{} blocks", next.blocks());
            assert_eq!(next.permissions().mode() & 0o777, 0o600);
        }
        assert_eq!(files.labels().unwrap().len(), 1);
        files.remove(&name).unwrap();
        files.remove(&name).unwrap();
        assert_eq!(files.read(&name).unwrap(), None);
        assert_eq!(fs::read_dir(&files.dir).unwrap().count(), 0);
    }

    #[test]
    fn a_sealed_file_is_read_up_to_its_bound() {
        let (files, key) = (scratch("bound"), Key::make().unwrap());
        files.write("a", &sealed(&key, "a", 1, 1)).unwrap();
        let file = File::options().write(true).open(files.path("a", SEALED)).unwrap();
        for (length, read) in [(LARGEST, LARGEST), (LARGEST + 1, LARGEST)] {
            file.set_len(length).unwrap();
            assert_eq!(files.read("a").unwrap().map(|bytes| bytes.len() as u64), Some(read));
        }
        files.remove("a").unwrap();
    }

    #[test]
    fn labels_are_told_newest_first_and_what_is_something_else_is_passed_over() {
        let (files, key) = (scratch("labels"), Key::make().unwrap());
        assert_eq!(files.labels().unwrap(), []);
        for (profile, generation) in [("a", 2), ("b", 3), ("c", 1)] {
            files.write(profile, &sealed(&key, profile, generation, 1)).unwrap();
        }
        fs::write(files.path("d", SEALED), "rubbish").unwrap();
        fs::create_dir(files.dir.join("folder")).unwrap();
        fs::create_dir(files.path("e", SEALED)).unwrap();
        let generations: Vec<u32> =
            files.labels().unwrap().iter().map(|label| label.age.generation).collect();
        assert_eq!(generations, [3, 2, 1]);
        assert!(files.read("e").is_err());
    }

    #[test]
    fn a_home_that_was_deleted_is_made_again() {
        let (files, key) = (scratch("deleted"), Key::make().unwrap());
        for generation in 1..3 {
            files.write("a", &sealed(&key, "a", generation, 1)).unwrap();
            let place = Place { service: "keyring".into(), collection: "/login".into() };
            files.set_place(&place).unwrap();
            files.set_moved().unwrap();
            assert_eq!((files.place(), files.has_moved().unwrap()), (Some(place), true));
            assert_eq!(fs::metadata(&files.dir).unwrap().permissions().mode() & 0o777, 0o700);
            fs::remove_dir_all(&files.dir).unwrap();
            assert_eq!((files.place(), files.has_moved().unwrap()), (None, false));
        }
    }

    fn scratch(name: &str) -> Files {
        let dir = env::temp_dir().join(format!("pilotlight-sealed-{}-{name}", process::id()));
        drop(fs::remove_dir_all(&dir));
        Files::at(&dir.join("deep"))
    }
}
