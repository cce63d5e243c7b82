//! The keyrings that people have, each on a stage of its own: gnome-keyring, KWallet and KeePassXC, the real ones.
//!
//! One test has a session live with each of them and holds the table in `docs/keyrings.md` against what was seen. Most
//! of the others show that the stages are right, as an application sees them that uses the Secret Service by itself.

// The exemption of tests covers their functions, not their helpers.
#![allow(clippy::unwrap_used)]

#[path = "keyrings/gnome.rs"]
mod gnome;
#[path = "keyrings/keepassxc.rs"]
mod keepassxc;
#[path = "keyrings/keyring.rs"]
mod keyring;
#[path = "keyrings/kwallet.rs"]
mod kwallet;
#[path = "keyrings/life.rs"]
mod life;
#[path = "keyrings/locked.rs"]
mod locked;
#[path = "private_bus/mod.rs"]
mod private_bus;
#[path = "programs/mod.rs"]
mod programs;
#[path = "keyrings/provider.rs"]
mod provider;
#[path = "keyrings/screen.rs"]
mod screen;
#[path = "keyrings/service.rs"]
mod service;
#[path = "keyrings/situations.rs"]
mod situations;
#[path = "keyrings/stage.rs"]
mod stage;
#[path = "keyrings/table.rs"]
mod table;
#[path = "keyrings/traps.rs"]
mod traps;

use serde_json::{Value, json};

use gnome::Gnome;
use keepassxc::KeePassXc;
use keyring::Keyring;
use kwallet::KWallet;
use locked::LockedKeePassXc;
use service::{Item, Question, Service};
use situations::see;
use stage::{Stage, until};

#[test]
fn a_session_lives_with_every_keyring_and_the_table_says_how() {
    let columns = std::thread::scope(|scope| {
        let seen = [
            scope.spawn(|| see::<Gnome>(situations::of_gnome_keyring)),
            scope.spawn(|| see::<KWallet>(situations::of_kwallet)),
            scope.spawn(|| see::<KeePassXc>(situations::of_keepassxc)),
            scope.spawn(|| see::<LockedKeePassXc>(situations::of_locked_keepassxc)),
        ];
        seen.map(std::thread::ScopedJoinHandle::join)
    });
    // All of them are waited for, so that one failure does not hide another.
    table::compare(&columns.map(|column| column.expect("what failed is said above")));
}

