//! What has happened, for whoever wants to know how it came to that.

use session::event::{Effect, Event};

use super::World;

#[derive(Clone, Debug)]
pub(super) enum Trace {
    Did(Effect),
    Told(Event),
    World(String),
}

impl World {
    /// The last things that happened.
    pub(crate) fn trail(&self) -> String {
        let mut trail = format!("{:?}\n", self.scenario);
        for (at, seat, trace) in &self.trail {
            trail += &match trace {
                Trace::Did(effect) => format!("{at:>14} {seat}     → {effect:?} {}\n", named(effect)),
                Trace::Told(event) => format!("{at:>14} {seat} {event:?}\n"),
                Trace::World(what) => format!("{at:>14}   ({what})\n"),
            };
        }
        for seat in &self.seats {
            trail += &format!("{:?}\n", seat.sut.session());
        }
        trail
    }

    pub(super) fn remark(&mut self, what: String) {
        self.trace(0, Trace::World(what));
    }

    pub(super) fn trace(&mut self, seat: usize, trace: Trace) {
        if self.trail.len() == self.trail_length {
            self.trail.pop_front();
        }
        self.trail.push_back((self.now, seat, trace));
    }
}

/// Which token it is; types that cannot print are a riddle in a trail.
fn named(effect: &Effect) -> &str {
    match effect {
        Effect::Refresh { token, .. } | Effect::Save { token, .. } => token.expose(),
        _ => "",
    }
}
