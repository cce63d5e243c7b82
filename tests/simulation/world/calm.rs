//! After the storm: whatever was on its way comes, and everybody is well again, or says what a person has to do.

use std::time::Duration;

use session::view::Phase;

use super::happening::Mood;
use super::{Happening, World};
use crate::law::{Law, Verified, broken};
use crate::weather::Weather;

impl World {
    pub(super) fn calm(&mut self) -> Verified {
        self.remark("the storm has passed".to_owned());
        self.calm = true;
        self.vault_mood = Mood::Quick;
        for host in &mut self.hosts {
            host.weather = Weather::Good;
        }
        self.queue.retain(|_, happening| {
            matches!(
                happening,
                Happening::Answer { .. }
                    | Happening::Arrives { .. }
                    | Happening::Awake
                    | Happening::Fetched { .. }
                    | Happening::Stay
                    | Happening::VaultDone { .. }
            )
        });
        let begun = self.now;
        let most = self.steps + 200_000;
        while !self.is_well() {
            if self.steps > most {
                return broken(Law::ItRecovers, "it is busy, and not well");
            }
            // What was on its way may still bring a reason to rest.
            let rests_until = self.seats.iter().map(|seat| seat.referee.rests_until).max().unwrap_or(0);
            if self.now > rests_until.max(begun) + self.scenario.longest_rest() {
                return broken(Law::ItRecovers, "still not well");
            }
            if self.queue.is_empty() && (0..self.seats.len()).all(|seat| self.due(seat).is_none()) {
                return broken(Law::ItRecovers, "it sleeps, and is not well");
            }
            self.advance()?;
        }
        if self.scenario.gentle && self.hosts.iter().any(|host| host.provider.reuses > 0) {
            return broken(Law::AGraceSavesTheSession, "a lost answer has cost a session");
        }
        Ok(())
    }

    fn is_well(&self) -> bool {
        self.seats.iter().all(|seat| {
            let session = seat.sut.session();
            let time = seat.referee.time();
            let well = match session.phase() {
                Phase::NeedsLogin { why } if !seat.referee.is_demand(why) => true,
                // What a resource demands is no excuse: the tokens go on.
                Phase::Fresh | Phase::NeedsLogin { .. } => {
                    session.access_token(time, Duration::ZERO).is_some() && session.view(time).saved
                }
                Phase::Refreshing { .. } | Phase::SigningIn | Phase::Waiting { .. } => false,
            };
            well && seat.counter.is_empty()
        })
    }
}
