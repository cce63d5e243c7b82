//! The sealed files on a disk that loses its power, is full, or breaks, at each step of a rotation: whatever comes back,
//! the old token is there or the new one is, and what was called saved is there.
//!
//! The disk is a file system of the tests (FUSE), which knows what was synced and drops any part of the rest.

// The exemption of tests covers their functions, not their helpers.
#![allow(clippy::unwrap_used)]

#[path = "../vault/bench.rs"]
#[allow(dead_code, reason = "it is there for the tests of the vault, which need all of it")]
mod bench;
#[path = "../vault/desk.rs"]
#[allow(dead_code, reason = "as above")]
mod desk;
#[path = "../crash/dice.rs"]
#[allow(dead_code, reason = "as above")]
mod dice;
mod disk;
mod mount;
#[path = "../private_bus/mod.rs"]
mod private_bus;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::fs::{self, File};
use std::io::{Write as _, stderr};
use std::path::{Path, PathBuf};
use std::process::Command;

use fuser::Errno;
use keeper::adapters::vault::{Stored, VaultTrouble};
use keeper::config::VaultSetting;

use tokio::runtime::Builder;

use bench::{Bench, load, save_this, stored_as};
use desk::on_a_desk;
use dice::Dice;
use disk::{Can, Contents, Disk};
use mount::Mounted;

/// Of the disk itself: it forgets whatever may be forgotten, and nothing else.
#[test]
fn what_was_not_synced_may_be_gone() {
    if !fuse_is_here() {
        return;
    }
    on_a_desk("what_was_not_synced_may_be_gone", |_| {
        let mounted = Mounted::new(&place("careless"), ALL);
        let (file, new) = (mounted.path().join("file"), mounted.path().join("new"));
        for (careful, expected) in [(false, &["", "new", "old"][..]), (true, &["new", "old"])] {
            mounted.becomes(Disk::new(ALL));
            fs::write(&file, "old").unwrap();
            File::open(&file).unwrap().sync_all().unwrap();
            sync_folder(mounted.path());
            let mut written = File::create(&new).unwrap();
            written.write_all(b"new").unwrap();
            if careful {
                written.sync_all().unwrap();
            }
            fs::rename(&new, &file).unwrap();
            let disk = mounted.disk().clone();
            let seen: BTreeSet<_> =
                (0..200).map(|seed| read(&disk.after_a_power_cut(&mut Dice::new(seed)))).collect();
            let without_zeros: Vec<_> = seen.iter().filter(|text| !text.contains('\0')).collect();
            assert_eq!(without_zeros, expected, "careful: {careful}");
            sync_folder(mounted.path());
            File::open(&file).unwrap().sync_all().unwrap();
            let disk = mounted.disk().clone();
            assert!((0..200).all(|seed| read(&disk.after_a_power_cut(&mut Dice::new(seed))) == "new"));
        }
    });
}

/// Row C8.
#[test]
fn after_a_power_cut_at_any_step_the_old_token_or_the_new_one_is_there() {
    if !fuse_is_here() {
        return;
    }
    on_a_desk("after_a_power_cut_at_any_step_the_old_token_or_the_new_one_is_there", |desk| {
        let _keyring = desk.start_keyring();
        for can in WAYS {
            let stage = Stage::new("cut", can);
            let bench = stage.open();
            bench.begin();
            stage.mounted.disk().remember();
            let mut answered = Vec::new();
            // Each is longer or shorter than what was there, or of the same length.
            for (generation, size) in [(1, 10), (2, 10), (3, 5_000), (4, 5_000), (5, 10), (6, 10)] {
                assert_eq!(save_this(&bench.vault, NAME, token(generation, size)), Ok(()));
                answered.push((stage.mounted.disk().steps(), token(generation, size)));
                assert!(loaded(&bench).is_ok());
            }
            drop(bench);
            let past = stage.mounted.disk().past();
            for (step, disk) in past.iter().enumerate() {
                let begun = answered.iter().take_while(|(at, _)| *at <= step).count();
                let old = begun.checked_sub(1).map(|last| &answered[last].1);
                let new = answered.get(begun).map(|(_, token)| token);
                let may_be: Vec<_> = if old.is_none() { vec![None, new] } else { vec![old, new.or(old)] };
                stage.cut(disk, &may_be, &format!("{can:?}, step {step}"));
            }
        }
    });
}

