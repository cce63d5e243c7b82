//! What befalls a session and its keyring. Each says what came of it, as a cell of the table.

use std::collections::BTreeMap;
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

use super::gnome::Gnome;
use super::keepassxc::KeePassXc;
use super::keyring::Keyring;
use super::kwallet::KWallet;
use super::life::{Life, Told};
use super::locked::LockedKeePassXc;
use super::stage::{Stage, until};
use super::table::{Column, Situation};

type Cells = BTreeMap<Situation, String>;

/// What there is to see of a keyring; all of it at once, because most of it is waiting.
pub(crate) fn see<K: Keyring>(more: fn() -> Cells) -> Column {
    let (earlier, later) = (&MOMENTS[..MOMENTS.len() / 2], &MOMENTS[MOMENTS.len() / 2..]);
    let cells = thread::scope(|scope| {
        let name = |what: &str| format!("{}{}: {what}", K::NAME, K::HOW);
        let begin = |what: &str, body: Box<dyn FnOnce() -> Cells + Send>| {
            thread::Builder::new().name(name(what)).spawn_scoped(scope, body).unwrap()
        };
        let lives = [
            begin("earlier kills", Box::new(|| rotations_and_kills::<K>(earlier))),
            begin("later kills", Box::new(|| kills::<K>(&mut Life::begun(), later))),
            begin("behind a lock", Box::new(behind_a_lock::<K>)),
            begin("another key", Box::new(another_key::<K>)),
            begin("more", Box::new(more)),
        ];
        // All of them are waited for, so that one failure does not hide another.
        let ended: Vec<_> = lives.into_iter().map(thread::ScopedJoinHandle::join).collect();
        ended.into_iter().flat_map(|seen| seen.expect("its thread is named after it")).collect()
    });
    let version = K::on(Stage::new()).version();
    Column { name: K::NAME, title: format!("{} {version}{}", K::NAME, K::HOW), cells }
}

fn rotations_and_kills<K: Keyring>(moments: &[f64]) -> Cells {
    let mut life = Life::<K>::begun();
    let [key] = life.keyring.items().try_into().unwrap();
    assert_eq!(key.attributes["application"], "pilotlight");
    for _ in 0..30 {
        life.rotate();
        assert_eq!(life.session()["saved"], true);
    }
    let [same] = life.keyring.items().try_into().unwrap();
    assert_eq!((&same.label, &same.secret), (&key.label, &key.secret));
    life.kill_keeper();
    life.start_keeper();
    admit(&life);
    life.goes_on();
    let mut cells = kills(&mut life, moments);
    cells.insert(Situation::Rotations, "saved each time; the keyring is not written to".to_owned());
    cells
}

/// Both are started again, in either order.
fn kills<K: Keyring>(life: &mut Life<K>, moments: &[f64]) -> Cells {
    for (turn, moment) in moments.iter().enumerate() {
        life.rotate();
        sleep(Duration::from_secs_f64(*moment));
        life.kill_keeper();
        life.keyring.kill();
        if turn % 2 == 0 {
            life.keyring.begin();
            life.start_keeper();
        } else {
            life.start_keeper();
            life.keyring.begin();
        }
        admit(life);
        life.goes_on();
    }
    Cells::from([(Situation::Kills, format!("0 of {} lost; it {}", MOMENTS.len(), K::LET_IN))])
}

