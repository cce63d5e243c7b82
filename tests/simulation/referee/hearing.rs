//! What a session is really told, and what follows from it whatever the session makes of it.

use std::time::Duration;

use session::Session;
use session::event::{Asker, Attempt, Event, Found};
use session::limits;
use session::reason::{Cause, Lost};
use session::tokens::Account;
use session::verdict::Verdict;
use session::view::Phase;

use super::{NEW, Referee, SHORTEST_PAUSE, differ};
use crate::law::Standing;

impl Referee {
    /// Takes down what the session is told, and whether an answer is one that it waits for.
    pub(crate) fn hear(&mut self, event: &Event, session: &Session) -> Standing {
        match event {
            Event::Refreshed { attempt, verdict } => return self.hear_answer(*attempt, verdict),
            Event::SignedIn { attempt, tokens, account } => {
                let awaited = self.signing_in.take_if(|(waited, _)| waited == attempt);
                let Some((_, asked)) = awaited else {
                    let living = self.newest.is_some() && !differ(account, &self.account);
                    return self.orphan(tokens, living);
                };
                self.succeeds_another = differ(account, &self.account);
                self.begin_epoch();
                self.died = tokens.refresh.is_none().then_some(Lost::Expired);
                self.overruled = true;
                self.receive(tokens.refresh.as_ref());
                self.hear_lifetime(tokens);
                self.foresight.begin(tokens, self.now, self.now - asked.at);
                self.called_for = None;
                self.account = account.clone();
            }
            Event::SignInFailed { attempt } => {
                self.signing_in.take_if(|(waited, _)| waited == attempt);
            }
            Event::KeyDeleted if self.newest.is_none() => {}
            Event::KeyDeleted | Event::SignOut => {
                self.begin_epoch();
                self.signing_in = None;
                self.account = Account::default();
                let deleted = matches!(event, Event::KeyDeleted);
                self.died = Some(if deleted { Lost::KeyDeleted } else { Lost::SignedOut });
                self.called_for = None;
                self.overruled = true;
            }
            Event::Loaded { found, interrupted } => {
                self.vault_busy = false;
                self.is_empty = *found == Found::Nothing;
                if self.epoch == 0 {
                    let memory = std::mem::take(&mut self.recalled);
                    self.told = self.told.or(memory.lifetime_ms);
                    match found {
                        Found::Elsewhere(_) | Found::Token { .. } if self.overruled => {
                            self.died = self.ended.or(memory.lost).or(Some(Lost::Never));
                        }
                        Found::Elsewhere(_) => {
                            self.elsewhere = true;
                            self.died = Some(Lost::Elsewhere);
                        }
                        // What was said before the process died holds.
                        Found::Nothing => self.died = self.ended.or(memory.lost).or(Some(Lost::Never)),
                        Found::Token { refresh, account, generation } => {
                            self.died = (*generation < memory.generation).then_some(Lost::OlderCopy);
                            self.account = account.clone();
                            self.tokens.insert(refresh.expose().to_owned());
                            self.newest = Some(refresh.clone());
                            (self.doubt, self.next_is_made_again) = (*interrupted, *interrupted);
                        }
                    }
                }
            }
            Event::Saved { .. } | Event::NotSaved { .. } => {
                self.vault_busy = false;
                self.is_empty &= !matches!(event, Event::Saved { .. });
                if self.is_empty && self.newest.is_none() {
                    self.unsaved = false;
                }
                // One save at a time, and only of what was newest when it was asked for.
                self.unsaved &= !(matches!(event, Event::Saved { .. }) && self.save_asked);
                self.overruled &= !matches!(event, Event::Saved { .. });
                if self.save_asked {
                    self.unsaved_since = None;
                }
            }
            Event::Forgotten => {
                self.vault_busy = false;
                self.unsaved &= self.newest.is_some();
                self.is_empty = true;
                self.overruled = false;
            }
            Event::NotForgotten(_) => self.vault_busy = false,
            Event::NotLoaded(trouble) => {
                self.vault_busy = false;
                if self.epoch == 0 && !trouble.is_passing() {
                    self.died = trouble.lost();
                    // What a person can do about it first is another matter.
                    self.called_for = self.called_for.filter(|_| self.died.is_some());
                }
            }
            Event::VaultEmptied => self.unsaved |= self.newest.is_some(),
            Event::Recalled(memory) => self.recalled = memory.clone(),
            Event::VaultReady => {}
            Event::Asked { by: Asker::Machine } => {
                self.excused += 1;
                return Standing::Awaited;
            }
            Event::Asked { by: Asker::Person } => {
                self.excused += 1;
                self.pause_until = 0;
                self.called_for = None;
                self.interactions.clear();
                if self.newest.is_some() {
                    (self.died, self.demanded) = (None, None);
                }
                if session.phase() == (Phase::NeedsLogin { why: Lost::Unsure }) {
                    self.suspicion = None;
                }
                let free = self.newest.is_some() && self.in_flight.is_none() && !self.rests();
                if free && self.unsaved_since.is_none() && self.now >= self.not_before {
                    return Standing::OfAPerson;
                }
            }
            Event::Ending | Event::AboutToSleep => {
                self.ending |= matches!(event, Event::Ending);
                self.dozing |= matches!(event, Event::AboutToSleep);
                self.pause_until = 0;
            }
            Event::Awake => self.dozing = false,
            Event::Stays => self.ending = false,
            Event::Withheld { attempt, wait, .. } => {
                self.in_flight.take_if(|waited| waited == attempt);
                self.excused += 1;
                self.rests_until = self.now + wait.as_millis() as u64;
            }
            Event::Woke { .. } => {
                self.foresight.settled = self.now + limits::SETTLE.as_millis() as u64;
                self.excused += 2;
                self.storm.push_back((self.now, Asker::Person));
            }
            Event::Rejected { generation, by } => {
                if *by == Asker::Person {
                    self.pause_until = 0;
                }
                self.excused += 1;
                self.refused.insert(*generation);
                let bought_anew = matches!(self.bought_for, Some(Cause::Rejected | Cause::HeartbeatSaidNo));
                let circles = bought_anew && self.now < self.out_since + NEW;
                self.is_refused |= self.access == Some(*generation) && !circles;
                self.storm.push_back((self.now, Asker::Person));
            }
            Event::Beaten { .. } => {
                self.excused += 1;
                self.refused.extend(self.access);
            }
            Event::NetworkUp => {
                self.pause_until = 0;
                self.storm.push_back((self.now, Asker::Person));
            }
            Event::Demanded { generation, interaction } => {
                if self.access == Some(*generation) {
                    self.demanded.get_or_insert(interaction.need.lost());
                    if !self.interactions.contains(interaction) {
                        self.interactions.push(interaction.clone());
                        self.called_for = None;
                    }
                }
                return Standing::Demand(session.access_token(self.time(), Duration::ZERO).cloned());
            }
            Event::SignIn { patience } => self.patience = patience.as_millis() as u64,
            Event::Tick => {}
            // Somebody who has nothing to work with does not wait for a pause of ours.
            Event::Wanted { by, .. } => {
                if *by == Asker::Person && session.access_token(self.time(), Duration::ZERO).is_none() {
                    self.pause_until = 0;
                }
            }
        }
        Standing::Awaited
    }

