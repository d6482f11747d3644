//! What the job has set: positions, modes, temperatures, fans. What a pause must bring back.
//!
//! Owns: following the commands of the job, in mm. Must not know: how a pause is done.

use std::collections::BTreeMap;

use stardust_gcode::command::{Code, Command};

const MM_PER_INCH: f64 = 25.4;

/// The state in which the job's commands have put the printer.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Modal {
    /// X, Y, Z in mm; none until known.
    pub position: [Option<f64>; 3],
    /// The extruder's position, mm.
    pub e: f64,
    /// Feed rate, mm/min.
    pub feed: Option<f64>,
    /// G91.
    pub relative: bool,
    /// M83; in Marlin 2 also G91.
    pub relative_e: bool,
    /// G20.
    pub inches: bool,
    /// The tool in use.
    pub tool: u32,
    /// Fan speeds 0–255 by fan.
    pub fans: BTreeMap<u32, f64>,
    /// Hot end targets in °C by tool; of those that the job has set.
    pub targets: BTreeMap<u32, f64>,
    /// Bed target, °C.
    pub bed: Option<f64>,
    /// Feed rate percentage, M220.
    pub speed_percent: Option<f64>,
    /// Flow percentage, M221.
    pub flow_percent: Option<f64>,
    /// G10 without G11: the filament is retracted by the firmware.
    pub retracted: bool,
    /// G92 has moved an axis: absolute positions don't mean the machine's.
    pub shifted: bool,
    /// G90 and G91 don't touch the extruder's mode (all firmwares but Marlin 2).
    pub extruder_apart: bool,
    /// The job has begun to extrude while moving.
    pub extruding: bool,
}

impl Modal {
    /// Follows a command that the firmware will carry out.
    pub fn apply(&mut self, command: &Command<'_>) {
        let Some(Code { letter, number, sub: None }) = command.code() else { return };
        match (letter, number) {
            (b'G', 0..=3 | 5) => self.travel(command),
            (b'G', 10) if !command.has_param(b'P') => self.retracted = true,
            (b'G', 11) => self.retracted = false,
            (b'G', 20) => self.inches = true,
            (b'G', 21) => self.inches = false,
            // Where homing, probing and parking end is the firmware's; the next absolute move tells.
            (b'G', 27..=38 | 60 | 61 | 76 | 80 | 81 | 425) => self.position = [None; 3],
            // Marlin's G90 and G91 take the extruder along.
            (b'G', 90 | 91) => {
                self.relative = number == 91;
                if !self.extruder_apart {
                    self.relative_e = self.relative;
                }
            }
            (b'G', 92) => self.set_position(command),
            (b'M', 82) => self.relative_e = false,
            (b'M', 83) => self.relative_e = true,
            (b'M', 104 | 109) => {
                let target = command.param(b'S').or_else(|| command.param(b'R'));
                let tool = whole(command.param(b'T')).unwrap_or(self.tool);
                self.targets.extend(target.map(|target| (tool, target)));
            }
            (b'M', 140 | 190) => {
                self.bed = command.param(b'S').or_else(|| command.param(b'R')).or(self.bed);
            }
            (b'M', 106) => {
                self.fans
                    .insert(whole(command.param(b'P')).unwrap_or(0), command.param(b'S').unwrap_or(255.0));
            }
            (b'M', 107) => {
                self.fans.insert(whole(command.param(b'P')).unwrap_or(0), 0.0);
            }
            (b'M', 220) => self.speed_percent = command.param(b'S').or(self.speed_percent),
            (b'M', 221) => self.flow_percent = command.param(b'S').or(self.flow_percent),
            (b'T', tool) => self.tool = tool,
            _ => {}
        }
    }

