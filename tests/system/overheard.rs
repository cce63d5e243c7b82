//! What crosses the bus to the keyring, and what does not.

use std::time::Duration;

use api::Code;
use pilotlight_sandbox::Dialect;

use crate::harness::{Bench, Keeper, Keyring, sealed, until};

/// Row E11: an entry that is made to see whether one can be made is another process's at the same time, and is left
/// behind by one that dies. What is written is the key, once, where there is a profile to seal for.
#[test]
fn e11_nothing_is_written_to_see_whether_it_can_be() {
    let bench = Bench::strict(Duration::from_secs(60));
    let keyring = Keyring::start();
    let mut keeper = Keeper::idle(&format!("vault = \"keyring\"\n\n{}", bench.profile(Dialect::NestJs, "")));
    keyring.env().iter().for_each(|(name, value)| keeper.set_env(name, value));
    let mut lives = || {
        let heard = keyring.overhear();
        for _ in 0..3 {
            keeper.spawn();
            until("it has what it needs", || keyring.has_key().then_some(()));
            assert_eq!(keeper.fetch("nestjs", "/aaa").unwrap_err().code, Code::SignInNeeded);
            keeper.run(&["status"]).went_well();
            keeper.run(&["unlock"]).went_well();
            keeper.stop();
        }
        let said = heard.end();
        WRITES.map(|call| said.matches(call).count())
    };
    assert_eq!(lives(), [1, 0, 0, 0]);
    let key = keyring.key();
    assert_eq!(lives(), [0; 4], "it is found again");
    assert_eq!(keyring.key(), key);
}

/// Row C11: a keyring asks, wears, fills up or writes to its disk seconds later, so no refresh may depend on it.
#[test]
fn c11_a_refresh_asks_nothing_of_the_keyring() {
    let bench = Bench::strict(Duration::from_secs(60));
    let keyring = Keyring::start();
    let keeper = Keeper::with_keyring(&bench.profile(Dialect::NestJs, ""), &keyring);
    keeper.login("nestjs");
    let token = || sealed(&keeper, "nestjs", &keyring).map(|record| record["refresh"].clone());
    let before = until("it is saved", token);
    // What follows the first save is a look at the keyring.
    until("twenty refreshes go by in silence", || {
        let heard = keyring.overhear();
        for _ in 0..20 {
            keeper.refresh("nestjs").unwrap();
        }
        assert!(keeper.session("nestjs").saved);
        let said = heard.end();
        assert!(WRITES.iter().all(|call| !said.contains(call)), "a refresh has written to the keyring");
        (!said.contains("org.freedesktop.Secret.")).then_some(())
    });
    assert_ne!(token(), Some(before), "and yet the newest token is kept");
}

const WRITES: [&str; 4] = ["CreateItem", "CreateCollection", "SetSecret", "Delete"];
