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

use crate::dice::Dice;
use crate::trap::LEAD;

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

/// From each answer to the first name that came after it, where there was one.
pub(crate) fn pair(answered: &[Instant], renamed: &[Instant]) -> Vec<Duration> {
    let name_of =
        |from: &Instant| renamed.iter().find(|renamed| *renamed >= from).map(|renamed| *renamed - *from);
    answered.iter().filter_map(name_of).collect()
}

/// Writes a file of one block as plainly as it can be done without losing it, over and over, as long as the run lasts.
pub(crate) struct Plain {
    over: Arc<AtomicBool>,
    took: Arc<Mutex<Vec<Duration>>>,
    thread: JoinHandle<()>,
}

impl Plain {
    /// It knows the disk when this returns.
    pub(crate) fn begin(folder: PathBuf) -> Self {
        let (over, took) = (Arc::new(AtomicBool::new(false)), Arc::<Mutex<Vec<Duration>>>::default());
        let once = move |folder: &Path| {
            let began = Instant::now();
            write(folder);
            began.elapsed()
        };
        took.lock().unwrap().extend((0..100).map(|_| once(&folder)));
        let (stops, tells) = (Arc::clone(&over), Arc::clone(&took));
        let thread = thread::spawn(move || {
            while !stops.load(Ordering::Relaxed) {
                let time = once(&folder);
                tells.lock().unwrap().push(time);
                // So rarely that it is no load of its own.
                thread::sleep(Duration::from_millis(40));
            }
        });
        Self { over, took, thread }
    }

    /// When somebody is killed, in microseconds after the answer: at any time from [`EARLIEST_US`] before it on, as long
    /// as [`LATEST_US`]. Where the bound lies beyond that, as on a busy disk, one in four comes after the bound, so that
    /// there is something to tell of it.
    pub(crate) fn instant(&self, dice: &mut Dice) -> i64 {
        let known = micros(bound(&self.took.lock().unwrap()));
        let [early, late] =
            [EARLIEST_US + LATEST_US, MARGIN_US].map(|span| dice.below(span.unsigned_abs()).cast_signed());
        let is_late = dice.below(4) == 0;
        if is_late && known + MARGIN_US > LATEST_US { known + late } else { early - EARLIEST_US }
    }

    pub(crate) fn end(self) -> Vec<Duration> {
        self.over.store(true, Ordering::Relaxed);
        self.thread.join().unwrap();
        std::mem::take(&mut *self.took.lock().unwrap())
    }
}

/// What the keeper has after an answer, by what plain files took.
pub(crate) fn bound(plain: &[Duration]) -> Duration {
    quantile(plain, 99) * 3
}

pub(crate) fn quantile(times: &[Duration], percent: usize) -> Duration {
    let mut sorted = times.to_vec();
    sorted.sort();
    sorted.get(sorted.len() * percent / 100).copied().unwrap_or_default()
}

pub(crate) fn micros(time: Duration) -> i64 {
    i64::try_from(time.as_micros()).unwrap()
}

fn write(folder: &Path) {
    let (new, name) = (folder.join("plain.new"), folder.join("plain"));
    let mut file = File::create(&new).unwrap();
    file.write_all(&[7; 4096]).unwrap();
    file.sync_all().unwrap();
    fs::rename(&new, &name).unwrap();
    File::open(folder).unwrap().sync_all().unwrap();
}

const EARLIEST_US: i64 = 5_000;
const _: () = assert!(EARLIEST_US < LEAD.as_micros().cast_signed() as i64);

const LATEST_US: i64 = 60_000;

/// So long after the bound.
const MARGIN_US: i64 = 20_000;
