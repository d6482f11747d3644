//! How fast the corner between two blocks may be taken: Marlin's two ways of deciding it.
//!
//! Source: the documentation of JUNCTION_DEVIATION_MM and CLASSIC_JERK, and the published derivation of junction
//! deviation (S. Jeon, "Improving Grbl: Cornering Algorithm", 2011), with Marlin's later bound for short segments.

use crate::firmware::limits::{Corner, within};
use crate::firmware::motion::Axes;

/// Segments shorter than this, mm, that turn by less than 45° are taken as pieces of an arc.
const SHORT_MM: f64 = 1.0;
const SLIGHT_TURN_COS: f64 = std::f64::consts::FRAC_1_SQRT_2;

/// What a junction needs to know of a block. Directions are each axis's share of the length.
#[derive(Debug, Clone, Copy)]
pub(super) struct Side {
    pub(super) direction: Axes,
    pub(super) nominal: f64,
    pub(super) length: f64,
    pub(super) acceleration: f64,
}

/// The speed at which a block may start from rest or end in it, mm/s.
pub(super) fn from_rest(corner: &Corner, side: &Side) -> f64 {
    match corner {
        Corner::Deviation(_) => 0.0,
        Corner::Jerk(jerk) => within(side.nominal, &side.direction, jerk),
    }
}

/// The highest speed between `before` and `after`, mm/s.
pub(super) fn speed(corner: &Corner, before: &Side, after: &Side, max_acceleration: &Axes) -> f64 {
    let slower = before.nominal.min(after.nominal);
    match corner {
        Corner::Deviation(deviation) => by_deviation(*deviation, before, after, max_acceleration).min(slower),
        Corner::Jerk(jerk) => by_jerk(jerk, before, after, slower),
    }
}

fn by_deviation(deviation: f64, before: &Side, after: &Side, max_acceleration: &Axes) -> f64 {
    let (from, to) = (unit(&before.direction), unit(&after.direction));
    let cos = from.iter().zip(&to).map(|(a, b)| a * b).sum::<f64>().clamp(-1.0, 1.0);
    if cos < -0.999_999 {
        return 0.0;
    }
    if cos > 0.999_999 {
        return f64::INFINITY;
    }
    let turn: Axes = unit(&std::array::from_fn(|axis| to[axis] - from[axis]));
    let acceleration = within(after.acceleration, &turn, max_acceleration);
    // Half of the angle between the two ways, which is what is left of a half turn.
    let sin_half = (0.5 * (1.0 + cos)).sqrt();
    let mut squared = acceleration * deviation * sin_half / (1.0 - sin_half);
    if after.length < SHORT_MM && cos > SLIGHT_TURN_COS {
        squared = squared.min(after.length * acceleration / cos.acos());
    }
    squared.sqrt()
}

fn by_jerk(jerk: &Axes, before: &Side, after: &Side, slower: f64) -> f64 {
    let mut speed = slower;
    for (axis, most) in jerk.iter().enumerate() {
        let (leaving, entering) = (before.direction[axis] * speed, after.direction[axis] * speed);
        let opposite = leaving * entering < 0.0;
        // A reversal is a stop and a start; Marlin counts the larger of the two.
        let change = if opposite { leaving.abs().max(entering.abs()) } else { (entering - leaving).abs() };
        if change > *most {
            speed *= most / change;
        }
    }
    speed
}

fn unit(vector: &Axes) -> Axes {
    let length = vector.iter().map(|share| share * share).sum::<f64>().sqrt();
    if length > 0.0 { vector.map(|share| share / length) } else { [0.0; 4] }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    const FREE: Axes = [1e9; 4];

    fn side(degrees: f64, nominal: f64, length: f64) -> Side {
        let (y, x) = degrees.to_radians().sin_cos();
        Side { direction: [x, y, 0.0, 0.0], nominal, length, acceleration: 3000.0 }
    }

    // By hand: v² = a d s / (1 - s) with s the sine of half the inner angle; a 3000, d 0.013.
    #[rstest]
    #[case::straight_on(0.0, 100.0)]
    #[case::right_angle(90.0, 9.704)]
    #[case::sharp(135.0, 4.917)]
    #[case::back(180.0, 0.0)]
    fn corners_by_deviation(#[case] turn: f64, #[case] expected: f64) {
        let corner = Corner::Deviation(0.013);
        let got = speed(&corner, &side(0.0, 100.0, 10.0), &side(turn, 120.0, 10.0), &FREE);
        assert!((got - expected).abs() < 0.01, "{got}");
    }

    #[rstest]
    #[case::straight_on(0.0, 100.0)]
    #[case::right_angle(90.0, 10.0)]
    #[case::back(180.0, 10.0)]
    fn corners_by_jerk(#[case] turn: f64, #[case] expected: f64) {
        let corner = Corner::CLASSIC;
        let got = speed(&corner, &side(0.0, 100.0, 10.0), &side(turn, 120.0, 10.0), &FREE);
        assert!((got - expected).abs() < 0.01, "{got}");
    }

    #[test]
    fn short_segments_of_a_curve_are_slower_than_the_corner_alone_allows() {
        let corner = Corner::Deviation(0.05);
        let long = speed(&corner, &side(0.0, 500.0, 2.0), &side(5.0, 500.0, 2.0), &FREE);
        let short = speed(&corner, &side(0.0, 500.0, 0.2), &side(5.0, 500.0, 0.2), &FREE);
        assert!(short < long, "{short} {long}");
    }

    #[test]
    fn with_jerk_a_block_starts_with_a_jump_and_with_deviation_from_rest() {
        assert!((from_rest(&Corner::CLASSIC, &side(0.0, 100.0, 1.0)) - 10.0).abs() < 1e-9);
        assert_eq!(from_rest(&Corner::Deviation(0.01), &side(0.0, 100.0, 1.0)), 0.0);
    }
}
