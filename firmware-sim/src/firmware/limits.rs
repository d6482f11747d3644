//! What the machine may do to itself: speeds, accelerations, corners. Set by M201, M203, M204, M205.
//!
//! Defaults are Marlin's documented ones, but for the speeds of Z and E, which are those of a common i3.

use super::command::Command;
use super::motion::{Axes, LETTERS};

/// Bounds of every move.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Limits {
    /// M203, mm/s.
    pub(crate) max_feed: Axes,
    /// M201, mm/s².
    pub(crate) max_acceleration: Axes,
    /// M204 P: moves that extrude, mm/s².
    pub(crate) printing: f64,
    /// M204 R: moves of E alone, mm/s².
    pub(crate) retracting: f64,
    /// M204 T: moves without E, mm/s².
    pub(crate) travelling: f64,
    /// M205.
    pub(crate) corner: Corner,
}

/// How fast a corner may be taken.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Corner {
    /// As an arc that leaves the corner by this much, mm (JUNCTION_DEVIATION_MM).
    Deviation(f64),
    /// By a sudden change of at most this speed on each of X, Y, Z, E, mm/s (CLASSIC_JERK).
    Jerk([f64; 4]),
}

impl Corner {
    /// Marlin's default for a build with CLASSIC_JERK.
    pub const CLASSIC: Self = Self::Jerk([10.0, 10.0, 0.3, 5.0]);
}

impl Limits {
    pub(crate) fn new(corner: Corner) -> Self {
        Self {
            max_feed: [300.0, 300.0, 12.0, 120.0],
            max_acceleration: [3000.0, 3000.0, 100.0, 10_000.0],
            printing: 3000.0,
            retracting: 3000.0,
            travelling: 3000.0,
            corner,
        }
    }

    /// M201 to M205. Values that are not above zero change nothing.
    pub(crate) fn set(&mut self, command: &Command<'_>) {
        let value = |letter| command.value(letter).filter(|value| *value > 0.0);
        let each = |values: &mut Axes| {
            for (axis, letter) in LETTERS.into_iter().enumerate() {
                values[axis] = value(letter).unwrap_or(values[axis]);
            }
        };
        match command.code {
            201 => each(&mut self.max_acceleration),
            203 => each(&mut self.max_feed),
            204 => {
                // S is the old way to say P and T.
                self.printing = value('P').or(value('S')).unwrap_or(self.printing);
                self.travelling = value('T').or(value('S')).unwrap_or(self.travelling);
                self.retracting = value('R').unwrap_or(self.retracting);
            }
            205 => match &mut self.corner {
                // A build knows one of the two and ignores the other's letters.
                Corner::Deviation(deviation) => *deviation = value('J').unwrap_or(*deviation),
                Corner::Jerk(jerk) => each(jerk),
            },
            _ => {}
        }
    }

    /// What a move of this kind may accelerate by before the axes are asked, mm/s².
    pub(crate) fn acceleration(&self, moves: bool, extrudes: bool) -> f64 {
        match (moves, extrudes) {
            (true, true) => self.printing,
            (true, false) => self.travelling,
            (false, _) => self.retracting,
        }
    }
}

/// The most of `wanted` along a direction (each axis's share of it) that keeps every axis within its bound.
pub(crate) fn within(wanted: f64, direction: &Axes, bounds: &Axes) -> f64 {
    direction.iter().zip(bounds).fold(wanted, |most, (share, bound)| {
        if share.abs() * most > *bound { bound / share.abs() } else { most }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_commands_set_their_own() {
        let mut limits = Limits::new(Corner::CLASSIC);
        for text in ["M201 X500 E0", "M203 Z5", "M204 S800 R900", "M205 X8 J0.1"] {
            limits.set(&Command::parse(text).unwrap());
        }
        assert_eq!(limits.max_acceleration, [500.0, 3000.0, 100.0, 10_000.0]);
        assert_eq!(limits.max_feed, [300.0, 300.0, 5.0, 120.0]);
        assert_eq!((limits.printing, limits.travelling, limits.retracting), (800.0, 800.0, 900.0));
        assert_eq!(limits.corner, Corner::Jerk([8.0, 10.0, 0.3, 5.0]));
    }

    #[test]
    fn the_slowest_axis_bounds_a_direction() {
        assert_eq!(within(100.0, &[0.6, 0.8, 0.0, 0.0], &[300.0, 40.0, 1.0, 1.0]), 50.0);
        assert_eq!(within(30.0, &[0.6, -0.8, 0.0, 0.0], &[300.0, 40.0, 1.0, 1.0]), 30.0);
    }
}
