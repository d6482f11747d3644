//! Heating without a job.
//!
//! Owns: when a preheat can be begun, how it is sent, and when its outcome is told. Must not know: what counts as taken, how long
//! it stands, how it ends ([`HeatDebt`]).
//!
//! [`HeatDebt`]: super::super::heat::HeatDebt

use std::collections::VecDeque;
use std::time::Duration;

use super::super::heat::Safety;
use super::super::job::Job;
use super::super::preheat::Preheat;
use super::{Host, HostEvent};

impl Host {
    /// A person heats the printer, which has no job, for a time; what came of it is told by [`HostEvent::Preheated`]. False: it is
    /// not ready. Whoever has ordered it has written down that it may be hot by then, so that is made sure of not to be.
    pub fn preheat(&mut self, now: Duration, preheat: &Preheat) -> bool {
        if !self.is_ready() {
            self.make_safe(now, Safety::InPlace);
            return false;
        }
        self.ignored = None;
        self.heaters.learn(&self.firmware, &self.thermometer);
        self.heaters.tools.extend(preheat.nozzles.iter().map(|(tool, _)| *tool));
        self.debt.want(now, preheat);
        let mut job = Job::new(Box::new(VecDeque::new()), self.parking.clone(), &self.firmware);
        job.send_only(preheat.commands(&self.heaters));
        self.job = Some(job);
        (self.safety_stop, self.warming) = (true, true);
        tracing::info!(printer.preheat = ?preheat, "heating for a person");
        self.tick(now);
        true
    }

    /// Tells what came of it, once, as soon as that is known.
    pub(super) fn tell_of_preheat(&mut self) {
        let Some(word) = self.debt.take_word() else { return };
        match &word {
            Ok(()) => tracing::info!("the printer has taken what it was preheated to"),
            Err(not_set) => tracing::warn!(reason = %not_set, "the preheat does not stand"),
        }
        self.events.push_back(HostEvent::Preheated(word));
    }

    /// Whoever wanted heat without a job is not heard any more.
    pub(super) fn end_wanted(&mut self, now: Duration) {
        self.debt.end_wanted(now);
        self.tell_of_preheat();
    }
}
