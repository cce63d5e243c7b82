//! What a run has shown, in tables for a terminal and for `docs/reliability.md`.

use std::fmt::{self, Display, Formatter, Write as _};
use std::path::PathBuf;
use std::time::Duration;

use crate::law::Law;
use crate::saboteur::Bug;
use crate::world::World;

#[derive(Default)]
pub(crate) struct Lived {
    pub(crate) schedules: u64,
    pub(crate) steps: u64,
    /// In milliseconds.
    pub(crate) awake: u64,
    pub(crate) broken: Vec<(u64, World, Law, String)>,
}

pub(crate) struct Report {
    pub(crate) most: u64,
    pub(crate) lived: Lived,
    /// Of how many seeds, and in how many of them each bug was caught.
    pub(crate) bugs: Option<(u64, Vec<Caught>)>,
    pub(crate) took: Duration,
}

type Caught = (Bug, &'static [Law], usize);

impl Lived {
    pub(crate) fn and(mut self, mut other: Self) -> Self {
        self.schedules += other.schedules;
        self.steps += other.steps;
        self.awake += other.awake;
        self.broken.append(&mut other.broken);
        self.broken.sort_by_key(|(seed, ..)| *seed);
        self
    }
}

impl Report {
    /// In place of the tables that are there.
    pub(crate) fn write(&self) {
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/reliability.md");
        let text = std::fs::read_to_string(&path).expect("docs/reliability.md can be read");
        let (before, rest) = text.split_once(BEGIN).expect("it has a place for the tables");
        let (_, after) = rest.split_once(END).expect("the tables have an end");
        let text = format!("{before}{BEGIN}\n\n{self}{END}{after}");
        std::fs::write(&path, text).expect("docs/reliability.md can be written");
    }
}

impl Display for Report {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Lived { schedules, steps, awake, broken } = &self.lived;
        writeln!(
            f,
            "| schedules | steps, at most {} each | days, in which the machine was awake | laws broken |",
            self.most
        )?;
        writeln!(f, "|---|---|---|---|")?;
        writeln!(f, "| {schedules} | {steps} | {} | {} |\n", awake / 86_400_000, broken.len())?;
        writeln!(f, "It took {} s.\n", self.took.as_secs())?;
        let Some((seeds, bugs)) = &self.bugs else { return Ok(()) };
        writeln!(f, "| planted bug | caught in, of {seeds} | by one of these laws |")?;
        writeln!(f, "|---|---|---|")?;
        for (bug, laws, caught) in bugs {
            let mut names = String::new();
            for law in *laws {
                write!(names, "{}`{law:?}`", if names.is_empty() { "" } else { ", " })?;
            }
            writeln!(f, "| `{bug:?}` | {caught} | {names} |")?;
        }
        Ok(())
    }
}

const BEGIN: &str = "<!-- simulated: written by tests/simulation/report.rs -->";
const END: &str = "<!-- end of what was simulated -->";
