//! A printer whose plate is watched.
//!
//! Owns: what of the machine's doings the plate is shown, and that it outlives the controller. Must not know: what the plate
//! makes of it.

use std::time::Duration;

use super::Firmware;
use super::machine::Machine;
use super::plate::Plate;

impl Firmware {
    /// What stands on the plate; `None`: nobody watches it ([`super::Config::watches_plate`]).
    #[must_use]
    pub fn plate(&self) -> Option<&Plate> {
        self.machine.plate.as_deref()
    }

    /// The power fails at `now`: takes the plate away as it is left, for [`Self::put_plate`] at the next start.
    pub fn take_plate(&mut self, now: Duration) -> Option<Box<Plate>> {
        self.advance(now);
        self.machine.take_plate(now)
    }

    /// At a start: what an earlier one has left on the plate, and where it has left the nozzle.
    pub fn put_plate(&mut self, plate: Box<Plate>) {
        self.machine.put_plate(plate);
    }
}

impl Machine {
    pub(crate) fn put_plate(&mut self, mut plate: Box<Plate>) {
        plate.restarted(&self.motion.position);
        self.plate = Some(plate);
        self.planner.watch();
    }

    fn take_plate(&mut self, now: Duration) -> Option<Box<Plate>> {
        self.planner.retire(now);
        self.planner.break_off(now);
        self.show_plate();
        self.plate.take()
    }

    /// The plate sees what was carried out since.
    pub(crate) fn show_plate(&mut self) {
        let Some(plate) = &mut self.plate else { return };
        for [from, to] in self.planner.take_carried_out() {
            plate.carry_out(&from, &to);
        }
    }
}
