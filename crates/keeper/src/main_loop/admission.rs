//! What is asked of a host, and what is heard of it and of the network: `session::admission` decides.

use session::admission::{Hindrance, Route};
use session::breaker::Outcome;
use session::event::{Asker, Event};
use session::network::{Teller, Word};
use session::note::Note;
use session::time::millis;
use url::Url;

use super::keeper::Keeper;
use super::mail::Mail;
use crate::adapters::clock;
use crate::config::is_loopback;

impl Keeper {
    pub(crate) fn admit(&mut self, host: &str, by: Asker) -> Result<(), Hindrance> {
        self.admission.admit(&host.to_owned(), route_to(host), by, clock::now())
    }

    pub(crate) fn admit_refresh(&mut self, host: &str, by: Asker, again: bool) -> Result<(), Hindrance> {
        self.admission.admit_refresh(&host.to_owned(), route_to(host), by, again, clock::now())
    }

    pub(crate) fn report(&mut self, host: &str, outcome: Outcome) {
        let pause = self.admission.report(&host.to_owned(), route_to(host), outcome, clock::now());
        if let Some(pause) = pause {
            self.note(None, Note::BreakerOpened { host: host.to_owned(), for_ms: millis(pause) });
        }
    }

    pub(crate) fn on_word_of_network(&mut self, by: Teller, word: Word) {
        if self.admission.heard(by, word) {
            // A session whose refresh was withheld just now hears of that first.
            drop(self.post.send(Mail::NetworkUp));
        }
    }

    pub(crate) fn on_network_up(&mut self) {
        let now = clock::now();
        self.revocations.on_network_up(now);
        self.admission.on_network_up(now);
        for id in self.ids() {
            self.step(id, Event::NetworkUp);
        }
    }
}

/// The host, with a port or without.
fn route_to(host: &str) -> Route {
    let url = Url::parse(&format!("http://{host}"));
    if url.is_ok_and(|url| is_loopback(&url)) { Route::Within } else { Route::OverTheNetwork }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::{env, fs, process};

    use api::paths::Home;
    use session::admission::Admission;
    use session::event::Found;
    use session::limits;
    use session::reason::Trouble;
    use session::time::Timestamp;
    use session::tokens::{Account, RefreshToken};

    use super::super::mail::Id;
    use super::*;
    use crate::adapters::hints::SystemHint;

    /// Whether it slept or not.
    #[tokio::test]
    async fn whoever_was_about_to_sleep_looks_for_the_network_anew() {
        let (mut keeper, dir) = keeper("anew");
        keeper.admission = Admission::new(Timestamp::default());
        say_down(&mut keeper);
        assert!(keeper.admit("id.example", Asker::Machine).is_ok(), "it started long ago");
        keeper.on_awake();
        let hindrance = keeper.admit("id.example", Asker::Machine).err();
        assert_eq!(hindrance.map(|hindrance| hindrance.trouble), Some(Trouble::NoNetwork));
        assert!(keeper.admit("id.example", Asker::Person).is_ok());
        assert!(keeper.admit("127.0.0.1:80", Asker::Machine).is_ok());
        keeper.report("127.0.0.1:80", Outcome::Answered);
        assert!(keeper.admit("id.example", Asker::Machine).is_err(), "this machine is no network");
        keeper.report("other.example", Outcome::Answered);
        assert!(keeper.admit("id.example", Asker::Machine).is_ok(), "there is one after all");
        fs::remove_dir_all(dir).unwrap();
    }

    /// The word of it may lie in the mailbox while it is withheld.
    #[tokio::test]
    async fn a_refresh_that_was_withheld_in_the_same_moment_hears_of_the_network() {
        let (mut keeper, dir) = keeper("moment");
        say_down(&mut keeper);
        let id = look(&mut keeper).await;
        let word = SystemHint::Network { by: Teller::NetworkManager, word: Word::Up };
        assert!(keeper.post.send(Mail::Hint(word)).is_ok());
        keeper.step(id, Event::Loaded { found: token(), interrupted: false });
        assert_eq!(withheld(&mut keeper), 1);
        let due = keeper.kept[&id].session().unwrap().deadline().unwrap();
        assert!(clock::now().until(due) <= limits::SETTLE, "{due:?}");
        fs::remove_dir_all(dir).unwrap();
    }

    /// The provider may have answered the last process, and gives the same answer again for seconds.
    #[tokio::test]
    async fn a_request_that_is_made_again_waits_for_no_network() {
        for (interrupted, waiting) in [(true, 0), (false, 1)] {
            let (mut keeper, dir) = keeper("again");
            say_down(&mut keeper);
            let id = look(&mut keeper).await;
            keeper.step(id, Event::Loaded { found: token(), interrupted });
            assert_eq!(withheld(&mut keeper), waiting);
            fs::remove_dir_all(dir).unwrap();
        }
    }

    /// Until there is the profile.
    async fn look(keeper: &mut Keeper) -> Id {
        while !keeper.names.contains_key("a") {
            keeper.look();
            let mail = keeper.mailbox.recv().await.unwrap();
            keeper.take(mail);
        }
        keeper.names["a"]
    }

    fn token() -> Found {
        Found::Token { refresh: RefreshToken::new("rt"), account: Account::default(), generation: 1 }
    }

    fn withheld(keeper: &mut Keeper) -> usize {
        let mut withheld = 0;
        while let Ok(mail) = keeper.mailbox.try_recv() {
            withheld += usize::from(matches!(mail, Mail::Withheld { trouble: Trouble::NoNetwork, .. }));
            // The vault is empty, and says so.
            if !matches!(mail, Mail::Loaded { .. }) {
                keeper.take(mail);
            }
        }
        withheld
    }

    fn say_down(keeper: &mut Keeper) {
        for by in [Teller::NetworkManager, Teller::Networkd, Teller::Kernel] {
            keeper.on_word_of_network(by, Word::Down);
        }
    }

    fn keeper(name: &str) -> (Keeper, PathBuf) {
        let dir = env::temp_dir().join(format!("pilotlight-admission-{}-{name}", process::id()));
        fs::create_dir_all(&dir).unwrap();
        let home = Home::at(&dir).unwrap();
        let profile = "[profile.a]\npreset = 'simplejwt'\nurl = 'https://id.example'\n";
        fs::write(home.config(), format!("vault = 'memory'\n{profile}")).unwrap();
        (Keeper::open(&home).unwrap(), dir)
    }

    #[test]
    fn this_machine_is_reached_without_a_network() {
        for host in ["localhost", "localhost:8080", "127.0.0.1:9", "[::1]:9"] {
            assert_eq!(route_to(host), Route::Within, "{host}");
        }
        for host in ["", "id.example", "localhost.example:80", "192.0.2.1", "[2001:db8::1]"] {
            assert_eq!(route_to(host), Route::OverTheNetwork, "{host}");
        }
    }
}
