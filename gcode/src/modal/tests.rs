use super::*;
use crate::arc::{Arc, Turn};
use crate::command::parse;
use proptest::prelude::*;
use rstest::rstest;

fn after_on(rule: ExtruderRule, lines: &str) -> (Modal, Effect) {
    let mut modal = Modal::new(rule);
    let mut effect = Effect::None;
    for line in lines.split('|') {
        effect = modal.apply(&parse(line.as_bytes()).unwrap());
    }
    (modal, effect)
}

fn after(lines: &str) -> Modal {
    after_on(ExtruderRule::GoesAlong, lines).0
}

fn effect(lines: &str) -> Effect {
    after_on(ExtruderRule::GoesAlong, lines).1
}

fn last_move(lines: &str) -> Move {
    match effect(lines) {
        Effect::Move(it) => it,
        other => panic!("{other:?}"),
    }
}

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() < 1e-9
}

const N: Option<f64> = None;

/// What is `Copy` owns no heap, and the command of a line as slicers write it is the line itself: so following a
/// file allocates nothing for its lines.
#[test]
fn nothing_is_allocated_for_a_line() {
    const fn owns_no_heap<T: Copy>() {}
    const { owns_no_heap::<Modal>() };
    const { owns_no_heap::<Effect>() };
    for line in
        ["G1 X1.5 Y2 E.03 F1200", "G1 X1 ; comment", "  M104 S215", "T1", "G2 X1 I2 J3", "M117 Layer 1"]
    {
        let command = parse(line.as_bytes()).unwrap();
        assert!(matches!(command.into_text(), std::borrow::Cow::Borrowed(_)), "{line}");
    }
}

#[rstest]
#[case::at_start("M105", [N; 3], 0.0)]
#[case::absolute("G1 X1 Y2 Z3 E4|G1 X5", [Some(5.0), Some(2.0), Some(3.0)], 4.0)]
#[case::one_axis("G1 Z3", [N, N, Some(3.0)], 0.0)]
#[case::relative("G1 X1 Y1 Z1|G91|G1 X1 Y-2 E1|G1 X1 E1", [Some(3.0), Some(-1.0), Some(1.0)], 2.0)]
#[case::relative_from_the_unknown("G91|G1 X5", [N; 3], 0.0)]
#[case::back_to_absolute("G91|G1 X5|G90|G1 X5", [Some(5.0), N, N], 0.0)]
#[case::inches("G20|G1 X1 E2|G21|G1 Y1", [Some(25.4), Some(1.0), N], 50.8)]
#[case::unit_is_read_when_the_value_is("G1 X1|G20", [Some(1.0), N, N], 0.0)]
#[case::homed("G1 X1 Y1 Z1|G28", [N; 3], 0.0)]
#[case::homed_in_part_and_perhaps_lifted("G1 X1 Y1 Z1|G28 X", [N, Some(1.0), N], 0.0)]
#[case::homed_by_prusa_without_mesh("G1 X1 Y1 Z1|G28 W", [N; 3], 0.0)]
#[case::probed("G1 X1 Y1 Z1|G29", [N; 3], 0.0)]
#[case::set("G1 X10|G92 X0 E5|G1 X1 E6", [Some(1.0), N, N], 6.0)]
#[case::set_from_the_unknown("G28|G92 Z5", [N, N, Some(5.0)], 0.0)]
#[case::set_then_homed("G92 X100|G28|G1 X1", [Some(1.0), N, N], 0.0)]
#[case::last_of_two_letters_counts("G1 X1 X2", [Some(2.0), N, N], 0.0)]
#[case::letter_without_a_number("G1 X5|G1 X Y1", [Some(5.0), Some(1.0), N], 0.0)]
#[case::arc("G1 X10 Y0|G2 X0 Y10 I-10 J0 E1", [Some(0.0), Some(10.0), N], 1.0)]
#[case::arc_without_a_centre_goes_nowhere("G1 X10 Y0|G2 X0 Y10 E1", [Some(10.0), Some(0.0), N], 0.0)]
#[case::arc_by_a_radius_from_the_unknown("G28|G2 X0 Y0 R5 E1", [Some(0.0), Some(0.0), N], 1.0)]
#[case::spline("G5 X10 Y20 I1 J2 P3 Q4 E1", [Some(10.0), Some(20.0), N], 1.0)]
#[case::back_to_a_stored_place("G1 X1 Y1 Z1|G61", [N; 3], 0.0)]
#[case::mesh_of_prusa("G1 X1 Y1 Z1|G80", [N; 3], 0.0)]
#[case::many_spools("G1 E2500000.5", [N; 3], 2_500_000.5)]
#[case::firmware_retraction("G1 E5|G10", [N; 3], 5.0)]
fn positions(#[case] lines: &str, #[case] expected: [Option<f64>; 3], #[case] e: f64) {
    let modal = after(lines);
    assert_eq!((modal.position(), modal.e), (expected, e));
}

