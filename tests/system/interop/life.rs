//! One life with one provider, from the first sign-in to the last sign-out.

use std::collections::BTreeMap;
use std::thread;
use std::time::{Duration, Instant};

use api::{Note, PhaseView};
use serde_json::Value;

use super::cases::{Case, Profile, REJECTS, Token, Way};
use super::filled;
use super::matrix::{Capability, Seen};
use crate::harness::{
    Browser, Door, Keeper, Keyring, Page, Person, Ran, Running, Server, fetch, fetched, until,
};

pub(super) struct Life {
    pub(super) case: &'static Case,
    pub(super) server: Server,
    pub(super) door: Door,
    pub(super) keeper: Keeper,
    pub(super) browser: Browser,
    results: BTreeMap<Capability, String>,
}

impl Life {
    pub(super) fn begin(case: &'static Case, keyring: &Keyring) -> Self {
        let door = Door::new();
        let port = door.port().to_string();
        let common = [("AT_TTL", "2"), ("REFRESH_DELAY", "0.2"), ("PUBLIC_PORT", port.as_str())];
        let server = Server::start(case.server, &[case.env, &common].concat());
        door.lead_to(server.port());
        let keeper = Keeper::with_keyring(&written(case, &door), keyring);
        if let Profile::Added(flags) = case.profile {
            let flags: Vec<_> = flags.iter().map(|flag| filled(flag, &door)).collect();
            let flags = flags.iter().map(String::as_str);
            keeper.run(&["add", case.name].into_iter().chain(flags).collect::<Vec<_>>()).went_well();
        }
        Self { case, server, door, keeper, browser: Browser::new(), results: BTreeMap::new() }
    }

    pub(super) fn live(mut self) -> Seen {
        self.be_refused();
        self.sign_in();
        self.look_around();
        self.live_through_expiries();
        // From here on a token ends only when the test says so.
        self.server.ask("POST", "/__lifetime?seconds=600");
        self.keeper.run(&["refresh", self.case.name]).went_well();
        self.meet_on_a_dead_token();
        self.come_back();
        self.lose_an_answer();
        self.be_revoked();
        self.sign_out();
        let versions = self.server.ask("GET", "/__versions");
        let named = versions.as_object().unwrap().iter().rev();
        let named: Vec<_> =
            named.map(|(name, version)| format!("{name} {}", version.as_str().unwrap())).collect();
        Seen { case: self.case, versions: named.join(", "), results: self.results }
    }

    /// A person who changes their mind, or types something wrong.
    fn be_refused(&mut self) {
        let (ran, words) = match self.case.way {
            Way::Browser | Way::Device => {
                let (page, ran) = self.at_a_browser(Person::ALICE.who_refuses());
                if self.case.way == Way::Browser {
                    assert_eq!((page.url.path(), page.status), ("/done", 200), "{page:?}");
                }
                (ran, (Some(3), "sign_in_denied".to_owned()))
            }
            Way::Password => (self.type_in("guess\n"), (Some(3), "sign_in_refused".to_owned())),
            Way::Secret => (self.type_in("guess\n"), (Some(1), "client_refused".to_owned())),
        };
        assert_eq!(ran.failed_with(), words, "{ran:?}");
        assert_eq!(self.tokens(), (0, 0));
        self.saw(Capability::Refusal, format!("`{}`, exit code {}", words.1, words.0.unwrap()));
    }

    pub(super) fn sign_in(&mut self) {
        let ran = match self.case.way {
            Way::Browser | Way::Device => {
                let (page, ran) = self.at_a_browser(Person::ALICE);
                if self.case.way == Way::Browser {
                    assert_eq!((page.url.path(), page.url.query(), page.status), ("/done", None, 200));
                    assert_eq!(page.header("cache-control"), "no-store");
                    assert!(!page.body.contains("<script"), "{}", page.body);
                }
                ran
            }
            Way::Password => self.type_in("wonderland\n"),
            Way::Secret => self.type_in("rs-secret\n"),
        };
        assert_eq!(ran.went_well().json()["sessions"][0]["profile"], self.case.name);
        self.keeper.until_fresh(self.case.name);
    }

    /// What a person is given to do is done at the browser; returns the last page there, and what came of it here.
    pub(super) fn at_a_browser(&mut self, person: Person) -> (Page, Ran) {
        let (page, running) = self.go_to_a_browser(person);
        (page, running.end())
    }

