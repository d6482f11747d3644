//! The table of replies, from what real firmware said.

use super::*;
use proptest::prelude::*;
use rstest::rstest;

fn heat(actual: f64, target: f64) -> Heat {
    Heat { actual: Some(actual), target: Some(target) }
}

fn klipper() -> Reply {
    let firmware = Reply::Firmware("Klipper".into(), None, None);
    Reply::Ok(Ok { firmware: Some(Box::new(firmware)), ..Ok::default() })
}

#[rstest]
#[case("ok", Reply::Ok(Ok { bare: true, ..Ok::default() }))]
#[case("ok P15 B3", Reply::Ok(Ok { advanced: true, ..Ok::default() }))]
#[case("ok N10 P15 B3", Reply::Ok(Ok { line: Some(10), advanced: true, ..Ok::default() }))]
#[case("okM106 P0 S77", Reply::Ok(Ok::default()))]
#[case("ok N10 P15", Reply::Ok(Ok { line: Some(10), ..Ok::default() }))]
#[case("ok 10", Reply::Ok(Ok { line: Some(10), ..Ok::default() }))]
#[case("ok 10 20", Reply::Ok(Ok::default()))]
#[case("// Klipper state: Shutdown", Reply::Error(ErrorKind::Fatal, "Klipper state: Shutdown".into()))]
#[case("// Klipper state: Ready", Reply::Ready)]
#[case("ok FIRMWARE_NAME:Klipper FIRMWARE_VERSION:v0.12.0", klipper())]
#[case("ok FIRMWARE_VERSION:v0.12.0 FIRMWARE_NAME:Klipper", klipper())]
#[case("Resend: 5", Reply::Resend(5))]
#[case("Resend:5", Reply::Resend(5))]
#[case("rs 5", Reply::Resend(5))]
#[case("rs N12 Expected checksum 67", Reply::Resend(12))]
#[case("start", Reply::Start)]
#[case("wait", Reply::Wait)]
#[case("echo:busy: processing", Reply::Busy(Busy::Processing))]
#[case("busy: processing", Reply::Busy(Busy::Processing))]
#[case("echo:busy: paused for user", Reply::Busy(Busy::ForPerson))]
#[case("echo:busy: paused for input", Reply::Busy(Busy::ForPerson))]
#[case("//action:pause", Reply::Action("pause".into()))]
#[case("// action:paused", Reply::Action("paused".into()))]
#[case("echo:Unknown command: \"G999\"", Reply::Echo("Unknown command: \"G999\"".into()))]
#[case("Cap:EMERGENCY_PARSER:1", Reply::Capability("EMERGENCY_PARSER".into(), true))]
#[case("Cap:SDCARD:0", Reply::Capability("SDCARD".into(), false))]
#[case("X:0.00 Y:0.00 Z:0.00 E:0.00 Count X:0 Y:0 Z:0", Reply::Other("X:0.00 Y:0.00 Z:0.00 E:0.00 Count X:0 Y:0 Z:0".into()))]
#[case("SD card ok", Reply::Other("SD card ok".into()))]
#[case("okay", Reply::Other("okay".into()))]
fn replies(#[case] line: &str, #[case] expected: Reply) {
    assert_eq!(Reply::parse(line), expected);
}

#[rstest]
#[case("Error:checksum mismatch, Last Line: 1", ErrorKind::Transmission)]
#[case("Error:Line Number is not Last Line Number+1, Last Line: 2", ErrorKind::Transmission)]
#[case("Error:No Checksum with line number, Last Line: 2", ErrorKind::Transmission)]
#[case("Error: Missing checksum", ErrorKind::Transmission)]
#[case("Error: expected line 3 got 5", ErrorKind::Transmission)]
#[case("Error:Printer halted. kill() called!", ErrorKind::Fatal)]
#[case("Error:Heating failed, system stopped! Heater_ID: 0", ErrorKind::Fatal)]
#[case("Error:Thermal Runaway, system stopped! Heater_ID: bed", ErrorKind::Fatal)]
#[case("!! Lost communication with MCU", ErrorKind::Fatal)]
#[case("fatal:heater decoupled", ErrorKind::Fatal)]
#[case("Error: Heating fault on heater 1, temperature excursion exceeded 15.0C", ErrorKind::Fatal)]
#[case("Emergency Stop! Reset the controller to continue.", ErrorKind::Fatal)]
#[case("Error:SD init fail", ErrorKind::Other)]
fn errors(#[case] line: &str, #[case] expected: ErrorKind) {
    match Reply::parse(line) {
        Reply::Error(kind, _) => assert_eq!(kind, expected),
        other => panic!("{line}: {other:?}"),
    }
}

