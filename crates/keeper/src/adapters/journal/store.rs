use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use api::Entry;
use os::files::{self, FileIdentity};
use rusqlite::{Connection, ErrorCode, OptionalExtension as _, Row, params};
use session::limits;
use session::tokens::RefreshToken;
use sha2::{Digest as _, Sha256};

use super::JournalError;

pub(super) struct Store {
    connection: Connection,
    there: Option<(PathBuf, FileIdentity)>,
}

/// The refresh tokens that were sent, and of which nobody saw what became, as far as a process that has died knew.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InFlight {
    fingerprints: Vec<String>,
    salt: Vec<u8>,
}

impl InFlight {
    /// If only others were sent, this one replaced them, and nothing is in doubt.
    pub fn is_of(&self, token: &RefreshToken) -> bool {
        self.fingerprints.contains(&fingerprint(&self.salt, token.expose()))
    }
}

impl Store {
    pub(super) fn open(path: &Path) -> Result<Self, JournalError> {
        // SQLite would wait for the other end of a FIFO.
        let all = [path.to_owned(), with(path, "-wal"), with(path, "-shm")];
        if all.iter().any(|path| files::is_something_else(path)) {
            return Err(JournalError::NotAFile);
        }
        // The journal tells when somebody works, so it is private. SQLite gives the files beside it the same mode.
        let identity = FileIdentity::of(&files::append(path)?)?;
        Self::of(Connection::open(path)?, Some((path.to_owned(), identity)))
    }

    pub(super) fn memory() -> Result<Self, JournalError> {
        Self::of(Connection::open_in_memory()?, None)
    }

    pub(super) fn stands(&self) -> bool {
        self.there.as_ref().is_none_or(|(path, identity)| identity.stands_at(path))
    }

    pub(super) fn insert(&self, entry: &Entry) -> Result<(), JournalError> {
        let note = serde_json::to_string(&entry.note).map_err(io::Error::from)?;
        self.connection
            .prepare_cached("INSERT INTO entries (id, at_ms, profile, note) VALUES (?1, ?2, ?3, ?4)")?
            .execute(params![entry.id, entry.at_ms, entry.profile, note])?;
        Ok(())
    }

