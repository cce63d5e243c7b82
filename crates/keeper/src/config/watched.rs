//! The file as it was last looked at, and what the system tells of changes to it.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::{fs, io};

use notify::event::{AccessKind, AccessMode, EventKind};
use notify::{RecommendedWatcher, RecursiveMode, Watcher as _};

use zeroize::Zeroizing;

use session::edits::went_with_the_home;
use session::time::Timestamp;

use super::reading::{self, Seen};
use super::{Config, Mistake, file};
use crate::adapters::clock;
use api::Failure;

/// Every method may take as long as the disk does.
pub(crate) struct Watched {
    path: PathBuf,
    seen: Option<Seen>,
    /// What was read last, in so far as it can be told from something else.
    said: Option<Result<u64, Box<Mistake>>>,
    /// What could be read last. A client's secret may be in it.
    text: Zeroizing<String>,
    /// Since when it is not there, while its folder is.
    vanished: Option<Timestamp>,
    /// It went with the home, which is not what somebody wants it to be.
    gone: bool,
    watch: Option<Watch>,
    /// That there is none has been said.
    said_unwatched: bool,
}

/// A subscription to what happens in the directories that matter.
struct Watch {
    places: BTreeSet<Place>,
    _watcher: RecommendedWatcher,
}

/// A file and the directory it is in, which is another one when it was made anew.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    file: PathBuf,
    dir: (u64, u64),
}

impl Watched {
    pub(crate) fn new(path: PathBuf) -> Self {
        let text = Zeroizing::default();
        Self {
            path,
            seen: None,
            said: None,
            text,
            vanished: None,
            gone: false,
            watch: None,
            said_unwatched: false,
        }
    }

    /// What the file says, if that is something else than at the look before.
    pub(crate) fn look(&mut self) -> Option<Config> {
        let seen = Seen::at(&self.path);
        if matches!(seen, Seen::Nothing(_)) && self.is_gone() {
            return None;
        }
        self.vanished = match seen {
            Seen::Nothing(_) => self.vanished.or_else(|| Some(clock::now())),
            Seen::Something { .. } => None,
        };
        let read_well = matches!(self.said, Some(Ok(_)));
        if read_well && self.seen.as_ref() == Some(&seen) && !seen.is_fresh() {
            return None;
        }
        self.seen = Some(seen);
        let text = reading::read(&self.path);
        self.is_news(&text).then(|| Config::of(text, &self.path))
    }

    /// Replaces the text by what `edit` makes of it, and says what stands there then.
    pub(crate) fn edit(
        &mut self,
        edit: impl FnOnce(&str) -> Result<String, Failure>,
    ) -> Result<Config, Failure> {
        let text = match self.gone {
            true => self.text.to_string(),
            false => reading::read(&self.path).map_err(|problem| problem.failure())?,
        };
        file::write(&self.path, &edit(&text)?)?;
        self.vanished = None;
        self.seen = Some(Seen::at(&self.path));
        let text = reading::read(&self.path);
        self.is_news(&text);
        Ok(Config::of(text, &self.path))
    }

    /// The home has been deleted. Until there is one again, no file is a sign of anything.
    pub(crate) fn lose(&mut self) {
        self.gone = true;
        if self.vanished.take().is_some_and(|at| !went_with_the_home(at, clock::now())) {
            self.text.clear();
        }
    }

    /// There is a home again, and the file is to be in it as it was.
    pub(crate) fn restore(&mut self) {
        self.gone = false;
        if self.text.is_empty() || !matches!(Seen::at(&self.path), Seen::Nothing(_)) {
            return;
        }
        match file::write(&self.path, &self.text) {
            Ok(()) => self.seen = Some(Seen::at(&self.path)),
            Err(failure) => tracing::error!(?failure, "the configuration is not in the new home"),
        }
    }

    fn is_gone(&self) -> bool {
        self.gone || !dir_of(&self.path).is_dir()
    }

    /// Has `tell` called whenever the file may have changed. Returns whether that has begun anew, so that what happened
    /// before was perhaps not told.
    pub(crate) fn watch(&mut self, tell: impl Fn() + Send + 'static) -> bool {
        let places = places(&self.path);
        if self.watch.as_ref().is_some_and(|watch| watch.places == places) {
            return false;
        }
        let files: Vec<PathBuf> = places.iter().map(|place| place.file.clone()).collect();
        self.watch = match subscribe(&files, tell) {
            Ok(watcher) => Some(Watch { places, _watcher: watcher }),
            Err(error) => {
                if !std::mem::replace(&mut self.said_unwatched, true) {
                    tracing::warn!(%error, "changes of the configuration file are noticed late");
                }
                None
            }
        };
        self.watch.is_some()
    }

