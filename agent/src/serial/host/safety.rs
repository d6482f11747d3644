//! Making a printer safe: with no job at work, every heater is off, and that was read back.
//!
//! Owns: when what the debt ([`HeatDebt`]) asks for can be done. Must not know: which heaters there are, when something is owed.
//!
//! [`HeatDebt`]: super::super::heat::HeatDebt

use std::collections::VecDeque;
use std::time::Duration;

use stardust_gcode::command::parse;

use super::super::dead_man::DeadMan;
use super::super::heat::{Due, Heaters, Heating, Safety};
use super::super::job::{End, Job};
use super::super::reply::TemperatureReport;
use super::{Host, HostEvent, Phase};

impl Safety {
    /// What is due after a job that has ended like this without being stopped.
    pub(super) fn after(end: &End) -> Self {
        if matches!(end, End::CutOff(_)) { Self::InPlace } else { Self::AllOff }
    }
}

impl Host {
    /// Somebody has heated these, whatever the firmware tells of them.
    pub fn name_heaters(&mut self, heaters: &Heaters) {
        self.heaters.add(heaters);
        if let Some(job) = &mut self.job {
            job.heaters.add(heaters);
        }
    }

    /// With no job: everything is turned off as soon as the firmware answers, and again until it is. Ignored while there is
    /// a job.
    pub fn make_safe(&mut self, now: Duration, safety: Safety) {
        if self.job.is_none() || self.safety_stop {
            self.debt.owe_at_once(now, safety);
            self.tick(now);
        }
    }

    /// How it stands with the heat.
    #[must_use]
    pub fn heating(&self) -> Heating {
        self.debt.state()
    }

    /// A report has come.
    pub(super) fn hear_heat(&mut self, now: Duration, report: &TemperatureReport) {
        self.thermometer.read(report);
        let before = self.heaters.clone();
        self.heaters.learn(&self.firmware, &self.thermometer);
        match &mut self.job {
            Some(job) if self.heaters != before => job.heaters = self.heaters.clone(),
            Some(_) => {}
            None if matches!(self.phase, Phase::Ready) && !self.turned_off => {
                if self.goes_on_after_stop() && self.external.may_go_on_from_card() {
                    // Its file may heat again in the next moment.
                    self.debt.doubt();
                }
                if self.debt.hear(now, report, &self.heaters, &self.thermometer) {
                    tracing::info!("all heaters are off, read back");
                    self.ignored.iter_mut().for_each(|ignored| ignored.is_off = true);
                    self.events.push_back(HostEvent::HeatSettled);
                }
            }
            None => {}
        }
    }

    /// The job on the line has ended like this without being stopped.
    pub(super) fn owe_after(&mut self, now: Duration, end: &End) {
        let safety = if self.warming { Safety::InPlace } else { Safety::after(end) };
        let bed = self.job.as_ref().and_then(Job::bed_wanted);
        self.debt.owe_at_once(now, safety);
        // How long nobody was there is not known: what may be cold by now is not heated again with nobody there.
        let kept = self.parking.keep_bed_warm.time().filter(|_| !self.is_attaching());
        if let (End::CutOff(_), Some(bed), Some(time)) = (end, bed, kept) {
            self.debt.want_bed(now + time, bed);
        }
    }

    /// Does what is due for it now.
    pub(super) fn settle_heat(&mut self, now: Duration) {
        self.tell_of_preheat();
        if self.job.is_some() {
            return self.debt.unhear(now);
        }
        if std::mem::take(&mut self.turned_off) {
            self.debt.were_turned_off(now, &self.turning_off);
        }
        if self.external.prints_from_card() && !self.is_being_stopped() && self.debt.forgive() {
            tracing::warn!("somebody prints from the memory card: the heaters are left to them");
            self.events.push_back(HostEvent::HeatLeftToCard);
        }
        if !self.may_settle_heat() {
            return;
        }
        // By now all is off, or is wanted on.
        let is_owed = matches!(self.debt.state(), Heating::Owed | Heating::Stubborn);
        if let Some(off) = self.dead_man.take_if(|_| !is_owed).and_then(|mut on| on.release()) {
            self.link.send_alone(now, &off);
            return;
        }
        match self.debt.due(now) {
            None => {}
            Some(Due::Ask) => {
                if let Some(command) = parse(b"M105") {
                    self.link.send_alone(now, &command);
                }
            }
            Some(Due::Off(safety)) => {
                tracing::info!(printer.heaters = ?self.heaters, "turning the heaters off");
                self.begin_safety_stop(now, safety);
                self.advance_job(now);
            }
        }
    }

    /// Whether it was to stop, and is not known to be safe: a print that goes on then is nobody's wish.
    fn is_being_stopped(&self) -> bool {
        matches!(self.phase, Phase::Told(_) | Phase::Halted(_)) || self.goes_on_after_stop()
    }

    /// Whether nothing else goes on, and it is known whether the printer is at work on something of its own.
    fn may_settle_heat(&self) -> bool {
        let is_left_to_others = self.external.is_on() && !self.goes_on_after_stop();
        self.is_unoccupied() && !is_left_to_others && !self.attention.is_locked() && self.is_card_known
    }

    pub(super) fn heat_deadline(&self) -> Option<Duration> {
        if self.may_settle_heat() { self.debt.deadline() } else { None }
    }

    /// A job of no commands that is stopped at once: what a stopped job does is what makes the printer safe.
    fn begin_safety_stop(&mut self, now: Duration, safety: Safety) {
        self.heaters.learn(&self.firmware, &self.thermometer);
        if self.dead_man.is_none() {
            self.dead_man = DeadMan::left_over(&self.firmware, self.parking.templates.dead_man_s);
        }
        let mut job = Job::new(Box::new(VecDeque::new()), self.parking.clone(), &self.firmware);
        job.heaters = self.heaters.clone();
        // Those that are named from here on may come too late for it.
        self.turning_off = job.all_heaters();
        match safety {
            Safety::AllOff => job.stop(now, End::Cancelled, self.reach(), &mut self.link, false),
            Safety::InPlace => job.cool_down(self.debt.bed()),
        }
        self.job = Some(job);
        self.safety_stop = true;
    }
}
