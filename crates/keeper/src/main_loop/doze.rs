//! The machine is about to sleep. What is on its way is finished and saved first, and nothing is begun: an answer that
//! comes to a machine that sleeps is lost, and the token in it with it.

use session::event::Event;
use session::limits;

use super::ending::Dozing;
use super::keeper::Keeper;
use super::kept::Kept;
use crate::adapters::clock;
use crate::adapters::hints::Inhibitor;

impl Keeper {
    pub(crate) fn on_about_to_sleep(&mut self, inhibitor: Inhibitor) {
        let until = clock::now() + limits::FALLING_ASLEEP;
        self.dozing = Some(Dozing { inhibitor: Some(inhibitor), until });
        for id in self.ids() {
            self.step(id, Event::AboutToSleep);
        }
    }

    pub(crate) fn on_awake(&mut self) {
        self.admission.on_awake(clock::now());
        if self.dozing.take().is_some() {
            for id in self.ids() {
                self.step(id, Event::Awake);
            }
        }
    }

    pub(crate) fn let_it_sleep(&mut self) {
        let now = clock::now();
        let Some(dozing) = &self.dozing else { return };
        if now >= dozing.until {
            return self.on_awake();
        }
        let can_save = self.can_save();
        let rests = |kept: &Kept| !kept.is_exchanging() && (!can_save || kept.is_saved());
        if self.kept.values().all(rests)
            && let Some(dozing) = &mut self.dozing
        {
            dozing.inhibitor = None;
        }
    }
}
