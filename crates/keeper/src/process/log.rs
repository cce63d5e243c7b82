//! The log of a face's keeper is a file of bounded size and the one before it; otherwise it is standard error. A thread
//! writes it and drops what it cannot take (the file says how much), so no disk or terminal holds up the keeper.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use session::limits;
use tracing_subscriber::fmt::MakeWriter;

use os::files::{self, FileIdentity};

#[derive(Clone)]
pub(super) struct Log {
    lines: SyncSender<Line>,
    lost: Arc<AtomicU64>,
}

enum Line {
    Here(SyncSender<()>),
    Text(Vec<u8>),
}

impl Log {
    /// Fails if no thread can be started. Errors of the file only cost lines.
    pub(super) fn to_file(path: PathBuf) -> io::Result<Self> {
        let lost = Arc::new(AtomicU64::new(0));
        let mut pages = Pages { path, page: None, lost: Arc::clone(&lost) };
        Self::start(lost, move |line| pages.put(line))
    }

    pub(super) fn to_stderr() -> io::Result<Self> {
        // A terminal that is gone does not come back, so lost lines are not counted.
        Self::start(Arc::default(), |line| drop(io::stderr().write_all(line)))
    }

    fn start(lost: Arc<AtomicU64>, mut put: impl FnMut(&[u8]) + Send + 'static) -> io::Result<Self> {
        let (lines, to_write): (_, Receiver<Line>) = sync_channel(MOST_UNWRITTEN);
        thread::Builder::new().name("log".into()).spawn(move || {
            for line in to_write {
                match line {
                    Line::Here(tell) => drop(tell.send(())),
                    Line::Text(text) => put(&text),
                }
            }
        })?;
        Ok(Self { lines, lost })
    }

    pub(super) fn flush(&self) {
        let (tell, told) = sync_channel(1);
        if self.lines.try_send(Line::Here(tell)).is_ok() {
            told.recv_timeout(limits::FLUSH).ok();
        }
    }
}

impl Write for Log {
    /// It takes whole lines and never fails.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if self.lines.try_send(Line::Text(line.to_owned())).is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

struct Pages {
    path: PathBuf,
    page: Option<Page>,
    lost: Arc<AtomicU64>,
}

struct Page {
    file: File,
    identity: FileIdentity,
    size: u64,
}

impl Pages {
    fn put(&mut self, line: &[u8]) {
        let missing = self.lost.swap(0, Ordering::Relaxed);
        if self.write(line, missing).is_err() {
            // A part of the line may be there. The next text begins with a line break.
            self.page = None;
            self.lost.fetch_add(missing + 1, Ordering::Relaxed);
        }
    }

    fn write(&mut self, line: &[u8], missing: u64) -> io::Result<()> {
        let mut text = Vec::with_capacity(line.len());
        if missing > 0 {
            writeln!(text, "\n({missing} lines could not be written here)")?;
        }
        text.extend_from_slice(line);
        let page = self.page_for(text.len() as u64)?;
        page.file.write_all(&text)?;
        page.size += text.len() as u64;
        Ok(())
    }

    /// The file may have been deleted.
    fn page_for(&mut self, more: u64) -> io::Result<&mut Page> {
        let path = &self.path;
        let mut page = match self.page.take().filter(|page| page.identity.stands_at(path)) {
            Some(page) => page,
            None => Page::open(path)?,
        };
        if page.size > 0 && page.size + more > LARGEST {
            let mut older = path.clone().into_os_string();
            older.push(".1");
            fs::rename(path, older)?;
            page = Page::open(path)?;
        }
        Ok(self.page.insert(page))
    }
}

impl Page {
    fn open(path: &Path) -> io::Result<Self> {
        let file = files::append(path)?;
        let (identity, size) = (FileIdentity::of(&file)?, file.metadata()?.len());
        Ok(Self { file, identity, size })
    }
}

/// Months at the usual level.
const LARGEST: u64 = 1 << 20;

/// More than is logged while a disk is slow.
const MOST_UNWRITTEN: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn it_stays_small_and_this_users_own() {
        let path = scratch("small");
        fs::write(&path, "from the life before\n").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        let line = [b"x".repeat(1023), b"\n".to_vec()].concat();
        let mut pages = pages(&path);
        for _ in 0..3000 {
            pages.put(&line);
        }
        pages.put(b"the last words\n");
        assert!(fs::read_to_string(&path).unwrap().ends_with("x\nthe last words\n"));
        let of = |path: &Path| fs::metadata(path).unwrap();
        for path in [path.clone(), path.with_extension("log.1")] {
            assert!(of(&path).len() <= LARGEST, "{}", path.display());
            assert_eq!(of(&path).permissions().mode() & 0o777, 0o600, "{}", path.display());
        }
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 2);
    }

    #[test]
    fn what_could_not_be_written_is_counted_and_the_count_is_written() {
        let path = scratch("lost");
        fs::create_dir(&path).unwrap();
        let mut pages = pages(&path);
        pages.put(b"one\n");
        pages.put(b"two\n");
        fs::remove_dir(&path).unwrap();
        pages.put(b"three\n");
        pages.put(b"four\n");
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(text, "\n(2 lines could not be written here)\nthree\nfour\n");
    }

    #[test]
    fn a_file_that_was_taken_away_is_begun_again() {
        let path = scratch("away");
        let mut pages = pages(&path);
        pages.put(b"one\n");
        fs::remove_file(&path).unwrap();
        pages.put(b"two\n");
        assert_eq!(fs::read_to_string(&path).unwrap(), "two\n");
    }

    #[test]
    fn what_was_said_is_there_once_it_is_flushed() {
        let path = scratch("flushed");
        let mut log = Log::to_file(path.clone()).unwrap();
        for n in 0..100 {
            log.write_all(format!("line {n}\n").as_bytes()).unwrap();
        }
        Log::flush(&log);
        assert_eq!(fs::read_to_string(&path).unwrap().lines().count(), 100);
    }

    fn pages(path: &Path) -> Pages {
        Pages { path: path.to_owned(), page: None, lost: Arc::default() }
    }

    fn scratch(name: &str) -> PathBuf {
        let dir = std::env::temp_dir().join(format!("pilotlight-log-{}-{name}", std::process::id()));
        drop(fs::remove_dir_all(&dir));
        fs::create_dir_all(&dir).unwrap();
        dir.join("keeper.log")
    }
}
