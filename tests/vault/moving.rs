//! What older versions kept in the keyring, an item a session, becomes sealed files: at whatever step it is interrupted,
//! nothing is lost and nothing older comes back.

use std::fs;

use keeper::adapters::vault::{News, VaultTrouble};
use session::note::Note;

use crate::bench::{Bench, forget, load, save, stored, stored_as};
use crate::desk::on_a_desk;

/// `{"v":1,"refresh":"rt-1","origin":"https://a.example","user":"mia","saved_at":7}`
const ITEM: &str = "1.eyJ2IjoxLCJyZWZyZXNoIjoicnQtMSIsIm9yaWdpbiI6Imh0dHBzOi8vYS5leGFtcGxlIiwidXNlciI6Im1pYSIsInNhdmVkX2F0Ijo3fQ";

/// The same with `rt-2`, saved at 8.
const NEWER: &str = "1.eyJ2IjoxLCJyZWZyZXNoIjoicnQtMiIsIm9yaWdpbiI6Imh0dHBzOi8vYS5leGFtcGxlIiwidXNlciI6Im1pYSIsInNhdmVkX2F0Ijo4fQ";

fn item(user: &str) -> [(&str, &str); 2] {
    [("service", "pilotlight"), ("username", user)]
}

/// Row C10.
#[test]
fn sessions_of_older_versions_are_moved_and_the_items_go() {
    on_a_desk("moving::sessions_of_older_versions_are_moved_and_the_items_go", |desk| {
        let _keyring = desk.start_keyring();
        desk.add_item(&item("work"), ITEM);
        desk.add_item(&item("twins"), NEWER);
        desk.add_item(&item("twins"), ITEM);
        desk.add_item(&item("39aff565700eaeb7/work"), NEWER);
        let bench = Bench::new("moved");
        bench.expect(News::Note(Note::Moved { count: 2 }));
        assert_eq!(load(&bench.vault, "work"), Ok(Some(stored_as("rt-1", 0))));
        assert_eq!(load(&bench.vault, "twins"), Ok(Some(stored_as("rt-2", 0))));
        assert_eq!(load(&bench.vault, "never"), Ok(None));
        bench.until(|| desk.items(&item("work")).is_empty() && desk.items(&item("twins")).is_empty());
        assert_eq!(desk.items(&item("39aff565700eaeb7/work")).len(), 1, "it is another home's");

        let other = Bench::of("39aff565700eaeb7", "other");
        other.expect(News::Note(Note::Moved { count: 1 }));
        assert_eq!(load(&other.vault, "work"), Ok(Some(stored_as("rt-2", 0))));
        assert_eq!(load(&bench.again().vault, "work"), Ok(Some(stored_as("rt-1", 0))));
    });
}

/// Row C10.
#[test]
fn a_move_that_was_interrupted_is_finished_by_the_next_process() {
    on_a_desk("moving::a_move_that_was_interrupted_is_finished_by_the_next_process", |desk| {
        let _keyring = desk.start_keyring();
        desk.add_item(&item("work"), ITEM);
        let bench = Bench::new("cut");
        bench.expect(News::Note(Note::Moved { count: 1 }));
        bench.until(|| desk.items(&item("work")).is_empty() && bench.has("moved"));
        let after_the_seal = bench.contents();

        // Killed once the key was in the keyring, and before anything was sealed.
        fs::remove_dir_all(&bench.dir).unwrap();
        desk.add_item(&item("work"), ITEM);
        let next = bench.again();
        next.expect(News::Note(Note::Moved { count: 1 }));
        assert_eq!(load(&next.vault, "work"), Ok(Some(stored_as("rt-1", 0))));
        bench.until(|| desk.items(&item("work")).is_empty() && bench.has("moved"));

        // Killed once it was sealed, and before the item went.
        fs::remove_file(bench.dir.join("moved")).unwrap();
        for (file, content) in after_the_seal {
            fs::write(file, content).unwrap();
        }
        desk.add_item(&item("work"), ITEM);
        let next = bench.again();
        next.expect(News::Note(Note::Moved { count: 1 }));
        bench.until(|| desk.items(&item("work")).is_empty() && bench.has("moved"));
        assert_eq!(save(&next.vault, "work", "rt-9"), Ok(()));

        // Killed in the same place, and the session has gone on since: what is older does not come back.
        fs::remove_file(bench.dir.join("moved")).unwrap();
        desk.add_item(&item("work"), ITEM);
        let next = bench.again();
        next.expect(News::Note(Note::Moved { count: 1 }));
        assert_eq!(load(&next.vault, "work"), Ok(Some(stored("rt-9"))));
        bench.until(|| desk.items(&item("work")).is_empty() && bench.has("moved"));
    });
}

/// Row H7.
#[test]
fn what_waits_behind_a_locked_keyring_is_moved_when_it_opens() {
    on_a_desk("moving::what_waits_behind_a_locked_keyring_is_moved_when_it_opens", |desk| {
        let _keyring = desk.start_keyring();
        desk.add_item(&item("work"), ITEM);
        desk.lock();
        let bench = Bench::new("behind");
        assert_eq!(load(&bench.vault, "work"), Err(VaultTrouble::Locked), "it may be there");
        assert_eq!(forget(&bench.vault, "work"), Err(VaultTrouble::Locked), "it would come back");
        desk.unlock();
        bench.expect(News::Note(Note::Moved { count: 1 }));
        assert_eq!(load(&bench.vault, "work"), Ok(Some(stored_as("rt-1", 0))));
        bench.until(|| bench.has("moved"));
        desk.lock();
        assert_eq!(load(&bench.again().vault, "new"), Ok(None), "everything has moved, so this is known");
    });
}

/// Row C10.
#[test]
fn what_cannot_be_read_is_left_where_it_is() {
    on_a_desk("moving::what_cannot_be_read_is_left_where_it_is", |desk| {
        let _keyring = desk.start_keyring();
        for (user, text) in [("future", "2.from-the-future"), ("hand", "by hand"), ("work", ITEM)] {
            desk.add_item(&item(user), text);
        }
        let bench = Bench::new("unreadable");
        bench.expect(News::Note(Note::Moved { count: 1 }));
        for (user, text) in [("future", "2.from-the-future"), ("hand", "by hand")] {
            assert_eq!(load(&bench.vault, user), Err(VaultTrouble::Failed), "{user}");
            assert_eq!(desk.items(&item(user))[0].1, text);
        }
        bench.expect_no_more();
        assert_eq!(load(&bench.vault, "hand"), Err(VaultTrouble::Failed));
        bench.says_nothing();
        assert_eq!(load(&bench.vault, "new"), Ok(None));
        assert_eq!(forget(&bench.vault, "hand"), Ok(()), "whoever signs out wants it gone");
        bench.until(|| desk.items(&item("hand")).is_empty());
        assert_eq!(save(&bench.vault, "future", "rt-1"), Ok(()), "a new sign-in is kept beside it");
        assert_eq!(load(&bench.again().vault, "future"), Ok(Some(stored("rt-1"))));
    });
}
