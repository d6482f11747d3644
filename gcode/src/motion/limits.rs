//! What a printer can do: speeds, accelerations, and how it takes corners.
//!
//! Owns: [`Limits`] and the commands that change them (M201, M203, M204, M205). Must not know: moves, slicers.
//!
//! The rules are Marlin's (`M201`, `M203`, `M204`, `M205`): M203 is in mm/s there. In RepRapFirmware it is in
//! mm/min; a file of that flavour should bring limits with it instead.

use crate::command::{Code, Command};
use crate::modal::words::Words;

/// The order of axes in lists of four: X, Y, Z and filament.
pub const AXES: [u8; 4] = *b"XYZE";

/// Limits below this count as not given: a limit of nothing would stand still for ever.
const LEAST_LIMIT: f64 = 0.001;

/// How corners are taken.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Corner {
    /// Each axis may change its speed at once by so much, in mm/s (Marlin's classic jerk).
    Jerk([f64; 4]),
    /// The path may be cut at a corner by so much, in mm (junction deviation).
    Deviation(f64),
}

/// The limits of a printer, for X, Y, Z and filament where there are four.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// The greatest speed of each axis, in mm/s.
    pub speed_mm_s: [f64; 4],
    /// The greatest acceleration of each axis, in mm/s².
    pub acceleration_mm_s2: [f64; 4],
    /// Acceleration of moves with filament, in mm/s².
    pub printing_mm_s2: f64,
    /// Acceleration of moves without filament, in mm/s².
    pub travel_mm_s2: f64,
    /// Acceleration of filament alone, in mm/s².
    pub retraction_mm_s2: f64,
    /// How corners are taken.
    pub corner: Corner,
    /// The least speed of moves with filament, in mm/s.
    pub least_printing_mm_s: f64,
    /// The least speed of moves without filament, in mm/s.
    pub least_travel_mm_s: f64,
}

impl Default for Limits {
    /// What Marlin's stock configuration has, with classic jerk: `DEFAULT_MAX_FEEDRATE`,
    /// `DEFAULT_MAX_ACCELERATION`, `DEFAULT_ACCELERATION`, `DEFAULT_XJERK` and so on.
    fn default() -> Self {
        Self {
            speed_mm_s: [300.0, 300.0, 5.0, 25.0],
            acceleration_mm_s2: [3000.0, 3000.0, 100.0, 10_000.0],
            printing_mm_s2: 3000.0,
            travel_mm_s2: 3000.0,
            retraction_mm_s2: 3000.0,
            corner: Corner::Jerk([10.0, 10.0, 0.3, 5.0]),
            least_printing_mm_s: 0.0,
            least_travel_mm_s: 0.0,
        }
    }
}

impl Limits {
    /// Follows a command that changes limits; tells whether it is one. `unit_mm` is the length of the file's
    /// unit at that line ([`crate::modal::MM_PER_INCH`] after G20).
    pub fn apply(&mut self, command: &Command<'_>, unit_mm: f64) -> bool {
        let Some(Code { letter: b'M', number, sub: None }) = command.code() else { return false };
        if !matches!(number, 201 | 203 | 204 | 205) {
            return false;
        }
        let words = Words::of(command);
        let value =
            |letter| words.get(letter).map(|value| value * unit_mm).filter(|value| *value >= LEAST_LIMIT);
        let set = |to: &mut f64, letter| *to = value(letter).unwrap_or(*to);
        match number {
            201 => self.acceleration_mm_s2.iter_mut().zip(AXES).for_each(|(to, letter)| set(to, letter)),
            203 => self.speed_mm_s.iter_mut().zip(AXES).for_each(|(to, letter)| set(to, letter)),
            204 => {
                // S is the older way to say both.
                for (to, letters) in [
                    (&mut self.printing_mm_s2, *b"SP"),
                    (&mut self.travel_mm_s2, *b"ST"),
                    (&mut self.retraction_mm_s2, *b"RR"),
                ] {
                    letters.into_iter().for_each(|letter| set(to, letter));
                }
            }
            _ => self.set_corner(&value, &words, unit_mm),
        }
        true
    }

