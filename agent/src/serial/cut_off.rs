//! A job that was cut off: its printer has lost its power or was reset, and has forgotten everything.
//!
//! Owns: what is known of where it stands. A part that is still there can be gone on with from a layer
//! ([`super::return_to_layer`]), if a person says so. Must not know: how it came about, files.

use serde::{Deserialize, Serialize};
use stardust_gcode::modal::ExtruderRule;

/// Where a job stands whose printer has forgotten everything. The nozzle has not been moved since.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CutOff {
    /// What has happened, a sentence for people.
    pub reason: String,
    /// The layer that was being printed, from 1, as far as it is known.
    pub layer: u32,
    /// How high the nozzle stood, mm; none where only the firmware knew.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub height_mm: Option<f64>,
    /// It stood above the part, at the height that is told: the job was paused and the head parked.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub parked: bool,
    /// Bytes of the file that the firmware had taken.
    pub acknowledged: u64,
    /// How the firmware reads the file's extrusion: it may be another one by the time it is gone on.
    pub extruder_rule: ExtruderRule,
}

impl CutOff {
    /// Why its job is paused, in words.
    #[must_use]
    pub fn why_it_waits(&self) -> String {
        format!("{} Look at the part: the print can go on from a layer, or be given up.", self.reason)
    }
}