/// Row C8.
/// A full disk, one that lets nobody write, one that breaks for a moment, and one that breaks for good; the next token
/// comes when it is well again, and the power goes while that is saved.
#[test]
fn a_disk_that_fails_at_any_step_costs_no_token() {
    if !fuse_is_here() {
        return;
    }
    on_a_desk("a_disk_that_fails_at_any_step_costs_no_token", |desk| {
        let _keyring = desk.start_keyring();
        for can in [ALL, Can { exchange: false, ..ALL }] {
            let stage = Stage::new("fails", can);
            let bench = stage.open();
            bench.begin();
            for generation in 1..4 {
                assert_eq!(saved(&bench, token(generation, 10)), Ok(()));
            }
            assert_eq!(loaded(&bench), Ok(Some(token(3, 10))));
            drop(bench);
            let sound = stage.mounted.disk().clone();
            let errors =
                [(Errno::EIO, false), (Errno::EIO, true), (Errno::ENOSPC, true), (Errno::EROFS, true)];
            for (errno, for_good) in errors {
                let mut step = 0;
                while stage.fails(&sound, errno, step, for_good) {
                    step += 1;
                }
                assert!(step >= 4, "only {step} steps");
            }
        }
    });
}

/// The room was taken before, so whoever fills the disk meanwhile takes nothing away.
#[test]
fn on_a_disk_that_is_full_tokens_go_on_being_saved() {
    if !fuse_is_here() {
        return;
    }
    on_a_desk("on_a_disk_that_is_full_tokens_go_on_being_saved", |desk| {
        let _keyring = desk.start_keyring();
        for can in WAYS {
            let stage = Stage::new("full", can);
            go_on_without_room(&stage.vault(), || stage.mounted.disk().fill());
        }
        // Where it may be mounted, a real one besides.
        let path = place("tmpfs");
        fs::create_dir_all(&path).unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=256k,mode=700", "tmpfs"]).arg(&path);
        if mount.status().is_ok_and(|status| status.success()) {
            go_on_without_room(&path.join("vault"), || fill(&path.join("others")));
            assert!(Command::new("umount").arg(&path).status().unwrap().success());
        }
    });
}

fn go_on_without_room(vault: &Path, fill: impl Fn()) {
    let bench = Bench::at(&VaultSetting::default(), String::new(), vault.to_owned());
    bench.begin();
    for generation in 1..3 {
        assert_eq!(saved(&bench, token(generation, 10)), Ok(()));
    }
    for generation in 3..9 {
        fill();
        assert_eq!(saved(&bench, token(generation, 10)), Ok(()), "generation {generation}");
    }
    drop(bench);
    assert_eq!(
        loaded(&Bench::at(&VaultSetting::default(), String::new(), vault.to_owned())),
        Ok(Some(token(8, 10)))
    );
}

fn fill(path: &Path) {
    let mut file = File::options().append(true).create(true).open(path).unwrap();
    while file.write_all(&[1; 4096]).is_ok() {}
    while file.write_all(&[1; 1]).is_ok() {}
}

/// A disk with a vault on it.
struct Stage {
    mounted: Mounted,
    /// What a vault has found before, by the files that it looks at.
    found: RefCell<BTreeMap<Contents, Found>>,
    /// Files as they were in memory.
    known: RefCell<BTreeSet<Vec<u8>>>,
}

type Found = Result<Option<Stored>, VaultTrouble>;

impl Stage {
    fn new(name: &str, can: Can) -> Self {
        let name = format!("{name}-{}-{}", can.exchange, can.allocate);
        let mounted = Mounted::new(&place(&name), can);
        // The home was there before.
        fs::create_dir(mounted.path().join("state")).unwrap();
        sync_folder(mounted.path());
        Self { mounted, found: RefCell::default(), known: RefCell::default() }
    }

    fn vault(&self) -> PathBuf {
        self.mounted.path().join("state/vault")
    }

    fn open(&self) -> Bench {
        Bench::at(&VaultSetting::default(), String::new(), self.vault())
    }

    /// Cuts the power of a disk in many ways, and looks at what comes back.
    fn cut(&self, disk: &Disk, may_be: &[Option<&Stored>], when: &str) {
        self.known.borrow_mut().extend(disk.contents().into_values());
        for seed in 0..CUTS {
            let there = self.found(disk.after_a_power_cut(&mut Dice::new(seed)));
            let is_one = there.as_ref().is_ok_and(|there| may_be.contains(&there.as_ref()));
            let generation = there.as_ref().map(|there| there.as_ref().map(|stored| stored.generation));
            assert!(is_one, "{when}, cut {seed}: {generation:?}, not one of {:?}", generations(may_be));
        }
    }