    pub(super) fn read(
        &self,
        profile: Option<&str>,
        before: i64,
        limit: usize,
    ) -> Result<Vec<Entry>, JournalError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let mut statement = self.connection.prepare_cached(
            "SELECT id, at_ms, profile, note FROM entries
             WHERE id < ?1 AND (?3 IS NULL OR profile IS NULL OR profile = ?3) ORDER BY id DESC LIMIT ?2",
        )?;
        let rows = statement.query_map(params![before, limit, profile], entry)?;
        // A kind of note that this version does not know is left out.
        Ok(rows.filter_map(Result::transpose).collect::<Result<_, _>>()?)
    }

    pub(super) fn last_id(&self) -> Result<i64, JournalError> {
        Ok(self.connection.query_row("SELECT coalesce(max(id), 0) FROM entries", (), |row| row.get(0))?)
    }

    pub(super) fn trim(&self, now_ms: i64) -> Result<(), JournalError> {
        let last = self.last_id()?;
        self.connection.prepare_cached(TRIM)?.execute(params![
            last - MOST_ENTRIES,
            last - SPARED,
            now_ms,
            LONGEST_STEP_MS,
            OLDEST_MS
        ])?;
        Ok(())
    }

    pub(super) fn mark(&self, profile: &str, token: &str, at_ms: i64) -> Result<(), JournalError> {
        let fingerprint = fingerprint(&self.salt()?, token);
        self.durably(|connection| {
            connection
                .prepare_cached(
                    "INSERT OR REPLACE INTO marks (profile, fingerprint, at_ms) VALUES (?1, ?2, ?3)",
                )?
                .execute(params![profile, fingerprint, at_ms])?;
            connection.prepare_cached(FEWER_MARKS)?.execute(params![profile, MOST_MARKS])
        })?;
        Ok(())
    }

    pub(super) fn unmark(&self, profile: &str) -> Result<(), JournalError> {
        self.connection.prepare_cached("DELETE FROM marks WHERE profile = ?1")?.execute([profile])?;
        Ok(())
    }

    pub(super) fn marked(&self, profile: &str) -> Result<Option<InFlight>, JournalError> {
        let salt = self.salt()?;
        let mut statement =
            self.connection.prepare_cached("SELECT fingerprint FROM marks WHERE profile = ?1")?;
        let fingerprints =
            statement.query_map([profile], |row| row.get(0))?.collect::<Result<Vec<_>, _>>()?;
        Ok((!fingerprints.is_empty()).then_some(InFlight { fingerprints, salt }))
    }

    pub(super) fn remember(&self, profile: &str, text: &str) -> Result<(), JournalError> {
        self.connection
            .prepare_cached("INSERT OR REPLACE INTO memory (profile, text) VALUES (?1, ?2)")?
            .execute([profile, text])?;
        Ok(())
    }

    pub(super) fn recall(&self, profile: &str) -> Result<Option<String>, JournalError> {
        let mut statement = self.connection.prepare_cached("SELECT text FROM memory WHERE profile = ?1")?;
        Ok(statement.query_row([profile], |row| row.get(0)).optional()?)
    }

    /// Also from the write-ahead log.
    pub(super) fn forget(&self, profile: &str, until: i64) -> Result<(), JournalError> {
        let all = self.connection.unchecked_transaction()?;
        all.execute("DELETE FROM entries WHERE profile = ?1 AND id <= ?2", params![profile, until])?;
        all.execute("DELETE FROM marks WHERE profile = ?1", [profile])?;
        all.execute("DELETE FROM memory WHERE profile = ?1", [profile])?;
        all.commit()?;
        self.fold()
    }

    pub(super) fn fold(&self) -> Result<(), JournalError> {
        Ok(self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", (), |_| Ok(()))?)
    }

    fn of(connection: Connection, there: Option<(PathBuf, FileIdentity)>) -> Result<Self, JournalError> {
        connection.busy_timeout(limits::JOURNAL_BUSY)?;
        let store = Self { connection, there };
        store.be_ours()?;
        Ok(store)
    }

    /// A file of another program is not changed.
    fn be_ours(&self) -> Result<(), JournalError> {
        let number = |sql: &str| self.connection.query_row(sql, (), |row| row.get::<_, i64>(0));
        let version = number("PRAGMA user_version")?;
        if version == 0 && number("SELECT count(*) FROM sqlite_schema")? > 0 {
            return Err(JournalError::Damaged("it has another program's tables".to_owned()));
        }
        if ![0, VERSION].contains(&version) {
            return Err(JournalError::Newer);
        }
        self.connection.execute_batch(SETTINGS)?;
        if version == 0 {
            self.connection.execute_batch(TABLES)?;
        }
        // These tables came later, and earlier versions ignore them.
        self.connection.execute_batch(MEMORY)?;
        self.connection.execute_batch(MARKS)?;
        let found: String = self.connection.query_row("PRAGMA quick_check(1)", (), |row| row.get(0))?;
        if found == "ok" { Ok(()) } else { Err(JournalError::Damaged(found)) }
    }

    /// Waits for the disk. Other writes do not, because the last entries before a power cut may be lost.
    fn durably<T>(&self, act: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, JournalError> {
        self.connection.pragma_update(None, "synchronous", "FULL")?;
        let done = act(&self.connection);
        self.connection.pragma_update(None, "synchronous", "NORMAL")?;
        Ok(done?)
    }

    fn salt(&self) -> Result<Vec<u8>, JournalError> {
        Ok(self.connection.prepare_cached("SELECT salt FROM salt")?.query_row((), |row| row.get(0))?)
    }
}

impl From<rusqlite::Error> for JournalError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Self::Damaged(error.to_string()),
            _ => Self::Sql(error),
        }
    }
}

