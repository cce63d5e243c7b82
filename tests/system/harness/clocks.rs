//! Clocks that a test moves under a running keeper, by a small library that the keeper is started with.

use std::fs::{self, File};
use std::os::unix::fs::FileExt as _;
use std::path::PathBuf;

use super::{Keeper, Scratch, library};

/// Two clocks of the keepers that carry it.
pub(crate) struct Clocks(Scratch);

#[derive(Clone, Copy)]
pub(crate) enum Clock {
    Boot,
    Wall,
}

impl Clocks {
    /// Where they are.
    pub(crate) fn new() -> Self {
        let clocks = Self(Scratch::new());
        fs::write(clocks.path(), [0; 16]).unwrap();
        clocks
    }

    /// In the lives that come.
    pub(crate) fn carry(&self, keeper: &mut Keeper) {
        let library = library("clocks", self.0.path());
        keeper.set_env("LD_PRELOAD", library.to_str().unwrap());
        keeper.set_env("PILOTLIGHT_TEST_CLOCKS", self.path().to_str().unwrap());
    }

    /// From where it really is.
    pub(crate) fn move_by(&self, clock: Clock, seconds: i64) {
        let file = File::options().write(true).open(self.path()).unwrap();
        file.write_all_at(&(seconds * 1000).to_ne_bytes(), clock as u64 * 8).unwrap();
    }

    pub(crate) fn is_at(&self, clock: Clock) -> i64 {
        let mut number = [0; 8];
        File::open(self.path()).unwrap().read_exact_at(&mut number, clock as u64 * 8).unwrap();
        i64::from_ne_bytes(number) / 1000
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("clocks")
    }
}