#[test]
fn temperatures_in_every_spelling() {
    let report = |line: &str| match Reply::parse(line) {
        Reply::Temperatures(report) => report,
        Reply::Ok(ok) => ok.temperatures.unwrap(),
        other => panic!("{line}: {other:?}"),
    };
    let both = TemperatureReport {
        tools: vec![(0, heat(19.38, 60.0))],
        bed: Some(heat(20.0, 0.0)),
        ..TemperatureReport::default()
    };
    assert_eq!(report(" T:19.38 /60.00 B:20.00 /0.00 @:0 B@:0"), both);
    assert_eq!(report("ok T:19.38 /60.00 B:20.00 /0.00 @:0 B@:0"), both);
    assert_eq!(report("okT:19.38/ 60.00 B:20.00/ 0.00 @:64"), both);
    assert!(report(" T:19.38 /60.00 B:19.38 /0.00 @:0 B@:0 W:?").waiting);
    assert!(report("T:25.0 E:0 B:21.8").waiting);
    assert!(!report("T:25.0 /0.0 B:21.8 /0.0 @:0").waiting);
    assert_eq!(report("T:21.31").tools, [(0, Heat { actual: Some(21.31), target: None })]);
    let none = Heat { actual: None, target: Some(0.0) };
    assert_eq!(report("ok T:inf /0.0 B:-nan /0.00").tools, [(0, none)]);
    assert_eq!(report("ok T:NAN/0.0 B:inf /0.00").bed, Some(none));
    let two = report("T:200.0 /200.0 B:60.0 /60.0 T0:200.0 /200.0 T1:21.0 /0.0 @:64 C:30.5 /0.0");
    assert_eq!(two.tools, [(0, heat(200.0, 200.0)), (1, heat(21.0, 0.0))]);
    assert_eq!(two.chamber, Some(heat(30.5, 0.0)));
    assert_eq!(report("==T:21.5 /0.0 ==B:20.0 /0.0").tools, [(0, heat(21.5, 0.0))]);
    let ok = Reply::parse("ok N7 T:19.38 /0.00 B:19.38 /0.00");
    assert!(matches!(
        ok,
        Reply::Ok(Ok { line: Some(7), bare: false, advanced: false, temperatures: Some(_), .. })
    ));
}

#[rstest]
#[case("TT::27.93 /0.00 B:20.0 /0.0", 27.93)]
#[case("TT::27.9327.93 /0.00", 27.93)]
#[case("T:27.93 /0 @:0 TargetExtr0:0", 27.93)]
fn odd_reports(#[case] line: &str, #[case] nozzle: f64) {
    match Reply::parse(line) {
        Reply::Temperatures(report) => {
            assert_eq!(report.tools.first().map(|(_, heat)| heat.actual), Some(Some(nozzle)))
        }
        other => panic!("{line}: {other:?}"),
    }
}

/// Some of Creality's boards say every word of a report twice: all four numbers of it are read.
#[rstest]
#[case::as_reported("TT::27.9327.93 //200.00200.00 BB::26.6226.62 //60.0060.00", [27.93, 200.0, 26.62, 60.0])]
#[case::with_its_powers("TT::27.9327.93  //0.000.00 BB::26.6226.62  //0.000.00 @@::00 BB@@::00", [27.93, 0.0, 26.62, 0.0])]
#[case::while_it_waits("==TT::27.9327.93 //200.00200.00 ==BB::26.6226.62 //60.0060.00 WW::??", [27.93, 200.0, 26.62, 60.0])]
#[case::halves_alike("TT::20.0020.00 //20.0020.00 BB::20.0020.00 //20.0020.00", [20.0; 4])]
fn doubled_reports(#[case] line: &str, #[case] read: [f64; 4]) {
    let [nozzle, nozzle_set, bed, bed_set] = read;
    let expected = TemperatureReport {
        tools: vec![(0, heat(nozzle, nozzle_set))],
        bed: Some(heat(bed, bed_set)),
        waiting: line.contains('W'),
        ..TemperatureReport::default()
    };
    assert_eq!(Reply::parse(line), Reply::Temperatures(expected), "{line}");
}

#[test]
fn the_firmware_names_itself() {
    let line = "FIRMWARE_NAME:Marlin bugfix-2.1.x (Nov 23 2026 00:37:17) \
                SOURCE_CODE_URL:github.com/MarlinFirmware/Marlin PROTOCOL_VERSION:1.0 \
                MACHINE_TYPE:Ender-3 V2 EXTRUDER_COUNT:2";
    let name = "Marlin bugfix-2.1.x (Nov 23 2026 00:37:17)".to_owned();
    assert_eq!(Reply::parse(line), Reply::Firmware(name, Some(2), Some("Ender-3 V2".into())));
}

proptest! {
    /// Whatever the figures are: hundredths of a degree, doubled or not.
    #[test]
    fn a_report_says_the_same_once_and_twice(all in [0_u32..40_000, 0..40_000, 0..40_000, 0..40_000]) {
        let said = all.map(|hundredths| format!("{:.2}", f64::from(hundredths) / 100.0));
        let [nozzle, nozzle_set, bed, bed_set] = said.each_ref().map(String::as_str);
        let [is, set, bed_is, bed_to] = said.each_ref().map(|text| text.parse::<f64>().unwrap());
        let expected = TemperatureReport {
            tools: vec![(0, heat(is, set))],
            bed: Some(heat(bed_is, bed_to)),
            ..TemperatureReport::default()
        };
        let once = format!("T:{nozzle} /{nozzle_set} B:{bed} /{bed_set} @:0 B@:0");
        let twice = format!(
            "TT::{nozzle}{nozzle} //{nozzle_set}{nozzle_set} BB::{bed}{bed} //{bed_set}{bed_set} @@::00 BB@@::00"
        );
        for line in [once, twice] {
            prop_assert_eq!(Reply::parse(&line), Reply::Temperatures(expected.clone()), "{}", line);
        }
    }

    #[test]
    fn no_line_is_too_odd(line in "\\PC*") {
        let _ = Reply::parse(&line);
    }

    #[test]
    fn nor_one_that_begins_like_a_reply(line in "(ok|Resend:|rs |Error:|T:|//|echo:|Cap:|FIRMWARE_NAME:)[ -~]{0,40}") {
        let _ = Reply::parse(&line);
    }
}
