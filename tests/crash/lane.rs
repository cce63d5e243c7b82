//! One keeper, its provider and its keyring: killed in the middle of a refresh, started again, and looked at.

use std::any::Any;
use std::time::{Duration, Instant};

use api::{Asker, Lost, PhaseView, Request};
use pilotlight_sandbox::Dialect;

use crate::dice::Dice;
use crate::disk::{Plain, Renames, pair};
use crate::door::Door;
use crate::harness::{Bench, Keeper, Keyring, Server, kind, until};
use crate::provider::Provider;
use crate::trap::{Trap, sleep_until};

/// Whom the tokens are from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum House {
    Strict,
    Sandbox,
    OidcProvider,
}

/// The refresh that is met: the first one of a keeper, or one that a person asks for later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum When {
    Starting,
    Asked,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    pub(crate) house: House,
    pub(crate) grace: Duration,
    pub(crate) kills: u32,
    /// Of so many kills one takes the keyring's daemon along.
    pub(crate) with_keyring: u64,
}

/// What one kill has shown.
#[derive(Debug)]
pub(crate) struct Kill {
    pub(crate) when: When,
    /// From the last byte of the answer, as it was written, to the kill. Negative before it.
    pub(crate) after_us: i64,
    pub(crate) took_keyring: bool,
    pub(crate) loss: Option<Loss>,
}

#[derive(Debug)]
pub(crate) struct Loss {
    pub(crate) why: Lost,
    /// The journal tells of a refresh that was cut off.
    pub(crate) is_noted: bool,
}

#[derive(Default)]
pub(crate) struct Seen {
    pub(crate) kills: Vec<Kill>,
    /// From the last byte of an answer to the sealed file under its name.
    pub(crate) saved: Vec<Duration>,
}

struct Lane {
    house: House,
    keeper: Keeper,
    keyring: Keyring,
    trap: Trap,
    /// The answers that a keeper had all the time for: nobody was killed, and none was a refusal.
    undisturbed: Vec<Instant>,
    path: &'static str,
    _server: Box<dyn Any>,
}

pub(crate) fn run(plan: Plan, mut dice: Dice, plain: &Plain) -> Seen {
    let mut lane = Lane::begin(plan.house, plan.grace);
    lane.sign_in();
    let renames = Renames::watch(&lane.keeper.home().vault());
    let mut kills = Vec::new();
    for _ in 0..plan.kills {
        let offset = plain.instant(&mut dice);
        let when = if dice.below(3) == 0 { When::Starting } else { When::Asked };
        kills.push(lane.kill(when, offset, dice.below(plan.with_keyring) == 0));
    }
    Seen { kills, saved: pair(&lane.undisturbed, &renames.seen()) }
}

impl Lane {
    fn begin(house: House, grace: Duration) -> Self {
        let keyring = Keyring::start();
        let (profile, path, trap, server): (_, _, _, Box<dyn Any>) = match house {
            House::Strict => {
                let provider = Provider::start(grace);
                let lines = "scopes = [\"read\"]\ngrant = \"password\"\ndpop = false\nprobe = \"none\"";
                let profile = oauth(provider.url(), "the-client", lines);
                (profile, "/api", provider.trap.clone(), Box::new(provider))
            }
            House::Sandbox => {
                let (bench, door) = (Bench::with_grace(TTL, grace).expecting_reuse(), Door::new());
                door.lead_to(bench.origin().rsplit(':').next().unwrap().parse().unwrap());
                let profile = crate::harness::profile(NAME, Dialect::NestJs, &door.origin(), "");
                (profile, "/aaa", door.trap.clone(), Box::new((bench, door)))
            }
            House::OidcProvider => {
                let door = Door::new();
                let port = door.port().to_string();
                let server = Server::start(
                    "oidc-provider",
                    &[("AT_TTL", "3600"), ("ROTATE", "on"), ("PUBLIC_PORT", &port)],
                );
                door.lead_to(server.port());
                let profile = oauth(&door.origin(), "desktop", "dpop = false\nprobe = \"none\"");
                (profile, "/me", door.trap.clone(), Box::new((server, door)))
            }
        };
        let keeper = Keeper::with_keyring(&profile, &keyring);
        Self { house, keeper, keyring, trap, undisturbed: Vec::new(), path, _server: server }
    }

    fn sign_in(&self) {
        match self.house {
            House::Strict | House::Sandbox => self.keeper.login(NAME),
            House::OidcProvider => drop(self.keeper.sign_in(NAME)),
        }
        until("it is saved", || self.keeper.session(NAME).saved.then_some(()));
    }

    /// `offset` is in microseconds after the answer is due.
    fn kill(&mut self, when: When, offset: i64, takes_keyring: bool) -> Kill {
        if when == When::Starting {
            self.keeper.kill();
        }
        let sprung = self.trap.arm();
        if when == When::Starting {
            self.keeper.spawn();
        }
        let mut wire = self.keeper.wire();
        if when == When::Asked {
            wire.send(Request::Refresh { profile: NAME.to_owned(), by: Asker::Person });
        }
        sleep_until(sprung.due(offset));
        let killed = Instant::now();
        self.keeper.kill();
        if takes_keyring {
            self.keyring.kill();
        }
        let last_byte = sprung.last_byte();
        let before = self.trap.answered().len();
        if takes_keyring {
            self.keyring.start_again();
        }
        self.keeper.spawn();
        let why = until("the session knows where it stands", || {
            let session = self.keeper.session(NAME);
            match session.phase {
                PhaseView::Fresh if session.access.is_some() => Some(None),
                PhaseView::NeedsLogin { why } => Some(Some(why)),
                PhaseView::Fresh
                | PhaseView::Refreshing { .. }
                | PhaseView::SigningIn
                | PhaseView::Waiting { .. } => None,
            }
        });
        let loss = why.map(|why| {
            let notes: Vec<_> = self.keeper.notes(NAME).iter().map(kind).collect();
            Loss { why, is_noted: is_told(&notes) }
        });
        match &loss {
            Some(_) => self.sign_in(),
            None => {
                let answer = self.keeper.fetch(NAME, self.path);
                assert_eq!(answer.as_ref().map(|answer| answer.status), Ok(200), "{answer:?}");
                self.undisturbed.extend(&self.trap.answered()[before..]);
            }
        }
        Kill { when, after_us: signed(last_byte, killed), took_keyring: takes_keyring, loss }
    }
}

pub(crate) fn signed(from: Instant, to: Instant) -> i64 {
    let (after, before) = (to.saturating_duration_since(from), from.saturating_duration_since(to));
    i64::try_from(after.as_micros()).unwrap() - i64::try_from(before.as_micros()).unwrap()
}

fn oauth(issuer: &str, client: &str, more: &str) -> String {
    format!(
        "[profile.{NAME}]\nurl = \"{issuer}\"\nheartbeat = \"1h\"\n[profile.{NAME}.oauth]\n\
         issuer = \"{issuer}\"\nclient_id = \"{client}\"\n{more}\n\n"
    )
}

const NAME: &str = "crashing";

/// Nobody refreshes for its sake.
const TTL: Duration = Duration::from_secs(3600);

/// What the provider says of it stands in between, if it says anything.
fn is_told(notes: &[String]) -> bool {
    let notes: Vec<&str> = notes.iter().map(String::as_str).filter(|note| *note != "said").collect();
    notes.ends_with(&["interrupted", "needs_login"])
}
