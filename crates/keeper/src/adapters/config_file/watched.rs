use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::{fs, io};

use notify::event::{AccessKind, AccessMode, EventKind};
use notify::{RecommendedWatcher, RecursiveMode, Watcher as _};

use zeroize::Zeroizing;

use api::Failure;
use session::edits::went_with_the_home;
use session::time::Timestamp;

use super::reading::{self, Seen};
use super::writing;
use crate::adapters::clock;
use crate::config::{Config, Mistake};

/// Every method blocks for as long as the disk takes.
pub(crate) struct Watched {
    path: PathBuf,
    seen: Option<Seen>,
    said: Option<Result<u64, Box<Mistake>>>,
    /// The last readable text. It may contain a client secret.
    text: Zeroizing<String>,
    /// Since when the file is missing from a folder that is there.
    vanished: Option<Timestamp>,
    gone: bool,
    watch: Option<Watch>,
    said_unwatched: bool,
}

struct Watch {
    places: BTreeSet<Place>,
    _watcher: RecommendedWatcher,
}

/// The directory is part of it because it may be deleted and made again.
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

    pub(crate) fn edit(
        &mut self,
        edit: impl FnOnce(&str) -> Result<String, Failure>,
    ) -> Result<Config, Failure> {
        let text = match self.gone {
            true => self.text.to_string(),
            false => reading::read(&self.path).map_err(|problem| problem.failure())?,
        };
        writing::write(&self.path, &edit(&text)?)?;
        self.vanished = None;
        self.seen = Some(Seen::at(&self.path));
        let text = reading::read(&self.path);
        self.is_news(&text);
        Ok(Config::of(text, &self.path))
    }

    /// After the home was deleted, a missing file does not mean an empty configuration.
    pub(crate) fn lose(&mut self) {
        self.gone = true;
        if self.vanished.take().is_some_and(|at| !went_with_the_home(at, clock::now())) {
            self.text.clear();
        }
    }

    pub(crate) fn restore(&mut self) {
        self.gone = false;
        if self.text.is_empty() || !matches!(Seen::at(&self.path), Seen::Nothing(_)) {
            return;
        }
        match writing::write(&self.path, &self.text) {
            Ok(()) => self.seen = Some(Seen::at(&self.path)),
            Err(failure) => tracing::error!(?failure, "the configuration is not in the new home"),
        }
    }

    fn is_gone(&self) -> bool {
        self.gone || !dir_of(&self.path).is_dir()
    }

    /// Returns whether a new watch began, so that earlier changes may have been missed.
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

/// Both the path and what it links to.
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

/// Watches directories, because most programs write a file by replacing it.
fn subscribe(files: &[PathBuf], tell: impl Fn() + Send + 'static) -> notify::Result<RecommendedWatcher> {
    let ours = files.to_owned();
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
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

/// Reading does not count, or each look would cause another.
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

    #[test]
    fn a_file_that_went_with_its_home_is_no_sign_of_anything_and_is_put_back() {
        let (dir, path, mut file) = looked_at("watched");
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

    /// Row H15.
    /// Whoever deletes a folder deletes the files in it first, and a look may fall between the two.
    #[test]
    fn a_file_that_was_seen_to_go_before_its_home_is_put_back() {
        let (dir, path, mut file) = looked_at("vanished");
        fs::remove_file(&path).unwrap();
        assert!(file.look().is_some_and(|config| config.profiles.is_empty()));
        file.lose();
        file.restore();
        assert_eq!(fs::read_to_string(&path).unwrap(), TEXT);
        assert!(file.look().is_some_and(|config| config.profiles.len() == 1));
        fs::remove_dir_all(&dir).unwrap();
    }

    fn looked_at(name: &str) -> (PathBuf, PathBuf, Watched) {
        let dir = std::env::temp_dir().join(format!("pilotlight-{name}-{}", std::process::id()));
        drop(fs::remove_dir_all(&dir));
        fs::create_dir(&dir).unwrap();
        let path = dir.join("config.toml");
        fs::write(&path, TEXT).unwrap();
        let mut file = Watched::new(path.clone());
        assert!(file.look().is_some());
        (dir, path, file)
    }

    const TEXT: &str = "[profile.work]\npreset = \"nestjs\"\nurl = \"https://api.example\"\n";
}
