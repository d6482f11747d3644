//! Where the tool is and how the next move is to be read: modes, units, feed, limits. No queue, no time.

use std::f64::consts::TAU;
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

/// The way of X, Y and Z from one place to another.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Way {
    /// mm; 0 when only E moves.
    pub(crate) length: f64,
    /// Each axis's share of the length at the beginning and at the end.
    pub(crate) entry: [f64; 3],
    pub(crate) exit: [f64; 3],
    /// Of an arc, mm.
    pub(crate) radius: Option<f64>,
}

impl Way {
    pub(crate) fn straight(from: &Axes, to: &Axes) -> Self {
        let delta: [f64; 3] = std::array::from_fn(|axis| to[axis] - from[axis]);
        let length = delta.iter().map(|axis| axis * axis).sum::<f64>().sqrt();
        let direction = if length > 0.0 { delta.map(|axis| axis / length) } else { [0.0; 3] };
        Self { length, entry: direction, exit: direction, radius: None }
    }

    /// An arc (G2 clockwise, G3 counter-clockwise) in the XY plane, helix included. `None`: neither a centre nor a
    /// radius that reaches.
    pub(crate) fn arc(from: &Axes, to: &Axes, command: &Command<'_>, clockwise: bool) -> Option<Self> {
        let (dx, dy) = (to[0] - from[0], to[1] - from[1]);
        let (i, j) = match command.value('R') {
            Some(radius) => centre(dx, dy, radius, clockwise)?,
            None if command.has('I') || command.has('J') => {
                (command.value('I').unwrap_or(0.0), command.value('J').unwrap_or(0.0))
            }
            None => return None,
        };
        let radius = i.hypot(j);
        if radius == 0.0 {
            return None;
        }
        let (start, end) = ((-j).atan2(-i), (dy - j).atan2(dx - i));
        let turned = if clockwise { start - end } else { end - start }.rem_euclid(TAU);
        // Start and end the same: a whole circle.
        let angle = if turned < 1e-6 { TAU } else { turned };
        let turns = command.value('P').unwrap_or(0.0).clamp(0.0, 1000.0);
        let round = radius * (angle + turns * TAU);
        let length = round.hypot(to[2] - from[2]);
        let along = if clockwise { -round / length } else { round / length };
        let tangent = |angle: f64| [-angle.sin() * along, angle.cos() * along, (to[2] - from[2]) / length];
        Some(Self { length, entry: tangent(start), exit: tangent(end), radius: Some(radius) })
    }
}

/// The centre, from the start, of an arc given by its radius; a negative one takes the long way round.
fn centre(dx: f64, dy: f64, radius: f64, clockwise: bool) -> Option<(f64, f64)> {
    let chord = dx.hypot(dy);
    if radius == 0.0 || chord == 0.0 {
        return None;
    }
    // A radius that does not reach is taken for half the chord.
    let height = (radius * radius - chord * chord / 4.0).max(0.0).sqrt();
    let side = if clockwise == (radius > 0.0) { -height } else { height };
    Some((dx / 2.0 - dy / chord * side, dy / 2.0 + dx / chord * side))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use std::f64::consts::PI;

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

    #[rstest]
    #[case::quarter("G3 X-10 Y10 I-10", false, 10.0 * PI / 2.0)]
    #[case::three_quarters("G2 X-10 Y10 I-10", true, 10.0 * PI * 1.5)]
    #[case::circle("G2 I5", true, 10.0 * PI)]
    #[case::radius("G2 X20 R10", true, 10.0 * PI)]
    fn arcs_have_their_length(#[case] text: &str, #[case] clockwise: bool, #[case] expected: f64) {
        let command = Command::parse(text).unwrap();
        let from = [0.0; 4];
        let to = motion().target(&command);
        let length = Way::arc(&from, &to, &command, clockwise).unwrap().length;
        assert!((length - expected).abs() < 1e-9, "{length}");
    }

    #[rstest]
    #[case::quarter_left("G3 X10 Y10 J10", false, [1.0, 0.0], [0.0, 1.0])]
    #[case::quarter_right("G2 X10 Y-10 J-10", true, [1.0, 0.0], [0.0, -1.0])]
    #[case::by_radius("G2 X10 Y-10 R10", true, [1.0, 0.0], [0.0, -1.0])]
    #[case::the_long_way("G3 X10 Y-10 R-10", false, [-1.0, 0.0], [0.0, 1.0])]
    fn arcs_begin_and_end_along_their_tangents(
        #[case] text: &str,
        #[case] clockwise: bool,
        #[case] entry: [f64; 2],
        #[case] exit: [f64; 2],
    ) {
        let command = Command::parse(text).unwrap();
        let to = motion().target(&command);
        let way = Way::arc(&[0.0; 4], &to, &command, clockwise).unwrap();
        for (got, wanted) in way.entry.iter().zip(entry).chain(way.exit.iter().zip(exit)) {
            assert!((got - wanted).abs() < 1e-9, "{way:?}");
        }
    }
}
