//! The session under test, and bugs that can be planted in it from outside.

use std::time::Duration;

use session::Session;
use session::event::{Asker, Attempt, Effect, Event, Found, Memory};
use session::reason::Source;
use session::reason::Trouble;
use session::time::Timestamp;
use session::tokens::{Account, RefreshLife, RefreshToken, Tokens};
use session::verdict::Verdict;
use session::view::Phase;

/// One mistake, as somebody has made it before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bug {
    AdoptsForeignTokens,
    AcceptsStaleAnswers,
    AnswersAndHolds,
    AsksInThePersonsPlace,
    BelievesAssumptions,
    BelievesTheBelied,
    BelievesInShortLifetimes,
    ClearsTheMarkAtPublish,
    DatesByItsOwnClock,
    DeletesOnVaultTrouble,
    DropsTheSessionOn503,
    DropsTokensBesideGarbage,
    EditsTooEarly,
    ForgetsADemand,
    ForgetsCallersAtAnEdit,
    ForgetsSignOuts,
    GivesBackWhatIsNew,
    ForgetsTheOwner,
    ForgetsWhenSavingFails,
    ForgetsWhy,
    GivesUpOnSlowAnswers,
    ForgetsRests,
    HidesDeadlines,
    HidesTheNetwork,
    HoldsRetriesBack,
    IgnoresGenerations,
    IgnoresRefusals,
    IgnoresRetryAfter,
    IgnoresSleep,
    IgnoresTheBreaker,
    IgnoresTheNetwork,
    IgnoresWishes,
    KeepsOrphans,
    MakesPeopleWait,
    MarksAfterSending,
    MarksOnlyTheNewest,
    Nags,
    NeverRetries,
    NeverWarns,
    PublishesBeforeSaving,
    PutsPeopleBehindTheBreaker,
    RefreshesBeforeSleep,
    RefreshesBeforeTheEnd,
    RefreshesOnEveryCall,
    ReplaysForEver,
    ReportsDeadlinesLate,
    RetriesLostAnswersLate,
    SendsAnOldToken,
    SendsPastTheLane,
    SendsTwice,
    StretchesRests,
    TakesDemandsForRefusals,
    TakesElsewhereForOurs,
    TakesInteractionsForDeath,
    TakesPortalsForNo,
    TakesWithheldForNamed,
    WaitsForTheNetwork,
    WarnsAgain,
}

/// The session, with at most one bug around it.
pub(crate) struct Sut {
    session: Option<Session>,
    bug: Option<Bug>,
    in_flight: Option<Attempt>,
    /// The last answer was that a person is wanted.
    stopped: bool,
    sent: Vec<RefreshToken>,
    /// The generation that the last process wrote down.
    recalled: u32,
    /// Done after everything else that is done next.
    delayed: Vec<Effect>,
}

impl Sut {
    pub(crate) fn new(session: Session, bug: Option<Bug>) -> Self {
        Self {
            session: Some(session),
            bug,
            in_flight: None,
            stopped: false,
            sent: Vec::new(),
            recalled: 0,
            delayed: Vec::new(),
        }
    }

    pub(crate) fn session(&self) -> &Session {
        self.session.as_ref().expect("the session is only away within a step")
    }

    pub(crate) fn deadline(&self) -> Option<Timestamp> {
        let deadline = self.session().deadline();
        match self.bug {
            Some(Bug::HidesDeadlines) => None,
            Some(Bug::ReportsDeadlinesLate) => deadline.map(|at| at + Duration::from_secs(600)),
            _ => deadline,
        }
    }

    pub(crate) fn step(&mut self, event: Event, now: Timestamp) -> Vec<Effect> {
        let event = self.misread(event, now);
        let mut effects = self.raw(event, now);
        self.misperform(&mut effects, now);
        for effect in &effects {
            if let Effect::Refresh { attempt, token, .. } = effect {
                self.in_flight = Some(*attempt);
                self.sent.push(token.clone());
            }
        }
        effects
    }

    fn raw(&mut self, event: Event, now: Timestamp) -> Vec<Effect> {
        let session = self.session.take().expect("the session is only away within a step");
        let (session, effects) = session.step(event, now);
        self.session = Some(session);
        effects
    }

