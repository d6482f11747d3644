use super::*;
use proptest::prelude::*;
use rstest::rstest;

fn text(line: &str) -> Option<String> {
    parse(line.as_bytes()).map(|command| command.text().to_owned())
}

#[rstest]
#[case::plain("G1 X1 Y2", "G1 X1 Y2")]
#[case::white_space_around("  G28 \t", "G28")]
#[case::white_space_within("G1  X1   Y2", "G1  X1   Y2")]
#[case::tab_within("G1\tX1", "G1 X1")]
#[case::comment("G1 X1;move", "G1 X1")]
#[case::comment_after_space("G28 W ; home all", "G28 W")]
#[case::quoted_semicolon("M862.3 P \"a;b\" ; model", "M862.3 P \"a;b\"")]
#[case::escaped_quote(r#"M587 S"a\";b" ; wifi"#, r#"M587 S"a\";b""#)]
#[case::quote_left_open("M117 5\" nozzle ; big", "M117 5\" nozzle")]
#[case::parentheses("G1 (fast) X1", "G1  X1")]
#[case::parentheses_first("(start) G28", "G28")]
#[case::parentheses_left_open("G28 (home", "G28")]
#[case::parentheses_quoted("M862.3 P\"(x)\"", "M862.3 P\"(x)\"")]
#[case::message_keeps_parentheses("M117 Layer (1/2) ; x", "M117 Layer (1/2)")]
#[case::file_keeps_parentheses("M23 part(2).gco", "M23 part(2).gco")]
#[case::numbered("N12 G1 X1*98", "G1 X1")]
#[case::numbered_without_spaces("N12G1X1*98", "G1X1")]
#[case::checksum_before_comment("N3 T0*57 ; tool", "T0")]
#[case::checksum_alone("G28 *7", "G28")]
#[case::star_in_text("M117 2*3", "M117 2*3")]
#[case::star_in_numbered_text("N4 M117 2*3*98", "M117 2*3")]
#[case::star_that_is_no_sum("M23 *.gco", "M23 *.gco")]
#[case::lower_case("g1 x1.5 y-2 e.3", "G1 X1.5 Y-2 E.3")]
#[case::lower_case_packed("g1x1y2", "G1X1Y2")]
#[case::lower_case_flags("g28 xy", "G28 XY")]
#[case::lower_case_m("m104 s215t1", "M104 S215T1")]
#[case::lower_case_space_before_number("m104 s 215", "M104 S 215")]
#[case::word_parameter("m98 pfoo1b.g", "M98 Pfoo1b.g")]
#[case::message_keeps_case("m117 Almost done", "M117 Almost done")]
#[case::stop_keeps_case("m0 Change filament", "M0 Change filament")]
#[case::quoted_keeps_case("m862.3 p\"mk3s\"", "M862.3 P\"mk3s\"")]
#[case::tool_word("Tx", "Tx")]
#[case::klipper_word("print_start bed=60", "print_start bed=60")]
#[case::message_in_ascii("M117 10 °C für “Öse” 5 µm…", "M117 10 degC fuer 'Oese' 5 um...")]
#[case::message_nobody_can_spell("M117 日本", "M117 ??")]
#[case::no_break_space("G1\u{a0}X10\u{202f}Y10", "G1 X10 Y10")]
#[case::byte_order_mark_inside("\u{feff}G28\u{feff}", "G28")]
#[case::no_break_space_before("\u{a0}G90", "G90")]
#[case::foreign_comment("G28 ; Größe", "G28")]
#[case::foreign_parentheses("G1 (Größe) X1", "G1  X1")]
#[case::words_keep_parentheses("SET_GCODE_VARIABLE VALUE=(10,20) ; x", "SET_GCODE_VARIABLE VALUE=(10,20)")]
#[case::expression_keeps_parentheses("G1 X{(1+2)*3} (x)", "G1 X{(1+2)*3}")]
#[case::expression_keeps_its_names("g1 x{move.axes[0].max} y1", "G1 X{move.axes[0].max} Y1")]
#[case::object_keeps_parentheses("M486 Apart (1)", "M486 Apart (1)")]
#[case::object_by_number("M486 S1 (x)", "M486 S1")]
#[case::objects_stay_two("M486 Atestü", "M486 Atest_ufc_")]
#[case::objects_of_klipper("EXCLUDE_OBJECT_START NAME=ü_1", "EXCLUDE_OBJECT_START NAME=_ufc__1")]
#[case::words_for_people("RESPOND MSG=\"für\"", "RESPOND MSG=\"fuer\"")]
#[case::no_decimal_comma("SET_PIN CENTER=1,5", "SET_PIN CENTER=1,5")]
#[case::host_command("  @pause now", "@pause now")]
#[case::timed_stop("M0 S2", "G4 P2000")]
#[case::timed_stop_in_ms("m1 p500 Wait", "G4 P500")]
#[case::seconds_win("M0 P500 S2", "G4 P2000")]
#[case::half_a_second("M0 S.5", "G4 P500")]
#[case::stop_without_time("M0 S0", "M0 S0")]
#[case::stop_with_text("M0 Insert S2", "M0 Insert S2")]
#[case::stop_for_ever("M0 S1e9", "M0 S1e9")]
#[case::nul("G\u{0}1 X1\0", "G1 X1")]
#[case::flow_control_bytes("G28\u{11}\u{13}", "G28")]
fn what_is_sent(#[case] line: &str, #[case] expected: &str) {
    assert_eq!(text(line).as_deref(), Some(expected));
}