/// What holds for each keyring, as a test of its own.
macro_rules! for_each {
    ($($name:ident)*) => {
        mod on_gnome_keyring {
            $(#[test] fn $name() { super::$name::<super::Gnome>(); })*
        }
        mod on_kwallet {
            $(#[test] fn $name() { super::$name::<super::KWallet>(); })*
        }
        mod on_keepassxc {
            $(#[test] fn $name() { super::$name::<super::KeePassXc>(); })*
        }
    };
}

for_each! {
    what_is_created_is_there_until_it_is_deleted
    what_is_locked_is_opened_by_its_person
    another_one_has_nothing_of_what_was_there
}

fn what_is_created_is_there_until_it_is_deleted<K: Keyring>() {
    let mut keyring = K::on(Stage::new());
    keyring.start();
    keyring.unlock();
    let application = keyring.service();
    // One after the other: what KeePassXC is told while it writes its file may not get there before the next change.
    for item in [ours("rt-1"), Item::new("another", &[("service", "another")], "of somebody"), ours("rt-2")] {
        create(&application, &item);
        keyring.until_kept(&item);
    }
    assert_eq!(keyring.items().len(), 2);

    keyring.delete(OURS);
    until("it is gone", || (keyring.items().len() == 1).then_some(()));
    assert_eq!(application.search(OURS), []);
    assert_eq!(application.search(&[("service", "another")]).len(), 1);
}

fn what_is_locked_is_opened_by_its_person<K: Keyring>() {
    let mut keyring = K::on(Stage::new());
    keyring.start();
    keyring.unlock();
    let application = keyring.service();
    create(&application, &ours("rt-1"));
    keyring.until_kept(&ours("rt-1"));
    keyring.lock();
    assert!(!application.is_open());

    let question = application.unlock(application.collection().unwrap()).unwrap();
    keyring.dismiss();
    assert!(!question.answer() && !application.is_open());
    let question = application.unlock(application.collection().unwrap()).unwrap();
    keyring.unlock();
    assert!(question.answer() && application.is_open());
    let [item] = application.search(OURS).try_into().unwrap();
    assert_eq!(application.read(&item).as_deref(), Ok("rt-1"));

    keyring.end();
    assert!(!application.is_there());
    keyring.start_locked();
    keyring.unlock();
    assert_kept(&keyring, "rt-1");
}

fn another_one_has_nothing_of_what_was_there<K: Keyring>() {
    let mut keyring = K::on(Stage::new());
    let application = keyring.service();
    assert!(!application.is_there());
    keyring.start();
    keyring.unlock();
    create(&application, &ours("rt-1"));
    keyring.until_kept(&ours("rt-1"));
    keyring.replace();
    keyring.unlock();
    assert!(keyring.items().is_empty());
    assert_eq!(application.search(OURS), []);
}

#[test]
fn what_gnome_keyring_was_told_outlives_it() {
    let mut keyring = Gnome::on(Stage::new());
    keyring.start();
    create(&keyring.service(), &ours("rt-1"));
    keyring.kill();
    keyring.start();
    assert_kept(&keyring, "rt-1");
}

#[test]
fn what_kwallet_was_told_outlives_it_once_it_is_written() {
    let mut keyring = KWallet::on(Stage::new());
    keyring.start();
    assert!(!keyring.service().is_open(), "it says so although it is open");
    keyring.unlock();
    keyring.written(|| create(&keyring.service(), &ours("rt-1")));
    create(&keyring.service(), &ours("rt-2"));
    keyring.kill();
    keyring.start();
    keyring.unlock();
    assert_kept(&keyring, "rt-1");
}

#[test]
fn an_item_that_kwallet_has_lost_is_there_and_empty() {
    let mut keyring = KWallet::on(Stage::new());
    keyring.start();
    keyring.unlock();
    create(&keyring.service(), &ours("rt-1"));
    keyring.kill();
    keyring.start();
    keyring.unlock();
    assert_kept(&keyring, "");
}

#[test]
fn keepassxc_gives_access_by_connection() {
    let mut keyring = KeePassXc::on(Stage::new());
    keyring.start();
    let [first, second, third] = [(); 3].map(|()| keyring.service());
    create(&first, &ours("rt-1"));
    let [item] = second.search(OURS).try_into().unwrap();
    assert_eq!(first.read(&item).as_deref(), Ok("rt-1"));
    assert!(!second.has_access(&item));
    assert_eq!(second.read(&item), Err(IS_LOCKED.to_owned()));

    let question = second.unlock(item.clone()).unwrap();
    keyring.dismiss_access();
    assert!(!question.answer());
    let question = second.unlock(item.clone()).unwrap();
    keyring.allow();
    assert!(question.answer() && second.has_access(&item));
    assert_eq!(second.read(&item).as_deref(), Ok("rt-1"));

    let question = third.unlock(item.clone()).unwrap();
    keyring.deny();
    assert!(!question.answer());
    let question = third.unlock(item.clone()).unwrap();
    assert!(!question.answer(), "and nobody is asked again");
    assert_eq!(third.read(&item), Err(IS_LOCKED.to_owned()));
}

#[test]
fn keepassxc_can_be_set_to_ask_nobody() {
    let mut keyring = KeePassXc::without_questions(Stage::new());
    keyring.start();
    create(&keyring.service(), &ours("rt-1"));
    keyring.until_kept(&ours("rt-1"));
    keyring.kill();
    keyring.start();
    let application = keyring.service();
    let [item] = application.search(OURS).try_into().unwrap();
    assert_eq!(application.read(&item).as_deref(), Ok("rt-1"));
}

#[test]
fn a_keeper_finds_what_is_on_its_stage() {
    let mut keyring = Gnome::on(Stage::new());
    keyring.start();
    let _keeper = keyring.stage().start_keeper("vault = \"keyring\"\n");
    let ran = keyring.stage().pilotlight(&["status", "--json"], "");
    assert!(ran.status.success(), "{ran:?}");
    let status: Value = serde_json::from_slice(&ran.stdout).unwrap();
    assert_eq!(status["vault"], json!({ "kind": "keyring", "trouble": null }));
}

fn create(application: &Service, item: &Item) {
    assert!(application.create(item).as_ref().is_none_or(Question::answer));
}

/// It and nothing else.
fn assert_kept(keyring: &impl Keyring, secret: &str) {
    let items = keyring.items();
    assert!(items.len() == 1 && items[0].is(&ours(secret)), "{items:?}");
}

fn ours(secret: &str) -> Item {
    Item::new("Pilotlight – work", OURS, secret)
}

const OURS: &[(&str, &str)] = &[("service", "pilotlight"), ("username", "work")];

const IS_LOCKED: &str = "org.freedesktop.Secret.Error.IsLocked";
