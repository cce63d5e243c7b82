//! What the run has shown, in tables for a terminal and for `docs/reliability.md`.

use std::fmt::{self, Display, Formatter, Write as _};
use std::fs;
use std::time::Duration;

use api::Lost;

use crate::disk::{bound, micros, quantile};
use crate::lane::{House, Kill, Plan, Seen, When};
use crate::peers::{Fall, Peer, root};

pub(crate) struct Report {
    pub(crate) seed: u64,
    pub(crate) took: Duration,
    pub(crate) lanes: usize,
    pub(crate) ours: Vec<(Plan, Seen)>,
    pub(crate) theirs: Vec<(Peer, Vec<Fall>)>,
    /// What plain files took.
    pub(crate) plain: Vec<Duration>,
}

/// One line of a table of kills: how many there were at each distance, and how many of them lost the session.
#[derive(Default)]
struct Row {
    kills: u32,
    early: [u32; 2],
    close: [u32; 2],
    late: [u32; 2],
}

impl Report {
    /// `least` is what the keeper has after the answer, however fast the disk is.
    pub(crate) fn check(&self, least: Duration) {
        let bound = self.bound(least);
        let mut wrong = Vec::new();
        for (plan, kill, loss) in self.losses() {
            if !plan.grace.is_zero() || kill.after_us >= micros(bound) {
                wrong.push(format!(
                    "{:?}, a grace of {:?}: lost {} µs after",
                    plan.house, plan.grace, kill.after_us
                ));
            }
            if loss.why != Lost::Interrupted || !loss.is_noted {
                wrong.push(format!("{:?}: a loss is not told as one: {kill:?}", plan.house));
            }
        }
        assert!(wrong.is_empty(), "seed {}, the bound is {bound:?}:\n{}", self.seed, wrong.join("\n"));
    }

    /// In place of the tables that are there.
    pub(crate) fn write(&self) {
        let path = root().join("docs/reliability.md");
        let text = fs::read_to_string(&path).unwrap();
        let (before, rest) = text.split_once(BEGIN).expect("docs/reliability.md has a place for the tables");
        let (_, after) = rest.split_once(END).expect("the tables in docs/reliability.md have an end");
        fs::write(&path, format!("{before}{BEGIN}\n\n{self}\n{END}{after}")).unwrap();
    }

    fn bound(&self, least: Duration) -> Duration {
        bound(&self.plain).max(least)
    }

    fn losses(&self) -> impl Iterator<Item = (&Plan, &Kill, &crate::lane::Loss)> {
        let kills = self.ours.iter().flat_map(|(plan, seen)| seen.kills.iter().map(move |kill| (plan, kill)));
        kills.filter_map(|(plan, kill)| kill.loss.as_ref().map(|loss| (plan, kill, loss)))
    }

    fn row(&self, bound: Duration, wanted: impl Fn(&Plan, &Kill) -> bool) -> Row {
        let mut row = Row::default();
        for (plan, seen) in &self.ours {
            for kill in seen.kills.iter().filter(|kill| wanted(plan, kill)) {
                row.count(kill.after_us, kill.loss.is_some(), bound);
            }
        }
        row
    }

    fn latest(&self) -> Duration {
        let kills = self.ours.iter().flat_map(|(_, seen)| seen.kills.iter().map(|kill| kill.after_us));
        Duration::from_micros(kills.max().unwrap_or_default().max(0).unsigned_abs())
    }

    fn saved(&self) -> Vec<Duration> {
        self.ours.iter().flat_map(|(_, seen)| seen.saved.iter().copied()).collect()
    }
}

impl Row {
    fn count(&mut self, after_us: i64, lost: bool, bound: Duration) {
        let group = match after_us {
            ..0 => &mut self.early,
            after if after < micros(bound) => &mut self.close,
            _ => &mut self.late,
        };
        self.kills += 1;
        group[0] += u32::from(lost);
        group[1] += 1;
    }

