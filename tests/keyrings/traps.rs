//! What is so with one of them alone, and has ended sessions or asked people for nothing.

use std::fs;

use super::create;
use super::keepassxc::KeePassXc;
use super::keyring::Keyring;
use super::kwallet::KWallet;
use super::life::{Life, Told};
use super::service::Item;
use super::situations::{KEY, admit, nothing_ends, shut_out};
use super::stage::{Stage, until};

#[test]
fn a_wallet_that_the_login_opens_late_is_found_open() {
    let mut life = Life::<KWallet>::begun();
    life.end_keeper();
    life.keyring.end();
    life.keyring.start_locked();
    life.start_keeper();
    shut_out(&life, Told::failed(5, "keyring_locked"));
    life.keyring.open_by_the_login();
    life.goes_on();
}

#[test]
fn a_database_that_is_locked_beside_an_open_one_has_lost_nothing() {
    let mut life = Life::<KeePassXc>::of(KeePassXc::with_two(Stage::new()));
    life.keyring.begin();
    life.start_keeper();
    life.first_sign_in();
    until("the key is kept in what is in front", || {
        (life.keyring.items_of_the_other().len() == 1).then_some(())
    });
    life.keyring.lock();
    nothing_ends(&life);
    life.keyring.put_the_first_in_front();
    life.keyring.lock();
    life.keyring.unlock();
    nothing_ends(&life);
    assert!(life.keyring.items().is_empty(), "it is not put where it was not");
    life.kill_keeper();
    life.start_keeper();
    shut_out(&life, Told::failed(5, "keyring_locked"));
    life.keyring.let_in(|| life.ask());
    life.goes_on();
    assert!(life.keyring.items().is_empty());
}

#[test]
fn what_keepassxc_was_told_to_deny_is_told_and_asked_again_by_the_next_keeper() {
    let mut life = Life::<KeePassXc>::begun();
    life.kill_keeper();
    life.start_keeper();
    shut_out(&life, Told::failed(5, "keyring_forbids"));
    life.ask();
    life.keyring.deny();
    for _ in 0..3 {
        life.ask();
        shut_out(&life, Told::failed(5, "keyring_forbids"));
    }
    life.kill_keeper();
    life.start_keeper();
    admit(&life);
    life.goes_on();
}

/// It was kept for another server, and is told to be so.
#[test]
fn what_older_versions_kept_in_keepassxc_is_moved_once_it_may_be_read() {
    let mut life = Life::<KeePassXc>::new();
    life.keyring.begin();
    life.start_keeper();
    until("the key is made", || (life.keyring.items().len() == 1).then_some(()));
    let home = life.keyring.items()[0].attributes["home"].clone();
    life.end_keeper();
    life.keyring.delete(KEY);
    fs::remove_dir_all(life.keyring.stage().path("home/vault")).unwrap();
    let user = format!("{home}/work");
    let attributes = [("service", "pilotlight"), ("username", user.as_str())];
    create(&life.keyring.service(), &Item::new("Pilotlight – work", &attributes, OLDER));

    life.start_keeper();
    shut_out(&life, Told::failed(5, "keyring_forbids"));
    life.keyring.let_in(|| life.ask());
    until("it is moved", || life.has_noted("moved").then_some(()));
    until("it is for another server", || (life.session()["phase"]["why"] == "elsewhere").then_some(()));
}

/// `{"v":1,"refresh":"rt-1","origin":"https://a.example","user":"mia","saved_at":7}`
const OLDER: &str = "1.eyJ2IjoxLCJyZWZyZXNoIjoicnQtMSIsIm9yaWdpbiI6Imh0dHBzOi8vYS5leGFtcGxlIiwidXNlciI6Im1pYSIsInNhdmVkX2F0Ijo3fQ";