#[rstest]
#[case::goes_along(ExtruderRule::GoesAlong, "G91", true)]
#[case::goes_along_back(ExtruderRule::GoesAlong, "M83|G90", false)]
#[case::goes_along_then_own(ExtruderRule::GoesAlong, "G91|M82", false)]
#[case::own(ExtruderRule::OnItsOwn, "G91", false)]
#[case::own_kept(ExtruderRule::OnItsOwn, "M83|G90", true)]
#[case::either(ExtruderRule::RelativeByEither, "G91|M82", true)]
#[case::either_kept(ExtruderRule::RelativeByEither, "M83|G91|G90", true)]
#[case::either_none(ExtruderRule::RelativeByEither, "M83|G91|G90|M82", false)]
fn modes_of_the_extruder(#[case] rule: ExtruderRule, #[case] lines: &str, #[case] relative: bool) {
    assert_eq!(after_on(rule, lines).0.e_is_relative(), relative);
}

#[rstest]
#[case::before_the_file_says_one("G1 X1", 25.0)]
#[case::said("G1 X1 F600", 10.0)]
#[case::kept("G1 F600|G1 X1", 10.0)]
#[case::zero_is_ignored("G1 F600|G1 X1 F0", 10.0)]
#[case::inches("G20|G1 X1 F60", 25.4)]
#[case::speed_factor("M220 S50|G1 X1 F600", 5.0)]
#[case::speed_factor_kept_and_back("M220 S50|M220 B|M220 S80|M220 R|G1 X1 F600", 5.0)]
#[case::speed_factor_of_zero_is_ignored("M220 S0|G1 X1 F600", 10.0)]
#[case::by_an_arc_without_a_centre("G2 X1 F600|G1 X1", 10.0)]
fn speeds(#[case] lines: &str, #[case] mm_s: f64) {
    assert!(close(last_move(lines).speed_mm_s, mm_s));
}

#[rstest]
#[case::absolute("G1 E10|G1 X1 E12", 2.0)]
#[case::back("G1 E10|G1 E8", -2.0)]
#[case::relative("M83|G1 E10|G1 X1 E2", 2.0)]
#[case::after_reset("G1 E10|G92 E0|G1 E2", 2.0)]
#[case::flow("M221 S50|G1 E10", 5.0)]
#[case::flow_of_another_tool("M221 S50 T1|G1 E10", 10.0)]
#[case::flow_after_tool_change("M221 S50 T1|T1|G1 E10", 5.0)]
#[case::volume("M200 D2|G1 E10", 10.0 / std::f64::consts::PI)]
#[case::volume_switched_off("M200 D2|M200 D0|G1 E10", 10.0)]
#[case::volume_switched_on("M200 D2|M200 S0|M200 S1|G1 E10", 10.0 / std::f64::consts::PI)]
fn filament(#[case] lines: &str, #[case] mm: f64) {
    assert!(close(last_move(lines).filament_mm, mm), "{}", last_move(lines).filament_mm);
}

