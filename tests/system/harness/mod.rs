//! What every test here needs: homes, keepers, sandboxes, keyrings and servers, all gone at the end of the test, also
//! when it panics.

mod apart;
mod authority;
mod bench;
mod browser;
mod clocks;
mod command;
mod door;
mod ear;
mod front;
mod hostile;
mod issuer;
mod keyring;
mod listen;
mod oauth;
mod preload;
mod process;
mod say;
mod sealed;
mod server;
mod signer;
mod systemd;
mod wire;
mod witness;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use api::{Failure, Fetched, Note, Reply, Token};

pub(crate) use apart::{divides, in_a_network_of_its_own, ip};
pub(crate) use authority::{Authority, Identity};
pub(crate) use bench::{Bench, meet, profile};
pub(crate) use browser::{Browser, Page, Person};
pub(crate) use clocks::{Clock, Clocks};
pub(crate) use command::{Ran, Running};
pub(crate) use door::Door;
pub(crate) use ear::Ear;
pub(crate) use front::{Face, Front, Lets};
pub(crate) use hostile::{Act, Hostile, forever, say, times};
pub(crate) use issuer::{Issuer, OPENID, merged, now};
pub(crate) use keyring::Keyring;
pub(crate) use oauth::{SECRET, by_hand};
pub(crate) use preload::library;
pub(crate) use process::{Keeper, PROGRAM, sign_in};
pub(crate) use say::{Given, Mangled, Say, can_be_read};
pub(crate) use sealed::sealed;
pub(crate) use server::Server;
pub(crate) use signer::Forged;
pub(crate) use systemd::Systemd;
pub(crate) use wire::{Wire, best_effort, fetch, post, token};
pub(crate) use witness::Witness;

/// A directory for as long as the test lasts.
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let dir = std::env::temp_dir().join(format!("pilotlight-system-{}-{number}", std::process::id()));
        drop(fs::remove_dir_all(&dir));
        make_dir(&dir, 0o700);
        Self(dir)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

fn make_dir(dir: &Path, mode: u32) {
    fs::create_dir_all(dir).unwrap();
    fs::set_permissions(dir, fs::Permissions::from_mode(mode)).unwrap();
}

/// Waits until `look` finds something, and fails the test when it does not in time.
pub(crate) fn until<T>(what: &str, look: impl FnMut() -> Option<T>) -> T {
    within(PATIENCE, what, look)
}

/// As [`until`], for what takes its time.
pub(crate) fn within<T>(patience: Duration, what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + patience;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < deadline, "in vain: {what}");
        thread::sleep(Duration::from_millis(3));
    }
}

/// Held by a test that lives with many real servers at once. Two of those at a time would be more than two cores have
/// to give before tokens that live for two seconds come to their end.
pub(crate) fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    // Whoever had it before may have failed, which is no reason to fail as well.
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs `work` on as many threads as there are `inputs`, and brings the outcomes in their order.
pub(crate) fn at_once<I: Send, O: Send>(inputs: Vec<I>, work: impl Fn(I) -> O + Sync) -> Vec<O> {
    thread::scope(|scope| {
        let work = &work;
        let threads: Vec<_> = inputs.into_iter().map(|input| scope.spawn(move || work(input))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

pub(crate) fn fetched(reply: Result<Reply, Failure>) -> Result<Fetched, Failure> {
    reply.map(|reply| {
        let Reply::Fetched(fetched) = reply else { panic!("{reply:?}") };
        fetched
    })
}

pub(crate) fn given(reply: Result<Reply, Failure>) -> Result<Token, Failure> {
    reply.map(|reply| {
        let Reply::Token(token) = reply else { panic!("{reply:?}") };
        token
    })
}

/// The kind of a note, as it stands in the journal.
pub(crate) fn kind(note: &Note) -> String {
    serde_json::to_value(note).unwrap()["kind"].as_str().unwrap().to_owned()
}

/// Longer than anything takes on a busy machine with two cores.
const PATIENCE: Duration = Duration::from_secs(20);
