//! One session on a bench: a clock to move, a vault and a provider that do as they are told.

use std::collections::BTreeSet;
use std::time::Duration;

use session::Session;
use session::event::{Asker, Attempt, Effect, Event, Found, Memory};
use session::interaction::{Interaction, Need};
use session::note::Note;
use session::policy::Policy;
use session::reason::{Trouble, VaultTrouble};
use session::time::Timestamp;
use session::tokens::{AccessToken, Account, RefreshToken, Tokens};
use session::verdict::Beat;
use session::verdict::Verdict;

#[derive(Clone)]
pub(crate) struct Bench {
    pub(crate) session: Session,
    pub(crate) now: Timestamp,
    pub(crate) in_flight: Option<Attempt>,
    sign_in: Option<Attempt>,
    /// The refresh tokens that were sent, and when.
    pub(crate) sent: Vec<String>,
    pub(crate) sent_at: Vec<Timestamp>,
    pub(crate) revoked: Vec<String>,
    pub(crate) vault: Option<String>,
    /// Of what is in the vault.
    pub(crate) generation: u32,
    /// Who was told to report.
    pub(crate) called_off: Vec<Attempt>,
    /// What the next process will know.
    pub(crate) memory: Memory,
    /// Of which token the next process is told that it was sent.
    pub(crate) marked: BTreeSet<String>,
    /// What the journal was told.
    pub(crate) notes: Vec<Note>,
    /// Whose the token in the vault is.
    pub(crate) owner: Account,
    /// What the nth heartbeat finds, and when there were any.
    pub(crate) pulse: fn(usize) -> Beat,
    pub(crate) beats: Vec<Timestamp>,
    /// How many more times saving fails.
    pub(crate) failing_saves: u32,
    /// The vault hangs, with this to answer.
    held: Option<Vec<Event>>,
    /// The journal hangs, and the vault's first answer waits for it.
    recalls_late: bool,
    pub(crate) was_late: bool,
}

impl Bench {
    pub(crate) fn started(policy: Policy, now: Timestamp) -> Self {
        Self {
            session: Session::new(policy, 7, now),
            now,
            in_flight: None,
            sign_in: None,
            sent: Vec::new(),
            sent_at: Vec::new(),
            revoked: Vec::new(),
            vault: None,
            generation: 0,
            called_off: Vec::new(),
            memory: Memory::default(),
            marked: BTreeSet::new(),
            notes: Vec::new(),
            owner: Account::default(),
            pulse: |_| Beat::Good,
            beats: Vec::new(),
            failing_saves: 0,
            held: None,
            recalls_late: false,
            was_late: false,
        }
    }

    pub(crate) fn seeded(seed: u64) -> Self {
        let bench = Self::started(Policy::default(), Timestamp::default());
        Self { session: Session::new(Policy::default(), seed, bench.now), ..bench }
    }

    /// The vault holds that, and nobody has read it yet.
    pub(crate) fn unread(token: &str) -> Self {
        let bench = Self::started(Policy::default(), Timestamp::default()).with_a_hanging_vault();
        Self { vault: Some(token.to_owned()), ..bench }.told(Event::Tick)
    }

    pub(crate) fn restored(token: &str) -> Self {
        let mut bench = Self::unread(token);
        bench.let_the_vault_answer();
        bench
    }

    pub(crate) fn signed_in(lifetime: Duration) -> Self {
        Self::started(Policy::default(), Timestamp::default()).sign_in(lifetime)
    }

    pub(crate) fn sign_in(self, lifetime: Duration) -> Self {
        self.sign_in_with(tokens("a1", Some("r1"), Some(lifetime)))
    }

    pub(crate) fn sign_in_with(self, tokens: Tokens) -> Self {
        self.sign_in_as(Account::default(), tokens)
    }

    pub(crate) fn sign_in_as(self, account: Account, tokens: Tokens) -> Self {
        let mut bench = self.told(Event::SignIn { patience: PATIENCE });
        let attempt = bench.sign_in.take().expect("a sign-in is in flight");
        bench.told(Event::SignedIn { attempt, tokens, account })
    }

    pub(crate) fn sign_in_failed(mut self) -> Self {
        let attempt = self.sign_in.take().expect("a sign-in is in flight");
        self.told(Event::SignInFailed { attempt })
    }

