//! The faults that strike a printer as a whole, carried out.

use std::time::Duration;

use super::{BOOT_TIME, VirtualPrinter};
use crate::faults::FaultKind;
use crate::firmware::{Failure, Firmware};
use crate::random::Random;

/// How long the cable is out when nobody says otherwise, line time.
pub(super) const UNPLUGGED: Duration = Duration::from_secs(2);

impl VirtualPrinter {
    /// Starts the controller again at `now`, as a host does by DTR: its state and all it had received are lost,
    /// after a second it says its banner.
    pub fn reset(&mut self, now: Duration) {
        self.advance(now);
        self.restart();
    }

    /// The firmware's loop stands still at `now` for so long, line time: what comes meanwhile is read in one gulp then.
    pub fn stall(&mut self, now: Duration, time: Duration) {
        self.advance(now);
        let printer_time = self.printer_time();
        self.firmware.stall(printer_time, time.mul_f64(self.speed));
    }

    /// Pulls the cable at `now` for two seconds, or as long as was said. The printer goes on; what it says is lost.
    pub fn unplug(&mut self, now: Duration) {
        self.unplug_for(now, self.unplugged);
    }

    /// How long the cable is out from now on, each time it is pulled.
    pub fn set_unplugged(&mut self, time: Duration) {
        self.unplugged = time;
    }

    /// The same for so long. The printer keeps its power: what it heats it goes on heating.
    pub fn unplug_for(&mut self, now: Duration, time: Duration) {
        self.advance(now);
        self.pull(time);
    }

    /// Strikes what is asked for at a time that has come.
    pub(super) fn strike_in_time(&mut self) {
        self.strike_where(|rule, now| rule.is_due(now));
    }

    /// Strikes what is asked for at lines; one has just ended.
    pub(super) fn strike_at_line(&mut self) {
        self.strike_where(|rule, now| rule.strikes(now));
    }

    fn strike_where(&mut self, mut strikes: impl FnMut(&mut crate::faults::Rule, Duration) -> bool) {
        let mut rules = std::mem::take(&mut self.events);
        for rule in &mut rules {
            if strikes(rule, self.now) {
                self.note(rule.kind);
                self.carry_out(rule.kind, rule.random());
            }
        }
        self.events = rules;
    }

    fn carry_out(&mut self, kind: FaultKind, random: &mut Random) {
        let now = self.printer_time();
        match kind {
            FaultKind::Wait => self.outlet.interject(b"wait\n"),
            FaultKind::Garbage => self.outlet.interject(&garbage(random)),
            FaultKind::Stall => {
                let time = Duration::from_millis(random.between(500, 8000));
                self.firmware.stall(now, time.mul_f64(self.speed));
            }
            FaultKind::Kill => self.firmware.fail(now, Failure::Killed),
            FaultKind::ThermalRunaway => {
                let failures = [
                    Failure::NozzleRunaway,
                    Failure::BedRunaway,
                    Failure::HeatingFailed,
                    Failure::NozzleTooCold,
                    Failure::NozzleTooHot,
                ];
                let chosen = random.below(failures.len() as u64) as usize;
                self.firmware.fail(now, failures[chosen]);
            }
            FaultKind::Reset => self.restart(),
            FaultKind::Unplug => self.pull(self.unplugged),
            // Struck elsewhere.
            _ => {}
        }
    }

    fn restart(&mut self) {
        self.collect();
        self.held.clear();
        self.outlet.forget();
        self.resets += 1;
        let plate = self.firmware.take_plate(self.printer_time());
        self.firmware = Firmware::restarted(self.config.clone(), self.resets);
        plate.into_iter().for_each(|plate| self.firmware.put_plate(plate));
        self.booted_at = self.now + BOOT_TIME;
    }

    /// At the wrong rate nothing is what it was, and about half of it arrives at all.
    pub(super) fn distort(&mut self, bytes: &mut Vec<u8>) {
        let Some(noise) = self.noise.as_mut() else { return };
        bytes.retain(|_| noise.chance(0.5));
        for byte in bytes {
            *byte = noise_byte(noise);
        }
    }

    fn pull(&mut self, time: Duration) {
        self.from_host.cut();
        self.to_host.cut();
        self.held.clear();
        self.unplugged_until = Some(self.now + time);
    }
}

/// What a line at another rate looks like: mostly NULs and bytes with the high bit. Half of it ends a line.
fn garbage(random: &mut Random) -> Vec<u8> {
    let length = random.between(8, 40);
    let mut bytes: Vec<u8> = (0..length).map(|_| noise_byte(random)).collect();
    if random.chance(0.5) {
        bytes.push(b'\n');
    }
    bytes
}

fn noise_byte(random: &mut Random) -> u8 {
    if random.chance(0.3) { 0 } else { 0x80 | random.below(0x80) as u8 }
}
