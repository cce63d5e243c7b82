//! When an edit of the configuration counts. A half-saved file is often a good file with fewer profiles, so a session
//! ends or begins anew only once the file can be read and was left alone for [`STABLE`]. New profiles begin at once.

use alloc::string::String;
use alloc::vec::Vec;

use crate::limits::{HOME_LOOK, STABLE};
use crate::time::Timestamp;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    New,
    Same,
    Unreadable,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    Absent,
    Alike,
    Broken,
    Changed,
}

/// Whether a file that vanished then went with its home, whose loss was noticed later: folders are deleted file by file.
pub fn went_with_the_home(vanished: Timestamp, noticed: Timestamp) -> bool {
    noticed.since(vanished) <= HOME_LOOK
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Edits {
    /// When the present content was first seen; absent once it has stood there for long enough.
    since: Option<Timestamp>,
    /// What stands there at the start is taken as it is, because no session depends on it yet.
    known: bool,
    unreadable: bool,
    /// Profiles whose newest edit a person asked us for. These edits count at once.
    ours: Vec<String>,
}

impl Edits {
    pub fn looked(&mut self, look: Look, began: Timestamp) {
        match look {
            Look::New | Look::Unreadable => {
                self.since = self.known.then_some(began);
                self.known = true;
                self.unreadable = look == Look::Unreadable;
                self.ours.clear();
            }
            Look::Same if self.due().is_some_and(|at| at <= began) => self.since = None,
            Look::Same => {}
        }
    }

    pub fn wrote(&mut self, profile: &str, now: Timestamp) {
        self.looked(Look::New, now);
        self.ours.push(String::from(profile));
    }

    pub fn due(&self) -> Option<Timestamp> {
        self.since.map(|since| since + STABLE)
    }

    pub fn is_settled(&self) -> bool {
        self.since.is_none()
    }

    /// Writing keeps what stands there, which must not be half of what is just being saved.
    pub fn may_be_written(&self) -> bool {
        self.is_settled() || !self.ours.is_empty()
    }

    pub fn begins(&self) -> bool {
        !self.unreadable
    }

    pub fn ends(&self, profile: &str, written: Written) -> bool {
        match written {
            Written::Alike | Written::Broken => false,
            Written::Absent | Written::Changed => !self.unreadable && self.counts(profile),
        }
    }

    fn counts(&self, profile: &str) -> bool {
        self.is_settled() || self.ours.iter().any(|ours| ours == profile)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_goes_with_its_home_only_if_that_is_noticed_soon() {
        let vanished = Timestamp::from_millis(60_000);
        assert!(went_with_the_home(vanished, vanished) && went_with_the_home(vanished, vanished + HOME_LOOK));
        let later = vanished + HOME_LOOK + core::time::Duration::from_millis(1);
        assert!(!went_with_the_home(vanished, later), "somebody had removed it before");
    }

    /// Row H3.
    #[test]
    fn a_session_outlives_a_file_that_is_being_saved() {
        let mut edits = settled();
        for (look, at) in [(Look::New, 0), (Look::New, 3), (Look::Unreadable, 5), (Look::New, 900)] {
            edits.looked(look, ms(at));
            for written in [Written::Absent, Written::Alike, Written::Broken, Written::Changed] {
                assert!(!edits.ends("a", written), "{written:?} at {at}");
            }
        }
        edits.looked(Look::Same, ms(1899));
        assert!(!edits.ends("a", Written::Absent), "a second counts from the last change");
        edits.looked(Look::Same, ms(1900));
        for (written, ends) in [
            (Written::Absent, true),
            (Written::Alike, false),
            (Written::Broken, false),
            (Written::Changed, true),
        ] {
            assert_eq!(edits.ends("a", written), ends, "{written:?}");
        }
    }

    #[test]
    fn what_cannot_be_read_changes_nothing_however_long_it_stands() {
        let mut edits = settled();
        edits.looked(Look::Unreadable, ms(0));
        edits.looked(Look::Same, ms(100_000));
        assert!(edits.is_settled() && !edits.begins());
        assert!(!edits.ends("a", Written::Absent) && !edits.ends("a", Written::Changed));
        edits.looked(Look::New, ms(100_001));
        assert!(edits.begins() && !edits.ends("a", Written::Absent), "its end is judged as any edit is");
    }

    #[test]
    fn a_profile_that_is_new_waits_for_nothing() {
        let mut edits = settled();
        edits.looked(Look::New, ms(0));
        assert!(edits.begins() && !edits.is_settled());
    }

    #[test]
    fn what_a_person_asked_of_us_counts_at_once_and_nothing_else_does() {
        let mut edits = settled();
        edits.wrote("a", ms(0));
        assert!(edits.ends("a", Written::Absent) && edits.ends("a", Written::Changed));
        assert!(!edits.ends("b", Written::Absent));
        edits.looked(Look::New, ms(10));
        assert!(!edits.ends("a", Written::Absent), "somebody else has written since");
    }

    #[test]
    fn what_is_being_saved_is_not_written_over() {
        let mut edits = settled();
        assert!(edits.may_be_written());
        edits.looked(Look::New, ms(0));
        assert!(!edits.may_be_written());
        edits.looked(Look::Same, ms(0) + STABLE);
        assert!(edits.may_be_written());
        edits.wrote("a", ms(2000));
        assert!(edits.may_be_written(), "what we write is whole");
    }

    #[test]
    fn the_file_of_the_start_is_waited_for_by_nobody() {
        for look in [Look::New, Look::Unreadable] {
            let mut edits = Edits::default();
            edits.looked(look, ms(0));
            assert!(edits.is_settled() && edits.due().is_none(), "{look:?}");
            assert_eq!(edits.begins(), look == Look::New);
        }
    }

    #[test]
    fn the_next_look_is_due_when_it_can_say_something() {
        let mut edits = settled();
        assert_eq!(edits.due(), None);
        edits.looked(Look::New, ms(70));
        assert_eq!(edits.due(), Some(ms(70) + STABLE));
        edits.looked(Look::Same, ms(71));
        assert_eq!(edits.due(), Some(ms(70) + STABLE));
        edits.looked(Look::Same, ms(70) + STABLE);
        assert_eq!(edits.due(), None);
    }

    fn settled() -> Edits {
        Edits { known: true, ..Edits::default() }
    }

    fn ms(at: u64) -> Timestamp {
        Timestamp::from_millis(at)
    }
}