    /// The refresh that nobody asks for, answered like that.
    pub(crate) fn refreshed_of_itself(mut self, verdict: &Verdict) -> Self {
        self.run_until_sent(verdict);
        self
    }

    pub(crate) fn told(mut self, event: Event) -> Self {
        self.tell(event);
        self
    }

    pub(crate) fn answered(mut self, verdict: &Verdict) -> Self {
        self.answer(verdict.clone());
        self
    }

    /// A new process: it knows what the vault does, and asks it.
    pub(crate) fn restarted(self) -> Self {
        self.restarted_with(Policy::default())
    }

    pub(crate) fn restarted_with(self, policy: Policy) -> Self {
        let session = Session::new(policy, 8, self.now);
        // Nobody hears any more what the vault says to the old one.
        let held = self.held.is_some().then(Vec::new);
        Self { session, in_flight: None, sign_in: None, held, ..self }.told(Event::Tick)
    }

    /// The next process finds that on the disk.
    pub(crate) fn recalling(self, memory: Memory) -> Self {
        Self { memory, ..self }
    }

    /// Whoever tests it says when. After that it does not hang any more.
    pub(crate) fn recalling_late(self) -> Self {
        Self { recalls_late: true, ..self }.with_a_hanging_vault()
    }

    pub(crate) fn with_a_hanging_vault(self) -> Self {
        Self { held: Some(Vec::new()), ..self }
    }

    /// Tells the session, and does what it wants of the vault at once.
    pub(crate) fn tell(&mut self, event: Event) -> Vec<Effect> {
        let (session, effects) = self.session.clone().step(event, self.now);
        self.session = session;
        // Or whoever runs from deadline to deadline never gets on.
        assert!(self.session.deadline().is_none_or(|at| at > self.now), "something is left due");
        assert!(self.sent.len() < A_STORM, "it never rests");
        for effect in effects.clone() {
            match effect {
                Effect::Refresh { attempt, token, .. } => {
                    self.in_flight = Some(attempt);
                    self.sent.push(token.expose().to_owned());
                    self.sent_at.push(self.now);
                }
                Effect::SignIn { attempt } => self.sign_in = Some(attempt),
                Effect::Revoke { refresh, .. } => {
                    self.revoked.extend(refresh.iter().map(|token| token.expose().to_owned()));
                }
                Effect::Load => {
                    let found = match &self.vault {
                        Some(token) => Found::Token {
                            refresh: RefreshToken::new(&**token),
                            account: self.owner.clone(),
                            generation: self.generation,
                        },
                        None => Found::Nothing,
                    };
                    let interrupted = self.vault.as_ref().is_some_and(|token| self.marked.contains(token));
                    if !self.recalls_late {
                        self.tell(Event::Recalled(self.memory.clone()));
                    }
                    self.vault_says(Event::Loaded { found, interrupted });
                }
                Effect::Save { generation, .. } if self.failing_saves > 0 => {
                    self.failing_saves -= 1;
                    self.vault_says(Event::NotSaved { generation, trouble: VaultTrouble::Failed });
                }
                Effect::Save { generation, token, account } => {
                    self.vault = Some(token.expose().to_owned());
                    self.generation = generation;
                    self.owner = account;
                    self.vault_says(Event::Saved { generation });
                }
                Effect::Forget => {
                    self.vault = None;
                    self.vault_says(Event::Forgotten);
                }
                Effect::Heartbeat { attempt, .. } => {
                    self.beats.push(self.now);
                    self.tell(Event::Beaten { attempt, beat: (self.pulse)(self.beats.len()) });
                }
                Effect::Note(note) => self.notes.push(note),
                Effect::CallOff { attempt } => self.called_off.push(attempt),
                Effect::Remember(memory) => self.memory = memory,
                Effect::Mark { token } => drop(self.marked.insert(token.expose().to_owned())),
                Effect::Unmark => self.marked.clear(),
                Effect::Publish { .. } => {}
            }
        }
        effects
    }

    pub(crate) fn tell_and_answer(&mut self, event: Event, verdict: &Verdict) {
        self.tell(event);
        self.answer(verdict.clone());
    }

