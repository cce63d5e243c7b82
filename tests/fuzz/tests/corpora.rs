//! Every input in the corpora, and seeded mutations of it, go through the same properties as under the fuzzer.

#![allow(clippy::unwrap_used)]

#[path = "corpora/mutations.rs"]
mod mutations;
mod processor;

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::Duration;

use pilotlight_fuzz::{CANARY, TARGETS};

use mutations::Dice;

#[test]
fn what_is_in_the_corpora_holds() {
    let mut failed = Vec::new();
    for (target, hold) in TARGETS {
        let inputs = corpus(target);
        assert!(inputs.len() >= 10, "{target}: only {} inputs", inputs.len());
        for (path, input) in inputs {
            if catch_unwind(AssertUnwindSafe(|| hold(&input))).is_err() {
                failed.push(path);
            }
        }
    }
    assert!(failed.is_empty(), "{failed:#?}");
}

/// The seed is fixed, so that the same mutations come each time, as many as there is time of the processor for.
#[test]
fn mutations_of_the_corpora_hold() {
    for (target, hold) in TARGETS {
        let inputs: Vec<_> = corpus(target).into_iter().map(|(_, input)| input).collect();
        let (mut dice, begun, mut count) = (Dice::new(SEED), processor::time(), 0);
        while processor::time() - begun < PATIENCE {
            let input = dice.mutation(&inputs);
            if catch_unwind(AssertUnwindSafe(|| hold(&input))).is_err() {
                panic!("{target}: {}", kept(target, &input).display());
            }
            count += 1;
        }
        println!("{target}: {count} mutations of {} inputs", inputs.len());
        assert!(count > 20, "{target}: only {count} mutations");
    }
}

/// As small as what a person reads. What a fuzzer finds comes in with `tests/fuzz/run.sh minimise`.
#[test]
fn the_corpora_are_small() {
    for (target, _) in TARGETS {
        let inputs = corpus(target);
        let bytes: usize = inputs.iter().map(|(_, input)| input.len()).sum();
        assert!(
            inputs.len() <= 200 && bytes <= 300 << 10,
            "{target}: {} inputs, {bytes} bytes",
            inputs.len()
        );
    }
}

/// A property about secrets is one only where there are any.
#[test]
fn there_are_secrets_to_be_told() {
    for target in ["answers", "config", "frame", "loopback", "recipe", "sealed", "token_answer"] {
        let has_one = |(_, input): &(PathBuf, Vec<u8>)| String::from_utf8_lossy(input).contains(CANARY);
        assert!(corpus(target).iter().any(has_one), "{target}");
    }
}

/// A target that is in one list alone would be run by nobody.
#[test]
fn every_target_has_its_program() {
    let manifest = include_str!("../Cargo.toml");
    let programs = manifest.matches("[[bin]]").count();
    assert_eq!(programs, TARGETS.len());
    for (target, _) in TARGETS {
        let source = fs::read_to_string(root().join(format!("fuzz_targets/{target}.rs"))).unwrap();
        assert!(source.contains(&format!("pilotlight_fuzz::{target}::hold(input)")), "{source}");
        assert!(manifest.contains(&format!("name = \"{target}\"")), "{target}");
    }
}

fn corpus(target: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let entries = fs::read_dir(root().join("corpus").join(target)).unwrap();
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.into_iter().map(|path| (path.clone(), fs::read(path).unwrap())).collect()
}

/// Where the input can be found that does not hold.
fn kept(target: &str, input: &[u8]) -> PathBuf {
    let path = std::env::temp_dir().join(format!("pilotlight-fuzz-{target}"));
    fs::write(&path, input).unwrap();
    path
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

const SEED: u64 = 20_261_128;

/// For one target.
const PATIENCE: Duration = Duration::from_millis(500);
