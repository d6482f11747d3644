use super::limits::Corner;
use super::*;
use proptest::prelude::*;
use rstest::rstest;

fn motion(file: &str) -> Summary {
    let mut motion = Motion::new(Limits::default());
    motion.feed(file.as_bytes());
    motion.finish()
}

fn close(found: f64, expected: f64) -> bool {
    (found - expected).abs() < 1e-6 * expected.abs().max(1.0)
}

#[rstest]
#[case::nothing("", 0.0)]
#[case::dwell("G4 P1500\nG4 S2\n", 3.5)]
// The first move begins at its jerk speed, 10 mm/s, and the last ends at 0.05 mm/s, with 3000 mm/s² between.
#[case::one_move("G1 X100 F6000\n", 0.03 + (100.0 - 1.65 - 1.666_666_25) / 100.0 + 0.033_316_666_67)]
#[case::waiting_is_no_motion("M109 S200\nM190 S60\nG28\nG29\n", 0.0)]
fn times(#[case] file: &str, #[case] expected_s: f64) {
    let found = motion(file);
    assert!((found.time_s - expected_s).abs() < 1e-4, "{}", found.time_s);
}

#[rstest]
#[case::a_standstill_costs_time("G1 X50 F6000\nM400\nG1 X100\n")]
#[case::so_does_a_pause_of_the_host("G1 X50 F6000\nM0\nG1 X100\n")]
#[case::and_a_tool("G1 X50 F6000\nT1\nG1 X100\n")]
#[case::and_less_acceleration("M204 T500\nG1 X100 F6000\n")]
#[case::and_a_lower_limit("M203 X50\nG1 X100 F6000\n")]
#[case::and_a_lower_factor("M220 S90\nG1 X100 F6000\n")]
fn what_costs_time(#[case] file: &str) {
    assert!(motion(file).time_s > motion("G1 X50 F6000\nG1 X100\n").time_s + 0.01);
}

#[test]
fn what_sets_and_does_not_move_costs_nothing() {
    let plain = motion("G1 X50 F6000\nG1 X100\n").time_s;
    let file = "G1 X50 F6000\nM106 S255\nM117 hello\nG92 X0 E0\nM104 S210\n;LAYER:1\nG1 X50\n";
    assert!(close(motion(file).time_s, plain));
}

#[test]
fn filament_is_what_was_pushed_in_the_end() {
    let file = "M83\nG1 E5 F300\nG1 E-2\nG1 X10 E2\nG1 X20 E1\nG1 E-3\nT2\nG1 X0 E4\nG10\nG11\n";
    assert_eq!(motion(file).filament_mm, [6.0, 0.0, 4.0]);
    assert_eq!(motion("M82\nG1 E5\nG92 E0\nG1 X1 E5\n").filament_mm, [10.0]);
    assert!(motion("G1 E-5\n").filament_mm.is_empty());
}

#[test]
fn boxes_with_and_without_what_is_aside() {
    let file = "\
        G28\nG1 X200 Y200 Z5 F6000\n\
        ;TYPE:Custom\nM83\nG1 X0 Y0 Z0.3\nG1 X100 E5\n\
        ;LAYER_CHANGE\n;TYPE:Skirt/Brim\nG1 X10 Y10 Z0.2\nG1 X90 Y90 E5\n\
        ;TYPE:Perimeter\nG1 X40 Y40\nG1 X60 E1\nG1 X60 Y70 E1\n\
        ;TYPE:Custom\nG1 X0 Y200 Z50 E-1\n";
    let found = motion(file);
    let (extruded, print, reached) = (found.extruded.unwrap(), found.print.unwrap(), found.reached.unwrap());
    assert_eq!((extruded.min_mm, extruded.max_mm), ([0.0, 0.0, 0.2], [100.0, 90.0, 0.3]));
    assert_eq!((print.min_mm, print.max_mm), ([40.0, 40.0, 0.2], [60.0, 70.0, 0.2]));
    assert_eq!((reached.min_mm, reached.max_mm), ([0.0, 0.0, 0.2], [200.0, 200.0, 50.0]));
    let without = motion("G1 Z0.2\nG1 X10 Y5 E1\n");
    assert_eq!(without.print, without.extruded);
    assert_eq!(motion("G1 X1\nG1 E5\n").extruded, None);
}

