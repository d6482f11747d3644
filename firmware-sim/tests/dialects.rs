//! One short conversation with every dialect: hello, a damaged line, a repeated line, an unknown command, a target,
//! a temperature, the end. What each says is kept beside this file.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "tests")]

use std::time::Duration;

use firmware_sim::faults::FaultPlan;
use firmware_sim::firmware::{Failure, Firmware};
use firmware_sim::profile::Profile;
use firmware_sim::virtual_printer::VirtualPrinter;
use rstest::rstest;

/// Numbered lines get their checksum, the second line 2 a wrong one before.
const SENT: [&str; 11] = [
    "M115",
    "N0 M110 N0",
    "N1 G28",
    "N2 G92 E0*68",
    "N2 G92 E0",
    "N1 G28",
    "N3 G999",
    "N4 M140 S60",
    "N5 M105",
    "N6 M155 S1",
    "M114",
];

fn with_checksum(line: &str) -> String {
    if !line.starts_with('N') || line.contains('*') {
        return line.to_owned();
    }
    format!("{line}*{}", line.bytes().fold(0, |sum, byte| sum ^ byte))
}

/// Sent lines behind `>`, received ones behind `<`.
fn converse(name: &str) -> String {
    let mut firmware = Firmware::new(Profile::named(name).unwrap().config);
    let (mut now, mut text) = (Duration::ZERO, String::new());
    let take = |firmware: &mut Firmware, now: &mut Duration, seconds: u64, text: &mut String| {
        *now += Duration::from_secs(seconds);
        firmware.advance(*now);
        let said = std::mem::take(firmware.output());
        for line in String::from_utf8(said).unwrap().lines() {
            *text += &format!("< {line}\n");
        }
    };
    take(&mut firmware, &mut now, 0, &mut text);
    for line in SENT.map(with_checksum) {
        text += &format!("> {line}\n");
        firmware.receive(now, format!("{line}\n").as_bytes());
        // Long enough for homing.
        let patience = if line.starts_with("N1 G28") { 7 } else { 0 };
        take(&mut firmware, &mut now, patience, &mut text);
    }
    text += "... 2 s\n";
    take(&mut firmware, &mut now, 2, &mut text);
    text += "... the nozzle runs away\n";
    firmware.fail(now, Failure::NozzleRunaway);
    take(&mut firmware, &mut now, 0, &mut text);
    let line = with_checksum("N7 M105");
    text += &format!("> {line}\n");
    firmware.receive(now, format!("{line}\n").as_bytes());
    take(&mut firmware, &mut now, 10, &mut text);
    text
}

#[rstest]
#[case("marlin")]
#[case("marlin-wait")]
#[case("prusa")]
#[case("reprapfirmware")]
#[case("repetier")]
#[case("klipper")]
#[case("malyan")]
#[case("teacup")]
#[case("ultimaker2")]
#[case("creality")]
fn it_speaks_its_dialect(#[case] name: &str) {
    insta::assert_snapshot!(name, converse(name));
}

/// A line for every dialect, numbered where it wants that.
#[test]
fn every_dialect_accepts_a_print_in_order() {
    for named in Profile::NAMES {
        let mut printer = VirtualPrinter::new(Profile::named(named.name).unwrap(), &FaultPlan::none(), 1);
        let mut now = Duration::ZERO;
        for number in 1..=50 {
            let line = with_checksum(&format!("N{number} G1 X{number}"));
            printer.receive(format!("{line}\n").as_bytes(), now);
            now += Duration::from_secs(1);
            printer.advance(now);
        }
        let accepted: Vec<String> = printer.accepted().iter().map(|accepted| accepted.text.clone()).collect();
        let sent: Vec<String> = (1..=50).map(|number| format!("G1 X{number}")).collect();
        assert_eq!(accepted, sent, "{}", named.name);
    }
}

#[test]
fn a_rejected_line_empties_an_eight_bit_boards_buffer() {
    // One request for all that has arrived here, one for each line there.
    for (name, requests) in [("marlin-avr", 1), ("marlin", 3)] {
        let mut firmware = Firmware::new(Profile::named(name).unwrap().config);
        firmware.receive(Duration::ZERO, b"N1 G92 E0*1\nN2 G92 E0*69\nN3 G92 E0*68\n");
        let said = String::from_utf8_lossy(firmware.output()).into_owned();
        assert_eq!(said.matches("Resend: 1").count(), requests, "{name}: {said}");
    }
}

#[test]
fn one_that_has_stopped_asks_for_nothing_any_more() {
    let mut firmware = Firmware::new(Profile::named("repetier").unwrap().config);
    firmware.receive(Duration::ZERO, b"N1 G28*1\nN1 G");
    firmware.fail(Duration::from_millis(50), Failure::NozzleRunaway);
    firmware.output().clear();
    firmware.advance(Duration::from_secs(5));
    let said = String::from_utf8_lossy(firmware.output()).into_owned();
    assert!(!said.contains("Resend"), "{said}");
}

/// Repetier with FEATURE_CHECKSUM_FORCED (gcode.cpp) and Malyan refuse it bare; Repetier does not look at its number.
#[rstest]
#[case("repetier", "M112", false)]
#[case("repetier", "N9 M112", true)]
#[case("malyan", "M112", false)]
#[case("malyan", "N9 M112", false)]
#[case("malyan", "N2 M112", true)]
#[case("marlin-no-emergency-parser", "M112", true)]
#[case("marlin-no-emergency-parser", "N9 M112", false)]
fn which_m112_is_taken(#[case] name: &str, #[case] line: &str, #[case] halts: bool) {
    let mut firmware = Firmware::new(Profile::named(name).unwrap().config);
    for line in ["N0 M110 N0", "N1 M104 S200", line].map(with_checksum) {
        firmware.receive(Duration::ZERO, format!("{line}\n").as_bytes());
    }
    assert_eq!((firmware.is_halted(), firmware.targets().are_off()), (halts, halts));
}
