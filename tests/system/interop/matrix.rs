//! The table of what was seen, which stands in `docs/interop.md` and is held against every run.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use super::cases::Case;

/// The rows, in the order in which they are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Capability {
    SignIn,
    Refusal,
    Pushed,
    Bound,
    Expiries,
    Herd,
    Restart,
    LostAnswer,
    Revocation,
    SignOut,
    BrowserSignOut,
}

/// What a life has shown.
pub(super) struct Seen {
    pub(super) case: &'static Case,
    /// Of the server and what it stands on.
    pub(super) versions: String,
    pub(super) results: BTreeMap<Capability, String>,
}

/// Holds the table against the committed one. To accept a change: run it with `UPDATE=1`.
pub(super) fn compare(seen: Vec<Seen>) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/interop.md");
    let text = fs::read_to_string(&path).unwrap();
    let (before, rest) = text.split_once(BEGIN).expect("docs/interop.md has a place for the table");
    let (there, after) = rest.split_once(END).expect("the table in docs/interop.md has an end");
    let tables = tables(&seen);
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&path, format!("{before}{BEGIN}{tables}{END}{after}")).unwrap();
    } else {
        assert_eq!(there, tables, "docs/interop.md is not what was seen; UPDATE=1 writes it");
    }
}

fn tables(seen: &[Seen]) -> String {
    let mut text = "\n".to_owned();
    for versions in seen.iter().map(|seen| &seen.versions).collect::<BTreeSet<_>>() {
        let columns: Vec<_> = seen.iter().filter(|seen| &seen.versions == versions).collect();
        let titles: Vec<_> = columns.iter().map(|seen| seen.case.title.to_owned()).collect();
        writeln!(text, "\n### {versions}\n\n| | {} |", titles.join(" | ")).unwrap();
        writeln!(text, "|---|{}", "---|".repeat(columns.len())).unwrap();
        for capability in Capability::ALL {
            let cells: Vec<_> = columns
                .iter()
                .map(|seen| {
                    let missing = || panic!("{}: nothing seen of {capability:?}", seen.case.name);
                    seen.results.get(&capability).cloned().unwrap_or_else(missing)
                })
                .collect();
            writeln!(text, "| {} | {} |", capability.words(), cells.join(" | ")).unwrap();
        }
    }
    text.push('\n');
    text
}

impl Capability {
    const ALL: [Self; 11] = [
        Self::SignIn,
        Self::Refusal,
        Self::Pushed,
        Self::Bound,
        Self::Expiries,
        Self::Herd,
        Self::Restart,
        Self::LostAnswer,
        Self::Revocation,
        Self::SignOut,
        Self::BrowserSignOut,
    ];

    fn words(self) -> &'static str {
        match self {
            Self::SignIn => "sign-in",
            Self::Refusal => "a refused sign-in is told as such",
            Self::Pushed => "the request is pushed first (PAR)",
            Self::Bound => "tokens are bound to a key (DPoP)",
            Self::Expiries => "five tokens come to their end under load, and every request is answered",
            Self::Herd => "50 requests on a dead token, one token request",
            Self::Restart => "a restart and a kill, no sign-in",
            Self::LostAnswer => "the answer to a refresh is lost",
            Self::Revocation => "a session that is ended elsewhere is noticed by",
            Self::SignOut => "after a sign-out the tokens are dead at the server",
            Self::BrowserSignOut => "the browser is signed out too",
        }
    }
}

const BEGIN: &str = "<!-- seen: written by tests/system/interop/matrix.rs -->";
const END: &str = "<!-- end of what was seen -->";
