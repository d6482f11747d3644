//! One straight move against the printer's limits.
//!
//! Owns: what speed and acceleration a move gets by itself. Must not know: its neighbours.
//!
//! As Marlin's `Planner::_populate_block` does it: the length is that of X, Y and Z, or of the filament where
//! nothing else moves; the whole move slows down until no axis is beyond its limit.

use super::limits::{Corner, Limits};

/// The least speed anything moves at, in mm/s: Marlin's `MINIMUM_PLANNER_SPEED`. It keeps times finite.
pub(super) const LEAST_MM_S: f64 = 0.05;

/// What is shorter than this does not move, in mm.
const SHORTEST_MM: f64 = 1e-6;

/// A straight move as it is asked for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Segment {
    /// How far X, Y, Z and filament go, in mm.
    pub delta_mm: [f64; 4],
    /// The speed that is asked for, in mm/s.
    pub speed_mm_s: f64,
}

/// A straight move as the printer can do it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Block {
    pub(super) length_mm: f64,
    /// The speed it would like to go at.
    pub(super) nominal_mm_s: f64,
    pub(super) acceleration_mm_s2: f64,
    /// Parts of the way by axis, for a way of 1.
    pub(super) direction: [f64; 4],
    /// The speed at which it may begin or end at once.
    pub(super) safe_mm_s: f64,
}

impl Block {
    /// None when nothing moves.
    pub(super) fn new(segment: &Segment, limits: &Limits) -> Option<Self> {
        let [x, y, z, filament] = segment.delta_mm;
        let way = x.hypot(y).hypot(z);
        let (length_mm, base, least) = if way < SHORTEST_MM {
            (filament.abs(), limits.retraction_mm_s2, limits.least_printing_mm_s)
        } else if filament == 0.0 {
            (way, limits.travel_mm_s2, limits.least_travel_mm_s)
        } else {
            (way, limits.printing_mm_s2, limits.least_printing_mm_s)
        };
        if length_mm < SHORTEST_MM {
            return None;
        }
        let direction = segment.delta_mm.map(|delta| delta / length_mm);
        let asked = segment.speed_mm_s.max(least).max(LEAST_MM_S);
        let nominal_mm_s = least_of(asked, &limits.speed_mm_s, &direction);
        let acceleration_mm_s2 = least_of(base, &limits.acceleration_mm_s2, &direction);
        let safe_mm_s = match &limits.corner {
            Corner::Jerk(jerk) => least_of(nominal_mm_s, jerk, &direction),
            Corner::Deviation(_) => LEAST_MM_S.min(nominal_mm_s),
        };
        Some(Self { length_mm, nominal_mm_s, acceleration_mm_s2, direction, safe_mm_s })
    }
}

/// The greatest value along a direction that is not above `value`, nor above its limit on any axis.
pub(super) fn least_of(value: f64, limits: &[f64; 4], direction: &[f64; 4]) -> f64 {
    limits.iter().zip(direction).fold(value, |least, (limit, part)| {
        let part = part.abs();
        if least * part > *limit { limit / part } else { least }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    const LIMITS: Limits = Limits {
        speed_mm_s: [100.0, 200.0, 10.0, 50.0],
        acceleration_mm_s2: [1000.0, 2000.0, 100.0, 5000.0],
        printing_mm_s2: 1500.0,
        travel_mm_s2: 1800.0,
        retraction_mm_s2: 4000.0,
        corner: Corner::Jerk([8.0, 9.0, 0.4, 4.5]),
        least_printing_mm_s: 2.0,
        least_travel_mm_s: 3.0,
    };

    #[rstest]
    #[case::as_asked([10.0, 0.0, 0.0, 0.0], 60.0, (10.0, 60.0, 1000.0, 8.0))]
    #[case::axis_limit([10.0, 0.0, 0.0, 0.0], 500.0, (10.0, 100.0, 1000.0, 8.0))]
    #[case::printing([0.0, 10.0, 0.0, 0.1], 60.0, (10.0, 60.0, 1500.0, 9.0))]
    #[case::travel([0.0, 10.0, 0.0, 0.0], 60.0, (10.0, 60.0, 1800.0, 9.0))]
    #[case::diagonal([-3.0, 4.0, 0.0, 0.0], 500.0, (5.0, 100.0 / 0.6, 1000.0 / 0.6, 9.0 / 0.8))]
    #[case::up([0.0, 0.0, 5.0, 0.0], 60.0, (5.0, 10.0, 100.0, 0.4))]
    #[case::filament_alone([0.0, 0.0, 0.0, -2.0], 35.0, (2.0, 35.0, 4000.0, 4.5))]
    #[case::much_filament([0.0, 10.0, 0.0, 10.0], 80.0, (10.0, 50.0, 1500.0, 4.5))]
    #[case::too_slow([0.0, 10.0, 0.0, 0.0], 0.5, (10.0, 3.0, 1800.0, 3.0))]
    fn against_limits(
        #[case] delta_mm: [f64; 4],
        #[case] speed_mm_s: f64,
        #[case] expected: (f64, f64, f64, f64),
    ) {
        let block = Block::new(&Segment { delta_mm, speed_mm_s }, &LIMITS).unwrap();
        let found = [block.length_mm, block.nominal_mm_s, block.acceleration_mm_s2, block.safe_mm_s];
        let expected: [f64; 4] = expected.into();
        for (found, expected) in found.into_iter().zip(expected) {
            assert!((found - expected).abs() < 1e-9, "{block:?}");
        }
    }

    #[test]
    fn what_does_not_move() {
        assert_eq!(Block::new(&Segment { delta_mm: [0.0; 4], speed_mm_s: 10.0 }, &LIMITS), None);
    }
}
