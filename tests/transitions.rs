//! The transition table: every representative state × every event, as a text that is committed and compared.
//!
//! A change of behaviour is a changed line of `transitions.txt` in review. `UPDATE=1` writes it anew.

#[path = "transitions/words.rs"]
mod words;

use std::fmt::Write as _;
use std::time::Duration;

use session::Session;
use session::binding::Destination;
use session::event::{Asker, Attempt, Effect, Event, Found, Memory};
use session::interaction::{Interaction, Need};
use session::policy::Policy;
use session::reason::{Lost, Trouble, VaultTrouble};
use session::time::Timestamp;
use session::tokens::{AccessToken, Account, RefreshLife, RefreshToken, Tokens};
use session::verdict::Beat;
use session::verdict::Verdict;
use session::view::Phase;
use words::{effect, state};

#[test]
fn the_table_is_what_was_agreed() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/transitions.txt");
    let table = table();
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(path, &table).expect("the table can be written");
    }
    let agreed = std::fs::read_to_string(path).unwrap_or_default();
    for (number, (is, was)) in table.lines().zip(agreed.lines()).enumerate() {
        assert_eq!(is, was, "line {} of tests/transitions.txt changed (UPDATE=1 writes it)", number + 1);
    }
    assert_eq!(table.lines().count(), agreed.lines().count(), "tests/transitions.txt (UPDATE=1 writes it)");
}

/// Row F8.
/// Nothing is left due, whoever has a duty says when, and no secret can be printed: for every cell.
#[test]
fn every_cell_reports_its_deadline_and_prints_no_token() {
    for scene in scenes() {
        for (name, event) in scene.events() {
            let told = format!("{} × {name}", scene.name);
            let (session, effects) = scene.session.clone().step(event, scene.now);
            assert!(
                !format!("{session:?}{effects:?}{:?}", session.view(scene.now)).contains("secret"),
                "{told}"
            );
            match session.deadline() {
                Some(at) => assert!(at > scene.now, "{told}: left due"),
                // Nothing is begun before the end, or before the machine sleeps.
                None if matches!(name.as_str(), "AboutToSleep" | "Ending") => {}
                None => assert!(
                    matches!(
                        session.phase(),
                        Phase::NeedsLogin { .. } | Phase::Waiting { why: Trouble::Vault, .. }
                    ),
                    "{told}: {:?} would sleep for ever",
                    session.phase()
                ),
            }
        }
    }
}

fn table() -> String {
    let mut table = String::from(HEAD);
    for scene in scenes() {
        let _ = writeln!(table, "\n== {} ==", scene.name);
        let _ = writeln!(table, "   {}", state(&scene.session, scene.now));
        let before = format!("{:?}", scene.session);
        let mut idle = Vec::new();
        for (name, event) in scene.events() {
            let (session, effects) = scene.session.clone().step(event, scene.now);
            if effects.is_empty() && format!("{session:?}") == before {
                idle.push(name);
                continue;
            }
            let effects: Vec<String> = effects.into_iter().map(effect).collect();
            let _ = writeln!(table, "{name:<30}{:<47}{}", state(&session, scene.now), effects.join("; "));
        }
        for (place, names) in idle.chunks(4).enumerate() {
            let head = if place == 0 { "changes nothing" } else { "" };
            let _ = writeln!(table, "{head:<30}{}", names.join(", "));
        }
    }
    table.lines().map(|line| format!("{}\n", line.trim_end())).collect()
}

const HEAD: &str = "\
Phase × event → phase, then the time until the next deadline, then the effects in their order.
Tokens are named: r for refresh tokens, a for access tokens. #n is the number of an attempt, gn a generation.
Access tokens live for an hour here, a quarter of it is the lead, and heartbeats come every twenty minutes.
Durations come from a fixed seed. \"stale\" is an older attempt of this epoch, \"foreign\" one from before the last
sign-in or sign-out. Written by tests/transitions.rs with UPDATE=1.
";

/// A person at a sign-in page.
const PATIENCE: Duration = Duration::from_secs(330);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Vault {
    Idle,
    Reads,
    Writes,
}

/// A state, and what a driver would know about what is in flight in it.
#[derive(Clone)]
struct Scene {
    name: &'static str,
    session: Session,
    now: Timestamp,
    epoch: u32,
    refresh: Option<Attempt>,
    sign_in: Option<Attempt>,
    beat: Option<Attempt>,
    /// What the vault is at.
    vault: Vault,
    grant: u32,
    access: u32,
}

