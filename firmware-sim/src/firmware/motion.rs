//! Where the tool is and how the next move is to be read: modes, units, feed, limits. No queue, no time.

use std::f64::consts::TAU;
use std::time::Duration;

use super::command::Command;

/// X, Y, Z, E in mm.
pub(crate) type Axes = [f64; 4];

/// The letters of [`Axes`].
pub(crate) const LETTERS: [char; 4] = ['X', 'Y', 'Z', 'E'];
const E: usize = 3;
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
    /// M203, mm/s.
    pub(crate) max_feed: Axes,
    /// M211.
    pub(crate) soft_end_stops: bool,
    homed: [bool; 3],
    travel: [f64; 3],
}

impl Motion {
    pub(crate) fn new(travel: [f64; 3]) -> Self {
        Self {
            position: [0.0; 4],
            relative: [false; 4],
            inches: false,
            feed: 1500.0,
            feed_percent: 100.0,
            max_feed: [300.0, 300.0, 12.0, 120.0],
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

    /// How long a move of this length takes at the present feed. Acceleration is not considered.
    pub(crate) fn duration(&self, from: &Axes, to: &Axes, length: f64) -> Duration {
        let length = if length > 0.0 { length } else { (to[E] - from[E]).abs() };
        let mut seconds = length / (self.feed / 60.0 * self.feed_percent / 100.0).max(0.01);
        for axis in 0..4 {
            seconds = seconds.max((to[axis] - from[axis]).abs() / self.max_feed[axis].max(0.01));
        }
        Duration::try_from_secs_f64(seconds).unwrap_or(Duration::ZERO)
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

/// The length of a straight move; 0 when only E moves.
pub(crate) fn straight_length(from: &Axes, to: &Axes) -> f64 {
    (0..3).map(|axis| (to[axis] - from[axis]).powi(2)).sum::<f64>().sqrt()
}

/// The length of an arc (G2 clockwise, G3 counter-clockwise) in the XY plane, helix included. `None`: neither a
/// centre nor a radius that reaches.
pub(crate) fn arc_length(from: &Axes, to: &Axes, command: &Command<'_>, clockwise: bool) -> Option<f64> {
    let (dx, dy) = (to[0] - from[0], to[1] - from[1]);
    let (radius, angle) = if let Some(radius) = command.value('R') {
        let chord = dx.hypot(dy);
        if radius == 0.0 || chord == 0.0 {
            return None;
        }
        let short = 2.0 * (chord / 2.0 / radius.abs()).min(1.0).asin();
        (radius.abs(), if radius > 0.0 { short } else { TAU - short })
    } else {
        let (i, j) = (command.value('I'), command.value('J'));
        if i.is_none() && j.is_none() {
            return None;
        }
        let (i, j) = (i.unwrap_or(0.0), j.unwrap_or(0.0));
        let start = (-j).atan2(-i);
        let end = (dy - j).atan2(dx - i);
        let counter_clockwise = (end - start).rem_euclid(TAU);
        let angle = if clockwise { (TAU - counter_clockwise).rem_euclid(TAU) } else { counter_clockwise };
        // Start and end the same: a whole circle.
        (i.hypot(j), if angle < 1e-6 { TAU } else { angle })
    };
    let turns = command.value('P').unwrap_or(0.0).clamp(0.0, 1000.0);
    Some((radius * (angle + turns * TAU)).hypot(to[2] - from[2]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use std::f64::consts::PI;

    fn motion() -> Motion {
        Motion::new([200.0; 3])
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

    #[rstest]
    #[case::feed("G1 X100 F6000", 1.0)]
    #[case::extruder_only("G1 E10 F600", 1.0)]
    #[case::axis_limit("G1 Z24 F60000", 2.0)]
    fn a_move_takes_length_by_feed(#[case] text: &str, #[case] seconds: f64) {
        let mut motion = motion();
        let from = motion.position;
        let to = motion.target(&Command::parse(text).unwrap());
        let time = motion.duration(&from, &to, straight_length(&from, &to));
        assert!((time.as_secs_f64() - seconds).abs() < 1e-6, "{time:?}");
    }

    #[rstest]
    #[case::quarter("G3 X-10 Y10 I-10", false, 10.0 * PI / 2.0)]
    #[case::three_quarters("G2 X-10 Y10 I-10", true, 10.0 * PI * 1.5)]
    #[case::circle("G2 I5", true, 10.0 * PI)]
    #[case::radius("G2 X20 R10", true, 10.0 * PI)]
    fn arcs_have_their_length(#[case] text: &str, #[case] clockwise: bool, #[case] expected: f64) {
        let command = Command::parse(text).unwrap();
        let from = [0.0; 4];
        let to = motion().target(&command);
        let length = arc_length(&from, &to, &command, clockwise).unwrap();
        assert!((length - expected).abs() < 1e-9, "{length}");
    }
}
