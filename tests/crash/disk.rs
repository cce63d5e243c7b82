//! What the disk does in the same minutes: when the sealed files get their names, and what a plain file costs.

use std::fs::{self, File};
use std::io::Write as _;
use std::mem::MaybeUninit;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::fs::inotify::{self, CreateFlags, ReadFlags, Reader, WatchFlags};

/// When a sealed file has come to its name in a folder, as inotify tells.
pub(crate) struct Renames(Arc<Mutex<Vec<Instant>>>);

impl Renames {
    pub(crate) fn watch(folder: &Path) -> Self {
        let ear = inotify::init(CreateFlags::CLOEXEC).unwrap();
        inotify::add_watch(&ear, folder, WatchFlags::MOVED_TO | WatchFlags::ONLYDIR).unwrap();
        let seen = Arc::<Mutex<Vec<Instant>>>::default();
        let telling = Arc::clone(&seen);
        // It ends with the folder.
        thread::spawn(move || {
            let mut buffer = [MaybeUninit::uninit(); 4096];
            let mut reader = Reader::new(ear, &mut buffer);
            while let Ok(event) = reader.next() {
                let at = Instant::now();
                if event.events().contains(ReadFlags::IGNORED) {
                    return;
                }
                if event.file_name().is_some_and(|name| name.to_bytes().ends_with(b".sealed")) {
                    telling.lock().unwrap().push(at);
                }
            }
        });
        Self(seen)
    }

    pub(crate) fn seen(&self) -> Vec<Instant> {
        self.0.lock().unwrap().clone()
    }
}

/// From each answer to the first name that came before the next answer. A sealed file that is written for another reason
/// follows such a one.
pub(crate) fn pair(answered: &[Instant], renamed: &[Instant]) -> Vec<Duration> {
    let next = answered.iter().skip(1).map(Some).chain([None]);
    let spans = answered.iter().zip(next).filter_map(|(from, to)| {
        let renamed = renamed.iter().find(|renamed| *renamed >= from)?;
        to.is_none_or(|to| renamed < to).then(|| *renamed - *from)
    });
    spans.collect()
}

/// Writes a file of one block as plainly as it can be done without losing it, over and over, as long as the run lasts.
pub(crate) struct Plain {
    over: Arc<AtomicBool>,
    thread: JoinHandle<Vec<Duration>>,
}

impl Plain {
    pub(crate) fn begin(folder: PathBuf) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let stops = Arc::clone(&over);
        let thread = thread::spawn(move || {
            let mut took = Vec::new();
            while !stops.load(Ordering::Relaxed) {
                let began = Instant::now();
                write(&folder);
                took.push(began.elapsed());
                // So rarely that it is no load of its own.
                thread::sleep(Duration::from_millis(40));
            }
            took
        });
        Self { over, thread }
    }

    pub(crate) fn end(self) -> Vec<Duration> {
        self.over.store(true, Ordering::Relaxed);
        self.thread.join().unwrap()
    }
}

fn write(folder: &Path) {
    let (new, name) = (folder.join("plain.new"), folder.join("plain"));
    let mut file = File::create(&new).unwrap();
    file.write_all(&[7; 4096]).unwrap();
    file.sync_all().unwrap();
    fs::rename(&new, &name).unwrap();
    File::open(folder).unwrap().sync_all().unwrap();
}