    fn is_news(&mut self, text: &Result<String, Box<Mistake>>) -> bool {
        if let Ok(text) = text
            && self.vanished.is_none()
        {
            self.text = Zeroizing::new(text.clone());
        }
        let said = text.as_ref().map(|text| digest(text)).map_err(Box::clone);
        self.said.replace(said.clone()) != Some(said)
    }
}

/// Where the file is, and where it really is: some keep it elsewhere and link to it.
fn places(path: &Path) -> BTreeSet<Place> {
    let real = fs::canonicalize(path).ok();
    let place = |file: PathBuf| {
        let dir = fs::metadata(dir_of(&file)).ok()?;
        Some(Place { file, dir: (dir.dev(), dir.ino()) })
    };
    [Some(path.to_owned()), real].into_iter().flatten().filter_map(place).collect()
}

fn dir_of(file: &Path) -> &Path {
    file.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Directories are watched, not the file: to replace it is how most programs write one.
fn subscribe(files: &[PathBuf], tell: impl Fn() + Send + 'static) -> notify::Result<RecommendedWatcher> {
    let ours = files.to_owned();
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        // What cannot be told is perhaps what matters.
        if event.as_ref().map_or(true, |event| is_change(&ours, event)) {
            tell();
        }
    })?;
    let dirs: BTreeSet<&Path> = files.iter().map(|file| dir_of(file)).collect();
    if dirs.is_empty() {
        return Err(notify::Error::io(io::ErrorKind::NotFound.into()));
    }
    for dir in dirs {
        watcher.watch(dir, RecursiveMode::NonRecursive)?;
    }
    Ok(watcher)
}

/// To read the file is no change of it, or each look would be followed by another.
fn is_change(files: &[PathBuf], event: &notify::Event) -> bool {
    let changes = match event.kind {
        EventKind::Access(kind) => kind == AccessKind::Close(AccessMode::Write),
        EventKind::Any
        | EventKind::Create(_)
        | EventKind::Modify(_)
        | EventKind::Other
        | EventKind::Remove(_) => true,
    };
    let about = |path: &PathBuf| files.iter().any(|file| file == path || dir_of(file) == path);
    changes && (event.need_rescan() || event.paths.iter().any(about))
}

fn digest(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From the moment at which the home is known to be gone until what was in it is put back.
    #[test]
    fn a_file_that_went_with_its_home_is_no_sign_of_anything_and_is_put_back() {
        let dir = std::env::temp_dir().join(format!("pilotlight-watched-{}", std::process::id()));
        drop(fs::remove_dir_all(&dir));
        fs::create_dir(&dir).unwrap();
        let path = dir.join("config.toml");
        fs::write(&path, TEXT).unwrap();
        let mut file = Watched::new(path.clone());
        assert!(file.look().is_some());
        fs::remove_dir_all(&dir).unwrap();
        assert!(file.look().is_none(), "the whole directory is gone");
        file.lose();
        fs::create_dir(&dir).unwrap();
        assert!(file.look().is_none());
        file.restore();
        assert_eq!(fs::read_to_string(&path).unwrap(), TEXT);
        assert!(file.look().is_none(), "nothing has changed");

        fs::remove_file(&path).unwrap();
        assert!(
            file.look().is_some_and(|config| config.profiles.is_empty()),
            "this time somebody wants it so"
        );
        fs::remove_dir_all(&dir).unwrap();
    }

    /// Whoever deletes a folder deletes the files in it first, and a look may fall between the two.
    #[test]
    fn a_file_that_was_seen_to_go_before_its_home_is_put_back() {
        let dir = std::env::temp_dir().join(format!("pilotlight-vanished-{}", std::process::id()));
        drop(fs::remove_dir_all(&dir));
        fs::create_dir(&dir).unwrap();
        let path = dir.join("config.toml");
        fs::write(&path, TEXT).unwrap();
        let mut file = Watched::new(path.clone());
        assert!(file.look().is_some());
        fs::remove_file(&path).unwrap();
        assert!(file.look().is_some_and(|config| config.profiles.is_empty()));
        file.lose();
        file.restore();
        assert_eq!(fs::read_to_string(&path).unwrap(), TEXT);
        assert!(file.look().is_some_and(|config| config.profiles.len() == 1));
        fs::remove_dir_all(&dir).unwrap();
    }

    const TEXT: &str = "[profile.work]\npreset = \"nestjs\"\nurl = \"https://api.example\"\n";
}
