use super::*;
use proptest::prelude::*;
use rstest::rstest;
use std::f64::consts::PI;

const CW: Turn = Turn::Clockwise;
const CCW: Turn = Turn::CounterClockwise;

fn at(x: f64, y: f64) -> [f64; 3] {
    [x, y, 0.0]
}

#[rstest]
#[case::quarter(CCW, [-10.0, 0.0], at(10.0, 0.0), at(0.0, 10.0), PI / 2.0)]
#[case::three_quarters(CW, [-10.0, 0.0], at(10.0, 0.0), at(0.0, 10.0), -1.5 * PI)]
#[case::half_ccw(CCW, [-10.0, 0.0], at(10.0, 0.0), at(-10.0, 0.0), PI)]
#[case::half_cw(CW, [-10.0, 0.0], at(10.0, 0.0), at(-10.0, 0.0), -PI)]
#[case::full_cw(CW, [-10.0, 0.0], at(10.0, 0.0), at(10.0, 0.0), -TAU)]
#[case::full_ccw(CCW, [0.0, 5.0], at(3.0, 3.0), at(3.0, 3.0), TAU)]
fn angles_by_centre(
    #[case] turn: Turn,
    #[case] centre: [f64; 2],
    #[case] from: [f64; 3],
    #[case] to: [f64; 3],
    #[case] angle: f64,
) {
    let arc = Arc::by_centre(Plane::Xy, turn, centre).unwrap();
    assert!((arc.angle(from, to) - angle).abs() < 1e-9, "{}", arc.angle(from, to));
    assert!((arc.length(from, to) - angle.abs() * arc.radius()).abs() < 1e-9);
}

#[rstest]
#[case::short_ccw(CCW, 10.0, PI / 2.0)]
#[case::long_ccw(CCW, -10.0, 1.5 * PI)]
#[case::short_cw(CW, 10.0, -PI / 2.0)]
#[case::long_cw(CW, -10.0, -1.5 * PI)]
#[case::too_small(CCW, 1.0, PI)]
fn angles_by_radius(#[case] turn: Turn, #[case] radius: f64, #[case] angle: f64) {
    let (from, to) = (at(10.0, 0.0), at(0.0, 10.0));
    let arc = Arc::by_radius(Plane::Xy, turn, from, to, radius).unwrap();
    assert!((arc.angle(from, to) - angle).abs() < 1e-9, "{}", arc.angle(from, to));
    if radius.abs() > 5.0_f64.hypot(5.0) {
        assert!((arc.radius() - radius.abs()).abs() < 1e-9);
    }
}

#[test]
fn what_is_no_arc() {
    assert_eq!(Arc::by_centre(Plane::Xy, CW, [0.0; 2]), None);
    assert_eq!(Arc::by_radius(Plane::Xy, CW, at(1.0, 1.0), at(1.0, 1.0), 5.0), None);
    assert_eq!(Arc::by_radius(Plane::Xy, CW, at(1.0, 0.0), at(1.0, -1e-308), 1e6), None, "ends that are one");
    assert_eq!(Arc::by_radius(Plane::Xy, CW, at(1.0, 1.0), at(2.0, 1.0), 0.0), None);
}

#[test]
fn a_helix_rises_evenly_and_circles_before_it_count() {
    let arc = Arc::by_centre(Plane::Xy, CCW, [-10.0, 0.0]).unwrap();
    let (from, to) = ([10.0, 0.0, 1.0], [0.0, 10.0, 4.0]);
    assert!((arc.length(from, to) - (5.0 * PI).hypot(3.0)).abs() < 1e-9);
    let points: Vec<_> = arc.points(from, to).collect();
    assert_eq!(points.last(), Some(&to));
    assert!(points.windows(2).all(|pair| pair[0][2] < pair[1][2]));
    let two_more = arc.with_full_circles(2);
    assert!((two_more.angle(from, to) - 4.5 * PI).abs() < 1e-9);
    assert!((arc.with_full_circles(u32::MAX).angle(from, to) - 200.5 * PI).abs() < 1e-6);
}