fn behind_a_lock<K: Keyring>() -> Cells {
    let mut life = Life::<K>::begun();
    let mut cells = Cells::new();
    let mut saw = |situation, what: String| drop(cells.insert(situation, what));

    life.keyring.lock();
    nothing_ends(&life);
    life.keyring.unlock();
    life.goes_on();
    saw(Situation::LockedMeanwhile, "goes on, saved each time; nobody is asked".to_owned());

    start_locked(&mut life);
    let told = shut_out(&life, Told::failed(5, "keyring_locked"));
    life.keyring.unlock();
    admit(&life);
    life.goes_on();
    saw(Situation::Locked, format!("{told}; nobody is asked; once it is open, it {}", K::ONCE_OPEN));

    start_locked(&mut life);
    shut_out(&life, Told::failed(5, "keyring_locked"));
    life.keyring.let_in(|| life.ask());
    life.goes_on();
    let dialogs = if K::NEEDS_ITS_PERSON {
        "its dialogs open, for the password and for access"
    } else {
        "its dialog opens"
    };
    saw(Situation::AskedFor, format!("{dialogs}; then the session goes on"));

    start_locked(&mut life);
    life.sign_in_unkept();
    life.keyring.dismiss();
    for _ in 0..5 {
        life.rotate();
        assert_eq!(life.token().code, Some(0));
    }
    asks_nobody(&life);
    assert_eq!((life.trouble(), &life.session()["saved"]), ("locked".into(), &false.into()));
    life.keyring.let_in(|| life.ask());
    life.until_saved();
    saw(
        Situation::Dismissed,
        "in memory only, and told so; not asked again until a person wants it; then saved".into(),
    );

    life.end_keeper();
    life.keyring.end();
    life.start_keeper();
    let told = shut_out(&life, Told::failed(5, "keyring_absent"));
    life.keyring.begin();
    admit(&life);
    life.goes_on();
    saw(Situation::Late, format!("{told}; once it is there, it {}", K::LET_IN));
    cells
}

fn another_key<K: Keyring>() -> Cells {
    let mut life = Life::<K>::new();
    let mut cells = Cells::new();
    let mut saw = |situation, what: String| drop(cells.insert(situation, what));

    life.start_keeper();
    life.sign_in_unkept();
    assert_eq!(life.trouble(), "absent");
    life.rotate();
    life.keyring.begin();
    if K::BEGINS_LOCKED {
        // Whoever has signed in is perhaps not there any more.
        until("it is found", || (life.trouble() == "locked").then_some(()));
        asks_nobody(&life);
    }
    life.keyring.written(|| {
        life.keyring.open_for_the_first();
        life.until_saved();
    });
    let when = if K::BEGINS_LOCKED { "when it has come and is opened" } else { "when it comes" };
    saw(Situation::Absent, format!("in memory only, and told so; saved {when}"));

    let [key] = life.keyring.items().try_into().unwrap();
    life.keyring.replace();
    life.keyring.written(|| {
        life.keyring.open_for_the_first();
        until("the key is there again", || life.has_noted("key_returned").then_some(()));
    });
    let [same] = life.keyring.items().try_into().unwrap();
    assert_eq!((&same.label, &same.secret), (&key.label, &key.secret));
    life.kill_keeper();
    life.start_keeper();
    admit(&life);
    life.goes_on();
    saw(Situation::Replaced, "gets the key, told as `key_returned`; goes on after a restart too".to_owned());

    life.keyring.delete(KEY);
    until("the session ends", || (life.session()["phase"]["why"] == "key_deleted").then_some(()));
    assert_eq!(life.token(), Told::failed(3, "sign_in_needed"));
    saw(Situation::Deleted, "signed out, told as `key_deleted`".to_owned());

    life.keyring.written(|| {
        assert_eq!(life.sign_in().code, Some(0));
        life.until_saved();
    });
    life.end_keeper();
    life.keyring.delete(KEY);
    life.start_keeper();
    let told = shut_out(&life, Told::failed(3, "sign_in_needed"));
    assert_eq!((life.trouble(), &life.session()["phase"]["why"]), ("gone".into(), &"key_missing".into()));
    assert_eq!(life.sign_in().code, Some(0));
    life.until_saved();
    life.goes_on();
    saw(Situation::DeletedAtRest, format!("{told}, told as `key_missing`; a new sign-in goes on"));
    cells
}

pub(crate) fn of_gnome_keyring() -> Cells {
    let life = killed_young::<Gnome>();
    life.goes_on();
    let told = format!("it {}", Gnome::LET_IN);
    Cells::from([(Situation::KilledYoung, told), (Situation::Closed, NOT_CLOSED.to_owned())])
}