fn scenes() -> Vec<Scene> {
    let unread = Scene::start().told(Event::Tick);
    let never = unread.clone().told(loaded(None));
    let living = never.clone().signed_in(None);
    let told = |minutes: u64| Some(RefreshLife::For(self::minutes(minutes)));
    let fixed = Verdict::Fresh(Tokens { refresh_life: told(50), ..tokens(Some("secret-a2"), None) });
    let ending =
        never.clone().signed_in(told(60)).later(minutes(10)).told(asked(Asker::Machine)).answered(fixed);
    let resting = never.clone().signed_in(told(40));
    let fresh = living.clone().later(minutes(10));
    let refreshing = fresh.clone().told(asked(Asker::Person));
    let unanswered = |verdict: Verdict| refreshing.clone().answered(verdict);
    let limited = Verdict::Transient {
        trouble: Trouble::RateLimited,
        status: Some(429),
        retry_after: Some(minutes(10)),
    };
    vec![
        unread.clone().named("vault unread"),
        unread.clone().told(Event::NotLoaded(VaultTrouble::Gone)).named("NeedsLogin: the key is missing"),
        unread
            .clone()
            .told(recalled(9, Some(Lost::Refused)))
            .named("vault unread, the last process was refused"),
        unread
            .clone()
            .told(recalled(9, None))
            .told(loaded(Some("secret-r1")))
            .named("NeedsLogin: out of a backup, token kept aside"),
        unread
            .told(recalled(0, None))
            .told(Event::SignOut)
            .named("NeedsLogin: signed out before the vault was read"),
        never.clone().named("NeedsLogin: never"),
        Scene::start()
            .told(Event::Tick)
            .told(loaded(Some("secret-r1")))
            .suspected()
            .named("NeedsLogin: unsure, token kept aside"),
        unanswered(Verdict::Dead)
            .told(Event::Forgotten)
            .named("NeedsLogin: refused, access token still good"),
        refreshing.clone().told(Event::SignOut).named("NeedsLogin: signed out during a refresh"),
        fresh
            .clone()
            .told(demanded(1, Need::Other))
            .later(minutes(1))
            .named("NeedsLogin: a person demanded, tokens living"),
        unanswered(Verdict::Interaction(Interaction::of(Need::Consent)))
            .named("NeedsLogin: consent required, token kept aside, access token still good"),
        never.told(Event::SignIn { patience: PATIENCE }).named("SigningIn from nothing"),
        fresh.clone().told(Event::SignIn { patience: PATIENCE }).named("SigningIn over a living session"),
        fresh.clone().named("Fresh"),
        living.clone().later(minutes(20)).told(Event::Tick).named("Fresh, a heartbeat in flight"),
        living.later(minutes(61)).named("Fresh, expired just before the tick"),
        resting.later(minutes(21)).named("Fresh, and long unused"),
        ending.later(minutes(45)).named("Fresh, and soon at its end"),
        refreshing.clone().named("Refreshing"),
        unanswered(rotated()).named("Refreshing, the answer waits for the vault"),
        unanswered(status(503)).named("Waiting, token good"),
        fresh
            .told(Event::Rejected { by: Asker::Machine, generation: 1 })
            .answered(status(503))
            .named("Waiting, token dead"),
        unanswered(limited).named("Waiting, the provider named the time"),
    ]
}

impl Scene {
    fn start() -> Self {
        let policy = Policy { heartbeat: minutes(20), probe: true, ..Policy::default() };
        // A multiple of the time before the lead, so that the slot of this installation is just there.
        let now = Timestamp::default() + minutes(45);
        let session = Session::new(policy, 7, now);
        let (refresh, sign_in, beat) = (None, None, None);
        Self {
            name: "",
            session,
            now,
            epoch: 0,
            refresh,
            sign_in,
            beat,
            vault: Vault::Idle,
            grant: 0,
            access: 0,
        }
    }

    fn told(mut self, event: Event) -> Self {
        let ends_epoch = matches!(event, Event::KeyDeleted | Event::SignOut | Event::SignedIn { .. });
        if matches!(
            event,
            Event::Loaded { .. } | Event::NotLoaded(_) | Event::Saved { .. } | Event::Forgotten
        ) {
            self.vault = Vault::Idle;
        }
        if matches!(event, Event::Loaded { .. } | Event::NotLoaded(_)) {
            // It always comes before.
            self.session = self.session.step(Event::Recalled(Memory::default()), self.now).0;
        }
        let (session, effects) = self.session.step(event, self.now);
        self.session = session;
        self.epoch += u32::from(ends_epoch);
        for effect in effects {
            if let Effect::Refresh { attempt, .. } = effect {
                self.refresh = Some(attempt);
            } else if let Effect::SignIn { attempt } = effect {
                self.sign_in = Some(attempt);
            } else if let Effect::Heartbeat { attempt, .. } = effect {
                self.beat = Some(attempt);
            } else if let Effect::Save { generation, .. } = effect {
                self.grant = generation;
                self.vault = Vault::Writes;
            } else if let Effect::Forget = effect {
                self.vault = Vault::Writes;
            } else if let Effect::Load = effect {
                self.vault = Vault::Reads;
            } else if let Effect::Publish { generation } = effect {
                self.access = generation;
            }
        }
        self
    }