    /// Whether that is only demanded, and everything goes on behind it.
    pub(crate) fn is_demand(&self, why: Lost) -> bool {
        self.demanded == Some(why) && self.died != Some(why)
    }

    fn hear_answer(&mut self, attempt: Attempt, verdict: &Verdict) -> Standing {
        if self.in_flight != Some(attempt) {
            let foreign = self.sent.get(&attempt).is_some_and(|sent| sent.epoch != self.epoch);
            return match verdict {
                Verdict::Fresh(tokens) if foreign => {
                    self.orphan(tokens, self.newest.is_some() && !self.succeeds_another)
                }
                _ => Standing::Stale,
            };
        }
        self.in_flight = None;
        let now = self.now;
        self.doubt |= verdict.is_ambiguous();
        if verdict.is_ambiguous() {
            self.next_is_made_again = !std::mem::replace(&mut self.answer_lost, true);
        }
        match verdict {
            Verdict::Dead => {
                self.foresight.refuse(now);
                self.newest = None;
                self.unsaved = !self.is_empty || self.vault_busy;
                let why = if std::mem::take(&mut self.doubt) { Lost::Interrupted } else { Lost::Refused };
                self.died = Some(why);
            }
            Verdict::Fresh(tokens) => {
                self.suspicion = None;
                self.doubt = false;
                let asked = self.sent.get(&attempt).map_or(now, |sent| sent.at);
                self.foresight.renew(tokens, asked, now);
                if tokens.access.is_some() {
                    self.hear_lifetime(tokens);
                    self.answer_lost = false;
                }
                if tokens.access.is_none() {
                    self.excused += 1;
                    self.pause_until = now + SHORTEST_PAUSE;
                    self.rests_until = now;
                }
                if tokens.refresh.is_some() && tokens.refresh != self.newest {
                    self.receive(tokens.refresh.as_ref());
                } else {
                    // Its access token hangs on no refresh token that could be lost with it.
                    self.unsaved_since = None;
                }
            }
            Verdict::Interaction(interaction) => {
                // What only a resource has demanded before stops the refreshes now.
                self.called_for = None;
                self.died = Some(interaction.need.lost());
                self.demanded = self.died;
            }
            Verdict::Misconfigured { .. } => self.rests_until = now + 3_600_000,
            Verdict::Suspect { signature, authentic: true, .. } => {
                let (_, count, _) = match &mut self.suspicion {
                    Some(known) if known.0 == *signature => known,
                    other => other.insert((*signature, 0, now)),
                };
                *count += 1;
                self.rests_until = now;
            }
            Verdict::Suspect { .. } => self.rests_until = now,
            Verdict::Transient { retry_after, .. } | Verdict::Unsent { retry_after, .. } => {
                self.not_before = now + retry_after.map_or(0, |asked| asked.as_millis() as u64);
                self.rests_until = self.not_before;
            }
        }
        if !matches!(verdict, Verdict::Fresh(_)) {
            self.excused += 1;
            self.pause_until = now + SHORTEST_PAUSE;
        }
        Standing::Awaited
    }
}