#[rstest]
#[case::plain("G1 X1 Z2", [Some(1.0), N, Some(2.0)])]
#[case::shifted("G1 X10|G92 X0|G1 X-3", [Some(7.0), N, N])]
#[case::shifted_in_the_dark("G28|G92 X0 Y0|G1 X-3 Z1", [N, N, Some(1.0)])]
#[case::shifted_again_in_the_dark("G28|G92 X0|G92 X5|G1 X1", [N; 3])]
#[case::homed_again("G28|G92 X0|G28|G1 X4", [Some(4.0), N, N])]
#[case::taken_back("G28|G92 X0|G92.1", [N; 3])]
#[case::taken_back_and_moved("G28|G92 X0|G92.1|G1 X4", [Some(4.0), N, N])]
#[case::relative("G1 X1|G91|G1 X-5", [Some(-4.0), N, N])]
fn places_in_the_machine(#[case] lines: &str, #[case] expected: [Option<f64>; 3]) {
    assert_eq!(after(lines).machine_position(), expected);
}

#[rstest]
#[case::purge_on_the_spot("M82|G1 E5 F300", false)]
#[case::travel("G1 X5 Y5", false)]
#[case::extrusion("M83|G1 X5 E1", true)]
#[case::retraction_on_the_way("M83|G1 X5 E-1", false)]
#[case::upwards("M83|G1 Z5 E1", false)]
#[case::full_circle("M83|G2 I5 E1", true)]
fn printing_moves(#[case] lines: &str, #[case] prints: bool) {
    assert_eq!(last_move(lines).prints(), prints);
}

#[test]
fn what_the_file_has_not_said_is_not_known() {
    let modal = after("T3|M104 S200|M104 T1 S0");
    assert_eq!((modal.speed_percent, modal.flow_percent.get(0)), (None, Some(None)));
    assert_eq!((modal.nozzle_in_use_c(), after("T1|M104 T0 S5").nozzle_in_use_c()), (Some(200.0), None));
    assert_eq!(modal.tools().collect::<Vec<_>>(), [1, 3]);
    assert_eq!(after("M220 S100|M221 S95 T1").flow_percent.get(1), Some(Some(95.0)));
    assert_eq!(after("M220 S100").speed_percent, Some(100.0));
}

#[test]
fn a_shift_is_not_a_move() {
    let it = last_move("G1 X10 Y10|G92 X0 Y20|G1 X1 Y20");
    assert_eq!((it.from, it.to), ([10.0, 10.0, 0.0], [11.0, 10.0, 0.0]));
    let modal = after("G1 X10|G92 X0|G92.1");
    assert_eq!((modal.position()[0], modal.shifted), (Some(10.0), false));
    assert!(after("G92 Z1").shifted && !after("G92 E1").shifted && !after("G92 X1|G28").shifted);
}

#[test]
fn heaters_and_fans() {
    let modal =
        after("M104 S200|T1|M109 R210|M104 T2 S190|M140 S60|M141 S40|M106 S128|M106 P1|M106 P2 S999|M107 P1");
    let set: Vec<_> = modal.nozzle_c.iter().filter_map(|(tool, c)| Some((tool, c?))).collect();
    assert_eq!(set, [(0, 200.0), (1, 210.0), (2, 190.0)]);
    assert_eq!((modal.bed_c, modal.chamber_c, modal.tool), (Some(60.0), Some(40.0), 1));
    assert_eq!(modal.fans[..4], [Some(128.0), Some(0.0), Some(255.0), None]);
    assert_eq!(after("M140 S60|M190").bed_c, Some(60.0), "without a value nothing is set");
    assert_eq!(after("G10 P1 S230 R150").nozzle_c.get(1), Some(Some(230.0)));
    assert_eq!(after("M104 T999 S100|M106 P999|T999|M221 T999 S5"), Modal::default());
}

