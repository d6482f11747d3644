//! Where the tool is and how the next move is to be read: modes, units, feed, limits. No queue, no time.

use std::time::Duration;

use super::command::Command;
use super::limits::{Corner, Limits};

/// X, Y, Z, E in mm.
pub(crate) type Axes = [f64; 4];

/// The letters of [`Axes`].
pub(crate) const LETTERS: [char; 4] = ['X', 'Y', 'Z', 'E'];
/// X, Y, Z steps per mm, for the `Count` of M114.
const STEPS_PER_MM: [f64; 3] = [80.0, 80.0, 400.0];
const INCH_MM: f64 = 25.4;
/// Where G28 leaves Z, as observed.
const Z_AFTER_HOMING_MM: f64 = 5.0;
const HOMING_FEED_MM_S: [f64; 3] = [50.0, 50.0, 4.0];
/// Bump, back off, bump again.
const HOMING_BUMPS: Duration = Duration::from_secs(2);

/// The modal state of motion.
#[derive(Debug, Clone)]
pub(crate) struct Motion {
    /// Where the last accepted move ends.
    pub(crate) position: Axes,
    /// G91 and M83 set, G90 and M82 clear.
    pub(crate) relative: [bool; 4],
    /// G20.
    pub(crate) inches: bool,
    /// F, mm/min.
    feed: f64,
    /// M220, percent.
    pub(crate) feed_percent: f64,
    /// M201, M203 to M205.
    pub(crate) limits: Limits,
    /// M211.
    pub(crate) soft_end_stops: bool,
    homed: [bool; 3],
    travel: [f64; 3],
}

impl Motion {
    pub(crate) fn new(travel: [f64; 3], corner: Corner) -> Self {
        Self {
            position: [0.0; 4],
            relative: [false; 4],
            inches: false,
            feed: 1500.0,
            feed_percent: 100.0,
            limits: Limits::new(corner),
            soft_end_stops: true,
            homed: [false; 3],
            travel,
        }
    }

    /// Takes over a move's F and returns where it leads.
    pub(crate) fn target(&mut self, command: &Command<'_>) -> Axes {
        let unit = if self.inches { INCH_MM } else { 1.0 };
        if let Some(feed) = command.value('F').filter(|feed| *feed > 0.0) {
            self.feed = feed * unit;
        }
        let mut target = self.position;
        for (axis, letter) in LETTERS.into_iter().enumerate() {
            let Some(value) = command.value(letter) else { continue };
            let base = if self.relative[axis] { self.position[axis] } else { 0.0 };
            target[axis] = base + value * unit;
        }
        if self.soft_end_stops {
            for axis in (0..3).filter(|&axis| self.homed[axis]) {
                target[axis] = target[axis].clamp(0.0, self.travel[axis]);
            }
        }
        target
    }

    /// The speed asked for, mm/s.
    pub(crate) fn feed_mm_s(&self) -> f64 {
        self.feed / 60.0 * self.feed_percent / 100.0
    }

    /// G92: gives the present place new coordinates and returns by how much each changed.
    pub(crate) fn rename_place(&mut self, command: &Command<'_>) -> Axes {
        let unit = if self.inches { INCH_MM } else { 1.0 };
        let before = self.position;
        for (axis, letter) in LETTERS.into_iter().enumerate() {
            if let Some(value) = command.value(letter) {
                self.position[axis] = value * unit;
            }
        }
        std::array::from_fn(|axis| self.position[axis] - before[axis])
    }

    /// How long homing these axes takes from here.
    pub(crate) fn homing_time(&self, axes: [bool; 3]) -> Duration {
        (0..3).filter(|&axis| axes[axis]).fold(Duration::ZERO, |time, axis| {
            let way = self.position[axis].clamp(0.0, self.travel[axis]) / HOMING_FEED_MM_S[axis];
            time + HOMING_BUMPS + Duration::from_secs_f64(way)
        })
    }

    pub(crate) fn homed(&mut self, axes: [bool; 3]) {
        for axis in (0..3).filter(|&axis| axes[axis]) {
            self.homed[axis] = true;
            self.position[axis] = if axis == 2 { Z_AFTER_HOMING_MM } else { 0.0 };
        }
    }

    /// Whether all axes were homed and are held.
    pub(crate) fn is_homed(&self) -> bool {
        self.homed == [true; 3]
    }

    /// M84: nothing holds the axes any more.
    pub(crate) fn release(&mut self) {
        self.homed = [false; 3];
    }

    /// The line of M114.
    pub(crate) fn report(&self) -> String {
        let [x, y, z, e] = self.position;
        let [cx, cy, cz]: [i64; 3] =
            std::array::from_fn(|axis| (self.position[axis] * STEPS_PER_MM[axis]).round() as i64);
        format!("X:{x:.2} Y:{y:.2} Z:{z:.2} E:{e:.2} Count X:{cx} Y:{cy} Z:{cz}")
    }
}

/// The straight way of X, Y and Z from one place to another.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Way {
    /// mm; 0 when only E moves.
    pub(crate) length: f64,
    /// Each axis's share of the length.
    pub(crate) direction: [f64; 3],
}

impl Way {
    pub(crate) fn straight(from: &Axes, to: &Axes) -> Self {
        let delta: [f64; 3] = std::array::from_fn(|axis| to[axis] - from[axis]);
        let length = delta.iter().map(|axis| axis * axis).sum::<f64>().sqrt();
        let direction = if length > 0.0 { delta.map(|axis| axis / length) } else { [0.0; 3] };
        Self { length, direction }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn motion() -> Motion {
        Motion::new([200.0; 3], Corner::Deviation(0.013))
    }

    fn go(motion: &mut Motion, text: &str) -> Axes {
        let target = motion.target(&Command::parse(text).unwrap());
        motion.position = target;
        target
    }

    #[test]
    fn absolute_relative_and_inches() {
        let mut motion = motion();
        assert_eq!(go(&mut motion, "G1 X10 Y5 E2"), [10.0, 5.0, 0.0, 2.0]);
        motion.relative = [true; 4];
        assert_eq!(go(&mut motion, "G1 X1 E-1"), [11.0, 5.0, 0.0, 1.0]);
        motion.inches = true;
        assert_eq!(go(&mut motion, "G1 Z1"), [11.0, 5.0, 25.4, 1.0]);
    }

    #[test]
    fn a_homed_axis_stays_within_its_travel() {
        let mut motion = motion();
        assert_eq!(go(&mut motion, "G1 X500")[0], 500.0);
        motion.homed([true, false, false]);
        assert_eq!(go(&mut motion, "G1 X500 Y-3"), [200.0, -3.0, 0.0, 0.0]);
    }
}