    /// Lets time pass from deadline to deadline; the provider answers its nth request at once.
    pub(crate) fn run(&mut self, time: Duration, provider: impl Fn(usize) -> Verdict) {
        let end = self.now + time;
        self.answer_with(&provider);
        while let Some(at) = self.session.deadline().filter(|at| *at <= end) {
            self.now = at;
            self.tell(Event::Tick);
            self.answer_with(&provider);
        }
        self.now = end;
    }

    /// Lets time pass until the next request, which is answered like that.
    pub(crate) fn run_until_sent(&mut self, verdict: &Verdict) {
        let sent = self.sent.len();
        while self.sent.len() == sent {
            self.now = self.session.deadline().expect("it goes on");
            self.tell(Event::Tick);
        }
        self.answer(verdict.clone());
    }

    /// In minutes.
    pub(crate) fn pauses_between_beats(&self) -> Vec<u64> {
        self.beats.windows(2).map(|pair| pair[1].since(pair[0]).as_secs() / 60).collect()
    }

    /// Whatever was awaited comes after all.
    pub(crate) fn late_answers(&mut self, tokens: &Tokens) {
        self.was_late = self.in_flight.is_some() || self.sign_in.is_some();
        if let Some(attempt) = self.in_flight.take() {
            self.tell(Event::Refreshed { attempt, verdict: Verdict::Fresh(tokens.clone()) });
        }
        if let Some(attempt) = self.sign_in.take() {
            self.tell(Event::SignedIn { attempt, tokens: tokens.clone(), account: Account::default() });
        }
    }

    /// The vault answers what it was asked while it hung.
    pub(crate) fn let_the_vault_answer(&mut self) {
        self.recalls_late = false;
        for event in self.held.take().into_iter().flatten() {
            self.tell(event);
        }
    }

    fn vault_says(&mut self, event: Event) {
        match &mut self.held {
            Some(held) => held.push(event),
            None => {
                self.tell(event);
            }
        }
    }

    fn answer_with(&mut self, provider: &impl Fn(usize) -> Verdict) {
        while self.in_flight.is_some() {
            self.answer(provider(self.sent.len()));
        }
    }

    fn answer(&mut self, mut verdict: Verdict) {
        if let Verdict::Fresh(tokens) = &mut verdict
            && tokens.access.as_ref().is_some_and(|token| token.expose() == NEW)
        {
            tokens.access = Some(AccessToken::new(format!("a{}", self.sent.len() + 1)));
        }
        if let Some(attempt) = self.in_flight.take() {
            self.tell(Event::Refreshed { attempt, verdict });
        }
    }
}

/// A person at a sign-in page.
pub(crate) const PATIENCE: Duration = Duration::from_secs(330);

/// A new access token, and no new refresh token.
pub(crate) fn fresh(lifetime: u64) -> Verdict {
    Verdict::Fresh(tokens(NEW, None, Some(seconds(lifetime))))
}

const A_STORM: usize = 20_000;

/// Stands for a token that nobody has had before.
const NEW: &str = "new";

pub(crate) fn tokens(access: &str, refresh: Option<&str>, lifetime: Option<Duration>) -> Tokens {
    Tokens {
        access: Some(AccessToken::new(access)),
        lifetime,
        refresh: refresh.map(RefreshToken::new),
        refresh_life: None,
        odd: None,
    }
}

pub(crate) fn dead() -> Verdict {
    Verdict::Dead
}

pub(crate) fn interaction(need: Need) -> Verdict {
    Verdict::Interaction(Interaction::of(need))
}

pub(crate) fn offline() -> Verdict {
    Verdict::Transient { trouble: Trouble::Offline, status: None, retry_after: None }
}

pub(crate) fn unanswered() -> Verdict {
    Verdict::Transient { trouble: Trouble::Unanswered, status: None, retry_after: None }
}

pub(crate) fn limited(retry_after: Option<Duration>) -> Verdict {
    Verdict::Transient { trouble: Trouble::RateLimited, status: Some(429), retry_after }
}

pub(crate) fn suspect(authentic: bool) -> Verdict {
    Verdict::Suspect { status: 401, signature: 1, authentic }
}

pub(crate) fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

pub(crate) fn minutes(n: u64) -> Duration {
    seconds(60 * n)
}

/// By somebody at the window.
pub(crate) const ASKED: Event = Event::Asked { by: Asker::Person };
