//! Positions: G0 to G3 and G92.
//!
//! Owns: what letters do to positions, in any units and modes. Must not know: heaters, fans, tools' numbers.

use super::words::Words;
use super::{Effect, MM_PER_INCH, Modal, Move, Path, USUAL_PERCENT};
use crate::arc::{Arc, Turn};

/// Marlin's speed before a file has said one, in mm/min (`feedrate_mm_s` at start).
const FEED_AT_START_MM_MIN: f64 = 1500.0;

/// The farthest a position gets by adding up relative moves, in mm: sums stay finite.
const FARTHEST_MM: f64 = 1e7;

const AXES: [u8; 3] = *b"XYZ";

impl Modal {
    fn unit(&self) -> f64 {
        if self.inches { MM_PER_INCH } else { 1.0 }
    }

    fn e_unit(&self) -> f64 {
        if self.volumetric { self.unit().powi(3) } else { self.unit() }
    }

    /// How much filament goes through for one unit of E, in mm.
    fn filament_per_e(&self) -> f64 {
        let flow = self.flow_percent.get(self.tool).flatten().unwrap_or(USUAL_PERCENT) / 100.0;
        let diameter = self.filament_diameter_mm.get(self.tool).unwrap_or(0.0);
        if self.volumetric && diameter > 0.0 {
            flow / (std::f64::consts::PI * diameter * diameter / 4.0)
        } else {
            flow
        }
    }

    /// G0 and G1.
    pub(super) fn line(&mut self, words: &Words) -> Effect {
        self.feed(words);
        Effect::Move(self.go(words, Path::Line))
    }

    /// G2 and G3.
    pub(super) fn arc(&mut self, words: &Words, turn: Turn) -> Effect {
        self.feed(words);
        let (end, _) = self.destination(words);
        let unit = self.unit();
        let full_circles = words.index(b'P').unwrap_or(0);
        let arc = match words.get(b'R') {
            Some(radius) => Arc::by_radius(self.plane, turn, self.machine_mm, end, radius * unit),
            None => {
                let (first, second) = self.plane.centre_letters();
                let offset = [first, second].map(|letter| words.get(letter).unwrap_or(0.0) * unit);
                Arc::by_centre(self.plane, turn, offset)
            }
        };
        match arc {
            Some(arc) => Effect::Move(self.go(words, Path::Arc(arc.with_full_circles(full_circles)))),
            // From a place that only the firmware knows it may well have one.
            None if words.has(b'R') && self.known != [true; 3] => Effect::Move(self.go(words, Path::Line)),
            None => Effect::None,
        }
    }

    /// G92.
    pub(super) fn set_position(&mut self, words: &Words) -> Effect {
        let unit = self.unit();
        let places = self.known.iter_mut().zip(&mut self.shift_guessed);
        let axes = self.shift_mm.iter_mut().zip(places).zip(self.machine_mm).zip(AXES);
        for (((shift, (known, guessed)), machine), letter) in axes {
            if let Some(value) = words.get(letter) {
                *shift = value * unit - machine;
                *guessed |= !*known;
                *known = true;
                self.shifted = true;
            }
        }
        if let Some(value) = words.get(b'E') {
            self.e = value * self.e_unit();
        }
        Effect::PositionSet
    }

    /// G92.1.
    pub(super) fn take_shift_back(&mut self) -> Effect {
        self.shift_mm = [0.0; 3];
        for (known, guessed) in self.known.iter_mut().zip(&mut self.shift_guessed) {
            *known &= !std::mem::take(guessed);
        }
        self.shifted = false;
        Effect::PositionSet
    }

    fn feed(&mut self, words: &Words) {
        let feed = words.get(b'F').map(|feed| feed * self.unit()).filter(|feed| *feed > 0.0);
        self.feed_mm_min = feed.or(self.feed_mm_min);
    }

    /// Where X, Y, Z are to be in the machine, and on which axes that is known then.
    fn destination(&self, words: &Words) -> ([f64; 3], [bool; 3]) {
        let unit = self.unit();
        let (mut end, mut known) = (self.machine_mm, self.known);
        for (((end, known), shift), letter) in end.iter_mut().zip(&mut known).zip(self.shift_mm).zip(AXES) {
            let Some(value) = words.get(letter).map(|value| value * unit) else { continue };
            if self.relative {
                *end = (*end + value).clamp(-FARTHEST_MM, FARTHEST_MM);
            } else {
                *end = value - shift;
                *known = true;
            }
        }
        (end, known)
    }

    fn go(&mut self, words: &Words, path: Path) -> Move {
        let from = self.machine_mm;
        (self.machine_mm, self.known) = self.destination(words);
        let e_before = self.e;
        if let Some(value) = words.get(b'E').map(|value| value * self.e_unit()) {
            self.e = if self.e_is_relative() { self.e + value } else { value };
        }
        let feed_mm_min = self.feed_mm_min.unwrap_or(FEED_AT_START_MM_MIN);
        Move {
            from,
            to: self.machine_mm,
            filament_mm: (self.e - e_before) * self.filament_per_e(),
            speed_mm_s: feed_mm_min / 60.0 * self.speed_percent.unwrap_or(USUAL_PERCENT) / 100.0,
            path,
        }
    }
}
