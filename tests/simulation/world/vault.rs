//! The vault at work, and what is written down beside it.

use session::binding::Destination;
use session::event::{Event, Found, Memory};
use session::reason::VaultTrouble;
use session::time::Timestamp;
use session::tokens::RefreshToken;

use super::happening::Mood;
use super::{Happening, VaultWork, World};
use crate::law::Verified;
use crate::scenario::beside_a_limit;

impl World {
    /// After whatever it waits for, in milliseconds.
    pub(super) fn begin_vault(&mut self, seat: usize, work: VaultWork, waits: u64) {
        let after = match self.vault_mood {
            _ if self.dice.one_in(16) && !self.calm => beside_a_limit(&mut self.dice),
            Mood::Quick | Mood::Missing => self.dice.between(1, 50),
            Mood::Slow | Mood::Failing(_) => self.dice.between(500, 10_000),
            Mood::Hanging => self.dice.between(60_000, 600_000),
        };
        let place = &mut self.seats[seat];
        place.vault_works += u32::from(!matches!(work, VaultWork::Load));
        let life = place.life;
        self.later(waits + after, Happening::VaultDone { seat, life, work });
    }

    pub(super) fn vault_done(&mut self, seat: usize, work: VaultWork) -> Verified {
        let place = &mut self.seats[seat];
        let loads = matches!(work, VaultWork::Load);
        place.vault_works -= u32::from(!loads);
        let trouble = match self.vault_mood {
            Mood::Failing(trouble) => trouble,
            Mood::Missing if loads && place.vault.is_some() => VaultTrouble::Gone,
            Mood::Hanging | Mood::Missing | Mood::Quick | Mood::Slow => {
                let event = self.write(seat, work);
                if let Event::Loaded { found: Found::Token { refresh, .. }, .. } = &event {
                    self.recall_dates(seat, refresh);
                }
                return self.tell(seat, event);
            }
        };
        self.tell(
            seat,
            match work {
                VaultWork::Forget => Event::NotForgotten(trouble),
                VaultWork::Load => Event::NotLoaded(trouble),
                VaultWork::Save(generation, ..) => Event::NotSaved { generation, trouble },
            },
        )
    }

    pub(super) fn recall(&mut self, seat: usize) -> Memory {
        let (now, wall_ms) = (Timestamp::from_millis(self.now), self.wall_ms());
        let place = &mut self.seats[seat];
        let Some((text, wall)) = &place.memory else { return Memory::default() };
        // Where somebody has set the clock meanwhile, the next process is misled.
        let memory = Memory::read(text, now, wall_ms);
        if *wall != self.wall {
            place.mislead();
        }
        memory
    }

    fn recall_dates(&mut self, seat: usize, token: &RefreshToken) {
        let place = &mut self.seats[seat];
        if place.referee.is_first_look() {
            let sign_in = self.hosts[place.host].provider.sign_in_of(token.expose());
            let dated = sign_in.filter(|(number, _)| *number >= place.dated_from);
            let since = dated.and_then(|(number, began)| Some((*place.signed_in.get(&number)?, began)));
            place.referee.recall(since);
        }
    }

    pub(super) fn wall_ms(&self) -> i64 {
        self.now as i64 + self.wall
    }

    pub(super) fn write(&mut self, seat: usize, work: VaultWork) -> Event {
        let place = &mut self.seats[seat];
        match work {
            VaultWork::Forget => {
                (place.vault, place.backup) = (None, None);
                Event::Forgotten
            }
            VaultWork::Load => {
                let (found, interrupted) = match place.vault.clone() {
                    Some(_) if place.moved => (Found::Elsewhere(vec![Destination::Token]), false),
                    Some((refresh, account, generation)) => {
                        let interrupted = place.marked.contains(refresh.expose());
                        (Found::Token { refresh, account, generation }, interrupted)
                    }
                    None => (Found::Nothing, false),
                };
                Event::Loaded { found, interrupted }
            }
            VaultWork::Save(generation, token, account) => {
                place.backup = place.vault.replace((token, account, generation));
                place.moved = false;
                Event::Saved { generation }
            }
        }
    }
}
