use super::super::limits::Corner;
use super::*;
use proptest::prelude::*;

const LIMITS: Limits = Limits {
    speed_mm_s: [200.0, 200.0, 12.0, 120.0],
    acceleration_mm_s2: [1000.0, 1000.0, 200.0, 5000.0],
    printing_mm_s2: 1250.0,
    travel_mm_s2: 1250.0,
    retraction_mm_s2: 1250.0,
    corner: Corner::Jerk([8.0, 8.0, 0.4, 4.5]),
    least_printing_mm_s: 0.0,
    least_travel_mm_s: 0.0,
};

fn plan(segments: &[Segment], limits: &Limits, look_ahead: usize) -> Vec<Planned<usize>> {
    let mut planner = Planner::new(look_ahead);
    let mut planned = Vec::new();
    let room = planner.queue.capacity();
    for (index, segment) in segments.iter().enumerate() {
        planner.push(*segment, limits, index, |it| planned.push(*it));
        assert!(planner.queue.len() < 2 * look_ahead.max(1), "memory is bounded");
    }
    assert_eq!(planner.queue.capacity(), room, "nothing is allocated on the way");
    planner.stop(|it| planned.push(*it));
    planned
}

fn time(planned: &[Planned<usize>]) -> f64 {
    planned.iter().map(|it| it.trapezoid.time_s()).sum()
}

fn along_x(lengths: &[f64], speed_mm_s: f64) -> Vec<Segment> {
    lengths.iter().map(|x| Segment { delta_mm: [*x, 0.0, 0.0, 0.0], speed_mm_s }).collect()
}

#[test]
fn a_line_in_pieces_takes_as_long_as_in_one() {
    let whole = time(&plan(&along_x(&[100.0], 100.0), &LIMITS, 64));
    // From 8 to 100 mm/s at 1000 mm/s², 100 mm/s between, and down to a standstill.
    let expected = 0.092 + (100.0 - 4.968 - 5.0) / 100.0 + 0.1;
    assert!((whole - expected).abs() < 1e-3, "{whole} {expected}");
    for look_ahead in [16, 64, 1000] {
        let pieces = time(&plan(&along_x(&[1.0; 100], 100.0), &LIMITS, look_ahead));
        assert!((pieces - whole).abs() < 1e-6, "{pieces} {whole}");
    }
}

#[test]
fn too_little_look_ahead_slows_down() {
    let pieces = along_x(&[0.1; 1000], 100.0);
    let times: Vec<f64> = [1, 4, 16, 64].map(|ahead| time(&plan(&pieces, &LIMITS, ahead))).to_vec();
    assert!(times.windows(2).all(|pair| pair[0] > pair[1] * 1.2), "{times:?}");
}

#[test]
fn it_brakes_in_time_for_a_corner() {
    let mut segments = along_x(&[1.0; 10], 100.0);
    segments.push(Segment { delta_mm: [0.0, 10.0, 0.0, 0.0], speed_mm_s: 100.0 });
    let planned = plan(&segments, &LIMITS, 64);
    assert!((planned[10].trapezoid.entry_mm_s - 8.0).abs() < 1e-9);
    assert!(planned[4].trapezoid.cruise_mm_s > 90.0, "{:?}", planned[4]);
    assert!(planned[7..10].iter().all(|it| it.trapezoid.entry_mm_s > it.trapezoid.exit_mm_s));
}

#[test]
fn after_a_standstill_it_starts_anew() {
    let mut planner = Planner::new(64);
    let mut planned: Vec<Planned<()>> = Vec::new();
    for _ in 0..2 {
        planner.push(along_x(&[10.0], 50.0)[0], &LIMITS, (), |it| planned.push(*it));
        planner.stop(|it| planned.push(*it));
    }
    assert_eq!(planned[0], planned[1]);
    assert!((planned[1].trapezoid.entry_mm_s - 8.0).abs() < 1e-9);
}

fn segment() -> impl Strategy<Value = Segment> {
    let way = || prop_oneof![Just(0.0), -50.0..50.0_f64, -0.2..0.2_f64];
    let up = prop_oneof![6 => Just(0.0), 1 => -1.0..1.0_f64];
    (way(), way(), up, prop_oneof![2 => Just(0.0), 3 => 0.0..2.0_f64, 1 => -4.0..0.0_f64], 0.01..300.0_f64)
        .prop_map(|(x, y, z, e, speed_mm_s)| Segment { delta_mm: [x, y, z, e], speed_mm_s })
}