#[rstest]
#[case("")]
#[case(" \t ")]
#[case("; comment")]
#[case("  ;TIME:6666")]
#[case("(comment)")]
#[case("(comment) ; and more")]
#[case("(left open")]
#[case("N5")]
#[case("N5*23")]
#[case("N5 ; nothing")]
#[case("*23")]
#[case("\0\0\0\0")]
fn what_is_not_sent(#[case] line: &str) {
    assert_eq!(text(line), None);
}

#[rstest]
#[case("G1 X1", Some(Code::g(1)), "G1")]
#[case("g01", Some(Code::g(1)), "G1")]
#[case("M862.3 P", Some(Code { letter: b'M', number: 862, sub: Some(3) }), "M862.3")]
#[case("T0", Some(Code::t(0)), "T0")]
#[case("G1.", Some(Code::g(1)), "G1")]
#[case("Tx", None, "")]
#[case("T-1", None, "")]
#[case("PRINT_START", None, "")]
#[case("G99999999999", None, "")]
fn the_code(#[case] line: &str, #[case] code: Option<Code>, #[case] written: &str) {
    let command = parse(line.as_bytes()).unwrap();
    assert_eq!(command.code(), code);
    assert_eq!(code.map(|code| code.to_string()).unwrap_or_default(), written);
}

#[rstest]
#[case("M104 S215", Some(215.0))]
#[case("M104 T1 S-5.5", Some(-5.5))]
#[case("M104S.5", Some(0.5))]
#[case("M104 S 60", Some(60.0))]
#[case("M104 S+7.", Some(7.0))]
#[case("M104 S", None)]
#[case("M104 T0", None)]
#[case("M104 S--1", None)]
#[case("M104 \"S1\" T2", None)]
#[case("M117 S1", None)]
fn a_parameter(#[case] line: &str, #[case] expected: Option<f64>) {
    assert_eq!(parse(line.as_bytes()).unwrap().param(b'S'), expected);
}

#[test]
fn a_number_too_big_for_a_number_is_none() {
    let line = format!("G1 X{}", "9".repeat(400));
    assert_eq!(parse(line.as_bytes()).unwrap().param(b'X'), None);
}

#[test]
fn parameters_in_order() {
    let command = parse(b"G29 P1 X Y-2.5E3").unwrap();
    let params: Vec<_> = command.params().collect();
    assert_eq!(params, [(b'P', Some(1.0)), (b'X', None), (b'Y', Some(-2.5)), (b'E', Some(3.0))]);
    assert!(command.has_param(b'X') && !command.has_param(b'Z'));
    assert_eq!(parse(b"M117  Hello you").unwrap().argument(), "Hello you");
}

#[rstest]
#[case("M0", Disposition::Pause, true)]
#[case("M1 Press", Disposition::Pause, true)]
#[case("m601", Disposition::Pause, false)]
#[case("M25", Disposition::Pause, false)]
#[case("M110 N0", Disposition::Numbering, false)]
#[case("M600", Disposition::Send, false)]
#[case("G1", Disposition::Send, false)]
#[case("Tx", Disposition::Send, false)]
#[case("M0 S2", Disposition::Send, false)]
#[case("@pause", Disposition::Pause, false)]
#[case("@Pause here", Disposition::Pause, false)]
#[case("@pausing", Disposition::PassOver, false)]
#[case("@resume", Disposition::PassOver, false)]
fn what_a_host_does(#[case] line: &str, #[case] expected: Disposition, #[case] stop: bool) {
    let command = parse(line.as_bytes()).unwrap();
    assert_eq!((command.disposition(), command.is_stop()), (expected, stop));
}

#[rstest]
#[case(0, 88)]
#[case(9, 88)]
#[case(10, 87)]
#[case(1_000_000, 82)]
#[case(u64::MAX, 69)]
fn the_longest_sendable_fills_the_line(#[case] line_number: u64, #[case] longest: usize) {
    assert_eq!(longest_sendable(line_number), longest);
    assert_eq!(format!("N{line_number} {}*255", "x".repeat(longest)).len(), LONGEST_LINE);
    let line = format!("M117 {}", "x".repeat(longest - 5));
    assert_eq!(parse(line.as_bytes()).unwrap().check_sendable(line_number), Ok(()));
    let error = parse(format!("{line}x").as_bytes()).unwrap().check_sendable(line_number).unwrap_err();
    assert_eq!(error, Unsendable::TooLong { length: longest + 1, longest });
}

