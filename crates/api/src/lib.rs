//! The protocol between the keeper and its faces: on the socket one line of JSON per [`Call`] or [`Line`]. Unknown
//! fields are ignored. Times are milliseconds from now, except in the journal. No request returns a refresh token.

mod code;
pub mod duration;
mod failure;
pub mod frame;
mod oauth;
pub mod paths;
mod problem;
mod reply;
mod request;
pub mod secret;
mod view;
pub mod words;

pub use session::binding::Destination;
pub use session::event::Asker;
pub use session::forecast::{Ends, Forecast, Ground, Unused};
pub use session::note::Note;
pub use session::reason::{Cause, Lost, Oddity, Source, Trouble, VaultTrouble};

pub use code::Code;
pub use failure::Failure;
pub use oauth::{Demand, Discovery, Grant, OauthDraft, Pending, Way};
pub use problem::{Advice, Kind, Problem};
pub use reply::{Bench, Entry, FaultSwitch, Fetched, Line, Notice, Reply, Token};
pub use request::{BenchChange, Call, Draft, Fetch, Request};
pub use view::{
    AccessView, HeartbeatView, LastHeartbeat, LastRefresh, Overview, PhaseView, RequestsView, ResourceView,
    SessionView, VaultKind, VaultView,
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::{EntryView, FailureView, OverviewView, Says};
    use ts_rs::{Config, TS};

    /// To accept a change: `UPDATE=1 cargo test types`.
    #[test]
    fn types_of_the_page_are_these() {
        let config = Config::default().with_large_int("number");
        let mut text = String::from("// Generated from crates/api by its own test; change it there.\n\n");
        macro_rules! declare {
            ($($type:ty),* $(,)?) => { $(
                text.push_str("export ");
                text.push_str(&<$type as TS>::decl(&config));
                text.push_str("\n\n");
            )* };
        }
        declare!(
            AccessView,
            Bench,
            BenchChange,
            Cause,
            Code,
            Demand,
            Discovery,
            Draft,
            Ends,
            EntryView,
            FailureView,
            FaultSwitch,
            Fetched,
            Forecast,
            Grant,
            Ground,
            HeartbeatView,
            LastHeartbeat,
            LastRefresh,
            Lost,
            Note,
            OauthDraft,
            Oddity,
            OverviewView,
            Pending,
            PhaseView,
            Destination,
            RequestsView,
            ResourceView,
            Says,
            SessionView,
            Source,
            Trouble,
            Unused,
            VaultKind,
            VaultTrouble,
            VaultView,
            Way,
        );
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../ui/src/api.ts");
        if std::env::var_os("UPDATE").is_some() {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, &text).unwrap();
        }
        let there = std::fs::read_to_string(&path).unwrap_or_default();
        assert_eq!(there, text, "ui/src/api.ts is not what this crate says; run this test with UPDATE=1");
    }
}
