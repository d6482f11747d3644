//! What people are shown of what the job's commands have set.
//!
//! Owns: which of it, and in which units. Must not know: how commands are followed.

use stardust_gcode::modal::Modal;

/// Where the job's commands have sent the nozzle and how fast things run. Unknown: not set by the job so far.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Motion {
    /// X, Y, Z of the last command sent, mm.
    pub position: [Option<f64>; 3],
    /// Part cooling, percent.
    pub fan_percent: Option<f64>,
    /// Feed rate, percent (M220).
    pub speed_percent: Option<f64>,
    /// Flow, percent (M221).
    pub flow_percent: Option<f64>,
}

impl Motion {
    pub(super) fn of(modal: &Modal) -> Self {
        Self {
            position: modal.position(),
            // The part is cooled by fan 0.
            fan_percent: modal.fans[0].map(|speed| speed.clamp(0.0, 255.0) / 255.0 * 100.0),
            speed_percent: modal.speed_percent,
            flow_percent: modal.flow_percent.get(modal.tool).flatten(),
        }
    }
}
