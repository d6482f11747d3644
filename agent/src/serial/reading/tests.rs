use super::*;
use rstest::rstest;
use stardust_gcode::command::parse;

fn sent(dialect: Dialect, line: &str) -> Result<String, &'static str> {
    let command = parse(line.as_bytes()).unwrap();
    let arriving = arriving(&command, dialect, 1000).map_err(Unreadable::code)?;
    Ok(arriving.unwrap_or_else(|| command.into_owned()).text().to_owned())
}

#[rstest]
#[case(Dialect::Marlin, "M117 2*3 \"a;b\" 1\\60 (1/2)", "M117 2x3 'a,b' 1/60 [1/2]")]
#[case(Dialect::Marlin, "M117 about M110 N5 here", "M117 about m110 N5 here")]
#[case(Dialect::Marlin, "M117 Layer 5/10 at 20% 3:15", "M117 Layer 5/10 at 20% 3:15")]
#[case(Dialect::Marlin, "M118 ok", "M118 - ok")]
#[case(Dialect::Prusa, "M117 2*3 (\"a;b\") M110", "M117 2x3 (\"a,b\") M110")]
#[case(Dialect::Ultimaker2, "M117 Go to X10: M110*", "M117 go to x10. m110x")]
#[case(Dialect::Repetier, "M117 20% (N5) 2*3", "M117 20/ [N5) 2x3")]
#[case(Dialect::RepRapFirmware, "M117 say \"a;b*\" {2*3}", "M117 say \"a;b*\" [2x3]")]
#[case(Dialect::RepRapFirmware, "M117 5\" nozzle", "M117 5' nozzle")]
#[case(Dialect::Teacup, "M117 Go (X10)", "M117 (Go [X10])")]
#[case(Dialect::Teacup, "M117", "M117")]
fn a_message_is_made_harmless(#[case] dialect: Dialect, #[case] line: &str, #[case] expected: &str) {
    assert_eq!(sent(dialect, line).as_deref(), Ok(expected));
}

#[rstest]
#[case(Dialect::Klipper, "M117 \"a;b\" 2*3 \\ {x}")]
#[case(Dialect::Klipper, "SET_GCODE_VARIABLE MACRO=START VARIABLE=area VALUE=(10,20)")]
#[case(Dialect::Klipper, "RESPOND MSG=\"a;b*\"")]
#[case(Dialect::Marlin, "M486 Apart (1)")]
#[case(Dialect::Marlin, "PRINT_START")]
#[case(Dialect::Marlin, "M862.3 P \"MK3S\"")]
#[case(Dialect::Prusa, "PRUSA CheckModel")]
#[case(Dialect::Prusa, "Tx")]
#[case(Dialect::RepRapFirmware, "G1 X{move.axes[0].max*0.5}")]
#[case(Dialect::Repetier, "M23 gnome.gco")]
#[case(Dialect::RepRapFirmware, "M37 S0")]
#[case(Dialect::Marlin, "M29")]
#[case(Dialect::RepRapFirmware, "M98 P\"a M28.g\"")]
#[case(Dialect::Marlin, "T0 M6")]
fn what_arrives_is_sent_as_it_stands(#[case] dialect: Dialect, #[case] line: &str) {
    assert_eq!(sent(dialect, line).as_deref(), Ok(line));
}

#[rstest]
#[case(Dialect::Marlin, "M862.3 P\"a;b\"", "byte_with_a_meaning")]
#[case(Dialect::Marlin, "M23 a\\b.gco", "byte_with_a_meaning")]
#[case(Dialect::Marlin, "PRINT_START A=M110", "sets_the_line_number")]
#[case(Dialect::Marlin, "G1 X1,5", "decimal_comma")]
#[case(Dialect::Ultimaker2, "M23 BIG.GCO", "letter_with_a_meaning")]
#[case(Dialect::Ultimaker2, "PRINT_START", "words_not_known")]
#[case(Dialect::Repetier, "EXCLUDE_OBJECT_START NAME=a", "words_not_known")]
#[case(Dialect::Repetier, "M486 Agnome", "letter_with_a_meaning")]
#[case(Dialect::Repetier, "M486 Apart (1)", "byte_with_a_meaning")]
#[case(Dialect::Teacup, "M23 GNOME.GCO", "letter_with_a_meaning")]
#[case(Dialect::RepRapFirmware, "M98 P\"open", "quote_left_open")]
#[case(Dialect::RepRapFirmware, "M98 P*", "byte_with_a_meaning")]
#[case(Dialect::Klipper, "EXCLUDE_OBJECT_START NAME=part (1)", "malformed_words")]
#[case(Dialect::Klipper, "M862.3 P\"a;b\"", "byte_with_a_meaning")]
#[case(Dialect::Marlin, "M28 part.gco", "writes_to_card")]
#[case(Dialect::Prusa, "M24", "prints_from_card")]
#[case(Dialect::Repetier, "M32 part.gco", "prints_from_card")]
#[case(Dialect::RepRapFirmware, "M37 S1", "simulates")]
#[case(Dialect::RepRapFirmware, "M37 P\"part.g\"", "simulates")]
#[case(Dialect::Marlin, "M575 P0 B57600", "changes_the_speed")]
#[case(Dialect::Marlin, "M510", "locks")]
#[case(Dialect::Marlin, "M111 S8", "runs_dry")]
#[case(Dialect::Repetier, "M111 S15", "runs_dry")]
#[case(Dialect::RepRapFirmware, "M997", "starts_anew")]
#[case(Dialect::RepRapFirmware, "M999", "starts_anew")]
#[case(Dialect::Klipper, "M112", "stops_at_once")]
#[case(Dialect::RepRapFirmware, "M560", "writes_to_card")]
#[case(Dialect::Marlin, "M 28 x.gco", "spaced_number")]
#[case(Dialect::Prusa, "M\t104 S200", "spaced_number")]
#[case(Dialect::RepRapFirmware, "G1 X5 M28 x.gco", "letter_with_a_meaning")]
#[case(Dialect::RepRapFirmware, "T0 m112", "letter_with_a_meaning")]
#[case(Dialect::Klipper, "sdcard_print_file FILENAME=a.gcode", "prints_from_card")]
#[case(Dialect::Klipper, "FIRMWARE_RESTART", "starts_anew")]
#[case(Dialect::Klipper, "SAVE_CONFIG", "starts_anew")]
fn what_can_not_arrive_is_refused(#[case] dialect: Dialect, #[case] line: &str, #[case] code: &str) {
    assert_eq!(sent(dialect, line), Err(code));
}

#[test]
fn only_where_there_is_a_limit_a_line_is_too_long() {
    let long = format!("EXCLUDE_OBJECT_DEFINE POLYGON={}", "x".repeat(220));
    assert_eq!(sent(Dialect::Marlin, &long), Err("line_too_long"));
    assert_eq!(sent(Dialect::Klipper, &long), Ok(long.clone()));
    assert_eq!(sent(Dialect::RepRapFirmware, &long), Ok(long.clone()));
    assert_eq!(sent(Dialect::RepRapFirmware, &format!("{long}xxxxxx")), Err("line_too_long"));
}
