//! What must hold at every step, judged from outside: from what the session was really told and what it did.

mod foresight;
mod hearing;
mod judging;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use session::event::{Asker, Attempt, Memory};
use session::interaction::Interaction;
use session::limits;
use session::policy::Policy;
use session::reason::{Cause, Lost};
use session::time::{Timestamp, millis};
use session::tokens::{AccessToken, Account, RefreshToken, Tokens};

use crate::law::Standing;
use crate::provider::Habits;
use foresight::Foresight;

#[derive(Clone, Default)]
pub(crate) struct Referee {
    habits: Habits,
    pub(crate) now: u64,
    /// Milliseconds slept through in this life of the process.
    pub(crate) slept: u64,
    /// Raised by every sign-in that succeeds and every sign-out.
    epoch: u32,
    sent: BTreeMap<Attempt, Sent>,
    in_flight: Option<Attempt>,
    /// What was sent last may have been spent without anybody having seen the answer.
    doubt: bool,
    /// An answer was lost since the last good one, so that the next request is made at once.
    answer_lost: bool,
    /// The next request is that one, and so is the one in flight.
    next_is_made_again: bool,
    pub(crate) is_made_again: bool,
    /// The refresh tokens of this epoch.
    tokens: BTreeSet<String>,
    /// The newest refresh token is not known to be saved.
    unsaved: bool,
    /// Nothing was saved since everything was forgotten.
    is_empty: bool,
    ending: bool,
    dozing: bool,
    /// What is in the vault is another server's, until somebody signs in.
    elsewhere: bool,
    /// A person has overruled what the vault holds, and nobody has seen it go.
    overruled: bool,
    signing_in: Option<(Attempt, Sent)>,
    /// Milliseconds that the sign-in may take.
    patience: u64,
    /// Who signed in.
    account: Account,
    pub(crate) newest: Option<RefreshToken>,
    /// Whoever was signed in before is somebody else.
    succeeds_another: bool,
    /// When the newest came, while nobody has said that it is saved, or that it cannot be.
    unsaved_since: Option<u64>,
    save_asked: bool,
    vault_busy: bool,
    orphans: BTreeSet<String>,
    not_before: u64,
    /// After a failure: the least pause of all.
    pause_until: u64,
    /// The same refusal: its signature, how often, since when.
    suspicion: Option<(u64, u32, u64)>,
    died: Option<Lost>,
    /// What the next process is told of that.
    ended: Option<Lost>,
    /// The next process is told to forget what it finds.
    noted: bool,
    /// The access tokens that were refused.
    refused: BTreeSet<u32>,
    /// The generation of the access token that is out.
    access: Option<u32>,
    demanded: Option<Lost>,
    /// How long a session may rest after what it was told last.
    pub(crate) rests_until: u64,
    pub(crate) refreshes: u64,
    /// Refreshes that something but the passing of time was a reason for.
    pub(crate) excused: u64,
    /// Each time that a machine's refresh went out in the last ten minutes, and each reason to cut a pause short.
    storm: VecDeque<(u64, Asker)>,
    /// What the session was last told of a lifetime, in milliseconds.
    told: Option<u64>,
    /// When the access token that came last, and the one that is out, are over.
    comes: Option<u64>,
    over: Option<u64>,
    /// What the refresh in flight is for, and that which brought the token that is out.
    cause: Option<Cause>,
    bought_for: Option<Cause>,
    out_since: u64,
    /// The access tokens that are out and to come.
    out: Option<AccessToken>,
    coming: Option<AccessToken>,
    /// The access token that is out was refused, and is not to be used again.
    is_refused: bool,
    /// What a person was called for, and has not been answered.
    called_for: Option<Lost>,
    interactions: Vec<Interaction>,
    recalled: Memory,
    foresight: Foresight,
}

#[derive(Clone)]
struct Sent {
    epoch: u32,
    at: u64,
    slept: u64,
}

impl Referee {
    pub(crate) fn starting(now: u64, habits: &Habits, policy: &Policy) -> Self {
        let foresight = Foresight::starting(policy);
        Self { now, habits: habits.clone(), foresight, ..Self::default() }
    }

