//! After the storm: whatever was on its way comes, and everybody is well again, or says what a person has to do.

use std::time::Duration;

use session::view::Phase;

use super::happening::Mood;
use super::{Happening, Seat, World};
use crate::law::{Law, Verified, broken};
use crate::weather::Weather;

impl World {
    pub(super) fn calm(&mut self) -> Verified {
        self.remark("the storm has passed".to_owned());
        self.calm = true;
        self.vault_mood = Mood::Quick;
        self.set_reach(true);
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
                    | Happening::Words
            )
        });
        let begun = self.now;
        let most = self.steps + 200_000;
        while let Some(ill) = self.ill() {
            if self.steps > most {
                return broken(Law::ItRecovers, &format!("it is busy, and not well: {ill}"));
            }
            // What was on its way may still bring a reason to rest.
            let rests_until = self.seats.iter().map(|seat| seat.referee.rests_until).max().unwrap_or(0);
            if self.now > rests_until.max(begun) + self.scenario.longest_rest() {
                return broken(Law::ItRecovers, &format!("still not well: {ill}"));
            }
            if self.queue.is_empty() && (0..self.seats.len()).all(|seat| self.due(seat).is_none()) {
                return broken(Law::ItRecovers, "it sleeps, and is not well");
            }
            self.advance()?;
        }
        if self.scenario.gentle && self.hosts.iter().any(|host| host.provider.reuses > 0) {
            return broken(Law::AGraceSavesTheSession, "a lost answer has cost a session");
        }
        if self.scenario.gentle && self.hosts.iter().any(|host| host.provider.idled > 0) {
            return broken(Law::NoSignInIdlesOut, "it rested for too long");
        }
        Ok(())
    }

    /// Who is not well, and why.
    fn ill(&self) -> Option<String> {
        let ill = |seat: &Seat| {
            let session = seat.sut.session();
            let time = seat.referee.time();
            let has_token = session.access_token(time, Duration::ZERO).is_some();
            match session.phase() {
                Phase::NeedsLogin { why } if !seat.referee.is_demand(why) => {}
                // What a resource demands is no excuse: the tokens go on.
                Phase::Fresh | Phase::NeedsLogin { .. } if has_token && session.view(time).saved => {}
                phase => return Some(format!("{phase:?}, a token: {has_token}")),
            }
            (!seat.counter.is_empty()).then(|| "somebody waits".to_owned())
        };
        self.seats.iter().find_map(ill)
    }
}