#[test]
fn arcs_in_the_other_planes() {
    let arc = Arc::by_centre(Plane::Zx, CCW, [-10.0, 0.0]).unwrap();
    let middle = arc.points([0.0, 7.0, 10.0], [0.0, 7.0, -10.0]).find(|point| point[2].abs() < 0.2).unwrap();
    assert!((middle[0] - 10.0).abs() < 0.1 && middle[1] == 7.0, "Z to X: {middle:?}");
    let arc = Arc::by_centre(Plane::Yz, CCW, [-10.0, 0.0]).unwrap();
    let middle = arc.points([7.0, 10.0, 0.0], [7.0, -10.0, 0.0]).find(|point| point[1].abs() < 0.2).unwrap();
    assert!((middle[2] - 10.0).abs() < 0.1 && middle[0] == 7.0, "Y to Z: {middle:?}");
}

fn coordinate() -> impl Strategy<Value = f64> {
    prop_oneof![
        -300.0..300.0_f64,
        -1e-5..1e-5_f64,
        Just(1e-308),
        (-30..30_i32).prop_map(f64::from),
        -1e7..1e7_f64
    ]
}

proptest! {
    /// The pieces are chords of one length, as many as the firmware makes: on a tiny circle few, because it
    /// makes none shorter than 0.1 mm, so their sum may be well below the arc's length there. What the sum
    /// must be follows from their number, and their number from the rule.
    #[test]
    fn pieces_lie_on_the_circle_and_sum_up_to_its_length(
        start in -TAU..TAU, sweep in 0.001..TAU, radius in 0.1..500.0_f64, x in -300.0..300.0_f64, cw: bool,
    ) {
        let turn = if cw { CW } else { CCW };
        let point = |angle: f64| [x + radius * angle.cos(), radius * angle.sin(), 0.2];
        let (from, to) = (point(start), point(if cw { start - sweep } else { start + sweep }));
        let arc = Arc::by_centre(Plane::Xy, turn, [x - from[0], -from[1]]).unwrap();
        let mut previous = from;
        let (mut sum, mut count) = (0.0, 0.0);
        for piece in arc.points(from, to) {
            prop_assert!(((piece[0] - x).hypot(piece[1]) - radius).abs() < 1e-6);
            let length = (piece[0] - previous[0]).hypot(piece[1] - previous[1]);
            prop_assert!(length <= PIECE_MM + 1e-9);
            sum += length;
            count += 1.0;
            previous = piece;
        }
        let (each, length) = (sweep / count, sweep * radius);
        let chords = 2.0 * radius * (each / 2.0).sin() * count;
        prop_assert!((sum - chords).abs() <= 1e-5, "{sum} {chords}");
        // 72 to the circle, which is within 0.04 % of its length, unless a piece would be below 0.1 mm.
        prop_assert!(each <= TAU / 72.0 + 1e-9 || each * radius <= 0.1 + 1e-9, "{count} {length}");
        prop_assert!(each > TAU / 72.0 || (length - sum) <= 4e-4 * length + 1e-5, "{sum} {length}");
    }

    #[test]
    fn any_numbers_give_a_finite_and_bounded_arc(
        numbers in proptest::collection::vec(coordinate(), 9), turn: bool, circles: u32, plane in 0..3_usize,
    ) {
        let turn = if turn { CW } else { CCW };
        let plane = [Plane::Xy, Plane::Zx, Plane::Yz][plane];
        let (from, to) = ([numbers[0], numbers[1], numbers[2]], [numbers[3], numbers[4], numbers[5]]);
        let arcs = [
            Arc::by_centre(plane, turn, [numbers[6], numbers[7]]),
            Arc::by_radius(plane, turn, from, to, numbers[8]),
        ];
        for arc in arcs.into_iter().flatten().map(|arc| arc.with_full_circles(circles)) {
            prop_assert!(arc.length(from, to).is_finite());
            let points: Vec<_> = arc.points(from, to).collect();
            prop_assert!((1..=4096).contains(&points.len()));
            prop_assert!(points.iter().flatten().all(|number| number.is_finite()));
            prop_assert_eq!(points.last(), Some(&to));
        }
    }
}
