//! From a command to its rule.
//!
//! Owns: which code is which rule, and the rules that are one line long. Must not know: geometry.

use super::words::Words;
use super::{Effect, FirmwareMove, Modal};
use crate::arc::{Plane, Turn};
use crate::command::{Code, Command};

/// Factors are percents of a sensible size; anything else is ignored.
const PERCENT: std::ops::RangeInclusive<f64> = 1.0..=10_000.0;

/// Filament thinner than this is taken for this, in mm: a volume is divided by its area, and sums stay finite.
const THINNEST_MM: f64 = 0.001;

impl Modal {
    /// Follows a command that the firmware will carry out, and tells what it does.
    pub fn apply(&mut self, command: &Command<'_>) -> Effect {
        let Some(Code { letter, number, sub }) = command.code() else { return Effect::None };
        // No firmware has a heater's command with a number behind its point: it reads `M141.0` as `M141`.
        let heats = letter == b'M' && matches!(number, 104 | 109 | 140 | 190 | 141 | 191);
        let sub = sub.filter(|_| !heats);
        match (letter, number, sub) {
            (b'G', number, None) => self.apply_g(number, &Words::of(command)),
            (b'G', 92, Some(1)) => self.take_shift_back(),
            (b'G', 29 | 38, Some(_)) => self.lose_position([true; 3]),
            (b'M', number, None) => self.apply_m(number, command),
            (b'T', tool, None) => self.change_tool(tool),
            _ => Effect::None,
        }
    }

    fn apply_g(&mut self, number: u32, words: &Words) -> Effect {
        match number {
            // A spline (G5) ends where it says; its way is taken for straight.
            0 | 1 | 5 => return self.line(words),
            2 => return self.arc(words, Turn::Clockwise),
            3 => return self.arc(words, Turn::CounterClockwise),
            4 => return dwell(words),
            10 if words.has(b'P') => self.set_nozzle(words, b'P'),
            10 => return self.firmware_retraction(true),
            11 => return self.firmware_retraction(false),
            17 => self.plane = Plane::Xy,
            18 => self.plane = Plane::Zx,
            19 => self.plane = Plane::Yz,
            20 => self.inches = true,
            21 => self.inches = false,
            28 => return self.home(words),
            // Cleaning, parking, levelling, probing, aligning, going back to a stored place, and Prusa's mesh (G80,
            // G81): the firmware ends where it likes.
            12 | 26 | 27 | 29..=38 | 61 | 76 | 80 | 81 | 425 => return self.lose_position([true; 3]),
            90 => self.set_relative(false),
            91 => self.set_relative(true),
            92 => return self.set_position(words),
            _ => {}
        }
        Effect::None
    }

    fn apply_m(&mut self, number: u32, command: &Command<'_>) -> Effect {
        let words = &Words::of(command);
        let target = || words.get(b'S').or_else(|| words.get(b'R'));
        match number {
            82 => self.extruder_relative = false,
            83 => self.extruder_relative = true,
            104 => self.set_nozzle(words, b'T'),
            109 => {
                self.set_nozzle(words, b'T');
                return Effect::Standstill;
            }
            106 => self.set_fan(words, words.get(b'S').unwrap_or(255.0)),
            107 => self.set_fan(words, 0.0),
            140 => self.bed_c = target().or(self.bed_c),
            190 => {
                self.bed_c = target().or(self.bed_c);
                return Effect::Standstill;
            }
            141 => self.chamber_c = target().or(self.chamber_c),
            191 => {
                self.chamber_c = target().or(self.chamber_c);
                return Effect::Standstill;
            }
            200 => self.set_volume(words),
            207 => {
                let to = &mut self.retraction;
                to.length_mm = words.get(b'S').unwrap_or(to.length_mm);
                to.speed_mm_s = speed(words).unwrap_or(to.speed_mm_s);
                to.lift_mm = words.get(b'Z').unwrap_or(to.lift_mm);
            }
            208 => {
                let to = &mut self.retraction;
                to.extra_mm = words.get(b'S').unwrap_or(to.extra_mm);
                to.recover_speed_mm_s = speed(words).unwrap_or(to.recover_speed_mm_s);
            }
            220 => {
                if words.has(b'B') {
                    self.kept_speed_percent = self.speed_percent.unwrap_or(super::USUAL_PERCENT);
                }
                if words.has(b'R') {
                    self.speed_percent = Some(self.kept_speed_percent);
                }
                self.speed_percent = percent(words).or(self.speed_percent);
            }
            221 => {
                let tool = words.index(b'T').unwrap_or(self.tool);
                if let Some(percent) = percent(words) {
                    self.flow_percent.set(tool, Some(percent));
                }
            }
            // Filament changes and pauses of the firmware come back to where they began.
            0 | 1 | 18 | 25 | 84 | 116 | 125 | 226 | 400 | 600..=603 => return Effect::Standstill,
            _ => {}
        }
        Effect::None
    }