    /// M205.
    fn set_corner(&mut self, value: &impl Fn(u8) -> Option<f64>, words: &Words, unit_mm: f64) {
        let least = |letter| words.get(letter).map(|value| (value * unit_mm).max(0.0));
        self.least_printing_mm_s = least(b'S').unwrap_or(self.least_printing_mm_s);
        self.least_travel_mm_s = least(b'T').unwrap_or(self.least_travel_mm_s);
        if let Some(deviation) = value(b'J') {
            self.corner = Corner::Deviation(deviation);
        }
        if AXES.into_iter().any(|letter| value(letter).is_some()) {
            let Self { corner: Corner::Jerk(before), .. } = (match self.corner {
                Corner::Jerk(_) => *self,
                Corner::Deviation(_) => Self::default(),
            }) else {
                return;
            };
            let mut jerk = before;
            jerk.iter_mut().zip(AXES).for_each(|(to, letter)| *to = value(letter).unwrap_or(*to));
            self.corner = Corner::Jerk(jerk);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::parse;
    use rstest::rstest;

    fn after(lines: &[&str]) -> Limits {
        let mut limits = Limits::default();
        lines.iter().for_each(|line| assert!(limits.apply(&parse(line.as_bytes()).unwrap(), 1.0)));
        limits
    }

    #[test]
    fn as_a_slicer_sets_them() {
        let limits = after(&[
            "M201 X1000 Y1100 Z200 E5000",
            "M203 X200 Y210 Z12 E120",
            "M204 P1250 R1260 T1270",
            "M205 X8.00 Y9.00 Z0.40 E4.50",
            "M205 S1 T2",
        ]);
        let expected = Limits {
            speed_mm_s: [200.0, 210.0, 12.0, 120.0],
            acceleration_mm_s2: [1000.0, 1100.0, 200.0, 5000.0],
            printing_mm_s2: 1250.0,
            travel_mm_s2: 1270.0,
            retraction_mm_s2: 1260.0,
            corner: Corner::Jerk([8.0, 9.0, 0.4, 4.5]),
            least_printing_mm_s: 1.0,
            least_travel_mm_s: 2.0,
        };
        assert_eq!(limits, expected);
    }

    #[rstest]
    #[case::old_form("M204 S500", 500.0, 500.0, 3000.0)]
    #[case::new_form_wins("M204 S500 T700", 500.0, 700.0, 3000.0)]
    #[case::nothing("M204", 3000.0, 3000.0, 3000.0)]
    #[case::zero_is_no_limit("M204 P0 R-5", 3000.0, 3000.0, 3000.0)]
    fn accelerations(
        #[case] line: &str,
        #[case] printing: f64,
        #[case] travel: f64,
        #[case] retraction: f64,
    ) {
        let limits = after(&[line]);
        assert_eq!((limits.printing_mm_s2, limits.travel_mm_s2), (printing, travel));
        assert_eq!(limits.retraction_mm_s2, retraction);
    }

    #[test]
    fn corners() {
        assert_eq!(after(&["M205 J0.02"]).corner, Corner::Deviation(0.02));
        assert_eq!(after(&["M205 J0.02", "M205 X5"]).corner, Corner::Jerk([5.0, 10.0, 0.3, 5.0]));
        assert_eq!(after(&["M205 X5", "M205 Y6"]).corner, Corner::Jerk([5.0, 6.0, 0.3, 5.0]));
        let mut inches = Limits::default();
        assert!(inches.apply(&parse(b"M203 X1").unwrap(), 25.4));
        assert_eq!(inches.speed_mm_s[0], 25.4);
        assert!(!inches.apply(&parse(b"M220 S50").unwrap(), 1.0));
    }
}