    fn cells(&self) -> String {
        let of = |[lost, all]: [u32; 2]| format!("{lost} of {all}");
        format!("{} | {} | {} | {}", self.kills, of(self.early), of(self.close), of(self.late))
    }
}

impl Display for Report {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (least, ms) =
            (Duration::from_millis(2), |time: Duration| format!("{:.1} ms", time.as_secs_f64() * 1e3));
        let bound = self.bound(least);
        let mut text = String::new();
        writeln!(
            text,
            "Seed {}, {} keepers and peers at a time, {} s. Three times the p99 of a plain file, and at least 2 ms: {}. \
             The latest kill came {} after an answer.\n",
            self.seed,
            self.lanes,
            self.took.as_secs(),
            ms(bound),
            ms(self.latest())
        )?;
        writeln!(
            text,
            "| killed | times | before the last byte of the answer | less than {0} after it | {0} and more after it |",
            ms(bound)
        )?;
        writeln!(text, "|---|---|---|---|---|")?;
        for (words, house, grace) in ROWS {
            let row = self.row(bound, |plan, _| plan.house == *house && plan.grace.as_secs() == *grace);
            writeln!(text, "| {words} | {} |", row.cells())?;
        }
        let row = self.row(bound, |plan, kill| plan.grace.is_zero() && kill.when == When::Starting);
        writeln!(text, "| of those without a grace, at the first refresh after a start | {} |", row.cells())?;
        let row = self.row(bound, |plan, kill| plan.grace.is_zero() && kill.took_keyring);
        writeln!(text, "| of those without a grace, the keyring killed too | {} |", row.cells())?;
        if self.row(bound, |plan, _| plan.grace.is_zero()).late[1] == 0 {
            writeln!(
                text,
                "\n**Nobody without a grace was killed {} after the answer or later, so this run does not show that nothing is \
                 lost then.**",
                ms(bound)
            )?;
        }
        let lost = self.losses().count();
        writeln!(
            text,
            "\nEach cell says how many sessions were lost. All {lost} losses were told as `interrupted`, by the journal and as \
             the reason to sign in.\n"
        )?;
        writeln!(text, "| from the last byte of an answer | p50 | p99 | seen |\n|---|---|---|---|")?;
        for (words, times) in [
            ("to the sealed file under its name (inotify)", &self.saved()),
            ("a plain file of 4 KiB: written, `fsync`, `rename`, `fsync` of the folder", &self.plain),
        ] {
            let (p50, p99) = (quantile(times, 50), quantile(times, 99));
            writeln!(text, "| {words} | {} | {} | {} |", ms(p50), ms(p99), times.len())?;
        }
        if !self.theirs.is_empty() {
            writeln!(
                text,
                "\n| killed, no grace | times | before the last byte | less than 2 ms after it | 2 ms and more after it |"
            )?;
            writeln!(text, "|---|---|---|---|---|")?;
            let ours = self.row(least, |plan, _| plan.house == House::Strict && plan.grace.is_zero());
            writeln!(text, "| Pilotlight | {} |", ours.cells())?;
            for (peer, falls) in &self.theirs {
                let mut row = Row::default();
                falls.iter().for_each(|(after_us, lost)| row.count(*after_us, *lost, least));
                writeln!(text, "| {} | {} |", peer.words(), row.cells())?;
            }
        }
        f.write_str(text.trim_end())
    }
}

/// Of the table: the words, whom they are about, and the seconds of grace.
const ROWS: &[(&str, House, u64)] = &[
    ("a strict provider, no grace", House::Strict, 0),
    ("the sandbox, no grace", House::Sandbox, 0),
    ("oidc-provider, no grace", House::OidcProvider, 0),
    ("a strict provider, a grace of 10 s", House::Strict, 10),
    ("the sandbox, a grace of 10 s", House::Sandbox, 10),
];

const BEGIN: &str = "<!-- seen: written by tests/crash/report.rs -->";
const END: &str = "<!-- end of what was seen -->";