fn limits() -> impl Strategy<Value = Limits> {
    let corner = prop_oneof![
        (0.1..20.0_f64).prop_map(|jerk| Corner::Jerk([jerk, jerk, jerk / 20.0, jerk / 2.0])),
        (0.001..0.5_f64).prop_map(Corner::Deviation),
    ];
    (corner, 100.0..5000.0_f64).prop_map(|(corner, acceleration)| Limits {
        corner,
        printing_mm_s2: acceleration,
        travel_mm_s2: acceleration * 1.5,
        ..LIMITS
    })
}

proptest! {
    /// What any plan must keep: order, joins, limits of speed and acceleration, and that it is doable.
    #[test]
    fn plans_are_sound(
        segments in proptest::collection::vec(segment(), 0..200), limits in limits(), look_ahead in 1..80_usize,
    ) {
        let planned = plan(&segments, &limits, look_ahead);
        prop_assert!(planned.windows(2).all(|pair| pair[0].tag < pair[1].tag));
        for pair in planned.windows(2) {
            prop_assert!((pair[0].trapezoid.exit_mm_s - pair[1].trapezoid.entry_mm_s).abs() < 1e-9);
        }
        for it in &planned {
            let Trapezoid { length_mm, entry_mm_s, cruise_mm_s, exit_mm_s, acceleration_mm_s2 } = it.trapezoid;
            prop_assert!(cruise_mm_s <= it.segment.speed_mm_s.max(LEAST_MM_S) + 1e-6, "{it:?}");
            prop_assert!(entry_mm_s >= 0.0 && exit_mm_s >= 0.0 && entry_mm_s <= cruise_mm_s + 1e-9);
            prop_assert!(exit_mm_s <= cruise_mm_s + 1e-9);
            let way = it.trapezoid.accelerating_mm() + it.trapezoid.decelerating_mm();
            prop_assert!(way <= length_mm * (1.0 + 1e-6) + 1e-3, "{it:?} {way}");
            for (delta, (speed, acceleration)) in
                it.segment.delta_mm.iter().zip(limits.speed_mm_s.iter().zip(limits.acceleration_mm_s2))
            {
                let part = delta.abs() / length_mm;
                prop_assert!(cruise_mm_s * part <= speed * (1.0 + 1e-9));
                prop_assert!(acceleration_mm_s2 * part <= acceleration * (1.0 + 1e-9));
            }
            prop_assert!(it.trapezoid.time_s().is_finite() && it.trapezoid.time_s() > 0.0);
        }
    }

    /// With all known, no move could be faster anywhere: the speeds are the greatest that corners, braking and
    /// speeding up allow, found here in another way, by lowering them until nothing changes.
    #[test]
    fn plans_are_the_fastest_there_are(
        segments in proptest::collection::vec(segment(), 1..60), limits in limits(),
    ) {
        let blocks: Vec<Block> = segments.iter().filter_map(|it| Block::new(it, &limits)).collect();
        let Some(first) = blocks.first() else { return Ok(()) };
        let mut speeds = vec![first.safe_mm_s];
        speeds.extend(blocks.windows(2).map(|pair| junction::speed(&pair[0], &pair[1], &limits)));
        speeds.push(LEAST_MM_S);
        loop {
            let before = speeds.clone();
            for (index, block) in blocks.iter().enumerate() {
                let change = 2.0 * block.acceleration_mm_s2 * block.length_mm;
                speeds[index] = speeds[index].min(speeds[index + 1].mul_add(speeds[index + 1], change).sqrt());
                speeds[index + 1] = speeds[index + 1].min(speeds[index].mul_add(speeds[index], change).sqrt());
            }
            if speeds.iter().zip(&before).all(|(now, before)| before - now < 1e-12) {
                break;
            }
        }
        for (planned, speed) in plan(&segments, &limits, 1000).iter().zip(&speeds) {
            prop_assert!((planned.trapezoid.entry_mm_s - speed).abs() < 1e-6, "{planned:?} {speed}");
        }
    }

    /// Knowing more never makes a print slower, and the usual window is as good as knowing everything.
    #[test]
    fn more_look_ahead_is_never_slower(
        segments in proptest::collection::vec(segment(), 0..200), limits in limits(),
    ) {
        let times: Vec<f64> =
            [1, 16, 64, 1000].map(|ahead| time(&plan(&segments, &limits, ahead))).to_vec();
        prop_assert!(times.windows(2).all(|pair| pair[0] >= pair[1] - 1e-6), "{times:?}");
        prop_assert!(times[2] <= times[3] * 1.01 + 1e-9, "{times:?}");
    }
}