#[test]
fn retraction_by_the_firmware() {
    let set = "M207 S2 F1800 Z0.4|M208 S0.1 F600";
    let retract = FirmwareMove { filament_mm: -2.0, speed_mm_s: 30.0, lift_mm: 0.4 };
    let recover = FirmwareMove { filament_mm: 2.1, speed_mm_s: 10.0, lift_mm: -0.4 };
    assert_eq!(effect(&format!("{set}|G10")), Effect::FirmwareRetraction(retract));
    assert_eq!(effect(&format!("{set}|G10|G10")), Effect::None);
    assert_eq!(effect(&format!("{set}|G10|G11")), Effect::FirmwareRetraction(recover));
    assert_eq!(effect(&format!("{set}|G11")), Effect::None);
    let other_tool = FirmwareMove { lift_mm: 0.0, ..retract };
    assert_eq!(effect(&format!("{set}|G10|T1|G10")), Effect::FirmwareRetraction(other_tool), "one lift only");
    assert!(
        after("G10").is_retracted() && !after("G10|T1").is_retracted() && !after("G10|G11").is_retracted()
    );
}

#[rstest]
#[case("G4 P500", Effect::Dwell { seconds: 0.5 })]
#[case("G4 S2 P500", Effect::Dwell { seconds: 2.0 })]
#[case("G4", Effect::Standstill)]
#[case("M400", Effect::Standstill)]
#[case("M109 S200", Effect::Standstill)]
#[case("G28", Effect::FirmwareMotion)]
#[case("T1", Effect::ToolChange { from: 0, to: 1 })]
#[case("T0", Effect::None)]
#[case("G92 E0", Effect::PositionSet)]
#[case("M117 G1 X1", Effect::None)]
#[case("PRINT_START X=1", Effect::None)]
#[case("G1.5 X1", Effect::None)]
fn effects(#[case] line: &str, #[case] expected: Effect) {
    assert_eq!(effect(line), expected);
}

#[rstest]
#[case::xy("G2 X10 I5", Plane::Xy, [5.0, 0.0])]
#[case::zx("G18|G2 X10 I5 K1", Plane::Zx, [1.0, 5.0])]
#[case::yz("G19|G2 Y10 J5 K1", Plane::Yz, [5.0, 1.0])]
#[case::homed("G18|G28|G2 X10 I5", Plane::Xy, [5.0, 0.0])]
#[case::inches("G20|G2 X10 J1", Plane::Xy, [0.0, 25.4])]
#[case::centre_is_relative_in_any_mode("G91|G2 X10 I5", Plane::Xy, [5.0, 0.0])]
fn arcs(#[case] lines: &str, #[case] plane: Plane, #[case] centre: [f64; 2]) {
    let Path::Arc(arc) = last_move(lines).path else { panic!() };
    assert_eq!(Some(arc), Arc::by_centre(plane, Turn::Clockwise, centre));
}

/// Lines as slicers write them.
fn line() -> impl Strategy<Value = String> {
    let number = || (-2000..2000_i32).prop_map(|value| f64::from(value) / 10.0);
    prop_oneof![
        4 => (number(), number(), number(), 0..3_u8)
            .prop_map(|(x, y, e, code)| format!("G{} X{x} Y{y} E{e} I{x} J1 F{}", code, y.abs())),
        2 => number().prop_map(|z| format!("G1 Z{z}")),
        1 => number().prop_map(|e| format!("G92 E{e} X{e}")),
        3 => proptest::sample::select(vec![
            "G90", "G91", "M82", "M83", "G20", "G21", "G10", "G11", "T0", "T1", "M221 S90", "M220 S110", "G28",
            "M200 D1.75", "M200 D0", "G18", "G17", "G92.1", "M207 Z1", "G28 X",
        ]).prop_map(str::to_owned),
    ]
}

fn run(modal: &mut Modal, lines: &[String]) -> Vec<Effect> {
    lines.iter().map(|line| modal.apply(&parse(line.as_bytes()).unwrap())).collect()
}

