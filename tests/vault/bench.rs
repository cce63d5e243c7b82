//! A vault of its own for a test, and others of the same home, as the next process would have them.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::path::PathBuf;
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use api::VaultKind;
use api::secret::Password;
use keeper::adapters::vault::{News, Stored, Vault, VaultTrouble};
use keeper::config::{Passphrase, VaultSetting};
use session::binding::Bound;
use session::event::Asker;
use session::tokens::{Account, RefreshToken};

pub(crate) struct Bench {
    pub(crate) vault: Vault,
    pub(crate) dir: PathBuf,
    home: String,
    setting: VaultSetting,
    news: Receiver<News>,
}

/// The attributes of the item that holds the key.
pub(crate) const KEY: [(&str, &str); 1] = [("application", "pilotlight")];

pub(crate) const ANSWER: Duration = Duration::from_secs(10);

impl Bench {
    pub(crate) fn new(name: &str) -> Self {
        Self::of("", name)
    }

    pub(crate) fn of(home: &str, name: &str) -> Self {
        let dir = PathBuf::from(env::var_os("HOME").unwrap()).join("state").join(name);
        Self::at(&VaultSetting::default(), home.to_owned(), dir)
    }

    pub(crate) fn again(&self) -> Self {
        Self::at(&self.setting, self.home.clone(), self.dir.clone())
    }

    /// The next process, after a person has changed the setting.
    pub(crate) fn again_as(&self, setting: &VaultSetting) -> Self {
        Self::at(setting, self.home.clone(), self.dir.clone())
    }

    pub(crate) fn at(setting: &VaultSetting, home: String, dir: PathBuf) -> Self {
        let (tell, news) = mpsc::channel();
        let vault = Vault::open(setting, &home, &dir, move |news| tell.send(news).unwrap_or_default());
        Self { vault, dir, home, setting: setting.clone(), news }
    }

    /// The process ends.
    pub(crate) fn close(&mut self) {
        self.vault = Vault::memory();
    }

    /// Somebody signs in.
    pub(crate) fn begin(&self) {
        self.vault.begin(Asker::Person);
    }

    pub(crate) fn unlock(&self) -> Receiver<Result<(), VaultTrouble>> {
        let (tell, told) = mpsc::channel();
        self.vault.unlock(None, move |opened| tell.send(opened).unwrap());
        told
    }

    pub(crate) fn unlock_with(&self, passphrase: &str) -> Result<(), VaultTrouble> {
        let (tell, told) = mpsc::channel();
        let passphrase = Password::new(passphrase.to_owned());
        self.vault.unlock(Some(passphrase), move |opened| tell.send(opened).unwrap());
        told.recv_timeout(ANSWER).unwrap()
    }

    pub(crate) fn has(&self, file: &str) -> bool {
        self.dir.join(file).exists()
    }

    /// Waits until the vault has said it; what it says before that is passed over.
    pub(crate) fn expect(&self, wanted: News) {
        let since = Instant::now();
        while let Ok(news) = self.news.recv_timeout(ANSWER.saturating_sub(since.elapsed())) {
            if news == wanted {
                return;
            }
        }
        panic!("{wanted:?} is not said; its trouble is {:?}", self.vault.trouble());
    }

    /// As [`Self::expect`], and what is not to be said before.
    pub(crate) fn expect_without(&self, wanted: &News, unwanted: &News) {
        let since = Instant::now();
        while let Ok(news) = self.news.recv_timeout(ANSWER.saturating_sub(since.elapsed())) {
            assert_ne!(news, *unwanted);
            if news == *wanted {
                return;
            }
        }
        panic!("{wanted:?} is not said; its trouble is {:?}", self.vault.trouble());
    }

    pub(crate) fn expect_no_more(&self) {
        while self.news.try_recv().is_ok() {}
    }

    /// A session that hears that something may work now tries it at once, and would be told again.
    pub(crate) fn says_nothing(&self) {
        let said = self.news.recv_timeout(Duration::from_millis(500));
        assert!(said.is_err(), "{said:?}");
    }

    pub(crate) fn until(&self, holds: impl Fn() -> bool) {
        let since = Instant::now();
        while !holds() {
            assert!(since.elapsed() < ANSWER, "its trouble is {:?}", self.vault.trouble());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    pub(crate) fn files(&self) -> Vec<PathBuf> {
        let entries: Vec<fs::DirEntry> =
            fs::read_dir(&self.dir).map(|entries| entries.flatten().collect()).unwrap_or_default();
        let paths = entries.iter().map(fs::DirEntry::path);
        paths.filter(|path| path.extension().is_some_and(|extension| extension == "sealed")).collect()
    }

    pub(crate) fn contents(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        self.files().into_iter().map(|file| (file.clone(), fs::read(file).unwrap())).collect()
    }

    pub(crate) fn nothing_shows(&self, text: &str) {
        for entry in fs::read_dir(&self.dir).unwrap() {
            let path = entry.unwrap().path();
            let bytes = fs::read(&path).unwrap();
            assert!(!bytes.windows(text.len()).any(|part| part == text.as_bytes()), "{}", path.display());
        }
    }
}

pub(crate) fn by(kind: VaultKind, passphrase: Passphrase) -> VaultSetting {
    VaultSetting { kind, passphrase }
}

/// A person is asked for it.
pub(crate) fn by_passphrase() -> VaultSetting {
    by(VaultKind::Passphrase, Passphrase::Asked)
}

pub(crate) fn stored(refresh: &str) -> Stored {
    stored_as(refresh, 1)
}

pub(crate) fn stored_as(refresh: &str, generation: u32) -> Stored {
    Stored {
        refresh: RefreshToken::new(refresh),
        bound: Bound { origin: "https://a.example".to_owned(), binding: None },
        account: Account::named("mia"),
        generation,
    }
}

pub(crate) fn load(vault: &Vault, profile: &str) -> Result<Option<Stored>, VaultTrouble> {
    let (tell, told) = mpsc::channel();
    vault.load(profile, move |loaded| tell.send(loaded).unwrap_or_default());
    told.recv_timeout(ANSWER).unwrap()
}

pub(crate) fn save(vault: &Vault, profile: &str, refresh: &str) -> Result<(), VaultTrouble> {
    save_this(vault, profile, stored(refresh))
}

pub(crate) fn save_this(vault: &Vault, profile: &str, stored: Stored) -> Result<(), VaultTrouble> {
    let (tell, told) = mpsc::channel();
    vault.save(profile, stored, move |saved| tell.send(saved).unwrap_or_default());
    told.recv_timeout(ANSWER).unwrap()
}

pub(crate) fn forget(vault: &Vault, profile: &str) -> Result<(), VaultTrouble> {
    let (tell, told) = mpsc::channel();
    vault.forget(profile, move |forgotten| tell.send(forgotten).unwrap());
    told.recv_timeout(ANSWER).unwrap()
}