    pub(super) fn go_to_a_browser(&mut self, person: Person) -> (Page, Running) {
        let mut running = self.keeper.begin(&["login", self.case.name, "--no-browser", "--json"]);
        let told = running.line();
        let pending = &told["sign_in"]["pending"];
        let page = match self.case.way {
            Way::Device => {
                assert_eq!(pending["way"], "device", "{told}");
                assert!(!pending["qr"].as_array().unwrap().is_empty());
                let code = pending["user_code"].as_str().unwrap();
                let complete = pending["verification_uri_complete"].as_str();
                let url = complete.unwrap_or_else(|| pending["verification_uri"].as_str().unwrap());
                self.browser.enter(url, code, person)
            }
            Way::Browser | Way::Password | Way::Secret => {
                assert_eq!(pending["way"], "browser", "{told}");
                self.browser.follow(told["sign_in"]["url"].as_str().unwrap(), person)
            }
        };
        (page, running)
    }

    fn type_in(&self, typed: &str) -> Ran {
        let mut arguments = vec!["login", self.case.name, "--json"];
        if self.case.way == Way::Password {
            arguments.extend(["--user", "alice"]);
        }
        self.keeper.run_typing(&arguments, typed)
    }

    /// What can be said of the session once it is there.
    fn look_around(&mut self) {
        let words = match self.case.way {
            Way::Browser => "in the browser",
            Way::Device => "on another device",
            Way::Password => "by password",
            Way::Secret => "with the client's secret",
        };
        self.saw(Capability::SignIn, words);

        let pushed = self.server.ask("GET", "/__counters")["pushed"].as_u64();
        let told = match (self.case.way, pushed) {
            // Twice for two sign-ins, and once more to learn of a nonce.
            (Way::Browser, Some(2..=3)) => "yes",
            (Way::Browser, None) => "n/a: not offered",
            (Way::Device | Way::Password | Way::Secret, None | Some(0)) => "n/a: no request to push",
            other => panic!("pushed: {other:?}"),
        };
        self.saw(Capability::Pushed, told);

        let access = self.session().access.unwrap();
        assert_eq!(
            (access.dpop, access.jwt),
            (self.case.token == Token::Bound, self.case.token == Token::Jwt)
        );
        let use_one = || {
            let given = self.keeper.run(&["token", self.case.name, "--json"]).went_well().json();
            let text = |name: &str| given[name].as_str().unwrap().to_owned();
            (
                self.server
                    .status_of(self.case.path, &format!("{} {}", text("scheme"), text("access_token"))),
                given,
            )
        };
        // A token of two seconds may come to its end on the way to its use.
        let is_used = |(status, _): &(u16, Value)| self.case.token == Token::Bound || *status == 200;
        let (status, given) = until("a token is used in its life", || Some(use_one()).filter(is_used));
        let told = match (self.case.token, status) {
            (Token::Bound, 400 | 401) => "yes: no use without its key",
            (Token::Opaque | Token::Jwt, 200) if self.case.server == "oidc-provider" => "n/a: switched off",
            (Token::Opaque | Token::Jwt, 200) => "n/a: not offered",
            other => panic!("{other:?} with {}", given["scheme"]),
        };
        self.saw(Capability::Bound, told);
        let plain = self.keeper.run(&["token", self.case.name]).went_well().out;
        assert_eq!((plain.lines().count(), plain.is_empty()), (1, false));
    }

    fn live_through_expiries(&mut self) {
        let case = self.case;
        let granted = self.granted();
        let mut wires = [self.keeper.wire(), self.keeper.wire()];
        let mut n = 0;
        let began = Instant::now();
        // Fewer requests would mean nothing.
        while self.granted() < granted + 5 || n < 20 {
            assert!(began.elapsed() < Duration::from_secs(60), "five tokens do not come to their end");
            for wire in &mut wires {
                n += 1;
                wire.send(fetch(case.name, &format!("{}?n=life{n}", case.path)));
            }
            let ran = self.keeper.run(&["fetch", case.name, &format!("{}?n=command{n}", case.path)]);
            assert_eq!(ran.code, Some(0), "{ran:?}");
            for wire in &mut wires {
                let answer = wire.text();
                assert!(answer.contains("\"status\":200"), "{}: {answer}", case.name);
            }
            // The pace of the load; the machine is shared by all lives.
            thread::sleep(Duration::from_millis(100));
        }
        if case.way != Way::Secret {
            assert_eq!(self.server.counted("max_refreshes_in_flight"), 1);
            until("no refresh was refused", || {
                (self.server.counted("refreshed") == self.server.counted("refreshes")).then_some(())
            });
        }
        let notes = self.keeper.notes(case.name);
        let rotated = notes.iter().any(|note| matches!(note, Note::Refreshed { rotated: true, .. }));
        assert_eq!(rotated, case.rotates);
        self.saw(Capability::Expiries, if rotated { "yes: refresh tokens rotate" } else { "yes" });
    }