    /// Hot ends that the job has used or heated.
    pub fn tools(&self) -> impl Iterator<Item = u32> + '_ {
        let current = (!self.targets.contains_key(&self.tool)).then_some(self.tool);
        self.targets.keys().copied().chain(current)
    }

    fn unit(&self) -> f64 {
        if self.inches { MM_PER_INCH } else { 1.0 }
    }

    fn travel(&mut self, command: &Command<'_>) {
        let unit = self.unit();
        let mut moved = false;
        for (letter, value) in command.params() {
            let Some(value) = value.map(|value| value * unit) else { continue };
            match letter {
                b'X' | b'Y' | b'Z' => {
                    let axis = usize::from(letter - b'X');
                    moved |= letter != b'Z';
                    if let Some(at) = self.position.get_mut(axis) {
                        *at = if self.relative { at.map(|at| at + value) } else { Some(value) };
                    }
                }
                b'E' => {
                    let before = self.e;
                    self.e = if self.relative_e { self.e + value } else { value };
                    self.extruding |= moved && self.e > before;
                }
                b'F' => self.feed = Some(value),
                _ => {}
            }
        }
    }

    fn set_position(&mut self, command: &Command<'_>) {
        let unit = self.unit();
        for (letter, value) in command.params() {
            let Some(value) = value.map(|value| value * unit) else { continue };
            match letter {
                b'X' | b'Y' | b'Z' => {
                    self.shifted = true;
                    if let Some(at) = self.position.get_mut(usize::from(letter - b'X')) {
                        *at = Some(value);
                    }
                }
                b'E' => self.e = value,
                _ => {}
            }
        }
    }
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range is checked")]
fn whole(number: Option<f64>) -> Option<u32> {
    number.filter(|number| (0.0..1e6).contains(number)).map(|number| number as u32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use stardust_gcode::command::parse;

    fn after(lines: &[&str]) -> Modal {
        let mut modal = Modal::default();
        for line in lines {
            modal.apply(&parse(line.as_bytes()).unwrap());
        }
        modal
    }

    #[test]
    fn positions_and_modes_are_followed() {
        let modal = after(&["G28", "G90", "M82", "G92 E0", "G1 X10 Y20 Z0.3 F3000", "G1 X15.5 E2 F1200"]);
        assert_eq!(modal.position, [Some(15.5), Some(20.0), Some(0.3)]);
        assert!((modal.e - 2.0).abs() < 1e-9 && modal.feed == Some(1200.0) && modal.extruding);
        let modal = after(&["G1 X1 Y1 Z1", "G91", "G1 X1 E1", "M82", "G1 E0.5", "G90"]);
        assert_eq!(modal.position[0], Some(2.0));
        assert!((modal.e - 0.5).abs() < 1e-9 && !modal.relative && !modal.relative_e);
        assert_eq!(after(&["G20", "G1 X1"]).position[0], Some(25.4));
        assert_eq!(after(&["G1 X1", "G28"]).position[0], None);
    }

    #[test]
    fn elsewhere_g90_leaves_the_extruder_alone() {
        let mut modal = Modal { extruder_apart: true, ..Modal::default() };
        for line in ["M83", "G90", "G91", "G90"] {
            modal.apply(&parse(line.as_bytes()).unwrap());
        }
        assert!(modal.relative_e && !modal.relative);
    }

    #[test]
    fn a_purge_on_the_spot_is_not_printing_yet() {
        assert!(!after(&["M82", "G1 E5 F300", "G92 E0", "G1 X5 Y5"]).extruding);
        assert!(after(&["M83", "G1 X5 E1"]).extruding);
        assert!(!after(&["M83", "G1 X5 E-1"]).extruding);
    }

    #[test]
    fn heaters_fans_and_factors() {
        let modal = after(&["M104 S200", "T1", "M109 S210", "M140 S60", "M106 S128", "M106 P1", "M220 S90"]);
        assert_eq!(modal.targets, BTreeMap::from([(0, 200.0), (1, 210.0)]));
        assert_eq!(modal.tools().collect::<Vec<_>>(), [0, 1]);
        assert_eq!((modal.bed, modal.speed_percent, modal.tool), (Some(60.0), Some(90.0), 1));
        assert_eq!(modal.fans, BTreeMap::from([(0, 128.0), (1, 255.0)]));
    }
}