    fn later(mut self, by: Duration) -> Self {
        self.now = self.now + by;
        self
    }

    fn named(self, name: &'static str) -> Self {
        Self { name, ..self }
    }

    fn answered(mut self, verdict: Verdict) -> Self {
        let attempt = self.refresh.take().expect("a refresh is in flight");
        self.told(Event::Refreshed { attempt, verdict })
    }

    fn signed_in(self, refresh_life: Option<RefreshLife>) -> Self {
        let asked = self.told(Event::SignIn { patience: PATIENCE });
        let attempt = asked.sign_in.expect("a sign-in is in flight");
        let in_ = asked.told(signed_in(
            attempt,
            Tokens { refresh_life, ..tokens(Some("secret-a1"), Some("secret-r1")) },
        ));
        let generation = in_.grant;
        Self { sign_in: None, ..in_.told(Event::Saved { generation }) }
    }

    /// The same unrecognisable refusal until the session is no longer sure.
    fn suspected(mut self) -> Self {
        while self.session.phase() != (Phase::NeedsLogin { why: Lost::Unsure }) {
            self = self.answered(suspect());
            self.now = self.session.deadline().unwrap_or(self.now);
            self = self.told(Event::Tick);
        }
        self
    }

    /// Every event that can come in this state, with a name of its own.
    fn events(&self) -> Vec<(String, Event)> {
        let mut events: Vec<(String, Event)> = Vec::new();
        let mut add = |name: &str, event: Event| events.push((name.to_owned(), event));
        add("Asked", asked(Asker::Person));
        add("Asked by a machine", asked(Asker::Machine));
        add("Tick", Event::Tick);
        add("Wanted any", wanted(Duration::ZERO, Asker::Machine));
        add("Wanted any by a person", wanted(Duration::ZERO, Asker::Person));
        add("Wanted 55 min", wanted(minutes(55), Asker::Machine));
        add("Wanted two hours", wanted(minutes(120), Asker::Machine));
        add("Ending", Event::Ending);
        add("AboutToSleep", Event::AboutToSleep);
        add("Awake", Event::Awake);
        add("Stays", Event::Stays);
        add("NetworkUp", Event::NetworkUp);
        add("Woke 8 h", Event::Woke { slept: minutes(480) });
        add("Rejected current", Event::Rejected { by: Asker::Machine, generation: self.access });
        add("Rejected current, by a person", Event::Rejected { by: Asker::Person, generation: self.access });
        add(
            "Rejected replaced",
            Event::Rejected { by: Asker::Machine, generation: self.access.wrapping_sub(1) },
        );
        add("Demanded current", demanded(self.access, Need::Scope));
        add("Demanded replaced", demanded(self.access.wrapping_sub(1), Need::Scope));
        if let Some(attempt) = self.beat {
            add("Beaten good", Event::Beaten { attempt, beat: Beat::Good });
            add("Beaten no", Event::Beaten { attempt, beat: Beat::SaysNo });
            let beat = Beat::Silent { trouble: Trouble::Offline, status: None };
            add("Beaten silent", Event::Beaten { attempt, beat });
        }
        let stale = Attempt { epoch: self.epoch, number: 0 };
        add("Beaten no, stale", Event::Beaten { attempt: stale, beat: Beat::SaysNo });
        if let Some(attempt) = self.refresh.filter(|attempt| attempt.epoch == self.epoch) {
            for (name, verdict) in verdicts() {
                add(&format!("Refreshed {name}"), Event::Refreshed { attempt, verdict });
            }
            let wait = Duration::from_secs(5);
            add("Withheld 5 s", Event::Withheld { attempt, wait, trouble: Trouble::BreakerOpen });
        }
        for (name, verdict) in [("fresh", rotated()), ("dead", Verdict::Dead)] {
            add(
                &format!("Refreshed {name}, stale"),
                Event::Refreshed { attempt: stale, verdict: verdict.clone() },
            );
            if let Some(epoch) = self.epoch.checked_sub(1) {
                let attempt = Attempt { epoch, number: self.refresh.map_or(0, |attempt| attempt.number) };
                add(&format!("Refreshed {name}, foreign"), Event::Refreshed { attempt, verdict });
            }
        }
        add("KeyDeleted", Event::KeyDeleted);
        add("VaultEmptied", Event::VaultEmptied);
        add("VaultReady", Event::VaultReady);
        add("SignIn", Event::SignIn { patience: PATIENCE });
        add("SignOut", Event::SignOut);
        if let Some(attempt) = self.sign_in {
            let both = tokens(Some("secret-a9"), Some("secret-r9"));
            add("SignedIn, both tokens", signed_in(attempt, both));
            add("SignedIn, access only", signed_in(attempt, tokens(Some("secret-a9"), None)));
            add("SignedIn, refresh only", signed_in(attempt, tokens(None, Some("secret-r9"))));
            add("SignInFailed", Event::SignInFailed { attempt });
        }
        add("SignedIn, stale", signed_in(stale, tokens(Some("secret-a9"), Some("secret-r9"))));
        add("SignInFailed, stale", Event::SignInFailed { attempt: stale });
        match self.vault {
            Vault::Idle => {}
            Vault::Reads => {
                add("Loaded a token", loaded(Some("secret-r1")));
                add("Loaded, interrupted", found(token("secret-r1"), true));
                add("Loaded elsewhere", found(Found::Elsewhere(vec![Destination::Token]), false));
                add("Loaded nothing", loaded(None));
                add("NotLoaded", Event::NotLoaded(VaultTrouble::Locked));
                add("Recalled", recalled(9, None));
                add("NotLoaded, no key", Event::NotLoaded(VaultTrouble::Gone));
            }
            Vault::Writes => {
                let (newest, older, trouble) = (self.grant, self.grant.wrapping_sub(1), VaultTrouble::Failed);
                add("Saved newest", Event::Saved { generation: newest });
                add("Saved older", Event::Saved { generation: older });
                add("NotSaved newest", Event::NotSaved { generation: newest, trouble });
                add("NotSaved older", Event::NotSaved { generation: older, trouble });
                add("Forgotten", Event::Forgotten);
                add("NotForgotten", Event::NotForgotten(VaultTrouble::Locked));
            }
        }
        events
    }
}

