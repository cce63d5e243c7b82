//! Somebody wants a person at the provider's page, and says what for.
//!
//! A protected resource may want a stronger or a newer sign-in, or more scopes (RFC 9470; RFC 6750, section 3.1). That
//! ends nothing: what the tokens are good for they stay good for, and they go on being refreshed. The token endpoint
//! may want a person as well (OpenID Connect Core, section 3.1.2.6, and what large providers have added to it). Then
//! refreshing stops, because asking again would bring the same, but the refresh token is kept aside: it may be as good
//! as ever once the person was there, or once somebody in charge has relented.
//!
//! A demand goes away with a sign-in, with a sign-out, or when a person asks for a refresh in spite of it.

use alloc::vec::Vec;

use super::event::Effect;
use super::facts::Session;
use super::note::Note;
use crate::interaction::Interaction;

impl Session {
    /// What the next sign-in should ask the provider for, because somebody demanded it.
    pub fn demand(&self) -> Option<&Interaction> {
        self.demand.as_ref()
    }

    /// Of a token that has been replaced since, the newer one may satisfy whoever demands.
    pub(super) fn on_demanded(&mut self, generation: u32, interaction: Interaction, out: &mut Vec<Effect>) {
        if self.access.as_ref().is_none_or(|access| access.generation != generation) {
            return;
        }
        let why = interaction.need.lost();
        let demand = match self.demand.clone() {
            Some(before) => before.and(&interaction),
            None => interaction,
        };
        if self.demand.as_ref() != Some(&demand) {
            self.demand = Some(demand);
            out.push(Effect::Note(Note::NeedsLogin { why }));
        }
    }

    /// The token endpoint has the first word: without it nothing goes on.
    pub(super) fn stop_for_person(&mut self, interaction: Interaction, out: &mut Vec<Effect>) {
        self.lose(interaction.need.lost(), out);
        self.demand = Some(match self.demand.take() {
            Some(before) => interaction.and(&before),
            None => interaction,
        });
    }

    /// A person who asks for a refresh wants to do without what was demanded. With nothing to refresh with, that would
    /// only hide it.
    pub(super) fn dismiss_demand(&mut self) {
        if self.grant.is_some() {
            self.demand = None;
        }
    }
}