#[test]
fn a_box_of_an_arc_holds_its_belly() {
    let found = motion("G1 X10 Y0 Z0.2\nG3 X-10 Y0 I-10 E4\n").extruded.unwrap();
    assert!((found.max_mm[1] - 10.0).abs() < 0.02 && found.min_mm[1] == 0.0);
}

#[test]
fn layers_by_comments() {
    let file =
        "G1 Z0.3\nG1 X50 E1\n;LAYER:0\nG1 Z0.2\nG1 X0 Y5 E2\nG4 S1\n;LAYER:1\nG1 Z0.4\nG1 X50 E3\nG4 S2\n";
    let found = motion(file);
    assert_eq!(found.layers.iter().map(|layer| layer.z_mm).collect::<Vec<_>>(), [Some(0.2), Some(0.4)]);
    let sum: f64 = found.layers.iter().map(|layer| layer.time_s).sum();
    assert!(sum < found.time_s && found.layers[1].time_s > 2.0 && found.layers[0].time_s > 1.0);
}

#[test]
fn layers_by_height_where_no_comment_tells() {
    let file = "G1 Z5\nG1 X1\nG1 Z0.2\nG1 X9 E1\nG1 Z0.6\nG1 X1\nG1 Z0.2\nG1 X9 Y1 E2\nG1 Z0.4\nG1 X1 E3\nG1 X2 E4\n";
    let heights: Vec<_> = motion(file).layers.iter().map(|layer| layer.z_mm).collect();
    assert_eq!(heights, [Some(0.2), Some(0.4)]);
}

#[test]
fn moves_are_handed_out_with_their_place() {
    let mut motion = Motion::with(Modal::default(), Limits::default(), 2);
    let mut seen = Vec::new();
    motion.feed_observed(b"; head\nG1 X1\nT1\nG1 X2 E1\n;LAYER:0\nG1 X3 E2\n", |it| seen.push(it.tag));
    motion.feed_observed(b"G1 X4 E3\nG1 X5 E4", |it| seen.push(it.tag));
    let summary = motion.finish_observed(|it| seen.push(it.tag));
    let expected = [(2, 0, 0), (4, 1, 0), (6, 1, 1), (7, 1, 1), (8, 1, 1)];
    assert_eq!(seen, expected.map(|(line, tool, layer)| Place { line, tool, layer }));
    assert_eq!(summary.moves, 5);
}

#[test]
fn a_firmware_retraction_takes_its_time() {
    let plain = motion("G1 X50 F6000\nM400\nG1 X100\n").time_s;
    let with = motion("M207 S3 F2700 Z1\nG1 X50 F6000\nG10\nG1 X100\nG11\n").time_s;
    // 3 mm at 45 mm/s bound to 25, 3 mm at 8 mm/s, twice 1 mm up and down at 5 mm/s.
    assert!(with > plain + 3.0 / 25.0 + 3.0 / 8.0 + 0.4 - 0.05, "{plain} {with}");
}

fn piece() -> impl Strategy<Value = Vec<u8>> {
    let number = || prop_oneof![(-2000..2000_i32).prop_map(|n| f64::from(n) / 10.0), any::<f64>()];
    prop_oneof![
        6 => (number(), number(), number(), number(), 0..4_u8)
            .prop_map(|(x, y, e, f, code)| format!("G{code} X{x} Y{y} E{e} F{f} I{e} R{x}\n").into_bytes()),
        3 => proptest::sample::select(vec![
            "G91\n", "G90\n", "G20\n", "M83\n", "G10\n", "G11\n", "G28\n", "T1\n", "M204 S0.001\n", "M203 X1e-9 E0\n",
            "M205 J0.01\n", "M205 X0.1\n", ";LAYER:1\n", ";LAYER_CHANGE\n", ";TYPE:Skirt\n", "G2 X1 I1e30\n",
            "M220 S1\n", "M221 S9999\n", "M200 D0.0001\n", "G4 S1e300\n", "M207 S1e9 Z1e9 F1e-9\n", "M201 X0.001 E9\n",
            "G1 X0.0000011 E1e5\n",
        ]).prop_map(|text| text.as_bytes().to_vec()),
        1 => proptest::collection::vec(any::<u8>(), 0..12),
    ]
}