    fn misread(&mut self, event: Event, now: Timestamp) -> Event {
        let Some(bug) = self.bug else { return event };
        if let Event::Recalled(memory) = &event {
            self.recalled = memory.generation;
        }
        self.stopped &= !matches!(event, Event::Asked { .. } | Event::SignedIn { .. } | Event::SignOut);
        if let Event::Refreshed { attempt, verdict } = event {
            return self.misread_answer(bug, attempt, verdict);
        }
        if let Event::SignedIn { attempt, mut tokens, account } = event {
            misread_rest(bug, &mut tokens);
            return Event::SignedIn { attempt, tokens, account };
        }
        match (bug, event) {
            (Bug::IgnoresSleep, Event::Woke { .. }) | (Bug::IgnoresRefusals, Event::Rejected { .. }) => {
                Event::Tick
            }
            (Bug::AsksInThePersonsPlace, Event::NetworkUp) if self.stopped => {
                Event::Asked { by: Asker::Person }
            }
            (Bug::ForgetsADemand, Event::Demanded { .. }) => Event::Tick,
            (Bug::TakesDemandsForRefusals, Event::Demanded { generation, .. }) => {
                Event::Rejected { by: Asker::Machine, generation }
            }
            (Bug::RefreshesOnEveryCall, Event::Wanted { .. }) => Event::Asked { by: Asker::Person },
            (Bug::DeletesOnVaultTrouble, Event::NotLoaded(_)) => {
                Event::Loaded { found: Found::Nothing, interrupted: false }
            }
            (Bug::TakesElsewhereForOurs, Event::Loaded { found: Found::Elsewhere(_), interrupted }) => {
                let (refresh, account) = (RefreshToken::new("r0.0"), Account::default());
                let found = Found::Token { refresh, account, generation: self.recalled };
                Event::Loaded { found, interrupted }
            }
            (Bug::ForgetsWhy, Event::Recalled(memory)) => {
                Event::Recalled(Memory { overruled: memory.overruled, ..Memory::default() })
            }
            (Bug::IgnoresGenerations, Event::Recalled(memory)) => {
                Event::Recalled(Memory { generation: 0, ..memory })
            }
            (Bug::ForgetsSignOuts, Event::Recalled(memory)) => {
                Event::Recalled(Memory { overruled: false, ..memory })
            }
            (Bug::MakesPeopleWait, Event::Asked { .. }) => Event::Asked { by: Asker::Machine },
            (Bug::TakesWithheldForNamed, Event::Withheld { attempt, wait, .. }) => {
                let verdict = Verdict::Transient {
                    trouble: Trouble::BreakerOpen,
                    status: None,
                    retry_after: Some(wait),
                };
                Event::Refreshed { attempt, verdict }
            }
            (Bug::RefreshesBeforeSleep, Event::AboutToSleep)
            | (Bug::RefreshesBeforeTheEnd, Event::Ending) => Event::Tick,
            (Bug::BelievesAssumptions, Event::Tick) => self.over_by_assumption(now).unwrap_or(Event::Tick),
            (_, event) => event,
        }
    }

    fn over_by_assumption(&self, now: Timestamp) -> Option<Event> {
        let access = self.session().view(now).access?;
        let over = access.source == Source::Assumed && access.remaining.is_zero();
        over.then_some(Event::Rejected { by: Asker::Machine, generation: access.generation })
    }

    fn misread_answer(&mut self, bug: Bug, told: Attempt, mut verdict: Verdict) -> Event {
        let current = self.in_flight.unwrap_or(told);
        let waits = matches!(self.session().phase(), Phase::Refreshing { .. });
        let mut attempt = told;
        match bug {
            Bug::AcceptsStaleAnswers if told.epoch == current.epoch => attempt = current,
            Bug::AdoptsForeignTokens if told.epoch != current.epoch && waits => attempt = current,
            _ => {}
        }
        if let Verdict::Fresh(tokens) = &mut verdict {
            misread_rest(bug, tokens);
            if bug == Bug::BelievesInShortLifetimes {
                tokens.lifetime = tokens.lifetime.map(|lifetime| lifetime / 8);
            }
        }
        if let (Bug::DropsTokensBesideGarbage, Verdict::Fresh(Tokens { access: None, .. })) = (bug, &verdict)
        {
            let trouble = Trouble::Unreadable;
            verdict = Verdict::Transient { trouble, status: None, retry_after: None };
        }
        if let (Bug::TakesInteractionsForDeath, Verdict::Interaction(_)) = (bug, &verdict) {
            verdict = Verdict::Dead;
        }
        if let Verdict::Transient { trouble, status, retry_after } = &mut verdict {
            match bug {
                Bug::IgnoresRetryAfter => *retry_after = None,
                Bug::NeverRetries => *retry_after = Some(Duration::from_secs(1 << 40)),
                Bug::RetriesLostAnswersLate if *trouble == Trouble::Unanswered => *trouble = Trouble::Status,
                Bug::DropsTheSessionOn503 if *status == Some(503) => verdict = Verdict::Dead,
                _ => {}
            }
        }
        if self.in_flight.take_if(|waited| *waited == attempt).is_some() {
            self.stopped = matches!(verdict, Verdict::Interaction(_));
        }
        Event::Refreshed { attempt, verdict }
    }

