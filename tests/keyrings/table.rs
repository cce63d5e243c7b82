//! The table of what was seen, which stands in `docs/keyrings.md` and is held against every run.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

/// The rows, in the order in which they are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Situation {
    Rotations,
    Kills,
    KilledYoung,
    Locked,
    AskedFor,
    Dismissed,
    LockedMeanwhile,
    Closed,
    Late,
    Absent,
    Replaced,
    Deleted,
    DeletedAtRest,
}

/// What was seen with one of them.
pub(crate) struct Column {
    pub(crate) name: &'static str,
    pub(crate) title: String,
    pub(crate) cells: BTreeMap<Situation, String>,
}

/// Holds the table against the committed one, whose versions are those of whoever wrote it. To accept a change: run it
/// with `UPDATE=1`.
pub(crate) fn compare(columns: &[Column]) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/keyrings.md");
    let text = fs::read_to_string(&path).unwrap();
    let (before, rest) = text.split_once(BEGIN).expect("docs/keyrings.md has a place for the table");
    let (there, after) = rest.split_once(END).expect("the table in docs/keyrings.md has an end");
    let titles: Vec<_> = columns.iter().map(|column| column.title.as_str()).collect();
    let rows = rows(columns);
    if std::env::var_os("UPDATE").is_some() {
        let table = format!("\n\n| | {} |\n{rows}\n", titles.join(" | "));
        fs::write(&path, format!("{before}{BEGIN}{table}{END}{after}")).unwrap();
    } else {
        let (_, there) = there.trim_start().split_once('\n').unwrap_or_default();
        assert_eq!(there.trim(), rows.trim(), "docs/keyrings.md is not what was seen; UPDATE=1 writes it");
    }
}

fn rows(columns: &[Column]) -> String {
    let mut text = format!("|---|{}\n", "---|".repeat(columns.len()));
    for situation in Situation::ALL {
        let cells: Vec<_> = columns
            .iter()
            .map(|column| {
                let missing = || panic!("{}: nothing seen of {situation:?}", column.name);
                column.cells.get(&situation).cloned().unwrap_or_else(missing)
            })
            .collect();
        writeln!(text, "| {} | {} |", situation.words(), cells.join(" | ")).unwrap();
    }
    text
}

impl Situation {
    const ALL: [Self; 13] = [
        Self::Rotations,
        Self::Kills,
        Self::KilledYoung,
        Self::Locked,
        Self::AskedFor,
        Self::Dismissed,
        Self::LockedMeanwhile,
        Self::Closed,
        Self::Late,
        Self::Absent,
        Self::Replaced,
        Self::Deleted,
        Self::DeletedAtRest,
    ];

    fn words(self) -> &'static str {
        match self {
            Self::Rotations => "a sign-in and thirty rotations",
            Self::Kills => "keeper and keyring killed at once, twelve times, 0.05 to 8 s after a rotation",
            Self::KilledYoung => "both killed as soon as the first sign-in is kept",
            Self::Locked => "locked when the keeper starts",
            Self::AskedFor => "a person wants what is in it while it is locked",
            Self::Dismissed => "a person signs in while it is locked, and closes the dialog",
            Self::LockedMeanwhile => "locked while the keeper runs",
            Self::Closed => "closed while the keeper runs",
            Self::Late => "comes after the keeper",
            Self::Absent => "not there when a person signs in",
            Self::Replaced => "an empty one takes its place while the keeper runs",
            Self::Deleted => "a person deletes the key while the keeper runs",
            Self::DeletedAtRest => "a person deletes the key while no keeper runs",
        }
    }
}

const BEGIN: &str = "<!-- seen: written by tests/keyrings/table.rs -->";
const END: &str = "<!-- end of what was seen -->";
