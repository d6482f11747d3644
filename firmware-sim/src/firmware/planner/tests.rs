use super::*;
use crate::firmware::arc::Arc;
use crate::firmware::command::Command;
use crate::firmware::limits::Corner;
use proptest::prelude::*;
use rstest::rstest;

const MS: fn(u64) -> Duration = Duration::from_millis;

fn limits() -> Limits {
    Limits { max_feed: [500.0; 4], max_acceleration: [1000.0; 4], ..Limits::new(Corner::Deviation(0.013)) }
}

fn block(from: [f64; 2], to: [f64; 2], feed: f64, limits: &Limits) -> Block {
    let [from, to] = [from, to].map(|[x, y]| [x, y, 0.0, 0.0]);
    Block::new(from, to, &Way::straight(&from, &to), feed, limits)
}

/// The time of a path through these points, s, start delay aside.
fn time(points: &[[f64; 2]], feed: f64, limits: &Limits) -> f64 {
    let mut planner = Planner::default();
    for pair in points.windows(2) {
        planner.push(Duration::ZERO, block(pair[0], pair[1], feed, limits), limits);
    }
    (planner.ends() - START_DELAY).as_secs_f64()
}

#[test]
fn a_move_accelerates_and_slows_down() {
    // 0.1 s up over 5 mm, 0.1 s down, 90 mm along at 100 mm/s.
    let got = time(&[[0.0, 0.0], [100.0, 0.0]], 100.0, &limits());
    assert!((got - 1.1).abs() < 1e-6, "{got}");
}

#[test]
fn a_straight_line_in_pieces_takes_as_long_as_in_one() {
    let pieces: Vec<[f64; 2]> = (0..=14).map(|n| [f64::from(n), 0.0]).collect();
    let (many, one) = (time(&pieces, 100.0, &limits()), time(&[[0.0, 0.0], [14.0, 0.0]], 100.0, &limits()));
    assert!((many - one).abs() < 1e-6, "{many} {one}");
}

#[rstest]
#[case::deviation(Corner::Deviation(0.013))]
#[case::jerk(Corner::CLASSIC)]
fn a_corner_costs_no_more_than_a_stop_and_more_than_none(#[case] corner: Corner) {
    let limits = Limits { corner, ..limits() };
    let corner = time(&[[0.0, 0.0], [50.0, 0.0], [50.0, 50.0]], 100.0, &limits);
    let straight = time(&[[0.0, 0.0], [50.0, 0.0], [100.0, 0.0]], 100.0, &limits);
    let stops = 2.0 * time(&[[0.0, 0.0], [50.0, 0.0]], 100.0, &limits);
    assert!(straight + 0.01 < corner && corner <= stops + 1e-9, "{straight} {corner} {stops}");
}

#[test]
fn blocks_follow_each_other_without_a_gap_and_leave_at_their_time() {
    let limits = limits();
    let mut planner = Planner::default();
    planner.push(MS(10_000), block([0.0, 0.0], [100.0, 0.0], 100.0, &limits), &limits);
    let alone = planner.ends();
    // While the first is in motion its end at rest is fixed: too late to join them.
    planner.push(MS(10_500), block([100.0, 0.0], [200.0, 0.0], 100.0, &limits), &limits);
    assert_eq!(planner.next_change(), Some(alone));
    assert_eq!((planner.free(), planner.ends()), (13, MS(10_030 + 2200)));
    planner.retire(alone - MS(1));
    assert_eq!(planner.free(), 13);
    planner.retire(alone);
    assert_eq!(planner.free(), 14);
    planner.retire(MS(12_230));
    assert!(planner.is_still(MS(12_230)));
}

#[test]
fn a_quick_stop_rests_on_the_way_and_throws_moves_away_for_a_second() {
    let limits = limits();
    let mut planner = Planner::default();
    planner.push(Duration::ZERO, block([0.0, 0.0], [100.0, 0.0], 100.0, &limits), &limits);
    // 30 ms of delay, 100 ms up over 5 mm, 200 ms at 100 mm/s.
    let rest = planner.quick_stop(MS(330)).unwrap();
    assert!((rest[0] - 25.0).abs() < 1e-6, "{rest:?}");
    planner.push(MS(800), block([25.0, 0.0], [0.0, 0.0], 100.0, &limits), &limits);
    assert!(!planner.is_still(MS(800)));
    assert!(planner.is_still(MS(1330)));
}

#[test]
fn an_arc_of_small_pieces_is_no_faster_than_its_bend_allows() {
    let limits = Limits { travelling: 1000.0, ..limits() };
    let command = Command::parse("G3 I-10").unwrap();
    let (mut planner, mut now, mut at) = (Planner::default(), Duration::ZERO, [0.0; 4]);
    for to in Arc::new(&at, &at, &command, false).unwrap() {
        planner.push(now, Block::new(at, to, &Way::straight(&at, &to), 400.0, &limits), &limits);
        at = to;
        if planner.free() == 0 {
            now = planner.next_change().unwrap();
            planner.retire(now);
        }
        // v² = a r: 100 mm/s here.
        assert!(planner.blocks.iter().all(|planned| planned.entry < 101.0), "{:?}", planner.blocks.back());
    }
    // The way alone at that speed, and what starting and stopping take.
    let seconds = (planner.ends() - START_DELAY).as_secs_f64();
    assert!((0.63..1.0).contains(&seconds), "{seconds}");
}

proptest! {
    #[test]
    fn speeds_are_continuous_reachable_and_within_all_limits(
        points in prop::collection::vec((0.0..200.0_f64, 0.0..200.0_f64, 10.0..400.0_f64, 0_u64..300), 2..40),
        jerk: bool,
    ) {
        let corner = if jerk { Corner::CLASSIC } else { Corner::Deviation(0.013) };
        let limits = Limits { corner, ..limits() };
        let (mut planner, mut now, mut at) = (Planner::default(), Duration::ZERO, [0.0, 0.0]);
        for (x, y, feed, wait) in points {
            planner.push(now, block(at, [x, y], feed, &limits), &limits);
            at = [x, y];
            now += MS(wait);
            planner.retire(now);
            if planner.free() == 0 {
                now = planner.next_change().unwrap();
                planner.retire(now);
            }
            let blocks: Vec<&Planned> = planner.blocks.iter().collect();
            for pair in blocks.windows(2) {
                prop_assert!((pair[0].exit - pair[1].entry).abs() < 1e-6);
                // A block in motion may have been about to stop with a jump that the corner would not allow.
                let most = pair[1].max_entry.max(pair[0].rest);
                prop_assert!(pair[1].entry <= most + 1e-6);
                prop_assert!(pair[1].entry <= pair[1].block.nominal.max(pair[0].rest) + 1e-6);
            }
            for planned in &blocks {
                prop_assert!(planned.entry <= planned.across(planned.exit) + 1e-6);
                prop_assert!(planned.exit <= planned.across(planned.entry) + 1e-6);
            }
            if let Some(last) = blocks.last() {
                prop_assert!(last.exit <= last.rest + 1e-6, "the last block can still come to rest");
            }
        }
    }
}