/// Also what SQLite keeps beside it: the old log would damage the next database.
pub(super) fn move_aside(path: &Path) -> io::Result<PathBuf> {
    let mut number = 1_u32;
    let aside = loop {
        let aside = with(path, &format!(".corrupt-{number}"));
        if !aside.exists() {
            break aside;
        }
        number += 1;
    };
    for ending in ["", "-wal", "-shm"] {
        match fs::rename(with(path, ending), with(&aside, ending)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
    }
    Ok(aside)
}

fn with(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

fn entry(row: &Row<'_>) -> rusqlite::Result<Option<Entry>> {
    let note: String = row.get(3)?;
    let Ok(note) = serde_json::from_str(&note) else { return Ok(None) };
    Ok(Some(Entry { id: row.get(0)?, at_ms: row.get(1)?, profile: row.get(2)?, note }))
}

/// Eight bytes of a hash lead back to no token, and with a random salt in each home no table of them can be prepared.
fn fingerprint(salt: &[u8], token: &str) -> String {
    let hash = Sha256::new().chain_update(salt).chain_update(token).finalize();
    hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

const VERSION: i64 = 1;

/// Weeks of one busy session.
pub(super) const MOST_ENTRIES: i64 = 20_000;

const OLDEST_MS: i64 = 30 * 24 * 3600 * 1000;

/// These have no limit of age.
const SPARED: i64 = 1000;

/// From one entry to the next. A longer one is a clock that was set, or a keeper that did not run: it must not make
/// everything before it old at once.
const LONGEST_STEP_MS: i64 = 24 * 3600 * 1000;

/// An entry is as old as all steps from it until now take together. One that leads back counts for nothing.
const TRIM: &str = "
    WITH
        steps AS (
            SELECT id, min(max(lead(at_ms, 1, ?3) OVER (ORDER BY id) - at_ms, 0), ?4) AS step FROM entries
        ),
        ages AS (SELECT id, sum(step) OVER (ORDER BY id DESC) AS age FROM steps)
    DELETE FROM entries
    WHERE id <= ?1 OR (id <= ?2 AND id <= (SELECT max(id) FROM ages WHERE age > ?5))
";

/// A commit waits for no disk. A power cut may cost the last entries, but does not damage the file.
const SETTINGS: &str = "
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = NORMAL;
    PRAGMA journal_size_limit = 1048576;
    PRAGMA temp_store = MEMORY;
    PRAGMA secure_delete = ON;
";

const TABLES: &str = "
    BEGIN IMMEDIATE;
    CREATE TABLE entries (id INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL, profile TEXT, note TEXT NOT NULL);
    CREATE INDEX entries_of_profile ON entries (profile, id);
    CREATE TABLE in_flight (profile TEXT PRIMARY KEY, fingerprint TEXT NOT NULL, at_ms INTEGER NOT NULL);
    CREATE TABLE salt (salt BLOB NOT NULL);
    INSERT INTO salt VALUES (randomblob(16));
    PRAGMA user_version = 1;
    COMMIT;
";

const MEMORY: &str = "CREATE TABLE IF NOT EXISTS memory (profile TEXT PRIMARY KEY, text TEXT NOT NULL)";

/// An earlier version knew one mark a profile, which it may have left behind.
const MARKS: &str = "
    BEGIN IMMEDIATE;
    CREATE TABLE IF NOT EXISTS marks
        (profile TEXT NOT NULL, fingerprint TEXT NOT NULL, at_ms INTEGER NOT NULL, PRIMARY KEY (profile, fingerprint));
    INSERT OR IGNORE INTO marks SELECT profile, fingerprint, at_ms FROM in_flight;
    DELETE FROM in_flight;
    COMMIT;
";

/// Of a session that cannot be saved. The vault has the first of them, or one that is being saved.
const MOST_MARKS: i64 = 64;

const FEWER_MARKS: &str = "
    DELETE FROM marks WHERE profile = ?1
        AND rowid NOT IN (SELECT rowid FROM marks WHERE profile = ?1 ORDER BY rowid DESC LIMIT ?2)
        AND rowid != (SELECT min(rowid) FROM marks WHERE profile = ?1)
";

#[cfg(test)]
mod tests {
    use super::*;
    use session::note::Note;

    impl Store {
        pub(crate) fn fill_up(&self) -> Result<(), JournalError> {
            let pages: i64 = self.connection.query_row("PRAGMA page_count", (), |row| row.get(0))?;
            self.limit(pages)
        }

        pub(crate) fn make_room(&self) -> Result<(), JournalError> {
            self.limit(1 << 20)
        }

        fn limit(&self, pages: i64) -> Result<(), JournalError> {
            Ok(self.connection.query_row(&format!("PRAGMA max_page_count = {pages}"), (), |_| Ok(()))?)
        }
    }

    #[test]
    fn a_mark_of_an_earlier_version_counts() {
        let store = Store::memory().unwrap();
        store.mark("work", "rt", 1).unwrap();
        store
            .connection
            .execute_batch("INSERT INTO in_flight SELECT * FROM marks; DROP TABLE marks")
            .unwrap();
        store.be_ours().unwrap();
        assert!(store.marked("work").unwrap().unwrap().is_of(&RefreshToken::new("rt")));
        store.unmark("work").unwrap();
        store.be_ours().unwrap();
        assert_eq!(store.marked("work").unwrap(), None, "it is not taken over twice");
    }

    #[test]
    fn marks_are_few_and_the_first_stays() {
        let store = Store::memory().unwrap();
        for n in 0..200 {
            store.mark("work", &format!("rt-{n}"), n).unwrap();
        }
        let marked = store.marked("work").unwrap().unwrap();
        assert_eq!(marked.fingerprints.len(), 65);
        for (n, known) in [(0, true), (1, false), (135, false), (136, true), (199, true)] {
            assert_eq!(marked.is_of(&RefreshToken::new(format!("rt-{n}"))), known, "{n}");
        }
    }

    #[test]
    fn the_newest_are_kept() {
        let store = Store::memory().unwrap();
        for id in [1, 2, 3, MOST_ENTRIES + 1, MOST_ENTRIES + 2] {
            insert(&store, id, NOW);
        }
        store.trim(NOW).unwrap();
        assert_eq!(ids(&store), [MOST_ENTRIES + 2, MOST_ENTRIES + 1, 3]);
    }

    #[test]
    fn what_is_old_goes_but_never_everything() {
        let store = days(31);
        store.trim(NOW).unwrap();
        assert_eq!(ids(&store), (0..=30).rev().collect::<Vec<_>>(), "as much is spared");
        insert(&store, 30 + SPARED, NOW + 1);
        store.trim(NOW + 1).unwrap();
        assert_eq!(ids(&store).last(), Some(&1), "one is older than thirty days");
        insert(&store, 40 + SPARED, NOW + 2);
        store.trim(NOW + 40 * LONGEST_STEP_MS).unwrap();
        assert_eq!(ids(&store).last(), Some(&2), "what was not lived through is a day");
    }

    /// Row A6: years ahead, then back again, and the other way round.
    #[test]
    fn a_clock_that_is_years_off_makes_nothing_old() {
        let years = 10 * 365 * LONGEST_STEP_MS;
        for first in [years, -years] {
            let store = days(20);
            for (n, at) in [first, first + 1, 0, 1, first, 0].into_iter().enumerate() {
                insert(&store, SPARED + 100 + n as i64, NOW + at);
                store.trim(NOW + at).unwrap();
            }
            assert_eq!(ids(&store).len(), 20 + 6, "{first}");
        }
    }

    #[test]
    fn a_note_of_another_version_is_left_out() {
        let store = Store::memory().unwrap();
        insert(&store, 1, NOW);
        store
            .connection
            .execute("INSERT INTO entries VALUES (2, 0, NULL, '{\"kind\":\"levitated\"}')", ())
            .unwrap();
        insert(&store, 3, NOW);
        assert_eq!(ids(&store), [3, 1]);
    }

    #[test]
    fn a_fingerprint_depends_on_the_home() {
        let (one, other) = (Store::memory().unwrap(), Store::memory().unwrap());
        for store in [&one, &other] {
            store.mark("work", "token", NOW).unwrap();
        }
        let (one, other) = (one.marked("work").unwrap().unwrap(), other.marked("work").unwrap().unwrap());
        assert_ne!(one.fingerprints, other.fingerprints);
        assert_eq!(one.fingerprints[0].len(), 16);
        assert!(one.is_of(&RefreshToken::new("token")) && other.is_of(&RefreshToken::new("token")));
        assert!(!one.is_of(&RefreshToken::new("Token")));
    }

    #[test]
    fn a_mark_waits_for_the_disk_and_entries_do_not() {
        const NORMAL: i64 = 1;
        const FULL: i64 = 2;
        let level = |connection: &Connection| {
            connection.query_row("PRAGMA synchronous", (), |row| row.get::<_, i64>(0))
        };
        let store = Store::memory().unwrap();
        assert_eq!(level(&store.connection).unwrap(), NORMAL);
        assert_eq!(store.durably(level).unwrap(), FULL);
        assert!(store.durably(|_| Err::<(), _>(rusqlite::Error::InvalidQuery)).is_err());
        assert_eq!(level(&store.connection).unwrap(), NORMAL);
    }

    fn insert(store: &Store, id: i64, at_ms: i64) {
        store.insert(&Entry { id, at_ms, profile: None, note: Note::Saved }).unwrap();
    }

    /// One entry a day until now, numbered from zero.
    fn days(count: i64) -> Store {
        let store = Store::memory().unwrap();
        for id in 0..count {
            insert(&store, id, NOW - (count - 1 - id) * LONGEST_STEP_MS);
        }
        store
    }

    fn ids(store: &Store) -> Vec<i64> {
        store.read(None, i64::MAX, 100).unwrap().iter().map(|entry| entry.id).collect()
    }

    const NOW: i64 = 1_800_000_000_000;
}