/// Lines that set something to numbers of any size (they are written without an exponent, as G-code has none),
/// and lines that move by it.
fn setting() -> impl Strategy<Value = String> {
    let sets = [
        "M200 D", "M200 S", "M201 X", "M201 E", "M203 Y", "M203 E", "M204 S", "M204 R", "M205 X", "M205 S",
        "M205 J", "M205 E", "M207 S", "M207 F", "M207 Z", "M208 S", "M208 F", "M220 S", "M221 S", "G92 X",
        "G92 E", "G1 F", "G1 E", "G1 X", "G1 Z", "G4 S",
    ];
    let set = move |number: f64, at: usize| format!("{}{number}\n", sets[at]);
    let number = prop_oneof![any::<f64>(), Just(1e-200), Just(f64::MAX), 0.0..2.0_f64, -1e7..1e7_f64];
    prop_oneof![
        3 => (number, 0..sets.len()).prop_map(move |(number, at)| set(number, at)),
        1 => proptest::sample::select(vec!["G20\n", "G21\n", "G91\n", "G90\n", "M83\n", "M82\n", "G10\n", "G11\n"])
            .prop_map(str::to_owned),
        2 => proptest::sample::select(vec!["G1 X10 Y-3 E5\n", "G1 X1 Z2\n", "G1 E8\n", "G1 Y0.00001 E3\n"])
            .prop_map(str::to_owned),
    ]
}

proptest! {
    // An arc may be thousands of moves: few cases say much.
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Any bytes, in any chunks: the same finite sums.
    #[test]
    fn any_bytes_at_any_chunking(
        pieces in proptest::collection::vec(piece(), 0..40), cut in 0..1000_usize, deviation: bool,
    ) {
        let file = pieces.concat();
        let corner = if deviation { Corner::Deviation(0.013) } else { Limits::default().corner };
        let limits = Limits { corner, ..Limits::default() };
        let (head, tail) = file.split_at(cut.min(file.len()));
        let mut whole = Motion::new(limits);
        whole.feed(&file);
        let whole = whole.finish();
        let mut parts = Motion::new(limits);
        parts.feed(head);
        parts.feed(tail);
        prop_assert_eq!(&parts.finish(), &whole);
        prop_assert!(whole.time_s.is_finite() && whole.time_s >= 0.0 && whole.way_mm.is_finite());
        prop_assert!(whole.filament_mm.iter().all(|mm| mm.is_finite()));
        let of_layers: f64 = whole.layers.iter().map(|layer| layer.time_s).sum();
        prop_assert!(of_layers <= whole.time_s * (1.0 + 1e-9));
    }

    /// Whatever the settings are set to, in either unit, and however far: the sums stay finite.
    #[test]
    fn any_settings_keep_sums_finite(lines in proptest::collection::vec(setting(), 0..40)) {
        let found = motion(&lines.concat());
        prop_assert!(found.time_s.is_finite() && found.time_s >= 0.0 && found.way_mm.is_finite(), "{found:?}");
        prop_assert!(found.filament_mm.iter().all(|mm| mm.is_finite()), "{found:?}");
    }

    /// What is handed out adds up to the summary.
    #[test]
    fn moves_add_up(pieces in proptest::collection::vec(piece(), 0..40)) {
        let mut motion = Motion::new(Limits::default());
        let (mut time_s, mut count, mut line) = (0.0, 0, 0);
        let mut add = |it: &Planned<Place>| {
            time_s += it.trapezoid.time_s();
            count += 1;
            assert!(it.tag.line >= line);
            line = it.tag.line;
        };
        motion.feed_observed(&pieces.concat(), &mut add);
        let summary = motion.finish_observed(&mut add);
        prop_assert!((summary.time_s - summary.dwell_s - time_s).abs() <= 1e-9 * summary.time_s.max(1.0));
        prop_assert!(count <= summary.moves);
    }
}
