//! How fast a corner between two moves may be taken.
//!
//! Owns: classic jerk and junction deviation. Must not know: moves farther away.
//!
//! Both are Marlin's (`Planner::_populate_block`), with what is odd in them, because printers are so and
//! slicers estimate so. In classic jerk the move behind the corner is judged at its full speed even when the
//! move before it is slower: on a straight line, where a slow move is followed by a much faster one, Marlin
//! brakes.

use super::block::{Block, LEAST_MM_S, least_of};
use super::limits::{Corner, Limits};

/// From this on, two directions count as opposite.
const REVERSAL: f64 = 0.999_999;

/// Corners flatter than 45° between short moves are taken for a curve.
const CURVE: f64 = std::f64::consts::FRAC_1_SQRT_2;

/// Moves shorter than this may be pieces of a curve, in mm.
const PIECE_OF_A_CURVE_MM: f64 = 1.0;

/// The greatest speed at the corner between two moves, in mm/s.
pub(super) fn speed(before: &Block, after: &Block, limits: &Limits) -> f64 {
    let shared = before.nominal_mm_s.min(after.nominal_mm_s);
    match &limits.corner {
        Corner::Jerk(jerk) => by_jerk(before, after, shared, jerk),
        Corner::Deviation(deviation) => {
            by_deviation(before, after, *deviation, &limits.acceleration_mm_s2).max(LEAST_MM_S).min(shared)
        }
    }
}

fn by_jerk(before: &Block, after: &Block, shared: f64, jerk: &[f64; 4]) -> f64 {
    let mut factor = 1.0_f64;
    for ((out, into), jerk) in before.direction.iter().zip(&after.direction).zip(jerk) {
        let (out, into) = (out * shared, into * after.nominal_mm_s);
        // An axis that turns round stops in between: only the greater change counts.
        let change = if out * into < 0.0 { out.abs().max(into.abs()) } else { (out - into).abs() };
        if change * factor > *jerk {
            factor = jerk / change;
        }
    }
    let speed = shared * factor;
    // Stopping and starting again would be no slower.
    if before.safe_mm_s.min(after.safe_mm_s) > speed * 0.99 { after.safe_mm_s.min(shared) } else { speed }
}

fn by_deviation(before: &Block, after: &Block, deviation_mm: f64, limits_mm_s2: &[f64; 4]) -> f64 {
    let (out, into) = (unit(before.direction), unit(after.direction));
    let along: f64 = out.iter().zip(&into).map(|(out, into)| out * into).sum();
    if -along > REVERSAL {
        return LEAST_MM_S;
    }
    let mut change = into;
    change.iter_mut().zip(out).for_each(|(into, out)| *into -= out);
    let acceleration = least_of(after.acceleration_mm_s2, limits_mm_s2, &unit(change));
    let half_sine = ((1.0 + along).max(0.0) / 2.0).sqrt().min(1.0);
    let mut square = acceleration * deviation_mm * half_sine / (1.0 - half_sine);
    if after.length_mm < PIECE_OF_A_CURVE_MM && along > CURVE {
        square = square.min(after.length_mm * acceleration / along.min(1.0).acos());
    }
    // Straight on, both are infinite (or undefined): nothing limits then.
    if square.is_finite() { square.sqrt() } else { f64::MAX }
}

fn unit(vector: [f64; 4]) -> [f64; 4] {
    let length = vector.iter().map(|part| part * part).sum::<f64>().sqrt();
    if length > 0.0 { vector.map(|part| part / length) } else { vector }
}

#[cfg(test)]
mod tests {
    use super::super::block::Segment;
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    fn limits(corner: Corner) -> Limits {
        Limits {
            speed_mm_s: [500.0; 4],
            acceleration_mm_s2: [1000.0; 4],
            printing_mm_s2: 1000.0,
            travel_mm_s2: 1000.0,
            corner,
            ..Limits::default()
        }
    }

    fn corner(corner: Corner, (degrees, length): (f64, f64), from: f64, to: f64) -> f64 {
        let limits = limits(corner);
        let (sin, cos) = degrees.to_radians().sin_cos();
        let block = |delta_mm, speed_mm_s| Block::new(&Segment { delta_mm, speed_mm_s }, &limits).unwrap();
        let before = block([length, 0.0, 0.0, 0.0], from);
        speed(&before, &block([length * cos, length * sin, 0.0, 0.0], to), &limits)
    }

    const JERK: Corner = Corner::Jerk([10.0, 10.0, 1.0, 5.0]);

    #[rstest]
    #[case::straight_on(0.0, 50.0, 50.0, 50.0)]
    #[case::straight_on_and_slower(0.0, 50.0, 20.0, 20.0)]
    // Marlin's oddity: 50 → 100 counts as a jump of 50 and is worse than the safe 10.
    #[case::straight_on_and_faster(0.0, 50.0, 100.0, 10.0)]
    #[case::right_angle(90.0, 50.0, 50.0, 10.0)]
    #[case::slow_right_angle(90.0, 8.0, 8.0, 8.0)]
    #[case::back(180.0, 50.0, 50.0, 10.0)]
    // X changes by 50 (1 − cos 20°) = 3.0, Y by 50 sin 20° = 17.1: factor 10 / 17.1.
    #[case::slight(20.0, 50.0, 50.0, 10.0 / 0.342_020_143)]
    fn jerk(#[case] degrees: f64, #[case] from: f64, #[case] to: f64, #[case] expected: f64) {
        let found = corner(JERK, (degrees, 10.0), from, to);
        assert!((found - expected).abs() < 1e-6, "{found}");
    }

    #[rstest]
    #[case::straight_on(0.0, 10.0, 50.0, 50.0)]
    #[case::back(180.0, 10.0, 50.0, LEAST_MM_S)]
    // √(a d s / (1 − s)), s = sin 45°, a = 1000 √2 along the diagonal but 1000 is the move's own.
    #[case::right_angle(90.0, 10.0, 50.0, (1000.0 * 0.02 * CURVE / (1.0 - CURVE)).sqrt())]
    // A short piece: √(l a / θ) is less.
    #[case::curve(3.0, 0.1, 500.0, (0.1 * 1000.0 / 3.0_f64.to_radians()).sqrt())]
    fn deviation(#[case] degrees: f64, #[case] length: f64, #[case] speed: f64, #[case] expected: f64) {
        let found = corner(Corner::Deviation(0.02), (degrees, length), speed, speed);
        assert!((found - expected).abs() < 1e-3 * expected, "{found} {expected}");
    }

    proptest! {
        #[test]
        fn no_corner_is_faster_than_either_move_or_far_beyond_the_jerk(
            degrees in 0.0..180.0_f64, length in 0.01..50.0_f64, from in 0.1..300.0_f64, to in 0.1..300.0_f64,
        ) {
            let by_jerk = corner(JERK, (degrees, length), from, to);
            let by_deviation = corner(Corner::Deviation(0.02), (degrees, length), from, to);
            for found in [by_jerk, by_deviation] {
                prop_assert!(found > 0.0 && found <= from.min(to).max(LEAST_MM_S) + 1e-9);
            }
            let (sin, cos) = degrees.to_radians().sin_cos();
            let change = |out: f64, into: f64| if out * into < 0.0 { out.abs().max(into.abs()) } else { (out - into).abs() };
            // Safe speeds are judged move by move, so a corner between two of them may be √2 beyond.
            let most = 10.0 * std::f64::consts::SQRT_2 + 1e-6;
            prop_assert!(change(by_jerk, by_jerk * cos).max(change(0.0, by_jerk * sin)) <= most);
        }
    }
}