#[rstest]
#[case::letter("G1 Z–5", Some(Flaw::NotAscii('–')))]
#[case::file("M23 größe.gco", Some(Flaw::NotAscii('ö')))]
#[case::words("PRINT_START NAME=ü", Some(Flaw::NotAscii('ü')))]
#[case::comma("G1 X84,365", Some(Flaw::DecimalComma))]
#[case::comma_first("G1 Z,3", Some(Flaw::DecimalComma))]
#[case::comma_packed("g1x1y2,5", Some(Flaw::DecimalComma))]
#[case::cancel("@cancel", Some(Flaw::EndsPrint))]
#[case::abort("@ABORT now", Some(Flaw::EndsPrint))]
#[case::comma_of_a_list("M555 X,Y", None)]
#[case::comma_quoted("M950 C\"1,2\"", None)]
#[case::comma_of_an_expression("G1 X{max(1,2)}", None)]
#[case::comma_of_a_text("M117 1,5 mm", None)]
#[case::comma_of_words("SET_X CENTER=1,5", None)]
#[case::comma_in_a_comment("G1 X1 ; 1,5 (2,5)", None)]
#[case::pause("@pause für Ä", None)]
fn what_no_printer_can_be_sent(#[case] line: &str, #[case] expected: Option<Flaw>) {
    assert_eq!(parse(line.as_bytes()).unwrap().flaw(), expected);
    assert!(parse(line.as_bytes()).unwrap().text().is_ascii());
}

#[rstest]
#[case(b"G1\xA0X1", Some("G1 X1"))]
#[case(b"M117 \xE4", Some("M117 ?"))]
#[case(b"M486 A\xE4", None)]
#[case(b"G1 X\xE4", None)]
fn bytes_that_are_no_utf8(#[case] line: &[u8], #[case] expected: Option<&str>) {
    let command = parse(line).unwrap();
    assert_eq!(command.flaw().is_none().then(|| command.text().to_owned()).as_deref(), expected);
}

#[rstest]
#[case("G1 X1", Argument::Parameters)]
#[case("M117 Hi", Argument::Message)]
#[case("M23 a.gco", Argument::Name)]
#[case("M486 A1", Argument::Object)]
#[case("M486 S1", Argument::Parameters)]
#[case("PRINT_START", Argument::Words)]
fn what_it_carries(#[case] line: &str, #[case] expected: Argument) {
    assert_eq!(parse(line.as_bytes()).unwrap().kind(), expected);
}

#[test]
fn an_argument_is_replaced_behind_its_code() {
    let command = parse(b"m117   2*3").unwrap();
    assert_eq!(command.with_argument("2x3").text(), "M117 2x3");
    assert_eq!(command.with_argument("").text(), "M117");
    assert_eq!(parse(b"@pause  for me").unwrap().argument(), "for me");
}

#[test]
fn a_clean_line_is_borrowed() {
    for line in [b"G1 X1 Y2 E3 ; move".as_slice(), b"  M117 Hi", b"N1 G28*18"] {
        assert!(matches!(parse(line).unwrap().into_text(), Cow::Borrowed(_)));
    }
}

proptest! {
    /// What is sent is printable, trimmed, and says the same when it is read again.
    #[test]
    fn any_bytes(line in proptest::collection::vec(
        prop_oneof![
            any::<u8>(),
            proptest::sample::select(b" \t;()\"\\*.-GgMmTtNnXxSs0123456789".to_vec()),
        ],
        0..60,
    )) {
        if let Some(command) = parse(&line) {
            let text = command.text();
            prop_assert!(!text.is_empty() && text.trim() == text);
            prop_assert!(text.bytes().all(|byte| matches!(byte, b' '..=b'~')));
            let _ = command.params().count();
            let _ = command.argument();
            let _ = command.disposition();
        }
    }

    #[test]
    fn comments_and_numbers_change_nothing(
        x in -1000.0_f64..1000.0, number in 0_u32..1_000_000, comment in "[ -~]{0,30}",
    ) {
        let sent = format!("G1 X{x:.3} F1800");
        let sum = format!("N{number} {sent}").bytes().fold(0, |sum, byte| sum ^ byte);
        for line in [format!(" {sent} ; {comment}"), format!("N{number} {sent}*{sum}"), sent.to_lowercase()] {
            prop_assert_eq!(text(&line), Some(sent.clone()));
        }
    }
}