    fn found(&self, disk: Disk) -> Found {
        let mut files = disk.contents();
        // One that was never whole opens like any other such.
        let known = self.known.borrow();
        files
            .iter_mut()
            .filter(|(path, bytes)| path.ends_with(".next") && !known.contains(*bytes))
            .for_each(|(_, bytes)| bytes.clear());
        drop(known);
        if let Some(found) = self.found.borrow().get(&files) {
            return found.clone();
        }
        self.mounted.becomes(disk);
        let found = loaded(&self.open());
        self.found.borrow_mut().insert(files, found.clone());
        found
    }

    /// The fourth token meets a disk that fails from that change on, or only there. Returns whether it came so far.
    fn fails(&self, sound: &Disk, errno: Errno, step: usize, for_good: bool) -> bool {
        let when = format!("{errno:?} at step {step}, for good: {for_good}");
        self.mounted.becomes(sound.clone());
        let bench = self.open();
        assert_eq!(loaded(&bench), Ok(Some(token(3, 10))));
        self.mounted.disk().fail(errno, step..if for_good { usize::MAX } else { step + 1 });
        let was_saved = saved(&bench, token(4, 10));
        let came_so_far = self.mounted.disk().steps() > step;
        self.mounted.disk().mend();
        let (old, new, newest) = (token(3, 10), token(4, 10), token(5, 10));
        let known: Vec<_> = if was_saved.is_ok() { vec![Some(&new)] } else { vec![Some(&old), Some(&new)] };
        let there = loaded(&bench);
        assert!(known.contains(&there.as_ref().unwrap().as_ref()), "{when}: {there:?}");
        let broken = self.mounted.disk().clone();
        // Whether it is this process that goes on, or another.
        for another in [false, true] {
            self.mounted.becomes(broken.clone());
            let opened = another.then(|| self.open());
            let next = opened.as_ref().unwrap_or(&bench);
            assert!(loaded(next).is_ok(), "{when}");
            self.mounted.disk().remember();
            assert_eq!(saved(next, newest.clone()), Ok(()), "{when}");
            let mut past = self.mounted.disk().past();
            drop(opened);
            self.cut(&past.pop().unwrap(), &[Some(&newest)], &format!("{when}, in the end"));
            for (later, disk) in past.iter().enumerate() {
                let may_be: Vec<_> = known.iter().copied().chain([Some(&newest)]).collect();
                self.cut(
                    disk,
                    &may_be,
                    &format!("{when}, then a cut at {later}, another process: {another}"),
                );
            }
        }
        came_so_far
    }
}

/// When this returns, the vault is done with the disk.
fn saved(bench: &Bench, stored: Stored) -> Result<(), VaultTrouble> {
    let saved = save_this(&bench.vault, NAME, stored);
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(bench.vault.make_room(NAME));
    saved
}

/// The same.
fn loaded(bench: &Bench) -> Result<Option<Stored>, VaultTrouble> {
    let loaded = load(&bench.vault, NAME);
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(bench.vault.make_room(NAME));
    loaded
}

fn generations(stored: &[Option<&Stored>]) -> Vec<Option<u32>> {
    stored.iter().map(|stored| stored.map(|stored| stored.generation)).collect()
}

fn token(generation: u32, size: usize) -> Stored {
    stored_as(&format!("rt-{generation}-{}", "x".repeat(size)), generation)
}

fn read(disk: &Disk) -> String {
    let bytes = disk.contents().get("/file").cloned();
    String::from_utf8(bytes.expect("its name was synced")).unwrap()
}

fn sync_folder(path: &Path) {
    File::open(path).unwrap().sync_all().unwrap();
}

/// In the directory of the test, which goes away.
fn place(name: &str) -> PathBuf {
    PathBuf::from(env::var_os("HOME").unwrap()).join(name)
}

const NAME: &str = "work";

const ALL: Can = Can { exchange: true, allocate: true };

/// What file systems can do.
const WAYS: [Can; 3] =
    [ALL, Can { exchange: false, allocate: true }, Can { exchange: true, allocate: false }];

/// In so many ways the power is cut at each step.
const CUTS: u64 = 24;

/// A machine may have no such device, as some containers have none, or keep it for root; then nothing here can be shown
/// on it.
fn fuse_is_here() -> bool {
    let opened = File::options().read(true).write(true).open("/dev/fuse");
    if let Err(error) = &opened {
        // Past what holds back the words of a test that passes.
        let note = format!("note: no power was cut, as there is no /dev/fuse for this user: {error}\n");
        stderr().write_all(note.as_bytes()).unwrap();
    }
    opened.is_ok()
}
