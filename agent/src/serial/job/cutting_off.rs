//! What becomes of a job whose printer has forgotten everything.
//!
//! Owns: whether anybody could know where the nozzle stands. Must not know: what has happened to the printer.

use super::super::cut_off::CutOff;
use super::super::scripts;
use super::{End, Job, Stage};

impl Job {
    /// How it ends: cut off where it can be told how high the nozzle stands, failed elsewhere. `what` has happened, in a
    /// sentence without its full stop.
    pub(in super::super) fn cut_off(&self, what: &str) -> End {
        let z = self.modal.position()[2];
        // On its way to or from where it parks nobody knows where it was.
        let stands = match self.stage {
            Stage::Feeding => Some((z, false)),
            Stage::Paused if !self.held && self.parking.templates.pause.is_none() => {
                let about = self.surroundings(self.area);
                scripts::lifted(&self.modal, about, &self.parking).map(|lifted| (Some(lifted), true))
            }
            _ => None,
        };
        match (stands, self.layer) {
            (Some((height_mm, parked)), Some(layer)) if self.printing => {
                let extruder_rule = self.modal.extruder_rule;
                let place = match height_mm {
                    // The layer's height would be taken for the nozzle's.
                    Some(height) if parked => {
                        format!(
                            "It was paused at layer {layer}, and the pause has left the nozzle {height:.2} mm up"
                        )
                    }
                    Some(height) => format!("It is at layer {layer}, {height:.2} mm"),
                    None => format!("It is at layer {layer}"),
                };
                let reason = format!("{what}. {place}.");
                let acknowledged = self.acknowledged;
                End::CutOff(CutOff { reason, layer, height_mm, parked, acknowledged, extruder_rule })
            }
            _ => End::Failed(format!("{what}{}. Clear the bed and print the job again.", self.came_to())),
        }
    }

    /// Heaters and fan off where it stands, but for a bed that stays at this, °C; then it has ended.
    pub(in super::super) fn cool_down(&mut self, bed: Option<f64>) {
        self.stage = Stage::Stopping;
        self.script = scripts::cool(&self.all_heaters(), bed);
    }

    /// These commands and nothing else; then it has ended.
    pub(in super::super) fn send_only(&mut self, commands: Vec<String>) {
        self.stage = Stage::Stopping;
        self.script = scripts::script(commands);
    }
}
