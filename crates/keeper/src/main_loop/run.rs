use std::time::Duration;

use api::Notice;
use session::breaker::Outcome;
use session::event::Event;
use session::limits;
use session::note::Note;
use session::time::{Timestamp, millis};
use tokio::sync::mpsc;

use super::ending::{End, Why};
use super::keeper::Keeper;
use super::kept::Kept;
use super::lookout::Errand;
use super::mail::{Id, Mail};
use crate::adapters::clock::{self, Gap};
use crate::adapters::hints::{self, SystemHint};

impl Keeper {
    /// Returns once it was told to stop and nothing is in flight, or the time for that is over.
    pub async fn run(mut self) -> End {
        self.hear_hints();
        self.look();
        while !self.may_end() {
            let pause = self.pause();
            let mail = tokio::select! {
                mail = self.mailbox.recv() => mail,
                () = tokio::time::sleep(pause) => None,
            };
            self.notice_gap(pause);
            if let Some(mail) = mail {
                self.take(mail);
            }
            self.look();
            self.tick();
            self.let_it_sleep();
            self.replace_those_that_waited();
        }
        self.end().await
    }

    pub(crate) fn take(&mut self, mail: Mail) {
        match mail {
            Mail::Answered { id, held, generation, outcome } => {
                self.on_answered(id, held, generation, outcome)
            }
            Mail::Ask { request, answer } => self.on_ask(request, answer),
            Mail::Beaten { id, host, attempt, beat } => {
                // Without a host nobody was asked.
                if let Some(host) = host {
                    self.report(&host, Outcome::from(beat));
                }
                self.step(id, Event::Beaten { attempt, beat });
            }
            Mail::Begun { id, attempt, begun } => self.on_begun(id, attempt, begun),
            Mail::Exchanged { id, provider, profile, attempt, verdict, said } => {
                self.on_exchanged(id, provider, &profile, attempt, verdict, said)
            }
            Mail::File(news) => self.on_news(news),
            Mail::Hint(hint) => self.on_hint(hint),
            Mail::HomeGone { answer } => self.config.lookout.tell(Errand::HomeGone(answer)),
            Mail::HomeMade => self.on_home_made(),
            Mail::Loaded { id, found, mark } => self.on_loaded(id, found, mark),
            Mail::NetworkUp => self.on_network_up(),
            Mail::Recalled { id, memory } => self.on_recalled(id, memory),
            Mail::SignedIn { id, attempt, provider, outcome, landing, took } => {
                self.on_signed_in(id, attempt, provider, outcome, landing, took)
            }
            Mail::Terminate => self.begin_to_stop(Why::Signal),
            Mail::Revoked { number, answer } => self.on_revoked(number, answer),
            Mail::Inspected { unreadable, profile, answer } => {
                self.on_inspected(unreadable, profile.as_deref(), answer);
            }
            Mail::Unlocked { opened, answer } => self.on_unlocked(opened, answer),
            Mail::Unwanted { provider, unwanted } => self.give_back(provider, unwanted),
            Mail::Vault { id, event } => self.on_vault(id, event),
            Mail::VaultSays(news) => self.on_vault_says(news),
            Mail::Withheld { id, attempt, wait, trouble } => {
                self.step(id, Event::Withheld { attempt, wait, trouble });
            }
        }
    }

    fn on_home_made(&mut self) {
        self.config.lookout.tell(Errand::HomeMade);
        self.vault.look_again();
        for id in self.ids() {
            self.step(id, Event::VaultEmptied);
        }
    }

    pub(crate) fn step(&mut self, id: Id, event: Event) {
        let now = clock::now();
        let Some(kept) = self.kept.get_mut(&id) else { return };
        let effects = kept.step(event, now);
        let changed = !effects.is_empty();
        for effect in effects {
            self.perform(id, effect);
        }
        self.settle(id, now);
        if changed && let Some(kept) = self.kept.get(&id) {
            self.tell(Notice::Changed { profile: kept.profile.name.clone() });
        }
    }

    fn tick(&mut self) {
        let now = clock::now();
        self.send_revocations(now);
        // Each once: a session that stays due waits for all others.
        let due: Vec<(Timestamp, Id)> = self.due.iter().take_while(|(at, _)| *at <= now).copied().collect();
        for (at, id) in due {
            if self.due.remove(&(at, id))
                && let Some(kept) = self.kept.get_mut(&id)
            {
                kept.due = None;
                self.step(id, Event::Tick);
            }
        }
    }

    /// Never long, as timers stand still in a sleep. Short while anything is in flight, or a freeze is noticed late.
    fn pause(&self) -> Duration {
        let longest = if self.kept.values().all(Kept::is_idle) { limits::LONGEST_SLEEP } else { limits::NAP };
        let sessions = self.due.first().map(|(at, _)| *at);
        let stopping = self.stopping.as_ref().map(|stopping| stopping.by);
        let dozing = self.dozing.as_ref().map(|dozing| dozing.until);
        let earliest = [sessions, stopping, dozing, self.revocations.due(), self.config.due()];
        let earliest = earliest.into_iter().flatten().min();
        earliest.map_or(longest, |at| clock::now().until(at).min(longest))
    }

    /// Sessions hear of it before anything else that happens after a sleep or a freeze.
    fn notice_gap(&mut self, pause: Duration) {
        let Some(gap) = self.watch.gap(pause) else { return };
        self.note(
            None,
            match gap {
                Gap::Slept(slept) => Note::Woke { slept_ms: millis(slept) },
                Gap::StoodStill(stood_still) => Note::Thawed { stood_still_ms: millis(stood_still) },
            },
        );
        if let Some(stopping) = &mut self.stopping {
            stopping.by = stopping.by + gap.length();
        }
        self.admission.on_awake(clock::now());
        for id in self.ids() {
            self.wake(id, gap.length());
        }
    }

    fn on_hint(&mut self, hint: SystemHint) {
        match hint {
            SystemHint::AboutToSleep(inhibitor) => self.on_about_to_sleep(inhibitor),
            SystemHint::Network { by, word } => self.on_word_of_network(by, word),
            SystemHint::Woke => self.on_awake(),
        }
    }

    fn hear_hints(&self) {
        let (sender, mut hints) = mpsc::channel(8);
        hints::listen(sender);
        let post = self.post.clone();
        tokio::spawn(async move {
            while let Some(hint) = hints.recv().await {
                if post.send(Mail::Hint(hint)).is_err() {
                    break;
                }
            }
        });
    }
}