    /// B1
    fn meet_on_a_dead_token(&mut self) {
        let (exchanged, unauthorized) = (self.exchanged(), self.server.counted("unauthorized"));
        let generation = self.session().access.unwrap().generation;
        self.server.ask("POST", "/__expire");
        let asked = (0..50).map(|n| fetch(self.case.name, &format!("{}?n={n}", self.case.path))).collect();
        for answer in self.keeper.wire().ask_all(asked) {
            let answer = fetched(answer).unwrap();
            assert_eq!((answer.status, answer.generation), (200, generation + 1), "{}", answer.body);
        }
        assert_eq!(self.exchanged(), exchanged + 1);
        let refused = self.server.counted("unauthorized") - unauthorized;
        assert!(refused > 0, "the token was not dead");
        // Each was sent at most twice, and once in vain.
        let sent: Vec<_> = self.server.log().into_iter().filter(|(n, _)| n.parse::<u32>().is_ok()).collect();
        let good = sent.iter().filter(|(_, status)| *status == Some(200)).count();
        assert_eq!((good, sent.len() as u64), (50, 50 + refused));
        self.saw(Capability::Herd, "yes");
    }

    /// Nothing is on its way, nor about to be: the slot of an installation may lie just behind its start. What a kill in an
    /// exchange costs is for tests/crash.
    pub(super) fn until_at_rest(&self) {
        until("nothing is on its way, nor about to be", || {
            let session = self.session();
            let rests = session.refresh_in_ms.is_none_or(|left| left > 5_000);
            (session.phase == PhaseView::Fresh && rests).then_some(())
        });
    }

    fn come_back(&mut self) {
        let name = self.case.name;
        let signed_in = self.signed_in();
        self.keeper.restart();
        self.keeper.run(&["fetch", name, self.case.path]).went_well();
        self.until_at_rest();
        self.keeper.kill();
        self.keeper.spawn();
        self.keeper.run(&["fetch", name, self.case.path]).went_well();
        assert_eq!(self.signed_in(), signed_in);
        let access = self.session().access.unwrap();
        assert_eq!(access.dpop, self.case.token == Token::Bound);
        self.saw(Capability::Restart, "yes");
    }

    pub(super) fn session(&self) -> api::SessionView {
        self.keeper.session(self.case.name)
    }

    /// Token requests that were to bring a new access token to a session.
    pub(super) fn exchanged(&self) -> u64 {
        self.server.counted(match self.case.way {
            Way::Secret => "client_credentials",
            Way::Browser | Way::Device | Way::Password => "refreshes",
        })
    }

    /// Those of them that were granted.
    fn granted(&self) -> u64 {
        self.server.counted(match self.case.way {
            Way::Secret => "client_credentials",
            Way::Browser | Way::Device | Way::Password => "refreshed",
        })
    }

    /// Token requests of sign-ins.
    fn signed_in(&self) -> u64 {
        let counters = self.server.ask("GET", "/__counters");
        let count = |name: &str| counters.get(name).and_then(Value::as_u64).unwrap_or_default();
        count("authorization_code") + count("device_code") + count("password")
    }

    /// Access and refresh tokens that are good at the server.
    pub(super) fn tokens(&self) -> (u64, u64) {
        let tokens = self.server.ask("GET", "/__tokens");
        (tokens["access"].as_u64().unwrap(), tokens["refresh"].as_u64().unwrap())
    }

    pub(super) fn saw(&mut self, capability: Capability, what: impl Into<String>) {
        self.results.insert(capability, what.into());
    }
}

fn written(case: &Case, door: &Door) -> String {
    let Profile::Written(lines) = case.profile else { return String::new() };
    let lines: Vec<_> = lines.lines().map(str::trim_start).collect();
    filled(&format!("[profile.{}]{}\n", case.name, lines.join("\n")), door).replace("{rejects}", REJECTS)
}
