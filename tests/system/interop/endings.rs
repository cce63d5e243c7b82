//! How sessions end, by whatever does not ask first, and by the person.

use std::fs;

use api::{Lost, Note, PhaseView, Reply, Request};

use super::cases::{LostAnswer, Noticed, Token, Way};
use super::life::Life;
use super::matrix::Capability;
use crate::harness::{Person, until};

impl Life {
    /// Row D12: the server has given new tokens, and they are lost on the way.
    pub(super) fn lose_an_answer(&mut self) {
        let name = self.case.name;
        self.until_at_rest();
        let generation = self.session().access.unwrap().generation;
        let lost = self.door.lost();
        self.door.lose_the_answer_to(match self.case.way {
            Way::Secret => "grant_type=client_credentials",
            Way::Browser | Way::Device | Way::Password => "grant_type=refresh_token",
        });
        // What it says of the first try is not what counts.
        drop(self.keeper.run(&["refresh", name]));
        assert_eq!(self.door.lost(), lost + 1);
        let told = match self.case.lost {
            LostAnswer::GoesOn => {
                until("the session goes on", || {
                    let access = self.session().access.filter(|access| access.generation > generation);
                    access.map(drop).filter(|()| self.session().phase == PhaseView::Fresh)
                });
                "goes on"
            }
            LostAnswer::Ends => {
                self.keeper.until_phase(name, PhaseView::NeedsLogin { why: Lost::Interrupted });
                // By our clock the last access token is still good; the server has ended it with the rest.
                assert_eq!(self.keeper.run(&["fetch", name, self.case.path]).code, Some(3));
                assert_eq!(self.keeper.run(&["token", name]).code, Some(3));
                self.sign_in();
                "asks for a sign-in: the token was good once"
            }
        };
        self.keeper.run(&["fetch", name, self.case.path]).went_well();
        self.saw(Capability::LostAnswer, told);
    }

    /// D11
    pub(super) fn be_revoked(&mut self) {
        let name = self.case.name;
        let told = match self.case.revocation {
            Noticed::Request => {
                let words = if self.case.token == Token::Jwt {
                    // Nothing can end a JWT before its time: then a request notices.
                    self.server.ask("POST", "/__lifetime?seconds=1");
                    self.keeper.run(&["refresh", name]).went_well();
                    "the first request after the token's end"
                } else {
                    "the next request"
                };
                self.server.revoke();
                let ran = until("the session is known to be over", || {
                    let ran = self.keeper.run(&["fetch", name, self.case.path, "--json"]);
                    (self.case.token != Token::Jwt || ran.code != Some(0)).then_some(ran)
                });
                assert_eq!(ran.failed_with(), (Some(3), "sign_in_needed".to_owned()), "{ran:?}");
                words.to_owned()
            }
            Noticed::Heartbeat(what) => {
                let introspections = self.server.counted("introspections");
                self.beat_every_second();
                let good = self.beats(true);
                self.server.revoke();
                self.keeper.until_phase(name, PhaseView::NeedsLogin { why: Lost::Refused });
                // One may have been on its way.
                assert!(self.beats(true) <= good + 1, "not by the next heartbeat");
                assert_eq!(self.beats(false), 1);
                assert_eq!(what == "introspection", self.server.counted("introspections") > introspections);
                format!("the next heartbeat, which asks {what}")
            }
            Noticed::NeedsNobody => {
                self.server.revoke();
                self.keeper.run(&["fetch", name, self.case.path]).went_well();
                "n/a: the client comes back by itself".to_owned()
            }
        };
        if self.case.revocation != Noticed::NeedsNobody {
            assert_eq!(self.keeper.phase(name), PhaseView::NeedsLogin { why: Lost::Refused });
            let exchanged = self.exchanged();
            for _ in 0..3 {
                assert_eq!(self.keeper.run(&["fetch", name, self.case.path]).code, Some(3));
            }
            assert_eq!(self.exchanged(), exchanged, "a dead refresh token is sent again");
            self.server.ask("POST", "/__lifetime?seconds=600");
            self.sign_in();
            self.keeper.run(&["fetch", name, self.case.path]).went_well();
        }
        self.saw(Capability::Revocation, told);
    }

    /// The file is edited, as a person does it.
    fn beat_every_second(&self) {
        let text = fs::read_to_string(self.keeper.home().config()).unwrap();
        self.keeper.write_config(&text.replace("heartbeat = \"1h\"", "heartbeat = \"1s\""));
        until("a heartbeat of the new kind is good", || {
            let heartbeat = self.session().heartbeat;
            (heartbeat.every_ms == 1000 && heartbeat.last.is_some_and(|last| last.good)).then_some(())
        });
    }

    fn beats(&self, wanted: bool) -> usize {
        let notes = self.keeper.notes(self.case.name).into_iter();
        notes.filter(|note| matches!(note, Note::Heartbeat { good, .. } if *good == wanted)).count()
    }

    pub(super) fn sign_out(&mut self) {
        let case = self.case;
        let with_refresh = u64::from(case.way != Way::Secret);
        let stored = u64::from(case.token != Token::Jwt);
        assert_eq!(self.tokens(), (stored, with_refresh), "access and refresh tokens at the server");
        let has_page = self.session().browser_logout;
        let mut arguments = vec!["logout", case.name, "--json"];
        arguments.extend(has_page.then_some("--browser"));
        let told = self.keeper.run(&arguments).went_well();
        until("nothing is left at the server", || (self.tokens() == (0, 0)).then_some(()));
        assert!(self.server.counted("revocations") > 0);
        assert_eq!(self.keeper.phase(case.name), PhaseView::NeedsLogin { why: Lost::SignedOut });
        assert_eq!(self.keeper.run(&["token", case.name]).code, Some(3));
        let is_jwt = case.token == Token::Jwt;
        self.saw(Capability::SignOut, if is_jwt { "yes, but a JWT lives to its end" } else { "yes" });
        let told = match (case.way, has_page) {
            (Way::Browser | Way::Device, true) => {
                self.leave_the_browser(told.json()["open"].as_str().unwrap());
                "yes"
            }
            (Way::Browser | Way::Device, false) => "n/a: no page for it",
            (Way::Password | Way::Secret, _) => "n/a: no browser",
        };
        self.saw(Capability::BrowserSignOut, told);

        let exchanged = self.exchanged();
        self.keeper.restart();
        self.keeper.until_phase(case.name, PhaseView::NeedsLogin { why: Lost::SignedOut });
        assert_eq!(self.keeper.run(&["fetch", case.name, case.path]).code, Some(3));
        assert_eq!(self.exchanged(), exchanged);
    }

    /// Whoever comes to the provider next is asked who they are.
    fn leave_the_browser(&mut self, url: &str) {
        let page = self.browser.follow(url, Person::ALICE);
        assert!(page.status < 400, "{page:?}");
        self.browser.has_typed_a_password();
        if self.case.way == Way::Device {
            // One may say no before one is asked who one is, so it is a yes, and then a change of mind.
            let (_, running) = self.go_to_a_browser(Person::ALICE);
            running.abandon();
            let profile = self.case.name.to_owned();
            assert!(matches!(self.keeper.ask(Request::CancelSignIn { profile }), Ok(Reply::Done)));
            // It may have come to its end before that.
            self.keeper.run(&["logout", self.case.name]).went_well();
        } else {
            let (_, ran) = self.at_a_browser(Person::ALICE.who_refuses());
            assert_eq!(ran.code, Some(3), "{ran:?}");
        }
        assert!(self.browser.has_typed_a_password(), "the browser is still signed in");
    }
}