pub(crate) fn of_kwallet() -> Cells {
    let mut life = killed_young::<KWallet>();
    let told = shut_out(&life, Told::failed(3, "sign_in_needed"));
    assert_eq!((life.trouble(), &life.session()["phase"]["why"]), ("garbled".into(), &"key_missing".into()));
    assert_eq!(life.sign_in().code, Some(0));
    life.until_saved();
    // The keeper has the key in memory.
    life.keyring.kill();
    life.keyring.begin();
    until("the key is there again", || life.has_noted("key_returned").then_some(()));
    life.goes_on();
    let told = format!(
        "its item comes back empty: {told}, told as `key_missing`; a keeper that runs writes it again"
    );
    Cells::from([(Situation::KilledYoung, told), (Situation::Closed, NOT_CLOSED.to_owned())])
}

pub(crate) fn of_keepassxc() -> Cells {
    closed(KeePassXc::close_database, KeePassXc::open_database)
}

pub(crate) fn of_locked_keepassxc() -> Cells {
    closed(LockedKeePassXc::close_database, LockedKeePassXc::open_database)
}

fn closed<K: Keyring>(close: fn(&K), open: fn(&K)) -> Cells {
    let mut life = Life::<K>::begun();
    close(&life.keyring);
    nothing_ends(&life);
    life.kill_keeper();
    life.start_keeper();
    let told = shut_out(&life, Told::failed(5, "keyring_empty"));
    life.ask();
    // No other database is made.
    assert_eq!(shut_out(&life, Told::failed(5, "keyring_empty")), told);
    open(&life.keyring);
    life.keyring.let_in(|| life.ask());
    life.goes_on();
    let told =
        format!("goes on; after a restart {told}; once the database is open, it {}", KeePassXc::LET_IN);
    Cells::from([
        (Situation::KilledYoung, "n/a: it writes within half a second".to_owned()),
        (Situation::Closed, told),
    ])
}

fn killed_young<K: Keyring>() -> Life<K> {
    let mut life = Life::<K>::new();
    life.keyring.begin();
    life.start_keeper();
    assert_eq!(life.sign_in().code, Some(0));
    life.until_saved();
    life.kill_keeper();
    life.keyring.kill();
    life.keyring.begin();
    life.start_keeper();
    life
}

/// Some say of everything that is locked or closed that it was deleted, and that is only believed after a while.
pub(crate) fn nothing_ends<K: Keyring>(life: &Life<K>) {
    let since = Instant::now();
    while since.elapsed() < Duration::from_secs(3) {
        life.rotate();
    }
    life.until_saved();
    life.shows_no_dialog();
    assert!(!life.has_noted("needs_login"));
}

/// A machine is told so at once, and asks nobody.
pub(crate) fn shut_out<K: Keyring>(life: &Life<K>, told: Told) -> Told {
    until("the keeper has looked", || (life.token().error == told.error).then_some(()));
    asks_nobody(life);
    assert_eq!(life.token(), told);
    told
}

/// For as long as a dialog may take to come.
fn asks_nobody<K: Keyring>(life: &Life<K>) {
    let since = Instant::now();
    while since.elapsed() < Duration::from_secs(1) {
        life.token();
        life.shows_no_dialog();
    }
}

/// The keeper and the keyring begin anew, and nobody has opened it.
fn start_locked<K: Keyring>(life: &mut Life<K>) {
    life.end_keeper();
    life.keyring.end();
    life.keyring.start_locked();
    life.start_keeper();
}

/// A person does what there is to be done before a keeper that begins anew can read.
pub(crate) fn admit<K: Keyring>(life: &Life<K>) {
    if K::NEEDS_ITS_PERSON {
        life.keyring.let_in(|| life.ask());
    }
}

const NOT_CLOSED: &str = "n/a: as locked";

/// What the item is found by that has the key.
pub(crate) const KEY: &[(&str, &str)] = &[("application", "pilotlight")];

/// In seconds after a rotation. KWallet writes five seconds after the last change.
const MOMENTS: [f64; 12] = [0.05, 0.4, 1.2, 2.5, 4.0, 6.5, 0.1, 0.2, 0.8, 1.8, 5.0, 8.0];
