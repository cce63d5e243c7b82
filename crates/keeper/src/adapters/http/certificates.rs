//! Whom to trust: the certificates of this machine, and of the file that a profile names. Both are read again when they
//! are others than before.

use std::collections::HashMap;
use std::error::Error;
use std::fs::{File, Metadata, OpenOptions};
use std::io::Read as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use api::Problem;
use os::files;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use session::bounds;
use session::limits;
use session::patience::Patience;
use session::time::Timestamp;
use tokio::sync::Mutex as Turn;

use super::fault;
use crate::adapters::clock;
use crate::adapters::patience::within;

#[derive(Default)]
pub(super) struct Certificates {
    files: Mutex<HashMap<Option<PathBuf>, Arc<Known>>>,
}

/// Of one file, and of the machine.
#[derive(Default)]
struct Known {
    /// Held by whoever reads, so a disk that hangs holds on to one thread, however often it is asked.
    turn: Arc<Turn<()>>,
    good: Mutex<Option<Good>>,
}

#[derive(Clone)]
struct Good {
    trusted: Arc<Trusted>,
    looked: Timestamp,
}

pub(super) struct Trusted {
    seen: Seen,
    /// Beside those of the machine, which the library reads.
    pub(super) own: Vec<reqwest::Certificate>,
}

#[derive(Debug, PartialEq, Eq)]
struct Seen {
    of_the_machine: Vec<Option<Stamp>>,
    own: Option<Stamp>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    device: u64,
    inode: u64,
    length: u64,
    modified: Option<SystemTime>,
}

pub(super) type Unread = Box<dyn Error + Send + Sync>;

impl Certificates {
    pub(super) async fn newest(
        &self,
        own: Option<&Path>,
        patience: &mut Patience,
    ) -> Result<Arc<Trusted>, Unread> {
        let known = self.known(own);
        let good = known.lock().clone();
        // Every message asks, and these change once in a month.
        if own.is_none()
            && let Some(good) = good.as_ref().filter(|good| clock::now() < good.looked + limits::TRUSTED)
        {
            return Ok(Arc::clone(&good.trusted));
        }
        let (before, path) = (good.map(|good| good.trusted), own.map(Path::to_owned));
        let turn = Arc::clone(&known.turn);
        let reading = async {
            let turn = turn.lock_owned().await;
            let reading = tokio::task::spawn_blocking(move || {
                let read = read(path.as_deref(), before);
                drop(turn);
                read
            });
            reading.await
        };
        let read = within(patience, within(&mut Patience::new(limits::FILE), reading)).await.flatten();
        let trusted = read.map_or_else(|| Err(Unfit::Slow.into()), |ended| ended?)?;
        *known.lock() = Some(Good { trusted: Arc::clone(&trusted), looked: clock::now() });
        Ok(trusted)
    }

    /// What was read last, whatever is there now.
    pub(super) fn last_good(&self, own: Option<&Path>) -> Option<Arc<Trusted>> {
        self.known(own).lock().as_ref().map(|good| Arc::clone(&good.trusted))
    }

    fn known(&self, own: Option<&Path>) -> Arc<Known> {
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        if files.len() >= MOST_FILES {
            // They can be read again.
            files.retain(|_, known| Arc::strong_count(known) > 1);
        }
        Arc::clone(files.entry(own.map(Path::to_owned)).or_default())
    }
}