    /// A new process: what the old one knew is gone, what it had in flight as well.
    pub(crate) fn restart(&mut self) {
        let (now, refreshes, excused) = (self.now, self.refreshes, self.excused + 2);
        // What there was instead, if anything, went with the process: then the old is better than nothing.
        let (ended, noted) = (self.ended, self.noted);
        let (habits, mut storm) = (self.habits.clone(), std::mem::take(&mut self.storm));
        let mut foresight = std::mem::take(&mut self.foresight);
        foresight.leave();
        // Whoever begins anew begins with short pauses.
        storm.extend([(now, Asker::Person); 4]);
        *self = Self {
            now,
            habits,
            storm,
            refreshes,
            excused,
            ended,
            noted,
            overruled: noted,
            foresight,
            ..Self::default()
        };
    }

    pub(crate) fn is_dozing(&self) -> bool {
        self.dozing
    }

    /// The newest refresh token and whose it is, unless it is another server's or somebody's wish that it goes.
    pub(crate) fn treasure(&self) -> Option<(&RefreshToken, &Account)> {
        Some((self.newest.as_ref()?, &self.account))
    }

    /// Nothing new may begin.
    pub(super) fn rests(&self) -> bool {
        self.ending || self.dozing
    }

    fn begin_epoch(&mut self) {
        self.epoch += 1;
        self.in_flight = None;
        (self.doubt, self.answer_lost, self.next_is_made_again) = (false, false, false);
        self.unsaved = true;
        self.elsewhere = false;
        self.tokens.clear();
        self.access = None;
        self.demanded = None;
        self.interactions.clear();
        self.told = None;
        (self.out, self.coming) = (None, None);
        self.newest = None;
        self.unsaved_since = None;
        self.suspicion = None;
        self.not_before = 0;
        self.pause_until = 0;
        self.excused += 2;
        self.foresight.leave();
    }

    /// Of what no lifetime is told, the one that was told before holds, and of a token that is out already what is told is
    /// what is left.
    fn hear_lifetime(&mut self, tokens: &Tokens) {
        let told = tokens.lifetime.map(millis).filter(|told| *told > 0);
        let again = tokens.access.is_some() && tokens.access == self.out;
        self.told = if again { self.told.or(told) } else { told.or(self.told) };
        self.coming.clone_from(&tokens.access);
        let lives = told.or(self.told);
        self.comes = lives.map(|lives| self.now.saturating_add(lives.max(SHORTEST_LIFE)));
    }

    fn receive(&mut self, refresh: Option<&RefreshToken>) {
        self.newest = refresh.cloned();
        self.tokens.extend(refresh.map(|token| token.expose().to_owned()));
        self.unsaved_since = refresh.map(|_| self.now);
        self.unsaved = true;
        self.save_asked = false;
    }

    fn orphan(&mut self, tokens: &Tokens, living: bool) -> Standing {
        self.orphans.extend(tokens.access.iter().map(|token| token.expose().to_owned()));
        self.orphans.extend(tokens.refresh.iter().map(|token| token.expose().to_owned()));
        if living { Standing::OfTheLiving } else { Standing::Foreign(tokens.clone()) }
    }

    fn sending(&self) -> Sent {
        Sent { epoch: self.epoch, at: self.now, slept: self.slept }
    }

    pub(crate) fn is_first_look(&self) -> bool {
        self.epoch == 0
    }

    /// When a sign-in that another process has seen began, by the disk and by its provider.
    pub(crate) fn recall(&mut self, since: Option<(u64, u64)>) {
        self.foresight.recall(since);
    }

    /// It was sent, and is not known to be as good as before.
    pub(crate) fn may_be_spent(&self, token: &RefreshToken) -> bool {
        // The next process would only be refused as well.
        if self.newest.is_none() && self.died == Some(Lost::Refused) {
            return false;
        }
        let overtaken = self.tokens.contains(token.expose()) && self.newest.as_ref() != Some(token);
        let of_the_newest = self.newest.as_ref() == Some(token) && (self.in_flight.is_some() || self.doubt);
        overtaken || of_the_newest
    }

    pub(crate) fn time(&self) -> Timestamp {
        Timestamp::from_millis(self.now)
    }
}

/// Half of the shortest first backoff.
const SHORTEST_PAUSE: u64 = 125;

/// What is told to live for less is taken to live so long, in milliseconds.
const SHORTEST_LIFE: u64 = limits::LIFETIME_SHORTEST.as_millis() as u64;

/// A token that a refusal has just bought is not blamed for the next one so soon, in milliseconds.
const NEW: u64 = limits::SPACING_LONGEST.as_millis() as u64;

/// Of somebody without a name nobody can say that.
fn differ(one: &Account, other: &Account) -> bool {
    one.user.is_some() && other.user.is_some() && one.user != other.user
}
