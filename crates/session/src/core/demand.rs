//! A resource's demand for a person (RFC 9470; RFC 6750, section 3.1) leaves the tokens in use and refreshed. One of
//! the token endpoint (OpenID Connect Core, section 3.1.2.6) stops refreshing, which would bring the same answer, but
//! the refresh token is kept: it may work again. A sign-in, a sign-out or a person's refresh ends a demand.

use alloc::vec::Vec;

use super::event::Effect;
use super::facts::Session;
use super::note::Note;
use crate::interaction::Interaction;

impl Session {
    /// What the next sign-in should ask the provider for.
    pub fn demand(&self) -> Option<&Interaction> {
        self.demand.as_ref()
    }

    /// A demand about a token that has been replaced is ignored: the newer token may satisfy it.
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

    /// The token endpoint's demand goes first, because without it nothing can be refreshed.
    pub(super) fn stop_for_person(&mut self, interaction: Interaction, out: &mut Vec<Effect>) {
        self.lose(interaction.need.lost(), out);
        self.demand = Some(match self.demand.take() {
            Some(before) => interaction.and(&before),
            None => interaction,
        });
    }

    /// With nothing to refresh with, this would only hide the demand.
    pub(super) fn dismiss_demand(&mut self) {
        if self.grant.is_some() {
            self.demand = None;
        }
    }
}