impl Known {
    fn lock(&self) -> MutexGuard<'_, Option<Good>> {
        self.good.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(super) fn problem(error: &(dyn Error + 'static)) -> Problem {
    match error.downcast_ref::<Unfit>() {
        Some(Unfit::Empty) => Problem::NoCertificate,
        Some(Unfit::Garbled) => Problem::NotACertificate,
        Some(Unfit::NotAFile) => Problem::NotAFile,
        Some(Unfit::Slow) => Problem::FileSlow,
        Some(Unfit::TooLarge) => Problem::TooLarge,
        None => Problem::said(fault::cause(error)),
    }
}

/// Returns what it is given if nothing has changed.
fn read(own: Option<&Path>, before: Option<Arc<Trusted>>) -> Result<Arc<Trusted>, Unread> {
    let of_the_machine = of_the_machine();
    let opened = own.map(open).transpose()?;
    let seen = Seen { of_the_machine, own: opened.as_ref().map(|(_, stamp)| *stamp) };
    if let Some(before) = before.filter(|before| before.seen == seen) {
        return Ok(before);
    }
    let own = opened.map(|(file, _)| certificates(file)).transpose()?.unwrap_or_default();
    Ok(Arc::new(Trusted { seen, own }))
}

/// A folder changes when a certificate in it comes or goes.
fn of_the_machine() -> Vec<Option<Stamp>> {
    let places = openssl_probe::probe();
    let places = places.cert_file.into_iter().chain(places.cert_dir);
    places.map(|place| std::fs::metadata(place).ok().map(|metadata| Stamp::of(&metadata))).collect()
}

fn open(path: &Path) -> Result<(File, Stamp), Unread> {
    let file = files::open(path, OpenOptions::new().read(true)).map_err(|error| {
        if files::is_of_no_file(&error) { Unfit::NotAFile.into() } else { Unread::from(error) }
    })?;
    let metadata = file.metadata()?;
    if metadata.len() > bounds::CERTIFICATES as u64 {
        return Err(Unfit::TooLarge.into());
    }
    Ok((file, Stamp::of(&metadata)))
}

fn certificates(file: File) -> Result<Vec<reqwest::Certificate>, Unread> {
    let mut text = Vec::new();
    file.take(bounds::CERTIFICATES as u64).read_to_end(&mut text)?;
    let mut certificates = Vec::new();
    for der in CertificateDer::pem_slice_iter(&text) {
        let der = der.map_err(|_| Unfit::Garbled)?;
        certificates.push(reqwest::Certificate::from_der(&der)?);
        // The client is made with the others, and would not say which of them it cannot use.
        RootCertStore::empty().add(der).map_err(|_| Unfit::Garbled)?;
    }
    if certificates.is_empty() {
        return Err(Unfit::Empty.into());
    }
    Ok(certificates)
}

impl Stamp {
    fn of(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            length: metadata.len(),
            modified: metadata.modified().ok(),
        }
    }
}

#[derive(Debug, thiserror::Error)]
enum Unfit {
    #[error("there is no certificate in it")]
    Empty,
    #[error("what is in it is no certificate")]
    Garbled,
    #[error("it is no file")]
    NotAFile,
    #[error("it cannot be read in time")]
    Slow,
    #[error("it is too large")]
    TooLarge,
}

const MOST_FILES: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_again_when_it_is_another_one() {
        let dir = std::env::temp_dir().join(format!("pilotlight-ca-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let (path, next) = (dir.join("ca.pem"), dir.join("next.pem"));
        let (one, other) = (certificate("one"), certificate("two"));
        let look = |before: Option<&Arc<Trusted>>| read(Some(&path), before.cloned()).unwrap();
        std::fs::write(&path, &one).unwrap();
        let first = look(None);
        assert_eq!(first.own.len(), 1);
        assert!(Arc::ptr_eq(&look(Some(&first)), &first), "it is the same");
        std::fs::write(&path, format!("{one}\n{other}")).unwrap();
        let longer = look(Some(&first));
        assert_eq!(longer.own.len(), 2);
        std::fs::write(&next, format!("{other}\n{one}")).unwrap();
        std::fs::rename(&next, &path).unwrap();
        assert!(!Arc::ptr_eq(&look(Some(&longer)), &longer), "another of the same length");
        std::fs::remove_dir_all(&dir).unwrap();
    }

    #[test]
    fn what_is_wrong_with_a_file_has_a_name() {
        let dir = std::env::temp_dir().join(format!("pilotlight-wrong-ca-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let good = certificate("one");
        let cut = good.replace("MII", "MIJ");
        let endless = "\n".repeat(bounds::CERTIFICATES + 1);
        for (content, wrong) in [
            (b"\0\x01\xff".as_slice(), Problem::NoCertificate),
            (b"", Problem::NoCertificate),
            (b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", Problem::NoCertificate),
            (b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", Problem::NotACertificate),
            (b"-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n", Problem::NotACertificate),
            (cut.as_bytes(), Problem::NotACertificate),
            (&good.as_bytes()[..100], Problem::NotACertificate),
            (endless.as_bytes(), Problem::TooLarge),
        ] {
            let path = dir.join("ca.pem");
            std::fs::write(&path, content).unwrap();
            let told = read(Some(&path), None).map(|_| ()).unwrap_err();
            assert_eq!(
                problem(&*told),
                wrong,
                "{told:?}: {}",
                String::from_utf8_lossy(&content[..content.len().min(99)])
            );
        }
        assert_eq!(problem(&*read(Some(&dir), None).map(|_| ()).unwrap_err()), Problem::NotAFile);
        std::fs::remove_dir_all(&dir).unwrap();
    }

    /// Whoever asks again meanwhile begins no second reading.
    #[tokio::test]
    async fn a_disk_that_hangs_costs_one_thread_a_file() {
        let certificates = Certificates::default();
        let path = Path::new("/nowhere/ca.pem");
        let hanging = Arc::clone(&certificates.known(Some(path)).turn).lock_owned().await;
        let ask = async |limit| {
            let newest = certificates.newest(Some(path), &mut Patience::new(limit)).await;
            problem(&*newest.map(|_| ()).unwrap_err())
        };
        for _ in 0..3 {
            assert_eq!(ask(std::time::Duration::from_millis(1)).await, Problem::FileSlow);
        }
        drop(hanging);
        assert_ne!(ask(limits::FILE).await, Problem::FileSlow);
    }

    fn certificate(name: &str) -> String {
        rcgen::generate_simple_self_signed(vec![name.to_owned()]).unwrap().cert.pem()
    }
}
