//! Heating without a job.
//!
//! Owns: when a preheat can be begun, and how it is sent. Must not know: how long it stands, how it ends ([`HeatDebt`]).
//!
//! [`HeatDebt`]: super::super::heat::HeatDebt

use std::collections::VecDeque;
use std::time::Duration;

use super::super::heat::Safety;
use super::super::job::Job;
use super::super::preheat::Preheat;
use super::{Host, HostEvent};

impl Host {
    /// A person heats the printer, which has no job, for a time. False: it is not ready. Whoever has ordered it has written
    /// down that it may be hot by then, so that is made sure of not to be.
    pub fn preheat(&mut self, now: Duration, preheat: &Preheat) -> bool {
        if !self.is_ready() {
            self.make_safe(now, Safety::InPlace);
            return false;
        }
        self.heaters.learn(&self.firmware, &self.thermometer);
        self.heaters.tools.extend(preheat.nozzles.iter().map(|(tool, _)| *tool));
        self.debt.want(now, now + preheat.lasts);
        let mut job = Job::new(Box::new(VecDeque::new()), self.parking.clone(), &self.firmware);
        job.send_only(preheat.commands(&self.heaters));
        self.job = Some(job);
        (self.safety_stop, self.warming) = (true, true);
        tracing::info!(printer.preheat = ?preheat, "heating for a person");
        self.events.push_back(HostEvent::Preheating);
        self.tick(now);
        true
    }
}