    fn misperform(&mut self, effects: &mut Vec<Effect>, now: Timestamp) {
        let Some(bug) = self.bug else { return };
        effects.append(&mut self.delayed);
        match bug {
            Bug::GivesUpOnSlowAnswers => {
                let over = effects.iter().find_map(|effect| match effect {
                    Effect::CallOff { attempt } if Some(*attempt) == self.in_flight => Some(*attempt),
                    _ => None,
                });
                if let Some(attempt) = over {
                    let trouble = Trouble::TimedOut;
                    let verdict = Verdict::Transient { trouble, status: None, retry_after: None };
                    *effects = self.raw(Event::Refreshed { attempt, verdict }, now);
                }
            }
            Bug::ClearsTheMarkAtPublish
                if effects.iter().any(|effect| matches!(effect, Effect::Publish { .. })) =>
            {
                effects.push(Effect::Unmark);
            }
            // Its lie about the answer is about the time of the retry, and about nothing else.
            Bug::RetriesLostAnswersLate => effects.retain(|effect| *effect != Effect::Unmark),
            Bug::MarksAfterSending => {
                let (mark, others) =
                    effects.drain(..).partition(|effect| matches!(effect, Effect::Mark { .. }));
                *effects = others;
                effects.extend::<Vec<Effect>>(mark);
            }
            Bug::Nags => {
                if let Phase::NeedsLogin { why } = self.session().phase() {
                    effects.push(Effect::Note(session::note::Note::NeedsLogin { why }));
                }
            }
            Bug::SendsTwice => {
                if let Some(again) =
                    effects.iter().find(|effect| matches!(effect, Effect::Refresh { .. })).cloned()
                {
                    effects.push(again);
                }
            }
            Bug::SendsAnOldToken => {
                for effect in effects {
                    if let (Effect::Refresh { token, .. }, Some(old)) = (effect, self.sent.first()) {
                        *token = old.clone();
                    }
                }
            }
            Bug::ForgetsTheOwner => {
                for effect in effects {
                    if let Effect::Save { account, .. } = effect {
                        *account = Account::default();
                    }
                }
            }
            Bug::GivesBackWhatIsNew => {
                let late = |effect: &Effect| {
                    matches!(effect, Effect::Note(session::note::Note::LateAnswer { revoked: false }))
                };
                if effects.iter().any(late) {
                    effects.push(Effect::Revoke { refresh: None, access: None });
                }
            }
            Bug::HoldsRetriesBack => {
                for effect in effects {
                    if let Effect::Refresh { again, .. } = effect {
                        *again = false;
                    }
                }
            }
            Bug::NeverWarns => effects.retain(|effect| !is_warning(effect)),
            Bug::WarnsAgain => {
                if let Some(warning) = effects.iter().find(|effect| is_warning(effect)).cloned() {
                    effects.push(warning);
                }
            }
            Bug::KeepsOrphans => effects.retain(|effect| !matches!(effect, Effect::Revoke { .. })),
            Bug::ForgetsWhenSavingFails => {
                let unsaved =
                    |effect: &Effect| matches!(effect, Effect::Note(session::note::Note::Unsaved { .. }));
                if effects.iter().any(unsaved) {
                    effects.push(Effect::Forget);
                }
            }
            Bug::PublishesBeforeSaving => {
                let saved = effects.iter().find_map(|effect| match effect {
                    Effect::Save { generation, .. } => Some(*generation),
                    _ => None,
                });
                if let Some(generation) = saved {
                    let published = self.raw(Event::Saved { generation }, now);
                    self.delayed = std::mem::replace(effects, published);
                }
            }
            _ => {}
        }
    }
}

fn misread_rest(bug: Bug, tokens: &mut Tokens) {
    match (bug, tokens.refresh_life) {
        (Bug::ForgetsRests, _) => tokens.refresh_life = None,
        (Bug::StretchesRests, Some(RefreshLife::For(life))) => {
            tokens.refresh_life = Some(RefreshLife::For(life * 3));
        }
        _ => {}
    }
}

fn is_warning(effect: &Effect) -> bool {
    matches!(effect, Effect::Note(session::note::Note::EndsSoon { .. }))
}