    fn set_relative(&mut self, relative: bool) {
        self.relative = relative;
        if self.extruder_rule == super::ExtruderRule::GoesAlong {
            self.extruder_relative = relative;
        }
    }

    fn home(&mut self, words: &Words) -> Effect {
        let named = [b'X', b'Y', b'Z'].map(|letter| words.has(letter));
        let axes = if named == [false; 3] { [true; 3] } else { named };
        let shifts = self.shift_mm.iter_mut().zip(&mut self.shift_guessed);
        for (((shift, guessed), machine), homed) in shifts.zip(&mut self.machine_mm).zip(axes) {
            if homed {
                (*shift, *guessed, *machine) = (0.0, false, 0.0);
            }
        }
        self.shifted &= self.shift_mm != [0.0; 3];
        self.lift_mm = 0.0;
        self.plane = Plane::Xy;
        let [x, y, _] = axes;
        self.lose_position([x, y, true])
    }

    fn lose_position(&mut self, axes: [bool; 3]) -> Effect {
        for (known, lost) in self.known.iter_mut().zip(axes) {
            *known &= !lost;
        }
        Effect::FirmwareMotion
    }

    fn firmware_retraction(&mut self, retract: bool) -> Effect {
        if self.is_retracted() == retract {
            return Effect::None;
        }
        self.retracted.set(self.tool, retract);
        let settings = self.retraction;
        if retract {
            // One lift at a time, however many tools are retracted.
            let lift_mm = if self.lift_mm == 0.0 { settings.lift_mm.max(0.0) } else { 0.0 };
            self.lift_mm += lift_mm;
            return Effect::FirmwareRetraction(FirmwareMove {
                filament_mm: -settings.length_mm,
                speed_mm_s: settings.speed_mm_s,
                lift_mm,
            });
        }
        Effect::FirmwareRetraction(FirmwareMove {
            filament_mm: settings.length_mm + settings.extra_mm,
            speed_mm_s: settings.recover_speed_mm_s,
            lift_mm: -std::mem::take(&mut self.lift_mm),
        })
    }

    fn change_tool(&mut self, to: u32) -> Effect {
        if self.flow_percent.get(to).is_none() {
            return Effect::None;
        }
        let from = std::mem::replace(&mut self.tool, to);
        if from == to { Effect::None } else { Effect::ToolChange { from, to } }
    }

    fn set_nozzle(&mut self, words: &Words, tool: u8) {
        let tool = words.index(tool).unwrap_or(self.tool);
        if let Some(target) = words.get(b'S').or_else(|| words.get(b'R')) {
            self.nozzle_c.set(tool, Some(target));
        }
    }

    fn set_fan(&mut self, words: &Words, speed: f64) {
        let fan = words.index(b'P').unwrap_or(0) as usize;
        if let Some(fan) = self.fans.get_mut(fan) {
            *fan = Some(speed.clamp(0.0, 255.0));
        }
    }

    fn set_volume(&mut self, words: &Words) {
        let tool = words.index(b'T').unwrap_or(self.tool);
        if let Some(diameter) = words.get(b'D') {
            self.volumetric = diameter > 0.0;
            if diameter > 0.0 {
                self.filament_diameter_mm.set(tool, diameter.max(THINNEST_MM));
            }
        }
        if let Some(switch) = words.get(b'S') {
            self.volumetric = switch != 0.0;
        }
    }
}

fn percent(words: &Words) -> Option<f64> {
    words.get(b'S').filter(|percent| PERCENT.contains(percent))
}

fn speed(words: &Words) -> Option<f64> {
    words.get(b'F').filter(|speed| *speed > 0.0).map(|mm_min| mm_min / 60.0)
}

fn dwell(words: &Words) -> Effect {
    let seconds = words.get(b'S').or_else(|| words.get(b'P').map(|ms| ms / 1000.0));
    match seconds.filter(|seconds| *seconds > 0.0) {
        Some(seconds) => Effect::Dwell { seconds },
        None => Effect::Standstill,
    }
}