proptest! {
    /// A copy taken at any line goes on exactly as the original: nothing is kept anywhere else.
    #[test]
    fn a_copy_is_the_whole_state(lines in proptest::collection::vec(line(), 0..60), cut in 0..60_usize) {
        let (head, tail) = lines.split_at(cut.min(lines.len()));
        let mut one = Modal::default();
        run(&mut one, head);
        let mut two = one;
        prop_assert_eq!(run(&mut one, tail), run(&mut two, tail));
        prop_assert_eq!(one, two);
    }

    /// Moves join end to end, but where the firmware itself has moved; and they lead to the position.
    #[test]
    fn moves_join(lines in proptest::collection::vec(line(), 0..60)) {
        let mut modal = Modal::default();
        let mut at = Some(modal.machine_mm);
        for line in &lines {
            match modal.apply(&parse(line.as_bytes()).unwrap()) {
                Effect::Move(it) => {
                    prop_assert!(at.is_none_or(|at| at == it.from));
                    prop_assert!(it.speed_mm_s > 0.0 && it.speed_mm_s.is_finite());
                    at = Some(it.to);
                }
                Effect::FirmwareMotion => at = None,
                _ => prop_assert!(at.is_none_or(|at| at == modal.machine_mm)),
            }
        }
    }

    /// The same file in inches and in millimetres, relative and absolute, is the same motion.
    #[test]
    fn units_and_modes_change_nothing(
        points in proptest::collection::vec((-200..200_i32, -200..200_i32, 0..100_i32), 1..30),
    ) {
        let (mut mm, mut inch, mut relative) = (Modal::default(), Modal::default(), Modal::default());
        inch.apply(&parse(b"G20").unwrap());
        relative.apply(&parse(b"G91").unwrap());
        let (mut before, mut e) = ((0, 0), 0);
        for (x, y, more) in points {
            e += more;
            let inches = |value: i32| f64::from(value) / MM_PER_INCH;
            let lines = [
                format!("G1 X{x} Y{y} E{e}"),
                format!("G1 X{} Y{} E{}", inches(x), inches(y), inches(e)),
                format!("G1 X{} Y{} E{more}", x - before.0, y - before.1),
            ];
            before = (x, y);
            for (modal, line) in [&mut mm, &mut inch, &mut relative].into_iter().zip(&lines) {
                modal.apply(&parse(line.as_bytes()).unwrap());
                prop_assert!((modal.machine_mm[0] - f64::from(x)).abs() < 1e-6);
                prop_assert!((modal.machine_mm[1] - f64::from(y)).abs() < 1e-6);
                prop_assert!((modal.e - f64::from(e)).abs() < 1e-6);
            }
        }
    }

    #[test]
    fn any_line_is_survived(lines in proptest::collection::vec("[GMT][0-9]{1,3}[ -~]{0,40}", 0..40)) {
        let mut modal = Modal::default();
        for line in &lines {
            let Some(command) = parse(line.as_bytes()) else { continue };
            if let Effect::Move(it) = modal.apply(&command) {
                prop_assert!(it.to.iter().chain([&it.filament_mm, &it.speed_mm_s]).all(|number| number.is_finite()));
            }
        }
    }
}

#[test]
fn it_can_be_written_down_and_read_again() {
    let mut modal = Modal::new(ExtruderRule::OnItsOwn);
    for line in
        ["G20", "G18", "M104 T1 S205", "M221 T1 S95", "G28", "G1 X1 Y2 F1200", "G92 X0", "M106 P1 S128", "T1"]
    {
        modal.apply(&crate::command::parse(line.as_bytes()).unwrap());
    }
    let text = serde_json::to_string(&modal).unwrap();
    assert_eq!(serde_json::from_str::<Modal>(&text).unwrap(), modal);
    assert!(serde_json::from_str::<PerTool<u8>>(r#"{"usual":1,"others":[[4000000000,2]]}"#).is_err());
}