fn verdicts() -> Vec<(&'static str, Verdict)> {
    let transient = |trouble, status| Verdict::Transient { trouble, status, retry_after: None };
    let misconfigured = Verdict::Misconfigured { trouble: Trouble::Misconfigured, status: Some(404) };
    let limited = Verdict::Transient {
        trouble: Trouble::RateLimited,
        status: Some(429),
        retry_after: Some(Duration::from_secs(60)),
    };
    vec![
        ("fresh, rotated", rotated()),
        ("fresh, not rotated", Verdict::Fresh(tokens(Some("secret-a2"), None))),
        ("fresh, same access", Verdict::Fresh(tokens(Some("secret-a1"), None))),
        ("fresh, no access", Verdict::Fresh(tokens(None, Some("secret-r2")))),
        ("dead", Verdict::Dead),
        ("interaction", Verdict::Interaction(Interaction::of(Need::Login))),
        ("misconfigured", misconfigured),
        ("suspect", suspect()),
        ("503", status(503)),
        ("429, after a minute", limited),
        ("portal", transient(Trouble::NotJson, Some(200))),
        ("offline", transient(Trouble::Offline, None)),
        ("unanswered", transient(Trouble::Unanswered, None)),
    ]
}

fn rotated() -> Verdict {
    Verdict::Fresh(tokens(Some("secret-a2"), Some("secret-r2")))
}

fn status(status: u16) -> Verdict {
    Verdict::Transient { trouble: Trouble::Status, status: Some(status), retry_after: None }
}

fn suspect() -> Verdict {
    Verdict::Suspect { status: 403, signature: 1, authentic: true }
}

fn tokens(access: Option<&str>, refresh: Option<&str>) -> Tokens {
    let (access, refresh) = (access.map(AccessToken::new), refresh.map(RefreshToken::new));
    Tokens { access, lifetime: Some(minutes(60)), refresh, refresh_life: None, odd: None }
}

fn signed_in(attempt: Attempt, tokens: Tokens) -> Event {
    Event::SignedIn { attempt, tokens, account: Account::default() }
}

fn demanded(generation: u32, need: Need) -> Event {
    Event::Demanded { generation, interaction: Interaction::of(need) }
}

fn asked(by: Asker) -> Event {
    Event::Asked { by }
}

fn wanted(min_valid: Duration, by: Asker) -> Event {
    Event::Wanted { min_valid, by }
}

fn loaded(text: Option<&str>) -> Event {
    found(text.map_or(Found::Nothing, token), false)
}

fn token(text: &str) -> Found {
    Found::Token { refresh: RefreshToken::new(text), account: Account::default(), generation: 1 }
}

fn found(found: Found, interrupted: bool) -> Event {
    Event::Loaded { found, interrupted }
}

fn recalled(generation: u32, lost: Option<Lost>) -> Event {
    Event::Recalled(Memory { generation, lost, ..Memory::default() })
}

fn minutes(n: u64) -> Duration {
    Duration::from_secs(60 * n)
}
